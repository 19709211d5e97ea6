"""Relation networks against pencil and paper, a loop, and finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import Episode, Examples
from reference.params import join, part
from tests.sides import PYTORCH, SCRATCH, along, mlp_params, random_direction, slope


def params_of(seed=0):
    return join(embedding=mlp_params(seed, [5, 3]), relation=mlp_params(seed + 1, [6, 4, 1]))


def networks(side):
    return {"embed": side.nn.mlp, "relate": side.nn.mlp}


def random_episode(seed, n_way=3):
    rng = np.random.default_rng(seed)
    parts = []
    for n_each in (2, 4):
        y = rng.permutation(np.tile(np.arange(n_way), n_each))
        parts.append(Examples(rng.normal(size=(len(y), 5)), y))
    return Episode(*parts)


def test_a_pair_is_the_difference_and_the_product(side):
    queries, centers = np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([[4.0, -1.0]])
    joined = side.relation.pairs(side.array(queries), side.array(centers))
    assert side.numpy(joined).tolist() == [[[3, 3, 4, -2]], [[4, 4, 0, -3]]]


def test_scores_by_hand(side):
    # |1 - 3| + 1 * 3 = 5 and |1 - 0| + 1 * 0 = 1
    total = lambda params, joined: joined.sum(-1)[:, None]  # noqa: E731
    scores = side.relation.relation_scores(
        {"relation.unused": None},
        side.array(np.array([[1.0]])),
        side.array(np.array([[3.0], [0.0]])),
        relate=total,
    )
    expected = [1 / (1 + np.exp(-5)), 1 / (1 + np.exp(-1))]
    assert side.numpy(scores)[0].tolist() == pytest.approx(expected, abs=1e-15)


@given(seed=st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_loss_equals_a_loop_over_queries_and_classes(seed):
    params, episode = params_of(seed), random_episode(seed)
    net = SCRATCH.nn.mlp
    embed = lambda x: net(part(params, "embedding"), x)  # noqa: E731
    total = 0.0
    for x, y in zip(*episode.query, strict=True):
        for k in range(3):
            q, c = embed(x[None])[0], embed(episode.support.x[episode.support.y == k]).mean(0)
            joined = np.concatenate([np.abs(q - c), q * c])[None]
            score = 1 / (1 + np.exp(-net(part(params, "relation"), joined).item()))
            total += (score - float(y == k)) ** 2
    for side in (SCRATCH, PYTORCH):
        mine = side.relation.loss(side.array(params), side.array(episode), **networks(side))
        assert float(mine) == pytest.approx(total / len(episode.query.y), abs=1e-12)


def test_meta_gradient_agrees_with_finite_differences(side):
    params, episode = params_of(), side.array(random_episode(1))
    gradient, value = side.relation.meta_gradient(side.array(params), episode, **networks(side))
    assert not getattr(value, "requires_grad", False) and gradient.keys() == params.keys()
    direction = random_direction(params)
    expected = slope(side, lambda p: side.relation.loss(p, episode, **networks(side)), params, direction)
    assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-7)


def test_a_query_is_answered_the_same_alone(side):
    support, query, _ = side.array(random_episode(2))
    predict = side.relation.adapt(side.array(params_of()), support, **networks(side))
    for i in range(len(query.x)):
        alone, among = predict(query.x[i : i + 1])[0], predict(query.x)[i]
        np.testing.assert_allclose(side.numpy(among), side.numpy(alone), rtol=1e-12)


def test_odd_labels_and_a_batch_are_named(side):
    support, query, _ = random_episode(3)
    params = side.array(params_of())
    with pytest.raises(ValueError, match=r"^query.y: got \[-1\]; the classes are 0\.\.2\.$"):
        wrong = Episode(support, Examples(query.x, query.y - 1))
        side.relation.meta_gradient(params, side.array(wrong), **networks(side))
    many = Examples(*(np.stack([a, a]) for a in support))
    with pytest.raises(ValueError, match=r"^support.y: got shape \(2, 6\), which is 2 tasks; one is needed"):
        side.relation.adapt(params, side.array(many), **networks(side))
    narrow = Episode(*(Examples(p.x, p.y.astype(np.uint8)) for p in (support, query)))
    values = [
        float(side.relation.loss(params, side.array(e), **networks(side)))
        for e in (Episode(support, query), narrow)
    ]
    assert values[0] == values[1]
