"""The ROC and its two numbers against counting, pencil and paper, and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from reference.evaluation import Score
from reference.verification import area, equal_error_rate, half_width_over_groups, roc


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


# The interval over groups


def pairs_of(rng, n_groups=20, n_pairs=2000, spread=1.0):
    """Pairs of one class and of two, whose scores depend on their groups: some groups are harder."""
    groups = rng.integers(n_groups, size=(n_pairs, 2))
    same = np.arange(n_pairs) % 2
    groups[same == 1, 1] = groups[same == 1, 0]
    hard = spread * rng.normal(size=n_groups)
    return rng.normal(size=n_pairs) + 2 * same - hard[groups].mean(1) * same, same, groups


def half_width(case, measure=area, n_resamples=200, seed=0):
    scores, same, groups = case
    settings = {"groups": groups, "n_resamples": n_resamples, "rng": np.random.default_rng(seed)}
    return half_width_over_groups(measure, scores, same, **settings)


def test_a_pair_counts_as_often_as_its_groups_came():
    """Two groups and four pairs, every redraw by hand: both once, or one of them twice."""
    groups, met = np.array([[5, 5], [5, 5], [9, 9], [5, 9]]), set()

    def measure(scores, same):
        assert scores.shape == same.shape and (same == scores % 2).all()
        met.add(tuple(scores.tolist()))
        return 0.0

    assert half_width((np.arange(4.0), np.array([0, 1, 0, 1]), groups), measure) == 0
    assert met == {(0, 1, 2, 3), (0, 0, 1, 1), (2, 2)}


def test_the_spread_of_a_mean_is_that_of_the_formula():
    """For pairs within groups of one size a mean is a mean of groups, whose interval a Score gives."""
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(12), 10)
    scores = rng.normal(size=12)[groups] + rng.normal(size=120)
    case = scores, np.arange(120) % 2, np.stack([groups, groups], axis=1)
    found = half_width(case, lambda scores, same: scores.mean(), n_resamples=4000)
    assert found == pytest.approx(Score(scores.reshape(12, 10).mean(1)).half_width, rel=0.05)


@pytest.mark.parametrize("measure", [area, equal_error_rate])
def test_the_interval_covers_the_truth(measure):
    """Of samples that are each a fresh draw of groups, some 95 % of the intervals hold the truth."""
    truth = measure(*pairs_of(np.random.default_rng(1), n_groups=5000, n_pairs=200_000)[:2])
    rng, held = np.random.default_rng(2), []
    for _ in range(80):
        case = pairs_of(rng, n_pairs=600)
        held.append(abs(measure(*case[:2]) - truth) < half_width(case, measure, n_resamples=50))
    assert np.mean(held) >= 0.87


def test_it_is_wider_where_groups_differ():
    case, alike = pairs_of(np.random.default_rng(3)), pairs_of(np.random.default_rng(3), spread=0)
    assert half_width(case) > 1.5 * half_width(alike)
    assert half_width(case) == half_width(case) != half_width(case, seed=1)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (np.zeros((4, 2), int), r"groups holds 1 group; an interval over groups needs at least 2"),
        (np.zeros((3, 2), int), r"groups is int64 of shape \(3, 2\); two whole numbers for each of 4 pairs"),
        (np.zeros((4, 2)), r"groups is float64 of shape \(4, 2\); two whole numbers"),
    ],
)
def test_odd_groups_are_told_in_a_sentence(groups, words, as_users_meet):
    verification, rng = as_users_meet("reference.verification"), np.random.default_rng(0)
    with pytest.raises(ValueError, match=f"^{words}"):
        verification.half_width_over_groups(
            verification.area, np.arange(4.0), np.arange(4) % 2, groups=groups, n_resamples=2, rng=rng
        )
