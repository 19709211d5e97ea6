"""Figures that move: sliders over plain functions that draw. A figure is what its sliders say."""

from collections.abc import Callable
from typing import Any

import ipywidgets

from reference import plotting


def sliders(show: Callable, *fixed: Any, **ranges: tuple) -> ipywidgets.interactive:
    """A widget with one slider for each range; it draws `show(*fixed, **values)` anew when one is let go.

    `show` draws a figure and leaves it open. A range is (low, high, start), whole numbers for a slider of
    whole numbers, else floats. Let it be the last line of a cell. Raises ValueError unless the start lies
    between the two ends.
    """

    def redraw(**values: Any) -> None:
        show(*fixed, **values)
        plotting.show("The figure with " + ", ".join(f"{name} = {value:g}" for name, value in values.items()))

    return ipywidgets.interactive(redraw, **{name: _slider(name, *limits) for name, limits in ranges.items()})


def _slider(name: str, low: float | int, high: float | int, start: float | int) -> ipywidgets.Widget:
    if not low <= start <= high:
        raise ValueError(f"{name} starts at {start}; it must lie between {low} and {high}.")
    whole = all(isinstance(x, int) for x in (low, high, start))
    settings = {"value": start, "min": low, "max": high, "description": name, "continuous_update": False}
    if whole:
        return ipywidgets.IntSlider(**settings)
    return ipywidgets.FloatSlider(**settings, step=(high - low) / 100)
