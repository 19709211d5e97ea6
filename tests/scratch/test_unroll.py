"""Unrolled learning against closed forms on quadratics, by hand, and against small steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.scratch.autodiff import Tensor, check_gradients, detach, grad
from reference.scratch.nn.losses import mean_squared_error
from reference.scratch.nn import init_mlp, mlp
from reference.scratch.unroll import sgd, unroll

SEEDS, STEPS = st.integers(0, 2**32 - 1), st.integers(0, 4)


def quadratic(seed, d=3):
    """1/2 (theta - c)' A (theta - c), with A and c, a starting point, and a gradient g of the query."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d))
    A, (c, theta, g) = root @ root.T, rng.normal(size=(3, d))
    return lambda p: (p["theta"] - c) @ A @ (p["theta"] - c) / 2, A, c, theta, g


@settings(deadline=None, max_examples=30)
@given(SEEDS, STEPS)
def test_on_a_quadratic_learning_and_its_derivative_are_powers_of_a_matrix(seed, n_steps):
    loss, A, c, theta, g = quadratic(seed)
    shrink = np.linalg.matrix_power(np.eye(3) - 0.05 * A, n_steps)  # (I - alpha A)^k
    leaf = Tensor(theta)
    adapted = unroll(loss, {"theta": leaf}, sgd(0.05), n_steps)["theta"]
    np.testing.assert_allclose(detach(adapted), c + shrink @ (theta - c), atol=1e-10)
    np.testing.assert_allclose(detach(grad(g @ adapted, leaf)), shrink @ g, atol=1e-10)


@settings(deadline=None, max_examples=30)
@given(SEEDS, STEPS)
def test_first_order_learns_the_same_and_leaves_the_curvature_out(seed, n_steps):
    loss, _, _, theta, g = quadratic(seed)
    leaf = Tensor(theta)
    full, first = (
        unroll(loss, {"theta": leaf}, sgd(0.05), n_steps, first_order=flag)["theta"] for flag in (False, True)
    )
    np.testing.assert_array_equal(detach(full), detach(first))
    np.testing.assert_array_equal(detach(grad(g @ first, leaf)), g)  # the surrogate: d adapted / d theta = I


def test_one_step_of_one_weight_by_hand():
    # loss 1/2 a t^2, step t - r a t, query 1/2 (t' - q)^2: the derivative is (1 - r a) ((1 - r a) t - q).
    a, r, t, q = 3.0, 0.1, 2.0, 0.5
    leaf = Tensor(t)
    adapted = unroll(lambda p: 0.5 * a * p["t"] ** 2, {"t": leaf}, sgd(r), 1)["t"]
    assert grad(0.5 * (adapted - q) ** 2, leaf).item() == pytest.approx((1 - r * a) * ((1 - r * a) * t - q))


def sine(seed):
    rng = np.random.default_rng(seed)
    params = {name: p.astype(np.float64) for name, p in init_mlp(rng, [1, 8, 1]).items()}
    x = rng.uniform(-2, 2, size=(2, 10, 1))
    return params, *[lambda p, x=part: mean_squared_error(mlp(p, x), np.sin(x)) for part in x]


def test_meta_gradient_through_a_network_is_what_small_steps_find():
    params, support, query = sine(0)

    def outer(*values):
        return query(unroll(support, dict(zip(params, values, strict=True)), sgd(0.1), 3))

    check_gradients(outer, *params.values(), rng=np.random.default_rng(1), order=2, tolerance=1e-6)


def test_first_order_meta_gradient_is_the_query_gradient_where_learning_ended():
    params, support, query = sine(0)
    leaves = {name: Tensor(p) for name, p in params.items()}
    full = grad(query(unroll(support, leaves, sgd(0.1), 3)), leaves)
    first = grad(query(unroll(support, leaves, sgd(0.1), 3, first_order=True)), leaves)
    end = {name: Tensor(p) for name, p in unroll(support, params, sgd(0.1), 3, first_order=True).items()}
    named = grad(query(end), end)
    for name in params:
        np.testing.assert_allclose(detach(first[name]), detach(named[name]), rtol=1e-12)
        assert not np.allclose(detach(full[name]), detach(first[name]), rtol=1e-3)


def test_rates_for_every_parameter_and_step_are_learnable():
    params, support, query = sine(1)

    def outer(rates):
        update = lambda p, g, step: {name: p[name] - rates[step] * g[name] for name in p}  # noqa: E731
        return query(unroll(support, params, update, 2))

    check_gradients(outer, np.array([0.1, 0.05]), rng=np.random.default_rng(2), tolerance=1e-6)


def test_plain_params_stay_plain_under_first_order_and_are_never_changed():
    params, support, _ = sine(2)
    before = {name: p.copy() for name, p in params.items()}
    adapted = unroll(support, params, sgd(0.1), 2, first_order=True)
    for name in params:
        assert type(adapted[name]) is np.ndarray
        np.testing.assert_array_equal(params[name], before[name])
    np.testing.assert_array_equal(
        adapted["layers.0.bias"], detach(unroll(support, params, sgd(0.1), 2)["layers.0.bias"])
    )
