"""Meta-SGD: learns, beside the initial weights, a rate for every one of them: how far and which way to step.

The query loss after adapting is differentiated in both, theta and alpha; a rate may become zero or negative.

Paper: Li, Zhou, Chen & Li 2017 (arXiv:1707.09835), algorithm 1. Rates for each parameter and step instead of
each weight: MAML++, Antoniou, Edwards & Storkey 2019 (arXiv:1810.09502), section 4.
Differs from the paper: the number at which all rates start is the caller's, `inner_lr` (in Meta-SGD drawn at
random); more than its one step may be taken; tasks are averaged, not summed. Of MAML++ nothing but the rates
is here.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from reference.episodes import Episode, Examples, Predict, SideBySide
from reference.params import Params, join, part
from reference.rules import RuleOf, sgd
from reference.scratch import maml
from reference.scratch.autodiff import Array, value_and_grad
from reference.scratch.maml import Loss, Network


def init(
    rng: np.random.Generator, init_network: Callable[[np.random.Generator], Params], *, inner_lr: float
) -> Params:
    """Initial weights under `start.` (theta) and a rate for each under `rate.` (alpha)."""
    return with_rates(maml.init(rng, init_network), inner_lr=inner_lr)


def with_rates(start: Params, *, inner_lr: float) -> Params:
    """The parameters of Meta-SGD: the weights under `start.`, and under `rate.` their rates, all inner_lr."""
    return join(start=start, rate={name: np.full_like(p, inner_lr) for name, p in start.items()})


def with_step_rates(start: Params, *, inner_lr: float, n_steps: int) -> Params:
    """Those of MAML++, for `rule_of=each_step`: n_steps rates for each parameter, all inner_lr."""
    return join(start=start, rate={name: np.full(n_steps, inner_lr, p.dtype) for name, p in start.items()})


def task_loss(
    params: Params, episode: Episode | SideBySide, *, loss: Loss, n_steps: int = 1, rule_of: RuleOf = sgd
) -> Float[Array, ""]:
    """L(theta - alpha * gradient of the support loss): the query loss as a function of both."""
    rule = rule_of(part(params, "rate"))
    return maml.task_loss(part(params, "start"), episode, loss=loss, rule=rule, n_steps=n_steps)


def meta_gradient(
    params: Params, episode: Episode | SideBySide, *, loss: Loss, n_steps: int = 1, rule_of: RuleOf = sgd
) -> tuple[Params, Float[Array, ""]]:
    """The gradient of the task loss in the weights and in the rates, and the task loss; plain arrays."""
    value, gradient = value_and_grad(task_loss)(params, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return gradient, value


def adapt(
    params: Params,
    support: Examples,
    *,
    network: Network,
    loss: Loss,
    n_steps: int = 1,
    rule_of: RuleOf = sgd,
) -> Predict:
    """The predictor of one task, as in MAML (errors too), with the learned rates."""
    rule = rule_of(part(params, "rate"))
    return maml.adapt(part(params, "start"), support, network=network, loss=loss, rule=rule, n_steps=n_steps)
