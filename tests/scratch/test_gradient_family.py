"""MAML, Reptile and Meta-SGD against what can be worked out on quadratic losses, and against bad input."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import Episode, Examples, one_by_one
from reference.meta_train import mean_over_tasks, meta_train
from reference.scratch import maml, meta_sgd, optim, reptile
from reference.scratch.autodiff import Tensor, detach
from reference.scratch.batches import mean_over_batch
from reference.scratch.nn.losses import cross_entropy, mean_squared_error
from reference.scratch.nn import init_mlp, mlp
from reference.scratch.unroll import sgd
from reference.tasks.families import Quadratic, Quadratics, Sinusoids

RATE = 0.3  # a, with curvatures up to 2, so that I - a A stays positive
N_STEPS = 3


def quadratic_loss(params, task):
    """(theta - c)' A (theta - c) / 2, task by task. What stands for examples is the loss itself, c and A."""
    return Quadratic(*task).loss(params["theta"])


def as_episode(tasks):
    """Learning and judging by the same loss."""
    return Episode(Examples(*tasks), Examples(*tasks))


def weighted_mean_of_centres(weights, tasks):
    """(sum W_i)^-1 sum W_i c_i: where the sum of W_i (theta - c_i) is zero."""
    return np.linalg.solve(weights.sum(0), (weights @ tasks.centre[..., None]).sum(0))[:, 0]


def fixed_points(tasks, n_steps):
    """Where each way to train stops, worked out on paper.

    n_steps of rate a bring theta to phi = c + S (theta - c), with S = (I - a A)^n_steps. The direction is
    joint training:    A (theta - c)         the gradient of the loss itself
    MAML:              S A S (theta - c)     the gradient of the loss at phi, through S
    first-order MAML:  A S (theta - c)       the same without the outer S
    Reptile:           (I - S) (theta - c)   theta - phi
    and training stops where these sum to zero over the tasks. With one step S A S is (I - aA) A (I - aA).
    """
    A, identity = tasks.curvature, np.eye(2)
    S = np.linalg.matrix_power(identity - RATE * A, n_steps)
    return {
        "joint training": weighted_mean_of_centres(A, tasks),
        "MAML": weighted_mean_of_centres(S @ A @ S, tasks),
        "first-order MAML": weighted_mean_of_centres(A @ S, tasks),
        "Reptile": weighted_mean_of_centres(identity - S, tasks),
    }


def directions(n_steps):
    update = {"loss": quadratic_loss, "update": sgd(RATE)}
    maml_of_batch = mean_over_batch(maml.meta_gradient)
    return {
        "joint training": partial(maml_of_batch, n_steps=0, **update),
        "MAML": partial(maml_of_batch, n_steps=n_steps, **update),
        "first-order MAML": partial(maml_of_batch, n_steps=n_steps, first_order=True, **update),
        "Reptile": partial(mean_over_batch(reptile.meta_gradient), n_steps=n_steps, **update),
    }


@pytest.mark.parametrize("n_steps", [1, N_STEPS])
@pytest.mark.parametrize("name", directions(1))
def test_training_stops_where_the_formula_says(name, n_steps):
    tasks = Quadratics(dimension=2).sample_batch(np.random.default_rng(0), 6)
    trained, _ = meta_train(
        {"theta": np.array([3.0, -2.0])},
        directions(n_steps)[name],
        lambda: as_episode(tasks),
        optimizer=optim.sgd(0.7),
        n_steps=700,
    )
    np.testing.assert_allclose(trained["theta"], fixed_points(tasks, n_steps)[name], rtol=0, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_no_direction_moves_its_own_fixed_point(seed):
    tasks = Quadratics(dimension=2).sample_batch(np.random.default_rng(seed), 4)
    for name, direction in directions(N_STEPS).items():
        stopped, _ = direction({"theta": fixed_points(tasks, N_STEPS)[name]}, as_episode(tasks))
        np.testing.assert_allclose(stopped["theta"], 0, atol=1e-10)


def test_the_fixed_points_are_different_ones():
    tasks = Quadratics(dimension=2).sample_batch(np.random.default_rng(0), 6)
    ends = fixed_points(tasks, N_STEPS)
    apart = [np.linalg.norm(ends[a] - ends[b]) for a in ends for b in ends if a < b]
    assert min(apart) > 0.01


def test_one_step_of_reptile_is_joint_training():
    tasks = Quadratics(dimension=2).sample_batch(np.random.default_rng(0), 6)
    one_step = directions(1)
    params, episodes = {"theta": np.array([3.0, -2.0])}, as_episode(tasks)
    found, joint = (one_step[name](params, episodes)[0]["theta"] for name in ("Reptile", "joint training"))
    np.testing.assert_allclose(found, RATE * joint, rtol=1e-12)


def test_maml_minimises_the_loss_after_learning():
    tasks = Quadratics(dimension=2).sample_batch(np.random.default_rng(0), 6)
    _, best = directions(N_STEPS)["MAML"]({"theta": fixed_points(tasks, N_STEPS)["MAML"]}, as_episode(tasks))
    for name in ("joint training", "first-order MAML", "Reptile"):
        end = {"theta": fixed_points(tasks, N_STEPS)[name]}
        assert directions(N_STEPS)["MAML"](end, as_episode(tasks))[1] > best


def test_reptile_on_two_batches_sees_the_second_gradient_after_the_first_step():
    # theta - phi = a (g1 + g2 - a A2 g1): the last term is what makes batches help each other (section 5).
    first, second = (Quadratics(dimension=2).sample(np.random.default_rng(seed)) for seed in (0, 1))
    theta = np.array([3.0, -2.0])
    g1, g2 = first.gradient(theta), second.gradient(theta)
    found = reptile.direction(
        {"theta": theta}, [Examples(*first), Examples(*second)], loss=quadratic_loss, update=sgd(RATE)
    )
    np.testing.assert_allclose(found["theta"], RATE * (g1 + g2 - RATE * second.curvature @ g1), rtol=1e-12)


def test_every_step_of_reptile_has_its_number():
    seen = []

    def update(params, gradient, step):
        seen.append(step)
        return params

    task = Quadratics(dimension=2).sample(np.random.default_rng(0))
    reptile.direction({"theta": np.zeros(2)}, [Examples(*task)] * 3, loss=quadratic_loss, update=update)
    assert seen == [0, 1, 2]


def test_meta_sgd_learns_the_rates_that_solve_every_task_in_one_step():
    # Tasks of one curvature, diag(1/2, 2): with rates 1 / curvature one step ends at the centre.
    rng = np.random.default_rng(0)
    curvature = np.broadcast_to(np.diag([0.5, 2.0]), (8, 2, 2))
    tasks = Quadratics(dimension=2).sample_batch(rng, 8)._replace(curvature=curvature)
    params, losses = meta_train(
        meta_sgd.with_rates({"theta": np.array([1.0, 1.0])}, inner_lr=0.1),
        partial(mean_over_batch(meta_sgd.meta_gradient), loss=quadratic_loss),
        lambda: as_episode(tasks),
        optimizer=optim.adam(0.05),
        n_steps=1500,
    )
    np.testing.assert_allclose(params["rate.theta"], [2.0, 0.5], atol=1e-3)
    assert losses[-1] < 1e-6 < losses[0]


def test_rates_of_each_step_learn_the_two_steps_that_solve_every_task():
    # Curvatures 1 and 4 in one parameter, and one rate a step: the steps 1 and 1/4 end at the centre in turn.
    rng = np.random.default_rng(0)
    curvature = np.broadcast_to(np.diag([1.0, 4.0]), (8, 2, 2))
    tasks = Quadratics(dimension=2).sample_batch(rng, 8)._replace(curvature=curvature)
    start = {"theta": np.array([1.0, 1.0])}
    settings = {"loss": quadratic_loss, "n_steps": 2, "step_by": meta_sgd.each_step}
    params, losses = meta_train(
        meta_sgd.with_step_rates(start, inner_lr=0.1, n_steps=2) | {"rate.theta": np.array([0.1, 0.3])},
        partial(mean_over_batch(meta_sgd.meta_gradient), **settings),
        lambda: as_episode(tasks),
        optimizer=optim.adam(0.02),
        n_steps=2500,
    )
    np.testing.assert_allclose(sorted(params["rate.theta"]), [0.25, 1.0], atol=1e-3)
    assert losses[-1] < 1e-6 < losses[0]


def test_equal_rates_of_each_step_are_the_plain_step():
    params, episode = sinusoid()
    equal = meta_sgd.with_step_rates(params, inner_lr=0.05, n_steps=3)
    plain = {"loss": regression_loss, "n_steps": 3}
    expected, value = maml.meta_gradient(params, episode, update=sgd(0.05), **plain)
    found, same_value = meta_sgd.meta_gradient(equal, episode, step_by=meta_sgd.each_step, **plain)
    assert same_value == value
    for name, g in expected.items():
        np.testing.assert_allclose(found[f"start.{name}"], g, rtol=1e-12)


# Regression and classification with a small dense net.


def sinusoid(seed=0):
    params = {
        name: p.astype(np.float64) for name, p in init_mlp(np.random.default_rng(seed), [1, 8, 1]).items()
    }
    return params, Sinusoids(k_shot=6, n_query=5).sample(np.random.default_rng(seed))


def regression_loss(params, examples):
    return mean_squared_error(mlp(params, examples.x), examples.y)


def classification_loss(params, examples):
    return cross_entropy(mlp(params, examples.x), examples.y)


SETTINGS = {"network": mlp, "loss": regression_loss, "update": sgd(0.05), "n_steps": 4}


def test_adapting_lowers_the_loss_and_gives_the_task_loss_of_the_meta_gradient():
    params, episode = sinusoid()
    predict = maml.adapt(params, episode.support, **SETTINGS)
    after = mean_squared_error(predict(episode.support.x), episode.support.y)
    assert after < regression_loss(params, episode.support)
    _, value = maml.meta_gradient(params, episode, **{k: v for k, v in SETTINGS.items() if k != "network"})
    assert value == pytest.approx(mean_squared_error(predict(episode.query.x), episode.query.y), rel=1e-12)


def test_a_query_is_answered_the_same_alone():
    params, episode = sinusoid()
    predict = maml.adapt(params, episode.support, **SETTINGS)
    for i in range(5):
        np.testing.assert_allclose(
            predict(episode.query.x)[i], predict(episode.query.x[i : i + 1])[0], rtol=1e-12
        )


def test_anil_leaves_the_body_alone_but_its_meta_gradient_does_not():
    params, episode = sinusoid()
    head = ["layers.1.weight", "layers.1.bias"]
    settings = {"loss": regression_loss, "update": maml.only(head, sgd(0.05)), "n_steps": 4}
    end = maml.adapted(params, episode.support, **settings)
    for name in params:
        assert np.array_equal(detach(end[name]), params[name]) == (name not in head)
    gradient, _ = maml.meta_gradient(params, episode, **settings)
    assert list(gradient) == list(params) and all(np.any(g != 0) for g in gradient.values())


def test_what_is_given_is_left_as_it_is_and_plain_arrays_come_back_in_float32():
    params, episode = sinusoid()
    params = {name: p.astype(np.float32) for name, p in params.items()}
    parts = (Examples(part.x.astype(np.float32), part.y.astype(np.float32)) for part in episode[:2])
    before = {name: p.copy() for name, p in params.items()}
    episode = Episode(*parts)
    settings = {"loss": regression_loss, "update": sgd(0.05), "n_steps": 2}
    for gradient, value in (
        maml.meta_gradient(params, episode, **settings),
        reptile.meta_gradient(params, episode, **settings),
        meta_sgd.meta_gradient(meta_sgd.with_rates(params, inner_lr=0.05), episode, loss=regression_loss),
    ):
        assert value.dtype == np.float32
        assert {(type(g), g.dtype) for g in gradient.values()} == {(np.ndarray, np.dtype(np.float32))}
    for name in params:
        np.testing.assert_array_equal(params[name], before[name])


@pytest.mark.parametrize("rate", [np.full(8, 0.1), np.full((8, 1, 1), 0.1), {"layers.0.weight": np.ones(3)}])
def test_a_rate_of_the_wrong_shape_is_named(rate):
    params, episode = sinusoid()
    with pytest.raises(
        ValueError, match=r"^inner_lr: got shape \(.*\) for layers.0.weight of shape \(8, 1\); a"
    ):
        maml.adapt(params, episode.support, **SETTINGS | {"update": sgd(rate)})


def test_a_parameter_without_a_rate_is_named():
    params, episode = sinusoid()
    with pytest.raises(
        ValueError, match=r"^inner_lr: got rates for \['head'\]; layers.0.weight needs one too\.$"
    ):
        maml.adapt(params, episode.support, **SETTINGS | {"update": sgd({"head": 0.1})})


def test_a_step_without_a_rate_is_named():
    params, episode = sinusoid()
    params = meta_sgd.with_step_rates(params, inner_lr=0.05, n_steps=2)
    settings = {"network": mlp, "loss": regression_loss, "step_by": meta_sgd.each_step}
    meta_sgd.adapt(params, episode.support, n_steps=2, **settings)
    with pytest.raises(ValueError, match=r"^rates: there are 2 for each parameter; step 2 has none\.$"):
        meta_sgd.adapt(params, episode.support, n_steps=3, **settings)


def test_rates_that_are_not_one_for_each_step_are_named():
    params, episode = sinusoid()
    settings = {"loss": regression_loss, "step_by": meta_sgd.each_step}
    for_weights = meta_sgd.with_rates(params, inner_lr=0.05)  # of Meta-SGD: as many as weights
    with pytest.raises(ValueError, match=r"^rates: got shapes \[.*\]; every parameter has equally many, one"):
        meta_sgd.meta_gradient(for_weights, episode, **settings)
    missing = meta_sgd.with_step_rates(params, inner_lr=0.05, n_steps=1)
    del missing["rate.layers.0.weight"]
    with pytest.raises(ValueError, match=r"^rates: got rates for \[.*\]; layers.0.weight needs some too\.$"):
        meta_sgd.meta_gradient(missing, episode, **settings)


def test_a_learned_rate_of_the_wrong_shape_is_named():
    params, episode = sinusoid()
    params = meta_sgd.with_rates(params, inner_lr=0.05) | {"rate.layers.0.weight": np.full(8, 0.05)}
    with pytest.raises(
        ValueError, match=r"^inner_lr: got shape \(8,\) for layers.0.weight of shape \(8, 1\)"
    ):
        meta_sgd.meta_gradient(params, episode, loss=regression_loss)


def test_a_name_that_is_no_parameter_is_named():
    params, episode = sinusoid()
    with pytest.raises(ValueError, match=r"^names: got \['head'\]; the parameters are \['layers.0.bias', "):
        maml.adapt(params, episode.support, **SETTINGS | {"update": maml.only(["head"], sgd(0.1))})


@pytest.mark.parametrize("labels", [[0, 0, 1], [0, 1, 3], [2, 1, 1], [-1, 0, 1]])
@pytest.mark.parametrize("approach", [maml, reptile, meta_sgd])
def test_a_missing_or_a_foreign_class_is_named(approach, labels):
    params = init_mlp(np.random.default_rng(0), [2, 3])
    support = Examples(np.ones((3, 2), np.float32), np.array(labels))
    settings = {"network": mlp, "loss": classification_loss, "n_steps": 1}
    if approach is meta_sgd:
        params = meta_sgd.with_rates(params, inner_lr=0.1)
    else:
        settings["update"] = sgd(0.1)
    with pytest.raises(
        ValueError, match=r"^support: got classes \[.*\]; each of 0..2, which the network scores"
    ):
        approach.adapt(params, support, **settings)


def squared_errors(params, examples):
    """One number an example: what a loss is not."""
    return (mlp(params, examples.x) - examples.y)[:, 0] ** 2


@pytest.mark.parametrize("n_steps", [0, 2])
@pytest.mark.parametrize("approach", [maml, reptile, meta_sgd])
def test_a_loss_that_is_no_scalar_is_named(approach, n_steps):
    params, episode = sinusoid()
    settings = {"loss": squared_errors, "n_steps": n_steps}
    if approach is meta_sgd:
        params = meta_sgd.with_rates(params, inner_lr=0.1)
    else:
        settings["update"] = sgd(0.1)
    with pytest.raises(
        ValueError, match=r"^loss: got shape \([56],\); it gives one number, such as a mean over"
    ):
        approach.meta_gradient(params, episode, **settings)


# A batch norm in its own words, which knows a task axis: every way through it against small steps.


def normed_net(params, x):
    # (..., n, 2) -> (..., n, 1), normalised over the n examples of a task
    x = x @ np.swapaxes(params["0.weight"], -1, -2)
    centred = x - np.mean(x, axis=-2, keepdims=True)
    normed = centred / np.sqrt(np.mean(centred**2, axis=-2, keepdims=True) + 1e-5)
    hidden = np.tanh(normed * params["scale"] + params["shift"])
    return hidden @ np.swapaxes(params["1.weight"], -1, -2)


def normed_loss(params, examples):
    """One number for each task, or one for a single task."""
    return np.mean((normed_net(params, examples.x) - examples.y) ** 2, axis=(-2, -1))


def normed_problem():
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (6, 2), "scale": (1, 6), "shift": (1, 6), "1.weight": (1, 6)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    x = rng.normal(size=(2, 3, 7, 2))
    return params, Episode(*(Examples(part, part[..., :1] * part[..., 1:]) for part in x))


EXACT = {
    "MAML": (maml, {"update": sgd(0.02)}),
    "ANIL": (maml, {"update": maml.only(["1.weight"], sgd(0.02))}),
    "Meta-SGD": (meta_sgd, {}),
    "MAML++": (meta_sgd, {"step_by": meta_sgd.each_step}),
}


def mean_slope(function, params, direction, h=1e-7):
    """How fast function changes at params along the direction, by a central difference."""
    ahead, behind = ({name: p + s * direction[name] for name, p in params.items()} for s in (h, -h))
    return (function(ahead) - function(behind)) / (2 * h)


@pytest.mark.metagrad
@pytest.mark.parametrize("n_steps", [1, 5])
@pytest.mark.parametrize("method", EXACT)
def test_every_way_is_exact_with_batch_norm(method, n_steps):
    params, episodes = normed_problem()
    approach, settings = EXACT[method]
    if method == "MAML++":
        params = meta_sgd.with_step_rates(params, inner_lr=0.02, n_steps=n_steps)
    elif method == "Meta-SGD":
        params = meta_sgd.with_rates(params, inner_lr=0.02)
    settings = {"loss": normed_loss, "n_steps": n_steps, **settings}
    tasks = one_by_one(episodes)
    rng = np.random.default_rng(7)
    direction = {name: rng.normal(size=p.shape) for name, p in params.items()}

    def mean_loss(params):
        return np.mean([detach(approach.task_loss(params, task, **settings)) for task in tasks])

    expected = mean_slope(mean_loss, params, direction)
    in_turn = mean_over_tasks(partial(approach.meta_gradient, **settings))(params, tasks)
    at_once = mean_over_batch(approach.meta_gradient)(params, episodes, **settings)
    for gradient, value in (in_turn, at_once):
        assert value == pytest.approx(mean_loss(params), rel=1e-10)
        slope = sum(np.sum(gradient[name] * direction[name]) for name in direction)
        assert slope == pytest.approx(expected, rel=1e-6)


def test_a_batch_wants_one_number_for_each_task():
    params, _ = sinusoid()
    episodes = Sinusoids(k_shot=6, n_query=5).sample_batch(np.random.default_rng(0), 3)
    with pytest.raises(
        ValueError, match=r"^loss: got shape \(\); a batch of 3 tasks needs one number for each, \(3,\)"
    ):
        mean_over_batch(maml.meta_gradient)(
            params, episodes, loss=regression_loss, update=sgd(0.1), n_steps=1
        )


def test_a_nan_in_the_support_is_named_when_adapting_and_stops_training():
    params, episode = sinusoid()
    episode.support.x[0] = np.nan
    with pytest.raises(
        FloatingPointError,
        match=r"^adapted: layers.0.weight is not finite after 4 steps; look for NaN in the sup",
    ):
        maml.adapt(params, episode.support, **SETTINGS)
    head = maml.only(["layers.1.weight"], sgd(0.05))  # the rest stays finite
    with pytest.raises(FloatingPointError, match=r"^adapted: layers.1.weight is not finite"):
        maml.adapt(params, episode.support, **SETTINGS | {"update": head})
    meta_gradient = partial(maml.meta_gradient, loss=regression_loss, update=sgd(0.1), n_steps=1)
    with pytest.raises(FloatingPointError, match="outer step 0: the loss is nan"):
        meta_train(params, meta_gradient, lambda: episode, optimizer=optim.sgd(0.1), n_steps=1)


def test_a_rate_that_is_a_tensor_is_judged_by_its_shape_too():
    params, episode = sinusoid()
    rate = Tensor(np.full(3, 0.1))
    with pytest.raises(ValueError, match=r"^inner_lr: got shape \(3,\)"):
        maml.adapted(params, episode.support, loss=regression_loss, update=sgd(rate), n_steps=1)
