"""Settings for every test: no progress bars, one thread, no windows, and shapes enforced in `reference`."""

from pathlib import Path

from notebooks.kernel import prepare_environment

prepare_environment()

import matplotlib  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402

matplotlib.use("Agg")
install_import_hook("reference", "beartype.beartype")


def pytest_configure(config):
    """nbval reads its one file of patterns relative to the working directory: give it an absolute path."""
    config.option.nbval_sanitize_with = str(Path(__file__).parent / "tests/notebooks/sanitize.cfg")
