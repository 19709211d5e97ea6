"""The checks at the doors: what passes, what does not, and that the sentence names both."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import contracts


@given(st.integers(-5, 5), st.sampled_from([int, np.int64, np.int8]), st.integers(-5, 5))
def test_whole_numbers_of_any_kind_pass_from_the_least_on(number, kind, least):
    if number >= least:
        assert contracts.whole("it", kind(number), at_least=least) == number
        assert type(contracts.whole("it", kind(number), at_least=None)) is int
    else:
        with pytest.raises(ValueError, match=f"^it must be at least {least}, got {number}.$"):
            contracts.whole("it", kind(number), at_least=least)


@pytest.mark.parametrize("given", [1.0, True, np.True_, "1", None, [1], np.float32(2), np.array([1, 2])])
def test_what_is_no_whole_number_is_told(given):
    with pytest.raises(ValueError, match="^it must be a whole number, got "):
        contracts.whole("it", given)


@pytest.mark.parametrize("kind", [int, float, np.float32, np.float64, np.int64])
def test_numbers_of_any_kind_pass_from_the_least_on(kind):
    assert contracts.number("it", kind(2), least=0) == 2
    assert type(contracts.number("it", kind(2), least=0, excluded=True)) is float
    assert contracts.number("it", kind(0), least=0) == 0
    with pytest.raises(ValueError, match=r"^it must be above 0 and finite, got 0(\.0)?\.$"):
        contracts.number("it", kind(0), least=0, excluded=True)
    with pytest.raises(ValueError, match=r"^it must be at least 0\.5 and finite, got -1(\.0)?\.$"):
        contracts.number("it", kind(-1), least=0.5)


@pytest.mark.parametrize("given", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_told(given):
    for excluded in (False, True):
        with pytest.raises(ValueError, match=rf"^it must be .* 0 and finite, got {given}\.$"):
            contracts.number("it", given, least=0, excluded=excluded)


@pytest.mark.parametrize("given", [True, np.True_, "1", None, [1.0], np.array([1.0, 2.0]), 1j])
def test_what_is_no_number_is_told(given):
    with pytest.raises(ValueError, match="^it must be a number, got "):
        contracts.number("it", given, least=0)


@pytest.mark.parametrize("given", [0, None, np.random, np.random.RandomState(0), np.random.default_rng])
def test_a_generator_is_an_object_of_numpy(given):
    contracts.generator(np.random.default_rng(0))
    with pytest.raises(
        ValueError, match=r"^rng must be a NumPy generator, np.random.default_rng\(seed\), got "
    ):
        contracts.generator(given)


def test_words_are_several_strings():
    assert contracts.words("it", np.array(["a", "b"])) == ["a", "b"] == contracts.words("it", iter("ab"))
    assert contracts.words("it", []) == []
    for wrong, says in (
        ("ab", r"got the string 'ab'; write \['ab'\]"),
        (3, "got 3"),
        (["a", 3], r"it\[1\] is 3"),
    ):
        with pytest.raises(ValueError, match=f"^it must be a list of strings, .*{says}"):
            contracts.words("it", wrong)


def test_numbers_of_classes_are_whole_and_in_one_row():
    assert contracts.numbers_of_classes("it", [2, 0]).tolist() == [2, 0]
    assert contracts.numbers_of_classes("it", np.array([1], np.uint8)).dtype == np.int64
    assert contracts.numbers_of_classes("it", []).tolist() == []
    for wrong in (1, [[1]], [1.0], [True], ["a"], [None]):
        with pytest.raises(ValueError, match="^it must be whole numbers in one row, got "):
            contracts.numbers_of_classes("it", wrong)
    with pytest.raises(ValueError, match="^it must be at least 0, got -2.$"):
        contracts.numbers_of_classes("it", [0, -2])
    with pytest.raises(
        ValueError, match="^it must be at most 9223372036854775807, got 18446744073709551615.$"
    ):
        contracts.numbers_of_classes("it", np.array([2**64 - 1], np.uint64))


def test_a_ragged_list_is_no_array():
    assert contracts.rectangle("it", [[1, 2], [3, 4]]).shape == (2, 2)
    with pytest.raises(ValueError, match=r"^it is no array \(.*\)\.$"):
        contracts.rectangle("it", [[1, 2], [3]])


def test_a_path_may_begin_at_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert contracts.path_of("it", "~/a") == contracts.path_of("it", Path("~") / "a") == tmp_path / "a"
    assert contracts.path_of("it", os.fsencode(tmp_path)) == tmp_path
    assert contracts.path_of("it", "a/~") == Path("a/~")
    for wrong in (3, None, ""):
        with pytest.raises(ValueError, match=f"^it must be the path of a folder, got {wrong!r}.$"):
            contracts.path_of("it", wrong)


def test_what_is_shown_fits_a_sentence():
    assert contracts.shown(np.zeros((2, 3))) == "float64 of shape (2, 3)"
    assert contracts.shown(np.array(1.5)) == "1.5" and contracts.shown("a") == "'a'"
    long = contracts.shown({i: "line\nline" for i in range(99)})
    assert len(long) == 60 and "\n" not in long and long.endswith("...")
    assert contracts.first_line(ValueError("one\n  two.")) == "one two"
    assert contracts.first_line(KeyError()) == "KeyError"
