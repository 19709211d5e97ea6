"""The steps to compare with: networks and training as one writes them down in PyTorch."""

from collections.abc import Callable

from torch import nn

from reference.pytorch.machine.speed import keep_freed_memory

Step = Callable[[], object]


def plain_net(width: int) -> nn.Module:
    """Four blocks of convolution, batch norm, ReLU and pooling."""
    layers: list[nn.Module] = []
    for n_in in (1, width, width, width):
        conv = nn.Conv2d(n_in, width, 3, padding=1)
        layers += [conv, nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten())


def memory_kept(make: Callable[..., Step], *case: str) -> Step:
    """The step that is made, in a process that keeps freed memory."""
    if not keep_freed_memory():
        raise OSError("this C library has no mallopt: memory cannot be kept, and not be measured.")
    return make(*case)
