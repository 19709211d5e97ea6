"""Learning as a function: n gradient steps, written so that the result can itself be differentiated.

It knows nothing of models, tasks or data: a loss of the parameters and a rule for one step are all it takes.
MAML (Finn et al. 2017, arXiv:1703.03400), Meta-SGD, hypergradients and learned optimisers are calls of it.

Differs from the paper: nothing; `first_order=True` is its first-order MAML (section 5.2).
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from reference.scratch.autodiff import Array, Tensor, as_tensor, detach, grad
from reference.scratch.nn import Params

Loss = Callable[[Params], Float[Array, ""]]
Update = Callable[[Params, Params, int], Params]  # params, gradient, step (from 0) -> params


def unroll(loss: Loss, params: Params, update: Update, n_steps: int, *, first_order: bool = False) -> Params:
    """params after n_steps of `params = update(params, gradient of loss, step)`; params is left alone.

    The result is differentiable in params and in whatever loss and update depend on, through every gradient.
    With first_order a gradient counts as a constant, and only the sums between the steps are differentiated;
    plain arrays then stay plain arrays, which is what a learner wants that only adapts.
    Raises ValueError where the loss is not one number.
    """
    gradient_of = _constant_gradient if first_order else _gradient
    for step in range(n_steps):
        params = update(params, gradient_of(loss, params), step)
    return params


def _gradient(loss: Loss, params: Params) -> Params:
    params = {name: as_tensor(p) for name, p in params.items()}
    return grad(scalar(loss(params)), params)


def _constant_gradient(loss: Loss, params: Params) -> Params:
    """The same numbers as plain arrays: the curvature of the loss drops out."""
    params = {name: Tensor(detach(p)) for name, p in params.items()}
    return grad(scalar(loss(params)), params, create_graph=False)


def scalar(loss: Float[Array, "*shape"]) -> Float[Array, ""]:
    """The loss as it is. Raises ValueError unless it is one number, for only that has a gradient."""
    if loss.shape != ():
        raise ValueError(f"loss: got shape {loss.shape}; it gives one number, such as a mean over examples.")
    return loss


def sgd(inner_lr: float | Array | dict[str, float | Array]) -> Update:
    """The plain step: theta - inner_lr * gradient  (alpha in MAML, equation 1).

    A rate is one number or has its parameter's shape; a dict holds one for each parameter.
    Raises ValueError for a rate of another shape, and for a parameter without one.
    """

    def update(params: Params, gradient: Params, step: int) -> Params:
        return {name: p - _rate(inner_lr, name, p) * gradient[name] for name, p in params.items()}

    return update


def _rate(inner_lr, name: str, p):
    """The rate of one parameter. Another shape could broadcast, and change the parameter's in silence."""
    if isinstance(inner_lr, dict):
        if name not in inner_lr:
            raise ValueError(f"inner_lr: got rates for {sorted(inner_lr)}; {name} needs one too.")
        inner_lr = inner_lr[name]
    if np.shape(inner_lr) not in ((), np.shape(p)):
        given = f"got shape {np.shape(inner_lr)} for {name} of shape {np.shape(p)}"
        raise ValueError(f"inner_lr: {given}; a rate is one number or has the parameter's shape.")
    return inner_lr
