"""Prototypical networks' run: the running statistics are carried, and used where it says so."""

import numpy as np
import pytest
import torch
from torch.func import functional_call

from experiments import training
from experiments.carried import apart
from experiments.omniglot import comparing, prototypical
from reference.pytorch.machine.speed import channels_last
from tests.experiments.omniglot import small
from tests.experiments.omniglot.small import drawings as drawings

pytestmark = pytest.mark.usefixtures("drawings")


def test_the_settings_are_the_papers_60_ways():
    assert prototypical.Settings()[4:7] == (60, 1, 5)


def test_the_running_statistics_are_those_that_the_module_itself_keeps(tmp_path):
    job = small.job("prototypical", n_steps=1)
    run = small.trained(job, tmp_path / "run")
    how, rng = prototypical.train(job), np.random.default_rng(0)
    weights, statistics = apart(prototypical.begin(job, rng))
    net = comparing.network(job).train()
    net.load_state_dict(weights | statistics)
    episode = how.draw(rng)
    with torch.no_grad():
        net(channels_last(torch.cat([episode.support.x, episode.query.x])))
    kept = dict(net.named_buffers())
    for name, value in apart(run.params)[1].items():
        torch.testing.assert_close(value, kept[name])
        assert not torch.equal(value, statistics[name])


def test_an_episode_of_a_test_is_normalised_by_them_and_no_query_sees_another(tmp_path, monkeypatch):
    job = small.job("prototypical")
    end, found = small.trained(job, tmp_path / "run").params, []
    monkeypatch.setattr(comparing, "in_numpy", lambda adapt, device: found.append(adapt))
    monkeypatch.setattr(comparing, "evaluate", lambda *args, **settings: None)
    next(prototypical.tests(job, small.start(job), end)).evaluate()
    support, x = small.support_and_queries()
    predict = found[0](support)
    torch.testing.assert_close(predict(x)[:2], predict(x[:2]))
    net = comparing.network(job).eval()
    weights, statistics = apart(end)
    embedded = [functional_call(net, weights | statistics, part) for part in (support.x, x)]
    distances = ((embedded[1][:, None] - embedded[0][None]) ** 2).sum(-1)
    torch.testing.assert_close(predict(x), torch.log_softmax(-distances, dim=1), rtol=1e-4, atol=1e-4)


def test_it_is_judged_in_four_ways(tmp_path):
    job = small.job("prototypical")
    tests = prototypical.tests(job, small.start(job), small.start(job))
    rows = training.judge(small.begun(job), tests, job, checkpoint=tmp_path / "run").rows
    kinds = [(row.about["n_way"], row.about["k_shot"], row.about["n_query"], row.n) for row in rows]
    assert kinds == [(5, 1, 5, 3), (5, 5, 5, 3), (20, 1, 5, 3), (20, 5, 5, 3)]
