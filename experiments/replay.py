"""A step of thousands of small kernels, recorded once on a GPU and replayed, so that it waits for no launch.

One step over a stream of fifty images is some ten thousand kernels of a few microseconds each; the processor
that launches them one by one takes longer than they do. A CUDA graph launches all of them at once.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from reference.params import Params

Function = Callable[[Params, tuple[Tensor, ...]], tuple[Tensor, Params]]  # as of value_and_grad
N_WARM = 3  # calls before the recording, in which libraries set themselves up


class Recording(NamedTuple):
    """The kernels, where they look for what they are given, and where they leave what they find."""

    graph: Any
    given: list[Tensor]
    value: Tensor
    gradient: Params


def replayed(function: Function) -> Function:
    """function(params, series), recorded at its first call; its tensors are on a GPU and keep their shapes.

    Nothing in it may depend on a number that the processor would have to read, or recording raises
    RuntimeError. What it gives is the caller's own and is not written to again.
    """
    recording = None

    def call(params: Params, series: tuple[Tensor, ...]) -> tuple[Tensor, Params]:
        nonlocal recording
        recording = recording or record(function, params, series)
        for mine, theirs in zip(recording.given, [*params.values(), *series], strict=True):
            mine.copy_(theirs)
        recording.graph.replay()
        return recording.value.clone(), {name: g.clone() for name, g in recording.gradient.items()}

    return call


def record(function: Function, params: Params, series: tuple[Tensor, ...]) -> Recording:
    """One call of the function as a graph, after some calls beside the stream of the rest."""
    mine = {name: p.clone() for name, p in params.items()}
    shown = type(series)(*(part.clone() for part in series))
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(N_WARM):
            function(mine, shown)
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        value, gradient = function(mine, shown)
    return Recording(graph, [*mine.values(), *shown], value, gradient)
