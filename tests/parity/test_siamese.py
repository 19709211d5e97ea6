"""Siamese networks in NumPy and in PyTorch: the same numbers, gradients, and nets after twenty."""

from functools import partial

import numpy as np
import pytest
import torch

from reference.episodes import Examples
from reference.pytorch import nn as their_nn
from reference.pytorch import siamese as theirs
from reference.pytorch.machine.arrays import to_torch
from reference.scratch import siamese as ours
from reference.scratch.autodiff import Tensor
from reference.scratch.nn import conv4, init_conv4, init_mlp, mlp
from tests.parity.agreeing import agree, agree_with_gradients, all_agree, twenty_steps_agree

NETS = {
    "mlp": (mlp, their_nn.MLP([6, 8, 5]), partial(init_mlp, sizes=[6, 8, 5]), (6,), 5),
    "conv4": (conv4, their_nn.Conv4(4), partial(init_conv4, width=4), (1, 28, 28), 4),
}
APART = ("euclidean", "cosine", "weighted_l1")
COSTS = {"contrastive": {"margin": 1.5}, "same_or_different": {}}


def draw(rng, shape, n=12):
    """Pairs; those of one class are near each other."""
    first = rng.uniform(size=(n, *shape))
    same = rng.permutation(np.arange(n) % 2)
    other = rng.uniform(size=(n, *shape))
    keep = same.reshape(-1, *np.ones(len(shape), int))
    return Examples(np.stack([first, np.where(keep == 1, first + 0.3 * other, other)], axis=1), same)


def start(init_embedding, width):
    params = ours.init_with_head(np.random.default_rng(0), init_embedding, width=width)
    params = {name: p.astype(np.float64) for name, p in params.items()}
    return params, {name: torch.tensor(p) for name, p in params.items()}


def settings(side, embed, apart, cost):
    return {
        "embed": embed,
        "apart": getattr(side, apart),
        "cost": partial(getattr(side, cost), **COSTS[cost]),
    }


@pytest.mark.parametrize("seed", range(3))
def test_equations_agree_in_value_and_gradient(seed):
    rng = np.random.default_rng(seed)
    a, b, head, bias = (
        rng.normal(size=(9, 5)),
        rng.normal(size=(9, 5)),
        rng.normal(size=(1, 5)),
        rng.normal(size=1),
    )
    a[0] = b[0]  # at the corner
    same = rng.integers(2, size=9)
    mine = [Tensor(x) for x in (a, b, head, bias)]
    other = [torch.tensor(x, requires_grad=True) for x in (a, b, head, bias)]
    found, expected = [], []
    for side, leaves, into in ((ours, mine, found), (theirs, other, expected)):
        params = {"head.weight": leaves[2], "head.bias": leaves[3]}
        labels = same if side is ours else torch.tensor(same)
        for apart in APART:
            distances = getattr(side, apart)(params, *leaves[:2])
            into += [distances, side.contrastive(distances, labels, margin=2.0)]
            into.append(side.same_or_different(distances, labels))
    for x, y in zip(found, expected, strict=True):
        agree_with_gradients(x, y, mine, other)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("apart", APART)
@pytest.mark.parametrize(("embed", "net", "init_embedding", "shape", "width"), NETS.values(), ids=NETS)
def test_learners_agree_in_loss_prediction_and_gradient(
    embed, net, init_embedding, shape, width, apart, cost
):
    rng = np.random.default_rng(7)
    params, their_params = start(init_embedding, width)
    their_embed = their_nn.as_function(net)
    pairs = draw(rng, shape)
    gradient, loss = ours.meta_gradient(params, pairs, **settings(ours, embed, apart, cost))
    their_gradient, their_loss = theirs.meta_gradient(
        their_params, to_torch(pairs), **settings(theirs, their_embed, apart, cost)
    )
    agree(loss, their_loss)
    all_agree(gradient, their_gradient)
    support, queries = (
        Examples(rng.uniform(size=(6, *shape)), np.arange(6) % 3),
        rng.uniform(size=(4, *shape)),
    )
    agree(
        ours.adapt(params, support, embed=embed, apart=getattr(ours, apart))(queries),
        theirs.adapt(their_params, to_torch(support), embed=their_embed, apart=getattr(theirs, apart))(
            torch.tensor(queries)
        ),
    )


@pytest.mark.parametrize(
    ("apart", "cost"), [("euclidean", "contrastive"), ("weighted_l1", "same_or_different")]
)
def test_twenty_steps_end_at_the_same_weights(apart, cost):
    embed, net, init_embedding, shape, width = NETS["mlp"]
    params, their_params = start(init_embedding, width)
    rng, their_rng = np.random.default_rng(1), np.random.default_rng(1)
    gradient = partial(ours.meta_gradient, **settings(ours, embed, apart, cost))
    their_gradient = partial(theirs.meta_gradient, **settings(theirs, their_nn.as_function(net), apart, cost))
    twenty_steps_agree(
        (params, gradient, lambda: draw(rng, shape)),
        (their_params, their_gradient, lambda: to_torch(draw(their_rng, shape))),
    )


def test_the_same_generator_gives_the_same_start():
    embed, net, init_embedding, _, width = NETS["conv4"]
    mine = ours.init_with_head(np.random.default_rng(3), init_embedding, width=width)
    other = theirs.init_with_head(np.random.default_rng(3), net, width=width)
    assert list(mine) == list(other)
    for name in mine:
        np.testing.assert_array_equal(mine[name], other[name].numpy())
    bare, their_bare = (
        side.init(np.random.default_rng(3), given) for side, given in ((ours, init_embedding), (theirs, net))
    )
    assert list(bare) == list(their_bare) == [name for name in mine if name.startswith("embedding.")]
