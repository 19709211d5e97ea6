"""Curves over one variable: lines with bands, a family of functions, a regression task."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Num
from matplotlib.axes import Axes

from reference.plotting.arguments import check_lengths, check_names
from reference.plotting.style import COLOURS, CURVE, GREY, LINES, MARKERS, axes_for


def curves(
    x: Num[np.ndarray, "n"],
    ys: Mapping[str, Num[np.ndarray, "n"]],
    *,
    bands: Mapping[str, tuple] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One line for each name in ys, with a band between (low, high) where `bands` has the name too."""
    ax = axes_for(ax, CURVE)
    check_names("bands", bands or {}, ys)
    for number, (name, y) in enumerate(ys.items()):
        check_lengths(**{"x": x, name: y})
        markers = {"marker": MARKERS[number % 8], "markevery": max(1, len(x) // 10), "markersize": 5}
        ax.plot(x, y, color=COLOURS[number % 8], linestyle=LINES[number % 8], label=name, **markers)
        if bands and name in bands:
            ax.fill_between(x, *bands[name], color=COLOURS[number % 8], alpha=0.2, linewidth=0)
    ax.legend()
    return ax


def family(
    x: Num[np.ndarray, "n"], ys: Num[np.ndarray, "n_tasks n"], *, n_dark: int = 3, ax: Axes | None = None
) -> Axes:
    """A distribution of functions: a thin line for each row of ys, the first n_dark of them drawn out."""
    ax = axes_for(ax, CURVE)
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
    ax.plot(x, truth, color=GREY, linestyle=":", linewidth=2, label="truth")
    ax.plot(*map(np.ravel, support), "*", color=GREY, markersize=11, label="support")
    ax.legend()
    return ax
