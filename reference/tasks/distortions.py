"""Images turned, sheared, stretched and shifted a little: what is the same character in a stranger's hand.

Every image has an affine map of its own. All are drawn at once and applied by one gather of the four pixels
around each point; no loop runs over images. For training alone: what is judged stays as it was drawn.

Paper: Koch, Zemel & Salakhutdinov 2015, section 3.3 (which distortions, and how far they go).
Differs from the paper: a new map each time an image is drawn, where the paper makes eight copies of each pair
beforehand; shifts are shares of the side, 2 pixels of 105 there, half a pixel of 28 here.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from reference import contracts
from reference.episodes import Array


class Most(NamedTuple):
    """How far distortions go at most, to either side, and how likely each of the seven numbers is drawn."""

    turn: float  # degrees
    shear: float  # of x with y, and of y with x
    stretch: float  # 0.2: a side is 0.8 to 1.2 times as long
    shift: float  # of the side
    chance: float


KOCH = Most(turn=10, shear=0.3, stretch=0.2, shift=2 / 105, chance=0.5)


def affine_maps(
    rng: np.random.Generator, n: int, *, side: int, most: Most = KOCH
) -> Float[np.ndarray, "{n} 2 3"]:
    """n random maps (A, t): the point p, in pixels from the middle, goes to A p + t; x to the right, y down.

    A stretches first, then shears, then turns. Raises ValueError for an n or a side below 1.
    """
    contracts.generator(rng)
    n, side = contracts.whole("n", n), contracts.whole("side", side)
    drawn = rng.uniform(-1, 1, (7, n)) * (rng.random((7, n)) < most.chance)
    turn, one, zero = np.deg2rad(most.turn) * drawn[0], np.ones(n), np.zeros(n)
    shear_x, shear_y = most.shear * drawn[1:3]
    stretch_x, stretch_y = 1 + most.stretch * drawn[3:5]
    turned = _matrices(np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn))
    linear = turned @ _matrices(one, shear_x, shear_y, one) @ _matrices(stretch_x, zero, zero, stretch_y)
    return np.concatenate([linear, most.shift * side * drawn[5:].T[..., None]], axis=2)


def distorted(
    images: Float[np.ndarray, "n 1 h w"], maps: Float[np.ndarray, "n 2 3"]
) -> Float[np.ndarray, "n 1 h w"]:
    """Every image after its map: bilinear between pixels, paper (0) beyond the edge, as large as before.

    Raises ValueError unless there is one map for each image (n, 1, height, width).
    """
    _check(images, maps)
    n, _, h, w = images.shape
    y, x = (each.ravel() for each in np.mgrid[:h, :w].astype(images.dtype))
    middle = np.array([[(w - 1) / 2], [(h - 1) / 2]], images.dtype)
    maps = maps.astype(images.dtype)
    there = np.stack([x, y]) - middle - maps[:, :, 2:]  # (n, 2, h w): where each new pixel is
    x, y = (np.linalg.inv(maps[:, :, :2]) @ there + middle).swapaxes(0, 1)  # and where its ink comes from
    (x, right), (y, below) = _cell(x, w), _cell(y, h)
    padded = np.pad(images[:, 0], [(0, 0), (1, 1), (1, 1)]).ravel()  # paper around, so that no index is off
    first = (np.arange(n)[:, None] * (h + 2) + y + 1) * (w + 2) + x + 1
    above = (1 - right) * padded[first] + right * padded[first + 1]
    under = (1 - right) * padded[first + w + 2] + right * padded[first + w + 3]
    return ((1 - below) * above + below * under).reshape(images.shape)


def _matrices(a: Array, b: Array, c: Array, d: Array) -> Float[np.ndarray, "n 2 2"]:
    return np.stack([a, b, c, d], axis=-1).reshape(-1, 2, 2)


def _cell(at: Float[np.ndarray, "n m"], size: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixel before each coordinate, from -1 on, and how far beyond it the coordinate is, 0 to 1."""
    at = np.clip(at, -1, size)
    before = np.minimum(np.floor(at), size - 1)
    return before.astype(np.int64), at - before


def _check(images: Array, maps: Array) -> None:
    if getattr(images, "ndim", 0) != 4 or images.shape[1] != 1 or images.dtype.kind != "f":
        raise ValueError(f"images is {contracts.shown(images)}; floats (n, 1, height, width) are needed.")
    if np.shape(maps) != (len(images), 2, 3):
        raise ValueError(f"maps has shape {np.shape(maps)}; {len(images)} images need {(len(images), 2, 3)}.")
