"""A run in a file: stopped at any moment it comes back as it was, and no other is taken for it.

A Run is a NamedTuple of all that changes. Its checkpoint names the experiment, the variant, the settings and
every tensor, and is refused where one of them is another. A run is held by one process at a time.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from reference.params import Params
from reference.pytorch.machine import checkpoints
from reference.results import Row

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
    for name, branch in branches(tree, path):
        found = leaves(branch, name)
        if twice := (tensors | numbers).keys() & (found[0] | found[1]).keys():
            raise ValueError(f"state: two ends of the state have the path {min(twice)!r}.")
        tensors, numbers = tensors | found[0], numbers | found[1]
    return tensors, numbers


def rebuilt(tree: Any, ends: dict[str, Any], path: str = "") -> Any:
    """A state of the same form with other ends."""
    if isinstance(tree, Tensor | int | float):
        return ends[path]
    made = [rebuilt(branch, ends, name) for name, branch in branches(tree, path)]
    if isinstance(tree, dict):
        return dict(zip(tree, made, strict=True))
    return type(tree)(*made) if hasattr(tree, "_fields") else tuple(made)


def branches(tree: Any, path: str) -> Iterable[tuple[str, Any]]:
    """What a dict or a tuple holds, each under its path."""
    named = tree.items() if isinstance(tree, dict) else zip(fields(tree), tree, strict=True)
    return ((f"{path}.{name}" if path else str(name), branch) for name, branch in named)


def fields(tree: tuple) -> Iterable[Any]:
    return getattr(tree, "_fields", range(len(tree)))
