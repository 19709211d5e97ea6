"""Convolution and pooling against loops that say what they are, and the errors of impossible sizes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.scratch.autodiff import (
    Tensor,
    conv2d,
    detach,
    grad,
    log_softmax,
    max_pool2d,
    norm,
    sigmoid,
    softmax,
)


def conv2d_by_loops(x, weight, padding):
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    filters, _, kh, kw = weight.shape
    height, width = x.shape[2] - kh + 1, x.shape[3] - kw + 1
    y = np.zeros((len(x), filters, height, width))
    for f in range(filters):
        for i in range(height):
            for j in range(width):
                y[:, f, i, j] = np.sum(x[:, :, i : i + kh, j : j + kw] * weight[f], axis=(1, 2, 3))
    return y


@settings(deadline=None)
@given(st.tuples(*[st.integers(1, 5)] * 7), st.integers(0, 3), st.integers(0, 2**16))
def test_conv2d_is_its_loops_and_its_adjoint(sizes, padding, seed):
    n, channels, filters, height, width, kh, kw = sizes
    if height + 2 * padding < kh or width + 2 * padding < kw:
        return
    rng = np.random.default_rng(seed)
    x, weight = rng.normal(size=(n, channels, height, width)), rng.normal(size=(filters, channels, kh, kw))
    y = conv2d(x, weight, padding=padding)
    np.testing.assert_allclose(y, conv2d_by_loops(x, weight, padding), atol=1e-12)
    leaves = [Tensor(x), Tensor(weight)]
    v = rng.normal(size=y.shape)
    of_x, of_weight = grad(np.sum(v * conv2d(*leaves, padding=padding)), leaves)
    # A convolution is linear in either: <v, conv(x, w)> = <gradient in x, x> = <gradient in w, w>.
    assert np.sum(v * y) == pytest.approx(np.sum(detach(of_x) * x), abs=1e-9)
    assert np.sum(v * y) == pytest.approx(np.sum(detach(of_weight) * weight), abs=1e-9)


def test_max_pool2d_takes_each_window_and_drops_the_rim():
    x = np.arange(2 * 5 * 7, dtype=float).reshape(2, 5, 7)
    expected = [
        [[x[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max() for j in range(3)] for i in range(2)]
        for n in range(2)
    ]
    np.testing.assert_array_equal(max_pool2d(x, 2), expected)
    np.testing.assert_array_equal(max_pool2d(x, 5), x[:, 4:5, 4:5])


def test_sizes_that_do_not_fit_are_named():
    with pytest.raises(
        ValueError, match=r"x: images of \(2, 5\) with padding 0 are smaller than the kernel, \(3, 3\)"
    ):
        conv2d(np.ones((1, 1, 2, 5)), np.ones((1, 1, 3, 3)))
    with pytest.raises(ValueError, match="size: windows of 2 x 2 do not fit in images of 1 x 5"):
        max_pool2d(np.ones((1, 1, 5)), 2)


def test_no_exponential_overflows():
    x = np.array([-1000.0, 0.0, 1000.0])
    np.testing.assert_array_equal(sigmoid(x), [0, 0.5, 1])
    np.testing.assert_array_equal(softmax(x), [0, 0, 1])
    np.testing.assert_array_equal(log_softmax(x), [-2000, -1000, 0])


def test_a_norm_of_zero_has_derivatives_zero():
    x = Tensor(np.zeros(3))
    first = grad(norm(x), x)
    np.testing.assert_array_equal(detach(first), 0)
    np.testing.assert_array_equal(detach(grad(np.sum(first), x)), 0)
