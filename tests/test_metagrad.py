"""The ledger of meta-gradients: every way to compute one gives the same numbers (`pytest -m metagrad`)."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import ledger
from experiments.ledger import PROBLEMS, entries, relative_error
from reference.scratch.autodiff import Tensor, detach, grad
from reference.scratch.unroll import sgd

pytestmark = pytest.mark.metagrad
ROWS = {name: entries(make()) for name, make in PROBLEMS.items()}
CASES = [(problem, name) for problem, rows in ROWS.items() for name in rows]


@pytest.mark.parametrize(("problem", "name"), CASES)
def test_every_way_gives_the_same_meta_gradient(problem, name):
    entry = ROWS[problem][name]
    assert relative_error(entry.engine, entry.pytorch) < 1e-10
    assert relative_error(entry.engine, entry.small_steps) < 1e-6
    if entry.by_hand is not None:
        assert relative_error(entry.engine, entry.by_hand) < 1e-10


def test_the_linear_model_and_one_step_of_the_network_are_done_by_hand_too():
    by_hand = {(problem, name) for problem, name in CASES if ROWS[problem][name].by_hand is not None}
    assert by_hand == {case for case in CASES if case[0] == "linear model"} | {("network", "MAML, 1 step")}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_an_error_of_a_millionth_would_show(problem):
    for entry in ROWS[problem].values():
        assert relative_error(entry.engine * (1 + 2e-6), entry.small_steps) > 1e-6


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("n_steps", ["1 step", "5 steps"])
def test_first_order_maml_is_another_direction_than_maml(problem, n_steps):
    rows = ROWS[problem]
    assert relative_error(rows[f"first-order MAML, {n_steps}"].engine, rows[f"MAML, {n_steps}"].engine) > 0.01


@pytest.mark.parametrize("problem", PROBLEMS)
def test_reptile_is_another_direction_than_maml_also_after_scaling(problem):
    reptile, maml = ROWS[problem]["Reptile, 5 steps"].engine, ROWS[problem]["MAML, 5 steps"].engine
    cosine = reptile @ maml / np.linalg.norm(reptile) / np.linalg.norm(maml)
    assert cosine < 0.999


@pytest.mark.parametrize("problem", PROBLEMS)
def test_reptile_is_the_rate_times_the_sum_of_the_gradients_on_the_way(problem):
    params, (support, _, _) = PROBLEMS[problem]()
    total = 0
    for _ in range(5):
        leaves = {name: Tensor(p) for name, p in params.items()}
        gradient = {name: detach(g) for name, g in grad(ledger.loss(leaves, support), leaves).items()}
        total = total + ledger.flat(gradient)
        params = sgd(ledger.INNER_LR)(params, gradient, 0)
    assert relative_error(ROWS[problem]["Reptile, 5 steps"].engine, ledger.INNER_LR * total) < 1e-12


def test_no_learning_is_the_plain_query_gradient():
    entry = ledger.maml_entry(ledger.linear_model(), 0)
    H, b = ledger.normal_equations(ledger.linear_model().episode.query)
    np.testing.assert_allclose(entry.engine, H @ ledger.flat(ledger.linear_model().params) - b, rtol=1e-12)


def test_the_rates_of_each_step_are_those_of_meta_sgd_where_there_is_one_step_and_one_weight():
    problem = ledger.linear_model()  # its two parameters hold one number each
    _, of_steps = ledger.step_rate_entries(problem, n_steps=1)
    _, of_weights = ledger.meta_sgd_entries(problem, n_steps=1)
    np.testing.assert_allclose(of_steps.engine, of_weights.engine, rtol=1e-12)


def test_the_ledger_in_the_repository_has_every_row_and_no_error_above_the_bar():
    stored = json.loads(Path(ledger.__file__).with_suffix(".json").read_text())["errors"]
    assert [(row["problem"], row["meta-gradient"]) for row in stored] == CASES, "run: make tables"
    for row in stored:
        entry = ROWS[row["problem"]][row["meta-gradient"]]
        assert (row["by hand"] is None) == (entry.by_hand is None)
        assert row["central differences"] < 1e-6
        assert row["PyTorch"] < 1e-10 and (row["by hand"] or 0) < 1e-10
