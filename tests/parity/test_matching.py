"""Matching networks in NumPy and in PyTorch: the same numbers, gradients, and nets after twenty."""

from functools import partial

import numpy as np
import pytest
import torch

from reference.episodes import Episode, Examples
from reference.meta_train import meta_train
from reference.pytorch import matching as theirs
from reference.pytorch import nn as their_nn
from reference.pytorch.machine.arrays import to_torch
from reference.rules import adam
from reference.scratch import matching as ours
from reference.scratch.autodiff import Tensor, detach, grad
from reference.scratch.nn import conv4, full_context, init_conv4, init_mlp, mlp

NETS = {
    "mlp": (mlp, their_nn.MLP([6, 8, 5]), partial(init_mlp, sizes=[6, 8, 5]), (6,), 5),
    "conv4": (conv4, their_nn.Conv4(4), partial(init_conv4, width=4), (1, 28, 28), 4),
}
CONTEXTS = {
    "without": (ours.without_context, theirs.without_context),
    "full": (partial(full_context, n_reads=3), partial(their_nn.full_context, n_reads=3)),
}


def agree(found, expected, tolerance=1e-10):
    found, expected = detach(found), expected.detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


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
        agree(x, y)
        weights = rng.normal(size=x.shape)
        gradients = grad(np.sum(weights * x), mine)
        total = (torch.tensor(weights) * y).sum()
        for g, h in zip(
            gradients,
            torch.autograd.grad(total, other, retain_graph=True, materialize_grads=True),
            strict=True,
        ):
            agree(g, h)
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
    assert list(gradient) == list(their_gradient)
    for name in gradient:
        agree(gradient[name], their_gradient[name])
    agree(
        ours.adapt(params, episode.support, **here)(episode.query.x),
        theirs.adapt(their_params, to_torch(episode).support, **there)(torch.tensor(episode.query.x)),
    )


@pytest.mark.parametrize("context", CONTEXTS)
def test_twenty_steps_end_at_the_same_weights(context):
    embed, net, init_embedding, shape, width = NETS["mlp"]
    params, their_params = start(init_embedding, width)
    ends = []
    for side, begin, function, convert, within in (
        (ours, params, embed, lambda x: x, CONTEXTS[context][0]),
        (theirs, their_params, their_nn.as_function(net), to_torch, CONTEXTS[context][1]),
    ):
        rng = np.random.default_rng(1)
        gradient_of = partial(side.meta_gradient, embed=function, temperature=0.1, context=within)
        ends.append(
            meta_train(
                begin,
                gradient_of,
                lambda rng=rng, to=convert: to(draw(rng, shape)),
                rule=adam(0.01),
                n_steps=20,
            )
        )
    (end, losses), (their_end, their_losses) = ends
    np.testing.assert_allclose(losses, their_losses, rtol=0, atol=1e-8)
    assert losses[-5:].mean() < losses[:5].mean()
    for name in params:
        agree(end[name], their_end[name], 1e-8)


def test_the_same_generator_gives_the_same_start():
    _, net, init_embedding, _, width = NETS["conv4"]
    mine = ours.init_with_context(np.random.default_rng(3), init_embedding, width=width)
    other = theirs.init_with_context(np.random.default_rng(3), net, width=width)
    assert list(mine) == list(other)
    for name in mine:
        np.testing.assert_array_equal(mine[name], other[name].numpy())
