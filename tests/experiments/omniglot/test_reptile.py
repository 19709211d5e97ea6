"""Reptile's run: the batches, and the inner Adam that goes on from task to task."""

import numpy as np
import pytest
import torch

from experiments.carried import apart
from experiments.omniglot import reptile
from reference.episodes import Episode, Examples
from reference.pytorch.unroll import take_step
from reference.rules import zeros
from tests.experiments.omniglot import small
from tests.experiments.omniglot.small import drawings as drawings


def test_the_settings_are_those_of_the_authors_three_commands_but_for_the_number_of_outer_steps():
    names = ("tasks_per_step", "outer_lr", "inner_lr", "inner_steps", "k_shot", "batch", "test_steps")
    found = {v: tuple(getattr(s, name) for name in names) for v, s in reptile.VARIANTS.items()}
    assert found == {
        "reptile-last": (5, 1.0, 1e-3, 5, 10, 10, 50),
        "reptile": (10, 1.0, 1e-3, 3, 15, 25, 5),
        "reptile-alone": (3, 1.0, 4.4e-4, 12, 12, 5, 86),
    }


def test_the_inner_adam_is_that_of_torch_without_momentum_over_all_tasks():
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64))
    theirs = torch.optim.Adam([weight], lr=0.1, betas=(0.0, 0.999))
    rule = reptile.inner_rule(reptile.Settings(inner_lr=0.1))
    params = {"weight": weight.detach().clone()}
    carried = reptile.carried(rule.init(params))

    def loss(params):
        return (params["weight"] ** 4).sum()

    for _ in range(2):  # tasks, between which only what is carried goes on
        state = reptile.state_of(carried)
        for _ in range(3):
            params, state = take_step(loss, params, rule, state, first_order=True)
            theirs.zero_grad()
            loss({"weight": weight}).backward()
            theirs.step()
        carried = reptile.carried(state)
    assert carried.keys() == {"step", "weight"} and int(carried["step"]) == 6
    torch.testing.assert_close(params["weight"], weight.detach(), rtol=1e-10, atol=1e-10)


def test_a_support_is_gone_through_before_anything_comes_again():
    chosen = reptile.VARIANTS["reptile"]._replace(inner_steps=6)
    support = Examples(torch.arange(75), torch.arange(75))
    found = reptile.in_batches(Episode(support, support), chosen, np.random.default_rng(0))
    assert [len(batch.y) for batch in found] == [25] * 6
    for half in (found[:3], found[3:]):
        assert sorted(torch.cat([batch.x for batch in half]).tolist()) == list(range(75))
    assert not torch.equal(found[0].x, found[3].x)
    assert all(torch.equal(batch.x, batch.y) for batch in found)


@pytest.mark.usefixtures("drawings")
def test_a_step_is_the_mean_of_the_ways_from_theta_to_phi_and_each_task_goes_on_with_adam():
    job = small.job("reptile")
    how, params = reptile.train(job), small.start(job)
    tasks = how.draw(np.random.default_rng(1))
    theta, left = apart(params)
    loss, rule = reptile.five_way.loss(job), reptile.inner_rule(job.settings)
    state, total = reptile.state_of(left), zeros(theta)
    for batches, _ in tasks:
        phi = theta
        for batch in batches:
            phi, state = take_step(lambda p, on=batch: loss(p, on), phi, rule, state, first_order=True)
        total = {name: total[name] + theta[name] - phi[name] for name in theta}
    assert len(tasks) == 2
    direction, now = apart(how.meta_gradient(params, tasks)[0])
    for name, found in direction.items():
        torch.testing.assert_close(found, total[name] / 2)
    assert int(now["step"]) == 2 * job.settings.inner_steps
    assert all(torch.equal(now[name], value) for name, value in state.square.items())


@pytest.mark.usefixtures("drawings")
@pytest.mark.parametrize("variant", reptile.VARIANTS)
def test_what_the_inner_adam_learns_in_a_test_is_forgotten(variant, tmp_path, monkeypatch):
    job = small.job(variant)
    adapt = small.learners(job, small.trained(job, tmp_path / "run").params, monkeypatch)[0]
    support, x = small.support_and_queries()
    assert torch.equal(adapt(support)(x), adapt(support)(x))
