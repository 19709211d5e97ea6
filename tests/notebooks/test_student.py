"""Student copies hold no answer and stop where the work begins."""

import json
import re
from textwrap import dedent

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from notebooks import build, student
from reference.grade.exercises import coded, exercises
from tests.notebooks.chapters import NAMES, SAMPLE, SOURCES, stored
from tests.notebooks.form import code_cells, tags

every_chapter = pytest.mark.parametrize("source", SOURCES, ids=NAMES)
REGIONS = re.compile(
    r"(?:###|<!--) BEGIN [A-Z ]+(?: -->)?\n(.*?)^\s*(?:###|<!--) END ", re.MULTILINE | re.DOTALL
)


def secrets(notebook):
    """(cell id, text) of every solution, hidden test and written answer."""
    for cell in notebook.cells:
        for region in REGIONS.findall(cell.source):
            yield cell.id, dedent(region).strip()


@every_chapter
def test_no_solution_and_no_hidden_test_is_left(source):
    solved = stored(source)
    copy = student.student_copy(solved)
    text = "\n".join(dedent(cell.source) for cell in copy.cells)
    assert not re.search("(BEGIN|END) (SOLUTION|HIDDEN)", text)
    found = list(secrets(solved))
    assert len(found) >= len(exercises(solved)) + len(coded(solved))
    for cell_id, secret in found:
        assert secret not in text or len(secret) <= 10, f"the student can read the answer to {cell_id}"
    for before, after in zip(solved.cells, copy.cells, strict=True):
        if "nbgrader" in before.metadata:
            open_lines = set(REGIONS.sub("", before.source).splitlines())
            new_lines = [line for line in after.source.splitlines() if line not in open_lines]
            assert all("NotImplementedError" in line or line == student.ANSWER for line in new_lines), (
                before.id
            )


@every_chapter
def test_nothing_has_been_run_and_nothing_else_is_lost(source):
    solved = stored(source)
    copy = student.student_copy(solved)
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(copy))
    assert [cell.id for cell in copy.cells] == [cell.id for cell in solved.cells]
    untouched = [i for i, cell in enumerate(solved.cells) if "nbgrader" not in cell.metadata]
    assert all(copy.cells[i].source == solved.cells[i].source for i in untouched)
    nbformat.validate(copy)


@every_chapter
def test_a_copy_stops_at_the_first_unsolved_exercise_and_says_what_to_do(source, tmp_path):
    copy = student.student_copy(stored(source))
    first = coded(copy)[0]
    copy.cells = [cell for cell in code_cells(copy) if "setup" in tags(cell) or "nbgrader" in cell.metadata]
    build.prepare_environment()
    with pytest.raises(CellExecutionError) as stop:
        NotebookClient(copy, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert stop.value.ename == "NotImplementedError"
    assert stop.value.evalue == student.unsolved(first.name)
    last = [cell for cell in copy.cells if cell.execution_count][-1]
    assert last.id in {cell.id for cell in [*first.solutions, *first.tests]}


def test_a_written_answer_is_replaced_by_what_to_do():
    copy = student.student_copy(stored(SAMPLE))
    assert next(c for c in copy.cells if c.id == "interval-or-spread").source == student.ANSWER


def test_test_cells_cannot_be_edited_by_accident():
    copy = student.student_copy(stored(SAMPLE))
    test = next(cell for cell in copy.cells if cell.id == "test-enough")
    assert test.metadata.editable is False and test.metadata.deletable is False


def test_a_solution_without_its_end_is_refused():
    notebook = stored(SAMPLE)
    cell = next(cell for cell in notebook.cells if cell.id == "enough")
    cell.source = cell.source.replace("### END SOLUTION", "")
    with pytest.raises(RuntimeError, match="no end solution"):
        student.student_copy(notebook)


def test_make_student_writes_one_copy_a_chapter(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(student, "OUT", tmp_path / "student")
    monkeypatch.setattr(student, "chapters", lambda: [SAMPLE])
    student.main()
    written = json.loads((tmp_path / "student" / "00_sample.ipynb").read_text())
    assert any("NotImplementedError" in "".join(cell["source"]) for cell in written["cells"])
    assert "00_sample.ipynb" in capsys.readouterr().out
