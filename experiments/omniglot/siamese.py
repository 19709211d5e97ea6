"""Networks that compare on Omniglot: pairs, triplets and a softmax over a batch, trained on distorted images.

    python -m experiments.omniglot.siamese koch
    python -m experiments.omniglot.siamese nt-xent --seed 1
    python -m experiments.omniglot.siamese nt-xent --data held-out --n-steps 2000   # to choose settings

Judged by 20-way one-shot within an alphabet, and by verification. See README.md in this folder.
"""

import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from experiments import runner
from experiments.carried import apart, carrying
from experiments.omniglot import comparing, judging
from experiments.omniglot.data import Data, banks
from experiments.saving import Job
from experiments.training import Evaluation, Training, cosine
from reference.episodes import Examples
from reference.params import Params
from reference.pytorch import matching, siamese, triplet
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import unit
from reference.rules import adam
from reference.tasks.bank import Bank
from reference.tasks.distortions import affine_maps, distorted
from reference.tasks.pairs import Batches, OneShotTrials, Pairs

N_OF_ALPHABET = 14  # characters of one alphabet in a batch: as many as the smallest has
N_COPIES = 16  # of a drawing in the test, distorted as in training, over which its embedding is averaged


class Settings(NamedTuple):
    """What a run depends on. A step takes n_images, as pairs or as two of each class."""

    data: Data = "alphabets"
    seed: int = 0
    n_steps: int = 40_000
    outer_lr: float = 1e-3
    n_images: int = 128
    others: Literal["anywhere", "one-alphabet"] = "anywhere"  # where an image of another class comes from
    margin: float = 0.0
    temperature: float = 0.0
    width: int = 64
    n_test_episodes: int = 4000
    n_test_pairs: int = 20_000


VARIANTS = {
    "koch": Settings(),
    "contrastive": Settings(margin=8.0),
    "semi-hard": Settings(margin=0.2),  # as FaceNet, whose embeddings have length 1 as here
    "nt-xent": Settings(temperature=0.1),
    "nca": Settings(),
}
PAIRED = {"koch": siamese.weighted_l1, "contrastive": siamese.euclidean}
APART = PAIRED | {"semi-hard": siamese.cosine, "nt-xent": siamese.cosine, "nca": siamese.euclidean}


def begin(job: Job, rng: np.random.Generator) -> Params:
    """New weights, Koch's with a head, and the running statistics."""
    net = comparing.network(job)
    init = (
        partial(siamese.init_with_head, width=job.settings.width) if job.variant == "koch" else siamese.init
    )
    return comparing.beginning(job, net, init(rng, net))


def meta_gradient(job: Job) -> Callable:
    """That of the variant's loss, of pairs or of a batch. Semi-hard embeddings are taken to length 1."""
    margin, temperature = job.settings.margin, job.settings.temperature
    costs = {
        "koch": siamese.same_or_different,
        "contrastive": partial(siamese.contrastive, margin=margin),
        "semi-hard": lambda embedded, labels: triplet.semi_hard(unit(embedded), labels, margin=margin),
        "nt-xent": partial(triplet.nt_xent, temperature=temperature),
        "nca": matching.nca,
    }
    if job.variant in PAIRED:
        return partial(siamese.meta_gradient, apart=PAIRED[job.variant], cost=costs[job.variant])
    return partial(triplet.meta_gradient, cost=costs[job.variant])


def draw(job: Job) -> Callable[[np.random.Generator], Examples]:
    """Pairs, or two images of each class, from anywhere or from one alphabet; every image distorted."""
    chosen, near = job.settings, job.settings.others == "one-alphabet"
    bank = by_turn(banks(chosen.data)[0])
    if job.variant in PAIRED:
        sample = Pairs(bank, n_pairs=chosen.n_images // 2, within_groups=near).sample
    elif near:
        n_alphabets = max(1, chosen.n_images // (2 * N_OF_ALPHABET))
        sample = partial(of_alphabets, OneShotTrials(bank, n_way=N_OF_ALPHABET), n_alphabets=n_alphabets)
    else:
        sample = Batches(bank, n_classes=chosen.n_images // 2, k_images=2).sample

    def distort(rng: np.random.Generator) -> Examples:
        x, y = sample(rng)
        images = x.reshape(-1, *x.shape[-3:])
        images = distorted(images, affine_maps(rng, len(images), side=images.shape[-1]))
        return to_torch(Examples(images.reshape(x.shape), y), job.device)

    return distort


def by_turn(bank: Bank) -> Bank:
    """An alphabet whose characters are turned is another alphabet."""
    turns = [name.partition(" turned")[2] for name in bank.names.tolist()]
    return bank._replace(groups=np.char.add(bank.groups, turns))


def of_alphabets(trials: OneShotTrials, rng: np.random.Generator, *, n_alphabets: int) -> Examples:
    """Characters of a few alphabets, two images of each, as one batch; a character has one label in it."""
    drawn = trials.sample_batch(rng, n_alphabets)
    names = [np.take_along_axis(drawn.task, examples.y, axis=1) for examples in drawn[:2]]
    labels = np.unique(np.concatenate(names, axis=1), return_inverse=True)[1].reshape(-1)
    x = np.concatenate([examples.x for examples in drawn[:2]], axis=1)
    return Examples(x.reshape(-1, *x.shape[2:]), labels)


def train(job: Job) -> Training:
    """One batch a step, under a rate that falls to nothing."""
    net, chosen = comparing.network(job).train(), job.settings
    rule = carrying(adam(cosine(chosen.outer_lr, chosen.n_steps)))
    return Training(comparing.carrying_statistics(net, meta_gradient(job)), draw(job), rule)


def tests(job: Job, start: Params, end: Params) -> Iterator[Evaluation]:
    """Of the network after training, also averaged over copies, of that before training, and of raw pixels.

    Before training the distance is Euclidean, whatever the head.
    """

    def network(params: Params, apart_by: siamese.Apart) -> judging.Judged:
        weights, statistics = apart(params)  # not transductive: normalised by the running statistics
        embed = comparing.embedding(comparing.network(job).eval(), statistics)
        return judging.Judged(weights, embed, apart_by)

    trained, untrained = network(end, APART[job.variant]), network(start, siamese.euclidean)
    copied = trained._replace(embed=averaged(trained.embed))
    learners = {"trained": trained, "untrained": untrained, "raw pixels": judging.RAW}
    return judging.tests(job, learners | {f"trained, {N_COPIES} copies": copied})


def averaged(embed: siamese.Embed) -> siamese.Embed:
    """The mean embedding of each image and of its distorted copies, whose maps depend on what is embedded."""

    def embed_copies(params: Params, x: Tensor) -> Tensor:
        images = x.cpu().numpy()
        rng = np.random.default_rng(zlib.crc32(images.tobytes()))  # a support's maps are not its queries'
        total = embed(params, x)
        for _ in range(N_COPIES):
            copies = distorted(images, affine_maps(rng, len(images), side=images.shape[-1]))
            total = total + embed(params, torch.from_numpy(copies).to(x.device))
        return total / (N_COPIES + 1)

    return embed_copies


EXPERIMENT = runner.Experiment("omniglot", VARIANTS, begin, train, tests)

if __name__ == "__main__":
    runner.main(EXPERIMENT)
