"""Both sides unroll to the same parameters and the same meta-gradients."""

import numpy as np
import pytest
import torch
from torch.func import functional_call

from reference.pytorch import unroll as theirs
from reference.pytorch.nn import MLP
from reference.rules import adam, sgd
from reference.scratch import unroll as ours
from reference.scratch.autodiff import Tensor, detach, grad
from reference.scratch.nn import init_mlp, mlp
from reference.scratch.nn.losses import mean_squared_error


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("n_steps", [0, 1, 5])
@pytest.mark.parametrize("rule", [sgd(0.1), sgd(0.05, momentum=0.9), adam(0.05)])
def test_adapted_params_and_meta_gradient(rule, n_steps, first_order):
    rng = np.random.default_rng(0)
    params = {name: p.astype(np.float64) for name, p in init_mlp(rng, [1, 10, 10, 1]).items()}
    x = rng.uniform(-3, 3, size=(2, 10, 1))
    net = MLP([1, 10, 10, 1])

    leaves = {name: Tensor(p) for name, p in params.items()}
    support, query = (lambda p, x=part: mean_squared_error(mlp(p, x), np.sin(x)) for part in x)
    adapted = ours.unroll(support, leaves, rule, n_steps, first_order=first_order)
    gradient = grad(query(adapted), leaves)

    support, query = (
        lambda p, x=part: torch.nn.functional.mse_loss(functional_call(net, p, x), torch.sin(x))
        for part in torch.tensor(x)
    )

    def outer(p):
        end = theirs.unroll(support, p, rule, n_steps, first_order=first_order)
        return query(end), end

    start = {name: torch.tensor(p) for name, p in params.items()}
    expected_gradient, expected = torch.func.grad(outer, has_aux=True)(start)
    for name in params:
        np.testing.assert_allclose(detach(adapted[name]), expected[name].numpy(), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(
            detach(gradient[name]), expected_gradient[name].numpy(), rtol=1e-10, atol=1e-10
        )
