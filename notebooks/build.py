"""Builds the chapters: notebooks/source/NN_name.py (jupytext py:percent) becomes notebooks/NN_name.ipynb.

    python -m notebooks.build                 every chapter whose source has changed
    python -m notebooks.build 03_name ...     these, changed or not

The notebook is executed from top to bottom in the current environment and normalised, so that building it
twice gives the same bytes. Cell metadata is written short in a source and spelled out for nbgrader here;
notebooks/README.md says how.
"""

import hashlib
import os
import re
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_output

from notebooks.kernel import prepare_environment

FOLDER = Path(__file__).parent
SOURCES = FOLDER / "source"
CELL_TIMEOUT = 300  # seconds, as nbval is given
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
METADATA = {
    "tags",
    "teaches",
    "solution",
    "test",
    "answer",
    "points",
}  # what a source may say of a cell
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WIDGET = "*Run this cell in JupyterLab to get the sliders.*"


def chapters() -> list[Path]:
    """The sources of all chapters, in order."""
    return sorted(SOURCES.glob("[0-9][0-9]_*.py"))


def notebook_of(source: Path) -> Path:
    """Where the notebook of a chapter's source stands; a source from elsewhere has it beside itself."""
    return (FOLDER / source.name if source.parent == SOURCES else source).with_suffix(".ipynb")


def read_source(source: Path) -> NotebookNode:
    """The chapter as a notebook that has not been run: no outputs, no counts, deterministic cell ids."""
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.metadata = NotebookNode(kernelspec=KERNELSPEC, language_info={"name": "python"})
    notebook.nbformat_minor = 5
    taken: set[str] = set()
    for cell in notebook.cells:
        cell.metadata = NotebookNode(
            {k: v for k, v in cell.metadata.items() if not k.startswith("lines_to_")}
        )
        if unknown := cell.metadata.keys() - METADATA:
            raise ValueError(f"{source.name}: unknown metadata {sorted(unknown)}; known: {sorted(METADATA)}.")
        _spell_out(cell, taken)
        cell.id = _unused(_name(cell), taken)
        taken.add(cell.id)
    return notebook


def _spell_out(cell: NotebookNode, taken: set[str]) -> None:
    """Turn solution=ID, test=ID points=N and answer=ID points=N into nbgrader's metadata."""
    kinds = {
        kind: cell.metadata.pop(kind) for kind in ("solution", "test", "answer") if kind in cell.metadata
    }
    if not kinds:
        return
    if len(kinds) > 1:
        raise ValueError(f"a cell is one of solution, test and answer, not {' and '.join(kinds)}: {kinds}")
    ((kind, exercise),) = kinds.items()
    graded = kind != "solution"
    if graded and "points" not in cell.metadata:
        raise ValueError(f"{kind}={exercise!r} needs points=N on the same line.")
    cell.metadata.nbgrader = NotebookNode(
        grade=graded,
        grade_id=_unused(f"test-{exercise}" if kind == "test" else exercise, taken),
        locked=kind == "test",
        schema_version=3,
        solution=kind != "test",
        task=False,
        **({"points": cell.metadata.pop("points")} if graded else {}),
    )


def _name(cell: NotebookNode) -> str:
    grading = cell.metadata.get("nbgrader")
    return grading.grade_id if grading else hashlib.sha1(cell.source.encode()).hexdigest()[:10]


def _unused(name: str, taken: set[str]) -> str:
    """The name, or the first of name-2, name-3, ... that no earlier cell has."""
    names = [name, *(f"{name}-{i}" for i in range(2, len(taken) + 3))]
    return next(n for n in names if n not in taken)


def differences(source: NotebookNode, notebook: NotebookNode) -> list[str]:
    """What the notebook's cells say otherwise than its source, one sentence a cell; outputs do not count."""
    if len(source.cells) != len(notebook.cells):
        return [f"the source has {len(source.cells)} cells, the notebook {len(notebook.cells)}"]
    pairs = enumerate(zip(source.cells, notebook.cells, strict=True))
    keys = ("cell_type", "source", "metadata", "id")
    return [f"cell {i}: {key} differs" for i, (a, b) in pairs for key in keys if a.get(key) != b.get(key)]


def is_current(source: Path, target: Path) -> bool:
    """Whether the notebook was built from this source. (A changed `reference` is seen by nbval, not here.)"""
    return target.exists() and not differences(read_source(source), nbformat.read(target, as_version=4))


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run every code cell in a fresh kernel of this environment; CellExecutionError at the first error."""
    prepare_environment()
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # else every kernel warns that it speaks over TCP
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


def normalise(notebook: NotebookNode) -> None:
    """Remove from an executed notebook what changes from run to run or from machine to machine."""
    notebook.metadata = NotebookNode(kernelspec=KERNELSPEC, language_info={"name": "python"})
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, start=1):
        cell.execution_count = count
        if "interactive" in cell.metadata.get("tags", []):
            cell.outputs = [new_output("display_data", data={"text/markdown": WIDGET})]
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count


def build(source: Path, target: Path) -> None:
    """Execute the source and put the notebook in its place, whole or not at all."""
    notebook = read_source(source)
    execute(notebook, target.parent)
    normalise(notebook)
    nbformat.validate(notebook)
    replace_whole(target, nbformat.writes(notebook) + "\n")


def replace_whole(target: Path, text: str) -> None:
    """Write a file whole or not at all."""
    unfinished = target.with_suffix(".partial")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, target)


def _chosen(names: list[str]) -> list[Path]:
    """The sources to build; a name is a chapter's, or the path of a source."""
    if not names:
        return [source for source in chapters() if not is_current(source, notebook_of(source))]
    sources = [Path(name) if name.endswith(".py") else SOURCES / f"{name}.py" for name in names]
    for source in sources:
        if not source.exists():
            known = ", ".join(chapter.stem for chapter in chapters())
            sys.exit(f"There is no chapter {source.stem}; the chapters are: {known}.")
    return sources


def main(names: list[str]) -> None:
    """Build the named chapters, or those whose source has changed; stop at the first that fails."""
    sources = _chosen(names)
    for source in sources:
        target = notebook_of(source)
        began = time.perf_counter()
        print(f"{source.stem}: building ...", flush=True)
        try:
            build(source, target)
        except CellExecutionError as error:
            sys.exit(f"{COLOUR.sub('', str(error))}\n{source.stem}: not built.")
        seconds, size = time.perf_counter() - began, target.stat().st_size / 1000
        print(f"{source.stem}: built in {seconds:.0f} s, {size:.0f} kB")
    if not sources:
        print("Every notebook is as its source says; nothing to build.")


if __name__ == "__main__":
    main(sys.argv[1:])
