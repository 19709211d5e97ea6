"""How fast a neural Turing machine is, forward and backward, beside one that shifts a sequence at a time.

    OMP_NUM_THREADS=1 python -m experiments.speed.ntm

The task is to copy 20 vectors of 8 bits (41 steps); LSTM of 100, memory 128 x 20, one reading and one writing
head, float32. The other way is that of many implementations: every head by itself, its shift a convolution
for each sequence of the batch, in a Python loop. "Ours, looped shift" is the reference with that shift alone.
Stops unless all ways give the same gradient.
"""

import time
from unittest import mock

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from experiments import bench
from experiments.speed.copying import N_HIDDEN, SIZE, gradient, machine
from reference.episodes import Series
from reference.params import Params
from reference.pytorch import ntm
from reference.pytorch.nn import memory
from reference.pytorch.nn.cells import Recurrent
from reference.pytorch.nn.memory import Focus
from reference.results import Row
from reference.tasks.sequences import Copy

LENGTH, BATCHES = 20, (1, 16, 64)
N_ROUNDS = 20
LOOPED = "a head at a time, looped shift"
RATIOS = {
    "times as fast as a head at a time": LOOPED,
    "times as fast as the looped shift": "ours, looped shift",
}


def main() -> None:
    torch.set_num_threads(1)
    rows = [row for n in BATCHES for row in compare(n)]
    settings = {"length": LENGTH, "n_hidden": N_HIDDEN, **SIZE._asdict(), "n_rounds": N_ROUNDS}
    bench.leave("ntm", settings, rows, libraries=[])


def compare(n: int) -> list[Row]:
    """Milliseconds of every way for a batch of n sequences, and their ratios."""
    chosen = ways(n)
    bench.assert_same({name: way() for name, way in chosen.items()}, LOOPED, tolerance=1e-3)
    seconds = bench.in_turn(chosen, n_rounds=N_ROUNDS, clock=time.process_time)
    return bench.timed(seconds, {"batch": n}, unit="milliseconds", ratios=RATIOS)


def ways(n: int) -> bench.Ways:
    """The gradient of the loss on n sequences, as a function without arguments."""
    rng, task, net = np.random.default_rng(0), Copy(), machine()
    params = net.init(rng, task.d_in)
    series = Series(*map(torch.from_numpy, task.of_lengths(rng, np.full(n, LENGTH))))
    return {
        "ours": lambda: gradient(params, series, net),
        "ours, looped shift": lambda: replaced("shift", looped_shift, params, series, net),
        LOOPED: lambda: replaced("address", head_by_head, params, series, net),
    }


def replaced(name: str, function, params: Params, series: Series, net: Recurrent) -> Params:
    """The gradient with another function in the place of the reference's."""
    with mock.patch.object(memory if name == "shift" else ntm, name, function):
        return gradient(params, series, net)


def looped_shift(weights: Tensor, shifts: Tensor) -> Tensor:
    """A convolution for each sequence and head, one after the other."""
    flat, kernels = weights.flatten(0, -2), shifts.flatten(0, -2)
    return torch.stack([_convolve(w, s) for w, s in zip(flat, kernels, strict=True)]).view(weights.shape)


def _convolve(w: Tensor, s: Tensor) -> Tensor:
    reach = len(s) // 2
    around = torch.cat([w[-reach:], w, w[:reach]])
    return F.conv1d(around.view(1, 1, -1), s.flip(0).view(1, 1, -1)).view(-1)


def head_by_head(rows: Tensor, previous: Tensor, focus: Focus) -> Tensor:
    """Equations 5 to 9 for one head after the other."""
    found = []
    for head in range(previous.shape[1]):
        key, strength, gate, shifts, sharpness = (part[:, head] for part in focus)
        alike = F.cosine_similarity(rows + 1e-16, key[:, None] + 1e-16, dim=-1)
        content = (strength[:, None] * alike).softmax(1)
        mixed = gate[:, None] * content + (1 - gate[:, None]) * previous[:, head]
        powers = looped_shift(mixed, shifts) ** sharpness[:, None]
        found.append(powers / (powers.sum(1, keepdim=True) + 1e-16))
    return torch.stack(found, dim=1)


if __name__ == "__main__":
    main()
