"""Losses of a labelled batch in NumPy and in PyTorch: the same to 1e-10, and the same nets after twenty."""

from functools import partial

import numpy as np
import pytest
import torch

from reference.episodes import Examples
from reference.pytorch import nn as their_nn
from reference.pytorch import siamese as their_siamese
from reference.pytorch import triplet as theirs
from reference.pytorch.machine.arrays import to_torch
from reference.scratch import siamese
from reference.scratch import triplet as ours
from reference.scratch.autodiff import Tensor
from reference.scratch.nn import conv4, init_conv4, init_mlp, mlp
from tests.parity.agreeing import agree, agree_with_gradients, all_agree, twenty_steps_agree

COSTS = {
    "batch_hard": {"margin": 0.5},
    "semi_hard": {"margin": 0.5},
    "nt_xent": {"temperature": 0.2},
    "in_threes": {"margin": 0.5},
    "every_pair": {},
}
THREES = np.array([0, 0, 1, 2, 2, 0, 1, 1, 2])


def cost(side, name):
    more = {}
    if name == "every_pair":
        pair = siamese if side is ours else their_siamese
        more = {"cost": partial(pair.contrastive, margin=1.0)}
    return partial(getattr(side, name), **COSTS[name], **more)


def draw(rng, name, shape):
    labels = THREES if name == "in_threes" else rng.permutation(np.repeat(np.arange(3), 3))
    centers = rng.uniform(size=(3, *shape))
    return Examples(centers[labels] + 0.5 * rng.uniform(size=(9, *shape)), labels)


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("seed", range(3))
def test_costs_agree_in_value_and_gradient(seed, name):
    x, y = draw(np.random.default_rng(seed), name, (4,))
    x[1] = x[0] if y[1] == y[0] else x[1]  # at a corner
    mine, other = Tensor(x), torch.tensor(x, requires_grad=True)
    found, expected = cost(ours, name)(mine, y), cost(theirs, name)(other, torch.tensor(y))
    agree_with_gradients(found, expected, [mine], [other])


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("embed", [mlp, conv4])
def test_learners_agree_in_loss_and_gradient(embed, name):
    net, init, shape = {
        mlp: (their_nn.MLP([6, 8, 5]), partial(init_mlp, sizes=[6, 8, 5]), (6,)),
        conv4: (their_nn.Conv4(4), partial(init_conv4, width=4), (1, 28, 28)),
    }[embed]
    params = {name: p.astype(np.float64) for name, p in ours.init(np.random.default_rng(0), init).items()}
    their_params = {name: torch.tensor(p) for name, p in params.items()}
    batch = draw(np.random.default_rng(1), name, shape)
    gradient, loss = ours.meta_gradient(params, batch, embed=embed, cost=cost(ours, name))
    their_gradient, their_loss = theirs.meta_gradient(
        their_params, to_torch(batch), embed=their_nn.as_function(net), cost=cost(theirs, name)
    )
    agree(loss, their_loss)
    all_agree(gradient, their_gradient)


@pytest.mark.parametrize("name", COSTS)
def test_twenty_steps_end_at_the_same_weights(name):
    init = partial(init_mlp, sizes=[6, 8, 5])
    params = {key: p.astype(np.float64) for key, p in ours.init(np.random.default_rng(0), init).items()}
    their_params = {key: torch.tensor(p) for key, p in params.items()}
    rng, their_rng = np.random.default_rng(2), np.random.default_rng(2)
    net = their_nn.as_function(their_nn.MLP([6, 8, 5]))
    twenty_steps_agree(
        (
            params,
            partial(ours.meta_gradient, embed=mlp, cost=cost(ours, name)),
            lambda: draw(rng, name, (6,)),
        ),
        (
            their_params,
            partial(theirs.meta_gradient, embed=net, cost=cost(theirs, name)),
            lambda: to_torch(draw(their_rng, name, (6,))),
        ),
    )
