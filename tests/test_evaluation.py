"""Intervals that cover what they promise, and comparisons on the same episodes."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import t

from reference.baselines import nearest_centroid
from reference.episodes import Episode, Examples
from reference.evaluation import Score, accuracy, bootstrap_interval, compare, episodes_needed, evaluate

values_of_episodes = arrays(np.float64, st.integers(2, 40), elements=st.floats(-100, 100, width=32))


def new_rng(seed=0):
    return np.random.default_rng(seed)


class Blobs:
    """Five classes of noisy points around centres that are drawn anew for each episode."""

    def sample(self, rng):
        centres = rng.normal(size=(5, 3))

        def examples(n_each):
            y = rng.permutation(np.repeat(np.arange(5), n_each))
            return Examples(centres[y] + 0.5 * rng.normal(size=(len(y), 3)), y)

        return Episode(examples(1), examples(4), task=centres)

    def sample_batch(self, rng, n_tasks):
        raise NotImplementedError("evaluate draws one episode at a time")


# Score


def test_mean_and_half_width_of_hand_numbers():
    score = Score(np.tile([0.2, 0.4, 0.6, 0.8], 25))
    assert score.mean == pytest.approx(0.5) and type(score.mean) is float
    assert score.half_width == pytest.approx(1.96 * math.sqrt(5 / 99) / 10)  # squares sum to 5, ddof 1
    assert score.interval == pytest.approx((0.5 - 0.0440474, 0.5 + 0.0440474), abs=1e-6)
    assert score.n == 100
    few = Score(np.array([0.2, 0.4, 0.6, 0.8]))
    assert few.half_width == pytest.approx(3.182446 * math.sqrt(0.2 / 3) / 2)  # Student's factor for four


def test_a_score_prints_its_interval_and_its_episodes():
    score = Score(np.tile([0.8, 1.0], 50))
    assert f"{score}" == str(score) == repr(score) == "0.900 +- 0.020 (95% CI, 100 episodes)"
    assert f"{score:.1%}" == "90.0% +- 2.0% (95% CI, 100 episodes)"
    assert f"{score:.2g}" == "0.9 +- 0.02 (95% CI, 100 episodes)"


def test_one_episode_has_a_mean_and_no_interval():
    score = Score(np.array([0.75]))
    assert f"{score}" == "0.750 (1 episode: no interval)"
    with pytest.raises(ValueError, match=r"values holds 1 episode\(s\); an interval needs at least 2"):
        _ = score.half_width


@given(values_of_episodes, st.floats(-50, 50), st.floats(0.01, 10))
def test_shift_moves_the_mean_and_scale_stretches_both(values, shift, scale):
    score, moved = Score(values), Score(scale * values + shift)
    assert moved.mean == pytest.approx(scale * score.mean + shift, abs=1e-8)
    assert moved.half_width == pytest.approx(scale * score.half_width, abs=1e-8)


@given(values_of_episodes, st.randoms(use_true_random=False))
def test_the_order_of_episodes_does_not_matter(values, shuffler):
    shuffled = values.tolist()
    shuffler.shuffle(shuffled)
    assert Score(np.array(shuffled)).interval == pytest.approx(Score(values).interval, abs=1e-9)


@given(values_of_episodes)
def test_the_half_width_is_the_one_of_the_textbook_sum(values):
    mean = sum(values.tolist()) / len(values)
    variance = sum((v - mean) ** 2 for v in values.tolist()) / (len(values) - 1)
    factor = 1.96 if len(values) >= 30 else t.isf(0.025, len(values) - 1)
    assert Score(values).half_width == pytest.approx(factor * math.sqrt(variance / len(values)), rel=1e-6)


def coverage(interval_of, truth, draw, n_experiments):
    ends = [interval_of(draw()) for _ in range(n_experiments)]
    return np.mean([low <= truth <= high for low, high in ends])


def test_the_interval_covers_the_truth_in_95_of_100_experiments():
    rng = new_rng(1)
    share = coverage(lambda v: Score(v).interval, 0.8, lambda: rng.binomial(75, 0.8, size=200) / 75, 2000)
    assert abs(share - 0.95) < 4 * math.sqrt(
        0.95 * 0.05 / 2000
    )  # four standard deviations of a binomial share


def test_a_standard_deviation_in_its_place_covers_far_too_much():
    rng = new_rng(2)

    def wrong(v):
        return v.mean() - v.std(), v.mean() + v.std()

    assert coverage(wrong, 0.8, lambda: rng.binomial(75, 0.8, size=200) / 75, 500) == 1.0


@pytest.mark.parametrize("n", [2, 5, 10, 29, 30])
def test_the_interval_of_few_episodes_covers_95_of_100_too(n):
    values = new_rng(n).normal(size=(n, 20_000))  # experiments are measures here: one Score holds them all
    low, high = Score(values).interval
    assert abs(np.mean((low <= 0) & (0 <= high)) - 0.95) < 0.015


def test_students_factors_are_those_of_the_distribution():
    factors = [Score(np.tile([0.0, 1.0], n)[:n]) for n in range(2, 41)]
    for score in factors:
        factor = score.half_width * math.sqrt(score.n) / score.values.std(ddof=1)
        assert factor == pytest.approx(t.isf(0.025, score.n - 1) if score.n < 30 else 1.96, rel=1e-7)


# Scores of several measures


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(2, 35), st.integers(1, 3), st.integers(1, 3)),
        elements=st.floats(-9, 9),
    )
)
def test_a_score_of_measures_is_the_scores_of_each(values):
    score = Score(values)
    assert score.mean.shape == score.half_width.shape == score.interval[0].shape == values.shape[1:]
    for i, row in enumerate(score):
        for j, one in enumerate(row):
            alone = Score(values[:, i, j])
            assert one.values.tolist() == score[i, j].values.tolist() == alone.values.tolist()
            assert score.mean[i, j] == pytest.approx(alone.mean, abs=1e-12)
            assert score.half_width[i, j] == pytest.approx(alone.half_width, abs=1e-12)
    assert score[:, 0].values.tolist() == values[:, :, 0].tolist()
    assert score[-1].n == score.n == len(values)


def test_compare_of_curves_is_compare_at_each_step():
    rng = new_rng(11)
    a, b = rng.normal(size=(2, 30, 4))
    difference = compare(Score(a), Score(b))
    for step in range(4):
        assert str(difference[step]) == str(compare(Score(a[:, step]), Score(b[:, step])))


def test_a_score_of_measures_prints_on_one_line():
    values = np.tile([[0.8, 0.1], [1.0, 0.3]], (50, 1))
    assert f"{Score(values)}" == "[0.900 +- 0.020, 0.200 +- 0.020] (2 measures, 95% CI, 100 episodes)"
    long = Score(np.tile(np.arange(100.0)[:, None], (1, 12)).reshape(100, 3, 4))
    assert f"{long:.1f}" == (
        "[49.5 +- 5.7, 49.5 +- 5.7, 49.5 +- 5.7, ..., 49.5 +- 5.7] (3x4 measures, 95% CI, 100 episodes)"
    )
    assert f"{Score(values[:1])}" == "[0.800, 0.100] (2 measures, 1 episode: no interval)"


def test_one_measure_has_nothing_to_choose_from():
    score = Score(np.zeros(3))
    with pytest.raises(IndexError, match=r"one measure; the number of episode i is score.values\[i\]"):
        score[0]
    with pytest.raises(TypeError, match="one measure; its numbers are score.values"):
        list(score)
    with pytest.raises(IndexError):
        Score(np.zeros((3, 2)))[2]


@pytest.mark.parametrize(
    "values, says",
    [
        (np.zeros(0), r"values has shape \(0,\); at least one episode and one measure"),
        (np.zeros((3, 0)), r"values has shape \(3, 0\)"),
        (0.5, "values must be numbers"),
        (["0.5"], "values must be numbers"),
        (np.array([1j, 2]), "values must be numbers"),
        ([[0.5], [0.5, 0.6]], "values is no array"),
        ([0.5, np.nan], "values holds nan in episode 1; all must be finite"),
        (np.array([[0.5, 0.5], [0.5, -np.inf]]), "values holds -inf in episode 1"),
    ],
)
def test_what_is_no_score_is_refused(values, says):
    with pytest.raises(ValueError, match=says):
        Score(values)


# accuracy


def test_accuracy_is_the_share_of_queries_whose_highest_score_is_at_the_label():
    scores = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [-1.0, -2.0]])
    assert accuracy(scores, np.array([1, 0, 0, 0])) == 0.75


def test_a_batch_of_episodes_gives_one_accuracy_each():
    rng = new_rng()
    scores, labels = rng.normal(size=(6, 10, 5)), rng.integers(5, size=(6, 10))
    assert accuracy(scores, labels).tolist() == [accuracy(s, y) for s, y in zip(scores, labels, strict=True)]


@given(st.floats(0.1, 10), st.floats(-5, 5), st.integers(0, 1000))
def test_accuracy_sees_only_the_order_of_scores(scale, shift, seed):
    rng = new_rng(seed)
    scores, labels = rng.normal(size=(12, 4)), rng.integers(4, size=12)
    assert accuracy(scale * scores + shift, labels) == accuracy(scores, labels)


@given(st.integers(0, 1000))
def test_renaming_the_classes_changes_no_accuracy(seed):
    rng = new_rng(seed)
    scores, labels, names = rng.normal(size=(12, 4)), rng.integers(4, size=12), rng.permutation(4)
    assert accuracy(scores[:, np.argsort(names)], names[labels]) == accuracy(scores, labels)


@pytest.mark.parametrize("shape", [(3,), (4, 1), (4, 2), (1, 4)])
def test_labels_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"labels has shape .*; scores of shape \(4, 2\) need \(4,\)"):
        accuracy(np.zeros((4, 2)), np.zeros(shape, dtype=int))


def test_scores_that_are_not_numbers_are_refused():
    with pytest.raises(ValueError, match="scores holds NaN"):
        accuracy(np.array([[np.nan, 1.0]]), np.array([0]))


@pytest.mark.parametrize("kind", [bool, np.uint8, np.uint64, np.int8])
def test_labels_may_be_of_any_whole_kind(kind):
    assert accuracy(np.array([[0.1, 0.9], [0.2, 0.8]]), np.array([1, 0], dtype=kind)) == 0.5
    assert accuracy([[0.1, 0.9], [0.2, 0.8]], [1, 0]) == 0.5


@pytest.mark.parametrize(
    "scores, labels, says",
    [
        (np.zeros((2, 3)), np.array([0.0, 1.0]), r"labels is float64 of shape \(2,\); whole numbers 0..2"),
        (np.zeros((2, 3)), np.array([0, 3]), "labels goes from 0 to 3; scores of 3 classes allow 0..2"),
        (np.zeros((2, 3)), np.array([-1, 0]), "labels goes from -1 to 0"),
        (np.zeros((0, 3)), np.zeros(0, int), r"labels has shape \(0,\); at least one query is needed"),
        (np.zeros((2, 0)), np.zeros(2, int), r"scores is float64 of shape \(2, 0\)"),
        (np.zeros(2), np.zeros(2, int), r"scores is float64 of shape \(2,\)"),
        (np.array([["a", "b"]]), np.zeros(1, int), "scores is <U1 of shape"),
        ([[0.1], [0.1, 0.2]], [0, 0], "scores is no array"),
    ],
)
def test_accuracy_says_what_is_wrong(scores, labels, says):
    with pytest.raises(ValueError, match=says):
        accuracy(scores, labels)


# evaluate and compare


def test_each_value_is_the_metric_on_the_queries_after_adapting_to_the_support():
    score = evaluate(nearest_centroid, Blobs(), n_episodes=20, rng=new_rng(3))
    rng, by_hand = new_rng(3), []
    for _ in range(20):
        support, query, _ = Blobs().sample(rng)
        by_hand.append(accuracy(nearest_centroid(support)(query.x), query.y))
    assert score.values.tolist() == by_hand
    assert score.mean > 0.3


def test_equal_seeds_give_two_learners_the_same_episodes():
    met = {"one": [], "other": []}

    def remembering(name, answer):
        def adapt(support):
            met[name].append(support.x)
            return answer(support)

        return adapt

    constant = remembering("one", lambda support: lambda x: np.zeros((len(x), 5)))
    evaluate(constant, Blobs(), n_episodes=8, rng=new_rng(4))
    evaluate(remembering("other", nearest_centroid), Blobs(), n_episodes=8, rng=new_rng(4))
    assert np.array_equal(met["one"], met["other"])


def test_the_learner_never_sees_the_labels_of_the_queries():
    def adapt(support):
        assert support.y.shape == (5,)
        return lambda x: (
            np.zeros((len(x), 5)) if isinstance(x, np.ndarray) else pytest.fail("only x is shown")
        )

    evaluate(adapt, Blobs(), n_episodes=2, rng=new_rng())


def test_another_metric_may_be_measured():
    def mean_squared_error(predicted, y):
        return ((predicted - np.eye(5)[y]) ** 2).mean()

    score = evaluate(
        lambda support: lambda x: np.zeros((len(x), 5)),
        Blobs(),
        n_episodes=3,
        rng=new_rng(),
        metric=mean_squared_error,
    )
    assert score.values == pytest.approx([0.2] * 3)


def test_a_prediction_from_torch_becomes_an_array():
    torch = pytest.importorskip("torch")

    def adapt(support):
        predict = nearest_centroid(support)
        return lambda x: torch.from_numpy(predict(x))

    ours = evaluate(nearest_centroid, Blobs(), n_episodes=3, rng=new_rng())
    assert np.array_equal(evaluate(adapt, Blobs(), n_episodes=3, rng=new_rng()).values, ours.values)


@pytest.mark.parametrize("n_episodes", [-1, 0, 1])
def test_too_few_episodes_are_refused_before_any_work(n_episodes):
    with pytest.raises(ValueError, match=f"n_episodes is {n_episodes}; an interval needs at least 2"):
        evaluate(nearest_centroid, Blobs(), n_episodes=n_episodes, rng=new_rng())


@pytest.mark.parametrize("wrong", [np.nan, np.inf, np.zeros(0), None, "0.9", [0.5, np.nan]])
def test_a_metric_that_is_no_finite_number_is_refused(wrong):
    with pytest.raises(ValueError, match="metric gave .* on episode 0; finite numbers are needed"):
        evaluate(nearest_centroid, Blobs(), n_episodes=2, rng=new_rng(), metric=lambda scores, labels: wrong)


def test_a_metric_of_several_measures_gives_a_score_of_them():
    def both(scores, labels):
        return np.array([accuracy(scores, labels), 1 - accuracy(scores, labels)])

    score = evaluate(nearest_centroid, Blobs(), n_episodes=40, rng=new_rng(9), metric=both)
    alone = evaluate(nearest_centroid, Blobs(), n_episodes=40, rng=new_rng(9))
    assert score.values.shape == (40, 2) and score[0].values.tolist() == alone.values.tolist()
    assert score[1].mean == pytest.approx(1 - alone.mean)


def test_measures_that_change_from_episode_to_episode_are_refused():
    shapes = iter([2, 2, 3])
    with pytest.raises(ValueError, match=r"metric gave shape \(3,\) on episode 2 and \(2,\) before"):
        evaluate(
            nearest_centroid,
            Blobs(),
            n_episodes=4,
            rng=new_rng(),
            metric=lambda scores, labels: np.zeros(next(shapes)),
        )


class NoQueries(Blobs):
    def sample(self, rng):
        episode = super().sample(rng)
        return episode._replace(query=Examples(episode.query.x[:0], episode.query.y[:0]))


WRONG_LEARNERS = {
    "adapt that forgets to return": (lambda support: None, "adapt gave None on episode 0; a function"),
    "scores in place of a function": (lambda support: np.zeros((20, 5)), "adapt gave float64 of shape"),
    "one score short": (
        lambda support: lambda x: np.zeros((19, 5)),
        r"predict gave float64 of shape \(19, 5\) on episode 0; a row for each of its 20 queries is needed",
    ),
    "transposed": (lambda support: lambda x: np.zeros((5, 20)), "a row for each of its 20 queries"),
    "nothing": (lambda support: lambda x: None, "predict gave None on episode 0"),
    "classes in place of scores": (
        lambda support: lambda x: np.zeros(20),
        r"scores is float64 of shape \(20,\)",
    ),
    "a ragged list": (lambda support: lambda x: [[0], [0, 1]], "what predict gave on episode 0 is no array"),
    "an empty tuple": (lambda support: lambda x: (), r"predict gave float64 of shape \(0,\) on episode 0"),
    "too few classes": (lambda support: lambda x: np.zeros((20, 3)), "scores of 3 classes allow 0..2"),
}


@pytest.mark.parametrize("adapt, says", WRONG_LEARNERS.values(), ids=WRONG_LEARNERS)
def test_a_learner_that_breaks_the_contract_is_told_how(adapt, says):
    with pytest.raises(ValueError, match=says):
        evaluate(adapt, Blobs(), n_episodes=2, rng=new_rng())


def test_tasks_without_queries_are_told():
    with pytest.raises(ValueError, match="tasks gave no query in episode 0; at least one is needed"):
        evaluate(lambda support: lambda x: np.zeros((len(x), 5)), NoQueries(), n_episodes=2, rng=new_rng())


def test_a_prediction_of_mean_and_deviation_stays_one():
    class Normal(NamedTuple):
        mean: np.ndarray
        deviation: np.ndarray

    def log_likelihood(normal, y):
        assert type(normal) is Normal and normal.mean.shape == normal.deviation.shape == (20, 1)
        return -np.log(normal.deviation).mean()

    def adapt(support):
        return lambda x: Normal(np.zeros((len(x), 1)), np.full((len(x), 1), 2.0))

    score = evaluate(adapt, Blobs(), n_episodes=2, rng=new_rng(), metric=log_likelihood)
    assert score.mean == pytest.approx(-np.log(2))


def test_compare_gives_the_differences_episode_by_episode():
    difference = compare(Score(np.array([0.9, 0.5, 0.7])), Score(np.array([0.8, 0.3, 0.7])))
    assert difference.values == pytest.approx([0.1, 0.2, 0.0])
    assert difference.mean == pytest.approx(0.1)


def test_compare_refuses_different_numbers_of_episodes_and_of_measures():
    with pytest.raises(ValueError, match="a holds 3 episodes and b 2; a paired comparison needs the same"):
        compare(Score(np.zeros(3)), Score(np.zeros(2)))
    with pytest.raises(ValueError, match=r"a has measures \(2,\) and b \(\); a paired comparison needs"):
        compare(Score(np.zeros((3, 2))), Score(np.zeros(3)))


@pytest.mark.parametrize("kind", [np.uint8, np.uint64, np.int8, bool, np.float16])
def test_differences_do_not_wrap(kind):
    a, b = Score(np.array([1, 0, 1], dtype=kind)), Score(np.array([0, 1, 1], dtype=kind))
    assert compare(a, b).values.tolist() == [1, -1, 0]


@given(st.integers(0, 10_000), st.integers(3, 40))
def test_pairing_is_narrower_exactly_when_the_two_move_together(seed, n):
    rng = new_rng(seed)
    difficulty = rng.normal(size=n)
    a, b = Score(difficulty + rng.normal(size=n)), Score(difficulty + rng.normal(size=n))
    paired, unpaired = compare(a, b).half_width, math.hypot(a.half_width, b.half_width)
    assert (paired <= unpaired) == (np.cov(a.values, b.values)[0, 1] >= 0)


# bootstrap


def test_the_bootstrap_agrees_with_the_formula_on_many_episodes():
    values = new_rng(5).binomial(20, 0.7, size=400) / 20
    assert bootstrap_interval(values, n_resamples=4000, rng=new_rng(6)) == pytest.approx(
        Score(values).interval, abs=0.002
    )


def test_the_bootstrap_covers_the_truth_too():
    rng = new_rng(7)
    share = coverage(
        lambda v: bootstrap_interval(v, n_resamples=200, rng=rng), 1.0, lambda: rng.exponential(size=100), 300
    )
    assert abs(share - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 300)


def test_the_bootstrap_repeats_with_the_generator_and_refuses_one_value():
    values = np.array([0.2, 0.5, 0.9])
    first = bootstrap_interval(values, n_resamples=50, rng=new_rng(8))
    assert first == bootstrap_interval(values, n_resamples=50, rng=new_rng(8))
    assert 0.2 <= first[0] < first[1] <= 0.9
    with pytest.raises(ValueError, match="an interval needs at least 2"):
        bootstrap_interval(np.array([0.5]), n_resamples=50, rng=new_rng())
    with pytest.raises(ValueError, match="n_resamples must be at least 1, got 0"):
        bootstrap_interval(values, n_resamples=0, rng=new_rng())
    with pytest.raises(ValueError, match=r"values has shape \(3, 2\); one number per episode"):
        bootstrap_interval(np.zeros((3, 2)), n_resamples=50, rng=new_rng())
    with pytest.raises(ValueError, match="values holds nan in episode 1"):
        bootstrap_interval(np.array([0.5, np.nan]), n_resamples=50, rng=new_rng())


# episodes_needed


def test_one_point_at_even_odds_takes_9604_episodes():
    assert episodes_needed(0.5, 0.01) == 9604  # the pollster's number


@given(st.floats(0.05, 2), st.floats(0.01, 0.5))
def test_that_many_episodes_reach_the_width_and_one_fewer_does_not(std, half_width):
    n = episodes_needed(std, half_width)
    assert 1.96 * std / math.sqrt(n) <= half_width * (1 + 1e-6)
    assert n == 2 or 1.96 * std / math.sqrt(n - 1) > half_width * (1 - 1e-6)


@pytest.mark.parametrize(
    ("std", "half_width"), [(-0.1, 0.1), (0.1, 0.0), (0.1, -1.0), (math.nan, 0.1), (math.inf, 0.1)]
)
def test_widths_that_make_no_sense_are_refused(std, half_width):
    with pytest.raises(ValueError, match="std must be >= 0 and half_width > 0"):
        episodes_needed(std, half_width)


@pytest.mark.parametrize("given", [None, "1", 1j, np.ones(2)])
def test_widths_that_are_no_numbers_are_refused(given, as_users_meet):
    plain = as_users_meet("reference.evaluation")
    with pytest.raises(ValueError, match="std and half_width must be two numbers, got 1 and"):
        plain.episodes_needed(1, given)
    with pytest.raises(ValueError, match="that takes over 10.16 episodes"):
        plain.episodes_needed(1.0, 1e-200)
    with pytest.raises(ValueError, match="adapt must be a function, got "):
        plain.evaluate(given, Blobs(), n_episodes=2, rng=new_rng())
    with pytest.raises(ValueError, match="rng must be a NumPy generator"):
        plain.evaluate(nearest_centroid, Blobs(), n_episodes=2, rng=0)
    with pytest.raises(ValueError, match="tasks must have sample"):
        plain.evaluate(nearest_centroid, given, n_episodes=2, rng=new_rng())
    with pytest.raises(ValueError, match="a must be a Score"):
        plain.compare(given, given)
