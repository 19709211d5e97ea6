"""What a prediction costs: the mean squared error for numbers, the cross-entropy for classes.

Beside `torch.nn.functional` they refuse what would be pooled, broadcast or left out in silence.
"""

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

from reference.episodes import check_labels


def mean_squared_error(
    predictions: Float[Tensor, "*shape"], targets: Float[Tensor, "..."]
) -> Float[Tensor, ""]:
    """The mean of (prediction - target)^2 over everything, a task axis too if there is one.

    Raises ValueError for unequal shapes, which could broadcast: (n, 1) against (n,) gives n * n differences.
    """
    if predictions.shape != targets.shape:
        given, needed = tuple(targets.shape), tuple(predictions.shape)
        raise ValueError(f"targets: got shape {given}; the predictions have {needed}.")
    return F.mse_loss(predictions, targets)


def cross_entropy(scores: Float[Tensor, "n n_way"], labels: Integer[Tensor, " n"]) -> Float[Tensor, ""]:
    """The mean of -log p(label), in nats, where p is the softmax of the scores (logits or log-probabilities).

    Raises ValueError where a label is not one of 0..n_way-1; PyTorch leaves out the label -100.
    """
    check_labels(torch.func.debug_unwrap(labels).reshape(-1), scores.shape[1], "labels")
    return F.cross_entropy(scores, labels.long())
