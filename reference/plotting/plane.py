"""Things in the plane: points, the regions of a classifier, landmarks, walks, level curves and arrows."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int, Num
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from reference.plotting.arguments import check_lengths, check_names
from reference.plotting.style import COLOURS, GREY, LINES, MAP, MARKERS, PLANE, axes_for


def points(
    xy: Num[np.ndarray, "n 2"],
    labels: Int[np.ndarray, "n"],
    *,
    size: float | int = 50,
    filled: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Points in the plane, colour and marker by label; hollow where not `filled`."""
    check_lengths(xy=xy, labels=labels)
    ax = axes_for(ax, PLANE)
    for label in np.unique(labels):
        face = COLOURS[label % 8] if filled else "none"
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
    answers: Num[np.ndarray, "rows columns *classes"],
    *,
    ax: Axes | None = None,
) -> Axes:
    """The class that is predicted at (x[j], y[i]), as pale areas with borders between them.

    answers[i, j] is the class, or the scores of all classes. Scores place a border between the points of the
    grid; classes alone make it a staircase.
    """
    ax = axes_for(ax, PLANE)
    if answers.ndim == 3:
        best = np.sort(answers, axis=-1)[..., ::-1]
        for label in range(answers.shape[-1]):
            own = answers[..., label]
            lead = own - np.where(own == best[..., 0], best[..., 1], best[..., 0])  # over the best other
            if (lead > 0).any():
                ax.contourf(x, y, lead, levels=[0, np.inf], colors=[COLOURS[label % 8]], alpha=0.25)
                ax.contour(x, y, lead, levels=[0], colors=GREY, linewidths=1)
        return ax
    number = int(answers.max()) + 1
    palette = ListedColormap([COLOURS[label % 8] for label in range(number)])
    ax.pcolormesh(x, y, answers, cmap=palette, vmin=-0.5, vmax=number - 0.5, alpha=0.25, shading="nearest")
    for label in np.unique(answers)[1:]:  # a lone class has no border
        ax.contour(x, y, answers == label, levels=[0.5], colors=GREY, linewidths=1)
    return ax


def closed_curves(
    loops: Num[np.ndarray, "n_tasks n 2"],
    centres: Num[np.ndarray, "n_tasks 2"],
    *,
    n_dark: int = 3,
    ax: Axes | None = None,
) -> Axes:
    """A distribution of losses: a closed level curve and its centre for each, the first n_dark drawn out."""
    ax = axes_for(ax, PLANE)
    ax.plot(*loops[n_dark:].T, color=GREY, linewidth=0.6, alpha=0.8)
    ax.plot(*centres[n_dark:].T, ".", color=GREY, markersize=3)
    for number, (loop, centre) in enumerate(zip(loops[:n_dark], centres[:n_dark], strict=True)):
        ax.plot(*loop.T, color=COLOURS[number % 8], linestyle=LINES[number % 8], linewidth=2)
        ax.plot(*centre, MARKERS[number % 8], color=COLOURS[number % 8])
    ax.set_aspect("equal")
    return ax


def landmarks(
    places: Mapping[str, Num[np.ndarray, "2"]],
    *,
    paths: Mapping[str, Num[np.ndarray, "n 2"]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Named places in the plane, the legend beside it, and the path to a place where `paths` has its name."""
    check_names("paths", paths or {}, places)
    ax = axes_for(ax, MAP)
    for number, (name, place) in enumerate(places.items()):
        colour = COLOURS[number % 8]
        if paths and name in paths:
            ax.plot(*paths[name].T, color=colour, linestyle=LINES[number % 8], linewidth=1.5)
        style = {"markersize": 11, "markeredgecolor": "none", "linestyle": "none", "zorder": 4}
        ax.plot(*place, MARKERS[number % 8], color=colour, label=name, **style)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    ax.set_aspect("equal")
    return ax


def walks(paths: Num[np.ndarray, "n_tasks n 2"], *, ax: Axes | None = None) -> Axes:
    """A walk in the plane for each task, a dot at every step."""
    ax = axes_for(ax, PLANE)
    for path in paths:
        ax.plot(*path.T, ".-", color=GREY, linewidth=0.8, markersize=5)
    return ax


def arrows(
    starts: Num[np.ndarray, "n 2"],
    ends: Num[np.ndarray, "n 2"],
    *,
    number: int | None = None,
    label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Straight arrows in the plane, in the colour and line style of the number; without one grey and thin."""
    check_lengths(starts=starts, ends=ends)
    ax = axes_for(ax, PLANE)
    look = {"color": GREY, "linewidth": 1.2}
    if number is not None:
        look = {"color": COLOURS[number % 8], "linestyle": LINES[number % 8], "linewidth": 2}
    for start, end in zip(starts, ends, strict=True):
        head = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 12}
        ax.annotate("", xy=end, xytext=start, arrowprops=head | look)
    ax.plot([], [], label=label, **look)  # for the legend alone
    ax.update_datalim(np.concatenate([starts, ends]))
    ax.autoscale_view()
    return ax
