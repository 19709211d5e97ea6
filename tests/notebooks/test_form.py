"""Every chapter keeps the form, and every rule of the form catches a notebook that breaks it."""

import copy
import inspect
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from notebooks import build
from tests.notebooks import form
from tests.notebooks.chapters import NAMES, SAMPLE, SOURCES, stored

every_chapter = pytest.mark.parametrize("source", SOURCES, ids=NAMES)


@every_chapter
def test_source_and_notebook_agree(source):
    assert build.differences(build.read_source(source), stored(source)) == []


@every_chapter
@pytest.mark.parametrize("rule", form.RULES, ids=lambda rule: rule.__name__)
def test_a_chapter_keeps_the_form(source, rule):
    assert list(rule(stored(source))) == []


@every_chapter
def test_a_notebook_is_valid_and_names_no_machine(source):
    notebook = stored(source)
    nbformat.validate(notebook)
    assert notebook.metadata == {"kernelspec": build.KERNELSPEC, "language_info": {"name": "python"}}


def test_the_words_that_describe_a_figure_count_as_one_line():
    words = "".join(f'    "line {i} "\n' for i in range(30))
    assert form._length(new_code_cell(f"plt.plot(1)\nplotting.show(\n{words})")) == 2


def test_every_notebook_has_a_source():
    names = {path.stem for path in build.FOLDER.glob("*.ipynb")}
    assert names == {source.stem for source in build.chapters()}


# Ways to break the sample


def edit(cell_id, old, new):
    """Replace text in one cell."""

    def breaks(notebook):
        cell = find(notebook, cell_id)
        assert old in cell.source, f"the sample has changed: {old!r} is not in {cell_id}"
        cell.source = cell.source.replace(old, new)

    return breaks


def code(source, **metadata):
    """Add a code cell after the first."""

    def breaks(notebook):
        notebook.cells.insert(2, new_code_cell(source, execution_count=9, metadata=metadata))

    return breaks


def code_at_end(source):
    """Add a code cell at the end."""
    return lambda notebook: notebook.cells.append(new_code_cell(source, execution_count=99))


def text(source):
    """Add a Markdown cell at the end."""
    return lambda notebook: notebook.cells.append(new_markdown_cell(source))


def shows(*outputs):
    """Give the second code cell these outputs."""

    def breaks(notebook):
        form.code_cells(notebook)[1].outputs = list(outputs)

    return breaks


def stream(text, name="stdout"):
    """What a cell prints."""
    return new_output("stream", name=name, text=text)


def data(**kinds):
    """What a cell shows: text_plain="..." and the like."""
    return new_output(
        "display_data", data={kind.replace("_", "/", 1): value for kind, value in kinds.items()}
    )


def pictured(**kinds):
    """Let the figure be shown so."""
    return lambda notebook: find(notebook, SHOW).update(outputs=[data(**kinds)])


def remove(cell_id):
    """Leave a cell out."""

    def breaks(notebook):
        notebook.cells.remove(find(notebook, cell_id))

    return breaks


def meta(cell_id, **values):
    """Change a cell's metadata."""
    return lambda notebook: find(notebook, cell_id).metadata.update(values)


def find(notebook, cell_id):
    """The cell with this id, or the only one whose text holds it."""
    cells = [c for c in notebook.cells if c.id == cell_id] or [
        c for c in notebook.cells if cell_id in c.source
    ]
    assert len(cells) == 1, f"the sample has changed: {len(cells)} cells are or hold {cell_id!r}"
    return cells[0]


def first(change):
    """Change the first code cell."""
    return lambda notebook: change(form.code_cells(notebook)[0])


def strip(notebook):
    """What a tool that strips outputs leaves."""
    for cell in form.code_cells(notebook):
        cell.outputs, cell.execution_count = [], None


TITLE, SHOW, CAPTION, ONE, TWO = "# A sample", "show(16)", "**Figure 1.**", "### Exercise 3", "### Exercise 4"
BUILT = "### Exercise 1", "### Exercise 2"
HIDDEN = "### BEGIN HIDDEN TESTS"
ONLY_HIDDEN = f"{HIDDEN}\nassert n\n### END HIDDEN TESTS"
AXES = new_output("execute_result", data={"text/plain": "<Axes: >"}, execution_count=10)
FAILED = new_output("error", ename="ValueError", evalue="no", traceback=[])
BROKEN = [
    (form.was_executed, strip, "build the notebook"),
    (form.was_executed, first(lambda cell: cell.update(execution_count=7)), "not 1.."),
    (form.has_clean_outputs, shows(stream("UserWarning: no", "stderr")), "stderr"),
    (form.has_clean_outputs, shows(FAILED), "ends in an error"),
    (form.has_clean_outputs, shows(data(text_plain="<object at 0x7f00aa11bb22>")), "0x7f00aa11bb22"),
    (form.has_clean_outputs, shows(stream("saved to /home/ann/run")), "/home/"),
    (form.has_clean_outputs, shows(data(text_plain="C:\\Users\\ann")), "Users"),
    (form.has_clean_outputs, shows(data(**{"application_vnd.jupyter.widget-view+json": {}})), "a widget"),
    (form.has_clean_outputs, lambda notebook: notebook.metadata.update(widgets={}), "state of its widgets"),
    (form.is_small, shows(stream("x" * 250_000)), "of output, over"),
    (form.is_small, text("x" * 600_000), "the notebook takes"),
    (form.accuracies_have_intervals, shows(stream("accuracy: 0.912\n")), "'accuracy: 0.912'"),
    (form.accuracies_have_intervals, shows(stream("Accuracy of 0.9 on 5 ways")), "without its interval"),
    (form.accuracies_have_intervals, shows(stream("we reach 91.2 %")), "without its interval"),
    (form.accuracies_have_intervals, shows(data(text_plain="'pixels 48% (95% CI)'")), "without its interval"),
    (form.has_unique_ids, lambda notebook: notebook.cells.append(notebook.cells[3]), "2 cells have the id"),
    (form.has_known_tags, code("1", tags=["set-up"]), "unknown tag 'set-up'"),
    (form.has_known_tags, code("# NBVAL_SKIP\nx = 1"), "by a comment"),
    (
        form.ignores_little,
        lambda n: [code("x = 1", tags=["training", "nbval-ignore-output"])(n) for _ in range(3)],
        "more than a fifth",
    ),
    (form.ignores_little, code("x = 1", tags=["nbval-ignore-output"]), "together with one of"),
    (form.ignores_little, code("x = 1", tags=["timing"]), "needs nbval-ignore-output"),
    (form.has_short_cells, code("x = 1\n" * 26), "26 lines, over 25"),
    (form.has_short_cells, code("x = " + "1 + " * 40 + "1"), "characters, over 110"),
    (
        form.has_short_cells,
        lambda notebook: [cell.update(source="x = 1\n" * 9) for cell in form.code_cells(notebook)],
        "median",
    ),
    (form.trained_numbers_are_not_compared, code_at_end("print(errors[0])"), "that is trained"),
    (form.claims_show_their_evidence, code("claim('It is so.', 1 < 2)"), "without evidence: 'It is so.'"),
    (form.is_plain_python, code("!ls"), "not plain Python"),
    (form.is_plain_python, code("%pip install x"), "not plain Python"),
    (form.is_plain_python, code("from argparse import ArgumentParser"), "argparse"),
    (form.is_plain_python, code("x = 1;"), "semicolon"),
    (
        form.uses_what_it_teaches_only_in_checks,
        code("from reference.evaluation import Score"),
        "uses Score, which this chapter teaches",
    ),
    (form.uses_what_it_teaches_only_in_checks, code("import reference.evaluation as e"), "uses e,"),
    (form.uses_what_it_teaches_only_in_checks, code("from reference import evaluation"), "uses evaluation,"),
    (
        form.uses_what_it_teaches_only_in_checks,
        edit(SHOW, SHOW, "print(Score(values))"),
        "uses Score, which this chapter teaches",
    ),
    (form.uses_what_it_teaches_only_in_checks, meta(TITLE, teaches=[]), "needs teaches"),
    (form.binds_a_name_once, edit("pairs = ", "pairs = ", "values = "), "'By hand' has it already"),
    (
        form.binds_a_name_once,
        edit("def show", "def show", "def half_width"),
        "binds half_width anew in 'The experiment'",
    ),
    (form.has_orderly_headings, text("# Another title"), "a single #"),
    (form.has_orderly_headings, edit(TITLE, TITLE, "## A sample"), "a single #"),
    (form.has_orderly_headings, text("#### Deep"), "level 4 follows one of level 2"),
    (form.figures_are_read, pictured(text_html="<img src=''>"), "without alt text"),
    (form.figures_are_read, pictured(image_png="iVBO"), "without alt text"),
    (form.figures_are_read, pictured(text_html='<img alt="a curve">'), "without alt text"),
    (form.figures_are_read, lambda n: find(n, SHOW).outputs.append(AXES), "text beside its figure"),
    (form.figures_are_read, edit(SHOW, SHOW, "plt.plot([1], [2], 'k--')"), "black or white"),
    (form.figures_are_read, edit("plt.style", "plotting.STYLE", "'ggplot'"), "light and dark pages"),
    (form.figures_are_read, remove(CAPTION), "**Figure 1.** follows"),
    (form.figures_are_read, edit(CAPTION, CAPTION, "**Figure 2.**"), "**Figure 1.** follows"),
    (form.has_the_spine, edit(TITLE, "# A sample: the mean", "The mean"), "title"),
    (form.has_the_spine, edit(TITLE, "their mean?", "their mean."), "**Question.**"),
    (
        form.has_the_spine,
        edit(TITLE, "- tell an interval from a standard deviation.", "- w\n- x\n- y\n- z"),
        "3 to 5",
    ),
    (form.has_the_spine, edit(TITLE, "\n- say why", "\nsay why"), "3 to 5"),
    (form.has_the_spine, edit(TITLE, "**Prerequisites.** ", "Prerequisites: "), "**Prerequisites.**"),
    (form.has_the_spine, edit(TITLE, "5 minutes to read", "a while to read"), "**Time.**"),
    (form.has_the_spine, edit("**Predict.**", "**Predict.**", "Predict."), "**Predict.**"),
    (form.has_the_spine, edit("## Summary", "- A result without", "And a result without"), "Summary"),
    (form.has_the_spine, edit("## Read more", "## Read more", "## More"), "Read more"),
    (
        form.states_its_time,
        edit(TITLE, "5 minutes to read", "10 minutes to read"),
        "**Time.** 5 minutes to read",
    ),
    (form.states_its_time, edit(ONE, "Time: 5 minutes", "Time: 15 minutes"), "30 minutes of exercises"),
    (form.states_its_time, text("word " * 1500), "**Time.** 15 minutes to read"),
    (form.states_its_time, code("x = 1\n" * 150), "**Time.** 15 minutes to read"),
    (form.is_read_in_one_sitting, text("word " * 6000), "words, over 6000"),
    (form.is_read_in_one_sitting, lambda n: [code("x = 1")(n) for _ in range(120)], "code cells, over 120"),
    (form.its_reader_builds, edit("## Build it", "## Build it", "## The pieces"), "0 exercises stand"),
    (form.its_reader_builds, remove(BUILT[1]), "1 exercises stand"),
    (
        form.its_reader_builds,
        edit("def half_width", "# To go on without it: half_width", "# half_width"),
        "gives half_width",
    ),
    (
        form.its_reader_builds,
        edit("def half_width", "    return", "    x = 1\n" * 15 + "    return"),
        "16 lines",
    ),
    (
        form.exercises_are_whole,
        lambda notebook: [remove(cell)(notebook) for cell in (*BUILT, ONE, TWO)],
        "no exercise",
    ),
    (form.exercises_are_whole, edit(ONE, ONE, "Exercise 3"), "outside every exercise"),
    (form.exercises_are_whole, edit(TWO, TWO, "### Exercise 5"), "### Exercise 4: Title"),
    (form.exercises_are_whole, edit(ONE, "Difficulty: easy. ", ""), "*Difficulty"),
    (form.exercises_are_whole, edit(ONE, "Time: 5 minutes. ", ""), "Time: N minutes"),
    (form.exercises_are_whole, edit(ONE, "Points: 2.", "Points: 3."), "states 3 points, its cells give 2"),
    (form.exercises_are_whole, edit(ONE, "Hint 3", "Hint 2"), "three folded hints"),
    (form.exercises_are_whole, edit(TWO, "</details>", ""), "three folded hints"),
    (form.exercises_are_whole, remove("enough"), "one solution or answer cell, has 0"),
    (form.exercises_are_whole, edit("enough", "    ### END SOLUTION", ""), "### END SOLUTION"),
    (
        form.exercises_are_whole,
        edit("interval-or-spread", "<!-- END SOLUTION -->", ""),
        "<!-- END SOLUTION -->",
    ),
    (
        form.exercises_are_whole,
        lambda n: find(n, "enough").metadata.nbgrader.update(grade_id="A_b"),
        "hyphens",
    ),
    (
        form.exercises_are_whole,
        lambda n: find(n, "test-enough").metadata.nbgrader.update(grade_id="t"),
        "its name",
    ),
    (form.exercises_are_whole, edit("test-enough", HIDDEN, "###"), "no hidden test"),
    (
        form.exercises_are_whole,
        lambda n: find(n, "test-enough").update(source=ONLY_HIDDEN),
        "no visible",
    ),
    (form.exercises_are_whole, remove("test-enough"), "no visible test"),
    (
        form.tests_end_in_a_statement,
        edit("test-enough", 'print("enough: passed")', "n"),
        "ends in an expression",
    ),
    (
        form.tests_end_in_a_statement,
        lambda n: find(n, "test-enough").update(source="n\n" + ONLY_HIDDEN),
        "ends in an expression",
    ),
]


@pytest.mark.parametrize(
    ("rule", "breaks", "phrase"),
    BROKEN,
    ids=[f"{rule.__name__}-{i}" for i, (rule, _, _) in enumerate(BROKEN)],
)
def test_a_broken_notebook_is_caught_and_told_so(rule, breaks, phrase):
    notebook = copy.deepcopy(stored(SAMPLE))
    breaks(notebook)
    complaints = list(rule(notebook))
    assert any(phrase in complaint for complaint in complaints), complaints


def test_every_rule_is_tried_on_a_broken_notebook():
    assert {rule for rule, _, _ in BROKEN} == set(form.RULES)


def test_every_public_rule_is_in_force():
    generators = {
        name for name in re.findall(r"^def (\w+)\(notebook.*Iterator\[str\]", inspect.getsource(form), re.M)
    }
    assert generators == {rule.__name__ for rule in form.RULES}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda cell: cell.update(source=cell.source + " "), "source"),
        (lambda cell: cell.metadata.update(tags=["setup"]), "metadata"),
        (lambda cell: cell.update(id="other"), "id"),
    ],
)
def test_a_notebook_edited_by_hand_is_noticed(change, name):
    notebook = copy.deepcopy(stored(SAMPLE))
    change(notebook.cells[3])
    assert build.differences(build.read_source(SAMPLE), notebook) == [f"cell 3: {name} differs"]
    del notebook.cells[3]
    assert "cells" in build.differences(build.read_source(SAMPLE), notebook)[0]


@pytest.mark.parametrize(
    "line",
    [
        "chance: 1/5",
        "0.886 +- 0.006 (95% CI, 600 episodes)",
        "accuracy above 0.9: True",
        "pixels 48.1% +- 0.4%",
    ],
)
def test_a_printed_line_that_is_honest_passes(line):
    notebook = copy.deepcopy(stored(SAMPLE))
    shows(stream(line))(notebook)
    assert list(form.accuracies_have_intervals(notebook)) == []
