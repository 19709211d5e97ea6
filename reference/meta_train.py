"""The outer loop: draw tasks, ask an approach for its meta-gradient, take one optimiser step.

There is one of it. It knows nothing of models, data or of which side (NumPy or PyTorch) it drives:
Reptile hands it a direction that is no gradient, a recurrent learner hands it whole sequences.

Differs from the paper: no one paper; this is the outer loop of MAML (Finn et al. 2017,
arXiv:1703.03400, algorithm 1, line 10) with the optimiser left open.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from reference.progress import progress

Params = dict[str, Any]
REMEDY = "look for NaN in the episode, or try a smaller learning rate."


class Optimizer(NamedTuple):
    """A rule that turns gradients into steps; `optim` on either side makes them."""

    init: Callable[[Params], Any]  # params -> state
    update: Callable[[Params, Params, Any], tuple[Params, Any]]  # params, gradient, state -> params, state


class Step(NamedTuple):
    """What is known after one outer step."""

    index: int  # counts from 0
    params: Params  # after the step
    state: Any  # the optimiser's, after the step
    loss: float  # before the step


def meta_steps(params, meta_gradient, draw, *, optimizer: Optimizer, state: Any = None) -> Iterator[Step]:
    """Outer steps without end: for a caller that saves, plots or stops when it likes.

    `meta_gradient(params, draw()) -> (gradient, loss)`. Pass a saved `state` to go on where a run stopped.
    Raises FloatingPointError when a loss is not finite.
    """
    state = optimizer.init(params) if state is None else state
    index = 0
    while True:
        gradient, loss = meta_gradient(params, draw())
        if not math.isfinite(loss := float(loss)):
            raise FloatingPointError(f"outer step {index}: the loss is {loss}; {REMEDY}")
        params, state = optimizer.update(params, gradient, state)
        yield Step(index, params, state, loss)
        index += 1


def meta_train(
    params, meta_gradient, draw, *, optimizer: Optimizer, n_steps: int
) -> tuple[Params, np.ndarray]:
    """Trained params and the loss before each of the n_steps outer steps, with a progress bar.

    Raises FloatingPointError when a loss is not finite, and when params are not after the last step.
    """
    losses = np.empty(n_steps)
    steps = islice(meta_steps(params, meta_gradient, draw, optimizer=optimizer), n_steps)
    for step in progress(steps, "meta-training", n_steps):
        params, losses[step.index] = step.params, step.loss
    for name, p in params.items():
        if not math.isfinite(float(abs(p).sum())):
            raise FloatingPointError(f"{name} is not finite after {n_steps} outer steps; {REMEDY}")
    return params, losses


def mean_over_tasks(meta_gradient):
    """The same meta-gradient for a sequence of tasks: mean gradient and mean loss, one task at a time."""

    def mean_meta_gradient(params: Params, tasks: Sequence) -> tuple[Params, Any]:
        total, total_loss = dict.fromkeys(params, 0), 0  # no more than one task's gradient is kept at a time
        for task in tasks:
            gradient, loss = meta_gradient(params, task)
            total, total_loss = {name: total[name] + gradient[name] for name in params}, total_loss + loss
        return {name: g / len(tasks) for name, g in total.items()}, total_loss / len(tasks)

    return mean_meta_gradient
