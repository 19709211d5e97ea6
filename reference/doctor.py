"""Says whether this machine is ready for the course: python -m reference.doctor.

Each line is one thing that the chapters need. One that begins with FAIL ends in the command that mends it.
"""

import re
import sys
from importlib import import_module
from importlib.metadata import distribution, version

SET_UP = "make lab (in an environment of your own: pip install .)"


def versions() -> str:
    """Python, and every package that the course asks for, at least as new as it asks."""
    for line in distribution("meta-learning-course").requires or []:
        name, floor = re.match(r"([\w-]+)(?:[^;]*>=([\d.]+))?", line).groups()
        if "extra ==" not in line and floor and _numbers(version(name)) < _numbers(floor):
            raise ImportError(f"{name} is {version(name)}, older than {floor}")
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "jupyterlab"))
    return f"Python {sys.version.split()[0]}, {packages}"


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.match(r"\d+(\.\d+)*", text)[0].split(".")]


def kernel() -> str:
    """The kernel that JupyterLab starts, which must be this Python."""
    spec = import_module("jupyter_client.kernelspec").KernelSpecManager().get_kernel_spec("python3")
    if spec.argv[0] not in ("python", "python3", sys.executable):
        raise LookupError(f"JupyterLab's python3 is {spec.argv[0]}, not {sys.executable}")
    return f"python3 in {spec.resource_dir}"


def widgets() -> str:
    """The sliders."""
    return f"a slider at {import_module('ipywidgets').FloatSlider(value=0.5).value}"


def arithmetic() -> str:
    """The second derivative of x^3 at 2, which is 12, by the engine in NumPy and by PyTorch."""
    from reference.scratch.autodiff import Tensor, grad

    torch = import_module("torch")
    x = Tensor(2.0)
    slope = torch.func.grad(lambda x: x**3)
    found = {"NumPy": grad(grad(x**3, x), x).value, "PyTorch": torch.func.grad(slope)(torch.tensor(2.0))}
    for side, value in found.items():
        if abs(float(value) - 12) > 1e-5:
            raise ArithmeticError(f"the second derivative of x^3 at 2 is {float(value)} by {side}, not 12")
    return (
        f"12 by NumPy and by PyTorch, which has {'a GPU' if torch.cuda.is_available() else 'the CPU alone'}"
    )


def data() -> str:
    """The drawings that travel with the package."""
    from reference.tasks.glyphs import glyphs

    return f"{len(glyphs('test').names)} characters to test on"


CHECKS = (
    (versions, SET_UP),
    (kernel, "python -m ipykernel install --sys-prefix"),
    (widgets, SET_UP),
    (arithmetic, SET_UP),
    (data, SET_UP),
)


def examine(check, remedy: str) -> tuple[bool, str]:
    """Whether all is well, and the line that says so."""
    try:
        return True, f"ok    {check.__name__}: {check()}"
    except Exception as error:  # whatever a broken machine raises, the next check runs too
        says = str(error).rstrip(".") or type(error).__name__
        return False, f"FAIL  {check.__name__}: {says}. Mend it: {remedy}"


def main() -> None:
    """Print a line for every check; leave with 1 if one failed."""
    found = [examine(check, remedy) for check, remedy in CHECKS]
    print(*(line for _, line in found), sep="\n")
    sys.exit(0 if all(well for well, _ in found) else 1)


if __name__ == "__main__":  # pragma: no cover - the tests run it in a process of its own
    main()
