"""The sinusoids of Finn et al. in the small: the directions are right, and the rows are of their learner."""

import numpy as np
import pytest
import torch

from experiments import training
from experiments.regression import sinusoids
from experiments.regression.curves import curve, sample, with_truth
from experiments.saving import Job
from reference.episodes import Examples
from reference.evaluation import Score
from reference.params import part
from reference.pytorch.nn import mlp
from reference.rules import sgd
from reference.tasks.families import Sinusoids
from tests.experiments.regression.test_curves import CPU, few, start


def job(variant, **settings):
    chosen = sinusoids.Settings(k_shot=5, n_test_tasks=6)._replace(**settings)
    return Job("regression", variant, chosen, CPU)


def test_the_settings_are_those_of_the_paper():
    assert set(sinusoids.VARIANTS.values()) == {sinusoids.Settings("sinusoids", 0, 10, 70_000, 1e-3, 600)}


def test_pooling_is_the_gradient_over_all_points():
    episodes, params = few(k_shot=5, n_query=5), start()
    gradient, loss = sinusoids.pooled(params, episodes)
    leaves = {name: p.clone().requires_grad_() for name, p in params.items()}
    x, y = (torch.cat([part.reshape(-1, 1) for part in parts]) for parts in zip(*episodes[:2], strict=True))
    expected = ((mlp(leaves, x) - y) ** 2).mean()
    assert float(loss) == pytest.approx(expected.item(), rel=1e-5)
    expected.backward()
    for name, leaf in leaves.items():
        torch.testing.assert_close(gradient[name], leaf.grad, rtol=1e-4, atol=1e-5)


def test_reptile_learns_by_turns_from_support_and_query():
    episodes, params = few(), start()
    direction, loss = sinusoids.LEARNERS["reptile"].meta_gradient(params, episodes)
    ends, losses = [], []
    for task in range(4):
        support, query = (Examples(part.x[task], part.y[task]) for part in episodes[:2])
        weights = {name: p.clone().requires_grad_() for name, p in params.items()}
        for x, y in (support, query, support, query):
            gradient = torch.autograd.grad(((mlp(weights, x) - y) ** 2).mean(), list(weights.values()))
            weights = {k: w - 0.01 * g for (k, w), g in zip(weights.items(), gradient, strict=True)}
        ends.append(weights)
        losses.append(((mlp(weights, query.x) - query.y) ** 2).mean().item())
    assert float(loss) == pytest.approx(sum(losses) / 4, rel=1e-4)
    for name, p in params.items():
        expected = torch.stack([p - end[name].detach() for end in ends]).mean(0)
        torch.testing.assert_close(direction[name], expected, rtol=1e-4, atol=1e-6)


def rows(variant, first, end, tmp_path):
    judged, at = job(variant), training.Run(end, (), {})
    return training.judge(at, sinusoids.tests(judged, first, end), judged, checkpoint=tmp_path / variant).rows


@pytest.mark.parametrize("variant", sinusoids.LEARNERS)
def test_a_row_has_the_errors_of_its_learner_after_as_many_steps_as_it_says(variant, tmp_path):
    first, end = (sinusoids.begin(job(variant), np.random.default_rng(seed)) for seed in (1, 2))
    test = sample(
        Sinusoids(k_shot=5, n_query=sinusoids.N_TEST_QUERIES),
        np.random.default_rng(1000),
        n_tasks=6,
        device=CPU,
    )
    name, found = sinusoids.LEARNERS[variant].name, rows(variant, first, end, tmp_path)
    learners = [name, "never trained"] if variant == "pretraining" else [name]
    assert [row.about["learner"] for row in found] == [learner for learner in learners for _ in range(4)]
    for row in found:
        params = first if row.about["learner"] == "never trained" else end
        inner_lr = row.about["inner_lr"]
        if "learned" in variant or variant == "meta-sgd":
            assert inner_lr == "learned"
            params, inner_lr = part(params, "start"), sinusoids.INNER_LR
        if variant == "oracle":
            assert inner_lr == "none"
            inner_lr = 0.0
        if variant in ("maml", "first-order-maml", "reptile"):
            assert inner_lr == 0.01
        errors = curve(params, with_truth(test) if variant == "oracle" else test, sgd(inner_lr), 10)
        score = Score(errors[row.about["inner_steps"]])
        assert (row.mean, row.half_width) == pytest.approx((score.mean, score.half_width), rel=1e-2)
    assert [row.about["inner_steps"] for row in found[:4]] == [0, 1, 5, 10]


@pytest.mark.parametrize("variant", sinusoids.LEARNERS)
def test_every_learner_learns(variant, tmp_path):
    its_job = job(variant, n_steps=120, k_shot=10)
    rng, how = np.random.default_rng(0), sinusoids.train(its_job)
    first = sinusoids.begin(its_job, rng)
    run = training.train(training.begin(first, how.rule, rng), how, its_job, checkpoint=tmp_path / "run")
    episodes = few(n_tasks=200, k_shot=10, n_query=10)
    before, after = (float(how.meta_gradient(p, episodes)[1]) for p in (first, run.params))
    assert after < before


@pytest.mark.parametrize("variant", ["learned-rate", "learned-rates"])
def test_rates_that_are_shared_have_the_gradient_of_the_numbers_that_they_are(variant):
    episodes, start = few(), sinusoids.begin(job(variant), np.random.default_rng(0))
    gradient, _ = sinusoids.LEARNERS[variant].meta_gradient(start, episodes)
    names, losses = list(part(start, "start")), []
    rates = dict.fromkeys(names, torch.tensor(sinusoids.INNER_LR, requires_grad=True))
    if variant == "learned-rates":
        rates = {name: torch.tensor(sinusoids.INNER_LR, requires_grad=True) for name in names}
    for task in range(len(episodes.query.x)):
        (x, y), query = (Examples(p.x[task], p.y[task]) for p in episodes[:2])
        weights = {name: p.clone().requires_grad_() for name, p in part(start, "start").items()}
        steps = torch.autograd.grad(((mlp(weights, x) - y) ** 2).mean(), list(weights.values()))
        weights = {k: w - rates[k] * g for (k, w), g in zip(weights.items(), steps, strict=True)}
        losses.append(((mlp(weights, query.x) - query.y) ** 2).mean())
    torch.stack(losses).mean().backward()
    for name, found in part(gradient, "rate").items():
        torch.testing.assert_close(found, rates[name].grad.expand_as(found), rtol=1e-4, atol=1e-6)
