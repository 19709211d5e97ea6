"""How fast one outer step of MAML on sinusoids is: the ways of the course beside a loop over the tasks.

    OMP_NUM_THREADS=1 python -m experiments.speed.maml

Stops unless all ways give the same gradient. 25 tasks, ten examples each for support and for query, an MLP of
1-40-40-1 (Finn et al. 2017, arXiv:1703.03400, section 5.1), in float32; images are in `maml_images.py`.

The loop is what most implementations do: one task after the other, functional_call and torch.autograd.grad.
`on_paper` is the other end: the chain rule on paper, in NumPy. The libraries of `peers.py` take part where
they can be imported.
"""

from functools import partial

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
from experiments.speed import peers, programs
from experiments.speed.loops import CASES, LOOP, Case, loop, peer_ways
from reference.episodes import one_by_one
from reference.pytorch import batches as their_batches
from reference.pytorch import maml as their_maml
from reference.pytorch import nn as their_nn
from reference.pytorch.machine.arrays import to_torch
from reference.results import Row
from reference.rules import sgd
from reference.scratch import maml
from reference.scratch.batches import mean_over_batch
from reference.scratch.nn import mlp

INNER_LR = programs.INNER_LR
N_ROUNDS, N_IN_A_ROW = 100, 5
HIPS = "HIPS autograd, tasks at once"
RATIOS = {"times as fast as the loop": LOOP, "times as fast as HIPS autograd": HIPS}


def main() -> None:
    torch.set_num_threads(1)
    rows = [row for case in CASES for row in compare(case)]
    settings = {"n_tasks": programs.N_TASKS, "n_rounds": N_ROUNDS, "n_in_a_row": N_IN_A_ROW}
    bench.leave("maml", settings, rows, libraries=["autograd", *peers.NAMES])


def compare(case: Case) -> list[Row]:
    """Milliseconds of every way, and how many times as fast as the loop and as HIPS autograd."""
    ways = sinusoid_ways(case)
    bench.assert_same({name: way() for name, way in ways.items()}, LOOP, tolerance=1e-4)
    seconds = bench.in_turn(ways, n_rounds=N_ROUNDS, n_in_a_row=N_IN_A_ROW)
    return bench.timed(seconds, {"case": str(case)}, unit="milliseconds", ratios=RATIOS)


def sinusoid_ways(case: Case, dtype: type = np.float32) -> Ways:
    """Every way to the mean meta-gradient of the sinusoids, as a function without arguments."""
    params, episodes = programs.mlp_params(dtype), programs.sinusoids(dtype)
    tensors, tasks = {name: torch.from_numpy(p) for name, p in params.items()}, to_torch(episodes)
    settings = {"rule": sgd(INNER_LR), **case._asdict()}
    net = their_nn.MLP(programs.SIZES)

    def squared_errors(params, examples):
        return np.mean((mlp(params, examples.x) - examples.y) ** 2, axis=(1, 2))

    def their_squared_errors(params, examples):
        return ((their_nn.mlp(params, examples.x) - examples.y) ** 2).mean((1, 2))

    def of_one(params, examples):
        return F.mse_loss(functional_call(net, params, examples.x), examples.y)

    at_once = partial(mean_over_batch(maml.meta_gradient), loss=squared_errors, **settings)
    their_meta_gradient = their_batches.mean_over_batch(their_maml.meta_gradient)
    their_at_once = partial(their_meta_gradient, loss=their_squared_errors, **settings)
    mapped = their_batches.mean_by_vmap(grad_and_value(their_maml.task_loss))
    by_vmap = partial(mapped, loss=of_one, **settings)
    ways = {
        LOOP: lambda: loop(tensors, one_by_one(tasks), of_one, INNER_LR, case),
        "PyTorch, mean_by_vmap": lambda: by_vmap(tensors, tasks)[0],
        "PyTorch, mean_over_batch": lambda: their_at_once(tensors, tasks)[0],
        "NumPy engine, mean_over_batch": lambda: at_once(params, episodes)[0],
    }
    if case == Case(1, first_order=False):
        gradient_of = lambda loss, at: autograd.grad(loss)(at)  # noqa: E731
        by_hips = autograd.grad(programs.maml_loss(autograd.numpy, gradient_of, episodes))
        ways["NumPy, by hand"] = lambda: on_paper.dense_net(params, episodes, INNER_LR)
        ways[HIPS] = lambda: by_hips(params)
    plain = nn.Sequential(*(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1)))
    return ways | peer_ways(plain, tensors, one_by_one(tasks), F.mse_loss, INNER_LR, case)


if __name__ == "__main__":
    main()
