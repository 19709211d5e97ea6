"""The three kinds of number, and when two of them are equal.

Neither engine is imported: a tensor can only come from a module that is loaded.
"""

import sys
from typing import Any

import numpy as np


def is_scratch(x: Any) -> bool:
    """Whether x is the course's own Tensor."""
    return isinstance(x, getattr(sys.modules.get("reference.scratch.autodiff"), "Tensor", ()))


def is_torch(x: Any) -> bool:
    """Whether x is PyTorch's tensor."""
    return isinstance(x, getattr(sys.modules.get("torch"), "Tensor", ()))


def kind(x: Any) -> str:
    """Tensor, torch tensor or array; of anything else the name of its type."""
    if is_scratch(x):
        return "Tensor"
    if is_torch(x):
        return "torch tensor"
    return "array" if isinstance(x, np.ndarray | np.generic | bool | int | float) else type(x).__name__


def plain(x: Any) -> np.ndarray:
    """The numbers alone, as an array."""
    if is_scratch(x):
        return sys.modules["reference.scratch.autodiff"].detach(x)
    return x.detach().cpu().numpy() if is_torch(x) else np.asarray(x)


def family(x: np.ndarray) -> str:
    """The kind of number, whatever its size: i for whole numbers, f for floats."""
    return x.dtype.kind.replace("u", "i")


def close(e: np.ndarray, g: np.ndarray) -> bool:
    """Equal up to rounding, in units of the largest number expected (at least 1); exact for whole numbers."""
    if e.shape != g.shape:
        return False
    if "f" not in (e.dtype.kind, g.dtype.kind):
        return np.array_equal(e, g)
    rounding = 1e-8 if e.dtype == g.dtype == np.float64 else 1e-4
    scale = max(1.0, np.abs(e[np.isfinite(e)]).max(initial=0.0))
    return np.allclose(g, e, rtol=0, atol=rounding * scale, equal_nan=True)
