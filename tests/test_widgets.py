"""Sliders of whole numbers and of floats; a start outside its range is refused."""

import matplotlib.pyplot as plt
import pytest

from reference import plotting, widgets


@pytest.fixture(autouse=True)
def said(monkeypatch):
    """What a reader is told of the figures that were shown."""
    words = []
    monkeypatch.setattr(plotting, "show", words.append)
    return words


def test_every_figure_says_where_the_sliders_stand(said):
    widget = widgets.sliders(lambda n, x: plt.close("all"), n=(1, 5, 2), x=(0, 1.0, 0.5))
    widget.update()
    widget.children[0].value = 4
    assert said[-2:] == ["The figure with n = 2, x = 0.5", "The figure with n = 4, x = 0.5"]


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
