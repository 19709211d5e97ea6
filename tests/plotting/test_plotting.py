"""What holds for every function that draws."""

import inspect

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from reference import plotting

X = np.linspace(-1, 1, 25)
IMAGES = np.arange(7 * 12, dtype=float).reshape(7, 1, 4, 3)
CIRCLE = np.stack([np.cos(np.pi * X), np.sin(np.pi * X)], axis=1)
SQUARE = {"a": (0, 0), "b": (1, 0), "c": (1, 1)}


DRAWN = {  # every public function, with the least it needs
    plotting.glyphs: lambda ax: plotting.glyphs(IMAGES, ax=ax),
    plotting.matrix: lambda ax: plotting.matrix(np.eye(3), ax=ax),
    plotting.attention: lambda ax: plotting.attention(
        np.eye(3), np.ones((3, 4, 4)), np.ones((3, 4, 4)), ax=ax
    ),
    plotting.scattered: lambda ax: plotting.scattered(IMAGES, CIRCLE[:7], np.arange(7), ax=ax),
    plotting.curves: lambda ax: plotting.curves(X, {"line": X}, ax=ax),
    plotting.family: lambda ax: plotting.family(X, np.stack([X] * 5), ax=ax),
    plotting.regression: lambda ax: plotting.regression(
        (X[:3, None], X[:3, None]), X, X, {"mine": -X}, ax=ax
    ),
    plotting.ladder: lambda ax: plotting.ladder(
        ["a", "b"], np.array([0.2, 0.8]), np.array([0.1, 0.1]), ax=ax
    ),
    plotting.intervals: lambda ax: plotting.intervals(X - 0.5, X + 0.5, truth=0.0, ax=ax),
    plotting.histogram: lambda ax: plotting.histogram(*np.histogram(X), ax=ax),
    plotting.points: lambda ax: plotting.points(np.eye(2), np.array([0, 1]), ax=ax),
    plotting.regions: lambda ax: plotting.regions(X, X, (X[:, None] > X).astype(int), ax=ax),
    plotting.closed_curves: lambda ax: plotting.closed_curves(
        np.stack([CIRCLE, CIRCLE + 1]), np.array([[0.0, 0.0], [1.0, 1.0]]), n_dark=1, ax=ax
    ),
    plotting.graph: lambda ax: plotting.graph(SQUARE, [("a", "b"), ("b", "c")], ax=ax),
    plotting.landmarks: lambda ax: plotting.landmarks({"here": np.zeros(2), "there": np.ones(2)}, ax=ax),
    plotting.arrows: lambda ax: plotting.arrows(CIRCLE, 2 * CIRCLE, label="out", ax=ax),
    plotting.walks: lambda ax: plotting.walks(np.stack([CIRCLE, CIRCLE + 1]), ax=ax),
}


def test_every_public_function_is_tried_here():
    public = {f for name, f in inspect.getmembers(plotting, inspect.isfunction) if not name.startswith("_")}
    assert public == {*DRAWN, plotting.episode_sheet, plotting.show}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=[f.__name__ for f in DRAWN])
def test_axes_go_in_and_out_and_nothing_global_changes(draw, ax):
    settings = dict(matplotlib.rcParams)
    assert draw(ax) is ax
    assert plt.get_fignums() == [ax.figure.number]
    own = draw(None)
    assert own is not ax
    assert own.figure.get_size_inches()[0] <= 8
    own.figure.canvas.draw()
    assert dict(matplotlib.rcParams) == settings
