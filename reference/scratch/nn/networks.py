"""The two networks of the course as functions: a small dense net and the four-block conv net.

Parameters are a flat dict under PyTorch's names and in its layouts (`layers.0.weight` (out, in),
`blocks.0.conv.weight` (out, in, 3, 3)), so weights move across with a dict comprehension, and the same
generator draws the same weights on both sides. The conv net: Vinyals et al. 2016 (arXiv:1606.04080).

Differs from the paper: no batch normalisation, so that a prediction never depends on the other queries.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from reference.episodes import check_images
from reference.params import Params
from reference.scratch.autodiff import Array, conv2d, max_pool2d, relu


def linear(
    x: Float[Array, "*tasks n d_in"], weight: Float[Array, "... d_out d_in"], bias: Float[Array, "... d_out"]
) -> Float[Array, "*tasks n d_out"]:
    """x W^T + b for every row of x; where weight and bias have a task axis, each task uses its own."""
    return x @ weight.mT + bias[..., None, :]


def layer_norm(
    x: Float[Array, "*batch d"],
    weight: Float[Array, " d"],
    bias: Float[Array, " d"],
    *,
    epsilon: float = 1e-5,
) -> Float[Array, "*batch d"]:
    """x brought to mean 0, variance 1 along its last axis, scaled, shifted (Ba et al., arXiv:1607.06450)."""
    centered = x - np.mean(x, axis=-1, keepdims=True)
    return centered / np.sqrt(np.mean(centered**2, axis=-1, keepdims=True) + epsilon) * weight + bias


def init_mlp(rng: np.random.Generator, sizes: Sequence[int]) -> Params:
    """Parameters `layers.{i}.weight` and `layers.{i}.bias` for dense layers of the sizes, float32."""
    if len(sizes) < 2:
        raise ValueError(f"sizes: got {list(sizes)}; an MLP needs at least an input and an output size.")
    layers = enumerate(zip(sizes[:-1], sizes[1:], strict=True))
    return _merge(_draw(rng, f"layers.{i}", (n_out, n_in)) for i, (n_in, n_out) in layers)


def mlp(params: Params, x: Float[Array, "*tasks n d_in"]) -> Float[Array, "*tasks n d_out"]:
    """Dense layers with ReLU between them."""
    last = len(params) // 2 - 1
    for i in range(last):
        x = relu(linear(x, params[f"layers.{i}.weight"], params[f"layers.{i}.bias"]))
    return linear(x, params[f"layers.{last}.weight"], params[f"layers.{last}.bias"])


def init_conv4(rng: np.random.Generator, width: int = 64) -> Params:
    """Parameters `blocks.{i}.conv.weight` and `blocks.{i}.conv.bias` of four blocks, float32."""
    channels = (1, width, width, width)
    return _merge(_draw(rng, f"blocks.{i}.conv", (width, n_in, 3, 3)) for i, n_in in enumerate(channels))


def conv4(params: Params, x: Float[Array, "..."]) -> Float[Array, "n width"]:
    """Four blocks of convolution 3x3, ReLU, maximum over 2x2; the sides go 28 -> 14 -> 7 -> 3 -> 1.

    (n, 1, 28, 28) -> (n, width). Raises ValueError for images without their axes, and for
    images smaller than 16 x 16.
    """
    check_images(x, least=2**4)
    for i in range(4):
        x = conv2d(x, params[f"blocks.{i}.conv.weight"], params[f"blocks.{i}.conv.bias"], padding=1)
        x = relu(max_pool2d(x, 2))  # = maximum of ReLUs, at a quarter of the cost
    return np.reshape(x, (len(x), -1))


def _draw(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Params:
    """One layer's weight and bias, uniform in +-1/sqrt(fan_in): PyTorch's own default."""
    bound = np.prod(shape[1:]) ** -0.5
    weight, bias = rng.uniform(-bound, bound, shape), rng.uniform(-bound, bound, shape[:1])
    return {f"{name}.weight": weight.astype(np.float32), f"{name}.bias": bias.astype(np.float32)}


def _merge(layers) -> Params:
    return {name: value for layer in layers for name, value in layer.items()}
