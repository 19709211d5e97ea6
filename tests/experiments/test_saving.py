"""A checkpoint is of one run and of no other, and of one process at a time."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from experiments import saving
from experiments.saving import Job
from reference.pytorch.machine import checkpoints
from reference.results import Row
from reference.rules import adam, each_step, only, sgd
from tests.experiments import tiny

JOB = tiny.job()
W = {"w": torch.arange(3.0), "v": torch.ones(2, 2)}


def test_a_run_comes_back_as_it_was(tmp_path):
    run = tiny.begun(JOB)._replace(step=3, rows=(Row({"a": 1}, "error", 0.5, None, 2),))
    run = run._replace(training=saving.Seconds(2.0, 1.0))
    saving.save(tmp_path / "run", run, JOB)
    found = saving.resume(tmp_path / "run", tiny.begun(JOB), JOB)
    assert tiny.same(found, run)
    assert (found.rows, found.training, found.n_resumed) == (run.rows, run.training, 1)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (JOB._replace(experiment="huge"), "its experiment is 'tiny', that of this run is 'huge'"),
        (tiny.job("fast", outer_lr=0.01, n_steps=6), "its variant is 'slow', that of this run is 'fast'"),
        (tiny.job(outer_lr=0.5), "its settings outer_lr is 0.01, that of this run is 0.5"),
        (tiny.job(seed=1), "its settings seed is 0, that of this run is 1"),
    ],
)
def test_another_run_is_refused_in_one_sentence_and_the_file_left(other, sentence, tmp_path):
    saving.save(tmp_path / "run", tiny.begun(JOB), JOB)
    before = (tmp_path / "run").read_bytes()
    with pytest.raises(ValueError, match=f"checkpoint .*run: {sentence}; move it away"):
        saving.resume(tmp_path / "run", tiny.begun(other), other)
    assert (tmp_path / "run").read_bytes() == before


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"w": torch.zeros(4).double()}, r"its tensors params/w is 'float64\[3\]', .* 'float64\[4\]'"),
        ({"w": torch.zeros(3)}, r"its tensors params/w is 'float64\[3\]', .* 'float32\[3\]'"),
        ({"v": torch.zeros(3)}, r"its tensors params/v is None, .* 'float32\[3\]'"),
        ({}, r"its tensors params/w is 'float64\[3\]', that of this run is None"),
    ],
)
def test_other_tensors_are_refused(params, sentence, tmp_path):
    saving.save(tmp_path / "run", tiny.begun(JOB), JOB)
    run = tiny.begun(JOB)
    other = run._replace(params={k: p for k, p in run.params.items() if k != "w"} | params)
    with pytest.raises(ValueError, match=sentence):
        saving.resume(tmp_path / "run", other, JOB)


def test_a_checkpoint_of_others_is_refused(tmp_path):
    checkpoints.save(tmp_path / "run", {"params": W}, {"step": 3})
    with pytest.raises(ValueError, match="its experiment is None, that of this run is 'tiny'"):
        saving.resume(tmp_path / "run", tiny.begun(JOB), JOB)


@pytest.mark.parametrize(
    "rule", [adam(0.1), sgd(0.1), sgd(0.1, momentum=0.9), only(["v"], adam(0.1)), each_step({})]
)
def test_the_state_of_every_rule_comes_back(rule):
    state = rule.init(W)
    tensors, numbers = saving.leaves(state)
    doubled = {k: v + 2 for k, v in (tensors | numbers).items()}
    assert len(doubled) >= 1
    found = saving.rebuilt(state, doubled)
    assert type(found) is type(state)
    again = {k: v for part in saving.leaves(found) for k, v in part.items()}
    assert again.keys() == doubled.keys() and all(again[k] is doubled[k] for k in again)


def test_names_that_look_like_paths_are_kept_apart():
    state = {"a": {"b": torch.tensor(1.0)}, "a.b": torch.tensor(2.0)}
    with pytest.raises(ValueError, match="two ends of the state have the path 'a.b'"):
        saving.leaves(state)


HOLDS = """
import sys
from pathlib import Path
from experiments import saving
with saving.alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_and_a_killed_one_is_in_nobodys_way(tmp_path):
    command, root = [sys.executable, "-c", HOLDS, tmp_path / "run"], Path(__file__).parents[2]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=root, text=True, **pipes) as first:
        try:
            assert first.stdout.readline() == "held\n"
            with (
                pytest.raises(ValueError, match="run is in use by another process: wait for it or stop it"),
                saving.alone(tmp_path / "run"),
            ):
                raise AssertionError("two at once")
        finally:
            first.kill()
    with saving.alone(tmp_path / "run"):
        pass
    with saving.alone(tmp_path / "run"):
        pass


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: the GPU path was not run")
def test_a_run_comes_back_onto_its_gpu(tmp_path):
    gpu = Job(*JOB[:3], torch.device("cuda"))
    saving.save(tmp_path / "run", tiny.begun(JOB), JOB)
    found = saving.resume(tmp_path / "run", tiny.begun(JOB), gpu)
    assert all(p.is_cuda for p in found.params.values())
