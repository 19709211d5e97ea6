"""What every method must beat: the learner that has learned nothing before it sees the support set.

Raw inputs, compared with the mean of each class. Chance, the other yardstick, is 1 / n_way and needs no code.

Differs from the paper: no one paper; Snell et al. 2017 (arXiv:1703.05175) with the identity for an embedding.
"""

import numpy as np
from jaxtyping import Float

from reference.episodes import Examples, Predict, check_classes, check_queries, check_support, n_way


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
