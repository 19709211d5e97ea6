"""How a gradient becomes a step: one protocol for the inner loop and for the outer loop.

A rule is two pure functions, the state it begins with and one step. It may carry state (a count, a momentum,
the memory of a network), and it is itself differentiable: the inner loop of MAML runs on the same rules as
the outer. It knows no engine: `x ** 0.5` in place of a square root serves NumPy, the course's Tensors and
PyTorch alike, under `torch.func.vmap` too.

Papers: Adam, Kingma & Ba 2015 (arXiv:1412.6980), algorithm 1; momentum, Polyak 1964; a rate for each weight,
Li et al. 2017 (arXiv:1707.09835); for each parameter and step, Antoniou et al. 2019 (arXiv:1810.09502);
clipped gradients, Pascanu et al. 2013 (arXiv:1211.5063), algorithm 1.
Differs from the papers: momentum is added before the rate is applied, as in torch.optim.SGD. Where Adam's
mean of squares is 0, so is its root, and the derivative of that root is taken to be 0 as well; the formula,
and `torch.optim.Adam(differentiable=True)`, give NaN there. Every other number is the same.
"""

from collections.abc import Callable, Sequence
from numbers import Number
from typing import Any, NamedTuple

from reference.params import Params

State = Any
Rate = Any  # a number, an array of its parameter's shape, a dict with one for each parameter, or a schedule:
# step (from 0) -> any of these


class Rule(NamedTuple):
    """A rule that turns gradients into steps."""

    init: Callable[[Params], State]
    update: Callable[[Params, Params, State], tuple[Params, State]]  # params, gradient, state


RuleOf = Callable[[Params], Rule]  # what is learned about learning: of rates, `sgd` is Meta-SGD


class SgdState(NamedTuple):
    """Steps taken, and the running sum of gradients (empty where there is no momentum)."""

    step: int
    velocity: Params


class AdamState(NamedTuple):
    """Steps taken, and the running means of the gradient and of its square."""

    step: int
    mean: Params  # m
    square: Params  # v


def sgd(rate: Rate, *, momentum: float = 0.0) -> Rule:
    """The plain step theta - rate * gradient (MAML's alpha, equation 1), or one along a running sum.

    Raises ValueError, when it is used, for a rate of a shape that is not its parameter's, which would
    broadcast and change the parameter's in silence, and for a parameter without one.
    """

    momentum = _number(momentum)

    def init(params: Params) -> SgdState:
        return SgdState(0, zeros(params) if momentum else {})

    def update(params: Params, gradient: Params, state: SgdState) -> tuple[Params, SgdState]:
        velocity = {k: momentum * v + gradient[k] for k, v in state.velocity.items()}
        along, rates = velocity or gradient, _at(rate, state.step)
        new = {name: p - _rate(rates, name, p) * along[name] for name, p in params.items()}
        return new, SgdState(state.step + 1, velocity)

    return Rule(init, update)


def adam(
    rate: Rate, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
) -> Rule:  # constants of algorithm 1
    """Adam with bias correction. Raises ValueError as `sgd` does."""
    beta1, beta2, epsilon = map(_number, (beta1, beta2, epsilon))

    def init(params: Params) -> AdamState:
        return AdamState(0, zeros(params), zeros(params))

    def update(params: Params, gradient: Params, state: AdamState) -> tuple[Params, AdamState]:
        t, rates = state.step + 1, _at(rate, state.step)
        mean = {k: beta1 * m + (1 - beta1) * gradient[k] for k, m in state.mean.items()}
        square = {k: beta2 * v + (1 - beta2) * gradient[k] ** 2 for k, v in state.square.items()}

        def moved(name, p):
            own = _rate(rates, name, p) / (1 - beta1**t)
            return p - own * mean[name] / (_root(square[name] / (1 - beta2**t)) + epsilon)

        return {name: moved(name, p) for name, p in params.items()}, AdamState(t, mean, square)

    return Rule(init, update)


def each_step(rates: Params) -> Rule:
    """Step j of a parameter has the rate rates[name][..., j], one number for all its entries (MAML++).

    Raises ValueError, when it is used, at a step that has no rate, for a parameter that has none, and where
    the parameters do not have equally many.
    """

    def update(params: Params, gradient: Params, step: int) -> tuple[Params, int]:
        _check_step_rates(rates, params, step)
        new = {name: p - _like(rates[name][..., step], p) * gradient[name] for name, p in params.items()}
        return new, step + 1

    return Rule(lambda params: 0, update)


def only(names: Sequence[str], rule: Rule) -> Rule:
    """A rule for the named parameters that leaves the others alone; of the last layer alone, it makes ANIL.

    Raises ValueError, when it is used, for a name that is no parameter.
    """

    def chosen(params: Params) -> Params:
        if unknown := sorted(set(names) - params.keys()):
            raise ValueError(f"names: got {unknown}; the parameters are {sorted(params)}.")
        return {name: params[name] for name in names}

    def update(params: Params, gradient: Params, state: State) -> tuple[Params, State]:
        new, state = rule.update(chosen(params), gradient, state)
        return params | new, state

    return Rule(lambda params: rule.init(chosen(params)), update)


def clipped(rule: Rule, largest: float | int) -> Rule:
    """The rule on a gradient that, all parameters together, is no longer than `largest`, or is cut to it.

    Its direction stays, as it would not if each number were cut by itself. Raises ValueError for a largest
    length that is not above 0.
    """
    if not largest > 0:
        raise ValueError(f"largest: got {largest!r}; the length of a gradient is a number above 0.")
    largest = _number(largest)

    def update(params: Params, gradient: Params, state: State) -> tuple[Params, State]:
        share = sum(((g / largest) ** 2).sum() for g in gradient.values())
        too_long = share > 1
        length = (share * too_long + (share <= 1)) ** 0.5  # in units of the largest; 1 for every shorter one
        return rule.update(params, {name: g / length for name, g in gradient.items()}, state)

    return Rule(rule.init, update)


def zeros(params: Params) -> Params:
    """Nothing, in the shape and type of each parameter."""
    return {name: 0 * p for name, p in params.items()}


def _at(rate: Rate, step: int) -> Rate:
    return rate(step) if callable(rate) else rate


def _rate(rate: Rate, name: str, p: Any) -> Any:
    """The rate of one parameter, a Python number or an array of its shape."""
    if isinstance(rate, dict):
        if name not in rate:
            raise ValueError(f"rate: got rates for {sorted(rate)}; {name} needs one too.")
        rate = rate[name]
    if isinstance(rate, Number):
        return _number(rate)
    if (shape := tuple(rate.shape)) not in ((), tuple(p.shape)):
        given = f"got shape {shape} for {name} of shape {tuple(p.shape)}"
        raise ValueError(f"rate: {given}; a rate is one number or has the parameter's shape.")
    return _in_type_of(p, rate)


def _number(x: Any) -> Any:
    """Python's own number for NumPy's, which would turn float32 into float64."""
    return float(x) if isinstance(x, Number) else x


def _in_type_of(p: Any, rate: Any) -> Any:
    """The rate in float32 where p is, or p would become float64. (A scratch Tensor is of p's type.)"""
    convert = getattr(rate, "astype", None) or getattr(rate, "to", None)  # NumPy's word, PyTorch's word
    return convert(p.dtype) if convert else rate


def _root(square: Any) -> Any:
    """The square root with derivative 0 at 0, not infinity: an inner Adam meets it where a gradient is 0."""
    return (square + (square == 0)) ** 0.5 * (square != 0)


def _check_step_rates(rates: Params, params: Params, step: int) -> None:
    if missing := sorted(params.keys() - rates.keys()):
        raise ValueError(f"rates: got rates for {sorted(rates)}; {missing[0]} needs some too.")
    if len(shapes := {tuple(rates[name].shape) for name in params}) > 1:
        raise ValueError(
            f"rates: got shapes {sorted(shapes)}; every parameter has equally many, one for each step."
        )
    if step >= (n := next(iter(shapes))[-1]):
        raise ValueError(f"rates: there are {n} for each parameter; step {step} has none.")


def _like(rate: Any, p: Any) -> Any:
    """A rate (*tasks) with as many axes as p: a task axis, if there is one, comes first in both."""
    return _in_type_of(p, rate.reshape(tuple(rate.shape) + (1,) * (p.ndim - rate.ndim)))
