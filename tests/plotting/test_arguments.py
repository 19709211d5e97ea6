"""Bad input, as a notebook meets it: without the checks of shapes that the tests add."""

import inspect

import numpy as np
import pytest

from reference import plotting

X = np.linspace(-1, 1, 25)
IMAGES = np.arange(7 * 12, dtype=float).reshape(7, 1, 4, 3)
SQUARE = {"a": (0, 0), "b": (1, 0), "c": (1, 1)}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda f: f(plotting.glyphs)(IMAGES, [1, 2]), "labels has length 2 and images 7"),
        (lambda f: f(plotting.glyphs)(IMAGES, wrong=np.ones(3, bool)), "wrong has length 3 and images 7"),
        (lambda f: f(plotting.curves)(X, {"line": X[1:]}), "line has length 24 and x 25"),
        (lambda f: f(plotting.curves)(X, {"a": X}, bands={"b": (X, X)}), "bands names 'b'; there are 'a'"),
        (lambda f: f(plotting.ladder)(["a"], np.ones(2), np.ones(2)), "means has length 2 and names 1"),
        (lambda f: f(plotting.intervals)(X, X[1:], truth=0), "high has length 24 and low 25"),
        (lambda f: f(plotting.points)(np.eye(2), np.array([1])), "labels has length 1 and xy 2"),
        (lambda f: f(plotting.graph)(SQUARE, [("a", "z")]), "edges names 'z'; there are 'a', 'b', 'c'"),
        (lambda f: f(plotting.graph)(SQUARE, [], dark=["z"]), "dark names 'z'"),
        (lambda f: f(plotting.graph)(SQUARE, [], notes={"z": "1"}), "notes names 'z'"),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call(inspect.unwrap)
