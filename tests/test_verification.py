"""The ROC and its two numbers against counting, pencil and paper, and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from reference.verification import area, equal_error_rate, roc


@st.composite
def trials(draw):
    """Scores, often equal ones, and labels of both kinds."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, levels = draw(st.integers(2, 60)), draw(st.integers(1, 30))
    scores = rng.integers(levels, size=n) / 7
    same = rng.permutation(np.arange(n) % 2 if draw(st.booleans()) else np.arange(n) == 0).astype(int)
    return scores, same


@given(trials())
def test_every_point_of_the_roc_is_counted(case):
    scores, same = case
    false_accepts, true_accepts, thresholds = roc(scores, same)
    assert thresholds[0] == np.inf and thresholds[1:].tolist() == sorted(set(scores), reverse=True)
    for false, true, threshold in zip(false_accepts, true_accepts, thresholds, strict=True):
        accepted = scores >= threshold
        assert true == pytest.approx(accepted[same == 1].mean(), abs=1e-15)
        assert false == pytest.approx(accepted[same == 0].mean(), abs=1e-15)
    assert (false_accepts[0], true_accepts[0], false_accepts[-1], true_accepts[-1]) == (0, 0, 1, 1)


@given(trials())
def test_roc_and_area_are_those_of_scikit_learn(case):
    scores, same = case
    found, expected = roc(scores, same), roc_curve(same, scores, drop_intermediate=False)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    assert area(scores, same) == pytest.approx(roc_auc_score(same, scores), abs=1e-12)


@given(trials())
def test_the_area_is_the_chance_that_a_pair_of_one_class_wins(case):
    scores, same = case
    wins = [(p > q) + 0.5 * (p == q) for p in scores[same == 1] for q in scores[same == 0]]
    assert area(scores, same) == pytest.approx(np.mean(wins), abs=1e-12)
    assert area(-scores, same) == pytest.approx(1 - area(scores, same), abs=1e-12)


@given(trials())
def test_the_equal_error_rate_lies_on_the_roc_where_both_mistakes_meet(case):
    scores, same = case
    rate = equal_error_rate(scores, same)
    false_accepts, true_accepts, _ = roc(scores, same)
    false_rejects = 1 - true_accepts
    # Between the mistakes at the last threshold that rejects too many and the first that accepts too many.
    strict, lax = (false_rejects >= false_accepts), (false_rejects <= false_accepts)
    low = max(false_accepts[strict].max(), false_rejects[lax].max())
    high = min(false_rejects[strict].min(), false_accepts[lax].min())
    assert low - 1e-12 <= rate <= high + 1e-12
    # On the line: of equal heights, 1 - true = false = rate.
    points = np.stack([false_accepts, false_rejects], axis=1)
    ends = zip(points[:-1], points[1:], strict=True)
    assert min(_distance([rate, rate], a, b) for a, b in ends) < 1e-9


def _distance(point, a, b):
    """From a point to the line between a and b."""
    point, along = np.asarray(point), b - a
    t = np.clip((point - a) @ along / (along @ along), 0, 1)
    return np.abs(point - a - t * along).max()


@given(trials(), st.floats(0.1, 10), st.floats(-5, 5))
def test_only_the_order_of_the_scores_counts(case, factor, shift):
    scores, same = case
    for measure in (area, equal_error_rate):
        assert measure(np.exp(factor * scores) + shift, same) == pytest.approx(
            measure(scores, same), abs=1e-9
        )


@given(trials())
def test_turning_scores_and_labels_around_changes_neither(case):
    scores, same = case
    assert area(-scores, 1 - same) == pytest.approx(area(scores, same), abs=1e-12)
    assert equal_error_rate(-scores, 1 - same) == pytest.approx(equal_error_rate(scores, same), abs=1e-12)


def test_by_hand():
    same = np.array([1, 1, 1, 0, 0, 0])
    assert (area([9, 8, 7, 3, 2, 1], same), equal_error_rate([9, 8, 7, 3, 2, 1], same)) == (1, 0)
    assert (area([1, 2, 3, 7, 8, 9], same), equal_error_rate([1, 2, 3, 7, 8, 9], same)) == (0, 1)
    assert (area(np.zeros(6), same), equal_error_rate(np.zeros(6), same)) == (0.5, 0.5)
    # from 9 down: true, false, true, false, true, false. After three, a third of each kind is mistaken.
    assert equal_error_rate([9, 7, 5, 8, 6, 4], same) == pytest.approx(1 / 3)
    assert area([9, 7, 5, 8, 6, 4], same) == pytest.approx((3 + 2 + 1) / 9)
    # two of one class, one of another in between: from (0, 1/2) to (1, 1/2) both meet at 1/2
    assert equal_error_rate([3, 1, 2], [1, 1, 0]) == pytest.approx(0.5)
    assert roc([3, 1, 2], [True, True, False]).thresholds.tolist() == [np.inf, 3, 2, 1]


def test_accuracy_depends_on_how_many_pairs_there_are_of_each_kind_and_these_do_not():
    rng = np.random.default_rng(0)
    one, two = rng.normal(1, 1, size=500), rng.normal(-1, 1, size=500)
    scores, same = np.concatenate([one, two]), np.repeat([1, 0], 500)
    many, label = (
        np.concatenate([one, np.tile(two, 19)]),
        np.concatenate([np.ones(500, int), np.zeros(9500, int)]),
    )
    for measure in (area, equal_error_rate):
        assert measure(scores, same) == pytest.approx(measure(many, label), abs=1e-12)
    assert ((many > 2) == label).mean() > ((scores > 2) == same).mean() + 0.2


@pytest.mark.parametrize("kind", [1, 0])
def test_pairs_of_one_kind_are_told(kind):
    for measure in (roc, area, equal_error_rate):
        with pytest.raises(
            ValueError, match=rf"^same holds \[{kind}\]; pairs of both kinds, 1 and 0, are needed"
        ):
            measure(np.arange(3), np.full(3, kind))


@pytest.mark.parametrize(
    ("scores", "same", "words"),
    [
        ([1.0, np.nan], [0, 1], r"scores must be finite numbers in one row, got float64 of shape \(2,\)"),
        ([[1.0, 2.0]], [0, 1], r"scores must be finite numbers in one row"),
        (["a", "b"], [0, 1], r"scores must be finite numbers in one row"),
        ([1.0, 2.0], [0, 1, 1], r"same is int64 of shape \(3,\); 1 or 0 for each of 2 scores is needed"),
        ([1.0, 2.0], [0.0, 1.0], r"same is float64 of shape \(2,\); 1 or 0 for each"),
        ([1.0, 2.0, 3.0], [0, 1, 2], r"same holds \[0, 1, 2\]; pairs of both kinds"),
        ([], np.zeros(0, int), r"same holds \[\]; pairs of both kinds"),
    ],
)
def test_odd_trials_are_told_in_a_sentence(scores, same, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        area(scores, same)
