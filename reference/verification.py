"""Do two examples show the same thing? How well a learner's scores of pairs tell, at every threshold at once.

A pair is accepted where its score reaches a threshold. Two mistakes are possible: accepting a pair of two
classes, and rejecting a pair of one. A lower threshold trades the second for the first; the ROC is the curve
of this trade, its area and the rate at which both mistakes are equally frequent are two numbers for it.
The accuracy on random pairs is neither: it depends on the threshold and on how many pairs of each kind there
are.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from reference import contracts
from reference.episodes import Array


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
