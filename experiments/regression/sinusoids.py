"""Sinusoids in the setting of Finn et al. 2017, section 5.1: errors after 0, 1, 5 and 10 gradient steps.

    OMP_NUM_THREADS=1 python -m experiments.regression.sinusoids maml
    OMP_NUM_THREADS=1 python -m experiments.regression.sinusoids --k-shot 5      # every learner

Amplitude 0.1 to 5, phase 0 to pi, an MLP of 1-40-40-1. Every learner is trained on 70,000 batches of 25 tasks
with K support and K query points, and judged on the same 600 tasks by 100 query points each.

Not meta-learners, to compare with: one network trained on all tasks pooled and then adapted (pretraining), a
network that was never trained, and one that is told amplitude and phase (the oracle, which does not adapt).
Their step sizes are tuned on 600 other tasks; the meta-learners keep the one they were trained with.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.func import grad_and_value

from experiments import runner
from experiments.regression.curves import curve, errors, sample, tuned_lr, with_truth
from experiments.saving import Job
from experiments.training import Evaluation, Training
from reference.episodes import Episode, Examples
from reference.params import Params, part
from reference.pytorch import maml, meta_sgd, reptile
from reference.pytorch.batches import mean_over_batch
from reference.pytorch.nn import MLP
from reference.rules import adam, sgd
from reference.tasks.families import Sinusoids

N_STEPS_SHOWN = (0, 1, 5, 10)
N_TASKS, N_TEST_QUERIES = 25, 100
INNER_LR = 0.01
REPTILE_STEPS = 4  # inner steps, by turns on the K support points and on the K query points


def pooled(params: Params, episode: Episode) -> tuple[Params, Tensor]:
    """The gradient of the error on all points of all tasks: no adaptation in it."""
    both = [torch.cat(parts, dim=-2) for parts in zip(*episode[:2], strict=True)]
    return grad_and_value(lambda p: errors(p, Examples(*both)).mean())(params)


def told(params: Params, episode: Episode) -> tuple[Params, Tensor]:
    """The same with amplitude and phase among the inputs."""
    return pooled(params, with_truth(episode))


def to_phi(params: Params, episode: Episode, *, loss: Callable) -> tuple[Params, Tensor]:
    """Reptile's direction, by turns on support and query."""
    batches = [episode.support, episode.query] * (REPTILE_STEPS // 2)
    phi = reptile.learned(params, batches, loss=loss, rule=sgd(INNER_LR))
    with torch.no_grad():
        return {name: p - phi[name] for name, p in params.items()}, loss(phi, episode.query)


def tied(params: Params, episode: Episode, *, loss: Callable, to_one: bool) -> tuple[Params, Tensor]:
    """Meta-SGD's gradient where the weights of an array share a rate, or all weights one.

    Each copy of a shared rate is given the sum over the copies; they begin alike, and Adam keeps them so.
    """
    gradient, value = meta_sgd.meta_gradient(params, episode, loss=loss)
    of_rates = {name: g for name, g in gradient.items() if name.startswith("rate.")}
    totals = {name: g.flatten(1).sum(1) for name, g in of_rates.items()}  # (n_tasks,)
    if to_one:
        totals = dict.fromkeys(totals, sum(totals.values()))
    shared = {
        name: totals[name].reshape(-1, *[1] * (g.dim() - 1)).expand_as(g) for name, g in of_rates.items()
    }
    return gradient | shared, value


def many(meta_gradient: Callable, **settings: Any) -> Callable[[Params, Episode], tuple[Params, Tensor]]:
    """The meta-gradient of a batch of tasks, all at once."""
    return partial(mean_over_batch(meta_gradient), loss=errors, **settings)


class Settings(NamedTuple):
    """What a run depends on."""

    data: Literal["sinusoids"] = "sinusoids"
    seed: int = 0
    k_shot: int = 10
    n_steps: int = 70_000
    outer_lr: float = 1e-3
    n_test_tasks: int = 600


class Learner(NamedTuple):
    """What it is called, and how it is trained."""

    name: str
    meta_gradient: Callable[[Params, Episode], tuple[Params, Tensor]]  # of a batch
    make: Callable[[Params], Params] = lambda params: params
    n_inputs: int = 1


ONE_STEP = {"rule": sgd(INNER_LR), "n_steps": 1}
with_rates = partial(meta_sgd.with_rates, inner_lr=INNER_LR)
LEARNERS = {
    "maml": Learner("MAML", many(maml.meta_gradient, **ONE_STEP)),
    "first-order-maml": Learner("first-order MAML", many(maml.meta_gradient, first_order=True, **ONE_STEP)),
    "reptile": Learner("Reptile", many(to_phi)),
    "meta-sgd": Learner("Meta-SGD", many(meta_sgd.meta_gradient), make=with_rates),
    "learned-rate": Learner("one learned rate", many(tied, to_one=True), make=with_rates),
    "learned-rates": Learner("a learned rate for each array", many(tied, to_one=False), make=with_rates),
    "pretraining": Learner("pretraining", pooled),
    "oracle": Learner("oracle", told, n_inputs=3),
}
VARIANTS = dict.fromkeys(LEARNERS, Settings())


def begin(job: Job, rng: np.random.Generator) -> Params:
    """New weights, with what the learner adds to them."""
    learner = LEARNERS[job.variant]
    weights = maml.init(rng, MLP([learner.n_inputs, 40, 40, 1]))
    return learner.make({name: p.to(job.device) for name, p in weights.items()})


def train(job: Job) -> Training:
    """25 tasks a step, under Adam; for Reptile too: a plain step of 1 diverged (K = 5, step 948)."""
    tasks = Sinusoids(k_shot=job.settings.k_shot, n_query=job.settings.k_shot)
    draw = partial(sample, tasks, n_tasks=N_TASKS, device=job.device)
    return Training(LEARNERS[job.variant].meta_gradient, draw, adam(job.settings.outer_lr))


def tests(job: Job, start: Params, end: Params) -> Iterator[Evaluation]:
    """The errors after some steps, on the same test tasks for every learner."""
    tasks, n = Sinusoids(k_shot=job.settings.k_shot, n_query=N_TEST_QUERIES), job.settings.n_test_tasks
    test, other = (
        sample(tasks, np.random.default_rng(s), n_tasks=n, device=job.device) for s in (1000, 1001)
    )
    name, last = LEARNERS[job.variant].name, max(N_STEPS_SHOWN)
    judged = [(name, end, INNER_LR, sgd(INNER_LR))]
    if job.variant == "pretraining":
        both = {name: end, "never trained": start}
        rates = {learner: tuned_lr(params, other, last) for learner, params in both.items()}
        judged = [(learner, both[learner], lr, sgd(lr)) for learner, lr in rates.items()]
    elif job.variant in ("meta-sgd", "learned-rate", "learned-rates"):
        rates = {name: rate.expand(n, *rate.shape) for name, rate in part(end, "rate").items()}
        judged = [(name, part(end, "start"), "learned", sgd(rates))]
    elif job.variant == "oracle":  # knows the curve, so it takes no step
        judged, test = [(name, end, "none", sgd(0.0))], with_truth(test)
    for learner, params, inner_lr, rule in judged:
        errors_at = curve(params, test, rule, last)
        for steps in N_STEPS_SHOWN:
            about = {"learner": learner, "inner_lr": inner_lr, "inner_steps": steps}
            yield Evaluation(about, "mean squared error", partial(errors_at.__getitem__, steps))


EXPERIMENT = runner.Experiment("regression", VARIANTS, begin, train, tests)

if __name__ == "__main__":
    runner.main(EXPERIMENT)
