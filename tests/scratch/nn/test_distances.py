"""Distances and directions, differentiated twice by the engine and checked by small steps."""

import numpy as np

from reference.scratch.autodiff import Tensor, check_gradients, detach, grad
from reference.scratch.nn import distance, squared_distance, unit


def test_derivatives_to_second_order():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 3))
    for measure in (distance, squared_distance):
        check_gradients(measure, a, b, rng=rng)
        check_gradients(lambda a, b, m=measure: m(a[:, None], b[None]), a, b, rng=rng)
    check_gradients(unit, a, rng=rng)


def test_at_zero_the_first_two_derivatives_are_finite():
    x = Tensor(np.zeros((2, 3)))
    for function in (lambda x: distance(x, np.zeros((2, 3))), unit):
        first = grad(np.sum(function(x)), x)
        second = grad(np.sum(first**2), x)
        assert np.isfinite(detach(first)).all() and np.isfinite(detach(second)).all()
