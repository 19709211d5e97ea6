"""The walk back from a scalar to what it depends on: reverse mode.

Each node hands its gradient to its operands through their vjps, the deepest node first, so every gradient is
complete before it is handed on. The vjps are written in Tensor operations, so the walk itself is recorded,
and a gradient can be differentiated again, to any order.

Differs from the paper: no one paper; reverse accumulation is Linnainmaa's (1970), told for today in
Baydin et al. 2018 (arXiv:1502.05767).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from reference.scratch.autodiff.tensor import Node, Tensor, as_tensor, detach


def grad(y: Any, xs: Any, *, create_graph: bool = True) -> Any:
    """The gradient of the scalar y in xs: a Tensor, or a list, tuple or dict of Tensors; the same comes back.

    Each has the shape and dtype of its x and is a Tensor with a history, so it can be differentiated again;
    it is zero where y does not depend on x. Only nodes between xs and y are visited. With create_graph=False
    it is a new plain array and the walk keeps nothing: less memory and time, for whoever differentiates once.
    Raises TypeError where y or an x is not a Tensor, ValueError where y is not a scalar.
    """
    if isinstance(xs, Mapping):
        _check(y, xs.items())
        return dict(zip(xs, _gradients(y, [*xs.values()], create_graph), strict=True))
    if isinstance(xs, list | tuple):
        _check(y, enumerate(xs))
        return getattr(type(xs), "_make", type(xs))(_gradients(y, xs, create_graph))  # a NamedTuple has _make
    return grad(y, [xs], create_graph=create_graph)[0]


def value_and_grad(function: Callable) -> Callable:
    """Of a scalar function of (params, ...): the function that gives its value and gradient, plain arrays."""

    def value_and_gradient(params: dict, *args, **kwargs) -> tuple[Any, dict]:
        leaves = {name: _leaf(name, value) for name, value in params.items()}
        value = function(leaves, *args, **kwargs)
        return np.array(detach(value)), grad(value, leaves, create_graph=False)

    return value_and_gradient


def _leaf(name, value) -> Tensor:
    try:
        return Tensor(value)
    except TypeError as error:
        raise TypeError(f"params: {name}: {error}") from None


def _gradients(y: Tensor, xs: Sequence[Tensor], create_graph: bool) -> list:
    ends = [x.node for x in xs]
    path = _between(ends, y.node)
    on_path, asked = {id(node) for node in path}, {id(node) for node in ends}
    gradients = {id(y.node): np.ones_like(y.value)}
    for node in path:
        g = gradients[id(node)] if id(node) in asked else gradients.pop(id(node))
        for parent, vjp in node.parents:
            if (key := id(parent)) in on_path:
                g_parent = vjp(g) if create_graph else detach(vjp(g))
                if g_parent.dtype != parent.dtype:
                    g_parent = np.astype(g_parent, parent.dtype)
                gradients[key] = gradients[key] + g_parent if key in gradients else g_parent
    found = [gradients[id(x.node)] if id(x.node) in on_path else np.zeros_like(x.value) for x in xs]
    # An operation may hand one array to two operands, or a view of it: whoever gets plain arrays may write.
    return [as_tensor(g) if create_graph else np.array(g) for g in found]


def _between(ends: Sequence[Node], start: Node) -> list[Node]:
    """The nodes through which start depends on the ends, all of these included, deepest first.

    A node is deeper than its operands, so what is shallower than every end depends on none and is skipped.
    """
    floor = min((node.depth for node in ends), default=0)
    seen, stack = {id(start): start}, [start]
    while stack:
        for parent, _ in stack.pop().parents:
            if parent.depth >= floor and id(parent) not in seen:
                seen[id(parent)] = parent
                stack.append(parent)
    depends = {id(node) for node in ends}
    path = []
    for node in sorted(seen.values(), key=lambda node: node.depth):
        if id(node) in depends or any(id(parent) in depends for parent, _ in node.parents):
            depends.add(id(node))
            path.append(node)
    return path[::-1]


def _check(y, named):
    if not isinstance(y, Tensor):
        raise TypeError(
            f"y: grad needs a Tensor, got {type(y).__name__}; wrap what you differentiate in Tensor(...)."
        )
    if y.shape != ():
        raise ValueError(
            f"y: only a scalar has a gradient, got shape {y.shape}; take np.sum(weights * y) first."
        )
    for name, x in named:
        if not isinstance(x, Tensor):
            raise TypeError(
                f"xs: entry {name} is a {type(x).__name__}, not a Tensor that y was computed from."
            )
