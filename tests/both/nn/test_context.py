"""Full context against the equations of Vinyals et al., one number at a time."""

from functools import partial

import numpy as np
import pytest

from reference.scratch.nn import init_context
from tests.sides import PYTORCH, SCRATCH, along, random_direction, slope

D = 4


def problem():
    rng = np.random.default_rng(0)
    params = {f"context.{name}": 2 * p.astype(np.float64) for name, p in init_context(rng, D).items()}
    return params, rng.normal(size=(3, D)), rng.normal(size=(5, D))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(params, x, h, c):
    """LSTM(x, h, c) of the paper, h of any size; the weights of torch.nn.LSTM."""
    gates = params["weight_ih"] @ x + params["weight_hh"] @ h + params["bias"]
    i, f, g, o = np.split(gates, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def weights(params, name, ending=""):
    prefix = f"context.{name}."
    bias = sum(params[f"{prefix}bias_{kind}_l0{ending}"] for kind in ("ih", "hh"))
    return {kind: params[f"{prefix}{kind}_l0{ending}"] for kind in ("weight_ih", "weight_hh")} | {
        "bias": bias
    }


def support_by_hand(params, support):
    """Appendix A.2: g(x_i, S) = h forward + h backward + g'(x_i)."""
    result = support.copy()
    for ending, order in (("", range(5)), ("_reverse", reversed(range(5)))):
        h = c = np.zeros(D)
        for i in order:
            h, c = lstm(weights(params, "g", ending), support[i], h, c)
            result[i] = result[i] + h
    return result


def query_by_hand(params, query, g, n_reads):
    """Appendix A.1, equations 3 to 6, with r in the state: [h, r] meets one matrix, whose right half is the
    right half of ours for the input."""
    f = weights(params, "f")
    paper = f | {
        "weight_ih": f["weight_ih"][:, :D],
        "weight_hh": np.concatenate([f["weight_hh"], f["weight_ih"][:, D:]], axis=1),
    }
    h = c = np.zeros(D)
    for _ in range(n_reads):
        a = np.exp(g @ h) / np.exp(g @ h).sum()
        r = sum(a_i * g_i for a_i, g_i in zip(a, g, strict=True))
        h_hat, c = lstm(paper, query, np.concatenate([h, r]), c)
        h = h_hat + query
    return h


@pytest.mark.parametrize("n_reads", [1, 2, 5])
def test_it_is_the_equations(side, n_reads):
    params, queries, support = problem()
    f, g = side.nn.full_context(side.array(params), side.array(queries), side.array(support), n_reads=n_reads)
    expected = support_by_hand(params, support)
    np.testing.assert_allclose(side.numpy(g), expected, rtol=1e-10, atol=1e-12)
    for found, query in zip(side.numpy(f), queries, strict=True):
        np.testing.assert_allclose(found, query_by_hand(params, query, expected, n_reads), rtol=1e-10)


def test_with_weights_of_zero_everything_stays_as_it_was(side):
    params, queries, support = problem()
    none = {name: 0 * p for name, p in params.items()}
    f, g = side.nn.full_context(side.array(none), side.array(queries), side.array(support), n_reads=3)
    np.testing.assert_array_equal(side.numpy(f), queries)
    np.testing.assert_array_equal(side.numpy(g), support)


def test_the_support_is_read_in_its_order_and_no_query_by_another(side):
    params, queries, support = (side.array(part) for part in problem())
    context = partial(side.nn.full_context, params, n_reads=3)
    f, g = (side.numpy(part) for part in context(queries, support))
    turned_f, turned_g = (
        side.numpy(part) for part in context(queries, side.array(side.numpy(support)[::-1].copy()))
    )
    assert np.abs(turned_g[::-1] - g).max() > 1e-3 and np.abs(turned_f - f).max() > 1e-3
    for i in range(3):
        np.testing.assert_allclose(side.numpy(context(queries[i : i + 1], support)[0])[0], f[i], rtol=1e-12)


def loss_of(side, queries, support):
    def loss(params):
        f, g = side.nn.full_context(params, side.array(queries), side.array(support), n_reads=3)
        return (f**2).sum() + (g**3).sum()

    return loss


def test_the_gradient_is_what_small_steps_find(side):
    params, queries, support = problem()
    loss = loss_of(side, queries, support)
    _, gradient = side.value_and_grad(loss)(side.array(params))
    direction = random_direction(params)
    assert along(side.numpy(gradient), direction) == pytest.approx(
        slope(side, loss, params, direction), rel=1e-7
    )


def test_both_sides_give_the_same_numbers_gradients_and_start():
    params, queries, support = problem()
    (value, gradient), (their_value, their_gradient) = (
        map(side.numpy, side.value_and_grad(loss_of(side, queries, support))(side.array(params)))
        for side in (SCRATCH, PYTORCH)
    )
    assert float(value) == pytest.approx(float(their_value), rel=1e-12)
    for name in params:
        np.testing.assert_allclose(gradient[name], their_gradient[name], rtol=1e-10, atol=1e-10)
    mine, theirs = (
        side.numpy(side.nn.init_context(np.random.default_rng(3), D)) for side in (SCRATCH, PYTORCH)
    )
    assert list(mine) == list(theirs)
    for name in mine:
        np.testing.assert_array_equal(mine[name], theirs[name])


def test_no_read_and_embeddings_of_another_size_are_told(side):
    params, queries, support = problem()
    with pytest.raises(ValueError, match=r"^n_reads must be at least 1, got 0\.$"):
        side.nn.full_context(side.array(params), side.array(queries), side.array(support), n_reads=0)
    wide = side.array(np.ones((2, 9)))
    words = r"^x: got 9 numbers a row; weight_ih_l0 takes 4\. Is this the size of input"
    with pytest.raises(ValueError, match=words):
        side.nn.full_context(side.array(params), wide, wide, n_reads=1)
