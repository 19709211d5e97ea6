"""Every hint is provoked by the mistake it names."""

import numpy as np
import pytest

from tests.checks.cases import (
    class_means,
    column_means,
    labelled,
    moments,
    oblong,
    refused,
    softmax,
    square,
    squared_length,
)


@pytest.mark.parametrize(
    ("mine", "theirs", "case", "words"),
    [
        (lambda x, y: class_means(x, y).T, class_means, labelled, "it is transposed"),
        (lambda x: softmax(x).T, softmax, square, "it is transposed"),
        (
            lambda x: softmax(x.T).T,
            softmax,
            square,
            "sum to 1 along axis 0, and should along axis 1: the wrong axis",
        ),
        (lambda x: x - softmax(x), lambda x: softmax(x) - x, square, "its sign is turned"),
        (lambda x: np.sqrt(squared_length(x)), squared_length, oblong, "a square is missing"),
        (squared_length, lambda x: np.sqrt(squared_length(x)), oblong, "a square is too much"),
        (softmax, lambda x: np.log(softmax(x)), square, "a logarithm is missing"),
        (lambda x: np.log(softmax(x)), softmax, square, "a logarithm is too much"),
        (
            lambda x: x.sum(0),
            column_means,
            oblong,
            "it is 5 times what is expected; a sum or a mean too many",
        ),
        (lambda x: x.sum(), np.mean, oblong, "it is 15 times what is expected"),
        (lambda x: x.mean(), np.sum, oblong, "it is 0.06667 times what is expected"),
        (
            lambda x, y: class_means(x, y) * np.bincount(y)[:, None],
            class_means,
            labelled,
            "each row is off by a factor of its own",
        ),
        (lambda x: x.mean(0) + 1, column_means, oblong, "every number is off by the same 1;"),
        (lambda x, y: class_means(x, y)[[2, 0, 1]], class_means, labelled, "go by the labels"),
        (lambda x: x.mean(1), column_means, oblong, "was the wrong axis reduced"),
        (lambda x: x.mean(), column_means, oblong, "an axis is gone that should stay"),
        (lambda x: x - x.mean(0), column_means, oblong, "an axis stayed that should be gone"),
        (
            lambda x: x.mean(0, keepdims=True),
            column_means,
            oblong,
            "the shape is not; `reshape` or `keepdims`",
        ),
        (lambda x: x.mean(0) * np.nan, column_means, oblong, "NaN or infinity"),
        (lambda x: x.mean(0) * 0, column_means, oblong, "all zeros"),
        (lambda x: None, column_means, oblong, "is a `return` missing?"),
        (lambda x: column_means, column_means, oblong, "given:    a function"),
        (lambda x: x.mean(0).astype(int), column_means, oblong, "the dtype is another"),
        (lambda x: x.mean(0), moments, oblong, "expected: a Moments of 2\n  given:    array of shape (3,)"),
        (lambda x: (x.mean(0), x.std(0, ddof=1)), moments, oblong, "the result.std differs"),
        (lambda x: (x.mean(0),), moments, oblong, "given:    a tuple of 1"),
        (
            lambda x: {"b": x},
            lambda x: {"a": x},
            oblong,
            "a dict with the keys 'a'\n  given:    a dict with the keys 'b'",
        ),
        (lambda x: {"a": x + 1}, lambda x: {"a": x}, oblong, "the result['a'] differs"),
        (lambda x: "left", lambda x: "right", oblong, "expected: 'right'\n  given:    'left'"),
        (
            lambda x: np.array(["a", "c"]),
            lambda x: np.array(["a", "b"]),
            oblong,
            "first difference at [1]: expected b",
        ),
        (lambda x: x.argmin(1), lambda x: x.argmax(1), oblong, "follow it by hand"),
        (lambda x: 3, lambda x: 4, oblong, "largest difference: 1: expected 4, given 3"),
    ],
)
def test_a_wrong_function_is_told_what_is_wrong(mine, theirs, case, words):
    assert words in refused(mine, theirs, case)
