"""Matching networks on Omniglot: the cosine with a temperature, without one, and with full context.

    python -m experiments.omniglot.matching cosine --seed 0
    python -m experiments.omniglot.matching full-context
    python -m experiments.omniglot.matching cosine --data held-out --temperature 0.05  # to choose settings

See README.md in this folder.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from experiments import runner
from experiments.carried import apart, carrying
from experiments.omniglot import comparing
from experiments.omniglot.data import Data, banks
from experiments.saving import Job
from experiments.training import Evaluation, Training, cosine
from reference.params import Params
from reference.pytorch import matching
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import full_context
from reference.rules import adam
from reference.tasks.bank import FewShot


class Settings(NamedTuple):
    """What a run depends on; the episodes are those of the prototypical run."""

    data: Data = "vinyals"
    seed: int = 0
    n_steps: int = 3000
    outer_lr: float = 4e-3
    n_way: int = 60
    k_shot: int = 1
    n_query: int = 5
    temperature: float = 0.1
    n_reads: int = 5  # K, of full context; the paper does not say how many
    width: int = 64
    n_test_episodes: int = 1000


VARIANTS = {
    "cosine": Settings(),
    "no-temperature": Settings(temperature=1.0),  # as the paper writes it
    "full-context": Settings(),
}


def begin(job: Job, rng: np.random.Generator) -> Params:
    """New weights, with what reads the support where there is full context, and the running statistics."""
    net, width = comparing.network(job), job.settings.width
    with_context = partial(matching.init_with_context, width=width)
    init = with_context if job.variant == "full-context" else matching.init
    return comparing.beginning(job, net, init(rng, net))


def similarity(job: Job) -> dict[str, Any]:
    """What the learner needs besides an embedding."""
    context = partial(full_context, n_reads=job.settings.n_reads)
    how = {"context": context} if job.variant == "full-context" else {}
    return how | {"temperature": job.settings.temperature}


def train(job: Job) -> Training:
    """One episode a step, normalised by its own statistics, under a rate that falls to nothing."""
    chosen, net = job.settings, comparing.network(job).train()
    tasks = FewShot(banks(chosen.data)[0], n_way=chosen.n_way, k_shot=chosen.k_shot, n_query=chosen.n_query)
    return Training(
        comparing.carrying_statistics(net, partial(matching.meta_gradient, **similarity(job))),
        lambda rng: to_torch(tasks.sample(rng), job.device),
        carrying(adam(cosine(chosen.outer_lr, chosen.n_steps))),
    )


def tests(job: Job, start: Params, end: Params) -> Iterator[Evaluation]:
    """Accuracy over episodes of each kind. Not transductive: normalised by the running statistics."""
    weights, statistics = apart(end)
    embed = comparing.embedding(comparing.network(job).eval(), statistics)
    return comparing.tests(job, partial(matching.adapt, weights, embed=embed, **similarity(job)))


EXPERIMENT = runner.Experiment("omniglot", VARIANTS, begin, train, tests)

if __name__ == "__main__":
    runner.main(EXPERIMENT)
