"""Many tasks at once are the tasks one by one, exact with a batch norm that knows a task axis."""

from functools import partial

import numpy as np
import pytest

from reference.episodes import Episode, Examples, one_by_one
from reference.meta_train import mean_over_tasks
from reference.rules import adam, each_step, only, sgd
from reference.tasks.families import Sinusoids
from tests.sides import along, mlp_params, random_direction, slope


def normed_net(side, params, x):
    """(..., n, 2) -> (..., n, 1), normalised over the n examples of a task."""
    x = x @ params["0.weight"].mT
    centred = x - x.mean(-2)[..., None, :]
    normed = centred / ((centred**2).mean(-2)[..., None, :] + 1e-5) ** 0.5
    hidden = side.xp.tanh(normed * params["scale"] + params["shift"])
    return hidden @ params["1.weight"].mT


def problem(side):
    """Parameters and a batch of three tasks, NumPy's, and a loss: a number for each task, or for the one."""
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (6, 2), "scale": (1, 6), "shift": (1, 6), "1.weight": (1, 6)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    x = rng.normal(size=(2, 3, 7, 2))
    episodes = Episode(*(Examples(part, part[..., :1] * part[..., 1:]) for part in x))

    def loss(params, examples):
        return ((normed_net(side, params, examples.x) - examples.y) ** 2).mean((-2, -1))

    return params, episodes, loss


METHODS = {
    "MAML": ("maml", {"rule": sgd(0.02)}),
    "MAML, Adam inside": ("maml", {"rule": adam(0.02)}),
    "MAML, momentum inside": ("maml", {"rule": sgd(0.01, momentum=0.5)}),
    "ANIL": ("maml", {"rule": only(["1.weight"], sgd(0.02))}),
    "Meta-SGD": ("meta_sgd", {}),
    "MAML++": ("meta_sgd", {"rule_of": each_step}),
}


@pytest.mark.metagrad
@pytest.mark.parametrize("n_steps", [1, 5])
@pytest.mark.parametrize("method", METHODS)
def test_every_way_is_exact_with_batch_norm(side, method, n_steps):
    params, episodes, loss = problem(side)
    module, settings = METHODS[method]
    approach, settings = getattr(side, module), {"loss": loss, "n_steps": n_steps, **settings}
    if method == "MAML++":
        params = side.meta_sgd.with_step_rates(side.array(params), inner_lr=0.02, n_steps=n_steps)
    elif method == "Meta-SGD":
        params = side.meta_sgd.with_rates(side.array(params), inner_lr=0.02)
    params, tasks = side.numpy(params), one_by_one(side.array(episodes))

    def mean_loss(params):
        return sum(approach.task_loss(params, task, **settings) for task in tasks) / len(tasks)

    direction = random_direction(params)
    expected = slope(side, mean_loss, params, direction, step=1e-7)
    in_turn = mean_over_tasks(partial(approach.meta_gradient, **settings))
    at_once = partial(side.batches.mean_over_batch(approach.meta_gradient), **settings)
    for gradient, value in (
        in_turn(side.array(params), tasks),
        at_once(side.array(params), side.array(episodes)),
    ):
        assert float(value) == pytest.approx(float(side.numpy(mean_loss(side.array(params)))), rel=1e-10)
        assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-6)


def test_a_batch_wants_one_number_for_each_task(side):
    episodes = Sinusoids(k_shot=6, n_query=5).sample_batch(np.random.default_rng(0), 3)
    words = r"^loss: got shape \(\); a batch of 3 tasks needs one number for each, \(3,\)\.$"
    with pytest.raises(ValueError, match=words):
        side.batches.mean_over_batch(side.maml.meta_gradient)(
            side.array(mlp_params(0, [1, 4, 1])),
            side.array(episodes._replace(task=None)),
            loss=lambda p, e: ((side.nn.mlp(p, e.x) - e.y) ** 2).mean(),
            rule=sgd(0.1),
            n_steps=1,
        )


@pytest.mark.parametrize("approach", ["maml", "reptile"])
def test_a_query_of_no_class_of_its_supports_is_named(side, approach):
    rng = np.random.default_rng(0)
    y = np.tile(np.arange(3), (4, 1))
    batch = Episode(Examples(rng.normal(size=(4, 3, 2)), y), Examples(rng.normal(size=(4, 3, 2)), y - 1))
    meta_gradient = side.batches.mean_over_batch(getattr(side, approach).meta_gradient)

    def loss(p, e):
        return (side.nn.mlp(p, e.x) ** 2).mean((-2, -1))

    with pytest.raises(ValueError, match=r"^query.y: got \[-1\]; the classes are 0\.\.2\.$"):
        meta_gradient(
            side.array(mlp_params(0, [2, 3])), side.array(batch), loss=loss, rule=sgd(0.1), n_steps=1
        )
