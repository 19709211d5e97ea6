"""environment.yml says what pyproject.toml says to a reader, and the Makefile installs what both allow."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from rattler import MatchSpec

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}  # where the two worlds differ
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def from_pyproject(project) -> dict[str, SpecifierSet]:
    """conda's name of every dependency, and the versions allowed."""
    wanted = [Requirement(line) for line in project["dependencies"]]
    found = {CONDA_NAMES.get(r.name, r.name): r.specifier for r in wanted}
    return {"python": SpecifierSet(project["requires-python"]), **found}


def from_conda(dependencies) -> dict[str, SpecifierSet]:
    """Name and versions of every conda dependency but pip, read by conda's own grammar."""
    specs = [MatchSpec(line) for line in dependencies if isinstance(line, str) and line != "pip"]
    return {spec.name.normalized: SpecifierSet(str(spec.version)) for spec in specs}


def test_conda_and_pip_users_get_the_same():
    assert from_conda(CONDA["dependencies"]) == from_pyproject(PROJECT)


def test_a_reader_gets_no_tools_of_teachers_and_tests():
    extras = {name: {Requirement(line).name for line in lines} for name, lines in EXTRAS.items()}
    reader = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert not reader & (extras["teach"] | extras["test"])
    assert {"nbgrader", "jupytext"} <= extras["teach"] and PROJECT["name"] in extras["test"]


def test_conda_installs_the_course_itself_from_one_free_channel():
    assert CONDA["dependencies"][-2:] == ["pip", {"pip": ["-e ."]}]
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]
    assert CONDA["name"] == PROJECT["name"]


@pytest.mark.parametrize("line", ["numpy >=2.0", "numpy >=2.1,<3", "numpi >=2.1"])
def test_a_difference_is_seen(line):
    changed = [line if str(old).startswith("numpy") else old for old in CONDA["dependencies"]]
    assert from_conda(changed) != from_pyproject(PROJECT)


def test_what_make_pins_lies_in_the_range():
    allowed = {Requirement(line).name: Requirement(line).specifier for line in PROJECT["dependencies"]}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert [pin.name for pin in pins] == ["torch"]
    for pin in pins:
        (version,) = (Version(s.version) for s in pin.specifier)
        assert version in allowed[pin.name]


def test_the_workflow_and_ci_call_what_people_call():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))["jobs"][
        "test"
    ]
    assert workflow["steps"][-1]["run"] == "make ${{ matrix.target }}"
    verbs = set(
        re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert set(workflow["strategy"]["matrix"]["target"]) <= verbs
    assert workflow["strategy"]["matrix"]["python"][0] in PROJECT["requires-python"]
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[
        -1
    ] == "exec make test coverage </dev/null"
