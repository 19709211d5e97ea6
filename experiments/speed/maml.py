"""How fast one outer step of MAML on sinusoids is: the ways of the course beside a loop over the tasks.

    OMP_NUM_THREADS=1 python -m experiments.speed.maml

Writes maml.json beside it. The ways take turns, in a new order each round: a busy minute falls on all. Stops
unless all give the same gradient. 25 tasks, ten examples each for support and for query, an MLP of 1-40-40-1
(Finn et al. 2017, arXiv:1703.03400, section 5.1), in float32; images are in `maml_images.py`.

The loop is what most implementations do: one task after the other, functional_call and torch.autograd.grad.
`by_hand` is the other end: the chain rule on paper, in NumPy. The libraries of `peers.py` take part where
they can be imported.
"""

import json
import platform
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from timeit import timeit
from typing import NamedTuple

import autograd
import autograd.numpy
import numpy as np
import torch
from experiments.runs import device_name, write
from torch import nn
from torch.func import functional_call, grad_and_value
from torch.nn import functional as F

from experiments.speed import by_hand, peers
from experiments.speed.engine import mlp_loss
from reference.episodes import Episode, Examples, one_by_one
from reference.pytorch import batches as their_batches
from reference.pytorch import maml as their_maml
from reference.pytorch import nn as their_nn
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.unroll import sgd as their_sgd
from reference.scratch import maml
from reference.scratch.batches import mean_over_batch
from reference.scratch.nn import Params, init_mlp, mlp
from reference.scratch.unroll import sgd
from reference.tasks.families import Sinusoids

SIZES, N_TASKS, INNER_LR = [1, 40, 40, 1], 25, 0.01
LOOP, HIPS = "PyTorch, one task after the other", "HIPS autograd, tasks at once"
Ways = dict[str, Callable[[], Params]]


class Case(NamedTuple):
    """What kind of step is measured."""

    n_steps: int
    first_order: bool

    def __str__(self) -> str:
        return f"{'first' if self.first_order else 'second'} order, {self.n_steps} inner step" + "s" * (
            self.n_steps > 1
        )


CASES = (Case(1, False), Case(5, False), Case(1, True))


def main() -> None:
    torch.set_num_threads(1)
    result = {
        "command": "OMP_NUM_THREADS=1 python -m experiments.speed.maml",
        "date": date.today().isoformat(),
        "device": device_name(torch.device("cpu")),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("numpy", "autograd", "torch")}
        | peers.found(),
        "sinusoids": {
            str(case): compare(sinusoid_ways(*draw(), case), n_rounds=100, n_in_a_row=5) for case in CASES
        },
    }
    write(Path(__file__).with_suffix(".json"), result)
    print(json.dumps(result, indent=2))


def compare(ways: Ways, **rounds: int) -> dict[str, dict]:
    """Medians, quartiles, and how many times as fast as the loop and as HIPS autograd, if it takes part."""
    seconds = measure(ways, **rounds)
    medians = {name: float(np.median(samples)) for name, samples in seconds.items()}
    return {
        name: {
            "milliseconds": round(1000 * medians[name], 3),
            "quartiles": [round(1000 * float(q), 3) for q in np.quantile(samples, [0.25, 0.75])],
        }
        | {
            f"times as fast as {unit}": round(medians[unit] / medians[name], 2)
            for unit in (LOOP, HIPS)
            if unit in ways
        }
        for name, samples in seconds.items()
    }


def measure(ways: Ways, *, n_rounds: int, n_in_a_row: int) -> dict[str, list[float]]:
    """Seconds of a step, a mean over n_in_a_row of them as in training, for every way and round.

    AssertionError unless all ways give the same.
    """
    assert_same({name: way() for name, way in ways.items()}, tolerance=1e-4)
    rng = np.random.default_rng(2)
    seconds = {name: [] for name in ways}
    for _ in range(n_rounds):
        for name in rng.permutation(list(ways)):
            seconds[name].append(timeit(ways[name], number=n_in_a_row) / n_in_a_row)
    return seconds


def assert_same(gradients: dict[str, Params], *, tolerance: float) -> None:
    """AssertionError where a way is off by more than tolerance times its parameter's largest entry."""
    for way, gradient in gradients.items():
        for name, expected in gradients[LOOP].items():
            apart = np.abs(np.asarray(gradient[name]) - np.asarray(expected)).max()
            largest = np.abs(np.asarray(expected)).max()
            assert apart <= tolerance * largest, (
                f"{way}: {name} is {apart / largest:.0e} of its largest apart."
            )


def draw(dtype: type = np.float32) -> tuple[Params, Episode]:
    """Weights, and a batch of sinusoids."""
    params = init_mlp(np.random.default_rng(0), SIZES)
    parts = Sinusoids(k_shot=10, n_query=10).sample_batch(np.random.default_rng(1), N_TASKS)[:2]
    episodes = Episode(*(Examples(part.x.astype(dtype), part.y.astype(dtype)) for part in parts))
    return {name: p.astype(dtype) for name, p in params.items()}, episodes


def sinusoid_ways(params: Params, episodes: Episode, case: Case) -> Ways:
    """Every way to the mean meta-gradient of the sinusoids, as a function without arguments."""
    tensors, tasks = {name: torch.from_numpy(p) for name, p in params.items()}, to_torch(episodes)
    ours, theirs = ({"update": step(INNER_LR), **case._asdict()} for step in (sgd, their_sgd))
    net = their_nn.MLP(SIZES)

    def squared_errors(params, examples):
        return np.mean((mlp(params, examples.x) - examples.y) ** 2, axis=(1, 2))

    def their_squared_errors(params, examples):
        return ((their_nn.mlp(params, examples.x) - examples.y) ** 2).mean((1, 2))

    def of_one(params, examples):
        return F.mse_loss(functional_call(net, params, examples.x), examples.y)

    at_once = partial(mean_over_batch(maml.meta_gradient), loss=squared_errors, **ours)
    their_meta_gradient = their_batches.mean_over_batch(their_maml.meta_gradient)
    their_at_once = partial(their_meta_gradient, loss=their_squared_errors, **theirs)
    by_vmap = partial(their_batches.mean_by_vmap(grad_and_value(their_maml.task_loss)), loss=of_one, **theirs)
    ways = {
        LOOP: lambda: loop(tensors, one_by_one(tasks), of_one, INNER_LR, case),
        "PyTorch, mean_by_vmap": lambda: by_vmap(tensors, tasks)[0],
        "PyTorch, mean_over_batch": lambda: their_at_once(tensors, tasks)[0],
        "NumPy engine, mean_over_batch": lambda: at_once(params, episodes)[0],
    }
    if case == Case(1, first_order=False):
        by_hips = autograd.grad(hips_loss(episodes))
        ways["NumPy, by hand"] = lambda: by_hand.meta_gradient(params, episodes, INNER_LR)
        ways[HIPS] = lambda: by_hips(params)
    plain = nn.Sequential(*(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1)))
    return ways | peer_ways(plain, tensors, one_by_one(tasks), F.mse_loss, INNER_LR, case)


def peer_ways(
    net: nn.Module, params: Params, tasks: Sequence[Episode], loss: Callable, inner_lr: float, case: Case
) -> Ways:
    """The libraries that are installed; net is the network in the form they understand."""
    names = dict(zip((name for name, _ in net.named_parameters()), params, strict=True))
    net.to(next(iter(params.values())).dtype)
    net.load_state_dict({name: params[own] for name, own in names.items()})
    ways = {}
    for peer, make in peers.here(first_order=case.first_order).items():
        step = make(
            net, tasks, lambda net, examples: loss(net(examples.x), examples.y), inner_lr, case.n_steps
        )
        ways[peer] = lambda step=step: {names[name]: g for name, g in step().items()}
    return ways


def loop(params: dict, tasks: Sequence[Episode], loss: Callable, inner_lr: float, case: Case) -> dict:
    """What most implementations do, without what makes it fast."""
    params = {name: p.detach().requires_grad_() for name, p in params.items()}
    leaves = list(params.values())
    total = [torch.zeros_like(p) for p in leaves]
    for support, query, _ in tasks:
        adapted = params
        for _ in range(case.n_steps):
            values = list(adapted.values())
            steps = torch.autograd.grad(loss(adapted, support), values, create_graph=not case.first_order)
            adapted = {name: p - inner_lr * g for (name, p), g in zip(adapted.items(), steps, strict=True)}
        gradient = torch.autograd.grad(loss(adapted, query) / len(tasks), leaves)
        total = [t + g for t, g in zip(total, gradient, strict=True)]
    return dict(zip(params, total, strict=True))


def hips_loss(episodes: Episode) -> Callable:
    """The same step in HIPS autograd, the tasks at once: the function of params that it differentiates."""
    np = autograd.numpy
    support, query, _ = episodes
    n_tasks = len(support.x)

    def mean_task_loss(params):
        own = {name: np.broadcast_to(p[None], (n_tasks, *p.shape)) for name, p in params.items()}
        gradient = autograd.grad(lambda p: mlp_loss(np, p, support))(own)
        adapted = {name: own[name] - INNER_LR * gradient[name] for name in own}
        return mlp_loss(np, adapted, query) / n_tasks

    return mean_task_loss


if __name__ == "__main__":
    main()
