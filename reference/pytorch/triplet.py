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

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor
from torch.nn import functional as F

from reference import contracts
from reference.episodes import Examples, check_batch, check_partners
from reference.params import Params, part
from reference.pytorch.nn.distances import distance, squared_distance, unit
from reference.pytorch.siamese import Cost, Embed
from reference.pytorch.siamese import adapt as adapt
from reference.pytorch.siamese import init as init
from reference.pytorch.unroll import value_and_grad

Labels = Integer[Tensor, " n"]


def triplet(near: Float[Tensor, " n"], far: Float[Tensor, " n"], *, margin: float | int) -> Float[Tensor, ""]:
    """The mean of max(0, d(anchor, positive) - d(anchor, negative) + margin) (FaceNet, equation 3)."""
    margin = contracts.number("margin", margin, least=0)
    return F.relu(near - far + margin).mean()


def in_threes(embedded: Float[Tensor, "n d"], labels: Labels, *, margin: float | int) -> Float[Tensor, ""]:
    """The triplet loss of squared distances in rows of anchor, positive, negative, as `Triplets` draws them.

    Raises ValueError where the labels do not come in such threes.
    """
    if len(labels) % 3 or not all(a == p != n for a, p, n in labels.reshape(-1, 3).tolist()):
        raise ValueError(f"batch.y: got {labels[:3].tolist()} first; three rows are a, a and another class.")
    anchor, positive, negative = embedded.unflatten(0, (-1, 3)).unbind(1)
    return triplet(squared_distance(anchor, positive), squared_distance(anchor, negative), margin=margin)


def batch_hard(embedded: Float[Tensor, "n d"], labels: Labels, *, margin: float | int) -> Float[Tensor, ""]:
    """The triplet loss of each example with its farthest of the same class and its nearest of another.

    Distances are not squared (Hermans et al., equation 5).
    """
    own, other = kinds(labels)
    distances = distance(embedded[:, None], embedded[None])
    farthest = distances.masked_fill(~own, -torch.inf).amax(1)
    nearest = distances.masked_fill(~other, torch.inf).amin(1)
    return triplet(farthest, nearest, margin=margin)


def semi_hard(embedded: Float[Tensor, "n d"], labels: Labels, *, margin: float | int) -> Float[Tensor, ""]:
    """The triplet loss of every pair of one class with the nearest example of another class that is farther.

    Farther than the positive (FaceNet, equation 4, squared distances); where none is, with the farthest.
    """
    own, other = kinds(labels)
    anchor, positive = own.nonzero(as_tuple=True)
    distances = squared_distance(embedded[:, None], embedded[None])
    near, far, others = distances[anchor, positive], distances[anchor], other[anchor]  # (p,), (p, n), (p, n)
    farther = others & (far > near[:, None])
    nearest = far.masked_fill(~farther, torch.inf).amin(1)
    farthest = far.masked_fill(~others, -torch.inf).amax(1)
    return triplet(near, torch.where(farther.any(1), nearest, farthest), margin=margin)


def nt_xent(embedded: Float[Tensor, "n d"], labels: Labels, *, temperature: float | int) -> Float[Tensor, ""]:
    """-log p(positive) among all other examples, p a softmax of cosine / temperature; mean over positives.

    With two examples a class: NT-Xent (Chen et al., equation 1); with more: Khosla et al., equation 2.
    Raises ValueError for a temperature of zero or below.
    """
    temperature = contracts.number("temperature", temperature, least=0, excluded=True)
    own, _ = kinds(labels)
    scores = F.linear(directions := unit(embedded), directions) / temperature
    scores = scores.masked_fill(torch.eye(len(labels), dtype=torch.bool, device=labels.device), -torch.inf)
    positives = F.log_softmax(scores, dim=1).masked_fill(~own, 0)
    return -(positives.sum(1) / own.sum(1)).mean()


def every_pair(embedded: Float[Tensor, "n d"], labels: Labels, *, cost: Cost) -> Float[Tensor, ""]:
    """A cost of pairs, such as `siamese.contrastive`, of all pairs of the batch, each once."""
    i, j = torch.combinations(torch.arange(len(labels), device=labels.device)).T
    return cost(distance(embedded[i], embedded[j]), (labels[i] == labels[j]).long())


def kinds(labels: Labels) -> tuple[Bool[Tensor, "n n"], Bool[Tensor, "n n"]]:
    """Which examples are of one class (an example and itself do not count), and which of two.

    Raises ValueError unless each has both.
    """
    check_partners(labels)
    same = labels[:, None] == labels
    return same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device), ~same


def loss(params: Params, batch: Examples, *, embed: Embed, cost: Cost) -> Float[Tensor, ""]:
    """The cost of a labelled batch, embedded; `cost` takes the embeddings (n, d) and the labels (n,)."""
    check_batch(batch)
    return cost(embed(part(params, "embedding"), batch.x), batch.y)


def meta_gradient(
    params: Params, batch: Examples, *, embed: Embed, cost: Cost
) -> tuple[Params, Float[Tensor, ""]]:
    """The gradient of the loss in the embedding's parameters, and the loss."""
    value, gradient = value_and_grad(loss)(params, batch, embed=embed, cost=cost)
    return gradient, value
