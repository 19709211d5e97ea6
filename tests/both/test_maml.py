"""MAML: where training stops on quadratics, by hand on a linear model, and what must not be given."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import Episode, Examples
from reference.meta_train import meta_train
from reference.rules import adam, only, sgd
from reference.tasks.families import Quadratics, Sinusoids
from tests.quadratics import N_STEPS, WAYS, as_episode, direction, fixed_points, six_tasks
from tests.sides import PYTORCH, SCRATCH, along, mlp_params, random_direction, slope

OF_MAML = ("joint training", "MAML", "first-order MAML")


@pytest.mark.parametrize("n_steps", [1, N_STEPS])
@pytest.mark.parametrize("way", OF_MAML)
def test_training_stops_where_the_formula_says(side, way, n_steps):
    tasks = six_tasks()
    episodes = side.array(as_episode(tasks))
    trained, _ = meta_train(
        side.array({"theta": np.array([3.0, -2.0])}),
        direction(side, way, n_steps),
        lambda: episodes,
        rule=sgd(0.7),
        n_steps=700,
    )
    expected = fixed_points(tasks, n_steps)[way]
    np.testing.assert_allclose(side.numpy(trained)["theta"], expected, rtol=0, atol=1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_no_direction_moves_its_own_fixed_point(seed):
    tasks = Quadratics(dimension=2).sample_batch(np.random.default_rng(seed), 4)
    for side in (SCRATCH, PYTORCH):
        for way, end in fixed_points(tasks, N_STEPS).items():
            params, episodes = side.array({"theta": end}), side.array(as_episode(tasks))
            stopped, _ = direction(side, way, N_STEPS)(params, episodes)
            np.testing.assert_allclose(side.numpy(stopped)["theta"], 0, atol=1e-10)


def test_the_fixed_points_are_different_ones():
    ends = fixed_points(six_tasks(), N_STEPS)
    assert tuple(ends) == WAYS
    assert min(np.linalg.norm(ends[a] - ends[b]) for a in ends for b in ends if a < b) > 0.01


def test_maml_minimises_the_loss_after_learning(side):
    tasks = six_tasks()
    after = direction(side, "MAML", N_STEPS)
    losses = {
        way: float(after(side.array({"theta": end}), side.array(as_episode(tasks)))[1])
        for way, end in fixed_points(tasks, N_STEPS).items()
    }
    best = losses.pop("MAML")
    assert best < min(losses.values())


# A linear model, y = X w, with squared error: what one and two steps do is worked out on paper.


def linear_problem():
    """Weights, and (H, b) of support and query, whose gradients are H w - b; and the examples."""
    rng = np.random.default_rng(3)
    parts = [Examples(rng.normal(size=(6, 2)), rng.normal(size=(6, 1))) for _ in range(2)]
    equations = [(2 * x.T @ x / 6, 2 * (x.T @ y)[:, 0] / 6) for x, y in parts]
    return np.array([0.5, -1.5]), equations, Episode(*parts)


def linear_loss(params, examples):
    return ((examples.x @ params["w"][:, None] - examples.y) ** 2).mean()


def momentum_by_hand(w, H, b, rate=0.1, friction=0.6):
    """w after two steps along a running sum, and the Jacobian of that: with G = H w - b,
    w1 = w - rate G, w2 = w1 - rate (friction G + H w1 - b)."""
    identity = np.eye(2)
    first = identity - rate * H
    w1 = w - rate * (H @ w - b)
    w2 = w1 - rate * (friction * (H @ w - b) + H @ w1 - b)
    return w2, first - rate * (friction * H + H @ first)


def adam_by_hand(w, H, b, rate=0.1, epsilon=1e-8):
    """w after one step of Adam, which is rate * g / (|g| + epsilon), and its Jacobian: (|g| + epsilon)^-2
    epsilon H, weight by weight, for d/dg of g / (|g| + epsilon) is epsilon / (|g| + epsilon)^2."""
    g = H @ w - b
    size = np.abs(g) + epsilon
    return w - rate * g / size, np.eye(2) - rate * (epsilon / size**2)[:, None] * H


BY_HAND = {
    "momentum, 2 steps": (sgd(0.1, momentum=0.6), 2, momentum_by_hand),
    "Adam, 1 step": (adam(0.1), 1, adam_by_hand),
    "Adam with a large epsilon, 1 step": (adam(0.1, epsilon=0.5), 1, partial(adam_by_hand, epsilon=0.5)),
}


@pytest.mark.metagrad
@pytest.mark.parametrize(("rule", "n_steps", "by_hand"), BY_HAND.values(), ids=BY_HAND)
def test_maml_through_momentum_and_through_adam_by_hand(side, rule, n_steps, by_hand):
    w, (support, (H, b)), episode = linear_problem()
    end, jacobian = by_hand(w, *support)
    settings = {"loss": linear_loss, "rule": rule, "n_steps": n_steps}
    params = side.array({"w": w})
    adapted = side.maml.adapted(params, side.array(episode).support, **settings)
    np.testing.assert_allclose(side.numpy(adapted)["w"], end, rtol=1e-12)
    gradient, _ = side.maml.meta_gradient(params, side.array(episode), **settings)
    np.testing.assert_allclose(side.numpy(gradient)["w"], jacobian.T @ (H @ end - b), rtol=1e-9)


THROUGH = {"momentum": sgd(0.02, momentum=0.9), "Adam": adam(0.05), "SGD": sgd(0.05)}


@pytest.mark.metagrad
@pytest.mark.parametrize("n_steps", [1, 5])
@pytest.mark.parametrize("name", THROUGH)
def test_the_meta_gradient_is_what_small_steps_and_torch_find(side, name, n_steps):
    params, episode = sinusoid()
    settings = {"loss": regression_loss(side), "rule": THROUGH[name], "n_steps": n_steps}
    gradient, value = side.maml.meta_gradient(side.array(params), side.array(episode), **settings)
    theirs, their_value = torch_by_hand(params, episode, name, n_steps)
    assert float(value) == pytest.approx(their_value, rel=1e-11)
    for key in params:
        np.testing.assert_allclose(side.numpy(gradient)[key], theirs[key], rtol=1e-8, atol=1e-11)
    along_line = random_direction(params)
    task_loss = partial(side.maml.task_loss, episode=side.array(episode), **settings)
    expected = slope(side, task_loss, params, along_line, step=1e-7)
    assert along(side.numpy(gradient), along_line) == pytest.approx(expected, rel=1e-6)


def torch_by_hand(params, episode, name, n_steps):
    """The same by a loop over torch.autograd, with the textbooks' formulas for a step."""
    loss = regression_loss(PYTORCH)
    support, query = PYTORCH.array(episode)[:2]
    leaves = {k: p.requires_grad_() for k, p in PYTORCH.array(params).items()}
    end, m, v = leaves, dict.fromkeys(leaves, 0), dict.fromkeys(leaves, 0)
    for t in range(1, n_steps + 1):
        found = torch.autograd.grad(loss(end, support), list(end.values()), create_graph=True)
        g = dict(zip(end, found, strict=True))
        if name == "Adam":
            m = {k: 0.9 * m[k] + 0.1 * g[k] for k in g}
            v = {k: 0.999 * v[k] + 0.001 * g[k] ** 2 for k in g}
            by = {k: m[k] / (1 - 0.9**t) / ((v[k] / (1 - 0.999**t)).sqrt() + 1e-8) for k in g}
            end = {k: p - 0.05 * by[k] for k, p in end.items()}
        elif name == "momentum":
            m = {k: 0.9 * m[k] + g[k] for k in g}
            end = {k: p - 0.02 * m[k] for k, p in end.items()}
        else:
            end = {k: p - 0.05 * g[k] for k, p in end.items()}
    value = loss(end, query)
    gradient = torch.autograd.grad(value, list(leaves.values()))
    return {k: g.numpy() for k, g in zip(leaves, gradient, strict=True)}, value.item()


# Regression and classification with a small dense net.


def sinusoid(seed=0):
    episode = Sinusoids(k_shot=6, n_query=5).sample(np.random.default_rng(seed))
    return mlp_params(seed, [1, 8, 1]), episode._replace(task=None)


def regression_loss(side):
    return lambda params, examples: side.nn.mean_squared_error(side.nn.mlp(params, examples.x), examples.y)


def settings_of(side, **changed):
    net = {"network": side.nn.mlp, "loss": regression_loss(side)}
    return net | {"rule": sgd(0.05), "n_steps": 4} | changed


def test_adapting_lowers_the_loss_and_gives_the_task_loss_of_the_meta_gradient(side):
    params, episode = map(side.array, sinusoid())
    loss = regression_loss(side)
    predict = side.maml.adapt(params, episode.support, **settings_of(side))
    after = side.nn.mean_squared_error(predict(episode.support.x), episode.support.y)
    assert float(after) < float(loss(params, episode.support))
    _, value = side.maml.meta_gradient(params, episode, loss=loss, rule=sgd(0.05), n_steps=4)
    expected = side.nn.mean_squared_error(predict(episode.query.x), episode.query.y)
    assert float(value) == pytest.approx(float(expected), rel=1e-12)


def test_a_query_is_answered_the_same_alone(side):
    params, episode = map(side.array, sinusoid())
    predict = side.maml.adapt(params, episode.support, **settings_of(side))
    for i in range(5):
        alone, among = predict(episode.query.x[i : i + 1])[0], predict(episode.query.x)[i]
        np.testing.assert_allclose(side.numpy(among), side.numpy(alone), rtol=1e-12)


def test_anil_leaves_the_body_alone_but_its_meta_gradient_does_not(side):
    params, episode = map(side.array, sinusoid())
    head = ["layers.1.weight", "layers.1.bias"]
    settings = {"loss": regression_loss(side), "rule": only(head, sgd(0.05)), "n_steps": 4}
    end = side.numpy(side.maml.adapted(params, episode.support, **settings))
    for name, p in side.numpy(params).items():
        assert np.array_equal(end[name], p) == (name not in head)
    gradient, _ = side.maml.meta_gradient(params, episode, **settings)
    assert list(gradient) == list(params) and all(g.any() for g in side.numpy(gradient).values())


@pytest.mark.parametrize("first_order", [False, True])
def test_what_is_given_is_left_as_it_is_and_plain_arrays_come_back_in_float32(side, first_order):
    params, episode = sinusoid()
    params = {name: p.astype(np.float32) for name, p in params.items()}
    episode = Episode(
        *(Examples(part.x.astype(np.float32), part.y.astype(np.float32)) for part in episode[:2])
    )
    given, settings = side.array(params), {"loss": regression_loss(side), "rule": adam(0.05), "n_steps": 2}
    gradient, value = side.maml.meta_gradient(given, side.array(episode), first_order=first_order, **settings)
    assert side.numpy(value).dtype == np.float32
    for name, p in params.items():
        assert type(gradient[name]) is type(given[name]) and side.numpy(gradient[name]).dtype == np.float32
        assert not getattr(gradient[name], "requires_grad", False)
        np.testing.assert_array_equal(side.numpy(given[name]), p)


def test_parameters_that_the_loss_does_not_use_have_a_gradient_of_zero(side):
    params, episode = sinusoid()
    used = list(params)

    def loss(params, examples):
        return regression_loss(side)({name: params[name] for name in used}, examples)

    for rule in (sgd(0.1), adam(0.1), sgd(0.1, momentum=0.9)):
        gradient, _ = side.maml.meta_gradient(
            side.array(params | {"unused": np.ones(2)}), side.array(episode), loss=loss, rule=rule, n_steps=2
        )
        np.testing.assert_array_equal(side.numpy(gradient)["unused"], [0, 0])


# What must not be given.


def classes(side, *labels, dtype=np.int64):
    x = np.random.default_rng(0).normal(size=(len(labels), 2))
    return side.array(Examples(x, np.array(labels, dtype=dtype)))


def classifier(side, **changed):
    def loss(params, examples):
        return side.nn.cross_entropy(side.nn.mlp(params, examples.x), examples.y)

    return {"loss": loss, "rule": sgd(0.1), "n_steps": 2} | changed


@pytest.mark.parametrize("labels", [[0, 0, 1], [0, 1, 3], [2, 1, 1], [-1, 0, 1]])
def test_a_missing_or_a_foreign_class_is_named_when_adapting(side, labels):
    words = r"^support.y: got classes \[.*\]; each of 0\.\.2, and no other, needs an example\.$"
    with pytest.raises(ValueError, match=words):
        params = side.array(mlp_params(0, [2, 3]))
        side.maml.adapt(params, classes(side, *labels), network=side.nn.mlp, **classifier(side))


ODD = {
    "too large": ([0, 1, 3], np.int64, r"got \[3\]; the classes are 0\.\.2\."),
    "negative": ([0, 1, -1], np.int64, r"got \[-1\]; the classes are 0\.\.2\."),
    "the one that PyTorch leaves out": ([0, 1, -100], np.int64, r"got \[-100\]; the classes are 0\.\.2\."),
    "float": ([0, 1, 2], np.float64, r"got float64 of shape \(3,\); classes are whole numbers"),
    "bool": ([0, 1, 1], np.bool_, r"got bool of shape \(3,\); classes are whole numbers"),
}


@pytest.mark.parametrize(("labels", "dtype", "words"), ODD.values(), ids=ODD)
@pytest.mark.parametrize("approach", ["maml", "reptile"])
def test_an_odd_query_label_is_named_in_the_same_words_on_both_sides(side, approach, labels, dtype, words):
    episode = Episode(classes(side, 0, 1, 2), classes(side, *labels, dtype=dtype))
    with pytest.raises(ValueError, match=f"^query.y: {words}"):
        getattr(side, approach).meta_gradient(side.array(mlp_params(0, [2, 3])), episode, **classifier(side))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_labels_of_another_whole_type_give_the_same_numbers(side, dtype):
    params = side.array(mlp_params(0, [2, 3]))
    values = [
        float(side.maml.meta_gradient(params, Episode(part, part), **classifier(side))[1])
        for part in (classes(side, 2, 0, 1), classes(side, 2, 0, 1, dtype=dtype))
    ]
    assert values[0] == values[1]


@pytest.mark.parametrize("approach", ["maml", "reptile"])
def test_a_batch_of_tasks_given_as_one_is_refused(side, approach):
    batch = Sinusoids(k_shot=6, n_query=5).sample_batch(np.random.default_rng(0), 25)._replace(task=None)
    params, batch = side.array(mlp_params(0, [1, 8, 1])), side.array(batch)
    words = (
        r"^support.y: got shape \(25, 6, 1\), which is 25 tasks; one is needed, and mean_over_batch\(meta_g"
    )
    module, settings = getattr(side, approach), settings_of(side)
    with pytest.raises(ValueError, match=words):
        module.adapt(params, batch.support, **settings)
    del settings["network"]
    with pytest.raises(ValueError, match=words):
        module.meta_gradient(params, batch, **settings)


def test_one_query_without_its_axis_is_refused(side):
    predict = side.maml.adapt(
        side.array(mlp_params(0, [2, 3])), classes(side, 0, 1, 2), network=side.nn.mlp, **classifier(side)
    )
    with pytest.raises(
        ValueError, match=r"^query_x: got shape \(2,\); the support asks for \(q, 2\), with an"
    ):
        predict(classes(side, 0).x[0])


@pytest.mark.parametrize("n_steps", [0, 2])
@pytest.mark.parametrize("approach", ["maml", "reptile", "meta_sgd"])
def test_a_loss_that_is_no_scalar_is_named(side, approach, n_steps):
    params, episode = map(side.array, sinusoid())
    module, settings = getattr(side, approach), {"n_steps": n_steps}
    if approach == "meta_sgd":
        params = side.meta_sgd.with_rates(params, inner_lr=0.1)
    else:
        settings["rule"] = sgd(0.1)
    words = r"^loss: got shape \([56],\); it gives one number, such as a mean over examples\.$"
    with pytest.raises(ValueError, match=words):
        squared = lambda p, e: ((side.nn.mlp(p, e.x) - e.y) ** 2)[:, 0]  # noqa: E731
        module.meta_gradient(params, episode, loss=squared, **settings)


def test_a_nan_in_the_support_is_named_when_adapting_and_stops_training(side):
    params, episode = sinusoid()
    episode.support.x[0] = np.nan
    params, episode = side.array(params), side.array(episode)
    words = r"^adapted: layers.0.weight is not finite after 4 steps; look for NaN in the sup"
    with pytest.raises(FloatingPointError, match=words):
        side.maml.adapt(params, episode.support, **settings_of(side))
    rule = only(["layers.1.weight"], sgd(0.05))  # the rest stays finite
    with pytest.raises(FloatingPointError, match=r"^adapted: layers.1.weight is not finite"):
        side.maml.adapt(params, episode.support, **settings_of(side, rule=rule))
    meta_gradient = partial(side.maml.meta_gradient, loss=regression_loss(side), rule=sgd(0.1), n_steps=1)
    with pytest.raises(FloatingPointError, match="outer step 0: the loss is nan"):
        meta_train(params, meta_gradient, lambda: episode, rule=sgd(0.1), n_steps=1)
