"""Is this derivative right? Central differences, then the same question about the derivative itself.

A function is right to order n when its gradient, along a random direction, is what a small step finds, and
when that gradient, as a function, is right to order n - 1.

Differs from the paper: no one paper; a difference of step h is wrong by about h^2 of truncation and by
1e-16 / h of rounding, so in double precision a step of 1e-5 resolves about ten digits.
"""

from collections.abc import Callable

import numpy as np

from reference.scratch.autodiff.gradient import grad
from reference.scratch.autodiff.tensor import as_tensor, detach


def check_gradients(
    function: Callable,
    *xs,
    rng: np.random.Generator,
    order: int = 2,
    step: float = 1e-5,
    tolerance: float = 1e-6,
) -> None:
    """Raises AssertionError, naming the argument, unless function's derivatives in its arguments are right.

    `function` takes the arrays xs (float64) and gives an array; order 2 checks its second derivatives too.
    Raises TypeError where an x is not float64, for a small step in float32 is all rounding.
    """
    for i, x in enumerate(xs):
        if (dtype := np.result_type(detach(x))) != np.float64:
            raise TypeError(f"check_gradients: argument {i} is {dtype}; small steps need float64.")
    weights = rng.normal(size=np.shape(function(*xs)))  # a random sum of what comes out, to have a scalar
    for i in range(len(xs)):
        direction = rng.normal(size=np.shape(xs[i]))
        vjp = _vjp(function, i)
        found = np.sum(detach(vjp(weights, *xs)) * direction)
        ahead, behind = (function(*xs[:i], xs[i] + h * direction, *xs[i + 1 :]) for h in (step, -step))
        expected = np.sum(weights * (detach(ahead) - detach(behind))) / (2 * step)
        if not np.isclose(found, expected, rtol=tolerance, atol=tolerance):
            raise AssertionError(
                f"argument {i}: the gradient gives {found:.8g}, small steps give {expected:.8g}."
            )
        if order > 1:
            check_gradients(vjp, weights, *xs, rng=rng, order=order - 1, step=step, tolerance=tolerance)


def _vjp(function, i):
    """The function (weights, *xs) -> the gradient of sum(weights * function(*xs)) in argument i."""

    def vjp(weights, *xs):
        xs = [*xs[:i], as_tensor(xs[i]), *xs[i + 1 :]]
        return grad(np.sum(weights * function(*xs)), xs[i])

    return vjp
