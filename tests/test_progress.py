"""A progress bar is seen while work goes on and leaves nothing behind, in a notebook or a terminal."""

import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from reference.progress import progress

WORK = "from reference.progress import progress\nfor i in progress(range(3), 'work', 3):\n    {body}"
CATCH = """
import IPython, os
del os.environ["TQDM_DISABLE"]
seen, publish = [], IPython.get_ipython().display_pub.publish
def keep(data, *args, **settings):
    seen.append(data)
    return publish(data, *args, **settings)
IPython.get_ipython().display_pub.publish = keep
"""


@pytest.fixture
def notebook(tmp_path):
    """(cells' sources) -> the notebook of these cells after a kernel ran them."""

    def run(*sources, **settings):
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        made = nbformat.v4.new_notebook(cells=cells)
        NotebookClient(made, timeout=60, resources={"metadata": {"path": tmp_path}}, **settings).execute()
        return made

    return run


def test_in_a_notebook_it_is_seen_and_gone(notebook):
    work = WORK.format(body="import time; time.sleep(0.6)")
    done = notebook(CATCH, work, "print([line['text/plain'] for line in seen[:-1]], seen[-1])")
    (left,) = done.cells[1].outputs
    assert left.data == {"text/html": ""}
    lines, last = done.cells[2].outputs[0].text.rsplit("] ", 1)
    assert "work:  33%" in lines and "3/3" in lines and last == "{'text/html': ''}\n"


def test_short_work_shows_nothing(notebook):
    assert notebook(CATCH, WORK.format(body="pass")).cells[1].outputs == []


def test_no_widget_is_saved_even_of_work_that_fails(notebook):
    broken = notebook(CATCH, WORK.format(body="import time; time.sleep(0.6); i and 1 / 0"), allow_errors=True)
    assert "widget" not in nbformat.writes(broken).replace("widgets.", "")
    assert broken.cells[1].outputs[-1].ename == "ZeroDivisionError"


def test_no_bar_where_none_is_wanted(notebook):
    assert notebook(WORK.format(body="pass")).cells[0].outputs == []
    assert list(progress(iter("abc"), "work")) == ["a", "b", "c"]


def test_in_a_terminal_it_wipes_its_line():
    program = "from reference.progress import progress; print(*progress(range(3), 'work'))"
    loud = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    done = subprocess.run([sys.executable, "-c", program], env=loud, capture_output=True, check=True)
    assert done.stdout.split() == [b"0", b"1", b"2"]
    *_, wiped, rest = done.stderr.split(b"\r")
    assert b"0/3" in done.stderr and wiped.strip() == rest == b""
