"""The heads and costs of Siamese networks, differentiated twice by the engine and checked by small steps."""

import numpy as np
import pytest

from reference.scratch.autodiff import check_gradients
from reference.scratch.siamese import contrastive, cosine, euclidean, same_or_different, weighted_l1

LABELS = np.array([1, 0, 0, 1, 0, 1])


@pytest.mark.parametrize("cost", [lambda d, y: contrastive(d, y, margin=2.0), same_or_different])
@pytest.mark.parametrize("apart", [euclidean, cosine])
def test_derivatives_to_second_order(apart, cost):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 6, 3))
    check_gradients(lambda a, b: apart({}, a, b), a, b, rng=rng)
    check_gradients(lambda a, b: cost(apart({}, a, b), LABELS), a, b, rng=rng)


@pytest.mark.parametrize("cost", [lambda d, y: contrastive(d, y, margin=2.0), same_or_different])
def test_derivatives_of_the_learned_head_to_second_order(cost):
    rng = np.random.default_rng(1)

    def loss(a, b, weight, bias):
        return cost(weighted_l1({"head.weight": weight, "head.bias": bias}, a, b), LABELS)

    shapes = ((6, 3), (6, 3), (1, 3), (1,))
    check_gradients(loss, *(rng.normal(size=shape) for shape in shapes), rng=rng)


def test_derivatives_of_a_cost_to_second_order_also_in_its_tails():
    rng = np.random.default_rng(2)
    check_gradients(lambda d: same_or_different(d, LABELS), 5 * rng.normal(size=6), rng=rng)
    check_gradients(lambda d: contrastive(d, LABELS, margin=1.0), rng.uniform(0.1, 0.9, size=6), rng=rng)
