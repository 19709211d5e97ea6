"""How fast one outer step of MAML on images is, and how much memory it takes at most.

    python -m experiments.speed.maml_images
    python -m experiments.speed.maml_images stride      # one of the nets, a result of its own

32 tasks, 5-way 1-shot with 15 queries of each class, 28x28, float32, four
convolutions of 64 filters without norm and one linear layer. The net halves its sides by pooling (the Conv4
of the course) or by convolutions of stride 2 (the net of Finn et al. 2017, arXiv:1703.03400, for Omniglot):
3.7 times less work, so a speed without that word says nothing. Every measurement has a process of its own.
Stops unless all ways give the same gradient; to the tenth digit in float64, says a test.

The peak is what a process took at most above what it held before its first step, as Linux counts it. The loop
stands for what most implementations do; the libraries of `peers.py` take part where they can be imported.
"""

import sys
import warnings
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad_and_value
from torch.nn import functional as F

from experiments import bench
from experiments.bench import Ways
from experiments.omniglot import five_way
from experiments.speed import peers
from experiments.speed.loops import CASES, LOOP, Case, loop, peer_ways
from reference.episodes import Episode, Examples, one_by_one
from reference.meta_train import mean_over_tasks
from reference.params import Params
from reference.pytorch import maml
from reference.pytorch.batches import mean_by_vmap
from reference.pytorch.machine.speed import channels_last, keep_freed_memory
from reference.pytorch.nn import Conv4, init_params
from reference.results import Row
from reference.rules import sgd

N_TASKS, N_WAY, K_SHOT, N_QUERY, INNER_LR = 32, 5, 1, 15, 0.01
STEP = f"{N_TASKS} tasks, {N_WAY}-way {K_SHOT}-shot {N_QUERY}-query, 4 convolutions of 64 filters"
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
    return five_way.network(64, normed=False)


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
        settings = {"loss": loss, "rule": sgd(INNER_LR), **case._asdict()}
        mean_meta_gradient = mean_over_tasks(partial(maml.meta_gradient, **settings))
        return lambda: mean_meta_gradient(params, tasks)[0]

    def memory_kept(step):
        def keep_and_step():
            keep_freed_memory()  # has an effect the first time
            return step()

        return keep_and_step

    layout = partial(loss, layout=channels_last)
    by_vmap = mean_by_vmap(grad_and_value(maml.task_loss))
    settings = {"loss": loss, "rule": sgd(INNER_LR), **case._asdict()}
    return {
        LOOP: lambda: loop(params, tasks, loss, INNER_LR, case),
        "mean_by_vmap": lambda: by_vmap(params, episodes, **settings)[0],
        "mean_over_tasks": in_turn(loss),
        "mean_over_tasks, memory kept": memory_kept(in_turn(loss)),
        "mean_over_tasks, channels_last": in_turn(layout),
        "mean_over_tasks, channels_last, memory kept": memory_kept(in_turn(layout)),
        **peer_ways(net, params, tasks, F.cross_entropy, INNER_LR, case),
    }


def one_round(job: tuple[str, Case, str]) -> Sample:
    """A few steps, for a process of its own."""
    warnings.simplefilter("ignore")  # the libraries' own, at their import
    net_name, case, way = job
    net = NETS[net_name]()
    params, last = init_params(np.random.default_rng(0), net), {}
    step = ways(net, params, draw(), case)[way]
    bench.forget_peak()
    held = bench.megabytes("VmRSS")
    seconds = bench.steps_timed(lambda: last.update(step()), n_steps=N_STEPS, n_warm=1)
    peak = bench.megabytes("VmHWM") - held
    return Sample(seconds, peak, {name: g.numpy() for name, g in last.items()})


def names(case: Case) -> list[str]:
    """Of the ways that there are for this case."""
    net = strided_net()
    return list(ways(net, init_params(np.random.default_rng(0), net), draw(1), case))


def main(nets: list[str]) -> None:
    """Measure these nets, or all."""
    if unknown := set(nets) - NETS.keys():
        sys.exit(f"nets: got {sorted(unknown)}; there are {', '.join(NETS)}.")
    cases = list(product(nets or NETS, CASES))
    jobs = [(net, case, way) for net, case in cases for way in names(case)]
    samples = bench.in_processes(one_round, jobs, n_rounds=N_ROUNDS)
    rows = []
    for net, case in cases:
        rows += summary(f"{net}, {case}", {way: samples[net, case, way] for way in names(case)})
    settings = {"nets": " ".join(nets or NETS), "step": STEP}
    settings |= {"n_rounds": N_ROUNDS, "n_counted_steps": N_STEPS - 1}
    bench.leave("-".join(["maml-images", *nets]), settings, rows, libraries=peers.NAMES)


def summary(case: str, found: dict[str, list[Sample]]) -> list[Row]:
    """Seconds, their ratio to the loop's, and peak; AssertionError if gradients differ."""
    gradients = {way: rounds[0].gradient for way, rounds in found.items()}
    bench.assert_same(gradients, LOOP, tolerance=1e-2)  # float32: a maximum may flip
    seconds = {way: [s for sample in rounds for s in sample.seconds] for way, rounds in found.items()}
    peaks = {way: [sample.megabytes for sample in rounds] for way, rounds in found.items()}
    ratios = {"times as fast as the loop": LOOP}
    return [
        *bench.timed(seconds, {"case": case}, unit="seconds", ratios=ratios),
        *(
            bench.measured({"case": case, "way": way}, "megabytes, peak", float(np.median(x)), len(x))
            for way, x in peaks.items()
        ),
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
