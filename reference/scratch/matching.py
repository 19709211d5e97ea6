"""Matching networks: a query attends to the support examples, and its label is the average of theirs.

The attention is a softmax of how alike they are; a prediction is linear in the labels, and adapting to a new
task is only to remember its support. With full context, each example is embedded in view of all the others.

Paper: Vinyals, Blundell, Lillicrap, Kavukcuoglu & Wierstra 2016 (arXiv:1606.04080), equation 1, section
2.1.1; their full context is in nn/context.py. Neighbourhood components analysis, the same attention among the
examples of one batch: Goldberger, Roweis, Hinton & Salakhutdinov 2004, equations 1 and 2.
Differs from the paper: the cosine is divided by a temperature (1 in the paper), without which the loss has a
floor; f' and g' are one network, the caller's `embed(params, x)`; NCA's embedding is not linear.
"""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Integer

from reference import contracts
from reference.episodes import (
    Episode,
    Examples,
    Predict,
    check_classes,
    check_one_task,
    check_partners,
    check_queries,
    check_several,
    check_support,
    n_way,
)
from reference.params import Params, join, part
from reference.scratch.autodiff import Array, logsumexp, softmax, value_and_grad
from reference.scratch.nn import cross_entropy, init_context, squared_distance, unit

Embed = Callable[[Params, Array], Array]
Context = Callable[[Params, Array, Array], tuple[Array, Array]]  # params, queries, support -> both
InitEmbedding = Callable[[np.random.Generator], Params]


def init(rng: np.random.Generator, init_embedding: InitEmbedding) -> Params:
    """New parameters of the embedding network, under `embedding.`."""
    return join(embedding=init_embedding(rng))


def init_with_context(rng: np.random.Generator, init_embedding: InitEmbedding, *, width: int) -> Params:
    """The same and what `full_context` needs for embeddings of `width` numbers, under `context.`."""
    return init(rng, init_embedding) | join(context=init_context(rng, width))


def similarities(
    queries: Float[Array, "q d"], support: Float[Array, "n d"], *, temperature: float | int
) -> Float[Array, "q n"]:
    """Cosine / temperature of every query with every support example. ValueError unless temperature > 0."""
    temperature = contracts.number("temperature", temperature, least=0, excluded=True)
    return unit(queries) @ unit(support).T / temperature


def attention(
    queries: Float[Array, "q d"], support: Float[Array, "n d"], *, temperature: float | int
) -> Float[Array, "q n"]:
    """a(query, x_i): the softmax of the similarities over the support, never over queries (section 2.1.1)."""
    return softmax(similarities(queries, support, temperature=temperature), axis=1)


def class_log_probabilities(
    similarities: Float[Array, "q n"], labels: Integer[np.ndarray, " n"], n_way: int
) -> Float[Array, "q n_way"]:
    """log sum_i a(query, x_i) [y_i = k], the attention that each class gets (equation 1); never log of 0.

    Raises ValueError when a class has no example, or an example no class.
    """
    check_classes(labels, n_way, "labels")
    return log_share(similarities[:, None, :], labels == np.arange(n_way)[:, None])


def log_share(scores: Float[Array, "*#m n"], chosen: Bool[np.ndarray, "*#m n"]) -> Float[Array, "..."]:
    """log of the softmax over the last axis, added up where it is chosen."""
    return logsumexp(np.where(chosen, scores, -np.inf), axis=-1) - logsumexp(scores, axis=-1)


def loss_floor(n_way: int, *, temperature: float | int) -> float:
    """The least loss that cosine attention can reach, with any embedding and any number of shots.

    ln(1 + (N - 1) exp(-N / ((N - 1) temperature))): the N classes at the corners of a simplex, where every
    cosine between two of them is -1 / (N - 1). For 20 classes and temperature 1 it is 2.03.
    """
    others = contracts.whole("n_way", n_way, at_least=2) - 1
    temperature = contracts.number("temperature", temperature, least=0, excluded=True)
    return math.log1p(others * math.exp(-n_way / (others * temperature)))


def without_context(
    params: Params, queries: Float[Array, "q d"], support: Float[Array, "n d"]
) -> tuple[Float[Array, "q d"], Float[Array, "n d"]]:
    """A Context: every embedding as it is."""
    return queries, support


def nca(embedded: Float[Array, "n d"], labels: Integer[np.ndarray, " n"]) -> Float[Array, ""]:
    """The mean of -log p_i, the attention that each example gives to its own class, itself left out.

    p_i is the sum over the others of its class of a softmax of -|a_i - a_j|^2 (Goldberger et al., equations
    1 and 2). Raises ValueError for a class with one example, and for one class alone.
    """
    check_partners(labels, "labels")
    itself = np.eye(len(labels), dtype=bool)
    scores = np.where(itself, -np.inf, -squared_distance(embedded[:, None], embedded[None]))
    return -np.mean(log_share(scores, (labels[:, None] == labels) & ~itself))


def loss(
    params: Params,
    episode: Episode,
    *,
    embed: Embed,
    temperature: float | int,
    context: Context = without_context,
) -> Float[Array, ""]:
    """-log p(y | x, S), averaged over the episode's queries (equation 2)."""
    check_one_task(episode)
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    check_several(support_y)
    embedded = embed(part(params, "embedding"), np.concatenate([support_x, query_x]))
    support, queries = embedded[: len(support_x)], embedded[len(support_x) :]
    scores = similarities(*context(params, queries, support), temperature=temperature)
    return cross_entropy(class_log_probabilities(scores, support_y, n_way(support_y)), query_y)


def adapt(
    params: Params,
    support: Examples,
    *,
    embed: Embed,
    temperature: float | int,
    context: Context = without_context,
) -> Predict:
    """The predictor of one task: `predict(x)` gives log-probabilities (q, n_way).

    Not transductive, if `embed` is not: no query sees another. Raises ValueError for a support of one class.
    """
    check_support(support)
    check_several(support.y)
    check_classes(support.y, n := n_way(support.y))
    weights = part(params, "embedding")
    known = embed(weights, support.x)

    def predict(x):
        check_queries(x, support)
        scores = similarities(*context(params, embed(weights, x), known), temperature=temperature)
        return class_log_probabilities(scores, support.y, n)

    return predict


def meta_gradient(
    params: Params,
    episode: Episode,
    *,
    embed: Embed,
    temperature: float | int,
    context: Context = without_context,
) -> tuple[Params, Float[Array, ""]]:
    """The gradient of the loss in all parameters, and the loss; plain arrays."""
    value, gradient = value_and_grad(loss)(
        params, episode, embed=embed, temperature=temperature, context=context
    )
    return gradient, value
