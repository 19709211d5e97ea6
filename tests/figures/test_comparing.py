"""Chapter 04: points go where descent takes them. 05: rows and columns by class. 06: a moved point moves its cell."""

import numpy as np

from reference.baselines import nearest_centroid
from reference.episodes import Examples
from reference.figures import show_attention, show_cells, show_descent

SUPPORT = Examples(np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]]), np.array([2, 0, 1]))


def centres(support):
    return np.stack([support.x[support.y == label].mean(0) for label in range(3)])


PICTURES = np.linspace(0, 1, 5 * 36).reshape(5, 1, 6, 6)
KNOWN = Examples(PICTURES[:3], np.array([1, 0, 1]))
ASKED = Examples(PICTURES[3:], np.array([1, 0]))


def attend(temperature):
    return np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]) ** (1 / temperature)


def to_the_right(points, margin, n_steps):
    return np.stack([points.x + [step * margin, 0] for step in range(n_steps + 1)])


SHOWN = [  # a figure, what it is given, and its sliders as (low, high, start)
    (
        show_cells,
        (nearest_centroid, centres, SUPPORT),
        {"point": (0, 2, 0), "right": (-3.0, 3.0, 0.0), "up": (-3.0, 3.0, 0.0)},
    ),
    (show_descent, (to_the_right, SUPPORT), {"margin": (0.0, 2.0, 1.0), "n_steps": (0, 5, 2)}),
    (show_attention, (attend, KNOWN, ASKED), {"temperature": (0.5, 2.0, 1.0)}),
]


def test_points_begin_hollow_and_end_filled_where_descent_leads_them():
    axes = show_descent(to_the_right, SUPPORT, margin=2.0, n_steps=3)
    *_, first, second, third = (c.get_offsets()[0].tolist() for c in axes.collections)
    assert [first, second, third] == [[7.0, 0.0], [5.0, 0.0], [6.0, 1.0]]  # by label, three steps of 2 on
    begun = [c.get_offsets()[0].tolist() for c in axes.collections[:3]]
    assert begun == [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]
    assert len(axes.lines) == 3


def test_moving_a_point_moves_its_cell_and_leaves_the_support_set_alone():
    before = SUPPORT.x.copy()
    still = show_cells(nearest_centroid, centres, SUPPORT, point=1, right=0, up=0)
    moved = show_cells(nearest_centroid, centres, SUPPORT, point=1, right=2.0, up=-1.0)
    assert np.array_equal(SUPPORT.x, before)
    assert moved.collections[-3].get_offsets().tolist() == [[3.0, -1.0]]  # label 0, drawn first of the points
    hollow = [c.get_offsets()[0].tolist() for c in moved.collections[-6:-3]]
    assert hollow == [[3.0, -1.0], [-1.0, 0.0], [0.0, 1.0]]  # one example each: the prototypes sit on them
    before, after = (axes.collections[0].get_paths()[0].vertices for axes in (still, moved))
    assert before.shape != after.shape or (before != after).any()


def test_attention_stands_by_class_with_a_frame_around_the_querys_own():
    ax = show_attention(attend, KNOWN, ASKED, temperature=1.0)
    assert ax.images[0].get_array().tolist() == [[5, 4, 6], [2, 1, 3]]
    frames = [(*frame.get_xy(), frame.get_width(), frame.get_height()) for frame in ax.patches]
    assert frames == [(-0.5, -0.5, 1, 1), (0.5, 0.5, 2, 1)]
    shown = [
        image.get_array() for image in ax.images[1:]
    ]  # queries from above, then the support from the left
    for image, expected in zip(
        shown, (ASKED.x[1], ASKED.x[0], KNOWN.x[1], KNOWN.x[0], KNOWN.x[2]), strict=True
    ):
        assert np.array_equal(image, expected[0])
