"""A memory of rows, and heads that attend to them: where a head is, what it reads, what it changes there.

A head's weights say how much of each row it means. They come from what the rows hold, from where the head was
before, and from a small shift; each function takes a memory and gives one, and changes nothing in place.

Paper: Graves, Wayne & Danihelka 2014 (arXiv:1410.5401), section 3, equations 2 to 9.
Differs from the paper: nothing; equation 9 is computed so that no power of a small weight is lost.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from reference.scratch.autodiff import Array, detach, softmax
from reference.scratch.nn.distances import unit


class Focus(NamedTuple):
    """What a head says of where it wants to be."""

    keys: Float[Array, "batch n_heads width"]  # k
    strengths: Float[Array, "batch n_heads"]  # beta >= 0
    gates: Float[Array, "batch n_heads"]  # g, between 0 and 1
    shifts: Float[Array, "batch n_heads n_shifts"]  # s, a distribution over -shift_range..shift_range
    sharpness: Float[Array, "batch n_heads"]  # gamma >= 1


def similarity(
    keys: Float[Array, "batch n_heads width"], memory: Float[Array, "batch n_rows width"]
) -> Float[Array, "batch n_heads n_rows"]:
    """K, the cosine between a key and each row (equation 6); 0 for a row of zeros."""
    return unit(keys) @ unit(memory).mT


def by_content(
    similarities: Float[Array, "batch n_heads n_rows"], strengths: Float[Array, "batch n_heads"]
) -> Float[Array, "batch n_heads n_rows"]:
    """w^c, the softmax over rows of strength * similarity (equation 5)."""
    return softmax(strengths[..., None] * similarities)


def interpolate(
    content: Float[Array, "batch n_heads n_rows"],
    previous: Float[Array, "batch n_heads n_rows"],
    gates: Float[Array, "batch n_heads"],
) -> Float[Array, "batch n_heads n_rows"]:
    """w^g = g w^c + (1 - g) w_(t-1): gate 1 looks for content, gate 0 stays where it was (equation 7)."""
    return gates[..., None] * content + (1 - gates[..., None]) * previous


def shift(
    weights: Float[Array, "batch n_heads n_rows"], shifts: Float[Array, "batch n_heads n_shifts"]
) -> Float[Array, "batch n_heads n_rows"]:
    """w~(i) = sum_j w^g(j) s(i - j), around the end: shift 1 goes from row j to row j + 1 (equation 8).

    Raises ValueError for an even number of shifts, and for more of them than rows.
    """
    n_rows, n_shifts = weights.shape[-1], shifts.shape[-1]
    check_shifts(n_rows, n_shifts)
    by = np.arange(n_shifts)[:, None] - n_shifts // 2
    came_from = np.eye(n_rows, dtype=weights.dtype)[:, (np.arange(n_rows) - by) % n_rows]  # j = i - by
    moved = weights @ np.reshape(came_from, (n_rows, -1))  # by every shift
    moved = np.reshape(moved, (*weights.shape[:-1], n_shifts, n_rows))
    return np.sum(shifts[..., None] * moved, axis=-2)


def sharpen(
    weights: Float[Array, "batch n_heads n_rows"], sharpness: Float[Array, "batch n_heads"]
) -> Float[Array, "batch n_heads n_rows"]:
    """w = w~^gamma / sum w~^gamma (equation 9); divided by the largest first, or all could become 0."""
    largest = np.max(detach(weights), axis=-1, keepdims=True)  # a constant: any number gives the same result
    powers = (weights / largest) ** sharpness[..., None]
    return powers / np.sum(powers, axis=-1, keepdims=True)


def read(
    memory: Float[Array, "batch n_rows width"], weights: Float[Array, "batch n_heads n_rows"]
) -> Float[Array, "batch n_heads width"]:
    """r = sum_i w(i) M(i) (equation 2)."""
    return weights @ memory


def write(
    memory: Float[Array, "batch n_rows width"],
    weights: Float[Array, "batch n_heads n_rows"],
    *,
    erase: Float[Array, "batch n_heads width"],  # e, between 0 and 1
    add: Float[Array, "batch n_heads width"],  # a
) -> Float[Array, "batch n_rows width"]:
    """M(i) (1 - w(i) e), for every head, and then + w(i) a (equations 3 and 4): no order of heads matters."""
    for head in range(weights.shape[1]):
        memory = memory * (1 - weights[:, head, :, None] * erase[:, head, None, :])
    return memory + weights.mT @ add


def address(
    memory: Float[Array, "batch n_rows width"], previous: Float[Array, "batch n_heads n_rows"], focus: Focus
) -> Float[Array, "batch n_heads n_rows"]:
    """Where the heads are now: equations 5 to 9 in a row (figure 2)."""
    content = by_content(similarity(focus.keys, memory), focus.strengths)
    return sharpen(shift(interpolate(content, previous, focus.gates), focus.shifts), focus.sharpness)


def check_shifts(n_rows: int, n_shifts: int) -> None:
    """Raises ValueError for fewer rows than shifts, where two shifts would be one, and for an even number."""
    if n_shifts > n_rows or n_shifts % 2 == 0:
        raise ValueError(
            f"n_rows: got {n_rows} rows and {n_shifts} shifts; shifts are an odd number, at most one a row."
        )
