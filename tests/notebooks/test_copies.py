"""Copies are made where none is, renewed while untouched, and never written over once changed."""

import json

import pytest

from notebooks.copies import RECORD, put


def texts(folder):
    """What stands in the folder, by name, the record left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != RECORD)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_a_copy_that_nobody_touched_follows_the_course(tmp_path):
    assert put(tmp_path / "my", {"read/01.ipynb": b"old", "START.md": b"s"}) == []
    assert put(tmp_path / "my", {"read/01.ipynb": b"new", "START.md": b"s"}) == []
    assert texts(tmp_path / "my") == {"read/01.ipynb": "new", "START.md": "s"}


def test_a_changed_copy_stays_and_a_new_version_is_written_beside_it_once(tmp_path):
    put(tmp_path, {"01.ipynb": b"old"})
    (tmp_path / "01.ipynb").write_text("mine")
    assert put(tmp_path, {"01.ipynb": b"old"}) == []  # nothing new, so nothing beside it
    (said,) = put(tmp_path, {"01.ipynb": b"new"})
    assert said == f"{tmp_path.name}/01.ipynb is changed and kept; beside it is a new 01-2.ipynb."
    assert put(tmp_path, {"01.ipynb": b"new"}) == []
    assert texts(tmp_path) == {"01.ipynb": "mine", "01-2.ipynb": "new"}


def test_the_newest_copy_counts(tmp_path):
    put(tmp_path, {"01.ipynb": b"1"})
    (tmp_path / "01.ipynb").write_text("mine")
    put(tmp_path, {"01.ipynb": b"2"})
    put(tmp_path, {"01.ipynb": b"3"})  # 01-2 was not touched
    assert texts(tmp_path) == {"01.ipynb": "mine", "01-2.ipynb": "3"}
    (tmp_path / "01-2.ipynb").write_text("mine too")
    put(tmp_path, {"01.ipynb": b"4"})
    assert texts(tmp_path) == {"01.ipynb": "mine", "01-2.ipynb": "mine too", "01-3.ipynb": "4"}


def test_whoever_asks_for_fresh_copies_gets_one_beside_the_changed(tmp_path):
    put(tmp_path, {"01.ipynb": b"course"}, afresh=True)
    (tmp_path / "01.ipynb").write_text("mine")
    assert len(put(tmp_path, {"01.ipynb": b"course"}, afresh=True)) == 1
    assert put(tmp_path, {"01.ipynb": b"course"}, afresh=True) == []
    assert texts(tmp_path) == {"01.ipynb": "mine", "01-2.ipynb": "course"}


@pytest.mark.parametrize("record", [None, "{", "[]", json.dumps({"01.ipynb": "another"})])
def test_where_it_is_not_known_what_was_written_nothing_is_written_over(tmp_path, record):
    put(tmp_path, {"01.ipynb": b"old"})
    (tmp_path / RECORD).unlink() if record is None else (tmp_path / RECORD).write_text(record)
    put(tmp_path, {"01.ipynb": b"new"})
    assert texts(tmp_path) == {"01.ipynb": "old", "01-2.ipynb": "new"}


def test_a_copy_that_was_deleted_comes_back(tmp_path):
    put(tmp_path, {"01.ipynb": b"course"})
    (tmp_path / "01.ipynb").unlink()
    assert put(tmp_path, {"01.ipynb": b"course"}) == []
    assert texts(tmp_path) == {"01.ipynb": "course"}


def test_a_link_that_leads_nowhere_is_left_alone(tmp_path):
    (tmp_path / "01.ipynb").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        put(tmp_path, {"01.ipynb": b"course"})
    assert not (tmp_path / "elsewhere").exists()
