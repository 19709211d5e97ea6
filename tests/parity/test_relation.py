"""Relation networks in NumPy and in PyTorch: the same numbers to 1e-10."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.func import functional_call

from reference.episodes import Episode, Examples
from reference.params import part
from reference.pytorch import relation as theirs
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import MLP
from reference.scratch import relation as ours
from reference.scratch.nn import init_mlp, mlp

SIZES, HEAD = [5, 4, 3], [6, 4, 1]
OURS = {"embed": mlp, "relate": mlp}
THEIRS = {
    "embed": partial(functional_call, MLP(SIZES).double()),
    "relate": partial(functional_call, MLP(HEAD).double()),
}


@pytest.fixture(params=range(5))
def case(request) -> tuple:
    """Parameters, the same as tensors, an episode, the same as tensors; all in float64."""
    rng = np.random.default_rng(request.param)
    drawn = ours.init(rng, partial(init_mlp, sizes=SIZES), partial(init_mlp, sizes=HEAD))
    params = {name: p.astype(np.float64) for name, p in drawn.items()}
    support_y, query_y = (rng.permutation(np.tile(np.arange(3), n_each)) for n_each in (2, 4))
    support, query = (Examples(rng.normal(size=(len(y), 5)), y) for y in (support_y, query_y))
    episode = Episode(support, query)
    return params, {k: torch.from_numpy(p) for k, p in params.items()}, episode, to_torch(episode)


def test_same_starting_parameters():
    drawn = ours.init(np.random.default_rng(0), partial(init_mlp, sizes=SIZES), partial(init_mlp, sizes=HEAD))
    there = theirs.init(np.random.default_rng(0), MLP(SIZES), MLP(HEAD))
    assert drawn.keys() == there.keys()
    assert all(np.array_equal(drawn[name], there[name].numpy()) for name in drawn)
    assert part(there, "embedding").keys() == dict(MLP(SIZES).named_parameters()).keys()
    assert part(there, "relation").keys() == dict(MLP(HEAD).named_parameters()).keys()


def test_same_loss_and_gradient(case):
    params, tensors, episode, batch = case
    gradient, value = ours.meta_gradient(params, episode, **OURS)
    their_gradient, their_value = theirs.meta_gradient(tensors, batch, **THEIRS)
    assert float(value) == pytest.approx(their_value.item(), abs=1e-10)
    assert gradient.keys() == their_gradient.keys()
    assert all(np.allclose(gradient[k], their_gradient[k].numpy(), rtol=0, atol=1e-10) for k in gradient)


def test_same_predictions(case):
    params, tensors, episode, batch = case
    mine = ours.adapt(params, episode.support, **OURS)(episode.query.x)
    others = theirs.adapt(tensors, batch.support, **THEIRS)(batch.query.x)
    assert np.allclose(mine, others.numpy(), rtol=0, atol=1e-10)
