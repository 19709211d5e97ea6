"""Numbers with their intervals: a ladder of results, many intervals side by side, a histogram."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Num
from matplotlib.axes import Axes

from reference.plotting.arguments import check_lengths
from reference.plotting.style import COLOURS, GREY, LINES, STRIP, axes_for


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
    check_lengths(names=names, means=means, half_widths=half_widths)
    ax = axes_for(ax, (STRIP[0], 0.8 + 0.4 * len(names)))
    rungs = np.arange(len(names))
    ax.hlines(rungs, 0, means, color=COLOURS[5], linewidth=7, alpha=0.5)
    ax.errorbar(means, rungs, xerr=half_widths, fmt="o", color=COLOURS[0], capsize=4)
    for rung, mean, half_width in zip(rungs, means, half_widths, strict=True):
        ax.annotate(
            f"{mean:.3f} ± {half_width:.3f}",
            (max(mean + half_width, 0), rung),  # a bar below zero ends there: no number crosses it
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
    check_lengths(low=low, high=high)
    ax = axes_for(ax, STRIP)
    missed = (truth < low) | (truth > high)
    for which, style in (
        (~missed, {"color": GREY, "lw": 1}),
        (missed, {"color": COLOURS[1], "lw": 2.5, "ls": "--"}),
    ):
        ax.vlines(np.flatnonzero(which), low[which], high[which], **style)
    ax.axhline(truth, color=COLOURS[0], linewidth=1.5)
    return ax


def histogram(
    counts: Num[np.ndarray, "n"],
    edges: Num[np.ndarray, "n+1"],
    *,
    marks: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A histogram from what np.histogram gives, with a named vertical line for each mark."""
    ax = axes_for(ax, STRIP)
    ax.stairs(counts, edges, fill=True, color=COLOURS[5], alpha=0.6)
    for number, (name, x) in enumerate((marks or {}).items()):
        ax.axvline(x, color=COLOURS[number % 8], linestyle=LINES[number % 8], label=name)
    if marks:
        ax.legend()
    return ax
