"""What an inner gradient of PyTorch's `unroll` costs by torch.func.grad and by torch.autograd.grad.

    OMP_NUM_THREADS=1 python -m experiments.speed.unroll

torch.func.grad can be mapped over tasks. `unroll` takes torch.autograd.grad where nothing is mapped; this is
what that is worth, for one outer step of MAML in both orders. Both ways run the same code but for that
gradient, and give the same meta-gradient.
"""

import time
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
from experiments.speed import programs
from experiments.speed.loops import CASES, Case
from reference.episodes import Examples
from reference.params import Params
from reference.pytorch import maml, unroll
from reference.pytorch.batches import mean_over_batch
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import init_params, mlp
from reference.results import Row
from reference.rules import sgd

AUTOGRAD, FUNC = "torch.autograd.grad", "torch.func.grad"
N_ROUNDS = {"sinusoids": 200, "images": 40}


def main() -> None:
    torch.set_num_threads(1)
    rows = [row for problem in PROBLEMS for case in CASES for row in compare(problem, case)]
    bench.leave(
        "unroll", {"n_rounds": str(N_ROUNDS), "clock": "of the processor, one core"}, rows, libraries=[]
    )


def compare(problem: str, case: Case) -> list[Row]:
    """Milliseconds of the processor for an outer step, and how many times as fast as by torch.func.grad."""
    ways = both(PROBLEMS[problem](case))
    bench.assert_same({name: way() for name, way in ways.items()}, FUNC, tolerance=1e-4)
    seconds = bench.in_turn(ways, n_rounds=N_ROUNDS[problem], clock=time.process_time)
    about, ratios = {"case": f"{problem}, {case}"}, {"times as fast as torch.func.grad": FUNC}
    return bench.timed(seconds, about, unit="milliseconds", ratios=ratios)


def both(meta_gradient: Callable[[], tuple[Params, torch.Tensor]]) -> Ways:
    """The meta-gradient with unroll as it is, and with torch.func.grad alone."""

    def by_func() -> Params:
        with mock.patch.object(unroll, "_is_mapped", lambda: True):
            return meta_gradient()[0]

    return {AUTOGRAD: lambda: meta_gradient()[0], FUNC: by_func}


def of_sinusoids(case: Case) -> Callable:
    """25 sinusoids at once."""
    params = {name: torch.from_numpy(p) for name, p in programs.mlp_params(np.float32).items()}
    tasks = to_torch(programs.sinusoids(np.float32))

    def errors(params: Params, examples: Examples) -> torch.Tensor:
        return ((mlp(params, examples.x) - examples.y) ** 2).mean((1, 2))

    settings = {"loss": errors, "rule": sgd(0.01), **case._asdict()}
    return partial(mean_over_batch(maml.meta_gradient), params, tasks, **settings)


def of_images(case: Case) -> Callable:
    """One 5-way 1-shot task of random images, for the convolutions of the Omniglot runs."""
    net, rng = five_way.network(64), np.random.default_rng(0)
    params = init_params(rng, net)
    parts = []
    for n in (1, 3):
        x = torch.from_numpy(rng.random((5 * n, 1, 28, 28), dtype=np.float32))
        parts.append(Examples(x, torch.arange(5).repeat(n)))

    def loss(params: Params, examples: Examples) -> torch.Tensor:
        return F.cross_entropy(functional_call(net, params, examples.x), examples.y)

    settings = {"loss": loss, "rule": sgd(0.4), **case._asdict()}
    return partial(maml.meta_gradient, params, maml.Episode(*parts), **settings)


PROBLEMS = {"sinusoids": of_sinusoids, "images": of_images}

if __name__ == "__main__":
    main()
