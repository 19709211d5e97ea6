"""Makes the student copies: python -m notebooks.student writes build/student/NN_name.ipynb for every chapter.

A student copy has no solution, no hidden test and no output. Run from the top, it stops at the first
exercise that has not been solved, with a message that says what to do.
"""

import os

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from notebooks.build import FOLDER, chapters, read_source

OUT = FOLDER.parent / "build" / "student"
ANSWER = "*Double-click here, replace this line by your answer, and press Shift+Enter.*"


def unsolved(exercise: str) -> str:
    """The sentence a student reads on running an exercise that is not yet solved."""
    return (
        f"Exercise {exercise}: replace this line by your own code, run this cell, then run the test below it."
    )


class Stub(ClearSolutions):
    """nbgrader's ClearSolutions, with a stub that names the exercise."""

    def preprocess_cell(self, cell, resources, cell_index):
        """The cell with its solution replaced by what the student is to do."""
        exercise = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        self.code_stub = {"python": f'raise NotImplementedError("{unsolved(exercise)}")'}
        self.text_stub = ANSWER
        return super().preprocess_cell(cell, resources, cell_index)


def student_copy(notebook: NotebookNode) -> NotebookNode:
    """A solved chapter as its students get it. Raises RuntimeError where a marker has no partner."""
    copy, resources = nbformat.from_dict(notebook), {}
    for step in (LockCells, Stub, ClearOutput, ClearHiddenTests, ComputeChecksums, CheckCellMetadata):
        copy, resources = step().preprocess(copy, resources)
    return copy


def main() -> None:
    """Write the student copy of every chapter."""
    OUT.mkdir(parents=True, exist_ok=True)
    for source in chapters():
        copy = student_copy(read_source(source))
        nbformat.write(copy, OUT / f"{source.stem}.ipynb")
        print(os.path.relpath(OUT / f"{source.stem}.ipynb"))


if __name__ == "__main__":
    main()
