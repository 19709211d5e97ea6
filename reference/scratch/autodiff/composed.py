"""What NumPy has not, composed of what it has: their derivatives, of every order, come for free.

The sigmoid and the softplus are the exception. Composed, one of their tails would be rounded away, in the
value or in a derivative; so their derivatives are written out, in terms of the sigmoid.

Differs from the paper: nothing; each is its definition, arranged so that no exponential overflows.
"""

import numpy as np
from jaxtyping import Float

from reference.scratch.autodiff.operations import count
from reference.scratch.autodiff.tensor import Array, Tensor, detach, record


def relu(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """max(x, 0), of derivative 0 at 0."""
    return np.maximum(x, 0)


def sigmoid(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """1 / (1 + e^-x), to the last digits at both ends."""
    small = np.exp(-np.abs(detach(x)))
    value = np.where(detach(x) < 0, small, 1) / (1 + small)
    return record(value, (x, lambda g: g * (sigmoid(x) * sigmoid(-x))))


def softplus(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """log(1 + e^x)."""
    return record(np.logaddexp(detach(x), 0), (x, lambda g: g * sigmoid(x)))


def log_sigmoid(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """log(1 / (1 + e^-x)), finite where the sigmoid itself is rounded to 0."""
    return -softplus(-x)


def logsumexp(x: Float[Array, "..."], axis: int = -1, keepdims: bool = False) -> Float[Array, "..."]:
    """log(sum(e^x)) along the axis. Raises ValueError where there is nothing to add up."""
    count("logsumexp", x, axis)
    shift = np.max(detach(x), axis=axis, keepdims=True)  # any number gives the same result; this one is safe
    shift = np.where(np.isfinite(shift), shift, 0)
    result = np.log(np.sum(np.exp(x - shift), axis=axis, keepdims=True)) + shift
    return result if keepdims else np.squeeze(result, axis=axis)


def log_softmax(x: Float[Array, "*shape"], axis: int = -1) -> Float[Array, "*shape"]:
    """log(e^x / sum(e^x)) along the axis: log-probabilities."""
    return x - logsumexp(x, axis=axis, keepdims=True)


def softmax(x: Float[Array, "*shape"], axis: int = -1) -> Float[Array, "*shape"]:
    """e^x / sum(e^x) along the axis: probabilities. Raises ValueError where there is nothing to share."""
    count("softmax", x, axis)
    exponentials = np.exp(x - np.max(detach(x), axis=axis, keepdims=True))
    return exponentials / np.sum(exponentials, axis=axis, keepdims=True)


def norm(
    x: Float[Array, "..."], axis: int | tuple | None = None, keepdims: bool = False
) -> Float[Array, "..."]:
    """The Euclidean length along the axis, of all of x without one. At 0 every derivative is taken as 0."""
    squared = np.sum(x**2, axis=axis, keepdims=keepdims)
    zero = detach(squared) == 0
    return np.where(zero, 0, np.sqrt(np.where(zero, 1, squared)))


def _linalg_norm(x, ord=None, axis=None, keepdims=False):
    if ord is not None:
        raise TypeError(f"ord: np.linalg.norm of a Tensor is the Euclidean one, ord=None; got {ord!r}.")
    return norm(x, axis, keepdims)


Tensor.operations[np.linalg.norm] = _linalg_norm
