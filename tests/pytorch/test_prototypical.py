"""Prototypical networks against pencil and paper, loops, and finite differences."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call

from reference.episodes import Episode, Examples
from reference.pytorch import prototypical
from reference.pytorch.nn import MLP, Conv4
from reference.pytorch.prototypical import linear_form, log_probabilities, prototypes, squared_distances

T = partial(torch.tensor, dtype=torch.float64)
as_it_is = lambda params, x: x * params["scale"]  # noqa: E731


def random_episode(seed: int, n_way: int = 3, k_shot: int = 2, n_query: int = 4, d: int = 5) -> Episode:
    rng = np.random.default_rng(seed)
    labels = lambda k: torch.from_numpy(rng.permutation(np.tile(np.arange(n_way), k)))  # noqa: E731
    support_y, query_y = labels(k_shot), labels(n_query)
    x = lambda y: torch.from_numpy(rng.normal(size=(len(y), d)))  # noqa: E731
    return Episode(Examples(x(support_y), support_y), Examples(x(query_y), query_y))


def test_prototypes_are_class_means_whatever_the_order_of_rows():
    embedded = T([[0, 0], [10, 10], [2, 4], [20, 0]])
    assert torch.equal(prototypes(embedded, torch.tensor([0, 1, 0, 1]), 2), T([[1, 2], [15, 5]]))


def test_squared_distances_by_hand():
    assert torch.equal(squared_distances(T([[0, 0], [1, 1]]), T([[3, 4]])), T([[25], [13]]))


def test_log_probabilities_by_hand():
    # distances 1 and 4 to the two prototypes: p = 1 / (1 + exp(-3))
    scores = log_probabilities(T([[1.0]]), T([[0.0], [3.0]]))
    assert scores[0, 0].item() == pytest.approx(-np.log1p(np.exp(-3)), abs=1e-15)


@given(seed=st.integers(0, 2**32 - 1), n_way=st.integers(2, 6))
@settings(max_examples=25, deadline=None)
def test_every_query_has_its_own_distribution_over_the_classes(seed, n_way):
    episode = random_episode(seed, n_way=n_way)
    centers = prototypes(episode.support.x, episode.support.y, n_way)
    scores = log_probabilities(episode.query.x, centers)
    assert scores.shape == (4 * n_way, n_way)
    assert torch.allclose(scores.exp().sum(1), torch.ones(4 * n_way, dtype=torch.float64), atol=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_loss_equals_a_loop_over_queries_and_classes(seed):
    episode = random_episode(seed)
    (sx, sy), (qx, qy) = (tuple(a.numpy() for a in part) for part in (episode.support, episode.query))
    total = 0.0
    for x, y in zip(qx, qy, strict=True):
        nearness = [np.exp(-np.sum((x - sx[sy == k].mean(0)) ** 2)) for k in range(3)]
        total -= np.log(nearness[y] / sum(nearness))
    mine = prototypical.loss({"scale": T(1.0)}, episode, embed=as_it_is)
    assert mine.item() == pytest.approx(total / len(qy), abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-5, 5))
@settings(max_examples=25, deadline=None)
def test_moving_everything_and_renumbering_classes_change_nothing_else(seed, shift):
    episode = random_episode(seed)
    renumber = torch.from_numpy(np.random.default_rng(seed).permutation(3))
    scores = prototypical.adapt({"scale": T(1.0)}, episode.support, embed=as_it_is)(episode.query.x)
    moved = Examples(episode.support.x + shift, renumber[episode.support.y])
    others = prototypical.adapt({"scale": T(1.0)}, moved, embed=as_it_is)(episode.query.x + shift)
    assert torch.allclose(others[:, renumber], scores, atol=1e-9)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_nearest_mean_is_a_linear_classifier(seed):
    episode = random_episode(seed)
    centers = prototypes(episode.support.x, episode.support.y, 3)
    weight, bias = linear_form(centers)
    linear = torch.log_softmax(episode.query.x @ weight.T + bias, dim=1)
    assert torch.allclose(linear, log_probabilities(episode.query.x, centers), rtol=0, atol=1e-10)


def test_meta_gradient_agrees_with_finite_differences():
    net, episode, rng = MLP([5, 4, 3]).double(), random_episode(1), np.random.default_rng(0)
    embed = partial(functional_call, net)
    params = {name: p.double() for name, p in prototypical.init(rng, net).items()}
    gradient, value = prototypical.meta_gradient(params, episode, embed=embed)
    assert not value.requires_grad and not any(p.requires_grad for p in params.values())
    direction = {name: torch.from_numpy(rng.normal(size=p.shape)) for name, p in params.items()}
    ahead, behind = (
        prototypical.loss({k: p + h * direction[k] for k, p in params.items()}, episode, embed=embed)
        for h in (1e-6, -1e-6)
    )
    slope = sum((gradient[k] * direction[k]).sum() for k in params)
    assert (ahead - behind).item() / 2e-6 == pytest.approx(slope.item(), rel=1e-7)


@pytest.mark.parametrize("norm", [nn.Identity, nn.BatchNorm2d])
def test_not_transductive(norm):
    net = Conv4(4, norm=norm).double().eval()
    params = {k: p.double() for k, p in prototypical.init(np.random.default_rng(0), net).items()}
    support = Examples(torch.rand(6, 1, 28, 28, dtype=torch.float64), torch.tensor([2, 0, 1, 1, 0, 2]))
    predict = prototypical.adapt(params, support, embed=partial(functional_call, net))
    x = torch.rand(5, 1, 28, 28, dtype=torch.float64)
    one_by_one = torch.cat([predict(x[i : i + 1]) for i in range(5)])
    assert torch.allclose(predict(x), one_by_one, atol=1e-13)


@pytest.mark.parametrize("labels", [[0, 2], [0, 3], [0, 1], [-1, 0]])
def test_classes_that_do_not_fit_the_support_are_named(labels):
    words = (
        rf"labels: got classes \[{labels[0]}, {labels[1]}\]; each of 0\.\.2, and no other, needs an example"
    )
    with pytest.raises(ValueError, match=words):
        prototypes(T([[0.0], [1.0]]), torch.tensor(labels), 3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: the GPU path was not run")
def test_same_scores_on_a_gpu():
    episode, net = random_episode(2), MLP([5, 4])
    params = prototypical.init(np.random.default_rng(0), net)
    scores = []
    for device in ("cpu", "cuda"):
        support = Examples(episode.support.x.float().to(device), episode.support.y.to(device))
        here = {k: p.to(device) for k, p in params.items()}
        predict = prototypical.adapt(here, support, embed=partial(functional_call, net.to(device)))
        scores.append(predict(episode.query.x.float().to(device)).cpu())
    assert torch.allclose(*scores, atol=1e-4)
