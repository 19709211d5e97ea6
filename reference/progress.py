"""One progress bar for everything that takes longer than a second or two.

In a notebook it is a widget that goes when the work is done, in a terminal a line. The environment variable
TQDM_DISABLE keeps it out of stored outputs; the notebook bar does not look for it by itself.

Differs from the paper: no paper.
"""

import os
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm


def progress(items: Iterable, description: str, total: int | None = None) -> Any:
    """The items again, one by one, with a bar that is gone at the end."""
    disable = bool(os.environ.get("TQDM_DISABLE"))
    return tqdm(items, desc=description, total=total, leave=False, disable=disable)
