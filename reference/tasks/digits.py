"""Digits: the 1,797 handwritten digits that scikit-learn carries, as a Bank of ten classes of 28x28 images.

Real handwriting, small and offline: far from the glyphs, so that it shows what carries over.
Data: Alpaydin & Kaynak 1998, "Optical recognition of handwritten digits" (the test part of the UCI set).

Differs from the paper: 8x8 images of 17 greys are enlarged to 28x28 by bilinear interpolation.
"""

import numpy as np
from jaxtyping import UInt8
from sklearn.datasets import load_digits

from reference import contracts
from reference.episodes import Array
from reference.tasks.bank import Bank, make_bank


def digits() -> Bank:
    """All ten classes, named "0" to "9", of the one group "digits"; 174 to 183 images each."""
    data = load_digits()
    names = [str(name) for name in data.target_names]
    return make_bank(enlarge(data.images), data.target, names=names, groups=["digits"] * len(names))


def enlarge(images: Array) -> UInt8[np.ndarray, "n 28 28"]:
    """Images (n, 8, 8) of ink 0..16 as 28x28 images of ink 0..255: the 8x8 drawing is enlarged to 24x24,
    three pixels for one with straight lines between the centres, in a margin of two pixels of paper."""
    images = contracts.rectangle("images", images)
    if images.shape[1:] != (8, 8) or images.dtype.kind not in "iuf":
        raise ValueError(f"images is {contracts.shown(images)}; numbers of shape (n, 8, 8) are needed.")
    if images.size and not (images.min() >= 0 and images.max() <= 16):
        raise ValueError(
            f"images goes from {images.min()} to {images.max()}; 0 (paper) to 16 (ink) is allowed."
        )
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    position = (np.arange(28) - 2 + 0.5) / 3 + 0.5  # of a new pixel's centre, in centres of the padded image
    weight = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(10)))  # (28, 10)
    return np.rint(weight @ padded @ weight.T * (255 / 16)).astype(np.uint8)
