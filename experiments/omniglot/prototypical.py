"""Prototypical networks on Omniglot at full size.

    python -m experiments.omniglot.prototypical --seed 0
    python -m experiments.omniglot.prototypical --seed 0 --data characters
    python -m experiments.omniglot.prototypical --seed 0 --data held-out   # settings are chosen with it

See README.md in this folder.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from experiments import runner
from experiments.carried import apart, carrying
from experiments.omniglot import comparing
from experiments.omniglot.data import Data, banks
from experiments.saving import Job
from experiments.training import Evaluation, Training, cosine
from reference.params import Params
from reference.pytorch import prototypical
from reference.pytorch.machine.arrays import to_torch
from reference.rules import adam
from reference.tasks.bank import FewShot


class Settings(NamedTuple):
    """What a run depends on."""

    data: Data = "alphabets"
    seed: int = 0
    n_steps: int = 3000
    outer_lr: float = 4e-3
    n_way: int = 60  # as Snell et al. 2017, section 3.1
    k_shot: int = 1
    n_query: int = 5
    width: int = 64
    n_test_episodes: int = 1000


def begin(job: Job, rng: np.random.Generator) -> Params:
    """New weights, and the running statistics."""
    net = comparing.network(job)
    return comparing.beginning(job, net, prototypical.init(rng, net))


def train(job: Job) -> Training:
    """One episode a step, normalised by its own statistics, under a rate that falls to nothing."""
    chosen, net = job.settings, comparing.network(job).train()
    tasks = FewShot(banks(chosen.data)[0], n_way=chosen.n_way, k_shot=chosen.k_shot, n_query=chosen.n_query)
    return Training(
        comparing.carrying_statistics(net, prototypical.meta_gradient),
        lambda rng: to_torch(tasks.sample(rng), job.device),
        carrying(adam(cosine(chosen.outer_lr, chosen.n_steps))),
    )


def tests(job: Job, start: Params, end: Params) -> Iterator[Evaluation]:
    """Accuracy over episodes of each kind. Not transductive: normalised by the running statistics."""
    weights, statistics = apart(end)
    embed = comparing.embedding(comparing.network(job).eval(), statistics)
    return comparing.tests(job, partial(prototypical.adapt, weights, embed=embed))


EXPERIMENT = runner.Experiment("omniglot", {"prototypical": Settings()}, begin, train, tests)

if __name__ == "__main__":
    runner.main(EXPERIMENT)
