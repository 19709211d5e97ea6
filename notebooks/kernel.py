"""What every kernel that runs a chapter is given, whether the builder or a test starts it.

One thread and one hash seed keep stored outputs equal from run to run; progress bars stay out of them; a
chapter needs no network. Whoever asks for more threads by OMP_NUM_THREADS gets threads that sleep while they
wait: on a busy machine, threads that spin are many times slower. A reader's own JupyterLab gets none of this.
"""

import os

SETTINGS = {
    "METALEARN_OFFLINE": "1",
    "PYTHONHASHSEED": "0",
    "TQDM_DISABLE": "1",
}


def prepare_environment() -> None:
    """Put the settings into this process's environment, which its kernels inherit."""
    os.environ.update(SETTINGS)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # Where more threads are asked for on a busy machine, waiting must not take the cores from the work.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.pop("MPLBACKEND", None)  # a kernel draws into the page only where nobody chose a backend
