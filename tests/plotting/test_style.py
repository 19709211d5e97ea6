"""The palette can be told apart by every kind of eye."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

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
    linear = np.array([to_rgb(c) for c in (*plotting.COLOURS, plotting.GREY)]) ** 2.2
    seen = np.clip(linear @ np.transpose(VISIONS[vision]), 0, 1) ** (1 / 2.2)
    apart = np.linalg.norm(seen[:, None] - seen, axis=-1)[np.triu_indices(9, 1)]
    assert apart.min() > 0.1  # matplotlib's own blue and purple: 0.05 without red cones


def luminance(colour):
    """Of a colour, relative to white: WCAG 2.2."""
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize(("page", "for_text"), [("#ffffff", 4.5), ("#111111", 4.1)])
def test_everything_stands_out_from_a_light_and_from_a_dark_page(page, for_text):
    def contrast(colour):
        low, high = sorted([luminance(colour), luminance(page)])
        return (high + 0.05) / (low + 0.05)

    assert min(map(contrast, plotting.COLOURS)) >= 3
    assert contrast(plotting.GREY) >= for_text


def test_a_figure_in_this_style_has_no_ground_and_no_box_and_grey_words():
    with plt.style.context(plotting.STYLE):
        ax = plotting.curves(np.arange(3.0), {"up": np.arange(3.0)})
        ax.set(title="title", xlabel="x")
    assert [ground[-1] for ground in (ax.get_facecolor(), ax.figure.get_facecolor())] == [0, 0]
    words = [ax.title, ax.xaxis.label, *ax.get_xticklabels(), *ax.get_legend().get_texts()]
    assert {to_hex(word.get_color()) for word in words} == {plotting.GREY}
    assert not ax.spines["top"].get_visible() and not ax.get_legend().get_frame_on()


def test_colours_markers_and_lines_are_eight_different_ones():
    assert [len(set(x)) for x in (plotting.COLOURS, plotting.MARKERS, plotting.LINES)] == [8, 8, 8]
