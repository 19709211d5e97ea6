"""How well a learner does, and how sure we are: the mean over episodes with its 95 % interval.

Episodes are independent draws, so the mean of their values is normal enough to carry an interval
(central limit theorem), and two learners that met the same episodes are compared by the differences.
The intervals are those of Vinyals et al. 2016 and Snell et al. 2017 (arXiv:1703.05175); the bootstrap
is Efron 1979.

Differs from the paper: nothing.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from reference.episodes import Adapt, Tasks
from reference.progress import progress

Z = 1.96  # a normal variable stays within 1.96 standard deviations in 95 % of draws


class Score(NamedTuple):
    """One number per episode; prints as their mean with its 95 % interval.

    `f"{score}"` gives `0.886 +- 0.006 (95% CI, 600 episodes)`; any number format goes to both numbers,
    so an accuracy may be written `f"{score:.1%}"`: `88.6% +- 0.6% (95% CI, 600 episodes)`.
    """

    values: Float[np.ndarray, "n_episodes"]

    @property
    def n(self) -> int:
        """How many episodes."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The mean over episodes."""
        return float(np.mean(self.values))

    @property
    def half_width(self) -> float:
        """Half the width of the 95 % interval of the mean: 1.96 s / sqrt(n), s with ddof 1.

        Not the standard deviation of the episodes, which does not shrink as n grows.
        Raises ValueError for fewer than two episodes, whose spread is unknown.
        """
        if self.n < 2:
            raise ValueError(f"values holds {self.n} episode(s); an interval needs at least 2.")
        return float(Z * np.std(self.values, ddof=1) / math.sqrt(self.n))

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the 95 % interval of the mean."""
        return self.mean - self.half_width, self.mean + self.half_width

    def __format__(self, spec: str) -> str:
        spec = spec or ".3f"
        if self.n < 2:
            return f"{self.mean:{spec}} ({self.n} episode: no interval)"
        return f"{self.mean:{spec}} +- {self.half_width:{spec}} (95% CI, {self.n} episodes)"

    def __repr__(self) -> str:
        return format(self)


def accuracy(
    scores: Float[np.ndarray, "*episodes q n_way"], labels: Int[np.ndarray, "..."]
) -> float | Float[np.ndarray, "*episodes"]:
    """Share of queries whose highest score stands at their label; labels has the shape (*episodes, q).

    One number for one episode, one per episode for a batch. Raises ValueError on NaN and on unequal shapes.
    """
    if scores.shape[:-1] != labels.shape:
        raise ValueError(
            f"labels has shape {labels.shape}; scores of shape {scores.shape} need {scores.shape[:-1]}."
        )
    if np.isnan(scores).any():
        raise ValueError("scores holds NaN; every class of every query needs a number.")
    return np.mean(scores.argmax(-1) == labels, axis=-1)


def evaluate(
    adapt: Adapt, tasks: Tasks, *, n_episodes: int, rng: np.random.Generator, metric: Callable = accuracy
) -> Score:
    """`metric(predict(query.x), query.y)` of n_episodes fresh episodes, each adapted to its own support set.

    NumPy speaks here: adapt is given arrays, and what predict returns is turned into one. The generator
    serves the drawing alone, so learners that are given equal generators meet the same episodes.
    Raises ValueError when n_episodes < 2 or when the metric is not one finite number.
    """
    if n_episodes < 2:
        raise ValueError(f"n_episodes is {n_episodes}; an interval needs at least 2.")
    values = np.empty(n_episodes)
    for i in progress(range(n_episodes), "evaluating"):
        episode = tasks.sample(rng)
        predict = adapt(episode.support)
        value = np.asarray(metric(np.asarray(predict(episode.query.x)), episode.query.y))
        if value.shape != () or not np.isfinite(value):
            raise ValueError(f"metric gave {value} on episode {i}; one finite number is needed.")
        values[i] = value
    return Score(values)


def compare(a: Score, b: Score) -> Score:
    """The differences a - b on the same episodes: what hard and easy episodes do to both cancels.

    The two differ (at 95 %) when the interval leaves out 0. Raises ValueError for unequal numbers.
    """
    if a.n != b.n:
        raise ValueError(f"a holds {a.n} episodes and b {b.n}; a paired comparison needs the same episodes.")
    return Score(a.values - b.values)


def bootstrap_interval(
    values: Float[np.ndarray, "n"], *, n_resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The ends of the middle 95 % of n_resamples means, each of as many values redrawn with replacement.

    Efron 1979's percentile interval. Raises ValueError for fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"values holds {len(values)} episode(s); an interval needs at least 2.")
    means = [np.mean(rng.choice(values, len(values))) for _ in range(n_resamples)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def episodes_needed(std: float, half_width: float) -> int:
    """The fewest episodes whose interval is at most +- half_width, for episodes that spread by std.

    (1.96 std / half_width)^2 rounded up, never fewer than two.
    Raises ValueError unless std >= 0 and half_width > 0.
    """
    if not (std >= 0 and half_width > 0):
        raise ValueError(f"std is {std} and half_width {half_width}; std must be >= 0 and half_width > 0.")
    return max(2, math.ceil(round((Z * std / half_width) ** 2, 6)))  # 9604, not 9604.000000000002
