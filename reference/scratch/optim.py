"""Optimisers as pairs of pure functions: a rule for the state, and a rule for one step.

The numbers are those of `torch.optim`; the form lets one outer loop drive NumPy and PyTorch alike.

Papers: Adam, Kingma & Ba 2015 (arXiv:1412.6980, algorithm 1); momentum, Polyak 1964.
Differs from the papers: momentum is added before the rate is applied, as in torch.optim.SGD.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from reference.meta_train import Optimizer
from reference.scratch.nn import Params

Rate = float | Callable[[int], float]  # a number, or a schedule: step (from 0) -> number


class AdamState(NamedTuple):
    """Steps taken, and the running means of the gradient and of its square."""

    step: int
    mean: Params  # m
    square: Params  # v


class SgdState(NamedTuple):
    """Steps taken, and the running sum of gradients."""

    step: int
    velocity: Params


def adam(
    outer_lr: Rate, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
) -> Optimizer:  # constants of algorithm 1
    """Adam with bias correction; gives new arrays, the old parameters stay as they were."""

    def init(params: Params) -> AdamState:
        return AdamState(0, _zeros(params), _zeros(params))

    def update(params: Params, gradient: Params, state: AdamState) -> tuple[Params, AdamState]:
        t = state.step + 1
        mean = {k: beta1 * state.mean[k] + (1 - beta1) * g for k, g in gradient.items()}
        square = {k: beta2 * state.square[k] + (1 - beta2) * g**2 for k, g in gradient.items()}
        rate = _at(outer_lr, state.step) / (1 - beta1**t)

        def moved(k):
            return params[k] - rate * mean[k] / (np.sqrt(square[k] / (1 - beta2**t)) + epsilon)

        return {k: moved(k) for k in params}, AdamState(t, mean, square)

    return Optimizer(init, update)


def sgd(outer_lr: Rate, *, momentum: float = 0.0) -> Optimizer:
    """Gradient descent with momentum; gives new arrays, the old parameters stay as they were."""

    def init(params: Params) -> SgdState:
        return SgdState(0, _zeros(params))

    def update(params: Params, gradient: Params, state: SgdState) -> tuple[Params, SgdState]:
        velocity = {k: momentum * state.velocity[k] + g for k, g in gradient.items()}
        rate = _at(outer_lr, state.step)
        return {k: p - rate * velocity[k] for k, p in params.items()}, SgdState(state.step + 1, velocity)

    return Optimizer(init, update)


def _at(rate: Rate, step: int) -> float:
    return float(rate(step) if callable(rate) else rate)  # a NumPy number would turn float32 into float64


def _zeros(params: Params) -> Params:
    return {name: np.zeros_like(p) for name, p in params.items()}
