"""The losses of a run, carried from step to step among its parameters, and the curve that is made of them."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from experiments.carried import apart, together
from experiments.training import Evaluation
from reference.params import Params

N_POINTS = 60  # of the curve


def blank(weights: Params, n_steps: int) -> Params:
    """New weights, and a place for the losses."""
    return together(weights, {"step": torch.zeros(()), "losses": torch.zeros(n_steps)})


def noting(both: Callable[[Params, Any], tuple[Tensor, Params]]) -> Callable[[Params, Any], Any]:
    """value_and_grad's (value, gradient) of the weights as a meta-gradient that keeps the losses too."""

    def meta_gradient(params: Params, drawn: Any) -> tuple[Params, Tensor]:
        weights, carried = apart(params)
        value, gradient = both(weights, drawn)
        return together(gradient, noted(carried, value)), value

    return meta_gradient


def noted(carried: Params, value: Tensor) -> Params:
    """The losses with one more among them."""
    step, losses = int(carried["step"]), carried["losses"].clone()
    losses[step] = value
    return {"step": carried["step"] + 1, "losses": losses}


def points(params: Params, *, batch: int, measure: str) -> Iterator[Evaluation]:
    """The curve: losses of equally many steps each, by how many sequences had been seen at their end.

    None, where there were too few steps.
    """
    losses = apart(params)[1]["losses"].cpu().numpy()
    if not (n := len(losses) // N_POINTS):
        return
    for i, some in enumerate(losses[: n * N_POINTS].reshape(N_POINTS, n)):
        yield Evaluation({"sequences": (i + 1) * n * batch}, measure, lambda some=some: some)
