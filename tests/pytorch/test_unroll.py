"""What only torch knows: learning under vmap, and where gradients are switched off."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.func import functional_call

from reference.pytorch.nn import MLP, init_params
from reference.pytorch.unroll import unroll, value_and_grad
from reference.rules import adam, sgd


@pytest.mark.parametrize("rule", [sgd(0.1), sgd(0.05, momentum=0.9), adam(0.05)])
@pytest.mark.parametrize("first_order", [False, True])
def test_many_tasks_at_once_are_the_tasks_one_by_one(
    first_order, rule
):  # from outside too, as no norm is in it
    net = MLP([1, 8, 1]).double()
    params = {k: p.double() for k, p in init_params(np.random.default_rng(0), net).items()}
    x = torch.from_numpy(np.random.default_rng(1).uniform(-2, 2, size=(5, 10, 1)))

    def outer(p, x):
        loss = lambda p: ((functional_call(net, p, x) - torch.sin(x)) ** 2).mean()  # noqa: E731
        return loss(unroll(loss, p, rule, 2, first_order=first_order))

    one_by_one = [torch.func.grad(outer)(params, task) for task in x]
    together = torch.func.grad(lambda p: torch.func.vmap(partial(outer, p))(x).sum())(params)
    leaves = {k: p.clone().requires_grad_() for k, p in params.items()}  # known to torch.autograd alone
    mapped = torch.autograd.grad(torch.func.vmap(partial(outer, leaves))(x).sum(), list(leaves.values()))
    in_turn = torch.autograd.grad(sum(outer(leaves, task) for task in x), list(leaves.values()))
    for k, a, b in zip(params, mapped, in_turn, strict=True):
        expected = sum(g[k] for g in one_by_one)
        for found in (together[k], a, b):
            assert torch.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("first_order", [False, True])
def test_params_are_left_alone_also_where_gradients_are_switched_off(first_order):
    before = torch.linspace(-1, 2, 3, dtype=torch.float64)
    for start in (before.clone(), before.clone().requires_grad_()):
        with torch.no_grad():
            adapted = unroll(
                lambda p: (p["theta"] ** 4).sum(), {"theta": start}, sgd(0.05), 3, first_order=first_order
            )["theta"]
        assert not adapted.requires_grad and not torch.equal(adapted, before)
        assert torch.equal(start, before) and start.grad is None


@pytest.mark.parametrize("first_order", [False, True])
def test_where_nothing_asks_for_a_gradient_no_history_is_kept(first_order):
    start = {"w": torch.ones(2)}
    end = unroll(lambda p: (p["w"] ** 4).sum(), start, adam(0.1), 2, first_order=first_order)
    assert not end["w"].requires_grad


def test_what_the_loss_depends_on_is_learnable_though_params_are_no_leaves():
    scale = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    start = {"w": torch.tensor(2.0, dtype=torch.float64)}
    end = unroll(lambda p: scale * p["w"] ** 2 / 2, start, sgd(0.1), 2)["w"]  # w (1 - 0.1 scale)^2
    (through,) = torch.autograd.grad(end, scale)
    assert through.item() == pytest.approx(-2 * 0.1 * 0.9 * 2.0)


def test_value_and_grad_gives_no_history_and_zeros_for_what_is_not_used():
    params = {"w": torch.ones(2), "unused": torch.ones(3)}
    value, gradient = value_and_grad(lambda p, by: (p["w"] ** 2).sum() * by)(params, by=3.0)
    assert value.item() == 6 and not value.requires_grad
    assert gradient["w"].tolist() == [6, 6] and gradient["unused"].tolist() == [0, 0, 0]
    assert not any(g.requires_grad for g in gradient.values())
