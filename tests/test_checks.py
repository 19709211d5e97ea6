"""Every message of a check is provoked by a wrong function, and no right function is refused."""

import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from reference.checks import claim, same


class Moments(NamedTuple):
    mean: np.ndarray
    std: np.ndarray


def class_means(x, y):
    return np.stack([x[y == label].mean(0) for label in range(3)])


def softmax(x):
    shifted = np.exp(x - x.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def column_means(x):
    return x.mean(0)


def squared_length(x):
    return (x**2).sum(-1)


def moments(x):
    return Moments(x.mean(0), x.std(0))


def scaled(x, *, factor):
    return factor * x


def labelled(rng):
    return rng.normal(size=(7, 4)), rng.permutation([0, 0, 0, 1, 1, 2, 2])


def square(rng):
    return (rng.normal(size=(4, 4)),)


def oblong(rng):
    return (rng.normal(size=(5, 3)),)


def refused(mine, theirs, case):
    """The message with which `same` refuses mine."""
    with pytest.raises(AssertionError) as caught:
        same(mine, theirs, case)
    return str(caught.value)


# Right functions


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


@pytest.mark.parametrize(
    "mine",
    [
        lambda x: Moments(x.mean(0), x.std(0)),
        lambda x: (x.sum(0) / len(x), np.sqrt(x.var(0))),
        lambda x: [x.mean(0), x.std(0)],
    ],
)
def test_a_namedtuple_may_be_given_as_any_sequence(mine):
    same(mine, moments, oblong)


def test_results_may_be_dicts_of_tuples_and_whole_numbers_and_text():
    def everything(x):
        return {"shape": x.shape, "largest": (x.argmax(), x.max()), "name": "x", "none": None}

    same(lambda x: everything(x), everything, oblong)
    same(lambda x: dict(reversed(everything(x).items())), everything, oblong)


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


def test_rounding_and_precision_are_forgiven_but_no_more():
    same(lambda x: column_means(x) + 1e-12, column_means, oblong)
    same(lambda x: column_means(x.astype(np.float32)), column_means, oblong)
    refused(lambda x: column_means(x) + 1e-6, column_means, oblong)


def test_nan_and_infinity_of_the_reference_are_expected():
    def log(x):
        with np.errstate(all="ignore"):
            return np.log(np.array([-1.0, 0.0, 2.0])) + 0 * x

    same(lambda x: log(x), log, lambda rng: (rng.normal(size=3),))
    assert "at [2]" in refused(lambda x: log(x) * np.array([1, 1, 2]), log, lambda rng: (rng.normal(size=3),))


# Wrong functions: each says what differs, and the classics get their hint


def test_a_message_names_function_case_shapes_difference_and_place():
    def prototypes(x, y):
        means = class_means(x, y)
        means[1, 2] += 0.5
        return means

    message = refused(prototypes, class_means, labelled)
    for words in (
        "prototypes: the result differs",
        "expected: array of shape (3, 4), float64",
        "given:    array of shape (3, 4), float64",
        "largest difference: 0.5 at [1, 2]: expected ",
        "hint: take the entry named above",
        "case 1 of 5, called with x array of shape (7, 4), float64, y array of shape (7,), int64",
    ):
        assert words in message


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


def test_functions_are_no_values_to_compare():
    with pytest.raises(TypeError, match="the result is a function; let the case call it"):
        same(lambda x: None, lambda x: column_means, oblong)


def test_a_difference_in_a_later_case_is_found():
    message = refused(lambda x: x, lambda x: max(x, 0.4), lambda rng: (rng.random(),))
    assert "case 3 of 5" in message  # the first two numbers drawn are above 0.4


# Gradients


def torch_case(rng):
    import torch

    return torch.from_numpy(rng.normal(size=(4, 3))), torch.from_numpy(rng.integers(3, size=4))


def our_case(rng):
    from reference.scratch.autodiff import Tensor

    return Tensor(rng.normal(size=(4, 3))), rng.integers(3, size=4)


def cube_of_chosen(x, y):
    return (x**3)[np.arange(4), y]


@pytest.mark.parametrize("case", [torch_case, our_case])
def test_gradients_are_compared_and_the_sentence_says_so(case, capsys):
    same(lambda x, y: x[range(4), y] * x[range(4), y] * x[range(4), y], cube_of_chosen, case)
    assert (
        capsys.readouterr().out == "cube_of_chosen: same values and gradients as the reference on 5 cases.\n"
    )


@pytest.mark.parametrize("case", [torch_case, our_case])
def test_a_result_without_derivative_is_compared_by_value(case, capsys):
    same(lambda x, y: int((x > 0).sum()), lambda x, y: int((x > 0.0).sum()), lambda rng: (np.ones(3), 1))
    same(lambda x, y: np.array([1.0]), lambda x, y: np.ones(1), case)
    assert "same values as" in capsys.readouterr().out


def test_a_detached_factor_is_found_by_the_gradient():
    message = refused(lambda x, y: x.detach() * x, lambda x, y: x * x, torch_case)
    assert "the gradient with respect to x differs" in message
    assert "it is 0.5 times what is expected" in message


def test_a_detached_factor_is_found_in_our_tensors_too():
    from reference.scratch.autodiff import detach

    message = refused(lambda x, y: detach(x) * x, lambda x, y: x * x, our_case)
    assert "the gradient with respect to x differs" in message


def test_a_graph_cut_altogether_is_found():
    assert "the graph is cut" in refused(lambda x, y: (x * x).detach(), lambda x, y: x * x, torch_case)
    assert "the graph is cut" in refused(lambda x, y: (x * x).value, lambda x, y: x * x, our_case)
    assert "the graph is cut" in refused(lambda x, y: x.sum().item(), lambda x, y: x.sum(), torch_case)


def test_one_cut_among_several_arguments_is_named():
    def case(rng):
        import torch

        return {"w": torch.tensor(rng.normal(size=3)), "b": torch.tensor(rng.normal())}, torch.ones(
            3, dtype=torch.float64
        )

    def linear(params, x):
        return params["w"] @ x + params["b"]

    message = refused(lambda p, x: p["w"] @ x + p["b"].detach(), linear, case)
    assert "the gradient with respect to params['b'] differs" in message
    assert "the graph is cut" in message


def test_a_lost_second_derivative_is_found_when_value_and_gradient_agree():
    import torch

    class Square(torch.autograd.Function):
        """A backward pass in plain numbers, as a first engine is often written."""

        @staticmethod
        def forward(ctx, x):
            ctx.x = x.detach()
            return x**2

        @staticmethod
        def backward(ctx, g):
            return 2 * ctx.x * g

    assert "the second derivative with respect to x" in refused(
        lambda x, y: Square.apply(x), lambda x, y: x * x, torch_case
    )


def test_a_vjp_in_plain_numbers_loses_the_second_derivative():
    from reference.scratch.autodiff import Tensor

    def square_with_a_plain_vjp(x, y):
        return Tensor(x.value**2, parents=((x, lambda g: 2 * x.value * g),))

    message = refused(square_with_a_plain_vjp, lambda x, y: x * x, our_case)
    assert "the second derivative with respect to x" in message


def test_kinds_and_dtypes_of_tensors_must_agree():
    message = refused(lambda x, y: x.detach().numpy(), lambda x, y: x, torch_case)
    assert "expected: torch tensor of shape (4, 3), float64\n  given:    array" in message
    assert "the dtype is another" in refused(lambda x, y: x.float(), lambda x, y: x, torch_case)
    assert "the dtype is another" in refused(lambda x, y: y.int(), lambda x, y: y, torch_case)


def test_a_torch_generator_is_given_to_both_in_the_same_state():
    import torch

    def draw(generator):
        return torch.randn(3, generator=generator)

    same(
        lambda generator: draw(generator),
        draw,
        lambda rng: torch.Generator().manual_seed(int(rng.integers(99))),
    )


def test_the_checks_load_neither_engine():
    code = "import sys, reference.checks; print([m for m in sys.modules if m == 'torch' or 'autodiff' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# Claims


def test_a_claim_that_holds_is_printed(capsys):
    claim("One is less than two.", 1 < 2, "no", "evidence", "needed")
    assert capsys.readouterr().out == "One is less than two.\n"


def test_a_claim_that_fails_shows_its_evidence(capsys):
    with pytest.raises(AssertionError, match=r"does not hold here: Two is less than one. \| 2 \| 1.5"):
        claim("Two is less than one.", np.bool_(False), 2, 1.5)
    assert capsys.readouterr().out == ""
