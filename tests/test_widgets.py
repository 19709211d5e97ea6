"""Every figure is drawn at the ends of its sliders without a front end; every widget is built and moved."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from reference import widgets
from reference.baselines import nearest_centroid
from reference.episodes import Episode, Examples


class Noise:
    """Few-shot tasks whose images are noise."""

    def __init__(self, *, n_way, k_shot, n_query):
        self.sizes = n_way, k_shot, n_query

    def sample(self, rng):
        n_way, k_shot, n_query = self.sizes

        def examples(n_each):
            y = rng.permutation(np.repeat(np.arange(n_way), n_each))
            return Examples(rng.random((len(y), 1, 8, 8)), y)

        return Episode(examples(k_shot), examples(n_query))

    def sample_batch(self, rng, n_tasks):
        raise NotImplementedError


VALUES = np.random.default_rng(0).binomial(75, 0.8, size=600) / 75
POSITIONS = {"x": (0, 0), "square": (1, 0), "sum": (2, 0)}
EDGES = [("x", "square"), ("square", "sum")]
GRADIENTS = {"sum": "1", "square": "1", "x": "2x"}
SUPPORT = Examples(np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]]), np.array([2, 0, 1]))


def centres(support):
    return np.stack([support.x[support.y == label].mean(0) for label in range(3)])


SHOWN = [  # a figure, what it is given, and its sliders as (low, high, start)
    (
        widgets.show_episode,
        (Noise,),
        {"n_way": (2, 12, 5), "k_shot": (1, 5, 1), "n_query": (1, 5, 3), "seed": (0, 9, 0)},
    ),
    (widgets.show_interval, (VALUES,), {"n_episodes": (2, 600, 100)}),
    (widgets.show_backward, (POSITIONS, EDGES, GRADIENTS), {"step": (0, 3, 1)}),
    (
        widgets.show_cells,
        (nearest_centroid, centres, SUPPORT),
        {"point": (0, 2, 0), "right": (-3.0, 3.0, 0.0), "up": (-3.0, 3.0, 0.0)},
    ),
]
each_figure = pytest.mark.parametrize(("show", "fixed", "ranges"), SHOWN, ids=[s[0].__name__ for s in SHOWN])


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    plt.close("all")


@each_figure
def test_a_figure_is_drawn_at_the_ends_of_its_sliders(show, fixed, ranges):
    for ends in itertools.product(*((low, high) for low, high, _ in ranges.values())):
        axes = show(*fixed, **dict(zip(ranges, ends, strict=True)))
        figure = np.atleast_1d(axes)[0].figure
        assert figure.get_size_inches()[0] <= 8
        plt.close(figure)


@each_figure
def test_a_widget_has_a_slider_for_each_range_and_redraws_when_one_moves(show, fixed, ranges):
    drawn = []

    def remembering(*given, **values):
        drawn.append(values)
        assert given == fixed
        return show(*given, **values)

    widget = widgets.sliders(remembering, *fixed, **ranges)
    controls = {control.description: control for control in widget.children[: len(ranges)]}
    assert {n: (c.min, c.max, c.value) for n, c in controls.items()} == ranges
    assert not any(control.continuous_update for control in controls.values())
    for name, (_, high, _) in ranges.items():
        controls[name].value = high
    assert drawn[-1] == {name: high for name, (_, high, _) in ranges.items()}
    assert widget.result is None


def test_whole_numbers_make_a_slider_of_whole_numbers():
    widget = widgets.sliders(lambda n, x: None, n=(1, 5, 2), x=(0, 1.0, 0.5))
    whole, real = widget.children[:2]
    assert (type(whole.value), type(real.value)) == (int, float)
    assert real.step == 0.01


@pytest.mark.parametrize("limits", [(0, 5, 6), (5, 0, 3), (1, 2, 0)])
def test_a_start_outside_the_range_is_refused(limits):
    with pytest.raises(
        ValueError, match=f"n starts at {limits[2]}; it must lie between {limits[0]} and {limits[1]}"
    ):
        widgets.sliders(lambda n: None, n=limits)


def test_the_same_sliders_show_the_same_episode():
    first, again, other = (
        widgets.show_episode(Noise, n_way=3, k_shot=1, n_query=2, seed=seed)[1].images[0].get_array()
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_last_mean_drawn_is_the_mean_of_that_many_episodes():
    ax = widgets.show_interval(VALUES, n_episodes=200)
    assert ax.lines[0].get_xydata()[-1].tolist() == [200, VALUES[:200].mean()]
    assert ax.get_title().endswith("(95% CI, 200 episodes)")


def test_a_backward_pass_goes_from_the_loss_to_the_input():
    ax = widgets.show_backward(POSITIONS, EDGES, GRADIENTS, step=2)
    filled = [t.get_text() for t in ax.texts if t.get_bbox_patch() is not None and t.get_color() == "white"]
    assert filled == ["square", "sum"]
    assert ax.get_title() == "backward pass: 2 of 3 gradients are known"


def test_moving_a_point_moves_its_cell_and_leaves_the_support_set_alone():
    before = SUPPORT.x.copy()
    still = widgets.show_cells(nearest_centroid, centres, SUPPORT, point=1, right=0, up=0)
    moved = widgets.show_cells(nearest_centroid, centres, SUPPORT, point=1, right=2.0, up=-1.0)
    assert np.array_equal(SUPPORT.x, before)
    assert moved.collections[-3].get_offsets().tolist() == [[3.0, -1.0]]  # label 0, drawn first of the points
    hollow = [c.get_offsets()[0].tolist() for c in moved.collections[-6:-3]]
    assert hollow == [[3.0, -1.0], [-1.0, 0.0], [0.0, 1.0]]  # one example each: the prototypes sit on them
    assert (still.collections[0].get_array() != moved.collections[0].get_array()).any()
