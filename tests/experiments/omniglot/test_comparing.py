"""What the comparing methods share: the statistics that a step leaves are the module's own, and carried."""

import numpy as np
import pytest
import torch

from experiments.carried import apart
from experiments.omniglot import comparing, matching, prototypical, siamese
from reference.pytorch.machine.speed import channels_last
from tests.experiments.omniglot import small
from tests.experiments.omniglot.small import drawings as drawings

pytestmark = pytest.mark.usefixtures("drawings")
ONE_OF_EACH = {"prototypical": prototypical, "cosine": matching, "nt-xent": siamese, "koch": siamese}


@pytest.mark.parametrize("variant", ONE_OF_EACH)
def test_a_step_changes_neither_its_parameters_nor_its_batch(variant):
    job, module = small.job(variant), ONE_OF_EACH[variant]
    how, params = module.train(job), small.start(job)
    before = {name: p.clone() for name, p in params.items()}
    drawn = how.draw(np.random.default_rng(0))
    first, loss = how.meta_gradient(params, drawn)
    again, same_loss = how.meta_gradient(params, drawn)
    assert small.same(before, params) and small.same(first, again) and torch.equal(loss, same_loss)
    assert first.keys() == params.keys()


def test_the_statistics_after_a_step_are_the_modules_own():
    job = small.job("nt-xent")
    net, how, params = comparing.network(job).train(), siamese.train(job), small.start(job)
    drawn = how.draw(np.random.default_rng(0))
    gradient, _ = how.meta_gradient(params, drawn)
    weights, statistics = apart(params)
    net.load_state_dict({k.removeprefix("embedding."): p for k, p in weights.items()} | statistics)
    with torch.no_grad():
        net(channels_last(drawn.x))
    kept = dict(net.named_buffers())
    for name, value in apart(gradient)[1].items():
        torch.testing.assert_close(value, kept[name])
        assert not torch.equal(value, statistics[name])
