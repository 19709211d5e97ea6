"""Neural Turing machines, and what stands beside them, on programs over sequences.

    python -m experiments.sequences.machines ntm --seed 0
    python -m experiments.sequences.machines transformer --seed 0 --outer-lr 3e-3
    python -m experiments.sequences.machines lstm --data associative-recall --seed 0

See README.md in this folder.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from experiments import runner
from experiments.carried import apart, carrying
from experiments.curve import blank, noting, points
from experiments.saving import Job
from experiments.training import Evaluation, Training, cosine
from experiments.transformer import Transformer
from reference.episodes import Series
from reference.params import Params
from reference.pytorch import ntm
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import as_function, init_params
from reference.pytorch.nn.cells import Recurrent, answering, lstm, run
from reference.pytorch.unroll import value_and_grad
from reference.rules import adam, clipped
from reference.tasks.sequences import AssociativeRecall, Copy, RepeatCopy, wrong_bits


class Settings(NamedTuple):
    """What a run depends on. The sizes of training are the task's own: to copy, lengths from 1 to 20."""

    data: Literal["copy", "repeat-copy", "associative-recall"] = "copy"
    seed: int = 0
    n_steps: int = 3000
    batch: int = 16
    outer_lr: float = 1e-3
    largest_gradient: float = 10.0  # as Collier & Beel 2018 and Graves et al. 2014, who clip each number
    n_rows: int = 128
    row_width: int = 20
    n_hidden: int = 100  # of the machine's controller
    n_test: int = 100  # sequences of each size


VARIANTS = {
    name: Settings() for name in ("ntm", "ntm-random-start", "ntm-learned-start", "lstm", "transformer")
}
TASKS = {"copy": Copy(), "repeat-copy": RepeatCopy(), "associative-recall": AssociativeRecall()}
TEST_SIZES: dict[str, tuple[dict[str, int], ...]] = {  # those of training, then others
    "copy": tuple({"length": n} for n in (5, 10, 20, 30, 40, 60, 80, 100, 120)),
    "repeat-copy": tuple(
        {"length": n, "repeats": times} for n, times in ((3, 3), (5, 5), (10, 10), (20, 10), (10, 20))
    ),
    "associative-recall": tuple({"items": n} for n in (2, 3, 4, 5, 6, 8, 10, 12, 15, 20)),
}
LSTM_WIDTH, TRANSFORMER = 120, {"width": 52, "n_heads": 4, "n_blocks": 2}  # no fewer weights than the machine


class Drawn(NamedTuple):
    """What one step learns from; the number makes the memory of a random start."""

    series: Series
    number: int


Answers = Callable[[Params, Drawn], Tensor]  # logits (n_steps, batch, d_out)


def recurrent(job: Job, number: int = 0) -> Recurrent:
    """The machine, or the LSTM, under its output layer."""
    chosen, task = job.settings, TASKS[job.settings.data]
    if job.variant == "lstm":
        return answering(lstm(LSTM_WIDTH), task.d_out)
    starts = {
        "ntm-random-start": ntm.random_start(np.random.default_rng(number)),
        "ntm-learned-start": ntm.learned_start(),
    }
    size = ntm.Size(n_rows=chosen.n_rows, width=chosen.row_width)
    core = ntm.machine(size, lstm(chosen.n_hidden), start=starts.get(job.variant, ntm.CONSTANT))
    return answering(core, task.d_out)


def transformer(job: Job) -> Transformer:
    task = TASKS[job.settings.data]
    return Transformer(task.d_in, task.d_out, **TRANSFORMER)


def answers(job: Job) -> Answers:
    """What the learner says of a series."""
    if job.variant == "transformer":
        net = as_function(transformer(job))
        return lambda params, drawn: net(params, drawn.series.x)
    return lambda params, drawn: run(recurrent(job, drawn.number), params, drawn.series.x)


def begin(job: Job, rng: np.random.Generator) -> Params:
    """New weights, and a place for the losses."""
    if job.variant == "transformer":
        weights = init_params(rng, transformer(job))
    else:
        weights = recurrent(job).init(rng, TASKS[job.settings.data].d_in)
    return blank({name: p.to(job.device) for name, p in weights.items()}, job.settings.n_steps)


def draw(job: Job, rng: np.random.Generator) -> Drawn:
    """A batch whose sequences have one length, so that no step is spent on silence."""
    series = TASKS[job.settings.data].sample_batch(rng, job.settings.batch)
    return Drawn(to_torch(series, job.device), int(rng.integers(2**32)))


def loss(params: Params, drawn: Drawn, *, answer: Answers) -> Tensor:
    """As ntm.loss: the cross-entropy of the judged bits, in bits for each of them."""
    series = drawn.series
    logits = answer(params, drawn)
    return F.binary_cross_entropy_with_logits(logits[series.judged], series.y[series.judged]) / math.log(2)


def train(job: Job) -> Training:
    """One batch a step, Adam under a falling rate, on clipped gradients; the losses are kept."""
    chosen, both = job.settings, value_and_grad(partial(loss, answer=answers(job)))
    rule = clipped(adam(cosine(chosen.outer_lr, chosen.n_steps)), chosen.largest_gradient)
    return Training(noting(both), partial(draw, job), carrying(rule))


def tests(job: Job, start: Params, end: Params) -> Iterator[Evaluation]:
    """Wrong bits of a sequence at each size, those of training and others; then the curve of training."""
    for size in TEST_SIZES[job.settings.data]:
        yield Evaluation(size, "wrong bits", partial(wrong, job, apart(end)[0], size))
    yield from points(end, batch=job.settings.batch, measure="bits lost, of one")


def wrong(job: Job, weights: Params, size: dict[str, int]) -> np.ndarray:
    """How many bits of each test sequence are wrong."""
    series = series_of(job, size)
    with torch.inference_mode():
        logits = answers(job)(weights, Drawn(to_torch(series, job.device), 0))
    return wrong_bits(series, logits.cpu().numpy())


def series_of(job: Job, size: dict[str, int]) -> Series:
    """n_test sequences of this size, {"length": 5} or as TEST_SIZES has it; the same for every learner."""
    task, rng = TASKS[job.settings.data], np.random.default_rng(list(size.values()))
    each = {name: np.full(job.settings.n_test, n) for name, n in size.items()}
    if isinstance(task, AssociativeRecall):
        return task.of_items(rng, each["items"])
    return task.of_lengths(rng, each.pop("length"), **each)


EXPERIMENT = runner.Experiment("sequences", VARIANTS, begin, train, tests)

if __name__ == "__main__":
    runner.main(EXPERIMENT)
