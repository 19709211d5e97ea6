"""Pairs, threes and batches of a bank's images: what a learner that compares is trained and judged on.

A pair says whether two images show one class. Which images are drawn is settled by arithmetic on random
numbers and one gather; no loop runs over pairs or images. Train and test are two banks without a class in
common (`Bank.split`), so that no identity that is tested was ever trained on.
Papers: Koch et al. 2015 (pairs, half of them of one class); Schroff et al. 2015, arXiv:1503.03832 (threes);
Hermans et al. 2017, arXiv:1703.07737, section 2 (batches of P classes with K images each); Lake et al. 2015
(one-shot trials within one alphabet, one drawer against another).

Differs from the papers: classes are drawn, not drawers; a trial of Lake et al. is one of their 20 fixed ones,
here any alphabet, characters and pair of drawers. Omniglot's archives do not say who drew what: drawing j is
one person's all through an alphabet in 8 of the 30 background alphabets alone, and in none of the 20
evaluation alphabets. There a trial is one drawing of each character against another, in mixed hands.
"""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from reference import contracts
from reference.episodes import Episode, Examples
from reference.tasks.bank import Bank, as_input, distinct, shuffled


class Kin(NamedTuple):
    """Classes sorted into groups: group g holds order[starts[g]] to order[starts[g] + sizes[g] - 1]."""

    group: Int64[np.ndarray, " n_classes"]  # of each class
    place: Int64[np.ndarray, " n_classes"]  # of each class within its group
    order: Int64[np.ndarray, " n_classes"]
    starts: Int64[np.ndarray, " n_groups"]
    sizes: Int64[np.ndarray, " n_groups"]


def kin(groups: np.ndarray) -> Kin:
    """Which classes belong together; groups (n_classes,) are their names."""
    group = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    order, sizes = np.argsort(group, kind="stable"), np.bincount(group)
    starts = np.cumsum(sizes) - sizes
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - starts[group[order]]
    return Kin(group, place, order, starts, sizes)


@dataclass(frozen=True)
class Triplets:
    """Three images at a time: an anchor, another of its class, one of another class.

    The anchor's class is uniform over classes, the other class over the rest, or, within_groups, over those
    of its own alphabet, which are harder to tell apart. ValueError for a bank with one class, for a class
    with one image and, within_groups, for a group with one class.
    """

    bank: Bank
    _: KW_ONLY
    n_triplets: int
    within_groups: bool = False

    def __post_init__(self):
        object.__setattr__(self, "n_triplets", contracts.whole("n_triplets", self.n_triplets))  # frozen
        _check_bank(self.bank, n_classes=2, n_images=2)
        if self.within_groups and len(alone := np.flatnonzero(self.kin.sizes == 1)):
            name = self.bank.groups[self.kin.order[self.kin.starts[alone[0]]]]
            raise ValueError(f"group {str(name)!r} has one class; a pair of two classes needs two.")

    @cached_property
    def kin(self) -> Kin:
        """The classes among which a different one is looked for."""
        groups = self.bank.groups
        return kin(groups if self.within_groups else np.zeros(len(groups), int))

    def rows(
        self, rng: np.random.Generator
    ) -> tuple[Int64[np.ndarray, "n_triplets 3"], Int64[np.ndarray, "n_triplets 3"]]:
        """The bank's rows of anchors, positives and negatives, and their classes."""
        contracts.generator(rng)
        bank, sizes, (group, place, order, starts, members) = self.bank, self.bank.sizes, self.kin
        first = rng.integers(len(sizes), size=self.n_triplets)
        # A different number below m: go on from the first by 1 to m - 1, around the end.
        step = 1 + rng.integers(members[group[first]] - 1)
        other = order[starts[group[first]] + (place[first] + step) % members[group[first]]]
        anchor = rng.integers(sizes[first])
        positive = (anchor + 1 + rng.integers(sizes[first] - 1)) % sizes[first]
        classes = np.stack([first, first, other], axis=1)
        images = np.stack([anchor, positive, rng.integers(sizes[other])], axis=1)
        return bank.offsets[classes] + images, classes

    def sample(self, rng: np.random.Generator) -> Examples:
        """x (3 * n_triplets, 1, height, width), three rows a triplet, and y, the bank's class of each."""
        rows, classes = self.rows(rng)
        return Examples(as_input(self.bank.images[rows.ravel()]), classes.ravel())


@dataclass(frozen=True)
class Pairs:
    """Pairs of images, in random order: half are two images of one class (label 1), half of two (label 0).

    On a bank that was not trained on they are verification trials. Classes are drawn, and errors raised, as
    in Triplets; ValueError for an odd n_pairs.
    """

    bank: Bank
    _: KW_ONLY
    n_pairs: int
    within_groups: bool = False

    def __post_init__(self):
        object.__setattr__(self, "n_pairs", contracts.whole("n_pairs", self.n_pairs))  # the class is frozen
        if self.n_pairs % 2:
            raise ValueError(f"n_pairs must be even, for as many pairs of each kind, got {self.n_pairs}.")
        _ = self.triplets  # whose checks are ours

    @cached_property
    def triplets(self) -> Triplets:
        """Where pairs come from: an anchor with one of its two companions."""
        return Triplets(self.bank, n_triplets=self.n_pairs, within_groups=self.within_groups)

    def rows(
        self, rng: np.random.Generator
    ) -> tuple[Int64[np.ndarray, "n_pairs 2"], Int64[np.ndarray, " n_pairs"]]:
        """The bank's rows of both images of each pair, and whether they show one class, 1 or 0."""
        rows, _ = self.triplets.rows(rng)
        same = rng.permutation(np.arange(self.n_pairs) % 2)
        return np.stack([rows[:, 0], np.where(same == 1, rows[:, 1], rows[:, 2])], axis=1), same

    def sample(self, rng: np.random.Generator) -> Examples:
        """x (n_pairs, 2, 1, height, width) float32 in [0, 1] and y (n_pairs,), 1 for the same class."""
        rows, same = self.rows(rng)
        return Examples(as_input(self.bank.images[rows]), same)


@dataclass(frozen=True)
class Batches:
    """k_images different images of each of n_classes different classes, in random order, labelled 0..n-1.

    ValueError when the bank has too few classes or a class too few images; both must be at least 2.
    """

    bank: Bank
    _: KW_ONLY
    n_classes: int
    k_images: int

    def __post_init__(self):
        for name in ("n_classes", "k_images"):
            number = contracts.whole(name, getattr(self, name), at_least=2)
            object.__setattr__(self, name, number)  # the class is frozen
        _check_bank(self.bank, n_classes=self.n_classes, n_images=self.k_images)

    def sample(self, rng: np.random.Generator) -> Examples:
        """x (n_classes * k_images, 1, height, width) and y, the place of each class in the draw."""
        contracts.generator(rng)
        classes = distinct(rng, np.full(1, len(self.bank.names)), count=self.n_classes)
        members = distinct(rng, self.bank.sizes[classes], count=self.k_images)
        x, y = shuffled(self.bank, rng, rows=self.bank.offsets[classes][..., None] + members)
        return Examples(x[0], y[0])


@dataclass(frozen=True)
class OneShotTrials:
    """Tasks within one alphabet: n_way of its characters by one drawer, to be found again in another's hand.

    The alphabet is uniform over groups; every character is asked for once (n_query = 1). Image j of every
    class of a group is taken to be drawn by the same person; whether it was is the bank's matter (in most of
    Omniglot it was not, see above). ValueError for a group with fewer than n_way classes, or whose classes
    have unequal numbers of images, or one.
    """

    bank: Bank
    _: KW_ONLY
    n_way: int = 20  # Lake et al. 2015

    def __post_init__(self):
        object.__setattr__(self, "n_way", contracts.whole("n_way", self.n_way, at_least=2))  # frozen
        _check_bank(self.bank, n_classes=2, n_images=2)
        first = self.bank.sizes[self.kin.order[self.kin.starts]]
        for c in np.flatnonzero(self.bank.sizes != first[self.kin.group]):
            name, has, needed = str(self.bank.names[c]), self.bank.sizes[c], first[self.kin.group[c]]
            raise ValueError(f"class {name!r} has {has} images and its group {needed}; one for each drawer.")
        for start, size in zip(self.kin.starts, self.kin.sizes, strict=True):
            if size < self.n_way:
                name = str(self.bank.groups[self.kin.order[start]])
                raise ValueError(f"group {name!r} has {size} classes, but n_way={self.n_way} are needed.")

    @cached_property
    def kin(self) -> Kin:
        """The classes of each alphabet."""
        return kin(self.bank.groups)

    def sample(self, rng: np.random.Generator) -> Episode:
        """One trial: support and query x (n_way, 1, height, width) and y; `task` holds the class names."""
        batch = self.sample_batch(rng, 1)
        support, query = (Examples(part.x[0], part.y[0]) for part in batch[:2])
        return Episode(support, query, batch.task[0])

    def sample_batch(self, rng: np.random.Generator, n_tasks: int) -> Episode:
        """n_tasks independent trials: every array gets a leading axis of length n_tasks."""
        contracts.generator(rng)
        bank, (_, _, order, starts, sizes) = self.bank, self.kin
        groups = rng.integers(len(sizes), size=contracts.whole("n_tasks", n_tasks))
        classes = order[starts[groups][:, None] + distinct(rng, sizes[groups], count=self.n_way)]
        drawers = distinct(rng, bank.sizes[classes[:, 0]], count=2)  # two different ones for each trial
        rows = bank.offsets[classes][..., None] + drawers[:, None, :]  # (n_tasks, n_way, 2)
        support, query = (shuffled(bank, rng, rows=rows[..., i : i + 1]) for i in (0, 1))
        return Episode(support, query, bank.names[classes])


def _check_bank(bank: Bank, *, n_classes: int, n_images: int) -> None:
    if not isinstance(bank, Bank):
        raise ValueError(f"bank must be a Bank, as make_bank gives it, got {contracts.shown(bank)}.")
    if (has := len(bank.names)) < n_classes:
        raise ValueError(f"bank has {has} class(es); at least {n_classes} are needed.")
    if (has := bank.sizes[smallest := np.argmin(bank.sizes)]) < n_images:
        raise ValueError(f"class {str(bank.names[smallest])!r} has {has} image(s); {n_images} are needed.")
