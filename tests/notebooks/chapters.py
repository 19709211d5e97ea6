"""The chapters as the tests here see them: sources and notebooks, read once and not to be changed."""

from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks import build

SAMPLE = Path(__file__).parent / "sample" / "00_sample.py"  # the pattern writers copy; held to every rule too
SOURCES = [SAMPLE, *build.chapters()]
NAMES = [source.stem for source in SOURCES]


@cache
def read(source: Path) -> NotebookNode:
    """The chapter as its source says it, without outputs."""
    return build.read_source(source)


@cache
def stored(source: Path) -> NotebookNode:
    """The notebook of a chapter as it was committed."""
    path = build.notebook_of(source)
    assert path.exists(), f"{path.name} is missing: python -m notebooks.build {source.stem}"
    return nbformat.read(path, as_version=4)
