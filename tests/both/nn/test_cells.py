"""Recurrent nets as three functions: what they are made of, alone and under an output layer."""

from importlib import import_module

import numpy as np
import pytest

from tests.sides import PYTORCH, SCRATCH

SIDES = (SCRATCH, PYTORCH)


def of(side):
    return import_module(f"reference.{side.name}.nn.cells")


def nets(side):
    c = of(side)
    return {"lstm": c.lstm(4), "feedforward": c.feedforward(4), "answering": c.answering(c.lstm(4), 2)}


@pytest.mark.parametrize("name", ["lstm", "feedforward", "answering"])
def test_both_sides_begin_alike_and_say_the_same(name):
    xs, found = np.random.default_rng(0).normal(size=(5, 3, 6)), []
    for side in SIDES:
        net = nets(side)[name]
        params = side.numpy(net.init(np.random.default_rng(1), 6))
        wide = side.array({key: p.astype(np.float64) for key, p in params.items()})
        found.append((params, side.numpy(of(side).run(net, wide, side.array(xs)))))
        assert found[-1][1].shape == (5, 3, net.width)
    (mine, said), (theirs, their_said) = found
    assert list(mine) == list(theirs)
    for key, p in mine.items():
        np.testing.assert_array_equal(p, theirs[key])
        assert p.dtype == np.float32
    np.testing.assert_allclose(said, their_said, rtol=1e-12)


def test_an_lstm_with_an_output_layer_is_the_scan_and_a_product(side):
    net, rng = nets(side)["answering"], np.random.default_rng(0)
    params, xs = net.init(rng, 6), side.array(rng.normal(size=(5, 3, 6)).astype(np.float32))
    core = {name.removeprefix("core."): p for name, p in params.items() if name.startswith("core.")}
    _, h = side.nn.scan(side.nn.lstm_cell, core, side.nn.zero_state(core, xs[0]), xs)
    expected = side.numpy(h) @ side.numpy(params["output.weight"]).T + side.numpy(params["output.bias"])
    np.testing.assert_allclose(side.numpy(of(side).run(net, params, xs)), expected, rtol=1e-5, atol=1e-6)


def test_a_dense_layer_keeps_nothing(side):
    net, rng = of(side).feedforward(4), np.random.default_rng(0)
    params, x = net.init(rng, 6), side.array(rng.normal(size=(3, 6)).astype(np.float32))
    state, said = net.cell(params, net.begin(params, x), x)
    assert state == ()
    expected = np.tanh(side.numpy(x) @ side.numpy(params["weight"]).T + side.numpy(params["bias"]))
    np.testing.assert_allclose(side.numpy(said), expected, rtol=1e-5, atol=1e-6)


def test_odd_widths_are_told(side):
    for make in (of(side).lstm, of(side).feedforward):
        with pytest.raises(ValueError, match=r"^width must be at least 1, got 0\."):
            make(0)
    with pytest.raises(ValueError, match=r"^d_out must be at least 1, got 0\."):
        of(side).answering(of(side).lstm(3), 0)
