"""README.md: its links lead somewhere, its table has every chapter, its results are those of experiments/."""

import re
from pathlib import Path

import pytest

from experiments import tables
from notebooks import build

ROOT = Path(__file__).parent.parent
PAGES = [
    *(p for folder in (".", "notebooks", "datasets") for p in (ROOT / folder).glob("*.md")),
    *(ROOT / "experiments").rglob("*.md"),
]
CITED = re.compile(r"[Cc]hapters?((?:(?:,| and| or| to)? \d\d\b)+)")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_table_has_every_chapter_with_its_files_and_seconds():
    rows = re.findall(r"^\| (\d\d) \| (.*) \|$", README, re.MULTILINE)
    assert [number for number, _ in rows] == [source.stem[:2] for source in build.chapters()]
    for (_, row), source in zip(rows, build.chapters(), strict=True):
        chapter, scratch, torch, seconds = row.split(" | ")
        assert f"(notebooks/{source.stem}.ipynb)" in chapter
        assert "(reference/" in scratch
        assert torch
        assert 0 < int(seconds) <= 60


@pytest.mark.parametrize("source", build.chapters(), ids=lambda source: source.stem)
def test_a_chapter_that_is_cited_before_it_is_written_is_called_to_come(source):
    written = {path.stem[:2] for path in build.chapters()}
    for paragraph in re.split(r"\n#?\n", source.read_text(encoding="utf-8")):
        for words in re.findall(
            r"[Cc]hapters?((?:(?:,| and| or| to)? \d\d\b)+)", paragraph.replace("\n# ", " ")
        ):
            missing = set(re.findall(r"\d\d", words)) - written
            assert not missing or "to come" in paragraph, f"chapters {sorted(missing)}: {paragraph[:200]}"


def test_the_first_screen_has_the_two_commands():
    screen = "\n".join(README.splitlines()[:26])
    assert "`my-course/`" in screen and "seconds (two cores of an AMD EPYC)" in screen
    assert "    make lab " in screen and "    make test " in screen and "| chapter |" in screen


def test_the_results_are_those_of_the_runs():
    assert tables.fill(README, tables.FRONT) == README, "run: make tables"
