"""What a learner that compares may choose, each choice with a rate of its own, on glyphs: chapter 06.

    python -m experiments.glyphs.choices                # all of them; what is there already stays
    python -m experiments.glyphs.choices "all pairs"    # one

Every choice trains the same embedding on equally many images (24,000, unless its name says otherwise). Its
rate is chosen on the validation scripts, from the same list for all; then new seeds are judged on the test
scripts. One row is one training run, so that choices can be compared in pairs, seed by seed.

Papers: the baseline of a plain classifier, Wang et al. 2019 (arXiv:1911.04623), Tian et al. 2020
(arXiv:2003.11539); all pairs of a batch without episodes, Laenen & Bertinetto 2021 (arXiv:2012.09831).
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from experiments.glyphs.leaving import file_of, leave
from reference.episodes import Adapt, Episode, Examples
from reference.evaluation import evaluate
from reference.meta_train import meta_train
from reference.params import Params, join, part
from reference.pytorch import prototypical, relation
from reference.pytorch.machine.arrays import in_numpy, to_torch
from reference.pytorch.nn import MLP, init_params
from reference.pytorch.unroll import value_and_grad
from reference.results import Row, key, read
from reference.rules import adam
from reference.tasks.bank import Bank, FewShot
from reference.tasks.glyphs import glyphs

RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 16e-3)
TUNING_SEEDS, SEEDS = range(100, 102), range(6)
N_VALIDATION, N_TEST = 100, {5: 300, 20: 60}  # episodes, by their number of classes
N_IMAGES = 120  # a step, unless the choice has fewer classes
EMBEDDING, HEAD = MLP([784, 64, 32]), MLP([64, 32, 1])
Loss = Callable[[Params, Episode], Tensor]


class Choice(NamedTuple):
    """One way to train and the learner that comes of it."""

    loss: Loss
    adapt: Callable[..., Any]  # (params, support) -> predict, of torch tensors
    n_way: int = 20
    n_steps: int = 200
    start: Callable[[np.random.Generator], Params] = lambda rng: init_params(rng, EMBEDDING)


def embed(params: Params, x: Tensor) -> Tensor:
    """The images as vectors of 32 numbers."""
    return functional_call(EMBEDDING, params, x.flatten(1))


def by_score(score: Callable[[Tensor, Tensor], Tensor], **how: Any) -> Choice:
    """A prototypical network whose logits are score(queries, prototypes)."""

    def adapt(params, support):
        centres = prototypical.prototypes(embed(params, support.x), support.y, int(support.y.max()) + 1)
        return lambda x: score(embed(params, x), centres)

    def loss(params, episode):
        return F.cross_entropy(adapt(params, episode.support)(episode.query.x), episode.query.y)

    return Choice(loss, adapt, **how)


def squared(queries: Tensor, centres: Tensor) -> Tensor:
    """Minus the squared distances."""
    return -prototypical.squared_distances(queries, centres)


def plain(queries: Tensor, centres: Tensor) -> Tensor:
    """Minus the distances without their square; the small number keeps the root's slope finite."""
    return -(prototypical.squared_distances(queries, centres) + 1e-6).sqrt()


def cosine(queries: Tensor, centres: Tensor, *, scale: float) -> Tensor:
    """The cosine of the angle between query and prototype, times a scale."""
    return scale * F.normalize(queries, dim=1) @ F.normalize(centres, dim=1).T


NETWORKS = {"embed": embed, "relate": lambda params, x: functional_call(HEAD, params, x)}
N_CLASSES = len(glyphs("train").names)


def with_classes(rng: np.random.Generator) -> Params:
    """The embedding and a last layer with one output for every training class."""
    layer = nn.Linear(32, N_CLASSES)
    return join(embedding=init_params(rng, EMBEDDING), layer=init_params(rng, layer))


def classifier_loss(params: Params, episode: Episode) -> Tensor:
    """Cross-entropy over all training classes at once; the rows of the episode are a plain batch to it."""
    x, y = episode.query
    w = part(params, "layer")
    return F.cross_entropy(F.linear(embed(part(params, "embedding"), x), w["weight"], w["bias"]), y)


def nearest_mean(params: Params, support: Examples) -> Any:
    """The classifier's features, its last layer thrown away."""
    return prototypical.adapt(part(params, "embedding"), support, embed=embed)


def centred(weights: Params, support: Examples, *, centre: Tensor) -> Any:
    """An embedding with its vectors moved to the middle of the training images and made of length 1."""
    return prototypical.adapt(weights, support, embed=lambda w, x: F.normalize(embed(w, x) - centre, dim=1))


def pairs_loss(params: Params, episode: Episode) -> Tensor:
    """Every image of the batch against every other: no support, no query (neighbourhood components)."""
    x, y = (torch.cat(both) for both in zip(episode.support, episode.query, strict=True))
    z = embed(params, x)
    scores = squared(z, z) - torch.diag(torch.full((len(z),), torch.inf))
    alike = y[:, None] == y
    return (scores.logsumexp(1) - scores.masked_fill(~alike, -torch.inf).logsumexp(1)).mean()


CHOICES = {
    "squared, 20-way": by_score(squared),
    "squared, 5-way": by_score(squared, n_way=5, n_steps=800),
    "squared, 5-way, as few steps": by_score(squared, n_way=5, n_steps=200),
    "distance without the square": by_score(plain),
    "cosine, scale 1": by_score(partial(cosine, scale=1)),
    "cosine, scale 10": by_score(partial(cosine, scale=10)),
    "relation head, 5-way": Choice(
        partial(relation.loss, **NETWORKS),
        partial(relation.adapt, **NETWORKS),
        n_way=5,
        n_steps=800,
        start=lambda rng: relation.init(rng, EMBEDDING, HEAD),
    ),
    "classifier": Choice(classifier_loss, nearest_mean, start=with_classes),
    "all pairs": Choice(pairs_loss, partial(prototypical.adapt, embed=embed)),
}


def batch(bank: Bank, rng: np.random.Generator) -> Episode:
    """Images of a bank at random, each with the number of its class among all; no support."""
    rows = rng.integers(len(bank.images), size=N_IMAGES)
    x = torch.from_numpy(bank.images[rows][:, None] / np.float32(255))
    y = torch.from_numpy(np.searchsorted(bank.offsets, rows, side="right") - 1)
    return Episode(None, Examples(x, y))


def trained(choice: Choice, rate: float, seed: int) -> Params:
    """The parameters after training; the seed gives the first weights and the order of the data."""
    bank, rng = glyphs("train"), np.random.default_rng(1000 + seed)
    tasks = FewShot(bank, n_way=choice.n_way, k_shot=1, n_query=5)
    draw = lambda: batch(bank, rng) if choice.loss is classifier_loss else to_torch(tasks.sample(rng))
    direction = lambda params, episode: value_and_grad(choice.loss)(params, episode)[::-1]
    start = choice.start(np.random.default_rng(seed))
    return meta_train(start, direction, draw, rule=adam(rate), n_steps=choice.n_steps)[0]


def accuracy(adapt: Adapt, split: str, n_way: int) -> float:
    """The mean over the split's episodes, the same for all; a run counts as one number."""
    tasks = FewShot(glyphs(split), n_way=n_way, k_shot=1, n_query=5)
    n = N_TEST[n_way] if split == "test" else N_VALIDATION
    with torch.inference_mode():
        return evaluate(in_numpy(adapt), tasks, n_episodes=n, rng=np.random.default_rng(1)).mean


def mean_feature(weights: Params) -> Tensor:
    """The middle of the embedded training images, one of each class."""
    bank = glyphs("train")
    images = torch.from_numpy(bank.images[bank.offsets[:-1]][:, None] / np.float32(255))
    with torch.inference_mode():
        return embed(weights, images).mean(0)


def learners(name: str, params: Params) -> dict[str, Callable]:
    """What is judged of one training run."""
    choice = CHOICES[name]
    found = {name: partial(choice.adapt, params)}
    if name in ("squared, 20-way", "all pairs", "classifier"):
        weights = part(params, "embedding") if choice.adapt is nearest_mean else params
        found[f"{name}, centred"] = partial(centred, weights, centre=mean_feature(weights))
    return found


def rows(name: str, there: list[Row]) -> Iterator[Row]:
    """The accuracies at every rate on the validation scripts, then of new seeds on the test scripts.

    What is there already is not run again.
    """
    known = {row.about["rate"]: row for row in there if row.about["split"] == "validation"}
    tuned = [known.get(rate) or validated(name, rate) for rate in RATES]
    best = max(tuned, key=lambda row: row.mean).about["rate"]
    yield from tuned
    tested = [row for row in there if row.about["split"] == "test" and row.about["rate"] == best]
    yield from tested or judged(name, best)


def validated(name: str, rate: float) -> Row:
    """The mean accuracy of two training runs on the validation scripts."""
    choice = CHOICES[name]
    scores = [
        accuracy(partial(choice.adapt, trained(choice, rate, seed)), "validation", 5) for seed in TUNING_SEEDS
    ]
    about = {"choice": name, "split": "validation", "rate": rate}
    return Row(about, "accuracy", float(np.mean(scores)), None, len(scores))


def judged(name: str, rate: float) -> Iterator[Row]:
    """The accuracies of each of the training runs on the test scripts, and what a run cost."""
    for seed in SEEDS:
        begun = time.process_time()
        params = trained(CHOICES[name], rate, seed)
        spent = time.process_time() - begun
        about = {"split": "test", "rate": rate, "seed": seed}
        yield Row({"choice": name, **about}, "seconds of training, CPU", round(spent, 2), None, 1)
        for called, adapt in learners(name, params).items():
            for n_way in (5, 20):
                row = {"choice": called, **about, "n_way": n_way}
                yield Row(row, "accuracy", accuracy(adapt, "test", n_way), None, N_TEST[n_way])


def untrained() -> Iterator[Row]:
    """The first weights under two of the scores: what training begins with."""
    for seed in SEEDS:
        params = init_params(np.random.default_rng(seed), EMBEDDING)
        for name in ("squared, 20-way", "cosine, scale 1"):
            for n_way in (5, 20):
                about = {"choice": f"untrained, {name.split(',')[0]}", "split": "test", "seed": seed}
                score = accuracy(partial(CHOICES[name].adapt, params), "test", n_way)
                yield Row(about | {"n_way": n_way}, "accuracy", score, None, N_TEST[n_way])


FILE = file_of("choices")
SETTINGS = {"rates": list(RATES), "n_tuning_seeds": len(TUNING_SEEDS), "n_seeds": len(SEEDS)}


def main(names: list[str]) -> None:
    """Run the named choices, or all; each leaves its rows beside those that are there."""
    if unknown := sorted(set(names) - {"untrained", *CHOICES}):
        sys.exit(f"got the choice {unknown[0]!r}; there are untrained, {', '.join(CHOICES)}.")
    for name in names or ("untrained", *CHOICES):
        begun, cpu = time.perf_counter(), time.process_time()
        before = read(FILE).rows if FILE.exists() else ()
        own = [row for row in before if row.about["choice"] in (name, f"{name}, centred")]
        measured = list(untrained() if name == "untrained" else rows(name, own))
        for row in measured:
            print(*row.about.values(), row.measure, row.mean, sep="; ", flush=True)
        print(f"{time.perf_counter() - begun:.0f} s, {time.process_time() - cpu:.0f} s of CPU")
        new = {key(row) for row in measured}
        kept = [row for row in before if row not in own and key(row) not in new]
        leave("choices", SETTINGS, (*kept, *measured))


if __name__ == "__main__":
    main(sys.argv[1:])
