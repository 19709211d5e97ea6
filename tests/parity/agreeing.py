"""What tests of parity share: numbers, gradients and training of both engines side by side."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from reference.meta_train import meta_train
from reference.params import Params
from reference.rules import adam
from reference.scratch.autodiff import Tensor, detach, grad


def agree(found: Any, expected: torch.Tensor, tolerance: float = 1e-10) -> None:
    """An array of our engine and one of torch hold the same numbers."""
    expected = expected.detach().numpy()
    np.testing.assert_allclose(detach(found), expected, rtol=tolerance, atol=tolerance)


def all_agree(found: Params, expected: Params, tolerance: float = 1e-10) -> None:
    """The same names in the same order, and under each the same numbers."""
    assert list(found) == list(expected)
    for name in found:
        agree(found[name], expected[name], tolerance)


def agree_with_gradients(
    found: Tensor, expected: torch.Tensor, mine: Sequence[Tensor], theirs: Sequence[torch.Tensor]
) -> None:
    """The values, and the gradients of a random sum of them in our leaves and in torch's."""
    agree(found, expected)
    weights = np.random.default_rng(0).normal(size=found.shape)
    gradients = grad(np.sum(weights * found), list(mine))
    total = (torch.tensor(weights) * expected).sum()
    others = torch.autograd.grad(total, list(theirs), retain_graph=True, materialize_grads=True)
    for g, h in zip(gradients, others, strict=True):
        agree(g, h)


Learner = tuple[Params, Callable, Callable[[], Any]]  # parameters, meta-gradient, what draws for one step


def twenty_steps_agree(mine: Learner, theirs: Learner) -> None:
    """Twenty steps of Adam lower the losses, alike on both sides, and end at the same weights."""
    runs = [meta_train(*learner, rule=adam(0.01), n_steps=20) for learner in (mine, theirs)]
    (end, losses), (their_end, their_losses) = runs
    np.testing.assert_allclose(losses, their_losses, rtol=0, atol=1e-8)
    assert losses[-5:].mean() < losses[:5].mean()
    all_agree(end, their_end, 1e-8)
