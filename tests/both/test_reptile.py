"""Reptile: where training stops on quadratics, its two-step formula, and the state of its rule."""

import numpy as np
import pytest

from reference.episodes import Examples
from reference.meta_train import meta_train
from reference.rules import adam, sgd
from reference.tasks.families import Quadratics
from tests.quadratics import N_STEPS, RATE, as_episode, direction, fixed_points, quadratic_loss, six_tasks
from tests.sides import mlp_params


@pytest.mark.parametrize("n_steps", [1, N_STEPS])
def test_training_stops_where_the_formula_says(side, n_steps):
    tasks = six_tasks()
    episodes = side.array(as_episode(tasks))
    trained, _ = meta_train(
        side.array({"theta": np.array([3.0, -2.0])}),
        direction(side, "Reptile", n_steps),
        lambda: episodes,
        rule=sgd(0.7),
        n_steps=700,
    )
    expected = fixed_points(tasks, n_steps)["Reptile"]
    np.testing.assert_allclose(side.numpy(trained)["theta"], expected, rtol=0, atol=1e-9)


def test_one_step_is_joint_training(side):
    params, episodes = side.array({"theta": np.array([3.0, -2.0])}), side.array(as_episode(six_tasks()))
    found, joint = (
        side.numpy(direction(side, way, 1)(params, episodes)[0])["theta"]
        for way in ("Reptile", "joint training")
    )
    np.testing.assert_allclose(found, RATE * joint, rtol=1e-12)


def two_tasks(side):
    tasks = [Quadratics(dimension=2).sample(np.random.default_rng(seed)) for seed in (0, 1)]
    return tasks, [side.array(Examples(*task)) for task in tasks]


def test_on_two_batches_it_sees_the_second_gradient_after_the_first_step(side):
    # theta - phi = a (g1 + g2 - a A2 g1): the last term is what makes batches help each other (section 5).
    (first, second), batches = two_tasks(side)
    theta = np.array([3.0, -2.0])
    g1, g2 = first.gradient(theta), second.gradient(theta)
    found = side.reptile.direction(side.array({"theta": theta}), batches, loss=quadratic_loss, rule=sgd(RATE))
    expected = RATE * (g1 + g2 - RATE * second.curvature @ g1)
    np.testing.assert_allclose(side.numpy(found)["theta"], expected, rtol=1e-12)


@pytest.mark.parametrize("rule", [adam(0.1), sgd(0.1, momentum=0.9)])
def test_the_state_of_the_rule_goes_from_batch_to_batch_and_can_go_on(side, rule):
    _, batches = two_tasks(side)
    params = side.array({"theta": np.array([3.0, -2.0])})
    whole, state = side.reptile.take_steps(params, batches * 2, rule, rule.init(params), loss=quadratic_loss)
    assert state.step == 4
    half, midway = side.reptile.take_steps(params, batches, rule, rule.init(params), loss=quadratic_loss)
    again, _ = side.reptile.take_steps(half, batches, rule, midway, loss=quadratic_loss)
    np.testing.assert_array_equal(side.numpy(again)["theta"], side.numpy(whole)["theta"])
    learned = side.reptile.learned(params, batches * 2, loss=quadratic_loss, rule=rule)
    np.testing.assert_array_equal(side.numpy(learned)["theta"], side.numpy(whole)["theta"])


def test_plain_arrays_come_back_in_float32_and_what_is_given_is_left_alone(side):
    rng = np.random.default_rng(0)
    params = mlp_params(0, [1, 8, 1], np.float32)
    examples = Examples(*rng.normal(size=(2, 6, 1)).astype(np.float32))
    given = side.array(params)

    def loss(p, e):
        return side.nn.mean_squared_error(side.nn.mlp(p, e.x), e.y)

    found = side.reptile.direction(given, [side.array(examples)] * 2, loss=loss, rule=sgd(0.05))
    for name, p in params.items():
        assert type(found[name]) is type(given[name]) and side.numpy(found[name]).dtype == np.float32
        np.testing.assert_array_equal(side.numpy(given[name]), p)
