"""A tensor remembers where it came from: its value and, for each operand, a vjp.

A vjp (vector-Jacobian product) carries a gradient of the result to a gradient of the operand. Plain NumPy
code builds this memory by itself, because NumPy hands a call over when a Tensor stands among its arguments.

Differs from the paper: no one paper; the idea is told in Baydin et al. 2018 (arXiv:1502.05767).
"""

import inspect
import operator
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np


def _method(function):
    """A NumPy function as a method or as an operator."""
    return lambda self, *args, **kwargs: function(self, *args, **kwargs)


def _operator(function):
    """A binary NumPy function as the operator and as its reflection: x + 1 and 1 + x."""
    return lambda self, other: function(self, other), lambda self, other: function(other, self)


class Node(NamedTuple):
    """The memory of one Tensor, without its value: a value lives on only where a vjp still needs it."""

    parents: list  # pairs (node of an operand, vjp)
    depth: int  # one more than the deepest parent's
    dtype: np.dtype  # the gradient has it too


class Tensor:
    """A NumPy array of floating numbers together with the operands it was computed from.

    Write plain NumPy: `np.exp(x)`, `x @ w.T`, `np.sum(x, axis=0)`, `x[i]`. With plain arrays this gives plain
    arrays; as soon as one operand is a Tensor, NumPy hands the call over to `Tensor.operations`. Plain arrays
    are constants, and a constant number has no dtype of its own: x * np.float64(0.1) has the dtype of x. The
    array is not copied: do not write into it while the Tensor is in use.
    """

    __slots__ = ("value", "node")

    operations: ClassVar[dict[Callable, Callable]] = {}  # NumPy's function -> ours; operations.py fills it

    def __init__(self, value, parents=()):
        """`parents` are pairs (operand, vjp); an operand that is a plain array is a constant and is dropped.

        Raises TypeError unless the value is an array, or a number, of floating type.
        """
        self.value = value = np.asarray(value)
        dtype = value.dtype
        if dtype.kind != "f":
            raise TypeError(f"value: a Tensor holds floating numbers, got {dtype}; write 2.0, not 2.")
        kept = [(x.node, vjp) for x, vjp in parents if isinstance(x, Tensor)]
        self.node = Node(kept, 1 + max([parent.depth for parent, _ in kept], default=-1), dtype)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        operation = self.operations.get(ufunc)
        if operation is None or method != "__call__" or options:
            raise TypeError(_no_operation(ufunc, inputs, method, options))
        return operation(*[x if type(x) is Tensor else constant(x) for x in inputs])

    def __array_function__(self, function, types, args, kwargs):
        operation = self.operations.get(function)
        if operation is None:
            raise TypeError(_no_operation(function, (*args, *kwargs.values())))
        try:
            return operation(*args, **kwargs)
        except TypeError:
            try:
                inspect.signature(operation).bind(*args, **kwargs)
            except TypeError as error:
                takes = f"of a Tensor it takes {inspect.signature(operation)}"
                raise TypeError(f"{_name(function)}: {error}; {takes}.") from None
            raise

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "a Tensor does not become a plain array by itself: write detach(x), or np.stack to join."
        )

    def __getitem__(self, index):
        return self.operations[operator.getitem](self, index)

    def __setitem__(self, index, value):
        raise TypeError(
            f"x[{index!r}] = ...: a Tensor is never changed in place; build a new one with np.where."
        )

    def __bool__(self):
        if self.size != 1:
            raise ValueError(
                f"bool(x): x has shape {self.shape}, only one element is true or false; use np.where."
            )
        return bool(self.value.item())

    def __float__(self):
        raise TypeError(
            "a Tensor does not become a plain number by itself: write x.item(), which has no gradient, or "
            "np.stack to join."
        )

    __int__ = __complex__ = __float__

    def __deepcopy__(self, memo):
        return self  # a Tensor never changes; a copy of its memory would not lead to the leaves

    def __len__(self):
        return len(self.value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"Tensor({np.array2string(self.value, separator=', ', prefix='Tensor(')})"

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    T = property(lambda self: np.transpose(self))
    mT = property(lambda self: np.swapaxes(self, -1, -2))

    def item(self):
        return self.value.item()

    def reshape(self, *shape):
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes):
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    swapaxes, squeeze = _method(np.swapaxes), _method(np.squeeze)
    sum, mean, max, min = _method(np.sum), _method(np.mean), _method(np.max), _method(np.min)

    __neg__, __abs__ = _method(np.negative), _method(np.abs)
    __add__, __radd__ = _operator(np.add)
    __sub__, __rsub__ = _operator(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.divide)
    __pow__, __rpow__ = _operator(np.power)
    __matmul__, __rmatmul__ = _operator(np.matmul)
    __lt__, __gt__ = _operator(np.less)
    __le__, __ge__ = _operator(np.less_equal)
    __eq__, __ne__ = _method(np.equal), _method(np.not_equal)
    __hash__ = object.__hash__


Array = np.ndarray | np.generic | Tensor  # what every function of the scratch side takes and gives


def constant(x):
    """A plain operand: of a list the array, of an array without axes its number, which has no dtype."""
    if isinstance(x, _PLAIN):
        return x if x.ndim else x.item()
    return np.asarray(x) if isinstance(x, list) else x


_PLAIN = (np.ndarray, np.generic)


def _name(function) -> str:
    module = (getattr(function, "__module__", None) or "numpy").replace("numpy", "np", 1)
    return f"{module}.{function.__name__}"


def _no_operation(function, inputs, method="__call__", options=()) -> str:
    """One sentence: which operation, which argument, what to do."""
    position = next((str(i) for i, x in enumerate(inputs) if isinstance(x, Tensor)), "(within a list)")
    name = _name(function) + ("" if method == "__call__" else f".{method}")
    given = f" with {', '.join(options)}=" if options else ""
    return (
        f"{name}{given} has no derivative here and argument {position} is a Tensor; rewrite it, or detach(x)."
    )


def detach(x: Any) -> Any:
    """The plain array of x, cut from its history: the switch that makes an approach first-order.

    What is plain comes back as it is. Raises TypeError for a dict, whose Tensors would keep their history.
    """
    if isinstance(x, Tensor):
        return x.value
    if isinstance(x, dict):
        raise TypeError("detach: got a dict; write {name: detach(x) for name, x in ... .items()}.")
    return x


def as_tensor(x: Any) -> Tensor:
    """x itself if it is a Tensor, else a new one without a history."""
    return x if isinstance(x, Tensor) else Tensor(x)


def record(value, *parents):
    """What an operation gives: a Tensor if one of the (operand, vjp) parents is one, else the plain value."""
    for operand, _ in parents:
        if isinstance(operand, Tensor):
            return Tensor(value, parents)
    return value
