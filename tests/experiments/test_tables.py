"""The tables in experiments/README.md say what the JSON files beside it say, and those say what was asked."""

import json
import re

import pytest

from experiments import tables
from experiments.speed.maml import LOOP


def test_the_readme_holds_the_numbers_of_the_json_files():
    text = tables.README.read_text()
    assert tables.fill(text) == text, "run: python -m experiments.tables"


def test_a_table_without_a_place_is_named():
    with pytest.raises(ValueError, match="no place for the table 'omniglot'"):
        tables.fill("# Experiments\n")


def test_three_seeds_reach_what_the_course_promises_on_the_official_split():
    runs = tables.results("omniglot_prototypical_alphabets_*.json")
    assert {run["seed"] for run in runs} >= {0, 1, 2}
    for run in runs:
        by_test = {(s["n_way"], s["k_shot"]): s["mean"] for s in run["scores"]}
        assert by_test[5, 1] >= 0.975 and by_test[20, 1] >= 0.935
        assert all(s["n_episodes"] == 1000 and 0 < s["half_width"] < 0.01 for s in run["scores"])


def test_every_result_says_how_it_came_about():
    runs = tables.results("*.json")
    assert runs
    for run in runs:
        assert re.fullmatch(r"(OMP_NUM_THREADS=1 )?python -m experiments\.\w+.*", run["command"])
        assert {"data", "seed", "versions", "device", "date", "training_seconds"} <= run.keys()


def test_all_runs_of_the_table_have_the_same_settings():
    keys = ("n_steps", "outer_lr", "n_way", "k_shot", "n_query", "width")
    runs = tables.results("omniglot_prototypical_[ac]*.json")
    assert len({tuple(run[key] for key in keys) for run in runs}) == 1


def test_the_recorded_speeds_meet_the_bars():
    # What was measured, not what is: nothing is timed here.
    sinusoids = json.loads((tables.HERE / "speed" / "maml.json").read_text())["sinusoids"]
    milliseconds = {
        case: {w: row["milliseconds"] for w, row in ways.items()} for case, ways in sinusoids.items()
    }
    second = milliseconds["second order, 1 inner step"]
    assert second[LOOP] > 10 * second["PyTorch, mean_over_batch"]
    assert second["NumPy engine, mean_over_batch"] <= second["HIPS autograd, tasks at once"]
    assert second["NumPy, by hand"] < second["HIPS autograd, tasks at once"] / 4
    for ways in milliseconds.values():
        assert max(ways["PyTorch, mean_over_batch"], ways["NumPy engine, mean_over_batch"]) < ways[LOOP]

    images = json.loads((tables.HERE / "speed" / "maml_images.json").read_text())
    fast, lean = "mean_over_tasks, channels_last, memory kept", "mean_over_tasks, channels_last"
    for case, least in (("second order, 1 inner step", 1.3), ("first order, 1 inner step", 1.4)):
        assert images[f"pooling, {case}"][fast]["times as fast as the loop"] > least
    at_five_steps = images["pooling, second order, 5 inner steps"]
    of_peers = min(at_five_steps[peer]["peak megabytes"] for peer in ("learn2learn", "higher", "torchopt"))
    assert at_five_steps[lean]["peak megabytes"] <= of_peers
