"""What grad promises: any order, any depth, the same structure back, and clear words when it cannot."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from reference.scratch.autodiff import Tensor, check_gradients, detach, grad, relu, value_and_grad

RNG = np.random.default_rng
FLOATS = {"elements": st.floats(-2, 2), "dtype": np.float64}


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays(dtype):
    def everything(x):
        y = relu(x @ x.T) / 2 + np.maximum(x[0], x[1]).mean() + np.abs(x).max() - 1
        y = np.where(y > 0, y, 0.1 * y) + np.einsum("ij,kj->ik", x, x) + np.var(x, axis=1) ** 1.5
        return np.sum(np.log(1 + np.sqrt(1 + y**2)) * np.tanh(y[:, [0, 0]].sum(axis=1)) ** 2)

    x = Tensor(RNG(0).normal(size=(2, 2)).astype(dtype))
    y = everything(x)
    first = grad(y, x)
    second = grad(np.sum(first**2), x)
    assert {y.dtype, first.dtype, second.dtype} == {np.dtype(dtype)}


def test_value_and_grad_gives_plain_arrays():
    value, gradient = value_and_grad(lambda p, n: np.sum(p["a"] ** n))({"a": np.array([1.0, 2.0])}, 3)
    assert value == 9 and not isinstance(value, Tensor)
    np.testing.assert_array_equal(gradient["a"], [3, 12])


@given(arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3), st.data())
def test_broadcasting_sums_the_gradient_back(shapes, data):
    (left, right), result = shapes.input_shapes, shapes.result_shape
    a, b = (Tensor(data.draw(arrays.arrays(shape=shape, **FLOATS))) for shape in (left, right))
    weights = data.draw(arrays.arrays(shape=result, **FLOATS))
    of_a, of_b = grad(np.sum(weights * (a * b)), [a, b])
    assert (of_a.shape, of_b.shape) == (left, right)
    # Second oracle: the adjoint identity <weights, direction * b> = <gradient, direction>.
    for direction in (np.ones(left), np.arange(a.size).reshape(left)):
        expected = np.sum(weights * (direction * detach(b)))
        assert np.sum(detach(of_a) * direction) == pytest.approx(expected, abs=1e-9)


@given(arrays.array_shapes(min_dims=1, max_dims=3, max_side=4), st.data())
def test_indexing_and_scattering_are_adjoint(shape, data):
    index = data.draw(
        arrays.basic_indices(shape, allow_newaxis=True)
        | arrays.integer_array_indices(shape)
        | arrays.arrays(bool, shape)
    )
    x = Tensor(data.draw(arrays.arrays(shape=shape, **FLOATS)))
    picked = x[index]
    np.testing.assert_array_equal(detach(picked), detach(x)[index])
    counts = np.zeros(shape)
    np.add.at(counts, index, 1)
    np.testing.assert_array_equal(detach(grad(np.sum(picked), x)), counts)
    np.testing.assert_allclose(detach(grad(np.sum(picked**2), x)), 2 * detach(x) * counts)


@given(arrays.arrays(shape=arrays.array_shapes(max_dims=3, max_side=3), **FLOATS), st.data())
def test_reductions_agree_with_numpy_along_any_axis(x, data):
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1) | arrays.valid_tuple_axes(x.ndim))
    keepdims = data.draw(st.booleans())
    for reduce in (np.sum, np.mean, np.max, np.min):
        ours = reduce(Tensor(x), axis=axis, keepdims=keepdims)
        np.testing.assert_allclose(
            detach(ours), reduce(x, axis=axis, keepdims=keepdims), rtol=1e-14, atol=1e-14
        )
    leaf = Tensor(x)
    for reduce in (
        np.max,
        np.min,
        np.mean,
    ):  # however ties are shared, one unit of gradient arrives per result
        result = reduce(leaf, axis=axis, keepdims=keepdims)
        assert np.sum(detach(grad(np.sum(result), leaf))) == pytest.approx(result.size)


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


X = Tensor(np.ones((2, 3)))
REFUSED = {
    "np.cumsum": (lambda: np.cumsum(X), TypeError, "np.cumsum .* argument 0 is a Tensor"),
    "np.arctan2": (lambda: np.arctan2(np.ones(3), X), TypeError, "np.arctan2 .* argument 1 is a Tensor"),
    "np.linalg.det": (lambda: np.linalg.det(X), TypeError, "np.linalg.det .* argument 0 is a Tensor"),
    "np.vstack": (lambda: np.vstack([X, X]), TypeError, "np.vstack .* is a Tensor"),
    "np.add.reduce": (lambda: np.add.reduce(X), TypeError, "np.add.reduce .* argument 0"),
    "out": (lambda: np.add(X, 1, out=np.ones((2, 3))), TypeError, "np.add with out= .* argument 0"),
    "array += tensor": (lambda: np.ones((2, 3)).__iadd__(X), TypeError, "np.add with out= .* argument 1"),
    "order": (lambda: np.linalg.norm(X, 1), TypeError, "ord: .* got 1"),
    "np.array": (lambda: np.array([X, X]), TypeError, "does not become a plain array by itself"),
    "in place": (lambda: X.__setitem__(0, 1.0), TypeError, "x\\[0\\] = .* never changed in place"),
    "bool": (lambda: bool(X > 0), ValueError, "more than one element"),
    "bool of a tensor": (lambda: bool(X), ValueError, "x has shape \\(2, 3\\)"),
    "integers": (lambda: Tensor(np.arange(3)), TypeError, "value: .* floating numbers, got int64"),
    "grad of no scalar": (lambda: grad(X, X), ValueError, "y: only a scalar .* got shape \\(2, 3\\)"),
    "grad of an array": (lambda: grad(np.ones(()), X), TypeError, "y: grad needs a Tensor, got ndarray"),
    "grad in an array": (lambda: grad(np.sum(X), [X, np.ones(2)]), TypeError, "xs: entry 1 is a ndarray"),
    "einsum without result": (lambda: np.einsum("ij,jk", X, X.T), ValueError, "subscripts: got 'ij,jk'"),
    "einsum with a diagonal": (lambda: np.einsum("ii->i", X @ X.T), ValueError, "no letter twice"),
}


@pytest.mark.parametrize(("call", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_said_in_one_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_numpy_numbers_and_arrays_on_the_left_work():
    x = Tensor(np.ones(2))
    for y in (np.float64(2) * x, np.full(2, 2.0) * x, 2 * x, np.ones(2) + x, 3 - x, 2 / x, 2**x):
        assert isinstance(y, Tensor)
        np.testing.assert_array_equal(detach(y), 2)


def test_plain_arrays_stay_plain():
    for y in (relu(np.ones(2)), np.sum(np.ones(2))):
        assert not isinstance(y, Tensor)


def test_comparisons_are_plain_arrays_and_one_element_is_a_condition():
    x = Tensor(np.array([1.0, -1.0]))
    np.testing.assert_array_equal(x > 0, [True, False])
    np.testing.assert_array_equal(0 <= x, [True, False])
    assert isinstance(x == x, np.ndarray) and bool(x[0]) and float(x[1]) == -1 and len(list(x)) == 2
    assert repr(x) == "Tensor([ 1., -1.])"
