"""Sliders of whole numbers and of floats; a start outside its range is refused."""

import pytest

from reference import widgets


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
