"""The tables of README.md, here and in the root, written from the JSON files so that they cannot drift.

python -m experiments.tables
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
README = HERE / "README.md"
FRONT_PAGE = HERE.parent / "README.md"
TESTS = ["5-way 1-shot", "5-way 5-shot", "20-way 1-shot", "20-way 5-shot"]
SNELL = ["98.8 %", "99.7 %", "96.0 %", "98.9 %"]  # arXiv:1703.05175, table 1


def results(pattern: str) -> list[dict[str, Any]]:
    """The JSON files of results/ that match, in the order of their names."""
    return [json.loads(path.read_text()) for path in sorted((HERE / "results").glob(pattern))]


def omniglot() -> str:
    """One row a run, and the paper's."""
    rows = [
        [split, f"seed {run['seed']}", *_scores(run), _minutes(run["training_seconds"])]
        for split, protocol in (("official", "alphabets"), ("Vinyals et al.", "characters"))
        for run in results(f"omniglot_prototypical_{protocol}_*.json")
    ]
    rows.append(["Vinyals et al.", "Snell et al. 2017", *SNELL, ""])
    return _table(["split", "run", *TESTS, "minutes of training (of CPU)"], rows)


def settings() -> str:
    """One row a short run that was evaluated on held-out background alphabets."""
    rows = [
        [f"{run['k_shot']} shot", f"{run['outer_lr']:g}", str(run["n_steps"]), *_scores(run)]
        for run in results("omniglot_prototypical_held-out_*.json")
    ]
    return _table(["60-way, 5 queries,", "outer_lr", "n_steps", *TESTS], rows)


def speed() -> str:
    """One row a way to take a training step."""
    seconds = json.loads((HERE / "speed" / "prototypical.json").read_text())["seconds"]
    rows = [[name, f"{s:.3f}", f"{seconds['as it comes'] / s:.1f}"] for name, s in seconds.items()]
    return _table(["one training step", "seconds (median)", "times as fast as it comes"], rows)


def ledger() -> str:
    """One row a meta-gradient and problem: how far the engine is from three other ways to compute it."""
    ways = ["by hand", "central differences", "PyTorch"]
    rows = [[row["meta-gradient"], row["problem"], *(_error(row[way]) for way in ways)] for row in _ledger()]
    return _table(["meta-gradient", "problem", *ways], rows)


def meta_gradients() -> str:
    """The same in short: the larger error of both problems."""
    ways = ["by hand", "central differences", "PyTorch"]
    worst: dict[str, list[float]] = {}
    for row in _ledger():
        before = worst.get(row["meta-gradient"], [0.0, 0.0, 0.0])
        worst[row["meta-gradient"]] = [max(b, row[way] or 0) for b, way in zip(before, ways, strict=True)]
    return _table(["meta-gradient", *ways], [[name, *map(_error, found)] for name, found in worst.items()])


def _ledger() -> list[dict[str, Any]]:
    return json.loads((HERE / "ledger.json").read_text())["errors"]


def _error(error: float | None) -> str:
    return "" if error is None else f"{error:.0e}"


def fill(text: str, tables: tuple[Callable[[], str], ...] = (omniglot, settings, speed)) -> str:
    """text with what stands between the markers of each of the tables written anew."""
    for make in tables:
        begin, end = f"<!-- table: {make.__name__} -->\n", "<!-- end of table -->"
        before, found, after = text.partition(begin)
        if not (found and end in after):
            raise ValueError(f"README.md has no place for the table {make.__name__!r}: {begin}{end}")
        text = before + begin + make() + end + after.partition(end)[2]
    return text


def _scores(run: dict[str, Any]) -> list[str]:
    kinds = [f"{s['n_way']}-way {s['k_shot']}-shot" for s in run["scores"]]
    assert kinds == TESTS, kinds
    return [f"{100 * s['mean']:.1f} +- {100 * s['half_width']:.1f} %" for s in run["scores"]]


def _minutes(seconds: dict[str, float]) -> str:
    return f"{seconds['wall'] / 60:.0f} ({seconds['cpu'] / 60:.0f})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


if __name__ == "__main__":
    README.write_text(fill(README.read_text()))
    FRONT_PAGE.write_text(fill(FRONT_PAGE.read_text(), (omniglot,)))
