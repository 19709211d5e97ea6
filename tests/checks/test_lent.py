"""What is lent works on a Tensor class that it has never seen, to second order."""

import numpy as np
import pytest

from reference.checks import lent


class Tensor:
    """The least that a reader's class has."""

    def __init__(self, value, parents=()):
        self.value = np.asarray(value, dtype=float)
        self.parents = [(x, vjp) for x, vjp in parents if isinstance(x, Tensor)]
        self.depth = 1 + max([x.depth for x, _ in self.parents], default=-1)
        self.shape = self.value.shape

    def __add__(self, other):
        return Tensor(self.value + other.value, [(self, lambda g: g), (other, lambda g: g)])


def total(x):
    return lent._summed(x, ())


def test_first_and_second_slopes_of_a_cube():
    x = Tensor([1.0, -2.0])
    (first,) = lent.grads(total(lent.mul(lent.mul(x, x), x)), [x])
    (second,) = lent.grads(total(first), [x])
    assert np.allclose(first.value, [3, 12]) and np.allclose(second.value, [6, -12])


def test_a_repeated_operand_gets_the_sum_and_a_constant_nothing():
    row, table = Tensor([1.0, 2.0, 3.0]), Tensor(np.ones((2, 3)))
    in_row, in_table, in_other = lent.grads(total(lent.mul(row, table)), [row, table, Tensor([5.0])])
    assert np.allclose(in_row.value, 2) and in_row.shape == (3,)
    assert np.allclose(in_table.value, [[1, 2, 3]] * 2) and np.array_equal(in_other.value, [0])
    assert [operand is row for operand, _ in lent.mul(3.0, row).parents] == [True]


def test_a_gradient_is_handed_on_once():
    calls, x = [], Tensor(1.0)
    y = x
    for _ in range(20):
        y = Tensor(y.value, [(y, lambda g: calls.append(1) or g)])
        y = y + y
    assert lent.grads(y, [x])[0].value == 2**20 and len(calls) == 20


def test_the_product_with_the_hessian():
    hvp = lent.hvp_by(lent.grads, Tensor)
    given = hvp(
        lambda t: total(lent.mul(lent.mul(t, t), lent.mul(t, t))), np.array([1.0, 2.0]), np.array([1.0, 3.0])
    )
    assert np.allclose(given, [12, 144])


def test_only_a_scalar_has_a_gradient():
    x = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="^y: only a scalar"):
        lent.grads(x, [x])
