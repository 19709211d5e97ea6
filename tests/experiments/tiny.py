"""An experiment that takes no time: three numbers follow points, and their running mean is carried along."""

from typing import Literal, NamedTuple

import numpy as np
import torch

from experiments.carried import apart, carrying, together
from experiments.runner import Experiment
from experiments.saving import Job
from experiments.training import Evaluation, Training, begin
from reference.evaluation import Score
from reference.rules import adam


class Settings(NamedTuple):
    data: Literal["points", "other-points"] = "points"
    seed: int = 0
    n_steps: int = 6
    outer_lr: float = 0.1


VARIANTS = {"slow": Settings(outer_lr=0.01), "fast": Settings(outer_lr=0.2, n_steps=5)}


def first(job, rng):
    return together({"w": torch.from_numpy(rng.normal(size=3))}, {"mean": torch.zeros(3).double()})


def draw(rng):
    return torch.from_numpy(rng.normal(size=3))


def follow(params, point):
    learned, carried = apart(params)
    apart_from = learned["w"] - point
    new = {"mean": 0.9 * carried["mean"] + 0.1 * point}
    return together({"w": apart_from}, new), (apart_from**2).sum()


def train(job):
    return Training(follow, draw, carrying(adam(job.settings.outer_lr)))


def tests(job, start, end):
    for name, params in (("trained", end), ("untrained", start)):
        yield Evaluation(
            {"learner": name}, "error", lambda p=params: Score(np.arange(3) + float(p["w"].sum()))
        )


EXPERIMENT = Experiment("tiny", VARIANTS, first, train, tests)


def job(variant="slow", **settings):
    return Job("tiny", variant, VARIANTS[variant]._replace(**settings), torch.device("cpu"))


def begun(job):
    rng = np.random.default_rng(job.settings.seed)
    return begin(first(job, rng), train(job).rule, rng)


def same(a, b):
    """Whether two runs are at the same place, bit by bit."""
    pairs = [(a.params, b.params), (a.state.mean, b.state.mean), (a.state.square, b.state.square)]
    equal = all(x.keys() == y.keys() and all(torch.equal(x[k], y[k]) for k in x) for x, y in pairs)
    return equal and (a.step, a.state.step, a.rng) == (b.step, b.state.step, b.rng)
