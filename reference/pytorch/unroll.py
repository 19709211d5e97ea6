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
    `torch.func.grad` makes this work under `torch.func.vmap` too, so that many tasks adapt at once.
    """
    for step in range(n_steps):
        gradient = torch.func.grad(loss)(params)
        if first_order:  # a constant from here on: the curvature of loss drops out
            gradient = {name: g.detach() for name, g in gradient.items()}
        params = update(params, gradient, step)
    return params


def sgd(inner_lr: float | Tensor) -> Update:
    """The plain step: theta - inner_lr * gradient  (alpha in MAML, equation 1)."""
    return lambda params, gradient, step: {name: p - inner_lr * gradient[name] for name, p in params.items()}
