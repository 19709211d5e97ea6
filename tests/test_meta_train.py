"""The outer loop goes where the mathematics says, stops at nonsense, and goes on where it stopped."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.meta_train import mean_over_tasks, meta_steps, meta_train
from reference.rules import Rule, sgd

RATE, FRICTION = 0.1, 0.5


def momentum():
    """Gradient descent that remembers: its state matters, so a lost state shows."""

    def update(params, gradient, velocity):
        velocity = {name: FRICTION * velocity[name] + gradient[name] for name in params}
        return {name: params[name] - RATE * velocity[name] for name in params}, velocity

    return Rule(lambda params: {name: np.zeros_like(value) for name, value in params.items()}, update)


def quadratic(params, centre):
    """Loss |w - centre|^2 / 2 and its gradient."""
    return {"w": params["w"] - centre}, ((params["w"] - centre) ** 2).sum() / 2


def start():
    return {"w": np.array([3.0, -2.0])}


def draw_from(seed):
    rng = np.random.default_rng(seed)
    return lambda: rng.normal(size=2)


def test_it_reaches_the_optimum_of_a_quadratic():
    optimum = np.array([0.5, 1.5])
    params, losses = meta_train(start(), quadratic, lambda: optimum, rule=momentum(), n_steps=200)
    assert params["w"] == pytest.approx(optimum, abs=1e-12)
    assert losses.shape == (200,)
    assert losses[0] == pytest.approx((2.5**2 + 3.5**2) / 2)  # the loss before the first step
    assert losses[-1] < 1e-20


def test_over_many_tasks_it_reaches_the_mean_of_their_optima():
    centres = iter(np.tile([[-1.0, 0.0], [3.0, 2.0]], (400, 1)))
    both = mean_over_tasks(quadratic)
    params, _ = meta_train(
        start(), both, lambda: [next(centres), next(centres)], rule=momentum(), n_steps=200
    )
    assert params["w"] == pytest.approx([1.0, 1.0], abs=1e-12)


def test_the_params_that_were_given_stay_as_they_are():
    params = start()
    meta_train(params, quadratic, draw_from(0), rule=momentum(), n_steps=3)
    assert np.array_equal(params["w"], start()["w"])


def test_no_steps_give_the_params_back():
    params, losses = meta_train(start(), quadratic, draw_from(0), rule=momentum(), n_steps=0)
    assert np.array_equal(params["w"], start()["w"])
    assert losses.shape == (0,)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_no_number_stops_the_run_and_says_which_step(bad):
    losses = iter([1.0, 1.0, bad])

    def meta_gradient(params, centre):
        return quadratic(params, centre)[0], next(losses)

    with pytest.raises(
        FloatingPointError, match=f"outer step 2: the loss is {bad}; look for NaN in the episode, or try a"
    ):
        meta_train(start(), meta_gradient, draw_from(0), rule=momentum(), n_steps=5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_no_number_is_named_at_its_own_step(side, bad):
    params = side.array(start() | {"v": np.zeros(3)})
    n_asked = 0

    def meta_gradient(params, _):
        nonlocal n_asked
        n_asked += 1
        wrong = np.array([0.0, bad if n_asked == 3 else 0.0, 1.0])
        return {"w": params["w"], "v": side.array(wrong)}, 1.0

    words = "^outer step 2: the gradient of v is not finite, though the loss is; look for NaN in the episode"
    with pytest.raises(FloatingPointError, match=words):
        meta_train(params, meta_gradient, lambda: None, rule=sgd(0.1), n_steps=5)
    assert n_asked == 3


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_last_step_that_leads_nowhere_is_named():
    with pytest.raises(
        FloatingPointError, match=r"^w is not finite after 1 outer steps; look for NaN in the"
    ):
        meta_train(
            start(), lambda p, _: ({"w": 1e200 * p["w"]}, 1.0), lambda: None, rule=sgd(1e200), n_steps=1
        )


WRONG = {
    "a name too few": lambda p: {},
    "a name too many": lambda p: {"w": p["w"], "v": p["w"]},
    "a shape that would broadcast": lambda p: {"w": p["w"][:1]},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_gradient_that_does_not_fit_the_parameters_is_named(side, wrong):
    words = r"^outer step 0: the gradient has \{.*\}, and the parameters \{'w': \(2,\)\}\.$"
    with pytest.raises(ValueError, match=words):
        meta_train(side.array(start()), lambda p, _: (wrong(p), 1.0), lambda: None, rule=sgd(0.1), n_steps=1)


@given(st.integers(0, 12), st.integers(0, 100))
def test_a_run_that_is_resumed_equals_one_that_never_stopped(stop, seed):
    n_steps, draw = 12, draw_from(seed)
    whole = list(islice(meta_steps(start(), quadratic, draw, rule=momentum()), n_steps))

    draw, params, state = draw_from(seed), start(), None
    losses = []
    for length in (stop, n_steps - stop):
        for step in islice(meta_steps(params, quadratic, draw, rule=momentum(), state=state), length):
            params, state = step.params, step.state
            losses.append(step.loss)

    assert losses == [step.loss for step in whole]
    assert np.array_equal(params["w"], whole[-1].params["w"])
    assert np.array_equal(state["w"], whole[-1].state["w"])


def test_the_generator_is_what_the_loop_runs():
    steps = list(islice(meta_steps(start(), quadratic, draw_from(1), rule=momentum()), 7))
    params, losses = meta_train(start(), quadratic, draw_from(1), rule=momentum(), n_steps=7)
    assert [step.index for step in steps] == list(range(7))
    assert losses.tolist() == [step.loss for step in steps]
    assert np.array_equal(params["w"], steps[-1].params["w"])


@given(st.integers(1, 6), st.integers(0, 100))
def test_the_mean_over_tasks_is_the_mean(n_tasks, seed):
    rng = np.random.default_rng(seed)
    params, tasks = {"w": rng.normal(size=2)}, list(rng.normal(size=(n_tasks, 2)))
    gradient, loss = mean_over_tasks(quadratic)(params, tasks)
    assert gradient["w"] == pytest.approx(params["w"] - np.mean(tasks, axis=0))
    assert loss == pytest.approx(np.mean([((params["w"] - centre) ** 2).sum() / 2 for centre in tasks]))
