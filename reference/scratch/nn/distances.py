"""How far apart two embeddings are, and in which direction one points; a root and a division that never fail.

At distance zero a root has no derivative, and a vector of zeros has no direction. The derivative is taken as
0 there, and the vector as its own direction, so that two equal images or a dead network give no NaN.
"""

import numpy as np
from jaxtyping import Float

from reference.scratch.autodiff import Array, norm


def squared_distance(a: Float[Array, "*#n d"], b: Float[Array, "*#n d"]) -> Float[Array, "..."]:
    """|a - b|^2 of rows that stand beside each other, or broadcast: a[:, None], b[None] is every pair."""
    return np.sum((a - b) ** 2, axis=-1)


def distance(a: Float[Array, "*#n d"], b: Float[Array, "*#n d"]) -> Float[Array, "..."]:
    """|a - b|, Euclidean; its derivatives at 0 are taken as 0."""
    return norm(a - b, axis=-1)


def unit(x: Float[Array, "*n d"]) -> Float[Array, "*n d"]:
    """x / |x| for every row: its direction. A row of zeros stays as it is."""
    length = norm(x, axis=-1, keepdims=True)
    return x / np.where(length == 0, 1, length)
