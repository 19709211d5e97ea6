"""Unrolled learning against closed forms on quadratics, by hand, and against small steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.rules import Rule, adam, sgd
from tests.sides import PYTORCH, SCRATCH, along, mlp_params, random_direction, slope

SEEDS, STEPS = st.integers(0, 2**32 - 1), st.integers(0, 4)


def quadratic(side, seed, d=3):
    """1/2 (theta - c)' A (theta - c), with A and c, a starting point, and a gradient g of the query."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d))
    A, (c, theta, g) = root @ root.T, rng.normal(size=(3, d))
    here = side.array({"A": A, "c": c})

    def loss(p):
        return (p["theta"] - here["c"]) @ here["A"] @ (p["theta"] - here["c"]) / 2

    return loss, A, c, theta, g


@given(SEEDS, STEPS)
@settings(deadline=None, max_examples=25)
def test_on_a_quadratic_learning_and_its_derivative_are_powers_of_a_matrix(seed, n_steps):
    for side in (SCRATCH, PYTORCH):
        loss, A, c, theta, g = quadratic(side, seed)
        shrink = np.linalg.matrix_power(np.eye(3) - 0.05 * A, n_steps)  # (I - alpha A)^k

        def outer(p, side=side, loss=loss, g=g, n_steps=n_steps):
            return side.array(g) @ side.unroll.unroll(loss, p, sgd(0.05), n_steps)["theta"]

        start = side.array({"theta": theta})
        adapted = side.numpy(side.unroll.unroll(loss, start, sgd(0.05), n_steps))["theta"]
        np.testing.assert_allclose(adapted, c + shrink @ (theta - c), atol=1e-10)
        _, gradient = side.value_and_grad(outer)(start)
        np.testing.assert_allclose(side.numpy(gradient)["theta"], shrink @ g, atol=1e-10)


@given(SEEDS, STEPS)
@settings(deadline=None, max_examples=25)
def test_first_order_learns_the_same_and_leaves_the_curvature_out(seed, n_steps):
    for side in (SCRATCH, PYTORCH):
        loss, _, _, theta, g = quadratic(side, seed)
        ends = []

        def outer(p, first_order, side=side, loss=loss, g=g, ends=ends):
            end = side.unroll.unroll(loss, p, sgd(0.05), n_steps, first_order=first_order)["theta"]
            ends.append(side.numpy(end))
            return side.array(g) @ end

        start = side.array({"theta": theta})
        side.value_and_grad(outer)(start, False)
        _, gradient = side.value_and_grad(outer)(start, True)
        np.testing.assert_array_equal(*ends)
        np.testing.assert_array_equal(side.numpy(gradient)["theta"], g)  # d adapted / d theta taken for I


def test_one_step_of_one_weight_by_hand(side):
    # loss 1/2 a t^2, step t - r a t, query 1/2 (t' - q)^2: the derivative is (1 - r a) ((1 - r a) t - q).
    a, r, t, q = 3.0, 0.1, 2.0, 0.5

    def outer(p):
        adapted = side.unroll.unroll(lambda p: 0.5 * a * p["t"] ** 2, p, sgd(r), 1)["t"]
        return 0.5 * (adapted - q) ** 2

    _, gradient = side.value_and_grad(outer)(side.array({"t": np.array(t)}))
    assert float(gradient["t"]) == pytest.approx((1 - r * a) * ((1 - r * a) * t - q))


def sine(side, seed):
    """Parameters of a small net, and the losses of a support and of a query."""
    x = np.random.default_rng(seed).uniform(-2, 2, size=(2, 10, 1))
    parts = [side.array({"x": part, "y": np.sin(part)}) for part in x]
    losses = [lambda p, e=e: ((side.nn.mlp(p, e["x"]) - e["y"]) ** 2).mean() for e in parts]
    return mlp_params(seed, [1, 8, 1]), *losses


@pytest.mark.parametrize("rule", [sgd(0.1), sgd(0.05, momentum=0.5), adam(0.02)])
def test_the_meta_gradient_through_a_network_is_what_small_steps_find(side, rule):
    params, support, query = sine(side, 0)

    def outer(p):
        return query(side.unroll.unroll(support, p, rule, 3))

    _, gradient = side.value_and_grad(outer)(side.array(params))
    direction = random_direction(params)
    found = along(side.numpy(gradient), direction)
    assert found == pytest.approx(slope(side, outer, params, direction), rel=1e-6)


def test_first_order_meta_gradient_is_the_query_gradient_where_learning_ended(side):
    params, support, query = sine(side, 0)
    start = side.array(params)

    def outer(p, first_order):
        return query(side.unroll.unroll(support, p, sgd(0.1), 3, first_order=first_order))

    full, first = (side.numpy(side.value_and_grad(outer)(start, flag)[1]) for flag in (False, True))
    end = side.array(side.numpy(side.unroll.unroll(support, start, sgd(0.1), 3, first_order=True)))
    named = side.numpy(side.value_and_grad(query)(end)[1])
    for name in params:
        np.testing.assert_allclose(first[name], named[name], rtol=1e-12)
        assert not np.allclose(full[name], first[name], rtol=1e-3)


@pytest.mark.parametrize("first_order", [False, True])
def test_rates_for_every_parameter_and_step_are_learnable(side, first_order):
    # With first_order too: what the rule does with the gradient is differentiated.
    params, support, query = sine(side, 1)
    rates = {name: np.array([0.1, 0.05]) for name in params}
    fixed = []  # the gradients along the way, held still as first_order does

    def rule_of(rates):
        def update(p, g, step):
            if first_order and len(fixed) < 2:
                fixed.append(side.array(side.numpy(g)))
            g = fixed[step] if first_order else g
            return {name: p[name] - rates[name][step] * g[name] for name in p}, step + 1

        return Rule(lambda params: 0, update)

    def outer(rates):
        start = side.array(params)
        return query(side.unroll.unroll(support, start, rule_of(rates), 2, first_order=first_order))

    _, gradient = side.value_and_grad(outer)(side.array(rates))
    for name in params:
        for step in range(2):
            direction = {k: np.zeros(2) for k in rates}
            direction[name][step] = 1.0
            expected = slope(side, outer, rates, direction)
            assert side.numpy(gradient)[name][step] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_rule_begins_anew_and_its_state_goes_from_step_to_step(side):
    loss, _, _, theta, _ = quadratic(side, 0)
    params, rule = side.array({"theta": theta}), adam(0.1)
    at_once = side.numpy(side.unroll.unroll(loss, params, rule, 4))["theta"]
    state = rule.init(params)
    for _ in range(4):
        params, state = side.unroll.take_step(loss, params, rule, state)
    assert state.step == 4
    np.testing.assert_array_equal(side.numpy(params)["theta"], at_once)
    again = side.numpy(side.unroll.unroll(loss, side.array({"theta": theta}), rule, 4))["theta"]
    np.testing.assert_array_equal(again, at_once)


def test_the_gradient_goes_through_the_state_that_a_step_begins_with(side):
    loss, A, c, theta, g = quadratic(side, 1)
    rule = sgd(0.05, momentum=0.5)

    def outer(velocity):
        state = rule.init(side.array({"theta": theta}))._replace(velocity=velocity)
        return (
            side.array(g) @ side.unroll.take_step(loss, side.array({"theta": theta}), rule, state)[0]["theta"]
        )

    _, gradient = side.value_and_grad(outer)(side.array({"theta": np.ones(3)}))
    np.testing.assert_allclose(side.numpy(gradient)["theta"], -0.05 * 0.5 * g, rtol=1e-12)


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("n_steps", [0, 1, 3])
def test_what_is_given_is_left_as_it_is(side, n_steps, first_order):
    params, support, _ = sine(side, 2)
    start = side.array(params)
    end = side.numpy(side.unroll.unroll(support, start, adam(0.1), n_steps, first_order=first_order))
    for name in params:
        np.testing.assert_array_equal(side.numpy(start)[name], params[name])
        assert n_steps == 0 or not np.array_equal(end[name], params[name])


@pytest.mark.parametrize("first_order", [False, True])
def test_a_parameter_that_the_loss_does_not_use_stays_where_it_is(side, first_order):
    start = side.array({"w": np.ones(2), "unused": np.ones(3)})
    for loss in (lambda p: (p["w"] ** 2).sum(), lambda p: (start["w"] ** 2).sum()):
        end = side.unroll.unroll(loss, start, sgd(0.1), 2, first_order=first_order)
        np.testing.assert_array_equal(side.numpy(end)["unused"], 1)


@pytest.mark.parametrize("first_order", [False, True])
def test_a_loss_that_is_no_scalar_is_named(side, first_order):
    words = r"^loss: got shape \(2,\); it gives one number, such as a mean over examples\.$"
    with pytest.raises(ValueError, match=words):
        start = side.array({"w": np.ones(2)})
        side.unroll.unroll(lambda p: p["w"] ** 2, start, sgd(0.1), 1, first_order=first_order)
