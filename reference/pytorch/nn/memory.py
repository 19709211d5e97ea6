"""A memory of rows, and heads that attend to them: where a head is, what it reads, what it changes there.

A head's weights say how much of each row it means. They come from what the rows hold, from where the head was
before, and from a small shift; each function takes a memory and gives one, and changes nothing in place.

Paper: Graves, Wayne & Danihelka 2014 (arXiv:1410.5401), section 3, equations 2 to 9.
Differs from the paper: nothing; equation 9 is computed so that no power of a small weight is lost.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Focus(NamedTuple):
    """What a head says of where it wants to be."""

    keys: Float[Tensor, "batch n_heads width"]  # k
    strengths: Float[Tensor, "batch n_heads"]  # beta >= 0
    gates: Float[Tensor, "batch n_heads"]  # g, between 0 and 1
    shifts: Float[Tensor, "batch n_heads n_shifts"]  # s, a distribution over -shift_range..shift_range
    sharpness: Float[Tensor, "batch n_heads"]  # gamma >= 1


def similarity(
    keys: Float[Tensor, "batch n_heads width"], memory: Float[Tensor, "batch n_rows width"]
) -> Float[Tensor, "batch n_heads n_rows"]:
    """K, the cosine between a key and each row (equation 6); 0 for a row of zeros."""
    of_keys, of_rows = (torch.linalg.vector_norm(x, dim=-1) for x in (keys, memory))
    of_keys, of_rows = (length.masked_fill(length == 0, 1) for length in (of_keys, of_rows))
    return keys @ memory.mT / (of_keys.unsqueeze(-1) * of_rows.unsqueeze(-2))


def by_content(
    similarities: Float[Tensor, "batch n_heads n_rows"], strengths: Float[Tensor, "batch n_heads"]
) -> Float[Tensor, "batch n_heads n_rows"]:
    """w^c, the softmax over rows of strength * similarity (equation 5)."""
    return (strengths.unsqueeze(-1) * similarities).softmax(-1)


def interpolate(
    content: Float[Tensor, "batch n_heads n_rows"],
    previous: Float[Tensor, "batch n_heads n_rows"],
    gates: Float[Tensor, "batch n_heads"],
) -> Float[Tensor, "batch n_heads n_rows"]:
    """w^g = g w^c + (1 - g) w_(t-1): gate 1 looks for content, gate 0 stays where it was (equation 7)."""
    return previous.lerp(content, gates.unsqueeze(-1))


def shift(
    weights: Float[Tensor, "batch n_heads n_rows"], shifts: Float[Tensor, "batch n_heads n_shifts"]
) -> Float[Tensor, "batch n_heads n_rows"]:
    """w~(i) = sum_j w^g(j) s(i - j), around the end: shift 1 goes from row j to row j + 1 (equation 8).

    Raises ValueError for an even number of shifts, and for more of them than rows.
    """
    check_shifts(weights.shape[-1], n_shifts := shifts.shape[-1])
    shares = shifts.unsqueeze(-1).unbind(-2)
    return sum(share * weights.roll(k - n_shifts // 2, -1) for k, share in enumerate(shares))


def sharpen(
    weights: Float[Tensor, "batch n_heads n_rows"], sharpness: Float[Tensor, "batch n_heads"]
) -> Float[Tensor, "batch n_heads n_rows"]:
    """w = w~^gamma / sum w~^gamma (equation 9); divided by the largest first, or all could become 0."""
    largest = weights.detach().amax(-1, keepdim=True)  # a constant: any number gives the same result
    powers = (weights / largest) ** sharpness.unsqueeze(-1)
    return powers / powers.sum(-1, keepdim=True)


def read(
    memory: Float[Tensor, "batch n_rows width"], weights: Float[Tensor, "batch n_heads n_rows"]
) -> Float[Tensor, "batch n_heads width"]:
    """r = sum_i w(i) M(i) (equation 2)."""
    return weights @ memory


def write(
    memory: Float[Tensor, "batch n_rows width"],
    weights: Float[Tensor, "batch n_heads n_rows"],
    *,
    erase: Float[Tensor, "batch n_heads width"],  # e, between 0 and 1
    add: Float[Tensor, "batch n_heads width"],  # a
) -> Float[Tensor, "batch n_rows width"]:
    """M(i) (1 - w(i) e), for every head, and then + w(i) a (equations 3 and 4): no order of heads matters."""
    for w, e in zip(weights.unsqueeze(-1).unbind(1), erase.unsqueeze(-2).unbind(1), strict=True):
        memory = torch.addcmul(memory, memory, w * e, value=-1)
    return torch.baddbmm(memory, weights.mT, add)


def address(
    memory: Float[Tensor, "batch n_rows width"], previous: Float[Tensor, "batch n_heads n_rows"], focus: Focus
) -> Float[Tensor, "batch n_heads n_rows"]:
    """Where the heads are now: equations 5 to 9 in a row (figure 2)."""
    content = by_content(similarity(focus.keys, memory), focus.strengths)
    return sharpen(shift(interpolate(content, previous, focus.gates), focus.shifts), focus.sharpness)


def check_shifts(n_rows: int, n_shifts: int) -> None:
    """Raises ValueError for fewer rows than shifts, where two shifts would be one, and for an even number."""
    if n_shifts > n_rows or n_shifts % 2 == 0:
        raise ValueError(
            f"n_rows: got {n_rows} rows and {n_shifts} shifts; shifts are an odd number, at most one a row."
        )
