"""Parameters: a flat dict of arrays under PyTorch's names, and two networks' parameters in one dict.

It knows no engine: the arrays may be NumPy's, the course's Tensors or PyTorch's.
"""

from typing import Any

Params = dict[str, Any]  # name -> array


def join(**parts: Params) -> Params:
    """One dict of several, each under its own name: join(start=theta, rate=alpha) has `start.w`, `rate.w`."""
    return {f"{part}.{name}": p for part, params in parts.items() for name, p in params.items()}


def part(params: Params, name: str) -> Params:
    """What stands under one of the names that `join` was given, under its own names again.

    Raises ValueError where nothing does.
    """
    found = {key.removeprefix(f"{name}."): p for key, p in params.items() if key.startswith(f"{name}.")}
    if not found:
        known = sorted({key.partition(".")[0] for key in params})
        raise ValueError(f"name: got {name!r}; the parts are {known}.")
    return found
