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


AT = np.linspace(-3, 3, 21)
CURVE = Examples(AT[::5, None], np.sin(AT[::5, None]))


def after_a_step(first, middle, last, own):
    """The truth where every layer counts once and its rates are its own."""
    return (0.5 * first + 0.2 * middle + 0.3 * last) * own * np.sin(AT)


VALLEYS = np.array([[0.0, 0.0], [4.0, 1.0]])
BENDS = np.array([[[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.5], [0.5, 1.0]]])


def mean_and_last(centres, curvatures, inner_lr, n_steps):
    """Two places of which the first depends on the optima alone, the second on all."""
    return {"mean": centres.mean(0), "last": centres[-1] + inner_lr * n_steps * curvatures[-1, 0]}


def between_valleys(n_steps, inner_lr):
    """Nearer to the first valley, the more steps are taken."""
    return VALLEYS[1] / (1 + n_steps * inner_lr)


def straight_walks(place, n_steps, inner_lr):
    """Halfway to each valley in equal steps."""
    share = np.linspace(0, 0.5, n_steps + 1)[:, None]
    return np.stack([place + share * (valley - place) for valley in VALLEYS])


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
    (
        widgets.show_rates,
        (after_a_step, CURVE, AT, np.sin(AT)),
        {
            "first": (0.0, 2.0, 1.0),
            "middle": (0.0, 2.0, 1.0),
            "last": (0.0, 2.0, 1.0),
            "own": (0.0, 1.0, 1.0),
        },
    ),
    (
        widgets.show_fixed_points,
        (mean_and_last, VALLEYS, BENDS),
        {
            "right": (-3.0, 3.0, 0.0),
            "up": (-3.0, 3.0, 0.0),
            "steep": (0.5, 2.0, 1.0),
            "inner_lr": (0.0, 1.0, 0.4),
            "n_steps": (1, 5, 2),
        },
    ),
    (
        widgets.show_inner_steps,
        (between_valleys, straight_walks, np.stack([VALLEYS, VALLEYS + 1]), VALLEYS),
        {"n_steps": (1, 40, 4), "inner_lr": (0.02, 0.6, 0.2)},
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


def test_the_title_says_how_far_the_chosen_rates_come():
    learned = widgets.show_rates(
        after_a_step, CURVE, AT, np.sin(AT), first=1.0, middle=1.0, last=1.0, own=1.0
    )
    frozen = widgets.show_rates(after_a_step, CURVE, AT, np.sin(AT), first=0.0, middle=0.0, last=0.0, own=1.0)
    before = np.mean(np.sin(AT) ** 2)
    assert learned.get_title() == f"error as the sliders say 0.00, before the step {before:.2f}"
    assert frozen.get_title() == f"error as the sliders say {before:.2f}, before the step {before:.2f}"
    still, learned_line, chosen = (line.get_ydata() for line in frozen.lines[:3])
    assert not still.any() and np.array_equal(chosen, still)
    assert np.allclose(learned_line, np.sin(AT))


def test_a_moved_task_takes_its_stopping_points_along_and_is_drawn_on_its_level_curves():
    settings = {"inner_lr": 0.5, "n_steps": 2}
    ax = widgets.show_fixed_points(mean_and_last, VALLEYS, BENDS, right=1.0, up=-1.0, steep=2.0, **settings)
    mean, last = (np.ravel(line.get_xydata()) for line in ax.lines[:2])
    assert mean.tolist() == [2.5, 0] and last.tolist() == [5 + 4, 0 + 1]
    moved, bend = VALLEYS[1] + (1, -1), 2 * BENDS[1]
    losses = [
        np.einsum("ni,ij,nj->n", away, bend, away) / 2
        for away in (line.get_xydata() - moved for line in ax.lines[2:])
    ]
    found = {round(float(loss[0]), 6) for loss in losses if len(loss) == 61 and np.allclose(loss, loss[0])}
    assert found == {0.25, 1.0}
    assert VALLEYS[1].tolist() == [4, 1] and BENDS[1, 0, 0] == 2
    assert ax.get_title() == "2 inner steps of rate 0.50"


def test_reptile_is_shown_where_it_stops_and_every_task_walks_from_there():
    loops = np.stack([VALLEYS, VALLEYS + 1])
    ax = widgets.show_inner_steps(between_valleys, straight_walks, loops, VALLEYS, n_steps=3, inner_lr=0.5)
    joint, trail, reptile, mean = (line.get_xydata() for line in ax.lines[:4])
    stops = np.array([between_valleys(n, 0.5) for n in (1, 2, 3)])
    assert np.array_equal(joint[0], stops[0]) and np.array_equal(reptile[0], stops[-1])
    assert np.array_equal(trail, stops) and np.array_equal(mean[0], VALLEYS.mean(0))
    walked = [line.get_xydata() for line in ax.lines[-2:]]
    assert np.array_equal(walked, straight_walks(stops[-1], 3, 0.5))
    assert ax.get_title() == "3 inner steps of rate 0.50"
