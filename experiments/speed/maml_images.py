"""How fast one outer step of MAML on images is, and how much memory it takes at most.

    python -m experiments.speed.maml_images
    python -m experiments.speed.maml_images stride      # one of the nets, into maml_images_stride.json

Writes maml_images.json beside it. 32 tasks, 5-way 1-shot with 15 queries of each class, 28x28, float32, four
convolutions of 64 filters without norm and one linear layer. The net halves its sides by pooling (the Conv4
of the course) or by convolutions of stride 2 (the net of Finn et al. 2017, arXiv:1703.03400, for Omniglot):
3.7 times less work, so a speed without that word says nothing. Every measurement has a process of its own,
because how memory is kept holds for a whole process; rounds over all ways are interleaved, so that a busy
minute falls on all. Stops unless all ways give the same gradient; to the tenth digit in float64, says a test.

The peak is what a process took at most above what it held before its first step, as Linux counts it. The loop
stands for what most implementations do; the libraries of `peers.py` take part where they can be imported.
"""

import json
import multiprocessing
import platform
import re
import sys
import time
import warnings
from datetime import date
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from experiments.runs import device_name, write
from torch import nn
from torch.func import functional_call, grad_and_value
from torch.nn import functional as F

from experiments import omniglot_gradient
from experiments.speed import peers
from experiments.speed.maml import LOOP, Case, Ways, assert_same, loop, peer_ways
from reference.episodes import Episode, Examples, one_by_one
from reference.meta_train import mean_over_tasks
from reference.pytorch import maml
from reference.pytorch.batches import mean_by_vmap
from reference.pytorch.machine.speed import channels_last, keep_freed_memory
from reference.pytorch.nn import Conv4, Params, init_params
from reference.pytorch.unroll import sgd

N_TASKS, N_WAY, K_SHOT, N_QUERY, INNER_LR = 32, 5, 1, 15, 0.01
CASES = (Case(1, False), Case(5, False), Case(1, True))
N_ROUNDS, N_STEPS = 4, 4  # the first step of a round is not counted


class Sample(NamedTuple):
    """What one process found."""

    seconds: list[float]  # of each counted step
    megabytes: float  # the peak above what was there before the first step
    gradient: dict[str, np.ndarray]


def pooling_net() -> nn.Module:
    """The conv net of the course and a linear layer."""
    return nn.Sequential(Conv4(64), nn.Linear(64, N_WAY))


def strided_net() -> nn.Module:
    """Four convolutions that halve the sides themselves, 28 -> 14 -> 7 -> 4 -> 2, and a linear layer."""
    return omniglot_gradient.network(64, normed=False)


NETS = {"pooling": pooling_net, "stride": strided_net}


def draw(n_tasks: int = N_TASKS, dtype: type = np.float32) -> Episode:
    """A batch of random images and labels; what is on the images does not matter."""
    rng, parts = np.random.default_rng(0), []
    for n in (K_SHOT, N_QUERY):
        images = rng.uniform(size=(n_tasks, N_WAY * n, 1, 28, 28)).astype(dtype)
        labels = rng.permuted(np.tile(np.arange(N_WAY), (n_tasks, n)), axis=1)
        parts.append(Examples(torch.from_numpy(images), torch.from_numpy(labels)))
    return Episode(*parts)


def ways(net: nn.Module, params: Params, episodes: Episode, case: Case) -> Ways:
    """Every way to the mean meta-gradient, as a function without arguments."""
    tasks = one_by_one(episodes)

    def loss(params, examples, layout=lambda x: x):
        return F.cross_entropy(functional_call(net, params, layout(examples.x)), examples.y)

    def in_turn(loss):
        settings = {"loss": loss, "update": sgd(INNER_LR), **case._asdict()}
        mean_meta_gradient = mean_over_tasks(partial(maml.meta_gradient, **settings))
        return lambda: mean_meta_gradient(params, tasks)[0]

    def memory_kept(step):
        def keep_and_step():
            keep_freed_memory()  # has an effect the first time
            return step()

        return keep_and_step

    layout = partial(loss, layout=channels_last)
    by_vmap = mean_by_vmap(grad_and_value(maml.task_loss))
    settings = {"loss": loss, "update": sgd(INNER_LR), **case._asdict()}
    return {
        LOOP: lambda: loop(params, tasks, loss, INNER_LR, case),
        "mean_by_vmap": lambda: by_vmap(params, episodes, **settings)[0],
        "mean_over_tasks": in_turn(loss),
        "mean_over_tasks, memory kept": memory_kept(in_turn(loss)),
        "mean_over_tasks, channels_last": in_turn(layout),
        "mean_over_tasks, channels_last, memory kept": memory_kept(in_turn(layout)),
        **peer_ways(net, params, tasks, F.cross_entropy, INNER_LR, case),
    }


def one_round(net_name: str, case: Case, way: str) -> Sample:
    """A few steps, for a process of its own."""
    warnings.simplefilter("ignore")  # the libraries' own, at their import
    net = NETS[net_name]()
    params = init_params(np.random.default_rng(0), net)
    step = ways(net, params, draw(), case)[way]
    forget_peak()
    held, seconds = megabytes("VmRSS"), []
    for _ in range(N_STEPS):
        start = time.perf_counter()
        gradient = step()
        seconds.append(time.perf_counter() - start)
    gradient = {name: g.numpy() for name, g in gradient.items()}
    return Sample(seconds[1:], megabytes("VmHWM") - held, gradient)


def forget_peak() -> None:
    """Let this process's peak of memory be what it holds now (see proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def megabytes(kind: str) -> float:
    """What this process holds now (VmRSS), or the most that it has held (VmHWM)."""
    kilobytes = re.search(rf"^{kind}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(kilobytes[1]) * 1024 / 1e6


def names(case: Case) -> list[str]:
    """Of the ways that there are for this case."""
    net = strided_net()
    return list(ways(net, init_params(np.random.default_rng(0), net), draw(1), case))


def main(nets: list[str]) -> None:
    """Measure these nets, or all."""
    if unknown := set(nets) - NETS.keys():
        sys.exit(f"nets: got {sorted(unknown)}; there are {', '.join(NETS)}.")
    chosen = nets or list(NETS)
    jobs = [(net, case, way) for net, case in product(chosen, CASES) for way in names(case)]
    samples: dict[tuple, list[Sample]] = {job: [] for job in jobs}
    rng = np.random.default_rng(0)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
        for round_ in range(N_ROUNDS):
            for number, at in enumerate(rng.permutation(len(jobs))):
                samples[jobs[at]].append(fresh.apply(one_round, jobs[at]))
                print(f"round {round_ + 1} of {N_ROUNDS}, {number + 1} of {len(jobs)}", file=sys.stderr)
    result = {
        "command": " ".join(["python -m experiments.speed.maml_images", *nets]),
        "date": date.today().isoformat(),
        "device": device_name(torch.device("cpu")),
        "versions": {"python": platform.python_version(), "torch": torch.__version__} | peers.found(),
        "step": f"{N_TASKS} tasks, {N_WAY}-way {K_SHOT}-shot {N_QUERY}-query, 4 convolutions of 64 filters",
        "rounds_and_counted_steps": [N_ROUNDS, N_STEPS - 1],
    }
    for net, case in product(chosen, CASES):
        found = {way: samples[net, case, way] for way in names(case)}
        result[f"{net}, {case}"] = summary(found)
    write(Path(__file__).with_name("_".join(["maml_images", *nets]) + ".json"), result)
    print(json.dumps(result, indent=2))


def summary(found: dict[str, list[Sample]]) -> dict[str, dict]:
    """Median seconds, peak, and how many times as fast as the loop; AssertionError if gradients differ."""
    assert_same(
        {way: rounds[0].gradient for way, rounds in found.items()}, tolerance=1e-2
    )  # float32: a maximum may flip
    seconds = {
        way: np.median([s for sample in rounds for s in sample.seconds]) for way, rounds in found.items()
    }
    return {
        way: {
            "seconds": round(float(seconds[way]), 4),
            "times as fast as the loop": round(float(seconds[LOOP] / seconds[way]), 2),
            "peak megabytes": round(float(np.median([sample.megabytes for sample in rounds]))),
        }
        for way, rounds in found.items()
    }


if __name__ == "__main__":
    main(sys.argv[1:])
