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


def test_a_class_without_an_example_is_named():
    with pytest.raises(ValueError, match=r"support.y has no example of class 1; classes 0..2 need one each"):
        nearest_centroid(Examples(np.zeros((2, 3)), np.array([0, 2])))
