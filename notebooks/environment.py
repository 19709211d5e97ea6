"""Makes the environment in .venv: python -m notebooks.environment reader (or teach, or test).

It says first how much there is to download. Most of it is PyTorch: on Linux the common index has the build
for NVIDIA cards, several GB of it, so a machine without such a card gets the CPU build from PyTorch's own
index. Where that does not answer, pip takes what it is set to find, after a question where somebody is there
to answer it. Whoever names an index in pip's own variables is not second-guessed.
"""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv"
PYTHON = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
KINDS = ("reader", "teach", "test")  # each with what those before it have
MEGABYTES = {"reader": 150, "teach": 180, "test": 220}  # without PyTorch; what pip download brought
CPU_BUILD, NVIDIA_BUILD = "about 200 MB", "about 5 GB with the CUDA libraries it asks for"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # PyTorch's own, as its installation page names it
PATIENCE = 8  # seconds for an answer
CHOSEN = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS")


def main(kind: str) -> None:
    """Make .venv, or bring it up to date, for a kind of use; on failure, stop with a sentence."""
    if kind not in KINDS:
        sys.exit(f"The kind of environment is one of {', '.join(KINDS)}, not {kind!r}.")
    if not PYTHON.exists():
        venv.create(HOME, with_pip=True)
    print(f"Into .venv: about {MEGABYTES[kind]} MB of packages to download (make clean takes .venv away).")
    course = "." if kind == "reader" else f".[{kind}]"
    wanted = ["--constraint", "constraints.txt", "--editable", course]
    quiet = [] if sys.stdout.isatty() else ["--quiet"]  # a download of minutes shows how far it is
    run("-m", "pip", "install", *quiet, *torch_from(), *wanted)
    # Also where JupyterLab is started by hand: threads that spin while they wait slow everything else.
    run("-m", "ipykernel", "install", "--sys-prefix", "--env", "OMP_WAIT_POLICY", "passive")
    for done in KINDS[: KINDS.index(kind) + 1]:
        (HOME / f".{done}").touch()


def run(*arguments: str) -> None:
    """Run the environment's Python, or stop with what failed."""
    if subprocess.run([PYTHON, *arguments], cwd=ROOT, stdout=sys.stdout).returncode:
        sys.exit(f"The environment is not complete: {' '.join(arguments[1:3])} failed, as it says above.")
    sys.stdout.flush()


def torch_from() -> list[str]:
    """Says how large PyTorch will be; the options of pip that get the build this machine can use."""
    if torch_is_there():
        return []
    if sys.platform != "linux" or any(os.environ.get(name) for name in CHOSEN):
        return say(f"PyTorch: {CPU_BUILD}, unless the index that pip is set to has a build with CUDA.")
    if shutil.which("nvidia-smi"):
        return say(f"PyTorch for the NVIDIA card here: {NVIDIA_BUILD}.")
    if cpu_index_answers():
        say(f"PyTorch for the CPU (no NVIDIA driver is here), from {CPU_INDEX}: {CPU_BUILD}.")
        return ["--extra-index-url", CPU_INDEX]
    say(f"PyTorch: {CPU_INDEX} does not answer, so pip takes what it is set to find: {CPU_BUILD},")
    say(f"or {NVIDIA_BUILD}, of which this machine without an NVIDIA driver has no use.")
    if sys.stdin.isatty() and input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        sys.exit("Nothing was installed. Name an index with the CPU build in PIP_EXTRA_INDEX_URL.")
    return []


def say(sentence: str) -> list[str]:
    """Print it at once; no options follow from it."""
    print(sentence, flush=True)
    return []


def torch_is_there() -> bool:
    """Whether .venv has the release of PyTorch that constraints.txt asks for."""
    pin = re.search(r"^torch==(\S+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)[1]
    asked = "import importlib.metadata as m; print(m.version('torch'))"
    found = subprocess.run([PYTHON, "-c", asked], capture_output=True, text=True).stdout.strip()
    return found.partition("+")[0] == pin


def cpu_index_answers() -> bool:
    """Whether PyTorch's own index has a build for this Python, asked by pip without its configuration."""
    command = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--timeout", "3", "--retries", "0"]
    command += ["index", "versions", "torch", "--index-url", CPU_INDEX]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    plain["PIP_CONFIG_FILE"] = os.devnull
    try:
        return subprocess.run(command, env=plain, capture_output=True, timeout=PATIENCE).returncode == 0
    except subprocess.TimeoutExpired:
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])
