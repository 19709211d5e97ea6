"""The tables of the ledger of meta-gradients."""

from experiments.columns import table
from reference.results import Row, select


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
