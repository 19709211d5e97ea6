"""How a comparison on glyphs is left behind."""

from collections.abc import Iterable
from pathlib import Path

import torch

from experiments.runner import HERE, device_name, today, versions
from reference.results import Result, Row, write


def file_of(variant: str) -> Path:
    """Where its result is."""
    return HERE / "results" / f"glyphs_{variant}.json"


def leave(variant: str, settings: dict, rows: Iterable[Row]) -> None:
    """Write the result, whole."""
    result = Result(
        experiment="glyphs",
        variant=variant,
        settings=settings,
        rows=tuple(rows),
        seconds={},
        command=f"python -m experiments.glyphs.{variant}",
        device=device_name(torch.device("cpu")),
        versions=versions(),
        date=today(),
    )
    write(file_of(variant), result)
