"""Right functions, the cases they are called on, and what `same` says of a wrong one."""

from typing import NamedTuple

import numpy as np
import pytest

from reference.checks import same


class Moments(NamedTuple):
    mean: np.ndarray
    std: np.ndarray


def class_means(x, y):
    return np.stack([x[y == label].mean(0) for label in range(3)])


def softmax(x):
    shifted = np.exp(x - x.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def column_means(x):
    return x.mean(0)


def squared_length(x):
    return (x**2).sum(-1)


def moments(x):
    return Moments(x.mean(0), x.std(0))


def scaled(x, *, factor):
    return factor * x


def labelled(rng):
    return rng.normal(size=(7, 4)), rng.permutation([0, 0, 0, 1, 1, 2, 2])


def square(rng):
    return (rng.normal(size=(4, 4)),)


def oblong(rng):
    return (rng.normal(size=(5, 3)),)


def refused(mine, theirs, case):
    """The message with which `same` refuses mine."""
    with pytest.raises(AssertionError) as caught:
        same(mine, theirs, case)
    return str(caught.value)


def torch_case(rng):
    import torch

    return torch.from_numpy(rng.normal(size=(4, 3))), torch.from_numpy(rng.integers(3, size=4))


def our_case(rng):
    from reference.scratch.autodiff import Tensor

    return Tensor(rng.normal(size=(4, 3))), rng.integers(3, size=4)


def cube_of_chosen(x, y):
    return (x**3)[np.arange(4), y]
