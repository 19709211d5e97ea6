"""Figures of the learners that take steps: chapters 07 to 09."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from reference import plotting
from reference.episodes import Examples


def show_fixed_points(
    stops: Callable[..., Mapping[str, Float[np.ndarray, "2"]]],
    centres: Float[np.ndarray, "n_tasks 2"],
    curvatures: Float[np.ndarray, "n_tasks 2 2"],
    *,
    right: float | int,
    up: float | int,
    steep: float | int,
    inner_lr: float | int,
    n_steps: int,
) -> Axes:
    """Chapter 07: quadratic tasks, and where each way of training on them stops; the last task is moved.

    Its optimum goes to the right and up, its curvature counts `steep` times. `stops(centres, curvatures,
    inner_lr, n_steps)` gives the stopping points by name. The curves around the optima: a loss of 1/4, and 1.
    """
    centres, curvatures = centres.copy(), curvatures.copy()
    low, high = centres.min(0) - 3, centres.max(0) + 3
    centres[-1] += right, up
    curvatures[-1] *= steep
    angle = np.linspace(0, 2 * np.pi, 61)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lengths, axes = np.linalg.eigh(curvatures)  # half of lengths times the squared distance is the loss
    loops = (circle[None] / np.sqrt(lengths)[:, None]) @ axes.swapaxes(1, 2)
    levels = np.concatenate([centres[:, None] + np.sqrt(2 * loss) * loops for loss in (0.25, 1)])
    ax = plotting.landmarks(stops(centres, curvatures, inner_lr, n_steps))
    plotting.closed_curves(levels, np.tile(centres, (2, 1)), n_dark=0, ax=ax)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="first unknown", ylabel="second unknown")
    ax.set_title(f"{n_steps} inner step{'s' * (n_steps > 1)} of rate {inner_lr:.2f}")
    return ax


def show_inner_steps(
    stop: Callable[[int, float | int], Float[np.ndarray, "2"]],
    walks: Callable[..., Float[np.ndarray, "n_tasks n 2"]],
    loops: Float[np.ndarray, "n_tasks n_points 2"],
    centres: Float[np.ndarray, "n_tasks 2"],
    *,
    n_steps: int,
    inner_lr: float | int,
) -> Axes:
    """Chapter 08: where Reptile stops with n_steps inner steps, and the steps of each task from there.

    `stop(n_steps, inner_lr)` gives the place, `walks(place, n_steps, inner_lr)` the steps of each task;
    loops are level curves of the tasks. The line to Reptile's place runs over all smaller numbers of steps.
    """
    trail = np.stack([stop(n, inner_lr) for n in range(1, n_steps + 1)])
    places = {"joint training": trail[0], "Reptile": trail[-1], "mean of the optima": centres.mean(0)}
    ax = plotting.landmarks(places, paths={"Reptile": trail})
    plotting.closed_curves(loops, centres, n_dark=0, ax=ax)
    plotting.walks(walks(trail[-1], n_steps, inner_lr), ax=ax)
    ax.set_title(f"{n_steps} inner step{'s' * (n_steps > 1)} of rate {inner_lr:.2f}")
    return ax


def show_rates(
    answer: Callable[..., Float[np.ndarray, "n"]],
    support: Examples,
    x: Float[np.ndarray, "n"],
    truth: Float[np.ndarray, "n"],
    *,
    first: float | int,
    middle: float | int,
    last: float | int,
    own: float | int,
) -> Axes:
    """Chapter 09: one task after a step in which the rates of the three layers count so many times.

    0 freezes a layer, 1 leaves it as it was learned. With own = 1 each weight has the rate that it learned,
    with 0 its tensor's mean. `answer(first, middle, last, own)` gives the predictions at x.
    """
    chosen, before = answer(first, middle, last, own), answer(0.0, 0.0, 0.0, 1.0)
    shown = {
        "before the step": before,
        "as learned": answer(1.0, 1.0, 1.0, 1.0),
        "as the sliders say": chosen,
    }
    ax = plotting.regression(support, x, truth, shown)
    error, at_first = (np.mean((y - truth) ** 2) for y in (chosen, before))
    title = f"error as the sliders say {error:.2f}, before the step {at_first:.2f}"
    ax.set(xlabel="x", ylabel="y", title=title)
    ax.set_ylim(truth.min() - 2, truth.max() + 2)  # wild rates leave the picture, the task stays in it
    ax.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    return ax
