"""Each operation where it is easily wrong: corners, empty arrays, odd dtypes and shapes; and its errors.

That its derivatives are right elsewhere is judged beside torch, in tests/parity/test_engine.py.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from reference.scratch.autodiff import Tensor, check_gradients, detach, grad, relu

RNG = np.random.default_rng
FLOATS = {"elements": st.floats(-2, 2), "dtype": np.float64}
quick = settings(derandomize=True, deadline=None, max_examples=60)


def derivative(function, point, path):
    """The derivative of function(*point) in the arguments that path numbers, one after the other."""
    leaves = [Tensor(float(x)) for x in point]
    y = function(*leaves)
    for i in path:
        y = grad(y, leaves[i])
    return y.item()


L = np.log(2)
POWERS = {  # (a, b): for each path of derivatives in a (0) and b (1), what it is, from a^b = e^(b log a)
    (2, 0): {
        (0,): 0,
        (1,): L,
        (0, 1): 1 / 2,
        (1, 0): 1 / 2,
        (0, 0, 1): -1 / 4,
        (0, 1, 1): L,
        (1, 1, 1): L**3,
    },
    (2, 1): {(0,): 1, (0, 0): 0, (0, 1): 1 + L, (1, 0): 1 + L, (0, 0, 1): 1 / 2, (1, 0, 0): 1 / 2},
    (2, 2): {(0, 0): 2, (0, 0, 0): 0, (0, 1): 2 + 4 * L, (0, 0, 1): 3 + 2 * L, (0, 0, 0, 1): 1},
    (2, -1): {(0,): -1 / 4, (0, 1): (1 - L) / 4, (1, 0): (1 - L) / 4},
    (0, 0): {(0,): 0, (0, 0): 0, (0, 0, 0): 0},
    (0, 1): {(0,): 1, (1,): 0, (0, 0): 0, (1, 1): 0, (0, 0, 0): 0},
    (0, 2): {(0,): 0, (0, 0): 2, (0, 0, 0): 0, (0, 1): 0, (1, 0): 0, (1, 1): 0},
    (0, 3): {(0, 0, 0): 6, (0, 0, 0, 0): 0, (0, 1): 0, (0, 0, 1): 0, (1, 0, 0): 0, (0, 1, 1): 0},
}


@pytest.mark.parametrize(("point", "paths"), POWERS.items())
def test_powers_at_whole_exponents_and_at_zero(point, paths):
    for path, expected in paths.items():
        assert derivative(lambda a, b: a**b, point, path) == pytest.approx(expected, abs=1e-14), path


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 2.0, np.float64(3), np.array([0.0, 1.0, 2.0])])
def test_constant_exponents_at_zero(exponent):
    x = Tensor(np.zeros(3))
    y, slope = x**exponent, 1.0
    for order in range(4):
        slope = slope * (exponent - order)
        y = grad(np.sum(y), x)
        expected = np.where(np.equal(exponent, order + 1), slope, 0)
        np.testing.assert_array_equal(detach(y), np.broadcast_to(expected, 3))


def test_a_power_of_anything_to_the_zero_is_flat():
    x = Tensor(np.array([0.0, 1e-320, np.inf, np.nan]))
    np.testing.assert_array_equal(detach(grad(np.sum(x**0), x)), 0)


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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int8, bool])
def test_the_smaller_and_the_larger_of_a_tensor_and_whole_numbers(dtype):
    x, whole = Tensor(np.array([3.0, 0.5, 300.0])), np.array([1, 1, 1]).astype(dtype)
    for ours, theirs in ((np.minimum(x, whole), [1, 0.5, 1]), (np.maximum(whole, x), [3, 1, 300])):
        np.testing.assert_array_equal(detach(ours), theirs)
        np.testing.assert_array_equal(detach(grad(np.sum(ours), x)), np.equal(detach(ours), detach(x)))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, bool])
def test_powers_of_whole_numbers_keep_their_digits(dtype):
    base, x = np.array([1, 1, 0] if dtype is bool else [2, 3, 0]).astype(dtype), Tensor(np.array([0.5, 2, 1]))
    logarithm = np.log(np.maximum(base, 1.0))  # of small whole numbers NumPy would take it in half precision
    y = base**x
    for order in (1, 2):
        y = grad(np.sum(y), x)
        np.testing.assert_allclose(detach(y), base ** detach(x) * logarithm**order, rtol=1e-15)


def test_full_like_repeats_a_tensor():
    x, fill = Tensor(np.ones((2, 3))), Tensor(2.0)
    full = np.full_like(x, fill)
    np.testing.assert_array_equal(detach(full), np.full((2, 3), 2.0))
    assert grad(np.sum(full), fill).item() == 6
    assert not isinstance(np.full_like(x, 2.0), Tensor)


@pytest.mark.parametrize("other", [np.float64, np.float16])
def test_another_dtype_comes_back_as_its_own(other):
    x, w = Tensor(np.ones(2, np.float32)), Tensor(np.ones(2, other))
    for y in (np.astype(x, other) ** 2, x * w, np.concatenate([x, w]), x @ w, np.einsum("i,i->i", x, w)):
        first = grad(np.sum(y * y), x)
        assert first.dtype == grad(np.sum(first * first), x).dtype == np.float32


def test_concatenate_without_an_axis_is_flat():
    x = Tensor(np.arange(6.0).reshape(2, 3))
    joined = np.concatenate([x, [1.0], x], axis=None)
    np.testing.assert_array_equal(detach(joined), [*range(6), 1, *range(6)])
    np.testing.assert_array_equal(detach(grad(np.sum(joined**2), x)), 4 * detach(x))


NOTHING = Tensor(np.ones((0, 3)))


@pytest.mark.parametrize("reduce", [np.mean, np.var, np.max, np.min])
def test_of_nothing_there_is_no_mean_and_no_largest(reduce):
    for axis in (0, None, (0, 1), -2):
        with pytest.raises(
            ValueError, match=rf"np.{reduce.__name__.lstrip('a')}: x has shape \(0, 3\); over axis="
        ):
            reduce(NOTHING, axis=axis)
    result = reduce(NOTHING, axis=1)  # three entries for each of no rows
    assert result.shape == (0,) and grad(np.sum(result), NOTHING).shape == (0, 3)


@pytest.mark.parametrize("shapes", [((1,), (3,)), ((3,), (1,)), ((3,), (3,)), ((1,), (1,))])
@pytest.mark.parametrize("formula", ["i,i->", "i,i->i"])
def test_an_axis_of_one_meets_an_axis_of_n(formula, shapes):
    check_gradients(
        lambda a, b: np.einsum(formula, a, b) ** 2,
        *[RNG(0).normal(size=s) for s in shapes],
        rng=RNG(1),
        order=3,
    )


@quick
@given(st.data())
def test_a_sum_of_products_is_linear_in_each_factor(data):
    """<v, einsum(..., x, ...)> = <gradient in x, x>, for any letters, axes of size 1 and broadcasting."""
    sizes = data.draw(st.fixed_dictionaries(dict.fromkeys("abc", st.integers(1, 3))))
    terms = data.draw(st.lists(st.lists(st.sampled_from("abc"), unique=True), min_size=1, max_size=3))
    shapes = [[data.draw(st.sampled_from([1, sizes[letter]])) for letter in term] for term in terms]
    used = sorted({letter for term in terms for letter in term})
    kept = data.draw(st.lists(st.sampled_from(used), unique=True)) if used else []
    formula = ",".join(map("".join, terms)) + "->" + "".join(kept)
    rng = RNG(data.draw(st.integers(0, 2**16)))
    xs = [Tensor(rng.normal(size=shape)) for shape in shapes]
    y = np.einsum(formula, *xs)
    plain = np.einsum(formula, *map(detach, xs))
    v = rng.normal(size=plain.shape)
    np.testing.assert_allclose(detach(y), plain, atol=1e-12)
    for x, gradient in zip(xs, grad(np.sum(v * y), xs), strict=True):
        assert gradient.shape == x.shape
        assert np.sum(detach(gradient) * detach(x)) == pytest.approx(np.sum(v * plain), abs=1e-10)


A, B = Tensor(np.ones((2, 3))), Tensor(np.ones((3, 4)))
FORMULAS = {
    "without a result": ("ij,jk", (A, B), ValueError, "subscripts: got 'ij,jk'"),
    "with a diagonal": ("ii->i", (A @ A.T,), ValueError, "no letter twice"),
    "that loses an ellipsis": (
        "...i->i",
        (A,),
        ValueError,
        r"got '...i->i' .* with '...' if an operand has it",
    ),
    "of too many terms": (
        "ij,jk->ik",
        (A,),
        ValueError,
        "for 1 operands; .* a term for each operand",
    ),
    "of too many letters": ("ijk->i", (A,), ValueError, r"'ijk' in 'ijk->i' got shape \(2, 3\)"),
    "of too few letters": ("i->i", (A,), ValueError, r"'i' in 'i->i' got shape \(2, 3\)"),
    "in lists": (A, ([0, 1], [0]), TypeError, "subscripts: of a Tensor, write them as a string"),
}


@pytest.mark.parametrize(("formula", "operands", "error", "words"), FORMULAS.values(), ids=FORMULAS)
def test_a_formula_that_cannot_be_is_explained(formula, operands, error, words):
    with pytest.raises(error, match="np.einsum: .*" + words):
        np.einsum(formula, *operands)


@quick
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


@quick
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


@quick
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


def test_answers_to_questions_are_plain_arrays():
    x = Tensor(np.array([1.0, np.nan]))
    assert np.allclose(a=x, b=x, equal_nan=True) and not np.array_equal(a1=x, a2=x)
    for answer in (np.isnan(x), np.sign(x), np.argmax(x), np.zeros_like(x), np.shape(x)):
        assert not isinstance(answer, Tensor)
