"""What only the PyTorch side of prototypical networks can do: conv nets with a norm, and a GPU."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

from reference.episodes import Examples
from reference.pytorch import prototypical
from reference.pytorch.nn import MLP, Conv4, as_function, norm_statistics


def images(seed, n):
    return torch.from_numpy(np.random.default_rng(seed).uniform(size=(n, 1, 28, 28)))


@pytest.mark.parametrize("norm", [nn.Identity, nn.BatchNorm2d])
def test_not_transductive(norm):
    net = Conv4(4, norm=norm).double()
    params = {k: p.double() for k, p in prototypical.init(np.random.default_rng(0), net).items()}
    support = Examples(images(0, 6), torch.tensor([2, 0, 1, 1, 0, 2]))
    embed = as_function(net, norm_statistics(net, params, [images(1, 20), images(2, 20)]))
    predict = prototypical.adapt(params, support, embed=embed)
    x = images(3, 5)
    one_by_one = torch.cat([predict(x[i : i + 1]) for i in range(5)])
    assert torch.allclose(predict(x), one_by_one, atol=1e-13)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: the GPU path was not run")
def test_same_scores_on_a_gpu():
    rng, net = np.random.default_rng(2), MLP([5, 4])
    params = prototypical.init(rng, net)
    x, query = (torch.from_numpy(rng.normal(size=(n, 5)).astype(np.float32)) for n in (6, 12))
    scores = []
    for device in ("cpu", "cuda"):
        support = Examples(x.to(device), torch.tensor([2, 0, 1, 1, 0, 2], device=device))
        here = {k: p.to(device) for k, p in params.items()}
        predict = prototypical.adapt(here, support, embed=partial(functional_call, net.to(device)))
        scores.append(predict(query.to(device)).cpu())
    assert torch.allclose(*scores, atol=1e-4)
