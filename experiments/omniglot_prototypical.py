"""Prototypical networks on Omniglot at full size: train, evaluate, write the scores as JSON.

    python -m experiments.omniglot_prototypical --seed 0
    python -m experiments.omniglot_prototypical --seed 0 --protocol characters
    python -m experiments.omniglot_prototypical --seed 0 --held-out      # settings are chosen with this one

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

from reference.evaluation import Score, evaluate
from reference.meta_train import meta_steps
from reference.pytorch import checkpoints, prototypical
from reference.pytorch.episodes import in_numpy, to_torch
from reference.pytorch.nn import Conv4, Params
from reference.pytorch.optim import AdamState, adam
from reference.pytorch.speed import channels_last, keep_freed_memory
from reference.tasks.bank import Bank, FewShot
from reference.tasks.omniglot import omniglot

HERE = Path(__file__).parent
TESTS = {(5, 1): "5-way 1-shot", (5, 5): "5-way 5-shot", (20, 1): "20-way 1-shot", (20, 5): "20-way 5-shot"}
N_TEST_EPISODES = 1000  # as Snell et al. 2017, section 3.1


class Settings(NamedTuple):
    """What a run depends on, beside the data."""

    seed: int = 0
    n_steps: int = 2000
    outer_lr: float = 2e-3
    n_way: int = 60  # with 5 shots and 5 queries, one of the training set-ups of Snell et al. 2017
    k_shot: int = 5
    n_query: int = 5
    width: int = 64


class Run(NamedTuple):
    """Everything that changes while a run goes on; what a checkpoint holds."""

    net: nn.Module  # its running statistics change, its own parameters are not used
    params: Params
    state: AdamState
    rng: np.random.Generator  # draws the first weights, then the episodes
    n_done: int
    wall_s: float  # training time of all attempts of this run together
    cpu_s: float
    n_resumed: int


def cosine(outer_lr: float, n_steps: int) -> Callable[[int], float]:
    """A rate that falls along half a cosine, from outer_lr at step 0 to nothing at step n_steps."""
    return lambda step: outer_lr * (1 + math.cos(math.pi * step / n_steps)) / 2


def begin(settings: Settings, device: torch.device) -> Run:
    """A run before its first step."""
    rng = np.random.default_rng(settings.seed)
    net = Conv4(settings.width, norm=nn.BatchNorm2d).to(device)
    params = {name: p.to(device) for name, p in prototypical.init(rng, net).items()}
    return Run(net, params, adam(0.0).init(params), rng, n_done=0, wall_s=0.0, cpu_s=0.0, n_resumed=0)


def save(path: Path, run: Run, settings: Settings) -> None:
    """Put the run into one file, in place of the one before."""
    groups = {
        "params": run.params,
        "mean": run.state.mean,
        "square": run.state.square,
        "buffers": dict(run.net.named_buffers()),
    }
    notes = {"settings": settings._asdict(), "rng": run.rng.bit_generator.state, "adam_step": run.state.step}
    counters = {name: getattr(run, name) for name in ("n_done", "wall_s", "cpu_s", "n_resumed")}
    checkpoints.save(path, groups, notes | counters)


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
    state = AdamState(notes["adam_step"], groups["mean"], groups["square"])
    counters = {name: notes[name] for name in ("n_done", "wall_s", "cpu_s")}
    return run._replace(params=groups["params"], state=state, n_resumed=notes["n_resumed"] + 1, **counters)


def embedding(net: nn.Module) -> Callable[[Params, Tensor], Tensor]:
    """The module as the function `embed(params, x)`."""
    return lambda params, x: functional_call(net, params, channels_last(x))


def train(run: Run, bank: Bank, settings: Settings, *, checkpoint: Path, save_every_s: float = 20.0) -> Run:
    """Go on to the last step, saving every save_every_s seconds and at the end."""
    device = next(iter(run.params.values())).device
    tasks = FewShot(
        bank.with_rotations(), n_way=settings.n_way, k_shot=settings.k_shot, n_query=settings.n_query
    )
    run.net.train()  # normalise by the statistics of the episode, and keep the running ones
    steps = meta_steps(
        run.params,
        partial(prototypical.meta_gradient, embed=embedding(run.net)),
        lambda: to_torch(tasks.sample(run.rng), device),
        optimizer=adam(cosine(settings.outer_lr, settings.n_steps)),
        state=run.state,
    )
    steps = islice(steps, settings.n_steps - run.n_done)
    wall, cpu, saved = time.perf_counter(), time.process_time(), time.perf_counter()
    progress = tqdm(steps, initial=run.n_done, total=settings.n_steps, desc="training", smoothing=0.02)
    for step in progress:
        run = run._replace(
            params=step.params,
            state=step.state,
            n_done=run.n_done + 1,
            wall_s=run.wall_s + time.perf_counter() - wall,
            cpu_s=run.cpu_s + time.process_time() - cpu,
        )
        wall, cpu = time.perf_counter(), time.process_time()
        if wall - saved > save_every_s or run.n_done == settings.n_steps:
            progress.set_postfix(loss=f"{step.loss:.3f}")
            save(checkpoint, run, settings)
            saved = wall
    return run


def score(run: Run, bank: Bank, *, n_way: int, k_shot: int) -> Score:
    """Accuracy over 1,000 episodes, the same ones for every run on this bank."""
    device = next(iter(run.params.values())).device
    run.net.eval()  # running statistics: not transductive
    adapt = in_numpy(partial(prototypical.adapt, run.params, embed=embedding(run.net)), device)
    tasks = FewShot(bank, n_way=n_way, k_shot=k_shot, n_query=5)
    with torch.inference_mode():
        return evaluate(adapt, tasks, n_episodes=N_TEST_EPISODES, rng=np.random.default_rng(0))


def device_name(device: torch.device) -> str:
    """The hardware in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()}, {torch.get_num_threads()} threads"


def report(run: Run, settings: Settings, *, command: str, data: str, device: torch.device) -> dict[str, Any]:
    """What the JSON says, but for the scores."""
    return {
        "command": command,
        "data": data,
        **settings._asdict(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "device": device_name(device),
        "date": datetime.now(UTC).date().isoformat(),
        "training_wall_seconds": round(run.wall_s),
        "training_cpu_seconds": round(run.cpu_s),
        "times_resumed": run.n_resumed,
        "scores": {},
    }


def write(path: Path, result: dict[str, Any]) -> None:
    """Put the JSON in place of the one before, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(result, indent=2) + "\n")
    os.replace(unfinished, path)


def main(arguments: list[str]) -> None:
    """Train (or go on), evaluate (or go on), and leave the result in experiments/results/."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--protocol", choices=["alphabets", "characters"], default="alphabets")
    parser.add_argument("--held-out", action="store_true", help="evaluate on background alphabets kept apart")
    for name in ("n_steps", "outer_lr", "n_way", "k_shot", "n_query"):
        default = Settings._field_defaults[name]
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    given = parser.parse_args(arguments)
    settings = Settings(**{k: v for k, v in vars(given).items() if k in Settings._fields})

    if given.held_out:
        banks = omniglot("train"), omniglot("validation")
        data = "trained on 25 background alphabets, evaluated on the other 5: for choosing settings"
    elif given.protocol == "alphabets":
        banks = omniglot("background"), omniglot("test")
        data = "official split: trained on the background alphabets, evaluated on the evaluation alphabets"
    else:
        banks = omniglot("train", protocol="characters"), omniglot("test", protocol="characters")
        data = "split of Vinyals et al.: 1,200 characters and their turns; evaluated on the other 423"
    chosen = {k: v for k, v in settings._asdict().items() if k == "seed" or v != Settings._field_defaults[k]}
    parts = ["held-out" if given.held_out else given.protocol, *(f"{k}={v}" for k, v in chosen.items())]
    name = "_".join(["omniglot_prototypical", *parts])
    checkpoint = HERE / "runs" / f"{name}.safetensors"
    result_path = HERE / "results" / f"{name}.json"
    command = " ".join(["python -m experiments.omniglot_prototypical", *arguments])

    keep_freed_memory()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = resume(checkpoint, settings, device) if checkpoint.exists() else begin(settings, device)
    run = train(run, banks[0], settings, checkpoint=checkpoint)
    result = report(run, settings, command=command, data=data, device=device)
    for (n_way, k_shot), label in TESTS.items():
        accuracy = score(run, banks[1], n_way=n_way, k_shot=k_shot)
        print(f"{label}: {accuracy:.1%}")
        result["scores"][label] = {"mean": accuracy.mean, "half_width": accuracy.half_width, "n": accuracy.n}
    write(result_path, result)


if __name__ == "__main__":
    main(sys.argv[1:])
