"""Fonts, colours and sizes: how every figure of the course looks.

A class or a curve keeps its number, and the number gives it a colour, a marker and a line style, so that no
figure speaks by colour alone. A figure has no ground of its own: every colour has a contrast of at least 3 to
white paper and to the dark page of JupyterLab (#111), text of more than 4. So half of the palette is Okabe
and Ito's (2008, "Color universal design"); the other half colour-blind eyes tell from it and from grey.
"""

import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#805C33", "#6A95D4", "#7633FF", "#96993D")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)), (0, (3, 3)))
GREY = "#767676"  # of text, too: contrast 4.5 on white, 4.2 on #111
FRAME = {"fill": False, "edgecolor": COLOURS[1], "linewidth": 2, "linestyle": "--", "clip_on": False}
CURVE, STRIP, PLANE, MAP = (6.0, 3.6), (6.5, 3.0), (4.8, 4.4), (6.5, 4.0)  # inches
SMALL = 9  # points, for what is written inside a picture

STYLE = {  # plt.style.use(plotting.STYLE), once in a chapter
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none"),
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), GREY),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.axisbelow": True,
}


def axes_for(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes to draw into, or new ones in a figure of this size in inches."""
    return plt.subplots(figsize=size, layout="constrained")[1] if ax is None else ax
