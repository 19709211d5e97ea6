"""Siamese networks against pencil and paper, loops, and what must not change the answer."""

import math
from functools import partial
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import Examples
from reference.params import join
from tests.sides import PYTORCH, SCRATCH, along, mlp_params, random_direction, slope

SIDES = (SCRATCH, PYTORCH)
few = settings(max_examples=20)
SEEDS = st.integers(0, 2**32 - 1)
APART = ("euclidean", "cosine", "weighted_l1")
COSTS = {"contrastive": {"margin": 2.0}, "same_or_different": {}}


def of(side):
    return import_module(f"reference.{side.name}.siamese")


def params_of(seed=0, dtype=np.float64):
    """An embedding of 6 numbers in 5, and a head."""
    head = {name.removeprefix("layers.0."): p for name, p in mlp_params(seed + 1, [5, 1], dtype).items()}
    return join(embedding=mlp_params(seed, [6, 8, 5], dtype), head=head)


def draw_pairs(seed, n=10):
    rng = np.random.default_rng(seed)
    return Examples(rng.normal(size=(n, 2, 6)), rng.permutation(np.arange(n) % 2))


def draw_support(seed, n_way=4, k_shot=3):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(n_way), k_shot))
    return Examples(rng.normal(size=(len(labels), 6)), labels), rng.normal(size=(7, 6))


def settings_of(side, apart="euclidean", cost="contrastive"):
    siamese = of(side)
    cost = partial(getattr(siamese, cost), **COSTS[cost])
    return {"embed": side.nn.mlp, "apart": getattr(siamese, apart), "cost": cost}


def test_the_contrastive_loss_by_hand(side):
    def cost(distance, same):
        given = side.array(np.array([distance])), side.array(np.array([same]))
        return float(of(side).contrastive(*given, margin=1.0))

    assert cost(3.0, 1) == 4.5  # half of 3^2: drawn together, however far
    assert cost(0.5, 0) == 0.125  # half of (1 - 0.5)^2: pushed apart
    assert cost(1.0, 0) == cost(7.0, 0) == 0  # far enough
    assert cost(0.0, 1) == 0 and cost(0.0, 0) == 0.5
    distances, same = side.array(np.array([3.0, 0.5, 7.0, 0.0])), side.array(np.array([1, 0, 0, 0]))
    assert float(of(side).contrastive(distances, same, margin=1.0)) == (4.5 + 0.125 + 0 + 0.5) / 4


def test_the_cross_entropy_by_hand_and_in_its_tails(side):
    def cost(distances, same):
        given = side.array(np.array(distances)), side.array(np.array(same))
        return float(of(side).same_or_different(*given))

    assert cost([0.0], [1]) == cost([0.0], [0]) == pytest.approx(math.log(2), abs=1e-15)
    assert cost([math.log(3)], [1]) == pytest.approx(math.log(4))  # p(same) = 1 / 4
    assert cost([math.log(3)], [0]) == pytest.approx(math.log(4 / 3))
    assert cost([1000.0, -1000.0], [1, 0]) == 1000
    assert cost([1000.0, -1000.0], [0, 1]) == 0
    assert 0 < cost([40.0], [0]) == pytest.approx(math.exp(-40))


def test_the_three_distances_by_hand(side):
    a, b = side.array(np.array([[3.0, 0.0], [1.0, 1.0]])), side.array(np.array([[0.0, 4.0], [-2.0, -2.0]]))
    params = {"head.weight": np.array([[2.0, -1.0]]), "head.bias": np.array([0.5])}
    siamese = of(side)
    assert side.numpy(siamese.euclidean({}, a, b)).tolist() == pytest.approx([5, math.sqrt(18)])
    assert side.numpy(siamese.cosine({}, a, b)).tolist() == pytest.approx([1, 2])
    assert side.numpy(siamese.weighted_l1(side.array(params), a, b)).tolist() == [2.5, 3.5]


@few
@given(SEEDS)
def test_distances_are_symmetric_and_those_that_are_metrics_are_metrics(seed):
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(3, 6, 5)) * 10.0 ** rng.integers(-3, 4)
    for side in SIDES:
        siamese, params = of(side), side.array(params_of())
        for name in APART:

            def apart(x, y, name=name, side=side, params=params):
                return side.numpy(getattr(of(side), name)(params, side.array(x), side.array(y)))

            np.testing.assert_allclose(apart(a, b), apart(b, a), rtol=1e-12)
            if name == "euclidean":
                assert (apart(a, b) <= apart(a, c) + apart(c, b) + 1e-9).all()
            if name != "weighted_l1":
                np.testing.assert_allclose(apart(a, a), 0, atol=1e-12)
                assert (apart(a, b) > 0).all()
        np.testing.assert_allclose(
            side.numpy(siamese.cosine({}, side.array(7 * a), side.array(0.1 * b))),
            side.numpy(siamese.cosine({}, side.array(a), side.array(b))),
            rtol=1e-9,
        )


@few
@given(SEEDS)
def test_twins_share_their_weights(seed):
    """Each is embedded as it would be alone, and whichever of a pair comes first, the loss is the same."""
    x, y = draw_pairs(seed)
    for side in SIDES:
        params, one = side.array(params_of()), side.array(mlp_params(0, [6, 8, 5]))
        found = of(side).twins(params, side.array(x), embed=side.nn.mlp)
        for i in range(2):
            alone = side.nn.mlp(one, side.array(x[:, i]))
            np.testing.assert_allclose(side.numpy(found[i]), side.numpy(alone), rtol=1e-12)
        for apart in APART:
            losses = [
                float(of(side).loss(params, side.array(Examples(given, y)), **settings_of(side, apart)))
                for given in (x, x[:, ::-1].copy())
            ]
            assert losses[0] == pytest.approx(losses[1], rel=1e-12)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("apart", APART)
def test_meta_gradient_is_the_slope_of_the_loss(side, apart, cost):
    params, pairs, settings = params_of(), side.array(draw_pairs(1)), settings_of(side, apart, cost)
    gradient, value = of(side).meta_gradient(side.array(params), pairs, **settings)
    assert not getattr(value, "requires_grad", False) and list(gradient) == list(params)
    direction = random_direction(params)
    expected = slope(side, lambda p: of(side).loss(p, pairs, **settings), params, direction)
    assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-7)
    if apart != "weighted_l1":
        assert not side.numpy(gradient)["head.weight"].any()


@few
@given(SEEDS, st.integers(2, 5), st.integers(1, 3))
def test_a_query_belongs_to_its_nearest_as_loops_find_it(seed, n_way, k_shot):
    support, queries = draw_support(seed, n_way, k_shot)
    for side in SIDES:
        params, one = side.array(params_of()), side.array(mlp_params(0, [6, 8, 5]))
        known, asked = (side.numpy(side.nn.mlp(one, side.array(x))) for x in (support.x, queries))
        settings = {"embed": side.nn.mlp, "apart": of(side).euclidean}
        found = side.numpy(of(side).adapt(params, side.array(support), **settings)(side.array(queries)))
        for q, query in enumerate(asked):
            for k in range(n_way):
                members = [row for row, y in zip(known, support.y, strict=True) if y == k]
                assert found[q, k] == pytest.approx(-min(math.dist(query, row) for row in members))


@pytest.mark.parametrize("apart", APART)
def test_order_and_names_of_the_support_and_other_queries_do_not_matter(side, apart):
    (x, y), queries = draw_support(3)
    order, names = np.random.default_rng(4).permutation(len(y)), np.array([2, 0, 3, 1])
    settings = {"embed": side.nn.mlp, "apart": getattr(of(side), apart)}

    def answers(x, y, queries=queries):
        predict = of(side).adapt(side.array(params_of()), side.array(Examples(x, y)), **settings)
        return side.numpy(predict(side.array(queries)))

    scores = answers(x, y)
    assert scores.shape == (7, 4)
    np.testing.assert_allclose(answers(x[order], y[order]), scores, rtol=1e-12)
    np.testing.assert_allclose(answers(x, names[y])[:, names], scores, rtol=1e-12)
    for i in range(7):
        np.testing.assert_allclose(answers(x, y, queries[i : i + 1])[0], scores[i], rtol=1e-12)


@pytest.mark.parametrize("apart", APART)
def test_equal_images_and_a_dead_network_give_finite_gradients(side, apart):
    x, y = draw_pairs(2)
    for images in (np.stack([x[:, 0]] * 2, axis=1), 0 * x):
        params = params_of() | {"embedding.layers.1.bias": np.zeros(5)}
        if not images.any():
            params["embedding.layers.0.bias"] = np.zeros(8)  # every embedding is 0
        pairs = side.array(Examples(images, y))
        for cost in COSTS:
            gradient, value = of(side).meta_gradient(
                side.array(params), pairs, **settings_of(side, apart, cost)
            )
            assert np.isfinite(float(value))
            assert all(np.isfinite(g).all() for g in side.numpy(gradient).values())


@pytest.mark.parametrize("cost", COSTS)
def test_it_runs_in_float32(side, cost):
    x, y = draw_pairs(0)
    params = side.array(params_of(dtype=np.float32))
    gradient, value = of(side).meta_gradient(
        params, side.array(Examples(x.astype(np.float32), y)), **settings_of(side, "weighted_l1", cost)
    )
    assert side.numpy(value).dtype == np.float32
    for name, g in side.numpy(gradient).items():
        assert (g.dtype, g.shape) == (np.float32, side.numpy(params)[name].shape)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ((4, 2, 6), [1, 1, 1, 1], r"pairs.y: got \[1\]; both kinds are needed, 1 \(one class\) and 0"),
        ((4, 2, 6), [0, 0, 0, 0], r"pairs.y: got \[0\]; both kinds"),
        ((4, 2, 6), [0, 1, 2, 1], r"pairs.y: got \[0, 1, 2\]; both kinds"),
        ((4, 2, 6), [0.0, 1.0, 1.0, 0.0], r"pairs.y: got float64 of shape \(4,\); classes are whole"),
        ((4, 6), [0, 1, 0, 1], r"pairs.x: got shape \(4, 6\) and 4 labels; pairs are \(n, 2, ...\)"),
        ((4, 3, 6), [0, 1, 0, 1], r"pairs.x: got shape \(4, 3, 6\) and 4 labels"),
        ((4, 2, 6), [0, 1], r"pairs.x: got shape \(4, 2, 6\) and 2 labels"),
    ],
)
def test_odd_pairs_are_told_in_a_sentence(side, x, y, words):
    pairs = side.array(Examples(np.ones(x), np.array(y)))
    with pytest.raises(ValueError, match=f"^{words}"):
        of(side).meta_gradient(side.array(params_of()), pairs, **settings_of(side))


@pytest.mark.parametrize("margin", [-1.0, -1e-9, math.nan, math.inf])
def test_a_margin_below_zero_is_told(side, margin):
    words = rf"^margin must be at least 0 and finite, got {margin}\.$"
    with pytest.raises(ValueError, match=words):
        of(side).contrastive(side.array(np.ones(2)), side.array(np.array([0, 1])), margin=margin)


def test_a_head_of_another_size_is_told(side):
    a = side.array(np.ones((2, 3)))
    words = r"^head.weight: got 5 weights for embeddings of 3 numbers; is this the size of image"
    with pytest.raises(ValueError, match=words):
        of(side).weighted_l1(side.array(params_of()), a, a)


def test_an_odd_support_and_an_odd_query_are_told(side):
    (x, y), queries = draw_support(0)
    settings = {"embed": side.nn.mlp, "apart": of(side).euclidean}

    def adapt(x, y):
        return of(side).adapt(side.array(params_of()), side.array(Examples(x, y)), **settings)

    for odd, words in (
        ((x, 0 * y), r"support.y: got class 0 alone; two classes or more are compared\."),
        ((x, 2 * y), r"support.y: got classes \[0, 2, 4, 6\]; each of 0\.\.6"),
        ((np.stack([x, x]), np.stack([y, y])), r"support.y: got shape \(2, 12\), which is 2 tasks"),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            adapt(*odd)
    with pytest.raises(ValueError, match=r"^query_x: got shape \(6,\); the support asks for \(q, 6\)"):
        adapt(x, y)(side.array(queries[0]))
    with pytest.raises(ValueError, match=r"^query_x: got shape \(7, 5\); the support asks for \(q, 6\)"):
        adapt(x, y)(side.array(queries[:, :5].copy()))
