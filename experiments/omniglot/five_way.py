"""What the methods that learn by steps share on Omniglot, 1-shot: the network, the episodes, the tests.

Transductive: the net of these papers normalises a batch by its own statistics (`nn.BatchNorm2d` that keeps no
running ones). Where the queries form one batch, each prediction depends on the other queries. Every run is
judged that way, as the papers did, and also with each query alone in a batch with the support, which is what
Nichol et al. 2018 call "without transduction". `asked` says which of the two a run is trained for.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from experiments.omniglot.data import Data, banks
from experiments.saving import Job
from experiments.training import Evaluation
from reference.baselines import nearest_centroid
from reference.episodes import Adapt, Episode, Examples, Predict, one_by_one
from reference.evaluation import evaluate
from reference.params import Params
from reference.pytorch.machine.arrays import in_numpy, to_torch
from reference.pytorch.nn import init_params
from reference.tasks.bank import FewShot

K_SHOT, N_QUERY = 1, 1  # of a test; one query of each class, as in the papers' own programs


class Settings(NamedTuple):
    """What a run depends on; each method has its own."""

    data: Data = "characters"
    seed: int = 0
    n_steps: int = 0
    tasks_per_step: int = 0
    outer_lr: float = 0.0
    inner_lr: float = 0.0  # of Meta-SGD: where the learned rates start
    inner_steps: int = 1
    k_shot: int = 1  # in training; Reptile draws its batches from more drawings than a test has
    batch: int = 5  # examples of one inner step
    test_steps: int = 1
    width: int = 64
    n_test_episodes: int = 2000
    n_way: int = 5
    asked: Literal["together", "alone"] = "together"  # the queries of training, where a method has any


def network(width: int, *, n_way: int = 5, normed: bool = True) -> nn.Module:
    """Four convolutions of stride 2 (28 -> 14 -> 7 -> 4 -> 2) and a linear layer, n_way scores.

    With batch norm it is transductive: the statistics are always the batch's own, no running ones are kept.
    """
    layers: list[nn.Module] = []
    for n_in in (1, width, width, width):
        norm = [nn.BatchNorm2d(width, track_running_stats=False)] if normed else []
        layers += [nn.Conv2d(n_in, width, 3, stride=2, padding=1), *norm, nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * width, n_way))


def network_of(job: Job) -> nn.Module:
    """The network of the job's width and classes."""
    return network(job.settings.width, n_way=job.settings.n_way)


def forward(job: Job) -> Callable[[Params, Tensor], Tensor]:
    """The network of the job as a function of parameters and images."""
    return partial(functional_call, network_of(job).to(job.device))


def loss(job: Job) -> Callable[[Params, Examples], Tensor]:
    """The cross-entropy of examples that form one batch, or of the last of each of several batches."""
    scores = forward(job)

    def cross_entropy(params: Params, examples: Examples) -> Tensor:
        if examples.x.dim() == 4:
            return F.cross_entropy(scores(params, examples.x), examples.y)
        last = torch.stack([scores(params, batch)[-1] for batch in examples.x])
        return F.cross_entropy(last, examples.y)

    return cross_entropy


def new_weights(job: Job, rng: np.random.Generator) -> Params:
    """Of the network."""
    return {name: p.to(job.device) for name, p in init_params(rng, network_of(job)).items()}


def draw(job: Job) -> Callable[[np.random.Generator], list[Episode]]:
    """What draws the tasks of one outer step."""
    chosen = job.settings
    tasks = FewShot(banks(chosen.data)[0], n_way=chosen.n_way, k_shot=chosen.k_shot, n_query=N_QUERY)

    def episodes(rng: np.random.Generator) -> list[Episode]:
        drawn = one_by_one(to_torch(tasks.sample_batch(rng, chosen.tasks_per_step), job.device))
        return [each_alone(episode) for episode in drawn] if chosen.asked == "alone" else drawn

    return episodes


def each_alone(episode: Episode) -> Episode:
    """The episode with a batch for each query: the support, and the query last."""
    support, query = episode.support, episode.query
    batches = [torch.cat([support.x, one]) for one in query.x.split(1)]
    return episode._replace(query=Examples(torch.stack(batches), query.y))


def tests(job: Job, adapt: Callable[..., Predict], start: Params, end: Params) -> Iterator[Evaluation]:
    """Accuracy over the same episodes for all: after training and before, and of raw pixels.

    `adapt(params, support, network=...)` is the method's, whose queries go through that network.
    """
    chosen, scores = job.settings, forward(job)
    tasks = FewShot(banks(chosen.data)[1], n_way=chosen.n_way, k_shot=K_SHOT, n_query=N_QUERY)

    def together(support: Examples) -> Callable:
        return scores

    def alone(support: Examples) -> Callable:
        def beside_support(params: Params, one: Tensor) -> Tensor:
            return scores(params, torch.cat([support.x, one]))[-1:]

        return lambda params, x: torch.cat([beside_support(params, one) for one in x.split(1)])

    def test(learner: str, transductive: bool, adapt: Adapt) -> Evaluation:
        about = {"learner": learner, "transductive": transductive, "inner_steps": chosen.test_steps}
        about |= {"n_way": chosen.n_way, "k_shot": K_SHOT, "n_query": N_QUERY}
        n = chosen.n_test_episodes
        return Evaluation(
            about, "accuracy", lambda: evaluate(adapt, tasks, n_episodes=n, rng=np.random.default_rng(0))
        )

    def learner(params: Params, batch: Callable) -> Adapt:
        return in_numpy(lambda support: adapt(params, support, network=batch(support)), job.device)

    for name, params in (("trained", end), ("untrained", start)):
        for transductive, batch in ((True, together), (False, alone)):
            yield test(name, transductive, learner(params, batch))
    yield test("raw pixels", False, nearest_centroid)
