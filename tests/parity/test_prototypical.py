"""Prototypical networks in NumPy and in PyTorch: the same numbers and gradients to 1e-10."""

from functools import partial

import numpy as np
import pytest
import torch

from reference.episodes import Episode, Examples
from reference.pytorch import nn as their_nn
from reference.pytorch import prototypical as theirs
from reference.scratch import prototypical as ours
from reference.scratch.autodiff import Tensor
from reference.scratch.nn import conv4, init_conv4, init_mlp, mlp
from tests.parity.agreeing import agree, agree_with_gradients, all_agree

CASES = {
    "mlp": (mlp, their_nn.MLP([6, 8, 5]), partial(init_mlp, sizes=[6, 8, 5]), (6,)),
    "conv4": (conv4, their_nn.Conv4(4), partial(init_conv4, width=4), (1, 28, 28)),
}


def draw(seed, shape, n_way=5, k_shot=2, n_query=3):
    rng = np.random.default_rng(seed)
    parts = []
    for n in (k_shot, n_query):
        labels = rng.permutation(np.repeat(np.arange(n_way), n))
        parts.append(Examples(rng.uniform(size=(len(labels), *shape)), labels))
    return Episode(*parts)


@pytest.mark.parametrize("seed", range(3))
def test_equations_agree_in_value_and_gradient(seed):
    support, query, _ = draw(seed, (6,))
    mine = [Tensor(support.x), Tensor(query.x)]
    other = [torch.tensor(support.x, requires_grad=True), torch.tensor(query.x, requires_grad=True)]
    centers = ours.prototypes(mine[0], support.y, 5), theirs.prototypes(other[0], torch.tensor(support.y), 5)
    distances = ours.squared_distances(mine[1], centers[0]), theirs.squared_distances(other[1], centers[1])
    answers = ours.log_probabilities(mine[1], centers[0]), theirs.log_probabilities(other[1], centers[1])
    for found, expected in (centers, distances, answers):
        agree_with_gradients(found, expected, mine, other)


@pytest.mark.parametrize(("embed", "net", "init_embedding", "shape"), CASES.values(), ids=CASES)
def test_learners_agree_in_loss_prediction_and_meta_gradient(embed, net, init_embedding, shape):
    episode = draw(7, shape)
    params = {
        name: p.astype(np.float64) for name, p in ours.init(np.random.default_rng(0), init_embedding).items()
    }
    their_params = {name: torch.tensor(p) for name, p in params.items()}
    their_parts = [Examples(torch.tensor(x), torch.tensor(y)) for x, y in episode[:2]]
    their_embed = partial(torch.func.functional_call, net)

    agree(
        ours.adapt(params, episode.support, embed=embed)(episode.query.x),
        theirs.adapt(their_params, their_parts[0], embed=their_embed)(their_parts[1].x),
    )
    gradient, loss = ours.meta_gradient(params, episode, embed=embed)
    their_gradient, their_loss = theirs.meta_gradient(their_params, Episode(*their_parts), embed=their_embed)
    agree(loss, their_loss)
    all_agree(gradient, their_gradient)


def test_the_same_generator_gives_the_same_start():
    mine = ours.init(np.random.default_rng(3), partial(init_conv4, width=4))
    other = theirs.init(np.random.default_rng(3), their_nn.Conv4(4))
    for name in mine:
        np.testing.assert_array_equal(mine[name], other[name].numpy())
