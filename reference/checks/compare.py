"""How two results differ, in words: their structure, their numbers, and their gradients.

Gradients are those of the outputs, each weighted with the same random numbers, and of these gradients once
more.
"""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from reference.checks.hints import hint, hint_shape
from reference.checks.numbers import close, family, is_scratch, is_torch, kind, plain


class Difference(Exception):
    """What differs between two results, in words."""


def compare(expected: Any, given: Any, path: str = "the result") -> None:
    """Raise Difference where two results differ in structure, kind or value."""
    for at, e, g in pairs(expected, given, path):
        if callable(e):
            raise TypeError(f"{at} is a function; let the case call it, so that there are values to compare.")
        if kind(e) != kind(g):
            cut = "the graph is cut here, so no gradient comes back." if kind(g) == "array" else ""
            raise Difference(_expected_given(at, e, g, hint=cut))
        if kind(e) in ("array", "Tensor", "torch tensor"):
            _compare_numbers(e, g, at)
        elif e != g:
            raise Difference(f"{at} differs.\n  expected: {e!r}\n  given:    {g!r}")


def _compare_numbers(expected: Any, given: Any, path: str) -> None:
    e, g = plain(expected), plain(given)
    if e.shape != g.shape:
        raise Difference(_expected_given(path, expected, given, hint=hint_shape(e, g)))
    if is_torch(expected) and e.dtype != g.dtype or e.ndim and family(e) != family(g):
        raise Difference(_expected_given(path, expected, given, hint="the dtype is another."))
    if not close(e, g):
        lines = [_expected_given(path, expected, given), _largest(e, g), f"hint: {hint(e, g)}"]
        raise Difference("\n  ".join(lines))


def compare_gradients(expected: Any, given: Any, ours: dict, yours: dict) -> bool:
    """Whether there was anything to differentiate; raises Difference where a derivative differs."""
    inputs = [pair for name in ours for pair in pairs(ours[name], yours[name], name) if _carries(pair[1])]
    outputs = [(e, g) for _, e, g in pairs(expected, given, "") if _carries(e)]
    if not inputs or not outputs:
        return False
    rng = np.random.default_rng(0)
    for what in ("the gradient", "the second derivative"):
        weights = [rng.normal(size=e.shape) for e, _ in outputs]
        expected = _gradients([e for e, _ in outputs], weights, [e for _, e, _ in inputs])
        given = _gradients([g for _, g in outputs], weights, [g for _, _, g in inputs])
        outputs = list(zip(expected, given, strict=True))
        for (name, _, _), (e, g) in zip(inputs, outputs, strict=True):
            _compare_numbers(e, g, f"{what} with respect to {name}")
    return True


def _carries(x: Any) -> bool:
    return kind(x) in ("Tensor", "torch tensor") and plain(x).dtype.kind == "f"


def _gradients(outputs: list, weights: list[np.ndarray], inputs: list) -> list:
    """Gradients of the weighted sum of the outputs, to be differentiated again; zeros where none comes."""
    if is_scratch(inputs[0]):
        total = sum(np.sum(w * y) for w, y in zip(weights, outputs, strict=True))
        return sys.modules["reference.scratch.autodiff"].grad(total, inputs)
    torch = sys.modules["torch"]
    total = sum((torch.as_tensor(w).to(y) * y).sum() for w, y in zip(weights, outputs, strict=True))
    if not total.requires_grad:
        return [torch.zeros_like(x) for x in inputs]
    gradients = torch.autograd.grad(total, inputs, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, gradients, strict=True)]


def pairs(expected: Any, given: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """(path, expected leaf, given leaf) for every leaf of two trees of the same structure."""
    if not isinstance(expected, dict | tuple | list):
        yield path, expected, given
    elif isinstance(expected, dict):
        if not isinstance(given, dict) or expected.keys() != given.keys():
            raise Difference(_expected_given(path, expected, given))
        for key in expected:
            yield from pairs(expected[key], given[key], f"{path}[{key!r}]")
    else:
        if not isinstance(given, tuple | list) or len(expected) != len(given):
            raise Difference(_expected_given(path, expected, given))
        names = getattr(expected, "_fields", None)
        for i, (e, g) in enumerate(zip(expected, given, strict=True)):
            yield from pairs(e, g, f"{path}.{names[i]}" if names else f"{path}[{i}]")


def _expected_given(path: str, expected: Any, given: Any, *, hint: str = "") -> str:
    hint = "is a `return` missing?" if given is None else hint
    lines = [f"{path} differs.", f"expected: {outline(expected)}", f"given:    {outline(given)}"]
    return "\n  ".join(lines + ([f"hint: {hint}"] if hint else []))


def outline(x: Any) -> str:
    """What x is, in a few words: its shape and dtype, its keys, or its value."""
    if isinstance(x, dict):
        return f"a dict with the keys {', '.join(map(repr, x)) or '(none)'}"
    if isinstance(x, tuple | list):
        return f"a {type(x).__name__} of {len(x)}"
    if kind(x) == "array" and np.ndim(x) == 0:
        return _short(np.asarray(x)[()])
    if kind(x) in ("array", "Tensor", "torch tensor"):
        numbers = plain(x)
        return f"{kind(x)} of shape {numbers.shape}, {numbers.dtype}"
    return "None" if x is None else f"a {type(x).__name__}"


def _largest(e: np.ndarray, g: np.ndarray) -> str:
    """The largest difference and where it stands; for text, the first one."""
    numbers = e.dtype.kind in "biuf" and g.dtype.kind in "biuf"
    with np.errstate(invalid="ignore"):
        equal = np.isclose(e, g, rtol=0, atol=0, equal_nan=True) if numbers else e == g
        gap = np.where(equal, 0.0, abs(e.astype(float) - g) if numbers else 1.0)
    at = np.unravel_index(np.nan_to_num(gap, nan=np.inf, posinf=np.inf).argmax(), gap.shape)
    where = f" at {[int(i) for i in at]}" if at else ""
    size = f"largest difference: {gap[at]:.4g}" if numbers else "first difference"
    return f"{size}{where}: expected {_short(e[at])}, given {_short(g[at])}"


def _short(x: Any) -> str:
    return f"{x:.6g}" if isinstance(x, float | np.floating) else str(x)
