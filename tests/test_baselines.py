"""The nearest centroid, against its triple loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.baselines import nearest_centroid
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
