"""How long one training step of networks that compare takes: Siamese pairs and matching networks, Conv4-64.

    OMP_NUM_THREADS=1 python -m experiments.speed.comparing

Beside the reference stands the step as one writes it down in PyTorch, with memory kept and without, and
easyfsl's matching networks where they can be imported. These have full context, read the support as often as
it has examples, as ours do here, and do not normalise the query. Every measurement has a process of its own;
the images are random, and drawing them is not part of the time.
"""

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from experiments import bench
from experiments.speed.plain import Step, memory_kept, plain_net
from reference.episodes import Episode, Examples
from reference.pytorch import matching, siamese
from reference.pytorch.machine.speed import channels_last
from reference.pytorch.nn import Conv4, full_context
from reference.rules import adam

N_PAIRS, N_WAY, K_SHOT, N_QUERY, WIDTH = 64, 20, 1, 5, 64
N_ROUNDS, N_STEPS = 5, 12  # the first third of the steps of a round is not counted
PLAIN = "plain PyTorch"
SIAMESE, MATCHING, CONTEXT = "Siamese, Koch's head", "matching", "matching, full context"

Prepare = Callable[[Tensor], Tensor]


def pairs() -> Examples:
    """Random images, half of the pairs of one class."""
    rng = np.random.default_rng(0)
    x = rng.random((N_PAIRS, 2, 1, 28, 28), dtype=np.float32)
    return Examples(torch.from_numpy(x), torch.from_numpy(rng.permutation(np.arange(N_PAIRS) % 2)))


def episode() -> Episode:
    """Random images, in an order without meaning."""
    rng, parts = np.random.default_rng(0), []
    for n_each in (K_SHOT, N_QUERY):
        y = rng.permutation(np.repeat(np.arange(N_WAY), n_each))
        x = rng.random((len(y), 1, 28, 28), dtype=np.float32)
        parts.append(Examples(torch.from_numpy(x), torch.from_numpy(y)))
    return Episode(*parts)


def ours(case: str, prepare: Prepare = lambda x: x) -> Step:
    """The reference, with its images laid out by prepare."""
    net, rng, rule = Conv4(WIDTH, norm=nn.BatchNorm2d), np.random.default_rng(0), adam(1e-3)
    embed = lambda params, x: functional_call(net, params, prepare(x))  # noqa: E731
    how: dict[str, Any] = {"embed": embed}
    if case == SIAMESE:
        params, drawn = siamese.init_with_head(rng, net, width=WIDTH), pairs()
        how |= {"apart": siamese.weighted_l1, "cost": siamese.same_or_different}
        meta_gradient = siamese.meta_gradient
    else:
        params, drawn = matching.init_with_context(rng, net, width=WIDTH), episode()
        params = params if case == CONTEXT else matching.init(rng, net)
        context = {"context": partial(full_context, n_reads=N_WAY * K_SHOT)} if case == CONTEXT else {}
        how |= {"temperature": 0.1} | context
        meta_gradient = matching.meta_gradient
    now = {"params": params, "state": rule.init(params)}

    def step() -> Tensor:
        gradient, loss = meta_gradient(now["params"], drawn, **how)
        now["params"], now["state"] = rule.update(now["params"], gradient, now["state"])
        return loss

    return step


def stepping(net: nn.Module, loss: Callable[[], Tensor]) -> Step:
    """The usual training step around a loss."""
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def step() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value.detach()

    return step


def plain(case: str) -> Step:
    """Each twin is embedded on its own, support and query too; everything else as it comes."""
    net = plain_net(WIDTH)
    if case == SIAMESE:
        (x, y), head = pairs(), nn.Linear(WIDTH, 1)

        def of_pairs() -> Tensor:
            scores = head((net(x[:, 0]) - net(x[:, 1])).abs()).squeeze(1)
            return F.binary_cross_entropy_with_logits(scores, y.float())

        return stepping(nn.ModuleList([net, head]), of_pairs)

    (support, query), parts = episode()[:2], nn.ModuleList([net])
    labels = F.one_hot(support.y).float()
    if case == CONTEXT:
        lstm, cell = nn.LSTM(WIDTH, WIDTH, bidirectional=True), nn.LSTMCell(2 * WIDTH, WIDTH)
        parts.extend([lstm, cell])

    def of_episode() -> Tensor:
        known, asked = net(support.x), net(query.x)
        if case == CONTEXT:
            known, asked = in_context(lstm, cell, known, asked)
        similar = F.cosine_similarity(asked[:, None], known[None], dim=-1) / 0.1
        return F.nll_loss((similar.softmax(1) @ labels + 1e-6).log(), query.y)

    return stepping(parts, of_episode)


def in_context(lstm: nn.LSTM, cell: nn.LSTMCell, known: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
    """PyTorch's own LSTMs in the place of ours."""
    ahead, back = lstm(known[:, None])[0].squeeze(1).chunk(2, dim=1)
    known, h, c = known + ahead + back, torch.zeros_like(asked), torch.zeros_like(asked)
    for _ in range(N_WAY * K_SHOT):
        read = (h @ known.T).softmax(1) @ known
        h, c = cell(torch.cat([asked, read], dim=1), (h, c))
        h = h + asked
    return known, h


def easyfsl(case: str) -> Step:
    """Its learner around the plain network."""
    from easyfsl.methods import MatchingNetworks

    learner, (support, query) = MatchingNetworks(plain_net(WIDTH), feature_dimension=WIDTH), episode()[:2]

    def loss() -> Tensor:
        learner.process_support_set(support.x, support.y)
        return F.nll_loss(learner(query.x), query.y)

    return stepping(learner, loss)


OURS = {
    "as it comes": ours,
    "channels_last": partial(ours, prepare=channels_last),
    "memory kept": partial(memory_kept, ours),
    "channels_last and memory kept": partial(memory_kept, partial(ours, prepare=channels_last)),
}
PEERS = {"easyfsl": easyfsl}


def ways(case: str) -> dict[str, Callable[[str], Step]]:
    """Those that there are for this case. easyfsl has matching networks with full context alone."""
    peers = PEERS if case == CONTEXT else {}
    here = {name: make for name, make in peers.items() if importlib.util.find_spec(name)}
    return OURS | {PLAIN: plain, f"{PLAIN}, memory kept": partial(memory_kept, plain)} | here


def one_round(job: tuple[str, str]) -> list[float]:
    """Seconds of each counted step, for a process of its own."""
    case, way = job
    return bench.steps_timed(ways(case)[way](case), n_steps=N_STEPS, n_warm=N_STEPS // 3)


def main() -> None:
    cases = (SIAMESE, MATCHING, CONTEXT)
    rounds = bench.in_processes(one_round, [(c, way) for c in cases for way in ways(c)], n_rounds=N_ROUNDS)
    ratios = {f"times as fast as {PLAIN}": PLAIN, "times as fast as easyfsl": "easyfsl"}
    rows = []
    for case in cases:
        seconds = {way: [s for found in rounds[case, way] for s in found] for way in ways(case)}
        rows += bench.timed(seconds, {"case": case}, unit="milliseconds", ratios=ratios)
    shape = f"{N_PAIRS} pairs, or {N_WAY}-way {K_SHOT}-shot {N_QUERY}-query, Conv4-{WIDTH}, one step of Adam"
    settings = {"step": shape, "n_rounds": N_ROUNDS, "n_counted_steps": N_STEPS - N_STEPS // 3}
    bench.leave("comparing", settings, rows, libraries=PEERS)


if __name__ == "__main__":
    main()
