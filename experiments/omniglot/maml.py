"""MAML on Omniglot, and first-order MAML, 1-shot.

    python -m experiments.omniglot.maml maml
    python -m experiments.omniglot.maml first-order-maml
    python -m experiments.omniglot.maml maml --data held-out --n-steps 1000   # how settings are chosen
    python -m experiments.omniglot.maml maml --n-way 20 --asked alone         # each query of training alone

Finn et al. 2017 (arXiv:1703.03400), appendix A.1: 32 tasks, 1 step of 0.4, judged after 3. The number of
outer steps is ours, and so is the outer rate that falls. Transductive: see five_way.py.
"""

from collections.abc import Iterator
from functools import partial

from experiments import runner
from experiments.omniglot import five_way
from experiments.saving import Job
from experiments.training import Evaluation, Training, cosine
from reference.meta_train import mean_over_tasks
from reference.params import Params
from reference.pytorch import maml
from reference.rules import adam, sgd

OF_MAML = five_way.Settings(n_steps=8_000, tasks_per_step=32, outer_lr=1e-3, inner_lr=0.4, test_steps=3)
VARIANTS = {"maml": OF_MAML, "first-order-maml": OF_MAML}


def train(job: Job) -> Training:
    """The meta-gradient of one task after the other, or what takes its place in first order."""
    meta_gradient = partial(
        maml.meta_gradient,
        loss=five_way.loss(job),
        rule=sgd(job.settings.inner_lr),
        n_steps=job.settings.inner_steps,
        first_order=job.variant == "first-order-maml",
    )
    rule = adam(cosine(job.settings.outer_lr, job.settings.n_steps))
    return Training(mean_over_tasks(meta_gradient), five_way.draw(job), rule)


def tests(job: Job, start: Params, end: Params) -> Iterator[Evaluation]:
    rule, n_steps = sgd(job.settings.inner_lr), job.settings.test_steps
    adapt = partial(maml.adapt, loss=five_way.loss(job), rule=rule, n_steps=n_steps)
    return five_way.tests(job, adapt, start, end)


EXPERIMENT = runner.Experiment("omniglot", VARIANTS, five_way.new_weights, train, tests)

if __name__ == "__main__":
    runner.main(EXPERIMENT)
