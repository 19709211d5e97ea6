"""The tables of README.md, written from the JSON files beside it so that they cannot drift.

python -m experiments.tables
"""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TESTS = ("5-way 1-shot", "5-way 5-shot", "20-way 1-shot", "20-way 5-shot")
SNELL = dict(zip(TESTS, (98.8, 99.7, 96.0, 98.9), strict=True))  # arXiv:1703.05175, table 1
SPLITS = {"alphabets": "official", "characters": "Vinyals et al."}


def omniglot() -> str:
    """One row a run, and the paper's."""
    rows = [["Snell et al. 2017", "Vinyals et al.", *(f"{SNELL[test]} %" for test in TESTS), ""]]
    for protocol, split in SPLITS.items():
        for run in _results(f"omniglot_prototypical_{protocol}_*.json"):
            rows.append([f"seed {run['seed']}", split, *_scores(run), _minutes(run)])
    return _table(["run", "split", *TESTS, "training, minutes (of CPU)"], rows)


def settings() -> str:
    """One row a short run on held-out background alphabets."""
    rows = [
        [
            f"{run['n_way']}-way {run['k_shot']}-shot",
            f"{run['outer_lr']:g}",
            str(run["n_steps"]),
            *_scores(run),
        ]
        for run in _results("omniglot_prototypical_held-out_*.json")
    ]
    return _table(["trained on", "outer_lr", "n_steps", *TESTS], rows)


def speed() -> str:
    """One row a way to take one training step."""
    result = json.loads((HERE / "speed" / "prototypical.json").read_text())
    rows = [
        [name, f"{median:.3f}", f"{result['seconds']['as it comes'] / median:.1f} x"]
        for name, median in result["seconds"].items()
    ]
    return _table(["training episode", "seconds (median)", "faster than as it comes"], rows)


def fill(text: str) -> str:
    """The README with each table between its markers written anew."""
    for make in (omniglot, settings, speed):
        begin, end = f"<!-- table: {make.__name__} -->\n", "<!-- end -->"
        before, found, after = text.partition(begin)
        if not found:
            raise ValueError(f"README.md has no line {begin.strip()!r}; the table needs its place.")
        text = before + begin + make() + end + after.partition(end)[2]
    return text


def _results(pattern: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((HERE / "results").glob(pattern))]


def _scores(run: dict[str, Any]) -> list[str]:
    scores = (run["scores"][test] for test in TESTS)
    return [f"{100 * s['mean']:.1f} +- {100 * s['half_width']:.1f} %" for s in scores]


def _minutes(run: dict[str, Any]) -> str:
    return f"{run['training_wall_seconds'] / 60:.0f} ({run['training_cpu_seconds'] / 60:.0f})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


if __name__ == "__main__":
    readme = HERE / "README.md"
    readme.write_text(fill(readme.read_text()))
