"""Points, regions, landmarks, walks, level curves and arrows lie where they were put."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from reference import plotting

X = np.linspace(-1, 1, 25)
CIRCLE = np.stack([np.cos(np.pi * X), np.sin(np.pi * X)], axis=1)


def test_points_take_colour_and_marker_from_their_label(ax):
    xy = np.arange(8.0).reshape(4, 2)
    plotting.points(xy, np.array([1, 0, 1, 3]), ax=ax)
    assert [c.get_offsets().tolist() for c in ax.collections] == [[[2, 3]], [[0, 1], [4, 5]], [[6, 7]]]
    colours = [to_hex(c.get_facecolor()[0]).upper() for c in ax.collections]
    assert colours == [plotting.COLOURS[label] for label in (0, 1, 3)]
    assert len({c.get_paths()[0].vertices.tobytes() for c in ax.collections}) == 3


def test_hollow_points_keep_their_colour_as_an_edge(ax):
    plotting.points(np.eye(2), np.array([2, 2]), filled=False, ax=ax)
    assert len(ax.collections[0].get_facecolor()) == 0
    assert to_hex(ax.collections[0].get_edgecolor()[0]).upper() == plotting.COLOURS[2]


def test_regions_carry_the_labels_of_the_grid_in_the_colours_of_the_points(ax):
    labels = np.array([[0, 0, 2], [0, 2, 2]])
    plotting.regions(np.arange(3.0), np.arange(2.0), labels, ax=ax)
    mesh = ax.collections[0]
    assert mesh.get_array().tolist() == labels.tolist()
    assert to_hex(mesh.cmap(mesh.norm(2))).upper() == plotting.COLOURS[2]


def test_regions_of_scores_have_their_borders_between_the_points_of_the_grid(ax):
    right, up = np.meshgrid(X, X)
    plotting.regions(X, X, np.stack([right - 0.01, 0 * up], axis=-1), ax=ax)
    border = ax.collections[-1].get_paths()[0].vertices
    assert np.allclose(border[:, 0], 0.01) and not np.isclose(X, 0.01).any()


def test_one_region_alone_has_no_border_and_no_warning(ax):
    plotting.regions(X, X, np.ones((25, 25), dtype=int), ax=ax)
    assert len(ax.collections) == 1


def test_landmarks_stand_at_their_places_at_the_ends_of_their_paths(ax):
    places, path = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 0.0])}, CIRCLE + 1
    plotting.landmarks(places, paths={"b": path}, ax=ax)
    first, way, second = (np.stack(line.get_data(), axis=1) for line in ax.lines)
    assert first.tolist() == [[1, 2]] and second.tolist() == [[3, 0]] and np.array_equal(way, path)
    assert [text.get_text() for text in ax.get_legend().texts] == ["a", "b"]
    assert len({line.get_marker() for line in ax.lines}) == 3
    with pytest.raises(ValueError, match="^paths names 'c'; there are 'a', 'b'"):
        plotting.landmarks(places, paths={"c": path})


def test_every_step_of_a_walk_has_its_dot(ax):
    paths = np.stack([CIRCLE, 2 * CIRCLE, CIRCLE + 1])
    plotting.walks(paths, ax=ax)
    assert np.array_equal([line.get_xydata() for line in ax.lines], paths)
    assert {line.get_marker() for line in ax.lines} == {"."}


def test_closed_curves_draw_every_loop_with_its_centre_and_the_first_ones_dark(ax):
    centres = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    loops = centres[:, None] + CIRCLE
    plotting.closed_curves(loops, centres, n_dark=1, ax=ax)
    drawn = [np.stack(line.get_data(), axis=1) for line in ax.lines]
    assert all(map(np.array_equal, drawn, [loops[1], loops[2], centres[1:], loops[0], centres[:1]]))
    assert [line.get_linewidth() for line in ax.lines][::3] == [0.6, 2]


def test_arrows_lead_from_start_to_end_lie_in_view_and_have_one_entry_in_a_legend(ax):
    starts, ends = CIRCLE[:3], 5 + CIRCLE[:3]
    plotting.arrows(starts, ends, number=2, label="a step", ax=ax)
    assert np.array_equal([arrow.xyann for arrow in ax.texts], starts)
    assert np.array_equal([arrow.xy for arrow in ax.texts], ends)
    handles, labels = ax.get_legend_handles_labels()
    assert labels == ["a step"] and handles[0].get_color() == plotting.COLOURS[2]
    assert ax.get_xlim()[1] >= ends[:, 0].max() and ax.get_ylim()[1] >= ends[:, 1].max()
    plotting.arrows(starts, ends, ax=ax)
    assert ax.lines[-1].get_color() == plotting.GREY and ax.get_legend_handles_labels()[1] == labels
