"""The losses' derivatives to second order."""

import numpy as np

from reference.scratch.autodiff import check_gradients
from reference.scratch.nn import cross_entropy, mean_squared_error


def test_derivatives_to_second_order():
    rng, labels = np.random.default_rng(2), np.array([0, 2, 1, 1])
    check_gradients(lambda scores: cross_entropy(scores, labels), rng.normal(size=(4, 3)), rng=rng)
    check_gradients(mean_squared_error, rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng=rng)
