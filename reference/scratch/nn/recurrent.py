"""A recurrent learner is a cell, one step of it; `scan` runs the cell along a sequence.

The LSTM is a cell, with PyTorch's names and layout of weights (the four gates i, f, g, o below one another).
A neural Turing machine, a memory-augmented network, RL^2 and an LSTM optimiser are cells.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from reference.params import Params
from reference.scratch.autodiff import Array, sigmoid
from reference.scratch.nn.networks import linear

State = Any
Cell = Callable[[Params, State, Array], tuple[State, Array]]  # (batch, ...) in -> (batch, d) out
REVERSE = "_reverse"  # PyTorch's ending for the weights that read a sequence from its end


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


def map_state(function: Callable[[Array], Array], state: State) -> State:
    """The state with function(x) in the place of every array x in it; a state may hold tuples of tuples."""
    if isinstance(state, tuple):
        parts = [map_state(function, part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return function(state)


def init_lstm(rng: np.random.Generator, d_in: int, *, width: int) -> Params:
    """Parameters of one LSTM layer under the names of torch.nn.LSTM, uniform in +-1/sqrt(width), float32."""
    shapes = {
        "weight_ih_l0": (4 * width, d_in),
        "weight_hh_l0": (4 * width, width),
        "bias_ih_l0": (4 * width,),
        "bias_hh_l0": (4 * width,),
    }
    bound = width**-0.5
    return {name: rng.uniform(-bound, bound, shape).astype(np.float32) for name, shape in shapes.items()}


def init_bidirectional(rng: np.random.Generator, d_in: int, *, width: int) -> Params:
    """Those of two, one for each direction; the names of the second end in `_reverse`, as in torch."""
    forward, backward = (init_lstm(rng, d_in, width=width) for _ in range(2))
    return forward | {f"{name}{REVERSE}": p for name, p in backward.items()}


def lstm_cell(
    params: Params, state: tuple[Float[Array, "batch width"], Float[Array, "batch width"]], x: Array
) -> tuple[State, Float[Array, "batch width"]]:
    """One step of an LSTM, a Cell: state is (h, c), what it says and what it keeps, and the output is h.

    The gates i, f and o, between 0 and 1, say what share of the new entry g is written to c, of the old c
    is kept, and of c is said (Hochreiter & Schmidhuber 1997; the gate f: Gers et al. 2000).
    Raises ValueError for an x (batch, d_in) of another size than the weights'.
    """
    h, c = state
    if x.shape[-1] != params["weight_ih_l0"].shape[1]:
        given = f"got {x.shape[-1]} numbers a row; weight_ih_l0 takes {params['weight_ih_l0'].shape[1]}"
        raise ValueError(f"x: {given}. Is this the size of input that the LSTM was made for?")
    gates = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    gates = gates + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    i, f, g, o = np.swapaxes(np.reshape(gates, (len(x), 4, -1)), 0, 1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h, c), h


def zero_state(params: Params, xs: Float[Array, "batch *d"]) -> tuple[np.ndarray, np.ndarray]:
    """The state (h, c) of an LSTM that has seen nothing: zeros for each row of a batch."""
    zeros = np.zeros((len(xs), params["weight_hh_l0"].shape[1]), xs.dtype)
    return zeros, zeros


def bidirectional(params: Params, xs: Float[Array, "n_steps batch d"]) -> Float[Array, "n_steps batch d_out"]:
    """One LSTM from the first step on, one from the last back; what both say at each step, side by side."""
    backward = {name.removesuffix(REVERSE): p for name, p in params.items() if name.endswith(REVERSE)}
    _, ahead = scan(lstm_cell, params, zero_state(params, xs[0]), xs)
    _, back = scan(lstm_cell, backward, zero_state(params, xs[0]), xs[::-1])
    return np.concatenate([ahead, back[::-1]], axis=-1)
