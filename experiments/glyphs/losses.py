"""Losses that compare, each with settings of its own, on glyphs: chapter 04.

    python -m experiments.glyphs.losses              # all of them; what was tuned already stays
    python -m experiments.glyphs.losses NT-Xent      # tune one, then judge all that are tuned

Every choice trains the same embedding for as many steps on as many images. Its rate and one more setting (a
margin, a temperature) are the best of 18 on scripts that are held out, or of 24 where the best setting stood
at an end of its list; then new seeds are judged on the test scripts. One row is one training run, so that
choices can be compared in pairs.

The losses themselves are in contenders.py. Paper: Musgrave et al. 2020 (arXiv:2003.08505), that losses are to
be tuned alike before they are compared.
"""

import sys
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.glyphs.contenders import CHOICES, RAW, Judged
from experiments.glyphs.leaving import file_of, leave
from reference.evaluation import Score
from reference.meta_train import meta_train
from reference.params import Params, part
from reference.pytorch import siamese
from reference.pytorch.machine.arrays import to_torch
from reference.results import Row, read
from reference.rules import adam
from reference.tasks.bank import as_input, distinct
from reference.tasks.glyphs import glyphs
from reference.tasks.pairs import Pairs
from reference.verification import area, equal_error_rate, half_width_over_groups

RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 16e-3)
TUNING_SEEDS, SEEDS = range(100, 102), range(6)
N_STEPS = 600
N_WAY = {"validation": 12, "test": 20}  # all in one script; the smallest for validation has 12
N_TRIALS, N_PAIRS = {"validation": 200, "test": 600}, 10_000
RIVALS = ("raw pixels", "classifier", "prototypical", "NT-Xent")
MEASURES = {"equal error rate": equal_error_rate, "area under the ROC": area}


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


FILE = file_of("losses")
SETTINGS = {"rates": list(RATES), "n_tuning_seeds": len(TUNING_SEEDS), "n_seeds": len(SEEDS)}


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
        leave(
            "losses",
            SETTINGS,
            [*sum(tuning.values(), []), *(row for row in rows if row.about["split"] == "test")],
        )
    done = ["raw pixels", "untrained", *(name for name in CHOICES if tuning[name])]
    measured = list(judged(done, tuning))
    leave("losses", SETTINGS, [*sum(tuning.values(), []), *measured])
    for row in measured:
        print(*row.about.values(), row.measure, row.mean, row.half_width, sep="; ")
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
