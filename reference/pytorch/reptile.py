"""Reptile: learn a task for a few steps, then move the initial weights a little towards where that ended.

No gradient is differentiated and no query is needed; yet where the steps see different examples, the
direction theta - phi favours weights from which a step on some examples helps the others too.

Paper: Nichol, Achiam & Schulman 2018 (arXiv:1803.02999), algorithms 1 and 2, section 5.
Differs from the paper: the inner step is the caller's `rule` (there SGD or Adam); `meta_gradient` takes
every step on the whole support, `direction` on the batches it is given; the query is for the reported loss.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from reference.episodes import Episode, Examples, SideBySide, check_one_task
from reference.params import Params
from reference.pytorch.maml import Loss
from reference.pytorch.maml import adapt as adapt
from reference.pytorch.maml import init as init
from reference.pytorch.unroll import scalar, take_step
from reference.rules import Rule, State


def take_steps(
    params: Params, batches: Sequence[Examples], rule: Rule, state: State, *, loss: Loss
) -> tuple[Params, State]:
    """The weights and the rule's state after one step on each of the batches in turn."""
    for batch in batches:
        params, state = take_step(lambda p, on=batch: loss(p, on), params, rule, state, first_order=True)
    return params, state


def learned(params: Params, batches: Sequence[Examples], *, loss: Loss, rule: Rule) -> Params:
    """phi: the weights after one step on each of the batches in turn, by a rule that begins anew."""
    return take_steps(params, batches, rule, rule.init(params), loss=loss)[0]


def direction(params: Params, batches: Sequence[Examples], *, loss: Loss, rule: Rule) -> Params:
    """theta - phi, which an outer rule takes for a gradient (section 2).

    It is the gradient of |theta - phi|^2 / 2 with phi held still; under plain SGD, inner_lr times the sum of
    the gradients along the way.
    """
    phi = learned(params, batches, loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}


def meta_gradient(
    params: Params, episode: Episode | SideBySide, *, loss: Loss, rule: Rule, n_steps: int
) -> tuple[Params, Float[Tensor, ""]]:
    """The direction theta - phi after n_steps on the support, and the query loss at phi.

    It works under `torch.func.vmap` too. Raises ValueError for a batch of tasks.
    """
    check_one_task(episode, torch.func.debug_unwrap)
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}, scalar(loss(phi, episode.query))
