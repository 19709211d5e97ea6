"""The palette can be told apart by every kind of eye."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from reference import plotting

# What people without one kind of cone see, for linear RGB: Machado et al. 2009, severity 1.
VISIONS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}


@pytest.mark.parametrize("vision", VISIONS)
def test_no_two_colours_look_alike_to_colour_blind_eyes(vision):
    linear = np.array([to_rgb(c) for c in plotting.COLOURS]) ** 2.2
    seen = np.clip(linear @ np.transpose(VISIONS[vision]), 0, 1) ** (1 / 2.2)
    apart = np.linalg.norm(seen[:, None] - seen, axis=-1)[np.triu_indices(8, 1)]
    assert apart.min() > 0.1  # matplotlib's own blue and purple: 0.05 without red cones


def test_colours_markers_and_lines_are_eight_different_ones():
    assert [len(set(x)) for x in (plotting.COLOURS, plotting.MARKERS, plotting.LINES)] == [8, 8, 8]
