"""Chapters 07 to 09: where training stops, and what a step does."""

import numpy as np

from reference.episodes import Examples
from reference.figures import show_fixed_points, show_inner_steps, show_rates

AT = np.linspace(-3, 3, 21)
CURVE = Examples(AT[::5, None], np.sin(AT[::5, None]))
VALLEYS = np.array([[0.0, 0.0], [4.0, 1.0]])
BENDS = np.array([[[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.5], [0.5, 1.0]]])


def after_a_step(first, middle, last, own):
    """The truth where every layer counts once and its rates are its own."""
    return (0.5 * first + 0.2 * middle + 0.3 * last) * own * np.sin(AT)


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
        show_rates,
        (after_a_step, CURVE, AT, np.sin(AT)),
        {
            "first": (0.0, 2.0, 1.0),
            "middle": (0.0, 2.0, 1.0),
            "last": (0.0, 2.0, 1.0),
            "own": (0.0, 1.0, 1.0),
        },
    ),
    (
        show_fixed_points,
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
        show_inner_steps,
        (between_valleys, straight_walks, np.stack([VALLEYS, VALLEYS + 1]), VALLEYS),
        {"n_steps": (1, 40, 4), "inner_lr": (0.02, 0.6, 0.2)},
    ),
]


def test_the_title_says_how_far_the_chosen_rates_come():
    learned = show_rates(after_a_step, CURVE, AT, np.sin(AT), first=1.0, middle=1.0, last=1.0, own=1.0)
    frozen = show_rates(after_a_step, CURVE, AT, np.sin(AT), first=0.0, middle=0.0, last=0.0, own=1.0)
    before = np.mean(np.sin(AT) ** 2)
    assert learned.get_title() == f"error as the sliders say 0.00, before the step {before:.2f}"
    assert frozen.get_title() == f"error as the sliders say {before:.2f}, before the step {before:.2f}"
    still, learned_line, chosen = (line.get_ydata() for line in frozen.lines[:3])
    assert not still.any() and np.array_equal(chosen, still)
    assert np.allclose(learned_line, np.sin(AT))


def test_a_moved_task_takes_its_stopping_points_along_and_is_drawn_on_its_level_curves():
    settings = {"inner_lr": 0.5, "n_steps": 2}
    ax = show_fixed_points(mean_and_last, VALLEYS, BENDS, right=1.0, up=-1.0, steep=2.0, **settings)
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
    ax = show_inner_steps(between_valleys, straight_walks, loops, VALLEYS, n_steps=3, inner_lr=0.5)
    joint, trail, reptile, mean = (line.get_xydata() for line in ax.lines[:4])
    stops = np.array([between_valleys(n, 0.5) for n in (1, 2, 3)])
    assert np.array_equal(joint[0], stops[0]) and np.array_equal(reptile[0], stops[-1])
    assert np.array_equal(trail, stops) and np.array_equal(mean[0], VALLEYS.mean(0))
    walked = [line.get_xydata() for line in ax.lines[-2:]]
    assert np.array_equal(walked, straight_walks(stops[-1], 3, 0.5))
    assert ax.get_title() == "3 inner steps of rate 0.50"
