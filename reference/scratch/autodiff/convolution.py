"""Convolution as one matrix product over all windows, and max-pooling as a look-up of pixels.

The two derivatives of a convolution are convolutions again, with the gradient as the image or as the kernel;
so one operation is closed under differentiation, to any order. Which pixel is the largest of its window is
decided once, on plain numbers; the rest is indexing.

Differs from the paper: nothing; the windows are laid out as in Chellapilla et al. (2006).
"""

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

    Raises ValueError where the padded image is smaller than the kernel.
    """
    image, kernel = x.shape[2:], weight.shape[2:]
    if any(size + 2 * padding < k for size, k in zip(image, kernel, strict=True)):
        raise ValueError(
            f"x: images of {image} with padding {padding} are smaller than the kernel, {kernel}."
        )
    y = _convolve(x, weight, (padding, padding))
    return y if bias is None else y + np.reshape(bias, (-1, 1, 1))


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
    kernels = weight.reshape(filters, -1)  # (f, c kh kw)
    if width >= weight.shape[3]:  # copy along the longer of image and kernel: long runs of memory are fast
        columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, kernels.shape[1], height * width)
        return (kernels @ columns).reshape(n, filters, height, width)
    rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * height * width, kernels.shape[1])
    return (rows @ kernels.T).reshape(n, height, width, filters).transpose(0, 3, 1, 2)


def max_pool2d(
    x: Float[Array, "*batch height width"], size: int = 2
) -> Float[Array, "*batch pooled_h pooled_w"]:
    """The largest of every size x size window, windows side by side, an incomplete rim left out.

    Of equal pixels the first, row by row, is taken and gets the gradient, as in torch.
    Raises ValueError where the image is smaller than one window.
    """
    *batch, height, width = x.shape
    rows, columns = height // size, width // size
    if not rows or not columns:
        raise ValueError(f"size: windows of {size} x {size} do not fit in images of {height} x {width}.")
    pixels = np.arange(x.size).reshape(x.shape)
    corners = [
        (..., slice(i, size * rows, size), slice(j, size * columns, size))
        for i in range(size)
        for j in range(size)
    ]
    value, chosen = detach(x)[corners[0]], pixels[corners[0]]
    for corner in corners[1:]:
        larger = detach(x)[corner] > value
        value, chosen = np.where(larger, detach(x)[corner], value), np.where(larger, pixels[corner], chosen)
    return np.reshape(x, -1)[chosen]
