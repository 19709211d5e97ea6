"""A right function passes with one fixed sentence; arguments are bound, copied and watched."""

import numpy as np
import pytest

from reference.checks import same
from tests.checks.cases import Moments, class_means, column_means, labelled, oblong, refused, scaled


def test_a_right_function_written_differently_passes_with_one_fixed_sentence(capsys):
    def prototypes(x, y):
        one_hot = np.eye(3)[y]
        return one_hot.T @ x / one_hot.sum(0)[:, None]

    assert same(prototypes, class_means, labelled) is None
    same(prototypes, class_means, labelled, n_cases=2)
    assert capsys.readouterr() == (
        "prototypes: same values as the reference on 5 cases.\n"
        "prototypes: same values as the reference on 2 cases.\n",
        "",
    )


def test_a_nameless_function_goes_by_the_name_of_the_reference(capsys):
    same(lambda x, y: class_means(x, y), class_means, labelled)
    assert capsys.readouterr().out.startswith("class_means: ")


def test_the_last_dict_of_a_case_gives_keyword_only_arguments():
    same(lambda x, factor: x * factor, scaled, lambda rng: (rng.normal(size=3), {"factor": 3.0}))


def test_a_dict_that_is_an_argument_stays_one():
    same(
        lambda x, p: p["w"] * x,
        lambda x, params: params["w"] * x,
        lambda rng: (2.0, {"w": rng.normal(size=3)}),
    )


def test_a_case_of_one_argument_needs_no_tuple():
    same(lambda m: m.mean + m.std, lambda m: m[0] + m[1], lambda rng: Moments(rng.normal(size=3), np.ones(3)))


def test_both_functions_get_a_generator_in_the_same_state():
    same(lambda rng, n: rng.normal(size=n), lambda rng, n: rng.normal(size=n), lambda rng: (rng, 4))


def test_a_function_that_writes_into_its_argument_is_told_which():
    def centred(x, params):
        params["shift"] -= x.mean(0)
        return x + params["shift"]

    def reference(x, params):
        return x + params["shift"] - x.mean(0)

    message = refused(centred, reference, lambda rng: (rng.normal(size=(3, 2)), {"shift": np.zeros(2)}))
    assert "it changed its argument `params['shift']`" in message
    assert "work on a copy" in message


def test_a_function_that_adds_to_its_argument_is_told_which():
    def keep(x, seen):
        seen.append(x)
        return x

    assert "changed its argument `seen`" in refused(keep, lambda x, seen: x, lambda rng: (1.0, []))


def test_an_error_of_the_reader_passes_with_a_note_on_the_case():
    def unfinished(x):
        raise NotImplementedError("exercise 1")

    with pytest.raises(NotImplementedError) as caught:
        same(unfinished, column_means, oblong)
    assert caught.value.__notes__ == [
        "unfinished stopped in case 1 of 5, called with x array of shape (5, 3), float64."
    ]


def test_a_difference_in_a_later_case_is_found():
    message = refused(lambda x: x, lambda x: max(x, 0.4), lambda rng: (rng.random(),))
    assert "case 3 of 5" in message  # the first two numbers drawn are above 0.4


def test_a_torch_generator_is_given_to_both_in_the_same_state():
    import torch

    def draw(generator):
        return torch.randn(3, generator=generator)

    same(
        lambda generator: draw(generator),
        draw,
        lambda rng: torch.Generator().manual_seed(int(rng.integers(99))),
    )
