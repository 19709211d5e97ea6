"""Distances and directions against loops, and their corner at zero."""

import numpy as np
import pytest

from tests.sides import along, random_direction, slope


def test_they_are_their_formulas_for_every_pair(side):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    here = side.array(a)[:, None], side.array(b)[None]
    expected = np.array([[np.linalg.norm(x - y) for y in b] for x in a])
    np.testing.assert_allclose(side.numpy(side.nn.distance(*here)), expected, rtol=1e-12)
    np.testing.assert_allclose(side.numpy(side.nn.squared_distance(*here)), expected**2, rtol=1e-12)
    np.testing.assert_allclose(
        side.numpy(side.nn.unit(side.array(a))), a / np.linalg.norm(a, axis=1)[:, None], rtol=1e-12
    )


def test_at_zero_the_value_and_the_slopes_are_finite(side):
    x = np.array([[1.0, 2.0], [0.0, 0.0]])

    def total(params):
        at_zero = side.nn.distance(params["x"], side.array(x)).sum()
        return at_zero + side.nn.unit(0 * params["x"]).sum()

    value, gradient = side.value_and_grad(total)(side.array({"x": x}))
    assert float(value) == 0 and not side.numpy(gradient)["x"].any()
    assert side.numpy(side.nn.unit(side.array(x)))[1].tolist() == [0, 0]


@pytest.mark.parametrize("name", ["distance", "squared_distance"])
def test_gradients_are_what_small_steps_find(side, name):
    rng = np.random.default_rng(1)
    params = {"a": rng.normal(size=(4, 3)), "b": rng.normal(size=(4, 3))}

    def loss(p):
        return (getattr(side.nn, name)(p["a"], p["b"]) * side.nn.unit(p["a"])[:, 0]).sum()

    _, gradient = side.value_and_grad(loss)(side.array(params))
    direction = random_direction(params)
    assert along(side.numpy(gradient), direction) == pytest.approx(
        slope(side, loss, params, direction), rel=1e-7
    )
