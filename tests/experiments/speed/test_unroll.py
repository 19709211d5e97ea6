"""Both ways to an inner gradient give the same meta-gradient, and they are two ways. Nothing is timed."""

import pytest
import torch

from experiments import bench
from experiments.speed import unroll


@pytest.mark.parametrize("case", unroll.CASES, ids=str)
@pytest.mark.parametrize("problem", unroll.PROBLEMS)
def test_both_ways_give_the_same(problem, case):
    ways = unroll.both(unroll.PROBLEMS[problem](case))
    bench.assert_same({name: way() for name, way in ways.items()}, unroll.FUNC, tolerance=1e-3)


@pytest.mark.parametrize("case", unroll.CASES, ids=str)
def test_one_of_them_is_by_torch_func_alone(case, monkeypatch):
    ways, called = unroll.both(unroll.of_sinusoids(case)), []
    grad = torch.func.grad
    monkeypatch.setattr(torch.func, "grad", lambda function: called.append(1) or grad(function))
    ways[unroll.AUTOGRAD]()
    assert called == []
    ways[unroll.FUNC]()
    assert len(called) == case.n_steps
