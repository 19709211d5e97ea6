"""Siamese networks: one network embeds both of two examples, and their distance says whether they are alike.

It is trained on pairs, of one class or of two, and never told which class; so it can compare examples of
classes that it has never met, and a query belongs to the support example it is nearest to.

Paper: Bromley et al. 1993 (twins that share their weights; cosine); Hadsell, Chopra & LeCun 2006, equation 4
(contrastive loss); Koch, Zemel & Salakhutdinov 2015, section 3 (weighted L1 distance and cross-entropy).
Differs from the paper: a label is 1 for a pair of one class (in Hadsell et al. 0); costs are averaged over
pairs; Koch's head is a distance, large for two classes, which turns the sign of his alpha, and has a bias;
his penalty on the weights and the sigmoid before the head are left out; the embedding is the caller's,
`embed(params, x)`, of a module `as_function(net)`; with several examples of a class, the nearest counts.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional as F

from reference import contracts
from reference.episodes import (
    Examples,
    Predict,
    check_classes,
    check_pairs,
    check_queries,
    check_several,
    check_support,
    n_way,
)
from reference.params import Params, join, part
from reference.pytorch.nn import init_params
from reference.pytorch.nn.distances import distance, unit
from reference.pytorch.unroll import value_and_grad

Embed = Callable[[Params, Tensor], Tensor]
Apart = Callable[[Params, Tensor, Tensor], Tensor]  # (*n, d) and (*n, d) -> (*n): how far apart two are
Cost = Callable[[Tensor, Tensor], Tensor]  # distances (n,), same (n,) -> one number


def init(rng: np.random.Generator, embedding: nn.Module) -> Params:
    """New parameters of the embedding network, under `embedding.`."""
    return join(embedding=init_params(rng, embedding))


def init_with_head(rng: np.random.Generator, embedding: nn.Module, *, width: int) -> Params:
    """The same and, under `head.`, Koch's head for embeddings of `width` numbers: `weight` and `bias`."""
    return join(embedding=init_params(rng, embedding), head=init_params(rng, nn.Linear(width, 1)))


def euclidean(params: Params, a: Float[Tensor, "*#n d"], b: Float[Tensor, "*#n d"]) -> Float[Tensor, "..."]:
    """D = |a - b| (Hadsell et al., equation 1)."""
    return distance(a, b)


def cosine(params: Params, a: Float[Tensor, "*#n d"], b: Float[Tensor, "*#n d"]) -> Float[Tensor, "..."]:
    """1 - cos(a, b), between 0 and 2 (the cosine is Bromley's)."""
    return 1 - (unit(a) * unit(b)).sum(-1)


def weighted_l1(params: Params, a: Float[Tensor, "*#n d"], b: Float[Tensor, "*#n d"]) -> Float[Tensor, "..."]:
    """sum_j alpha_j |a_j - b_j| + bias, which may be negative; the head's weights are learned (Koch et al.).

    Raises ValueError for embeddings of another size than the head's.
    """
    weight, bias = params["head.weight"], params["head.bias"]
    if a.shape[-1] != weight.shape[-1]:
        given = f"got {weight.shape[-1]} weights for embeddings of {a.shape[-1]} numbers"
        raise ValueError(f"head.weight: {given}; is this the size of image that was trained on?")
    return F.linear((a - b).abs(), weight, bias).squeeze(-1)


def contrastive(
    distances: Float[Tensor, " n"], same: Integer[Tensor, " n"], *, margin: float | int
) -> Float[Tensor, ""]:
    """Half of D^2 for a pair of one class, of max(0, m - D)^2 for a pair of two (Hadsell et al., equation 4).

    Pairs of two classes that are further apart than the margin m cost nothing. ValueError for m < 0.
    """
    margin = contracts.number("margin", margin, least=0)
    return torch.where(same == 1, distances, F.relu(margin - distances)).square().mean() / 2


def same_or_different(distances: Float[Tensor, " n"], same: Integer[Tensor, " n"]) -> Float[Tensor, ""]:
    """-log p(same or not) with p(same) = 1 / (1 + e^distance) (Koch et al., section 3.2); never overflows."""
    return -F.logsigmoid(torch.where(same == 1, -distances, distances)).mean()


def twins(
    params: Params, x: Float[Tensor, "n 2 *shape"], *, embed: Embed
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
    """The embeddings of both examples of every pair: one network, its weights shared, in one pass."""
    embedded = embed(part(params, "embedding"), x.flatten(0, 1))
    return embedded[::2], embedded[1::2]


def loss(params: Params, pairs: Examples, *, embed: Embed, apart: Apart, cost: Cost) -> Float[Tensor, ""]:
    """The cost of the pairs' distances; pairs are x (n, 2, ...) and y (n,), 1 for one class and 0 for two."""
    check_pairs(pairs)
    return cost(apart(params, *twins(params, pairs.x, embed=embed)), pairs.y)


def adapt(params: Params, support: Examples, *, embed: Embed, apart: Apart) -> Predict:
    """The predictor of one task: `predict(x)` gives minus the distance to each class's nearest (q, n_way).

    Not transductive, if `embed` is not. Raises ValueError for a support of one class.
    """
    check_support(support)
    check_several(support.y)
    check_classes(support.y, n := n_way(support.y))
    weights = part(params, "embedding")
    known = embed(weights, support.x)
    strangers = support.y != torch.arange(n, device=support.y.device)[:, None]  # (n_way, n)

    def predict(x):
        check_queries(x, support)
        distances = apart(params, embed(weights, x)[:, None], known[None])
        return -distances[:, None].masked_fill(strangers, torch.inf).amin(-1)

    return predict


def meta_gradient(
    params: Params, pairs: Examples, *, embed: Embed, apart: Apart, cost: Cost
) -> tuple[Params, Float[Tensor, ""]]:
    """The gradient of the loss in all parameters, and the loss."""
    value, gradient = value_and_grad(loss)(params, pairs, embed=embed, apart=apart, cost=cost)
    return gradient, value
