"""Any nn.Module as a function of its parameters: draw them, call it, and treat its running statistics.

A batch norm that keeps running statistics changes them at every call: no function. `as_function` gives one.
"""

import copy
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from reference.params import Params

NO_PARAMS: Params = {}


def init_params(rng: np.random.Generator, net: nn.Module) -> Params:
    """New float32 parameters for net, every random one drawn from rng: uniform in +-1/sqrt(fan_in).

    That is PyTorch's own default for linear, convolutional and recurrent layers (fan_in: the hidden size).
    Embeddings are standard normal. What PyTorch starts at one constant, as the scale of a norm, stays there.
    """
    params = {name: p.detach().clone() for name, p in net.named_parameters()}
    for path, layer in net.named_modules():
        for name, p in layer.named_parameters(prefix=path, recurse=isinstance(layer, nn.Linear | nn.Conv2d)):
            if _is_drawn(layer, p):
                params[name] = torch.from_numpy(_draw(rng, layer, p).astype(np.float32))
    return params


def _is_drawn(layer: nn.Module, p: Tensor) -> bool:
    known = nn.Linear | nn.modules.conv._ConvNd | nn.RNNBase | nn.RNNCellBase | nn.Embedding
    return isinstance(layer, known) or bool((p != p.flatten()[0]).any())


def _draw(rng: np.random.Generator, layer: nn.Module, p: Tensor) -> np.ndarray:
    if isinstance(layer, nn.Embedding):
        rows = np.arange(len(p)) != layer.padding_idx
        return rng.standard_normal(p.shape) * rows[:, None]
    weight = getattr(layer, "weight", p)  # a bias has the bound of its weight
    fan_in = getattr(layer, "hidden_size", weight[0].numel())
    return rng.uniform(-(fan_in**-0.5), fan_in**-0.5, p.shape)


def as_function(net: nn.Module, statistics: Params = NO_PARAMS) -> Callable[[Params, Tensor], Tensor]:
    """net, as it is now, as a function of its parameters and its input: (params, x) -> net(x).

    It changes nothing, so it can be differentiated to any order and mapped. Norms of a net in training use
    the statistics of the batch they are given and keep none (so an answer depends on the others beside it);
    with `statistics`, from `norm_statistics`, they use those, and all else is as in net.eval().
    Raises ValueError for a norm in evaluation that never saw a batch, whose statistics would be 0 and 1.
    """
    own = copy.deepcopy(net)
    for name, value in statistics.items():
        path, _, last = name.rpartition(".")
        setattr(own.eval().get_submodule(path), last, value)
    for path, norm in _norms(own):
        if norm.training:
            norm.track_running_stats = False
            norm.running_mean = norm.running_var = None
        elif f"{path}.running_mean" not in statistics and norm.num_batches_tracked == 0:
            raise ValueError(
                f"net: {path} is in evaluation and has seen no batch; pass statistics=norm_statistics(net, "
                "params, batches), or net.train() to use the statistics of each batch."
            )
    return lambda params, x: functional_call(own, params, x)


def norm_statistics(net: nn.Module, params: Params, batches: Iterable[Tensor]) -> Params:
    """The mean over the batches of the means and variances that each norm of net met, for `as_function`.

    They are no parameters: save them beside these, under the names they have here (`....running_mean`), or
    gather them again (Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 2, does so after training).
    net is left as it is. Raises ValueError for no batches.
    """
    own = copy.deepcopy(net).eval().to(next(iter(params.values())))
    norms = [norm.train() for _, norm in _norms(own)]
    n_seen = 0
    for n_seen, x in enumerate(batches, start=1):
        for norm in norms:
            norm.momentum = 1 / n_seen  # so that a running mean is the mean
        with torch.no_grad():
            functional_call(own, params, x)
    if not n_seen:
        raise ValueError("batches: got none; at least one is needed.")
    kept = [f"{path}.{name}" for path, _ in _norms(own) for name in ("running_mean", "running_var")]
    return {name: own.get_buffer(name) for name in kept}


def _norms(net: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The layers that keep running statistics, with their paths."""
    return ((path, m) for path, m in net.named_modules() if getattr(m, "track_running_stats", False))
