"""Weights are kept whole and alone, and only those of a finished run."""

import numpy as np
import pytest
import torch

from experiments import runner
from experiments.saving import Job
from experiments.sequences import machines, weights
from reference.pytorch.machine import checkpoints
from tests.experiments.sequences.small import FEW


def test_what_is_kept_is_what_the_run_ended_with(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "HERE", tmp_path)
    job = Job("sequences", "lstm", FEW, torch.device("cpu"))
    runner.carry_out(machines.EXPERIMENT, job, "as tested")
    name = runner.name_of(job, machines.VARIANTS["lstm"])
    groups, notes = checkpoints.load(weights.keep(name, tmp_path))
    run, _ = checkpoints.load(tmp_path / "runs" / f"{name}.safetensors")
    first = machines.begin(job, np.random.default_rng(0))
    assert groups.keys() == {"params"} and groups["params"].keys() == machines.apart(first)[0].keys()
    for key, p in groups["params"].items():
        assert torch.equal(p, run["params"][key])
    assert notes == {"experiment": "sequences", "variant": "lstm", "settings": FEW._asdict()}


def test_a_run_that_goes_on_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "HERE", tmp_path)
    job = Job("sequences", "lstm", FEW, torch.device("cpu"))
    runner.carry_out(machines.EXPERIMENT, job, "as tested")
    name = runner.name_of(job, machines.VARIANTS["lstm"])
    path = tmp_path / "runs" / f"{name}.safetensors"
    groups, notes = checkpoints.load(path)
    checkpoints.save(path, groups, notes | {"step": 1})
    with pytest.raises(ValueError, match="the run is at step 1 of"):
        weights.keep(name, tmp_path)
