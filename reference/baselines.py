"""What every method must beat: learners without a network.

For classes, raw inputs compared with the mean of each class: nothing was learned before. (Chance, the other
yardstick, is 1 / n_way and needs no code.) For curves, the mean and covariance over earlier tasks of the
weights on fixed features, and the best linear guess of a new task's weights: empirical Bayes.

Differs from the paper: no one paper; Snell et al. 2017 (arXiv:1703.05175) with the identity for an embedding,
and Harrison et al. 2018 (arXiv:1807.08912) with fixed features in the place of a network.
"""

import numpy as np
from jaxtyping import Float

from reference.episodes import Examples, Predict, check_classes, check_queries, check_support, n_way
from reference.params import Params


def nearest_centroid(support: Examples) -> Predict:
    """An Adapt: predict gives minus the squared distance from each raw input to the mean of each class.

    Inputs of any shape (n, ...) are taken as plain vectors. ValueError for no examples, for labels that are
    not 0..n_way-1 with an example each, and for queries of another shape than the support.
    """
    check_support(support)
    check_classes(support.y, classes := n_way(support.y))
    x = support.x.reshape(len(support.x), -1)
    centroids = [x[support.y == label].mean(0) for label in range(classes)]

    def predict(query_x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "q n_way"]:
        check_queries(query_x, support)
        flat = query_x.reshape(len(query_x), -1)
        return np.stack([-((flat - centroid) ** 2).sum(1) for centroid in centroids], axis=1)

    return predict


def learn_prior(
    heights: Float[np.ndarray, "n_tasks n d"],
    targets: Float[np.ndarray, "n_tasks n 1"],
    *,
    ridge: float = 1e-3,
) -> Params:
    """`mean` (d,) and `covariance` (d, d) over tasks of the weights that fit each, and the `noise` left.

    Heights are the values of d features at a task's points. Each fit is least squares with the ridge on its
    diagonal. ValueError for fewer than two tasks, which have no covariance.
    """
    if len(heights) < 2:
        raise ValueError(f"heights: {len(heights)} task has no covariance; two or more are needed.")
    pull = np.sqrt(ridge) * np.eye(heights.shape[-1])  # as many more points, of target 0
    fits = [
        np.linalg.lstsq(np.vstack([h, pull]), np.append(y[:, 0], np.zeros(len(pull))), rcond=None)[0]
        for h, y in zip(heights, targets, strict=True)
    ]
    left = [(y[:, 0] - h @ w) ** 2 for h, y, w in zip(heights, targets, fits, strict=True)]
    mean = sum(fits) / len(fits)
    away = np.array(fits) - mean
    return {"mean": mean, "covariance": away.T @ away / (len(fits) - 1), "noise": np.mean(left)}


def condition(
    params: Params, heights: Float[np.ndarray, "k d"], targets: Float[np.ndarray, "k 1"]
) -> Float[np.ndarray, " d"]:
    """The best linear guess of a task's weights from its points, taken in one after the other.

    After each point the guess moves along what is still uncertain, and that point's share of it is gone. A
    point of which nothing is uncertain moves nothing.
    """
    guess, uncertain = params["mean"], params["covariance"]
    for h, y in zip(heights, targets[:, 0], strict=True):
        along = uncertain @ h
        spread = h @ along + params["noise"]
        if spread > 0:
            guess = guess + along * (y - h @ guess) / spread
            uncertain = uncertain - np.outer(along, along) / spread
    return guess
