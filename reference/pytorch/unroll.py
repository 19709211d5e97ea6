"""Learning as a function: gradient steps, written so that the result can itself be differentiated.

It knows nothing of models, tasks or data: a loss of the parameters and a rule for one step are all it takes.
MAML (Finn et al. 2017, arXiv:1703.03400), Meta-SGD, Reptile, hypergradients and learned optimisers are calls
of it.

Differs from the paper: nothing; `first_order=True` is its first-order MAML (section 5.2).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    wrong. Raises ValueError where the loss is not one number, and RuntimeError, with the remedy, where torch
    cannot differentiate the network.
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
        with naming_the_remedy():
            gradient = torch.autograd.grad(value, list(leaves.values()), materialize_grads=True)
        return value.detach(), dict(zip(leaves, gradient, strict=True))

    return both


@contextmanager
def naming_the_remedy() -> Iterator[None]:
    """What PyTorch cannot differentiate or map, said in a sentence that names the way out; a RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        for known, sentence in REMEDIES.items():
            if known in str(error):
                raise RuntimeError(sentence) from error
        raise


NO_RUNNING = (
    "network: a norm in training moves its running statistics, which torch.func can neither map nor "
    "differentiate; make the network by as_function(net) of reference.pytorch.nn, which keeps none."
)
REMEDIES = {
    "Got a batch norm": NO_RUNNING,
    "in-place operation": NO_RUNNING,
    "derivative for aten::_scaled_dot_product": "network: this kernel of attention has no second derivative; "
    "take the one written out, `with torch.nn.attention.sdpa_kernel(SDPBackend.MATH)`, or first_order=True.",
}


def _gradient(loss: Loss, params: Params) -> Params:
    """By torch.func.grad, which can be mapped; elsewhere by torch.autograd: experiments/speed/unroll.py."""
    if not _is_mapped() and all(p.requires_grad for p in params.values()):
        return _by_autograd(loss, params, create_graph=True)
    with naming_the_remedy():
        return torch.func.grad(lambda p: scalar(loss(p)))(params)


def _constant_gradient(loss: Loss, params: Params) -> Params:
    """The same numbers without a history: the curvature of the loss drops out, and is never recorded."""
    if not _is_mapped():
        leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
        return _by_autograd(loss, leaves, create_graph=False)
    gradient = _gradient(loss, {name: p.detach() for name, p in params.items()})
    return {name: g.detach() for name, g in gradient.items()}


def _by_autograd(loss: Loss, params: Params, create_graph: bool) -> Params:
    with torch.enable_grad(), naming_the_remedy():
        value = scalar(loss(params))
        if not value.requires_grad:  # it does not depend on the parameters
            return {name: torch.zeros_like(p) for name, p in params.items()}
        gradient = torch.autograd.grad(
            value, list(params.values()), create_graph=create_graph, materialize_grads=True
        )
        return dict(zip(params, gradient, strict=True))


def _is_mapped() -> bool:
    """Whether a transform of torch.func is at work, with which torch.autograd must not be mixed."""
    return torch._C._functorch.maybe_current_level() is not None


def scalar(loss: Float[Tensor, "*shape"]) -> Float[Tensor, ""]:
    """The loss as it is. Raises ValueError unless it is one number, for only that has a gradient."""
    if loss.shape != ():
        shape = tuple(loss.shape)
        raise ValueError(f"loss: got shape {shape}; it gives one number, such as a mean over examples.")
    return loss
