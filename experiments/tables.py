"""The tables of the pages, written from the results so that they cannot drift.

    python -m experiments.tables

A page holds a table between two marks, `<!-- table: NAME -->` and `<!-- end of table -->`.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from experiments.runner import HERE
from reference.evaluation import Score
from reference.results import Result, Row, rows, select

KINDS = ("5-way 1-shot", "5-way 5-shot", "20-way 1-shot", "20-way 5-shot")
SPLITS = {"alphabets": "official", "characters": "mixed", "vinyals": "the paper's"}
AS_PRINTED = "accuracy, as a paper prints it"
MINUTES = "minutes of training (of CPU)"


def table(rows: Iterable[Row], *, down: tuple[str, ...], across: str) -> str:
    """One line for each group of rows that agree in `down`, one column for each value of `across`.

    Lines and columns stand in the order in which they come up first; a cell says what its row measured.
    """
    lines: dict[tuple, dict[str, str]] = {}
    for row in rows:
        lines.setdefault(tuple(str(row.about[name]) for name in down), {})[row.about[across]] = cell(row)
    columns = list(dict.fromkeys(column for line in lines.values() for column in line))
    cells = [[*head, *(line.get(column, "") for column in columns)] for head, line in lines.items()]
    return in_columns([[*down, *map(str, columns)], *cells])


def in_columns(lines: list[list[str]]) -> str:
    """The lines as a table, the first as its head."""
    return "".join(
        "| " + " | ".join(line) + " |\n" for line in [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    )


def cell(row: Row) -> str:
    """A number as its measure is read."""
    if row.mean is None:
        return "diverges"
    if row.measure == AS_PRINTED:
        interval = "" if row.half_width is None else f" +- {100 * row.half_width:.2g}"
        return f"{100 * row.mean:.4g}{interval} %"
    if row.measure == "accuracy":
        interval = "" if row.half_width is None else f" +- {100 * row.half_width:.1f}"
        return f"{100 * row.mean:.1f}{interval} %"
    if row.measure == "relative distance":
        return f"{row.mean:.0e}"
    if row.measure == "wrong bits":
        return f"{row.mean:.3g}"
    if row.measure.startswith("times"):
        return f"{row.mean:.2f}"
    if row.measure.startswith("megabytes"):
        return f"{row.mean:.0f}"
    return short(row.mean) if row.half_width is None else f"{short(row.mean)} +- {short(row.half_width)}"


def short(number: float) -> str:
    return f"{number:.2f}" if number >= 0.1 else f"{number:.3f}" if number >= 0.01 else f"{number:.4f}"


def minutes(result: Result) -> str:
    spent = result.seconds["training"]
    return f"{spent['wall'] / 60:.0f} ({spent['cpu'] / 60:.0f})"


def about(row: Row, **words: Any) -> Row:
    """The row under other words."""
    return row._replace(about=words)


def kind(row: Row) -> str:
    return f"{row.about['n_way']}-way {row.about['k_shot']}-shot"


def omniglot() -> str:
    """Prototypical networks: one line a run, and the paper's."""
    found, order = [], list(SPLITS)
    runs = [r for r in select("omniglot", variant="prototypical") if r.settings["data"] in SPLITS]
    for run in sorted(runs, key=lambda run: order.index(run.settings["data"])):
        split, seed = SPLITS[run.settings["data"]], f"seed {run.settings['seed']}"
        line = {"split": split, "run": seed, MINUTES: minutes(run)}
        found += [about(row, **line, kind=kind(row)) for row in run.rows]
    # Snell et al. 2017 (arXiv:1703.05175), table 1
    line = {"split": SPLITS["vinyals"], "run": "Snell et al. 2017", MINUTES: ""}
    for name, mean in zip(KINDS, (0.988, 0.997, 0.960, 0.989), strict=True):
        found.append(Row(line | {"kind": name}, "accuracy", mean, None, 1000))
    return table(found, down=("split", "run", MINUTES), across="kind")


def settings() -> str:
    """One line a short run that was judged on held-out background alphabets."""
    found = []
    for result in select("omniglot", variant="prototypical", data="held-out"):
        chosen = result.settings
        line = {"60-way, 5 queries,": f"{chosen['k_shot']} shot", "outer_lr": f"{chosen['outer_lr']:g}"}
        found += [about(row, **line, n_steps=chosen["n_steps"], kind=kind(row)) for row in result.rows]
    return table(found, down=("60-way, 5 queries,", "outer_lr", "n_steps"), across="kind")


# 5-way 1-shot on Omniglot: the variant, what it is called, and the papers' accuracies, the other queries in
# the batch or without (arXiv:1703.03400, table 1; arXiv:1707.09835, table 2; arXiv:1803.02999, table 2, where
# first-order MAML is too; the older commands of Reptile belong to its first version).
TOGETHER, ALONE = "transductive", "each query alone"
ASKED = {True: TOGETHER, False: ALONE}
FAMILY = {
    "maml": ("MAML", {TOGETHER: (0.987, 0.004)}),
    "first-order-maml": ("first-order MAML", {TOGETHER: (0.983, 0.005)}),
    "meta-sgd": ("Meta-SGD", {TOGETHER: (0.9953, 0.0026)}),
    "reptile-last": ("Reptile, last command", {TOGETHER: (0.9768, 0.0004), ALONE: (0.9539, 0.0009)}),
    "reptile": ("Reptile, older command for transduction", {TOGETHER: (0.9797, None)}),
    "reptile-alone": ("Reptile, older command without", {ALONE: (0.9532, None)}),
}


def trained(result: Result) -> dict[str, float]:
    """The accuracy of the trained learner, for both ways of asking."""
    found = [row for row in result.rows if row.about["learner"] == "trained"]
    return {ASKED[row.about["transductive"]]: row.mean for row in found}


def gradient_family() -> str:
    """One line a run at full width, transductive and not, beside the papers' numbers."""
    found = []
    for variant, (name, papers) in FAMILY.items():
        for result in select("omniglot", variant=variant, data="characters", width=64, n_way=5):
            chosen = result.settings
            line = {
                "method": name,
                "inner steps (in the test)": f"{chosen['inner_steps']} ({chosen['test_steps']})",
                "outer steps x tasks": f"{chosen['n_steps']:,} x {chosen['tasks_per_step']}",
                MINUTES: minutes(result),
            }
            for row in result.rows:
                if row.about["learner"] == "trained":
                    asked = ASKED[row.about["transductive"]]
                    found.append(about(row, **line, asked=asked))
                    mean, half_width = papers.get(asked, (None, None))
                    paper = about(row, **line, asked=f"paper, {asked}")._replace(measure=AS_PRINTED)
                    if mean:
                        found.append(paper._replace(mean=mean, half_width=half_width))
    return table(found, down=tuple(line), across="asked")


def over_runs(values: Iterable[float], measure: str = "accuracy", **words: Any) -> Row:
    """The mean over training runs with its interval, by Student's factor."""
    score = Score(np.array(list(values)))
    return Row(words, measure, score.mean, score.half_width, score.n)


def short_runs(variant: str, **settings: Any) -> list[Result]:
    """Runs of half the width, one for each seed."""
    return select("omniglot", variant=variant, data="characters", width=32, **settings)


def with_and_without() -> str:
    """MAML and Meta-SGD, trained with the queries together and each alone: the mean over runs, and pairs."""
    found = []
    for variant in ("maml", "meta-sgd"):
        runs = {
            asked: [trained(run) for run in short_runs(variant, n_way=5, asked=asked)]
            for asked in ("together", "alone")
        }
        for asked, each in runs.items():
            line = {"method": FAMILY[variant][0], "queries of training": asked}
            found += [over_runs([run[how] for run in each], **line, asked=how) for how in (TOGETHER, ALONE)]
        pairs = list(zip(runs["alone"], runs["together"], strict=True))
        line = {"method": FAMILY[variant][0], "queries of training": "alone minus together, in pairs"}
        for how in (TOGETHER, ALONE):
            found.append(over_runs([a[how] - b[how] for a, b in pairs], **line, asked=how))
    return table(found, down=tuple(line), across="asked")


def twenty_way() -> str:
    """MAML and first order with 20 classes: the mean over runs."""
    found = []
    for variant, inner_steps in (("maml", 1), ("first-order-maml", 1), ("first-order-maml", 5)):
        runs = short_runs(variant, n_way=20, inner_steps=inner_steps)
        line = {
            "method": FAMILY[variant][0],
            "inner steps": f"{inner_steps} of {runs[0].settings['inner_lr']:g}",
        }
        each = [trained(run) for run in runs]
        for how in (TOGETHER, ALONE):
            found.append(over_runs([run[how] for run in each], **line, asked=how))
    return table(found, down=tuple(line), across="asked")


LEARNERS = ("MAML", "one learned rate", "a learned rate for each array", "Meta-SGD")
LEARNERS += ("first-order MAML", "Reptile", "pretraining", "never trained", "oracle")
AWAY = 10  # an error that no answer of 0 to everything has: some task ran away


def ran_away(mean: float | None) -> bool:
    """Whether the mean error over the tasks says that it did for one of them."""
    return mean is None or mean > AWAY


def sinusoids() -> str:
    """One line a learner and K: the mean squared error after some gradient steps."""
    found = [
        about(
            row._replace(mean=None) if ran_away(row.mean) else row,
            K=row.about["k_shot"],
            learner=row.about["learner"],
            steps=f"{row.about['inner_steps']} steps",
            **{"inner rate": row.about["inner_lr"]},
        )
        for row in rows(select("regression", data="sinusoids", seed=0))
    ]
    found.sort(key=lambda row: (row.about["K"], LEARNERS.index(row.about["learner"])))
    return table(found, down=("K", "learner", "inner rate"), across="steps")


SEQUENCES = {
    "ntm": "machine",
    "ntm-random-start": "machine, random start",
    "ntm-learned-start": "machine, learned start",
    "lstm": "LSTM",
    "transformer": "transformer",
}
CHOSE = 100  # the seed whose runs chose the settings


def copying() -> str:
    """One line a run: the wrong bits of a sequence at each length."""
    return table(of_copying(lambda seed: seed != CHOSE), down=(*COPYING, "seed"), across="length")


def copying_settings() -> str:
    """One line a run by which the settings were chosen, at the lengths of training."""
    found = of_copying(lambda seed: seed == CHOSE)
    return table((row for row in found if row.about["length"] <= 20), down=COPYING, across="length")


COPYING = ("learner", "steps", "rate", "clipped at")


def of_copying(chosen: Callable[[int], bool]) -> list[Row]:
    """The wrong bits of the runs with these seeds, sorted by learner and setting."""
    found = []
    for result in select("sequences", data="copy"):
        s = result.settings
        line = (SEQUENCES[result.variant], s["n_steps"], f"{s['outer_lr']:g}", f"{s['largest_gradient']:g}")
        about_run = dict(zip(COPYING, line, strict=True)) | {"seed": s["seed"]}
        if chosen(s["seed"]):
            lengths = [row for row in result.rows if row.measure == "wrong bits"]
            found += [about(row, **about_run, length=row.about["length"]) for row in lengths]
    order = list(SEQUENCES.values())
    return sorted(found, key=lambda row: (order.index(row.about["learner"]), *list(row.about.values())[1:5]))


STREAMS = {
    "mann": "machine",
    "mann-sharp": "machine, strength 10",
    "mann-feedforward": "machine, feed-forward",
    "lstm": "LSTM",
    "transformer": "transformer",
    "pixels": "list of pixels",
}
IN_STREAMS = ("learner", "reads", "steps", "rate", "seed")


def streams() -> str:
    """One line a run: the accuracy at each instance, of machines with their reads silenced too."""
    return table(of_streams("characters"), down=IN_STREAMS, across="instance")


def streams_settings() -> str:
    """One line a run by which the rates were chosen."""
    found = [row for row in of_streams("held-out") if row.about["reads"] != "silenced"]
    return table(found, down=("learner", "steps", "rate"), across="instance")


def of_streams(data: str) -> list[Row]:
    """The accuracies of all runs on these data, sorted by learner and rate."""
    found = []
    for result in select("instances", data=data):
        s = result.settings
        for row in result.rows:
            if row.measure == "accuracy":
                machine = result.variant.startswith("mann")
                reads = row.about["reads"] if machine else ""
                line = (STREAMS[result.variant], reads, s["n_steps"], f"{s['outer_lr']:g}", s["seed"])
                about_run = dict(zip(IN_STREAMS, line, strict=True))
                found.append(about(row, **about_run, instance=row.about["instance"]))
    order = list(STREAMS.values())
    return sorted(found, key=lambda row: (order.index(row.about["learner"]), *list(row.about.values())[1:5]))


RATES = ("maml", "learned-rate", "learned-rates", "meta-sgd")


def rates_over_runs() -> str:
    """MAML and the learners of rates, K = 10: the mean over runs, or in how many some task ran away."""
    errors: dict[tuple, list[float | None]] = {}
    for variant in RATES:
        for result in select("regression", variant=variant, k_shot=10):
            for row in result.rows:
                errors.setdefault((row.about["learner"], row.about["inner_steps"]), []).append(row.mean)
    lines: dict[str, list[str]] = {}
    for (learner, _), means in errors.items():
        away = sum(map(ran_away, means))
        lines.setdefault(learner, []).append(
            f"diverges in {away} of {len(means)}" if away else cell(over_runs(means, "mean squared error"))
        )
    steps = [f"{n} steps" for n in sorted({n for _, n in errors})]
    return in_columns([["learner", *steps], *([learner, *cells] for learner, cells in lines.items())])


def ledger() -> str:
    """One line a meta-gradient and problem: how far the engine is from three other ways to compute it."""
    return table(of_ledger(), down=("meta-gradient", "problem"), across="way")


def meta_gradients() -> str:
    """The same in short: the larger distance of both problems."""
    worst: dict[tuple, Row] = {}
    for row in of_ledger():
        name = row.about["meta-gradient"], row.about["way"]
        worst[name] = max(worst.get(name, row), row, key=lambda row: row.mean)
    return table(worst.values(), down=("meta-gradient",), across="way")


def of_ledger() -> list[Row]:
    return [row for result in select("ledger", variant="gradient-family") for row in result.rows]


def speeds(variant: str, *measures: str, case: str) -> str:
    """One line a case and way, one column a measure."""
    found = [
        about(row, **{case: row.about["case"], "way": row.about["way"], "measure": row.measure})
        for result in select("speed", variant=variant)
        for row in result.rows
        if row.measure in measures
    ]
    return table(found, down=(case, "way"), across="measure")


def speed() -> str:
    """One training step of prototypical networks."""
    (result,) = select("speed", variant="prototypical")
    seconds = {row.about["way"]: row for row in result.rows if row.measure == "seconds, median"}
    found = []
    for way, row in seconds.items():
        ratio = row._replace(measure="times as fast as it comes", mean=seconds["as it comes"].mean / row.mean)
        for each in (row, ratio):
            found.append(about(each, **{"one training step": way, "measure": each.measure}))
    return table(found, down=("one training step",), across="measure")


def maml_speed() -> str:
    """One outer step on sinusoids."""
    measures = ("milliseconds, median", "times as fast as the loop")
    return speeds("maml", *measures, case="outer step on sinusoids")


def maml_images_speed() -> str:
    """One outer step on images."""
    measures = ("seconds, median", "times as fast as the loop", "megabytes, peak")
    return speeds("maml-images", *measures, case="outer step on images")


def unroll_speed() -> str:
    """One outer step by either gradient of PyTorch."""
    measures = ("milliseconds, median", "times as fast as torch.func.grad")
    return speeds("unroll", *measures, case="outer step of MAML")


FRONT = (omniglot, meta_gradients)
PAGES: dict[Path, tuple[Callable[[], str], ...]] = {
    HERE.parent / "README.md": FRONT,
    HERE / "omniglot" / "README.md": (
        omniglot,
        settings,
        streams,
        streams_settings,
        gradient_family,
        with_and_without,
        twenty_way,
    ),
    HERE / "regression" / "README.md": (sinusoids, rates_over_runs),
    HERE / "sequences" / "README.md": (copying, copying_settings),
    HERE / "ledger" / "README.md": (ledger,),
    HERE / "speed" / "README.md": (speed, maml_speed, maml_images_speed, unroll_speed),
}


def fill(text: str, tables: tuple[Callable[[], str], ...]) -> str:
    """text with what stands between the marks of each of the tables written anew."""
    for make in tables:
        begin, end = f"<!-- table: {make.__name__} -->\n", "<!-- end of table -->"
        before, found, after = text.partition(begin)
        if not (found and end in after):
            raise ValueError(f"the page has no place for the table {make.__name__!r}: {begin}{end}")
        text = before + begin + make() + end + after.partition(end)[2]
    return text


if __name__ == "__main__":
    for page, tables in PAGES.items():
        page.write_text(fill(page.read_text(encoding="utf-8"), tables), encoding="utf-8")
