"""How well a learner does, and how sure we are: the mean over episodes with its 95 % interval.

Episodes are independent draws, so the mean of their values is normal enough to carry an interval
(central limit theorem), and two learners that met the same episodes are compared by the differences.
Below 30 episodes the spread itself is uncertain, and Student's factor (1908) takes the place of 1.96. The
bootstrap is Efron 1979. Snell et al. 2017 (arXiv:1703.05175) print such intervals for miniImageNet;
the tables of Vinyals et al. 2016 (arXiv:1606.04080) hold means alone.

Differs from the paper: nothing.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from reference import contracts
from reference.episodes import Adapt, Array, Tasks
from reference.progress import progress

Z = 1.96  # a normal variable stays within 1.96 standard deviations in 95 % of draws
# The same for Student's t, for the mean of 2, 3, ... 29 values: 1 to 28 degrees of freedom.
STUDENT = (
    12.7062047, 4.3026527, 3.1824463, 2.7764451, 2.5705818, 2.4469119, 2.3646243, 2.3060041, 2.2621572,
    2.2281389, 2.2009852, 2.1788128, 2.1603687, 2.1447867, 2.1314495, 2.1199053, 2.1098156, 2.1009220,
    2.0930241, 2.0859634, 2.0796138, 2.0738731, 2.0686576, 2.0638986, 2.0595386, 2.0555294, 2.0518305,
    2.0484071,
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Score:
    """One number per episode, or several; prints as their mean with its 95 % interval.

    `f"{score}"` gives `0.886 +- 0.006 (95% CI, 600 episodes)`; any number format goes to both numbers,
    so an accuracy may be written `f"{score:.1%}"`: `88.6% +- 0.6% (95% CI, 600 episodes)`.

    values is (n_episodes, *measures): with measures (a curve over steps, say), mean, half_width and both
    ends of interval are arrays (*measures), `score[i]` and slices are Scores of these measures, and a loop
    runs over the first axis of measures. Numbers of any kind become float64; ValueError for none, and for
    NaN or inf.
    """

    values: Array

    def __post_init__(self):
        values = contracts.rectangle("values", self.values)
        if values.dtype.kind not in "biuf" or values.ndim == 0:
            raise ValueError(
                f"values must be numbers (n_episodes, *measures), got {contracts.shown(values)}."
            )
        if values.size == 0:
            raise ValueError(
                f"values has shape {values.shape}; at least one episode and one measure are needed."
            )
        values = values.astype(np.float64)  # the differences of bytes would wrap
        if len(bad := np.argwhere(~np.isfinite(values))):
            raise ValueError(
                f"values holds {values[tuple(bad[0])]} in episode {bad[0][0]}; all must be finite."
            )
        object.__setattr__(self, "values", values)  # the class is frozen

    @property
    def n(self) -> int:
        """How many episodes."""
        return len(self.values)

    @property
    def mean(self) -> Any:
        """The mean over episodes."""
        return _plain(np.mean(self.values, axis=0))

    @property
    def half_width(self) -> Any:
        """Half the width of the 95 % interval of the mean: 1.96 s / sqrt(n), s with ddof 1.

        For n < 30 Student's factor of n - 1 degrees of freedom stands in place of 1.96 (12.7 for two
        episodes, 2.78 for five), without which the interval of two would cover the truth in 70 % of cases.
        Not the standard deviation of the episodes, which does not shrink as n grows.
        Raises ValueError for fewer than two episodes, whose spread is unknown.
        """
        if self.n < 2:
            raise ValueError(f"values holds {self.n} episode(s); an interval needs at least 2.")
        factor = STUDENT[self.n - 2] if self.n < 30 else Z
        return _plain(factor * np.std(self.values, axis=0, ddof=1) / math.sqrt(self.n))

    @property
    def interval(self) -> tuple[Any, Any]:
        """The ends of the 95 % interval of the mean."""
        return self.mean - self.half_width, self.mean + self.half_width

    def __getitem__(self, measure) -> "Score":
        index = measure if isinstance(measure, tuple) else (measure,)
        if self.values.ndim == 1:
            raise IndexError("this Score has one measure; the number of episode i is score.values[i].")
        return Score(self.values[:, *index])

    def __iter__(self) -> Iterator["Score"]:
        if self.values.ndim == 1:
            raise TypeError("this Score has one measure; its numbers are score.values.")
        return (self[i] for i in range(self.values.shape[1]))

    def __format__(self, spec: str) -> str:
        means, halves = np.ravel(self.mean), np.ravel(self.half_width) if self.n > 1 else None
        episodes = f"95% CI, {self.n} episodes" if self.n > 1 else "1 episode: no interval"

        def one(i: int) -> str:
            mean = f"{means[i]:{spec or '.3f'}}"
            return mean if halves is None else f"{mean} +- {halves[i]:{spec or '.3f'}}"

        if self.values.ndim == 1:
            return f"{one(0)} ({episodes})"
        first = range(len(means)) if len(means) <= 5 else range(3)
        rest = [] if len(means) <= 5 else ["...", one(-1)]
        measures = "x".join(map(str, self.values.shape[1:]))
        return f"[{', '.join([*map(one, first), *rest])}] ({measures} measures, {episodes})"

    def __repr__(self) -> str:
        return format(self)


def _plain(numbers: Any) -> Any:
    return float(numbers) if np.ndim(numbers) == 0 else numbers


def accuracy(scores: Array, labels: Array) -> Any:
    """Share of queries whose highest score stands at their label; labels has the shape (*episodes, q).

    scores is (*episodes, q, n_way). One number for one episode, one per episode (*episodes,) for a batch.
    Labels are whole numbers 0..n_way-1 of any type. ValueError for NaN, for no queries, for unequal shapes
    and for labels that no class bears.
    """
    scores, labels = contracts.rectangle("scores", scores), contracts.rectangle("labels", labels)
    if scores.ndim < 2 or scores.shape[-1] == 0 or scores.dtype.kind not in "biuf":
        raise ValueError(
            f"scores is {contracts.shown(scores)}; numbers of shape (*episodes, q, n_way) are needed."
        )
    if scores.shape[:-1] != labels.shape:
        raise ValueError(
            f"labels has shape {labels.shape}; scores of shape {scores.shape} need {scores.shape[:-1]}."
        )
    if labels.size == 0:
        raise ValueError(f"labels has shape {labels.shape}; at least one query is needed.")
    if labels.dtype.kind not in "biu":
        raise ValueError(
            f"labels is {contracts.shown(labels)}; whole numbers 0..{scores.shape[-1] - 1} are needed."
        )
    if labels.min() < 0 or labels.max() >= scores.shape[-1]:
        raise ValueError(
            f"labels goes from {labels.min()} to {labels.max()}; scores of {scores.shape[-1]} classes allow "
            f"0..{scores.shape[-1] - 1}."
        )
    if np.isnan(scores).any():
        raise ValueError("scores holds NaN; every class of every query needs a number.")
    return np.mean(scores.argmax(-1) == labels, axis=-1)


def evaluate(
    adapt: Adapt, tasks: Tasks, *, n_episodes: int, rng: np.random.Generator, metric: Callable = accuracy
) -> Score:
    """`metric(predict(query.x), query.y)` of n_episodes fresh episodes, each adapted to its own support set.

    A metric may give one number or an array of measures, the same for every episode. NumPy speaks here:
    adapt is given arrays, and what predict returns is turned into one (a Normal into a Normal of arrays). The
    generator serves the drawing alone, so learners that are given equal generators meet the same episodes.
    ValueError when n_episodes < 2, when adapt gives no function, predict another number of rows than there
    are queries, or the metric what is no finite number.
    """
    if contracts.whole("n_episodes", n_episodes, at_least=None) < 2:
        raise ValueError(f"n_episodes is {n_episodes}; an interval needs at least 2.")
    contracts.generator(rng)
    for name, given in (("adapt", adapt), ("metric", metric)):
        if not callable(given):
            raise ValueError(f"{name} must be a function, got {contracts.shown(given)}.")
    if not callable(getattr(tasks, "sample", None)):
        raise ValueError(
            f"tasks must have sample(rng), as FewShot(bank, ...) has, got {contracts.shown(tasks)}."
        )
    values = []
    for i in progress(range(n_episodes), "evaluating"):
        episode = tasks.sample(rng)
        value = np.asarray(metric(_predicted(adapt, episode, i), episode.query.y))
        if value.dtype.kind not in "biuf" or not value.size or not np.isfinite(value).all():
            raise ValueError(
                f"metric gave {contracts.shown(value.tolist())} on episode {i}; finite numbers are needed."
            )
        if value.shape != np.shape(values[0] if values else value):
            raise ValueError(
                f"metric gave shape {value.shape} on episode {i} and {values[0].shape} before; every episode "
                "needs the same measures."
            )
        values.append(value)
    return Score(np.stack(values))


def _predicted(adapt: Adapt, episode: Any, i: int) -> Any:
    """What the adapted learner says of the queries, as an array, or as a tuple of arrays (a Normal)."""
    predict = adapt(episode.support)
    if not callable(predict):
        raise ValueError(
            f"adapt gave {contracts.shown(predict)} on episode {i}; a function predict(query_x) is needed."
        )
    if (n_queries := len(episode.query.x)) == 0:
        raise ValueError(f"tasks gave no query in episode {i}; at least one is needed.")
    given = predict(episode.query.x)
    parts = given if isinstance(given, tuple) and given else [given]
    parts = [contracts.rectangle(f"what predict gave on episode {i}", part) for part in parts]
    for part in parts:
        if part.ndim == 0 or len(part) != n_queries:
            raise ValueError(
                f"predict gave {contracts.shown(part)} on episode {i}; a row for each of its {n_queries} "
                "queries is needed."
            )
    return type(given)(*parts) if hasattr(given, "_fields") else tuple(parts) if len(parts) > 1 else parts[0]


def compare(a: Score, b: Score) -> Score:
    """The differences a - b on the same episodes: what hard and easy episodes do to both cancels.

    The two differ (at 95 %) when the interval leaves out 0. Raises ValueError for unequal numbers of
    episodes or of measures.
    """
    for name, given in (("a", a), ("b", b)):
        if not isinstance(given, Score):
            raise ValueError(f"{name} must be a Score, got {contracts.shown(given)}.")
    if a.n != b.n:
        raise ValueError(f"a holds {a.n} episodes and b {b.n}; a paired comparison needs the same episodes.")
    if a.values.shape != b.values.shape:
        raise ValueError(
            f"a has measures {a.values.shape[1:]} and b {b.values.shape[1:]}; a paired comparison needs the "
            "same."
        )
    return Score(a.values - b.values)


def bootstrap_interval(values: Array, *, n_resamples: int, rng: np.random.Generator) -> tuple[float, float]:
    """The ends of the middle 95 % of n_resamples means, each of as many values redrawn with replacement.

    Efron 1979's percentile interval. Raises ValueError for fewer than two values, for several measures and
    for what a Score refuses.
    """
    values, n_resamples = Score(values).values, contracts.whole("n_resamples", n_resamples)
    contracts.generator(rng)
    if values.ndim > 1:
        raise ValueError(f"values has shape {values.shape}; one number per episode is needed.")
    if len(values) < 2:
        raise ValueError(f"values holds {len(values)} episode(s); an interval needs at least 2.")
    means = [np.mean(rng.choice(values, len(values))) for _ in range(n_resamples)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def episodes_needed(std: float, half_width: float) -> int:
    """The fewest episodes whose interval is at most +- half_width, for episodes that spread by std.

    (1.96 std / half_width)^2 rounded up, never fewer than two; Student's factor, which needs a few more
    below 30, is left out. Raises ValueError unless std >= 0 and half_width > 0, both finite.
    """
    if not all(isinstance(number, Real) for number in (std, half_width)):
        raise ValueError(f"std and half_width must be two numbers, got {std!r} and {half_width!r}.")
    if not (0 <= std < math.inf and 0 < half_width < math.inf):
        raise ValueError(
            f"std is {std} and half_width {half_width}; std must be >= 0 and half_width > 0, both finite."
        )
    if (ratio := Z * std / half_width) > 1e8:
        raise ValueError(f"half_width is {half_width}; for std {std} that takes over 10^16 episodes.")
    return max(2, math.ceil(round(ratio**2, 6)))  # 9604, not 9604.000000000002
