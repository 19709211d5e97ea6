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


def sinusoids() -> str:
    """One row a learner and K: the mean squared error after some gradient steps."""
    rows = [
        [str(run["k_shot"]), row["learner"], str(row["inner_lr"]), *_errors(row)]
        for run in sorted(results("regression_sinusoids_seed=0*.json"), key=lambda run: run["k_shot"])
        for row in run["scores"]
    ]
    return _table(["K", "learner", "inner rate", *(f"{n} steps" for n in SINUSOID_STEPS)], rows)


SINUSOID_STEPS = (0, 1, 5, 10)


def _errors(row: dict[str, Any]) -> list[str]:
    assert tuple(row["inner_steps"]) == SINUSOID_STEPS, row
    pairs = zip(row["mean"], row["half_width"], strict=True)
    return ["diverges" if mean is None else f"{_short(mean)} +- {_short(half)}" for mean, half in pairs]


def _short(error: float) -> str:
    return f"{error:.2f}" if error >= 0.1 else f"{error:.3f}" if error >= 0.01 else f"{error:.4f}"


# 5-way 1-shot on Omniglot: what was trained, what it is called, and the paper's accuracy, with the other
# queries in the batch and without (arXiv:1703.03400, table 1; arXiv:1707.09835, table 2; arXiv:1803.02999,
# table 2, where first-order MAML is too).
GRADIENT_FAMILY = {
    "maml": ("MAML", "98.7 +- 0.4 %", ""),
    "first-order-maml": ("first-order MAML", "98.3 +- 0.5 %", ""),
    "meta-sgd": ("Meta-SGD", "99.53 +- 0.26 %", ""),
    "reptile": ("Reptile, with transduction", "97.68 +- 0.04 %", ""),
    "reptile-alone": ("Reptile, without", "", "95.39 +- 0.09 %"),
}


def gradient_family() -> str:
    """One row a run, transductive and not, beside the papers' numbers."""
    rows = []
    for method, (name, together, alone) in GRADIENT_FAMILY.items():
        for run in results(f"omniglot_{method}_[ac]*.json"):
            by_kind = {(s["learner"], s["transductive"]): s for s in run["scores"]}
            found = [_percent(by_kind["trained", transductive]) for transductive in (True, False)]
            papers = [together, alone] if run["data"] == "characters" else ["", ""]
            split = {"characters": "Vinyals et al.", "alphabets": "official"}[run["data"]]
            steps = f"{run['n_steps']:,} x {run['tasks_per_step']}"
            times = _minutes(run["training_seconds"])
            rows.append(
                [name, split, steps, *(x for pair in zip(found, papers, strict=True) for x in pair), times]
            )
    head = ["method", "split", "outer steps x tasks", "transductive", "paper", "each query alone", "paper"]
    return _table([*head, "minutes of training (of CPU)"], rows)


def _percent(score: dict[str, Any]) -> str:
    return f"{100 * score['mean']:.1f} +- {100 * score['half_width']:.1f} %"


def maml_speed() -> str:
    """One row a way to take an outer step on sinusoids."""
    found = json.loads((HERE / "speed" / "maml.json").read_text())["sinusoids"]
    rows = []
    for case, ways in found.items():
        loop = ways["PyTorch, one task after the other"]["milliseconds"]
        for way, row in ways.items():
            rows.append([case, way, f"{row['milliseconds']:.2f}", f"{loop / row['milliseconds']:.1f}"])
    return _table(
        ["outer step on sinusoids", "way", "milliseconds (median)", "times as fast as the loop"], rows
    )


def maml_images_speed() -> str:
    """One row a way to take an outer step on images."""
    found = json.loads((HERE / "speed" / "maml_images.json").read_text())
    rows = []
    for case, ways in found.items():
        if isinstance(ways, dict) and case != "versions":
            for way, row in ways.items():
                numbers = (row["seconds"], row["times as fast as the loop"], row["peak megabytes"])
                rows.append([case, way, *map(str, numbers)])
    head = ["outer step on images", "way", "seconds (median)", "times as fast as the loop", "peak megabytes"]
    return _table(head, rows)


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


ALL = (omniglot, settings, speed, ledger, sinusoids, gradient_family, maml_speed, maml_images_speed)
FRONT = (omniglot, meta_gradients)


def fill(text: str, tables: tuple[Callable[[], str], ...] = ALL) -> str:
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
    return [_percent(score) for score in run["scores"]]


def _minutes(seconds: dict[str, float]) -> str:
    return f"{seconds['wall'] / 60:.0f} ({seconds['cpu'] / 60:.0f})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


if __name__ == "__main__":
    README.write_text(fill(README.read_text()))
    FRONT_PAGE.write_text(fill(FRONT_PAGE.read_text(), FRONT))
