"""Convolution and pooling against loops that say what they are, and the errors of impossible sizes."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.scratch.autodiff import Tensor, check_gradients, conv2d, detach, grad, max_pool2d


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


@settings(derandomize=True, deadline=None, max_examples=60)
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


@pytest.mark.parametrize("sizes", [(0, 2, 3), (2, 0, 3), (2, 3, 0), (0, 0, 0)], ids=str)
def test_no_images_no_channels_no_filters(sizes):
    n, channels, filters = sizes
    rng = np.random.default_rng(0)
    xs = [rng.normal(size=shape) for shape in ((n, channels, 4, 3), (filters, channels, 3, 2), (filters,))]
    assert conv2d(*xs).shape == (n, filters, 2, 2)
    check_gradients(lambda x, w, b: conv2d(x, w, b, padding=1) ** 2, *xs, rng=rng, order=2)


def test_max_pool2d_does_not_lose_nan():
    for place in np.ndindex(2, 2):
        x = np.arange(4.0).reshape(2, 2)
        x[place] = np.nan
        assert np.isnan(max_pool2d(x, 2)).all()
        leaf = Tensor(x)
        first = detach(grad(np.sum(max_pool2d(leaf, 2)), leaf))
        assert first[place] == 1 and first.sum() == 1


UNFIT = {
    "image smaller than kernel": (
        ((1, 1, 2, 5), (1, 1, 3, 3), None),
        0,
        r"x: images of \(2, 5\) with padding 0 are smaller than the kernel, \(3, 3\)",
    ),
    "one image": (
        ((1, 5, 5), (4, 1, 3, 3), None),
        0,
        r"x has shape \(1, 5, 5\), not \(n, 1, height, width\)",
    ),
    "channels": (((2, 3, 5, 5), (4, 1, 3, 3), None), 0, r"x has shape \(2, 3, 5, 5\), not \(n, 1, "),
    "kernel": (((2, 1, 5, 5), (3, 3), None), 0, r"weight has shape \(3, 3\), not \(filters, "),
    "short bias": (((2, 1, 5, 5), (4, 1, 3, 3), (1,)), 0, r"bias has shape \(1,\), not \(4,\)"),
    "long bias": (((2, 1, 5, 5), (4, 1, 3, 3), (4, 1)), 0, r"bias has shape \(4, 1\), not \(4,\)"),
    "negative padding": (((2, 1, 5, 5), (4, 1, 3, 3), None), -1, "padding is -1; it is a whole number"),
    "padding of each axis": (
        ((2, 1, 5, 5), (4, 1, 3, 3), None),
        (1, 1),
        r"padding is \(1, 1\); it is a whole",
    ),
}


@pytest.mark.parametrize(("shapes", "padding", "words"), UNFIT.values(), ids=UNFIT)
def test_shapes_that_do_not_fit_are_named(shapes, padding, words):
    plain = inspect.unwrap(conv2d)  # as users have it: without the shapes that are enforced under pytest
    with pytest.raises(ValueError, match="conv2d: " + words):
        plain(*[None if shape is None else np.ones(shape) for shape in shapes], padding=padding)


@pytest.mark.parametrize(("shape", "size"), [((1, 1, 5), 2), ((4, 4), 0), ((4, 4), -2), ((4, 4), 2.0)])
def test_windows_that_do_not_fit_are_named(shape, size):
    with pytest.raises(
        ValueError, match=f"max_pool2d: size: windows of {size} x {size} do not fit in images of"
    ):
        inspect.unwrap(max_pool2d)(np.ones(shape), size)


def test_a_row_of_pixels_is_no_image():
    with pytest.raises(ValueError, match=r"max_pool2d: x has shape \(4,\); its last two axes are height and"):
        inspect.unwrap(max_pool2d)(np.ones(4))
