"""Programs to differentiate, written once for any engine that speaks NumPy, and what they are about.

A program is made of (numpy or its double, gradient_of(loss, at), conv2d) and is a scalar function of params.
MAML's sinusoids and their MLP are those of Finn et al. 2017 (arXiv:1703.03400), section 5.1.
"""

import numpy as np

from reference.episodes import Episode, Examples
from reference.params import Params
from reference.scratch.nn import init_mlp
from reference.tasks.families import Sinusoids

SIZES, N_TASKS, INNER_LR = [1, 40, 40, 1], 25, 0.01


def mlp_params(dtype: type = np.float64) -> Params:
    return {name: p.astype(dtype) for name, p in init_mlp(np.random.default_rng(0), SIZES).items()}


def sinusoids(dtype: type = np.float64) -> Episode:
    """A batch of them, ten points each for support and for query."""
    parts = Sinusoids(k_shot=10, n_query=10).sample_batch(np.random.default_rng(1), N_TASKS)[:2]
    return Episode(*(Examples(part.x.astype(dtype), part.y.astype(dtype)) for part in parts))


def mlp_loss(np, params, examples):
    """The mean squared error of every task, summed over the tasks."""
    x, y = examples
    for i in range(3):
        weight, bias = params[f"layers.{i}.weight"], params[f"layers.{i}.bias"]
        x = x @ np.swapaxes(weight, -1, -2) + bias[..., None, :]
        x = np.maximum(x, 0.0) if i < 2 else x
    return np.sum(np.mean((x - y) ** 2, axis=(1, 2)))


def maml_loss(np, gradient_of, episodes):
    """The mean query loss of all tasks after one inner step, as a function of params."""
    support, query, _ = episodes
    n_tasks = len(support.x)

    def mean_task_loss(params):
        own = {name: np.broadcast_to(p[None], (n_tasks, *p.shape)) for name, p in params.items()}
        gradient = gradient_of(lambda p: mlp_loss(np, p, support), own)
        adapted = {name: own[name] - INNER_LR * gradient[name] for name in own}
        return mlp_loss(np, adapted, query) / n_tasks

    return mean_task_loss


def maml(np, gradient_of, conv2d):
    return maml_loss(np, gradient_of, sinusoids())


def regression(np, gradient_of, conv2d):
    return lambda params: mlp_loss(np, params, sinusoids().support)


def conv_params() -> Params:
    rng = np.random.default_rng(2)
    return {"x": rng.normal(size=(20, 16, 14, 14)), "weight": rng.normal(size=(16, 16, 3, 3))}


def convolution(np, gradient_of, conv2d):
    return lambda params: np.sum(np.tanh(conv2d(params["x"], params["weight"])))
