"""The long experiment in the small: it resumes exactly, refuses what does not fit, reports what it did."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments import omniglot_prototypical as experiment
from experiments import runs
from reference.tasks.bank import make_bank

CPU = torch.device("cpu")
SETTINGS = experiment.Settings(n_steps=6, n_way=3, k_shot=1, n_query=2, width=4)

# What a user would type, on a tiny bank, killed while it draws the episode of its fifth step.
KILLED = """
import os, signal, sys
from pathlib import Path
from reference.tasks.bank import FewShot
from tests.experiments import test_omniglot_prototypical as tiny

sample, drawn = FewShot.sample, []
def sample_until_killed(self, rng):
    drawn.append(1)
    if len(drawn) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return sample(self, rng)
FewShot.sample = sample_until_killed

run, net = tiny.begun()
tiny.experiment.train(run, net, tiny.bank(), tiny.SETTINGS, checkpoint=Path(sys.argv[1]), save_every_s=0)
"""


def bank():
    images = np.random.default_rng(0).integers(0, 256, (25 * 12, 28, 28), dtype=np.uint8)
    names = [f"class {i}" for i in range(25)]
    return make_bank(images, np.repeat(np.arange(25), 12), names=names, groups=["one"] * 25)


def begun(device=CPU):
    net = experiment.network(SETTINGS, device)
    return experiment.begin(net, SETTINGS, device), net


def trained(checkpoint, device=CPU):
    return experiment.train(*begun(device), bank(), SETTINGS, checkpoint=checkpoint, save_every_s=0)


def resumed(checkpoint, settings=SETTINGS, device=CPU):
    run, net = begun(device)
    return runs.resume(checkpoint, run, settings), net


def same_state(a, b):
    pairs = [(a.params, b.params), (a.state.mean, b.state.mean), (a.state.square, b.state.square)]
    pairs += [(a.buffers, b.buffers)]
    return all(torch.equal(x[k], y[k]) for x, y in pairs for k in x) and a.state.step == b.state.step


def test_a_killed_run_goes_on_to_the_weights_of_an_uninterrupted_one(tmp_path):
    command = [sys.executable, "-c", KILLED, tmp_path / "killed"]
    killed = subprocess.run(command, capture_output=True, cwd=Path(__file__).parents[2])
    assert killed.returncode == -9, killed.stderr.decode()
    run, net = resumed(tmp_path / "killed")
    assert (run.state.step, run.n_resumed) == (4, 1)
    run = experiment.train(run, net, bank(), SETTINGS, checkpoint=tmp_path / "killed")
    assert run.state.step == 6
    assert same_state(run, trained(tmp_path / "whole"))


def test_the_last_step_is_always_saved(tmp_path):
    run = experiment.train(*begun(), bank(), SETTINGS, checkpoint=tmp_path / "run", save_every_s=1e9)
    assert same_state(run, resumed(tmp_path / "run")[0])


def test_an_evaluation_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "N_TEST_EPISODES", 4)
    trained(tmp_path / "run")
    run, net = resumed(tmp_path / "run")
    run = runs.test(run, experiment.tests(run, net, bank()), SETTINGS, checkpoint=tmp_path / "run")
    runs.save(tmp_path / "half", run._replace(scores=run.scores[:2]), SETTINGS)
    half, net = resumed(tmp_path / "half")
    half = runs.test(half, experiment.tests(half, net, bank()), SETTINGS, checkpoint=tmp_path / "half")
    assert half.scores == run.scores
    assert [(s["n_way"], s["k_shot"], s["n_episodes"]) for s in run.scores] == [
        (5, 1, 4),
        (5, 5, 4),
        (20, 1, 4),
        (20, 5, 4),
    ]


def test_a_run_with_other_settings_is_refused(tmp_path):
    trained(tmp_path / "run")
    other = SETTINGS._replace(outer_lr=0.5)
    with pytest.raises(ValueError, match=r"'outer_lr': 0\.004.*, not .*'outer_lr': 0\.5.*move it away"):
        resumed(tmp_path / "run", other)


def test_a_damaged_checkpoint_is_refused_and_kept(tmp_path):
    trained(tmp_path / "run")
    damaged = (tmp_path / "run").read_bytes()[:-10]
    (tmp_path / "run").write_bytes(damaged)
    with pytest.raises(ValueError, match="run is damaged"):
        resumed(tmp_path / "run")
    assert (tmp_path / "run").read_bytes() == damaged


def test_the_rate_falls_from_the_outer_lr_to_nothing():
    rate = runs.cosine(0.4, 100)
    assert [rate(0), rate(50)] == pytest.approx([0.4, 0.2])
    assert 0 < rate(99) < 0.001
    assert all(rate(i) > rate(i + 1) for i in range(99))


def test_the_report_says_what_ran_and_is_json(tmp_path):
    run = trained(tmp_path / "run")
    result = runs.report(run, SETTINGS, command="python -m this", about="that", device=CPU)
    runs.write(tmp_path / "results" / "run.json", result)
    back = json.loads((tmp_path / "results" / "run.json").read_text())
    assert back["command"] == "python -m this" and back["seed"] == 0 and back["n_steps"] == 6
    assert back["versions"]["torch"] == torch.__version__
    assert {
        "device",
        "date",
        "training_seconds",
        "evaluation_seconds",
        "times_resumed",
        "scores",
    } <= back.keys()
    assert [p.name for p in (tmp_path / "results").iterdir()] == ["run.json"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: the GPU path was not run")
def test_trains_and_resumes_on_a_gpu(tmp_path):
    run = trained(tmp_path / "run", torch.device("cuda"))
    assert all(p.is_cuda for p in run.params.values())
    assert same_state(run, resumed(tmp_path / "run", device=torch.device("cuda"))[0])
