"""Neural Turing machines: a net with a memory beside it, whose heads learn where to read and what to write.

A head's weights say how much of each row it means; they come from what a row holds and from where the head
was before. All of it is differentiable, so a program for the memory is learned like any other weights.

Paper: Graves, Wayne & Danihelka 2014 (arXiv:1410.5401), whose equations stand in nn/memory.py; the memory
begun at one constant: Collier & Beel 2018 (arXiv:1807.08518).
Differs from the paper: the paper leaves open that all heads, writing ones too, meet the memory of the step
before; that they begin at row 0; and the range of what is added (tanh).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from reference import contracts
from reference.episodes import Series, check_bits, check_memories
from reference.params import Params, join, part
from reference.pytorch.nn.cells import Recurrent, init_linear, run
from reference.pytorch.nn.memory import Focus, address, check_shifts, read, write
from reference.pytorch.unroll import value_and_grad


class Size(NamedTuple):
    """How much memory there is, and what works on it; shifts go from -shift_range to shift_range."""

    n_rows: int  # N
    width: int  # M, numbers in a row
    n_reads: int = 1
    n_writes: int = 1
    shift_range: int = 1


class State(NamedTuple):
    """What is kept from step to step. Every sequence of the batch has a memory of its own."""

    controller: object
    memory: Float[Tensor, "batch n_rows width"]
    weights: Float[Tensor, "batch n_heads n_rows"]  # of the reading heads, then of the writing ones
    reads: Float[Tensor, "batch n_reads width"]


class Start(NamedTuple):
    """The memory to begin with: parameters of its own, if any, and what it is, (n_rows, width)."""

    init: Callable[[np.random.Generator, Size], Params]
    memory: Callable[[Params, Tensor, Size], Tensor]  # params, x, size


def constant_start(value: float = 1e-6) -> Start:
    """The same number everywhere; 10^-6 is that of Collier & Beel."""
    return Start(lambda rng, size: {}, lambda _, x, size: x.new_full((size.n_rows, size.width), value))


def learned_start() -> Start:
    """One more parameter, `start.memory`, drawn as by `random_start`."""
    return Start(lambda rng, size: {"memory": _normal(rng, size)}, lambda params, *_: params["start.memory"])


def random_start(rng: np.random.Generator) -> Start:
    """Normal of deviation 0.5, drawn anew at each beginning, one for all sequences of the batch."""
    return Start(lambda *_: {}, lambda params, x, size: _normal(rng, size).to(x))


CONSTANT = constant_start()


def machine(size: Size, controller: Recurrent, *, start: Start = CONSTANT) -> Recurrent:
    """The Recurrent that says, at each step, what its controller says and what its heads read.

    Raises ValueError for a size that is none, and for fewer rows than shifts.
    """
    for name, given in size._asdict().items():
        contracts.whole(name, given, at_least=0 if name == "shift_range" else 1)
    check_shifts(size.n_rows, 2 * size.shift_range + 1)
    return Recurrent(
        partial(init, size=size, controller=controller, start=start),
        partial(begin, size=size, controller=controller, start=start),
        partial(cell, size=size, controller=controller),
        controller.width + size.n_reads * size.width,
    )


def init(
    rng: np.random.Generator, d_in: int, *, size: Size, controller: Recurrent, start: Start = CONSTANT
) -> Params:
    """New parameters: `controller.`, and `heads.` that turn what it says into what the heads want."""
    own = controller.init(rng, d_in + size.n_reads * size.width)
    heads = init_linear(rng, controller.width, d_out=sum(_wishes(size)))
    return join(controller=own, heads=heads, start=start.init(rng, size))


def begin(params: Params, x: Tensor, *, size: Size, controller: Recurrent, start: Start = CONSTANT) -> State:
    """The state before the first step: every head at row 0, a memory for each row of x."""
    memory = start.memory(params, x, size).expand(len(x), -1, -1)
    weights = x.new_zeros(len(x), size.n_reads + size.n_writes, size.n_rows)
    weights[..., 0] = 1
    reads = read(memory, weights[:, : size.n_reads])
    return State(controller.begin(part(params, "controller"), x), memory, weights, reads)


def cell(
    params: Params, state: State, x: Float[Tensor, "batch d_in"], *, size: Size, controller: Recurrent
) -> tuple[State, Float[Tensor, "batch d_out"]]:
    """One step: the controller sees x and the last reads; the heads move, read, and then write.

    All of them meet the memory of the step before. Raises ValueError for a state of another batch size.
    """
    check_memories(len(state.memory), len(x))
    seen = torch.cat([x, state.reads.flatten(1)], dim=1)
    own, said = controller.cell(part(params, "controller"), state.controller, seen)
    numbers = F.linear(said, params["heads.weight"], params["heads.bias"])
    focus, erase, add = wishes(numbers, size)
    weights = address(state.memory, state.weights, focus)
    of_readers, of_writers = weights.split([size.n_reads, size.n_writes], dim=1)
    reads = read(state.memory, of_readers)
    memory = write(state.memory, of_writers, erase=erase, add=add)
    return State(own, memory, weights, reads), torch.cat([said, reads.flatten(1)], dim=1)


def wishes(numbers: Float[Tensor, "batch n"], size: Size) -> tuple[Focus, Tensor, Tensor]:
    """What the heads want, each number in its range: a Focus, what to erase and what to add."""
    where, change = numbers.split(_wishes(size), dim=1)
    where = where.unflatten(1, (size.n_reads + size.n_writes, -1))
    keys, others, shifts = where.split([size.width, 3, 2 * size.shift_range + 1], dim=-1)
    strengths, gates, sharpness = others.unbind(-1)
    erase, add = change.unflatten(1, (size.n_writes, -1)).chunk(2, dim=-1)
    focus = Focus(keys, F.softplus(strengths), gates.sigmoid(), shifts.softmax(-1), 1 + F.softplus(sharpness))
    return focus, erase.sigmoid(), add.tanh()


def loss(params: Params, series: Series, *, net: Recurrent) -> Float[Tensor, ""]:
    """The cross-entropy of the judged bits, in bits for each of them: guessing costs 1.

    y holds 0 and 1 (n_steps, batch, d); a logit above 0 says 1. Raises ValueError for a Series whose parts do
    not fit, and for a net of another width than y.
    """
    check_bits(series, net.width)
    logits = run(net, params, series.x)
    nats = F.binary_cross_entropy_with_logits(logits[series.judged], series.y[series.judged])
    return nats / math.log(2)


def meta_gradient(params: Params, series: Series, *, net: Recurrent) -> tuple[Params, Float[Tensor, ""]]:
    """The gradient of the loss in all parameters, and the loss."""
    value, gradient = value_and_grad(loss)(params, series, net=net)
    return gradient, value


def _wishes(size: Size) -> tuple[int, int]:
    """How many numbers say where all heads want to be, and what the writing ones want to change."""
    n_heads = size.n_reads + size.n_writes
    return n_heads * (size.width + 3 + 2 * size.shift_range + 1), size.n_writes * 2 * size.width


def _normal(rng: np.random.Generator, size: Size) -> Tensor:
    return torch.from_numpy(rng.normal(scale=0.5, size=(size.n_rows, size.width)).astype(np.float32))
