"""Memory-augmented networks: what was just met is bound to its label in a memory, and found again by content.

Examples come one by one, each with the label of the one before; the net writes what it met to rows that are
least used, or to those it has just read, and a class that comes again is recognised without a gradient step.

Paper: Santoro, Bartunov, Botvinick, Wierstra & Lillicrap 2016 (arXiv:1605.06065), equations 2 to 8 of section
3; the sequence: section 2.1.
Differs from the paper: the paper's M_t leaves open whether a step reads before it writes; here it does, so
that it never finds what it is only about to write, unless Size.writes_first. With n reading heads, head i
takes the i-th least used row alone, not each of them all n. Keys pass a tanh; at first head i stands at row
i, and the memory is 0.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

from reference import contracts
from reference.episodes import (
    Examples,
    Predict,
    Series,
    check_classes,
    check_memories,
    check_queries,
    check_series,
    check_support,
)
from reference.params import Params, join, part
from reference.pytorch.nn.cells import Recurrent, init_linear, run
from reference.pytorch.nn.losses import cross_entropy
from reference.pytorch.nn.memory import read, similarity
from reference.pytorch.nn.recurrent import map_state, scan
from reference.pytorch.unroll import value_and_grad


class Size(NamedTuple):
    """How much memory there is, how many heads read it, and what share of its usage a row keeps each step."""

    n_rows: int = 128
    width: int = 40
    n_reads: int = 4
    decay: float = 0.95  # gamma; our choice, not looked up in the paper
    strength: float = 1.0  # what the cosines are multiplied by; 1 as in the paper
    writes_first: bool = False  # whether a step reads the memory that it has just written


class State(NamedTuple):
    """What is kept from step to step. Every sequence of the batch has a memory of its own."""

    controller: object
    memory: Float[Tensor, "batch n_rows width"]
    weights: Float[Tensor, "batch n_reads n_rows"]  # w^r, of reading
    usage: Float[Tensor, "batch n_rows"]  # w^u
    reads: Float[Tensor, "batch n_reads width"]


def read_weights(
    memory: Float[Tensor, "batch n_rows width"],
    keys: Float[Tensor, "batch n_reads width"],
    *,
    strength: float = 1.0,
) -> Float[Tensor, "batch n_reads n_rows"]:
    """w^r, the softmax over rows of the cosine between key and row (equations 2 and 3), times a strength."""
    return (strength * similarity(keys, memory)).softmax(-1)


def next_usage(
    usage: Float[Tensor, "batch n_rows"],
    reading: Float[Tensor, "batch n_reads n_rows"],
    writing: Float[Tensor, "batch n_reads n_rows"],
    *,
    decay: float,
) -> Float[Tensor, "batch n_rows"]:
    """w^u = gamma w^u_(t-1) + w^r + w^w, added up over heads (equation 5)."""
    return decay * usage + (reading + writing).sum(1)


def least_used(usage: Float[Tensor, "batch n_rows"], n: int) -> Float[Tensor, "batch n n_rows"]:
    """w^lu: a one at the least used row for head 0, at the next for head 1, ... (equation 6); a constant."""
    order = usage.detach().argsort(dim=1, stable=True)[:, :n]  # of equals, the first
    return F.one_hot(order, usage.shape[1]).to(usage)


def write_weights(
    gates: Float[Tensor, "batch n_reads"],
    last_reading: Float[Tensor, "batch n_reads n_rows"],
    least: Float[Tensor, "batch n_reads n_rows"],
) -> Float[Tensor, "batch n_reads n_rows"]:
    """w^w = g w^r_(t-1) + (1 - g) w^lu_(t-1): onto what was read last, or onto what is least used (eq. 7)."""
    return least.lerp(last_reading, gates.unsqueeze(-1))


def write(
    memory: Float[Tensor, "batch n_rows width"],
    writing: Float[Tensor, "batch n_reads n_rows"],
    keys: Float[Tensor, "batch n_reads width"],
    *,
    least: Float[Tensor, "batch n_reads n_rows"],
) -> Float[Tensor, "batch n_rows width"]:
    """M(i) + w^w(i) k, added up over heads (equation 8), after the least used rows have become 0."""
    return torch.baddbmm(memory * (1 - least.sum(1)).unsqueeze(-1), writing.mT, keys)


def machine(size: Size, controller: Recurrent) -> Recurrent:
    """The Recurrent that says, at each step, what its controller says and what its heads read.

    Raises ValueError for a size that is none, and for fewer rows than reading heads.
    """
    for name in ("width", "n_reads"):
        contracts.whole(name, getattr(size, name))
    contracts.whole("n_rows", size.n_rows, at_least=size.n_reads)
    for name in ("decay", "strength"):
        contracts.number(name, getattr(size, name), least=0)
    settings = {"size": size, "controller": controller}
    width = controller.width + size.n_reads * size.width
    return Recurrent(partial(init, **settings), partial(begin, **settings), partial(cell, **settings), width)


def init(rng: np.random.Generator, d_in: int, *, size: Size, controller: Recurrent) -> Params:
    """New parameters: `controller.`, and `heads.` that turn what it says into keys and gates."""
    own = controller.init(rng, d_in + size.n_reads * size.width)
    heads = init_linear(rng, controller.width, d_out=size.n_reads * (size.width + 1))
    return join(controller=own, heads=heads)


def begin(params: Params, x: Tensor, *, size: Size, controller: Recurrent) -> State:
    """The state before the first step: an empty memory for each row of x, of which nothing is used."""
    memory, usage = x.new_zeros(len(x), size.n_rows, size.width), x.new_zeros(len(x), size.n_rows)
    reads = x.new_zeros(len(x), size.n_reads, size.width)
    own = controller.begin(part(params, "controller"), x)
    return State(own, memory, least_used(usage, size.n_reads), usage, reads)


def cell(
    params: Params, state: State, x: Float[Tensor, "batch d_in"], *, size: Size, controller: Recurrent
) -> tuple[State, Float[Tensor, "batch d_out"]]:
    """One step: the controller sees x and the last reads; the heads read, and then each writes its key.

    Raises ValueError for a state of another batch size.
    """
    check_memories(len(state.memory), len(x))
    seen = torch.cat([x, state.reads.flatten(1)], dim=1)
    own, said = controller.cell(part(params, "controller"), state.controller, seen)
    numbers = F.linear(said, params["heads.weight"], params["heads.bias"]).unflatten(1, (size.n_reads, -1))
    keys, gates = numbers[..., :-1].tanh(), numbers[..., -1].sigmoid()
    least = least_used(state.usage, size.n_reads)
    writing = write_weights(gates, state.weights, least)
    memory = write(state.memory, writing, keys, least=least)
    open_to_reads = memory if size.writes_first else state.memory
    reading = read_weights(open_to_reads, keys, strength=size.strength)
    reads = read(open_to_reads, reading)
    usage = next_usage(state.usage, reading, writing, decay=size.decay)
    return State(own, memory, reading, usage, reads), torch.cat([said, reads.flatten(1)], dim=1)


def loss(params: Params, series: Series, *, net: Recurrent) -> Float[Tensor, ""]:
    """The cross-entropy of the judged answers, in nats for each; y holds classes (n_steps, batch)."""
    check_series(series)
    return cross_entropy(run(net, params, series.x)[series.judged], series.y[series.judged])


def meta_gradient(params: Params, series: Series, *, net: Recurrent) -> tuple[Params, Float[Tensor, ""]]:
    """The gradient of the loss in all parameters, and the loss."""
    value, gradient = value_and_grad(loss)(params, series, net=net)
    return gradient, value


def adapt(params: Params, support: Examples, *, net: Recurrent) -> Predict:
    """The predictor of one task: the support is met in its order, and then each query as if it came next.

    `predict(x)` gives scores (q, n_way); no query sees another. Raises ValueError for a support that lacks
    one of the classes that the net was made for.
    """
    check_support(support)
    check_classes(support.y, net.width)
    late = one_late(support.y, net.width).to(support.x)
    xs = torch.cat([support.x.flatten(1), late[:-1]], dim=1).unsqueeze(1)
    state, _ = scan(net.cell, params, net.begin(params, xs[0]), xs)

    def predict(x):
        check_queries(x, support)
        seen = torch.cat([x.flatten(1), late[-1:].expand(len(x), -1)], dim=1)
        return net.cell(params, for_each(state, len(x)), seen)[1]

    return predict


def one_late(labels: Integer[Tensor, " n"], n_way: int) -> Float[Tensor, "n+1 n_way"]:
    """What stands beside each example, and beside the one after the last: the label before, 0 at first."""
    return F.pad(F.one_hot(labels, n_way).double(), (0, 0, 1, 0))


def for_each(state: Any, n: int) -> Any:
    """n times the state of a batch of one."""
    return map_state(lambda x: x.expand(n, *x.shape[1:]), state)
