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


MATCHING = {"cosine": "cosine / temperature", "no-temperature": "cosine", "full-context": "full context"}


def way_of_matching(result: Result) -> dict[str, str]:
    """What a line of matching networks says of itself."""
    chosen = result.settings
    episodes = f"{chosen['n_way']}-way"
    return {
        "way": MATCHING[result.variant],
        "episodes": episodes,
        "temperature": f"{chosen['temperature']:g}",
        "rate": f"{chosen['outer_lr']:g}",
    }


def matching() -> str:
    """Matching networks: one line a run, and the paper's."""
    found = []
    for variant in MATCHING:
        for result in select("omniglot", variant=variant, data="vinyals"):
            line = way_of_matching(result) | {"run": f"seed {result.settings['seed']}"}
            found += [about(row, **line, kind=kind(row)) for row in result.rows]
    # Vinyals et al. 2016 (arXiv:1606.04080), table 1, without fine-tuning
    line |= {"way": "cosine", "episodes": "", "temperature": "1", "rate": "", "run": "Vinyals et al. 2016"}
    for name, mean in zip(KINDS, (0.981, 0.989, 0.938, 0.985), strict=True):
        found.append(Row(line | {"kind": name}, "accuracy", mean, None, 1000))
    return table(found, down=tuple(line), across="kind")


def matching_settings() -> str:
    """One line a short run that was judged on held-out background alphabets."""
    found = []
    for variant in MATCHING:
        results = select("omniglot", variant=variant, data="held-out")
        for result in sorted(results, key=lambda r: (-r.settings["temperature"], r.settings["outer_lr"])):
            line = way_of_matching(result)
            found += [about(row, **line, kind=kind(row)) for row in result.rows]
    return table(found, down=tuple(line), across="kind")


LOSSES = {"nt-xent": "NT-Xent", "nca": "NCA"}
ONE_SHOT, ERROR = "20-way one-shot", "equal error rate, pairs {}"


def of_siamese(result: Result, learner: str = "trained") -> list[Row]:
    """The accuracy over alphabets and both error rates of one learner, in per cent."""
    found = []
    for row in result.rows:
        if row.about["learner"] != learner or row.about["interval over"] != "alphabets":
            continue
        if row.measure == "accuracy":
            found.append(row._replace(about={"what": ONE_SHOT}))
        if row.measure == "equal error rate":
            what = ERROR.format(row.about["pairs of two"])
            found.append(row._replace(about={"what": what}, measure="accuracy"))
    return found


def siamese() -> str:
    """One line a run over all background alphabets; the untrained network and raw pixels once."""
    found = []
    for result in select("omniglot", variant="nca", data="alphabets"):
        trained = f"NCA, {result.settings['n_steps']:,} steps, seed {result.settings['seed']}"
        names = {"raw pixels": "raw pixels", "untrained": "untrained", "trained": trained}
        names["trained, 16 copies"] = f"{trained}, 16 copies"
        for learner, name in names.items():
            found += [about(row, learner=name, **row.about) for row in of_siamese(result, learner)]
    return table(found, down=("learner",), across="what")


def siamese_settings() -> str:
    """One line a short run that was judged on held-out background alphabets."""
    found = []
    for variant, name in LOSSES.items():
        results = select("omniglot", variant=variant, data="held-out")
        for result in sorted(results, key=lambda r: (r.settings["outer_lr"], r.settings["temperature"])):
            chosen = result.settings
            line = {
                "loss": name,
                "rate": f"{chosen['outer_lr']:g}",
                "temperature": f"{chosen['temperature']:g}" if variant == "nt-xent" else "",
                "others from": chosen["others"].replace("-", " "),
            }
            found += [about(row, **line, **row.about) for row in of_siamese(result)]
    return table(found, down=tuple(line), across="what")


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


STREAMS = {
    "mann": "machine",
    "mann-sharp": "machine, strength 10",
    "mann-writes-first": "machine, writes first",
    "mann-feedforward": "machine, feed-forward",
    "lstm": "LSTM",
    "transformer": "transformer",
    "pixels": "list of pixels",
}
IN_STREAMS = ("learner", "reads", "steps x streams", "rate", "seed")


def streams() -> str:
    """One line a run: the accuracy at each instance, of machines with their reads silenced too."""
    return table(of_streams("characters"), down=IN_STREAMS, across="instance")


def glyph_streams() -> str:
    """The same of streams of glyphs."""
    return table(of_streams("glyphs"), down=IN_STREAMS, across="instance")


def streams_settings() -> str:
    """One line a run by which the rates were chosen."""
    return rates_tried("held-out")


def glyph_streams_settings() -> str:
    """The same of streams of glyphs."""
    return rates_tried("glyphs-held-out")


def rates_tried(data: str) -> str:
    """One line a run on data that settings are chosen with."""
    found = [row for row in of_streams(data) if row.about["reads"] != "silenced"]
    return table(found, down=("learner", "steps x streams", "rate"), across="instance")


def of_streams(data: str) -> list[Row]:
    """The accuracies of all runs on these data, sorted by learner and rate."""
    found = []
    for result in select("instances", data=data):
        s = result.settings
        for row in result.rows:
            if row.measure == "accuracy":
                machine = result.variant.startswith("mann")
                reads = row.about["reads"] if machine else ""
                length = f"{s['n_steps']:,} x {s['batch']}" if s["n_steps"] else ""
                line = (STREAMS[result.variant], reads, length, f"{s['outer_lr']:g}", s["seed"])
                about_run = dict(zip(IN_STREAMS, line, strict=True))
                found.append(about(row, **about_run, instance=row.about["instance"]))
    order = list(STREAMS.values())
    return sorted(found, key=lambda row: (order.index(row.about["learner"]), *list(row.about.values())[1:5]))


RATES = ("maml", "learned-rate", "learned-rates", "meta-sgd")
