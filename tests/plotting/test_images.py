"""Pixels, labels and frames stand where they belong."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb

from reference import plotting

IMAGES = np.arange(7 * 12, dtype=float).reshape(7, 1, 4, 3)


def test_a_sheet_holds_the_pixels_of_every_image_at_its_place(ax):
    plotting.glyphs(IMAGES, n_columns=3, ax=ax)
    sheet = ax.images[0].get_array()
    for i, image in enumerate(IMAGES):
        top, left = 2 + i // 3 * 6, i % 3 * 5
        assert np.array_equal(sheet[top : top + 4, left : left + 3], image[0])
    assert sheet.sum() == IMAGES.sum() and sheet.count() == IMAGES.size  # and nothing between them


def test_labels_stand_above_their_images_and_wrong_ones_are_framed(ax):
    plotting.glyphs(IMAGES, list("abcdefg"), wrong=np.arange(7) == 4, n_columns=3, ax=ax)
    assert [text.get_text() for text in ax.texts] == list("abcdefg")
    (frame,) = ax.patches
    assert frame.get_x() == 1 * 5 - 1  # the fifth of three columns stands in the second
    assert frame.get_linestyle() == "--"


def test_images_may_lack_a_channel_and_be_bytes(ax):
    plotting.glyphs((IMAGES[:, 0] * 2).astype(np.uint8), ax=ax)
    assert ax.images[0].get_array().sum() == 2 * IMAGES.sum()


def test_an_episode_shows_support_above_query_on_one_scale():
    above, below = plotting.episode_sheet((IMAGES[:2], [0, 1]), (IMAGES, [0] * 7), wrong=np.ones(7, bool))
    assert (above.get_title("left"), below.get_title("left")) == ("support", "query")
    assert (len(above.texts), len(below.texts), len(below.patches)) == (2, 7, 7)
    assert above.get_xlim() == below.get_xlim()


def test_an_episode_may_be_drawn_into_two_axes_that_are_there():
    axes = plt.subplots(2)[1]
    assert plotting.episode_sheet((IMAGES[:2], [0, 1]), (IMAGES, [0] * 7), axes=axes) is axes


def test_scattered_images_stand_at_their_places_in_the_colour_of_their_label(ax):
    images = np.zeros((2, 4, 4), dtype=np.uint8)
    images[1, 0, 0] = 255
    plotting.scattered(images, np.array([[0.0, 0.0], [10.0, 5.0]]), np.array([0, 1]), size=0.2, ax=ax)
    first, second = ax.images
    assert first.get_extent() == [-1.0, 1.0, -1.0, 1.0] and second.get_extent() == [9.0, 11.0, 4.0, 6.0]
    ink = second.get_array()
    assert ink[0, 0, 3] == 1 and ink[1:, :, 3].max() == 0  # paper lets the page through
    assert np.allclose(ink[0, 0, :3], to_rgb(plotting.COLOURS[1]))
    assert ax.get_xlim() == (-1, 11) and ax.get_ylim() == (-1, 6)


def test_a_matrix_is_white_at_zero_and_may_carry_its_numbers(ax):
    plotting.matrix(np.array([[0.0, -2.0], [1.0, 0.5]]), digits=1, ax=ax)
    (picture,) = ax.images
    assert picture.get_array().tolist() == [[0.0, -2.0], [1.0, 0.5]]
    assert picture.get_clim() == (-2, 2)
    assert [text.get_text() for text in ax.texts] == ["0.0", "-2.0", "1.0", "0.5"]


def test_a_matrix_of_zeros_can_be_drawn(ax):
    plotting.matrix(np.zeros((2, 2)), ax=ax)


def test_attention_has_an_image_beside_each_row_and_above_each_column(ax):
    plotting.attention(np.ones((2, 3)), IMAGES[:2], IMAGES[4:], ax=ax)
    cells, *placed = ax.images
    assert cells.get_array().shape == (2, 3)
    places = [tuple(np.round(image.get_extent(), 2)) for image in placed]
    assert places == [
        (-1.6, -0.6, 0.45, -0.45),
        (-1.6, -0.6, 1.45, 0.55),
        *((j - 0.45, j + 0.45, -0.6, -1.6) for j in range(3)),
    ]
