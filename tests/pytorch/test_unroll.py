"""Unrolled learning against closed forms on quadratics and against finite differences."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import functional_call

from reference.pytorch.nn import MLP, init_params
from reference.pytorch.unroll import sgd, unroll


def quadratic(seed: int, d: int = 3):
    """A loss 1/2 (theta - c)' H (theta - c) with its H and c, a starting point, and a query gradient."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d))
    H, c, theta, g = (torch.from_numpy(a) for a in (root @ root.T, *rng.normal(size=(3, d))))
    return lambda p: (p["theta"] - c) @ H @ (p["theta"] - c) / 2, H, c, theta, g


@given(seed=st.integers(0, 2**32 - 1), n_steps=st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_on_a_quadratic_learning_and_its_derivative_are_powers_of_a_matrix(seed, n_steps):
    loss, H, c, theta, g = quadratic(seed)
    shrink = torch.linalg.matrix_power(torch.eye(3, dtype=torch.float64) - 0.05 * H, n_steps)
    theta.requires_grad_()
    adapted = unroll(loss, {"theta": theta}, sgd(0.05), n_steps)["theta"]
    assert torch.allclose(adapted, c + shrink @ (theta - c), atol=1e-10)
    (through,) = torch.autograd.grad(g @ adapted, theta)
    assert torch.allclose(through, shrink @ g, atol=1e-10)  # (I - alpha H)^n times the query gradient


@given(seed=st.integers(0, 2**32 - 1), n_steps=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_first_order_learns_the_same_and_leaves_the_curvature_out(seed, n_steps):
    loss, _, _, theta, g = quadratic(seed)
    theta.requires_grad_()
    full, first = (
        unroll(loss, {"theta": theta}, sgd(0.05), n_steps, first_order=flag)["theta"]
        for flag in (False, True)
    )
    assert torch.equal(full, first)
    (through,) = torch.autograd.grad(g @ first, theta)
    assert torch.equal(through, g)


def sine_task(seed: int):
    rng = np.random.default_rng(seed)
    net = MLP([1, 8, 1]).double()
    params = {k: p.double() for k, p in init_params(rng, net).items()}
    x = torch.from_numpy(rng.uniform(-2, 2, size=(2, 10, 1)))
    losses = [
        lambda p, x=part: ((functional_call(net, p, x) - torch.sin(x)) ** 2).mean() for part in (x[0], x[1])
    ]
    return params, losses, {k: torch.from_numpy(rng.normal(size=p.shape)) for k, p in params.items()}


def test_meta_gradient_through_a_network_agrees_with_finite_differences():
    params, (support, query), direction = sine_task(0)
    outer = lambda p: query(unroll(support, p, sgd(0.1), 3))  # noqa: E731
    gradient = torch.func.grad(outer)(params)
    slope = sum((gradient[k] * direction[k]).sum() for k in params).item()
    ahead, behind = (
        outer({k: p + h * direction[k] for k, p in params.items()}).item() for h in (1e-6, -1e-6)
    )
    assert (ahead - behind) / 2e-6 == pytest.approx(slope, rel=1e-6)


def test_rates_for_every_parameter_and_step_are_learnable():
    params, (support, query), _ = sine_task(1)
    rates = {k: torch.full((2,), 0.1, dtype=torch.float64) for k in params}

    def outer(rates):
        update = lambda p, g, step: {k: p[k] - rates[k][step] * g[k] for k in p}  # noqa: E731
        return query(unroll(support, params, update, 2))

    gradient = torch.func.grad(outer)(rates)
    for k in params:
        for step in range(2):
            nudge = torch.zeros(2, dtype=torch.float64)
            nudge[step] = 1e-6
            ahead, behind = (outer(rates | {k: rates[k] + s * nudge}).item() for s in (1, -1))
            assert (ahead - behind) / 2e-6 == pytest.approx(gradient[k][step].item(), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("first_order", [False, True])
def test_many_tasks_at_once_are_the_tasks_one_by_one(first_order):  # from outside too, as no norm is in it
    net = MLP([1, 8, 1]).double()
    params = {k: p.double() for k, p in init_params(np.random.default_rng(0), net).items()}
    x = torch.from_numpy(np.random.default_rng(1).uniform(-2, 2, size=(5, 10, 1)))

    def outer(p, x):
        loss = lambda p: ((functional_call(net, p, x) - torch.sin(x)) ** 2).mean()  # noqa: E731
        return loss(unroll(loss, p, sgd(0.1), 2, first_order=first_order))

    one_by_one = [torch.func.grad(outer)(params, task) for task in x]
    together = torch.func.grad(lambda p: torch.func.vmap(partial(outer, p))(x).sum())(params)
    leaves = {k: p.clone().requires_grad_() for k, p in params.items()}  # known to torch.autograd alone
    mapped = torch.autograd.grad(torch.func.vmap(partial(outer, leaves))(x).sum(), list(leaves.values()))
    in_turn = torch.autograd.grad(sum(outer(leaves, task) for task in x), list(leaves.values()))
    for k, a, b in zip(params, mapped, in_turn, strict=True):
        expected = sum(g[k] for g in one_by_one)
        for found in (together[k], a, b):
            assert torch.allclose(found, expected, atol=1e-12)


def test_params_are_left_alone_also_where_gradients_are_switched_off():
    loss, _, _, theta, _ = quadratic(0)
    before = theta.clone()
    for start in (theta, theta.clone().requires_grad_()):
        with torch.no_grad():
            adapted = unroll(loss, {"theta": start}, sgd(0.05), 3)["theta"]
        assert not adapted.requires_grad and not torch.equal(adapted, before)
        assert torch.equal(start, before)
