"""The nouns of the course: examples, episodes, tasks, and the two verbs of a few-shot learner.

A task hands out examples twice: a support set to learn from and a query set to be judged on.
Meta-learning (Schmidhuber 1987; Thrun & Pratt 1998) is learning from many such episodes; the
support/query form is that of Vinyals et al. 2016 (arXiv:1606.04080).

Differs from the paper: nothing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

Array = Any  # a NumPy array, a scratch Tensor or a torch tensor: the contracts hold for all three


class Examples(NamedTuple):
    """Inputs and their targets, one row an example."""

    x: Array  # (n, ...)
    y: Array  # (n,) classes 0..n_way-1, or (n, d) real targets


class Episode(NamedTuple):
    """One task's support and query examples.

    A batch of episodes is an Episode too: every array then has a leading axis of length n_tasks.
    """

    support: Examples
    query: Examples
    task: Any = None  # what was drawn (class names, amplitude and phase), for plots; never for learning


def one_by_one(batch: Episode) -> list[Episode]:
    """The episodes of a batch, as a list; without what was drawn."""
    return [
        Episode(*(Examples(part.x[i], part.y[i]) for part in batch[:2])) for i in range(len(batch.query.x))
    ]


@runtime_checkable
class Tasks(Protocol):
    """A distribution over tasks."""

    def sample(self, rng: np.random.Generator) -> Episode:
        """Draw one task and its examples."""
        ...

    def sample_batch(self, rng: np.random.Generator, n_tasks: int) -> Episode:
        """Draw n_tasks of them at once: every array gets a leading axis of length n_tasks."""
        ...


Predict = Callable[[Array], Array]  # (q, ...) -> scores (q, n_way), or real predictions (q, d)
Adapt = Callable[[Examples], Predict]  # no argument through which the query could leak
