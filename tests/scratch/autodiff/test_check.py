"""The judge of derivatives: what it finds, and what it refuses to judge."""

import numpy as np
import pytest

from reference.scratch.autodiff import Tensor, check_gradients, detach

RNG = np.random.default_rng


def test_check_gradients_finds_a_wrong_first_and_a_wrong_second_derivative():
    def wrong(x):
        return Tensor(detach(x) ** 2, [(x, lambda g: g * x)])

    def plain(x):  # the value of the derivative is right; it has no derivative of its own
        return Tensor(np.exp(detach(x)), [(x, lambda g: g * np.exp(detach(x)))])

    x = np.array([0.5, 1.0])
    for function, order in ((wrong, 1), (plain, 2)):
        with pytest.raises(AssertionError, match="argument [01]: the gradient gives"):
            check_gradients(
                lambda x, function=function: function(Tensor(x) if x is detach(x) else x),
                x,
                rng=RNG(0),
                order=order,
            )
    check_gradients(lambda x: plain(Tensor(x) if x is detach(x) else x), x, rng=RNG(0), order=1)


def test_what_small_steps_cannot_judge_is_refused():
    with pytest.raises(TypeError, match="check_gradients: argument 1 is float32; small steps need float64"):
        check_gradients(lambda a, b: a * b, np.ones(2), np.ones(2, np.float32), rng=RNG(0))
