"""What the two ways to an inner gradient in PyTorch's `unroll` cost: torch.func.grad, and torch.autograd.grad.

    OMP_NUM_THREADS=1 python -m experiments.speed.unroll

torch.func.grad can be mapped over tasks. `unroll` takes torch.autograd.grad where nothing is mapped; this is
what that is worth, for one outer step of MAML in both orders. Both ways run the same code but for that
gradient, and give the same meta-gradient.
"""

from collections.abc import Callable
from functools import partial
from unittest import mock

import numpy as np
import torch
from torch.func import functional_call
from torch.nn import functional as F

from experiments import bench
from experiments.bench import Ways
from experiments.omniglot import five_way
from experiments.speed import maml as sinusoids
from experiments.speed.maml import Case
from reference.episodes import Examples
from reference.params import Params
from reference.pytorch import maml, unroll
from reference.pytorch.batches import mean_over_batch
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import init_params, mlp
from reference.results import Row
from reference.rules import sgd

CASES = (Case(1, False), Case(5, False), Case(1, True))
AUTOGRAD, FUNC = "torch.autograd.grad", "torch.func.grad"
N_ROUNDS = {"sinusoids": 200, "images": 40}


def main() -> None:
    torch.set_num_threads(1)
    rows = [row for problem in PROBLEMS for case in CASES for row in compare(problem, case)]
    bench.leave("unroll", {"n_rounds": str(N_ROUNDS)}, rows, libraries=[])


def compare(problem: str, case: Case) -> list[Row]:
    """Milliseconds of an outer step, and how many times as fast as by torch.func.grad."""
    ways = both(PROBLEMS[problem](case))
    bench.assert_same({name: way() for name, way in ways.items()}, FUNC, tolerance=1e-4)
    seconds = bench.in_turn(ways, n_rounds=N_ROUNDS[problem])
    about, ratios = {"case": f"{problem}, {case}"}, {"times as fast as torch.func.grad": FUNC}
    return bench.timed(seconds, about, unit="milliseconds", ratios=ratios)


def both(meta_gradient: Callable[[], tuple[Params, torch.Tensor]]) -> Ways:
    """The meta-gradient with unroll as it is, and with torch.func.grad alone."""

    def by_func() -> Params:
        with mock.patch.object(unroll, "_is_plain", lambda x: False):
            return meta_gradient()[0]

    return {AUTOGRAD: lambda: meta_gradient()[0], FUNC: by_func}


def of_sinusoids(case: Case) -> Callable:
    """25 sinusoids at once."""
    params, episodes = sinusoids.draw()
    tensors, tasks = {name: torch.from_numpy(p) for name, p in params.items()}, to_torch(episodes)

    def errors(params: Params, examples: Examples) -> torch.Tensor:
        return ((mlp(params, examples.x) - examples.y) ** 2).mean((1, 2))

    settings = {"loss": errors, "rule": sgd(0.01), **case._asdict()}
    return partial(mean_over_batch(maml.meta_gradient), tensors, tasks, **settings)


def of_images(case: Case) -> Callable:
    """One 5-way 1-shot task of random images, for the convolutions of the Omniglot runs."""
    net, rng = five_way.network(64), np.random.default_rng(0)
    params = init_params(rng, net)
    parts = [
        Examples(
            torch.from_numpy(rng.random((5 * n, 1, 28, 28), dtype=np.float32)), torch.arange(5).repeat(n)
        )
        for n in (1, 3)
    ]

    def loss(params: Params, examples: Examples) -> torch.Tensor:
        return F.cross_entropy(functional_call(net, params, examples.x), examples.y)

    settings = {"loss": loss, "rule": sgd(0.4), **case._asdict()}
    return partial(maml.meta_gradient, params, maml.Episode(*parts), **settings)


PROBLEMS = {"sinusoids": of_sinusoids, "images": of_images}

if __name__ == "__main__":
    main()
