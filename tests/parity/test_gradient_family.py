"""MAML, ANIL, Reptile and Meta-SGD in NumPy and PyTorch: the same steps, and the same nets after twenty."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.func import functional_call, grad_and_value

from reference.episodes import one_by_one
from reference.meta_train import mean_over_tasks, meta_train
from reference.pytorch import batches as their_batches
from reference.pytorch import maml as their_maml
from reference.pytorch import meta_sgd as their_meta_sgd
from reference.pytorch import nn as their_nn
from reference.pytorch import reptile as their_reptile
from reference.pytorch.machine.arrays import to_torch
from reference.rules import adam, each_step, only, sgd
from reference.scratch import batches, maml, meta_sgd, reptile
from reference.scratch.nn import init_mlp, mlp
from reference.tasks.families import Sinusoids

SIZES, N_TASKS, N_STEPS = [1, 10, 10, 1], 5, 20
NET = their_nn.MLP(SIZES)
HEAD = ["layers.2.weight", "layers.2.bias"]


def loss(params, examples):
    """One number a task, averaged over its examples."""
    return np.mean((mlp(params, examples.x) - examples.y) ** 2, axis=(-2, -1))


def their_loss(params, examples):
    return ((their_nn.mlp(params, examples.x) - examples.y) ** 2).mean((-2, -1))


def loss_of_module(params, examples):
    return torch.nn.functional.mse_loss(functional_call(NET, params, examples.x), examples.y)


# name: (module on both sides, its rule or what makes one, settings)
STEP = {"rule": sgd(0.05)}
FAMILY = {
    "MAML, 1 step": ("maml", STEP, {"n_steps": 1}),
    "MAML, 5 steps": ("maml", STEP, {"n_steps": 5}),
    "MAML through Adam, 5 steps": ("maml", {"rule": adam(0.05)}, {"n_steps": 5}),
    "MAML through momentum, 5 steps": ("maml", {"rule": sgd(0.02, momentum=0.9)}, {"n_steps": 5}),
    "first-order MAML, 5 steps": ("maml", STEP, {"n_steps": 5, "first_order": True}),
    "ANIL, 5 steps": ("maml", {"rule": only(HEAD, sgd(0.05))}, {"n_steps": 5}),
    "Meta-SGD, 1 step": ("meta_sgd", {}, {"n_steps": 1}),
    "Meta-SGD, 5 steps": ("meta_sgd", {}, {"n_steps": 5}),
    "MAML++, 5 steps": ("meta_sgd", {"rule_of": each_step}, {"n_steps": 5}),
    "Reptile, 5 steps": ("reptile", STEP, {"n_steps": 5}),
}
OURS = {"maml": maml, "meta_sgd": meta_sgd, "reptile": reptile}
THEIRS = {"maml": their_maml, "meta_sgd": their_meta_sgd, "reptile": their_reptile}


def start(approach, rule=()):
    params = {name: p.astype(np.float64) for name, p in init_mlp(np.random.default_rng(0), SIZES).items()}
    if "rule_of" in rule:
        return meta_sgd.with_step_rates(params, inner_lr=0.05, n_steps=5)
    return meta_sgd.with_rates(params, inner_lr=0.05) if approach is meta_sgd else params


def to_tensors(params):
    return {name: torch.tensor(p) for name, p in params.items()}


def draws(convert):
    """A source of batches of tasks, always the same ones."""
    tasks, rng = Sinusoids(k_shot=5, n_query=7), np.random.default_rng(1)
    return lambda: convert(tasks.sample_batch(rng, N_TASKS))


def their_vmap(approach):
    differentiable = (
        approach.meta_gradient if approach is their_reptile else grad_and_value(approach.task_loss)
    )
    return their_batches.mean_by_vmap(differentiable)


@pytest.mark.parametrize(("module", "rule", "settings"), FAMILY.values(), ids=FAMILY)
def test_twenty_outer_steps_end_at_the_same_weights(module, rule, settings):
    approach, their_approach = OURS[module], THEIRS[module]
    params, losses = meta_train(
        start(approach, rule),
        partial(batches.mean_over_batch(approach.meta_gradient), loss=loss, **rule, **settings),
        draws(lambda episodes: episodes),
        rule=adam(0.01),
        n_steps=N_STEPS,
    )
    for many, task_loss in (
        (their_batches.mean_over_batch(their_approach.meta_gradient), their_loss),
        (their_vmap(their_approach), loss_of_module),
    ):
        their_params, their_losses = meta_train(
            to_tensors(start(approach, rule)),
            partial(many, loss=task_loss, **rule, **settings),
            draws(to_torch),
            rule=adam(0.01),
            n_steps=N_STEPS,
        )
        np.testing.assert_allclose(losses, their_losses, rtol=0, atol=1e-8)
        for name, p in params.items():
            np.testing.assert_allclose(p, their_params[name].numpy(), rtol=0, atol=1e-8)
    assert not np.allclose(params[name], start(approach, rule)[name], atol=1e-3)


@pytest.mark.parametrize(("module", "rule", "settings"), FAMILY.values(), ids=FAMILY)
def test_a_batch_is_the_mean_of_its_tasks_one_by_one(module, rule, settings):
    approach, their_approach = OURS[module], THEIRS[module]
    params, episodes = start(approach, rule), draws(lambda episodes: episodes)()

    def one_at_a_time(params, episode):
        return approach.meta_gradient(params, episode, loss=loss, **rule, **settings)

    def their_one_at_a_time(params, episode):
        return their_approach.meta_gradient(params, episode, loss=loss_of_module, **rule, **settings)

    expected, expected_loss = mean_over_tasks(one_at_a_time)(params, one_by_one(episodes))
    at_once = batches.mean_over_batch(approach.meta_gradient)
    their_at_once = their_batches.mean_over_batch(their_approach.meta_gradient)
    tensors, their_episodes = to_tensors(params), to_torch(episodes)
    for gradient, value in (
        at_once(params, episodes, loss=loss, **rule, **settings),
        mean_over_tasks(their_one_at_a_time)(tensors, one_by_one(their_episodes)),
        their_at_once(tensors, their_episodes, loss=their_loss, **rule, **settings),
        their_vmap(their_approach)(tensors, their_episodes, loss=loss_of_module, **rule, **settings),
    ):
        assert float(value) == pytest.approx(float(expected_loss), rel=1e-10)
        assert list(gradient) == list(expected)
        for name in expected:
            np.testing.assert_allclose(np.asarray(gradient[name]), expected[name], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("module", "rule", "settings"), FAMILY.values(), ids=FAMILY)
def test_adapted_learners_predict_the_same(module, rule, settings):
    approach, their_approach = OURS[module], THEIRS[module]
    params, episode = start(approach, rule), one_by_one(draws(lambda episodes: episodes)())[0]
    settings = {"n_steps": settings["n_steps"]}
    predict = approach.adapt(params, episode.support, network=mlp, loss=loss, **rule, **settings)
    their_predict = their_approach.adapt(
        to_tensors(params),
        to_torch(episode).support,
        network=partial(functional_call, NET),
        loss=loss_of_module,
        **rule,
        **settings,
    )
    theirs = their_predict(torch.tensor(episode.query.x))
    assert not theirs.requires_grad
    np.testing.assert_allclose(predict(episode.query.x), theirs.numpy(), rtol=1e-10, atol=1e-10)


def test_the_same_generator_gives_the_same_start():
    init_network = partial(init_mlp, sizes=SIZES)
    for approach, other, settings in (
        (maml, their_maml, {}),
        (reptile, their_reptile, {}),
        (meta_sgd, their_meta_sgd, {"inner_lr": 0.1}),
    ):
        mine = approach.init(np.random.default_rng(3), init_network, **settings)
        theirs = other.init(np.random.default_rng(3), NET, **settings)
        assert list(mine) == list(theirs)
        for name in mine:
            assert mine[name].dtype == np.float32
            np.testing.assert_array_equal(mine[name], theirs[name].numpy())


@pytest.mark.parametrize("n_tasks", [1, 4])
def test_the_dense_net_is_the_same_as_a_function(n_tasks):
    params = to_tensors(start(maml))
    x = torch.linspace(-3, 3, 6, dtype=torch.float64)[:, None]
    expected = functional_call(NET, params, x)
    torch.testing.assert_close(their_nn.mlp(params, x), expected, rtol=1e-12, atol=1e-12)
    own = {name: p.expand(n_tasks, *p.shape) for name, p in params.items()}
    found = their_nn.mlp(own, x.expand(n_tasks, *x.shape))
    torch.testing.assert_close(found, expected.expand(n_tasks, *expected.shape), rtol=1e-12, atol=1e-12)


def test_both_sides_start_the_rates_of_each_step_alike():
    params = init_mlp(np.random.default_rng(0), SIZES)
    mine = meta_sgd.with_step_rates(params, inner_lr=0.1, n_steps=3)
    theirs = their_meta_sgd.with_step_rates(to_tensors(params), inner_lr=0.1, n_steps=3)
    assert list(mine) == list(theirs)
    for name in mine:
        assert mine[name].dtype == np.float32
        np.testing.assert_array_equal(mine[name], theirs[name].numpy())
