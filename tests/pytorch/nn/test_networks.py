"""The networks have the promised shapes, names and numbers."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from reference.pytorch.nn import MLP, Conv4, init_params


def images(n, dtype=np.float32):
    return torch.from_numpy(np.random.default_rng(0).uniform(size=(n, 1, 28, 28)).astype(dtype))


def test_mlp_by_hand():
    net = MLP([2, 2, 1])
    params = {
        "layers.0.weight": torch.tensor([[1.0, 1.0], [-1.0, 0.0]]),
        "layers.0.bias": torch.tensor([0.0, 1.0]),
        "layers.1.weight": torch.tensor([[2.0, 3.0]]),
        "layers.1.bias": torch.tensor([-1.0]),
    }
    # (1, 2) -> hidden (3, 0) -> 2*3 - 1; (-2, 1) -> hidden (-1, 3) -> ReLU (0, 3) -> 3*3 - 1
    out = functional_call(net, params, torch.tensor([[1.0, 2.0], [-2.0, 1.0]]))
    assert torch.equal(out, torch.tensor([[5.0], [8.0]]))


def test_names_and_layouts_are_those_of_the_numpy_side():
    assert {k: tuple(p.shape) for k, p in MLP([3, 4, 2]).named_parameters()} == {
        "layers.0.weight": (4, 3),
        "layers.0.bias": (4,),
        "layers.1.weight": (2, 4),
        "layers.1.bias": (2,),
    }
    shapes = {k: tuple(p.shape) for k, p in Conv4(8).named_parameters()}
    assert shapes.pop("blocks.0.conv.weight") == (8, 1, 3, 3)
    assert all(shapes.pop(f"blocks.{i}.conv.weight") == (8, 8, 3, 3) for i in (1, 2, 3))
    assert shapes == {f"blocks.{i}.conv.bias": (8,) for i in range(4)}


def test_a_block_is_convolution_relu_maximum():
    net, x = Conv4(4), images(3)
    by_hand = x
    for block in net.blocks:
        by_hand = F.max_pool2d(torch.relu(block.conv(by_hand)), 2)
    assert net(x).shape == (3, 4)
    assert torch.equal(net(x), by_hand.flatten(1))


def test_without_a_norm_an_embedding_does_not_depend_on_its_neighbours():
    net, x = Conv4(4).double(), images(6, np.float64)
    assert torch.allclose(net(x)[2:3], net(x[2:3]), atol=1e-14)


def test_batch_norm_depends_on_the_neighbours_in_training_alone():
    net, x = Conv4(4, norm=nn.BatchNorm2d).double(), images(6, np.float64)
    assert not torch.allclose(net(x)[:3], net(x[:3]))
    net.eval()
    assert torch.allclose(net(x)[:3], net(x[:3]), atol=1e-14)


def test_initial_weights_come_from_the_generator_and_fill_pytorchs_range():
    net = Conv4(16, norm=nn.BatchNorm2d)
    a, b = (init_params(np.random.default_rng(3), net) for _ in range(2))
    assert a.keys() == dict(net.named_parameters()).keys()
    assert all(torch.equal(a[k], b[k]) and a[k].dtype == torch.float32 for k in a)
    weight = a["blocks.1.conv.weight"]
    bound = (16 * 9) ** -0.5
    assert 0.98 * bound < weight.abs().max() <= bound
    assert weight.std() == pytest.approx(bound / 3**0.5, rel=0.05)
    assert torch.equal(a["blocks.1.norm.weight"], torch.ones(16))


def test_too_few_sizes():
    with pytest.raises(ValueError, match=r"sizes: got \[3\]; an MLP needs at least"):
        MLP([3])


@pytest.mark.parametrize("shape", [(1, 28, 28), (28, 28), (2, 3, 28, 28)])
def test_images_without_their_axes_are_named(shape):
    with pytest.raises(ValueError, match=r"^x: got shape \(.*\); grey images are \(n, 1, height, width\)"):
        Conv4(4)(torch.ones(shape))


def test_images_that_four_halvings_leave_nothing_of_are_named():
    assert Conv4(4)(torch.ones(2, 1, 16, 31)).shape == (2, 4)
    with pytest.raises(ValueError, match=r"^x: got images of 15 x 28; the least is 16 x 16\.$"):
        Conv4(4)(torch.ones(2, 1, 15, 28))
