"""Relation networks against pencil and paper, a loop, and finite differences."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import functional_call

from reference.episodes import Episode, Examples
from reference.pytorch import relation
from reference.pytorch.nn import MLP
from reference.pytorch.relation import pairs, part, relation_scores

T = partial(torch.tensor, dtype=torch.float64)
EMBEDDING, HEAD = MLP([5, 3]).double(), MLP([6, 4, 1]).double()
NETWORKS = {"embed": partial(functional_call, EMBEDDING), "relate": partial(functional_call, HEAD)}


def new_params(seed: int = 0) -> dict:
    drawn = relation.init(np.random.default_rng(seed), EMBEDDING, HEAD)
    return {name: p.double() for name, p in drawn.items()}


def random_episode(seed: int, n_way: int = 3) -> Episode:
    rng = np.random.default_rng(seed)
    parts = []
    for n_each in (2, 4):
        y = torch.from_numpy(rng.permutation(np.tile(np.arange(n_way), n_each)))
        parts.append(Examples(torch.from_numpy(rng.normal(size=(len(y), 5))), y))
    return Episode(*parts)


def test_a_pair_is_the_difference_and_the_product():
    joined = pairs(T([[1, 2], [0, 3]]), T([[4, -1]]))
    assert torch.equal(joined, T([[[3, 3, 4, -2]], [[4, 4, 0, -3]]]))


def test_scores_by_hand():
    # |1 - 3| + 1 * 3 = 5 and |1 - 0| + 1 * 0 = 1
    total = lambda params, joined: joined.sum(-1, keepdim=True)  # noqa: E731
    scores = relation_scores({}, T([[1.0]]), T([[3.0], [0.0]]), relate=total)
    assert scores[0].tolist() == pytest.approx([1 / (1 + np.exp(-5)), 1 / (1 + np.exp(-1))], abs=1e-15)


def test_the_two_networks_keep_their_own_names():
    params = new_params()
    assert part(params, "embedding").keys() == dict(EMBEDDING.named_parameters()).keys()
    assert part(params, "relation").keys() == dict(HEAD.named_parameters()).keys()


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_loss_equals_a_loop_over_queries_and_classes(seed):
    params, episode = new_params(seed), random_episode(seed)
    embed = lambda x: NETWORKS["embed"](part(params, "embedding"), x)  # noqa: E731
    total = 0.0
    for x, y in zip(*episode.query, strict=True):
        for k in range(3):
            q, c = embed(x[None])[0], embed(episode.support.x[episode.support.y == k]).mean(0)
            joined = torch.cat([(q - c).abs(), q * c])[None]
            score = torch.sigmoid(NETWORKS["relate"](part(params, "relation"), joined)).item()
            total += (score - float(y == k)) ** 2
    mine = relation.loss(params, episode, **NETWORKS)
    assert mine.item() == pytest.approx(total / len(episode.query.y), abs=1e-12)


def test_meta_gradient_agrees_with_finite_differences():
    params, episode, rng = new_params(), random_episode(1), np.random.default_rng(0)
    gradient, value = relation.meta_gradient(params, episode, **NETWORKS)
    assert not value.requires_grad and gradient.keys() == params.keys()
    direction = {name: torch.from_numpy(rng.normal(size=p.shape)) for name, p in params.items()}
    ahead, behind = (
        relation.loss({k: p + h * direction[k] for k, p in params.items()}, episode, **NETWORKS)
        for h in (1e-6, -1e-6)
    )
    slope = sum((gradient[k] * direction[k]).sum() for k in params)
    assert (ahead - behind).item() / 2e-6 == pytest.approx(slope.item(), rel=1e-7)


def test_not_transductive():
    episode = random_episode(2)
    predict = relation.adapt(new_params(), episode.support, **NETWORKS)
    one_by_one = torch.cat([predict(episode.query.x[i : i + 1]) for i in range(len(episode.query.y))])
    assert torch.allclose(predict(episode.query.x), one_by_one, atol=1e-14)
