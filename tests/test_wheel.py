"""The package works from a wheel, in a folder that knows nothing of the course's own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT", "reference")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the package as pip installs it, built from a copy so that no old build can help."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in BUILT_FROM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*pip, "--target", target, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target


def python(installed, folder, program):
    """What the program prints, run in a folder where nothing but the installed package is to be found."""
    program = f"import sys; sys.path.insert(0, {str(installed)!r})\n{program}"
    command = [sys.executable, "-I", "-c", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_shipped_data_are_found_from_any_folder(installed, tmp_path):
    program = """
import reference
from reference.tasks.glyphs import glyphs
from reference.tasks.omniglot import test_characters
print(reference.__file__, len(glyphs("test").names), len(test_characters()))
"""
    where, n_glyphs, n_characters = python(installed, tmp_path, program).split()
    assert Path(where) == installed / "reference" / "__init__.py"
    assert (n_glyphs, n_characters) == ("196", "423")


def test_it_brings_the_package_and_nothing_beside_it(installed):
    names = {path.name for path in installed.iterdir() if path.name != "bin"}
    assert {name for name in names if not name.startswith("meta_learning_course-")} == {"reference"}
    here = {path.relative_to(ROOT) for path in (ROOT / "reference").rglob("*.py")}
    assert {path.relative_to(installed) for path in (installed / "reference").rglob("*.py")} == here


def test_downloads_do_not_land_beside_other_packages(installed, tmp_path):
    program = """
from reference.tasks import omniglot
print(omniglot.cache())
"""
    assert not Path(python(installed, tmp_path, program)).is_relative_to(installed)
