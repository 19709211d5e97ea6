"""The classic mistakes, recognised by what would turn the given numbers into the expected ones."""

import numpy as np

from reference.checks.numbers import close, family


def hint(e: np.ndarray, g: np.ndarray) -> str:
    """The classic mistake that would turn the expected e into g of the same shape, in words."""
    if "f" not in (family(e), family(g)):
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
        found = next((words for words, candidate in mended.items() if close(e, np.asarray(candidate))), None)
        return (
            found
            or _hint_factor(e, g)
            or _hint_axis(e, g)
            or "take the entry named above and follow it by hand."
        )


def hint_shape(e: np.ndarray, g: np.ndarray) -> str:
    """Why the shape of g may be another than that of the expected e, in words."""
    if close(e, g.T):
        return "it is transposed."
    if e.size == g.size and close(e, g.reshape(e.shape)):
        return "the numbers are right and the shape is not; `reshape` or `keepdims` mends it."
    if g.ndim < e.ndim:
        return "an axis is gone that should stay; was too much summed or averaged?"
    if g.ndim > e.ndim:
        return "an axis stayed that should be gone; is a sum, a mean or an index missing?"
    return "the number of axes is right, a length is not; was the wrong axis reduced (`axis=`)?"


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
