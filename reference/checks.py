"""What a chapter's check cells call: a reader's function beside the reference, and how they differ.

`same` runs both on the same seeded cases and compares values and, where arguments can carry them, gradients
to second order. It knows NumPy arrays, the course's Tensors and PyTorch's, alone or in tuples, dicts and
NamedTuples.

Differs from the paper: no one paper; two programs that should agree, run on random cases.
"""

import copy
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


class _Difference(Exception):
    """What differs between two results, in words."""


def same(mine: Callable, theirs: Callable, case: Callable, *, n_cases: int = 5) -> None:
    """Print one fixed sentence if `mine` agrees with the reference `theirs` on n_cases seeded cases.

    `case(rng)` gives a tuple of arguments; the last may be a dict of the reference's keyword-only arguments.
    Each function gets its own copy. Gradients are compared for arguments that hold floats in a Tensor or in a
    torch tensor. Raises AssertionError that names the function, the case, what was expected, what came, the
    largest difference and, for the classic mistakes, a hint.
    """
    name = next(
        (f.__name__ for f in (mine, theirs) if getattr(f, "__name__", "<lambda>") != "<lambda>"),
        "the function",
    )
    with_gradients = False
    for index in range(n_cases):
        drawn = case(np.random.default_rng(index))
        ours, yours = _bind(theirs, _fresh(drawn)), _bind(theirs, _fresh(drawn))
        story = f"case {index + 1} of {n_cases}, called with {_describe(_bind(theirs, drawn))}"
        expected = theirs(*ours.args, **ours.kwargs)
        try:
            given = mine(*yours.args, **yours.kwargs)
        except Exception as error:
            error.add_note(f"{name} stopped in {story}.")
            raise
        try:
            _compare(expected, given)
            _compare_arguments(ours.arguments, yours.arguments)
            with_gradients |= _compare_gradients(expected, given, ours.arguments, yours.arguments)
        except _Difference as difference:
            raise AssertionError(f"{name}: {difference}\n  {story}") from None
    values = "values and gradients" if with_gradients else "values"
    print(f"{name}: same {values} as the reference on {n_cases} cases.")


def claim(sentence: str, holds: bool | np.bool_, *evidence: Any) -> None:
    """Print the sentence if it holds, else raise AssertionError with the sentence and the evidence."""
    if not holds:
        raise AssertionError(" | ".join([f"does not hold here: {sentence}", *map(str, evidence)]))
    print(sentence)


# The three kinds of number. Neither engine is imported: a tensor can only come from a module that is loaded.


def _is_scratch(x: Any) -> bool:
    return isinstance(x, getattr(sys.modules.get("reference.scratch.autodiff"), "Tensor", ()))


def _is_torch(x: Any) -> bool:
    return isinstance(x, getattr(sys.modules.get("torch"), "Tensor", ()))


def _kind(x: Any) -> str:
    if _is_scratch(x):
        return "Tensor"
    if _is_torch(x):
        return "torch tensor"
    return "array" if isinstance(x, np.ndarray | np.generic | bool | int | float) else type(x).__name__


def _value(x: Any) -> np.ndarray:
    if _is_scratch(x):
        return sys.modules["reference.scratch.autodiff"].detach(x)
    return x.detach().cpu().numpy() if _is_torch(x) else np.asarray(x)


def _fresh(x: Any) -> Any:
    """A copy that shares nothing with x; floats in torch tensors ask for gradients."""
    if isinstance(x, dict):
        return {key: _fresh(value) for key, value in x.items()}
    if isinstance(x, tuple | list):
        return type(x)(*map(_fresh, x)) if hasattr(x, "_fields") else type(x)(map(_fresh, x))
    if _is_scratch(x):
        return type(x)(_value(x).copy())
    if _is_torch(x):
        return x.detach().clone().requires_grad_(x.is_floating_point())
    return x.clone_state() if hasattr(x, "clone_state") else copy.deepcopy(x)  # torch.Generator, all else


# Arguments


def _bind(function: Callable, arguments: Any) -> inspect.BoundArguments:
    """The arguments of one case by the names that the function gives them."""
    signature = inspect.signature(function)
    arguments = list(arguments) if type(arguments) is tuple else [arguments]
    keyword_only = {p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY}
    has_keywords = arguments and isinstance(arguments[-1], dict) and keyword_only.issuperset(arguments[-1])
    keywords = arguments.pop() if has_keywords else {}
    return signature.bind(*arguments, **keywords)


def _describe(bound: inspect.BoundArguments) -> str:
    parts = [part for name, value in bound.arguments.items() for part in _pairs(value, value, name)]
    return ", ".join(f"{path} {_outline(x)}" for path, x, _ in parts)


def _compare_arguments(expected: dict, given: dict) -> None:
    for name in expected:
        try:
            pairs = list(_pairs(expected[name], given[name], name))
        except _Difference:
            pairs = [(name, 0, 1)]  # an entry was added or removed
        for path, e, g in pairs:
            if _kind(e) in ("array", "Tensor", "torch tensor") and not _close(_value(e), _value(g)):
                hint = "work on a copy; `x = x + 1` makes one, `x += 1` does not."
                raise _Difference(f"it changed its argument `{path}`.\n  hint: {hint}")


# Values


def _pairs(expected: Any, given: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """(path, expected leaf, given leaf) for every leaf of two trees of the same structure."""
    if not isinstance(expected, dict | tuple | list):
        yield path, expected, given
    elif isinstance(expected, dict):
        if not isinstance(given, dict) or expected.keys() != given.keys():
            raise _Difference(_expected_given(path, expected, given))
        for key in expected:
            yield from _pairs(expected[key], given[key], f"{path}[{key!r}]")
    else:
        if not isinstance(given, tuple | list) or len(expected) != len(given):
            raise _Difference(_expected_given(path, expected, given))
        names = getattr(expected, "_fields", None)
        for i, (e, g) in enumerate(zip(expected, given, strict=True)):
            yield from _pairs(e, g, f"{path}.{names[i]}" if names else f"{path}[{i}]")


def _outline(x: Any) -> str:
    if isinstance(x, dict):
        return f"a dict with the keys {', '.join(map(repr, x)) or '(none)'}"
    if isinstance(x, tuple | list):
        return f"a {type(x).__name__} of {len(x)}"
    if _kind(x) == "array" and np.ndim(x) == 0:
        return _short(np.asarray(x)[()])
    if _kind(x) in ("array", "Tensor", "torch tensor"):
        value = _value(x)
        return f"{_kind(x)} of shape {value.shape}, {value.dtype}"
    return "None" if x is None else f"a {type(x).__name__}"


def _expected_given(path: str, expected: Any, given: Any, *, hint: str = "") -> str:
    hint = "is a `return` missing?" if given is None else hint
    lines = [f"{path} differs.", f"expected: {_outline(expected)}", f"given:    {_outline(given)}"]
    return "\n  ".join(lines + ([f"hint: {hint}"] if hint else []))


def _compare(expected: Any, given: Any, path: str = "the result") -> None:
    for at, e, g in _pairs(expected, given, path):
        if callable(e):
            raise TypeError(f"{at} is a function; let the case call it, so that there are values to compare.")
        if _kind(e) != _kind(g):
            cut = "the graph is cut here, so no gradient comes back." if _kind(g) == "array" else ""
            raise _Difference(_expected_given(at, e, g, hint=cut))
        if _kind(e) in ("array", "Tensor", "torch tensor"):
            _compare_numbers(e, g, at)
        elif e != g:
            raise _Difference(f"{at} differs.\n  expected: {e!r}\n  given:    {g!r}")


def _compare_numbers(expected: Any, given: Any, path: str) -> None:
    e, g = _value(expected), _value(given)
    if e.shape != g.shape:
        raise _Difference(_expected_given(path, expected, given, hint=_hint_shape(e, g)))
    if _is_torch(expected) and e.dtype != g.dtype or e.ndim and _family(e) != _family(g):
        raise _Difference(_expected_given(path, expected, given, hint="the dtype is another."))
    if not _close(e, g):
        lines = [_expected_given(path, expected, given), _largest(e, g), f"hint: {_hint(e, g)}"]
        raise _Difference("\n  ".join(lines))


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


def _family(x: np.ndarray) -> str:
    return x.dtype.kind.replace("u", "i")


def _close(e: np.ndarray, g: np.ndarray) -> bool:
    """Equal up to rounding, in units of the largest number expected (at least 1); exact for whole numbers."""
    if e.shape != g.shape:
        return False
    if "f" not in (e.dtype.kind, g.dtype.kind):
        return np.array_equal(e, g)
    rounding = 1e-8 if e.dtype == g.dtype == np.float64 else 1e-4
    scale = max(1.0, np.abs(e[np.isfinite(e)]).max(initial=0.0))
    return np.allclose(g, e, rtol=0, atol=rounding * scale, equal_nan=True)


# Hints: the classic mistakes, recognised by what would turn the given numbers into the expected ones.


def _hint_shape(e: np.ndarray, g: np.ndarray) -> str:
    if _close(e, g.T):
        return "it is transposed."
    if e.size == g.size and _close(e, g.reshape(e.shape)):
        return "the numbers are right and the shape is not; `reshape` or `keepdims` mends it."
    if g.ndim < e.ndim:
        return "an axis is gone that should stay; was too much summed or averaged?"
    if g.ndim > e.ndim:
        return "an axis stayed that should be gone; is a sum, a mean or an index missing?"
    return "the number of axes is right, a length is not; was the wrong axis reduced (`axis=`)?"


def _hint(e: np.ndarray, g: np.ndarray) -> str:
    """The classic mistake that would turn the expected e into g of the same shape, in words."""
    if "f" not in (_family(e), _family(g)):
        return "take the entry named above and follow it by hand."
    e, g = e.astype(float), g.astype(float)
    if np.isfinite(e).all() and not np.isfinite(g).all():
        return "NaN or infinity: is there a division by 0, a logarithm of 0, an exponential that overflows?"
    with np.errstate(all="ignore"):
        mended = {
            "it is transposed.": g.T,
            "its sign is turned.": -g,
            "a square is missing.": g**2,
            "a square is too much.": np.sqrt(g),
            "a logarithm is missing.": np.log(g),
            "a logarithm is too much.": np.exp(g),
        }
        found = next((hint for hint, candidate in mended.items() if _close(e, np.asarray(candidate))), None)
        return (
            found
            or _hint_factor(e, g)
            or _hint_axis(e, g)
            or "take the entry named above and follow it by hand."
        )


def _hint_factor(e: np.ndarray, g: np.ndarray) -> str:
    if not g.any():
        return "all zeros: nothing is filled in, or (for a gradient) the graph is cut on the way here."
    ratio = g / e
    first = ratio.flat[0]
    whole = max(first, 1 / first)
    if np.allclose(ratio, first, rtol=1e-4) and (e.size > 1 or abs(whole - round(whole)) < 1e-4):
        return f"it is {first:.4g} times what is expected; a sum or a mean too many, a factor left out?"
    if e.ndim > 1 and np.allclose(ratio, ratio[..., :1], rtol=1e-4):
        return "each row is off by a factor of its own; is it divided by the wrong count or by the wrong sum?"
    if e.size > 1 and np.allclose(g - e, (g - e).flat[0], rtol=1e-4):
        return f"every number is off by the same {(g - e).flat[0]:.4g}; is a constant missing, or too much?"
    return ""


def _hint_axis(e: np.ndarray, g: np.ndarray) -> str:
    ours, yours = _axis_of_ones(e), _axis_of_ones(g)
    if None not in (ours, yours) and ours != yours:
        return f"the probabilities sum to 1 along axis {yours}, and should along axis {ours}: the wrong axis."
    if e.ndim and np.allclose(np.sort(e, axis=0), np.sort(g, axis=0)):
        return "the rows are right and their order is not; go by the labels, not by the order of the rows."
    return ""


def _axis_of_ones(x: np.ndarray) -> int | None:
    """The axis along which x, or exp(x), sums to 1."""
    sums = ((axis, y.sum(axis)) for y in (x, np.exp(x)) for axis in range(x.ndim))
    return next((axis for axis, total in sums if np.allclose(total, 1)), None)


# Gradients: of the outputs, each weighted with the same random numbers, and of these gradients once more.


def _compare_gradients(expected: Any, given: Any, ours: dict, yours: dict) -> bool:
    """Whether there was anything to differentiate; raises _Difference where a derivative differs."""
    inputs = [pair for name in ours for pair in _pairs(ours[name], yours[name], name) if _carries(pair[1])]
    outputs = [(e, g) for _, e, g in _pairs(expected, given, "") if _carries(e)]
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
    return _kind(x) in ("Tensor", "torch tensor") and _value(x).dtype.kind == "f"


def _gradients(outputs: list, weights: list[np.ndarray], inputs: list) -> list:
    """Gradients of the weighted sum of the outputs, to be differentiated again; zeros where none comes."""
    if _is_scratch(inputs[0]):
        total = sum(np.sum(w * y) for w, y in zip(weights, outputs, strict=True))
        return sys.modules["reference.scratch.autodiff"].grad(total, inputs)
    torch = sys.modules["torch"]
    total = sum((torch.as_tensor(w).to(y) * y).sum() for w, y in zip(weights, outputs, strict=True))
    if not total.requires_grad:
        return [torch.zeros_like(x) for x in inputs]
    gradients = torch.autograd.grad(total, inputs, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, gradients, strict=True)]
