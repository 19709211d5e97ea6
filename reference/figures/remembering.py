"""Figures of the learners that remember: chapters 10 and 11."""

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float, Integer, Num

from reference import plotting


def show_head(
    stages: Callable[..., Mapping[str, Float[np.ndarray, " n_rows"]]],
    *,
    key: int,
    strength: float | int,
    gate: float | int,
    shift_by: float | int,
    sharpness: float | int,
) -> np.ndarray:
    """Chapter 10: the weights of a head after each step of its addressing, as bars over the rows.

    `stages` takes the five settings by name and gives the weights after each step, in order.
    """
    found = stages(key=key, strength=strength, gate=gate, shift_by=shift_by, sharpness=sharpness)
    _, axes = plt.subplots(1, len(found), figsize=(7.5, 2.4), sharey=True, layout="constrained")
    for number, (ax, (name, weights)) in enumerate(zip(axes, found.items(), strict=True)):
        ax.bar(range(len(weights)), weights, color=plotting.COLOURS[number % 8])
        ax.set(title=name, xlabel="row", ylim=(0, 1), xticks=range(len(weights)))
    axes[0].set_ylabel("weight")
    return axes


def show_memory_step(
    images: Num[np.ndarray, "n_steps height width"],
    labels: Integer[np.ndarray, " n_steps"],
    answers: Float[np.ndarray, "n_steps n_way"],
    written: Float[np.ndarray, "n_steps n_rows"],
    read: Float[np.ndarray, "n_steps n_rows"],
    usage: Float[np.ndarray, "n_steps n_rows"],
    *,
    step: int,
) -> np.ndarray:
    """Chapter 11: one step of a stream: what is seen and told, what is said, what is written, read and used.

    `answers` are probabilities; each of the last three has a number for each row of the memory.
    """
    _, axes = plt.subplots(1, 5, figsize=(8, 2.2), layout="constrained", width_ratios=(1, 1, 1.6, 1.6, 1.6))
    plotting.glyphs(images[step][None], ax=axes[0])
    axes[0].set_title("told: -" if step == 0 else f"told: {labels[step - 1]}")
    axes[1].bar(range(answers.shape[1]), answers[step], color=plotting.COLOURS[0])
    axes[1].set(
        title=f"is: {labels[step]}, says:", xlabel="class", ylim=(0, 1), xticks=range(answers.shape[1])
    )
    shown = {"written": written, "read": read, "used": usage}
    for number, (ax, (name, weights)) in enumerate(zip(axes[2:], shown.items(), strict=True)):
        ax.bar(range(weights.shape[1]), weights[step], color=plotting.COLOURS[number + 1])
        ax.set(title=name, xlabel="row", ylim=(0, 1.05 * float(weights.max())))
    return axes
