"""Rules against torch.optim, by hand, and as inner steps that are differentiated; on both sides."""

from functools import partial

import numpy as np
import pytest
import torch

from reference.rules import Rule, adam, clipped, each_step, only, sgd, zeros
from tests.sides import PYTORCH, along, random_direction, slope

RATES = {"a number": 0.05, "a schedule": lambda step: 0.1 / (1 + step)}
OPTIMIZERS = {
    "sgd": (sgd, torch.optim.SGD),
    "momentum": (partial(sgd, momentum=0.9), partial(torch.optim.SGD, momentum=0.9)),
    "adam": (adam, torch.optim.Adam),
    "adam, other constants": (
        partial(adam, beta1=0.5, beta2=0.9, epsilon=1e-3),
        partial(torch.optim.Adam, betas=(0.5, 0.9), eps=1e-3),
    ),
}
RULES = {"sgd": sgd(0.1), "momentum": sgd(0.1, momentum=0.9), "adam": adam(0.1)}


def problem(seed, n_gradients=20):
    rng = np.random.default_rng(seed)
    params = {"a": rng.normal(size=(3, 2)), "b": rng.normal(size=4)}
    return params, [
        {name: rng.normal(size=p.shape) for name, p in params.items()} for _ in range(n_gradients)
    ]


def walk(rule, params, gradients):
    """Where the gradients, whatever they are, lead."""
    state = rule.init(params)
    for gradient in gradients:
        params, state = rule.update(params, gradient, state)
    return params


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize(("make", "make_torch"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_twenty_steps_are_those_of_torch_optim(side, make, make_torch, rate):
    params, gradients = problem(0)
    leaves = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    optimizer = make_torch(list(leaves.values()), lr=0.1)
    for step, gradient in enumerate(gradients):
        optimizer.param_groups[0]["lr"] = rate(step) if callable(rate) else rate
        for name, leaf in leaves.items():
            leaf.grad = torch.tensor(gradient[name])
        optimizer.step()
    found = side.numpy(walk(make(rate), side.array(params), [side.array(g) for g in gradients]))
    for name, leaf in leaves.items():
        np.testing.assert_allclose(found[name], leaf.detach().numpy(), rtol=0, atol=1e-12)


def test_the_first_step_of_adam_is_the_sign_of_the_gradient(side):
    params, gradient = side.array({"w": np.ones(2)}), side.array({"w": np.array([5.0, -1e-3])})
    np.testing.assert_allclose(side.numpy(walk(adam(0.1), params, [gradient]))["w"], [0.9, 1.1], atol=1e-5)


def test_two_steps_with_momentum_by_hand(side):
    gradient = side.array({"w": np.array([2.0])})  # velocity 2, then 0.5 * 2 + 2 = 3
    found = walk(sgd(0.1, momentum=0.5), side.array({"w": np.ones(1)}), [gradient, gradient])
    np.testing.assert_allclose(side.numpy(found)["w"], 1 - 0.2 - 0.3)


def test_rates_may_be_arrays_or_a_dict_of_both(side):
    params, (gradient,) = problem(1, 1)
    own = {"a": np.random.default_rng(2).uniform(size=(3, 2)), "b": 0.5}
    found = side.numpy(walk(sgd(side.array(own)), side.array(params), [side.array(gradient)]))
    for name in params:
        np.testing.assert_allclose(found[name], params[name] - own[name] * gradient[name], rtol=1e-15)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_nothing_given_is_changed(side, rule):
    params, gradients = problem(2, 3)
    given, (first, second, third) = side.array(params), [side.array(g) for g in gradients]
    moved, state = rule.update(given, first, rule.init(given))
    moved, state = rule.update(moved, second, state)
    kept = [x.copy() for tree in side.numpy(state)[1:] for x in tree.values()]
    before = {name: p.copy() for name, p in side.numpy(moved).items()}
    _, later = rule.update(moved, third, state)
    assert (state.step, later.step) == (2, 3)
    for name in params:
        np.testing.assert_array_equal(side.numpy(given)[name], params[name])
        np.testing.assert_array_equal(side.numpy(third)[name], gradients[2][name])
        np.testing.assert_array_equal(side.numpy(moved)[name], before[name])
    for x, y in zip(kept, (x for tree in side.numpy(state)[1:] for x in tree.values()), strict=True):
        np.testing.assert_array_equal(x, y)


NUMBERS = {
    "Python's": 0.1,
    "NumPy's": np.float64(0.1),
    "NumPy's, in a dict": {"w": np.float64(0.1)},
    "a schedule": lambda step: np.float64(0.1),
    "an int": 1,
}


@pytest.mark.parametrize("rate", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("make", [sgd, partial(sgd, momentum=0.9), adam], ids=["sgd", "momentum", "adam"])
def test_float32_stays_float32_whatever_kind_of_number_the_rate_is(side, make, rate):
    params = side.array({"w": np.ones(3, np.float32)})
    found = walk(make(rate), params, [params, params])
    assert side.numpy(found)["w"].dtype == np.float32


@pytest.mark.parametrize("shape", [(), (3,)])
@pytest.mark.parametrize("make", [sgd, partial(sgd, momentum=0.9), adam], ids=["sgd", "momentum", "adam"])
def test_float32_stays_float32_where_the_rate_is_an_array(side, make, shape):
    params = side.array({"w": np.ones(3, np.float32)})
    found = side.numpy(walk(make(side.array(np.full(shape, 0.1))), params, [params, params]))
    assert found["w"].dtype == np.float32
    expected = side.numpy(walk(make(0.1), params, [params, params]))
    np.testing.assert_allclose(found["w"], expected["w"], rtol=1e-6)


WRONG = {"too few axes": np.full(3, 0.1), "too many": np.full((3, 2, 1), 0.1), "in a dict": {"a": np.ones(2)}}


@pytest.mark.parametrize("rate", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("make", [sgd, adam])
def test_a_rate_of_another_shape_is_named(side, make, rate):
    params, (gradient,) = problem(3, 1)
    words = r"^rate: got shape \(.*\) for a of shape \(3, 2\); a rate is one number or has the parameter's"
    with pytest.raises(ValueError, match=words):
        walk(make(side.array(rate)), side.array(params), [side.array(gradient)])


@pytest.mark.parametrize("make", [sgd, adam])
def test_a_parameter_without_a_rate_is_named(side, make):
    params, (gradient,) = problem(4, 1)
    with pytest.raises(ValueError, match=r"^rate: got rates for \['b'\]; a needs one too\.$"):
        walk(make({"b": 0.1}), side.array(params), [side.array(gradient)])


def test_only_moves_what_is_named_and_remembers_no_more(side):
    params, gradients = problem(5, 3)
    rule = only(["b"], adam(0.1))
    assert rule.init(side.array(params)).mean.keys() == {"b"}
    found = side.numpy(walk(rule, side.array(params), [side.array(g) for g in gradients]))
    assert list(found) == list(params)
    np.testing.assert_array_equal(found["a"], params["a"])
    alone = [side.array({"b": g["b"]}) for g in gradients]
    expected = side.numpy(walk(adam(0.1), side.array({"b": params["b"]}), alone))
    np.testing.assert_array_equal(found["b"], expected["b"])


def test_a_name_that_is_no_parameter_is_named(side):
    params, (gradient,) = problem(6, 1)
    with pytest.raises(ValueError, match=r"^names: got \['head'\]; the parameters are \['a', 'b'\]\.$"):
        walk(only(["head"], sgd(0.1)), side.array(params), [side.array(gradient)])


def test_every_step_has_its_rate(side):
    params, gradients = problem(7, 3)
    rates = {"a": np.array([0.1, 0.2, 0.3]), "b": np.array([0.4, 0.5, 0.6])}
    found = side.numpy(walk(each_step(side.array(rates)), side.array(params), map(side.array, gradients)))
    for name, p in params.items():
        moved = sum(rates[name][j] * gradients[j][name] for j in range(3))
        np.testing.assert_allclose(found[name], p - moved, rtol=1e-12)


def test_float32_stays_float32_whatever_kind_of_number_the_constants_are(side):
    params = side.array({"w": np.ones(3, np.float32)})
    double = np.float64
    for rule in (
        sgd(0.1, momentum=double(0.9)),
        adam(0.1, beta1=double(0.5), beta2=double(0.9), epsilon=double(1e-3)),
    ):
        assert side.numpy(walk(rule, params, [params, params]))["w"].dtype == np.float32


def test_rates_of_steps_in_float64_leave_float32_as_it_is(side):
    params = side.array({"w": np.ones(3, np.float32)})
    found = walk(each_step(side.array({"w": np.full(2, 0.1)})), params, [params, params])
    assert side.numpy(found)["w"].dtype == np.float32


def test_a_step_without_a_rate_is_named(side):
    params, gradients = problem(8, 3)
    rule = each_step(side.array({"a": np.ones(2), "b": np.ones(2)}))
    with pytest.raises(ValueError, match=r"^rates: there are 2 for each parameter; step 2 has none\.$"):
        walk(rule, side.array(params), map(side.array, gradients))


def test_rates_that_are_not_one_for_each_step_are_named(side):
    params, (gradient,) = problem(9, 1)
    with pytest.raises(
        ValueError, match=r"^rates: got shapes \[\(2,\), \(3,\)\]; every parameter has equally"
    ):
        walk(each_step(side.array({"a": np.ones(2), "b": np.ones(3)})), side.array(params), [gradient])
    with pytest.raises(ValueError, match=r"^rates: got rates for \['a'\]; b needs some too\.$"):
        walk(each_step(side.array({"a": np.ones(2)})), side.array(params), [gradient])


# The same rules inside: the steps are differentiated.


def bowl(side, A, c):
    """(w - c)' A (w - c) / 2 + sum of (w - c)^4: curved, so that nothing drops out."""
    A, c = side.array(A), side.array(c)

    def loss(params):
        d = params["w"] - c
        return (d @ A @ d) / 2 + (d**4).sum()

    return loss


def inner_problem(side, seed=0):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(2, 3, 3))
    support, query = (bowl(side, a @ a.T, rng.normal(size=3)) for a in A)
    return {"w": rng.normal(size=3)}, support, query


def recurrent(weights):
    """A learned rule: a tiny recurrent net walks over the gradient of every entry and remembers."""

    def update(params, gradient, memory):
        new = {n: (weights["keep"] * m + weights["see"] * gradient[n]) for n, m in memory.items()}
        new = {n: m / (1 + m**2) ** 0.5 for n, m in new.items()}  # between -1 and 1, in any engine
        return {n: p + weights["say"] * new[n] for n, p in params.items()}, new

    return Rule(zeros, update)


INNER = {
    "sgd": sgd(0.05),
    "momentum": sgd(0.02, momentum=0.5),
    "adam": adam(0.05),
    "a schedule": sgd(lambda step: 0.05 / (1 + step)),
    "recurrent": recurrent({"keep": 0.5, "see": 0.1, "say": -0.2}),
}


@pytest.mark.parametrize("rule", INNER.values(), ids=INNER)
def test_the_meta_gradient_through_four_steps_is_what_small_steps_find(side, rule):
    params, support, query = inner_problem(side)

    def outer(p):
        return query(side.unroll.unroll(support, p, rule, 4))

    _, gradient = side.value_and_grad(outer)(side.array(params))
    direction = random_direction(params)
    expected = slope(side, outer, params, direction)
    assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-7)


def test_what_a_recurrent_rule_has_learned_is_learnable(side):
    params, support, query = inner_problem(side)
    weights = {name: np.array(value) for name, value in {"keep": 0.5, "see": 0.1, "say": -0.2}.items()}

    def outer(weights):
        return query(side.unroll.unroll(support, side.array(params), recurrent(weights), 4))

    _, gradient = side.value_and_grad(outer)(side.array(weights))
    for name in weights:
        direction = {n: np.array(float(n == name)) for n in weights}
        expected = slope(side, outer, weights, direction)
        assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-7)
        assert expected != 0


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_the_meta_gradient_is_that_of_a_loop_in_torch(side, name):
    # Written out in torch.autograd, from the textbooks' formulas.
    params, support, query = inner_problem(side)

    def outer(p):
        return query(side.unroll.unroll(support, p, INNER[name], 4))

    _, gradient = side.value_and_grad(outer)(side.array(params))

    _, their_support, their_query = inner_problem(PYTORCH)
    start = torch.tensor(params["w"], requires_grad=True)
    w, m, v = start, 0, 0
    for t in range(1, 5):
        (g,) = torch.autograd.grad(their_support({"w": w}), w, create_graph=True)
        if name == "momentum":
            m = 0.5 * m + g
            w = w - 0.02 * m
        else:
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            w = w - 0.05 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    (expected,) = torch.autograd.grad(their_query({"w": w}), start)
    np.testing.assert_allclose(side.numpy(gradient)["w"], expected.numpy(), rtol=1e-11)


def test_an_inner_adam_meets_a_gradient_of_zero_and_stays_finite(side):
    # The support knows nothing of the second weight: its gradient is 0 at every step, and so is the root in
    # Adam's denominator. Its derivative there is infinite; taken for 0, the meta-gradient is the right one,
    # for that weight never moves.
    mask = side.array(np.array([1.0, 0.0]))

    def support(p):
        return ((p["w"] * mask - 1.0) ** 4).sum()

    def query(p):
        return (p["w"] ** 2).sum()

    def outer(p):
        return query(side.unroll.unroll(support, p, adam(0.1), 3))

    params = {"w": np.array([0.3, 2.0])}
    _, gradient = side.value_and_grad(outer)(side.array(params))
    gradient = side.numpy(gradient)["w"]
    assert np.isfinite(gradient).all()
    for i in range(2):
        direction = {"w": np.eye(2)[i]}
        assert gradient[i] == pytest.approx(slope(side, outer, params, direction), rel=1e-7)
    assert gradient[1] == pytest.approx(4.0)


def test_torchs_own_differentiable_adam_is_not_finite_there():
    """What the module's docstring says of torch."""
    start = torch.tensor([0.3, 2.0], dtype=torch.float64, requires_grad=True)
    w = start.clone()
    mask = torch.tensor([1.0, 0.0])
    (g,) = torch.autograd.grad(((w * mask - 1.0) ** 4).sum(), w, create_graph=True)
    optimizer = torch.optim.Adam([w], lr=0.1, differentiable=True)
    w.grad = g
    optimizer.step()
    (through,) = torch.autograd.grad((w**2).sum(), start)
    assert not through.isfinite().all(), "torch has mended it: the docstring of rules.py need say no more"


@pytest.mark.parametrize("rule", INNER.values(), ids=INNER)
def test_a_rule_runs_under_vmap(rule):
    rng = np.random.default_rng(1)
    params, centres = {"w": torch.from_numpy(rng.normal(size=3))}, torch.from_numpy(rng.normal(size=(5, 3)))

    def outer(p, centre):
        end = PYTORCH.unroll.unroll(lambda q: ((q["w"] - centre) ** 4).sum(), p, rule, 3)
        return ((end["w"] + centre) ** 2).sum()

    of_one = torch.func.grad(outer)
    together = torch.func.vmap(partial(of_one, params))(centres)["w"]
    torch.testing.assert_close(together, torch.stack([of_one(params, c)["w"] for c in centres]))


# Clipped gradients


def test_a_gradient_that_is_too_long_is_shortened_as_one(side):
    gradient = {"a": np.array([[3.0]]), "b": np.array([4.0, 0.0])}  # length 5
    for largest, share in ((1.0, 0.2), (2.5, 0.5), (5.0, 1.0), (10.0, 1.0)):
        params = side.array({name: 0 * g for name, g in gradient.items()})
        found = side.numpy(walk(clipped(sgd(1.0), largest), params, [side.array(gradient)]))
        for name, g in gradient.items():
            np.testing.assert_allclose(found[name], -share * g, rtol=1e-15)


def test_a_gradient_that_is_short_enough_is_left_as_it_is(side):
    params, gradients = problem(3)
    for rule in RULES.values():
        free, bound = (
            side.numpy(walk(r, side.array(params), [side.array(g) for g in gradients]))
            for r in (rule, clipped(rule, 1e6))
        )
        for name in params:
            np.testing.assert_array_equal(free[name], bound[name])


def test_clipped_as_torch_clips(side):
    params, (gradient,) = problem(4, 1)
    leaves = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    for name, leaf in leaves.items():
        leaf.grad = torch.tensor(gradient[name])
    torch.nn.utils.clip_grad_norm_(list(leaves.values()), 0.7)
    found = side.numpy(walk(clipped(sgd(1.0), 0.7), side.array(params), [side.array(gradient)]))
    for name, leaf in leaves.items():
        np.testing.assert_allclose(found[name], params[name] - leaf.grad.numpy(), rtol=1e-5)


def test_no_gradient_at_all_is_no_division_by_zero(side):
    params = side.array({"w": np.ones(3)})
    found = walk(clipped(sgd(1.0), 2.0), params, [side.array({"w": np.zeros(3)})])
    np.testing.assert_array_equal(side.numpy(found)["w"], np.ones(3))


def test_clipping_keeps_float32(side):
    params = {"w": np.ones(3, np.float32)}
    found = walk(clipped(adam(0.1), 1.0), side.array(params), [side.array({"w": np.full(3, 9, np.float32)})])
    assert side.numpy(found)["w"].dtype == np.float32


def test_a_clipped_inner_step_is_differentiated_through_its_length():
    params, (direction, gradient) = problem(5, 2)

    def end(at):
        moved = walk(clipped(sgd(1.0), 0.5), at, [{k: p * gradient[k] for k, p in at.items()}])
        return sum((p**3).sum() for p in moved.values())

    slopes = [float(end({k: p + h * direction[k] for k, p in params.items()})) for h in (1e-6, -1e-6)]
    leaves = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    torch_gradient = {name: torch.tensor(g) for name, g in gradient.items()}
    moved = walk(clipped(sgd(1.0), 0.5), leaves, [{k: p * torch_gradient[k] for k, p in leaves.items()}])
    sum((p**3).sum() for p in moved.values()).backward()
    along_it = sum(float((leaves[k].grad * torch.tensor(direction[k])).sum()) for k in params)
    assert along_it == pytest.approx((slopes[0] - slopes[1]) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("largest", [0, -1.0, float("nan")])
def test_a_largest_length_that_is_none_is_told(largest):
    with pytest.raises(
        ValueError, match=r"^largest: got .*; the length of a gradient is a number above 0\.$"
    ):
        clipped(sgd(1.0), largest)
