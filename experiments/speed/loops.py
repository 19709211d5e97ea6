"""One outer step of MAML as most implementations take it, one task after the other, here and in libraries."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import nn

from experiments.bench import Ways
from experiments.speed import peers
from reference.episodes import Episode
from reference.params import Params

LOOP = "PyTorch, one task after the other"


class Case(NamedTuple):
    """What kind of step is measured."""

    n_steps: int
    first_order: bool

    def __str__(self) -> str:
        return f"{'first' if self.first_order else 'second'} order, {self.n_steps} inner step" + "s" * (
            self.n_steps > 1
        )


CASES = (Case(1, False), Case(5, False), Case(1, True))


def peer_ways(
    net: nn.Module, params: Params, tasks: Sequence[Episode], loss: Callable, inner_lr: float, case: Case
) -> Ways:
    """The libraries that are installed; net is the network in the form they understand."""
    names = dict(zip((name for name, _ in net.named_parameters()), params, strict=True))
    net.to(next(iter(params.values())).dtype)
    net.load_state_dict({name: params[own] for name, own in names.items()})
    ways = {}
    for peer, make in peers.here(first_order=case.first_order).items():
        step = make(
            net, tasks, lambda net, examples: loss(net(examples.x), examples.y), inner_lr, case.n_steps
        )
        ways[peer] = lambda step=step: {names[name]: g for name, g in step().items()}
    return ways


def loop(params: dict, tasks: Sequence[Episode], loss: Callable, inner_lr: float, case: Case) -> dict:
    """What most implementations do, without what makes it fast."""
    params = {name: p.detach().requires_grad_() for name, p in params.items()}
    leaves = list(params.values())
    total = [torch.zeros_like(p) for p in leaves]
    for support, query, _ in tasks:
        adapted = params
        for _ in range(case.n_steps):
            values = list(adapted.values())
            steps = torch.autograd.grad(loss(adapted, support), values, create_graph=not case.first_order)
            adapted = {name: p - inner_lr * g for (name, p), g in zip(adapted.items(), steps, strict=True)}
        gradient = torch.autograd.grad(loss(adapted, query) / len(tasks), leaves)
        total = [t + g for t, g in zip(total, gradient, strict=True)]
    return dict(zip(params, total, strict=True))
