"""Reptile on Omniglot, 5-way 1-shot, by three commands of its authors' program.

    python -m experiments.omniglot.reptile reptile-last       # one setting for both ways of asking
    python -m experiments.omniglot.reptile reptile            # older, for queries that are asked together
    python -m experiments.omniglot.reptile reptile-alone      # older, for queries that are asked alone

Nichol et al. 2018 (arXiv:1803.02999), section 6.1. The program's two older commands were replaced on
2018-06-14 by the one that belongs to the numbers of the paper's last version. The number of outer steps is
ours. The inner rule is Adam without momentum whose mean squares go on from one task to the next, as in the
authors' program, so they are carried by the run. Transductive: see five_way.py.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from experiments import runner
from experiments.carried import apart, carrying, together
from experiments.omniglot import five_way
from experiments.omniglot.five_way import Settings
from experiments.saving import Job
from experiments.training import Evaluation, Training
from reference.episodes import Episode, Examples, Predict
from reference.params import Params
from reference.pytorch import reptile
from reference.rules import AdamState, Rule, adam, sgd, zeros

WITH_TRANSDUCTION = {"n_steps": 10_000, "tasks_per_step": 10, "inner_lr": 1e-3, "inner_steps": 3}
WITH_TRANSDUCTION |= {"k_shot": 15, "batch": 25, "test_steps": 5}
WITHOUT = {"n_steps": 8_000, "tasks_per_step": 3, "inner_lr": 4.4e-4, "inner_steps": 12}
WITHOUT |= {"k_shot": 12, "batch": 5, "test_steps": 86}
LAST = {"n_steps": 25_000, "tasks_per_step": 5, "inner_lr": 1e-3, "inner_steps": 5}
LAST |= {"k_shot": 10, "batch": 10, "test_steps": 50}
VARIANTS = {
    "reptile-last": Settings(outer_lr=1.0, **LAST),
    "reptile": Settings(outer_lr=1.0, **WITH_TRANSDUCTION),
    "reptile-alone": Settings(outer_lr=1.0, **WITHOUT),
}


def inner_rule(settings: Settings) -> Rule:
    return adam(settings.inner_lr, beta1=0.0)


def state_of(carried: Params) -> AdamState:
    """The inner rule's state. Without momentum its mean is the gradient at hand: none to carry."""
    square = {name: value for name, value in carried.items() if name != "step"}
    return AdamState(int(carried["step"]), zeros(square), square)


def carried(state: AdamState) -> Params:
    """What of the inner rule's state is carried on."""
    return {"step": torch.tensor(state.step), **state.square}


def begin(job: Job, rng: np.random.Generator) -> Params:
    """New weights, and the inner rule's state before its first step."""
    weights = five_way.new_weights(job, rng)
    return together(weights, carried(inner_rule(job.settings).init(weights)))


def train(job: Job) -> Training:
    """The mean of theta - phi, one task after the other, under an outer rate that falls to nothing."""
    settings, loss, rule, sample = (
        job.settings,
        five_way.loss(job),
        inner_rule(job.settings),
        five_way.draw(job),
    )

    def direction(params: Params, tasks: Sequence[tuple[list[Examples], Examples]]) -> tuple[Params, Tensor]:
        theta, old = apart(params)
        state, total, total_loss = state_of(old), zeros(theta), 0
        for batches, query in tasks:
            phi, state = reptile.take_steps(theta, batches, rule, state, loss=loss)
            total = {name: total[name] + (p - phi[name]) for name, p in theta.items()}
            with torch.no_grad():
                total_loss += loss(phi, query)
        mean = {name: found / len(tasks) for name, found in total.items()}
        return together(mean, carried(state)), total_loss / len(tasks)

    def draw(rng: np.random.Generator) -> list[tuple[list[Examples], Examples]]:
        return [(in_batches(episode, settings, rng), episode.query) for episode in sample(rng)]

    to_nothing = sgd(lambda step: settings.outer_lr * (1 - step / settings.n_steps))
    return Training(direction, draw, carrying(to_nothing))


def in_batches(episode: Episode, settings: Settings, rng: np.random.Generator) -> list[Examples]:
    """One batch for each inner step; the support is gone through in a random order, then in another."""
    (x, y), needed = episode.support, settings.inner_steps * settings.batch
    order = np.concatenate([rng.permutation(len(y)) for _ in range(-(-needed // len(y)))])[:needed]
    return [Examples(x[rows], y[rows]) for rows in torch.from_numpy(order.reshape(-1, settings.batch))]


def tests(job: Job, start: Params, end: Params) -> Iterator[Evaluation]:
    """In a test the inner rule goes on from where training left it, that of the untrained weights too."""
    loss, update = five_way.loss(job), inner_rule(job.settings).update

    def adapt(params: Params, support: Examples, *, network) -> Predict:
        weights, left = apart(params)
        going_on = Rule(lambda _: state_of(left), update)
        return reptile.adapt(
            weights, support, network=network, loss=loss, rule=going_on, n_steps=job.settings.test_steps
        )

    return five_way.tests(job, adapt, together(apart(start)[0], apart(end)[1]), end)


EXPERIMENT = runner.Experiment("omniglot", VARIANTS, begin, train, tests)

if __name__ == "__main__":
    runner.main(EXPERIMENT)
