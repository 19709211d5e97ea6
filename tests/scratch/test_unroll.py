"""What only the engine shows of unrolled learning: second derivatives, and plain arrays that stay so."""

import numpy as np
import pytest

from reference.rules import adam, sgd
from reference.scratch.autodiff import Tensor, check_gradients, detach
from reference.scratch.nn import mean_squared_error, mlp
from reference.scratch.unroll import unroll
from tests.sides import mlp_params


def sine(seed):
    x = np.random.default_rng(seed).uniform(-2, 2, size=(2, 10, 1))
    losses = [lambda p, x=part: mean_squared_error(mlp(p, x), np.sin(x)) for part in x]
    return mlp_params(seed, [1, 8, 1]), *losses


def test_the_meta_gradient_through_a_network_and_its_own_derivative_are_what_small_steps_find():
    params, support, query = sine(0)

    def outer(*values):
        return query(unroll(support, dict(zip(params, values, strict=True)), sgd(0.1), 3))

    check_gradients(outer, *params.values(), rng=np.random.default_rng(1), order=2, tolerance=1e-6)


@pytest.mark.parametrize("rule", [sgd(0.1), sgd(0.1, momentum=0.9), adam(0.1)])
def test_plain_params_stay_plain_under_first_order(rule):
    params, support, _ = sine(2)
    adapted = unroll(support, params, rule, 2, first_order=True)
    exact = unroll(support, params, rule, 2)
    for name in params:
        assert type(adapted[name]) is np.ndarray and type(exact[name]) is Tensor
        np.testing.assert_array_equal(adapted[name], detach(exact[name]))


def test_a_rate_that_is_a_tensor_is_judged_by_its_shape_too():
    params, support, _ = sine(2)
    with pytest.raises(ValueError, match=r"^rate: got shape \(3,\) for layers.0.weight of shape \(8, 1\)"):
        unroll(support, params, sgd(Tensor(np.full(3, 0.1))), 1)
