"""Graphs: named nodes and the arrows between them."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from reference.plotting.arguments import check_names
from reference.plotting.style import COLOURS, GREY, MAP, SMALL, axes_for


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
    check_names("edges", [name for edge in edges for name in edge], positions)
    check_names("dark", dark, positions)
    check_names("notes", notes or {}, positions)
    ax = axes_for(ax, MAP)
    boxes = {}
    for name, (x, y) in positions.items():
        face, ink = (COLOURS[0], "white") if name in dark else ("none", GREY)
        box = {"boxstyle": "round,pad=0.4", "facecolor": face, "edgecolor": COLOURS[0]}
        boxes[name] = ax.text(x, y, name, ha="center", va="center", color=ink, bbox=box).get_bbox_patch()
        note = (notes or {}).get(name, "")
        ax.annotate(note, (x, y), (0, -18), textcoords="offset points", ha="center", va="top", fontsize=SMALL)
    for start, end in edges:  # from the edge of one box to the edge of the other, however wide they are
        ends = {"patchA": boxes[start], "patchB": boxes[end], "shrinkA": 2, "shrinkB": 2}
        arrow = {"arrowstyle": "-|>", "color": GREY, **ends}
        ax.annotate("", positions[end], positions[start], arrowprops=arrow)
    ax.update_datalim(list(positions.values()))
    ax.margins(0.12, 0.2)
    ax.autoscale_view()
    ax.axis("off")
    return ax
