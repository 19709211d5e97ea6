"""A result comes back as it was written, or the fault is named; `select` finds what was asked for."""

import json

import pytest

from reference import results
from reference.results import Result, Row

ROWS = (
    Row({"learner": "trained", "n_way": 5}, "accuracy", 0.98, 0.002, 1000),
    Row({"learner": "trained", "n_way": 20}, "accuracy", None, None, 1000),
    Row({"learner": "trained", "n_way": 5}, "seconds, median", 0.1, None, 7),
)


def result(variant="maml", seed=0, rows=ROWS, **settings):
    return Result(
        experiment="omniglot",
        variant=variant,
        settings={"seed": seed, "k_shot": 1, **settings},
        rows=rows,
        seconds={"training": {"wall": 2, "cpu": 1}},
        command="python -m this",
        device="a machine",
        versions={"python": "3.11"},
        date="2026-01-01",
    )


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """The results of two variants and two seeds, in a folder of their own."""
    folder = tmp_path / "experiments" / "results"
    for variant in ("maml", "reptile"):
        for seed in (0, 1):
            results.write(folder / f"{variant}_{seed}.json", result(variant, seed))
    monkeypatch.setattr(results, "__file__", str(tmp_path / "reference" / "results.py"))
    return folder


def test_comes_back_as_it_was(tmp_path):
    results.write(tmp_path / "new" / "a.json", result())
    assert results.read(tmp_path / "new" / "a.json") == result()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]


def test_a_row_is_a_line_so_that_a_difference_is_short(tmp_path):
    results.write(tmp_path / "a.json", result())
    lines = (tmp_path / "a.json").read_text(encoding="utf-8").splitlines()
    assert sum('"about"' in line for line in lines) == 3
    assert json.loads("\n".join(lines))["rows"][0]["mean"] == 0.98


def test_select_finds_by_variant_and_settings_in_the_order_of_the_names(stored):
    assert [(r.variant, r.settings["seed"]) for r in results.select("omniglot")] == [
        ("maml", 0),
        ("maml", 1),
        ("reptile", 0),
        ("reptile", 1),
    ]
    assert results.select("omniglot", variant="reptile", seed=1) == [result("reptile", 1)]


@pytest.mark.parametrize(
    "asked", [{"variant": "mam"}, {"seed": 7}, {"shots": 1}, {"variant": "maml", "seed": None}]
)
def test_select_says_what_there_is_where_nothing_fits(asked, stored):
    with pytest.raises(ValueError, match="no result of .*; there are omniglot maml, omniglot reptile"):
        results.select("omniglot", **asked)


def test_the_folder_is_found_from_a_repository_when_the_package_is_elsewhere(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "__file__", str(tmp_path / "site-packages" / "reference" / "results.py"))
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert len(results.select("omniglot")) == 4


def test_without_a_repository_the_remedy_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "__file__", str(tmp_path / "site-packages" / "reference" / "results.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="work in a copy of the repository"):
        results.select("omniglot")


def test_a_row_of_several_results_names_its_own(stored):
    row = results.rows(results.select("omniglot", variant="reptile", seed=1))[1]
    assert row.about == {"variant": "reptile", "seed": 1, "k_shot": 1, "learner": "trained", "n_way": 20}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"experiment": "a"}', "3"])
def test_another_file_is_no_result(text, tmp_path):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="a.json is no result of a run"):
        results.read(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ((ROWS[0], ROWS[0]._replace(mean=0.5)), "two are about"),
        ((ROWS[0]._replace(mean=float("nan")),), "is not finite"),
        ((ROWS[0]._replace(half_width=float("inf")),), "is not finite"),
    ],
)
def test_what_would_be_lost_or_be_no_json_is_refused_and_the_old_file_kept(rows, sentence, tmp_path):
    results.write(tmp_path / "a.json", result())
    with pytest.raises(ValueError, match=sentence):
        results.write(tmp_path / "a.json", result(rows=rows))
    assert results.read(tmp_path / "a.json") == result()


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a").write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt), results.in_place_of(tmp_path / "a") as unfinished:
        unfinished.write_text("half", encoding="utf-8")
        raise KeyboardInterrupt
    assert [(p.name, p.read_text(encoding="utf-8")) for p in tmp_path.iterdir()] == [("a", "old")]
