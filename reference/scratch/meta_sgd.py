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

from reference.episodes import Episode, Examples, Predict
from reference.scratch import maml
from reference.scratch.autodiff import Array, value_and_grad
from reference.scratch.maml import Loss, Network
from reference.scratch.nn import Params
from reference.scratch.unroll import Update, sgd

StepBy = Callable[[Params], Update]  # rates -> how to step by them


def init(
    rng: np.random.Generator, init_network: Callable[[np.random.Generator], Params], *, inner_lr: float
) -> Params:
    """Initial weights under `start.` (theta) and a rate for each under `rate.` (alpha)."""
    return with_rates(maml.init(rng, init_network), inner_lr=inner_lr)


def with_rates(start: Params, *, inner_lr: float) -> Params:
    """The parameters of Meta-SGD: the weights under `start.`, and under `rate.` their rates, all inner_lr."""
    rates = {f"rate.{name}": np.full_like(p, inner_lr) for name, p in start.items()}
    return {f"start.{name}": p for name, p in start.items()} | rates


def part(params: Params, name: str) -> Params:
    """The weights (`start`) or the rates (`rate`), under the network's own names."""
    return {key.removeprefix(f"{name}."): p for key, p in params.items() if key.startswith(f"{name}.")}


def task_loss(
    params: Params, episode: Episode, *, loss: Loss, n_steps: int = 1, step_by: StepBy = sgd
) -> Float[Array, ""]:
    """L(theta - alpha * gradient of the support loss): the query loss as a function of both."""
    update = step_by(part(params, "rate"))
    return maml.task_loss(part(params, "start"), episode, loss=loss, update=update, n_steps=n_steps)


def meta_gradient(
    params: Params, episode: Episode, *, loss: Loss, n_steps: int = 1, step_by: StepBy = sgd
) -> tuple[Params, Float[Array, ""]]:
    """The gradient of the task loss in the weights and in the rates, and the task loss; plain arrays."""
    value, gradient = value_and_grad(task_loss)(params, episode, loss=loss, n_steps=n_steps, step_by=step_by)
    return gradient, value


def adapt(
    params: Params,
    support: Examples,
    *,
    network: Network,
    loss: Loss,
    n_steps: int = 1,
    step_by: StepBy = sgd,
) -> Predict:
    """The predictor of one task, as in MAML (errors too), with the learned rates."""
    update = step_by(part(params, "rate"))
    return maml.adapt(
        part(params, "start"), support, network=network, loss=loss, update=update, n_steps=n_steps
    )


# The rates of MAML++: fewer, one for each parameter, but another for each step.


def with_step_rates(start: Params, *, inner_lr: float, n_steps: int) -> Params:
    """The weights under `start.`, and under `rate.` n_steps rates for each parameter, all inner_lr."""
    rates = {f"rate.{name}": np.full(n_steps, inner_lr, p.dtype) for name, p in start.items()}
    return {f"start.{name}": p for name, p in start.items()} | rates


def each_step(rates: Params) -> Update:
    """A step_by: step j of a parameter has the rate rates[name][j], one number for all its entries.

    Raises ValueError, when it is used, at a step that has no rate, for a parameter that has none, and where
    the parameters do not have equally many.
    """

    def update(params: Params, gradient: Params, step: int) -> Params:
        _check_shapes(rates, params)
        return {name: p - _at_step(rates[name], step, p) * gradient[name] for name, p in params.items()}

    return update


def _check_shapes(rates: Params, params: Params) -> None:
    if missing := sorted(params.keys() - rates.keys()):
        raise ValueError(f"rates: got rates for {sorted(rates)}; {missing[0]} needs some too.")
    if len(shapes := {tuple(rates[name].shape) for name in params}) > 1:
        raise ValueError(
            f"rates: got shapes {sorted(shapes)}; every parameter has equally many, one for each step."
        )


def _at_step(rates: Float[Array, "*tasks n_steps"], step: int, p: Array) -> Array:
    """The rate of this step, with as many axes as p: a task axis, if there is one, comes first in both."""
    if step >= rates.shape[-1]:
        raise ValueError(f"rates: there are {rates.shape[-1]} for each parameter; step {step} has none.")
    return rates[..., step].reshape(rates.shape[:-1] + (1,) * (p.ndim - rates.ndim + 1))
