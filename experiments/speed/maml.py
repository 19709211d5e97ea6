"""How fast one outer step of MAML is: the ways of the course beside a loop over the tasks.

    OMP_NUM_THREADS=1 python -m experiments.speed.maml

Writes maml.json beside it. The ways take turns, in a new order each round: a busy minute falls on all. Stops
unless all give the same gradient. Both steps are of second order, with one inner step, in float32:

- sinusoids (Finn et al. 2017, arXiv:1703.03400, section 5.1): 25 tasks, ten examples each for support and for
  query, an MLP of 1-40-40-1;
- images: 4 tasks, 5-way 1-shot with 15 queries of each class, Conv4-64 with pooling and no norm.

The loop is what most implementations do: one task after the other, functional_call and torch.autograd.grad.
`by_hand` is the other end: the chain rule on paper, in NumPy, without any engine.
"""

import json
import platform
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from timeit import timeit

import autograd
import autograd.numpy
import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad_and_value
from torch.nn import functional as F

from experiments.speed.engine import mlp_loss
from reference.episodes import Episode, Examples
from reference.meta_train import mean_over_tasks
from reference.pytorch import batches as their_batches
from reference.pytorch import maml as their_maml
from reference.pytorch import nn as their_nn
from reference.pytorch.episodes import to_torch
from reference.pytorch.speed import channels_last
from reference.pytorch.unroll import sgd as their_sgd
from reference.scratch import maml
from reference.scratch.batches import mean_over_batch
from reference.scratch.nn import Params, init_mlp, mlp
from reference.scratch.unroll import sgd
from reference.tasks.families import Sinusoids

SIZES, N_TASKS, INNER_LR = [1, 40, 40, 1], 25, 0.01
LOOP, HIPS = "PyTorch, one task after the other", "HIPS autograd, tasks at once"
Ways = dict[str, Callable[[], Params]]


def main() -> None:
    torch.set_num_threads(1)
    result = {
        "command": "OMP_NUM_THREADS=1 python -m experiments.speed.maml",
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, one thread",
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("numpy", "autograd", "torch")},
        "sinusoids": compare(sinusoid_ways(*draw()), n_rounds=100, n_in_a_row=5),
        "images, Conv4-64 with pooling": compare(image_ways(), n_rounds=10, n_in_a_row=1),
    }
    text = json.dumps(result, indent=2)
    Path(__file__).with_suffix(".json").write_text(text + "\n")
    print(text)


def compare(ways: Ways, **rounds: int) -> dict[str, dict]:
    """Medians, quartiles, and how many times as fast as the loop and as HIPS autograd, if it takes part."""
    seconds = measure(ways, **rounds)
    medians = {name: float(np.median(samples)) for name, samples in seconds.items()}
    return {
        name: {
            "milliseconds": round(1000 * medians[name], 3),
            "quartiles": [round(1000 * float(q), 3) for q in np.quantile(samples, [0.25, 0.75])],
        }
        | {
            f"times as fast as {unit}": round(medians[unit] / medians[name], 2)
            for unit in (LOOP, HIPS)
            if unit in ways
        }
        for name, samples in seconds.items()
    }


def measure(ways: Ways, *, n_rounds: int, n_in_a_row: int) -> dict[str, list[float]]:
    """Seconds of a step, a mean over n_in_a_row of them as in training, for every way and round.

    AssertionError unless all ways give the same.
    """
    assert_same({name: way() for name, way in ways.items()}, rtol=1e-3, atol=1e-5)
    rng = np.random.default_rng(2)
    seconds = {name: [] for name in ways}
    for _ in range(n_rounds):
        for name in rng.permutation(list(ways)):
            seconds[name].append(timeit(ways[name], number=n_in_a_row) / n_in_a_row)
    return seconds


def assert_same(gradients: dict[str, Params], *, rtol: float, atol: float) -> None:
    for gradient in gradients.values():
        for name, expected in gradients[LOOP].items():
            np.testing.assert_allclose(np.asarray(gradient[name]), expected, rtol=rtol, atol=atol)


def draw(dtype: type = np.float32) -> tuple[Params, Episode]:
    """Weights, and a batch of sinusoids."""
    params = init_mlp(np.random.default_rng(0), SIZES)
    parts = Sinusoids(k_shot=10, n_query=10).sample_batch(np.random.default_rng(1), N_TASKS)[:2]
    episodes = Episode(*(Examples(part.x.astype(dtype), part.y.astype(dtype)) for part in parts))
    return {name: p.astype(dtype) for name, p in params.items()}, episodes


def sinusoid_ways(params: Params, episodes: Episode) -> Ways:
    """Every way to the mean meta-gradient of the sinusoids, as a function without arguments."""
    tensors = {name: torch.from_numpy(p) for name, p in params.items()}, to_torch(episodes)
    ours, theirs = {"update": sgd(INNER_LR), "n_steps": 1}, {"update": their_sgd(INNER_LR), "n_steps": 1}
    net = their_nn.MLP(SIZES)

    def squared_errors(params, examples):
        return np.mean((mlp(params, examples.x) - examples.y) ** 2, axis=(1, 2))

    def their_squared_errors(params, examples):
        return ((their_nn.mlp(params, examples.x) - examples.y) ** 2).mean((1, 2))

    def of_one(params, examples):
        return F.mse_loss(functional_call(net, params, examples.x), examples.y)

    at_once = partial(mean_over_batch(maml.meta_gradient), loss=squared_errors, **ours)
    their_meta_gradient = their_batches.mean_over_batch(their_maml.meta_gradient)
    their_at_once = partial(their_meta_gradient, loss=their_squared_errors, **theirs)
    by_vmap = partial(their_batches.mean_by_vmap(grad_and_value(their_maml.task_loss)), loss=of_one, **theirs)
    by_hips = autograd.grad(hips_loss(episodes))
    return {
        LOOP: lambda: loop(*tensors, of_one),
        "PyTorch, mean_by_vmap": lambda: by_vmap(*tensors)[0],
        "PyTorch, mean_over_batch": lambda: their_at_once(*tensors)[0],
        "NumPy engine, mean_over_batch": lambda: at_once(params, episodes)[0],
        "NumPy, by hand": lambda: by_hand(params, episodes),
        HIPS: lambda: by_hips(params),
    }


def image_ways() -> Ways:
    """Every way to the mean meta-gradient of a few image tasks; what is in the images does not matter."""
    n_tasks, n_way, rng = 4, 5, np.random.default_rng(0)
    net = nn.Sequential(their_nn.Conv4(64), nn.Linear(64, n_way))
    params = their_nn.init_params(rng, net)
    parts = []
    for n in (1, 15):
        images = rng.uniform(size=(n_tasks, n_way * n, 1, 28, 28)).astype(np.float32)
        labels = rng.permuted(np.tile(np.arange(n_way), (n_tasks, n)), axis=1)
        parts.append(Examples(torch.from_numpy(images), torch.from_numpy(labels)))
    episodes = Episode(*parts)
    one_by_one = [Episode(*(Examples(x[i], y[i]) for x, y in parts)) for i in range(n_tasks)]

    def of_one(params, examples):
        return F.cross_entropy(functional_call(net, params, examples.x), examples.y)

    def of_one_channels_last(params, examples):
        return F.cross_entropy(functional_call(net, params, channels_last(examples.x)), examples.y)

    settings = {"update": their_sgd(INNER_LR), "n_steps": 1}
    by_vmap = partial(
        their_batches.mean_by_vmap(grad_and_value(their_maml.task_loss)), loss=of_one, **settings
    )
    in_turn, in_turn_channels_last = (
        mean_over_tasks(partial(their_maml.meta_gradient, loss=loss, **settings))
        for loss in (of_one, of_one_channels_last)
    )
    return {
        LOOP: lambda: loop(params, episodes, of_one),
        "PyTorch, mean_by_vmap": lambda: by_vmap(params, episodes)[0],
        "PyTorch, mean_over_tasks": lambda: in_turn(params, one_by_one)[0],
        "PyTorch, mean_over_tasks, channels_last": lambda: in_turn_channels_last(params, one_by_one)[0],
    }


def loop(params: dict, episodes: Episode, loss: Callable) -> dict:
    """One task after the other, the graph of all kept until the end."""
    params = {name: p.detach().requires_grad_() for name, p in params.items()}
    leaves = list(params.values())
    total = 0
    for support_x, support_y, query_x, query_y in zip(*episodes.support, *episodes.query, strict=True):
        gradient = torch.autograd.grad(
            loss(params, Examples(support_x, support_y)), leaves, create_graph=True
        )
        adapted = {name: p - INNER_LR * g for (name, p), g in zip(params.items(), gradient, strict=True)}
        total = total + loss(adapted, Examples(query_x, query_y))
    gradient = torch.autograd.grad(total / len(episodes.query.x), leaves)
    return dict(zip(params, gradient, strict=True))


def hips_loss(episodes: Episode) -> Callable:
    """The same step in HIPS autograd, the tasks at once: the function of params that it differentiates."""
    np = autograd.numpy
    support, query, _ = episodes
    n_tasks = len(support.x)

    def mean_task_loss(params):
        own = {name: np.broadcast_to(p[None], (n_tasks, *p.shape)) for name, p in params.items()}
        gradient = autograd.grad(lambda p: mlp_loss(np, p, support))(own)
        adapted = {name: own[name] - INNER_LR * gradient[name] for name in own}
        return mlp_loss(np, adapted, query) / n_tasks

    return mean_task_loss


# By hand. A dense net and its gradient are alternating products with weights and masks; so is the product of
# its Hessian with a vector, which is the derivative of the gradient along that vector (Pearlmutter 1994).


def by_hand(params: Params, episodes: Episode, inner_lr: float = INNER_LR) -> Params:
    """The mean over tasks of g - inner_lr * H g: g the query gradient at theta', H the support's Hessian.

    One inner step, theta' = theta - inner_lr * support gradient, so d theta' / d theta = I - inner_lr * H.
    """
    layers = range(len(params) // 2)
    weights, biases = ([params[f"layers.{i}.{kind}"] for i in layers] for kind in ("weight", "bias"))
    saved = forward(weights, biases, episodes.support)
    in_weights, in_biases = backward(weights, *saved)
    adapted_weights = [weights[i] - inner_lr * in_weights[i] for i in layers]
    adapted_biases = [biases[i] - inner_lr * in_biases[i] for i in layers]
    g = backward(adapted_weights, *forward(adapted_weights, adapted_biases, episodes.query))
    bend = hessian_product(weights, saved, *g)
    return {
        f"layers.{i}.{kind}": np.mean(g[k][i] - inner_lr * bend[k][i], axis=0)
        for i in layers
        for k, kind in enumerate(("weight", "bias"))
    }


def forward(weights, biases, examples):
    """The input of every layer, the mask of every ReLU, and d loss / d output, task by task."""
    inputs, masks = [examples.x], []
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        x = inputs[-1] @ weight.mT + bias[..., None, :]
        masks.append(x > 0)
        inputs.append(x * masks[-1])
    output = inputs[-1] @ weights[-1].mT + biases[-1][..., None, :]
    return inputs, masks, (output - examples.y) * (2 / output[0].size)


def backward(weights, inputs, masks, delta):
    """The gradients in the weights and in the biases, from d loss / d output."""
    in_weights, in_biases = [], []
    for i in reversed(range(len(inputs))):
        in_weights.insert(0, delta.mT @ inputs[i])
        in_biases.insert(0, delta.sum(axis=-2))
        if i:
            delta = (delta @ weights[i]) * masks[i - 1]
    return in_weights, in_biases


def hessian_product(weights, saved, v_weights, v_biases):
    """The Hessian of the loss times v: `forward` and `backward`, differentiated along v."""
    inputs, masks, delta = saved
    moves, last = [np.zeros_like(inputs[0])], len(masks)  # how every layer's input moves; the first does not
    for i in range(last + 1):
        move = inputs[i] @ v_weights[i].mT + moves[i] @ weights[i].mT + v_biases[i][:, None]
        moves.append(move * masks[i] if i < last else move)
    delta_move = moves.pop() * (2 / delta[0].size)
    in_weights, in_biases = [], []
    for i in reversed(range(last + 1)):
        in_weights.insert(0, delta_move.mT @ inputs[i] + delta.mT @ moves[i])
        in_biases.insert(0, delta_move.sum(axis=-2))
        if i:
            delta_move = (delta_move @ weights[i] + delta @ v_weights[i]) * masks[i - 1]
            delta = (delta @ weights[i]) * masks[i - 1]
    return in_weights, in_biases


if __name__ == "__main__":
    main()
