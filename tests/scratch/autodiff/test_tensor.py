"""What a Tensor promises: it looks like an array, and its gradient is never lost without a word."""

import copy
import math

import numpy as np
import pytest

from reference.scratch.autodiff import Tensor, as_tensor, detach, grad, relu

ONE = Tensor(2.0)
X = Tensor(np.ones((2, 3)))


# Whoever asks for the plain number of a Tensor gets an error; else a gradient would end there in silence.
LOST = {
    "float": lambda: float(ONE),
    "int": lambda: int(ONE),
    "complex": lambda: complex(ONE),
    "math.sqrt": lambda: math.sqrt(ONE),
    "math.isfinite": lambda: math.isfinite(ONE),
    "np.float64": lambda: np.float64(ONE),
    "np.asarray": lambda: np.asarray(ONE),
    "np.array of a list": lambda: np.array([1.0, ONE]),
    "np.array of objects": lambda: np.array([ONE, ONE], dtype=object),
    "Tensor of a list": lambda: Tensor([ONE, ONE]),
    "np.full": lambda: np.full(3, ONE),
    "np.add of a list": lambda: np.add([ONE, ONE], 1),
    "np.mean of a list": lambda: np.mean([ONE, ONE]),
    "array.dot": lambda: np.ones(3).dot(ONE),
    "np.arange": lambda: np.arange(ONE),
    "rng.normal": lambda: np.random.default_rng(0).normal(ONE),
    "index": lambda: np.ones(3)[ONE],
    "slice": lambda: np.zeros(3).__setitem__(slice(0, 2), ONE),
    "np.r_": lambda: np.r_[ONE, ONE],
}


@pytest.mark.parametrize("call", LOST.values(), ids=LOST)
def test_a_tensor_never_becomes_plain_by_itself(call):
    with pytest.raises(TypeError, match=r"a Tensor does not become a plain (number|array) by itself: write"):
        call()


INTO_AN_ARRAY = {
    "item": lambda: np.zeros(3).__setitem__(0, ONE),
    "fill": lambda: np.zeros(3).fill(ONE),
    "fromiter": lambda: np.fromiter([ONE, ONE], float),
}


@pytest.mark.parametrize("call", INTO_AN_ARRAY.values(), ids=INTO_AN_ARRAY)
def test_a_number_is_not_written_into_a_plain_array(call):
    with pytest.raises((TypeError, ValueError)) as caught:  # NumPy puts words of its own above ours
        call()
    error = caught.value.__cause__ or caught.value
    assert "does not become a plain number by itself: write x.item()" in str(error)


NO_OPERATION = {
    "np.cumsum": (lambda: np.cumsum(X), "np.cumsum .* argument 0 is a Tensor"),
    "np.arctan2": (lambda: np.arctan2(np.ones(3), X), "np.arctan2 .* argument 1 is a Tensor"),
    "np.linalg.det": (lambda: np.linalg.det(X), "np.linalg.det .* argument 0 is a Tensor"),
    "np.vstack": (lambda: np.vstack([X, X]), "np.vstack .* is a Tensor"),
    "np.add.reduce": (lambda: np.add.reduce(X), "np.add.reduce .* argument 0"),
    "np.add.at": (lambda: np.add.at(np.zeros(3), 0, ONE), "np.add.at .* argument 2"),
    "out": (lambda: np.add(X, 1, out=np.ones((2, 3))), "np.add with out= .* argument 0"),
    "array += tensor": (lambda: np.ones((2, 3)).__iadd__(X), "np.add with out= .* argument 1"),
    "np.copyto": (lambda: np.copyto(np.zeros(3), ONE), "np.copyto .* argument 1"),
    "np.put": (lambda: np.put(np.zeros(3), [0], ONE), "np.put .* argument 2"),
    "np.insert": (lambda: np.insert(np.zeros(3), 0, ONE), "np.insert .* argument 2"),
    "np.linspace": (lambda: np.linspace(0, ONE, 3), "np.linspace .* argument 1"),
    "np.full, dtype": (lambda: np.full(3, ONE, dtype=float), "np.copyto .* argument 1"),
    "np.full_like of an array": (lambda: np.full_like(np.ones(3), ONE), "np.copyto .* argument 1"),
    "np.clip": (lambda: np.ones(3).clip(0, ONE), "np.clip .* argument 2"),
    "option": (
        lambda: np.sum(X, dtype=float),
        r"np.sum: .*'dtype'; .* takes \(x, axis=None, \*, keepdims=False\)",
    ),
    "position": (lambda: np.sum(X, 0, None, None, True), "np.sum: too many positional arguments; "),
    "one argument": (lambda: np.where(X), r"np.where: .*'a'; .* takes \(condition, a, b\)"),
    "in place": (lambda: X.__setitem__(0, 1.0), "x\\[0\\] = .* never changed in place"),
    "integers": (lambda: Tensor(np.arange(3)), "value: .* floating numbers, got int64"),
}


@pytest.mark.parametrize(("call", "words"), NO_OPERATION.values(), ids=NO_OPERATION)
def test_what_has_no_derivative_is_named(call, words):
    with pytest.raises(TypeError, match=words):
        call()


def test_the_plain_number_is_there_for_the_asking():
    assert ONE.item() == 2.0 and type(ONE.item()) is float
    assert detach(ONE) == 2.0 and detach(3.0) == 3.0 and as_tensor(ONE) is ONE
    with pytest.raises(ValueError, match="size 1"):
        X.item()


def test_detach_does_not_leave_a_dict_as_it_is():
    with pytest.raises(TypeError, match="detach: got a dict; write {name: detach"):
        detach({"w": ONE})


def test_only_one_element_is_a_condition():
    assert Tensor(1.0) and not Tensor([0.0])
    with pytest.raises(ValueError, match=r"x has shape \(2, 3\)"):
        bool(X)
    with pytest.raises(ValueError, match="more than one element"):
        bool(X > 0)


def test_a_deep_copy_keeps_its_history():
    x = Tensor(3.0)
    y = copy.deepcopy({"y": x * x})["y"]
    assert grad(y, x).item() == 6.0


def test_numpy_numbers_and_arrays_on_the_left_work():
    x = Tensor(np.ones(2))
    for y in (np.float64(2) * x, np.full(2, 2.0) * x, 2 * x, np.ones(2) + x, 3 - x, 2 / x, 2**x):
        assert isinstance(y, Tensor)
        np.testing.assert_array_equal(detach(y), 2)


def test_lists_are_constants():
    x = Tensor(np.ones(2))
    for y in ([2.0, 3.0] * x, x * [2.0, 3.0], np.where([True, True], [2.0, 3.0] * x, x)):
        np.testing.assert_array_equal(detach(grad(np.sum(y), x)), [2, 3])
    np.testing.assert_array_equal(detach(grad([[2.0, 3.0]] @ x @ [1.0], x)), [2, 3])


def test_plain_arrays_stay_plain():
    for y in (relu(np.ones(2)), np.sum(np.ones(2))):
        assert not isinstance(y, Tensor)


def test_comparisons_are_plain_arrays():
    x = Tensor(np.array([1.0, -1.0]))
    np.testing.assert_array_equal(x > 0, [True, False])
    np.testing.assert_array_equal(0 <= x, [True, False])
    assert isinstance(x == x, np.ndarray) and len(list(x)) == 2
    assert repr(x) == "Tensor([ 1., -1.])"


NUMBERS = (0.3, np.float64(0.3), np.array(0.3), np.int64(2), 2, np.array(2), np.float32(0.3))


@pytest.mark.parametrize("number", NUMBERS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_number_has_no_dtype_of_its_own(number, dtype):
    for x in (Tensor(np.array([0.5, 2.0], dtype)), Tensor(np.array(0.5, dtype))):
        for y in (
            x + number,
            number - x,
            x * number,
            number / x,
            x**number,
            number**x,
            np.maximum(number, x),
        ):
            assert y.dtype == dtype
        for y in (np.where(x > 1, number, x), np.stack([number, x.sum()]), np.full_like(x, number) * x):
            assert y.dtype == dtype
        first = grad(np.sum(number * x**number), x)
        assert first.dtype == grad(np.sum(first * number), x).dtype == dtype


def test_transpose_takes_axes_one_by_one_in_a_tuple_or_none():
    values = np.arange(6.0).reshape(1, 2, 3)
    for axes in ((2, 0, 1), ((2, 0, 1),), ()):
        np.testing.assert_array_equal(detach(Tensor(values).transpose(*axes)), values.transpose(*axes))
