"""A recurrent net is three functions: its first parameters, its first state, and one step of it, a Cell.

What stands in these three can be put into another: an LSTM alone, an LSTM as the controller of a memory, and
either of them under an output layer are used in the same way.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from reference import contracts
from reference.params import Params, join, part
from reference.scratch.autodiff import Array
from reference.scratch.nn.networks import init_mlp, linear
from reference.scratch.nn.recurrent import Cell, State, init_lstm, lstm_cell, scan, zero_state


class Recurrent(NamedTuple):
    """A recurrent net; `width` is how many numbers it says at each step."""

    init: Callable[[np.random.Generator, int], Params]  # rng, d_in
    begin: Callable[[Params, Array], State]  # the state before the first step; one row for each row of x
    cell: Cell
    width: int


def lstm(width: int) -> Recurrent:
    """One layer of LSTM."""
    width = contracts.whole("width", width)
    return Recurrent(partial(init_lstm, width=width), zero_state, lstm_cell, width)


def feedforward(width: int) -> Recurrent:
    """One dense layer with tanh, which keeps nothing from step to step: its state is ()."""
    width = contracts.whole("width", width)

    def cell(params: Params, state: tuple, x: Array) -> tuple[tuple, Array]:
        return state, np.tanh(linear(x, params["weight"], params["bias"]))

    return Recurrent(partial(init_linear, d_out=width), lambda params, x: (), cell, width)


def answering(core: Recurrent, d_out: int) -> Recurrent:
    """The core with an output layer on what it says; parameters under `core.` and `output.`."""
    d_out = contracts.whole("d_out", d_out)

    def init(rng: np.random.Generator, d_in: int) -> Params:
        parts = core.init(rng, d_in), init_linear(rng, core.width, d_out=d_out)
        return join(core=parts[0], output=parts[1])

    def begin(params: Params, x: Array) -> State:
        return core.begin(part(params, "core"), x)

    def cell(params: Params, state: State, x: Array) -> tuple[State, Array]:
        state, said = core.cell(part(params, "core"), state, x)
        return state, linear(said, params["output.weight"], params["output.bias"])

    return Recurrent(init, begin, cell, d_out)


def run(
    net: Recurrent, params: Params, xs: Float[Array, "n_steps batch d"]
) -> Float[Array, "n_steps batch d_out"]:
    """What the net says at every step, from its first state on."""
    return scan(net.cell, params, net.begin(params, xs[0]), xs)[1]


def init_linear(rng: np.random.Generator, d_in: int, *, d_out: int) -> Params:
    """`weight` and `bias` of one dense layer, uniform in +-1/sqrt(d_in), float32."""
    return {name.removeprefix("layers.0."): p for name, p in init_mlp(rng, [d_in, d_out]).items()}
