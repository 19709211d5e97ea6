"""Figures of the learners that remember: chapter 10."""

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float

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
