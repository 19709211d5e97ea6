"""Settings for every test: no progress bars in outputs, one thread, and shapes enforced in `reference`."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["TQDM_DISABLE"] = "1"
os.environ["PYTHONHASHSEED"] = "0"

from jaxtyping import install_import_hook  # noqa: E402

install_import_hook("reference", "beartype.beartype")
