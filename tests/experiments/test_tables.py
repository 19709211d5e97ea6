"""The tables in experiments/README.md say what the JSON files beside it say, and those say what was asked."""

import re

import pytest

from experiments import tables


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
