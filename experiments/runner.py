"""Carries out an experiment from its command line to its JSON: the last line of each method's file.

    python -m experiments.omniglot.maml first-order-maml --seed 1

Without a variant all of the file's run, one after the other. The same command goes on where a run stopped.
"""

import argparse
import math
import os
import platform
import shlex
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np
import torch

from experiments import saving, training
from experiments.saving import Job, Run, Settings
from experiments.training import Evaluation, Training
from reference.params import Params
from reference.pytorch.machine.speed import keep_freed_memory
from reference.results import Result, write

HERE = Path(__file__).parent


class Experiment(NamedTuple):
    """One file of a method: what can be run, and how."""

    name: str  # the folder's, which is that of the data
    variants: dict[str, Settings]  # each with its own defaults
    begin: Callable[[Job, np.random.Generator], Params]  # the parameters before the first step
    train: Callable[[Job], Training]
    tests: Callable[[Job, Params, Params], Iterable[Evaluation]]  # of the first and the last parameters


def main(experiment: Experiment, arguments: list[str] | None = None) -> None:
    """Train (or go on), judge (or go on), and leave a result for each variant that was asked for."""
    arguments = sys.argv[1:] if arguments is None else arguments
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    keep_freed_memory()
    try:
        for variant, settings in parse(experiment, arguments).items():
            print(
                f"{experiment.name} {variant}: {', '.join(f'{k}={v}' for k, v in settings._asdict().items())}"
            )
            carry_out(experiment, Job(experiment.name, variant, settings, device), command(arguments))
    except KeyboardInterrupt:
        sys.exit("stopped; what was done is saved: the same command goes on from there.")
    except (ValueError, FloatingPointError, OSError) as error:  # what they say is for the reader
        sys.exit(str(error))


def carry_out(experiment: Experiment, job: Job, command: str) -> Result:
    """The result of one variant, which is then in experiments/results/."""
    name = name_of(job, experiment.variants[job.variant])
    checkpoint = HERE / "runs" / f"{name}.safetensors"
    with saving.alone(checkpoint):
        rng = np.random.default_rng(job.settings.seed)
        start = experiment.begin(job, rng)
        how = experiment.train(job)
        run = training.begin(start, how.rule, rng)
        if checkpoint.exists():
            run = saving.resume(checkpoint, run, job)
        if run.step < job.settings.n_steps:
            run = training.train(run, how, job, checkpoint=checkpoint)
        run = training.judge(run, experiment.tests(job, start, run.params), job, checkpoint=checkpoint)
    result = report(run, job, command)
    write(HERE / "results" / f"{name}.json", result)
    return result


def parse(experiment: Experiment, arguments: list[str]) -> dict[str, Settings]:
    """The variants that the command line asks for, with their own settings but for the options given."""
    some = next(iter(experiment.variants.values()))
    parser = argparse.ArgumentParser(description=experiment.name, allow_abbrev=False)
    parser.add_argument("variants", nargs="*", help=f"of {', '.join(experiment.variants)}; without one, all")
    for name, kind in get_type_hints(type(some)).items():
        words = get_args(kind) if get_origin(kind) is Literal else None
        convert = str if words else numeral(kind)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=convert, choices=words, default=argparse.SUPPRESS
        )
    given = vars(parser.parse_args(arguments))
    asked = dict.fromkeys(given.pop("variants")) or experiment.variants
    if unknown := [variant for variant in asked if variant not in experiment.variants]:
        parser.error(f"got the variant {unknown[0]!r}; there are {', '.join(experiment.variants)}.")
    return {variant: experiment.variants[variant]._replace(**given) for variant in asked}


def numeral(kind: type) -> Callable[[str], Any]:
    """What makes a number of an option. No setting is negative or infinite."""

    def convert(text: str) -> Any:
        if not 0 <= (number := kind(text)) < math.inf:
            raise argparse.ArgumentTypeError(f"got {text}; a number from 0 on is needed")
        return number

    convert.__name__ = kind.__name__  # argparse names it in its message
    return convert


def name_of(job: Job, defaults: Settings) -> str:
    """A file's name: experiment, variant, data, seed, and what else is not the variant's own."""
    given = {k: v for k, v in job.settings._asdict().items() if v != getattr(defaults, k)}
    rest = "".join(f"_{k}={v}" for k, v in given.items() if k not in ("data", "seed"))
    return f"{job.experiment}_{job.variant}_{job.settings.data}_seed={job.settings.seed}{rest}"


def report(run: Run, job: Job, command: str) -> Result:
    """What the JSON says."""
    clocks = {"training": run.training, "evaluation": run.evaluation}
    times = "once" if run.n_resumed == 1 else f"{run.n_resumed} times"
    return Result(
        **job.names(),
        rows=run.rows,
        seconds={what: {clock: round(s) for clock, s in s._asdict().items()} for what, s in clocks.items()},
        command=command,
        device=device_name(job.device),
        versions=versions(),
        date=today(),
        note=f"stopped and resumed {times}" if run.n_resumed else "",
    )


def command(arguments: list[str]) -> str:
    """What was typed, to be typed again."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    threads = os.environ.get("OMP_NUM_THREADS")
    words = shlex.join(["python", "-m", spec.name if spec else "experiments", *arguments])
    return f"OMP_NUM_THREADS={threads} {words}" if threads else words


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


def today() -> str:
    return datetime.now(UTC).date().isoformat()
