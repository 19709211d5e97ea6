"""What the methods that compare share on Omniglot: the network, its running statistics, and few-shot tests.

The network normalises by the statistics of the batch in training and by running ones in a test, so that no
query sees another. The running statistics are carried from step to step.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from experiments.carried import apart, together
from experiments.omniglot.data import banks
from experiments.saving import Job
from experiments.training import Evaluation
from reference.episodes import Adapt
from reference.evaluation import Score, evaluate
from reference.params import Params
from reference.pytorch.machine.arrays import in_numpy
from reference.pytorch.machine.speed import channels_last
from reference.pytorch.nn import Conv4
from reference.tasks.bank import FewShot

TESTS = ((5, 1), (5, 5), (20, 1), (20, 5))  # n_way, k_shot
N_TEST_QUERIES = 5  # and 1,000 episodes, as Snell et al. 2017, section 3.1


def network(job: Job) -> nn.Module:
    """Conv4 with batch norm and running statistics."""
    return Conv4(job.settings.width, norm=nn.BatchNorm2d).to(job.device)


def embedding(net: nn.Module, statistics: Params) -> Callable[[Params, Tensor], Tensor]:
    """The module as the function `embed(params, x)`. In training it writes into the statistics."""
    return lambda params, x: functional_call(net, params | statistics, channels_last(x))


def beginning(job: Job, net: nn.Module, weights: Params) -> Params:
    """New weights, and the running statistics, which are carried from step to step."""
    return together({name: p.to(job.device) for name, p in weights.items()}, dict(net.named_buffers()))


def carrying_statistics(net: nn.Module, meta_gradient: Callable) -> Callable:
    """The meta-gradient(params, drawn, embed=...) of what is learned, and the statistics after it."""

    def meta_gradient_and_statistics(params: Params, drawn: Any) -> tuple[Params, Tensor]:
        weights, statistics = apart(params)
        new = {name: value.clone() for name, value in statistics.items()}
        gradient, loss = meta_gradient(weights, drawn, embed=embedding(net, new))
        return together(gradient, new), loss

    return meta_gradient_and_statistics


def tests(job: Job, adapt: Adapt) -> Iterator[Evaluation]:
    """Accuracy over episodes of each kind, the same for every run on these data."""
    bank = banks(job.settings.data)[1]

    def score(tasks: FewShot) -> Score:
        rng, n = np.random.default_rng(0), job.settings.n_test_episodes
        with torch.inference_mode():
            return evaluate(in_numpy(adapt, job.device), tasks, n_episodes=n, rng=rng)

    for n_way, k_shot in TESTS:
        about = {"n_way": n_way, "k_shot": k_shot, "n_query": N_TEST_QUERIES}
        yield Evaluation(about, "accuracy", partial(score, FewShot(bank, **about)))
