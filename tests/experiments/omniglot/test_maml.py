"""MAML's run has the paper's settings, and first order differs from it by one switch."""

import numpy as np
import pytest
import torch

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
