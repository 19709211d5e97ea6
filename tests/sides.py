"""The two sides of the course under the same names, so that what holds for both is claimed once.

A test that takes the fixture `side` runs twice. Arithmetic is written with operators, methods and `side.xp`.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

from reference.pytorch import batches as torch_batches
from reference.pytorch import maml as torch_maml
from reference.pytorch import meta_sgd as torch_meta_sgd
from reference.pytorch import nn as torch_nn
from reference.pytorch import prototypical as torch_prototypical
from reference.pytorch import relation as torch_relation
from reference.pytorch import reptile as torch_reptile
from reference.pytorch import unroll as torch_unroll
from reference.scratch import (
    autodiff,
    batches,
    maml,
    meta_sgd,
    nn,
    prototypical,
    relation,
    reptile,
    unroll,
)
from reference.scratch.nn import init_mlp


class Side(NamedTuple):
    """One side. `array` and `numpy` carry an array across, or whatever holds some: a dict, an episode."""

    name: str
    xp: ModuleType  # numpy or torch: tanh, stack
    array: Callable[[Any], Any]
    numpy: Callable[[Any], Any]
    value_and_grad: Callable
    nn: ModuleType
    unroll: ModuleType
    batches: ModuleType
    maml: ModuleType
    meta_sgd: ModuleType
    reptile: ModuleType
    prototypical: ModuleType
    relation: ModuleType


def across(convert: Callable) -> Callable:
    """convert, for each array in dicts and named tuples."""

    def through(x):
        if isinstance(x, dict):
            return {name: through(value) for name, value in x.items()}
        if isinstance(x, tuple):
            return type(x)(*map(through, x))
        return convert(x)

    return through


SCRATCH = Side(
    "scratch",
    np,
    across(lambda x: x),
    across(autodiff.detach),
    autodiff.value_and_grad,
    *(nn, unroll, batches, maml, meta_sgd, reptile, prototypical, relation),
)
PYTORCH = Side(
    "pytorch",
    torch,
    across(lambda x: torch.from_numpy(x.copy()) if isinstance(x, np.ndarray) else x),
    across(lambda x: x.detach().numpy() if isinstance(x, torch.Tensor) else x),
    torch_unroll.value_and_grad,
    *(torch_nn, torch_unroll, torch_batches, torch_maml, torch_meta_sgd),
    *(torch_reptile, torch_prototypical, torch_relation),
)


def mlp_params(seed: int, sizes: list[int], dtype: type = np.float64) -> dict[str, np.ndarray]:
    """Weights of a small dense net, NumPy's; `side.nn.mlp` is the net."""
    return {name: p.astype(dtype) for name, p in init_mlp(np.random.default_rng(seed), sizes).items()}


def random_direction(params: dict, seed: int = 7) -> dict[str, np.ndarray]:
    """A random direction in the space of parameters."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=tuple(p.shape)) for name, p in params.items()}


def along(gradient: dict, direction: dict) -> float:
    """The slope along the direction that the gradient says."""
    return float(sum((np.asarray(gradient[name]) * direction[name]).sum() for name in direction))


def slope(side: Side, function: Callable, params: dict, direction: dict, step: float = 1e-6) -> float:
    """How fast function(params) changes along the direction, by a central difference; params are NumPy's."""
    ahead, behind = (
        float(side.numpy(function(side.array({name: p + h * direction[name] for name, p in params.items()}))))
        for h in (step, -step)
    )
    return (ahead - behind) / (2 * step)
