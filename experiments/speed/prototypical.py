"""How long one training step takes: Conv4-64, an episode of 60 ways, 5 shots, 5 queries, one step of Adam.

    python -m experiments.speed.prototypical

Every measurement has a process of its own. The images are random; drawing them is not part of the time. The
peers are measured where they can be imported, each with its own network or else the plain one; the plain loop
stands for what they do.
"""

import importlib.util
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from experiments import bench
from experiments.speed.plain import Step, memory_kept, plain_net
from reference.episodes import Episode, Examples
from reference.pytorch import prototypical
from reference.pytorch.machine.speed import channels_last
from reference.pytorch.nn import Conv4
from reference.rules import adam

N_WAY, K_SHOT, N_QUERY, WIDTH = 60, 5, 5, 64
N_ROUNDS, N_STEPS = 5, 12  # the first third of the steps of a round is not counted


def episode() -> Episode:
    """Random images, in an order without meaning."""
    rng = np.random.default_rng(0)
    parts = []
    for n_each in (K_SHOT, N_QUERY):
        y = rng.permutation(np.repeat(np.arange(N_WAY), n_each))
        x = rng.random((len(y), 1, 28, 28), dtype=np.float32)
        parts.append(Examples(torch.from_numpy(x), torch.from_numpy(y)))
    return Episode(*parts)


def ours(prepare: Callable[[Tensor], Tensor] = lambda x: x) -> Step:
    """The reference, with its images laid out by prepare."""
    net, rule, drawn = Conv4(WIDTH, norm=nn.BatchNorm2d), adam(1e-3), episode()
    params = prototypical.init(np.random.default_rng(0), net)
    embed = lambda params, x: functional_call(net, params, prepare(x))  # noqa: E731
    now = {"params": params, "state": rule.init(params)}

    def step() -> None:
        gradient, _ = prototypical.meta_gradient(now["params"], drawn, embed=embed)
        now["params"], now["state"] = rule.update(now["params"], gradient, now["state"])

    return step


def stepping(net: nn.Module, scores: Callable[[Examples, Tensor], Tensor]) -> Step:
    """The usual training step around scores(support, query_x)."""
    (support, query), optimizer = episode()[:2], torch.optim.Adam(net.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(scores(support, query.x), query.y).backward()
        optimizer.step()

    return step


def plain_loop() -> Step:
    """A loop over the classes for the prototypes, everything else as it comes."""
    net = plain_net(WIDTH)

    def scores(support: Examples, query_x: Tensor) -> Tensor:
        embedded, queries = net(support.x), net(query_x)
        means = torch.stack([embedded[support.y == k].mean(0) for k in range(N_WAY)])
        return -((queries[:, None] - means[None]) ** 2).sum(-1)

    return stepping(net, scores)


def learn2learn() -> Step:
    """Its network and its classifier."""
    from learn2learn.nn import PrototypicalClassifier
    from learn2learn.vision.models import CNN4Backbone

    net = CNN4Backbone(hidden_size=WIDTH, channels=1, max_pool=True)

    def scores(support: Examples, query_x: Tensor) -> Tensor:
        embedded, queries = net(torch.cat([support.x, query_x])).split([len(support.x), len(query_x)])
        return PrototypicalClassifier(embedded, support.y)(queries)

    return stepping(net, scores)


def easyfsl() -> Step:
    """Its classifier around the plain network."""
    from easyfsl.methods import PrototypicalNetworks

    learner = PrototypicalNetworks(plain_net(WIDTH))

    def scores(support: Examples, query_x: Tensor) -> Tensor:
        learner.process_support_set(support.x, support.y)
        return learner(query_x)

    return stepping(learner, scores)


PEERS = {"learn2learn": learn2learn, "easyfsl": easyfsl}
WAYS = {
    "as it comes": ours,
    "channels_last": partial(ours, channels_last),
    "memory kept": partial(memory_kept, ours),
    "channels_last and memory kept": partial(memory_kept, partial(ours, channels_last)),
    "a plain loop": plain_loop,
} | {name: make for name, make in PEERS.items() if importlib.util.find_spec(name)}


def one_round(way: str) -> list[float]:
    """Seconds of each counted step, for a process of its own."""
    return bench.steps_timed(WAYS[way](), n_steps=N_STEPS, n_warm=N_STEPS // 3)


def main() -> None:
    rounds = bench.in_processes(one_round, list(WAYS), n_rounds=N_ROUNDS)
    seconds = {way: [s for found in samples for s in found] for way, samples in rounds.items()}
    shape = f"{N_WAY}-way {K_SHOT}-shot {N_QUERY}-query, Conv4-{WIDTH}, one step of Adam"
    settings = {"episode": shape, "n_rounds": N_ROUNDS, "n_counted_steps": N_STEPS - N_STEPS // 3}
    bench.leave("prototypical", settings, bench.timed(seconds, {}, unit="seconds"), libraries=PEERS)


if __name__ == "__main__":
    main()
