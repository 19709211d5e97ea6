"""The two networks of the course as plain modules: a small dense net and the four-block conv net.

Their parameters carry the names and layouts of the NumPy side (`layers.0.weight` (out, in),
`blocks.0.conv.weight` (out, in, 3, 3)), and `init_params` draws them from a NumPy generator, so that weights
move across with a dict comprehension. The conv net is the one of Vinyals et al. 2016 (arXiv:1606.04080).

Differs from the paper: by default no batch normalisation, so that a prediction never depends on the other
queries; pass `norm=nn.BatchNorm2d` for it (running statistics in evaluation).
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from reference.episodes import check_images
from reference.params import Params


class MLP(nn.Module):
    """Dense layers with ReLU between them: (n, sizes[0]) -> (n, sizes[-1])."""

    def __init__(self, sizes: Sequence[int]):
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(f"sizes: got {list(sizes)}; an MLP needs at least an input and an output size.")
        self.layers = nn.ModuleList(
            nn.Linear(n_in, n_out) for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True)
        )

    def forward(self, x: Float[Tensor, "n d_in"]) -> Float[Tensor, "n d_out"]:
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


def mlp(params: Params, x: Float[Tensor, "*tasks n d_in"]) -> Float[Tensor, "*tasks n d_out"]:
    """The network MLP as a function; where the parameters have a task axis, each task uses its own."""
    last = len(params) // 2 - 1
    for i in range(last):
        x = F.relu(linear(x, params[f"layers.{i}.weight"], params[f"layers.{i}.bias"]))
    return linear(x, params[f"layers.{last}.weight"], params[f"layers.{last}.bias"])


def linear(
    x: Float[Tensor, "*tasks n d_in"],
    weight: Float[Tensor, "... d_out d_in"],
    bias: Float[Tensor, "... d_out"],
) -> Float[Tensor, "*tasks n d_out"]:
    """x W^T + b for every row of x."""
    if weight.ndim == 2:
        return F.linear(x, weight, bias)
    return torch.baddbmm(bias[:, None], x, weight.mT)  # one task axis, one call for all tasks


class Block(nn.Module):
    """Convolution 3x3, norm, ReLU, maximum over 2x2: halves height and width."""

    def __init__(self, n_in: int, n_out: int, norm: Callable[[int], nn.Module]):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 3, padding=1)
        self.norm = norm(n_out)

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c_out h2 w2"]:
        # The maximum of ReLUs is the ReLU of the maximum; this order passes over a quarter of the values.
        return F.relu(F.max_pool2d(self.norm(self.conv(x)), 2))


class Conv4(nn.Module):
    """Four blocks and a flattening: (n, 1, 28, 28) -> (n, width).

    `norm` makes the normalisation of a block from its width; the default, `nn.Identity`, does nothing.
    Raises ValueError for images without their axes, and for images smaller than 16 x 16.
    """

    def __init__(self, width: int = 64, norm: Callable[[int], nn.Module] = nn.Identity):
        super().__init__()
        sizes = [1, width, width, width, width]
        self.blocks = nn.Sequential(*(Block(a, b, norm) for a, b in zip(sizes[:-1], sizes[1:], strict=True)))

    def forward(self, x: Float[Tensor, "..."]) -> Float[Tensor, "n width"]:
        check_images(x, least=2**4)
        return self.blocks(x).flatten(1)
