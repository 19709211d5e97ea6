"""Structure, values and gradients: every difference is found and told."""

import numpy as np
import pytest

from reference.checks import same
from tests.checks.cases import (
    Moments,
    class_means,
    column_means,
    cube_of_chosen,
    labelled,
    moments,
    oblong,
    our_case,
    refused,
    torch_case,
)


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


def test_functions_are_no_values_to_compare():
    with pytest.raises(TypeError, match="the result is a function; let the case call it"):
        same(lambda x: None, lambda x: column_means, oblong)


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
