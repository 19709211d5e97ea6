"""Settings for every test: no progress bars, one thread, no windows, and annotations enforced in `reference`.

Tests run on all cores, one group of them at a time: a chapter is a group, what is tried of its exercises is
another, and so is every file of tests. The slowest come first, so that no core waits long for the last.
"""

import re
from pathlib import Path

from notebooks.kernel import prepare_environment

prepare_environment()

import matplotlib  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from nbval.plugin import IPyNbCell  # noqa: E402

from tests.notebooks.report import explain  # noqa: E402
from tests.shapes import enforce  # noqa: E402

matplotlib.use("Agg")
enforce("reference")

ROOT = Path(__file__).parent
SECONDS = re.compile(r"\((?:notebooks/)?(\w+)\.ipynb\).*\| (\d+) \|$", re.MULTILINE)  # the README's table


def pytest_configure(config):
    """nbval reads its one file of patterns relative to the working directory: give it an absolute path."""
    config.option.nbval_sanitize_with = str(ROOT / "tests/notebooks/sanitize.cfg")


def pytest_collection_modifyitems(items):
    """The groups of chapters first, the slowest of them before the others."""
    seconds = {name: int(s) for name, s in SECONDS.findall((ROOT / "README.md").read_text(encoding="utf-8"))}
    items.sort(key=lambda item: (-seconds.get(group(item.nodeid), 0), "exercises" not in group(item.nodeid)))
    for item in items:
        if isinstance(item, IPyNbCell):
            item.output_timeout = 60  # seconds between the end of a cell and the last of what it shows


@pytest.fixture(autouse=True)
def _every_draw_is_seeded():
    """A module of PyTorch draws its first weights from the global generator: the same ones in every run."""
    torch.manual_seed(0)


def group(nodeid: str) -> str:
    """What runs in one process, in order: a chapter, the tests of its exercises and form, a file of tests."""
    path, _, test = nodeid.partition("::")
    if path.endswith(".ipynb"):
        return Path(path).stem
    chapter = re.search(r"\[(\d\d_\w+)", test)
    return f"{chapter[1]}: its exercises" if chapter and path.startswith("tests/notebooks/") else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The groups are handed out whole, in the order above."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group(nodeid)

    config.option.loadscopereorder = False
    return Groups(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A cell that fails says what it was to show, what it shows, and what to do."""
    report = yield
    if report.failed and isinstance(item, IPyNbCell):
        report.longrepr = explain(item, call.excinfo.value)
    return report
