"""Means and intervals stand where the numbers say."""

import numpy as np

from reference import plotting


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
    plotting.ladder(["worse", "better"], np.array([-0.1, 0.1]), np.array([0.02, 0.02]), ax=ax)
    assert ax.get_xlim()[0] < -0.12
    assert np.allclose([text.xy[0] for text in ax.texts], [0, 0.12])  # beyond the bars


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
