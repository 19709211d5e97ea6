"""Figures that move: sliders over plain functions that draw.

Each `show_*` draws one figure and works without any front end, so a chapter calls it once by itself, and
`sliders` puts a control to each of its keyword arguments. A figure is what its sliders say; no state is kept.

Differs from the paper: no one paper.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from reference import plotting
from reference.episodes import Adapt, Examples, Tasks
from reference.evaluation import Score


def sliders(show: Callable, *fixed: Any, **ranges: tuple) -> ipywidgets.interactive:
    """A widget with one slider for each range; it redraws `show(*fixed, **values)` when a slider is let go.

    A range is (low, high, start), whole numbers for a slider of whole numbers, else floats.
    Let it be the last line of a cell. Raises ValueError unless low <= start <= high.
    """

    def redraw(**values: Any) -> None:
        show(*fixed, **values)  # the axes it returns would be printed

    return ipywidgets.interactive(redraw, **{name: _slider(name, *limits) for name, limits in ranges.items()})


def _slider(name: str, low: float | int, high: float | int, start: float | int) -> ipywidgets.Widget:
    if not low <= start <= high:
        raise ValueError(f"{name} starts at {start}; it must lie between {low} and {high}.")
    whole = all(isinstance(x, int) for x in (low, high, start))
    settings = {"value": start, "min": low, "max": high, "description": name, "continuous_update": False}
    if whole:
        return ipywidgets.IntSlider(**settings)
    return ipywidgets.FloatSlider(**settings, step=(high - low) / 100)


def show_episode(
    make_tasks: Callable[..., Tasks], *, n_way: int, k_shot: int, n_query: int, seed: int
) -> np.ndarray:
    """Chapter 01: one episode of `make_tasks(n_way=..., k_shot=..., n_query=...)`; returns the two axes."""
    episode = make_tasks(n_way=n_way, k_shot=k_shot, n_query=n_query).sample(np.random.default_rng(seed))
    return plotting.episode_sheet(episode.support, episode.query)


def show_interval(values: Float[np.ndarray, "n"], *, n_episodes: int) -> Axes:
    """Chapter 02: the mean and its interval after 2 to n_episodes of the values, as they come in."""
    counts = np.unique(np.geomspace(2, n_episodes, 60).astype(int))
    scores = [Score(values[:n]) for n in counts]
    low, high = np.transpose([score.interval for score in scores])
    means = np.array([score.mean for score in scores])
    ax = plotting.curves(counts, {"mean so far": means}, bands={"mean so far": (low, high)})
    ax.set(xlabel="episodes", ylabel="value", xlim=(0, len(values)), title=str(scores[-1]))
    return ax


def show_backward(
    positions: Mapping[str, tuple],
    edges: Sequence[tuple[str, str]],
    gradients: Mapping[str, str],
    *,
    step: int,
) -> Axes:
    """Chapter 03: a computation after `step` nodes have their gradient.

    `gradients` holds what to write below each node, in the order in which the backward pass completes them.
    """
    done = dict(list(gradients.items())[:step])
    ax = plotting.graph(positions, edges, dark=list(done), notes=done)
    ax.set_title(f"backward pass: {step} of {len(gradients)} gradients are known")
    return ax


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
    predicted = np.asarray(adapt(moved)(grid)).argmax(-1)
    ax = plotting.regions(side, side, predicted.reshape(161, 161))
    made = centres(moved)
    plotting.points(made, np.arange(len(made)), size=220, filled=False, ax=ax)
    return plotting.points(*moved, ax=ax)
