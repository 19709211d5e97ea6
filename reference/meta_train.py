"""The outer loop: draw tasks, ask an approach for its meta-gradient, take one step.

There is one of it. It knows nothing of models, data or of which side (NumPy or PyTorch) it drives:
Reptile hands it a direction that is no gradient, a recurrent learner hands it whole sequences.

Differs from the paper: no one paper; this is the outer loop of MAML (Finn et al. 2017,
arXiv:1703.03400, algorithm 1, line 10) with the rule left open.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from reference.params import Params
from reference.progress import progress
from reference.rules import Rule, State

REMEDY = "look for NaN in the episode, or try a smaller learning rate."


class Step(NamedTuple):
    """What is known after one outer step."""

    index: int  # counts from 0
    params: Params  # after the step
    state: State  # the rule's, after the step
    loss: float  # before the step


def meta_steps(params, meta_gradient, draw, *, rule: Rule, state: State = None) -> Iterator[Step]:
    """Outer steps without end: for a caller that saves, plots or stops when it likes.

    `meta_gradient(params, draw()) -> (gradient, loss)`. Pass a saved `state` to go on where a run stopped.
    Raises FloatingPointError when a loss or a gradient is not finite, and ValueError where the gradient does
    not have the names and shapes of params.
    """
    state = rule.init(params) if state is None else state
    index = 0
    while True:
        gradient, loss = meta_gradient(params, draw())
        if not math.isfinite(loss := float(loss)):
            raise FloatingPointError(f"outer step {index}: the loss is {loss}; {REMEDY}")
        _check_gradient(gradient, params, index)
        params, state = rule.update(params, gradient, state)
        yield Step(index, params, state, loss)
        index += 1


def meta_train(params, meta_gradient, draw, *, rule: Rule, n_steps: int) -> tuple[Params, np.ndarray]:
    """Trained params and the loss before each of the n_steps outer steps, with a progress bar.

    Raises as `meta_steps` does, and FloatingPointError when params are not finite after the last step.
    """
    losses = np.empty(n_steps)
    steps = islice(meta_steps(params, meta_gradient, draw, rule=rule), n_steps)
    for step in progress(steps, "meta-training", n_steps):
        params, losses[step.index] = step.params, step.loss
    for name, p in params.items():
        if not math.isfinite(float(abs(p).sum())):
            raise FloatingPointError(f"{name} is not finite after {n_steps} outer steps; {REMEDY}")
    return params, losses


def _check_gradient(gradient: Params, params: Params, index: int) -> None:
    """At its own step, not when the loss of the next one is found to be NaN."""
    shapes, given = ({name: p.shape for name, p in tree.items()} for tree in (params, gradient))
    if shapes != given:
        shapes, given = ({k: tuple(shape) for k, shape in tree.items()} for tree in (shapes, given))
        raise ValueError(f"outer step {index}: the gradient has {given}, and the parameters {shapes}.")
    for name, g in gradient.items():
        if not math.isfinite(float(g.sum())):  # one pass; all(isfinite) takes three
            raise FloatingPointError(
                f"outer step {index}: the gradient of {name} is not finite, though the loss is; {REMEDY}"
            )


def mean_over_tasks(meta_gradient):
    """The same meta-gradient for a sequence of tasks: mean gradient and mean loss, one task at a time."""

    def mean_meta_gradient(params: Params, tasks: Sequence) -> tuple[Params, Any]:
        total, total_loss = dict.fromkeys(params, 0), 0  # no more than one task's gradient is kept at a time
        for task in tasks:
            gradient, loss = meta_gradient(params, task)
            total, total_loss = {name: total[name] + gradient[name] for name in params}, total_loss + loss
        return {name: g / len(tasks) for name, g in total.items()}, total_loss / len(tasks)

    return mean_meta_gradient
