"""The losses that are compared on glyphs: what each draws, how it trains and how it judges. Chapter 04.

Papers: Hadsell et al. 2006 (contrastive), Koch et al. 2015 (the head), Schroff et al. 2015 (semi-hard),
Hermans et al. 2017 (batch-hard), Chen et al. 2020 (NT-Xent), Goldberger et al. 2004 (NCA).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from reference.episodes import Examples
from reference.params import Params, join, part
from reference.pytorch import matching, prototypical, siamese, triplet
from reference.pytorch.nn import MLP, distance, init_params, unit
from reference.pytorch.unroll import value_and_grad
from reference.tasks.bank import Bank, FewShot, as_input
from reference.tasks.glyphs import glyphs
from reference.tasks.pairs import Batches, Pairs, Triplets

N_IMAGES = 120  # of a step
EMBEDDING, WIDTH = MLP([784, 64, 32]), 32


class Judged(NamedTuple):
    """A way to compare two images."""

    params: Params
    embed: siamese.Embed
    apart: siamese.Apart


class Choice(NamedTuple):
    """One way to train, under each of its three settings, and to compare afterwards."""

    settings: tuple
    sample: Callable[[Bank], Callable]
    gradient: Callable[[Any], Callable]  # setting -> meta_gradient
    judged: Callable[[Params, Any], Judged]
    start: Callable[[np.random.Generator], Params] = lambda rng: siamese.init(rng, EMBEDDING)


def embed(params: Params, x: Tensor) -> Tensor:
    """The images as vectors of 32 numbers."""
    return functional_call(EMBEDDING, params, x.flatten(1))


def of_length_1(params: Params, x: Tensor) -> Tensor:
    """The same, of length 1."""
    return unit(embed(params, x))


def each(cost: Callable) -> Callable:
    """The cost of all pairs of one class and of all pairs of two, each kind with a mean of its own."""

    def kinds_apart(distances, own, other):
        one, two = (distances[kind] for kind in (own, other))
        return (
            cost(one, torch.ones_like(one, dtype=torch.int64))
            + cost(two, torch.zeros_like(two, dtype=torch.int64))
        ) / 2

    return kinds_apart


def that_cost(distances: Tensor, own: Tensor, other: Tensor, *, margin: float) -> Tensor:
    """The contrastive cost, averaged over the pairs of two classes that are nearer than the margin alone."""
    near = F.relu(margin - distances[other])
    return (distances[own].square().mean() + near.square().sum() / (near > 0).sum().clamp(min=1)) / 4


def straight(distances: Tensor, own: Tensor, other: Tensor, *, margin: float) -> Tensor:
    """The contrastive cost without its squares, each kind with a mean of its own."""
    return (distances[own].mean() + F.relu(margin - distances[other]).mean()) / 2


def straight_that_cost(distances: Tensor, own: Tensor, other: Tensor, *, margin: float) -> Tensor:
    """The same, averaged over the pairs of two classes that are nearer than the margin alone (Musgrave)."""
    near = F.relu(margin - distances[other])
    return (distances[own].mean() + near.sum() / (near > 0).sum().clamp(min=1)) / 2


def of_tables(cost: Callable) -> Callable:
    """A cost of embeddings and labels from one of the distances and the two kinds of pairs."""
    return lambda z, y: cost(distance(z[:, None], z[None]), *triplet.kinds(y))


def pairs(bank: Bank) -> Callable:
    """Half of one class, half of two."""
    return Pairs(bank, n_pairs=N_IMAGES // 2).sample


def batches(bank: Bank) -> Callable:
    """Four images of each of thirty classes."""
    return Batches(bank, n_classes=N_IMAGES // 4, k_images=4).sample


def in_batches(cost: Callable, settings: tuple, embedding: Callable = of_length_1) -> Choice:
    """A cost(embeddings, labels, setting) of a batch; compared by the distance of the same embeddings."""

    def gradient(setting):
        return partial(triplet.meta_gradient, embed=embedding, cost=lambda z, y: cost(z, y, setting))

    return Choice(settings, batches, gradient, lambda p, _: Judged(p, embedding, siamese.euclidean))


def contrastive(setting: float) -> Callable:
    """The meta-gradient of drawn pairs."""
    cost = partial(siamese.contrastive, margin=setting)
    return partial(siamese.meta_gradient, embed=of_length_1, apart=siamese.euclidean, cost=cost)


SQUASHED = {
    "as it is": embed,
    "sigmoid": lambda p, x: embed(p, x).sigmoid(),
    "tanh": lambda p, x: embed(p, x).tanh(),
}


def koch(setting: str) -> Callable:
    """The meta-gradient of the head that is learned, on drawn pairs."""
    cost = siamese.same_or_different
    return partial(siamese.meta_gradient, embed=SQUASHED[setting], apart=siamese.weighted_l1, cost=cost)


def koch_in_batches(setting: str) -> Callable:
    """The same on all pairs of a batch, each kind with a mean of its own."""

    def loss(params, batch):
        z = SQUASHED[setting](part(params, "embedding"), batch.x)
        distances = siamese.weighted_l1(params, z[:, None], z[None])
        return each(siamese.same_or_different)(distances, *triplet.kinds(batch.y))

    return lambda params, batch: value_and_grad(loss)(params, batch)[::-1]


def with_head(rng: np.random.Generator) -> Params:
    """The embedding and Koch's head."""
    return siamese.init_with_head(rng, EMBEDDING, width=WIDTH)


def by_head(params: Params, setting: str) -> Judged:
    """Compared by Koch's head."""
    return Judged(params, SQUASHED[setting], siamese.weighted_l1)


def triplets(setting: float) -> Callable:
    """The meta-gradient of drawn triplets."""
    return partial(triplet.meta_gradient, embed=of_length_1, cost=partial(triplet.in_threes, margin=setting))


def prototypes(setting: float) -> Callable:
    """The meta-gradient of a prototypical network of 20 classes, the embedding times the setting."""
    gradient = partial(prototypical.meta_gradient, embed=lambda p, x: setting * embed(p, x))

    def of_embedding(params, episode):
        found, value = gradient(part(params, "embedding"), episode)
        return join(embedding=found), value

    return of_embedding


def with_classes(rng: np.random.Generator) -> Params:
    """The embedding and a last layer with one output for every training class."""
    start = siamese.init(rng, EMBEDDING)
    return start | join(layer=init_params(rng, nn.Linear(WIDTH, len(glyphs("train").names))))


def classifier(setting: str) -> Callable:
    """The meta-gradient of a plain classifier; its setting is for later."""

    def loss(params, batch):
        w = part(params, "layer")
        z = embed(part(params, "embedding"), batch.x)
        return F.cross_entropy(F.linear(z, w["weight"], w["bias"]), batch.y)

    return lambda params, batch: value_and_grad(loss)(params, batch)[::-1]


def plain(bank: Bank) -> Callable:
    """Images at random, each with the number of its class."""

    def sample(rng):
        rows = rng.integers(len(bank.images), size=N_IMAGES)
        return Examples(as_input(bank.images[rows]), np.searchsorted(bank.offsets, rows, side="right") - 1)

    return sample


def features(params: Params, setting: str) -> Judged:
    """The classifier's features as they are, of length 1, or first moved to the middle of all images."""
    weights, bank = part(params, "embedding"), glyphs("train")
    with torch.inference_mode():
        middle = embed(weights, torch.from_numpy(as_input(bank.images[bank.offsets[:-1]]))).mean(0)
    ways = {"as it is": embed, "of length 1": of_length_1}
    ways["centred"] = lambda p, x: unit(embed(p, x) - middle)
    return Judged(params, ways[setting], siamese.euclidean)


# Three settings for each; where the best stood at an end of its list, the list went on.
MARGINS, NEAR_MARGINS = (0.5, 1.0, 1.4, 1.8), (0.25, 0.5, 1.0, 1.4)
TEMPERATURES, SCALES = (0.05, 0.1, 0.3), (0.3, 1.0, 3.0)
EUCLIDEAN = {True: lambda p, _: Judged(p, of_length_1, siamese.euclidean)}
EUCLIDEAN[False] = lambda p, _: Judged(p, embed, siamese.euclidean)
CHOICES = {
    "contrastive, drawn pairs": Choice(MARGINS, pairs, contrastive, EUCLIDEAN[True]),
    "Koch's head, drawn pairs": Choice(tuple(SQUASHED), pairs, koch, by_head, with_head),
    "triplets, drawn": Choice(
        (0.1, 0.3, 1.0),
        lambda bank: Triplets(bank, n_triplets=N_IMAGES // 3).sample,
        triplets,
        EUCLIDEAN[True],
    ),
    "contrastive, all pairs": in_batches(
        lambda z, y, m: triplet.every_pair(z, y, cost=partial(siamese.contrastive, margin=m)), NEAR_MARGINS
    ),
    "contrastive, kinds apart": in_batches(
        lambda z, y, m: of_tables(each(partial(siamese.contrastive, margin=m)))(z, y), MARGINS
    ),
    "contrastive, pairs that cost": in_batches(
        lambda z, y, m: of_tables(partial(that_cost, margin=m))(z, y), MARGINS
    ),
    "no squares, kinds apart": in_batches(
        lambda z, y, m: of_tables(partial(straight, margin=m))(z, y), (0.5, 1.0, 1.4)
    ),
    "no squares, pairs that cost": in_batches(
        lambda z, y, m: of_tables(partial(straight_that_cost, margin=m))(z, y), (0.5, 1.0, 1.4)
    ),
    "Koch's head, kinds apart": Choice(tuple(SQUASHED), batches, koch_in_batches, by_head, with_head),
    "triplets, semi-hard": in_batches(
        lambda z, y, m: triplet.semi_hard(z, y, margin=m), (0.1, 0.3, 1.0, 2.0)
    ),
    "triplets, batch-hard": in_batches(lambda z, y, m: triplet.batch_hard(z, y, margin=m), (0.1, 0.3, 1.0)),
    "NT-Xent": in_batches(lambda z, y, t: triplet.nt_xent(z, y, temperature=t), TEMPERATURES),
    "NCA": in_batches(lambda z, y, s: matching.nca(s * z, y), (0.1, *SCALES), embed),
    "prototypical": Choice(
        (0.1, *SCALES),
        lambda bank: FewShot(bank, n_way=20, k_shot=1, n_query=5).sample,
        prototypes,
        EUCLIDEAN[False],
    ),
    "classifier": Choice(("as it is", "of length 1", "centred"), plain, classifier, features, with_classes),
}
RAW = Judged({"embedding.none": torch.empty(0)}, lambda weights, x: x.flatten(1), siamese.euclidean)
