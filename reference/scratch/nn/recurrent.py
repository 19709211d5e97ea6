"""A recurrent learner is a cell, one step of it; `scan` runs the cell along a sequence.

A neural Turing machine, a memory-augmented network, RL^2 and an LSTM optimiser are cells.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from reference.params import Params
from reference.scratch.autodiff import Array

State = Any
Cell = Callable[[Params, State, Array], tuple[State, Array]]  # (batch, ...) in -> (batch, d) out


def scan(
    cell: Cell, params: Params, state: State, xs: Float[Array, "n_steps batch *d"]
) -> tuple[State, Float[Array, "n_steps batch *out"]]:
    """The state after the last step, and what the cell gave at every step.

    Raises ValueError for a sequence without a step.
    """
    if len(xs) == 0:
        raise ValueError(f"xs: got shape {xs.shape}; a sequence (n_steps, batch, ...) has at least one step.")
    outputs = []
    for x in xs:
        state, output = cell(params, state, x)
        outputs.append(output)
    return state, np.stack(outputs)
