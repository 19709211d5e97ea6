"""How fast our engine differentiates, beside HIPS autograd: the same programs, in one run.

    OMP_NUM_THREADS=1 python -m experiments.speed.engine

Writes engine.json beside it. Every program is written once and run by either engine, so only the engines
differ; samples alternate, so a busy minute falls on all of them. Memory is the peak of what NumPy allocates
during one call. Stops unless all give the same gradients to 1e-10.

The programs: one second-order step of MAML on 25 sinusoids at once (an MLP of 1-40-40-1, ten examples, one
inner step), the plain gradient of that MLP's loss, and a convolution's gradient in images and kernels.
"""

import json
import platform
import time
import tracemalloc
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import autograd
import autograd.numpy
import autograd.scipy.signal
import numpy as np

from reference.scratch.autodiff import Tensor, conv2d, detach, grad, value_and_grad
from reference.scratch.nn import init_mlp
from reference.tasks.families import Sinusoids

N_TASKS, N_SAMPLES, INNER_LR = 25, 200, 0.01
Params = dict[str, np.ndarray]
HIPS = "HIPS autograd"


def main() -> None:
    result = {
        "command": "OMP_NUM_THREADS=1 python -m experiments.speed.engine",
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, one thread",
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("numpy", "autograd")},
        "programs": {
            "second-order MAML step": compare(maml, mlp_params()),
            "gradient of an MLP": compare(regression, mlp_params()),
            "gradient of a convolution": compare(convolution, conv_params()),
        },
    }
    text = json.dumps(result, indent=2)
    Path(__file__).with_suffix(".json").write_text(text + "\n")
    print(text)


def compare(program: Callable, params: Params) -> dict[str, dict[str, float]]:
    """Medians and quartiles in milliseconds, times as long as HIPS autograd, and peak megabytes."""
    ours = program(np, lambda loss, at: grad(loss(at), at), conv2d)
    theirs = program(autograd.numpy, lambda loss, at: autograd.grad(loss)(at), hips_conv2d)
    ways = {
        "ours": lambda: value_and_grad(ours)(params)[1],
        "ours, gradient with a graph": lambda: with_graph(ours, params),
        HIPS: lambda: autograd.value_and_grad(theirs)(params)[1],
    }
    assert_same([way() for way in ways.values()])
    times = {name: [] for name in ways}
    for _ in range(N_SAMPLES):
        for name, way in ways.items():
            before = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - before)
    unit = np.median(times[HIPS])
    return {
        name: {
            "milliseconds": round(1000 * float(np.median(t)), 3),
            "quartiles": [round(1000 * float(q), 3) for q in np.quantile(t, [0.25, 0.75])],
            "times as long as HIPS autograd": round(float(np.median(t) / unit), 3),
            "peak megabytes": round(peak_megabytes(ways[name]), 2),
        }
        for name, t in times.items()
    }


def with_graph(function: Callable, params: Params) -> Params:
    leaves = {name: Tensor(p) for name, p in params.items()}
    return {name: detach(g) for name, g in grad(function(leaves), leaves).items()}


def assert_same(gradients: list[Params]) -> None:
    for other in gradients[:-1]:
        for name, expected in gradients[-1].items():
            np.testing.assert_allclose(other[name], expected, rtol=1e-10, atol=1e-10)


def peak_megabytes(call: Callable) -> float:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


# The programs: (numpy or its double, gradient_of(loss, at), conv2d) -> a scalar function of params.


def mlp_params() -> Params:
    params = init_mlp(np.random.default_rng(0), [1, 40, 40, 1])
    return {name: p.astype(np.float64) for name, p in params.items()}


def mlp_loss(np, params, examples):
    """The mean squared error of every task, summed over the tasks."""
    x, y = examples
    for i in range(3):
        weight, bias = params[f"layers.{i}.weight"], params[f"layers.{i}.bias"]
        x = x @ np.swapaxes(weight, -1, -2) + bias[..., None, :]
        x = np.maximum(x, 0.0) if i < 2 else x
    return np.sum(np.mean((x - y) ** 2, axis=(1, 2)))


def maml(np, gradient_of, conv2d):
    support, query, _ = Sinusoids(k_shot=10, n_query=10).sample_batch(np.random.default_rng(1), N_TASKS)

    def outer(params):
        own = {name: np.broadcast_to(p[None], (N_TASKS, *p.shape)) for name, p in params.items()}
        gradient = gradient_of(lambda p: mlp_loss(np, p, support), own)
        adapted = {name: own[name] - INNER_LR * gradient[name] for name in own}
        return mlp_loss(np, adapted, query) / N_TASKS

    return outer


def regression(np, gradient_of, conv2d):
    support, _, _ = Sinusoids(k_shot=10, n_query=10).sample_batch(np.random.default_rng(1), N_TASKS)
    return lambda params: mlp_loss(np, params, support)


def conv_params() -> Params:
    rng = np.random.default_rng(2)
    return {"x": rng.normal(size=(20, 16, 14, 14)), "weight": rng.normal(size=(16, 16, 3, 3))}


def convolution(np, gradient_of, conv2d):
    return lambda params: np.sum(np.tanh(conv2d(params["x"], params["weight"])))


def hips_conv2d(x, weight):
    """autograd's convolution turns the kernel around; ours, as torch's, does not."""
    turned = weight[:, :, ::-1, ::-1]
    convolve = autograd.scipy.signal.convolve
    return convolve(x, turned, axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid")


if __name__ == "__main__":
    main()
