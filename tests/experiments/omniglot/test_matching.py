"""Matching networks' run: three ways to compare, no query sees another, context depends on the order."""

import numpy as np
import pytest
import torch

from experiments import training
from experiments.omniglot import comparing, matching, prototypical
from reference.episodes import Examples
from tests.experiments.omniglot import small
from tests.experiments.omniglot.small import drawings as drawings

pytestmark = pytest.mark.usefixtures("drawings")
VARIANTS = list(matching.VARIANTS)


def learner(job, monkeypatch, tmp_path):
    end, found = small.trained(job, tmp_path / "run").params, []
    monkeypatch.setattr(comparing, "in_numpy", lambda adapt, device: found.append(adapt))
    monkeypatch.setattr(comparing, "evaluate", lambda *args, **settings: None)
    next(iter(matching.tests(job, small.start(job), end))).evaluate()
    return found[0]


def test_the_episodes_are_those_of_the_prototypical_run():
    names = ("n_steps", "n_way", "k_shot", "n_query", "width", "n_test_episodes")
    for chosen in matching.VARIANTS.values():
        assert [getattr(chosen, n) for n in names] == [getattr(prototypical.Settings(), n) for n in names]
        assert chosen.data == "vinyals"
    assert matching.VARIANTS["no-temperature"].temperature == 1


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_query_sees_another_and_only_context_sees_the_order(variant, monkeypatch, tmp_path):
    adapt = learner(small.job(variant), monkeypatch, tmp_path)
    support, x = small.support_and_queries()
    predict = adapt(support)
    for part in (x[:2], x[:1]):
        torch.testing.assert_close(predict(x)[: len(part)], predict(part), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(predict(x).exp().sum(1), torch.ones(5))
    order = [3, 1, 4, 0, 2]
    other = adapt(Examples(support.x[order], support.y[order]))(x)
    assert torch.allclose(other, predict(x), rtol=1e-4, atol=1e-4) == (variant != "full-context")


def test_a_temperature_and_a_context_are_all_that_separates_the_variants():
    found = {}
    for variant in VARIANTS:
        job = small.job(variant)
        how = matching.train(job)
        found[variant] = how.meta_gradient(small.start(job), how.draw(np.random.default_rng(1)))
    assert found["cosine"][1] != found["no-temperature"][1]
    assert found["cosine"][0].keys() == found["no-temperature"][0].keys() < found["full-context"][0].keys()
    assert any(name.startswith("context.g.") for name in found["full-context"][0])


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_judged_in_four_ways(variant, tmp_path):
    job = small.job(variant)
    tests = matching.tests(job, small.start(job), small.start(job))
    rows = training.judge(small.begun(job), tests, job, checkpoint=tmp_path / "run").rows
    kinds = [(row.about["n_way"], row.about["k_shot"], row.about["n_query"], row.n) for row in rows]
    assert kinds == [(5, 1, 5, 3), (5, 5, 5, 3), (20, 1, 5, 3), (20, 5, 5, 3)]
