"""A cell that fails says how, and what to do; groups of tests stay together."""

from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_output

import conftest
from tests.notebooks.report import explain


def item(stored, now, *, path="notebooks/07_maml.ipynb"):
    """A failed cell with these outputs."""
    cell = nbformat.v4.new_code_cell("x = 1\nprint(x)", outputs=stored, id="cell-id")
    option = SimpleNamespace(nbval_cell_timeout=300)
    return SimpleNamespace(
        path=conftest.ROOT / path,
        cell=cell,
        test_outputs=now,
        sanitize=lambda text: text.replace("0xAB", "0xADDRESS"),
        config=SimpleNamespace(option=option),
    )


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_a_difference_is_shown_by_lines():
    said = explain(item([stream("a\nb\nc\n")], [stream("a\nB\nc\n")]), AssertionError("Cell outputs differ"))
    assert "07_maml.ipynb, cell cell-id:\n    x = 1\n    print(x)" in said
    assert "\n-b\n+B\n" in said and "notebooks.build 07_maml" in said and "tagged\ntraining" in said


def test_text_is_compared_as_nbval_compares_it():
    said = explain(item([stream("0xAB b\n")], [stream("0xAB c\n")]), AssertionError("Cell outputs differ"))
    assert "-0xADDRESS b" in said


def test_a_warning_is_seen_to_be_one():
    said = explain(item([], [stream("RuntimeWarning: overflow\n", "stderr")]), AssertionError("differ"))
    assert "+(on stderr)" in said and "+RuntimeWarning: overflow" in said


def test_equal_text_of_another_kind_is_named():
    said = explain(item([stream("a")], [stream("a")]), AssertionError("Missing output fields: image/png"))
    assert "what kind of output it is differs: Missing output fields: image/png" in said


@pytest.mark.parametrize("message", ["Timeout of 300 seconds exceeded", "Timed out waiting for idle kernel!"])
def test_a_time_out_says_what_to_do_on_a_busy_machine(message):
    said = explain(item([], []), RuntimeError(message))
    assert "over 300 s" in said and "make test CHAPTER=07 TIMEOUT=1200" in said


def test_an_error_shows_its_traceback_without_colours():
    error = RuntimeError("Cell execution caused an exception")
    error.inner_traceback = "\x1b[31mValueError\x1b[0m: no"
    assert explain(item([], []), error).endswith("ValueError: no")


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("notebooks/07_maml.ipynb::Cell 3", "07_maml"),
        ("tests/notebooks/test_answers.py::test_x[07_maml-anil]", "07_maml: its exercises"),
        ("tests/notebooks/test_form.py::test_x[rule-07_maml]", "tests/notebooks/test_form.py"),
        ("tests/scratch/test_unroll.py::test_x[07_a]", "tests/scratch/test_unroll.py"),
    ],
)
def test_what_belongs_together_runs_together(nodeid, group):
    assert conftest.group(nodeid) == group


def test_the_slowest_chapter_comes_first_and_files_of_tests_last():
    names = [
        "tests/test_a.py::t",
        "tests/notebooks/test_answers.py::t[07_maml-a]",
        "notebooks/03_differentiation.ipynb::1",
    ]
    names += ["notebooks/07_maml.ipynb::1", "notebooks/07_maml.ipynb::2"]
    items = [SimpleNamespace(nodeid=name) for name in names]
    conftest.pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [names[i] for i in (3, 4, 2, 1, 0)]
