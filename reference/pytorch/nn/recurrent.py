"""A recurrent learner is a cell, one step of it; `scan` runs the cell along a sequence.

The LSTM is a cell, with PyTorch's names and layout of weights (the four gates i, f, g, o below one another).
A neural Turing machine, a memory-augmented network, RL^2 and an LSTM optimiser are cells.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from reference.params import Params
from reference.pytorch.nn.modules import init_params

State = Any
Cell = Callable[[Params, State, Tensor], tuple[State, Tensor]]  # (batch, ...) in -> (batch, d) out
REVERSE = "_reverse"  # PyTorch's ending for the weights that read a sequence from its end


def scan(
    cell: Cell, params: Params, state: State, xs: Float[Tensor, "n_steps batch *d"]
) -> tuple[State, Float[Tensor, "n_steps batch *out"]]:
    """The state after the last step, and what the cell gave at every step.

    Raises ValueError for a sequence without a step.
    """
    if len(xs) == 0:
        raise ValueError(
            f"xs: got shape {tuple(xs.shape)}; a sequence (n_steps, batch, ...) has at least one step."
        )
    outputs = []
    for x in xs:
        state, output = cell(params, state, x)
        outputs.append(output)
    return state, torch.stack(outputs)


def map_state(function: Callable[[Tensor], Tensor], state: State) -> State:
    """The state with function(x) in the place of every array x in it; a state may hold tuples of tuples."""
    if isinstance(state, tuple):
        parts = [map_state(function, part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return function(state)


def init_lstm(rng: np.random.Generator, d_in: int, *, width: int) -> Params:
    """Parameters of one LSTM layer under the names of torch.nn.LSTM, uniform in +-1/sqrt(width), float32."""
    return init_params(rng, nn.LSTM(d_in, width))


def init_bidirectional(rng: np.random.Generator, d_in: int, *, width: int) -> Params:
    """Those of two, one for each direction; the names of the second end in `_reverse`, as in torch."""
    return init_params(rng, nn.LSTM(d_in, width, bidirectional=True))


def lstm_cell(
    params: Params, state: tuple[Float[Tensor, "batch width"], Float[Tensor, "batch width"]], x: Tensor
) -> tuple[State, Float[Tensor, "batch width"]]:
    """One step of an LSTM, a Cell: state is (h, c), what it says and what it keeps, and the output is h.

    The gates i, f and o, between 0 and 1, say what share of the new entry g is written to c, of the old c
    is kept, and of c is said (Hochreiter & Schmidhuber 1997; the gate f: Gers et al. 2000).
    Raises ValueError for an x (batch, d_in) of another size than the weights'.
    """
    h, c = state
    if x.shape[-1] != params["weight_ih_l0"].shape[1]:
        given = f"got {x.shape[-1]} numbers a row; weight_ih_l0 takes {params['weight_ih_l0'].shape[1]}"
        raise ValueError(f"x: {given}. Is this the size of input that the LSTM was made for?")
    gates = F.linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    gates = gates + F.linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    i, f, g, o = gates.chunk(4, dim=-1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h, c), h


def zero_state(params: Params, xs: Float[Tensor, "batch *d"]) -> tuple[Tensor, Tensor]:
    """The state (h, c) of an LSTM that has seen nothing: zeros for each row of a batch."""
    zeros = xs.new_zeros(len(xs), params["weight_hh_l0"].shape[1])
    return zeros, zeros


def bidirectional(
    params: Params, xs: Float[Tensor, "n_steps batch d"]
) -> Float[Tensor, "n_steps batch d_out"]:
    """One LSTM from the first step on, one from the last back; what both say at each step, side by side."""
    backward = {name.removesuffix(REVERSE): p for name, p in params.items() if name.endswith(REVERSE)}
    _, ahead = scan(lstm_cell, params, zero_state(params, xs[0]), xs)
    _, back = scan(lstm_cell, backward, zero_state(params, xs[0]), xs.flip(0))
    return torch.cat([ahead, back.flip(0)], dim=-1)
