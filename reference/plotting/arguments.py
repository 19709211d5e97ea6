"""What the drawing functions are given, refused in one sentence where it does not fit together."""

from typing import Any


def check_lengths(**arrays: Any) -> None:
    (first, expected), *others = ((name, len(array)) for name, array in arrays.items())
    for name, length in others:
        if length != expected:
            raise ValueError(f"{name} has length {length} and {first} {expected}; they must be equal.")


def check_names(argument: str, names: Any, known: Any) -> None:
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"{argument} names {unknown[0]!r}; there are {', '.join(map(repr, known))}.")
