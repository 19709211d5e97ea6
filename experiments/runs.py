"""What every long run needs: to be stopped and to go on, to be evaluated, and to say afterwards what it was.

A run is a NamedTuple of all that changes. `train` saves it every few seconds, `resume` brings it back, and
a resumed run ends at the same weights as one that was never stopped.
"""

import argparse
import json
import math
import os
import platform
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from reference.evaluation import Score
from reference.meta_train import Optimizer, meta_steps
from reference.pytorch.machine import checkpoints
from reference.pytorch.nn import Params
from reference.pytorch.optim import Rate

HERE = Path(__file__).parent
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
Settings = Any  # a NamedTuple of numbers and words, with defaults, that has `data` and `seed`


class Seconds(NamedTuple):
    """Time spent, on the clock on the wall and on all cores together."""

    wall: float = 0.0
    cpu: float = 0.0


class Run(NamedTuple):
    """Everything that changes while a run goes on; what a checkpoint holds."""

    params: Params
    state: Any  # the outer optimiser's; counts the steps
    rng: np.random.Generator  # draws the first weights, then the episodes
    buffers: dict[str, Tensor] = {}  # what a learner changes in place, such as running statistics
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


class Test(NamedTuple):
    """One evaluation: what it is (all of it goes into the JSON), and what carries it out."""

    about: dict[str, Any]
    evaluate: Callable[[], Score]


def now() -> Seconds:
    """Both clocks of this process."""
    return Seconds(time.perf_counter(), time.process_time())


def spent(before: Seconds, since: Seconds) -> Seconds:
    """What was spent before, and since then."""
    return Seconds(*(b + n - s for b, n, s in zip(before, now(), since, strict=True)))


def save(path: Path, run: Run, settings: Settings) -> None:
    """Put the run into one file, in place of the one before."""
    state = run.state._asdict()
    counters = {name: value for name, value in state.items() if isinstance(value, int)}
    groups = {f"state.{name}": value for name, value in state.items() if name not in counters}
    notes = {
        "settings": settings._asdict(),
        "rng": run.rng.bit_generator.state,
        "counters": counters,
        **{name: getattr(run, name) for name in AS_JSON},
    }
    checkpoints.save(path, {"params": run.params, "buffers": run.buffers, **groups}, notes)


def resume(path: Path, run: Run, settings: Settings) -> Run:
    """The run as it was saved, from one that has just begun. ValueError when it had other settings."""
    groups, notes = checkpoints.load(path)
    if notes["settings"] != settings._asdict():
        raise ValueError(
            f"checkpoint {path} is of a run with {notes['settings']}, not {settings._asdict()}; "
            "move it away to start the new run."
        )
    device = next(iter(run.params.values())).device
    groups = {group: {k: v.to(device) for k, v in named.items()} for group, named in groups.items()}
    for name, value in groups.get("buffers", {}).items():
        run.buffers[name].copy_(value)
    run.rng.bit_generator.state = notes["rng"]
    saved = {name.removeprefix("state."): v for name, v in groups.items() if name.startswith("state.")}
    state = run.state._replace(**notes["counters"], **saved)
    run = run._replace(params=groups["params"], state=state, **{k: f(notes[k]) for k, f in AS_JSON.items()})
    return run._replace(n_resumed=run.n_resumed + 1)


def train(
    run: Run,
    meta_gradient: Callable,
    draw: Callable[[np.random.Generator], Any],
    *,
    optimizer: Optimizer,
    settings: Settings,
    checkpoint: Path,
    save_every_s: float = 20.0,
) -> Run:
    """Go on to the last of settings.n_steps, saving every save_every_s seconds and at the end."""
    steps = meta_steps(run.params, meta_gradient, lambda: draw(run.rng), optimizer=optimizer, state=run.state)
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


def test(run: Run, tests: Iterable[Test], settings: Settings, *, checkpoint: Path) -> Run:
    """The run with a score for each test that it does not have yet; saves after each."""
    for about, evaluate in list(tests)[len(run.scores) :]:
        started = now()
        score = evaluate()
        print(f"{', '.join(f'{key}={value}' for key, value in about.items())}: {score:.1%}")
        line = about | {"mean": round(score.mean, 5), "half_width": round(score.half_width, 5)}
        line |= {"n_episodes": score.n}
        run = run._replace(scores=(*run.scores, line), evaluation=spent(run.evaluation, started))
        save(checkpoint, run, settings)
    return run


def cosine(outer_lr: float, n_steps: int) -> Rate:
    """A rate that falls along half a cosine, from outer_lr at step 0 to nothing at step n_steps."""
    return lambda step: outer_lr * (1 + math.cos(math.pi * step / n_steps)) / 2


def device_name(device: torch.device) -> str:
    """The hardware in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    n = torch.get_num_threads()
    return f"{models[0] if models else platform.machine()}, {n} thread{'s' if n > 1 else ''}"


def versions() -> dict[str, str]:
    """Of what the numbers depend on."""
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}


def report(run: Run, settings: Settings, *, command: str, about: str, device: torch.device) -> dict[str, Any]:
    """What the JSON says."""
    return {
        "command": command,
        "about": about,
        **settings._asdict(),
        "scores": run.scores,
        "training_seconds": {name: round(s) for name, s in run.training._asdict().items()},
        "evaluation_seconds": {name: round(s) for name, s in run.evaluation._asdict().items()},
        "times_resumed": run.n_resumed,
        "device": device_name(device),
        "versions": versions(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def write(path: Path, result: dict[str, Any]) -> None:
    """Put the JSON in place of the one before, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(result, indent=2) + "\n")
    os.replace(unfinished, path)


def name_of(experiment: str, settings: Settings, defaults: Settings) -> str:
    """A file name that says the experiment, the data, the seed, and what else is not the default."""
    given = {k: v for k, v in settings._asdict().items() if v != getattr(defaults, k)}
    rest = "".join(f"_{k}={v}" for k, v in given.items() if k not in ("data", "seed"))
    return f"{experiment}_{settings.data}_seed={settings.seed}{rest}"


def add_settings(parser: argparse.ArgumentParser, defaults: dict[str, Any]) -> None:
    """An option of the command line for each setting, --outer-lr for outer_lr."""
    for name, default in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
