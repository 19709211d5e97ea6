"""Programs to be learned from examples: copy a sequence, copy it several times, recall what followed.

A sequence of random bits is shown, then a sign on a channel of its own; then the answer is due, step by step,
while nothing more is shown. A batch may mix lengths: shorter sequences end in silence that is not judged.

Paper: Graves, Wayne & Danihelka 2014 (arXiv:1410.5401), sections 4.1 to 4.3.
Differs from the paper: the number of copies stands beside a sign for the end of the input; the items of a
recall differ from each other, so that the answer is never in doubt.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer

from reference import contracts
from reference.episodes import Series, check_bits

Lengths = Integer[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True)
class Copy:
    """The bits again, in order: 2 * length + 1 steps. x has a channel more than y: the sign of the end."""

    n_bits: int = 8  # these two: section 4.1
    lengths: tuple[int, int] = (1, 20)  # the least and the most

    def __post_init__(self):
        _check(self, "lengths")

    @property
    def d_in(self) -> int:
        """How many numbers a step of x has."""
        return self.n_bits + 1

    @property
    def d_out(self) -> int:
        """How many numbers a step of y has."""
        return self.n_bits

    def sample_batch(self, rng: np.random.Generator, n: int) -> Series:
        """n sequences of one length, which is uniform in `lengths`."""
        contracts.generator(rng)
        return self.of_lengths(rng, _alike(rng, self.lengths, n))

    def of_lengths(self, rng: np.random.Generator, lengths: Lengths) -> Series:
        """A sequence of each of these lengths, of any size."""
        contracts.generator(rng)
        lengths = _numbers("lengths", lengths)
        t = np.arange(2 * lengths.max() + 1)[:, None]
        bits = _bits(rng, lengths.max(), len(lengths), self.n_bits)
        due = (lengths < t) & (t <= 2 * lengths)
        x = _channels(_at(bits, t, where=t < lengths), t == lengths)
        return Series(x, _at(bits, t - lengths - 1, where=due), due)


@dataclass(frozen=True, kw_only=True)
class RepeatCopy:
    """The bits again, as often as a number says, and then a sign of the end, which is y's last channel.

    The number is brought to mean 0 and deviation 1 over `repeats`, those of training; x has two channels more
    than bits, the sign of the end of the input and, beside it, the number.
    """

    n_bits: int = 8  # these three: section 4.2
    lengths: tuple[int, int] = (1, 10)
    repeats: tuple[int, int] = (1, 10)

    def __post_init__(self):
        _check(self, "lengths", "repeats")

    @property
    def d_in(self) -> int:
        """How many numbers a step of x has."""
        return self.n_bits + 2

    @property
    def d_out(self) -> int:
        """How many numbers a step of y has."""
        return self.n_bits + 1

    def sample_batch(self, rng: np.random.Generator, n: int) -> Series:
        """n sequences of one length, to be repeated equally often; both are uniform."""
        contracts.generator(rng)
        return self.of_lengths(rng, _alike(rng, self.lengths, n), repeats=_alike(rng, self.repeats, n))

    def of_lengths(self, rng: np.random.Generator, lengths: Lengths, *, repeats: Lengths) -> Series:
        """A sequence of each of these lengths, to be repeated so often; both of any size."""
        contracts.generator(rng)
        lengths, repeats = _numbers("lengths", lengths), _numbers("repeats", repeats)
        if len(repeats) != len(lengths):
            raise ValueError(f"repeats: got {len(repeats)} for {len(lengths)} lengths; each needs one.")
        last = lengths * (1 + repeats) + 1  # the step of the sign in y
        t = np.arange(last.max() + 1)[:, None]
        bits = _bits(rng, lengths.max(), len(lengths), self.n_bits)
        sign = t == lengths
        x = _channels(_at(bits, t, where=t < lengths), sign, np.where(sign, self._scaled(repeats), 0))
        copies = _at(bits, (t - lengths - 1) % lengths, where=(lengths < t) & (t < last))
        return Series(x, _channels(copies, t == last), (lengths < t) & (t <= last))

    def _scaled(self, repeats: Lengths) -> Float[np.ndarray, " n"]:
        low, high = self.repeats
        deviation = np.sqrt(((high - low + 1) ** 2 - 1) / 12)
        return (repeats - (low + high) / 2) / (deviation or 1)


@dataclass(frozen=True, kw_only=True)
class AssociativeRecall:
    """The item that followed the one asked for: items of several steps are shown, then one of them again.

    x has two channels more than bits: a sign before each item, and one on either side of the question.
    """

    n_bits: int = 6  # these three: section 4.3
    item_length: int = 3
    items: tuple[int, int] = (2, 6)  # how many

    def __post_init__(self):
        _check(self, "items")
        contracts.whole("item_length", self.item_length)
        contracts.whole("items", self.items[0], at_least=2)
        self._check_enough(self.items[1])

    @property
    def d_in(self) -> int:
        """How many numbers a step of x has."""
        return self.n_bits + 2

    @property
    def d_out(self) -> int:
        """How many numbers a step of y has."""
        return self.n_bits

    def sample_batch(self, rng: np.random.Generator, n: int) -> Series:
        """n sequences of one number of items, which is uniform in `items`."""
        contracts.generator(rng)
        return self.of_items(rng, _alike(rng, self.items, n))

    def of_items(self, rng: np.random.Generator, items: Lengths) -> Series:
        """A sequence of so many items each, of any size; which item is asked for is uniform."""
        contracts.generator(rng)
        items, k = _numbers("items", items, at_least=2), self.item_length
        self._check_enough(items.max())
        bits, asked = self._different(rng, items.max(), len(items)), rng.integers(items - 1)
        asks = items * (k + 1)  # the step of the sign before the question
        t = np.arange(asks.max() + 2 * k + 2)[:, None]
        item, step = np.divmod(t, k + 1)
        shown = _at(bits, item * k + step - 1, where=(t < asks) & (step > 0))
        question = _at(bits, asked * k + t - asks - 1, where=(asks < t) & (t <= asks + k))
        due = (asks + k + 1 < t) & (t <= asks + 2 * k + 1)
        signs = (t < asks) & (step == 0), (t == asks) | (t == asks + k + 1)
        y = _at(bits, (asked + 1) * k + t - asks - k - 2, where=due)
        return Series(_channels(shown + question, *signs), y, due)

    def _different(
        self, rng: np.random.Generator, n_items: int | np.integer, n: int
    ) -> Float[np.ndarray, "t n d"]:
        """Bits of n_items items for n sequences; those with two equal items are drawn again."""
        bits = _bits(rng, n_items * self.item_length, n, self.n_bits)
        while (again := self._has_twins(bits)).any():
            bits[:, again] = _bits(rng, len(bits), again.sum(), self.n_bits)
        return bits

    def _has_twins(self, bits: Float[np.ndarray, "t n d"]) -> Bool[np.ndarray, " n"]:
        items = bits.reshape(-1, self.item_length, *bits.shape[1:]).transpose(2, 0, 1, 3)
        items = items.reshape(*items.shape[:2], -1)  # (n, n_items, the bits of an item)
        equal = (items[:, :, None] == items[:, None]).all(axis=-1)
        return equal.sum(axis=(1, 2)) > items.shape[1]  # more than each with itself

    def _check_enough(self, n_items: int | np.integer) -> None:
        """ValueError where so many items, drawn at random, would hardly ever all differ."""
        n_bits = self.item_length * self.n_bits
        if n_items**2 > 4 * 2 ** min(n_bits, 60):
            raise ValueError(f"items: got {n_items}; of items of {n_bits} bits, so many seldom all differ.")


def wrong_bits(series: Series, logits: Float[np.ndarray, "n_steps n d"]) -> Float[np.ndarray, " n"]:
    """How many of the judged bits of each sequence are wrong; a logit above 0 says 1."""
    check_bits(series, logits.shape[-1])
    return (((logits > 0) != series.y) & series.judged[..., None]).sum(axis=(0, 2)).astype(np.float64)


def cross_entropy_in_bits(
    series: Series, logits: Float[np.ndarray, "n_steps n d"]
) -> Float[np.ndarray, " n"]:
    """-log2 of the probability of the right answer to each sequence; guessing costs 1 for each judged bit."""
    check_bits(series, logits.shape[-1])
    costs = np.logaddexp(0, np.where(series.y == 1, -logits, logits)) / np.log(2)
    return (costs * series.judged[..., None]).sum(axis=(0, 2), dtype=np.float64)


def _check(task, *ranges: str) -> None:
    contracts.whole("n_bits", task.n_bits)
    for name in ranges:
        given = getattr(task, name)
        if not (isinstance(given, tuple) and len(given) == 2):
            raise ValueError(f"{name} must be the least and the most, two numbers, got {given!r}.")
        contracts.whole(name, given[1], at_least=contracts.whole(name, given[0]))


def _alike(rng: np.random.Generator, bounds: tuple[int, int], n: int) -> Lengths:
    return np.full(contracts.whole("n", n), rng.integers(bounds[0], bounds[1] + 1))


def _numbers(name: str, given: Lengths, at_least: int = 1) -> Lengths:
    """ValueError for none of them, and for one below the least."""
    given = contracts.numbers_of_classes(name, given)
    contracts.whole(f"the number of {name}", len(given))
    contracts.whole(name, given.min(), at_least=at_least)
    return given


def _bits(rng: np.random.Generator, *shape: int | np.integer) -> Float[np.ndarray, "t n d"]:
    return rng.integers(2, size=shape).astype(np.float32)


def _at(bits: Float[np.ndarray, "t n d"], step: np.ndarray, *, where: np.ndarray) -> np.ndarray:
    """The bits of each sequence at these steps (n_steps, n) of its own, and zeros elsewhere."""
    step = np.broadcast_to(np.where(where, step, 0), where.shape)
    return np.take_along_axis(bits, step[..., None], axis=0) * where[..., None]


def _channels(bits: np.ndarray, *signs: np.ndarray) -> Float[np.ndarray, "n_steps n d"]:
    """The bits, and a channel for each of the signs (n_steps, n)."""
    return np.concatenate([bits, *(sign[..., None] for sign in signs)], axis=-1).astype(np.float32)
