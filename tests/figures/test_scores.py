"""A rung says the mean and the half width of its score."""

import numpy as np

from reference.evaluation import Score
from reference.figures import score_ladder


def test_every_score_has_its_rung_with_its_own_mean_and_interval():
    low, high = (Score(np.random.default_rng(0).normal(mean, 0.1, size=50)) for mean in (0.3, 0.8))
    ax = score_ladder({"before": low, "after": high}, reference=0.2)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["before", "after"]
    said = [f"{score.mean:.3f} ± {score.half_width:.3f}" for score in (low, high)]
    assert [text.get_text() for text in ax.texts] == said
    assert ax.lines[-1].get_xdata() == [0.2, 0.2]
