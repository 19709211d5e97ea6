"""What a long run leaves behind: a Result, one small JSON file, which chapters and tables read by `select`.

A number that a run measured is read from its file and never typed again, so this is the only way to one.
A file is written whole or not at all.
"""

import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One measured number. What it is about tells it from every other row of its result."""

    about: dict[str, Any]  # {"learner": "trained", "n_way": 5}
    measure: str  # "accuracy", "seconds, median"; it names what is no mean
    mean: float | None  # None where the learner went off to infinity
    half_width: float | None  # of the 95 % interval; None where there is none
    n: int  # how many were averaged


class Result(NamedTuple):
    """What one run was, and what it found."""

    experiment: str
    variant: str
    settings: dict[str, Any]
    rows: tuple[Row, ...]
    seconds: dict[str, Any]  # {"training": {"wall": 60, "cpu": 50}}
    command: str
    device: str
    versions: dict[str, str]
    date: str  # YYYY-MM-DD
    note: str = ""  # what else a reader should know, such as that the run was stopped and went on


def folder() -> Path:
    """experiments/results of the repository: that of the package, else one at or above the current folder.

    Raises FileNotFoundError where there is none, as beside a package that was installed alone.
    """
    for root in (Path(__file__).parents[1], Path.cwd(), *Path.cwd().parents):
        if (found := root / "experiments" / "results").is_dir():
            return found
    raise FileNotFoundError(
        "experiments/results is neither beside the package nor at or above the current folder; the results "
        "of long runs come with the repository and not with the package: work in a copy of the repository."
    )


def select(experiment: str, *, variant: str | None = None, **settings: Any) -> list[Result]:
    """The results of an experiment with this variant and these settings, in the order of their files' names.

    Raises ValueError where there is none, and says which there are.
    """
    stored = [read(path) for path in sorted(folder().glob("*.json"))]
    asked = settings if variant is None else {"variant": variant, **settings}
    named = [(result, {**result.settings, "variant": result.variant}) for result in stored]
    missing = object()
    found = [
        result
        for result, has in named
        if result.experiment == experiment and all(has.get(k, missing) == v for k, v in asked.items())
    ]
    if not found:
        there = sorted({f"{result.experiment} {result.variant}" for result in stored})
        with_asked = f" with {asked}" if asked else ""
        raise ValueError(
            f"no result of experiment {experiment!r}{with_asked} in experiments/results; there are "
            f"{', '.join(there)}."
        )
    return found


def rows(results: Iterable[Result]) -> list[Row]:
    """The rows of all results; what a row is about then names its result's variant and settings too.

    Where a row and the settings use the same word, such as k_shot of a test and of training, the row's holds.
    """
    return [
        row._replace(about={"variant": result.variant, **result.settings, **row.about})
        for result in results
        for row in result.rows
    ]


def read(path: Path | str) -> Result:
    """The result in a file. Raises ValueError where the file holds something else."""
    try:
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
        found = Result(**fields)
        return found._replace(rows=tuple(Row(**row) for row in found.rows))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is no result of a run: {error}.") from None


def write(path: Path | str, result: Result) -> None:
    """Put the result into a file, in place of what was there; never half of it.

    Raises ValueError for two rows about the same, and for a number that is not finite, which JSON lacks.
    """
    keys = [key(row) for row in result.rows]
    if twice := {k for k in keys if keys.count(k) > 1}:
        raise ValueError(f"rows: two are about {min(twice)}; one of them would be lost.")
    for row in result.rows:
        if not all(math.isfinite(x) for x in (row.mean, row.half_width) if x is not None):
            raise ValueError(f"rows: that about {key(row)} is not finite; None says so in a file.")
    rest = {name: value for name, value in result._asdict().items() if name != "rows"}
    lines = ",\n".join(f"    {json.dumps(row._asdict(), allow_nan=False)}" for row in result.rows)
    head = json.dumps(rest, indent=2, allow_nan=False).removesuffix("\n}")
    with in_place_of(Path(path)) as unfinished:
        unfinished.write_text(f'{head},\n  "rows": [\n{lines}\n  ]\n}}\n', encoding="utf-8")


def key(row: Row) -> str:
    """What a row is about, as words that can be compared."""
    return json.dumps([row.about, row.measure], sort_keys=True)


@contextmanager
def in_place_of(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of path at the end, or leaves it alone after an error.

    Its bytes are on the disk before it does, so that not even a loss of power leaves half a file.
    """
    path = path.expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")  # two processes never share one
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)
        _to_disk(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _to_disk(folder: Path) -> None:
    """That a file has a new name stands in its folder, which has to be on the disk too."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
