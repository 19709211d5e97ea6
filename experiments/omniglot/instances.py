"""Streams of labelled characters, on Omniglot or of glyphs: a memory-augmented network and what is beside it.

    python -m experiments.omniglot.instances mann --seed 0 --data characters
    python -m experiments.omniglot.instances lstm --seed 0 --data held-out   # settings are chosen with it
    python -m experiments.omniglot.instances mann --seed 0 --data glyphs            # or glyphs-held-out

See README.md in this folder.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from experiments import runner
from experiments.carried import apart, carrying
from experiments.curve import blank, noting, points
from experiments.omniglot.data import Data, banks
from experiments.replay import replayed
from experiments.saving import Job
from experiments.training import Evaluation, Training, cosine
from experiments.transformer import Transformer
from reference.episodes import Series
from reference.params import Params
from reference.pytorch import mann
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import as_function, init_params
from reference.pytorch.nn.cells import Recurrent, answering, feedforward, lstm, run
from reference.pytorch.unroll import value_and_grad
from reference.rules import adam, clipped
from reference.tasks.bank import Bank
from reference.tasks.folders import area_average
from reference.tasks.glyphs import glyphs
from reference.tasks.instances import Instances, accuracy_by_instance


class Settings(NamedTuple):
    """What a run depends on; the machine's sizes and the images' are those of Santoro et al. 2016."""

    data: Literal[Data, "glyphs", "glyphs-held-out"] = "alphabets"
    seed: int = 0
    n_steps: int = 3000
    batch: int = 128
    outer_lr: float = 1e-3
    largest_gradient: float = 1.0
    n_way: int = 5
    n_each: int = 10
    pixels: int = 20  # a side
    n_rows: int = 128
    row_width: int = 40
    n_reads: int = 4
    n_hidden: int = 200  # of the machine's controller
    strength: float = 1.0  # what the machine multiplies its cosines by
    n_test: int = 2000  # streams


VARIANTS = {
    name: Settings() for name in ("mann", "mann-writes-first", "mann-feedforward", "lstm", "transformer")
}
VARIANTS |= {"mann-sharp": Settings(strength=10.0), "pixels": Settings(n_steps=0)}
LSTM_WIDTH, TRANSFORMER = (
    248,
    {"width": 132, "n_heads": 4, "n_blocks": 3},
)  # no fewer weights than the machine
JUDGED = (1, 2, 3, 5, 10)  # instances
AT_ONCE = 200  # test streams

Answers = Callable[[Params, Tensor], Tensor]  # scores (n_steps, batch, n_way)


def recurrent(job: Job) -> Recurrent:
    """The machine, or the LSTM, under its output layer."""
    chosen = job.settings
    if job.variant == "lstm":
        return answering(lstm(LSTM_WIDTH), chosen.n_way)
    controller = (feedforward if job.variant == "mann-feedforward" else lstm)(chosen.n_hidden)
    sizes = {"n_rows": chosen.n_rows, "width": chosen.row_width, "n_reads": chosen.n_reads}
    sizes |= {"strength": chosen.strength, "writes_first": job.variant == "mann-writes-first"}
    machine = mann.machine(mann.Size(**sizes), controller)
    return answering(machine, chosen.n_way)


def d_in(job: Job) -> int:
    """An image, and the label of the one before."""
    return job.settings.pixels**2 + job.settings.n_way


def transformer(job: Job) -> Transformer:
    return Transformer(d_in(job), job.settings.n_way, **TRANSFORMER)


def answers(job: Job) -> Answers:
    """What the learner says of streams."""
    if job.variant == "transformer":
        return as_function(transformer(job))
    if job.variant == "pixels":
        return partial(nearest, n_way=job.settings.n_way)
    return partial(run, recurrent(job))


def begin(job: Job, rng: np.random.Generator) -> Params:
    """New weights, and a place for the losses."""
    if job.variant == "transformer":
        weights = init_params(rng, transformer(job))
    elif job.variant == "pixels":
        weights = {}
    else:
        weights = recurrent(job).init(rng, d_in(job))
    return blank({name: p.to(job.device) for name, p in weights.items()}, job.settings.n_steps)


def nearest(params: Params, x: Tensor, *, n_way: int) -> Tensor:
    """No learner: all that was met is kept, and the label of the image with the nearest pixels is said."""
    pixels = x[..., :-n_way].swapaxes(0, 1)
    labels = x[1:, :, -n_way:]  # the label of step i comes in step i + 1
    apart = torch.cdist(pixels, pixels)
    later = torch.ones_like(apart[0], dtype=torch.bool).triu()
    found = apart.masked_fill(later, math.inf)[:, 1:].argmin(-1)  # (batch, n_steps - 1)
    said = labels.swapaxes(0, 1).take_along_dim(found[..., None], dim=1).swapaxes(0, 1)
    return torch.cat([torch.zeros_like(said[:1]), said])


def shrunk(bank: Bank, pixels: int) -> Bank:
    """The bank with smaller images, some hundred at a time."""
    pieces = np.array_split(bank.images, 1 + len(bank.images) // 500)
    small = [area_average(piece.astype(np.float32), pixels, pixels) for piece in pieces]
    return bank._replace(images=np.concatenate(small))


def drawn(data: str) -> tuple[Bank, Bank]:
    """The classes to train on and those to judge by; of glyphs too a quarter turn makes a new class."""
    if not data.startswith("glyphs"):
        return banks(data)
    return glyphs("train").with_rotations(), glyphs("validation" if data == "glyphs-held-out" else "test")


def streams(job: Job) -> tuple[Instances, Instances]:
    """What is trained on, and what is judged by."""
    chosen = job.settings
    both = (shrunk(bank, chosen.pixels) for bank in drawn(chosen.data))
    return tuple(Instances(bank, n_way=chosen.n_way, n_each=chosen.n_each) for bank in both)


def loss(params: Params, series: Series, *, answer: Answers) -> Tensor:
    """As mann.loss, where every answer is judged: their cross-entropy, in nats for each.

    It asks for no number that a recording on a GPU could not know.
    """
    return F.cross_entropy(answer(params, series.x).flatten(0, 1), series.y.flatten())


def train(job: Job) -> Training:
    """One batch of streams a step, Adam under a falling rate, on clipped gradients; the losses are kept."""
    chosen, tasks = job.settings, streams(job)[0]
    both = value_and_grad(partial(loss, answer=answers(job)))
    if job.device.type == "cuda" and job.variant != "transformer":  # which makes its sines on the processor
        both = replayed(both)
    rule = clipped(adam(cosine(chosen.outer_lr, chosen.n_steps)), chosen.largest_gradient)
    draw = lambda rng: to_torch(tasks.sample_batch(rng, chosen.batch), job.device)
    return Training(noting(both), draw, carrying(rule))


def tests(job: Job, start: Params, end: Params) -> Iterator[Evaluation]:
    """Accuracy at each instance over test streams, of the machine with its reads silenced too; the curve."""
    ways = {"heard": apart(end)[0]}
    if job.variant.startswith("mann"):
        ways["silenced"] = silenced(job, apart(end)[0])
    for reads, weights in ways.items():
        values = cache(partial(accuracies, job, weights))
        for k in JUDGED:
            if k <= job.settings.n_each:
                about = {"n_way": job.settings.n_way, "instance": k, "reads": reads}
                yield Evaluation(about, "accuracy", lambda k=k, values=values: values()[:, k - 1])
    yield from points(end, batch=job.settings.batch, measure="nats lost")


def accuracies(job: Job, weights: Params) -> np.ndarray:
    """(n_test, n_each), of the same streams for every learner."""
    rng, tasks, n, found = np.random.default_rng(0), streams(job)[1], job.settings.n_test, []
    answer = answers(job)
    for first in range(0, n, AT_ONCE):
        series = tasks.sample_batch(rng, min(AT_ONCE, n - first))
        with torch.inference_mode():
            scores = answer(weights, to_torch(series, job.device).x).cpu().numpy()
        found.append(accuracy_by_instance(scores, series.y))
    return np.concatenate(found)


def silenced(job: Job, weights: Params) -> Params:
    """The machine whose controller and whose answers hear nothing of what its heads read."""
    n_heard = {"output.weight": job.settings.n_hidden}
    n_heard |= dict.fromkeys(("core.controller.weight_ih_l0", "core.controller.weight"), d_in(job))
    deaf = {name: weights[name].clone() for name in n_heard if name in weights}
    for name, p in deaf.items():
        p[:, n_heard[name] :] = 0
    return weights | deaf


EXPERIMENT = runner.Experiment("instances", VARIANTS, begin, train, tests)

if __name__ == "__main__":
    runner.main(EXPERIMENT)
