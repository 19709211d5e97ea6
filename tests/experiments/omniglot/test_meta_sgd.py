"""Meta-SGD's run begins at one rate for all weights, and learns them."""

import pytest
import torch

from experiments.omniglot.meta_sgd import VARIANTS
from reference.params import part
from tests.experiments.omniglot import small
from tests.experiments.omniglot.small import drawings as drawings


def test_the_settings_are_those_of_maml_but_for_the_rate_and_its_one_step():
    own, of_maml = VARIANTS["meta-sgd"], small.BY_STEPS["maml"].variants["maml"]
    assert own == of_maml._replace(inner_lr=0.1, test_steps=1)


@pytest.mark.usefixtures("drawings")
def test_the_rates_begin_at_one_number_and_are_learned(tmp_path):
    job = small.job("meta-sgd", inner_lr=0.25)
    rates = torch.cat([rate.flatten() for rate in part(small.start(job), "rate").values()])
    assert torch.equal(rates, torch.full_like(rates, 0.25))
    end = part(small.trained(job, tmp_path / "run").params, "rate")
    assert len(torch.cat([rate.flatten() for rate in end.values()]).unique()) > 10
