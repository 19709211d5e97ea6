"""Other processors' arithmetic, on this one.

    python -m notebooks.arithmetic COMMAND     runs a command under each, and says under which it failed

Sums come out otherwise in the last digits with other vector instructions, other kernels of a matrix product
and other numbers of threads. Each setting changes several of these at once, so that a few show what many
machines would. They are set here alone: the tests and continuous integration take the machine as it is.
"""

import json
import os
import subprocess
import sys
from functools import cache

# Whatever of these the machine presets is taken away first; an absent one means the library's own choice.
VARIABLES = (
    "OPENBLAS_CORETYPE",  # the kernels of NumPy's products
    "NPY_DISABLE_CPU_FEATURES",  # NumPy's own loops
    "ATEN_CPU_CAPABILITY",  # PyTorch's own loops
    "MKL_CBWR",  # the kernels of PyTorch's products
    "ONEDNN_MAX_CPU_ISA",  # and of its convolutions
    "OMP_NUM_THREADS",
)
ALL = "(all that are found)"
SETTINGS = {
    "own": {"OMP_NUM_THREADS": "1"},
    "own, 2 threads": {"NPY_DISABLE_CPU_FEATURES": ALL, "OMP_NUM_THREADS": "2"},
    "Prescott": {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": ALL,
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "OMP_NUM_THREADS": "1",
    },
    "Haswell": {
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_CBWR": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OMP_NUM_THREADS": "1",
    },
    "SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX", "ATEN_CPU_CAPABILITY": "default", "OMP_NUM_THREADS": "2"},
}
# What really runs, as the libraries themselves say it.
ASK = """
import json, numpy, torch, threadpoolctl
blas = [x.get("architecture") for x in threadpoolctl.threadpool_info() if x["internal_api"] == "openblas"]
found = numpy.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
print(json.dumps({"blas": blas[:1], "numpy": found, "torch": torch.backends.cpu.get_cpu_capability(),
                  "threads": torch.get_num_threads()}))
"""


def environment(name: str) -> dict[str, str]:
    """This process's environment with the arithmetic of that name."""
    kept = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    wanted = {key: " ".join(_found()) if value == ALL else value for key, value in SETTINGS[name].items()}
    return {**kept, **{key: value for key, value in wanted.items() if value}}


@cache
def _found() -> list[str]:
    """The vector instructions that NumPy would choose here and can do without."""
    kept = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    return what_runs(kept)["numpy"]


def what_runs(env: dict[str, str]) -> dict:
    """The kernels and threads that the libraries report in this environment."""
    run = subprocess.run([sys.executable, "-c", ASK], env=env, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def names() -> list[str]:
    """The settings that this processor can run: all, or all but SkylakeX where it lacks AVX-512."""
    return [name for name in SETTINGS if name != "SkylakeX" or {"X86_V4", "AVX512F"} & set(_found())]


def main(command: list[str]) -> None:
    """Run the command under every setting; exit with an error that names those in which it failed."""
    failed = []
    for name in names():
        env = environment(name)
        said = ", ".join(f"{key}={value}" for key, value in env.items() if key in VARIABLES)
        print(f"\n=== {name}: {said}\n    {what_runs(env)}", flush=True)
        if subprocess.run(command, env=env).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"Failed under the arithmetic of {'; '.join(failed)}. Passed under the others.")
    print(f"Passed under the arithmetic of {'; '.join(names())}.")


if __name__ == "__main__":
    main(sys.argv[1:])
