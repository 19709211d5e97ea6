"""How long one training step takes: Conv4-64, an episode of 60 ways, 5 shots, 5 queries, one step of Adam.

    python -m experiments.speed.prototypical

Writes prototypical.json beside it. Every measurement has a process of its own, because how memory is kept
holds for a whole process; rounds over all ways are interleaved, so that a busy minute falls on all of them.
The images are random; drawing them is not part of the time. The peers are measured where they can be
imported, each with its own network or else the plain one; the plain loop stands for what they do.
"""

import importlib.util
import json
import multiprocessing
import platform
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from experiments.runs import device_name
from reference.pytorch.optim import adam
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from reference.episodes import Episode, Examples
from reference.pytorch import prototypical
from reference.pytorch.machine.speed import channels_last, keep_freed_memory
from reference.pytorch.nn import Conv4

N_WAY, K_SHOT, N_QUERY, WIDTH = 60, 5, 5, 64
N_ROUNDS, N_STEPS = 5, 12  # the first third of the steps of a round is not counted

Step = Callable[[], object]


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
    net, optimizer, drawn = Conv4(WIDTH, norm=nn.BatchNorm2d), adam(1e-3), episode()
    params = prototypical.init(np.random.default_rng(0), net)
    embed = lambda params, x: functional_call(net, params, prepare(x))  # noqa: E731
    now = {"params": params, "state": optimizer.init(params)}

    def step() -> None:
        gradient, _ = prototypical.meta_gradient(now["params"], drawn, embed=embed)
        now["params"], now["state"] = optimizer.update(now["params"], gradient, now["state"])

    return step


def memory_kept(make: Callable[[], Step]) -> Step:
    """The same step in a process that keeps freed memory."""
    if not keep_freed_memory():
        raise OSError("this C library has no mallopt: memory cannot be kept, and not be measured.")
    return make()


def plain_net() -> nn.Module:
    """The four blocks as one writes them down."""
    layers: list[nn.Module] = []
    for n_in in (1, WIDTH, WIDTH, WIDTH):
        conv = nn.Conv2d(n_in, WIDTH, 3, padding=1)
        layers += [conv, nn.BatchNorm2d(WIDTH), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten())


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
    net = plain_net()

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

    learner = PrototypicalNetworks(plain_net())

    def scores(support: Examples, query_x: Tensor) -> Tensor:
        learner.process_support_set(support.x, support.y)
        return learner(query_x)

    return stepping(learner, scores)


OURS = {
    "as it comes": ours,
    "channels_last": partial(ours, channels_last),
    "memory kept": partial(memory_kept, ours),
    "channels_last and memory kept": partial(memory_kept, partial(ours, channels_last)),
    "a plain loop": plain_loop,
}
PEERS = {"learn2learn": learn2learn, "easyfsl": easyfsl}


def one_round(make: Callable[[], Step]) -> list[float]:
    """Seconds of each counted step, for a process of its own."""
    step, times = make(), []
    for _ in range(N_STEPS):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return times[N_STEPS // 3 :]


def main() -> None:
    here = {name: make for name, make in PEERS.items() if importlib.util.find_spec(name)}
    ways = OURS | here
    times: dict[str, list[float]] = {name: [] for name in ways}
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
        for _ in range(N_ROUNDS):
            for name, make in ways.items():
                times[name] += fresh.apply(one_round, (make,))
    result = {
        "command": "python -m experiments.speed.prototypical",
        "date": date.today().isoformat(),
        "device": device_name(torch.device("cpu")),
        "versions": {"python": platform.python_version(), "torch": torch.__version__}
        | {name: version(name) if name in here else "not installed, not measured" for name in PEERS},
        "episode": f"{N_WAY}-way {K_SHOT}-shot {N_QUERY}-query, Conv4-{WIDTH}, one step of Adam",
        "rounds_and_counted_steps": [N_ROUNDS, N_STEPS - N_STEPS // 3],
        "seconds": {name: round(float(np.median(t)), 4) for name, t in times.items()},
    }
    text = json.dumps(result, indent=2)
    Path(__file__).with_suffix(".json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
