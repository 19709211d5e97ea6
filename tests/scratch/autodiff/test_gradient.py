"""What grad promises: any order, any depth, the same structure back, and clear words when it cannot."""

import gc
import weakref
from typing import NamedTuple

import numpy as np
import pytest

from reference.scratch.autodiff import Tensor, detach, grad, relu, value_and_grad


def hessian(function, x):
    """All second derivatives, one row after the other."""
    x = Tensor(x)
    gradient = grad(function(x), x)
    return np.stack([detach(grad(gradient[i], x)) for i in range(len(x))])


def cubic(x):
    return np.sum(x**3) + x[0] * x[1] * x[2]


def test_third_derivative_of_a_quartic():
    x = Tensor(2.0)
    y = x**4
    for expected in (32.0, 48.0, 48.0, 24.0, 0.0):  # 4x^3, 12x^2, 24x, 24, 0 at x = 2
        y = grad(y, x)
        assert y.item() == expected


def test_derivatives_of_a_sine_go_round():
    x = Tensor(0.3)
    y = np.sin(x)
    for expected in (np.cos(0.3), -np.sin(0.3), -np.cos(0.3), np.sin(0.3)):
        y = grad(y, x)
        assert y.item() == pytest.approx(expected, abs=1e-15)


def test_hessian_vector_product_is_the_hessian_times_the_vector():
    x, v = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.2, -1.0])
    by_hand = np.diag(6 * x) + np.array([[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]])
    leaf = Tensor(x)
    product = grad(np.sum(grad(cubic(leaf), leaf) * v), leaf)
    np.testing.assert_allclose(hessian(cubic, x), by_hand, rtol=1e-14)
    np.testing.assert_allclose(detach(product), by_hand @ v, rtol=1e-14)


def test_detach_removes_the_curvature():
    x = Tensor(np.array([1.0, 2.0, 3.0]))
    step, cut = x - 0.1 * grad(cubic(x), x), x - 0.1 * detach(grad(cubic(x), x))
    full = detach(grad(np.sum(step), x))
    np.testing.assert_allclose(full, 1 - 0.1 * hessian(cubic, detach(x)).sum(axis=0))
    np.testing.assert_array_equal(detach(grad(np.sum(cut), x)), 1)


def test_without_a_graph_the_numbers_are_the_same_and_plain():
    x = Tensor(np.array([1.0, 2.0, 3.0]))
    plain = grad(cubic(x), x, create_graph=False)
    assert isinstance(plain, np.ndarray)
    np.testing.assert_array_equal(plain, detach(grad(cubic(x), x)))


def test_structure_comes_back():
    a, b = Tensor(1.0), Tensor(np.ones(2))
    y = a * np.sum(b)
    assert grad(y, a).item() == 2
    assert [g.shape for g in grad(y, [a, b])] == [(), (2,)]
    assert isinstance(grad(y, (a, b)), tuple)
    assert list(grad(y, {"w": b, "v": a})) == ["w", "v"]
    assert grad(y, {}) == {} and grad(y, []) == []


def test_what_y_does_not_depend_on_has_gradient_zero():
    x, other = Tensor(np.ones(3)), Tensor(np.ones((2, 2)))
    later = np.exp(x)
    np.testing.assert_array_equal(detach(grad(np.sum(x), other)), np.zeros((2, 2)))
    np.testing.assert_array_equal(detach(grad(np.sum(x), later)), np.zeros(3))
    second = grad(np.sum(grad(np.sum(2 * x), x)), x)
    np.testing.assert_array_equal(detach(second), 0)


def test_gradient_of_something_in_itself_is_one_and_of_an_inner_node_is_total():
    x = Tensor(3.0)
    inner = x * x
    y = inner * x
    assert grad(y, y).item() == 1
    assert [g.item() for g in grad(y, [x, inner])] == [27.0, 3.0]


def test_only_nodes_between_are_visited():
    def forbidden(g):
        raise AssertionError("this vjp lies beside the path")

    x = Tensor(2.0)
    before = Tensor(detach(x), [(x, forbidden)])
    beside = Tensor(1.0, [(Tensor(1.0), forbidden)])
    assert grad(before**2 * beside, before).item() == 4.0


def test_a_named_tuple_comes_back():
    class Pair(NamedTuple):
        a: Tensor
        b: Tensor

    pair = Pair(Tensor(2.0), Tensor(3.0))
    found = grad(pair.a * pair.b, pair)
    assert isinstance(found, Pair) and (found.a.item(), found.b.item()) == (3, 2)


def test_plain_gradients_are_arrays_of_their_own():
    a, b, c = Tensor(np.ones(3)), Tensor(np.ones(3)), Tensor(np.ones((2, 3)))
    joined = np.concatenate([a, b])
    found = grad(np.sum(a + b) + np.sum(c) + np.sum(joined), [a, b, c, a], create_graph=False)
    for i, g in enumerate(found):
        before = [other.copy() for other in found]
        g += 1  # a view of one number, spread over the shape, could not be written to
        for j, other in enumerate(found):
            np.testing.assert_array_equal(other, before[j] + (i == j))


def test_the_value_is_an_array_of_its_own():
    params = {"a": np.array(2.0)}
    value, _ = value_and_grad(lambda p: p["a"])(params)
    value += 1
    assert params["a"] == 2


@pytest.mark.parametrize("length", [5_000, 20_000])
def test_a_deep_graph_is_no_recursion(length):
    x = y = Tensor(1.0)
    for _ in range(length):
        y = y + 1e-9 * y
    assert grad(y, x).item() == pytest.approx((1 + 1e-9) ** length)


def test_nothing_is_kept_alive_by_a_circle():
    x = Tensor(np.ones(3))
    gc.collect()
    gc.disable()
    try:
        y = np.sum(relu(np.tanh(np.exp(x)) ** 2) / np.sqrt(np.maximum(x, np.ones(3))))
        first = grad(y, x)
        traces = [weakref.ref(node_value) for node_value in (y.value, first.value)]
        del y, first
        assert [trace() for trace in traces] == [None, None]
    finally:
        gc.enable()


def test_value_and_grad_gives_plain_arrays():
    value, gradient = value_and_grad(lambda p, n: np.sum(p["a"] ** n))({"a": np.array([1.0, 2.0])}, 3)
    assert value == 9 and not isinstance(value, Tensor)
    np.testing.assert_array_equal(gradient["a"], [3, 12])


X = Tensor(np.ones((2, 3)))
REFUSED = {
    "of no scalar": (lambda: grad(X, X), ValueError, "y: only a scalar .* got shape \\(2, 3\\)"),
    "of an array": (lambda: grad(np.ones(()), X), TypeError, "y: grad needs a Tensor, got ndarray"),
    "in an array": (lambda: grad(np.sum(X), [X, np.ones(2)]), TypeError, "xs: entry 1 is a ndarray"),
    "in integers": (
        lambda: value_and_grad(lambda p: np.sum(p["w"]))({"w": np.arange(3)}),
        TypeError,
        "params: w: value: a Tensor holds floating numbers, got int64",
    ),
    "in a dict": (lambda: grad(np.sum(X), {"w": X, "b": 1.0}), TypeError, "xs: entry b is a float"),
}


@pytest.mark.parametrize(("call", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_differentiated_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
