"""Named scores, side by side."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from reference import plotting
from reference.evaluation import Score


def score_ladder(
    scores: Mapping[str, Score], *, reference: float | int | None = None, ax: Axes | None = None
) -> Axes:
    """One rung for each score, the first on top: its mean and its interval; `reference` is a dashed line."""
    means, half_widths = np.array([(score.mean, score.half_width) for score in scores.values()]).T
    return plotting.ladder(list(scores), means, half_widths, reference=reference, ax=ax)
