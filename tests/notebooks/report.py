"""What the test of a chapter says about a cell that fails."""

import difflib
import re

from nbval.plugin import IPyNbCell

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BUSY = "The cell ran for over {} s. On a busy machine: make test CHAPTER={} TIMEOUT=1200"
TODO = (
    "If the new text is right: .venv/bin/python -m notebooks.build {}, look at the change, commit it.\n"
    "If it is a number that training gave, the processor has a say in it: show it in a cell tagged\n"
    "training, or as evidence of a claim (notebooks/README.md)."
)
ELSEWHERE = "What it shows is text for text the same; what kind of output it is differs: {}."


def explain(item: IPyNbCell, error: BaseException) -> str:
    """Which cell, how it differs from what is stored, line by line, and what to do."""
    chapter = item.path.stem
    said = [f"{item.path.name}, cell {item.cell.id}:", *_indented(item.cell.source), ""]
    message = str(error)
    if "imeout" in message or "Timed out" in message:
        said.append(BUSY.format(item.config.option.nbval_cell_timeout, chapter[:2]))
    elif "caused an exception" in message:
        said.append(COLOUR.sub("", error.inner_traceback).strip())
    else:
        said += _difference(item) or [ELSEWHERE.format(COLOUR.sub("", message).strip())]
        said += ["", TODO.format(chapter)]
    return "\n".join(said)


def _difference(item: IPyNbCell) -> list[str]:
    before, now = (_text(item, outputs) for outputs in (item.cell.outputs, item.test_outputs or []))
    lines = list(difflib.unified_diff(before, now, "stored in the notebook", "shown now", lineterm="", n=1))
    return [line for line in lines if not line.startswith("@@")]


def _text(item: IPyNbCell, outputs: list) -> list[str]:
    """The lines of a cell's outputs as they are compared."""
    found = []
    for output in outputs:
        if output.output_type == "stream":
            text = output.text if output.name == "stdout" else f"(on stderr)\n{output.text}"
        elif output.output_type == "error":
            text = f"{output.ename}: {output.evalue}"
        else:
            text = output.data.get("text/plain", "(no text)")
        found += item.sanitize(COLOUR.sub("", text)).splitlines()
    return found


def _indented(source: str) -> list[str]:
    return [f"    {line}" for line in source.splitlines()]
