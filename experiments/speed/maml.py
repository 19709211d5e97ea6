"""How fast one outer step of MAML on sinusoids is: the ways of the course beside a loop over the tasks.

    OMP_NUM_THREADS=1 python -m experiments.speed.maml

Stops unless all ways give the same gradient. 25 tasks, ten examples each for support and for query, an MLP of 1-40-40-1
(Finn et al. 2017, arXiv:1703.03400, section 5.1), in float32; images are in `maml_images.py`.

The loop is what most implementations do: one task after the other, functional_call and torch.autograd.grad.
`on_paper` is the other end: the chain rule on paper, in NumPy. The libraries of `peers.py` take part where
they can be imported.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import autograd
import autograd.numpy
import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad_and_value
from torch.nn import functional as F

from experiments import bench
from experiments.bench import Ways
from experiments.ledger import on_paper
from experiments.speed import peers
from experiments.speed.engine import mlp_loss
from reference.episodes import Episode, Examples, one_by_one
from reference.params import Params
from reference.pytorch import batches as their_batches
from reference.pytorch import maml as their_maml
from reference.pytorch import nn as their_nn
from reference.pytorch.machine.arrays import to_torch
from reference.results import Row
from reference.rules import sgd
from reference.scratch import maml
from reference.scratch.batches import mean_over_batch
from reference.scratch.nn import init_mlp, mlp
from reference.tasks.families import Sinusoids

SIZES, N_TASKS, INNER_LR = [1, 40, 40, 1], 25, 0.01
N_ROUNDS, N_IN_A_ROW = 100, 5
LOOP, HIPS = "PyTorch, one task after the other", "HIPS autograd, tasks at once"
RATIOS = {"times as fast as the loop": LOOP, "times as fast as HIPS autograd": HIPS}


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
    rows = [row for case in CASES for row in compare(case)]
    settings = {"n_tasks": N_TASKS, "n_rounds": N_ROUNDS, "n_in_a_row": N_IN_A_ROW}
    bench.leave("maml", settings, rows, libraries=["autograd", *peers.NAMES])


def compare(case: Case) -> list[Row]:
    """Milliseconds of every way, and how many times as fast as the loop and as HIPS autograd."""
    ways = sinusoid_ways(*draw(), case)
    bench.assert_same({name: way() for name, way in ways.items()}, LOOP, tolerance=1e-4)
    seconds = bench.in_turn(ways, n_rounds=N_ROUNDS, n_in_a_row=N_IN_A_ROW)
    return bench.timed(seconds, {"case": str(case)}, unit="milliseconds", ratios=RATIOS)


def draw(dtype: type = np.float32) -> tuple[Params, Episode]:
    """Weights, and a batch of sinusoids."""
    params = init_mlp(np.random.default_rng(0), SIZES)
    parts = Sinusoids(k_shot=10, n_query=10).sample_batch(np.random.default_rng(1), N_TASKS)[:2]
    episodes = Episode(*(Examples(part.x.astype(dtype), part.y.astype(dtype)) for part in parts))
    return {name: p.astype(dtype) for name, p in params.items()}, episodes


def sinusoid_ways(params: Params, episodes: Episode, case: Case) -> Ways:
    """Every way to the mean meta-gradient of the sinusoids, as a function without arguments."""
    tensors, tasks = {name: torch.from_numpy(p) for name, p in params.items()}, to_torch(episodes)
    settings = {"rule": sgd(INNER_LR), **case._asdict()}
    net = their_nn.MLP(SIZES)

    def squared_errors(params, examples):
        return np.mean((mlp(params, examples.x) - examples.y) ** 2, axis=(1, 2))

    def their_squared_errors(params, examples):
        return ((their_nn.mlp(params, examples.x) - examples.y) ** 2).mean((1, 2))

    def of_one(params, examples):
        return F.mse_loss(functional_call(net, params, examples.x), examples.y)

    at_once = partial(mean_over_batch(maml.meta_gradient), loss=squared_errors, **settings)
    their_meta_gradient = their_batches.mean_over_batch(their_maml.meta_gradient)
    their_at_once = partial(their_meta_gradient, loss=their_squared_errors, **settings)
    by_vmap = partial(
        their_batches.mean_by_vmap(grad_and_value(their_maml.task_loss)), loss=of_one, **settings
    )
    ways = {
        LOOP: lambda: loop(tensors, one_by_one(tasks), of_one, INNER_LR, case),
        "PyTorch, mean_by_vmap": lambda: by_vmap(tensors, tasks)[0],
        "PyTorch, mean_over_batch": lambda: their_at_once(tensors, tasks)[0],
        "NumPy engine, mean_over_batch": lambda: at_once(params, episodes)[0],
    }
    if case == Case(1, first_order=False):
        by_hips = autograd.grad(hips_loss(episodes))
        ways["NumPy, by hand"] = lambda: on_paper.dense_net(params, episodes, INNER_LR)
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
