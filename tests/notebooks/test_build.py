"""The builder: what it stores, and what it refuses."""

import re

import nbformat
import pytest
from nbconvert import HTMLExporter

from notebooks import build
from tests.notebooks.chapters import SAMPLE, stored


def written(folder, text):
    """A source file with this text."""
    path = folder / "05_words.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_building_twice_gives_the_same_bytes(tmp_path):
    for name in ("one.ipynb", "two.ipynb"):
        build.build(SAMPLE, tmp_path / name)
    assert (tmp_path / "one.ipynb").read_bytes() == (tmp_path / "two.ipynb").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.ipynb", "two.ipynb"]


def test_a_notebook_is_current_until_its_source_changes(tmp_path):
    text = SAMPLE.read_text(encoding="utf-8")
    assert build.is_current(SAMPLE, build.notebook_of(SAMPLE))
    assert not build.is_current(
        written(tmp_path, text.replace("1.96 * np", "2 * np")), build.notebook_of(SAMPLE)
    )
    assert not build.is_current(
        written(tmp_path, text.replace('tags=["setup"]', "")), build.notebook_of(SAMPLE)
    )
    assert not build.is_current(SAMPLE, tmp_path / "absent.ipynb")


def test_a_new_cell_changes_no_other_id(tmp_path):
    text = SAMPLE.read_text(encoding="utf-8")
    before = [cell.id for cell in build.read_source(SAMPLE).cells]
    longer = written(tmp_path, text.replace("# %%\nvalues", '# %%\nprint("new")\n\n# %%\nvalues'))
    after = [cell.id for cell in build.read_source(longer).cells]
    assert len(after) == len(before) + 1 and [name for name in after if name in before] == before


def test_equal_cells_get_ids_of_their_own(tmp_path):
    cells = build.read_source(written(tmp_path, "# %%\nx = 1\n\n# %%\nx = 1\n\n# %%\nx = 1\n")).cells
    assert [cell.id for cell in cells] == [cells[0].id, f"{cells[0].id}-2", f"{cells[0].id}-3"]


def test_short_metadata_becomes_nbgraders(tmp_path):
    text = '# %% solution="add"\n1\n\n# %% test="add" points=1\n2\n\n# %% test="add" points=3\n3\n'
    solution, first, second = (c.metadata.nbgrader for c in build.read_source(written(tmp_path, text)).cells)
    assert (solution.grade_id, solution.solution, solution.grade, solution.locked) == (
        "add",
        True,
        False,
        False,
    )
    assert (first.grade_id, first.solution, first.grade, first.locked) == ("test-add", False, True, True)
    assert (second.grade_id, second.points) == ("test-add-2", 3)


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ('# %% soluton="add"', "unknown metadata ['soluton']"),
        ('# %% test="add"', "test='add' needs points=N"),
        ('# %% solution="add" test="add" points=1', "a cell is one of solution, test and answer"),
    ],
)
def test_a_mistaken_marker_is_named(tmp_path, marker, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        build.read_source(written(tmp_path, f"{marker}\nx = 1\n"))


def test_an_error_is_shown_and_the_old_notebook_stays(tmp_path, monkeypatch):
    written(tmp_path, "# %%\nprint('here')\n\n# %%\n1 / 0\n")
    target = tmp_path / "05_words.ipynb"
    target.write_text("old")
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    with pytest.raises(SystemExit, match="(?s)1 / 0.*ZeroDivisionError.*05_words: not built"):
        build.main(["05_words"])
    assert target.read_text() == "old"


def test_only_what_changed_is_built(tmp_path, monkeypatch, capsys):
    source = written(tmp_path, "# %%\nprint('here')\n")
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    build.main([])
    assert "05_words: built" in capsys.readouterr().out
    notebook = nbformat.read(build.notebook_of(source), as_version=4)
    assert notebook.cells[0].outputs[0].text == "here\n"
    build.main([])
    assert "nothing to build" in capsys.readouterr().out


def test_an_unknown_chapter_is_named():
    with pytest.raises(SystemExit, match="There is no chapter 99_none"):
        build.main(["99_none"])


def test_the_alternative_text_of_a_figure_reaches_a_page_made_from_the_notebook():
    page, _ = HTMLExporter().from_notebook_node(stored(SAMPLE))
    assert 'alt="A falling curve:' in page
    assert "No description has been provided" not in page
