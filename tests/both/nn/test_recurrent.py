"""A cell along a sequence: a loop, torch's own LSTM, the other side, and small steps."""

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
