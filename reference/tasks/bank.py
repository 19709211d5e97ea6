"""A bank of images sorted by class, and few-shot episodes drawn from it by array indexing alone.

All images stand in memory as bytes. A batch of episodes is then three draws of random numbers, one
gather and one division; no loop runs over tasks, classes or images.
Paper: the N-way K-shot episode of Vinyals et al. 2016 (arXiv:1606.04080), section 4.

Differs from the paper: nothing.
"""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int, Int64, Integer, Shaped, UInt8

from reference import contracts
from reference.episodes import Array, Episode, Examples


class Bank(NamedTuple):
    """Images of many classes. Images are sorted by class: class c owns rows offsets[c] to offsets[c + 1]."""

    images: UInt8[np.ndarray, "n_images height width"]  # ink is 255, paper 0
    offsets: Int[np.ndarray, "n_classes+1"]
    names: Shaped[np.ndarray, "n_classes"]  # of the classes, strings
    groups: Shaped[np.ndarray, "n_classes"]  # the script or alphabet each class belongs to, strings

    @property
    def sizes(self) -> Int[np.ndarray, " n_classes"]:
        """The number of images of each class."""
        return np.diff(self.offsets)

    def select(self, classes: Array) -> "Bank":
        """A bank of these classes alone, in this order. ValueError for one that is not there, or twice."""
        classes = contracts.numbers_of_classes("classes", classes)
        if len(unknown := classes[classes >= len(self.names)]):
            raise ValueError(
                f"classes must be below {len(self.names)}, the number there is, got {unknown[0]}."
            )
        if len(set(classes.tolist())) < len(classes):
            twice = int(np.argmax(np.bincount(classes)))
            raise ValueError(f"classes holds {twice} more than once; a class cannot be told from itself.")
        rows = [np.arange(self.offsets[c], self.offsets[c + 1]) for c in classes]
        images = self.images[np.concatenate(rows)] if rows else self.images[:0]
        return Bank(images, _offsets(self.sizes[classes]), self.names[classes], self.groups[classes])

    def split(self, groups: Iterable[str]) -> tuple["Bank", "Bank"]:
        """Two banks: the classes of these groups, and all the others. ValueError for an unknown group."""
        groups = contracts.words("groups", groups)
        known = set(self.groups.tolist())
        if unknown := sorted(set(groups) - known):
            raise ValueError(f"groups: no class belongs to {unknown}; there are {sorted(known)}.")
        inside = np.isin(self.groups, groups)
        return self.select(np.flatnonzero(inside)), self.select(np.flatnonzero(~inside))

    def with_rotations(self) -> "Bank":
        """Four times the classes: a class turned by 90, 180 or 270 degrees counts as a new class.

        ValueError for images that are not square.
        """
        if self.images.shape[1] != self.images.shape[2]:
            raise ValueError(f"images has shape {self.images.shape}; only square ones keep it when turned.")
        images = np.concatenate([np.rot90(self.images, turn, axes=(1, 2)) for turn in range(4)])
        names = np.concatenate(
            [self.names] + [np.char.add(self.names, f" turned {a}") for a in (90, 180, 270)]
        )
        return Bank(images, _offsets(np.tile(self.sizes, 4)), names, np.tile(self.groups, 4))


def make_bank(images: Array, labels: Array, *, names: Iterable[str], groups: Iterable[str]) -> Bank:
    """A bank from images in any order; labels[i] is the class of image i and indexes names and groups.

    images (n_images, height, width) are whole numbers from 0, paper, to 255, ink, of any integer type; bool
    means ink or paper and becomes 255 or 0. Anything else is refused by a ValueError that says what it is,
    since it could be meant in several ways: fractions, more than one channel, 0 and 1 as numbers. So are
    classes without an image, and names and groups of other numbers than the classes.
    """
    images, labels = _bytes(images), contracts.numbers_of_classes("labels", labels)
    names, groups = contracts.words("names", names), contracts.words("groups", groups)
    if len(labels) != len(images):
        raise ValueError(f"labels has {len(labels)} entries, but images has {len(images)}; each needs one.")
    if len(names) != len(groups):
        raise ValueError(
            f"groups has {len(groups)} entries, but names has {len(names)}; each class has both."
        )
    if labels.max() >= len(names):
        raise ValueError(
            f"labels goes up to {labels.max()}, but names has {len(names)} entries, one a class."
        )
    sizes = np.bincount(labels, minlength=len(names))
    if not sizes.all():
        empty = int(np.argmin(sizes))
        raise ValueError(f"labels never holds {empty}: class {names[empty]!r} has no image.")
    order = np.argsort(labels, kind="stable")
    return Bank(images[order], _offsets(sizes), np.array(names), np.array(groups))


def _bytes(images: Array) -> UInt8[np.ndarray, "n_images height width"]:
    """Images as bytes; ValueError for what could be meant in several ways."""
    images = contracts.rectangle("images", images)
    given = contracts.shown(images)
    if images.ndim != 3 or not images.size:
        raise ValueError(
            f"images is {given}; (n_images, height, width) is needed, at least one image of at least one "
            "pixel, grey, without an axis for channels."
        )
    if images.dtype == bool:
        return np.uint8(255) * images
    if images.dtype.kind not in "iu":
        raise ValueError(
            f"images is {given}; whole numbers from 0 (paper) to 255 (ink) are needed, or bool. Fractions of "
            "ink become bytes by np.rint(255 * images).astype(np.uint8)."
        )
    low, high = images.min(), images.max()
    if low < 0 or high > 255:
        raise ValueError(f"images goes from {low} to {high}; 0 (paper) to 255 (ink) is allowed.")
    if high == 1:
        raise ValueError("images holds 0 and 1 alone, of 255; write images > 0 where 1 means ink.")
    return images.astype(np.uint8)


def as_input(images: Array) -> Float32[np.ndarray, "*batch 1 height width"]:
    """The bytes (*batch, height, width) of a bank as networks take them: one channel, paper 0, ink 1."""
    if getattr(images, "dtype", None) != np.uint8 or images.ndim < 2:
        raise ValueError(
            f"images is {contracts.shown(images)}; bytes of shape (..., height, width) are needed, as in a "
            "Bank."
        )
    return images[..., None, :, :] / np.float32(255)


@dataclass(frozen=True)
class FewShot:
    """Tasks that tell n_way classes of a bank apart, k_shot support and n_query query images of each.

    A task draws its classes without replacement and numbers them 0..n_way-1 in the order drawn; support
    and query share no image, and the rows of each stand in random order. `episode.task` holds the names
    of the classes. ValueError when the bank has too few classes or a class too few images.
    """

    bank: Bank
    _: KW_ONLY
    n_way: int
    k_shot: int
    n_query: int  # of each class

    def __post_init__(self):
        if not isinstance(self.bank, Bank):
            raise ValueError(f"bank must be a Bank, as make_bank gives it, got {contracts.shown(self.bank)}.")
        for name in ("n_way", "k_shot", "n_query"):
            object.__setattr__(self, name, contracts.whole(name, getattr(self, name)))  # the class is frozen
        if self.n_way > (n_classes := len(self.bank.names)):
            raise ValueError(f"n_way={self.n_way} is more than the {n_classes} classes of the bank.")
        smallest, needed = np.argmin(self.bank.sizes), self.k_shot + self.n_query
        if (has := self.bank.sizes[smallest]) < needed:
            raise ValueError(
                f"class {str(self.bank.names[smallest])!r} has {has} images, but k_shot={self.k_shot} and "
                f"n_query={self.n_query} need {needed}."
            )

    def sample(self, rng: np.random.Generator) -> Episode:
        """One episode: x (n_way * k_shot, 1, height, width) float32 in [0, 1], y (n_way * k_shot,) int64."""
        batch = self.sample_batch(rng, 1)
        support, query = (Examples(part.x[0], part.y[0]) for part in (batch.support, batch.query))
        return Episode(support, query, batch.task[0])

    def sample_batch(self, rng: np.random.Generator, n_tasks: int) -> Episode:
        """n_tasks independent episodes: x (n_tasks, n_way * k_shot, 1, height, width), and so on."""
        contracts.generator(rng)
        n_tasks = contracts.whole("n_tasks", n_tasks)
        classes = distinct(rng, np.full(n_tasks, len(self.bank.names)), count=self.n_way)
        members = distinct(rng, self.bank.sizes[classes], count=self.k_shot + self.n_query)
        rows = self.bank.offsets[classes][..., None] + members  # (n_tasks, n_way, k_shot + n_query)
        support = shuffled(self.bank, rng, rows=rows[..., : self.k_shot])
        query = shuffled(self.bank, rng, rows=rows[..., self.k_shot :])
        return Episode(support, query, self.bank.names[classes])


def shuffled(
    bank: Bank, rng: np.random.Generator, *, rows: Int64[np.ndarray, "n_tasks n_way n_each"]
) -> Examples:
    """The images in these rows of the bank in random order, (n_tasks, n_way * n_each, ...), with labels.

    Examples sorted by label would let a learner read the answer from the position. Each image takes its
    label through the shuffle: the two are one number.
    """
    n_tasks, n_way, _ = rows.shape
    labelled = n_way * rows + np.arange(n_way)[:, None]
    rows, labels = np.divmod(rng.permuted(labelled.reshape(n_tasks, -1), axis=1), n_way)
    return Examples(as_input(bank.images[rows]), labels)


def _offsets(sizes: Integer[np.ndarray, " n"]) -> Int64[np.ndarray, "n+1"]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def distinct(
    rng: np.random.Generator, limits: Int[np.ndarray, "*batch"], *, count: int
) -> Int64[np.ndarray, "*batch {count}"]:
    """For every limit, `count` distinct numbers below it in random order: each number gets a random key,
    and those with the smallest keys win."""
    keys = rng.random((*limits.shape, limits.max()))
    keys[np.arange(limits.max()) >= limits[..., None]] = 1  # random() gives less than 1
    winners = np.argpartition(keys, count - 1, axis=-1)[..., :count]
    # The order within a partition is not random, and not the same on every processor: sort, then shuffle.
    return rng.permuted(np.sort(winners, axis=-1), axis=-1)
