"""The ledger of meta-gradients: every way to compute one gives the same numbers (`pytest -m metagrad`)."""

from functools import cache

import numpy as np
import pytest

from experiments.ledger import gradient_family as ledger
from experiments.ledger import on_paper
from experiments.ledger.gradient_family import PROBLEMS, entries, relative_error
from reference.results import select
from reference.rules import sgd
from reference.scratch.autodiff import Tensor, detach, grad

pytestmark = pytest.mark.metagrad


@cache
def rows_of(problem):
    """Every entry of a problem, computed when the first test asks."""
    return entries(PROBLEMS[problem]())


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_way_gives_the_same_meta_gradient(problem):
    for name, entry in rows_of(problem).items():
        assert relative_error(entry.engine, entry.pytorch) < 1e-10, name
        assert relative_error(entry.engine, entry.small_steps) < 1e-6, name
        assert entry.by_hand is None or relative_error(entry.engine, entry.by_hand) < 1e-10, name


def test_the_linear_model_and_one_step_of_the_network_are_done_by_hand_too():
    by_engine_alone = {name for name, entry in rows_of("linear model").items() if entry.by_hand is None}
    assert by_engine_alone == {"MAML through Adam, 5 steps"}
    assert [n for n, entry in rows_of("network").items() if entry.by_hand is not None] == ["MAML, 1 step"]


def test_an_inner_rule_with_a_state_makes_another_meta_gradient():
    rows = rows_of("network")
    for rule in ("momentum", "Adam"):
        other = rows[f"MAML through {rule}, 5 steps"].engine
        assert relative_error(other, rows["MAML, 5 steps"].engine) > 0.01


@pytest.mark.parametrize("problem", PROBLEMS)
def test_an_error_of_a_millionth_would_show(problem):
    for entry in rows_of(problem).values():
        assert relative_error(entry.engine * (1 + 2e-6), entry.small_steps) > 1e-6


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("n_steps", ["1 step", "5 steps"])
def test_first_order_maml_is_another_direction_than_maml(problem, n_steps):
    rows = rows_of(problem)
    assert relative_error(rows[f"first-order MAML, {n_steps}"].engine, rows[f"MAML, {n_steps}"].engine) > 0.01


@pytest.mark.parametrize("problem", PROBLEMS)
def test_reptile_is_another_direction_than_maml_also_after_scaling(problem):
    reptile, maml = rows_of(problem)["Reptile, 5 steps"].engine, rows_of(problem)["MAML, 5 steps"].engine
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
        params, _ = sgd(ledger.INNER_LR).update(params, gradient, sgd(0.0).init(params))
    assert relative_error(rows_of(problem)["Reptile, 5 steps"].engine, ledger.INNER_LR * total) < 1e-12


def test_no_learning_is_the_plain_query_gradient():
    entry = ledger.plain_entry(ledger.linear_model(), 0)
    H, b = on_paper.normal_equations(ledger.linear_model().episode.query)
    np.testing.assert_allclose(entry.engine, H @ ledger.flat(ledger.linear_model().params) - b, rtol=1e-12)


def test_the_rates_of_each_step_are_those_of_meta_sgd_where_there_is_one_step_and_one_weight():
    problem = ledger.linear_model()  # its two parameters hold one number each
    _, of_steps = ledger.step_rate_entries(problem, n_steps=1)
    _, of_weights = ledger.meta_sgd_entries(problem, n_steps=1)
    np.testing.assert_allclose(of_steps.engine, of_weights.engine, rtol=1e-12)


def test_the_ledger_in_the_repository_has_every_row_and_no_error_above_the_bar():
    (result,) = select("ledger", variant="gradient-family")
    stored = {tuple(row.about.values()): row.mean for row in result.rows}
    asked = {
        (name, problem, way)
        for problem in PROBLEMS
        for name, entry in rows_of(problem).items()
        for way, other in zip(ledger.WAYS, (entry.by_hand, entry.small_steps, entry.pytorch), strict=True)
        if other is not None
    }
    assert stored.keys() == asked, "run: python -m experiments.ledger, then make tables"
    bars = {"by hand": 1e-10, "central differences": 1e-6, "PyTorch": 1e-10}
    assert all(error < bars[way] for (_, _, way), error in stored.items())
