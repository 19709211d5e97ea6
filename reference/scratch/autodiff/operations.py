"""Each NumPy function beside its derivative, both in NumPy's language.

A vjp may use every operation of this file, its own included; that is what makes gradients of gradients work.
A value that a derivative needs is computed again, not kept: no Tensor then holds a reference to itself.

Where a function has a corner, its derivative is a choice. As in torch's abs, amax, amin, maximum and minimum:
abs has 0 at 0, ties are shared equally. As in torch's relu: against a plain number, as in np.maximum(x, 0),
the number takes the tie, so the derivative is 0.

Differs from the paper: no one paper; the rules are those of any table of derivatives.
"""

import math
import operator
import string
from numbers import Number

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from reference.scratch.autodiff.tensor import Tensor, constant, detach, record


def operation(*numpy_functions):
    """Says which NumPy functions the decorated one stands for."""

    def register(ours):
        Tensor.operations.update(dict.fromkeys(numpy_functions, ours))
        return ours

    return register


# Arithmetic. The result may be larger than an operand, by broadcasting; the gradient is summed back.


def _back_to(x):
    """The adjoint of broadcasting x. Only the shape is kept, so the memory of x may go."""
    shape = getattr(x, "shape", ())
    return lambda g: _unbroadcast(g, shape)


def _unbroadcast(g, shape):
    """Sum g over the axes along which something of the shape was repeated."""
    if g.shape == shape:
        return g
    new = g.ndim - len(shape)
    repeated = [new + i for i, n in enumerate(shape) if n == 1 != g.shape[new + i]]
    g = np.sum(g, axis=(*range(new), *repeated))
    return g if g.shape == shape else np.reshape(g, shape)


@operation(np.add)
def add(a, b):
    return record(detach(a) + detach(b), (a, _back_to(a)), (b, _back_to(b)))


@operation(np.subtract)
def subtract(a, b):
    to_b = _back_to(b)
    return record(detach(a) - detach(b), (a, _back_to(a)), (b, lambda g: to_b(-g)))


@operation(np.multiply)
def multiply(a, b):
    to_a, to_b = _back_to(a), _back_to(b)
    return record(detach(a) * detach(b), (a, lambda g: to_a(g * b)), (b, lambda g: to_b(g * a)))


@operation(np.divide)
def divide(a, b):
    to_a, to_b = _back_to(a), _back_to(b)
    return record(detach(a) / detach(b), (a, lambda g: to_a(g / b)), (b, lambda g: to_b(-g / b * (a / b))))


@operation(np.power)
def power(a, b):
    to_a, to_b = _back_to(a), _back_to(b)
    return record(
        detach(a) ** detach(b),
        (a, lambda g: to_a(g * (b * a ** _one_less(b, a)))),
        (b, lambda g: to_b(g * (a**b * np.log(np.where(detach(a) == 0, 1.0, a))))),  # 0^b is flat in b
    )


def _one_less(b, a):
    """b - 1, but 0 where b is 0: there the derivative is 0 * a^0, not the 0 * a^-1 that is nan at a = 0.

    A b with a derivative of its own must stay in the formula: that of b * a^(b - 1) in b is 1/a where b is 0.
    Only at a = 0, where there is none, it gives way.
    """
    if isinstance(b, Number):
        return b - 1 if b else 0
    flat = (detach(b) == 0) & (detach(a) == 0) if isinstance(b, Tensor) else b == 0
    return np.where(flat, 0, b - 1)


@operation(np.negative)
def negative(x):
    return record(-detach(x), (x, lambda g: -g))


@operation(np.square)
def square(x):
    return record(np.square(detach(x)), (x, lambda g: g * (2 * x)))


# Functions of one element.


@operation(np.exp)
def exp(x):
    return record(np.exp(detach(x)), (x, lambda g: g * np.exp(x)))


@operation(np.log)
def log(x):
    return record(np.log(detach(x)), (x, lambda g: g / x))


@operation(np.sqrt)
def sqrt(x):
    return record(np.sqrt(detach(x)), (x, lambda g: g / (2 * np.sqrt(x))))


@operation(np.tanh)
def tanh(x):
    return record(np.tanh(detach(x)), (x, lambda g: g * (1 - np.tanh(x) ** 2)))


@operation(np.sin)
def sin(x):
    return record(np.sin(detach(x)), (x, lambda g: g * np.cos(x)))


@operation(np.cos)
def cos(x):
    return record(np.cos(detach(x)), (x, lambda g: -g * np.sin(x)))


@operation(np.abs)
def absolute(x):
    return record(np.abs(detach(x)), (x, lambda g: g * np.sign(x)))


# Choices. What was chosen is decided on plain values; it does not change under a small step.


@operation(np.where)
def where(condition, a, b):
    condition, a, b = detach(condition), constant(a), constant(b)
    to_a, to_b = _back_to(a), _back_to(b)
    return record(
        np.where(condition, detach(a), detach(b)),
        (a, lambda g: to_a(np.where(condition, g, 0))),
        (b, lambda g: to_b(np.where(condition, 0, g))),
    )


@operation(np.maximum)
def maximum(a, b):
    return _chosen(np.maximum(detach(a), detach(b)), np.greater, a, b)


@operation(np.minimum)
def minimum(a, b):
    return _chosen(np.minimum(detach(a), detach(b)), np.less, a, b)


def _chosen(value, better, a, b):
    to_a, to_b, a_wins, b_wins = _back_to(a), _back_to(b), _wins(better, a, b), _wins(better, b, a)
    return record(value, (a, lambda g: to_a(g * a_wins)), (b, lambda g: to_b(g * b_wins)))


def _wins(better, a, b):
    """1 where a is better than b, 0 where it is worse; of a tie a half, or nothing where one is a number."""
    a, b = detach(a), detach(b)
    wins = better(a, b)
    if isinstance(b, Number) or isinstance(a, Number):
        return wins
    return (wins + 0.5 * (a == b)).astype(np.result_type(a, b))


# Reductions.


def _spread(g, shape, axis, keepdims):
    """Repeat g along the axes that were reduced: the adjoint of the sum."""
    if not keepdims and axis is not None:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, shape)


@operation(np.sum)
def sum_over(x, axis=None, *, keepdims=False):
    shape = x.shape
    return record(
        np.sum(detach(x), axis=axis, keepdims=keepdims),
        (x, lambda g: _spread(g, shape, axis, keepdims)),
    )


@operation(np.mean)
def mean_over(x, axis=None, *, keepdims=False):
    return np.sum(x, axis=axis, keepdims=keepdims) / count("np.mean", x, axis)


def count(name, x, axis):
    """How many entries one result is made of. Raises ValueError where there are none."""
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    if count := math.prod([x.shape[i] for i in axes]):
        return count
    raise ValueError(f"{name}: x has shape {x.shape}; over axis={axis} it needs at least one entry.")


@operation(np.var)
def variance(x, axis=None, *, keepdims=False):
    count("np.var", x, axis)
    return np.mean((x - np.mean(x, axis=axis, keepdims=True)) ** 2, axis=axis, keepdims=keepdims)


@operation(np.max, np.amax)
def max_over(x, axis=None, *, keepdims=False):
    count("np.max", x, axis)
    values = detach(x)

    def vjp(g):
        largest = values == np.max(values, axis=axis, keepdims=True)
        share = (largest / np.sum(largest, axis=axis, keepdims=True)).astype(values.dtype)
        return _spread(g, values.shape, axis, keepdims) * share

    return record(np.max(values, axis=axis, keepdims=keepdims), (x, vjp))


@operation(np.min, np.amin)
def min_over(x, axis=None, *, keepdims=False):
    count("np.min", x, axis)
    return -np.max(-x, axis=axis, keepdims=keepdims)


# Products.


@operation(np.matmul)
def matmul(a, b):
    if a.ndim == 1:
        return np.squeeze(np.matmul(np.expand_dims(a, 0), b), axis=-2 if b.ndim > 1 else 0)
    if b.ndim == 1:
        return np.squeeze(np.matmul(a, np.expand_dims(b, 1)), axis=-1)
    to_a, to_b = _back_to(a), _back_to(b)
    return record(detach(a) @ detach(b), (a, lambda g: to_a(g @ b.mT)), (b, lambda g: to_b(a.mT @ g)))


@operation(np.einsum)
def einsum(subscripts, *operands):
    """The sum of products, as in NumPy, with an explicit result and no letter twice within one operand."""
    if not isinstance(subscripts, str):
        raise TypeError("np.einsum: subscripts: of a Tensor, write them as a string, as in 'ij,jk->ik'.")
    operands = _arrays(operands)
    terms, result = _einsum_terms(subscripts, operands)
    sizes = [dict(zip(term, x.shape, strict=True)) for term, x in zip(terms, operands, strict=True)]

    def pair(i):
        """Operand i and its vjp: the result takes its place among the factors, and it becomes the result."""
        rest, others = [*terms[:i], *terms[i + 1 :]], [*operands[:i], *operands[i + 1 :]]
        known = {item for own in (*sizes[:i], *sizes[i + 1 :]) for item in own.items()}
        alone = {
            letter: n for letter, n in sizes[i].items() if letter not in result and (letter, n) not in known
        }
        ones = np.ones([*alone.values()], operands[i].dtype)  # nobody else says how often to repeat
        formula = ",".join([result, *rest, "".join(alone)]) + "->" + terms[i]
        back = _back_to(operands[i])
        return operands[i], lambda g: back(np.einsum(formula, g, *others, ones))

    formula = ",".join(terms) + "->" + result
    value = np.einsum(formula, *map(detach, operands), optimize=True)
    return record(value, *map(pair, range(len(operands))))


def _einsum_terms(subscripts, operands) -> tuple[list[str], str]:
    """The letters of every operand and of the result, with free letters in the place of an ellipsis."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    twice = any(letter != "." and term.count(letter) > 1 for term in terms for letter in term)
    if not arrow or twice or ("..." in left and "..." not in result) or len(terms) != len(operands):
        given = f"got {subscripts!r} for {len(operands)} operands"
        rule = "say the result, as in 'ij,jk->ik', with '...' if an operand has it"
        rule += "; write a term for each operand, and no letter twice in one"
        raise ValueError(f"np.einsum: subscripts: {given}; of a Tensor, {rule}.")
    ranks = [x.ndim - len(term.replace("...", "")) for term, x in zip(terms, operands, strict=True)]
    for x, term, rank in zip(operands, terms, ranks, strict=True):
        if rank < 0 or (rank and "..." not in term):
            raise ValueError(
                f"np.einsum: {term!r} in {subscripts!r} got shape {x.shape}; each letter is an axis."
            )
    free = "".join(letter for letter in string.ascii_uppercase if letter not in subscripts)[: max(ranks)]
    terms = [term.replace("...", free[len(free) - rank :]) for term, rank in zip(terms, ranks, strict=True)]
    return terms, result.replace("...", free)


# Shapes.


def _reshaped(x, value):
    """x in another shape; its gradient gets the old one."""
    shape = x.shape
    return record(value, (x, lambda g: np.reshape(g, shape)))


@operation(np.reshape)
def reshape(x, shape):
    return _reshaped(x, np.reshape(detach(x), shape))


@operation(np.ravel)
def ravel(x):
    return _reshaped(x, np.ravel(detach(x)))


@operation(np.squeeze)
def squeeze(x, axis=None):
    return _reshaped(x, np.squeeze(detach(x), axis))


@operation(np.expand_dims)
def expand_dims(x, axis):
    return _reshaped(x, np.expand_dims(detach(x), axis))


@operation(np.broadcast_to)
def broadcast_to(x, shape):
    return record(np.broadcast_to(detach(x), shape), (x, _back_to(x)))


@operation(np.transpose)
def transpose(x, axes=None):
    back = None if axes is None else np.argsort([axis % x.ndim for axis in axes])
    return record(np.transpose(detach(x), axes), (x, lambda g: np.transpose(g, back)))


@operation(np.swapaxes)
def swapaxes(x, axis1, axis2):
    return record(np.swapaxes(detach(x), axis1, axis2), (x, lambda g: np.swapaxes(g, axis1, axis2)))


# Parts and wholes.


@operation(operator.getitem)
def getitem(x, index):
    shape = x.shape
    return record(detach(x)[index], (x, lambda g: scatter(g, index, shape)))


def scatter(g, index, shape):
    """Zeros of the shape with g added at the index, as often as the index says: the adjoint of x[index]."""
    value = np.zeros(shape, g.dtype)
    np.add.at(value, index, detach(g))
    return record(value, (g, lambda h: h[index]))


@operation(np.concatenate)
def concatenate(arrays, axis=0):
    if axis is None:
        return np.concatenate([np.ravel(x) for x in arrays])
    arrays = _arrays(arrays)
    value = np.concatenate([detach(x) for x in arrays], axis)
    before = (slice(None),) * (axis % value.ndim)
    ends = np.cumsum([x.shape[axis] for x in arrays])

    def pair(x, end):
        part = (*before, slice(end - x.shape[axis], end))
        return x, lambda g: g[part]

    return record(value, *map(pair, arrays, ends))


@operation(np.stack)
def stack(arrays, axis=0):
    return np.concatenate([np.expand_dims(x, axis) for x in _arrays(arrays)], axis)


def _arrays(operands):
    """Lists and numbers among the operands as arrays; a number gets the dtype of the Tensors."""
    dtype = np.result_type(*[x.dtype for x in operands if isinstance(x, Tensor)])
    return [x if isinstance(x, Tensor) else np.asarray(x, None if np.ndim(x) else dtype) for x in operands]


@operation(np.full_like)
def full_like(x, fill_value):
    return np.astype(np.broadcast_to(fill_value, x.shape), x.dtype)


@operation(np.astype)
def astype(x, dtype):
    return record(detach(x).astype(dtype), (x, lambda g: g))  # the walk back gives g the dtype of x


# Questions about values: their answers are plain arrays, for they have no gradient.


def _answers(function):
    def answer(*args, **options):
        return function(*map(detach, args), **{name: detach(option) for name, option in options.items()})

    operation(function)(answer)


for _function in (
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.allclose),
    *(np.array_equal, np.sign, np.isfinite, np.isnan, np.argmax, np.argmin, np.argsort),
    *(np.zeros_like, np.ones_like, np.shape, np.ndim, np.size),
):
    _answers(_function)
