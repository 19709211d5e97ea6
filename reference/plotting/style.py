"""Fonts, colours and sizes: how every figure of the course looks.

A class or a curve keeps its number, and the number gives it a colour, a marker and a line style, so that no
figure speaks by colour alone. The palette is Okabe and Ito's (2008, "Color universal design"); blue comes
first, and yellow, faint on white, comes last.
"""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)), (0, (3, 3)))
GREY = "#767676"
CURVE, STRIP, PLANE, MAP = (6.0, 3.6), (6.5, 3.0), (4.8, 4.4), (6.5, 4.0)  # inches
SMALL = 9  # points, for what is written inside a picture
FRAME = {"fill": False, "edgecolor": COLOURS[1], "linewidth": 2, "linestyle": "--", "clip_on": False}


def axes_for(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes to draw into, or new ones in a figure of this size in inches: plain, without a box."""
    if ax is None:
        _, ax = plt.subplots(figsize=size, layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    return ax
