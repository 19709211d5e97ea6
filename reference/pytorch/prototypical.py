"""Prototypical networks: a class is the mean of its embedded support, a query belongs to the nearest mean.

Learning is all in the embedding; adapting to a new task is one average and needs no gradient.

Paper: Snell, Swersky & Zemel 2017 (arXiv:1703.05175), equations 1 and 2, algorithm 1, section 2.4.
Differs from the paper: nothing in the equations; the embedding is the caller's, `embed(params, x)`. For a
module that is `as_function(net)` of `reference.pytorch.nn`; for one with a batch norm, in use after training,
`as_function(net, norm_statistics(net, params, batches))`.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional as F

from reference.episodes import (
    Episode,
    Examples,
    Predict,
    check_classes,
    check_labels,
    check_one_task,
    check_queries,
    check_support,
    n_way,
)
from reference.params import Params
from reference.pytorch.nn import init_params
from reference.pytorch.unroll import value_and_grad

Embed = Callable[[Params, Tensor], Tensor]


def init(rng: np.random.Generator, net: nn.Module) -> Params:
    """New parameters of the embedding network."""
    return init_params(rng, net)


def prototypes(
    embedded: Float[Tensor, "n d"], labels: Integer[Tensor, " n"], n_way: int
) -> Float[Tensor, "n_way d"]:
    """The mean embedded support example c_k of every class k (eq. 1), in the order of the labels 0..n_way-1.

    Raises ValueError when a class has no example, or an example no class.
    """
    check_classes(labels, n_way, "labels")
    belongs = (labels[:, None] == torch.arange(n_way, device=labels.device)).to(embedded.dtype)  # (n, n_way)
    return (belongs.T @ embedded) / belongs.sum(0)[:, None]


def squared_distances(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """|a_i - b_j|^2 for every pair; not its root: the squared distance is what makes class means right."""
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(-1)


def log_probabilities(
    queries: Float[Tensor, "q d"], prototypes: Float[Tensor, "n_way d"]
) -> Float[Tensor, "q n_way"]:
    """log p(y = k | x) of every embedded query (eq. 2): a softmax over classes, never over queries."""
    return F.log_softmax(-squared_distances(queries, prototypes), dim=1)


def linear_form(
    prototypes: Float[Tensor, "n_way d"],
) -> tuple[Float[Tensor, "n_way d"], Float[Tensor, " n_way"]]:
    """(w, b) = (2 c_k, -|c_k|^2): the linear classifier with the same probabilities (section 2.4).

    -|z - c|^2 = w.z + b - |z|^2, and what all classes share drops out of the softmax.
    """
    return 2 * prototypes, -(prototypes**2).sum(1)


def loss(params: Params, episode: Episode, *, embed: Embed) -> Float[Tensor, ""]:
    """J = -log p(y | x), averaged over the episode's queries (algorithm 1)."""
    check_one_task(episode)
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    # One pass for both: twice as fast on small episodes, and a batch norm in training sees the whole episode.
    embedded = embed(params, torch.cat([support_x, query_x]))
    support, queries = embedded.split([len(support_x), len(query_x)])
    scores = log_probabilities(queries, prototypes(support, support_y, n := n_way(support_y)))
    check_labels(query_y, n, "labels")
    return F.nll_loss(scores, query_y.long())


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


def meta_gradient(params: Params, episode: Episode, *, embed: Embed) -> tuple[Params, Float[Tensor, ""]]:
    """The gradient of the loss in the embedding's parameters, and the loss."""
    value, gradient = value_and_grad(loss)(params, episode, embed=embed)
    return gradient, value
