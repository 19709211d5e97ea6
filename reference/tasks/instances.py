"""Streams of labelled images, each label a step late: is a class known when it is met for the k-th time?

All instances of a few classes come in random order, under labels that are drawn anew for each stream. At its
first instance a class can only be guessed; whoever remembers knows it from the second on.

Paper: Santoro et al. 2016 (arXiv:1605.06065), sections 2.1 and 4.
Differs from the paper: each class comes equally often, ten times of fifty, and not at random.
"""

from dataclasses import KW_ONLY, dataclass

import numpy as np
from jaxtyping import Float, Int64, Integer

from reference import contracts
from reference.episodes import Episode, Examples, Series, in_order
from reference.tasks.bank import Bank, FewShot, distinct, shuffled


@dataclass(frozen=True)
class Instances:
    """n_each images of each of n_way classes, in random order, all of them judged.

    ValueError when the bank has too few classes or a class too few images.
    """

    bank: Bank
    _: KW_ONLY
    n_way: int = 5
    n_each: int = 10

    def __post_init__(self):
        contracts.whole("n_each", self.n_each, at_least=2)
        FewShot(self.bank, n_way=self.n_way, k_shot=1, n_query=self.n_each - 1)  # whose checks are ours

    def sample_batch(self, rng: np.random.Generator, n: int) -> Series:
        """n streams: x (n_way * n_each, n, pixels + n_way), float32, and y the classes, as `in_order`."""
        contracts.generator(rng)
        n = contracts.whole("n", n)
        classes = distinct(rng, np.full(n, len(self.bank.names)), count=self.n_way)
        members = distinct(rng, self.bank.sizes[classes], count=self.n_each)
        x, y = shuffled(self.bank, rng, rows=self.bank.offsets[classes][..., None] + members)
        first, rest = Examples(x[:, :1], y[:, :1]), Examples(x[:, 1:], y[:, 1:])
        series = in_order(Episode(first, rest), n_way=self.n_way)
        return series._replace(judged=np.ones_like(series.judged))


def instance(labels: Integer[np.ndarray, "n_steps n"]) -> Int64[np.ndarray, "n_steps n"]:
    """For the how-manieth time its class is met at each step, from 1 on."""
    met = labels[..., None] == np.arange(labels.max() + 1)
    return np.take_along_axis(met.cumsum(axis=0), labels[..., None], axis=-1)[..., 0].astype(np.int64)


def accuracy_by_instance(
    scores: Float[np.ndarray, "n_steps n n_way"], labels: Integer[np.ndarray, "n_steps n"]
) -> Float[np.ndarray, "n n_each"]:
    """For each stream the share of classes that are right at their 1st, 2nd, ... instance: a Score's values.

    Raises ValueError for a stream in which one class comes more often than another.
    """
    counts = (labels[..., None] == np.arange(scores.shape[-1])).sum(axis=0)
    if (counts != counts[0, 0]).any():
        raise ValueError(
            f"labels: classes come {counts.min()} to {counts.max()} times; each must come equally often."
        )
    right = (scores.argmax(axis=-1) == labels).astype(np.float64)
    order = np.argsort(instance(labels), axis=0, kind="stable")  # n_way steps of instance 1, and so on
    sorted_by_instance = np.take_along_axis(right, order, axis=0).reshape(counts[0, 0], -1, right.shape[1])
    return sorted_by_instance.mean(axis=1).T


def ceiling_of_first(n_way: int) -> float:
    """The best accuracy at first instances, over streams: (1/n + 1/(n - 1) + ... + 1/2 + 1) / n; 0.457 for 5.

    Labels are a random order of 0..n-1. When a class is met for the first time and j labels are taken, all of
    which have been seen, each of the n - j others is as likely; so no guess is right more often than 1 in
    n - j. That is so for j = 0, ..., n - 1, once in each stream. Whoever is better has seen a label early.
    """
    n_way = contracts.whole("n_way", n_way)
    return sum(1 / free for free in range(1, n_way + 1)) / n_way
