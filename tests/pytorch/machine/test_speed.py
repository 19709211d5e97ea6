"""What makes convolutions fast leaves the numbers alone."""

import ctypes
import subprocess
import sys

import pytest
import torch
from torch import nn

from reference.pytorch.machine.speed import channels_last, keep_freed_memory
from reference.pytorch.nn import Conv4


def test_channels_last_keeps_the_numbers_and_says_its_layout():
    for channels in (1, 3):
        x = torch.rand(4, channels, 5, 6)
        assert torch.equal(channels_last(x), x)
        assert channels_last(x).stride() == (5 * 6 * channels, 1, 6 * channels, channels)


def test_the_layout_reaches_the_last_convolution():
    net, layouts = Conv4(4, norm=nn.BatchNorm2d), []
    for block in net.blocks:
        block.conv.register_forward_hook(
            lambda _, __, out: layouts.append(out.is_contiguous(memory_format=torch.channels_last))
        )
    x = torch.rand(2, 1, 28, 28)
    there = net(channels_last(x))
    assert layouts == [True] * 4
    assert torch.allclose(there, net(x), atol=1e-5)


HELD = """
import numpy as np
from reference.pytorch.machine.speed import keep_freed_memory

def megabytes():
    status = open("/proc/self/status").read()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024

kept = {call}
before = megabytes()
block = np.ones(1_000_000)
del block
print(kept, megabytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")
def test_freed_memory_is_kept_where_that_is_asked_for():
    def run(call):
        program = [sys.executable, "-c", HELD.format(call=call)]
        return subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()

    (kept, held), (_, left) = run("keep_freed_memory()"), run("False")
    assert int(left) < 3, "the system takes a freed block of 8 MB back"
    assert int(held) >= 7 or kept == "False"


def test_windows_keeps_its_memory_as_it_is(monkeypatch):
    class Windows:
        def __init__(self, name):
            if name is None:
                raise TypeError("bad argument type for built-in operation")

    monkeypatch.setattr(ctypes, "CDLL", Windows)
    assert keep_freed_memory() is False
