"""The tables of the pages, written from the results so that they cannot drift.

    python -m experiments.tables

A page holds a table between two marks, `<!-- table: NAME -->` and `<!-- end of table -->`. What a table says
is written beside the experiment that it is of.
"""

from collections.abc import Callable
from pathlib import Path

from experiments.ledger import tables as ledger
from experiments.omniglot import tables as omniglot
from experiments.regression import tables as regression
from experiments.runner import HERE
from experiments.sequences import tables as sequences
from experiments.speed import tables as speed

FRONT = (omniglot.omniglot, ledger.meta_gradients)
PAGES: dict[Path, tuple[Callable[[], str], ...]] = {
    HERE.parent / "README.md": FRONT,
    HERE / "omniglot" / "README.md": (
        omniglot.omniglot,
        omniglot.settings,
        omniglot.siamese,
        omniglot.siamese_settings,
        omniglot.matching,
        omniglot.matching_settings,
        omniglot.gradient_family,
        omniglot.with_and_without,
        omniglot.twenty_way,
        omniglot.streams,
        omniglot.glyph_streams,
        omniglot.streams_settings,
        omniglot.glyph_streams_settings,
    ),
    HERE / "regression" / "README.md": (regression.sinusoids, regression.rates_over_runs),
    HERE / "sequences" / "README.md": (
        sequences.copying,
        sequences.copying_settings,
        sequences.repeating,
        sequences.repeating_settings,
        sequences.recalling,
        sequences.recalling_settings,
    ),
    HERE / "ledger" / "README.md": (ledger.ledger,),
    HERE / "speed" / "README.md": (
        speed.speed,
        speed.maml_speed,
        speed.maml_images_speed,
        speed.unroll_speed,
        speed.comparing_speed,
        speed.ntm_speed,
        speed.ntm_length_speed,
    ),
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
