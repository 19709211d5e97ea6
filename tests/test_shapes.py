"""Annotations are enforced in `reference` while tests run, shapes among them."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import beartype.roar
import numpy as np
import pytest
from jaxtyping import Float, TypeCheckError

from reference.baselines import nearest_centroid
from reference.episodes import Examples
from tests.shapes import checked

Row = Float[np.ndarray, "n"]


@checked
def added(a: Row, b: Row) -> Row:
    return a + b


@checked
def doubled(n: int) -> int:
    return 2 * n


@checked
def counted(n: int) -> Iterator:
    yield from range(n)


def test_two_shapes_that_bear_one_name_are_one():
    assert added(np.ones(3), np.ones(3)).tolist() == [2, 2, 2]
    with pytest.raises(TypeCheckError):
        added(np.ones(3), np.ones(4))


def test_what_has_no_shape_is_checked_as_well():
    assert doubled(2) == 4
    with pytest.raises(beartype.roar.BeartypeCallHintViolation):
        doubled("2")


def test_a_generator_is_let_through():
    assert list(counted(3)) == [0, 1, 2]


def test_a_dataclass_is_checked_where_it_is_made():
    @checked
    @dataclasses.dataclass
    class Pair:
        a: Row

    assert Pair(np.ones(2)).a.shape == (2,)
    with pytest.raises(TypeCheckError):
        Pair(np.ones((2, 2)))


def test_methods_and_properties_are_checked():
    class Net:
        @checked
        @classmethod
        def of(cls, n: int):
            return n

        @checked
        @property
        def size(self) -> int:
            return "many"

    with pytest.raises(beartype.roar.BeartypeCallHintViolation):
        Net.of("3")
    with pytest.raises(beartype.roar.BeartypeCallHintViolation):
        _ = Net().size


def test_an_unannotated_function_is_left_as_it_is():
    def plain(x):
        return x

    assert checked(plain) is plain


def test_the_package_is_checked_here():
    with pytest.raises((TypeCheckError, ValueError)):
        nearest_centroid(Examples(np.ones((2, 3)), np.array([0, 1])))(np.ones(3))


def test_and_nowhere_else():
    code = "import reference.baselines as b; print(hasattr(b, '__checked__'))"
    root = Path(__file__).parent.parent
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
