"""The chapters as the tests here see them: sources and notebooks, and exercises run in this process."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks import build
from tests.notebooks.form import Exercise, exercises, grading, tags

SAMPLE = Path(__file__).parent / "sample" / "00_sample.py"  # the pattern writers copy; held to every rule too
SOURCES = [SAMPLE, *build.chapters()]
NAMES = [source.stem for source in SOURCES]


def stored(source: Path) -> NotebookNode:
    """The notebook of a chapter as it was committed."""
    path = build.notebook_of(source)
    assert path.exists(), f"{path.name} is missing: python -m notebooks.build {source.stem}"
    return nbformat.read(path, as_version=4)


def coded_exercises(notebook: NotebookNode) -> list[Exercise]:
    """The exercises that are solved in code."""
    return [exercise for exercise in exercises(notebook) if not exercise.is_written]


def run_exercise(notebook: NotebookNode, name: str, answer: str | None = None) -> None:
    """Run one exercise and its tests with nothing but the setup cells and the earlier solutions.

    `answer` stands in place of the chapter's own solution. What the tests raise comes through.
    """
    exercise = next(e for e in coded_exercises(notebook) if e.name == name)
    solution = exercise.solutions[0]
    before = notebook.cells[: notebook.cells.index(solution)]
    namespace = {"__name__": "__main__"}
    for cell in before:
        if "setup" in tags(cell) or (cell.cell_type == "code" and grading(cell, "solution")):
            _run(cell.source, cell.id, namespace)
    _run(solution.source if answer is None else answer, solution.id, namespace)
    for cell in exercise.tests:
        _run(cell.source, cell.id, namespace)


def _run(source: str, name: str, namespace: dict) -> None:
    exec(compile(source, f"<cell {name}>", "exec"), namespace)
