"""Pieces of the engine that chapter 03's reader builds, lent to those who go on without building them.

They work on the reader's own Tensor: a class made from a value and (operand, vjp) pairs, with `value`,
`parents`, `depth` and `shape`, whose `+` is its own. Readers of other chapters want `reference.scratch`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Tensor = Any  # the reader's
Gradient = Callable[[Tensor], Tensor]


def mul(a: Any, b: Any) -> Tensor:
    """a * b, entry by entry."""
    make = _class_of(a, b)
    return make(_plain(a) * _plain(b), [(a, lambda g: mul(g, b)), (b, lambda g: mul(g, a))])


def grads(y: Tensor, xs: list[Tensor]) -> list[Tensor]:
    """The gradient of the scalar y in each of the tensors xs, as tensors.

    Raises ValueError where y is not a scalar.
    """
    if y.shape != ():
        raise ValueError(f"y: only a scalar has a gradient, this has shape {y.shape}.")
    make, found = type(y), {id(y): type(y)(1.0)}
    nodes = _ancestors(y)
    depends = {id(x) for x in xs}
    for node in nodes:  # operands first
        if any(id(parent) in depends for parent, _ in node.parents):
            depends.add(id(node))
    for node in reversed(nodes):
        for parent, vjp in node.parents if id(node) in depends and id(node) in found else ():
            if id(parent) in depends:
                g = _summed(vjp(found[id(node)]), parent.shape)
                found[id(parent)] = found[id(parent)] + g if id(parent) in found else g
    return [found[id(x)] if id(x) in found else make(np.zeros(x.shape)) for x in xs]


def hvp_by(grads: Callable[[Tensor, list[Tensor]], list[Tensor]], make: type) -> Callable:
    """The reader's hvp, made of the reader's grads and Tensor class."""

    def hvp(loss: Callable[[Tensor], Tensor], theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        t = make(theta)
        (g,) = grads(loss(t), [t])
        (product,) = grads(_summed(mul(g, v), ()), [t])
        return product.value

    return hvp


def _ancestors(y: Tensor) -> list[Tensor]:
    """What y was computed from, y included, the shallowest first."""
    found, stack = {id(y): y}, [y]
    while stack:
        for parent, _ in stack.pop().parents:
            if id(parent) not in found:
                found[id(parent)] = parent
                stack.append(parent)
    return sorted(found.values(), key=lambda node: node.depth)


def _summed(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """x summed to a shape that broadcasts to its own."""
    if x.shape == shape:
        return x
    missing = len(x.shape) - len(shape)
    axes = (*range(missing), *(missing + i for i, n in enumerate(shape) if n == 1))
    return type(x)(x.value.sum(axis=axes).reshape(shape), [(x, lambda g: _repeated(g, x.shape))])


def _repeated(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return type(x)(np.broadcast_to(x.value, shape), [(x, lambda g: _summed(g, x.shape))])


def _plain(x: Any) -> np.ndarray:
    return np.asarray(getattr(x, "value", x))


def _class_of(*operands: Any) -> type:
    return next(type(x) for x in operands if hasattr(x, "parents"))
