"""Opens JupyterLab on the reader's own copies: python -m notebooks.lab, or make lab.

The copies stand in my-course/, which git ignores: every chapter solved, to read, and with its exercises open,
to solve. So reading changes no file of the course, and a newer course never meets a reader's work. Arguments
go to JupyterLab: python -m notebooks.lab --no-browser --port 8890.
"""

import os
import re
import sys
from pathlib import Path

import nbformat

from notebooks import student
from notebooks.copies import put

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / "my-course"
START = """# Learning to learn

Begin with the first chapter: **[read it solved]({read})**, or **[solve it yourself]({solve})**. Both are
the same text; in the second the exercises are open. Run a cell with Shift+Enter, or all of them with
*Run > Run All Cells*: a chapter to solve stops at the first exercise that is still open.

| | chapter | to read | to solve | |
| --- | --- | --- | --- | --- |
{rows}

This folder, `my-course`, is yours: change what you like. Nothing here is written over once you have changed
it; when the course has a newer version of such a file, it is put beside yours (`07_maml-2.ipynb`). The code
that the chapters build up to is in [reference](../reference/__init__.py).
"""


def contents() -> dict[str, bytes]:
    """What a reader gets, by name: the start page and both copies of every chapter."""
    read = {f"read/{path.name}": path.read_bytes() for path in student.chapters()}
    solve = {f"solve/{name}": copy for name, copy in student.copies().items()}
    return {"START.md": start_page().encode(), **read, **solve}


def start_page() -> str:
    """The page that leads to the chapters, with the title and the time that each states."""
    rows = []
    for path in student.chapters():
        first = nbformat.read(path, as_version=4).cells[0].source
        title, time = re.search(r"# (.+)", first)[1], re.search(r"\*\*Time\.\*\* (.+)", first)[1]
        links = f"[read](read/{path.name}) | [solve](solve/{path.name})"
        rows.append(f"| {path.name[:2]} | {title} | {links} | {time} |")
    begin = student.chapters()[0].name
    return START.format(read=f"read/{begin}", solve=f"solve/{begin}", rows="\n".join(rows))


def settings() -> dict[str, str]:
    """The environment that JupyterLab and its kernels are given."""
    configured = [str(ROOT / ".jupyter"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return {
        # .jupyter/ shows Markdown as pages, and keeps teachers' tools and the news out of a reader's way.
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, configured)),
        # Threads that spin while they wait slow every other chapter, and every other program, many times.
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "passive"),
    }


def main(arguments: list[str]) -> None:
    """Make or renew the reader's folder and open JupyterLab on its start page, on this machine only."""
    try:
        kept = put(OWN, contents())
    except OSError as error:
        sys.exit(f"The folder for your copies of the chapters cannot be written: {error}.")
    print("Your copies of the chapters are in my-course/.", *kept, sep="\n", flush=True)
    os.environ.update(settings())
    from jupyterlab.labapp import LabApp  # it reads the environment

    given = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={ROOT}",
        "--LabApp.default_url=/lab/tree/my-course/START.md",
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]
    LabApp.launch_instance([*given, *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
