"""What NumPy has not: its tails, where exponentials vanish or overflow, and its corners."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.scratch.autodiff import (
    Tensor,
    detach,
    grad,
    log_sigmoid,
    log_softmax,
    logsumexp,
    norm,
    sigmoid,
    softmax,
    softplus,
)

quick = settings(derandomize=True, deadline=None, max_examples=60)


def derivatives(function, x):
    """The value and the first two derivatives of a function of each entry."""
    x = Tensor(x)
    value = function(x)
    first = grad(np.sum(value), x)
    return [detach(y) for y in (value, first, grad(np.sum(first), x))]


def test_no_exponential_overflows():
    x = np.array([-1000.0, 0.0, 1000.0])
    np.testing.assert_array_equal(sigmoid(x), [0, 0.5, 1])
    np.testing.assert_array_equal(softmax(x), [0, 0, 1])
    np.testing.assert_array_equal(log_softmax(x), [-2000, -1000, 0])
    np.testing.assert_array_equal(log_sigmoid(x), [-1000, -np.log(2), 0])
    np.testing.assert_array_equal(softplus(x), [0, np.log(2), 1000])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_tails_keep_their_digits(dtype):
    x = np.array([-80.0, -40.0, -18.0, 18.0, 40.0, 80.0], dtype)
    small, below = np.exp(-np.abs(x)), x < 0  # what is left of every formula, but for terms of small^2
    sign = np.where(below, 1, -1)
    expected = {
        sigmoid: (np.where(below, small, 1), small, sign * small),
        softplus: (np.where(below, small, x), np.where(below, small, 1), small),
        log_sigmoid: (np.where(below, x, -small), np.where(below, 1, small), -small),
    }
    for function, values in expected.items():
        for found, value in zip(derivatives(function, x), values, strict=True):
            assert found.dtype == dtype
            np.testing.assert_allclose(found, value, rtol=1e-6)
    logarithm = derivatives(lambda x: np.log(sigmoid(x)), x)
    for found, value in zip(logarithm, expected[log_sigmoid], strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-7)  # never nan, if not to the last digits


@quick
@given(st.floats(-700, 700))
def test_sigmoid_and_softplus_know_each_other(x):
    x = np.array(x)
    up, down = derivatives(sigmoid, x), derivatives(sigmoid, -x)
    np.testing.assert_allclose(up[0] + down[0], 1, rtol=1e-15)
    np.testing.assert_allclose(up[1], up[0] * down[0], rtol=1e-14)
    np.testing.assert_allclose(derivatives(softplus, x)[1:], up[:2], rtol=1e-14)
    np.testing.assert_allclose(softplus(x) - softplus(-x), x, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("function", [softmax, log_softmax, logsumexp])
def test_there_is_nothing_to_choose_from(function):
    for x in (np.ones((2, 0)), Tensor(np.ones((2, 0)))):
        with pytest.raises(ValueError, match=r"(softmax|logsumexp): x has shape \(2, 0\); over axis=-1"):
            function(x)
        assert function(x, axis=0).shape[-1:] == (0,)


def test_what_is_masked_out_by_minus_infinity_has_no_gradient():
    x = np.array([0.0, -np.inf, 1.0])
    for function in (softmax, lambda x: logsumexp(x)[None]):
        leaf = Tensor(x)
        first = grad(np.sum(function(leaf) ** 2), leaf)
        assert np.isfinite(detach(first)).all() and first[1].item() == 0


def test_a_norm_of_zero_has_derivatives_zero():
    x = Tensor(np.zeros(3))
    first = grad(norm(x), x)
    np.testing.assert_array_equal(detach(first), 0)
    np.testing.assert_array_equal(detach(grad(np.sum(first), x)), 0)


def test_another_norm_is_refused():
    with pytest.raises(TypeError, match="ord: .* got 1"):
        np.linalg.norm(Tensor(np.ones(3)), 1)
