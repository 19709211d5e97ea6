"""Convolution as one matrix product over all windows, and max-pooling as a look-up of pixels.

The two derivatives of a convolution are convolutions again, with the gradient as the image or as the kernel;
so one operation is closed under differentiation, to any order. Which pixel is the largest of its window is
decided once, on plain numbers; the rest is indexing.

Differs from the paper: nothing; the windows are laid out as in Chellapilla et al. (2006).
"""

import math

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

from reference.scratch.autodiff.tensor import Array, detach, record


def conv2d(
    x: Float[Array, "n channels height width"],
    weight: Float[Array, "filters channels kernel_height kernel_width"],
    bias: Float[Array, " filters"] | None = None,
    *,
    padding: int = 0,
) -> Float[Array, "n filters new_height new_width"]:
    """Cross-correlation with stride 1, as torch's conv2d; `padding` zeros go around the image.

    Raises ValueError where the shapes do not fit together, or the padded image is smaller than the kernel.
    """
    _check_shapes(x, weight, bias, padding)
    y = _convolve(x, weight, (padding, padding))
    return y if bias is None else y + np.reshape(bias, (-1, 1, 1))


def _check_shapes(x, weight, bias, padding):
    if np.ndim(weight) != 4:
        raise ValueError(f"conv2d: weight has shape {weight.shape}, not (filters, channels, height, width).")
    filters, channels, *kernel = weight.shape
    if np.ndim(x) != 4 or x.shape[1] != channels:
        raise ValueError(
            f"conv2d: x has shape {x.shape}, not (n, {channels}, height, width) with the channels of weight."
        )
    if bias is not None and np.shape(bias) != (filters,):
        raise ValueError(f"conv2d: bias has shape {np.shape(bias)}, not ({filters},): one for each filter.")
    if not isinstance(padding, int | np.integer) or padding < 0:
        raise ValueError(f"conv2d: padding is {padding!r}; it is a whole number, 0 or more.")
    if any(size + 2 * padding < k for size, k in zip(x.shape[2:], kernel, strict=True)):
        image = f"images of {x.shape[2:]} with padding {padding}"
        raise ValueError(f"conv2d: x: {image} are smaller than the kernel, {weight.shape[2:]}.")


def _convolve(x, weight, padding):
    """x (n, c, h, w) with weight (f, c, kh, kw) under a padding for each direction; a negative one crops."""
    around = tuple(k - 1 - p for k, p in zip(weight.shape[2:], padding, strict=True))

    def to_x(g):  # every pixel of x collects from the windows it was in: the kernel turned by 180 degrees
        return _convolve(g, np.swapaxes(weight[:, :, ::-1, ::-1], 0, 1), around)

    def to_weight(g):  # every entry of the kernel collects over the whole image: the gradient is the kernel
        return np.swapaxes(_convolve(np.swapaxes(x, 0, 1), np.swapaxes(g, 0, 1), padding), 0, 1)

    return record(_multiply_windows(_pad(detach(x), padding), detach(weight)), (x, to_x), (weight, to_weight))


def _pad(x, padding):
    for axis, p in zip((2, 3), padding, strict=True):
        if p < 0:
            x = x[(slice(None),) * axis + (slice(-p, p),)]
    grow = [(0, 0), (0, 0), *((max(p, 0),) * 2 for p in padding)]
    return np.pad(x, grow) if max(padding) > 0 else x


def _multiply_windows(x, weight):
    """The windows of x as the columns (or the rows) of a matrix, times the kernels: im2col."""
    n, filters = len(x), len(weight)
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))  # (n, c, h, w, kh, kw), nothing copied
    height, width = windows.shape[2:4]
    kernels = weight.reshape(filters, math.prod(weight.shape[1:]))  # (f, c kh kw)
    if width >= weight.shape[3]:  # copy along the longer of image and kernel: long runs of memory are fast
        columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, kernels.shape[1], height * width)
        return (kernels @ columns).reshape(n, filters, height, width)
    rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * height * width, kernels.shape[1])
    return (rows @ kernels.T).reshape(n, height, width, filters).transpose(0, 3, 1, 2)


def max_pool2d(
    x: Float[Array, "*batch height width"], size: int = 2
) -> Float[Array, "*batch pooled_h pooled_w"]:
    """The largest of every size x size window, windows side by side, an incomplete rim left out.

    Of equal pixels the first, row by row, is taken and gets the gradient; NaN counts as larger than all, so
    that it is not lost; both as in torch. Raises ValueError where the image is smaller than one window.
    """
    if np.ndim(x) < 2:
        raise ValueError(f"max_pool2d: x has shape {x.shape}; its last two axes are height and width.")
    height, width = x.shape[-2:]
    if not isinstance(size, int | np.integer) or not 1 <= size <= min(height, width):
        raise ValueError(
            f"max_pool2d: size: windows of {size} x {size} do not fit in images of {height} x {width}."
        )
    rows, columns = height // size, width // size
    pixels = np.arange(x.size).reshape(x.shape)
    corners = [
        (..., slice(i, size * rows, size), slice(j, size * columns, size))
        for i in range(size)
        for j in range(size)
    ]
    value, chosen = detach(x)[corners[0]], pixels[corners[0]]
    for corner in corners[1:]:
        here = detach(x)[corner]
        larger = (here > value) | np.isnan(here)
        value, chosen = np.where(larger, here, value), np.where(larger, pixels[corner], chosen)
    return np.reshape(x, -1)[chosen]
