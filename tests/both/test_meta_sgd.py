"""Meta-SGD and the rates of MAML++: what they learn where it is known, and rates that do not fit."""

from functools import partial

import numpy as np
import pytest

from reference.episodes import Examples
from reference.meta_train import meta_train
from reference.rules import adam, each_step, sgd
from reference.tasks.families import Quadratics, Sinusoids
from tests.quadratics import as_episode, quadratic_loss
from tests.sides import mlp_params


def tasks_of_one_curvature(side, *curvatures):
    """Eight quadratics with other centres and one curvature."""
    curvature = np.broadcast_to(np.diag(curvatures), (8, 2, 2)).copy()
    tasks = Quadratics(dimension=2).sample_batch(np.random.default_rng(0), 8)
    return side.array(as_episode(tasks._replace(curvature=curvature)))


def trained(side, params, episodes, *, outer_lr, n_outer, **settings):
    of_batch = side.batches.mean_over_batch(side.meta_sgd.meta_gradient)
    meta_gradient = partial(of_batch, loss=quadratic_loss, **settings)
    falling = adam(lambda step: outer_lr * (1 - step / n_outer))
    return meta_train(params, meta_gradient, lambda: episodes, rule=falling, n_steps=n_outer)


def test_it_learns_the_rates_that_solve_every_task_in_one_step(side):
    # Tasks of one curvature, diag(1/2, 2): with rates 1 / curvature one step ends at the centre.
    params = side.meta_sgd.with_rates(side.array({"theta": np.ones(2)}), inner_lr=0.1)
    episodes = tasks_of_one_curvature(side, 0.5, 2.0)
    params, losses = trained(side, params, episodes, outer_lr=0.1, n_outer=300)
    np.testing.assert_allclose(side.numpy(params)["rate.theta"], [2.0, 0.5], atol=1e-3)
    assert losses[-1] < 1e-6 < losses[0]


def test_rates_of_each_step_learn_the_two_steps_that_solve_every_task(side):
    # Curvatures 1 and 4 in one parameter, and one rate a step: the steps 1 and 1/4 end at the centre in turn.
    params = side.meta_sgd.with_step_rates(side.array({"theta": np.ones(2)}), inner_lr=0.1, n_steps=2)
    params |= side.array({"rate.theta": np.array([0.1, 0.3])})
    episodes = tasks_of_one_curvature(side, 1.0, 4.0)
    params, losses = trained(side, params, episodes, outer_lr=0.05, n_outer=300, n_steps=2, rule_of=each_step)
    np.testing.assert_allclose(sorted(side.numpy(params)["rate.theta"]), [0.25, 1.0], atol=1e-3)
    assert losses[-1] < 1e-6 < losses[0]


def sinusoid(side):
    params = mlp_params(0, [1, 8, 1])
    episode = Sinusoids(k_shot=6, n_query=5).sample(np.random.default_rng(0))
    return side.array(params), side.array(episode._replace(task=None))


def loss_of(side):
    return lambda params, examples: side.nn.mean_squared_error(side.nn.mlp(params, examples.x), examples.y)


@pytest.mark.parametrize("n_steps", [1, 3])
def test_equal_rates_are_the_plain_step(side, n_steps):
    params, episode = sinusoid(side)
    settings = {"loss": loss_of(side), "n_steps": n_steps}
    expected, value = side.maml.meta_gradient(params, episode, rule=sgd(0.05), **settings)
    of_steps = side.meta_sgd.with_step_rates(params, inner_lr=0.05, n_steps=n_steps)
    of_weights = side.meta_sgd.with_rates(params, inner_lr=0.05)
    for equal, rule_of in ((of_steps, each_step), (of_weights, sgd)):
        found, same_value = side.meta_sgd.meta_gradient(equal, episode, rule_of=rule_of, **settings)
        assert float(same_value) == pytest.approx(float(value), rel=1e-12)
        for name, g in side.numpy(expected).items():
            np.testing.assert_allclose(side.numpy(found)[f"start.{name}"], g, rtol=1e-10)
            assert side.numpy(found)[f"rate.{name}"].any()


def test_it_is_another_rule_where_rates_are_learned_of_another_rule(side):
    """rule_of takes any rule with rates: Adam's, one for each weight."""
    params, episode = sinusoid(side)
    rates = side.meta_sgd.with_rates(params, inner_lr=0.05)
    settings = {"loss": loss_of(side), "n_steps": 2}
    found, value = side.meta_sgd.meta_gradient(rates, episode, rule_of=adam, **settings)
    expected, same = side.maml.meta_gradient(params, episode, rule=adam(0.05), **settings)
    assert float(value) == pytest.approx(float(same), rel=1e-12)
    for name, g in side.numpy(expected).items():
        np.testing.assert_allclose(side.numpy(found)[f"start.{name}"], g, rtol=1e-9, atol=1e-12)


def test_a_predictor_remembers_nothing_of_how_it_was_learned(side):
    params, episode = sinusoid(side)
    settings = {"network": side.nn.mlp, "loss": loss_of(side), "n_steps": 2}
    for approach, given, rule in (
        (side.maml, params, {"rule": sgd(0.1)}),
        (side.reptile, params, {"rule": sgd(0.1)}),
        (side.meta_sgd, side.meta_sgd.with_rates(params, inner_lr=0.1), {}),
    ):
        if side.name == "pytorch":
            given = {name: p.clone().requires_grad_() for name, p in given.items()}
        answer = approach.adapt(given, episode.support, **settings, **rule)(episode.query.x)
        assert type(answer) is type(episode.query.x) and not getattr(answer, "requires_grad", False)


def test_what_is_given_is_left_alone_and_float32_stays(side):
    params = mlp_params(0, [1, 8, 1], np.float32)
    examples = Examples(*np.random.default_rng(0).normal(size=(2, 6, 1)).astype(np.float32))
    given = side.meta_sgd.with_rates(side.array(params), inner_lr=np.float64(0.05))
    before = {name: p.copy() for name, p in side.numpy(given).items()}
    episode = side.array(as_episode(examples))
    gradient, value = side.meta_sgd.meta_gradient(given, episode, loss=loss_of(side))
    assert side.numpy(value).dtype == np.float32
    for name, p in before.items():
        assert side.numpy(gradient[name]).dtype == np.float32
        np.testing.assert_array_equal(side.numpy(given[name]), p)


def test_a_learned_rate_of_the_wrong_shape_is_named(side):
    params, episode = sinusoid(side)
    params = side.meta_sgd.with_rates(params, inner_lr=0.05) | side.array(
        {"rate.layers.0.weight": np.full(8, 0.05)}
    )
    with pytest.raises(
        ValueError, match=r"^rate: got shape \(8,\) for layers.0.weight of shape \(8, 1\); a "
    ):
        side.meta_sgd.meta_gradient(params, episode, loss=loss_of(side))


def test_rates_of_steps_that_do_not_fit_are_named(side):
    params, episode = sinusoid(side)
    settings = {"loss": loss_of(side), "rule_of": each_step}
    two = side.meta_sgd.with_step_rates(params, inner_lr=0.05, n_steps=2)
    side.meta_sgd.adapt(two, episode.support, network=side.nn.mlp, n_steps=2, **settings)
    with pytest.raises(ValueError, match=r"^rates: there are 2 for each parameter; step 2 has none\.$"):
        side.meta_sgd.adapt(two, episode.support, network=side.nn.mlp, n_steps=3, **settings)
    for_weights = side.meta_sgd.with_rates(params, inner_lr=0.05)
    with pytest.raises(ValueError, match=r"^rates: got shapes \[.*\]; every parameter has equally many, one"):
        side.meta_sgd.meta_gradient(for_weights, episode, **settings)
    del two["rate.layers.0.weight"]
    with pytest.raises(ValueError, match=r"^rates: got rates for \[.*\]; layers.0.weight needs some too\.$"):
        side.meta_sgd.meta_gradient(two, episode, **settings)


def test_a_missing_class_is_named_when_adapting(side):
    params = side.meta_sgd.with_rates(side.array(mlp_params(0, [2, 3])), inner_lr=0.1)
    support = side.array(Examples(np.ones((3, 2)), np.array([0, 0, 2])))
    with pytest.raises(ValueError, match=r"^support.y: got classes \[0, 2\]; each of 0\.\.2, and no other"):
        side.meta_sgd.adapt(params, support, network=side.nn.mlp, loss=loss_of(side))
