"""What every method must beat: the learner that has learned nothing before it sees the support set.

Raw inputs, compared with the mean of each class. Chance, the other yardstick, is 1 / n_way and needs no code.

Differs from the paper: no one paper; Snell et al. 2017 (arXiv:1703.05175) with the identity for an embedding.
"""

import numpy as np
from jaxtyping import Float

from reference import contracts
from reference.episodes import Array, Examples, Predict


def nearest_centroid(support: Examples) -> Predict:
    """An Adapt: predict gives minus the squared distance from each raw input to the mean of each class.

    Inputs of any shape (n, ...) are taken as plain vectors. ValueError for no examples, for labels that are
    not 0..n_way-1 with an example each, and for queries of another shape than the support.
    """
    x, y = contracts.rectangle("support.x", support.x), contracts.numbers_of_classes("support.y", support.y)
    if len(y) == 0 or np.shape(x)[:1] != y.shape:
        raise ValueError(
            f"support.x has shape {x.shape} and support.y {y.shape}; each example needs its label."
        )
    n_way = int(y.max()) + 1
    if missing := sorted(set(range(n_way)) - set(y.tolist())):
        raise ValueError(
            f"support.y has no example of class {missing[0]}; classes 0..{n_way - 1} need one each."
        )
    flat_x = x.reshape(len(x), -1)
    centroids = [flat_x[y == label].mean(0) for label in range(n_way)]

    def predict(query_x: Array) -> Float[np.ndarray, "q n_way"]:
        query_x = contracts.rectangle("query_x", query_x)
        if query_x.shape[1:] != x.shape[1:] or query_x.ndim != x.ndim:
            raise ValueError(
                f"query_x has shape {query_x.shape}; queries of shape (q, *{x.shape[1:]}) are needed, as in "
                "the support."
            )
        flat = query_x.reshape(len(query_x), -1)
        return np.stack([-((flat - centroid) ** 2).sum(1) for centroid in centroids], axis=1)

    return predict
