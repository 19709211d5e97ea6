"""Figures of the learners that compare: chapters 04 to 06."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from reference import plotting
from reference.episodes import Adapt, Examples


def show_cells(
    adapt: Adapt,
    centres: Callable[[Examples], Float[np.ndarray, "n_way 2"]],
    support: Examples,
    *,
    point: int,
    right: float | int,
    up: float | int,
) -> Axes:
    """Chapter 06: the class predicted at each point of the plane, after one support point has moved.

    Support points are filled, the centres (prototypes) that they make are large and hollow.
    """
    moved = Examples(support.x.copy(), support.y)
    moved.x[point] += right, up
    side = np.linspace(-4, 4, 161)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    scores = np.asarray(adapt(moved)(grid))
    ax = plotting.regions(side, side, scores.reshape(161, 161, -1))
    made = centres(moved)
    plotting.points(made, np.arange(len(made)), size=220, filled=False, ax=ax)
    return plotting.points(*moved, ax=ax)


def show_attention(
    attend: Callable[[float], Float[np.ndarray, "q n"]],
    support: Examples,
    query: Examples,
    *,
    temperature: float | int,
) -> Axes:
    """Chapter 05: how much of its attention each query (a row) gives to each support example (a column).

    Rows and columns stand in the order of their classes; a frame holds what goes to the query's own class.
    """
    rows, columns = np.argsort(query.y, kind="stable"), np.argsort(support.y, kind="stable")
    weights = np.asarray(attend(temperature))[np.ix_(rows, columns)]
    ax = plotting.attention(weights, query.x[rows], support.x[columns])
    for label in np.unique(query.y):
        inside = [
            np.flatnonzero(part.y[order] == label) for part, order in ((support, columns), (query, rows))
        ]
        (left, wide), (top, high) = ((places[0] - 0.5, len(places)) for places in inside)
        ax.add_patch(Rectangle((left, top), wide, high, fill=False, edgecolor=plotting.GREY, linewidth=1.5))
    ax.set_title(f"temperature {temperature:.3g}", color=plotting.GREY)
    return ax


def show_descent(
    descend: Callable[[Examples, float, int], Float[np.ndarray, "n_steps+1 n 2"]],
    points: Examples,
    *,
    margin: float | int,
    n_steps: int,
) -> Axes:
    """Chapter 04: where points of the plane go under a loss of pairs with this margin, hollow at first.

    `descend(points, margin, n_steps)` gives the places of all points before the first step and after each.
    """
    path = descend(points, margin, n_steps)
    ax = plotting.walks(path.swapaxes(0, 1))
    plotting.points(path[0], points.y, filled=False, ax=ax)
    plotting.points(path[-1], points.y, ax=ax)
    ax.set_aspect("equal")
    return ax
