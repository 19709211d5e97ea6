"""The tables of the programs over sequences."""

from collections.abc import Callable

from experiments.columns import about, table
from reference.results import Row, select

SEQUENCES = {
    "ntm": "machine",
    "ntm-random-start": "machine, random start",
    "ntm-learned-start": "machine, learned start",
    "lstm": "LSTM",
    "transformer": "transformer",
}
CHOSE = 100  # the seed whose runs chose the settings


LINE = ("learner", "steps", "rate", "clipped at")  # of a table about sequences
TRAINED = {  # whether a size is one of training, at which the settings were chosen
    "copy": lambda size: size["length"] <= 20,
    "repeat-copy": lambda size: max(size.values()) <= 10,
    "associative-recall": lambda size: size["items"] <= 6,
}


def copying() -> str:
    """One line a run: the wrong bits of a sequence at each length."""
    return shown("copy")


def copying_settings() -> str:
    """One line a run by which the settings were chosen, at the lengths of training."""
    return chosen_by("copy")


def repeating() -> str:
    """The same of repeat copy, by length and repeats."""
    return shown("repeat-copy")


def repeating_settings() -> str:
    return chosen_by("repeat-copy")


def recalling() -> str:
    """The same of associative recall, by the number of items."""
    return shown("associative-recall")


def recalling_settings() -> str:
    return chosen_by("associative-recall")


def shown(data: str) -> str:
    """The runs that chose nothing, one line each."""
    found = (row for seed, row in of_sequences(data) if seed != CHOSE)
    return table(found, down=(*LINE, "seed"), across="size")


def chosen_by(data: str) -> str:
    """The runs that chose, one line each."""
    found = (row for seed, row in of_sequences(data, TRAINED[data]) if seed == CHOSE)
    return table(found, down=LINE, across="size")


def of_sequences(data: str, of_size: Callable[[dict], bool] = bool) -> list[tuple[int, Row]]:
    """The wrong bits of all runs on this task, with their seeds, sorted by learner and setting."""
    found = []
    for result in (run for run in select("sequences") if run.settings["data"] == data):
        s, learner = result.settings, list(SEQUENCES).index(result.variant)
        line = (SEQUENCES[result.variant], s["n_steps"], f"{s['outer_lr']:g}", f"{s['largest_gradient']:g}")
        about_run = dict(zip(LINE, line, strict=True)) | {"seed": s["seed"]}
        place = learner, s["n_steps"], s["outer_lr"], s["largest_gradient"], s["seed"]
        for row in result.rows:
            if row.measure == "wrong bits" and of_size(row.about):
                size = " x ".join(str(number) for number in row.about.values())
                found.append((place, (s["seed"], about(row, **about_run, size=size))))
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]
