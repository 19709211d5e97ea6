"""Matching networks against pencil and paper, loops, the floor of a cosine, and what may see what."""

import math
from functools import partial
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import Episode, Examples
from reference.meta_train import meta_steps
from reference.params import join
from reference.rules import adam
from reference.scratch.nn import init_context
from tests.sides import PYTORCH, SCRATCH, along, mlp_params, random_direction, slope

SIDES = (SCRATCH, PYTORCH)
few = settings(max_examples=20)
SEEDS = st.integers(0, 2**32 - 1)
CONTEXTS = ("without", "full")


def of(side):
    return import_module(f"reference.{side.name}.matching")


def params_of(seed=0, dtype=np.float64):
    context = init_context(np.random.default_rng(seed + 1), 5)
    context = {name: (2 * p).astype(dtype) for name, p in context.items()}
    return join(embedding=mlp_params(seed, [6, 8, 5], dtype), context=context)


def settings_of(side, context="without", temperature=0.2):
    contexts = {"without": of(side).without_context, "full": partial(side.nn.full_context, n_reads=3)}
    return {"embed": side.nn.mlp, "temperature": temperature, "context": contexts[context]}


def draw(seed, n_way=4, k_shot=2, n_query=3, d=6):
    rng = np.random.default_rng(seed)
    parts = []
    for n in (k_shot, n_query):
        labels = rng.permutation(np.repeat(np.arange(n_way), n))
        parts.append(Examples(rng.normal(size=(len(labels), d)), labels))
    return Episode(*parts)


def attention_of(side, queries, support, temperature):
    found = of(side).attention(side.array(queries), side.array(support), temperature=temperature)
    return side.numpy(found)


def test_attention_by_hand(side):
    queries, support = np.array([[2.0, 0.0]]), np.array([[5.0, 0.0], [0.0, 0.1], [-3.0, 0.0]])
    total = math.e + 1 + 1 / math.e  # cosines 1, 0 and -1
    expected = [math.e / total, 1 / total, 1 / math.e / total]
    assert attention_of(side, queries, support, 1.0)[0].tolist() == pytest.approx(expected, abs=1e-15)
    m, labels = of(side), side.array(np.array([1, 0, 1]))
    similarities = m.similarities(side.array(queries), side.array(support), temperature=1)
    found = side.numpy(m.class_log_probabilities(similarities, labels, 2))[0]
    assert np.exp(found).tolist() == pytest.approx([1 / total, (math.e + 1 / math.e) / total])


@few
@given(SEEDS, st.integers(2, 5), st.integers(1, 3), st.floats(0.05, 3))
def test_equation_1_and_the_loss_are_loops(seed, n_way, k_shot, temperature):
    episode = draw(seed, n_way, k_shot)
    (sx, sy), (qx, qy), _ = episode
    expected = np.zeros((len(qx), n_way))
    for q in range(len(qx)):
        cosines = [qx[q] @ s / math.sqrt(qx[q] @ qx[q]) / math.sqrt(s @ s) for s in sx]
        weights = [math.exp(c / temperature) for c in cosines]
        for weight, label in zip(weights, sy, strict=True):
            expected[q, label] += weight / sum(weights)
    for side in SIDES:
        here = side.array(episode)
        settings = settings_of(side, temperature=temperature) | {"embed": lambda params, x: x}
        params = {"embedding.none": None}
        found = side.numpy(of(side).adapt(params, here.support, **settings)(here.query.x))
        np.testing.assert_allclose(np.exp(found), expected, rtol=1e-9)
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)
        loss = float(of(side).loss(params, here, **settings))
        assert loss == pytest.approx(-np.log(expected[np.arange(len(qy)), qy]).mean())


@few
@given(SEEDS)
def test_the_temperature_leads_from_one_support_example_to_all(seed):
    rng = np.random.default_rng(seed)
    queries, support = rng.normal(size=(4, 5)), rng.normal(size=(6, 5))
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (queries, support)]
    nearest = np.argmax(unit[0] @ unit[1].T, axis=1)
    for side in SIDES:
        cold, hot = (attention_of(side, queries, support, t) for t in (1e-9, 1e9))
        np.testing.assert_allclose(cold, np.eye(6)[nearest], atol=1e-6)
        np.testing.assert_allclose(hot, 1 / 6, atol=1e-8)
        for t in (1e-9, 0.1, 1e9):
            np.testing.assert_allclose(attention_of(side, queries, support, t).sum(axis=1), 1)


@few
@given(SEEDS)
def test_the_length_of_an_embedding_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    queries, support = rng.normal(size=(4, 5)), rng.normal(size=(6, 5))
    lengths = [rng.uniform(0.01, 100, size=(n, 1)) for n in (4, 6)]
    for side in SIDES:
        expected = attention_of(side, queries, support, 0.1)
        found = attention_of(side, lengths[0] * queries, lengths[1] * support, 0.1)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_far_below_1_the_answer_stays_finite(side):
    episode = side.array(draw(0))
    settings = settings_of(side, temperature=1e-4)
    scores = side.numpy(of(side).adapt(side.array(params_of()), episode.support, **settings)(episode.query.x))
    assert np.isfinite(scores).all() and scores.min() < -1000


# The floor


def test_the_floor_by_hand(side):
    assert of(side).loss_floor(2, temperature=1) == pytest.approx(math.log(1 + math.exp(-2)))
    assert of(side).loss_floor(20, temperature=1) == pytest.approx(math.log(1 + 19 * math.exp(-20 / 19)))
    assert of(side).loss_floor(20, temperature=1) == pytest.approx(2.0323, abs=1e-4)
    assert of(side).loss_floor(5, temperature=0.1) == pytest.approx(4 * math.exp(-12.5), rel=1e-4)


@pytest.mark.parametrize(("n_way", "k_shot", "temperature"), [(2, 1, 1.0), (5, 2, 0.5), (20, 1, 1.0)])
def test_training_reaches_the_floor_and_does_not_pass_it(side, n_way, k_shot, temperature):
    """Free embeddings: every example's own vector is a parameter, which no network can better."""
    rng = np.random.default_rng(n_way)
    labels = np.repeat(np.arange(n_way), k_shot)
    start = {"support": rng.normal(size=(len(labels), n_way)), "query": rng.normal(size=(n_way, n_way))}
    support_y, query_y = side.array(labels), side.array(np.arange(n_way))

    def loss(params):
        scores = of(side).similarities(params["query"], params["support"], temperature=temperature)
        return side.nn.cross_entropy(of(side).class_log_probabilities(scores, support_y, n_way), query_y)

    def meta_gradient(params, _):
        value, gradient = side.value_and_grad(loss)(params)
        return gradient, value

    steps = meta_steps(side.array(start), meta_gradient, lambda: None, rule=adam(0.1))
    losses = [next(steps).loss for _ in range(400)]
    floor = of(side).loss_floor(n_way, temperature=temperature)
    assert min(losses) >= floor - 1e-12
    assert losses[-1] == pytest.approx(floor, abs=1e-5)
    assert losses[0] > floor + 0.1


@few
@given(SEEDS, st.integers(2, 6), st.integers(1, 3), st.floats(0.1, 2))
def test_no_embedding_is_below_the_floor(seed, n_way, k_shot, temperature):
    episode = draw(seed, n_way, k_shot, n_query=1)
    for side in SIDES:
        settings = settings_of(side, temperature=temperature) | {"embed": lambda params, x: x}
        loss = of(side).loss({"embedding.none": None}, side.array(episode), **settings)
        assert float(loss) >= of(side).loss_floor(n_way, temperature=temperature) - 1e-12


# What may see what


def answers(side, context, support, queries):
    predict = of(side).adapt(side.array(params_of()), side.array(support), **settings_of(side, context))
    return side.numpy(predict(side.array(queries)))


@few
@given(SEEDS)
def test_without_context_the_order_of_the_support_does_not_matter_and_with_it_it_does(seed):
    (x, y), (queries, _), _ = draw(seed)
    order = np.roll(np.arange(len(y)), 1)
    for side in SIDES:
        for context in CONTEXTS:
            found, turned = (
                answers(side, context, Examples(*given), queries) for given in ((x, y), (x[order], y[order]))
            )
            if context == "without":
                np.testing.assert_allclose(turned, found, rtol=1e-10)
            else:
                assert np.abs(turned - found).max() > 1e-3


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_query_sees_another(side, context):
    support, (queries, _), _ = draw(1)
    among = answers(side, context, support, queries)
    order = np.random.default_rng(0).permutation(len(queries))
    np.testing.assert_allclose(answers(side, context, support, queries[order]), among[order], rtol=1e-10)
    for i in range(len(queries)):
        alone = answers(side, context, support, queries[i : i + 1])[0]
        np.testing.assert_allclose(alone, among[i], rtol=1e-10)


@pytest.mark.parametrize("context", CONTEXTS)
def test_other_names_for_the_classes_only_move_the_columns(side, context):
    (x, y), (queries, _), _ = draw(2)
    names = np.array([2, 0, 3, 1])
    renamed = answers(side, context, Examples(x, names[y]), queries)
    np.testing.assert_allclose(renamed[:, names], answers(side, context, Examples(x, y), queries), rtol=1e-12)


@pytest.mark.parametrize("context", CONTEXTS)
def test_meta_gradient_is_the_slope_of_the_loss_and_adapting_the_same_episode_gives_that_loss(side, context):
    params, episode, settings = params_of(), side.array(draw(4)), settings_of(side, context)
    gradient, value = of(side).meta_gradient(side.array(params), episode, **settings)
    assert not getattr(value, "requires_grad", False) and list(gradient) == list(params)
    scores = of(side).adapt(side.array(params), episode.support, **settings)(episode.query.x)
    picked = side.numpy(scores)[np.arange(12), side.numpy(episode.query.y)]
    assert float(value) == pytest.approx(-picked.mean(), rel=1e-12)
    direction = random_direction(params)
    expected = slope(side, lambda p: of(side).loss(p, episode, **settings), params, direction)
    assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-7)
    touched = {name: g.any() for name, g in side.numpy(gradient).items() if name.startswith("context")}
    assert all(touched.values()) if context == "full" else not any(touched.values())


@pytest.mark.parametrize("context", CONTEXTS)
def test_it_runs_in_float32_and_a_dead_network_gives_finite_gradients(side, context):
    params = params_of(dtype=np.float32)
    dead = {name: p if "context" in name else 0 * p for name, p in params.items()}
    episode = Episode(*(Examples(part.x.astype(np.float32), part.y) for part in draw(0)[:2]))
    for weights in (params, dead):
        gradient, value = of(side).meta_gradient(
            side.array(weights), side.array(episode), **settings_of(side, context)
        )
        assert side.numpy(value).dtype == np.float32
        for name, g in side.numpy(gradient).items():
            assert (g.dtype, g.shape) == (np.float32, weights[name].shape) and np.isfinite(g).all()


# Neighbourhood components


@few
@given(SEEDS, st.lists(st.integers(2, 4), min_size=2, max_size=4))
def test_nca_is_its_loops(seed, sizes):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    x = rng.normal(size=(len(y), 3))
    logs = []
    for i in range(len(y)):
        weights = [math.exp(-((x[i] - x[j]) ** 2).sum()) * (j != i) for j in range(len(y))]
        logs.append(
            math.log(sum(w for w, label in zip(weights, y, strict=True) if label == y[i]) / sum(weights))
        )
    for side in SIDES:
        found = of(side).nca(side.array(x), side.array(y))
        assert float(found) == pytest.approx(-np.mean(logs), rel=1e-10)


def test_nca_by_hand_and_far_apart(side):
    x, y = np.array([[0.0], [1.0], [0.0], [1.0]]), np.array([0, 0, 1, 1])
    # each has its own at distance 1 and the others at 0 and 1
    expected = -math.log(math.exp(-1) / (2 * math.exp(-1) + 1))
    assert float(of(side).nca(side.array(x), side.array(y))) == pytest.approx(expected)
    assert float(of(side).nca(side.array(100 * x), side.array(y))) == pytest.approx(10_000)


# What must not be given


@pytest.mark.parametrize("temperature", [0, 0.0, -0.1, math.nan, math.inf])
def test_a_temperature_of_zero_or_below_is_told(side, temperature):
    words = rf"^temperature must be above 0 and finite, got {temperature}\.$"
    episode = side.array(draw(0))
    with pytest.raises(ValueError, match=words):
        of(side).meta_gradient(side.array(params_of()), episode, **settings_of(side, temperature=temperature))
    with pytest.raises(ValueError, match=words):
        of(side).loss_floor(5, temperature=temperature)


def test_a_support_of_one_class_and_other_odd_things_are_told(side):
    (x, y), query, _ = draw(0)
    settings, params = settings_of(side), side.array(params_of())
    one = Examples(x, 0 * y)
    words = r"^support.y: got class 0 alone; two classes or more are compared\.$"
    with pytest.raises(ValueError, match=words):
        of(side).adapt(params, side.array(one), **settings)
    with pytest.raises(ValueError, match=words):
        of(side).meta_gradient(params, side.array(Episode(one, Examples(query.x, 0 * query.y))), **settings)
    with pytest.raises(ValueError, match=r"^support.y: got classes \[0, 2, 4, 6\]; each of 0\.\.6"):
        of(side).adapt(params, side.array(Examples(x, 2 * y)), **settings)
    many = side.array(Examples(np.stack([x, x]), np.stack([y, y])))
    with pytest.raises(ValueError, match=r"^support.y: got shape \(2, 8\), which is 2 tasks; one is needed"):
        of(side).meta_gradient(params, Episode(many, many), **settings)
    with pytest.raises(ValueError, match=r"^query.y: got \[5\]; the classes are 0\.\.3\."):
        of(side).loss(params, side.array(Episode(Examples(x, y), Examples(x[:1], y[:1] * 0 + 5))), **settings)
    with pytest.raises(ValueError, match=r"^query_x: got shape \(6,\); the support asks for \(q, 6\)"):
        of(side).adapt(params, side.array(Examples(x, y)), **settings)(side.array(x[0]))
    with pytest.raises(ValueError, match=r"^n_way must be at least 2, got 1\."):
        of(side).loss_floor(1, temperature=1)
    with pytest.raises(ValueError, match=r"^labels: class 1 has one example; each needs two"):
        of(side).nca(side.array(np.ones((3, 2))), side.array(np.array([0, 0, 1])))
    without = side.array(join(embedding=mlp_params(0, [6, 8, 5])))
    with pytest.raises(ValueError, match=r"^name: got 'context.g'; the parts are \['embedding'\]"):
        of(side).loss(without, side.array(draw(0)), **settings_of(side, "full"))
