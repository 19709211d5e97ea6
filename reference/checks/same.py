"""A reader's function beside the reference, on random cases.

Both run on the same seeded cases; values and, where arguments can carry them, gradients to second order are
compared. Known are NumPy arrays, the course's Tensors and PyTorch's, alone or in tuples, dicts and
NamedTuples.
"""

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from reference.checks.compare import Difference, compare, compare_gradients, outline, pairs
from reference.checks.numbers import close, is_scratch, is_torch, kind, plain


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
            compare(expected, given)
            _compare_arguments(ours.arguments, yours.arguments)
            with_gradients |= compare_gradients(expected, given, ours.arguments, yours.arguments)
        except Difference as difference:
            raise AssertionError(f"{name}: {difference}\n  {story}") from None
    values = "values and gradients" if with_gradients else "values"
    print(f"{name}: same {values} as the reference on {n_cases} cases.")


def _fresh(x: Any) -> Any:
    """A copy that shares nothing with x; floats in torch tensors ask for gradients."""
    if isinstance(x, dict):
        return {key: _fresh(value) for key, value in x.items()}
    if isinstance(x, tuple | list):
        return type(x)(*map(_fresh, x)) if hasattr(x, "_fields") else type(x)(map(_fresh, x))
    if is_scratch(x):
        return type(x)(plain(x).copy())
    if is_torch(x):
        return x.detach().clone().requires_grad_(x.is_floating_point())
    return x.clone_state() if hasattr(x, "clone_state") else copy.deepcopy(x)  # torch.Generator, all else


def _bind(function: Callable, arguments: Any) -> inspect.BoundArguments:
    """The arguments of one case by the names that the function gives them."""
    signature = inspect.signature(function)
    arguments = list(arguments) if type(arguments) is tuple else [arguments]
    keyword_only = {p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY}
    has_keywords = arguments and isinstance(arguments[-1], dict) and keyword_only.issuperset(arguments[-1])
    keywords = arguments.pop() if has_keywords else {}
    return signature.bind(*arguments, **keywords)


def _describe(bound: inspect.BoundArguments) -> str:
    parts = [part for name, value in bound.arguments.items() for part in pairs(value, value, name)]
    return ", ".join(f"{path} {outline(x)}" for path, x, _ in parts)


def _compare_arguments(expected: dict, given: dict) -> None:
    for name in expected:
        try:
            leaves = list(pairs(expected[name], given[name], name))
        except Difference:
            leaves = [(name, 0, 1)]  # an entry was added or removed
        for path, e, g in leaves:
            if kind(e) in ("array", "Tensor", "torch tensor") and not close(plain(e), plain(g)):
                hint = "work on a copy; `x = x + 1` makes one, `x += 1` does not."
                raise Difference(f"it changed its argument `{path}`.\n  hint: {hint}")
