"""The runs on Omniglot in the small: random drawings, a narrow network, a few steps."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.func import functional_call

from experiments import training
from experiments.omniglot import (
    comparing,
    five_way,
    judging,
    maml,
    matching,
    meta_sgd,
    prototypical,
    reptile,
    siamese,
)
from experiments.saving import Job
from reference.episodes import Examples
from reference.tasks.bank import make_bank

BY_STEPS = {
    variant: module.EXPERIMENT
    for module in (maml, meta_sgd, reptile)
    for variant in module.EXPERIMENT.variants
}
BY_EPISODES = {"prototypical": prototypical.EXPERIMENT} | dict.fromkeys(
    matching.VARIANTS, matching.EXPERIMENT
)
BY_COMPARING = dict.fromkeys(siamese.VARIANTS, siamese.EXPERIMENT)
ALL = BY_STEPS | BY_EPISODES | BY_COMPARING
SMALL = {"n_steps": 4, "width": 4, "n_test_episodes": 3}
SMALLER = {variant: {"tasks_per_step": 2, "test_steps": 2} for variant in BY_STEPS}
SMALLER |= {variant: {"n_way": 3, "k_shot": 1, "n_query": 2} for variant in BY_EPISODES}
SMALLER |= {variant: {"n_images": 16, "n_test_episodes": 4, "n_test_pairs": 40} for variant in BY_COMPARING}


@pytest.fixture
def drawings(monkeypatch):
    """Random drawings in the place of the download, the same to train on and to judge by."""
    images = np.random.default_rng(0).integers(0, 256, (40 * 20, 28, 28), dtype=np.uint8)
    names = [f"class {i}" for i in range(40)]
    bank = make_bank(images, np.repeat(np.arange(40), 20), names=names, groups=["one"] * 20 + ["two"] * 20)
    for module in (comparing, five_way, judging, matching, prototypical, siamese):
        monkeypatch.setattr(module, "banks", lambda data: (bank, bank))


def job(variant, **settings):
    chosen = ALL[variant].variants[variant]._replace(**(SMALL | SMALLER[variant]))
    return Job("omniglot", variant, chosen._replace(**settings), torch.device("cpu"))


def start(job):
    return ALL[job.variant].begin(job, np.random.default_rng(0))


def begun(job):
    rng = np.random.default_rng(0)
    return training.begin(ALL[job.variant].begin(job, rng), ALL[job.variant].train(job).rule, rng)


def trained(job, checkpoint):
    run = begun(job)
    return training.train(run, ALL[job.variant].train(job), job, checkpoint=checkpoint)


def forward(job):
    return partial(functional_call, five_way.network_of(job))


def support_and_queries():
    x = torch.from_numpy(np.random.default_rng(0).random((10, 1, 28, 28), dtype=np.float32))
    return Examples(x[:5], torch.arange(5)), x[5:]


def learners(job, end, monkeypatch):
    """The learners on tensors that a job is judged by: trained together and alone, then untrained."""
    found = []
    monkeypatch.setattr(five_way, "in_numpy", lambda adapt, device: found.append(adapt))
    list(ALL[job.variant].tests(job, start(job), end))
    return found


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a) and a.keys() == b.keys()
