"""MAML's run has the paper's settings, and first order differs from it by one switch."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from experiments.omniglot.maml import VARIANTS, train
from tests.experiments.omniglot import small
from tests.experiments.omniglot.small import drawings as drawings

pytestmark = pytest.mark.usefixtures("drawings")


def test_the_settings_are_those_of_the_paper_but_for_the_number_of_outer_steps():
    names = ("tasks_per_step", "outer_lr", "inner_lr", "inner_steps", "k_shot", "test_steps", "width")
    assert [getattr(VARIANTS["maml"], name) for name in names] == [32, 1e-3, 0.4, 1, 1, 3, 64]
    assert VARIANTS["maml"] == VARIANTS["first-order-maml"]


def test_only_the_first_order_switch_separates_the_two():
    found = {}
    for variant in VARIANTS:
        job = small.job(variant)
        how = train(job)
        found[variant] = how.meta_gradient(small.start(job), how.draw(np.random.default_rng(1)))
    (exact, loss), (cheap, same_loss) = found["maml"], found["first-order-maml"]
    assert torch.equal(loss, same_loss)
    assert not torch.allclose(exact["0.weight"], cheap["0.weight"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_trained_alone_every_query_stands_behind_the_support_in_a_batch_of_its_own(variant):
    job = small.job(variant, asked="alone", n_way=4)
    how, params = train(job), small.start(job)
    tasks = how.draw(np.random.default_rng(1))
    together = train(small.job(variant, n_way=4)).draw(np.random.default_rng(1))
    forward, found = small.forward(job), []
    for task, same in zip(tasks, together, strict=True):
        (x, y), query = task.support, same.query
        assert torch.equal(x, same.support.x) and torch.equal(task.query.y, query.y) and len(query.y) == 4
        leaves = {name: p.clone().requires_grad_() for name, p in params.items()}
        inner = F.cross_entropy(forward(leaves, x), y)
        steps = torch.autograd.grad(inner, list(leaves.values()), create_graph=variant == "maml")
        end = {k: p - 0.4 * g for (k, p), g in zip(leaves.items(), steps, strict=True)}
        alone = torch.stack([forward(end, torch.cat([x, one[None]]))[-1] for one in query.x])
        F.cross_entropy(alone, query.y).backward()
        found.append({name: leaf.grad for name, leaf in leaves.items()})
    for name, gradient in how.meta_gradient(params, tasks)[0].items():
        expected = torch.stack([one[name] for one in found]).mean(0)
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-6)
