"""What the gradient through a neural Turing machine costs, by the length of a sequence, whole and truncated.

    OMP_NUM_THREADS=1 python -m experiments.speed.ntm_length

The machine and the task of ntm.py, 16 sequences. Truncated: windows of 16 steps; the gradient of a window is
taken at its end, and none goes to the window before. Every measurement has a process of its own; the peak is
what it took at most above what it held before, as Linux counts it.
"""

import math
import time

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from experiments import bench
from experiments.speed.copying import N_HIDDEN, SIZE, gradient, machine
from reference.episodes import Series
from reference.params import Params
from reference.pytorch.nn.cells import Recurrent
from reference.pytorch.nn.recurrent import map_state, scan
from reference.results import Row
from reference.tasks.sequences import Copy

LENGTHS, BATCH, WINDOW = (10, 20, 40, 80, 120), 16, 16
N_ROUNDS = 5
WAYS = ("whole", f"windows of {WINDOW} steps")
PEAK = "megabytes, peak"


def main() -> None:
    jobs = [(length, way) for length in LENGTHS for way in WAYS]
    found = bench.in_processes(one_round, jobs, n_rounds=N_ROUNDS)
    rows = [row for length in LENGTHS for row in summary(length, {way: found[length, way] for way in WAYS})]
    settings = {"batch": BATCH, "window": WINDOW, "n_rounds": N_ROUNDS, "n_hidden": N_HIDDEN}
    bench.leave("ntm-length", settings | SIZE._asdict(), rows, libraries=[])


def one_round(job: tuple[int, str]) -> tuple[float, float]:
    """Seconds of the processor for a gradient, a median of three after two, and the peak in megabytes."""
    length, way = job
    torch.set_num_threads(1)
    net = machine()
    params, series = net.init(np.random.default_rng(0), Copy().d_in), draw(length)
    find = gradient if way == "whole" else in_windows
    gradient(params, draw(2), net)  # what is loaded at the first call is nobody's
    bench.forget_peak()
    held = bench.megabytes("VmRSS")
    seconds = []
    for _ in range(5):  # the second still has what PyTorch does once
        start = time.process_time()
        find(params, series, net)
        seconds.append(time.process_time() - start)
    return float(np.median(seconds[2:])), bench.megabytes("VmHWM") - held


def draw(length: int, n: int = BATCH) -> Series:
    series = Copy().of_lengths(np.random.default_rng(0), np.full(n, length))
    return Series(*map(torch.from_numpy, series))


def in_windows(params: Params, series: Series, net: Recurrent, window: int = WINDOW) -> Params:
    """The truncated gradient of ntm.loss; the numbers of the state go on from window to window."""
    leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
    n_bits = int(series.judged.sum()) * series.y.shape[-1]
    state = net.begin(leaves, series.x[0])
    for first in range(0, len(series.x), window):
        x, y, judged = (part[first : first + window] for part in series)
        state, logits = scan(net.cell, leaves, state, x)
        if judged.any():
            nats = F.binary_cross_entropy_with_logits(logits[judged], y[judged], reduction="sum")
            (nats / n_bits / math.log(2)).backward()
        state = map_state(Tensor.detach, state)
    return {name: p.grad for name, p in leaves.items()}


def summary(length: int, found: dict[str, list[tuple[float, float]]]) -> list[Row]:
    """Median milliseconds and the mean peak of each way."""
    about, rows = {"case": f"length {length}, {2 * length + 1} steps"}, []
    for way, rounds in found.items():
        seconds, peaks = zip(*rounds, strict=True)
        numbers = {"milliseconds, median": 1000 * np.median(seconds), PEAK: np.mean(peaks)}
        rows += [bench.measured(about | {"way": way}, name, x, len(rounds)) for name, x in numbers.items()]
    return rows


if __name__ == "__main__":
    main()
