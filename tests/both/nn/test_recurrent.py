"""A cell along a sequence: a loop, torch's own LSTM, the other side, and small steps."""

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from tests.sides import PYTORCH, SCRATCH, along, random_direction, slope

D, WIDTH, BATCH, N_STEPS = 3, 4, 2, 6


def sigmoid(x, side):
    return 1 / (1 + side.xp.exp(-x))


def lstm(side):
    """An LSTM cell under torch's names; its state is (h, c)."""

    def cell(params, state, x):
        h, c = state
        gates = x @ params["weight_ih_l0"].mT + params["bias_ih_l0"]
        gates = gates + h @ params["weight_hh_l0"].mT + params["bias_hh_l0"]
        i, f, g, o = (gates[:, k * WIDTH : (k + 1) * WIDTH] for k in range(4))
        c = sigmoid(f, side) * c + sigmoid(i, side) * side.xp.tanh(g)
        h = sigmoid(o, side) * side.xp.tanh(c)
        return (h, c), h

    return cell


def problem():
    """Parameters, the state to begin with, and a sequence; NumPy's."""
    rng = np.random.default_rng(0)
    net = torch.nn.LSTM(D, WIDTH).double()
    params = {name: 0.5 * rng.normal(size=tuple(p.shape)) for name, p in net.named_parameters()}
    h, c = rng.normal(size=(2, BATCH, WIDTH))
    return params, (h, c), rng.normal(size=(N_STEPS, BATCH, D))


def run(side, params, state, xs):
    state, outputs = side.nn.scan(lstm(side), params, tuple(map(side.array, state)), side.array(xs))
    return state, outputs


def test_an_lstm_is_torchs(side):
    params, (h, c), xs = problem()
    (last_h, last_c), outputs = run(side, side.array(params), (h, c), xs)
    net = torch.nn.LSTM(D, WIDTH).double()
    start = tuple(torch.from_numpy(a)[None] for a in (h, c))
    weights = {name: torch.from_numpy(p) for name, p in params.items()}
    expected, (their_h, their_c) = torch.func.functional_call(net, weights, (torch.from_numpy(xs), start))
    for found, theirs in ((outputs, expected), (last_h, their_h[0]), (last_c, their_c[0])):
        np.testing.assert_allclose(side.numpy(found), theirs.numpy(), rtol=0, atol=1e-12)


def test_it_is_a_loop_and_goes_on_where_it_stopped(side):
    params, state, xs = problem()
    params, state, xs = side.array(params), tuple(map(side.array, state)), side.array(xs)
    end, outputs = side.nn.scan(lstm(side), params, state, xs)
    here, in_turn = state, []
    for x in xs:
        here, output = lstm(side)(params, here, x)
        in_turn.append(side.numpy(output))
    np.testing.assert_array_equal(side.numpy(outputs), in_turn)
    midway, first = side.nn.scan(lstm(side), params, state, xs[:2])
    last, second = side.nn.scan(lstm(side), params, midway, xs[2:])
    np.testing.assert_array_equal(side.numpy(last[1]), side.numpy(end[1]))
    np.testing.assert_array_equal(np.concatenate([side.numpy(first), side.numpy(second)]), in_turn)


def loss_of(side, state, xs):
    def loss(params):
        (h, c), outputs = run(side, params, state, xs)
        return (outputs**2).sum() + (h * c).sum()

    return loss


def test_the_gradient_through_it_is_what_small_steps_find(side):
    params, state, xs = problem()
    loss = loss_of(side, state, xs)
    _, gradient = side.value_and_grad(loss)(side.array(params))
    direction = random_direction(params)
    expected = slope(side, loss, params, direction)
    assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-8)


def test_both_sides_give_the_same_numbers_and_gradients():
    params, state, xs = problem()
    found = [
        (side.numpy(value), side.numpy(gradient))
        for side in (SCRATCH, PYTORCH)
        for value, gradient in [side.value_and_grad(loss_of(side, state, xs))(side.array(params))]
    ]
    (value, gradient), (their_value, their_gradient) = found
    assert float(value) == pytest.approx(float(their_value), rel=1e-13)
    for name in params:
        np.testing.assert_allclose(gradient[name], their_gradient[name], rtol=0, atol=1e-12)


def test_a_sequence_without_a_step_is_named(side):
    params, state, xs = problem()
    words = r"^xs: got shape \(0, 2, 3\); a sequence \(n_steps, batch, \.\.\.\) has at least one step\.$"
    with pytest.raises(ValueError, match=words):
        run(side, side.array(params), state, xs[:0])


# The LSTM of the house


def weights_of(net, scale=0.5):
    rng = np.random.default_rng(0)
    return {name: scale * rng.normal(size=tuple(p.shape)) for name, p in net.named_parameters()}


def test_the_cell_is_torchs_and_the_one_above(side):
    params, state, xs = problem()
    here = side.array(params), tuple(map(side.array, state)), side.array(xs)
    found, expected = (side.nn.scan(cell, *here) for cell in (side.nn.lstm_cell, lstm(side)))
    for a, b in zip((*found[0], found[1]), (*expected[0], expected[1]), strict=True):
        np.testing.assert_allclose(side.numpy(a), side.numpy(b), rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", ["lstm", "bidirectional"])
def test_values_and_gradients_are_those_of_torchs_own_layer(side, cell):
    net = torch.nn.LSTM(D, WIDTH, bidirectional=cell == "bidirectional").double()
    params, xs = weights_of(net), problem()[2]
    weigh = np.random.default_rng(1).normal(size=(N_STEPS, BATCH, WIDTH * (1 + net.bidirectional)))

    def loss(p):
        x = p["xs"]
        if net.bidirectional:
            return (side.nn.bidirectional(p, x) * side.array(weigh)).sum()
        return (
            side.nn.scan(side.nn.lstm_cell, p, side.nn.zero_state(p, x[0]), x)[1] * side.array(weigh)
        ).sum()

    value, gradient = side.value_and_grad(loss)(side.array(params | {"xs": xs}))
    leaves = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    x = torch.tensor(xs, requires_grad=True)
    total = (torch.func.functional_call(net, leaves, (x,))[0] * torch.from_numpy(weigh)).sum()
    expected = torch.autograd.grad(total, [*leaves.values(), x])
    assert float(value) == pytest.approx(total.item(), rel=1e-12)
    for name, theirs in zip([*params, "xs"], expected, strict=True):
        np.testing.assert_allclose(side.numpy(gradient)[name], theirs.numpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_it_starts_with_torchs_names_shapes_and_bounds_the_same_on_both_sides(bidirectional):
    net = torch.nn.LSTM(3, 16, bidirectional=bidirectional)
    mine, theirs = (
        side.numpy(
            (side.nn.init_bidirectional if bidirectional else side.nn.init_lstm)(
                np.random.default_rng(5), 3, width=16
            )
        )
        for side in (SCRATCH, PYTORCH)
    )
    shapes = {name: tuple(p.shape) for name, p in net.named_parameters()}
    assert {name: p.shape for name, p in mine.items()} == shapes and list(mine) == list(theirs)
    for name, p in mine.items():
        np.testing.assert_array_equal(p, theirs[name])
        assert p.dtype == np.float32 and 0.15 < abs(p).max() <= 0.25  # 16 ** -0.5


def test_what_has_been_said_first_is_said_last_to_the_one_that_comes_from_the_end(side):
    net = torch.nn.LSTM(D, WIDTH, bidirectional=True)
    params, xs = weights_of(net), problem()[2]
    # with equal weights for both directions, reading backwards is reading the reverse
    params |= {f"{name}_reverse": p for name, p in params.items() if not name.endswith("_reverse")}
    found, turned = (
        side.numpy(side.nn.bidirectional(side.array(params), side.array(given.copy())))
        for given in (xs, xs[::-1])
    )
    np.testing.assert_allclose(turned[::-1, :, WIDTH:], found[:, :, :WIDTH], rtol=1e-12)


def test_an_input_of_another_size_is_named(side):
    params, state, xs = problem()
    here = side.array(params), tuple(map(side.array, state))
    with pytest.raises(ValueError, match=r"^x: got 2 numbers a row; weight_ih_l0 takes 3\. Is this"):
        side.nn.lstm_cell(*here, side.array(xs[0][:, :2].copy()))


class Kept(NamedTuple):
    own: Any
    rows: Any


def test_a_state_is_mapped_array_by_array_and_keeps_its_form(side):
    state = Kept((side.array(np.ones(2)), (side.array(np.zeros(1)),)), side.array(np.array([2.0])))
    map_state = import_module(f"reference.{side.name}.nn.recurrent").map_state
    found = map_state(lambda x: x + 1, state)
    assert type(found) is Kept and type(found.own) is tuple
    for x, expected in ((found.own[0], [2, 2]), (found.own[1][0], [1]), (found.rows, [3])):
        assert side.numpy(x).tolist() == expected
    assert map_state(lambda x: x + 1, ()) == ()
