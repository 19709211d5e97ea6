"""The scratch networks against loops, and their derivatives against small steps."""

import numpy as np
import pytest

from reference.scratch.autodiff import Tensor, check_gradients, detach, grad
from reference.scratch.nn import conv4, init_conv4, init_mlp, layer_norm, linear, mlp

RNG = np.random.default_rng


def in_float64(params):
    return {name: p.astype(np.float64) for name, p in params.items()}


def test_names_shapes_and_bounds_are_pytorchs():
    params = init_mlp(RNG(0), [1, 40, 40, 2])
    assert {name: p.shape for name, p in params.items()} == {
        **{"layers.0.weight": (40, 1), "layers.0.bias": (40,)},
        **{"layers.1.weight": (40, 40), "layers.1.bias": (40,)},
        **{"layers.2.weight": (2, 40), "layers.2.bias": (2,)},
    }
    assert (
        np.abs(params["layers.1.weight"]).max() <= 40**-0.5 < 1.01 * np.abs(params["layers.1.weight"]).max()
    )
    conv = init_conv4(RNG(0), 8)
    assert [conv[f"blocks.{i}.conv.weight"].shape for i in range(4)] == [(8, 1, 3, 3)] + 3 * [(8, 8, 3, 3)]
    assert {p.dtype for p in (*params.values(), *conv.values())} == {np.dtype(np.float32)}


def test_sizes_without_a_layer_are_refused():
    with pytest.raises(ValueError, match=r"sizes: got \[3\]"):
        init_mlp(RNG(0), [3])


def test_mlp_is_its_loops():
    params, x = in_float64(init_mlp(RNG(0), [3, 4, 2])), RNG(1).normal(size=(5, 3))
    for n in range(5):
        hidden = [
            max(0.0, sum(w * v for w, v in zip(row, x[n], strict=True)) + b)
            for row, b in zip(params["layers.0.weight"], params["layers.0.bias"], strict=True)
        ]
        expected = [
            sum(w * v for w, v in zip(row, hidden, strict=True)) + b
            for row, b in zip(params["layers.1.weight"], params["layers.1.bias"], strict=True)
        ]
        np.testing.assert_allclose(mlp(params, x)[n], expected, rtol=1e-12)


def test_a_task_axis_is_every_task_by_itself():
    tasks = [in_float64(init_mlp(RNG(seed), [3, 4, 2])) for seed in range(6)]
    x = RNG(9).normal(size=(6, 5, 3))
    together = mlp({name: np.stack([task[name] for task in tasks]) for name in tasks[0]}, x)
    np.testing.assert_allclose(together, [mlp(task, part) for task, part in zip(tasks, x, strict=True)])
    np.testing.assert_allclose(mlp(tasks[0], x), [mlp(tasks[0], part) for part in x])


def test_derivatives_to_second_order():
    rng = RNG(2)
    check_gradients(linear, rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), rng.normal(size=2), rng=rng)
    check_gradients(layer_norm, rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=4), rng=rng)


def test_layer_norm_has_mean_zero_and_variance_one():
    y = layer_norm(RNG(3).normal(3, 5, size=(6, 50)), np.ones(50), np.zeros(50))
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=-1), 1, rtol=1e-4)


def test_conv4_gives_one_row_of_width_numbers_and_its_gradient_is_what_small_steps_find():
    params, x = in_float64(init_conv4(RNG(0), 4)), RNG(1).uniform(size=(3, 1, 28, 28))
    y = conv4(params, x)
    assert y.shape == (3, 4)
    np.testing.assert_allclose(y[1:2], conv4(params, x[1:2]), rtol=1e-12)
    leaves = {name: Tensor(p) for name, p in params.items()}
    gradient = grad(np.sum(conv4(leaves, x) ** 2), leaves)
    direction = {name: RNG(2).normal(size=p.shape) for name, p in params.items()}
    ahead, behind = (
        np.sum(conv4({name: p + h * direction[name] for name, p in params.items()}, x) ** 2)
        for h in (1e-7, -1e-7)
    )
    slope = sum(np.sum(detach(gradient[name]) * direction[name]) for name in params)
    assert slope == pytest.approx((ahead - behind) / 2e-7, rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 28, 28), (28, 28), (2, 3, 28, 28)])
def test_images_without_their_axes_are_named(shape):
    with pytest.raises(ValueError, match=r"^x: got shape \(.*\); grey images are \(n, 1, height, width\)"):
        conv4(init_conv4(RNG(0), 4), np.ones(shape))


def test_images_that_four_halvings_leave_nothing_of_are_named():
    assert conv4(init_conv4(RNG(0), 4), np.ones((2, 1, 16, 31))).shape == (2, 4)
    with pytest.raises(ValueError, match=r"^x: got images of 15 x 28; the least is 16 x 16\.$"):
        conv4(init_conv4(RNG(0), 4), np.ones((2, 1, 15, 28)))
