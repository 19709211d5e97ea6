"""What an exercise is, read off cells that a test writes down."""

from types import SimpleNamespace

import pytest

from reference.grade.exercises import coded, exercises, grading, hidden, visible


def cell(source, kind="code", **nbgrader):
    """A cell; keywords are nbgrader's metadata."""
    metadata = {"nbgrader": {"solution": False, "grade": False, **nbgrader}} if nbgrader else {}
    return SimpleNamespace(cell_type=kind, source=source, metadata=metadata)


STATEMENT = cell("### Exercise 1: Add\n\n*Points: 3.*", "markdown")
SOLUTION = cell("def add(): ...", grade_id="add", solution=True)
FIRST = cell("assert add()", grade_id="test-add", grade=True, points=1)
SECOND = cell("assert add()", grade_id="test-add-2", grade=True, points=2)
WRITTEN = cell("Because.", "markdown", grade_id="why", solution=True, grade=True, points=4)
NOTEBOOK = SimpleNamespace(
    cells=[
        cell("# A chapter", "markdown"),
        cell("x = 1"),
        STATEMENT,
        cell("Some words.", "markdown"),
        SOLUTION,
        FIRST,
        SECOND,
        cell("#### Exercise 2: Why\n", "markdown"),
        WRITTEN,
        cell("## Summary", "markdown"),
        cell("print(2)"),
    ]
)


def test_an_exercise_reaches_from_its_heading_to_the_next():
    add, why = exercises(NOTEBOOK)
    assert add == (STATEMENT, [SOLUTION], [FIRST, SECOND])
    assert (why.solutions, why.tests) == ([WRITTEN], [])


def test_its_name_and_heading_are_those_that_readers_see():
    assert [(e.name, e.heading) for e in exercises(NOTEBOOK)] == [
        ("add", "Exercise 1: Add"),
        ("why", "Exercise 2: Why"),
    ]


def test_points_are_those_of_the_tests_or_of_the_written_answer():
    assert [exercise.points for exercise in exercises(NOTEBOOK)] == [3, 4]


def test_prose_is_told_from_code():
    assert [exercise.is_written for exercise in exercises(NOTEBOOK)] == [False, True]
    assert [exercise.name for exercise in coded(NOTEBOOK)] == ["add"]


def test_an_exercise_without_a_solution_has_no_name():
    (only,) = exercises(SimpleNamespace(cells=[STATEMENT, FIRST]))
    assert only.name == "(no solution)" and not only.is_written and only.points == 1


def test_a_heading_that_only_mentions_an_exercise_is_none():
    assert exercises(SimpleNamespace(cells=[cell("## After Exercise 3", "markdown"), SOLUTION])) == []


def test_grading_reads_nbgraders_metadata():
    assert grading(FIRST, "points") == 1
    assert grading(FIRST, "nothing") is None and grading(cell("x"), "points") is None


@pytest.mark.parametrize(
    ("text", "seen", "kept_back"),
    [
        ("a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc", "a\nc", ["b\n"]),
        ("### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS", "", ["b\n"]),
        ("a\nc", "a\nc", []),
    ],
)
def test_hidden_tests_are_told_from_visible_ones(text, seen, kept_back):
    assert (visible(text), hidden(text)) == (seen, kept_back)
