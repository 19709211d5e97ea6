"""How what compares two images is judged on Omniglot: one-shot within an alphabet, and verification.

The intervals over trials and over alphabets answer two questions: how exactly the number is known of these
alphabets, and how far it would move with others. Accuracies are intervals of a mean over alphabets; the equal
error rate and the area of all pairs are no means, and redraw the alphabets.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from experiments.omniglot.data import banks
from experiments.saving import Job
from experiments.training import Estimate, Evaluation
from reference.evaluation import Score, evaluate
from reference.params import Params, part
from reference.pytorch import siamese
from reference.pytorch.machine.arrays import in_numpy
from reference.tasks.bank import Bank, as_input
from reference.tasks.pairs import OneShotTrials, Pairs
from reference.verification import area, equal_error_rate, half_width_over_groups

N_WAY, N_RESAMPLES = 20, 500
MEASURES = {"equal error rate": equal_error_rate, "area under the ROC": area}


class Judged(NamedTuple):
    """One way to compare images."""

    params: Params
    embed: siamese.Embed
    apart: siamese.Apart


NO_NETWORK = {"embedding.weight": torch.empty(0)}  # a learner has an embedding, if only of no weights
RAW = Judged(NO_NETWORK, lambda weights, x: x.flatten(1), siamese.euclidean)


def tests(job: Job, learners: dict[str, Judged]) -> Iterator[Evaluation]:
    """The same trials and pairs for all."""
    bank = banks(job.settings.data)[1]
    for name, learner in learners.items():
        values = cache(partial(one_shot, job, bank, learner))  # once for both rows, if one is missing
        for over in ("trials", "alphabets"):
            about = {"learner": name, "n_way": N_WAY, "k_shot": 1, "n_query": 1, "interval over": over}
            yield Evaluation(about, "accuracy", partial(accuracy, values, over=over))
        embedded = cache(partial(embed_all, job, bank, learner))
        for within, measure in product((False, True), MEASURES):
            others = "of one alphabet" if within else "of all characters"
            about = {"learner": name, "pairs of two": others, "interval over": "alphabets"}
            how = partial(verification, job, bank, learner, embedded, within=within, measure=measure)
            yield Evaluation(about, measure, how)


def accuracy(values: Callable[[], np.ndarray], *, over: str) -> Score:
    """The mean of the same trials, all of them or first within each alphabet."""
    return Score(values().ravel() if over == "trials" else values().mean(1))


def one_shot(job: Job, bank: Bank, learner: Judged) -> np.ndarray:
    """Accuracies (n_alphabets, n) of n trials of each alphabet that has 20 characters or more."""
    names, sizes = np.unique(bank.groups, return_counts=True)
    alphabets, rng = names[sizes >= N_WAY].tolist(), np.random.default_rng(0)
    adapt = partial(siamese.adapt, learner.params, embed=learner.embed, apart=learner.apart)
    n, found = job.settings.n_test_episodes // len(alphabets), []
    with torch.inference_mode():
        for alphabet in alphabets:
            trials = OneShotTrials(bank.split([alphabet])[0], n_way=N_WAY)
            score = evaluate(in_numpy(adapt, job.device), trials, n_episodes=n, rng=rng)
            found.append(score.values)
    return np.stack(found)


def verification(job: Job, bank: Bank, learner: Judged, embedded, *, within: bool, measure: str) -> Estimate:
    """The measure on pairs; those of two classes are of all characters or, within, of one alphabet."""
    rows, same = Pairs(bank, n_pairs=job.settings.n_test_pairs, within_groups=within).rows(
        np.random.default_rng(0)
    )
    with torch.inference_mode():
        one, other = (embedded()[rows[:, i]] for i in (0, 1))
        scores = -learner.apart(learner.params, one, other).cpu().numpy()
    alphabets = np.repeat(np.unique(bank.groups, return_inverse=True)[1], bank.sizes)
    redrawn = {"groups": alphabets[rows], "n_resamples": N_RESAMPLES, "rng": np.random.default_rng(0)}
    half_width = half_width_over_groups(MEASURES[measure], scores, same, **redrawn)
    return Estimate(MEASURES[measure](scores, same), half_width, len(rows))


def embed_all(job: Job, bank: Bank, learner: Judged) -> Tensor:
    """The embeddings of all images of a bank, some hundred at a time."""
    weights = part(learner.params, "embedding")
    pieces = np.array_split(bank.images, 1 + len(bank.images) // 500)
    with torch.inference_mode():
        return torch.cat(
            [learner.embed(weights, torch.from_numpy(as_input(x)).to(job.device)) for x in pieces]
        )
