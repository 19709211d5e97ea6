"""Attention, its loss and that of neighbours, differentiated twice by the engine, checked by small steps."""

import numpy as np
import pytest

from reference.scratch.autodiff import check_gradients
from reference.scratch.matching import attention, class_log_probabilities, nca, similarities
from reference.scratch.nn import cross_entropy

LABELS = np.array([0, 1, 2, 1, 0, 2])


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_derivatives_to_second_order(temperature):
    rng = np.random.default_rng(0)
    queries, support = rng.normal(size=(4, 3)), rng.normal(size=(6, 3))

    def loss(queries, support):
        scores = similarities(queries, support, temperature=temperature)
        return cross_entropy(class_log_probabilities(scores, LABELS, 3), np.array([2, 0, 1, 1]))

    check_gradients(lambda q, s: attention(q, s, temperature=temperature), queries, support, rng=rng)
    check_gradients(loss, queries, support, rng=rng)


def test_derivatives_of_neighbourhood_components_to_second_order():
    rng = np.random.default_rng(1)
    check_gradients(lambda x: nca(x, LABELS), rng.normal(size=(6, 3)), rng=rng)
