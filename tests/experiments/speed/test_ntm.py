"""All ways to shift are one way to learn, and the loop is what it says. Nothing is timed."""

import numpy as np
import pytest
import torch

from experiments import bench
from experiments.speed import ntm
from reference.pytorch.nn import memory


@pytest.mark.parametrize("n", [1, 3])
def test_all_ways_give_the_same_gradient(n, monkeypatch):
    monkeypatch.setattr(ntm, "LENGTH", 4)
    gradients = {name: way() for name, way in ntm.ways(n).items()}
    assert len(gradients) == 3
    bench.assert_same(gradients, ntm.LOOPED, tolerance=1e-3)


def test_the_loop_is_called_and_the_reference_is_back_afterwards(monkeypatch):
    calls, shift = [], memory.shift
    looped = ntm.looped_shift
    monkeypatch.setattr(ntm, "LENGTH", 2)
    monkeypatch.setattr(ntm, "looped_shift", lambda *given: calls.append(1) or looped(*given))
    ways = ntm.ways(2)
    for name, n_calls in (("ours", 0), ("ours, looped shift", 5), (ntm.LOOPED, 10)):
        calls.clear()
        ways[name]()
        assert len(calls) == n_calls and memory.shift is shift


def test_a_convolution_for_each_sequence_is_equation_8():
    rng = np.random.default_rng(0)
    weights, shifts = (torch.from_numpy(rng.random((2, 3, n))) for n in (7, 3))
    torch.testing.assert_close(ntm.looped_shift(weights, shifts), memory.shift(weights, shifts))
