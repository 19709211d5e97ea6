"""Prototypical networks on Omniglot at full size: train, evaluate, write the scores as JSON.

    python -m experiments.omniglot_prototypical --seed 0
    python -m experiments.omniglot_prototypical --seed 0 --data characters
    python -m experiments.omniglot_prototypical --seed 0 --data held-out   # settings are chosen with it

The same command goes on where a killed run stopped. See README.md in this folder.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from experiments import runs
from experiments.runs import HERE, Run, Test
from reference.evaluation import Score, evaluate
from reference.pytorch import prototypical
from reference.pytorch.machine.arrays import in_numpy, to_torch
from reference.pytorch.nn import Conv4, Params
from reference.pytorch.optim import adam
from reference.pytorch.machine.speed import channels_last, keep_freed_memory
from reference.tasks.bank import Bank, FewShot
from reference.tasks.omniglot import omniglot

TESTS = ((5, 1), (5, 5), (20, 1), (20, 5))  # n_way, k_shot
N_TEST_EPISODES, N_TEST_QUERIES = 1000, 5  # the episodes as Snell et al. 2017, section 3.1
DATA = {
    "alphabets": "official split: trained on the background alphabets, evaluated on the evaluation alphabets",
    "characters": "split of Vinyals et al. 2016: trained on 1,200 characters, evaluated on the other 423",
    "held-out": "for choosing settings: trained on 25 background alphabets, evaluated on the other 5",
}


class Settings(NamedTuple):
    """What a run depends on."""

    data: str = "alphabets"  # or another of DATA
    seed: int = 0
    n_steps: int = 3000
    outer_lr: float = 4e-3
    n_way: int = 60  # as Snell et al. 2017, section 3.1
    k_shot: int = 1
    n_query: int = 5
    width: int = 64


def banks(data: str) -> tuple[Bank, Bank]:
    """What to train on, where a quarter turn makes a new class, and what to evaluate on."""
    if data == "characters":  # here Snell et al. turn the test classes too (section 3.1)
        training, test = (omniglot(split, protocol="characters") for split in ("train", "test"))
        return training.with_rotations(), test.with_rotations()
    training, test = ("train", "validation") if data == "held-out" else ("background", "test")
    return omniglot(training).with_rotations(), omniglot(test)


def begin(net: nn.Module, settings: Settings, device: torch.device) -> Run:
    """A run before its first step. The running statistics of net are the run's, its parameters are not."""
    rng = np.random.default_rng(settings.seed)
    params = {name: p.to(device) for name, p in prototypical.init(rng, net).items()}
    return Run(params, adam(0.0).init(params), rng, dict(net.named_buffers()))


def network(settings: Settings, device: torch.device) -> nn.Module:
    """Conv4 with batch norm and running statistics."""
    return Conv4(settings.width, norm=nn.BatchNorm2d).to(device)


def embedding(net: nn.Module) -> Callable[[Params, Tensor], Tensor]:
    """The module as the function `embed(params, x)`."""
    return lambda params, x: functional_call(net, params, channels_last(x))


def train(
    run: Run, net: nn.Module, bank: Bank, settings: Settings, *, checkpoint: Path, save_every_s: float = 20.0
) -> Run:
    """Go on to the last step, saving now and then."""
    device = next(iter(run.params.values())).device
    tasks = FewShot(bank, n_way=settings.n_way, k_shot=settings.k_shot, n_query=settings.n_query)
    net.train()  # normalise by the statistics of the episode, and keep the running ones
    return runs.train(
        run,
        partial(prototypical.meta_gradient, embed=embedding(net)),
        lambda rng: to_torch(tasks.sample(rng), device),
        optimizer=adam(runs.cosine(settings.outer_lr, settings.n_steps)),
        settings=settings,
        checkpoint=checkpoint,
        save_every_s=save_every_s,
    )


def tests(run: Run, net: nn.Module, bank: Bank) -> Iterator[Test]:
    """Accuracy over 1,000 episodes of each kind, the same for every run on this bank."""
    device = next(iter(run.params.values())).device
    net.eval()  # normalise by the running statistics: not transductive
    adapt = in_numpy(partial(prototypical.adapt, run.params, embed=embedding(net)), device)

    def score(tasks: FewShot) -> Score:
        with torch.inference_mode():
            return evaluate(adapt, tasks, n_episodes=N_TEST_EPISODES, rng=np.random.default_rng(0))

    for n_way, k_shot in TESTS:
        tasks = FewShot(bank, n_way=n_way, k_shot=k_shot, n_query=N_TEST_QUERIES)
        yield Test({"n_way": n_way, "k_shot": k_shot}, partial(score, tasks))


def main(arguments: list[str]) -> None:
    """Train (or go on), evaluate (or go on), and leave the result in experiments/results/."""
    parser = argparse.ArgumentParser(description="Prototypical networks on Omniglot at full size.")
    parser.add_argument("--data", choices=DATA, default="alphabets")
    runs.add_settings(parser, {k: v for k, v in Settings._field_defaults.items() if k != "data"})
    settings = Settings(**vars(parser.parse_args(arguments)))

    name, device = runs.name_of("omniglot_prototypical", settings, Settings()), runs.DEVICE
    checkpoint = HERE / "runs" / f"{name}.safetensors"
    keep_freed_memory()
    net = network(settings, device)
    run = begin(net, settings, device)
    run = runs.resume(checkpoint, run, settings) if checkpoint.exists() else run
    training_bank, test_bank = banks(settings.data)
    run = train(run, net, training_bank, settings, checkpoint=checkpoint)
    run = runs.test(run, tests(run, net, test_bank), settings, checkpoint=checkpoint)
    command = " ".join(["python -m experiments.omniglot_prototypical", *arguments])
    result = runs.report(run, settings, command=command, about=DATA[settings.data], device=device)
    runs.write(HERE / "results" / f"{name}.json", result)


if __name__ == "__main__":
    main(sys.argv[1:])
