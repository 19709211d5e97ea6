"""Intervals that cover what they promise, and comparisons on the same episodes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference.baselines import nearest_centroid
from reference.episodes import Episode, Examples
from reference.evaluation import Score, accuracy, bootstrap_interval, compare, episodes_needed, evaluate

values_of_episodes = arrays(np.float64, st.integers(2, 30), elements=st.floats(-100, 100, width=32))


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
    score = Score(np.array([0.2, 0.4, 0.6, 0.8]))
    assert score.mean == pytest.approx(0.5)
    assert score.half_width == pytest.approx(1.96 * math.sqrt(0.2 / 3) / 2)  # squares sum to 0.2, ddof 1
    assert score.interval == pytest.approx((0.5 - 0.2530349, 0.5 + 0.2530349), abs=1e-6)
    assert score.n == 4


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
    assert Score(values).half_width == pytest.approx(1.96 * math.sqrt(variance / len(values)), abs=1e-9)


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


@pytest.mark.parametrize("wrong", [np.zeros(3), np.nan, np.inf])
def test_a_metric_that_is_not_one_finite_number_is_refused(wrong):
    with pytest.raises(ValueError, match="metric gave .* on episode 0; one finite number is needed"):
        evaluate(nearest_centroid, Blobs(), n_episodes=2, rng=new_rng(), metric=lambda scores, labels: wrong)


def test_compare_gives_the_differences_episode_by_episode():
    difference = compare(Score(np.array([0.9, 0.5, 0.7])), Score(np.array([0.8, 0.3, 0.7])))
    assert difference.values == pytest.approx([0.1, 0.2, 0.0])
    assert difference.mean == pytest.approx(0.1)


def test_compare_refuses_different_numbers_of_episodes():
    with pytest.raises(ValueError, match="a holds 3 episodes and b 2; a paired comparison needs the same"):
        compare(Score(np.zeros(3)), Score(np.zeros(2)))


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


# episodes_needed


def test_one_point_at_even_odds_takes_9604_episodes():
    assert episodes_needed(0.5, 0.01) == 9604  # the pollster's number


@given(st.floats(0.05, 2), st.floats(0.01, 0.5))
def test_that_many_episodes_reach_the_width_and_one_fewer_does_not(std, half_width):
    n = episodes_needed(std, half_width)
    assert 1.96 * std / math.sqrt(n) <= half_width * (1 + 1e-6)
    assert n == 2 or 1.96 * std / math.sqrt(n - 1) > half_width * (1 - 1e-6)


@pytest.mark.parametrize(("std", "half_width"), [(-0.1, 0.1), (0.1, 0.0), (0.1, -1.0), (math.nan, 0.1)])
def test_widths_that_make_no_sense_are_refused(std, half_width):
    with pytest.raises(ValueError, match="std must be >= 0 and half_width > 0"):
        episodes_needed(std, half_width)
