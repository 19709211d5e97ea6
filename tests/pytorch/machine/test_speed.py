"""What makes convolutions fast leaves the numbers alone."""

import subprocess
import sys

import torch
from torch import nn

from reference.pytorch.machine.speed import channels_last
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


def test_kept_memory_changes_no_result():
    program = (
        "import torch; from reference.pytorch.machine.speed import keep_freed_memory; "
        "x = torch.arange(3e6); before = (x * 2).sum(); kept = keep_freed_memory(); "
        "print(kept in (True, False) and bool(before == (x * 2).sum()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
