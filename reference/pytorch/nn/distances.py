"""How far apart two embeddings are, and in which direction one points; a root and a division that never fail.

At distance zero a root has no derivative, and a vector of zeros has no direction. The derivative is taken as
0 there, and the vector as its own direction, so that two equal images or a dead network give no NaN.
"""

from jaxtyping import Float
from torch import Tensor


def squared_distance(a: Float[Tensor, "*#n d"], b: Float[Tensor, "*#n d"]) -> Float[Tensor, "..."]:
    """|a - b|^2 of rows that stand beside each other, or broadcast: a[:, None], b[None] is every pair."""
    return (a - b).square().sum(-1)


def distance(a: Float[Tensor, "*#n d"], b: Float[Tensor, "*#n d"]) -> Float[Tensor, "..."]:
    """|a - b|, Euclidean; its derivatives at 0 are taken as 0."""
    return _root(squared_distance(a, b))


def unit(x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
    """x / |x| for every row: its direction. A row of zeros stays as it is."""
    squared = x.square().sum(-1, keepdim=True)
    return x / (_root(squared) + (squared == 0))


def _root(squared: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """The square root; where the argument is 0, all derivatives are 0 and not infinite."""
    zero = squared == 0
    return (squared + zero).sqrt() * ~zero
