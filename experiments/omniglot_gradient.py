"""MAML, first-order MAML, Meta-SGD and Reptile on Omniglot, 5-way 1-shot: train, evaluate, write the scores.

    python -m experiments.omniglot_gradient maml
    python -m experiments.omniglot_gradient first-order-maml
    python -m experiments.omniglot_gradient meta-sgd
    python -m experiments.omniglot_gradient reptile
    python -m experiments.omniglot_gradient reptile-alone
    python -m experiments.omniglot_gradient maml --data held-out --n-steps 1000   # how settings are chosen

The same command goes on where a killed run stopped. See README.md in this folder.

Transductive: the net of these papers normalises a batch by its own statistics (`nn.BatchNorm2d` that keeps no
running ones). Where the queries form one batch, each prediction depends on the other queries. Every run is
evaluated that way, as the papers did, and also with each query alone in a batch with the support, which is
what Nichol et al. 2018 call "without transduction".
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from experiments import runs
from experiments.omniglot_prototypical import DATA, banks
from experiments.runs import HERE, Run, Test
from reference.baselines import nearest_centroid
from reference.episodes import Adapt, Episode, Examples, Predict, one_by_one
from reference.evaluation import evaluate
from reference.meta_train import Optimizer, mean_over_tasks
from reference.pytorch import maml, meta_sgd, optim, reptile
from reference.pytorch.machine.arrays import in_numpy, to_torch
from reference.pytorch.nn import Params
from reference.pytorch.machine.speed import keep_freed_memory
from reference.pytorch.unroll import Update, sgd
from reference.tasks.bank import Bank, FewShot

N_WAY, K_SHOT, N_QUERY = 5, 1, 1  # of a test; one query of each class, as in the papers' own programs
N_TEST_EPISODES = 2000


class Settings(NamedTuple):
    """What a run depends on; METHODS has each method's own."""

    data: str = "characters"  # or another of DATA
    seed: int = 0
    n_steps: int = 0
    tasks_per_step: int = 0
    outer_lr: float = 0.0
    inner_lr: float = 0.0  # of Meta-SGD: where the learned rates start
    inner_steps: int = 1
    k_shot: int = 1  # in training; Reptile draws its batches from more drawings than a test has
    batch: int = 5  # examples of one inner step
    test_steps: int = 1
    width: int = 64


def network(width: int, *, normed: bool = True) -> nn.Module:
    """Four convolutions of stride 2 (28 -> 14 -> 7 -> 4 -> 2) and a linear layer, N_WAY scores.

    With batch norm it is transductive: the statistics are always the batch's own, no running ones are kept.
    """
    layers: list[nn.Module] = []
    for n_in in (1, width, width, width):
        norm = [nn.BatchNorm2d(width, track_running_stats=False)] if normed else []
        layers += [nn.Conv2d(n_in, width, 3, stride=2, padding=1), *norm, nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * width, N_WAY))


class Learner(NamedTuple):
    """One of the methods with its settings."""

    params: Params  # to start from
    meta_gradient: Callable[[Params, Any], tuple[Params, Tensor]]  # of one task
    adapt: Callable[..., Predict]  # (params, support, network=...)
    optimizer: Optimizer
    task: Callable[[Episode, np.random.Generator], Any] = lambda episode, rng: episode  # for meta_gradient
    buffers: dict[str, Tensor] = {}  # what it changes in place


def as_maml(settings: Settings, net: nn.Module, params: Params, *, first_order: bool) -> Learner:
    """Finn et al. 2017."""
    shared = {"loss": loss_of(net), "update": sgd(settings.inner_lr)}
    meta_gradient = partial(
        maml.meta_gradient, n_steps=settings.inner_steps, first_order=first_order, **shared
    )
    adapt = partial(maml.adapt, n_steps=settings.test_steps, **shared)
    return Learner(params, meta_gradient, adapt, falling(settings))


def as_meta_sgd(settings: Settings, net: nn.Module, params: Params) -> Learner:
    """Li et al. 2017."""
    learned = meta_sgd.with_rates(params, inner_lr=settings.inner_lr)
    meta_gradient = partial(meta_sgd.meta_gradient, loss=loss_of(net), n_steps=settings.inner_steps)
    adapt = partial(meta_sgd.adapt, loss=loss_of(net), n_steps=settings.test_steps)
    return Learner(learned, meta_gradient, adapt, falling(settings))


def as_reptile(settings: Settings, net: nn.Module, params: Params) -> Learner:
    """Nichol et al. 2018."""
    loss = loss_of(net)
    buffers = {name: torch.zeros_like(p) for name, p in params.items()}
    buffers["count"] = torch.zeros_like(next(iter(params.values())).sum())

    def direction(params: Params, task: tuple[Sequence[Examples], Examples]) -> tuple[Params, Tensor]:
        batches, query = task
        update = adam_without_momentum(settings.inner_lr, buffers)
        found = reptile.direction(params, batches, loss=loss, update=update)
        with torch.no_grad():
            return found, loss({name: p - found[name] for name, p in params.items()}, query)

    def adapt(params: Params, support: Examples, *, network: Callable) -> Predict:
        own = {name: b.clone() for name, b in buffers.items()}  # what a test learns is forgotten after it
        update = adam_without_momentum(settings.inner_lr, own)
        return reptile.adapt(
            params, support, network=network, loss=loss, update=update, n_steps=settings.test_steps
        )

    def task(episode: Episode, rng: np.random.Generator) -> tuple[Sequence[Examples], Examples]:
        return batches(episode.support, settings, rng), episode.query

    to_nothing = optim.sgd(lambda step: settings.outer_lr * (1 - step / settings.n_steps))
    return Learner(params, direction, adapt, to_nothing, task, buffers)


def loss_of(net: nn.Module) -> Callable[[Params, Examples], Tensor]:
    """The cross-entropy of examples that form one batch."""
    return lambda params, examples: F.cross_entropy(functional_call(net, params, examples.x), examples.y)


def falling(settings: Settings) -> Optimizer:
    """Adam under a rate that falls to nothing."""
    return optim.adam(runs.cosine(settings.outer_lr, settings.n_steps))


# Finn et al. 2017 (arXiv:1703.03400), appendix A.1: 32 tasks, 1 step of 0.4, evaluated after 3. Li et al.
# 2017 (arXiv:1707.09835) learn the rates. Nichol et al. 2018 (arXiv:1803.02999): the commands of the program,
# with transduction and without. The numbers of outer steps are ours.
OF_MAML = Settings(n_steps=8_000, tasks_per_step=32, outer_lr=1e-3, inner_lr=0.4, test_steps=3)
METHODS: dict[str, tuple[Settings, Callable[..., Learner]]] = {
    "maml": (OF_MAML, partial(as_maml, first_order=False)),
    "first-order-maml": (OF_MAML, partial(as_maml, first_order=True)),
    "meta-sgd": (OF_MAML._replace(inner_lr=0.1, test_steps=1), as_meta_sgd),
    "reptile": (
        Settings(
            n_steps=10_000,
            tasks_per_step=10,
            outer_lr=1.0,
            inner_lr=1e-3,
            inner_steps=3,
            k_shot=15,
            batch=25,
            test_steps=5,
        ),
        as_reptile,
    ),
    "reptile-alone": (
        Settings(
            n_steps=8_000,
            tasks_per_step=3,
            outer_lr=1.0,
            inner_lr=4.4e-4,
            inner_steps=12,
            k_shot=12,
            batch=5,
            test_steps=86,
        ),
        as_reptile,
    ),
}


def make(method: str, settings: Settings, rng: np.random.Generator, device: torch.device) -> Learner:
    """The method, with new parameters."""
    net = network(settings.width).to(device)
    params = {name: p.to(device) for name, p in maml.init(rng, net).items()}
    return METHODS[method][1](settings, net, params)


def adam_without_momentum(
    inner_lr: float, buffers: dict[str, Tensor], *, beta2: float = 0.999, epsilon: float = 1e-8
) -> Update:
    """Adam with beta1 = 0, whose mean squares go on from one task to the next, as in the authors' program.

    They are kept in buffers, and the number of steps under "count". Nichol et al. 2018, section 6.1.
    """

    def update(params: Params, gradient: Params, step: int) -> Params:
        buffers["count"] += 1
        for name, g in gradient.items():
            buffers[name].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        share = 1 - beta2 ** buffers["count"]
        return {
            name: p - inner_lr * gradient[name] / ((buffers[name] / share).sqrt() + epsilon)
            for name, p in params.items()
        }

    return update


def batches(support: Examples, settings: Settings, rng: np.random.Generator) -> list[Examples]:
    """One batch for each inner step; the support is gone through in a random order, then in another."""
    n, needed = len(support.y), settings.inner_steps * settings.batch
    order = np.concatenate([rng.permutation(n) for _ in range(-(-needed // n))])[:needed]
    rows = torch.from_numpy(order.reshape(-1, settings.batch))
    return [Examples(support.x[chosen], support.y[chosen]) for chosen in rows]


def begin(learner: Learner, rng: np.random.Generator) -> Run:
    """A run before its first step."""
    return Run(learner.params, learner.optimizer.init(learner.params), rng, learner.buffers)


def train(run: Run, learner: Learner, bank: Bank, settings: Settings, **saving: Any) -> Run:
    """Go on to the last step; saving: checkpoint, save_every_s."""
    device = next(iter(run.params.values())).device
    tasks = FewShot(bank, n_way=N_WAY, k_shot=settings.k_shot, n_query=N_QUERY)

    def draw(rng: np.random.Generator) -> list[Any]:
        batch = to_torch(tasks.sample_batch(rng, settings.tasks_per_step), device)
        return [learner.task(episode, rng) for episode in one_by_one(batch)]

    return runs.train(
        run,
        mean_over_tasks(learner.meta_gradient),
        draw,
        optimizer=learner.optimizer,
        settings=settings,
        **saving,
    )


def tests(run: Run, learner: Learner, bank: Bank, settings: Settings) -> Iterator[Test]:
    """Accuracy over 2,000 episodes, the same for all: after training and before, and of raw pixels."""
    device = next(iter(run.params.values())).device
    forward = partial(functional_call, network(settings.width).to(device))
    tasks = FewShot(bank, n_way=N_WAY, k_shot=K_SHOT, n_query=N_QUERY)

    def together(support: Examples) -> Callable:
        return forward

    def alone(support: Examples) -> Callable:
        def beside_support(params: Params, one: Tensor) -> Tensor:
            return forward(params, torch.cat([support.x, one]))[-1:]

        return lambda params, x: torch.cat([beside_support(params, one) for one in x.split(1)])

    def adapt(params: Params, batch: Callable, support: Examples) -> Predict:
        return learner.adapt(params, support, network=batch(support))

    def test(name: str, transductive: bool, adapt: Adapt) -> Test:
        about = {"learner": name, "transductive": transductive, "inner_steps": settings.test_steps}
        about |= {"n_way": N_WAY, "k_shot": K_SHOT, "n_query": N_QUERY}
        return Test(
            about, lambda: evaluate(adapt, tasks, n_episodes=N_TEST_EPISODES, rng=np.random.default_rng(0))
        )

    for name, params in (("trained", run.params), ("untrained", learner.params)):
        for transductive, batch in ((True, together), (False, alone)):
            yield test(name, transductive, in_numpy(partial(adapt, params, batch), device))
    yield test("raw pixels", False, nearest_centroid)


def main(arguments: list[str]) -> None:
    """Train (or go on), evaluate (or go on), and leave the result in experiments/results/."""
    parser = argparse.ArgumentParser(description="Gradient-based meta-learners on Omniglot.")
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("--data", choices=DATA, default="characters")
    defaults, _ = METHODS.get(arguments[0] if arguments else "", METHODS["maml"])
    runs.add_settings(parser, {k: v for k, v in defaults._asdict().items() if k != "data"})
    given = vars(parser.parse_args(arguments))
    method = given.pop("method")
    settings = Settings(**given)

    name = runs.name_of(f"omniglot_{method}", settings, defaults)
    checkpoint, device = HERE / "runs" / f"{name}.safetensors", runs.DEVICE
    keep_freed_memory()
    rng = np.random.default_rng(settings.seed)
    learner = make(method, settings, rng, device)
    run = begin(learner, rng)
    run = runs.resume(checkpoint, run, settings) if checkpoint.exists() else run
    training_bank, test_bank = banks(settings.data)
    run = train(run, learner, training_bank, settings, checkpoint=checkpoint)
    run = runs.test(run, tests(run, learner, test_bank, settings), settings, checkpoint=checkpoint)
    command = " ".join(["python -m experiments.omniglot_gradient", *arguments])
    result = runs.report(run, settings, command=command, about=DATA[settings.data], device=device)
    runs.write(HERE / "results" / f"{name}.json", {"method": method, **result})


if __name__ == "__main__":
    main(sys.argv[1:])
