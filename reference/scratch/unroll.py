"""Learning as a function: gradient steps, written so that the result can itself be differentiated.

It knows nothing of models, tasks or data: a loss of the parameters and a rule for one step are all it takes.
MAML (Finn et al. 2017, arXiv:1703.03400), Meta-SGD, Reptile, hypergradients and learned optimisers are calls
of it.

Differs from the paper: nothing; `first_order=True` is its first-order MAML (section 5.2).
"""

from collections.abc import Callable

from jaxtyping import Float

from reference.params import Params
from reference.rules import Rule, State
from reference.scratch.autodiff import Array, Tensor, as_tensor, detach, grad

Loss = Callable[[Params], Float[Array, ""]]


def take_step(
    loss: Loss, params: Params, rule: Rule, state: State, *, first_order: bool = False
) -> tuple[Params, State]:
    """params and state after one step of the rule on the loss; what was given is left alone.

    The result is differentiable in params, in state, and in whatever loss and rule depend on, through the
    gradient. With first_order the gradient counts as a constant, and only what the rule does with it is
    differentiated; plain arrays then stay plain arrays, which is what a learner wants that only adapts.
    Raises ValueError where the loss is not one number.
    """
    gradient = _constant_gradient(loss, params) if first_order else _gradient(loss, params)
    return rule.update(params, gradient, state)


def unroll(loss: Loss, params: Params, rule: Rule, n_steps: int, *, first_order: bool = False) -> Params:
    """params after n_steps on the same loss, by a rule that begins anew. Errors: `take_step`."""
    state = rule.init(params)
    for _ in range(n_steps):
        params, state = take_step(loss, params, rule, state, first_order=first_order)
    return params


def _gradient(loss: Loss, params: Params) -> Params:
    params = {name: as_tensor(p) for name, p in params.items()}
    return grad(as_tensor(scalar(loss(params))), params)


def _constant_gradient(loss: Loss, params: Params) -> Params:
    """The same numbers as plain arrays: the curvature of the loss drops out."""
    params = {name: Tensor(detach(p)) for name, p in params.items()}
    return grad(as_tensor(scalar(loss(params))), params, create_graph=False)


def scalar(loss: Float[Array, "*shape"]) -> Float[Array, ""]:
    """The loss as it is. Raises ValueError unless it is one number, for only that has a gradient."""
    if loss.shape != ():
        raise ValueError(f"loss: got shape {loss.shape}; it gives one number, such as a mean over examples.")
    return loss
