"""Makes the student copies: python -m notebooks.student writes build/student/NN_name.ipynb for every chapter.

A student copy has no solution, no hidden test and no output. Run from the top, it stops at the first
exercise that has not been solved, with a message that says what to do; its last cell leads back there. It is
what nbgrader would make of the chapter (a test compares), but for these two, and needs no nbgrader.
"""

import hashlib
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks.copies import put
from reference.grade.exercises import exercises

FOLDER = Path(__file__).resolve().parent
OUT = FOLDER.parent / "build" / "student"
ANSWER = "*Double-click here, replace this line by your answer, and press Shift+Enter.*"
BACK = "exercises"  # the id of the cell that leads back


def chapters() -> list[Path]:
    """The notebooks of all chapters, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def unsolved(exercise: str) -> str:
    """What a student reads on running an exercise, "Exercise 1: Title", that is not yet solved."""
    return f"{exercise}. Write it in place of this line, run this cell, then its test."


def student_copy(notebook: NotebookNode) -> NotebookNode:
    """A solved chapter as its students get it. Raises ValueError where a marker has no partner."""
    copy = nbformat.from_dict(notebook)
    heading = {
        cell.id: exercise.heading
        for exercise in exercises(copy)
        for cell in (*exercise.solutions, *exercise.tests)
    }
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if "nbgrader" in cell.metadata:
            _open(cell, heading.get(cell.id, ""))
    copy.cells.append(_way_back([exercise.heading for exercise in exercises(copy)]))
    return copy


def _open(cell: NotebookNode, exercise: str) -> None:
    """Take out what students are to find, and lock what they are to leave."""
    grading = cell.metadata.nbgrader
    stub = f"raise NotImplementedError({unsolved(exercise)!r})" if cell.cell_type == "code" else ANSWER
    for region, line in (("SOLUTION", [stub]), ("HIDDEN TESTS", [])):
        cell.source = _without(region, cell.source, line)
    if grading.solution or grading.grade:
        cell.metadata.deletable = False
    if grading.locked or not grading.solution:
        cell.metadata.deletable = cell.metadata.editable = False
    grading.cell_type = cell.cell_type
    grading.checksum = _checksum(cell.source, cell.cell_type, grading)


def _without(region: str, source: str, instead: list[str]) -> str:
    """The source with every region between its markers replaced by the lines `instead`."""
    kept, inside = [], False
    for line in source.split("\n"):
        if f"BEGIN {region}" in line or f"END {region}" in line:
            if inside == (f"BEGIN {region}" in line):
                raise ValueError(f"{line.strip()!r} has no partner in this cell:\n{source}")
            indent = re.match(r"\s*", line)[0]
            kept += [] if inside else [indent + new for new in instead]
            inside = not inside
        elif not inside:
            kept.append(line)
    if inside:
        raise ValueError(f"'BEGIN {region}' has no partner in this cell:\n{source}")
    return "\n".join(kept)


def _checksum(source: str, cell_type: str, grading: NotebookNode) -> str:
    """By which nbgrader sees that a cell was changed."""
    kinds = [str(grading.grade), str(grading.solution), str(grading.locked)]
    points = [str(float(grading.points))] if grading.grade else []
    told = [source, cell_type, *kinds, grading.grade_id, *points]
    return hashlib.md5("".join(told).encode(), usedforsecurity=False).hexdigest()


def _way_back(headings: list[str]) -> NotebookNode:
    """After Run All a reader sees the end of a notebook: the cell there says where the run stopped."""
    links = "\n".join(f"- [{exercise}](#{exercise.replace(' ', '-')})" for exercise in headings)
    text = (
        "## Where did the run stop?\n\nAt the first exercise that is still open: there is a red message.\n\n"
    )
    return nbformat.v4.new_markdown_cell(text + links, id=BACK)


def copies() -> dict[str, bytes]:
    """The student copy of every chapter, by its file's name."""
    made = {path.name: student_copy(nbformat.read(path, as_version=4)) for path in chapters()}
    return {name: (nbformat.writes(copy) + "\n").encode() for name, copy in made.items()}


def main() -> None:
    """Write the student copy of every chapter."""
    try:
        kept = put(OUT, made := copies(), afresh=True)
    except OSError as error:
        sys.exit(f"The student copies cannot be written: {error}.")
    print(f"build/student/ has {len(made)} chapters without their solutions.", *kept, sep="\n")


if __name__ == "__main__":
    main()
