"""Student copies hold no answer and stop where the work begins."""

import json
import re
from textwrap import dedent

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

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
    for before, after in zip(solved.cells, copy.cells[:-1], strict=True):
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
    assert [cell.id for cell in copy.cells] == [*(cell.id for cell in solved.cells), student.BACK]
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
    title = re.match(r"### (Exercise 1: .+)", first.statement.source)[1]
    assert stop.value.evalue == student.unsolved(title) and title in stop.value.evalue
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
    notebook = nbformat.from_dict(stored(SAMPLE))
    cell = next(cell for cell in notebook.cells if cell.id == "enough")
    cell.source = cell.source.replace("### END SOLUTION", "")
    with pytest.raises(ValueError, match="^'BEGIN SOLUTION' has no partner"):
        student.student_copy(notebook)


@pytest.mark.parametrize("marks", ["END", "BEGIN BEGIN END", "BEGIN"])
def test_a_marker_that_stands_alone_is_refused(marks):
    lines = [f"### {mark} SOLUTION" for mark in marks.split()]
    with pytest.raises(ValueError, match="has no partner in this cell"):
        student._without("SOLUTION", "\n".join(lines), ["..."])


class Stub(ClearSolutions):
    """nbgrader's step, with the course's own words in place of a solution."""

    def preprocess_cell(self, cell, resources, cell_index):
        if found := re.match(r"### (Exercise \d+: .+)", cell.source):
            self.title = found[1]
        if "nbgrader" in cell.metadata:
            self.code_stub = {"python": f"raise NotImplementedError({student.unsolved(self.title)!r})"}
        self.text_stub = student.ANSWER
        return super().preprocess_cell(cell, resources, cell_index)


@every_chapter
def test_a_copy_is_what_nbgrader_would_make(source):
    theirs, resources = nbformat.from_dict(stored(source)), {}
    for step in (LockCells, Stub, ClearOutput, ClearHiddenTests, ComputeChecksums, CheckCellMetadata):
        theirs, resources = step().preprocess(theirs, resources)
    assert student.student_copy(stored(source)).cells[:-1] == theirs.cells


@every_chapter
def test_the_last_cell_leads_to_every_exercise(source):
    copy = student.student_copy(stored(source))
    links = re.findall(r"^- \[(Exercise \d+: .+)\]\(#(\S+)\)$", copy.cells[-1].source, re.MULTILINE)
    headings = re.findall(r"^### (Exercise .+)$", "\n".join(c.source for c in copy.cells[:-1]), re.MULTILINE)
    assert [title for title, _ in links] == headings
    assert all(anchor == title.replace(" ", "-") for title, anchor in links)


def test_make_student_keeps_a_changed_copy_and_writes_beside_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(student, "OUT", tmp_path / "student")
    monkeypatch.setattr(student, "chapters", lambda: [build.notebook_of(SAMPLE)])
    student.main()
    copy = tmp_path / "student" / "00_sample.ipynb"
    fresh = copy.read_bytes()
    assert any("NotImplementedError" in "".join(cell["source"]) for cell in json.loads(fresh)["cells"])
    copy.write_bytes(b"my work")
    student.main()
    assert copy.read_bytes() == b"my work" and copy.with_stem("00_sample-2").read_bytes() == fresh
    assert "student/00_sample.ipynb is changed and kept; beside it" in capsys.readouterr().out
