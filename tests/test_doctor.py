"""The doctor finds this machine well, and says of a broken one what to do."""

import subprocess
import sys

import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from reference import doctor
from reference.scratch import autodiff
from reference.tasks import glyphs


def test_a_machine_that_runs_the_tests_is_well(capsys):
    with pytest.raises(SystemExit) as end:
        doctor.main()
    lines = capsys.readouterr().out.splitlines()
    assert end.value.code == 0 and len(lines) == len(doctor.CHECKS)
    assert all(line.startswith("ok    ") for line in lines)


def test_it_runs_as_a_program_in_a_few_seconds():
    command = [sys.executable, "-m", "reference.doctor"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stderr == ""


def broken(capsys):
    """The lines that begin with FAIL, on a machine where something is wrong."""
    with pytest.raises(SystemExit) as end:
        doctor.main()
    assert end.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(doctor.CHECKS)  # one fault does not hide the next
    return [line for line in lines if line.startswith("FAIL")]


def test_an_old_package(monkeypatch, capsys):
    real = doctor.version
    monkeypatch.setattr(doctor, "version", lambda name: "1.26.4" if name == "numpy" else real(name))
    (line,) = broken(capsys)
    assert "numpy is 1.26.4, older than" in line and line.endswith(f"Mend it: {doctor.SET_UP}")


def test_floors_are_compared_as_numbers():
    assert doctor._numbers("2.13.0+cpu") > doctor._numbers("2.6") and doctor._numbers("10.1") > [9, 9]
    assert doctor._numbers("3.11rc1") == [3, 11]


def test_a_kernel_of_another_python(monkeypatch, capsys):
    spec = KernelSpec(argv=["/another/python", "-m", "ipykernel_launcher"])
    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", lambda self, name: spec)
    (line,) = broken(capsys)
    assert "/another/python" in line and line.endswith("python -m ipykernel install --sys-prefix")


def test_a_missing_package(monkeypatch, capsys):
    real = doctor.import_module

    def without_widgets(name):
        if name == "ipywidgets":
            raise ModuleNotFoundError("No module named 'ipywidgets'")
        return real(name)

    monkeypatch.setattr(doctor, "import_module", without_widgets)
    (line,) = broken(capsys)
    assert line.startswith("FAIL  widgets: No module named 'ipywidgets'. Mend it: make lab")


def test_wrong_arithmetic(monkeypatch, capsys):
    real = autodiff.grad
    monkeypatch.setattr(autodiff, "grad", lambda y, x: 2 * real(y, x))
    (line,) = broken(capsys)
    assert "is 48.0 by NumPy, not 12" in line


def test_lost_data(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(glyphs, "FILE", tmp_path / "glyphs.npz")
    (line,) = broken(capsys)
    assert "does not exist" in line


def test_an_error_without_a_word_is_named(monkeypatch):
    def silent():
        raise MemoryError()

    assert doctor.examine(silent, "more memory")[1] == "FAIL  silent: MemoryError. Mend it: more memory"
