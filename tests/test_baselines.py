"""The nearest centroid, against its triple loop; the prior over curves, against pencil and equations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.baselines import condition, learn_prior, nearest_centroid
from reference.episodes import Examples


def episode_of(seed, n_way=4, k_shot=3, n_query=6):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(n_way), k_shot))
    return Examples(rng.normal(size=(len(y), 2, 5)), y), rng.normal(size=(n_query, 2, 5))


@given(st.integers(0, 1000), st.integers(2, 5), st.integers(1, 3))
def test_scores_are_minus_the_squared_distances_to_the_class_means(seed, n_way, k_shot):
    support, query_x = episode_of(seed, n_way, k_shot)
    scores = nearest_centroid(support)(query_x)
    for i, x in enumerate(query_x):
        for label in range(n_way):
            rows = [row for row, y in zip(support.x, support.y, strict=True) if y == label]
            distance = sum(
                (a - sum(r.ravel()[j] for r in rows) / k_shot) ** 2 for j, a in enumerate(x.ravel())
            )
            assert scores[i, label] == pytest.approx(-distance)


@given(st.integers(0, 1000))
def test_the_order_of_the_support_rows_does_not_matter(seed):
    support, query_x = episode_of(seed)
    order = np.random.default_rng(seed).permutation(len(support.y))
    shuffled = Examples(support.x[order], support.y[order])
    assert np.allclose(nearest_centroid(shuffled)(query_x), nearest_centroid(support)(query_x))


def test_each_query_is_scored_alone():
    support, query_x = episode_of(0)
    predict = nearest_centroid(support)
    assert np.array_equal(predict(query_x)[2], predict(query_x[2:3])[0])


X, Y = np.zeros((4, 3)), np.array([0, 1, 1, 0])

WRONG_SUPPORTS = {
    "a class lacks": (
        X,
        Y * 2,
        r"support.y: got classes \[0, 2\]; each of 0..2, and no other, needs an example",
    ),
    "negative": (X, Y - 1, r"support.y: got \[-1\]; the classes are 0..0"),
    "floats": (X, Y / 1, r"support.y: got float64 of shape \(4,\); classes are whole numbers"),
    "bools": (X, Y == 1, "support.y: got bool"),
    "nothing": (X[:0], Y[:0], r"support.y: got int64 of shape \(0,\); classes are whole numbers"),
    "a label short": (X, Y[:3], "support: got 4 inputs and 3 targets; each input needs one"),
    "a batch of tasks": (X[None], Y[None], r"support.y: got shape \(1, 4\), which is 1 tasks; one is needed"),
}


@pytest.mark.parametrize("x, y, says", WRONG_SUPPORTS.values(), ids=WRONG_SUPPORTS)
def test_a_support_set_that_is_none_is_told(x, y, says):
    with pytest.raises(ValueError, match=says):
        nearest_centroid(Examples(x, y))


@pytest.mark.parametrize("shape", [(3,), (2, 4), (2, 3, 1), ()])
def test_queries_of_another_shape_are_told(shape):
    with pytest.raises(ValueError, match=r"query_x: got shape .*; the support asks for \(q, 3\)"):
        nearest_centroid(Examples(X, Y))(np.zeros(shape))


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.uint64])
def test_labels_may_be_of_any_whole_kind(kind):
    assert nearest_centroid(Examples(X, Y.astype(kind)))(X).shape == (4, 2)


def prior_of(seed, d=4):
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(d, d))
    return {"mean": rng.normal(size=d), "covariance": half @ half.T, "noise": 0.3}, rng


@given(st.integers(0, 1000), st.integers(0, 6))
def test_the_guess_is_that_of_the_normal_equations_of_support_loss_and_pull(seed, k):
    params, rng = prior_of(seed)
    h, y = rng.normal(size=(k, 4)), rng.normal(size=(k, 1))
    pull = np.linalg.inv(params["covariance"])
    left = h.T @ h / 0.3 + pull
    expected = np.linalg.solve(left, h.T @ y[:, 0] / 0.3 + pull @ params["mean"])
    assert np.allclose(condition(params, h, y), expected, rtol=1e-4, atol=1e-4)


def test_one_exact_point_of_a_line_is_shared_by_slope_and_intercept():
    standard = {"mean": np.zeros(2), "covariance": np.eye(2), "noise": 0.0}
    h, y = np.array([[1.0, 1.0]]), np.array([[3.0]])
    assert np.allclose(condition(standard, h, y), 1.5)
    assert np.allclose(condition(standard, np.vstack([h, h]), np.vstack([y, y])), 1.5)  # nothing new


def test_the_prior_is_mean_covariance_and_residual_of_the_fits():
    rng = np.random.default_rng(0)
    h, weights = rng.normal(size=(50, 30, 3)), rng.normal(size=(50, 3))
    y = h @ weights[..., None] + 0.1 * rng.choice([-1, 1], size=(50, 30, 1))
    prior = learn_prior(h, y, ridge=1e-9)
    fits = np.stack([np.linalg.solve(a.T @ a, a.T @ b)[:, 0] for a, b in zip(h, y, strict=True)])
    assert np.allclose(prior["mean"], fits.mean(0)) and np.allclose(prior["covariance"], np.cov(fits.T))
    assert prior["noise"] == pytest.approx(np.mean((h @ fits[..., None] - y) ** 2))


def test_the_ridge_stands_on_the_diagonal():
    prior = learn_prior(np.ones((2, 1, 1)), np.array([[[2.0]], [[4.0]]]), ridge=1.0)
    assert prior["mean"] == pytest.approx(1.5)  # h y / (h h + 1): 1 and 2


def test_one_task_has_no_covariance():
    with pytest.raises(ValueError, match="^heights: 1 task has no covariance"):
        learn_prior(np.ones((1, 3, 2)), np.ones((1, 3, 1)))
