"""Training that can be stopped at any moment and goes on to the same weights; then the judging, row by row.

`train` saves the run every few seconds, and `judge` adds the rows that it does not have yet.
"""

import math
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from experiments.saving import Job, Run, Seconds, save
from reference.evaluation import Score
from reference.meta_train import meta_steps
from reference.params import Params
from reference.progress import progress
from reference.results import Row, key
from reference.rules import Rule


class Training(NamedTuple):
    """How a run goes on."""

    meta_gradient: Callable[[Params, Any], tuple[Params, Tensor]]
    draw: Callable[[np.random.Generator], Any]  # what meta_gradient takes
    rule: Rule


class Estimate(NamedTuple):
    """A number that is no mean over episodes."""

    number: float
    half_width: float  # of its 95 % interval
    n: int  # of what it is taken over


class Evaluation(NamedTuple):
    """One evaluation: what it is about (all of it goes into the JSON), and what carries it out."""

    about: dict[str, Any]
    measure: str
    evaluate: Callable[[], Score | Estimate | np.ndarray]  # one number for each episode, or an estimate


def now() -> Seconds:
    """Both clocks of this process."""
    return Seconds(time.perf_counter(), time.process_time())


def spent(before: Seconds, since: Seconds) -> Seconds:
    """What was spent before, and since then."""
    return Seconds(*(b + n - s for b, n, s in zip(before, now(), since, strict=True)))


def begin(params: Params, rule: Rule, rng: np.random.Generator) -> Run:
    """A run before its first step."""
    return Run(params, rule.init(params), rng.bit_generator.state)


def train(run: Run, training: Training, job: Job, *, checkpoint: Path, save_every_s: float = 20.0) -> Run:
    """Go on to the last step; saves every save_every_s seconds, at the end, and when stopped."""
    rng = np.random.default_rng()
    rng.bit_generator.state = run.rng
    n_left, started, saved, before = job.settings.n_steps - run.step, now(), now(), run.training
    steps = meta_steps(
        run.params, training.meta_gradient, lambda: training.draw(rng), rule=training.rule, state=run.state
    )
    shown = progress(
        islice(steps, n_left), f"training, {run.step:,} of {job.settings.n_steps:,} steps done", n_left
    )
    try:
        for step in shown:
            run = run._replace(
                params=step.params, state=step.state, rng=rng.bit_generator.state, step=run.step + 1
            )
            if now().wall - saved.wall > save_every_s or run.step == job.settings.n_steps:
                saved, run = now(), run._replace(training=spent(before, started))
                save(checkpoint, run, job)
    except KeyboardInterrupt:  # the run is that after its last whole step, and so is the generator's state
        save(checkpoint, run._replace(training=spent(before, started)), job)
        raise
    return run


def judge(run: Run, tests: Iterable[Evaluation], job: Job, *, checkpoint: Path) -> Run:
    """The run with one row for each test, those that it has and those that are missing; saves after each."""
    rows, had = (), {key(row): row for row in run.rows}
    for about, measure, evaluate in tests:
        row = Row(about, measure, None, None, 0)
        if key(row) in had:
            rows = (*rows, had[key(row)])
            continue
        started = now()
        row = scored(row, evaluate())
        print(f"{', '.join(f'{k}={v}' for k, v in about.items())}: {measure} {row.mean} +- {row.half_width}")
        run = run._replace(rows=(*run.rows, row), evaluation=spent(run.evaluation, started))
        rows = (*rows, row)
        save(checkpoint, run, job)
    return run._replace(rows=rows)


def scored(row: Row, found: Score | Estimate | np.ndarray) -> Row:
    """The row with the numbers of a score; None, which JSON knows, where a number went off to infinity."""
    if isinstance(found, Estimate):
        return rounded(row, *found)
    values = found.values if isinstance(found, Score) else found
    if not np.isfinite(values).all():
        return row._replace(n=len(values))
    score = Score(values)
    return rounded(row, score.mean, score.half_width, score.n)


def rounded(row: Row, mean: float, half_width: float, n: int) -> Row:
    """The row with these numbers, to as many digits as one reads."""
    return row._replace(mean=float(f"{mean:.5g}"), half_width=float(f"{half_width:.3g}"), n=n)


def cosine(outer_lr: float, n_steps: int) -> Callable[[int], float]:
    """A rate that falls along half a cosine, from outer_lr at step 0 to nothing at step n_steps."""
    return lambda step: outer_lr * (1 + math.cos(math.pi * step / n_steps)) / 2
