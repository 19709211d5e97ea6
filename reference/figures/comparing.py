"""Figures of the learners that compare: chapter 06."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

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
