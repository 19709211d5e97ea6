"""The LSTM, in one and in two directions, differentiated twice by the engine and checked by small steps."""

import numpy as np

from reference.scratch.autodiff import check_gradients
from reference.scratch.nn import bidirectional, init_bidirectional, init_lstm, lstm_cell


def test_derivatives_of_a_step_to_second_order():
    rng = np.random.default_rng(0)
    names = list(init_lstm(rng, 2, width=3))
    weights = [p.astype(np.float64) for p in init_lstm(rng, 2, width=3).values()]

    def step(x, h, c, *weights):
        (h, c), _ = lstm_cell(dict(zip(names, weights, strict=True)), (h, c), x)
        return np.concatenate([h, c], axis=1)

    x, h, c = rng.normal(size=(2, 2)), rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    check_gradients(step, x, h, c, *weights, rng=rng)


def test_derivatives_through_a_sequence_to_second_order():
    rng = np.random.default_rng(1)
    params = {name: p.astype(np.float64) for name, p in init_bidirectional(rng, 2, width=2).items()}
    check_gradients(lambda xs: bidirectional(params, xs), rng.normal(size=(3, 1, 2)), rng=rng)
    for name in ("weight_hh_l0", "weight_ih_l0_reverse"):
        xs = rng.normal(size=(3, 1, 2))
        check_gradients(
            lambda w, name=name, xs=xs: bidirectional(params | {name: w}, xs), params[name], rng=rng
        )
