"""A sentence that a chapter says, printed only where it holds, with the numbers that it rests on."""

from typing import Any

import numpy as np

from reference.checks.numbers import kind, plain

FEW = 6  # numbers of an array are shown one by one; of a longer one only its ends


def claim(sentence: str, holds: bool | np.bool_, *evidence: Any) -> None:
    """Print the sentence if it holds, and behind it the evidence: `Ours is ahead. [here: 0.052 +- 0.011]`.

    Readers see the numbers; the test of a chapter leaves the bracket out and compares the sentence, because
    the last digits of a trained number depend on the processor. What does not hold raises AssertionError
    with the same text.
    """
    shown = "; ".join(map(_brief, evidence))
    line = f"{sentence} [here: {shown}]" if evidence else sentence
    if not holds:
        raise AssertionError(f"does not hold here: {line}")
    print(line)


def _brief(x: Any) -> str:
    """x on one line, its numbers to three digits; a Score with its interval."""
    if hasattr(x, "half_width"):
        return f"{x:.3g}"
    if isinstance(x, dict):
        return ", ".join(f"{key} {_brief(value)}" for key, value in x.items())
    if isinstance(x, set | frozenset):
        return _brief(sorted(x))
    if isinstance(x, tuple | list):
        return ", ".join(map(_brief, x)) or "none"
    if kind(x) not in ("array", "Tensor", "torch tensor"):
        return " ".join(str(x).split())
    numbers = np.ravel(plain(x)).tolist()
    if len(numbers) > FEW:
        return f"{_short(min(numbers))} to {_short(max(numbers))}"
    return ", ".join(map(_short, numbers)) or "none"


def _short(number: Any) -> str:
    return f"{number:.3g}" if isinstance(number, float) else str(number)
