"""The tables of the pages say what the results say, and those say what was asked."""

import re

import pytest

from experiments import columns, tables
from experiments.runner import HERE
from experiments.speed.loops import LOOP
from reference.results import Row, folder, read, select

ALL = [read(path) for path in sorted(folder().glob("*.json"))]


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.parent.name)
def test_a_page_holds_the_numbers_of_the_results(page):
    text = page.read_text(encoding="utf-8")
    assert tables.fill(text, tables.PAGES[page]) == text, "run: make tables"


def test_a_table_without_a_place_is_named():
    with pytest.raises(ValueError, match="no place for the table 'omniglot'"):
        tables.fill("# Experiments\n", tables.FRONT)


def test_rows_that_agree_share_a_line_and_a_missing_cell_is_empty():
    rows = [
        Row({"seed": 0, "test": "a"}, "accuracy", 0.5, 0.012, 10),
        Row({"seed": 1, "test": "b"}, "accuracy", 0.25, None, 10),
        Row({"seed": 0, "test": "b"}, "error", None, None, 10),
    ]
    assert columns.table(rows, down=("seed",), across="test") == (
        "| seed | a | b |\n| --- | --- | --- |\n| 0 | 50.0 +- 1.2 % | diverges |\n| 1 |  | 25.0 % |\n"
    )


@pytest.mark.parametrize(
    ("measure", "mean", "half_width", "text"),
    [
        ("mean squared error", 2.8361, 0.2216, "2.84 +- 0.22"),
        ("mean squared error", 0.0979, 0.0099, "0.098 +- 0.0099"),
        ("relative distance", 8e-16, None, "8e-16"),
        ("relative distance", 0.0, None, "0e+00"),
        ("times as fast as the loop", 0.43, None, "0.43"),
        ("megabytes, peak", 2638, None, "2638"),
        (columns.AS_PRINTED, 0.9768, 0.0004, "97.68 +- 0.04 %"),
        (columns.AS_PRINTED, 0.987, 0.004, "98.7 +- 0.4 %"),
    ],
)
def test_a_cell_reads_as_its_measure_does(measure, mean, half_width, text):
    assert columns.cell(Row({}, measure, mean, half_width, 10)) == text


def test_three_seeds_reach_what_the_course_promises_on_the_official_split():
    runs = select("omniglot", variant="prototypical", data="alphabets")
    assert {run.settings["seed"] for run in runs} >= {0, 1, 2}
    for run in runs:
        by_test = {(row.about["n_way"], row.about["k_shot"]): row.mean for row in run.rows}
        assert by_test[5, 1] >= 0.975 and by_test[20, 1] >= 0.935
        assert all(row.n == 1000 and 0 < row.half_width < 0.01 for row in run.rows)


@pytest.mark.parametrize("result", ALL, ids=lambda result: f"{result.experiment} {result.variant}")
def test_every_result_says_how_it_came_about(result):
    command = re.fullmatch(r"(OMP_NUM_THREADS=1 )?python -m (experiments[\w.]+)( .*)?", result.command)
    module = HERE.parent / command[2].replace(".", "/")
    assert module.with_suffix(".py").exists() or (module / "__main__.py").exists()
    assert result.rows and "python" in result.versions and result.date


def test_all_runs_of_a_table_have_the_same_settings():
    runs = [
        r for d in ("alphabets", "characters") for r in select("omniglot", variant="prototypical", data=d)
    ]
    assert len({tuple({**run.settings, "data": "", "seed": 0}.values()) for run in runs}) == 1


def measured(variant, measure):
    (result,) = select("speed", variant=variant)
    found = {}
    for row in result.rows:
        if row.measure == measure:
            found.setdefault(row.about["case"], {})[row.about["way"]] = row.mean
    return found


def test_the_recorded_speeds_meet_the_bars():
    # What was measured, not what is: nothing is timed here.
    milliseconds = measured("maml", "milliseconds, median")
    second = milliseconds["second order, 1 inner step"]
    assert second[LOOP] > 10 * second["PyTorch, mean_over_batch"]
    assert second["NumPy engine, mean_over_batch"] <= second["HIPS autograd, tasks at once"]
    assert second["NumPy, by hand"] < second["HIPS autograd, tasks at once"] / 4
    for ways in milliseconds.values():
        assert max(ways["PyTorch, mean_over_batch"], ways["NumPy engine, mean_over_batch"]) < ways[LOOP]

    fast, lean = "mean_over_tasks, channels_last, memory kept", "mean_over_tasks, channels_last"
    times, peaks = (
        measured("maml-images", "times as fast as the loop"),
        measured("maml-images", "megabytes, peak"),
    )
    for case, least in (("second order, 1 inner step", 1.3), ("first order, 1 inner step", 1.4)):
        assert times[f"pooling, {case}"][fast] > least
    at_five_steps = peaks["pooling, second order, 5 inner steps"]
    assert at_five_steps[lean] <= min(at_five_steps[peer] for peer in ("learn2learn", "higher", "torchopt"))


def test_the_recorded_speeds_of_what_compares_and_of_what_writes_meet_theirs():
    times = measured("comparing", "times as fast as plain PyTorch")
    assert all(ways["channels_last and memory kept"] > 1.5 for ways in times.values())
    (result,) = select("speed", variant="ntm")
    heads = {
        row.about["batch"]: row.mean
        for row in result.rows
        if row.measure == "times as fast as a head at a time" and row.about["way"] == "ours"
    }
    assert heads[1] > 1.5 and heads[16] > 3 and heads[64] > 5
