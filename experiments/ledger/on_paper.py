"""Meta-gradients by the chain rule on paper, in NumPy, without any engine.

Of a linear model every gradient of every step can be written down: its loss is quadratic. Of a dense net,
MAML with one step: the net and its gradient are alternating products with weights and masks, and so is the
product of its Hessian with a vector, which is the derivative of the gradient along that vector (Pearlmutter
1994, "Fast exact multiplication by the Hessian"). `python -m experiments.speed.maml` says what it is worth to
do by hand what an engine finds by itself.
"""

import numpy as np

from reference.episodes import Episode, Examples
from reference.params import Params

# The linear model.


def normal_equations(examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """H = 2 X'X / n and b = 2 X'y / n, where the last column of X is 1: the gradient is H theta - b."""
    x = np.concatenate([examples.x, np.ones((len(examples.x), 1))], axis=1)
    return 2 * x.T @ x / len(x), 2 * x.T @ examples.y[:, 0] / len(x)


def linear_model(
    theta: np.ndarray, episode: Episode, rates: np.ndarray, n_steps: int, momentum: float = 0.0
) -> dict[str, np.ndarray]:
    """All there is to know: the gradients in theta and in the rates, first order, and theta - phi.

    Step j is v <- momentum * v + H theta - b, theta <- theta - rates_j * v. A gradient g of the query loss in
    theta and h in v, after step j, reaches that v as h - rates_j * g in all, rates_j as -v * g, and what was
    before the step as g + H (h - rates_j g) and momentum * (h - rates_j g). The rates (d,) are those of all
    steps, (n_steps, d) of each.
    """
    H, b = normal_equations(episode.support)
    rates = np.broadcast_to(rates, (n_steps, len(theta)))
    path, velocities = [theta], [np.zeros_like(theta)]
    for rate in rates:
        velocities.append(momentum * velocities[-1] + H @ path[-1] - b)
        path.append(path[-1] - rate * velocities[-1])
    query_H, query_b = normal_equations(episode.query)
    g = first_order = query_H @ path[-1] - query_b
    h, in_rates = np.zeros_like(theta), np.empty_like(rates)
    for j in reversed(range(n_steps)):
        in_rates[j] = -velocities[j + 1] * g
        h = h - rates[j] * g
        g, h = g + H @ h, momentum * h
    return {"theta": g, "rates": in_rates, "first order": first_order, "direction": theta - path[-1]}


# The dense net.


def dense_net(params: Params, episodes: Episode, inner_lr: float) -> Params:
    """MAML, the mean over tasks of g - inner_lr * H g: g is the query's gradient, H the support's Hessian.

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
