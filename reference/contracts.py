"""Checks at the doors that users enter by, each with one sentence: the argument, what was given, what is
allowed.

They are always on, in contrast to the shapes in annotations, which the tests alone enforce; each costs about
a microsecond.
"""

import math
import operator
import os
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np


def whole(name: str, given: Any, *, at_least: int | None = 1) -> int:
    """`given` as an int; ValueError unless it is a whole number (no bool), and not less than at_least."""
    try:
        number = None if isinstance(given, (bool, np.bool_)) else operator.index(given)
    except TypeError:
        number = None
    if number is None:
        raise ValueError(f"{name} must be a whole number, got {shown(given)}.")
    if at_least is not None and number < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {number}.")
    return number


def number(name: str, given: Any, *, least: float | int, excluded: bool = False) -> float:
    """`given` as a float; ValueError unless it is finite, and at least (or, excluded, above) `least`."""
    if isinstance(given, (bool, np.bool_)) or not isinstance(given, (Real, np.number)):
        raise ValueError(f"{name} must be a number, got {shown(given)}.")
    if not (least < given < math.inf or (given == least and not excluded)):
        rule = "above" if excluded else "at least"
        raise ValueError(f"{name} must be {rule} {least:g} and finite, got {given}.")
    return float(given)


def generator(rng: Any) -> None:
    """ValueError unless rng is a NumPy generator: a bare seed would draw the same task again and again."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a NumPy generator, np.random.default_rng(seed), got {shown(rng)}.")


def words(name: str, given: Any) -> list[str]:
    """`given` as a list of strings; ValueError for a lone string and for what is no string."""
    if isinstance(given, str):
        raise ValueError(f"{name} must be a list of strings, got the string {given!r}; write [{given!r}].")
    if not hasattr(given, "__iter__"):
        raise ValueError(f"{name} must be a list of strings, got {shown(given)}.")
    given = list(given)
    for i, word in enumerate(given):
        if not isinstance(word, str):
            raise ValueError(f"{name} must be a list of strings, but {name}[{i}] is {shown(word)}.")
    return given


def rectangle(name: str, given: Any) -> np.ndarray:
    """`given` as an array; ValueError for rows of unequal shapes."""
    try:
        return np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{name} is no array ({first_line(error)}).") from error


def numbers_of_classes(name: str, given: Any) -> np.ndarray:
    """`given` as an array of whole numbers >= 0 in one row; ValueError for floats, bools and other shapes."""
    array = rectangle(name, given)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise ValueError(f"{name} must be whole numbers in one row, got {shown(array)}.")
    if array.size and (least := array.min()) < 0:
        raise ValueError(f"{name} must be at least 0, got {least}.")
    if array.size and (most := array.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must be at most {np.iinfo(np.int64).max}, got {most}.")
    return array.astype(np.int64)


def path_of(name: str, given: Any) -> Path:
    """`given` as a path, with ~ at its beginning written out."""
    try:
        if path := os.fsdecode(given):
            return Path(os.path.expanduser(path))
    except TypeError:
        pass
    raise ValueError(f"{name} must be the path of a folder, got {shown(given)}.")


def shown(given: Any) -> str:
    """A few words for a sentence: arrays by type and shape, all else as Python writes it, cut short."""
    if isinstance(given, np.ndarray):
        if given.ndim:
            return f"{given.dtype} of shape {given.shape}"
        given = given.item()
    text = " ".join(repr(given).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def first_line(error: BaseException) -> str:
    """What an error says, on one line without its full stop; its name where it says nothing."""
    return (" ".join(str(error).split()) or type(error).__name__).rstrip(".")[:200]
