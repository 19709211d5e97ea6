"""Reptile: learn a task for a few steps, then move the initial weights a little towards where that ended.

No gradient is differentiated and no query is needed; yet where the steps see different examples, the
direction theta - phi favours weights from which a step on some examples helps the others too.

Paper: Nichol, Achiam & Schulman 2018 (arXiv:1803.02999), algorithms 1 and 2, section 5.
Differs from the paper: the inner step is the caller's `update` (there SGD or Adam); `meta_gradient` takes
every step on the whole support, `direction` on the batches it is given; the query is for the reported loss.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from reference.episodes import Episode, Examples
from reference.pytorch.maml import Loss
from reference.pytorch.maml import adapt as adapt
from reference.pytorch.maml import init as init
from reference.pytorch.nn import Params
from reference.pytorch.unroll import Update, scalar, unroll


def learned(params: Params, batches: Sequence[Examples], *, loss: Loss, update: Update) -> Params:
    """phi: the weights after one step on each of the batches in turn."""

    def one_step(params, step):
        return unroll(
            lambda p: loss(p, batches[step]), params, lambda p, g, _: update(p, g, step), 1, first_order=True
        )

    for step in range(len(batches)):
        params = one_step(params, step)
    return params


def direction(params: Params, batches: Sequence[Examples], *, loss: Loss, update: Update) -> Params:
    """theta - phi, which an optimiser takes for a gradient (section 2).

    It is the gradient of |theta - phi|^2 / 2 with phi held still; under plain SGD, inner_lr times the sum of
    the gradients along the way.
    """
    phi = learned(params, batches, loss=loss, update=update)
    return {name: p - phi[name] for name, p in params.items()}


def meta_gradient(
    params: Params, episode: Episode, *, loss: Loss, update: Update, n_steps: int
) -> tuple[Params, Float[Tensor, ""]]:
    """The direction theta - phi after n_steps on the support, and the query loss at phi.

    It works under `torch.func.vmap` too.
    """
    phi = learned(params, [episode.support] * n_steps, loss=loss, update=update)
    return {name: p - phi[name] for name, p in params.items()}, scalar(loss(phi, episode.query))
