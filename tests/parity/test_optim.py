"""Twenty steps of either side's optimisers are those of torch.optim, to 1e-12."""

import numpy as np
import pytest
import torch

from reference.pytorch import optim as theirs
from reference.scratch import optim as ours

RATES = {"number": 0.05, "schedule": lambda step: 0.1 / (1 + step)}
MAKERS = {
    "adam": (lambda side, rate: side.adam(rate), lambda p: torch.optim.Adam(p)),
    "adam, other constants": (
        lambda side, rate: side.adam(rate, beta1=0.5, beta2=0.9, epsilon=1e-3),
        lambda p: torch.optim.Adam(p, betas=(0.5, 0.9), eps=1e-3),
    ),
    "sgd": (lambda side, rate: side.sgd(rate), lambda p: torch.optim.SGD(p)),
    "momentum": (lambda side, rate: side.sgd(rate, momentum=0.9), lambda p: torch.optim.SGD(p, momentum=0.9)),
}


def walk(optimizer, params, gradients):
    state = optimizer.init(params)
    for gradient in gradients:
        params, state = optimizer.update(params, gradient, state)
    return params


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize(("make", "make_torch"), MAKERS.values(), ids=MAKERS)
def test_twenty_steps(make, make_torch, rate):
    rng = np.random.default_rng(0)
    params = {"a": rng.normal(size=(3, 2)), "b": rng.normal(size=4)}
    gradients = [{name: rng.normal(size=p.shape) for name, p in params.items()} for _ in range(20)]

    leaves = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    optimizer = make_torch(list(leaves.values()))
    for step, gradient in enumerate(gradients):
        optimizer.param_groups[0]["lr"] = rate(step) if callable(rate) else rate
        for name, leaf in leaves.items():
            leaf.grad = torch.tensor(gradient[name])
        optimizer.step()

    scratch = walk(make(ours, rate), params, gradients)
    to_torch = [{name: torch.tensor(p) for name, p in tree.items()} for tree in (params, *gradients)]
    pytorch = walk(make(theirs, rate), to_torch[0], to_torch[1:])
    for name, leaf in leaves.items():
        expected = leaf.detach().numpy()
        np.testing.assert_allclose(scratch[name], expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(pytorch[name].numpy(), expected, rtol=0, atol=1e-12)
