"""Losses that compare, each with settings of its own, on glyphs: chapter 04.

    python -m experiments.glyphs.losses              # all of them; what was tuned already stays
    python -m experiments.glyphs.losses NT-Xent      # tune one, then judge all that are tuned

Every choice trains the same embedding for as many steps on as many images. Its rate and one more setting (a
margin, a temperature) are the best of 18 on scripts that are held out, or of 24 where the best setting stood
at an end of its list; then new seeds are judged on the test scripts. One row is one training run, so that
choices can be compared in pairs.

Papers: Hadsell et al. 2006 (contrastive), Koch et al. 2015 (the head), Schroff et al. 2015 (semi-hard),
Hermans et al. 2017 (batch-hard), Chen et al. 2020 (NT-Xent), Goldberger et al. 2004 (NCA); that losses are to
be tuned alike before they are compared, Musgrave et al. 2020 (arXiv:2003.08505).
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from experiments.runner import HERE, device_name, today, versions
from reference.episodes import Examples
from reference.evaluation import Score
from reference.meta_train import meta_train
from reference.params import Params, join, part
from reference.pytorch import matching, prototypical, siamese, triplet
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import MLP, distance, init_params, unit
from reference.pytorch.unroll import value_and_grad
from reference.results import Result, Row, read, write
from reference.rules import adam
from reference.tasks.bank import Bank, FewShot, as_input, distinct
from reference.tasks.glyphs import glyphs
from reference.tasks.pairs import Batches, Pairs, Triplets
from reference.verification import area, equal_error_rate, half_width_over_groups

RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 16e-3)
TUNING_SEEDS, SEEDS = range(100, 102), range(6)
N_STEPS, N_IMAGES = 600, 120
N_WAY = {"validation": 12, "test": 20}  # all in one script; the smallest for validation has 12
N_TRIALS, N_PAIRS = {"validation": 200, "test": 600}, 10_000
EMBEDDING, WIDTH = MLP([784, 64, 32]), 32
RIVALS = ("raw pixels", "classifier", "prototypical", "NT-Xent")
MEASURES = {"equal error rate": equal_error_rate, "area under the ROC": area}


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


def trained(name: str, *, rate: float, setting: Any, seed: int, n_steps: int = N_STEPS) -> Params:
    """The parameters after training; the seed gives the first weights and the order of the data."""
    choice, rng = CHOICES[name], np.random.default_rng(1000 + seed)
    sample = choice.sample(glyphs("train"))
    start = choice.start(np.random.default_rng(seed))
    gradient = choice.gradient(setting)
    return meta_train(start, gradient, lambda: to_torch(sample(rng)), rule=adam(rate), n_steps=n_steps)[0]


@cache
def trials(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n_trials, n_way) of the split's bank: the support of each trial, and its queries in that order.

    The script is uniform over scripts; every character is asked for once, by another of its drawings.
    """
    bank, rng = glyphs(split), np.random.default_rng(1)
    scripts, found = np.unique(bank.groups), []
    for _ in range(N_TRIALS[split]):
        members = np.flatnonzero(bank.groups == rng.choice(scripts))
        classes = rng.choice(members, N_WAY[split], replace=False)
        images = distinct(rng, bank.sizes[classes], count=2)
        found.append(bank.offsets[classes] + images.T)
    return tuple(np.stack(found, axis=1))


def embedded(judged: Judged, split: str) -> Tensor:
    """All images of a split."""
    with torch.inference_mode():
        return judged.embed(
            part(judged.params, "embedding"), torch.from_numpy(as_input(glyphs(split).images))
        )


def right(judged: Judged, split: str) -> np.ndarray:
    """Whether each query of each trial is nearest to the support of its own class, (n_trials, n_way)."""
    support, queries = trials(split)
    z = embedded(judged, split)
    with torch.inference_mode():
        found = [
            judged.apart(judged.params, z[q][:, None], z[s][None]).argmin(1).numpy()
            for s, q in zip(support, queries, strict=True)
        ]
    return np.stack(found) == np.arange(N_WAY[split])


def verified(judged: Judged) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores and labels of pairs of the test scripts, half of one class, half of two of one script; rows."""
    rows, same = Pairs(glyphs("test"), n_pairs=N_PAIRS, within_groups=True).rows(np.random.default_rng(0))
    z = embedded(judged, "test")
    with torch.inference_mode():
        scores = -judged.apart(judged.params, z[rows[:, 0]], z[rows[:, 1]]).numpy()
    return scores, same, rows


def tuned(name: str, there: list[Row]) -> Iterator[Row]:
    """The accuracies of every rate and setting on the validation scripts; what is there is not run again."""
    for setting in CHOICES[name].settings:
        for rate in RATES:
            about = {"choice": name, "split": "validation", "rate": rate, "setting": setting}
            known = [row for row in there if row.about == about]
            yield known[0] if known else validated(about)


def validated(about: dict) -> Row:
    """The mean accuracy of two training runs on the validation scripts; None where one left for infinity."""
    name, rate, setting = about["choice"], about["rate"], about["setting"]
    try:
        params = [trained(name, rate=rate, setting=setting, seed=seed) for seed in TUNING_SEEDS]
    except FloatingPointError:
        return Row(about, "accuracy", None, None, len(TUNING_SEEDS))
    scores = [right(CHOICES[name].judged(p, setting), "validation").mean() for p in params]
    return Row(about, "accuracy", float(np.mean(scores)), None, len(scores))


def runs(name: str, tuning: list[Row]) -> Iterator[tuple[dict, Judged, float | None]]:
    """What is judged of each new seed, and the seconds of its training."""
    if name == "raw pixels":
        yield {"choice": name}, RAW, None
    elif name == "untrained":
        for seed in SEEDS:
            start = siamese.init(np.random.default_rng(seed), EMBEDDING)
            yield {"choice": name, "seed": seed}, Judged(start, embed, siamese.euclidean), None
    else:
        best = max((row for row in tuning if row.mean is not None), key=lambda row: row.mean).about
        how = {key: best[key] for key in ("rate", "setting")}
        for seed in SEEDS:
            begun = time.process_time()
            params = trained(name, **how, seed=seed)
            spent = time.process_time() - begun
            yield {"choice": name, **how, "seed": seed}, CHOICES[name].judged(params, best["setting"]), spent


def judged(names: list[str], tuning: dict[str, list[Row]]) -> Iterator[Row]:
    """Each run's numbers on the test scripts, then the leads over rivals, with intervals over classes."""
    of_class = {}
    for name in names:
        hits = []
        for about, learner, seconds in runs(name, tuning.get(name, [])):
            about = {**about, "split": "test"}
            hits.append(right(learner, "test"))
            yield Row(about, "accuracy", float(hits[-1].mean()), None, hits[-1].size)
            scores, same, rows = verified(learner)
            for measure, function in MEASURES.items():
                yield Row(about, measure, function(scores, same), None, len(same))
            if seconds is not None:
                yield Row(about, "seconds of training, CPU", round(seconds, 2), None, 1)
            if about.get("seed", 0) == 0:
                yield Row({**about, "interval over": "classes"}, *over_classes(scores, same, rows))
        of_class[name] = by_class(np.mean(hits, axis=0))
    for name, own in of_class.items():
        for rival in RIVALS:
            if rival in of_class and rival != name:
                lead = Score(own - of_class[rival])
                about = {"choice": name, "ahead of": rival, "split": "test", "interval over": "classes"}
                yield Row(about, "accuracy", lead.mean, lead.half_width, lead.n)


def by_class(hits: np.ndarray) -> np.ndarray:
    """The share of queries of each test class that were found."""
    bank = glyphs("test")
    classes = np.searchsorted(bank.offsets, trials("test")[1], side="right") - 1
    return np.array([hits[classes == c].mean() for c in range(len(bank.names))])


def over_classes(scores: np.ndarray, same: np.ndarray, rows: np.ndarray) -> tuple:
    """The equal error rate with the interval over the classes that the pairs are of."""
    classes = np.searchsorted(glyphs("test").offsets, rows, side="right") - 1
    how = {"groups": classes, "n_resamples": 200, "rng": np.random.default_rng(0)}
    half_width = half_width_over_groups(equal_error_rate, scores, same, **how)
    return "equal error rate", equal_error_rate(scores, same), half_width, len(same)


FILE = HERE / "results" / "glyphs_losses.json"


def main(names: list[str]) -> None:
    """Tune the named choices, or all, and judge whatever is tuned."""
    if unknown := sorted(set(names) - set(CHOICES)):
        sys.exit(f"got the choice {unknown[0]!r}; there are {', '.join(CHOICES)}.")
    begun = time.perf_counter()
    rows = list(read(FILE).rows) if FILE.exists() else []
    tuning = {name: [] for name in CHOICES}
    for row in rows:
        if row.about["split"] == "validation":
            tuning[row.about["choice"]].append(row)
    for name in names or CHOICES:
        tuning[name] = list(tuned(name, tuning[name]))
        print(f"{name}: tuned after {time.perf_counter() - begun:.0f} s", flush=True)
        leave([*sum(tuning.values(), []), *(row for row in rows if row.about["split"] == "test")])
    done = ["raw pixels", "untrained", *(name for name in CHOICES if tuning[name])]
    measured = list(judged(done, tuning))
    leave([*sum(tuning.values(), []), *measured])
    for row in measured:
        print(*row.about.values(), row.measure, row.mean, row.half_width, sep="; ")
    print(f"{time.perf_counter() - begun:.0f} s")


def leave(measured: list[Row]) -> None:
    """Write the result, whole."""
    result = Result(
        experiment="glyphs",
        variant="losses",
        settings={"rates": list(RATES), "n_tuning_seeds": len(TUNING_SEEDS), "n_seeds": len(SEEDS)},
        rows=tuple(measured),
        seconds={},
        command="python -m experiments.glyphs.losses",
        device=device_name(torch.device("cpu")),
        versions=versions(),
        date=today(),
    )
    write(FILE, result)


if __name__ == "__main__":
    main(sys.argv[1:])
