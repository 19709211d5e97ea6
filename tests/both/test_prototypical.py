"""Prototypical networks against pencil and paper, a triple loop, and what must not change the answer."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import Episode, Examples
from tests.sides import PYTORCH, SCRATCH, along, mlp_params, random_direction, slope

SIDES = (SCRATCH, PYTORCH)
SEEDS = st.integers(0, 2**32 - 1)


def draw(seed, n_way=4, k_shot=3, n_query=5, d=6):
    """An episode of vectors, NumPy's, classes in no order."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(n_way, d))

    def examples(n):
        labels = rng.permutation(np.repeat(np.arange(n_way), n))
        return Examples(centers[labels] + 0.5 * rng.normal(size=(n_way * n, d)), labels)

    return Episode(examples(k_shot), examples(n_query))


def network(seed=0):
    return mlp_params(seed, [6, 8, 5])


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


@given(SEEDS, st.integers(1, 5), st.integers(1, 4))
@settings(deadline=None, max_examples=20)
def test_equations_1_and_2_and_the_loss_are_the_triple_loop(seed, n_way, k_shot):
    episode = draw(seed, n_way, k_shot)
    (sx, sy), (qx, qy), _ = episode
    expected = by_loops(sx, sy, qx, n_way)
    for side in SIDES:
        here = side.array(episode)
        centers = side.prototypical.prototypes(*here.support, n_way)
        found = side.numpy(side.prototypical.log_probabilities(here.query.x, centers))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)
        loss = float(side.prototypical.loss({}, here, embed=lambda params, x: x))
        assert loss == pytest.approx(-sum(row[y] for row, y in zip(expected, qy, strict=True)) / len(qy))


def test_by_hand(side):
    p = side.prototypical
    embedded = side.array(np.array([[0.0, 0.0], [10.0, 10.0], [2.0, 4.0], [20.0, 0.0]]))
    centers = p.prototypes(embedded, side.array(np.array([0, 1, 0, 1])), 2)
    assert side.numpy(centers).tolist() == [[1, 2], [15, 5]]
    ones, far = side.array(np.array([[0.0, 0.0], [1.0, 1.0]])), side.array(np.array([[3.0, 4.0]]))
    assert side.numpy(p.squared_distances(ones, far)).tolist() == [[25], [13]]
    # distances 1 and 4 to the two prototypes: p = 1 / (1 + exp(-3))
    scores = p.log_probabilities(side.array(np.array([[1.0]])), side.array(np.array([[0.0], [3.0]])))
    assert float(scores[0, 0]) == pytest.approx(-np.log1p(np.exp(-3)), abs=1e-15)


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_the_order_of_the_support_does_not_matter(seed):
    (x, y), _, _ = draw(seed)
    order = np.random.default_rng(seed).permutation(len(x))
    for side in SIDES:
        found, expected = (
            side.numpy(side.prototypical.prototypes(*side.array(Examples(*pair)), 4))
            for pair in ((x[order], y[order]), (x, y))
        )
        np.testing.assert_allclose(found, expected, atol=1e-12)


@given(st.permutations(range(4)))
@settings(deadline=None, max_examples=20)
def test_other_names_for_the_classes_only_move_the_columns(names):
    names, (support, query, _) = np.array(names), draw(0)
    for side in SIDES:
        params, embed = side.array(network()), side.nn.mlp
        scores, renamed = (
            side.numpy(side.prototypical.adapt(params, side.array(given), embed=embed)(side.array(query.x)))
            for given in (support, Examples(support.x, names[support.y]))
        )
        np.testing.assert_allclose(renamed[:, names], scores, atol=1e-12)


@given(SEEDS, st.floats(-5, 5))
@settings(deadline=None, max_examples=20)
def test_moving_every_embedding_changes_nothing(seed, shift):
    support, query, _ = draw(seed)
    for side in SIDES:
        scores, moved = (
            side.numpy(
                side.prototypical.adapt(
                    {}, side.array(Examples(support.x + by, support.y)), embed=lambda params, x: x
                )(side.array(query.x + by))
            )
            for by in (0.0, shift)
        )
        np.testing.assert_allclose(moved, scores, atol=1e-9)


def test_unequal_shots_are_weighed_by_class(side):
    embedded, labels = np.array([[0.0], [2.0], [10.0]]), np.array([1, 1, 0])
    found = side.prototypical.prototypes(side.array(embedded), side.array(labels), 2)
    np.testing.assert_array_equal(side.numpy(found), [[10.0], [1.0]])


def test_a_query_is_answered_the_same_alone(side):
    support, query, _ = side.array(draw(1))
    predict = side.prototypical.adapt(side.array(network()), support, embed=side.nn.mlp)
    for i in range(len(query.x)):
        alone, among = predict(query.x[i : i + 1])[0], predict(query.x)[i]
        np.testing.assert_allclose(side.numpy(among), side.numpy(alone), rtol=1e-12)


def test_it_is_a_linear_classifier(side):
    support, query, _ = side.array(draw(2))
    p = side.prototypical
    centers = p.prototypes(support.x, support.y, 4)
    weight, bias = p.linear_form(centers)
    linear = side.numpy(query.x @ weight.T + bias)
    shared = (side.numpy(query.x) ** 2).sum(axis=1, keepdims=True)
    distances = side.numpy(p.squared_distances(query.x, centers))
    np.testing.assert_allclose(linear - shared, -distances, atol=1e-10)
    softmax = np.exp(linear) / np.exp(linear).sum(1, keepdims=True)
    np.testing.assert_allclose(np.log(softmax), side.numpy(p.log_probabilities(query.x, centers)), atol=1e-10)


def test_meta_gradient_is_the_slope_of_the_loss_and_adapting_the_same_episode_gives_that_loss(side):
    params, episode = network(), side.array(draw(4))
    embed = side.nn.mlp
    gradient, value = side.prototypical.meta_gradient(side.array(params), episode, embed=embed)
    assert not getattr(value, "requires_grad", False)
    scores = side.prototypical.adapt(side.array(params), episode.support, embed=embed)(episode.query.x)
    picked = side.numpy(scores)[np.arange(20), side.numpy(episode.query.y)]
    assert float(value) == pytest.approx(-picked.mean(), rel=1e-12)
    direction = random_direction(params)
    expected = slope(side, lambda p: side.prototypical.loss(p, episode, embed=embed), params, direction)
    assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-7)


def test_a_parameter_that_the_embedding_does_not_use_has_gradient_zero(side):
    params = side.array(network() | {"unused": np.ones(3)})

    def embed(params, x):
        return side.nn.mlp({name: params[name] for name in network()}, x)

    gradient, _ = side.prototypical.meta_gradient(params, side.array(draw(4)), embed=embed)
    assert list(gradient) == list(params)
    np.testing.assert_array_equal(side.numpy(gradient)["unused"], 0)


def test_it_runs_in_float32(side):
    params = side.array(mlp_params(0, [6, 8, 5], np.float32))
    parts = (Examples(part.x.astype(np.float32), part.y) for part in draw(0)[:2])
    gradient, value = side.prototypical.meta_gradient(params, side.array(Episode(*parts)), embed=side.nn.mlp)
    assert side.numpy(value).dtype == np.float32
    for name, p in side.numpy(params).items():
        g = side.numpy(gradient)[name]
        assert (g.dtype, g.shape) == (np.float32, p.shape)


@pytest.mark.parametrize("labels", [[0, 0, 2], [0, 1, 3], [-1, 0, 1]])
def test_a_missing_or_a_foreign_class_is_named(side, labels):
    words = r"^labels: got classes \[.*\]; each of 0\.\.2, and no other, needs an example\.$"
    with pytest.raises(ValueError, match=words):
        side.prototypical.prototypes(side.array(np.ones((3, 2))), side.array(np.array(labels)), 3)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.array([0, 5]), r"got \[5\]; the classes are 0\.\.3\."),
        (np.array([0, -1]), r"got \[-1\]; the classes are 0\.\.3\."),
        (np.array([0, -100]), r"got \[-100\]; the classes are 0\.\.3\."),
        (np.array([0.0, 1.0]), r"got float64 of shape \(2,\); classes are whole"),
        (np.array([True, False]), r"got bool of shape \(2,\); classes are whole"),
        (np.array([], int), r"got int64 of shape \(0,\); classes are whole"),
    ],
)
def test_an_odd_query_label_is_named_in_the_same_words_on_both_sides(side, y, words):
    episode = draw(0)
    episode = side.array(episode._replace(query=Examples(episode.query.x[: len(y)], y)))
    with pytest.raises(ValueError, match=f"^query.y: {words}"):
        side.prototypical.meta_gradient(side.array(network()), episode, embed=side.nn.mlp)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_labels_of_another_whole_type_give_the_same_numbers(side, dtype):
    episode, params = draw(0), side.array(network())
    narrow = Episode(*(Examples(part.x, part.y.astype(dtype)) for part in episode[:2]))
    values = [
        float(side.prototypical.meta_gradient(params, side.array(e), embed=side.nn.mlp)[1])
        for e in (episode, narrow)
    ]
    assert values[0] == values[1]


def test_a_batch_of_tasks_or_one_bare_query_is_refused(side):
    support, query, _ = draw(0)
    many = Examples(*(np.stack([a, a]) for a in support))
    params, embed = side.array(network()), side.nn.mlp
    words = r"^support.y: got shape \(2, 12\), which is 2 tasks; one is needed"
    with pytest.raises(ValueError, match=words):
        side.prototypical.adapt(params, side.array(many), embed=embed)
    with pytest.raises(ValueError, match=words):
        side.prototypical.meta_gradient(params, side.array(Episode(many, many)), embed=embed)
    predict = side.prototypical.adapt(params, side.array(support), embed=embed)
    with pytest.raises(ValueError, match=r"^query_x: got shape \(6,\); the support asks for \(q, 6\)"):
        predict(side.array(query.x)[0])
