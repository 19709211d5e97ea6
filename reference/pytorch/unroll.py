"""Learning as a function: gradient steps, written so that the result can itself be differentiated.

It knows nothing of models, tasks or data: a loss of the parameters and a rule for one step are all it takes.
MAML (Finn et al. 2017, arXiv:1703.03400), Meta-SGD, Reptile, hypergradients and learned optimisers are calls
of it.

Differs from the paper: nothing; `first_order=True` is its first-order MAML (section 5.2).
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from reference.params import Params
from reference.rules import Rule, State

Loss = Callable[[Params], Float[Tensor, ""]]


def take_step(
    loss: Loss, params: Params, rule: Rule, state: State, *, first_order: bool = False
) -> tuple[Params, State]:
    """params and state after one step of the rule on the loss; what was given is left alone.

    The result is differentiable in params, in state, and in whatever loss and rule depend on, through the
    gradient. With first_order the gradient counts as a constant, and only what the rule does with it is
    differentiated. It works under `torch.func.vmap` and `torch.func.grad` too, so that many tasks adapt at
    once. Differentiate inside of vmap, as `mean_by_vmap` in batches.py does: from outside, some norms are
    wrong. Raises ValueError where the loss is not one number.
    """
    gradient = _constant_gradient(loss, params) if first_order else _gradient(loss, params)
    return rule.update(params, gradient, state)


def unroll(loss: Loss, params: Params, rule: Rule, n_steps: int, *, first_order: bool = False) -> Params:
    """params after n_steps on the same loss, by a rule that begins anew. Errors: `take_step`."""
    state = rule.init(params)
    for _ in range(n_steps):
        params, state = take_step(loss, params, rule, state, first_order=first_order)
    return params


def value_and_grad(
    function: Callable[..., Float[Tensor, ""]],
) -> Callable[..., tuple[Float[Tensor, ""], Params]]:
    """function(params, ...) -> its value and the gradient in params, both without a history.

    A parameter that the function does not use has gradient 0.
    """

    def both(params: Params, *args: Any, **settings: Any) -> tuple[Float[Tensor, ""], Params]:
        leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
        value = function(leaves, *args, **settings)
        gradient = torch.autograd.grad(value, list(leaves.values()), materialize_grads=True)
        return value.detach(), dict(zip(leaves, gradient, strict=True))

    return both


def _gradient(loss: Loss, params: Params) -> Params:
    """By torch.func.grad, which can be mapped; elsewhere by torch.autograd, which takes a third less time."""
    if all(p.requires_grad and _is_plain(p) for p in params.values()):
        value = scalar(loss(params))
        if value.requires_grad and _is_plain(value):
            leaves = list(params.values())
            gradient = torch.autograd.grad(value, leaves, create_graph=True, materialize_grads=True)
            return dict(zip(params, gradient, strict=True))
    return torch.func.grad(lambda p: scalar(loss(p)))(params)


def _is_plain(x: Tensor) -> bool:
    """Whether no transform of torch.func is at work on x; torch.autograd must not be mixed with one."""
    return torch.func.debug_unwrap(x) is x


def _constant_gradient(loss: Loss, params: Params) -> Params:
    """The same numbers without a history: the curvature of the loss drops out, and is never recorded."""
    gradient = _gradient(loss, {name: p.detach() for name, p in params.items()})
    return {name: g.detach() for name, g in gradient.items()}


def scalar(loss: Float[Tensor, "*shape"]) -> Float[Tensor, ""]:
    """The loss as it is. Raises ValueError unless it is one number, for only that has a gradient."""
    if loss.shape != ():
        shape = tuple(loss.shape)
        raise ValueError(f"loss: got shape {shape}; it gives one number, such as a mean over examples.")
    return loss
