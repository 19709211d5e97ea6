"""The nouns of the course: examples, episodes, tasks, and the two verbs of a few-shot learner.

A task hands out examples twice: a support set to learn from and a query set to be judged on.
Meta-learning (Schmidhuber 1987; Thrun & Pratt 1998) is learning from many such episodes; the
support/query form is that of Vinyals et al. 2016 (arXiv:1606.04080).

Differs from the paper: nothing.
"""

from collections import Counter
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


class SideBySide(NamedTuple):
    """A batch of episodes for a learner whose parameters have the same leading axis: a copy for each task.

    `mean_over_batch` makes it. An Episode in its place is one task, and a batch given as one is refused.
    """

    support: Examples
    query: Examples
    task: Any = None


class Series(NamedTuple):
    """A sequence with targets, many side by side: what a recurrent learner meets, step by step."""

    x: Array  # (n_steps, batch, ...)
    y: Array  # (n_steps, batch) classes, or (n_steps, batch, d) real targets
    judged: Array  # (n_steps, batch) bool: whether the answer at this step counts


class Normal(NamedTuple):
    """What a predictor gives that says how sure it is: a normal distribution for every real target."""

    mean: Array  # (q, d)
    deviation: Array  # (q, d), positive


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


Predict = Callable[[Array], Array | Normal]  # (q, ...) -> scores (q, n_way), or real predictions (q, d)
Adapt = Callable[[Examples], Predict]  # no argument through which the query could leak


def in_order(episode: Episode, *, n_way: int) -> Series:
    """A batch of episodes as a Series: support, then query, with each example the label of the one before.

    x is (n_steps, n_tasks, d + n_way): the example as a vector, then the previous label as n_way zeros with a
    one (all zeros at the first step), so that a label arrives one step late and an example must be kept until
    it does (Santoro et al. 2016, arXiv:1605.06065, section 2.1). The queries are judged.
    Raises ValueError where an array lacks the axis of tasks, or for a label that is not one of 0..n_way-1.
    """
    for name, examples in (("support", episode.support), ("query", episode.query)):
        if examples.y.ndim != 2:
            raise ValueError(
                f"episode: {name}.y has shape {examples.y.shape}; a batch is needed, (n_tasks, n), as "
                "sample_batch gives it."
            )
        check_labels(examples.y.reshape(-1), n_way, f"{name}.y")
    x = np.concatenate([part.x.reshape(*part.y.shape, -1) for part in episode[:2]], axis=1)
    y = np.concatenate([part.y for part in episode[:2]], axis=1)
    late = np.eye(n_way, dtype=x.dtype)[y]
    late = np.concatenate([np.zeros_like(late[:, :1]), late[:, :-1]], axis=1)
    judged = np.arange(y.shape[1])[:, None] >= np.full(len(y), episode.support.y.shape[1])
    return Series(np.concatenate([x, late], axis=-1).swapaxes(0, 1), y.T, judged)


# What every few-shot learner asks of what it is given; NumPy's arrays and PyTorch's alike.


def n_way(labels: Array) -> int:
    """How many classes a support set has: one more than its largest label.

    Raises ValueError where labels (n,) are not whole numbers from 0 on, and where there are none.
    """
    _check_whole(labels, "support.y")
    check_labels(labels, n := int(labels.max()) + 1, "support.y")
    return n


def check_classes(labels: Array, n_way: int, argument: str = "support.y") -> None:
    """Raises ValueError unless labels (n,) holds each class 0..n_way-1 at least once and no other."""
    _check_whole(labels, argument)
    if (given := set(labels.tolist())) != set(range(n_way)):
        raise ValueError(
            f"{argument}: got classes {sorted(given)}; each of 0..{n_way - 1}, and no other, needs an "
            "example."
        )


def check_labels(labels: Array, n_way: int, argument: str = "query.y") -> None:
    """Raises ValueError unless every one of labels (n,) is a class 0..n_way-1."""
    _check_whole(labels, argument)
    if foreign := sorted(set(labels.tolist()) - set(range(n_way))):
        raise ValueError(f"{argument}: got {foreign}; the classes are 0..{n_way - 1}.")


def check_one_task(episode: "Episode | SideBySide", look: Callable[[Array], Array] = lambda y: y) -> None:
    """Raises ValueError for a batch of tasks in the place of one, and for a query of no class of the support.

    `look` gives labels whose values can be looked at, where they cannot be as they are (under vmap).
    """
    if isinstance(episode, Episode):
        check_support(episode.support)
    support_y, query_y = look(episode.support.y), look(episode.query.y)
    if _is_whole(support_y) or _is_whole(query_y):
        check_labels(query_y.reshape(-1), n_way(support_y.reshape(-1)))


def check_support(support: Examples) -> None:
    """Raises ValueError for the supports of a batch of tasks, which would be pooled in silence."""
    y = support.y
    if y.ndim > (1 if _is_whole(y) else 2):
        raise ValueError(
            f"support.y: got shape {tuple(y.shape)}, which is {len(y)} tasks; one is needed, and "
            "mean_over_batch(meta_gradient) takes a batch."
        )
    if len(support.x) != len(y):
        raise ValueError(f"support: got {len(support.x)} inputs and {len(y)} targets; each input needs one.")


def check_several(labels: Array, argument: str = "support.y") -> None:
    """Raises ValueError where labels (n,) hold one class alone: there is nothing to choose from."""
    _check_whole(labels, argument)
    if len(given := set(labels.tolist())) == 1:
        raise ValueError(f"{argument}: got class {given.pop()} alone; two classes or more are compared.")


def check_pairs(pairs: Examples) -> None:
    """Raises ValueError unless x is (n, 2, ...) and y (n,) holds both 1, the same class, and 0, another."""
    if pairs.x.ndim < 3 or pairs.x.shape[1] != 2 or len(pairs.x) != len(pairs.y):
        given = f"got shape {tuple(pairs.x.shape)} and {len(pairs.y)} labels"
        raise ValueError(f"pairs.x: {given}; pairs are (n, 2, ...) with a label each.")
    _check_whole(pairs.y, "pairs.y")
    if (given := set(pairs.y.tolist())) != {0, 1}:
        raise ValueError(
            f"pairs.y: got {sorted(given)}; both kinds are needed, 1 (one class) and 0 (two classes)."
        )


def check_batch(batch: Examples) -> None:
    """Raises ValueError unless y (n,) holds a class, a whole number, for each x."""
    _check_whole(batch.y, "batch.y")
    if len(batch.x) != len(batch.y):
        raise ValueError(f"batch: got {len(batch.x)} inputs and {len(batch.y)} labels; each input needs one.")


def check_partners(labels: Array, argument: str = "batch.y") -> None:
    """Raises ValueError unless every one of labels (n,) has an equal and a different one beside it."""
    check_several(labels, argument)
    label, count = min(Counter(labels.tolist()).items(), key=lambda item: item[1])
    if count == 1:
        raise ValueError(
            f"{argument}: class {label} has one example; each needs two or more, to be compared with its own."
        )


def check_queries(x: Array, support: Examples) -> None:
    """Raises ValueError unless x is a batch of inputs like those of the support."""
    if tuple(x.shape[1:]) != tuple(support.x.shape[1:]):
        needed = ", ".join(["q", *map(str, support.x.shape[1:])])
        raise ValueError(
            f"query_x: got shape {tuple(x.shape)}; the support asks for ({needed}), with an axis of queries "
            "(x[None] makes one of a single input)."
        )


def check_images(x: Array, least: int = 1) -> None:
    """Raises ValueError unless x is a batch of grey images; of one, its rows would pass for images.

    Their sides must have `least` pixels: a net that halves them four times needs 16.
    """
    if x.ndim != 4 or x.shape[1] != 1:
        raise ValueError(
            f"x: got shape {tuple(x.shape)}; grey images are (n, 1, height, width) (x[None] adds an axis)."
        )
    if min(x.shape[2:]) < least:
        raise ValueError(f"x: got images of {x.shape[2]} x {x.shape[3]}; the least is {least} x {least}.")


def check_series(series: Series) -> None:
    """Raises ValueError unless x, y and judged have the same steps and sequences, and some step is judged."""
    for name, given in zip(Series._fields, series, strict=True):
        if not hasattr(given, "ndim") or given.ndim < 2:
            raise ValueError(
                f"series.{name}: got {type(given).__name__}; one array (n_steps, batch, ...) is needed: "
                "sequences of different lengths are padded, and judged says which steps count."
            )
    (n_steps, n), rest = tuple(series.x.shape[:2]), {"y": series.y, "judged": series.judged}
    for name, given in rest.items():
        if (has := tuple(given.shape[:2])) != (n_steps, n):
            raise ValueError(
                f"series.{name}: got {has[0]} steps of {has[1]} sequences; x has {n_steps} steps of {n}."
            )
    if series.judged.ndim > 2 or "bool" not in str(series.judged.dtype) or not series.judged.any():
        given = f"got {series.judged.dtype} of shape {tuple(series.judged.shape)}"
        raise ValueError(f"series.judged: {given}; it is bool (n_steps, batch) and true at a step or more.")


def check_bits(series: Series, d_out: int) -> None:
    """Raises ValueError where check_series does, and for a y that has not d_out numbers at each step."""
    check_series(series)
    if tuple(series.y.shape[2:]) != (d_out,):
        raise ValueError(f"series.y: got shape {tuple(series.y.shape)}; the net says {d_out} numbers a step.")


def check_memories(n_memories: int, n: int) -> None:
    """Raises ValueError for the state of another batch: each sequence has a memory of its own."""
    if n_memories != n:
        raise ValueError(
            f"state: got memories of {n_memories} sequences, and x has {n}; begin(params, x) makes one for "
            "each."
        )


def _is_whole(labels: Array) -> bool:
    return "int" in str(labels.dtype)


def _check_whole(labels: Array, argument: str) -> None:
    if not (_is_whole(labels) and labels.ndim == 1 and len(labels)):
        given = str(labels.dtype).removeprefix("torch.")  # the same words on both sides
        raise ValueError(
            f"{argument}: got {given} of shape {tuple(labels.shape)}; classes are whole numbers from "
            "0 on, one for each example (n,)."
        )
