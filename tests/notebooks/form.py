"""The form of a chapter, as rules over its notebook; no kernel runs.

A rule is a function from a notebook to the sentences that say what breaks it; no sentence, no fault.
`notebooks/README.md` tells writers the same in words.
"""

import ast
import json
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import nbformat
from nbformat import NotebookNode

from reference.grade.exercises import Exercise, exercises, grading, hidden, visible
from tests.notebooks.trained import Trained

IGNORE = "nbval-ignore-output"
REASONS = {"training", "timing", "interactive"}
TAGS = {"setup", IGNORE, "raises-exception", *REASONS}
MAX_LINES, MEDIAN_LINES, MAX_WIDTH = 25, 8, 110
MAX_NOTEBOOK, MAX_OUTPUT = 500_000, 200_000  # bytes
ID = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"

# What the rules look at


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> set[str]:
    """The cell's tags."""
    return set(cell.metadata.get("tags", []))


def prose(notebook: NotebookNode) -> str:
    """All Markdown of the notebook."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def printed(cell: NotebookNode) -> str:
    """The text a cell shows: what it prints and the text of its results, but not of its figures."""
    streams = [output.text for output in cell.outputs if output.output_type == "stream"]
    shown = [output.data for output in cell.outputs if "data" in output]
    return "\n".join(streams + [d.get("text/plain", "") for d in shown if "<img" not in str(d)])


def pictures(cell: NotebookNode) -> list[str]:
    """The alternative text of every picture that the cell shows; "" for one that has none."""
    found = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        images = re.findall("<img[^>]*>", data.get("text/html", ""))
        images += [key for key in data if key.startswith("image/")]
        found += [alt[1] if (alt := re.search('alt="(.*?)"', image)) else "" for image in images]
    return found


def _where(cell: NotebookNode) -> str:
    first = next((line for line in cell.source.splitlines() if line.strip()), "")
    return f"cell {cell.id} ({first[:40]!r})"


# Execution and outputs

LOCAL = re.compile(r"0x[0-9a-f]{6,}|/(?:home|root|tmp|work|Users)/|[A-Z]:\\+Users|ipykernel_\d|site-packages")


def was_executed(notebook: NotebookNode) -> Iterator[str]:
    """Strict nbval checks nothing in a cell without count and output, so the counts must be 1..n."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}, not 1..{len(counts)}: build the notebook"


def has_clean_outputs(notebook: NotebookNode) -> Iterator[str]:
    """No error, nothing on stderr, no addresses, no paths of a machine, no widget state."""
    for cell in code_cells(notebook):
        kinds = {output.get("name", output.output_type) for output in cell.outputs}
        if "stderr" in kinds:
            yield f"{_where(cell)} writes to stderr (a warning or a progress bar)"
        if "error" in kinds and "raises-exception" not in tags(cell):
            yield f"{_where(cell)} ends in an error"
        text = re.sub("base64,[A-Za-z0-9+/=]+", "", json.dumps(cell.outputs))
        for bad in LOCAL.findall(text):
            yield f"{_where(cell)} shows an address or a path of this machine: {bad}"
        if any("widget" in key for output in cell.outputs for key in output.get("data", {})):
            yield f"{_where(cell)} shows a widget: tag it interactive and {IGNORE}"
    if "widgets" in notebook.metadata:
        yield "the notebook stores the state of its widgets"


def is_small(notebook: NotebookNode) -> Iterator[str]:
    """A notebook under 500 kB, outputs of a cell under 200 kB."""
    size = len(nbformat.writes(notebook).encode())
    if size > MAX_NOTEBOOK:
        yield f"the notebook takes {size} bytes, over {MAX_NOTEBOOK}"
    for cell in code_cells(notebook):
        if (size := len(json.dumps(cell.outputs))) > MAX_OUTPUT:
            yield f"{_where(cell)} has {size} bytes of output, over {MAX_OUTPUT}"


def accuracies_have_intervals(notebook: NotebookNode) -> Iterator[str]:
    """A printed line with an accuracy or a percentage has its +-; an exact rate is written as a fraction."""
    number = re.compile(r"accuracy\W+(?:(?:of|is)\W+)?\d*\.\d+|\d\s?%", re.IGNORECASE)
    for cell in code_cells(notebook):
        for line in printed(cell).splitlines():
            if number.search(re.sub(r"\b9[059]\s?% (CI|interval)", "", line)) and "+-" not in line:
                yield f"{_where(cell)} prints an accuracy without its interval: {line.strip()!r}"


# Cells


def has_unique_ids(notebook: NotebookNode) -> Iterator[str]:
    """Every cell has an id of its own."""
    for name, n in Counter(cell.id for cell in notebook.cells).items():
        if n > 1:
            yield f"{n} cells have the id {name}"


def has_known_tags(notebook: NotebookNode) -> Iterator[str]:
    """No tag is misspelt, and no comment steers nbval."""
    for cell in code_cells(notebook):
        for tag in sorted(tags(cell) - TAGS):
            yield f"{_where(cell)} has the unknown tag {tag!r}; known are {', '.join(sorted(TAGS))}"
        if re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source):
            yield f"{_where(cell)} steers nbval by a comment"


def ignores_little(notebook: NotebookNode) -> Iterator[str]:
    """At most a fifth of the code cells go uncompared, each for a reason that its tags name."""
    cells = code_cells(notebook)
    ignored = [cell for cell in cells if IGNORE in tags(cell)]
    if 5 * len(ignored) > len(cells):
        yield f"{len(ignored)} of {len(cells)} code cells are tagged {IGNORE}: more than a fifth"
    for cell in cells:
        if (IGNORE in tags(cell)) != bool(tags(cell) & REASONS):
            yield f"{_where(cell)} needs {IGNORE} together with one of {', '.join(sorted(REASONS))}"


def trained_numbers_are_not_compared(notebook: NotebookNode) -> Iterator[str]:
    """What training gave stands in cells that are not compared, in figures, and in the evidence of claims."""
    trained = Trained()
    for cell in code_cells(notebook):
        its = tags(cell)
        has_value = any(output.output_type == "execute_result" for output in cell.outputs)
        stops = "raises-exception" in its
        for what in trained.read(cell.source, training="training" in its, stops=stops, has_value=has_value):
            if IGNORE not in its:
                yield f"{_where(cell)} {what}: that is trained; tag the cell training, or claim something"


def has_short_cells(notebook: NotebookNode) -> Iterator[str]:
    """Code cells have at most 25 lines, none too wide, and mostly eight or fewer; a claim counts as one."""
    for cell in code_cells(notebook):
        if (lines := _length(cell)) > MAX_LINES:
            yield f"{_where(cell)} has {lines} lines, over {MAX_LINES}"
        if (width := max(map(len, cell.source.splitlines()), default=0)) > MAX_WIDTH:
            yield f"{_where(cell)} has a line of {width} characters, over {MAX_WIDTH}"
    median = statistics.median(map(_length, code_cells(notebook)))
    if median > MEDIAN_LINES:
        yield f"the median length of a code cell is {median} lines, over {MEDIAN_LINES}"


def _length(cell: NotebookNode) -> int:
    """The lines of a cell. A claim is one sentence, however many lines its condition and evidence take, and
    so are the words that describe a figure."""
    extra = sum(call.end_lineno - call.lineno for call in _claims(cell.source))
    return len(re.sub(r"(?s)plotting\.show\(.*", "plotting.show()", cell.source).splitlines()) - extra


def _claims(source: str) -> list[ast.Call]:
    """The calls of claim in a text; none where it is not plain Python."""
    try:
        nodes = ast.walk(ast.parse(source))
    except SyntaxError:
        return []
    return [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim"]


def claims_show_their_evidence(notebook: NotebookNode) -> Iterator[str]:
    """Every claim is given, behind its condition, the numbers that it rests on."""
    for cell in code_cells(notebook):
        for call in _claims(cell.source):
            if len(call.args) < 3:
                yield f"{_where(cell)} claims without evidence: {ast.unparse(call.args[0])}"


def is_plain_python(notebook: NotebookNode) -> Iterator[str]:
    """No magics, no shell, no argparse, no trailing semicolon (nbval shows what it was to hide)."""
    for cell in code_cells(notebook):
        try:
            imported = {name.split(".")[0] for name, _ in imports(cell.source)}
        except SyntaxError:
            yield f"{_where(cell)} is not plain Python (a ! or % line, or a syntax error)"
            continue
        if "argparse" in imported:
            yield f"{_where(cell)} imports argparse"
        if cell.source.rstrip().endswith(";"):
            yield f"{_where(cell)} ends with a semicolon; write _ = ... instead"


def imports(source: str) -> Iterator[tuple[str, str]]:
    """(what, name it is bound to) of every import, e.g. ("reference.checks.same", "same")."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((a.name, a.asname or a.name.split(".")[0]) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{a.name}", a.asname or a.name) for a in node.names)


def uses_what_it_teaches_only_in_checks(notebook: NotebookNode) -> Iterator[str]:
    """What the title cell's `teaches` lists is imported, and used, only in cells that call `same`."""
    taught = notebook.cells[0].metadata.get("teaches", [])
    if not taught:
        yield 'the title cell needs teaches=["reference...."] on its marker line'
    bound = set()
    for cell in code_cells(notebook):
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            continue
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        found = {name for what, name in imports(cell.source) if any(_overlap(what, t) for t in taught)}
        if "same" not in names:
            for name in sorted(found | bound & names):
                yield f"{_where(cell)} uses {name}, which this chapter teaches, outside a check cell"
        bound |= found


def binds_a_name_once(notebook: NotebookNode) -> Iterator[str]:
    """A name that one section (##) binds is not bound anew in another; rng, fig, ax and axes may be."""
    owner: dict[str, str] = {}
    section = "the first section"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = (re.findall(r"^## (.+)", cell.source, re.MULTILINE) or [section])[-1]
        elif cell.cell_type == "code" and not grading(cell, "grade"):
            for name in sorted(_bound(cell.source) - PASSING):
                if owner.setdefault(name, section) != section:
                    yield f"{_where(cell)} binds {name} anew in '{section}'; '{owner[name]}' has it already"


PASSING = {"rng", "fig", "ax", "axes", "_"}


def _bound(source: str) -> set[str]:
    """The names that a cell's own statements bind by =, def or class; not those in loops and functions."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return set()
    targets = [target for s in statements if isinstance(s, ast.Assign) for target in s.targets]
    named = {s.name for s in statements if isinstance(s, ast.FunctionDef | ast.ClassDef)}
    return named | {
        n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _overlap(a: str, b: str) -> bool:
    return f"{a}.".startswith(f"{b}.") or f"{b}.".startswith(f"{a}.")


# Prose


def has_orderly_headings(notebook: NotebookNode) -> Iterator[str]:
    """One heading of level 1, at the top; none skips a level."""
    text = re.sub(r"^```.*?^```", "", prose(notebook), flags=re.MULTILINE | re.DOTALL)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]
    if levels[:1] != [1] or levels.count(1) != 1:
        yield "the notebook needs one heading with a single #, its first"
    for above, below in pairwise(levels):
        if below > above + 1:
            yield f"a heading of level {below} follows one of level {above}"


def figures_are_read(notebook: NotebookNode) -> Iterator[str]:
    """Every figure has alt text and a caption **Figure k.** with its conclusion; all are in the style."""
    captions = 0
    for cell, after in pairwise([*notebook.cells, NotebookNode(cell_type="end", source="")]):
        if not (alts := pictures(cell)):
            continue
        captions += 1
        if any(output.output_type == "execute_result" for output in cell.outputs):
            yield f"{_where(cell)} shows text beside its figure: let it end in plotting.show(...)"
        if any(len(alt.split()) < 5 for alt in alts):
            yield f'{_where(cell)} shows a figure without alt text: let it end in plotting.show("...")'
        if re.search(r"""["'](black|white|k[-:.*o^]*)["']""", cell.source):
            yield f"{_where(cell)} draws in black or white, which one of the pages swallows: plotting.GREY"
        if not (after.cell_type == "markdown" and after.source.startswith(f"**Figure {captions}.** ")):
            yield f"{_where(cell)} shows a figure that no cell beginning **Figure {captions}.** follows"
    code = "".join(cell.source for cell in code_cells(notebook))
    if captions and "plt.style.use(plotting.STYLE)" not in code:
        yield "figures for light and dark pages need plt.style.use(plotting.STYLE) in the first setup cell"


TIME = r"\*\*Time\.\*\* (\d+) minutes to read(?:, (\d+) minutes of exercises)?, \d+ minutes? to run\."


def has_the_spine(notebook: NotebookNode) -> Iterator[str]:
    """Title, question, objectives, prerequisites, time; a prediction; a summary of five points, reading."""
    first, text = notebook.cells[0].source, prose(notebook)
    if not re.match(r"# \S", first):
        yield "the first cell does not begin with the title"
    if not re.search(r"^\*\*Question\.\*\*[^?]*\?", first, re.MULTILINE):
        yield "the first cell needs a line **Question.** that asks one"
    objectives = re.search(r"^\*\*Objectives\.\*\*.*?\n((?:\n?(?:- |  ).*)+)", first, re.MULTILINE)
    if not objectives or not 3 <= len(re.findall(r"^- ", objectives[1], re.MULTILINE)) <= 5:
        yield "the first cell needs **Objectives.** followed by a list of 3 to 5"
    if not re.search(r"^\*\*Prerequisites\.\*\* \S", first, re.MULTILINE):
        yield "the first cell needs a line **Prerequisites.**"
    if not re.search(f"^{TIME}", first, re.MULTILINE):
        yield "the first cell needs **Time.** N minutes to read, N minutes to run."
    if not re.search(r"^\*\*Predict\.\*\* \S", text, re.MULTILINE):
        yield "no paragraph **Predict.** asks the reader for a guess"
    for heading, fewest, most in (("Summary", 5, 5), ("Read more", 1, 20)):
        section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text + "\n", re.MULTILINE | re.DOTALL)
        items = len(re.findall(r"^- ", section[1], re.MULTILINE)) if section else 0
        if not fewest <= items <= most:
            yield f"the section ## {heading} needs a list of {fewest} to {most} points, has {items}"


# Length

WORDS_A_MINUTE, LINES_A_MINUTE = 150, 15
MAX_WORDS, MAX_CELLS, MAX_SOLUTION = 6000, 120, 15


def _read_aloud(notebook: NotebookNode) -> tuple[int, list[NotebookNode]]:
    """The words and the code cells of a chapter without its exercises, which have minutes of their own."""
    aside = {id(c) for e in exercises(notebook) for c in (e.statement, *e.solutions, *e.tests)}
    rest = [cell for cell in notebook.cells if id(cell) not in aside]
    words = sum(len(cell.source.split()) for cell in rest if cell.cell_type == "markdown")
    return words, [cell for cell in rest if cell.cell_type == "code"]


def states_its_time(notebook: NotebookNode) -> Iterator[str]:
    """Minutes to read: words / 150 + lines of code / 15, to the nearest five; the exercises' beside."""
    words, code = _read_aloud(notebook)
    lines = sum(bool(line.strip()) for cell in code for line in cell.source.splitlines())
    to_read = max(5, 5 * round((words / WORDS_A_MINUTE + lines / LINES_A_MINUTE) / 5))
    minutes = [
        re.search(r"^\*Difficulty: .* Time: (\d+) ", e.statement.source, re.M) for e in exercises(notebook)
    ]
    to_solve = sum(int(found[1]) for found in minutes if found)
    stated = re.search(TIME, notebook.cells[0].source)
    if not stated or stated.groups() != (str(to_read), str(to_solve)):
        yield (
            f"{words} words and {lines} lines of code need **Time.** {to_read} minutes to read, "
            f"{to_solve} minutes of exercises, N minutes to run."
        )


def is_read_in_one_sitting(notebook: NotebookNode) -> Iterator[str]:
    """At most 6,000 words and 120 code cells, exercises aside: two hours."""
    words, code = _read_aloud(notebook)
    if words > MAX_WORDS:
        yield f"{words} words, over {MAX_WORDS}: what is not the chapter's question goes elsewhere"
    if len(code) > MAX_CELLS:
        yield f"{len(code)} code cells, over {MAX_CELLS}: what is not the chapter's question goes elsewhere"


# Exercises

HEADING = (
    r"### Exercise {k}: \S.*\n\n"
    r"\*Difficulty: (?:easy|medium|hard)\. Time: \d+ minutes\. Points: (?P<points>\d+)\.\*\n"
)
HINT = r"<details><summary>Hint (\d)</summary>\n\n\S.*?\n\n</details>"


def exercises_are_whole(notebook: NotebookNode) -> Iterator[str]:
    """Each has difficulty, minutes, points, three folded hints; a solution; visible and hidden tests."""
    if not exercises(notebook):
        yield "there is no exercise"
    inside = {id(cell) for e in exercises(notebook) for cell in [*e.solutions, *e.tests]}
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata and id(cell) not in inside:
            yield f"{_where(cell)} stands outside every exercise: a cell begins with ### Exercise k: Title"
    for k, exercise in enumerate(exercises(notebook), start=1):
        name = f"exercise {k}, {exercise.name}"
        heading = re.match(HEADING.format(k=k), exercise.statement.source)
        if not heading:
            yield f"{name}: needs ### Exercise {k}: Title and *Difficulty: easy. Time: N minutes. Points: N.*"
        if re.findall(HINT, exercise.statement.source, re.DOTALL) != ["1", "2", "3"]:
            yield f"{name}: needs three folded hints, <details><summary>Hint 1</summary> and so on"
        if len(exercise.solutions) != 1:
            yield f"{name}: needs one solution or answer cell, has {len(exercise.solutions)}"
            continue
        if heading and exercise.points != int(heading["points"]):
            yield f"{name}: states {heading['points']} points, its cells give {exercise.points}"
        yield from (f"{name}: {fault}" for fault in _marker_faults(exercise))


def _marker_faults(exercise: Exercise) -> Iterator[str]:
    solution = exercise.solutions[0].source
    begin, end = ("<!-- {} -->", "<!-- {} -->") if exercise.is_written else ("### {}", "### {}")
    marks = re.findall("(BEGIN|END) SOLUTION", solution)
    whole = solution.count(begin.format("BEGIN SOLUTION")) + solution.count(end.format("END SOLUTION"))
    if not marks or marks != ["BEGIN", "END"] * (len(marks) // 2) or whole != len(marks):
        yield f"its solution stands between {begin.format('BEGIN SOLUTION')} and {end.format('END SOLUTION')}"
    if exercise.is_written:
        return
    if not re.fullmatch(ID, exercise.name):
        yield "its name is lower-case words joined by hyphens"
    test_id = re.compile(rf"test-{exercise.name}(-\d+)?")
    if not all(test_id.fullmatch(grading(cell, "grade_id")) for cell in exercise.tests):
        yield "its test cells do not carry its name"
    tests = "\n".join(cell.source for cell in exercise.tests)
    if not any(map(has_assert, hidden(tests))):
        yield "no hidden test: assert between ### BEGIN HIDDEN TESTS and ### END HIDDEN TESTS"
    if not has_assert(visible(tests)):
        yield "no visible test: assert before the hidden ones"


WAY_ON = re.compile(r"^# To go on without it: (.+)$", re.MULTILINE)


def building(notebook: NotebookNode) -> list[Exercise]:
    """The exercises whose solution stands in a section called "Build it": the reader writes the method."""
    inside = set()
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = (re.findall(r"^## (.+)", cell.source, re.MULTILINE) or [section])[-1]
        elif section.startswith("Build it"):
            inside.add(id(cell))
    return [e for e in exercises(notebook) if e.solutions and id(e.solutions[0]) in inside]


def way_on(exercise: Exercise) -> str:
    """What a reader who skips the exercise runs in its place; nothing if its stub does not say."""
    return "\n".join(WAY_ON.findall(exercise.solutions[0].source))


def its_reader_builds(notebook: NotebookNode) -> Iterator[str]:
    """Two exercises or more are short cells of "Build it" whose stub says how to go on without them."""
    if (n := len(building(notebook))) < 2:
        yield f'{n} exercises stand in sections called "Build it"; the reader writes at least two cells there'
    for exercise in building(notebook):
        source = exercise.solutions[0].source
        solution = re.findall(r"### BEGIN SOLUTION\n(.*?)### END", source, re.DOTALL)
        if (
            lines := sum(bool(line.strip()) for part in solution for line in part.splitlines())
        ) > MAX_SOLUTION:
            yield f"{exercise.name}: its solution has {lines} lines, over {MAX_SOLUTION}: give it in two"
        bound = _bound(way_on(exercise)) | {name for _, name in imports(way_on(exercise))}
        if missing := sorted(_bound(source) - bound):
            yield (
                f"{exercise.name}: its cell needs a line '# To go on without it: from reference...' "
                f"that gives {', '.join(missing)}"
            )


def has_assert(source: str) -> bool:
    """Whether the code asserts something, or calls one of the checks that do."""
    nodes = list(ast.walk(ast.parse(source)))
    calls = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return any(isinstance(node, ast.Assert) for node in nodes) or bool(calls & {"same", "claim"})


def tests_end_in_a_statement(notebook: NotebookNode) -> Iterator[str]:
    """nbgrader takes the value of a test cell's last expression for marks; only a call of print has none."""
    for cell in code_cells(notebook):
        if not grading(cell, "grade"):
            continue
        for source in (cell.source, re.sub(r"(?s)### BEGIN HIDDEN.*?### END HIDDEN TESTS", "", cell.source)):
            last = ast.parse(source).body[-1:]
            if last and isinstance(last[0], ast.Expr) and not _returns_nothing(last[0].value):
                yield f"{_where(cell)} ends in an expression, which nbgrader may take for marks"
                break


def _returns_nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") in {"print", "same", "claim"}


RULES = (
    was_executed,
    has_clean_outputs,
    is_small,
    accuracies_have_intervals,
    has_unique_ids,
    has_known_tags,
    ignores_little,
    trained_numbers_are_not_compared,
    has_short_cells,
    claims_show_their_evidence,
    is_plain_python,
    uses_what_it_teaches_only_in_checks,
    binds_a_name_once,
    has_orderly_headings,
    figures_are_read,
    has_the_spine,
    states_its_time,
    is_read_in_one_sitting,
    exercises_are_whole,
    its_reader_builds,
    tests_end_in_a_statement,
)
NOT_YET = {  # rule -> chapters that do not keep it yet; who mends a chapter takes its number out
    is_read_in_one_sitting: {"09"},
    its_reader_builds: {"09"},
}
