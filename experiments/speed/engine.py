"""How fast our engine differentiates, beside HIPS autograd: the same programs, in one run.

    OMP_NUM_THREADS=1 python -m experiments.speed.engine

Every program is written once and run by either engine, so only the engines differ. Memory is the peak of
what NumPy allocates during one call. Stops unless all give the same gradients to 1e-10.

The programs: one second-order step of MAML on 25 sinusoids at once (an MLP of 1-40-40-1, ten examples, one
inner step), the plain gradient of that MLP's loss, and a convolution's gradient in images and kernels.
"""

from collections.abc import Callable

import autograd
import autograd.numpy
import autograd.scipy.signal
import numpy as np

from experiments import bench
from experiments.speed import programs
from reference.params import Params
from reference.results import Row
from reference.scratch.autodiff import Tensor, conv2d, detach, grad, value_and_grad

N_ROUNDS = 200
HIPS = "HIPS autograd"


def main() -> None:
    rows = [row for name, program in PROGRAMS.items() for row in compare(name, *program)]
    bench.leave("engine", {"n_rounds": N_ROUNDS}, rows, libraries=["autograd"])


def compare(name: str, program: Callable, params: Params) -> list[Row]:
    """Milliseconds and their ratio, and peak megabytes, of every way."""
    chosen = ways(program, params)
    bench.assert_same({way: call() for way, call in chosen.items()}, HIPS, tolerance=1e-10)
    seconds, about = bench.in_turn(chosen, n_rounds=N_ROUNDS), {"case": name}
    peaks = {way: bench.allocated_megabytes(call) for way, call in chosen.items()}
    return [
        *bench.timed(seconds, about, unit="milliseconds", ratios={"times as fast as HIPS autograd": HIPS}),
        *(bench.measured(about | {"way": way}, "megabytes, peak", x, 1) for way, x in peaks.items()),
    ]


def ways(program: Callable, params: Params) -> bench.Ways:
    """The gradient of the program by either engine."""
    ours = program(np, lambda loss, at: grad(loss(at), at), conv2d)
    theirs = program(autograd.numpy, lambda loss, at: autograd.grad(loss)(at), hips_conv2d)
    return {
        "ours": lambda: value_and_grad(ours)(params)[1],
        "ours, gradient with a graph": lambda: with_graph(ours, params),
        HIPS: lambda: autograd.value_and_grad(theirs)(params)[1],
    }


def with_graph(function: Callable, params: Params) -> Params:
    leaves = {name: Tensor(p) for name, p in params.items()}
    return {name: detach(g) for name, g in grad(function(leaves), leaves).items()}


def hips_conv2d(x, weight):
    """autograd's convolution turns the kernel around; ours, as torch's, does not."""
    turned = weight[:, :, ::-1, ::-1]
    convolve = autograd.scipy.signal.convolve
    return convolve(x, turned, axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid")


PROGRAMS = {
    "second-order MAML step": (programs.maml, programs.mlp_params()),
    "gradient of an MLP": (programs.regression, programs.mlp_params()),
    "gradient of a convolution": (programs.convolution, programs.conv_params()),
}

if __name__ == "__main__":
    main()
