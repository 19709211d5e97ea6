"""Compute the ledger anew and write it: python -m experiments.ledger"""

from experiments.ledger import gradient_family
from experiments.runner import HERE, today, versions
from reference.results import Result, write


def main() -> None:
    rows = gradient_family.rows()
    for row in rows:
        print(f"{row.mean:.0e}", *row.about.values(), sep="  ")
    result = Result(
        experiment="ledger",
        variant="gradient-family",
        settings={},
        rows=tuple(rows),
        seconds={},
        command="python -m experiments.ledger",
        device="",
        versions=versions(),
        date=today(),
    )
    write(HERE / "results" / "ledger_gradient-family.json", result)


if __name__ == "__main__":
    main()
