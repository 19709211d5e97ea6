"""One generator, the same weights on both sides, and with them the same outputs, losses and gradients."""

import numpy as np
import torch
from torch.func import functional_call

from reference.pytorch import nn as theirs
from reference.scratch import nn as ours
from reference.scratch.autodiff import Tensor, grad
from tests.parity.agreeing import agree

F = torch.nn.functional


def to_both(params):
    """Float64 leaves for either engine."""
    mine = {name: Tensor(p.astype(np.float64)) for name, p in params.items()}
    return mine, {name: torch.tensor(p.value, requires_grad=True) for name, p in mine.items()}


def test_the_same_generator_draws_the_same_weights():
    for mine, net in (
        (ours.init_mlp(np.random.default_rng(0), [2, 40, 40, 1]), theirs.MLP([2, 40, 40, 1])),
        (ours.init_conv4(np.random.default_rng(0), 8), theirs.Conv4(8)),
    ):
        other = theirs.init_params(np.random.default_rng(0), net)
        assert list(mine) == list(other) == [name for name, _ in net.named_parameters()]
        for name in mine:
            assert mine[name].dtype == np.float32
            np.testing.assert_array_equal(mine[name], other[name].numpy())


def check_network(function, net, params, x):
    mine, other = to_both(params)
    y, z = function(mine, x), functional_call(net, other, torch.tensor(x))
    agree(y, z)
    found = grad(np.sum(y**3), mine)
    expected = torch.autograd.grad((z**3).sum(), list(other.values()), create_graph=True)
    for a, b in zip(found.values(), expected, strict=True):
        agree(a, b)
    found = grad(sum(np.sum(g**2) for g in found.values()), mine)
    expected = torch.autograd.grad(sum((g**2).sum() for g in expected), list(other.values()))
    for a, b in zip(found.values(), expected, strict=True):
        agree(a, b)


def test_mlp_agrees_to_second_order():
    rng = np.random.default_rng(1)
    check_network(
        ours.mlp, theirs.MLP([3, 8, 8, 2]), ours.init_mlp(rng, [3, 8, 8, 2]), rng.normal(size=(5, 3))
    )


def test_conv4_agrees_to_second_order():
    rng = np.random.default_rng(2)
    params = ours.init_conv4(rng, 4)
    check_network(ours.conv4, theirs.Conv4(4), params, rng.uniform(size=(3, 1, 28, 28)))


def test_layer_norm_agrees():
    rng = np.random.default_rng(3)
    x, weight, bias = rng.normal(size=(3, 6)), rng.normal(size=6), rng.normal(size=6)
    agree(
        ours.layer_norm(x, weight, bias),
        F.layer_norm(torch.tensor(x), (6,), *map(torch.tensor, (weight, bias))),
    )


def test_losses_agree():
    rng = np.random.default_rng(4)
    scores, labels, targets = rng.normal(size=(6, 4)), rng.integers(4, size=6), rng.normal(size=(6, 4))
    mine, other = Tensor(scores), torch.tensor(scores, requires_grad=True)
    for y, z in (
        (ours.cross_entropy(mine, labels), F.cross_entropy(other, torch.tensor(labels))),
        (ours.cross_entropy(mine, labels), theirs.cross_entropy(other, torch.tensor(labels))),
        (ours.mean_squared_error(mine, targets), F.mse_loss(other, torch.tensor(targets))),
        (ours.mean_squared_error(mine, targets), theirs.mean_squared_error(other, torch.tensor(targets))),
    ):
        agree(y, z)
        agree(grad(y, mine), torch.autograd.grad(z, other)[0])
