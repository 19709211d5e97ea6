"""The errors of many tasks at once are those of each alone."""

import numpy as np
import pytest
import torch

from experiments.regression import curves
from reference.episodes import Examples
from reference.pytorch import maml
from reference.pytorch.nn import MLP, mlp
from reference.rules import adam, sgd
from reference.tasks.families import Sinusoids

CPU = torch.device("cpu")


def few(n_tasks=4, k_shot=5, n_query=7):
    tasks = Sinusoids(k_shot=k_shot, n_query=n_query)
    return curves.sample(tasks, np.random.default_rng(3), n_tasks=n_tasks, device=CPU)


def start():
    return maml.init(np.random.default_rng(0), MLP([1, 40, 40, 1]))


@pytest.mark.parametrize("rule", [sgd(0.05), adam(0.01)], ids=["sgd", "adam"])
def test_the_curve_is_that_of_adapting_each_task_alone(rule):
    episodes, params = few(), start()
    found = curves.curve(params, episodes, rule, 3)
    assert found.shape == (4, 4)

    def loss(params, examples):
        return ((mlp(params, examples.x) - examples.y) ** 2).mean()

    for n_steps in range(4):
        for task in range(4):
            support, query = (Examples(part.x[task], part.y[task]) for part in episodes[:2])
            predict = maml.adapt(params, support, network=mlp, loss=loss, rule=rule, n_steps=n_steps)
            expected = ((predict(query.x) - query.y) ** 2).mean()
            assert found[n_steps, task] == pytest.approx(float(expected), rel=1e-3)


def test_the_oracle_is_told_what_the_task_is():
    episodes = few()
    x = curves.with_truth(episodes).query.x
    expected = x[..., 1:2] * torch.sin(x[..., 0:1] - x[..., 2:3])
    torch.testing.assert_close(expected, episodes.query.y, rtol=1e-4, atol=1e-4)


def test_a_step_size_that_explodes_is_not_chosen():
    params = {name: 30 * p for name, p in start().items()}
    assert curves.tuned_lr(params, few(), 10) < max(curves.TUNED)


def test_the_step_size_chosen_has_the_least_error_after_the_last_step():
    chosen = curves.tuned_lr(start(), few(), 2)
    errors = {lr: curves.curve(start(), few(), sgd(lr), 2)[-1].mean() for lr in curves.TUNED}
    assert chosen == min(errors, key=errors.get)
