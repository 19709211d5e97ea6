"""Siamese networks: one network embeds both of two examples, and their distance says whether they are alike.

It is trained on pairs, of one class or of two, and never told which class; so it can compare examples of
classes that it has never met, and a query belongs to the support example it is nearest to.

Paper: Bromley et al. 1993 (twins that share their weights; cosine); Hadsell, Chopra & LeCun 2006, equation 4
(contrastive loss); Koch, Zemel & Salakhutdinov 2015, section 3 (weighted L1 distance and cross-entropy).
Differs from the paper: a label is 1 for a pair of one class (in Hadsell et al. 0); costs are averaged over
pairs; Koch's head is a distance, large for two classes, which turns the sign of his alpha, and has a bias;
his penalty on the weights and the sigmoid before the head are left out; the embedding is the caller's,
`embed(params, x)`; with several examples of a class, the nearest counts.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Integer

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
from reference.scratch.autodiff import Array, relu, softplus, value_and_grad
from reference.scratch.nn import init_mlp, linear
from reference.scratch.nn.distances import distance, unit

Embed = Callable[[Params, Array], Array]
Apart = Callable[[Params, Array, Array], Array]  # (*n, d) and (*n, d) -> (*n): how far apart two are
Cost = Callable[[Array, Array], Array]  # distances (n,), same (n,) -> one number


def init(rng: np.random.Generator, init_embedding: Callable[[np.random.Generator], Params]) -> Params:
    """New parameters of the embedding network, under `embedding.`."""
    return join(embedding=init_embedding(rng))


def init_with_head(
    rng: np.random.Generator, init_embedding: Callable[[np.random.Generator], Params], *, width: int
) -> Params:
    """The same and, under `head.`, Koch's head for embeddings of `width` numbers: `weight` and `bias`."""
    embedding = init_embedding(rng)
    head = {name.removeprefix("layers.0."): p for name, p in init_mlp(rng, [width, 1]).items()}
    return join(embedding=embedding, head=head)


def euclidean(params: Params, a: Float[Array, "*#n d"], b: Float[Array, "*#n d"]) -> Float[Array, "..."]:
    """D = |a - b| (Hadsell et al., equation 1)."""
    return distance(a, b)


def cosine(params: Params, a: Float[Array, "*#n d"], b: Float[Array, "*#n d"]) -> Float[Array, "..."]:
    """1 - cos(a, b), between 0 and 2 (the cosine is Bromley's)."""
    return 1 - np.sum(unit(a) * unit(b), axis=-1)


def weighted_l1(params: Params, a: Float[Array, "*#n d"], b: Float[Array, "*#n d"]) -> Float[Array, "..."]:
    """sum_j alpha_j |a_j - b_j| + bias, which may be negative; the head's weights are learned (Koch et al.).

    Raises ValueError for embeddings of another size than the head's.
    """
    weight, bias = params["head.weight"], params["head.bias"]
    if a.shape[-1] != weight.shape[-1]:
        given = f"got {weight.shape[-1]} weights for embeddings of {a.shape[-1]} numbers"
        raise ValueError(f"head.weight: {given}; is this the size of image that was trained on?")
    return linear(abs(a - b), weight, bias)[..., 0]


def contrastive(
    distances: Float[Array, " n"], same: Integer[np.ndarray, " n"], *, margin: float | int
) -> Float[Array, ""]:
    """Half of D^2 for a pair of one class, of max(0, m - D)^2 for a pair of two (Hadsell et al., equation 4).

    Pairs of two classes that are further apart than the margin m cost nothing. ValueError for m < 0.
    """
    margin = contracts.number("margin", margin, least=0)
    return np.mean(np.where(same == 1, distances**2, relu(margin - distances) ** 2)) / 2


def same_or_different(distances: Float[Array, " n"], same: Integer[np.ndarray, " n"]) -> Float[Array, ""]:
    """-log p(same or not) with p(same) = 1 / (1 + e^distance) (Koch et al., section 3.2); never overflows."""
    return np.mean(np.where(same == 1, softplus(distances), softplus(-distances)))


def twins(
    params: Params, x: Float[Array, "n 2 *shape"], *, embed: Embed
) -> tuple[Float[Array, "n d"], Float[Array, "n d"]]:
    """The embeddings of both examples of every pair: one network, its weights shared, in one pass."""
    embedded = embed(part(params, "embedding"), np.reshape(x, (-1, *x.shape[2:])))
    return embedded[::2], embedded[1::2]


def loss(params: Params, pairs: Examples, *, embed: Embed, apart: Apart, cost: Cost) -> Float[Array, ""]:
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
    known, members = embed(weights, support.x), support.y == np.arange(n)[:, None]  # (n_way, n)

    def predict(x):
        check_queries(x, support)
        distances = apart(params, embed(weights, x)[:, None], known[None])
        return -np.min(np.where(members, distances[:, None], np.inf), axis=-1)

    return predict


def meta_gradient(
    params: Params, pairs: Examples, *, embed: Embed, apart: Apart, cost: Cost
) -> tuple[Params, Float[Array, ""]]:
    """The gradient of the loss in all parameters, and the loss; plain arrays."""
    value, gradient = value_and_grad(loss)(params, pairs, embed=embed, apart=apart, cost=cost)
    return gradient, value
