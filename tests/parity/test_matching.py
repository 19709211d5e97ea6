"""Matching networks in NumPy and in PyTorch: the same numbers, gradients, and nets after twenty."""

from functools import partial

import numpy as np
import pytest
import torch

from reference.episodes import Episode, Examples
from reference.pytorch import matching as theirs
from reference.pytorch import nn as their_nn
from reference.pytorch.machine.arrays import to_torch
from reference.scratch import matching as ours
from reference.scratch.autodiff import Tensor
from reference.scratch.nn import conv4, full_context, init_conv4, init_mlp, mlp
from tests.parity.agreeing import agree, agree_with_gradients, all_agree, twenty_steps_agree

NETS = {
    "mlp": (mlp, their_nn.MLP([6, 8, 5]), partial(init_mlp, sizes=[6, 8, 5]), (6,), 5),
    "conv4": (conv4, their_nn.Conv4(4), partial(init_conv4, width=4), (1, 28, 28), 4),
}
CONTEXTS = {
    "without": (ours.without_context, theirs.without_context),
    "full": (partial(full_context, n_reads=3), partial(their_nn.full_context, n_reads=3)),
}


def draw(rng, shape, n_way=4, k_shot=2, n_query=3):
    centers, parts = rng.uniform(size=(n_way, *shape)), []
    for n in (k_shot, n_query):
        labels = rng.permutation(np.repeat(np.arange(n_way), n))
        parts.append(Examples(centers[labels] + rng.uniform(size=(len(labels), *shape)), labels))
    return Episode(*parts)


def start(init_embedding, width):
    params = ours.init_with_context(np.random.default_rng(0), init_embedding, width=width)
    params = {name: p.astype(np.float64) for name, p in params.items()}
    return params, {name: torch.tensor(p) for name, p in params.items()}


@pytest.mark.parametrize("seed", range(3))
def test_equations_agree_in_value_and_gradient(seed):
    rng = np.random.default_rng(seed)
    queries, support, labels = rng.normal(size=(4, 5)), rng.normal(size=(6, 5)), np.array([2, 0, 1, 1, 0, 2])
    mine = [Tensor(queries), Tensor(support)]
    other = [torch.tensor(x, requires_grad=True) for x in (queries, support)]
    found, expected = [], []
    for side, leaves, into in ((ours, mine, found), (theirs, other, expected)):
        y = labels if side is ours else torch.tensor(labels)
        for temperature in (1, 0.05):
            scores = side.similarities(*leaves, temperature=temperature)
            into += [scores, side.attention(*leaves, temperature=temperature)]
            into.append(side.class_log_probabilities(scores, y, 3))
        into.append(side.nca(leaves[1], y))
    for x, y in zip(found, expected, strict=True):
        agree_with_gradients(x, y, mine, other)
    for n_way in (2, 5, 20):
        assert ours.loss_floor(n_way, temperature=0.7) == theirs.loss_floor(n_way, temperature=0.7)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize(("embed", "net", "init_embedding", "shape", "width"), NETS.values(), ids=NETS)
def test_learners_agree_in_loss_prediction_and_gradient(embed, net, init_embedding, shape, width, context):
    params, their_params = start(init_embedding, width)
    episode = draw(np.random.default_rng(7), shape)
    here = {"embed": embed, "temperature": 0.1, "context": CONTEXTS[context][0]}
    there = {"embed": their_nn.as_function(net), "temperature": 0.1, "context": CONTEXTS[context][1]}
    gradient, loss = ours.meta_gradient(params, episode, **here)
    their_gradient, their_loss = theirs.meta_gradient(their_params, to_torch(episode), **there)
    agree(loss, their_loss)
    all_agree(gradient, their_gradient)
    agree(
        ours.adapt(params, episode.support, **here)(episode.query.x),
        theirs.adapt(their_params, to_torch(episode).support, **there)(torch.tensor(episode.query.x)),
    )


@pytest.mark.parametrize("context", CONTEXTS)
def test_twenty_steps_end_at_the_same_weights(context):
    embed, net, init_embedding, shape, width = NETS["mlp"]
    params, their_params = start(init_embedding, width)
    rng, their_rng = np.random.default_rng(1), np.random.default_rng(1)
    here, there = ({"temperature": 0.1, "context": within} for within in CONTEXTS[context])
    their_embed = their_nn.as_function(net)
    twenty_steps_agree(
        (params, partial(ours.meta_gradient, embed=embed, **here), lambda: draw(rng, shape)),
        (
            their_params,
            partial(theirs.meta_gradient, embed=their_embed, **there),
            lambda: to_torch(draw(their_rng, shape)),
        ),
    )


def test_the_same_generator_gives_the_same_start():
    _, net, init_embedding, _, width = NETS["conv4"]
    mine = ours.init_with_context(np.random.default_rng(3), init_embedding, width=width)
    other = theirs.init_with_context(np.random.default_rng(3), net, width=width)
    assert list(mine) == list(other)
    for name in mine:
        np.testing.assert_array_equal(mine[name], other[name].numpy())
