"""Meta-SGD: learns, beside the initial weights, a rate for every one of them: how far and which way to step.

The query loss after adapting is differentiated in both, theta and alpha; a rate may become zero or negative.

Paper: Li, Zhou, Chen & Li 2017 (arXiv:1707.09835), algorithm 1.
Differs from the paper: all rates start at one number, `inner_lr` (there at random ones); more than its one
step may be taken; tasks are averaged, not summed.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from reference.episodes import Episode, Examples, Predict
from reference.pytorch import maml
from reference.pytorch.maml import Loss, Network
from reference.pytorch.nn import Params
from reference.pytorch.unroll import sgd


def init(rng: np.random.Generator, net: nn.Module, *, inner_lr: float) -> Params:
    """Initial weights under `start.` (theta) and a rate for each under `rate.` (alpha)."""
    return with_rates(maml.init(rng, net), inner_lr=inner_lr)


def with_rates(start: Params, *, inner_lr: float) -> Params:
    """The parameters of Meta-SGD: the weights under `start.`, and under `rate.` their rates, all inner_lr."""
    rates = {f"rate.{name}": torch.full_like(p, inner_lr) for name, p in start.items()}
    return {f"start.{name}": p for name, p in start.items()} | rates


def part(params: Params, name: str) -> Params:
    """The weights (`start`) or the rates (`rate`), under the network's own names."""
    return {key.removeprefix(f"{name}."): p for key, p in params.items() if key.startswith(f"{name}.")}


def task_loss(params: Params, episode: Episode, *, loss: Loss, n_steps: int = 1) -> Float[Tensor, ""]:
    """L(theta - alpha * gradient of the support loss): the query loss as a function of both."""
    update = sgd(part(params, "rate"))
    return maml.task_loss(part(params, "start"), episode, loss=loss, update=update, n_steps=n_steps)


def meta_gradient(
    params: Params, episode: Episode, *, loss: Loss, n_steps: int = 1
) -> tuple[Params, Float[Tensor, ""]]:
    """The gradient of the task loss in the weights and in the rates, and the task loss."""
    leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps)
    gradient = torch.autograd.grad(value, list(leaves.values()), materialize_grads=True)
    return dict(zip(leaves, gradient, strict=True)), value.detach()


def adapt(params: Params, support: Examples, *, network: Network, loss: Loss, n_steps: int = 1) -> Predict:
    """The predictor of one task, as in MAML (errors too), with the learned rates."""
    update = sgd(part(params, "rate"))
    return maml.adapt(
        part(params, "start"), support, network=network, loss=loss, update=update, n_steps=n_steps
    )
