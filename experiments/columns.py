"""Rows of results as the lines and columns of a table."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from reference.evaluation import Score
from reference.results import Result, Row

AS_PRINTED = "accuracy, as a paper prints it"
MINUTES = "minutes of training (of CPU)"


def table(rows: Iterable[Row], *, down: tuple[str, ...], across: str) -> str:
    """One line for each group of rows that agree in `down`, one column for each value of `across`.

    Lines and columns stand in the order in which they come up first; a cell says what its row measured.
    """
    lines: dict[tuple, dict[str, str]] = {}
    for row in rows:
        lines.setdefault(tuple(str(row.about[name]) for name in down), {})[row.about[across]] = cell(row)
    columns = list(dict.fromkeys(column for line in lines.values() for column in line))
    cells = [[*head, *(line.get(column, "") for column in columns)] for head, line in lines.items()]
    return in_columns([[*down, *map(str, columns)], *cells])


def in_columns(lines: list[list[str]]) -> str:
    """The lines as a table, the first as its head."""
    return "".join(
        "| " + " | ".join(line) + " |\n" for line in [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    )


def cell(row: Row) -> str:
    """A number as its measure is read."""
    if row.mean is None:
        return "diverges"
    if row.measure == AS_PRINTED:
        interval = "" if row.half_width is None else f" +- {100 * row.half_width:.2g}"
        return f"{100 * row.mean:.4g}{interval} %"
    if row.measure == "accuracy":
        interval = "" if row.half_width is None else f" +- {100 * row.half_width:.1f}"
        return f"{100 * row.mean:.1f}{interval} %"
    if row.measure == "relative distance":
        return f"{row.mean:.0e}"
    if row.measure == "wrong bits":
        return f"{row.mean:.3g}"
    if row.measure.startswith("times"):
        return f"{row.mean:.2f}"
    if row.measure.startswith("megabytes"):
        return f"{row.mean:.0f}"
    return short(row.mean) if row.half_width is None else f"{short(row.mean)} +- {short(row.half_width)}"


def short(number: float) -> str:
    return f"{number:.2f}" if number >= 0.1 else f"{number:.3f}" if number >= 0.01 else f"{number:.4f}"


def minutes(result: Result) -> str:
    spent = result.seconds["training"]
    return f"{spent['wall'] / 60:.0f} ({spent['cpu'] / 60:.0f})"


def about(row: Row, **words: Any) -> Row:
    """The row under other words."""
    return row._replace(about=words)


def over_runs(values: Iterable[float], measure: str = "accuracy", **words: Any) -> Row:
    """The mean over training runs with its interval, by Student's factor."""
    score = Score(np.array(list(values)))
    return Row(words, measure, score.mean, score.half_width, score.n)
