"""The losses against loops, and labels that cannot be."""

import math

import numpy as np
import pytest

from reference.scratch.autodiff import check_gradients, log_softmax
from reference.scratch.nn.losses import cross_entropy, mean_squared_error

RNG = np.random.default_rng


def test_cross_entropy_is_its_loop_also_for_log_probabilities():
    scores, labels = RNG(0).normal(size=(6, 4)), RNG(1).integers(4, size=6)
    loop = 0.0
    for row, label in zip(scores, labels, strict=True):
        loop -= math.log(math.exp(row[label]) / sum(map(math.exp, row))) / 6
    assert cross_entropy(scores, labels) == pytest.approx(loop)
    assert cross_entropy(log_softmax(scores), labels) == pytest.approx(loop)


def test_mean_squared_error_by_hand():
    assert mean_squared_error(np.array([1.0, 2.0]), np.array([0.0, 4.0])) == 2.5


def test_derivatives_to_second_order():
    rng = RNG(2)
    labels = np.array([0, 2, 1, 1])
    check_gradients(lambda scores: cross_entropy(scores, labels), rng.normal(size=(4, 3)), rng=rng)
    check_gradients(mean_squared_error, rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng=rng)


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_labels_without_a_score_are_named(labels):
    with pytest.raises(ValueError, match=r"labels: got \[.*\]; with 3 scores they are 0..2"):
        cross_entropy(np.zeros((2, 3)), np.array(labels))
