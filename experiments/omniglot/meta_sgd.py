"""Meta-SGD on Omniglot, 5-way 1-shot.

    python -m experiments.omniglot.meta_sgd

Li et al. 2017 (arXiv:1707.09835). The rates start at one number, here 0.1; 32 tasks and one step, as in MAML.
The number of outer steps is ours, and so is the outer rate that falls. Transductive: see five_way.py.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from experiments import runner
from experiments.omniglot import five_way
from experiments.saving import Job
from experiments.training import Evaluation, Training, cosine
from reference.meta_train import mean_over_tasks
from reference.params import Params
from reference.pytorch import meta_sgd
from reference.rules import adam

VARIANTS = {"meta-sgd": five_way.Settings(n_steps=8_000, tasks_per_step=32, outer_lr=1e-3, inner_lr=0.1)}


def begin(job: Job, rng: np.random.Generator) -> Params:
    """New weights, and a rate for each."""
    return meta_sgd.with_rates(five_way.new_weights(job, rng), inner_lr=job.settings.inner_lr)


def train(job: Job) -> Training:
    """The gradient in weights and rates, one task after the other."""
    n_steps = job.settings.inner_steps
    meta_gradient = partial(meta_sgd.meta_gradient, loss=five_way.loss(job), n_steps=n_steps)
    rule = adam(cosine(job.settings.outer_lr, job.settings.n_steps))
    return Training(mean_over_tasks(meta_gradient), five_way.draw(job), rule)


def tests(job: Job, start: Params, end: Params) -> Iterator[Evaluation]:
    adapt = partial(meta_sgd.adapt, loss=five_way.loss(job), n_steps=job.settings.test_steps)
    return five_way.tests(job, adapt, start, end)


EXPERIMENT = runner.Experiment("omniglot", VARIANTS, begin, train, tests)

if __name__ == "__main__":
    runner.main(EXPERIMENT)
