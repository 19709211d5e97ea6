"""Our functional optimisers walk where torch.optim walks."""

import numpy as np
import pytest
import torch

from reference.pytorch.optim import adam, sgd


def problem(seed: int = 0):
    rng = np.random.default_rng(seed)
    params = {"a": torch.from_numpy(rng.normal(size=(3, 2))), "b": torch.from_numpy(rng.normal(size=4))}
    gradients = [
        {k: torch.from_numpy(rng.normal(size=p.shape)) for k, p in params.items()} for _ in range(50)
    ]
    return params, gradients


def walk(optimizer, params, gradients):
    state = optimizer.init(params)
    for gradient in gradients:
        params, state = optimizer.update(params, gradient, state)
    return params


def walk_torch(make, params, gradients, schedule=None):
    leaves = {k: p.clone().requires_grad_() for k, p in params.items()}
    theirs = make(list(leaves.values()))
    for step, gradient in enumerate(gradients):
        for k, leaf in leaves.items():
            leaf.grad = gradient[k].clone()
        if schedule:
            theirs.param_groups[0]["lr"] = schedule(step)
        theirs.step()
    return leaves


@pytest.mark.parametrize(
    "mine, theirs",
    [
        (adam(0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
        (adam(0.3, beta1=0.5, beta2=0.9), lambda p: torch.optim.Adam(p, lr=0.3, betas=(0.5, 0.9))),
        (sgd(0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
        (sgd(0.1, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    ],
    ids=["adam", "adam with other betas", "sgd", "sgd with momentum"],
)
def test_same_steps_as_torch_optim(mine, theirs):
    params, gradients = problem()
    ours, reference = walk(mine, params, gradients), walk_torch(theirs, params, gradients)
    assert all(torch.allclose(ours[k], reference[k], rtol=0, atol=1e-12) for k in params)


@pytest.mark.parametrize("make, theirs", [(adam, torch.optim.Adam), (sgd, torch.optim.SGD)])
def test_a_rate_may_be_a_schedule_that_counts_from_zero(make, theirs):
    params, gradients = problem(1)
    schedule = lambda step: 0.1 / (1 + step)  # noqa: E731
    reference = walk_torch(lambda p: theirs(p, lr=0.1), params, gradients, schedule)
    ours = walk(make(schedule), params, gradients)
    assert all(torch.allclose(ours[k], reference[k], rtol=0, atol=1e-12) for k in params)


@pytest.mark.parametrize("optimizer", [adam(0.1), sgd(0.1, momentum=0.9)])
def test_nothing_given_is_changed(optimizer):
    params, gradients = problem(2)
    before = {k: p.clone() for k, p in params.items()}
    _, state = optimizer.update(params, gradients[0], optimizer.init(params))
    kept = [t.clone() for tree in state[1:] for t in tree.values()]
    optimizer.update(params, gradients[1], state)
    assert all(torch.equal(params[k], before[k]) for k in params)
    assert all(
        torch.equal(a, b) for a, b in zip(kept, (t for tree in state[1:] for t in tree.values()), strict=True)
    )


def test_first_adam_step_is_the_sign_of_the_gradient():
    params, gradient = {"w": torch.tensor([1.0, 1.0])}, {"w": torch.tensor([5.0, -1e-3])}
    new, _ = adam(0.1).update(params, gradient, adam(0.1).init(params))
    assert torch.allclose(new["w"], torch.tensor([0.9, 1.1]), atol=1e-5)
