"""MAML's meta-gradient of a dense net by the chain rule on paper, in NumPy, without any engine.

A dense net and its gradient are alternating products with weights and masks. So is the product of its Hessian
with a vector, which is the derivative of the gradient along that vector (Pearlmutter 1994, "Fast exact
multiplication by the Hessian"). What an engine finds by itself is written down here once, for one kind of
network and one inner step; `python -m experiments.speed.maml` says what that is worth.
"""

import numpy as np

from reference.episodes import Episode
from reference.scratch.nn import Params


def meta_gradient(params: Params, episodes: Episode, inner_lr: float) -> Params:
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
    """The input of every layer (n_tasks, n, n_in), the mask of every ReLU, d loss / d output (n_tasks, n, 1).

    A weight is (n_out, n_in) or, one for each task, (n_tasks, n_out, n_in), and a bias (n_out,) or likewise.
    The loss is the mean squared error of each task, summed over tasks.
    """
    inputs, masks = [examples.x], []
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        x = inputs[-1] @ weight.mT + bias[..., None, :]
        masks.append(x > 0)
        inputs.append(x * masks[-1])
    output = inputs[-1] @ weights[-1].mT + biases[-1][..., None, :]
    return inputs, masks, (output - examples.y) * (2 / output[0].size)


def backward(weights, inputs, masks, delta):
    """The gradients in weights (n_tasks, n_out, n_in) and biases (n_tasks, n_out), from d loss / d output."""
    in_weights, in_biases = [], []
    for i in reversed(range(len(inputs))):
        in_weights.insert(0, delta.mT @ inputs[i])
        in_biases.insert(0, delta.sum(axis=-2))
        if i:
            delta = (delta @ weights[i]) * masks[i - 1]
    return in_weights, in_biases


def hessian_product(weights, saved, v_weights, v_biases):
    """The Hessian of the loss times v, a vector for each task in the shapes that `backward` gives.

    It is `forward` and `backward`, differentiated along v.
    """
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
