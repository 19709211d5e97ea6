"""Images: the characters of a task, an episode, characters in the plane, a matrix as coloured cells."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Bool, Int, Num
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from reference.plotting.arguments import check_lengths
from reference.plotting.style import COLOURS, FRAME, PLANE, SMALL, axes_for


def glyphs(
    images: Num[np.ndarray, "n *channel height width"],
    labels: Any = (),
    *,
    wrong: Bool[np.ndarray, "n"] | None = None,
    n_columns: int = 10,
    ax: Axes | None = None,
) -> Axes:
    """Images in rows of n_columns, ink dark, the label above each; those marked `wrong` are framed."""
    check_lengths(
        images=images, labels=labels if len(labels) else images, wrong=images if wrong is None else wrong
    )
    height, width = images.shape[-2:]
    margin = 2 * height // 5 if len(labels) else 2
    n_rows, n_columns = -(-len(images) // n_columns), min(n_columns, len(images))
    ax = axes_for(ax, (0.65 * n_columns, (0.9 if len(labels) else 0.65) * n_rows))
    size = n_rows * (height + margin), n_columns * (width + 2)
    sheet = np.full(size, np.nan)  # no paper between the images
    for i, image in enumerate(images):
        top, left = margin + i // n_columns * (height + margin), i % n_columns * (width + 2)
        sheet[top : top + height, left : left + width] = image.reshape(height, width)
        if len(labels):
            ax.text(left + width / 2, top - 1, str(labels[i]), ha="center", va="bottom", fontsize=SMALL)
        if wrong is not None and wrong[i]:
            ax.add_patch(plt.Rectangle((left - 1, top - 1), width + 1, height + 1, **FRAME))
    ax.imshow(sheet, cmap="Greys", vmin=0)
    ax.set_anchor("NW")
    ax.axis("off")
    return ax


def episode_sheet(
    support: tuple, query: tuple, *, wrong: Bool[np.ndarray, "q"] | None = None, axes: Any = None
) -> np.ndarray:
    """The images of an episode with their labels, support above query: each is a pair (images, labels).

    Returns the two axes; queries marked `wrong` are framed.
    """
    n_rows = [-(-len(labels) // 10) for _, labels in (support, query)]
    if axes is None:
        size = (6.8, 0.9 * sum(n_rows) + 0.7)
        _, axes = plt.subplots(2, figsize=size, height_ratios=n_rows, layout="constrained")
    glyphs(*support, ax=axes[0]).set_title("support", loc="left")
    glyphs(*query, wrong=wrong, ax=axes[1]).set_title("query", loc="left")
    widest = max(axes, key=lambda ax: ax.get_xlim()[1])
    plt.setp(axes, xlim=widest.get_xlim())  # one scale for both
    return axes


def scattered(
    images: Num[np.ndarray, "n *channel height width"],
    xy: Num[np.ndarray, "n 2"],
    labels: Int[np.ndarray, "n"],
    *,
    size: float = 0.08,
    ax: Axes | None = None,
) -> Axes:
    """Images at their places in the plane, without paper, ink in the colour of the label.

    An image is as wide as `size` times the wider side of all places.
    """
    check_lengths(images=images, xy=xy, labels=labels)
    ax = axes_for(ax, PLANE)
    half = size * np.ptp(xy, axis=0).max() / 2
    for image, (x, y), label in zip(images, xy, labels, strict=True):
        ink = image.reshape(image.shape[-2:]) / images.max()
        tinted = np.dstack([np.broadcast_to(to_rgb(COLOURS[label % 8]), (*ink.shape, 3)), ink])
        ax.imshow(tinted, extent=(x - half, x + half, y - half, y + half))
    low, high = xy.min(axis=0) - half, xy.max(axis=0) + half
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xticks=[], yticks=[])
    return ax


def matrix(
    values: Num[np.ndarray, "rows columns"], *, ax: Axes | None = None, digits: int | None = None
) -> Axes:
    """A matrix as coloured cells, 0 white, and with `digits` given its numbers written in them."""
    ax = axes_for(ax, PLANE)
    limit = max(abs(values).max(), 1e-300)
    picture = ax.imshow(values, cmap="PuOr_r", vmin=-limit, vmax=limit)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.figure.colorbar(picture, ax=ax, shrink=0.8)
    if digits is not None:
        for (i, j), value in np.ndenumerate(values):
            dark = abs(value) > 0.6 * limit
            ax.text(
                j,
                i,
                f"{value:.{digits}f}",
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=SMALL,
            )
    return ax


def attention(
    weights: Num[np.ndarray, "q n"],
    queries: Num[np.ndarray, "q *channel height width"],
    support: Num[np.ndarray, "n *channel height width"],
    *,
    ax: Axes | None = None,
) -> Axes:
    """A matrix of weights as coloured cells, the image of each row at its left, of each column on top."""
    (q, n), size = weights.shape, 0.4
    ax = axes_for(ax, (2 + size * n, 1 + size * q))
    picture = ax.imshow(weights, cmap="Oranges", vmin=0)
    ax.figure.colorbar(picture, ax=ax, shrink=0.8)
    for i, image in enumerate(queries):
        _place(ax, image, (-1.6, -0.6, i + 0.45, i - 0.45))
    for j, image in enumerate(support):
        _place(ax, image, (j - 0.45, j + 0.45, -0.6, -1.6))
    ax.set(xlim=(-1.65, n - 0.5), ylim=(q - 0.5, -1.65), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def _place(ax: Axes, image: Num[np.ndarray, "*channel height width"], where: tuple) -> None:
    """One image, ink dark, at (left, right, bottom, top) of the axes."""
    ax.imshow(image.reshape(image.shape[-2:]), cmap="Greys", vmin=0, extent=where)
