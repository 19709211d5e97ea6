"""What an exercise of a chapter is: its statement, the cell that students fill in, its tests, its points.

It is read off a notebook's cells and their nbgrader metadata, of the chapter as it is written or as a student
handed it in. A notebook is anything with `cells`; a cell has `cell_type`, `source` and `metadata`.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Cell = Any  # a cell of nbformat
HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS\n(.*?)^### END HIDDEN TESTS$\n?", re.MULTILINE | re.DOTALL)


def grading(cell: Cell, key: str) -> Any:
    """What nbgrader's metadata say of the cell under this key; None if nothing."""
    return cell.metadata.get("nbgrader", {}).get(key)


class Exercise(NamedTuple):
    """One exercise, by its cells."""

    statement: Cell
    solutions: list[Cell]  # one, where the exercise is whole: code or a written answer
    tests: list[Cell]

    @property
    def name(self) -> str:
        """The grade_id of the cell that students fill in."""
        return grading(self.solutions[0], "grade_id") if self.solutions else "(no solution)"

    @property
    def heading(self) -> str:
        """`Exercise 2: Title`."""
        return self.statement.source.lstrip("#").strip().partition("\n")[0]

    @property
    def is_written(self) -> bool:
        """Whether the answer is prose, which a person grades."""
        return bool(self.solutions) and self.solutions[0].cell_type == "markdown"

    @property
    def points(self) -> int:
        """What it is worth: the points of its tests, or of the written answer."""
        graded = self.solutions if self.is_written else self.tests
        return sum(grading(cell, "points") or 0 for cell in graded)


def exercises(notebook: Any) -> list[Exercise]:
    """The exercises in order; one reaches from its heading to the next heading."""
    return [
        Exercise(
            statement,
            [cell for cell in rest if grading(cell, "solution")],
            [cell for cell in rest if grading(cell, "grade") and not grading(cell, "solution")],
        )
        for statement, *rest in _groups(notebook)
    ]


def coded(notebook: Any) -> list[Exercise]:
    """The exercises that are solved in code."""
    return [exercise for exercise in exercises(notebook) if not exercise.is_written]


def _groups(notebook: Any) -> Iterator[list[Cell]]:
    group: list[Cell] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.match(r"#+ ", cell.source):
            if group:
                yield group
            group = [cell] if re.match(r"#+ Exercise\b", cell.source) else []
        elif group:
            group.append(cell)
    if group:
        yield group


def visible(test: str) -> str:
    """A test cell as a student sees it: without its hidden tests."""
    return HIDDEN.sub("", test)


def hidden(test: str) -> list[str]:
    """The hidden tests of a test cell."""
    return HIDDEN.findall(test)
