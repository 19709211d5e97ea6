"""The artists carry the numbers that were given, nothing global changes, and bad input gets one sentence."""

import inspect

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from reference import plotting

X = np.linspace(-1, 1, 25)
IMAGES = np.arange(7 * 12, dtype=float).reshape(7, 1, 4, 3)
CIRCLE = np.stack([np.cos(np.pi * X), np.sin(np.pi * X)], axis=1)
SQUARE = {"a": (0, 0), "b": (1, 0), "c": (1, 1)}

DRAWN = {  # every public function, with the least it needs
    plotting.glyphs: lambda ax: plotting.glyphs(IMAGES, ax=ax),
    plotting.matrix: lambda ax: plotting.matrix(np.eye(3), ax=ax),
    plotting.curves: lambda ax: plotting.curves(X, {"line": X}, ax=ax),
    plotting.family: lambda ax: plotting.family(X, np.stack([X] * 5), ax=ax),
    plotting.regression: lambda ax: plotting.regression(
        (X[:3, None], X[:3, None]), X, X, {"mine": -X}, ax=ax
    ),
    plotting.ladder: lambda ax: plotting.ladder(
        ["a", "b"], np.array([0.2, 0.8]), np.array([0.1, 0.1]), ax=ax
    ),
    plotting.intervals: lambda ax: plotting.intervals(X - 0.5, X + 0.5, truth=0.0, ax=ax),
    plotting.histogram: lambda ax: plotting.histogram(*np.histogram(X), ax=ax),
    plotting.points: lambda ax: plotting.points(np.eye(2), np.array([0, 1]), ax=ax),
    plotting.regions: lambda ax: plotting.regions(X, X, (X[:, None] > X).astype(int), ax=ax),
    plotting.closed_curves: lambda ax: plotting.closed_curves(
        np.stack([CIRCLE, CIRCLE + 1]), np.array([[0.0, 0.0], [1.0, 1.0]]), n_dark=1, ax=ax
    ),
    plotting.graph: lambda ax: plotting.graph(SQUARE, [("a", "b"), ("b", "c")], ax=ax),
    plotting.landmarks: lambda ax: plotting.landmarks({"here": np.zeros(2), "there": np.ones(2)}, ax=ax),
    plotting.walks: lambda ax: plotting.walks(np.stack([CIRCLE, CIRCLE + 1]), ax=ax),
}


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


def test_every_public_function_is_tried_here():
    public = {f for name, f in inspect.getmembers(plotting, inspect.isfunction) if not name.startswith("_")}
    assert {f for f in public if f.__module__ == plotting.__name__} == {*DRAWN, plotting.episode_sheet}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=[f.__name__ for f in DRAWN])
def test_axes_go_in_and_out_and_nothing_global_changes(draw, ax):
    settings = dict(matplotlib.rcParams)
    assert draw(ax) is ax
    assert plt.get_fignums() == [ax.figure.number]
    own = draw(None)
    assert own is not ax
    assert own.figure.get_size_inches()[0] <= 8
    own.figure.canvas.draw()
    assert dict(matplotlib.rcParams) == settings


# Images


def test_a_sheet_holds_the_pixels_of_every_image_at_its_place(ax):
    plotting.glyphs(IMAGES, n_columns=3, ax=ax)
    sheet = ax.images[0].get_array()
    for i, image in enumerate(IMAGES):
        top, left = 2 + i // 3 * 6, i % 3 * 5
        assert np.array_equal(sheet[top : top + 4, left : left + 3], image[0])
    assert sheet.sum() == IMAGES.sum()


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


def test_a_matrix_is_white_at_zero_and_may_carry_its_numbers(ax):
    plotting.matrix(np.array([[0.0, -2.0], [1.0, 0.5]]), digits=1, ax=ax)
    (picture,) = ax.images
    assert picture.get_array().tolist() == [[0.0, -2.0], [1.0, 0.5]]
    assert picture.get_clim() == (-2, 2)
    assert [text.get_text() for text in ax.texts] == ["0.0", "-2.0", "1.0", "0.5"]


def test_a_matrix_of_zeros_can_be_drawn(ax):
    plotting.matrix(np.zeros((2, 2)), ax=ax)


# Curves


def test_curves_carry_their_data_and_differ_in_colour_style_and_marker(ax):
    plotting.curves(X, {"up": X, "down": -X}, bands={"down": (-X - 1, -X + 1)}, ax=ax)
    up, down = ax.lines
    assert np.array_equal(up.get_xydata(), np.stack([X, X], axis=1))
    assert np.array_equal(down.get_ydata(), -X)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["up", "down"]
    for look in ("get_color", "get_linestyle", "get_marker"):
        assert getattr(up, look)() != getattr(down, look)()
    (band,) = ax.collections
    assert to_hex(band.get_facecolor()[0]) == down.get_color().lower()
    assert (band.get_paths()[0].vertices[:, 1].min(), band.get_paths()[0].vertices[:, 1].max()) == (-2, 2)


def test_a_family_draws_every_function_and_the_first_ones_dark(ax):
    ys = np.arange(1, 6)[:, None] * X
    plotting.family(X, ys, n_dark=2, ax=ax)
    drawn = np.stack([line.get_ydata() for line in ax.lines])
    assert np.array_equal(drawn, ys[[2, 3, 4, 0, 1]])
    assert [line.get_linewidth() for line in ax.lines] == [0.6, 0.6, 0.6, 2, 2]


def test_closed_curves_draw_every_loop_with_its_centre_and_the_first_ones_dark(ax):
    centres = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    loops = centres[:, None] + CIRCLE
    plotting.closed_curves(loops, centres, n_dark=1, ax=ax)
    drawn = [np.stack(line.get_data(), axis=1) for line in ax.lines]
    assert all(map(np.array_equal, drawn, [loops[1], loops[2], centres[1:], loops[0], centres[:1]]))
    assert [line.get_linewidth() for line in ax.lines][::3] == [0.6, 2]


def test_a_regression_task_shows_points_truth_and_predictions(ax):
    plotting.regression((X[:3, None], X[:3, None] ** 2), X, X**2, {"mine": X, "yours": -X}, ax=ax)
    by_name = {line.get_label(): line for line in ax.lines}
    assert list(by_name) == ["mine", "yours", "truth", "support"]
    assert np.array_equal(by_name["truth"].get_ydata(), X**2)
    assert np.array_equal(by_name["support"].get_xydata(), np.stack([X[:3], X[:3] ** 2], axis=1))
    assert by_name["support"].get_linestyle() == "None"


# Numbers with intervals


def test_a_ladder_has_the_first_rung_on_top_and_says_mean_and_interval(ax):
    plotting.ladder(
        ["pixels", "network"], np.array([0.48, 0.886]), np.array([0.01, 0.006]), reference=0.2, ax=ax
    )
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["pixels", "network"]
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.texts] == ["0.480 ± 0.010", "0.886 ± 0.006"]
    (bars,) = ax.containers
    (ends,) = bars.lines[2]
    assert np.allclose([[a[0], b[0]] for a, b in ends.get_segments()], [[0.47, 0.49], [0.88, 0.892]])
    assert ax.lines[-1].get_xdata() == [0.2, 0.2]
    assert ax.get_xlim()[0] == 0


def test_a_ladder_of_differences_may_reach_below_zero(ax):
    plotting.ladder(["worse"], np.array([-0.1]), np.array([0.02]), ax=ax)
    assert ax.get_xlim()[0] < -0.12


def test_intervals_that_miss_the_truth_stand_out(ax):
    plotting.intervals(np.array([0.0, 0.6, 0.1]), np.array([1.0, 0.9, 0.4]), truth=0.5, ax=ax)
    hit, missed = ax.collections
    assert [s.tolist() for s in hit.get_segments()] == [[[0, 0.0], [0, 1.0]]]
    assert [s[0].tolist() for s in missed.get_segments()] == [[1, 0.6], [2, 0.1]]
    assert missed.get_linewidth()[0] > hit.get_linewidth()[0]


def test_a_histogram_takes_counts_and_edges_and_names_its_marks(ax):
    plotting.histogram(np.array([1, 3]), np.array([0.0, 0.5, 1.0]), marks={"mean": 0.6}, ax=ax)
    values, edges, _ = ax.patches[0].get_data()
    assert (values.tolist(), edges.tolist()) == ([1, 3], [0.0, 0.5, 1.0])
    assert ax.lines[0].get_xdata() == [0.6, 0.6]
    assert ax.get_legend().get_texts()[0].get_text() == "mean"


# The plane, and graphs


def test_points_take_colour_and_marker_from_their_label(ax):
    xy = np.arange(8.0).reshape(4, 2)
    plotting.points(xy, np.array([1, 0, 1, 3]), ax=ax)
    assert [c.get_offsets().tolist() for c in ax.collections] == [[[2, 3]], [[0, 1], [4, 5]], [[6, 7]]]
    colours = [to_hex(c.get_facecolor()[0]).upper() for c in ax.collections]
    assert colours == [plotting.COLOURS[label] for label in (0, 1, 3)]
    assert len({c.get_paths()[0].vertices.tobytes() for c in ax.collections}) == 3


def test_hollow_points_keep_their_colour_as_an_edge(ax):
    plotting.points(np.eye(2), np.array([2, 2]), filled=False, ax=ax)
    assert to_hex(ax.collections[0].get_facecolor()[0]) == "#ffffff"
    assert to_hex(ax.collections[0].get_edgecolor()[0]).upper() == plotting.COLOURS[2]


def test_regions_carry_the_labels_of_the_grid_in_the_colours_of_the_points(ax):
    labels = np.array([[0, 0, 2], [0, 2, 2]])
    plotting.regions(np.arange(3.0), np.arange(2.0), labels, ax=ax)
    mesh = ax.collections[0]
    assert mesh.get_array().tolist() == labels.tolist()
    assert to_hex(mesh.cmap(mesh.norm(2))).upper() == plotting.COLOURS[2]


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


def test_a_graph_names_its_nodes_fills_the_dark_ones_and_writes_notes(ax):
    plotting.graph(SQUARE, [("a", "b"), ("c", "b")], dark=["b"], notes={"c": "0.5"}, ax=ax)
    boxes = {text.get_text(): text for text in ax.texts if text.get_bbox_patch() is not None}
    assert {name: box.get_position() for name, box in boxes.items()} == SQUARE
    assert to_hex(boxes["b"].get_bbox_patch().get_facecolor()).upper() == plotting.COLOURS[0]
    assert to_hex(boxes["a"].get_bbox_patch().get_facecolor()) == "#ffffff"
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
    assert [(arrow.xyann, arrow.xy) for arrow in arrows] == [((0, 0), (1, 0)), ((1, 1), (1, 0))]
    assert "0.5" in [text.get_text() for text in ax.texts]


def test_the_arrows_of_a_graph_stop_at_the_boxes_so_that_wide_names_hide_no_head(ax):
    plotting.graph({"a": (0, 0), "a rather wide name": (1, 0)}, [("a", "a rather wide name")], ax=ax)
    boxes = {text.get_text(): text.get_bbox_patch() for text in ax.texts}
    (arrow,) = [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
    assert (arrow.patchA, arrow.patchB) == (boxes["a"], boxes["a rather wide name"])
    ax.figure.canvas.draw()
    tip = arrow.get_transform().transform(arrow.get_path().vertices)[:, 0].max()
    assert tip < boxes["a rather wide name"].get_window_extent().x0


# Bad input, as a notebook meets it: without the checks of shapes that the tests add


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda f: f(plotting.glyphs)(IMAGES, [1, 2]), "labels has length 2 and images 7"),
        (lambda f: f(plotting.glyphs)(IMAGES, wrong=np.ones(3, bool)), "wrong has length 3 and images 7"),
        (lambda f: f(plotting.curves)(X, {"line": X[1:]}), "line has length 24 and x 25"),
        (lambda f: f(plotting.curves)(X, {"a": X}, bands={"b": (X, X)}), "bands names 'b'; there are 'a'"),
        (lambda f: f(plotting.ladder)(["a"], np.ones(2), np.ones(2)), "means has length 2 and names 1"),
        (lambda f: f(plotting.intervals)(X, X[1:], truth=0), "high has length 24 and low 25"),
        (lambda f: f(plotting.points)(np.eye(2), np.array([1])), "labels has length 1 and xy 2"),
        (lambda f: f(plotting.graph)(SQUARE, [("a", "z")]), "edges names 'z'; there are 'a', 'b', 'c'"),
        (lambda f: f(plotting.graph)(SQUARE, [], dark=["z"]), "dark names 'z'"),
        (lambda f: f(plotting.graph)(SQUARE, [], notes={"z": "1"}), "notes names 'z'"),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call(inspect.unwrap)


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
