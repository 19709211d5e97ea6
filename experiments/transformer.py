"""A small causal transformer: every step attends to itself and to the steps before it.

It keeps all that it has seen instead of writing some of it down. Two blocks of attention and a dense layer,
norms in front of both, and sines of the step's number added to the input, so that an order is known.

Paper: Vaswani et al. 2017 (arXiv:1706.03762); norms in front: Xiong et al. 2020 (arXiv:2002.04745).
Differs from the paper: the decoder's blocks alone, the norms' place, and inputs that are vectors of numbers.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Transformer(nn.Module):
    """(n_steps, batch, d_in) -> (n_steps, batch, d_out)."""

    def __init__(self, d_in: int, d_out: int, *, width: int, n_heads: int, n_blocks: int):
        super().__init__()
        self.enter = nn.Linear(d_in, width)
        self.blocks = nn.ModuleList(Block(width, n_heads) for _ in range(n_blocks))
        self.norm = nn.LayerNorm(width)
        self.answer = nn.Linear(width, d_out)

    def forward(self, x: Float[Tensor, "n_steps batch d_in"]) -> Float[Tensor, "n_steps batch d_out"]:
        h = self.enter(x.transpose(0, 1))
        h = h + sines(h.shape[1], h.shape[2]).to(h)
        for block in self.blocks:
            h = block(h)
        return self.answer(self.norm(h)).transpose(0, 1)


class Block(nn.Module):
    """Attention, then a dense layer of four times the width, each added to what came in."""

    def __init__(self, width: int, n_heads: int):
        super().__init__()
        self.n_heads = n_heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.ask = nn.Linear(width, 3 * width)
        self.put_together = nn.Linear(width, width)
        self.dense = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, h: Float[Tensor, "batch n_steps width"]) -> Float[Tensor, "batch n_steps width"]:
        h = h + self.put_together(self.attend(self.norms[0](h)))
        return h + self.dense(self.norms[1](h))

    def attend(self, h: Float[Tensor, "batch n_steps width"]) -> Float[Tensor, "batch n_steps width"]:
        """What each head finds in this step and in those before it, side by side."""
        parts = self.ask(h).unflatten(-1, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        found = nn.functional.scaled_dot_product_attention(*parts, is_causal=True)
        return found.transpose(1, 2).flatten(2)


def sines(n_steps: int, width: int) -> Float[Tensor, "n_steps width"]:
    """Sine and cosine of the step's number at wavelengths from 2 pi to 2 pi * 10^4 (section 3.5)."""
    rates = torch.exp(-math.log(1e4) * torch.arange(0, width, 2) / width)
    angles = torch.arange(n_steps)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]
