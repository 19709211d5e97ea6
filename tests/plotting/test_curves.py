"""Lines carry their data, and no two look alike."""

import numpy as np
from matplotlib.colors import to_hex

from reference import plotting

X = np.linspace(-1, 1, 25)


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


def test_a_regression_task_shows_points_truth_and_predictions(ax):
    plotting.regression((X[:3, None], X[:3, None] ** 2), X, X**2, {"mine": X, "yours": -X}, ax=ax)
    by_name = {line.get_label(): line for line in ax.lines}
    assert list(by_name) == ["mine", "yours", "truth", "support"]
    assert np.array_equal(by_name["truth"].get_ydata(), X**2)
    assert np.array_equal(by_name["support"].get_xydata(), np.stack([X[:3], X[:3] ** 2], axis=1))
    assert by_name["support"].get_linestyle() == "None"
