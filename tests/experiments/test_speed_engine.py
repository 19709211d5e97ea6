"""The speed comparison compares like with like: both engines give the same gradients. Nothing is timed."""

import autograd
import autograd.numpy
import numpy as np
import pytest

from experiments.speed import engine
from reference.scratch.autodiff import conv2d, grad, value_and_grad

PROGRAMS = {
    "maml": (engine.maml, engine.mlp_params),
    "regression": (engine.regression, engine.mlp_params),
    "convolution": (engine.convolution, engine.conv_params),
}


@pytest.mark.parametrize(("program", "make_params"), PROGRAMS.values(), ids=PROGRAMS)
def test_the_engines_agree(program, make_params):
    params = make_params()
    ours = program(np, lambda loss, at: grad(loss(at), at), conv2d)
    theirs = program(autograd.numpy, lambda loss, at: autograd.grad(loss)(at), engine.hips_conv2d)
    gradients = [
        value_and_grad(ours)(params)[1],
        engine.with_graph(ours, params),
        autograd.grad(theirs)(params),
    ]
    engine.assert_same(gradients)
    with pytest.raises(AssertionError):
        engine.assert_same([{name: 2 * g for name, g in gradients[0].items()}, gradients[-1]])
