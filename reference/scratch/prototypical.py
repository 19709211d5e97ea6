"""Prototypical networks: a class is the mean of its embedded support, a query belongs to the nearest mean.

Learning is all in the embedding; adapting to a new task is one average and needs no gradient.

Paper: Snell, Swersky & Zemel 2017 (arXiv:1703.05175), equations 1 and 2, algorithm 1, section 2.4.
Differs from the paper: nothing in the equations; the embedding is the caller's, `embed(params, x)`.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Integer

from reference.episodes import (
    Episode,
    Examples,
    Predict,
    check_classes,
    check_one_task,
    check_queries,
    check_support,
    n_way,
)
from reference.params import Params
from reference.scratch.autodiff import Array, log_softmax, value_and_grad
from reference.scratch.nn import cross_entropy

Embed = Callable[[Params, Array], Array]


def init(rng: np.random.Generator, init_embedding: Callable[[np.random.Generator], Params]) -> Params:
    """New parameters of the embedding network, for instance of `init_conv4`."""
    return init_embedding(rng)


def prototypes(
    embedded: Float[Array, "n d"], labels: Integer[np.ndarray, " n"], n_way: int
) -> Float[Array, "n_way d"]:
    """The mean embedded support example c_k of every class k (eq. 1), in the order of the labels 0..n_way-1.

    Raises ValueError when a class has no example, or an example no class.
    """
    check_classes(labels, n_way, "labels")
    belongs = (labels[:, None] == np.arange(n_way)).astype(embedded.dtype)  # (n, n_way)
    return (belongs.T @ embedded) / belongs.sum(axis=0)[:, None]


def squared_distances(a: Float[Array, "n d"], b: Float[Array, "m d"]) -> Float[Array, "n m"]:
    """|a_i - b_j|^2 for every pair; not its root: the squared distance is what makes class means right."""
    return np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=-1)


def log_probabilities(
    queries: Float[Array, "q d"], prototypes: Float[Array, "n_way d"]
) -> Float[Array, "q n_way"]:
    """log p(y = k | x) of every embedded query (eq. 2): a softmax over classes, never over queries."""
    return log_softmax(-squared_distances(queries, prototypes), axis=1)


def linear_form(
    prototypes: Float[Array, "n_way d"],
) -> tuple[Float[Array, "n_way d"], Float[Array, " n_way"]]:
    """(w, b) = (2 c_k, -|c_k|^2): the linear classifier with the same probabilities (section 2.4).

    -|z - c|^2 = w.z + b - |z|^2, and what all classes share drops out of the softmax.
    """
    return 2 * prototypes, -np.sum(prototypes**2, axis=1)


def loss(params: Params, episode: Episode, *, embed: Embed) -> Float[Array, ""]:
    """J = -log p(y | x), averaged over the episode's queries (algorithm 1)."""
    check_one_task(episode)
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    embedded = embed(params, np.concatenate([support_x, query_x]))  # one pass is faster than two
    support, queries = embedded[: len(support_x)], embedded[len(support_x) :]
    scores = log_probabilities(queries, prototypes(support, support_y, n_way(support_y)))
    return cross_entropy(scores, query_y)


def adapt(params: Params, support: Examples, *, embed: Embed) -> Predict:
    """The predictor of one task: `predict(x)` gives log-probabilities (q, n_way).

    Not transductive, if `embed` is not: each query is embedded and compared on its own.
    """
    check_support(support)
    centers = prototypes(embed(params, support.x), support.y, n_way(support.y))

    def predict(x):
        check_queries(x, support)
        return log_probabilities(embed(params, x), centers)

    return predict


def meta_gradient(params: Params, episode: Episode, *, embed: Embed) -> tuple[Params, Float[Array, ""]]:
    """The gradient of the loss in the embedding's parameters, and the loss; plain arrays."""
    value, gradient = value_and_grad(loss)(params, episode, embed=embed)
    return gradient, value
