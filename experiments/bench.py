"""What the measurements of speed share: ways that take turns, peaks of memory, and the result they leave.

Ways to compute the same thing are compared in one run, in a new order each round, so that a busy minute falls
on all of them; what is reported is the median. They are compared only if they agree.
"""

import multiprocessing
import re
import sys
import time
import tracemalloc
from collections.abc import Callable, Hashable, Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.runner import HERE, command, device_name, today, versions
from reference.progress import progress
from reference.results import Result, Row, write

Gradient = dict[str, Any]
Ways = dict[str, Callable[[], Any]]


def in_turn(
    ways: Ways, *, n_rounds: int, n_in_a_row: int = 1, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of a call, a mean over n_in_a_row of them as in training, for every way and round.

    With `clock=time.process_time` they are those of the processor, which other work does not lengthen.
    """
    rng, seconds = np.random.default_rng(2), {name: [] for name in ways}
    for _ in progress(range(n_rounds), "rounds", n_rounds):
        for name in rng.permutation(list(ways)):
            start = clock()
            for _ in range(n_in_a_row):
                ways[name]()
            seconds[name].append((clock() - start) / n_in_a_row)
    return seconds


def in_processes(one_round: Callable, jobs: list[Hashable], *, n_rounds: int) -> dict[Hashable, list[Any]]:
    """What one_round(job) gives, for every job and round, each in a process of its own.

    How memory is kept holds for a whole process, and so does its peak.
    """
    rng, found = np.random.default_rng(0), {job: [] for job in jobs}
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
        order = [at for _ in range(n_rounds) for at in rng.permutation(len(jobs))]
        for at in progress(order, "measuring", len(order)):
            found[jobs[at]].append(fresh.apply(one_round, (jobs[at],)))
    return found


def steps_timed(step: Callable[[], Any], *, n_steps: int, n_warm: int) -> list[float]:
    """Seconds of each of n_steps calls but the first n_warm."""
    seconds = []
    for _ in range(n_steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return seconds[n_warm:]


def assert_same(gradients: dict[str, Gradient], beside: str, *, tolerance: float) -> None:
    """AssertionError where a way is off by more than tolerance times its parameter's largest entry."""
    for way, gradient in gradients.items():
        for name, expected in gradients[beside].items():
            apart = np.abs(np.asarray(gradient[name]) - np.asarray(expected)).max()
            largest = np.abs(np.asarray(expected)).max()
            assert apart <= tolerance * largest, (
                f"{way}: {name} is {apart / largest:.0e} of its largest apart."
            )


def timed(
    seconds: dict[str, list[float]], about: dict[str, Any], *, unit: str, ratios: dict[str, str] | None = None
) -> list[Row]:
    """Median and quartiles of every way, and how many times as fast it is as others.

    ratios: what a ratio is called, and the way that it is taken to; left out where that way took no part.
    """
    per_second = {"seconds": 1, "milliseconds": 1000}[unit]
    medians = {way: float(np.median(samples)) for way, samples in seconds.items()}
    rows = []
    for way, samples in seconds.items():
        low, high = np.quantile(samples, [0.25, 0.75])
        numbers = {"median": medians[way], "lower quartile": low, "upper quartile": high}
        found = {f"{unit}, {name}": per_second * float(x) for name, x in numbers.items()}
        for ratio, other in (ratios or {}).items():
            if other in medians:
                found[ratio] = medians[other] / medians[way]
        rows += [measured(about | {"way": way}, name, x, len(samples)) for name, x in found.items()]
    return rows


def measured(about: dict[str, Any], measure: str, number: float, n: int) -> Row:
    """A row without an interval, to four digits."""
    return Row(about, measure, float(f"{number:.4g}"), None, n)


def forget_peak() -> None:
    """Let this process's peak of memory be what it holds now (see proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def megabytes(kind: str) -> float:
    """What this process holds now (VmRSS), or the most that it has held (VmHWM), as Linux counts it."""
    kilobytes = re.search(rf"^{kind}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(kilobytes[1]) * 1024 / 1e6


def allocated_megabytes(call: Callable[[], Any]) -> float:
    """The most that Python and NumPy allocate during the call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def library(name: str) -> str:
    """Its version, or that it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed, not measured"


def leave(variant: str, settings: dict[str, Any], rows: Iterable[Row], *, libraries: Iterable[str]) -> None:
    """Print the rows, and leave them in experiments/results/."""
    rows = tuple(rows)
    for row in rows:
        print(*row.about.values(), f"{row.measure} {row.mean}", sep="; ")
    result = Result(
        experiment="speed",
        variant=variant,
        settings=settings,
        rows=rows,
        seconds={},
        command=command(sys.argv[1:]),
        device=device_name(torch.device("cpu")),
        versions=versions() | {name: library(name) for name in libraries},
        date=today(),
    )
    write(HERE / "results" / f"speed_{variant}.json", result)
