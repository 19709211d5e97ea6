"""Sinusoids in the setting of Finn et al. 2017, section 5.1: errors after 0, 1, 5 and 10 gradient steps.

    OMP_NUM_THREADS=1 python -m experiments.sinusoids
    OMP_NUM_THREADS=1 python -m experiments.sinusoids --k-shot 5

Amplitude 0.1 to 5, phase 0 to pi, an MLP of 1-40-40-1. Every learner is trained for each K on 70,000
batches of 25 tasks with K support and K query points, and judged on the same 600 tasks by 100 query points
each. One JSON for each K goes into results/. The same command goes on where a killed run stopped, from the
last checkpoint of the learner it was at. See README.md in this folder.

Not meta-learners, to compare with: one network trained on all tasks pooled and then adapted (pretraining), a
network that was never trained, and one that is told amplitude and phase (the oracle, which does not adapt).
Their step sizes were tuned on 600 other tasks; the meta-learners keep the one they were trained with.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.func import grad_and_value

from experiments import runs
from experiments.runs import HERE, Run
from reference.episodes import Episode, Examples
from reference.evaluation import Score
from reference.pytorch import maml, meta_sgd, optim, reptile
from reference.pytorch.batches import mean_over_batch
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import MLP, Params, mlp
from reference.pytorch.unroll import Update, sgd, unroll
from reference.tasks.families import Curves, Sinusoids

K_SHOTS = (5, 10, 20)
N_STEPS_SHOWN = (0, 1, 5, 10)
N_TASKS, N_TEST_TASKS, N_TEST_QUERIES = 25, 600, 100
INNER_LR = 0.01
TUNED = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)  # step sizes that the baselines choose from
REPTILE_STEPS = 4  # inner steps, by turns on the K support points and on the K query points


class Settings(NamedTuple):
    """What the training of one learner depends on."""

    data: str = "sinusoids"
    seed: int = 0
    k_shot: int = 10
    n_steps: int = 70_000
    outer_lr: float = 1e-3


class Learner(NamedTuple):
    """How a learner is trained."""

    meta_gradient: Callable[[Params, Episode], tuple[Params, Tensor]]  # of a batch
    make: Callable[[Params], Params] = lambda params: params
    n_inputs: int = 1


def errors(params: Params, examples: Examples) -> Tensor:
    """The mean squared error of each task, (n_tasks,)."""
    return ((mlp(params, examples.x) - examples.y) ** 2).mean((-2, -1))


def pooled(params: Params, episode: Episode) -> tuple[Params, Tensor]:
    """The gradient of the error on all points of all tasks: no adaptation in it."""
    both = [torch.cat(parts, dim=-2) for parts in zip(*episode[:2], strict=True)]
    return grad_and_value(lambda p: errors(p, Examples(*both)).mean())(params)


def told(params: Params, episode: Episode) -> tuple[Params, Tensor]:
    """The same with amplitude and phase among the inputs."""
    return pooled(params, with_truth(episode))


def with_truth(episode: Episode) -> Episode:
    """The episodes with amplitude and phase as second and third input."""
    truth = torch.from_numpy(np.stack(episode.task, axis=-1)).to(episode.query.x)[..., None, :]

    def extend(examples: Examples) -> Examples:
        x = torch.cat([examples.x, truth.expand(*examples.x.shape[:-1], 2)], dim=-1)
        return Examples(x, examples.y)

    return Episode(extend(episode.support), extend(episode.query))


def to_phi(params: Params, episode: Episode, *, loss: Callable) -> tuple[Params, Tensor]:
    """Reptile's direction, by turns on support and query."""
    batches = [episode.support, episode.query] * (REPTILE_STEPS // 2)
    found = reptile.direction(params, batches, loss=loss, update=sgd(INNER_LR))
    with torch.no_grad():
        return found, loss({name: p - found[name] for name, p in params.items()}, episode.query)


def many(meta_gradient: Callable, **settings: Any) -> Callable[[Params, Episode], tuple[Params, Tensor]]:
    """The meta-gradient of a batch of tasks, all at once."""
    return partial(mean_over_batch(meta_gradient), loss=errors, **settings)


ONE_STEP = {"update": sgd(INNER_LR), "n_steps": 1}
LEARNERS = {
    "MAML": Learner(many(maml.meta_gradient, **ONE_STEP)),
    "first-order MAML": Learner(many(maml.meta_gradient, first_order=True, **ONE_STEP)),
    "Meta-SGD": Learner(many(meta_sgd.meta_gradient), make=partial(meta_sgd.with_rates, inner_lr=INNER_LR)),
    "Reptile": Learner(many(to_phi)),
    "pretraining": Learner(pooled),
    "oracle": Learner(told, n_inputs=3),
}


def train(name: str, settings: Settings) -> tuple[Run, Params]:
    """The run at its end, and the parameters it began with."""
    learner, rng = LEARNERS[name], np.random.default_rng(settings.seed)
    start = learner.make(maml.init(rng, MLP([learner.n_inputs, 40, 40, 1])))
    optimizer = optim.adam(settings.outer_lr)  # for Reptile too: a plain step of 1 diverged (K = 5, step 948)
    run = Run(start, optimizer.init(start), rng)
    file = runs.name_of(f"regression_{name.replace(' ', '-')}", settings, Settings())
    checkpoint = HERE / "runs" / f"{file}.safetensors"
    if checkpoint.exists():
        run = runs.resume(checkpoint, run, settings)
    tasks = Sinusoids(k_shot=settings.k_shot, n_query=settings.k_shot)
    draw = partial(sample, tasks, n_tasks=N_TASKS)
    print(f"K = {settings.k_shot}: {name}", file=sys.stderr)
    run = runs.train(
        run, learner.meta_gradient, draw, optimizer=optimizer, settings=settings, checkpoint=checkpoint
    )
    return run, start


def sample(tasks: Curves, rng: np.random.Generator, *, n_tasks: int) -> Episode:
    """A batch of tasks as float32 tensors, with the functions that were drawn."""
    support, query, task = tasks.sample_batch(rng, n_tasks)
    parts = (Examples(part.x.astype(np.float32), part.y.astype(np.float32)) for part in (support, query))
    return to_torch(Episode(*parts, task))


def curve(params: Params, episodes: Episode, update: Update, n_steps: int) -> np.ndarray:
    """The query error of every task before and after each of n_steps, (n_steps + 1, n_tasks)."""
    n_tasks = len(episodes.query.x)
    own, found = {name: p.expand(n_tasks, *p.shape) for name, p in params.items()}, []
    for step in range(n_steps + 1):
        with torch.no_grad():
            found.append(errors(own, episodes.query).double().numpy())
        own = unroll(
            lambda p: errors(p, episodes.support).sum(),
            own,
            lambda params, gradient, _, step=step: update(params, gradient, step),
            1,
            first_order=True,
        )
    return np.stack(found)


def tuned_lr(params: Params, episodes: Episode) -> float:
    """The step size with the least error after the last step, of those that are tried."""
    last = max(N_STEPS_SHOWN)
    found = {lr: curve(params, episodes, sgd(lr), last)[-1].mean() for lr in TUNED}
    return min(found, key=lambda lr: found[lr] if np.isfinite(found[lr]) else np.inf)


def finite_score(values: np.ndarray) -> Score | None:
    """The score; None, which JSON knows, where the steps of a task went off to infinity."""
    return Score(values) if np.isfinite(values).all() else None


def rows(trained: dict[str, tuple[Run, Params]], k_shot: int) -> list[dict[str, Any]]:
    """The errors of every learner on the same test tasks."""
    tasks = Sinusoids(k_shot=k_shot, n_query=N_TEST_QUERIES)
    test, other = (sample(tasks, np.random.default_rng(seed), n_tasks=N_TEST_TASKS) for seed in (1000, 1001))
    found = []

    def add(name: str, curve_of: Callable[[int], np.ndarray], inner_lr: float | str) -> None:
        errors_at = curve_of(max(N_STEPS_SHOWN))
        scores = [finite_score(errors_at[step if len(errors_at) > 1 else 0]) for step in N_STEPS_SHOWN]
        found.append(
            {
                "learner": name,
                "inner_lr": inner_lr,
                "inner_steps": list(N_STEPS_SHOWN),
                "mean": [score and round(score.mean, 4) for score in scores],
                "half_width": [score and round(score.half_width, 4) for score in scores],
                "n_tasks": N_TEST_TASKS,
            }
        )

    for name in ("MAML", "first-order MAML", "Reptile"):
        add(name, partial(curve, trained[name][0].params, test, sgd(INNER_LR)), INNER_LR)
    learned = trained["Meta-SGD"][0].params
    rates, weights = meta_sgd.part(learned, "rate"), meta_sgd.part(learned, "start")
    own = {name: rate.expand(N_TEST_TASKS, *rate.shape) for name, rate in rates.items()}
    add("Meta-SGD", partial(curve, weights, test, sgd(own)), "learned")
    for name, params in (
        ("pretraining", trained["pretraining"][0].params),
        ("never trained", trained["MAML"][1]),
    ):
        inner_lr = tuned_lr(params, other)
        add(name, partial(curve, params, test, sgd(inner_lr)), inner_lr)
    add("oracle", lambda _: curve(trained["oracle"][0].params, with_truth(test), sgd(0.0), 0), "none")
    return found


def main(arguments: list[str]) -> None:
    """Train all learners for each K (or go on), judge them, and leave one JSON for each K."""
    parser = argparse.ArgumentParser(description="Sinusoids as in Finn et al. 2017.")
    parser.add_argument("--k-shot", type=int, choices=K_SHOTS, nargs="*", default=K_SHOTS)
    defaults = Settings._field_defaults
    runs.add_settings(parser, {name: defaults[name] for name in ("seed", "n_steps", "outer_lr")})
    given = vars(parser.parse_args(arguments))
    for k_shot in given.pop("k_shot"):
        settings = Settings(k_shot=k_shot, **given)
        trained = {name: train(name, settings) for name in LEARNERS}
        spent = runs.Seconds(*map(sum, zip(*(run.training for run, _ in trained.values()), strict=True)))
        some = trained["MAML"][0]._replace(
            training=spent,
            scores=tuple(rows(trained, k_shot)),
            n_resumed=sum(run.n_resumed for run, _ in trained.values()),
        )
        result = runs.report(
            some,
            settings,
            command=" ".join(["OMP_NUM_THREADS=1 python -m experiments.sinusoids", *arguments]),
            about="sinusoids as in Finn et al. 2017, section 5.1; mean squared errors; time of all learners",
            device=torch.device("cpu"),
        )
        file = runs.name_of("regression", settings, Settings())
        runs.write(HERE / "results" / f"{file}.json", result)


if __name__ == "__main__":
    main(sys.argv[1:])
