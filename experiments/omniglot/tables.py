"""The tables of the runs on Omniglot."""

from typing import Any

from experiments.columns import AS_PRINTED, MINUTES, about, minutes, over_runs, table
from reference.results import Result, Row, select

KINDS = ("5-way 1-shot", "5-way 5-shot", "20-way 1-shot", "20-way 5-shot")
SPLITS = {"alphabets": "official", "characters": "mixed", "vinyals": "the paper's"}


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
