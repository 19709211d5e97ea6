"""What a prediction costs: the mean squared error for numbers, the cross-entropy for classes.

Differs from the paper: no one paper; both are textbook definitions, averaged over examples.
"""

import numpy as np
from jaxtyping import Float, Integer

from reference.episodes import check_labels
from reference.scratch.autodiff import Array, log_softmax


def mean_squared_error(predictions: Float[Array, "*shape"], targets: Float[Array, "..."]) -> Float[Array, ""]:
    """The mean of (prediction - target)^2 over everything, a task axis too if there is one.

    Raises ValueError for unequal shapes, which could broadcast: (n, 1) against (n,) gives n * n differences.
    """
    if predictions.shape != targets.shape:
        raise ValueError(f"targets: got shape {targets.shape}; the predictions have {predictions.shape}.")
    return np.mean((predictions - targets) ** 2)


def cross_entropy(scores: Float[Array, "n n_way"], labels: Integer[np.ndarray, " n"]) -> Float[Array, ""]:
    """The mean of -log p(label), in nats, where p is the softmax of the scores (logits or log-probabilities).

    Raises ValueError where a label is not one of 0..n_way-1.
    """
    n, n_way = scores.shape
    check_labels(labels, n_way, "labels")
    return -np.mean(log_softmax(scores)[np.arange(n), labels])
