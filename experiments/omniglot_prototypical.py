"""Prototypical networks on Omniglot at full size: train, evaluate, write the scores as JSON.

    python -m experiments.omniglot_prototypical --seed 0
    python -m experiments.omniglot_prototypical --seed 0 --data characters
    python -m experiments.omniglot_prototypical --seed 0 --data held-out   # settings are chosen with it

The same command goes on where a killed run stopped. See README.md in this folder.
"""

import argparse
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from tqdm.auto import tqdm

from reference.evaluation import evaluate
from reference.meta_train import meta_steps
from reference.pytorch import checkpoints, prototypical
from reference.pytorch.episodes import in_numpy, to_torch
from reference.pytorch.nn import Conv4, Params
from reference.pytorch.optim import AdamState, adam
from reference.pytorch.speed import channels_last, keep_freed_memory
from reference.tasks.bank import Bank, FewShot
from reference.tasks.omniglot import omniglot

HERE = Path(__file__).parent
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


class Seconds(NamedTuple):
    """Time spent, on the clock on the wall and on all cores together."""

    wall: float = 0.0
    cpu: float = 0.0


class Run(NamedTuple):
    """Everything that changes while a run goes on; what a checkpoint holds."""

    net: nn.Module  # its running statistics change, its own parameters are not used
    params: Params
    state: AdamState  # counts the steps
    rng: np.random.Generator  # draws the first weights, then the episodes
    n_resumed: int = 0
    training: Seconds = Seconds()  # of all attempts of this run together
    evaluation: Seconds = Seconds()
    scores: tuple[dict[str, Any], ...] = ()


AS_JSON = {  # the fields of Run that a checkpoint notes as JSON, and what makes them whole again
    "n_resumed": int,
    "training": Seconds._make,
    "evaluation": Seconds._make,
    "scores": tuple,
}


def spent(before: Seconds, since: Seconds) -> Seconds:
    """What was spent before, and since then."""
    return Seconds(*(b + n - s for b, n, s in zip(before, now(), since, strict=True)))


def now() -> Seconds:
    """Both clocks of this process."""
    return Seconds(time.perf_counter(), time.process_time())


def banks(data: str) -> tuple[Bank, Bank]:
    """What to train on, where a quarter turn makes a new class, and what to evaluate on."""
    if data == "characters":  # here Snell et al. turn the test classes too (section 3.1)
        training, test = (omniglot(split, protocol="characters") for split in ("train", "test"))
        return training.with_rotations(), test.with_rotations()
    training, test = ("train", "validation") if data == "held-out" else ("background", "test")
    return omniglot(training).with_rotations(), omniglot(test)


def cosine(outer_lr: float, n_steps: int) -> Callable[[int], float]:
    """A rate that falls along half a cosine, from outer_lr at step 0 to nothing at step n_steps."""
    return lambda step: outer_lr * (1 + math.cos(math.pi * step / n_steps)) / 2


def begin(settings: Settings, device: torch.device) -> Run:
    """A run before its first step."""
    rng = np.random.default_rng(settings.seed)
    net = Conv4(settings.width, norm=nn.BatchNorm2d).to(device)
    params = {name: p.to(device) for name, p in prototypical.init(rng, net).items()}
    return Run(net, params, adam(0.0).init(params), rng)


def save(path: Path, run: Run, settings: Settings) -> None:
    """Put the run into one file, in place of the one before."""
    groups = {
        "params": run.params,
        "mean": run.state.mean,
        "square": run.state.square,
        "buffers": dict(run.net.named_buffers()),
    }
    notes = {
        "settings": settings._asdict(),
        "rng": run.rng.bit_generator.state,
        "n_done": run.state.step,
        **{name: getattr(run, name) for name in AS_JSON},
    }
    checkpoints.save(path, groups, notes)


def resume(path: Path, settings: Settings, device: torch.device) -> Run:
    """The run as it was saved. ValueError when it was started with other settings."""
    groups, notes = checkpoints.load(path)
    if notes["settings"] != settings._asdict():
        raise ValueError(
            f"checkpoint {path} is of a run with {notes['settings']}, not {settings._asdict()}; "
            "move it away to start the new run."
        )
    groups = {group: {k: v.to(device) for k, v in named.items()} for group, named in groups.items()}
    run = begin(settings, device)
    run.net.load_state_dict(groups["buffers"], strict=False)
    run.rng.bit_generator.state = notes["rng"]
    state = AdamState(notes["n_done"], groups["mean"], groups["square"])
    run = run._replace(params=groups["params"], state=state, **{k: f(notes[k]) for k, f in AS_JSON.items()})
    return run._replace(n_resumed=run.n_resumed + 1)


def embedding(net: nn.Module) -> Callable[[Params, Tensor], Tensor]:
    """The module as the function `embed(params, x)`."""
    return lambda params, x: functional_call(net, params, channels_last(x))


def train(run: Run, bank: Bank, settings: Settings, *, checkpoint: Path, save_every_s: float = 20.0) -> Run:
    """Go on to the last step, saving every save_every_s seconds and at the end."""
    device = next(iter(run.params.values())).device
    tasks = FewShot(bank, n_way=settings.n_way, k_shot=settings.k_shot, n_query=settings.n_query)
    run.net.train()  # normalise by the statistics of the episode, and keep the running ones
    steps = meta_steps(
        run.params,
        partial(prototypical.meta_gradient, embed=embedding(run.net)),
        lambda: to_torch(tasks.sample(run.rng), device),
        optimizer=adam(cosine(settings.outer_lr, settings.n_steps)),
        state=run.state,
    )
    n_done, started, saved = run.state.step, now(), now()
    steps = islice(steps, settings.n_steps - n_done)
    progress = tqdm(steps, initial=n_done, total=settings.n_steps, desc="training", smoothing=0.02)
    before = run.training
    for step in progress:
        run = run._replace(params=step.params, state=step.state)
        if now().wall - saved.wall > save_every_s or run.state.step == settings.n_steps:
            progress.set_postfix(loss=f"{step.loss:.3f}")
            saved, run = now(), run._replace(training=spent(before, started))
            save(checkpoint, run, settings)
    return run


def test(run: Run, bank: Bank, settings: Settings, *, checkpoint: Path) -> Run:
    """Accuracy over 1,000 episodes of each kind, the same for every run on this bank; saves after each."""
    device = next(iter(run.params.values())).device
    run.net.eval()  # normalise by the running statistics: not transductive
    adapt = in_numpy(partial(prototypical.adapt, run.params, embed=embedding(run.net)), device)
    for n_way, k_shot in TESTS[len(run.scores) :]:
        tasks = FewShot(bank, n_way=n_way, k_shot=k_shot, n_query=N_TEST_QUERIES)
        started = now()
        with torch.inference_mode():
            score = evaluate(adapt, tasks, n_episodes=N_TEST_EPISODES, rng=np.random.default_rng(0))
        print(f"{n_way}-way {k_shot}-shot: {score:.1%}")
        line = {"n_way": n_way, "k_shot": k_shot, "mean": round(score.mean, 5)}
        line |= {"half_width": round(score.half_width, 5), "n_episodes": score.n}
        run = run._replace(scores=(*run.scores, line), evaluation=spent(run.evaluation, started))
        save(checkpoint, run, settings)
    return run


def device_name(device: torch.device) -> str:
    """The hardware in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()}, {torch.get_num_threads()} threads"


def name_of(settings: Settings) -> str:
    """A file name that says the data, the seed, and what else is not the default."""
    given = {k: v for k, v in settings._asdict().items() if v != Settings._field_defaults[k]}
    rest = "".join(f"_{k}={v}" for k, v in given.items() if k not in ("data", "seed"))
    return f"omniglot_prototypical_{settings.data}_seed={settings.seed}{rest}"


def report(run: Run, settings: Settings, *, command: str, device: torch.device) -> dict[str, Any]:
    """What the JSON says."""
    return {
        "command": command,
        "about": DATA[settings.data],
        **settings._asdict(),
        "scores": run.scores,
        "training_seconds": {name: round(s) for name, s in run.training._asdict().items()},
        "evaluation_seconds": {name: round(s) for name, s in run.evaluation._asdict().items()},
        "times_resumed": run.n_resumed,
        "device": device_name(device),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "date": datetime.now(UTC).date().isoformat(),
    }


def write(path: Path, result: dict[str, Any]) -> None:
    """Put the JSON in place of the one before, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(result, indent=2) + "\n")
    os.replace(unfinished, path)


def main(arguments: list[str]) -> None:
    """Train (or go on), evaluate (or go on), and leave the result in experiments/results/."""
    parser = argparse.ArgumentParser(description="Prototypical networks on Omniglot at full size.")
    parser.add_argument("--data", choices=DATA, default="alphabets")
    for name, default in Settings._field_defaults.items():
        if name != "data":
            parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    settings = Settings(**vars(parser.parse_args(arguments)))

    checkpoint = HERE / "runs" / f"{name_of(settings)}.safetensors"
    command = " ".join(["python -m experiments.omniglot_prototypical", *arguments])
    keep_freed_memory()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = resume(checkpoint, settings, device) if checkpoint.exists() else begin(settings, device)
    training_bank, test_bank = banks(settings.data)
    run = train(run, training_bank, settings, checkpoint=checkpoint)
    run = test(run, test_bank, settings, checkpoint=checkpoint)
    result = report(run, settings, command=command, device=device)
    write(HERE / "results" / f"{name_of(settings)}.json", result)


if __name__ == "__main__":
    main(sys.argv[1:])
