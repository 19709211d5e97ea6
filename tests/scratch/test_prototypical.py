"""Prototypical networks against a triple loop, and what must not change the answer."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import Episode, Examples
from reference.scratch.autodiff import check_gradients, log_softmax
from reference.scratch.nn import conv4, init_conv4, init_mlp, mlp
from reference.scratch.prototypical import (
    adapt,
    init,
    linear_form,
    log_probabilities,
    loss,
    meta_gradient,
    prototypes,
    squared_distances,
)


def draw(seed, n_way=4, k_shot=3, n_query=5, d=6):
    """An episode of vectors, classes in no order."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(n_way, d))

    def examples(n):
        labels = rng.permutation(np.repeat(np.arange(n_way), n))
        return Examples(centers[labels] + 0.5 * rng.normal(size=(n_way * n, d)), labels)

    return Episode(examples(k_shot), examples(n_query))


def network(seed=0):
    params = init(np.random.default_rng(seed), partial(init_mlp, sizes=[6, 8, 5]))
    return {name: p.astype(np.float64) for name, p in params.items()}


def by_loops(support, labels, queries, n_way):
    """Log-probabilities of equations 1 and 2, one number at a time."""
    answer = []
    for query in queries:
        scores = []
        for k in range(n_way):
            members = [row for row, label in zip(support, labels, strict=True) if label == k]
            distance = 0.0
            for j in range(len(query)):
                center = sum(row[j] for row in members) / len(members)
                distance += (query[j] - center) ** 2
            scores.append(-distance)
        total = math.log(sum(math.exp(score) for score in scores))
        answer.append([score - total for score in scores])
    return answer


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4))
def test_equations_1_and_2_are_the_triple_loop(seed, n_way, k_shot):
    support, query, _ = draw(seed, n_way, k_shot)
    found = log_probabilities(query.x, prototypes(support.x, support.y, n_way))
    np.testing.assert_allclose(found, by_loops(support.x, support.y, query.x, n_way), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_support_does_not_matter(seed):
    (x, y), query, _ = draw(seed)
    order = np.random.default_rng(seed).permutation(len(x))
    np.testing.assert_allclose(prototypes(x[order], y[order], 4), prototypes(x, y, 4), atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(4)))
def test_other_names_for_the_classes_only_move_the_columns(names):
    names, (support, query, _), params = np.array(names), draw(0), network()
    scores = adapt(params, support, embed=mlp)(query.x)
    renamed = adapt(params, Examples(support.x, names[support.y]), embed=mlp)(query.x)
    np.testing.assert_allclose(renamed[:, names], scores, atol=1e-12)


def test_unequal_shots_are_weighed_by_class():
    found = prototypes(np.array([[0.0], [2.0], [10.0]]), np.array([1, 1, 0]), 2)
    np.testing.assert_array_equal(found, [[10.0], [1.0]])


def test_a_query_is_answered_the_same_alone():
    support, query, _ = draw(1)
    predict = adapt(network(), support, embed=mlp)
    for i in range(len(query.x)):
        np.testing.assert_allclose(predict(query.x)[i], predict(query.x[i : i + 1])[0], rtol=1e-12)


def test_it_is_a_linear_classifier():
    support, query, _ = draw(2)
    centers = prototypes(support.x, support.y, 4)
    weight, bias = linear_form(centers)
    linear = query.x @ weight.T + bias
    np.testing.assert_allclose(log_softmax(linear), log_probabilities(query.x, centers), atol=1e-10)
    shared = np.sum(query.x**2, axis=1, keepdims=True)
    np.testing.assert_allclose(linear - shared, -squared_distances(query.x, centers), atol=1e-10)


def test_derivatives_to_second_order():
    rng, labels = np.random.default_rng(3), np.array([0, 1, 1, 0])
    check_gradients(lambda z: prototypes(z, labels, 2) ** 2, rng.normal(size=(4, 3)), rng=rng)
    check_gradients(log_probabilities, rng.normal(size=(4, 3)), rng.normal(size=(2, 3)), rng=rng)


def test_meta_gradient_is_the_slope_of_the_loss_and_adapting_the_same_episode_gives_that_loss():
    params, episode = network(), draw(4)
    gradient, value = meta_gradient(params, episode, embed=mlp)
    scores = adapt(params, episode.support, embed=mlp)(episode.query.x)
    assert value == pytest.approx(-scores[np.arange(20), episode.query.y].mean(), rel=1e-12)
    direction = {name: np.random.default_rng(5).normal(size=p.shape) for name, p in params.items()}
    ahead, behind = (
        loss({name: p + h * direction[name] for name, p in params.items()}, episode, embed=mlp)
        for h in (1e-6, -1e-6)
    )
    slope = sum(np.sum(gradient[name] * direction[name]) for name in params)
    assert slope == pytest.approx((ahead - behind) / 2e-6, rel=1e-6)


def test_it_runs_on_images_in_float32():
    rng = np.random.default_rng(0)
    params = init(rng, partial(init_conv4, width=4))
    images, labels = rng.uniform(size=(6, 1, 28, 28)).astype(np.float32), np.array([1, 0, 2, 0, 1, 2])
    episode = Episode(Examples(images[:3], labels[[0, 1, 2]]), Examples(images[3:], labels[3:]))
    gradient, value = meta_gradient(params, episode, embed=conv4)
    assert value.dtype == np.float32 and {g.dtype for g in gradient.values()} == {np.dtype(np.float32)}
    assert {name: g.shape for name, g in gradient.items()} == {name: p.shape for name, p in params.items()}


@pytest.mark.parametrize("labels", [[0, 0, 2], [0, 1, 3], [-1, 0, 1]])
def test_a_missing_or_a_foreign_class_is_named(labels):
    with pytest.raises(
        ValueError, match=r"labels: got classes \[.*\]; each of 0..2, and no other, needs an example"
    ):
        prototypes(np.ones((3, 2)), np.array(labels), 3)
