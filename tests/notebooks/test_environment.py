"""The set-up says what it will download, takes the CPU build where it can, and waits for nobody."""

import io
import socket
import subprocess
import sys
import time

import pytest

from notebooks import environment


@pytest.fixture
def machine(monkeypatch):
    """A Linux machine without PyTorch, NVIDIA driver, network or anybody to ask."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(environment, "torch_is_there", lambda: False)
    monkeypatch.setattr(environment, "cpu_index_answers", lambda: False)
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    for name in environment.CHOSEN:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_without_a_driver_the_cpu_build_comes_from_its_own_index(machine, capsys):
    machine.setattr(environment, "cpu_index_answers", lambda: True)
    assert environment.torch_from() == ["--extra-index-url", environment.CPU_INDEX]
    assert environment.CPU_BUILD in capsys.readouterr().out


def test_with_a_driver_it_is_the_large_build_and_says_so(machine, capsys):
    machine.setattr(environment.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert environment.torch_from() == []
    assert environment.NVIDIA_BUILD in capsys.readouterr().out


@pytest.mark.parametrize("index", environment.CHOSEN)
def test_an_index_that_the_user_names_is_taken(machine, index):
    machine.setenv(index, "https://example.org/simple")
    machine.setattr(environment, "cpu_index_answers", lambda: pytest.fail("asked although an index is named"))
    assert environment.torch_from() == []


def test_no_other_system_needs_another_index(machine):
    machine.setattr(sys, "platform", "darwin")
    machine.setattr(environment, "cpu_index_answers", lambda: pytest.fail("asked on a Mac"))
    assert environment.torch_from() == []


def test_pytorch_that_is_there_is_not_announced(machine, capsys):
    machine.setattr(environment, "torch_is_there", lambda: True)
    assert environment.torch_from() == [] and capsys.readouterr().out == ""


def test_where_the_index_does_not_answer_it_goes_on_and_says_what_may_come(machine, capsys):
    assert environment.torch_from() == []
    assert environment.NVIDIA_BUILD in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "goes_on"), [("y", True), ("yes", True), ("", False), ("n", False)])
def test_whoever_sits_there_is_asked(machine, answer, goes_on):
    machine.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    machine.setattr("builtins.input", lambda question: answer)
    if goes_on:
        assert environment.torch_from() == []
    else:
        with pytest.raises(SystemExit, match="^Nothing was installed"):
            environment.torch_from()


def test_an_index_that_hangs_costs_a_few_seconds(monkeypatch):
    monkeypatch.setattr(environment, "PYTHON", sys.executable)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(environment, "CPU_INDEX", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        began = time.monotonic()
        assert environment.cpu_index_answers() is False
    assert time.monotonic() - began < environment.PATIENCE + 2


def test_the_release_that_is_pinned_is_recognised(monkeypatch):
    for version, there in (("2.13.0+cpu\n", True), ("2.13.0\n", True), ("2.13.01\n", False), ("", False)):
        done = subprocess.CompletedProcess([], 0, stdout=version)
        monkeypatch.setattr(environment.subprocess, "run", lambda *_, done=done, **__: done)
        assert environment.torch_is_there() is there


def test_an_unknown_kind_is_refused():
    with pytest.raises(SystemExit, match="one of reader, teach, test, not 'all'"):
        environment.main("all")
