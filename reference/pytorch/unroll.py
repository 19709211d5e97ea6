"""Learning as a function: n gradient steps, written so that the result can itself be differentiated.

It knows nothing of models, tasks or data: a loss of the parameters and a rule for one step are all it takes.
MAML (Finn et al. 2017, arXiv:1703.03400), Meta-SGD, hypergradients and learned optimisers are calls of it.

Differs from the paper: nothing; `first_order=True` is its first-order MAML (section 5.2).
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from reference.pytorch.nn import Params

Loss = Callable[[Params], Float[Tensor, ""]]
Update = Callable[[Params, Params, int], Params]  # params, gradient, step (from 0) -> params


def unroll(loss: Loss, params: Params, update: Update, n_steps: int, *, first_order: bool = False) -> Params:
    """params after n_steps of `params = update(params, gradient of loss, step)`; params is left alone.

    The result is differentiable in params and in whatever loss and update depend on, through every gradient.
    With first_order a gradient counts as a constant, and only the sums between the steps are differentiated.
    It works under `torch.func.vmap` and `torch.func.grad` too, so that many tasks adapt at once.
    Differentiate inside of vmap, as `mean_by_vmap` in batches.py does: from outside, some norms are wrong.
    Raises ValueError where the loss is not one number.
    """
    for step in range(n_steps):
        gradient = _constant_gradient(loss, params) if first_order else _gradient(loss, params)
        params = update(params, gradient, step)
    return params


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


def sgd(inner_lr: float | Tensor | dict[str, float | Tensor]) -> Update:
    """The plain step: theta - inner_lr * gradient  (alpha in MAML, equation 1).

    A rate is one number or has its parameter's shape; a dict holds one for each parameter.
    Raises ValueError for a rate of another shape, and for a parameter without one.
    """

    def update(params: Params, gradient: Params, step: int) -> Params:
        return {name: p - _rate(inner_lr, name, p) * gradient[name] for name, p in params.items()}

    return update


def _rate(inner_lr, name: str, p: Tensor):
    """The rate of one parameter. Another shape could broadcast, and change the parameter's in silence."""
    if isinstance(inner_lr, dict):
        if name not in inner_lr:
            raise ValueError(f"inner_lr: got rates for {sorted(inner_lr)}; {name} needs one too.")
        inner_lr = inner_lr[name]
    if isinstance(inner_lr, Tensor) and inner_lr.shape not in ((), p.shape):
        given = f"got shape {tuple(inner_lr.shape)} for {name} of shape {tuple(p.shape)}"
        raise ValueError(f"inner_lr: {given}; a rate is one number or has the parameter's shape.")
    return inner_lr
