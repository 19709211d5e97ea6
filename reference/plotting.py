"""Arrays and axes in, axes out: every figure of the course is drawn here and nothing is computed.

A class or a curve keeps its number, and the number gives it a colour, a marker and a line style, so that no
figure speaks by colour alone. Each function draws into `ax`, or into a figure of its own, and returns the
axes: label them with `ax.set(title=..., xlabel=...)`. The palette is Okabe and Ito's (2008, "Color universal
design").

Differs from the paper: blue comes first; yellow, faint on white, comes last.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Bool, Float, Int, Num
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.ticker import MaxNLocator

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)), (0, (3, 3)))
GREY = "#767676"
FRAME = {"fill": False, "edgecolor": COLOURS[1], "linewidth": 2, "linestyle": "--", "clip_on": False}


def glyphs(
    images: Num[np.ndarray, "n *channel height width"],
    labels: Any = (),
    *,
    wrong: Bool[np.ndarray, "n"] | None = None,
    n_columns: int = 10,
    ax: Axes | None = None,
) -> Axes:
    """Images in rows of n_columns, ink dark, the label above each; those marked `wrong` are framed."""
    _check_lengths(
        images=images, labels=labels if len(labels) else images, wrong=images if wrong is None else wrong
    )
    height, width = images.shape[-2:]
    margin = height // 3 if len(labels) else 2
    n_rows, n_columns = -(-len(images) // n_columns), min(n_columns, len(images))
    ax = _axes(ax, 0.65 * n_columns, (0.85 if len(labels) else 0.65) * n_rows)
    sheet = np.zeros((n_rows * (height + margin), n_columns * (width + 2)))
    for i, image in enumerate(images):
        top, left = margin + i // n_columns * (height + margin), i % n_columns * (width + 2)
        sheet[top : top + height, left : left + width] = image.reshape(height, width)
        if len(labels):
            ax.text(left + width / 2, top - 1, str(labels[i]), ha="center", va="bottom", fontsize=9)
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
        size = (6.8, 0.85 * sum(n_rows) + 0.7)
        _, axes = plt.subplots(2, figsize=size, height_ratios=n_rows, layout="constrained")
    glyphs(*support, ax=axes[0]).set_title("support", loc="left")
    glyphs(*query, wrong=wrong, ax=axes[1]).set_title("query", loc="left")
    widest = max(axes, key=lambda ax: ax.get_xlim()[1])
    plt.setp(axes, xlim=widest.get_xlim())  # one scale for both
    return axes


def matrix(
    values: Num[np.ndarray, "rows columns"], *, ax: Axes | None = None, digits: int | None = None
) -> Axes:
    """A matrix as coloured cells, 0 white, and with `digits` given its numbers written in them."""
    ax = _axes(ax, 4.4, 3.6)
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
                fontsize=9,
            )
    return ax


# Curves


def curves(
    x: Num[np.ndarray, "n"],
    ys: Mapping[str, Num[np.ndarray, "n"]],
    *,
    bands: Mapping[str, tuple] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One line for each name in ys, with a band between (low, high) where `bands` has the name too."""
    ax = _axes(ax, 6.0, 3.6)
    _check_names("bands", bands or {}, ys)
    for number, (name, y) in enumerate(ys.items()):
        _check_lengths(**{"x": x, name: y})
        markers = {"marker": MARKERS[number % 8], "markevery": max(1, len(x) // 10), "markersize": 5}
        ax.plot(x, y, color=COLOURS[number % 8], linestyle=LINES[number % 8], label=name, **markers)
        if bands and name in bands:
            ax.fill_between(x, *bands[name], color=COLOURS[number % 8], alpha=0.2, linewidth=0)
    ax.legend(frameon=False)
    return ax


def family(
    x: Num[np.ndarray, "n"], ys: Num[np.ndarray, "n_tasks n"], *, n_dark: int = 3, ax: Axes | None = None
) -> Axes:
    """A distribution of functions: a thin line for each row of ys, the first n_dark of them drawn out."""
    ax = _axes(ax, 6.0, 3.6)
    ax.plot(x, ys[n_dark:].T, color=GREY, linewidth=0.6, alpha=0.5)
    for number, y in enumerate(ys[:n_dark]):
        ax.plot(x, y, color=COLOURS[number % 8], linestyle=LINES[number % 8], linewidth=2)
    return ax


def regression(
    support: tuple,
    x: Num[np.ndarray, "n"],
    truth: Num[np.ndarray, "n"],
    predictions: Mapping[str, Num[np.ndarray, "n"]],
    *,
    ax: Axes | None = None,
) -> Axes:
    """One regression task: support points (x, y), the true function dotted, one line for each prediction."""
    ax = curves(x, predictions, ax=ax)
    ax.plot(x, truth, color="black", linestyle=":", linewidth=2, label="truth")
    ax.plot(*map(np.ravel, support), "k*", markersize=11, label="support")
    ax.legend(frameon=False)
    return ax


# Numbers with their intervals


def ladder(
    names: Sequence[str],
    means: Float[np.ndarray, "n"],
    half_widths: Float[np.ndarray, "n"],
    *,
    reference: float | int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One rung for each name, the first on top: its mean, its interval and both in numbers.

    `reference` is a dashed line to compare with, such as chance.
    """
    _check_lengths(names=names, means=means, half_widths=half_widths)
    ax = _axes(ax, 6.5, 0.8 + 0.4 * len(names))
    rungs = np.arange(len(names))
    ax.hlines(rungs, 0, means, color=COLOURS[5], linewidth=7, alpha=0.5)
    ax.errorbar(means, rungs, xerr=half_widths, fmt="o", color=COLOURS[0], capsize=4)
    for rung, mean, half_width in zip(rungs, means, half_widths, strict=True):
        ax.annotate(
            f"{mean:.3f} ± {half_width:.3f}",
            (mean + half_width, rung),
            (6, 0),
            textcoords="offset points",
            va="center",
        )
    if reference is not None:
        ax.axvline(reference, color=GREY, linestyle="--")
    ax.set_yticks(rungs, names)
    ax.set_ylim(len(names) - 0.4, -0.6)  # the first on top
    ax.margins(x=0.3)
    if (means >= 0).all():
        ax.set_xlim(left=0)
    return ax


def intervals(
    low: Float[np.ndarray, "n"], high: Float[np.ndarray, "n"], *, truth: float | int, ax: Axes | None = None
) -> Axes:
    """Many intervals side by side; those that miss the truth are drawn thick and dashed."""
    _check_lengths(low=low, high=high)
    ax = _axes(ax, 6.5, 3.0)
    missed = (truth < low) | (truth > high)
    for which, style in (
        (~missed, {"color": GREY, "lw": 1}),
        (missed, {"color": COLOURS[1], "lw": 2.5, "ls": "--"}),
    ):
        ax.vlines(np.flatnonzero(which), low[which], high[which], **style)
    ax.axhline(truth, color="black", linewidth=1)
    return ax


def histogram(
    counts: Num[np.ndarray, "n"],
    edges: Num[np.ndarray, "n+1"],
    *,
    marks: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A histogram from what np.histogram gives, with a named vertical line for each mark."""
    ax = _axes(ax, 6.0, 3.0)
    ax.stairs(counts, edges, fill=True, color=COLOURS[5], alpha=0.6)
    for number, (name, x) in enumerate((marks or {}).items()):
        ax.axvline(x, color=COLOURS[number % 8], linestyle=LINES[number % 8], label=name)
    if marks:
        ax.legend(frameon=False)
    return ax


# The plane, and graphs


def points(
    xy: Num[np.ndarray, "n 2"],
    labels: Int[np.ndarray, "n"],
    *,
    size: float | int = 50,
    filled: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Points in the plane, colour and marker by label; hollow where not `filled`."""
    _check_lengths(xy=xy, labels=labels)
    ax = _axes(ax, 4.8, 4.4)
    for label in np.unique(labels):
        face = COLOURS[label % 8] if filled else "white"
        style = {
            "marker": MARKERS[label % 8],
            "s": size,
            "facecolors": face,
            "edgecolors": COLOURS[label % 8],
        }
        ax.scatter(*xy[labels == label].T, **style, zorder=3)
    return ax


def regions(
    x: Num[np.ndarray, "columns"],
    y: Num[np.ndarray, "rows"],
    labels: Int[np.ndarray, "rows columns"],
    *,
    ax: Axes | None = None,
) -> Axes:
    """The class labels[i, j] that is predicted at (x[j], y[i]), as pale areas with borders between them."""
    ax = _axes(ax, 4.8, 4.4)
    number = int(labels.max()) + 1
    palette = ListedColormap([COLOURS[label % 8] for label in range(number)])
    ax.pcolormesh(x, y, labels, cmap=palette, vmin=-0.5, vmax=number - 0.5, alpha=0.25, shading="nearest")
    for label in np.unique(labels)[1:]:  # a lone class has no border
        ax.contour(x, y, labels == label, levels=[0.5], colors="white", linewidths=1.5)
    return ax


def closed_curves(
    loops: Num[np.ndarray, "n_tasks n 2"],
    centres: Num[np.ndarray, "n_tasks 2"],
    *,
    n_dark: int = 3,
    ax: Axes | None = None,
) -> Axes:
    """A distribution of losses: a closed level curve and its centre for each, the first n_dark drawn out."""
    ax = _axes(ax, 4.8, 4.4)
    ax.plot(*loops[n_dark:].T, color=GREY, linewidth=0.6, alpha=0.5)
    ax.plot(*centres[n_dark:].T, ".", color=GREY, markersize=3)
    for number, (loop, centre) in enumerate(zip(loops[:n_dark], centres[:n_dark], strict=True)):
        ax.plot(*loop.T, color=COLOURS[number % 8], linestyle=LINES[number % 8], linewidth=2)
        ax.plot(*centre, MARKERS[number % 8], color=COLOURS[number % 8])
    ax.set_aspect("equal")
    return ax


def graph(
    positions: Mapping[str, tuple],
    edges: Sequence[tuple[str, str]],
    *,
    dark: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Named nodes at their positions and arrows along the edges (start, end), with notes below.

    Nodes in `dark` are filled. Raises ValueError for a name that has no position.
    """
    _check_names("edges", [name for edge in edges for name in edge], positions)
    _check_names("dark", dark, positions)
    _check_names("notes", notes or {}, positions)
    ax = _axes(ax, 6.5, 3.6)
    boxes = {}
    for name, (x, y) in positions.items():
        face, ink = (COLOURS[0], "white") if name in dark else ("white", "black")
        box = {"boxstyle": "round,pad=0.4", "facecolor": face, "edgecolor": COLOURS[0]}
        boxes[name] = ax.text(x, y, name, ha="center", va="center", color=ink, bbox=box).get_bbox_patch()
        note = (notes or {}).get(name, "")
        ax.annotate(note, (x, y), (0, -18), textcoords="offset points", ha="center", va="top", fontsize=9)
    for start, end in edges:  # from the edge of one box to the edge of the other, however wide they are
        ends = {"patchA": boxes[start], "patchB": boxes[end], "shrinkA": 2, "shrinkB": 2}
        arrow = {"arrowstyle": "-|>", "color": GREY, **ends}
        ax.annotate("", positions[end], positions[start], arrowprops=arrow)
    ax.update_datalim(list(positions.values()))
    ax.margins(0.12, 0.2)
    ax.autoscale_view()
    ax.axis("off")
    return ax


def landmarks(
    places: Mapping[str, Num[np.ndarray, "2"]],
    *,
    paths: Mapping[str, Num[np.ndarray, "n 2"]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Named places in the plane, the legend beside it, and the path to a place where `paths` has its name."""
    _check_names("paths", paths or {}, places)
    ax = _axes(ax, 6.5, 4.2)
    for number, (name, place) in enumerate(places.items()):
        colour = COLOURS[number % 8]
        if paths and name in paths:
            ax.plot(*paths[name].T, color=colour, linestyle=LINES[number % 8], linewidth=1.5)
        style = {"markersize": 11, "markeredgecolor": "white", "linestyle": "none", "zorder": 4}
        ax.plot(*place, MARKERS[number % 8], color=colour, label=name, **style)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    ax.set_aspect("equal")
    return ax


def walks(paths: Num[np.ndarray, "n_tasks n 2"], *, ax: Axes | None = None) -> Axes:
    """A walk in the plane for each task, a dot at every step."""
    ax = _axes(ax, 4.8, 4.4)
    for path in paths:
        ax.plot(*path.T, ".-", color="black", linewidth=0.8, markersize=5)
    return ax


# What all of them share


def _axes(ax: Axes | None, width: float, height: float) -> Axes:
    """The axes to draw into, plain: no box, a pale grid behind."""
    if ax is None:
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    return ax


def _check_lengths(**arrays: Any) -> None:
    (first, expected), *others = ((name, len(array)) for name, array in arrays.items())
    for name, length in others:
        if length != expected:
            raise ValueError(f"{name} has length {length} and {first} {expected}; they must be equal.")


def _check_names(argument: str, names: Any, known: Any) -> None:
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"{argument} names {unknown[0]!r}; there are {', '.join(map(repr, known))}.")
