"""What the methods share: every one resumes exactly, and is judged by its two batches as it says."""

from itertools import count

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from experiments import training
from experiments.carried import apart
from experiments.omniglot import reptile
from experiments.saving import resume
from reference.params import part
from reference.pytorch.unroll import take_step
from reference.rules import sgd
from tests.experiments.omniglot import small
from tests.experiments.omniglot.small import drawings as drawings

pytestmark = pytest.mark.usefixtures("drawings")


@pytest.mark.parametrize("variant", small.ALL)
def test_a_stopped_run_goes_on_to_the_weights_of_an_uninterrupted_one(variant, tmp_path):
    job = small.job(variant)
    how, drawn = small.ALL[variant].train(job), count(1)

    def until_interrupted(rng):
        if next(drawn) == 3:
            raise KeyboardInterrupt
        return how.draw(rng)

    stopped = how._replace(draw=until_interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.train(small.begun(job), stopped, job, checkpoint=tmp_path / "run")
    run = resume(tmp_path / "run", small.begun(job), job)
    assert run.step == 2
    whole = small.trained(job, tmp_path / "whole")
    assert not small.same(run.params, whole.params)
    assert small.same(training.train(run, how, job, checkpoint=tmp_path / "run").params, whole.params)


@pytest.mark.parametrize("variant", small.ALL)
def test_a_step_changes_nothing_that_it_was_given(variant):
    job = small.job(variant)
    params, how = small.start(job), small.ALL[variant].train(job)
    before = {name: p.clone() for name, p in params.items()}
    gradient, _ = how.meta_gradient(params, how.draw(np.random.default_rng(1)))
    new, _ = how.rule.update(params, gradient, how.rule.init(params))
    assert small.same(params, before)
    assert new.keys() == params.keys() and not small.same(new, params)


@pytest.mark.parametrize("variant", small.BY_STEPS)
def test_every_learner_is_judged_together_and_alone(variant, tmp_path):
    job = small.job(variant)
    tests = small.ALL[variant].tests(job, small.start(job), small.start(job))
    rows = training.judge(small.begun(job), tests, job, checkpoint=tmp_path / "run").rows
    both = [(name, transductive) for name in ("trained", "untrained") for transductive in (True, False)]
    kinds = [(row.about["learner"], row.about["transductive"]) for row in rows]
    assert kinds == [*both, ("raw pixels", False)]
    assert all(row.n == 3 and row.about["inner_steps"] == 2 for row in rows)


@pytest.mark.parametrize("variant", ["maml", "reptile"])
def test_alone_a_prediction_does_not_depend_on_the_other_queries_and_together_it_does(variant, monkeypatch):
    job = small.job(variant)
    together, alone = small.learners(job, small.start(job), monkeypatch)[:2]
    support, x = small.support_and_queries()
    for adapt, depends in ((together, True), (alone, False)):
        predict = adapt(support)
        assert torch.allclose(predict(x)[:2], predict(x[:2]), atol=1e-5) != depends


@pytest.mark.parametrize("variant", small.BY_STEPS)
def test_the_batches_of_a_test_are_those_put_together_by_hand(variant, monkeypatch, tmp_path):
    job = small.job(variant)
    end = small.trained(job, tmp_path / "run").params
    support, x = small.support_and_queries()
    ways = small.learners(job, end, monkeypatch)
    for together, alone in (ways[:2], ways[2:4]):
        scores, forward = together(support)(x), small.forward(job)
        monkeypatch.undo()
        weights = weights_after(job, end if (together, alone) == tuple(ways[:2]) else small.start(job), end)
        torch.testing.assert_close(scores, forward(weights, x))
        each = [forward(weights, torch.cat([support.x, one[None]]))[5:] for one in x]
        torch.testing.assert_close(alone(support)(x), torch.cat(each))


def weights_after(job, params, end):
    """theta' after the test's own number of steps on the support, from the equations of each method."""
    support, _ = small.support_and_queries()
    forward, chosen = small.forward(job), job.settings
    if job.variant == "meta-sgd":
        params, rule = part(params, "start"), sgd(part(params, "rate"))
        state = rule.init(params)
    elif job.variant.startswith("reptile"):  # its Adam goes on from what training has left
        rule, state = reptile.inner_rule(chosen), reptile.state_of(apart(end)[1])
        params = apart(params)[0]
        assert state.step > 0
    else:
        rule = sgd(chosen.inner_lr)
        state = rule.init(params)

    def loss(params):
        return F.cross_entropy(forward(params, support.x), support.y)

    for _ in range(chosen.test_steps):
        params, state = take_step(loss, params, rule, state, first_order=True)
    return params
