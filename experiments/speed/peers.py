"""The same outer step of MAML in the libraries of others, each written as its own examples write it.

They are measured where they can be imported (a result says what was not). The
course stands on none of them.
"""

import importlib.util
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from reference.episodes import Episode, Examples

NAMES = ("learn2learn", "higher", "torchopt")
Loss = Callable[[nn.Module, Examples], Tensor]
Step = Callable[[], dict[str, Tensor]]  # the mean meta-gradient over the tasks, by the network's names


def learn2learn(
    net: nn.Module, tasks: Sequence[Episode], loss: Loss, inner_lr: float, n_steps: int, first_order: bool
) -> Step:
    """`MAML.clone` and `adapt`, task after task."""
    from learn2learn.algorithms import MAML

    learner_of_all = MAML(net, lr=inner_lr, first_order=first_order)

    def step() -> dict[str, Tensor]:
        net.zero_grad()
        for support, query, _ in tasks:
            learner = learner_of_all.clone()
            for _ in range(n_steps):
                learner.adapt(loss(learner, support))
            (loss(learner, query) / len(tasks)).backward()
        return {name: p.grad for name, p in net.named_parameters()}

    return step


def higher(
    net: nn.Module, tasks: Sequence[Episode], loss: Loss, inner_lr: float, n_steps: int, first_order: bool
) -> Step:
    """`innerloop_ctx` around a monkey-patched copy; first order: the gradient at the adapted weights."""
    from higher import innerloop_ctx

    sgd = torch.optim.SGD(net.parameters(), lr=inner_lr)

    def step() -> dict[str, Tensor]:
        total = [torch.zeros_like(p) for p in net.parameters()]
        for support, query, _ in tasks:
            context = innerloop_ctx(net, sgd, copy_initial_weights=False, track_higher_grads=not first_order)
            with context as (learner, inner):
                for _ in range(n_steps):
                    inner.step(loss(learner, support))
                leaves = list(learner.parameters(time=-1 if first_order else 0))
                gradient = torch.autograd.grad(loss(learner, query) / len(tasks), leaves)
            total = [t + g for t, g in zip(total, gradient, strict=True)]
        return dict(zip((name for name, _ in net.named_parameters()), total, strict=True))

    return step


def torchopt(net: nn.Module, tasks: Sequence[Episode], loss: Loss, inner_lr: float, n_steps: int) -> Step:
    """`MetaSGD`, with the network's state put back after each task."""
    from torchopt import MetaSGD, extract_state_dict, recover_state_dict

    names, leaves = zip(*net.named_parameters(), strict=True)
    inner = MetaSGD(net, lr=inner_lr)

    def step() -> dict[str, Tensor]:
        total = [torch.zeros_like(p) for p in leaves]
        start, fresh = extract_state_dict(net, by="reference"), extract_state_dict(inner)
        for support, query, _ in tasks:
            for _ in range(n_steps):
                inner.step(loss(net, support))
            gradient = torch.autograd.grad(loss(net, query) / len(tasks), leaves)
            total = [t + g for t, g in zip(total, gradient, strict=True)]
            recover_state_dict(net, start)
            recover_state_dict(inner, fresh)
        return dict(zip(names, total, strict=True))

    return step


def here(*, first_order: bool) -> dict[str, Callable[..., Step]]:
    """The libraries that can be imported and that know this kind of step (torchopt knows no first order)."""
    both = {"learn2learn": learn2learn, "higher": higher}
    ways = {name: partial(way, first_order=first_order) for name, way in both.items()}
    if not first_order:
        ways["torchopt"] = torchopt
    return {name: way for name, way in ways.items() if importlib.util.find_spec(name)}
