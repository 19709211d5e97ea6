"""Relation networks: a prototypical network whose distance is a second network, learned with the embedding.

A query and a class mean go into the relation module together; out comes one number between 0 and 1, near 1
when they belong together.

Paper: Sung et al. 2018 (arXiv:1711.06025), equations 1 and 2.
Differs from the paper: a class is the mean of its embedded support, not the sum; the operator C that joins
class and query, which the paper leaves open, gives |c - q| and c * q instead of [c, q], which in short runs
often learned nothing; both networks are the caller's, `embed(params, x)` and `relate(params, joined)`.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from reference.episodes import Episode, Examples, Predict, check_one_task, check_queries, check_support, n_way
from reference.params import Params, join, part
from reference.pytorch.nn import init_params
from reference.pytorch.prototypical import prototypes
from reference.pytorch.unroll import value_and_grad

Network = Callable[[Params, Tensor], Tensor]


def init(rng: np.random.Generator, embedding: nn.Module, relation: nn.Module) -> Params:
    """New parameters of both networks in one dict, under `embedding.` and `relation.`."""
    return join(embedding=init_params(rng, embedding), relation=init_params(rng, relation))


def pairs(queries: Float[Tensor, "q d"], centers: Float[Tensor, "n_way d"]) -> Float[Tensor, "q n_way 2*d"]:
    """C(c_k, q_j): every query joined with every class mean, the same whichever of the two comes first."""
    q, c = queries[:, None], centers[None]
    return torch.cat([(q - c).abs(), q * c], dim=-1)


def relation_scores(
    params: Params, queries: Float[Tensor, "q d"], centers: Float[Tensor, "n_way d"], *, relate: Network
) -> Float[Tensor, "q n_way"]:
    """r, between 0 and 1, of every embedded query with every class (eq. 1)."""
    joined = pairs(queries, centers)
    scores = relate(part(params, "relation"), joined.flatten(0, 1))  # (q * n_way, 1)
    return torch.sigmoid(scores).reshape(joined.shape[:2])


def loss(params: Params, episode: Episode, *, embed: Network, relate: Network) -> Float[Tensor, ""]:
    """Squared error against 1 for the right class and 0 for the others (eq. 2), averaged over queries."""
    check_one_task(episode)
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    n = n_way(support_y)
    embedded = embed(part(params, "embedding"), torch.cat([support_x, query_x]))
    support, queries = embedded.split([len(support_x), len(query_x)])
    scores = relation_scores(params, queries, prototypes(support, support_y, n), relate=relate)
    return ((scores - F.one_hot(query_y.long(), n)) ** 2).sum(1).mean()


def adapt(params: Params, support: Examples, *, embed: Network, relate: Network) -> Predict:
    """The predictor of one task: `predict(x)` gives relation scores (q, n_way). Not transductive."""
    check_support(support)
    weights = part(params, "embedding")
    centers = prototypes(embed(weights, support.x), support.y, n_way(support.y))

    def predict(x):
        check_queries(x, support)
        return relation_scores(params, embed(weights, x), centers, relate=relate)

    return predict


def meta_gradient(
    params: Params, episode: Episode, *, embed: Network, relate: Network
) -> tuple[Params, Float[Tensor, ""]]:
    """The gradient of the loss in the parameters of both networks, and the loss."""
    value, gradient = value_and_grad(loss)(params, episode, embed=embed, relate=relate)
    return gradient, value
