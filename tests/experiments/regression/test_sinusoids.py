"""The sinusoids of Finn et al. in the small: the errors are right, and a run says what it did."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from experiments import sinusoids
from reference.episodes import Examples
from reference.evaluation import Score
from reference.pytorch import maml, meta_sgd
from reference.pytorch.nn import MLP, mlp
from reference.pytorch.unroll import sgd
from reference.tasks.families import Sinusoids


def few(n_tasks=4, k_shot=5, n_query=7):
    return sinusoids.sample(
        Sinusoids(k_shot=k_shot, n_query=n_query), np.random.default_rng(3), n_tasks=n_tasks
    )


def start(n_inputs=1, seed=0):
    return maml.init(np.random.default_rng(seed), MLP([n_inputs, 40, 40, 1]))


def test_the_curve_is_that_of_adapting_each_task_alone():
    episodes, params = few(), start()
    found = sinusoids.curve(params, episodes, sgd(0.05), 3)
    assert found.shape == (4, 4)

    def loss(params, examples):
        return ((mlp(params, examples.x) - examples.y) ** 2).mean()

    for n_steps in range(4):
        for task in range(4):
            support, query = (Examples(part.x[task], part.y[task]) for part in episodes[:2])
            predict = maml.adapt(params, support, network=mlp, loss=loss, update=sgd(0.05), n_steps=n_steps)
            expected = ((predict(query.x) - query.y) ** 2).mean()
            assert found[n_steps, task] == pytest.approx(float(expected), rel=1e-4)


def test_the_oracle_is_told_what_the_task_is():
    episodes = few()
    x = sinusoids.with_truth(episodes).query.x
    expected = x[..., 1:2] * torch.sin(x[..., 0:1] - x[..., 2:3])
    torch.testing.assert_close(expected, episodes.query.y, rtol=1e-4, atol=1e-4)


def test_pooling_is_the_gradient_over_all_points():
    episodes, params = few(k_shot=5, n_query=5), start()
    gradient, loss = sinusoids.pooled(params, episodes)
    leaves = {name: p.clone().requires_grad_() for name, p in params.items()}
    x, y = (torch.cat([part.reshape(-1, 1) for part in parts]) for parts in zip(*episodes[:2], strict=True))
    expected = ((mlp(leaves, x) - y) ** 2).mean()
    assert float(loss) == pytest.approx(expected.item(), rel=1e-5)
    expected.backward()
    for name, leaf in leaves.items():
        torch.testing.assert_close(gradient[name], leaf.grad, rtol=1e-4, atol=1e-5)


def test_reptile_learns_by_turns_from_support_and_query():
    episodes, params = few(), start()
    direction, loss = sinusoids.LEARNERS["Reptile"].meta_gradient(params, episodes)
    ends, losses = [], []
    for task in range(4):
        support, query = (Examples(part.x[task], part.y[task]) for part in episodes[:2])
        weights = {name: p.clone().requires_grad_() for name, p in params.items()}
        for x, y in (support, query, support, query):
            gradient = torch.autograd.grad(((mlp(weights, x) - y) ** 2).mean(), list(weights.values()))
            weights = {k: w - 0.01 * g for (k, w), g in zip(weights.items(), gradient, strict=True)}
        ends.append(weights)
        losses.append(((mlp(weights, query.x) - query.y) ** 2).mean().item())
    assert float(loss) == pytest.approx(sum(losses) / 4, rel=1e-4)
    for name, p in params.items():
        expected = torch.stack([p - end[name].detach() for end in ends]).mean(0)
        torch.testing.assert_close(direction[name], expected, rtol=1e-4, atol=1e-6)


def test_a_step_size_that_explodes_is_not_chosen():
    params = {name: 30 * p for name, p in start().items()}
    assert sinusoids.tuned_lr(params, few()) < max(sinusoids.TUNED)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(sinusoids, "HERE", tmp_path)
    monkeypatch.setattr(sinusoids, "N_TEST_TASKS", 6)
    return tmp_path


def test_a_run_says_what_it_found_and_again_finds_the_same(here):
    found = []
    for _ in range(2):  # the second time every learner is at its end already
        sinusoids.main(["--k-shot", "5", "--n-steps", "3"])
        (path,) = (here / "results").iterdir()
        result = json.loads(path.read_text())
        found.append(result["scores"])
    assert path.name == "regression_sinusoids_seed=0_k_shot=5_n_steps=3.json"
    assert found[0] == found[1]
    assert (result["k_shot"], result["n_steps"], result["times_resumed"]) == (5, 3, len(sinusoids.LEARNERS))
    assert {"command", "versions", "device", "date", "training_seconds", "seed", "data"} <= result.keys()
    by_name = {score["learner"]: score for score in result["scores"]}
    assert by_name.keys() == {*sinusoids.LEARNERS, "never trained"}
    assert all(score["inner_steps"] == [0, 1, 5, 10] and score["n_tasks"] == 6 for score in result["scores"])
    assert len(set(by_name["oracle"]["mean"])) == 1


def test_a_row_has_the_errors_of_its_learner_after_as_many_steps_as_it_says(here):
    starts = {
        name: start(learner.n_inputs, seed)
        for seed, (name, learner) in enumerate(sinusoids.LEARNERS.items(), start=1)
    }
    at_end = starts | {"Meta-SGD": meta_sgd.with_rates(starts["Meta-SGD"], inner_lr=0.02)}
    starts["never trained"] = start()
    trained = {name: (SimpleNamespace(params=p), starts["never trained"]) for name, p in at_end.items()}
    tasks = Sinusoids(k_shot=5, n_query=sinusoids.N_TEST_QUERIES)
    test = sinusoids.sample(tasks, np.random.default_rng(1000), n_tasks=6)
    told = sinusoids.with_truth(test)
    found = {row["learner"]: row for row in sinusoids.rows(trained, 5)}
    assert found.keys() == starts.keys()
    for name, row in found.items():
        inner_lr = {"Meta-SGD": 0.02, "oracle": 0.0}.get(name, row["inner_lr"])
        errors = sinusoids.curve(starts[name], told if name == "oracle" else test, sgd(inner_lr), 10)
        scores = [Score(errors[step]) for step in row["inner_steps"]]
        assert row["mean"] == pytest.approx([score.mean for score in scores], abs=1e-3)
        assert row["half_width"] == pytest.approx([score.half_width for score in scores], abs=1e-3)
    assert all(found[name]["inner_lr"] == 0.01 for name in ("MAML", "first-order MAML", "Reptile"))


@pytest.mark.parametrize("name", sinusoids.LEARNERS)
def test_every_learner_learns(name, here):
    settings = sinusoids.Settings(n_steps=150)
    run, begun = sinusoids.train(name, settings)
    learner, episodes = sinusoids.LEARNERS[name], few(n_tasks=200, k_shot=10, n_query=10)
    before, after = (float(learner.meta_gradient(p, episodes)[1]) for p in (begun, run.params))
    assert after < before


def test_what_goes_to_infinity_has_no_score():
    assert sinusoids.finite_score(np.array([0.5, 1.5])).mean == 1
    for bad in (np.inf, np.nan):
        assert sinusoids.finite_score(np.array([0.5, bad])) is None
