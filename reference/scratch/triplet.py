"""Triplets and beyond: every example of a labelled batch is compared with every other, not with one partner.

A Siamese network asks whether a pair is near or far. Here an example shall be nearer to its own class than to
the others: than to the hardest of them (batch-hard), to one just too near (semi-hard), or to all of them at
once by a softmax (NT-Xent, which is InfoNCE). The learner that comes of it is the Siamese one.

Paper: Schroff, Kalenichenko & Philbin 2015 (FaceNet, arXiv:1503.03832), equations 3 and 4; Hermans, Beyer &
Leibe 2017 (arXiv:1703.07737), equation 5; van den Oord et al. 2018 (InfoNCE, arXiv:1807.03748), equation 4;
Chen et al. 2020 (NT-Xent, arXiv:2002.05709), equation 1; Khosla et al. 2020 (arXiv:2004.11362), equation 2,
for more than two examples a class.
Differs from the paper: costs are averaged, over triplets or over anchors; where no negative is semi-hard,
the farthest is taken; embeddings are normalised only where a cost does so itself (FaceNet's all are).
"""

import numpy as np
from jaxtyping import Bool, Float, Integer

from reference import contracts
from reference.episodes import Examples, check_batch, check_partners
from reference.params import Params, part
from reference.scratch.autodiff import Array, log_softmax, relu, value_and_grad
from reference.scratch.nn.distances import distance, squared_distance, unit
from reference.scratch.siamese import Cost, Embed
from reference.scratch.siamese import adapt as adapt
from reference.scratch.siamese import init as init

Labels = Integer[np.ndarray, " n"]


def triplet(near: Float[Array, " n"], far: Float[Array, " n"], *, margin: float | int) -> Float[Array, ""]:
    """The mean of max(0, d(anchor, positive) - d(anchor, negative) + margin) (FaceNet, equation 3)."""
    margin = contracts.number("margin", margin, least=0)
    return np.mean(relu(near - far + margin))


def in_threes(embedded: Float[Array, "n d"], labels: Labels, *, margin: float | int) -> Float[Array, ""]:
    """The triplet loss of squared distances in rows of anchor, positive, negative, as `Triplets` draws them.

    Raises ValueError where the labels do not come in such threes.
    """
    if len(labels) % 3 or not all(a == p != n for a, p, n in labels.reshape(-1, 3).tolist()):
        raise ValueError(f"batch.y: got {labels[:3].tolist()} first; three rows are a, a and another class.")
    anchor, positive, negative = embedded[::3], embedded[1::3], embedded[2::3]
    return triplet(squared_distance(anchor, positive), squared_distance(anchor, negative), margin=margin)


def batch_hard(embedded: Float[Array, "n d"], labels: Labels, *, margin: float | int) -> Float[Array, ""]:
    """The triplet loss of each example with its farthest of the same class and its nearest of another.

    Distances are not squared (Hermans et al., equation 5).
    """
    own, other = kinds(labels)
    distances = distance(embedded[:, None], embedded[None])
    farthest = np.max(np.where(own, distances, -np.inf), axis=1)
    nearest = np.min(np.where(other, distances, np.inf), axis=1)
    return triplet(farthest, nearest, margin=margin)


def semi_hard(embedded: Float[Array, "n d"], labels: Labels, *, margin: float | int) -> Float[Array, ""]:
    """The triplet loss of every pair of one class with the nearest example of another class that is farther.

    Farther than the positive (FaceNet, equation 4, squared distances); where none is, with the farthest.
    """
    own, other = kinds(labels)
    anchor, positive = np.nonzero(own)
    distances = squared_distance(embedded[:, None], embedded[None])
    near, far, others = distances[anchor, positive], distances[anchor], other[anchor]  # (p,), (p, n), (p, n)
    farther = others & (far > near[:, None])
    nearest = np.min(np.where(farther, far, np.inf), axis=1)
    farthest = np.max(np.where(others, far, -np.inf), axis=1)
    return triplet(near, np.where(farther.any(axis=1), nearest, farthest), margin=margin)


def nt_xent(embedded: Float[Array, "n d"], labels: Labels, *, temperature: float | int) -> Float[Array, ""]:
    """-log p(positive) among all other examples, p a softmax of cosine / temperature; mean over positives.

    With two examples a class: NT-Xent (Chen et al., equation 1); with more: Khosla et al., equation 2.
    Raises ValueError for a temperature of zero or below.
    """
    temperature = contracts.number("temperature", temperature, least=0, excluded=True)
    own, _ = kinds(labels)
    directions = unit(embedded)
    scores = np.where(np.eye(len(labels), dtype=bool), -np.inf, directions @ directions.T / temperature)
    positives = np.where(own, log_softmax(scores, axis=1), 0)
    return -np.mean(np.sum(positives, axis=1) / own.sum(axis=1).astype(embedded.dtype))


def every_pair(embedded: Float[Array, "n d"], labels: Labels, *, cost: Cost) -> Float[Array, ""]:
    """A cost of pairs, such as `siamese.contrastive`, of all pairs of the batch, each once."""
    i, j = np.triu_indices(len(labels), 1)
    return cost(distance(embedded[i], embedded[j]), (labels[i] == labels[j]).astype(int))


def kinds(labels: Labels) -> tuple[Bool[np.ndarray, "n n"], Bool[np.ndarray, "n n"]]:
    """Which examples are of one class (an example and itself do not count), and which of two.

    Raises ValueError unless each has both.
    """
    check_partners(labels)
    same = labels[:, None] == labels
    return same & ~np.eye(len(labels), dtype=bool), ~same


def loss(params: Params, batch: Examples, *, embed: Embed, cost: Cost) -> Float[Array, ""]:
    """The cost of a labelled batch, embedded; `cost` takes the embeddings (n, d) and the labels (n,)."""
    check_batch(batch)
    return cost(embed(part(params, "embedding"), batch.x), batch.y)


def meta_gradient(
    params: Params, batch: Examples, *, embed: Embed, cost: Cost
) -> tuple[Params, Float[Array, ""]]:
    """The gradient of the loss in the embedding's parameters, and the loss; plain arrays."""
    value, gradient = value_and_grad(loss)(params, batch, embed=embed, cost=cost)
    return gradient, value
