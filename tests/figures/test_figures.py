"""Every figure is drawn at the ends of its sliders without a front end, and its sliders redraw it."""

import inspect
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from reference import figures, widgets
from tests.figures import test_adapting, test_comparing, test_foundations, test_remembering

MODULES = (test_foundations, test_comparing, test_adapting, test_remembering)
SHOWN = [shown for module in MODULES for shown in module.SHOWN]
each_figure = pytest.mark.parametrize(("show", "fixed", "ranges"), SHOWN, ids=[s[0].__name__ for s in SHOWN])


def test_every_figure_is_tried_here():
    drawn = {f for name, f in inspect.getmembers(figures, inspect.isfunction) if name.startswith("show_")}
    assert drawn == {show for show, _, _ in SHOWN}


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
