"""Prototypical networks on Omniglot at full size.

    python -m experiments.omniglot.prototypical --seed 0
    python -m experiments.omniglot.prototypical --seed 0 --data characters
    python -m experiments.omniglot.prototypical --seed 0 --data held-out   # settings are chosen with it

See README.md in this folder.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from experiments import runner
from experiments.carried import apart, carrying, together
from experiments.omniglot.data import Data, banks
from experiments.saving import Job
from experiments.training import Evaluation, Training, cosine
from reference.episodes import Episode
from reference.evaluation import Score, evaluate
from reference.params import Params
from reference.pytorch import prototypical
from reference.pytorch.machine.arrays import in_numpy, to_torch
from reference.pytorch.machine.speed import channels_last
from reference.pytorch.nn import Conv4
from reference.rules import adam
from reference.tasks.bank import FewShot

TESTS = ((5, 1), (5, 5), (20, 1), (20, 5))  # n_way, k_shot
N_TEST_QUERIES = 5  # and 1,000 episodes, as Snell et al. 2017, section 3.1


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


def network(job: Job) -> nn.Module:
    """Conv4 with batch norm and running statistics."""
    return Conv4(job.settings.width, norm=nn.BatchNorm2d).to(job.device)


def embedding(net: nn.Module, statistics: Params) -> Callable[[Params, Tensor], Tensor]:
    """The module as the function `embed(params, x)`. In training it writes into the statistics."""
    return lambda params, x: functional_call(net, params | statistics, channels_last(x))


def begin(job: Job, rng: np.random.Generator) -> Params:
    """New weights, and the running statistics, which are carried from step to step."""
    net = network(job)
    weights = {name: p.to(job.device) for name, p in prototypical.init(rng, net).items()}
    return together(weights, dict(net.named_buffers()))


def train(job: Job) -> Training:
    """One episode a step, normalised by its own statistics, under a rate that falls to nothing."""
    net, chosen = network(job).train(), job.settings
    tasks = FewShot(banks(chosen.data)[0], n_way=chosen.n_way, k_shot=chosen.k_shot, n_query=chosen.n_query)

    def meta_gradient(params: Params, episode: Episode) -> tuple[Params, Tensor]:
        weights, statistics = apart(params)
        new = {name: value.clone() for name, value in statistics.items()}
        gradient, loss = prototypical.meta_gradient(weights, episode, embed=embedding(net, new))
        return together(gradient, new), loss

    rule = carrying(adam(cosine(chosen.outer_lr, chosen.n_steps)))
    return Training(meta_gradient, lambda rng: to_torch(tasks.sample(rng), job.device), rule)


def tests(job: Job, start: Params, end: Params) -> Iterator[Evaluation]:
    """Accuracy over episodes of each kind, the same for every run on these data."""
    net, bank = network(job).eval(), banks(job.settings.data)[1]
    weights, statistics = apart(end)  # normalised by the running statistics: not transductive
    adapt = partial(prototypical.adapt, weights, embed=embedding(net, statistics))

    def score(tasks: FewShot) -> Score:
        rng, n = np.random.default_rng(0), job.settings.n_test_episodes
        with torch.inference_mode():
            return evaluate(in_numpy(adapt, job.device), tasks, n_episodes=n, rng=rng)

    for n_way, k_shot in TESTS:
        about = {"n_way": n_way, "k_shot": k_shot, "n_query": N_TEST_QUERIES}
        yield Evaluation(about, "accuracy", partial(score, FewShot(bank, **about)))


EXPERIMENT = runner.Experiment("omniglot", {"prototypical": Settings()}, begin, train, tests)

if __name__ == "__main__":
    runner.main(EXPERIMENT)
