"""Reverse-mode differentiation in plain NumPy, differentiable to any order.

    x = Tensor(np.array([1.0, 2.0]))
    g = grad(np.sum(np.exp(x)), x)          # a Tensor: grad(np.sum(g * v), x) is a Hessian-vector product

tensor.py holds the memory, gradient.py the walk back along it, operations.py every operation beside its
derivative, convolution.py and composed.py what NumPy has not, check.py the judge of them all.
"""

from reference.scratch.autodiff import operations as operations  # fills Tensor.operations
from reference.scratch.autodiff.check import check_gradients
from reference.scratch.autodiff.composed import (
    log_sigmoid,
    log_softmax,
    logsumexp,
    norm,
    relu,
    sigmoid,
    softmax,
    softplus,
)
from reference.scratch.autodiff.convolution import conv2d, max_pool2d
from reference.scratch.autodiff.gradient import grad, value_and_grad
from reference.scratch.autodiff.tensor import Array, Tensor, as_tensor, detach, record

__all__ = [
    "Array",
    "Tensor",
    "as_tensor",
    "check_gradients",
    "conv2d",
    "detach",
    "grad",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "max_pool2d",
    "norm",
    "record",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "value_and_grad",
]
