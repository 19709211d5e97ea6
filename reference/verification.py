"""Do two examples show the same thing? How well a learner's scores of pairs tell, at every threshold at once.

A pair is accepted where its score reaches a threshold. Two mistakes are possible: accepting a pair of two
classes, and rejecting a pair of one. A lower threshold trades the second for the first; the ROC is the curve
of this trade, its area and the rate at which both mistakes are equally frequent are two numbers for it.
The accuracy on random pairs is neither: it depends on the threshold and on how many pairs of each kind there
are. Pairs that share a class or an alphabet are not independent; an interval redraws these, not the pairs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer

from reference import contracts
from reference.episodes import Array
from reference.evaluation import STUDENT, Z


class Roc(NamedTuple):
    """The curve, from accepting nothing to accepting all; one point for every threshold that differs."""

    false_accepts: Float[np.ndarray, " n"]  # the share of pairs of two classes that are accepted
    true_accepts: Float[np.ndarray, " n"]  # the share of pairs of one class that are accepted
    thresholds: Float[np.ndarray, " n"]  # accepted is what scores at least this; the first is inf


def roc(scores: Array, same: Array) -> Roc:
    """The ROC of scores (n,), the larger the more alike, and same (n,), 1 for a pair of one class, else 0.

    Raises ValueError for scores that are not finite numbers, and unless there are pairs of both kinds.
    """
    scores, same = _checked(scores, same)
    order = np.argsort(-scores, kind="stable")
    scores, same = scores[order], same[order]
    ends = np.append(np.diff(scores) != 0, True)  # equal scores are accepted together
    shares = [np.append(0, np.cumsum(kind)[ends]) / kind.sum() for kind in (~same, same)]
    return Roc(*shares, np.append(np.inf, scores[ends]))


def area(scores: Array, same: Array) -> float:
    """The area under the ROC: the chance that a pair of one class scores higher than a pair of two (Hanley &
    McNeil 1982), a tie counted half. 1 is perfect, 0.5 a guess. Errors: `roc`."""
    curve = roc(scores, same)
    return float(np.trapezoid(curve.true_accepts, curve.false_accepts))


def equal_error_rate(scores: Array, same: Array) -> float:
    """The share of mistakes at the threshold where both are equally frequent; 0 is perfect, 0.5 a guess.

    Between two points of the ROC the straight line between them counts. Errors: `roc`.
    """
    false_accepts, true_accepts, _ = roc(scores, same)
    ahead = 1 - true_accepts - false_accepts  # falls from 1 to -1
    i = int(np.argmax(ahead <= 0))
    share = ahead[i - 1] / (ahead[i - 1] - ahead[i])
    return float(false_accepts[i - 1] + share * (false_accepts[i] - false_accepts[i - 1]))


def half_width_over_groups(
    measure: Callable[[Array, Array], float],
    scores: Array,
    same: Array,
    *,
    groups: Integer[np.ndarray, "n 2"],
    n_resamples: int,
    rng: np.random.Generator,
) -> float:
    """Half the width of the 95 % interval of measure(scores, same), whose luck is that of the groups.

    groups holds the numbers of each pair's two groups (classes, or alphabets). They are redrawn with
    replacement, as many as there are (the bootstrap of Efron 1979); a pair counts as often as its group came,
    a pair of two groups as often as one came times as often as the other. The spread of the measure over
    redraws is taken times 1.96, for fewer than 30 groups times Student's factor, and times the root of
    n / (n - 1), what redrawing n takes from it. ValueError for fewer than two groups, and as measure does.
    """
    scores, same, groups = np.asarray(scores), np.asarray(same), contracts.rectangle("groups", groups)
    contracts.generator(rng)
    if groups.shape != (len(scores), 2) or groups.dtype.kind not in "iu":
        given = contracts.shown(groups)
        raise ValueError(f"groups is {given}; two whole numbers for each of {len(scores)} pairs are needed.")
    names, groups = np.unique(groups, return_inverse=True)
    one, other = groups.reshape(-1, 2).T
    if (n := len(names)) < 2:
        raise ValueError(f"groups holds {n} group; an interval over groups needs at least 2.")
    found = []
    for _ in range(contracts.whole("n_resamples", n_resamples, at_least=2)):
        came = np.bincount(rng.integers(n, size=n), minlength=n)
        times = came[one] * np.where(one == other, 1, came[other])
        found.append(measure(np.repeat(scores, times), np.repeat(same, times)))
    factor = STUDENT[n - 2] if n < 30 else Z
    return float(factor * np.std(found, ddof=1) * np.sqrt(n / (n - 1)))


def _checked(scores: Array, same: Array) -> tuple[np.ndarray, np.ndarray]:
    scores, same = contracts.rectangle("scores", scores), contracts.rectangle("same", same)
    if scores.ndim != 1 or scores.dtype.kind not in "iuf" or not np.isfinite(scores).all():
        raise ValueError(f"scores must be finite numbers in one row, got {contracts.shown(scores)}.")
    if same.shape != scores.shape or same.dtype.kind not in "biu":
        given = contracts.shown(same)
        raise ValueError(f"same is {given}; 1 or 0 for each of {len(scores)} scores is needed.")
    if (given := sorted(set(same.tolist()))) != [0, 1]:
        raise ValueError(f"same holds {given}; pairs of both kinds, 1 and 0, are needed.")
    return scores.astype(np.float64), same.astype(bool)
