"""A run that can be stopped at any moment and goes on to the same weights; what it is judged by, row by row.

A Run is a NamedTuple of all that changes. `train` saves it every few seconds, `resume` brings it back, `judge`
adds the rows that it does not have yet.
"""

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import Tensor

from reference.evaluation import Score
from reference.meta_train import meta_steps
from reference.params import Params
from reference.progress import progress
from reference.pytorch.machine import checkpoints
from reference.results import Row, key
from reference.rules import Rule

Settings = Any  # a NamedTuple of numbers and words, with defaults, that has `data`, `seed` and `n_steps`


class Job(NamedTuple):
    """What is to be run, and where."""

    experiment: str
    variant: str
    settings: Settings
    device: torch.device

    def names(self) -> dict[str, Any]:
        """What a checkpoint says about itself."""
        return {
            "experiment": self.experiment,
            "variant": self.variant,
            "settings": self.settings._asdict(),
        }


class Training(NamedTuple):
    """How a run goes on."""

    meta_gradient: Callable[[Params, Any], tuple[Params, Tensor]]
    draw: Callable[[np.random.Generator], Any]  # what meta_gradient takes
    rule: Rule


class Test(NamedTuple):
    """One evaluation: what it is about (all of it goes into the JSON), and what carries it out."""

    about: dict[str, Any]
    measure: str
    evaluate: Callable[[], Score]


class Seconds(NamedTuple):
    """Time spent, on the clock on the wall and on all cores together."""

    wall: float = 0.0
    cpu: float = 0.0


class Run(NamedTuple):
    """Everything that changes while a run goes on; what a checkpoint holds."""

    params: Params
    state: Any  # the outer rule's
    rng: dict[str, Any]  # the state of the generator that drew the first weights and draws the episodes
    step: int = 0
    n_resumed: int = 0
    training: Seconds = Seconds()  # of all attempts of this run together
    evaluation: Seconds = Seconds()
    rows: tuple[Row, ...] = ()


def now() -> Seconds:
    """Both clocks of this process."""
    return Seconds(time.perf_counter(), time.process_time())


def spent(before: Seconds, since: Seconds) -> Seconds:
    """What was spent before, and since then."""
    return Seconds(*(b + n - s for b, n, s in zip(before, now(), since, strict=True)))


@contextmanager
def alone(checkpoint: Path) -> Iterator[None]:
    """Nobody else runs on this checkpoint meanwhile; the lock falls with the process that holds it.

    Raises ValueError where somebody does.
    """
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(checkpoint.with_name(checkpoint.name + ".lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ValueError(
            f"checkpoint {checkpoint} is in use by another process: wait for it or stop it; "
            "two would overwrite what the other has saved."
        ) from None
    try:
        yield
    finally:
        lock.release()


def begin(params: Params, rule: Rule, rng: np.random.Generator) -> Run:
    """A run before its first step."""
    return Run(params, rule.init(params), rng.bit_generator.state)


def save(checkpoint: Path, run: Run, job: Job) -> None:
    """Put the run into one file, in place of the one before."""
    tensors, numbers = leaves(run.state)
    noted = {name: getattr(run, name) for name in run._fields if name not in ("params", "state")}
    notes = {**job.names(), "state": numbers, **noted, "rows": [row._asdict() for row in run.rows]}
    checkpoints.save(checkpoint, {"params": run.params, "state": tensors}, notes)


def resume(checkpoint: Path, run: Run, job: Job) -> Run:
    """The run as it was saved, from one that has just begun.

    Raises ValueError where the checkpoint is of another experiment, variant, settings, or of other tensors.
    """
    groups, notes = checkpoints.load(checkpoint)
    expected = {"params": run.params, "state": leaves(run.state)[0]}
    for name, asked in [*job.names().items(), ("tensors", described(expected))]:
        found = described(groups) if name == "tensors" else notes.get(name)
        if found != asked:
            raise ValueError(
                f"checkpoint {checkpoint}: {difference(name, found, asked)}; move it away to start anew."
            )
    groups = {group: {k: v.to(job.device) for k, v in named.items()} for group, named in groups.items()}
    return Run(
        params=groups["params"],
        state=rebuilt(run.state, groups["state"] | notes["state"]),
        rng=notes["rng"],
        step=notes["step"],
        n_resumed=notes["n_resumed"] + 1,
        training=Seconds(*notes["training"]),
        evaluation=Seconds(*notes["evaluation"]),
        rows=tuple(Row(**row) for row in notes["rows"]),
    )


def described(groups: checkpoints.Groups) -> dict[str, str]:
    """Names, dtypes and shapes."""
    return {
        f"{group}/{name}": f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
        for group, named in groups.items()
        for name, value in named.items()
    }


def difference(name: str, found: Any, asked: Any) -> str:
    """The first thing in which a checkpoint is not what was asked for, in words."""
    if isinstance(found, dict) and isinstance(asked, dict):
        entry = next(k for k in [*asked, *found] if found.get(k) != asked.get(k))
        name, found, asked = f"{name} {entry}", found.get(entry), asked.get(entry)
    return f"its {name} is {found!r}, that of this run is {asked!r}"


# A rule's state is a nest of named tuples and dicts with tensors and numbers at its ends.


def leaves(tree: Any, path: str = "") -> tuple[dict[str, Tensor], dict[str, float]]:
    """The tensors and the numbers of a state, each under its path."""
    if isinstance(tree, Tensor):
        return {path: tree}, {}
    if isinstance(tree, int | float):
        return {}, {path: tree}
    tensors, numbers = {}, {}
    for name, branch in branches(tree):
        found = leaves(branch, f"{path}.{name}" if path else str(name))
        tensors, numbers = tensors | found[0], numbers | found[1]
    return tensors, numbers


def rebuilt(tree: Any, ends: dict[str, Any], path: str = "") -> Any:
    """A state of the same form with other ends."""
    if isinstance(tree, Tensor | int | float):
        return ends[path]
    made = {
        name: rebuilt(branch, ends, f"{path}.{name}" if path else str(name))
        for name, branch in branches(tree)
    }
    if isinstance(tree, dict):
        return made
    return tree._replace(**made) if hasattr(tree, "_fields") else tuple(made.values())


def branches(tree: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(tree, dict):
        return tree.items()
    return zip(getattr(tree, "_fields", range(len(tree))), tree, strict=True)


def train(run: Run, training: Training, job: Job, *, checkpoint: Path, save_every_s: float = 20.0) -> Run:
    """Go on to the last of settings.n_steps, saving every save_every_s seconds, at the end, and when stopped."""
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
                shown.set_postfix(loss=f"{step.loss:.3f}")
                saved, run = now(), run._replace(training=spent(before, started))
                save(checkpoint, run, job)
    except KeyboardInterrupt:  # the run is that after its last whole step, and so is the generator's state
        save(checkpoint, run._replace(training=spent(before, started)), job)
        raise
    return run


def judge(run: Run, tests: Iterable[Test], job: Job, *, checkpoint: Path) -> Run:
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


def scored(row: Row, score: Score) -> Row:
    """The row with the numbers of a score; None, which JSON knows, where the learner went off to infinity."""
    if not np.isfinite(score.values).all():
        return row._replace(n=score.n)
    return row._replace(
        mean=float(f"{score.mean:.5g}"), half_width=float(f"{score.half_width:.3g}"), n=score.n
    )


def cosine(outer_lr: float, n_steps: int) -> Callable[[int], float]:
    """A rate that falls along half a cosine, from outer_lr at step 0 to nothing at step n_steps."""
    return lambda step: outer_lr * (1 + math.cos(math.pi * step / n_steps)) / 2


# Some learners carry more from step to step than what they learn: running statistics, the state of an inner
# rule. It stands among the parameters, under CARRIED, and whoever computes a gradient gives its next value in
# the place of a gradient. So nothing is changed in place, and a checkpoint of the parameters holds all of it.

CARRIED = "carried."


def carrying(rule: Rule) -> Rule:
    """The rule for what is learned; what is carried is replaced."""

    def update(params: Params, gradient: Params, state: Any) -> tuple[Params, Any]:
        learned, state = rule.update(apart(params)[0], apart(gradient)[0], state)
        return together(learned, apart(gradient)[1]), state

    return Rule(lambda params: rule.init(apart(params)[0]), update)


def together(learned: Params, carried: Params) -> Params:
    """Both as the parameters of a run."""
    return learned | {CARRIED + name: value for name, value in carried.items()}


def apart(params: Params) -> tuple[Params, Params]:
    """What is learned, and what is carried."""
    carried = {name.removeprefix(CARRIED): p for name, p in params.items() if name.startswith(CARRIED)}
    return {name: p for name, p in params.items() if not name.startswith(CARRIED)}, carried
