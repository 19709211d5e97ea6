"""Figures of chapters 01 to 03."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from reference import plotting
from reference.episodes import Tasks
from reference.evaluation import Score


def show_episode(
    make_tasks: Callable[..., Tasks], *, n_way: int, k_shot: int, n_query: int, seed: int
) -> np.ndarray:
    """Chapter 01: one episode of `make_tasks(n_way=..., k_shot=..., n_query=...)`; returns the two axes."""
    episode = make_tasks(n_way=n_way, k_shot=k_shot, n_query=n_query).sample(np.random.default_rng(seed))
    return plotting.episode_sheet(episode.support, episode.query)


def show_interval(values: Float[np.ndarray, "n"], *, n_episodes: int) -> Axes:
    """Chapter 02: the mean and its interval after 5 to n_episodes of the values, as they come in."""
    first = min(5, n_episodes)  # the intervals of fewer leave no room for the others
    counts = np.unique(np.geomspace(first, n_episodes, 60).round().astype(int))
    scores = [Score(values[:n]) for n in counts]
    low, high = np.transpose([score.interval for score in scores])
    means = np.array([score.mean for score in scores])
    ax = plotting.curves(counts, {"mean so far": means}, bands={"mean so far": (low, high)})
    ax.set(xscale="log", xlabel="episodes", ylabel="value", xlim=(first, len(values)), title=str(scores[-1]))
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
