"""Arrays and axes in, axes out: every figure of the course is drawn here and nothing is computed.

Each function draws into `ax`, or into a figure of its own, and returns the axes: label them with
`ax.set(title=..., xlabel=...)`. `plotting.show(alt)` shows the figure, with words for who cannot see it.
"""

from reference.plotting.curves import curves, family, regression
from reference.plotting.graphs import graph
from reference.plotting.images import attention, episode_sheet, glyphs, matrix, scattered
from reference.plotting.intervals import histogram, intervals, ladder
from reference.plotting.plane import arrows, closed_curves, landmarks, points, regions, walks
from reference.plotting.show import show
from reference.plotting.style import COLOURS, GREY, LINES, MARKERS, STYLE

__all__ = [
    "COLOURS",
    "GREY",
    "LINES",
    "MARKERS",
    "STYLE",
    "arrows",
    "attention",
    "closed_curves",
    "curves",
    "episode_sheet",
    "family",
    "glyphs",
    "graph",
    "histogram",
    "intervals",
    "ladder",
    "landmarks",
    "matrix",
    "points",
    "regions",
    "regression",
    "scattered",
    "show",
    "walks",
]
