"""From the command line to the JSON: the settings are those asked for, and the file says which."""

import importlib
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import pytest
import torch

from experiments import runner, saving
from experiments.saving import Job
from reference.results import read
from tests.experiments import tiny

METHODS = ("omniglot.prototypical", "omniglot.maml", "omniglot.meta_sgd", "omniglot.reptile")
EXPERIMENTS = {
    name: importlib.import_module(f"experiments.{name}").EXPERIMENT
    for name in (*METHODS, "regression.sinusoids")
}
CPU = torch.device("cpu")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "HERE", tmp_path)
    monkeypatch.setattr(runner, "keep_freed_memory", lambda: True)  # else for every test after this one
    return tmp_path


def name_of(experiment, variant, settings):
    return runner.name_of(Job(experiment.name, variant, settings, CPU), experiment.variants[variant])


@pytest.mark.parametrize(
    "arguments", [["reptile", "--seed", "1"], ["--seed", "1", "reptile"], ["--seed=1", "reptile"]]
)
def test_the_settings_are_those_of_the_variant_wherever_its_name_stands(arguments):
    reptile = EXPERIMENTS["omniglot.reptile"]
    assert runner.parse(reptile, arguments) == {"reptile": reptile.variants["reptile"]._replace(seed=1)}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_run_with_the_variants_own_settings_has_the_plain_name(name):
    experiment = EXPERIMENTS[name]
    for variant, settings in runner.parse(experiment, []).items():
        assert settings == experiment.variants[variant]
        assert name_of(experiment, variant, settings) == (
            f"{experiment.name}_{variant}_{settings.data}_seed={settings.seed}"
        )


def test_no_two_runs_share_a_file():
    names = []
    for experiment in {id(e): e for e in EXPERIMENTS.values()}.values():
        for variant, settings in experiment.variants.items():
            for field, value in product(settings._fields, (1, 2, 0.25)):
                if field != "data" and getattr(settings, field) != value:
                    names.append(name_of(experiment, variant, settings._replace(**{field: value})))
    assert len(names) == len(set(names)) > 100


def test_without_a_variant_all_run_and_options_go_to_each():
    found = runner.parse(tiny.EXPERIMENT, ["--seed", "3"])
    assert found == {variant: own._replace(seed=3) for variant, own in tiny.VARIANTS.items()}
    assert list(runner.parse(tiny.EXPERIMENT, ["fast"])) == ["fast"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fsat"], "got the variant 'fsat'; there are slow, fast"),
        (["--n-steps", "-1"], "got -1; a number from 0 on is needed"),
        (["--n-steps", "1e3"], "invalid int value: '1e3'"),
        (["--outer-lr", "nan"], "got nan; a number from 0 on is needed"),
        (["--outer-lr", "inf"], "got inf"),
        (["--data", "lines"], "invalid choice: 'lines'"),
        (["--n-step", "3"], "unrecognized arguments: --n-step"),
    ],
)
def test_what_cannot_be_asked_is_said(arguments, sentence, capsys):
    with pytest.raises(SystemExit):
        runner.parse(tiny.EXPERIMENT, arguments)
    assert sentence in capsys.readouterr().err


def test_a_run_leaves_a_result_that_says_what_ran(here, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    runner.main(tiny.EXPERIMENT, ["fast", "--seed", "2"])
    result = read(here / "results" / "tiny_fast_points_seed=2.json")
    assert (result.experiment, result.variant) == ("tiny", "fast")
    assert result.settings == tiny.VARIANTS["fast"]._replace(seed=2)._asdict()
    assert result.command.startswith("OMP_NUM_THREADS=1 python -m ")
    assert result.command.endswith(" fast --seed 2")
    assert result.versions["torch"] == torch.__version__ and result.device and result.note == ""
    assert result.seconds.keys() == {"training", "evaluation"}
    assert [row.about for row in result.rows] == [{"learner": "trained"}, {"learner": "untrained"}]


def test_the_same_command_again_trains_and_judges_nothing_anew(here, monkeypatch):
    runner.main(tiny.EXPERIMENT, ["slow"])
    first = read(here / "results" / "tiny_slow_points_seed=0.json")
    monkeypatch.setattr(tiny, "draw", None)
    runner.main(tiny.EXPERIMENT, ["slow"])
    again = read(here / "results" / "tiny_slow_points_seed=0.json")
    assert again.rows == first.rows and again.note == "stopped and resumed once"


def test_a_foreign_checkpoint_ends_in_a_sentence(here):
    runner.main(tiny.EXPERIMENT, ["slow"])
    slow, fast = (here / "runs" / f"tiny_{name}_points_seed=0.safetensors" for name in ("slow", "fast"))
    slow.rename(fast)
    with pytest.raises(SystemExit, match="its variant is 'slow', that of this run is 'fast'"):
        runner.main(tiny.EXPERIMENT, ["fast"])
    fast.write_bytes(fast.read_bytes()[:100])
    with pytest.raises(SystemExit, match="is damaged"):
        runner.main(tiny.EXPERIMENT, ["fast"])


def test_a_run_that_goes_to_infinity_ends_in_a_sentence(here, monkeypatch):
    monkeypatch.setattr(tiny, "draw", lambda rng: torch.full((3,), torch.inf).double())
    with pytest.raises(SystemExit, match="the loss is inf"):
        runner.main(tiny.EXPERIMENT, ["slow"])


SLOWLY = """
import signal, sys, time
from pathlib import Path
from experiments import runner
from tests.experiments import tiny

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
runner.HERE, draw = Path(sys.argv[1]), tiny.draw
def slowly(rng):
    time.sleep(0.02)
    return draw(rng)
tiny.draw = slowly
runner.main(tiny.EXPERIMENT, ["slow", "--n-steps", "300"])
"""


def test_a_run_is_one_processs_and_after_ctrl_c_goes_on_to_the_same_end(here, tmp_path_factory, monkeypatch):
    arguments = ["slow", "--n-steps", "300"]
    command, root = [sys.executable, "-c", SLOWLY, here], Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, text=True, stderr=subprocess.PIPE) as first:
        lock = here / "runs" / "tiny_slow_points_seed=0_n_steps=300.safetensors.lock"
        while not lock.exists() and first.poll() is None:
            time.sleep(0.01)
        time.sleep(0.3)  # some steps
        with pytest.raises(SystemExit, match="in use by another process"):
            runner.main(tiny.EXPERIMENT, arguments)
        first.send_signal(signal.SIGINT)
        said = first.communicate()[1]
    assert first.returncode == 1
    assert said.rstrip().endswith("stopped; what was done is saved: the same command goes on from there.")

    job, ends = tiny.job(n_steps=300), []
    for folder in (here, tmp_path_factory.mktemp("whole")):
        monkeypatch.setattr(runner, "HERE", folder)
        runner.main(tiny.EXPERIMENT, arguments)
        checkpoint = folder / "runs" / lock.name.removesuffix(".lock")
        ends.append(saving.resume(checkpoint, tiny.begun(job), job))
    assert [run.n_resumed for run in ends] == [2, 1]
    assert ends[0].step == 300 and tiny.same(*ends)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_methods_file_ends_in_the_runner_and_imports_no_other_methods(name):
    file = Path(runner.__file__).parent / f"{name.replace('.', '/')}.py"
    text = file.read_text(encoding="utf-8")
    assert text.endswith('if __name__ == "__main__":\n    runner.main(EXPERIMENT)\n')
    assert not [other for other in METHODS if other != name and f"experiments.{other}" in text]
