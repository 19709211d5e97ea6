"""Losses of a labelled batch against loops over all triplets, and what must not change them."""

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
SIZES = st.lists(st.integers(2, 4), min_size=2, max_size=4)  # of the classes
COSTS = {
    "batch_hard": {"margin": 0.7},
    "semi_hard": {"margin": 0.7},
    "nt_xent": {"temperature": 0.5},
    "in_threes": {"margin": 0.7},
}


def of(side):
    return import_module(f"reference.{side.name}.triplet")


def draw(seed, sizes=(3, 3, 3), d=3):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return rng.normal(size=(len(labels), d)), labels


def cost_of(side, name, embedded, labels, **settings):
    settings = settings or COSTS[name]
    return float(getattr(of(side), name)(side.array(embedded), side.array(labels), **settings))


def squared(a, b):
    return sum((p - q) ** 2 for p, q in zip(a, b, strict=True))


def test_the_triplet_loss_by_hand(side):
    near, far = side.array(np.array([1.0, 4.0, 1.0])), side.array(np.array([3.0, 3.0, 1.25]))
    assert float(of(side).triplet(near, far, margin=0.5)) == (0 + 1.5 + 0.25) / 3
    embedded = np.array([[0.0], [1.0], [2.0], [5.0], [3.0], [4.0]])  # squared: 1 and 4; 4 and 1
    assert cost_of(side, "in_threes", embedded, np.array([7, 7, 1, 2, 2, 7]), margin=1.0) == (0 + 4) / 2


@few
@given(SEEDS, SIZES)
def test_batch_hard_is_brute_force(seed, sizes):
    x, y = draw(seed, sizes)
    hinges = []
    for a in range(len(y)):
        own = [math.dist(x[a], x[p]) for p in range(len(y)) if y[p] == y[a] and p != a]
        other = [math.dist(x[a], x[n]) for n in range(len(y)) if y[n] != y[a]]
        hinges.append(max(max(p - n for p in own for n in other) + 0.7, 0))
    for side in SIDES:
        assert cost_of(side, "batch_hard", x, y) == pytest.approx(np.mean(hinges), rel=1e-12)


@few
@given(SEEDS, SIZES)
def test_semi_hard_is_brute_force(seed, sizes):
    x, y = draw(seed, sizes)
    hinges = []
    for a in range(len(y)):
        for p in range(len(y)):
            if y[p] == y[a] and p != a:
                near = squared(x[a], x[p])
                far = sorted(squared(x[a], x[n]) for n in range(len(y)) if y[n] != y[a])
                chosen = next((f for f in far if f > near), far[-1])
                hinges.append(max(near - chosen + 0.7, 0))
    for side in SIDES:
        assert cost_of(side, "semi_hard", x, y) == pytest.approx(np.mean(hinges), rel=1e-12)


@few
@given(SEEDS, SIZES, st.floats(0.1, 2))
def test_nt_xent_is_brute_force(seed, sizes, temperature):
    x, y = draw(seed, sizes)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    terms = []
    for a in range(len(y)):
        weights = [math.exp(unit[a] @ unit[j] / temperature) * (j != a) for j in range(len(y))]
        own = [-math.log(weights[p] / sum(weights)) for p in range(len(y)) if y[p] == y[a] and p != a]
        terms.append(sum(own) / len(own))
    for side in SIDES:
        found = cost_of(side, "nt_xent", x, y, temperature=temperature)
        assert found == pytest.approx(np.mean(terms), rel=1e-10)


@few
@given(SEEDS, SIZES)
def test_every_pair_is_each_pair_once(seed, sizes):
    x, y = draw(seed, sizes)
    terms = []
    for i in range(len(y)):
        for j in range(i):
            d = math.dist(x[i], x[j])
            terms.append((d**2 if y[i] == y[j] else max(0, 1 - d) ** 2) / 2)
    for side in SIDES:
        contrastive = partial(import_module(f"reference.{side.name}.siamese").contrastive, margin=1.0)
        assert cost_of(side, "every_pair", x, y, cost=contrastive) == pytest.approx(np.mean(terms))


def test_semi_hard_skips_the_too_hard_and_falls_back_on_the_farthest(side):
    # of the anchors 0 and 1 the positive is at 1; negatives of 0 are at 0.25 (too hard), 1.44, 9
    x, y = np.array([[0.0], [1.0], [-0.5], [-1.2], [-3.0]]), np.array([0, 0, 1, 1, 1])
    first = 1 - 1.44 + 0.7  # 0 to 1
    second = 1 - 1.5**2 + 0.7  # 1 to 0: nothing at 1 or nearer; below zero
    rest = []  # three negatives each, whose anchors have 0 and 1 as negatives
    for a in (2, 3, 4):
        for p in {2, 3, 4} - {a}:
            near, far = (x[a, 0] - x[p, 0]) ** 2, sorted((x[a, 0] - x[n, 0]) ** 2 for n in (0, 1))
            rest.append(max(near - next((f for f in far if f > near), far[-1]) + 0.7, 0))
    expected = (first + max(second, 0) + sum(rest)) / 8
    assert cost_of(side, "semi_hard", x, y) == pytest.approx(expected)
    # no negative is farther than the positive, at 4: the farthest, at 1, is taken
    x, y = np.array([[0.0], [2.0], [1.0], [1.0]]), np.array([0, 0, 1, 1])
    assert cost_of(side, "semi_hard", x, y, margin=0.0) == pytest.approx((3 + 3 + 0 + 0) / 4)


def test_nt_xent_of_embeddings_that_are_all_one_is_the_log_of_the_others(side):
    assert cost_of(side, "nt_xent", np.ones((6, 2)), np.arange(6) // 2) == pytest.approx(math.log(5))


@few
@given(SEEDS, SIZES)
def test_order_and_names_do_not_matter_nor_length_where_a_cosine_counts(seed, sizes):
    x, y = draw(seed, sizes)
    order = np.random.default_rng(seed).permutation(len(y))
    for side in SIDES:
        for name in ("batch_hard", "semi_hard", "nt_xent"):
            cost = cost_of(side, name, x, y)
            assert cost_of(side, name, x[order], y[order]) == pytest.approx(cost, rel=1e-10)
            assert cost_of(side, name, x, 10 - 3 * y) == pytest.approx(cost, rel=1e-10)
        lengths = np.random.default_rng(seed).uniform(0.1, 9, size=(len(y), 1))
        assert cost_of(side, "nt_xent", lengths * x, y) == pytest.approx(cost, rel=1e-10)


@few
@given(SEEDS, SIZES)
def test_batch_hard_costs_no_less_than_any_choice_of_partners(seed, sizes):
    x, y = draw(seed, sizes)
    rng = np.random.default_rng(seed)
    hinges = []
    for a in range(len(y)):
        p = rng.choice(np.flatnonzero((y == y[a]) & (np.arange(len(y)) != a)))
        n = rng.choice(np.flatnonzero(y != y[a]))
        hinges.append(max(math.dist(x[a], x[p]) - math.dist(x[a], x[n]) + 0.7, 0))
    for side in SIDES:
        assert cost_of(side, "batch_hard", x, y) >= np.mean(hinges) - 1e-12


def params_of(dtype=np.float64):
    return join(embedding=mlp_params(0, [6, 8, 5], dtype))


def batch_of(name, dtype=np.float64):
    x, y = draw(5, (4, 4, 4), d=6)
    return Examples(x.astype(dtype), np.tile([0, 0, 1, 2, 2, 0], 2) if name == "in_threes" else y)


@pytest.mark.parametrize("name", COSTS)
def test_meta_gradient_is_the_slope_of_the_loss(side, name):
    params, batch = params_of(), side.array(batch_of(name))
    settings = {"embed": side.nn.mlp, "cost": partial(getattr(of(side), name), **COSTS[name])}
    gradient, value = of(side).meta_gradient(side.array(params), batch, **settings)
    assert not getattr(value, "requires_grad", False) and list(gradient) == list(params)
    direction = random_direction(params)
    expected = slope(side, lambda p: of(side).loss(p, batch, **settings), params, direction)
    assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("name", COSTS)
def test_equal_images_give_finite_gradients_in_float32_too(side, name):
    batch = batch_of(name, np.float32)
    params = side.array(params_of(np.float32))
    settings = {"embed": side.nn.mlp, "cost": partial(getattr(of(side), name), **COSTS[name])}
    for x in (batch.x, batch.x[:1].repeat(12, axis=0), 0 * batch.x):
        gradient, value = of(side).meta_gradient(params, side.array(Examples(x, batch.y)), **settings)
        assert side.numpy(value).dtype == np.float32 and np.isfinite(float(value))
        for g in side.numpy(gradient).values():
            assert g.dtype == np.float32 and np.isfinite(g).all()


def test_the_learner_that_comes_of_it_is_the_siamese_one(side):
    siamese = import_module(f"reference.{side.name}.siamese")
    assert of(side).adapt is siamese.adapt and of(side).init is siamese.init


@pytest.mark.parametrize("name", ["batch_hard", "semi_hard", "nt_xent"])
def test_a_batch_without_partners_is_told(side, name):
    x = np.random.default_rng(0).normal(size=(4, 2))
    for labels, words in (
        ([3, 3, 3, 3], r"batch.y: got class 3 alone; two classes or more are compared\."),
        ([0, 0, 0, 5], r"batch.y: class 5 has one example; each needs two or more"),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            getattr(of(side), name)(side.array(x), side.array(np.array(labels)), **COSTS[name])


def test_odd_labels_of_a_batch_are_told(side):
    settings = {"embed": side.nn.mlp, "cost": partial(of(side).batch_hard, margin=1.0)}
    x = np.ones((4, 6))
    for labels, words in (
        (np.ones(4), r"batch.y: got float64 of shape \(4,\); classes are whole numbers"),
        (np.zeros((2, 2), int), r"batch.y: got int64 of shape \(2, 2\); classes are whole numbers"),
        (np.array([0, 0, 1]), r"batch: got 4 inputs and 3 labels; each input needs one"),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            of(side).meta_gradient(side.array(params_of()), side.array(Examples(x, labels)), **settings)


@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 0, 0], [0, 1, 2], [0, 1, 0]])
def test_rows_that_are_no_triplets_are_told(side, labels):
    x = np.ones((len(labels), 2))
    with pytest.raises(ValueError, match=r"^batch.y: got \[0, .*\] first; three rows are a, a and another"):
        cost_of(side, "in_threes", x, np.array(labels))


def test_a_margin_below_zero_and_a_temperature_of_zero_are_told(side):
    x, y = draw(0)
    for name in ("batch_hard", "semi_hard"):
        with pytest.raises(ValueError, match=r"^margin must be at least 0 and finite, got -0\.1\.$"):
            cost_of(side, name, x, y, margin=-0.1)
    for temperature in (0.0, -0.5, math.nan):
        with pytest.raises(ValueError, match=rf"^temperature must be above 0 and finite, got {temperature}"):
            cost_of(side, "nt_xent", x, y, temperature=temperature)
