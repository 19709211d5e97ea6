"""Every operation of the engine, judged by small steps to second order and by torch, in float64, to third."""

import numpy as np
import pytest
import torch

from reference.scratch.autodiff import (
    Tensor,
    check_gradients,
    conv2d,
    detach,
    grad,
    log_sigmoid,
    log_softmax,
    logsumexp,
    max_pool2d,
    norm,
    relu,
    sigmoid,
    softmax,
    softplus,
)

functional = torch.nn.functional

ONE = [((),), ((3,),), ((2, 3),), ((2, 1, 3),)]
PAIRS = [
    ((), ()),
    ((3,), (3,)),
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((), (2, 3)),
    ((4, 2, 3), (2, 1)),
]
MATRICES = [((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((5, 2, 3), (5, 3, 4))]
MATRICES += [
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (6, 3, 4)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)),
]
TABLE = [((2, 3),), ((4, 2, 3),)]
ROWS = np.array([0, 2, 2])

# name: (ours, torch's, shapes of the operands), for operands drawn from a normal distribution
OPERATIONS = {
    "add": (lambda a, b: a + b, lambda a, b: a + b, PAIRS),
    "subtract": (lambda a, b: a - b, lambda a, b: a - b, PAIRS),
    "multiply": (lambda a, b: a * b, lambda a, b: a * b, PAIRS),
    "divide": (lambda a, b: a / b, lambda a, b: a / b, PAIRS),
    "constants": (lambda x: 2 - (1 + x * 3) / 4, lambda x: 2 - (1 + x * 3) / 4, ONE),
    "reciprocal": (lambda x: 1 / x, lambda x: 1 / x, ONE),
    "negative": (lambda x: -x * x, lambda x: -x * x, ONE),
    "square": (np.square, torch.square, ONE),
    "cube": (lambda x: x**3, lambda x: x**3, ONE),
    "power of constants": (
        lambda x: x ** np.array([0, 1, 2]),
        lambda x: x ** torch.tensor([0, 1, 2]),
        ONE[1:],
    ),
    "exp": (np.exp, torch.exp, ONE),
    "tanh": (np.tanh, torch.tanh, ONE),
    "sin": (np.sin, torch.sin, ONE),
    "cos": (np.cos, torch.cos, ONE),
    "sigmoid": (sigmoid, torch.sigmoid, ONE),
    "log_sigmoid": (log_sigmoid, functional.logsigmoid, ONE),
    "softplus": (softplus, functional.softplus, ONE),
    "relu": (lambda x: relu(x) ** 2, lambda x: torch.relu(x) ** 2, ONE),
    "abs": (lambda x: abs(x) ** 3, lambda x: x.abs() ** 3, ONE),
    "maximum": (lambda a, b: np.maximum(a, b) ** 2, lambda a, b: torch.maximum(a, b) ** 2, PAIRS),
    "minimum": (lambda a, b: np.minimum(a, b) ** 2, lambda a, b: torch.minimum(a, b) ** 2, PAIRS),
    "where": (
        lambda a, b: np.where(a > 0, a * b, b) ** 2,
        lambda a, b: torch.where(a > 0, a * b, b) ** 2,
        PAIRS,
    ),
    "sum": (lambda x: np.sum(x) ** 2, lambda x: x.sum() ** 2, ONE),
    "sum of rows": (lambda x: np.sum(x, axis=0) ** 2, lambda x: x.sum(0) ** 2, TABLE),
    "sum of axes": (lambda x: x.sum(axis=(-1, 0)) ** 2, lambda x: x.sum((-1, 0)) ** 2, TABLE),
    "sum kept": (lambda x: x * x.sum(axis=-1, keepdims=True), lambda x: x * x.sum(-1, keepdim=True), TABLE),
    "mean": (lambda x: np.mean(x, axis=-1) ** 2, lambda x: x.mean(-1) ** 2, TABLE),
    "mean of all": (lambda x: x.mean() ** 2, lambda x: x.mean() ** 2, ONE),
    "var": (lambda x: np.var(x, axis=-1) ** 2, lambda x: x.var(-1, unbiased=False) ** 2, TABLE),
    "max": (lambda x: np.max(x, axis=-1) ** 2, lambda x: x.amax(-1) ** 2, TABLE),
    "max of all": (lambda x: x.max() ** 2, lambda x: x.amax() ** 2, ONE),
    "min kept": (
        lambda x: x * np.min(x, axis=(0, 1), keepdims=True),
        lambda x: x * x.amin((0, 1), keepdim=True),
        TABLE,
    ),
    "matmul": (lambda a, b: a @ b, lambda a, b: a @ b, MATRICES),
    "einsum": (
        lambda a, b: np.einsum("...ij,kj->...ik", a, b),
        lambda a, b: torch.einsum("...ij,kj->...ik", a, b),
        [((2, 3), (4, 3)), ((5, 2, 3), (4, 3))],
    ),
    "einsum of three": (
        lambda a, b, c: np.einsum("ni,nj,ijk->k", a, b, c),
        lambda a, b, c: torch.einsum("ni,nj,ijk->k", a, b, c),
        [((4, 2), (4, 3), (2, 3, 5))],
    ),
    "einsum over an axis of one": (
        lambda a, b: np.einsum("ij,kj->k", a, b) ** 2,
        lambda a, b: torch.einsum("ij,kj->k", a, b) ** 2,
        [((2, 1), (4, 3)), ((2, 3), (4, 1))],
    ),
    "einsum that sums": (
        lambda a, b: np.einsum("ij,kj->k", a, b) ** 2,
        lambda a, b: torch.einsum("ij,kj->k", a, b) ** 2,
        [((2, 3), (4, 3))],
    ),
    "item": (lambda x: x[1] ** 2, lambda x: x[1] ** 2, [((3,),), *TABLE]),
    "slice": (lambda x: x[..., 1:, None] ** 2, lambda x: x[..., 1:, None] ** 2, [((3,),), *TABLE]),
    "backwards": (lambda x: x[..., ::-2] ** 2, lambda x: x.flip(-1)[..., ::2] ** 2, [((3,),), *TABLE]),
    "rows, one twice": (lambda x: x[..., ROWS] ** 2, lambda x: x[..., ROWS] ** 2, [((3,),), *TABLE]),
    "pairs of indices": (
        lambda x: x[..., [0, 1, 1], [2, 0, 0]] ** 2,
        lambda x: x[..., [0, 1, 1], [2, 0, 0]] ** 2,
        TABLE,
    ),
    "boolean index": (lambda x: x[x > 0] ** 2, lambda x: x[x > 0] ** 2, TABLE),
    "reshape": (lambda x: x.reshape(3, -1) ** 2, lambda x: x.reshape(3, -1) ** 2, TABLE),
    "ravel": (lambda x: np.ravel(x) ** 2, lambda x: x.ravel() ** 2, TABLE),
    "transpose": (lambda x: x.T @ x, lambda x: x.T @ x, TABLE[:1]),
    "transpose axes": (
        lambda x: np.transpose(x, (1, -1, 0)) ** 2,
        lambda x: x.permute(1, -1, 0) ** 2,
        TABLE[1:],
    ),
    "swapaxes": (lambda x: x.swapaxes(-1, -2) @ x, lambda x: x.mT @ x, TABLE),
    "expand and squeeze": (
        lambda x: np.squeeze(np.expand_dims(x, (0, 2)) ** 2, axis=0),
        lambda x: x[:, None] ** 2,
        TABLE,
    ),
    "broadcast_to": (
        lambda x: np.broadcast_to(x, (4, 2, 3)) ** 2,
        lambda x: x.broadcast_to(4, 2, 3) ** 2,
        [((3,),), ((2, 3),), ((2, 1),)],
    ),
    "concatenate": (
        lambda a, b: np.concatenate([a, b, a], axis=-1) ** 2,
        lambda a, b: torch.cat([a, b, a], dim=-1) ** 2,
        [((3,), (2,)), ((2, 3), (2, 1))],
    ),
    "stack": (
        lambda a, b: np.stack([a, b], axis=-1) ** 2,
        lambda a, b: torch.stack([a, b], dim=-1) ** 2,
        [((), ()), ((3,), (3,)), ((2, 3), (2, 3))],
    ),
    "logsumexp": (lambda x: logsumexp(x, axis=0), lambda x: x.logsumexp(0), [((3,),), *TABLE]),
    "softmax": (softmax, lambda x: x.softmax(-1), [((3,),), *TABLE]),
    "log_softmax": (log_softmax, lambda x: x.log_softmax(-1), [((3,),), *TABLE]),
    "norm": (lambda x: norm(x, axis=-1), lambda x: torch.linalg.norm(x, dim=-1), [((3,),), *TABLE]),
    "norm of all": (np.linalg.norm, lambda x: torch.sum(x**2) ** 0.5, TABLE),
    "conv2d": (
        lambda x, w, b: conv2d(x, w, b, padding=1),
        lambda x, w, b: functional.conv2d(x, w, b, padding=1),
        [
            ((2, 3, 5, 4), (2, 3, 3, 3), (2,)),
            ((2, 1, 1, 1), (2, 1, 3, 3), (2,)),
            ((1, 2, 3, 6), (2, 2, 3, 2), (2,)),
        ],
    ),
    "conv2d without padding": (
        lambda x, w: conv2d(x, w),
        lambda x, w: functional.conv2d(x, w),
        [((2, 3, 5, 4), (2, 3, 3, 2)), ((2, 3, 3, 3), (2, 3, 3, 3)), ((2, 3, 4, 3), (2, 3, 1, 1))],
    ),
    "conv2d, wide padding": (
        lambda x, w: conv2d(x, w, padding=3),
        lambda x, w: functional.conv2d(x, w, padding=3),
        [((2, 3, 2, 4), (2, 3, 2, 3))],
    ),
    "max_pool2d": (
        lambda x: max_pool2d(x, 2) ** 2,
        lambda x: functional.max_pool2d(x, 2) ** 2,
        [((2, 3, 4, 4),), ((2, 1, 5, 7),)],
    ),
}
OF_POSITIVES = {
    "log": (np.log, torch.log, ONE),
    "sqrt": (np.sqrt, torch.sqrt, ONE),
    "power": (lambda a, b: a**b, lambda a, b: a**b, PAIRS),
    "power of a number": (lambda x: 2.5**x, lambda x: 2.5**x, ONE),
}


def cases():
    for name, (ours, theirs, shapes) in {**OPERATIONS, **OF_POSITIVES}.items():
        for shape in shapes:
            yield pytest.param(ours, theirs, shape, name in OF_POSITIVES, id=f"{name} {shape}")


def draw(shapes, positive, rng):
    draws = [rng.normal(size=shape) for shape in shapes]
    return [0.5 + np.abs(x) for x in draws] if positive else draws


@pytest.mark.parametrize(("ours", "theirs", "shapes", "positive"), list(cases()))
def test_small_steps_find_the_same_derivatives(ours, theirs, shapes, positive):
    rng = np.random.default_rng(3)
    check_gradients(ours, *draw(shapes, positive, rng), rng=rng, order=2)


@pytest.mark.parametrize(("ours", "theirs", "shapes", "positive"), list(cases()))
def test_torch_has_the_same_values_and_derivatives(ours, theirs, shapes, positive):
    rng = np.random.default_rng(4)
    xs = draw(shapes, positive, rng)
    weights = rng.normal(size=np.shape(ours(*xs)))
    directions = [rng.normal(size=x.shape) for x in [*xs, weights]]

    mine = [Tensor(x) for x in xs]
    v = Tensor(weights)
    y = ours(*mine)
    found, slope = [y], np.sum(v * y * y)  # squared, so that no derivative ends early
    for _ in range(3):
        found += (gradients := grad(slope, [*mine, v]))
        slope = sum(np.sum(d * g) for d, g in zip(directions, gradients, strict=True))

    others = [torch.tensor(x, requires_grad=True) for x in xs]
    v = torch.tensor(weights, requires_grad=True)
    y = theirs(*others)
    expected, slope = [y], (v * y * y).sum()
    for _ in range(3):
        gradients = torch.autograd.grad(slope, [*others, v], create_graph=True, materialize_grads=True)
        expected += gradients
        slope = sum((torch.tensor(d) * g).sum() for d, g in zip(directions, gradients, strict=True))

    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(detach(mine), other.detach().numpy(), rtol=1e-10, atol=1e-10)


TIED = np.array([[1.0, 3.0, 3.0, 0.0], [2.0, 2.0, 2.0, -1.0]])
ZEROS = np.array([0.0, -0.0, 1.0])
AT_CORNERS = {
    "relu": (relu, torch.relu, ZEROS),
    "abs": (np.abs, torch.abs, ZEROS),
    "max": (lambda x: np.max(x, axis=-1), lambda x: x.amax(-1), TIED),
    "min": (lambda x: np.min(x, axis=-1), lambda x: x.amin(-1), TIED),
    "max of all": (np.max, torch.max, TIED),
    "maximum": (lambda x: np.maximum(x, 2 * np.ones(4)), lambda x: torch.maximum(x, 2 * torch.ones(4)), TIED),
    "minimum": (lambda x: np.minimum(x, 2 * np.ones(4)), lambda x: torch.minimum(x, 2 * torch.ones(4)), TIED),
    "max_pool2d": (lambda x: max_pool2d(x, 2), lambda x: functional.max_pool2d(x[None], 2)[0], TIED),
    "norm": (lambda x: norm(x[:2]), lambda x: torch.linalg.norm(x[:2]), ZEROS),
    "square": (lambda x: x**2, lambda x: x**2, ZEROS),
    "power 1": (lambda x: x**1, lambda x: x**1, ZEROS),
    "power 0": (lambda x: x**0, lambda x: x**0, ZEROS),
}


@pytest.mark.parametrize(("ours", "theirs", "x"), AT_CORNERS.values(), ids=AT_CORNERS)
def test_at_ties_and_corners_torch_makes_the_same_choice(ours, theirs, x):
    mine, other = Tensor(x), torch.tensor(x, requires_grad=True)
    expected = torch.autograd.grad(theirs(other).sum(), other)[0].numpy()
    np.testing.assert_array_equal(detach(grad(np.sum(ours(mine)), mine)), expected)
