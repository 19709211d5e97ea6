"""A sentence that a chapter says, printed only where it holds."""

from typing import Any

import numpy as np


def claim(sentence: str, holds: bool | np.bool_, *evidence: Any) -> None:
    """Print the sentence if it holds, else raise AssertionError with the sentence and the evidence."""
    if not holds:
        raise AssertionError(" | ".join([f"does not hold here: {sentence}", *map(str, evidence)]))
    print(sentence)
