"""The gradient family's long experiment in the small: it resumes exactly, and its two ways to test differ."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.func import functional_call
from torch.nn import functional as F

from experiments import omniglot_gradient as experiment
from experiments import runs
from reference.episodes import Examples
from reference.pytorch import meta_sgd
from reference.pytorch.unroll import sgd, unroll
from reference.tasks.bank import make_bank

CPU = torch.device("cpu")


def settings(method, n_steps=4):
    small = {"n_steps": n_steps, "tasks_per_step": 2, "width": 4, "test_steps": 2}
    return experiment.METHODS[method][0]._replace(**small)


def bank(n_classes=8, n_images=20):
    images = np.random.default_rng(0).integers(0, 256, (n_classes * n_images, 28, 28), dtype=np.uint8)
    names = [f"class {i}" for i in range(n_classes)]
    labels = np.repeat(np.arange(n_classes), n_images)
    return make_bank(images, labels, names=names, groups=["one"] * n_classes)


def begun(method, n_steps=4):
    rng = np.random.default_rng(0)
    learner = experiment.make(method, settings(method, n_steps), rng, CPU)
    return experiment.begin(learner, rng), learner


def trained(method, tmp_path):
    run, learner = begun(method)
    return experiment.train(run, learner, bank(), settings(method), checkpoint=tmp_path / "run"), learner


def support_and_queries():
    x = torch.from_numpy(np.random.default_rng(0).random((10, 1, 28, 28), dtype=np.float32))
    return Examples(x[:5], torch.arange(5)), x[5:]


def forward_of(method):
    return partial(functional_call, experiment.network(settings(method).width))


def ways_to_adapt(method, run, learner, monkeypatch):
    """Together and alone, of the trained parameters and then of the untrained ones."""
    found = []
    monkeypatch.setattr(experiment, "in_numpy", lambda adapt, device: found.append(adapt))
    list(experiment.tests(run, learner, bank(), settings(method)))
    return found


def same_state(a, b):
    states = zip(a.state, b.state, strict=True)
    pairs = [(a.params, b.params), (a.buffers, b.buffers), *(s for s in states if isinstance(s[0], dict))]
    return all(torch.equal(x[k], y[k]) for x, y in pairs for k in x) and a.state.step == b.state.step


class Killed(Exception):
    pass


@pytest.mark.parametrize("method", experiment.METHODS)
def test_a_stopped_run_goes_on_to_the_weights_of_an_uninterrupted_one(method, tmp_path, monkeypatch):
    go_on = partial(experiment.train, bank=bank(), settings=settings(method), save_every_s=0)
    whole = go_on(*begun(method), checkpoint=tmp_path / "whole")

    saved = []

    def save_twice(*args):
        runs_save(*args)
        saved.append(1)
        if len(saved) == 2:
            raise Killed

    runs_save = runs.save
    monkeypatch.setattr(runs, "save", save_twice)
    with pytest.raises(Killed):
        go_on(*begun(method), checkpoint=tmp_path / "killed")
    monkeypatch.undo()

    fresh, learner = begun(method)
    run = runs.resume(tmp_path / "killed", fresh, settings(method))
    assert (run.state.step, run.n_resumed) == (2, 1)
    assert not same_state(run, whole)
    assert same_state(go_on(run, learner, checkpoint=tmp_path / "killed"), whole)


@pytest.mark.parametrize("method", experiment.METHODS)
def test_every_learner_is_tested_together_and_alone(method, tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "N_TEST_EPISODES", 3)
    run, learner = begun(method)
    tests = experiment.tests(run, learner, bank(), settings(method))
    run = runs.test(run, tests, settings(method), checkpoint=tmp_path / "run")
    kinds = [(score["learner"], score["transductive"]) for score in run.scores]
    both = [(name, transductive) for name in ("trained", "untrained") for transductive in (True, False)]
    assert kinds == [*both, ("raw pixels", False)]
    assert all(score["n_episodes"] == 3 for score in run.scores)


@pytest.mark.parametrize("method", ["maml", "reptile"])
def test_alone_a_prediction_does_not_depend_on_the_other_queries_and_together_it_does(method, monkeypatch):
    run, learner = begun(method)
    together, alone = ways_to_adapt(method, run, learner, monkeypatch)[:2]
    support, x = support_and_queries()
    for adapt, depends in ((together, True), (alone, False)):
        predict = adapt(support)
        full, part = predict(x)[:2], predict(x[:2])
        assert torch.allclose(full, part, atol=1e-5) != depends


@pytest.mark.parametrize("method", experiment.METHODS)
def test_the_batches_of_a_test_are_those_put_together_by_hand(method, tmp_path, monkeypatch):
    run, learner = trained(method, tmp_path)
    ways = ways_to_adapt(method, run, learner, monkeypatch)
    support, x = support_and_queries()
    for params, (together, alone) in ((run.params, ways[:2]), (learner.params, ways[2:])):
        scores = learner.adapt(params, support, network=forward_of(method))
        each = [scores(torch.cat([support.x, one[None]]))[5:] for one in x]
        torch.testing.assert_close(alone(support)(x), torch.cat(each))
        torch.testing.assert_close(together(support)(x), scores(x))


@pytest.mark.parametrize("method", experiment.METHODS)
def test_a_test_takes_its_own_number_of_steps(method, tmp_path):
    run, learner = trained(method, tmp_path)
    chosen, forward, params = settings(method), forward_of(method), run.params
    support, x = support_and_queries()
    assert chosen.test_steps != chosen.inner_steps
    if method == "meta-sgd":
        params, update = meta_sgd.part(params, "start"), sgd(meta_sgd.part(params, "rate"))
    elif run.buffers:  # Reptile's Adam goes on from what training has left
        own = {name: b.clone() for name, b in run.buffers.items()}
        update = experiment.adam_without_momentum(chosen.inner_lr, own)
    else:
        update = sgd(chosen.inner_lr)

    def loss(params):
        return F.cross_entropy(forward(params, support.x), support.y)

    end = unroll(loss, params, update, chosen.test_steps, first_order=True)
    found = learner.adapt(run.params, support, network=forward)(x)
    torch.testing.assert_close(found, forward(end, x))


@pytest.mark.parametrize("method", ["reptile", "reptile-alone"])
def test_what_the_inner_adam_learns_in_a_test_is_forgotten(method, tmp_path):
    run, learner = trained(method, tmp_path)
    before = {name: b.clone() for name, b in run.buffers.items()}
    support, x = support_and_queries()
    first, again = (learner.adapt(run.params, support, network=forward_of(method))(x) for _ in range(2))
    assert before["count"] > 0
    assert all(torch.equal(run.buffers[name], b) for name, b in before.items())
    torch.testing.assert_close(again, first)


def test_the_inner_adam_is_that_of_torch_without_momentum_over_all_tasks():
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64))
    theirs = torch.optim.Adam([weight], lr=0.1, betas=(0.0, 0.999))
    params = {"weight": weight.detach().clone()}
    buffers = {"weight": torch.zeros(3, dtype=torch.float64), "count": torch.zeros((), dtype=torch.float64)}

    def loss(params):
        return (params["weight"] ** 4).sum()

    for _ in range(2):  # tasks
        update = experiment.adam_without_momentum(0.1, buffers)
        params = unroll(loss, params, update, 3, first_order=True)
        for _ in range(3):
            theirs.zero_grad()
            loss({"weight": weight}).backward()
            theirs.step()
    torch.testing.assert_close(params["weight"], weight.detach(), rtol=1e-10, atol=1e-10)


def test_a_support_is_gone_through_before_anything_comes_again():
    chosen = experiment.METHODS["reptile"][0]
    n = 5 * chosen.k_shot
    support = Examples(torch.arange(n), torch.arange(n))
    found = experiment.batches(support, chosen._replace(inner_steps=6), np.random.default_rng(0))
    assert [len(batch.y) for batch in found] == [25] * 6
    for half in (found[:3], found[3:]):
        assert sorted(torch.cat([batch.x for batch in half]).tolist()) == list(range(n))
    assert not torch.equal(found[0].x, found[3].x)
    assert all(torch.equal(batch.x, batch.y) for batch in found)


def test_the_settings_are_those_of_the_papers_but_for_the_number_of_outer_steps():
    names = ("tasks_per_step", "outer_lr", "inner_lr", "inner_steps", "k_shot", "batch", "test_steps")
    found = {
        method: tuple(getattr(chosen, name) for name in names)
        for method, (chosen, _) in experiment.METHODS.items()
    }
    assert found == {
        "maml": (32, 1e-3, 0.4, 1, 1, 5, 3),
        "first-order-maml": (32, 1e-3, 0.4, 1, 1, 5, 3),
        "meta-sgd": (32, 1e-3, 0.1, 1, 1, 5, 1),
        "reptile": (10, 1.0, 1e-3, 3, 15, 25, 5),
        "reptile-alone": (3, 1.0, 4.4e-4, 12, 12, 5, 86),
    }
    assert experiment.METHODS["maml"][0] == experiment.METHODS["first-order-maml"][0]


def test_only_the_first_order_switch_separates_the_two_mamls():
    bank_ = bank()
    gradients = {}
    for method in ("maml", "first-order-maml"):
        rng = np.random.default_rng(0)
        learner = experiment.make(method, settings(method), rng, CPU)
        tasks = experiment.FewShot(bank_, n_way=5, k_shot=1, n_query=1)
        episode = experiment.to_torch(tasks.sample(np.random.default_rng(1)))
        gradients[method], loss = learner.meta_gradient(learner.params, episode)
        gradients[method + " loss"] = loss
    assert torch.equal(gradients["maml loss"], gradients["first-order-maml loss"])
    assert not torch.allclose(gradients["maml"]["0.weight"], gradients["first-order-maml"]["0.weight"])
