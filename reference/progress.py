"""One progress bar for everything that takes longer than a second or two; when the work is done it is gone.

In a notebook the bar is a line of text that is shown, redrawn and taken away again: a widget would be saved
with the notebook, and be an error message when the notebook is opened the next time. The environment variable
TQDM_DISABLE keeps bars out of stored outputs.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator

from tqdm import tqdm

REDRAW = 0.5  # seconds; what takes less shows no bar, for every bar leaves an output, if an empty one
GONE = {"text/html": ""}  # JupyterLab takes no output back; of an empty one nothing is to be seen


def progress(items: Iterable, description: str, total: int | None = None) -> Iterable:
    """The items again, one by one, with a bar that is gone at the end."""
    if os.environ.get("TQDM_DISABLE"):
        return items
    return _with_bar(items, description, total)  # pragma: no cover - as below


def _with_bar(  # pragma: no cover - bars are tested in a kernel and in a process of their own
    items: Iterable, description: str, total: int | None
) -> Iterable:
    total = len(items) if total is None and hasattr(items, "__len__") else total
    bar = _in_notebook if _has_kernel() else _in_terminal
    return bar(items, description, total)


def _has_kernel() -> bool:  # pragma: no cover - the tests run it in a kernel and in a terminal's process
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel")


def _in_terminal(  # pragma: no cover - as above
    items: Iterable, description: str, total: int | None
) -> Iterable:
    return tqdm(items, desc=description, total=total, leave=False)


def _in_notebook(  # pragma: no cover - the tests run it in a kernel
    items: Iterable, description: str, total: int | None
) -> Iterator:
    from IPython.display import display  # here alone: a script needs no IPython

    def line(n_done: int) -> dict[str, str]:
        seconds = time.monotonic() - began
        return {"text/plain": tqdm.format_meter(n_done, total, seconds, ncols=90, prefix=description)}

    began = drawn = time.monotonic()
    shown = None
    try:
        for n_done, item in enumerate(items, start=1):
            yield item
            if time.monotonic() - drawn > REDRAW:
                if shown is None:
                    shown = display(line(n_done), raw=True, display_id=True)
                else:
                    shown.update(line(n_done), raw=True)
                drawn = time.monotonic()
    finally:
        if shown is not None:
            shown.update(GONE, raw=True)
