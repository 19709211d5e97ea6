"""The margins of claims: what is measured, what is moved, and what is called near."""

import json
import re

import pytest

from notebooks import arithmetic, claims, margins
from notebooks.build import chapters
from tests.notebooks.chapters import stored
from tests.notebooks.form import code_cells, printed

HEAD = "# %%\nimport numpy as np\nfrom reference.checks import claim\n\n# %%\n"


def chapter(folder, *cells):
    """A source file with these code cells."""
    path = folder / "05_words.py"
    path.write_text(HEAD + "\n\n# %%\n".join(cells), encoding="utf-8")
    return path


def run(folder, *cells, shift=0):
    """(holds, margin) of every claim."""
    found = margins.run(chapter(folder, *cells), shift)
    return [(entry["holds"], entry["margin"] and round(entry["margin"], 9)) for entry in found]


@pytest.mark.parametrize(
    ("condition", "margin"),
    [
        ("x < 5", 2),
        ("5 > x", 2),
        ("1 < x <= 5", 2),
        ("x > 2 and x < 10", 1),
        ("not x > 5", 2),
        ("np.all(np.array([1, 2, 3]) < 3.5)", 0.5),
        ("(x > 2) & (x < 10)", 1),
        ("np.isclose(x, 3)", 1),
        ("np.allclose([1.0, 2.0], [1.0, 2.0])", 1),
        ("not np.isclose(x, 4, rtol=0, atol=0.5)", 1),
        ("np.all(np.array([1, 9]) < 5) or x < 10", 7),
        ("x == 3", None),
        ("{1} == {1}", None),
        ("'a' in 'abc'", None),
    ],
)
def test_the_smallest_margin_of_its_comparisons_is_measured(condition, margin, tmp_path):
    assert run(tmp_path, f"x = 3\nclaim('So.', {condition}, x)") == [(True, margin)]


def test_a_claim_that_fails_is_recorded_with_what_it_lacks(tmp_path):
    assert run(tmp_path, "x = 3\nclaim('So.', x > 5, x)", "claim('Then.', x < 4, x)") == [
        (False, -2),
        (True, 1),
    ]


def test_a_condition_that_was_worked_out_before_is_measured_too(tmp_path):
    cells = (
        "x = 3\nholds = x < 5",
        "def below(y):\n    return y < 4\n\n\nboth = all(below(y) for y in (x, 1))",
    )
    assert run(tmp_path, *cells, "claim('A.', holds)\nclaim('B.', both)\nclaim('C.', below(x))") == [
        (True, 2),
        (True, 1),
        (True, 1),
    ]


def test_seeds_are_moved_where_they_are_used_and_not_in_exercises(tmp_path):
    cells = (
        "draw = lambda seed: np.random.default_rng(seed).random()\nclaim('A.', draw(2) < 2)",
        "a, b = np.random.default_rng([5, 1]).random(), np.random.default_rng([1005, 1]).random()\n"
        "claim('B.', abs(a - b) < 1)",
        "c = np.random.default_rng(1002).random()\nclaim('C.', abs(c - draw(1002)) < 1)",
    )
    still, moved = run(tmp_path, *cells), run(tmp_path, *cells, shift=1000)
    assert still[0] != moved[0] and still[1] != moved[1] and still[2] == moved[2] == (True, 1)
    path = chapter(tmp_path, "")
    test = '\n\n# %% test="draw" points=1\nclaim("T.", np.random.default_rng(2).random() < 1)\n'
    path.write_text(path.read_text() + test)
    (tree,) = [tree for cell, tree in margins.measured(path, moved=True) if "nbgrader" in cell.metadata]
    assert "__margins__" not in margins.ast.unparse(tree)


def test_a_cell_that_stops_or_warns_counts_as_a_claim_that_does_not_hold(tmp_path):
    cells = ["1 / 0", "_ = np.array([1.0]) / np.array([0.0])"]
    first, second = margins.run(chapter(tmp_path, *cells))
    assert "ZeroDivisionError" in first["claim"] and "divide by zero" in second["claim"]
    assert not first["holds"] and not second["holds"]


def test_a_run_whose_reader_is_gone_ends_and_is_no_verdict_on_the_chapter(tmp_path):
    with pytest.raises(BrokenPipeError):
        margins.run(chapter(tmp_path, "raise BrokenPipeError('gone')", "claim('So.', True)"))


def test_prose_and_evidence_may_change_without_a_new_run(tmp_path):
    def code(cell):
        claims._code.cache_clear()
        return claims._code(chapter(tmp_path, cell))

    same = code("x = 1\nclaim('So.', x < 2, x)")
    assert code("x = 1  # a remark\nclaim('So.', x < 2, x, 'more')") == same
    assert code("x = 1\nclaim('So.', x < 3, x)") != same


def entry(margin, holds=True, claim="So."):
    return {"claim": claim, "holds": holds, "margin": margin, "part": margin}


def test_the_table_gathers_runs_and_names_what_is_near(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "RUNS", tmp_path)
    runs = {
        "a": [entry(1.0, claim="Far."), entry(0.15, claim="Near."), entry(None, claim="Exact."), entry(0.1)],
        "b": [
            entry(1.1, claim="Far."),
            entry(0.3, claim="Near."),
            entry(None, claim="Exact."),
            entry(-0.1, False),
        ],
    }
    source = chapter(tmp_path, "")
    (tmp_path / source.stem).mkdir()
    for name, found in runs.items():
        (tmp_path / source.stem / f"{name}.json").write_text(json.dumps({"code": "", "claims": found}))
    far, near, exact, failed = rows = claims.gather(source, ["a", "b"])
    assert (far["held"], far["of"], far["margin"], far["moved"]) == (2, 2, 1.0, 0.1)
    assert (exact["margin"], failed["held"], failed["margin"]) == (None, 1, -0.1)
    assert [claims.is_near(row) for row in rows] == [False, True, False, True]
    page = claims.table({source.stem: rows}, "Under other arithmetic")
    assert "| 05_words | 4 | 3 | 2 |" in page
    assert "Near." in page and "Far." not in page and "| 05 | So. | 1 of 2 | -0.1 | 0.2 |" in page


def test_a_run_that_is_there_is_not_run_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(claims, "RUNS", tmp_path)
    source = chapter(tmp_path, "claim('So.', 1 < 2, 1)")
    claims._code.cache_clear()
    started = []
    monkeypatch.setattr(claims, "_start", lambda *about: started.append(about[1]) or 1.0)
    claims._one(source, "a", 0)
    claims.run_all([source], {"a": ({}, 0), "b": ({}, 0)})
    assert started == ["b"] and "1 of 1: 05_words, b" in capsys.readouterr().out


def test_every_value_of_every_variable_is_tried_at_least_once():
    tried = {(key, value) for setting in arithmetic.SETTINGS.values() for key, value in setting.items()}
    wanted = {
        ("OPENBLAS_CORETYPE", "Prescott"),
        ("OPENBLAS_CORETYPE", "Haswell"),
        ("OPENBLAS_CORETYPE", "SkylakeX"),
        ("ATEN_CPU_CAPABILITY", "default"),
        ("ATEN_CPU_CAPABILITY", "avx2"),
        ("NPY_DISABLE_CPU_FEATURES", arithmetic.ALL),
        ("OMP_NUM_THREADS", "1"),
        ("OMP_NUM_THREADS", "2"),
    }
    assert wanted <= tried


def test_what_a_machine_presets_does_not_reach_a_setting(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert "OPENBLAS_CORETYPE" not in arithmetic.environment("own")
    assert arithmetic.environment("Prescott")["OPENBLAS_CORETYPE"] == "Prescott"


def test_a_kernel_that_is_asked_for_is_the_one_that_runs():
    found = {name: arithmetic.what_runs(arithmetic.environment(name)) for name in ("Prescott", "Haswell")}
    assert found["Prescott"]["torch"] == "DEFAULT" and found["Prescott"]["numpy"] == []
    assert found["Prescott"]["blas"] != found["Haswell"]["blas"]


def test_the_settings_that_failed_are_named(monkeypatch, capfd):
    monkeypatch.setattr(arithmetic, "names", lambda: ["own", "Prescott"])
    monkeypatch.setattr(arithmetic, "what_runs", lambda env: {"numpy": []})
    fails = "import os, sys; sys.exit('OPENBLAS_CORETYPE' in os.environ)"
    with pytest.raises(SystemExit, match="Failed under the arithmetic of Prescott"):
        arithmetic.main([claims.sys.executable, "-c", fails])
    arithmetic.main([claims.sys.executable, "-c", ""])
    assert "Passed under the arithmetic of own; Prescott." in capfd.readouterr().out


@pytest.mark.parametrize("source", chapters(), ids=lambda source: source.stem)
def test_every_claim_was_tried_under_other_arithmetic_and_held(source):
    told = "run: python -m notebooks.claims --arithmetics " + source.stem[:2]
    assert claims.TABLE.exists(), told
    rows = json.loads(claims.TABLE.read_text(encoding="utf-8"))["arithmetics"].get(source.stem, [])
    lines = "\n".join(printed(cell) for cell in code_cells(stored(source)))
    said = set(re.findall(r"^(.+) \[here: .*\]$", lines, re.MULTILINE))
    assert said <= {row["claim"] for row in rows}, told
    assert [row["claim"] for row in rows if row["claim"] in said and row["held"] < row["of"]] == []
