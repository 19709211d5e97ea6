"""The optimisers' first steps by hand; the rest is compared with torch.optim in parity/."""

import numpy as np
import pytest

from reference.scratch.optim import adam, sgd


def test_first_adam_step_is_the_sign_of_the_gradient():
    params, gradient = {"w": np.array([1.0, 1.0])}, {"w": np.array([5.0, -1e-3])}
    new, _ = adam(0.1).update(params, gradient, adam(0.1).init(params))
    np.testing.assert_allclose(new["w"], [0.9, 1.1], atol=1e-5)


def test_two_steps_with_momentum_by_hand():
    optimizer, params = sgd(0.1, momentum=0.5), {"w": np.array([1.0])}
    state = optimizer.init(params)
    params, state = optimizer.update(params, {"w": np.array([2.0])}, state)  # velocity 2
    params, state = optimizer.update(params, {"w": np.array([2.0])}, state)  # velocity 3
    np.testing.assert_allclose(params["w"], 1 - 0.2 - 0.3)


@pytest.mark.parametrize("optimizer", [adam(lambda step: np.float64(0.1)), sgd(0.1, momentum=0.9)])
def test_nothing_given_is_changed_and_float32_stays(optimizer):
    params, gradient = {"w": np.ones(3, np.float32)}, {"w": np.ones(3, np.float32)}
    state = optimizer.init(params)
    new, later = optimizer.update(params, gradient, state)
    assert new["w"].dtype == np.float32 and later.step == 1 and state.step == 0
    np.testing.assert_array_equal(params["w"], 1)
    assert not any(array.any() for tree in state[1:] for array in tree.values())
