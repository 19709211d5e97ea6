"""MAML: initial weights from which a few gradient steps on a new task's support lead to a small query loss.

Learning is differentiated: the query loss depends on the initial weights through every step, so its gradient
carries, for each step, a factor I - inner_lr * Hessian of the support loss.

Paper: Finn, Abbeel & Levine 2017 (arXiv:1703.03400), equation 1, algorithm 2; first order: section 5.2.
ANIL, which adapts the last layer only (`only(names, rule)`): Raghu et al. 2020 (arXiv:1909.09157).
Differs from the paper: the inner step is the caller's `rule` (`sgd(inner_lr)` is the paper's); tasks are
averaged, not summed. The network of a module is `as_function(net)` of `reference.pytorch.nn`.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from reference.episodes import (
    Episode,
    Examples,
    Predict,
    SideBySide,
    check_classes,
    check_one_task,
    check_queries,
    check_support,
)
from reference.params import Params
from reference.pytorch.nn import init_params
from reference.pytorch.unroll import scalar, unroll, value_and_grad
from reference.rules import Rule

Loss = Callable[[Params, Examples], Float[Tensor, ""]]  # averaged over the examples
Network = Callable[[Params, Tensor], Tensor]


def init(rng: np.random.Generator, net: nn.Module) -> Params:
    """New initial weights, theta, of the network."""
    return init_params(rng, net)


def adapted(
    params: Params, support: Examples, *, loss: Loss, rule: Rule, n_steps: int, first_order: bool = False
) -> Params:
    """theta': the weights after n_steps on the support loss (eq. 1)."""
    return unroll(lambda p: loss(p, support), params, rule, n_steps, first_order=first_order)


def task_loss(
    params: Params,
    episode: Episode | SideBySide,
    *,
    loss: Loss,
    rule: Rule,
    n_steps: int,
    first_order: bool = False,
) -> Float[Tensor, ""]:
    """L(theta'): the query loss after adapting to the support, as a function of theta (alg. 2, line 10).

    Raises ValueError for a batch of tasks.
    """
    check_one_task(episode, torch.func.debug_unwrap)
    end = adapted(params, episode.support, loss=loss, rule=rule, n_steps=n_steps, first_order=first_order)
    return scalar(loss(end, episode.query))


def meta_gradient(
    params: Params,
    episode: Episode | SideBySide,
    *,
    loss: Loss,
    rule: Rule,
    n_steps: int,
    first_order: bool = False,
) -> tuple[Params, Float[Tensor, ""]]:
    """The gradient of the task loss in theta, and the task loss.

    With first_order it is no gradient of that loss: it is the query gradient at theta', taken as if theta'
    were theta plus a constant. Raises ValueError for a batch of tasks.
    """
    value, gradient = value_and_grad(task_loss)(
        params, episode, loss=loss, rule=rule, n_steps=n_steps, first_order=first_order
    )
    return gradient, value


def adapt(
    params: Params, support: Examples, *, network: Network, loss: Loss, rule: Rule, n_steps: int
) -> Predict:
    """The predictor of one task, `predict(x) = network(theta', x)`; not transductive, if `network` is not.

    Raises ValueError where a class that the network scores has no example, or an example no class, and
    FloatingPointError where theta' is not finite.
    """
    check_support(support)
    params = {name: p.detach() for name, p in params.items()}
    if not support.y.is_floating_point():
        check_classes(support.y, network(params, support.x).shape[-1])
    end = adapted(params, support, loss=loss, rule=rule, n_steps=n_steps, first_order=True)
    for name, p in end.items():
        if not p.isfinite().all():
            raise FloatingPointError(
                f"adapted: {name} is not finite after {n_steps} steps; look for NaN in the support, or "
                "try a smaller inner_lr."
            )

    def predict(x):
        check_queries(x, support)
        return network(end, x)

    return predict
