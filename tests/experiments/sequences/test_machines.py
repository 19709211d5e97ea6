"""Programs over sequences in the small: sizes, what is drawn, the losses kept, and that all learn."""

import numpy as np
import pytest
import torch

from experiments import curve, runner, training
from experiments.carried import apart, together
from experiments.saving import Job
from experiments.sequences import machines
from reference.params import part
from reference.pytorch import ntm
from reference.pytorch.machine.arrays import to_torch
from reference.tasks.sequences import Copy
from tests.experiments.sequences.small import FEW

CPU = torch.device("cpu")
VARIANTS = list(machines.VARIANTS)
OTHERS = ["repeat-copy", "associative-recall"]


def job(variant, settings=FEW):
    return Job("sequences", variant, settings, CPU)


def weights_of(variant, settings=FEW, seed=0):
    return apart(machines.begin(job(variant, settings), np.random.default_rng(seed)))[0]


@pytest.mark.parametrize("data", machines.TASKS)
@pytest.mark.parametrize("variant", ["lstm", "transformer"])
def test_what_stands_beside_the_machine_has_no_fewer_weights_and_hardly_more(variant, data):
    whole = machines.Settings(data=data)
    sizes = [sum(p.numel() for p in weights_of(v, whole).values()) for v in ("ntm", variant)]
    assert 1 <= sizes[1] / sizes[0] < 1.1 and (sizes[0] == 62_660 or data != "copy")


def test_the_sequences_of_a_batch_have_one_length_and_batches_differ():
    rng = np.random.default_rng(0)
    drawn = [machines.draw(job("ntm"), rng) for _ in range(30)]
    assert len({len(d.series.x) for d in drawn}) > 5 and len({d.number for d in drawn}) == 30
    for series, _ in drawn:
        assert (series.judged.sum(0) == (len(series.x) - 1) // 2).all() and series.x.shape[1] == 2


def test_the_loss_is_that_of_the_machine():
    its_job, drawn = job("ntm"), machines.draw(job("ntm"), np.random.default_rng(1))
    params = weights_of("ntm")
    found = machines.loss(params, drawn, answer=machines.answers(its_job))
    expected = ntm.loss(params, drawn.series, net=machines.recurrent(its_job))
    torch.testing.assert_close(found, expected)


def test_a_random_start_is_that_of_its_number():
    its_job, params = job("ntm-random-start"), weights_of("ntm-random-start")
    series = machines.draw(its_job, np.random.default_rng(2)).series
    said = [machines.answers(its_job)(params, machines.Drawn(series, number)) for number in (1, 1, 2)]
    assert torch.equal(said[0], said[1]) and not torch.equal(said[0], said[2])


def test_a_learned_start_is_among_the_weights_and_a_constant_one_is_not():
    assert part(part(weights_of("ntm-learned-start"), "core"), "start")["memory"].shape == (6, 3)
    assert not any("start" in name for name in weights_of("ntm"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_run_keeps_its_losses_and_clips(variant, tmp_path):
    settings = FEW._replace(n_steps=60, largest_gradient=1e-3, outer_lr=1e-3)
    its_job, rng = job(variant, settings), np.random.default_rng(0)
    how, first = machines.train(its_job), machines.begin(its_job, rng)
    run = training.train(training.begin(first, how.rule, rng), how, its_job, checkpoint=tmp_path / "run")
    weights, carried = apart(run.params)
    assert carried["step"] == 60 and (carried["losses"] > 0.3).all() and (carried["losses"] < 2).all()
    length = sum(float((m**2).sum()) for m in run.state.mean.values()) ** 0.5
    assert 0 < length <= 1e-3  # a mean of clipped gradients is no longer than they
    rows = [(about, measure) for about, measure, _ in machines.tests(its_job, first, run.params)]
    assert [about["length"] for about, measure in rows[:9]] == [
        size["length"] for size in machines.TEST_SIZES["copy"]
    ]
    assert rows[9:] == [({"sequences": 2 * (i + 1)}, "bits lost, of one") for i in range(60)]


def test_the_curve_is_made_of_the_losses():
    its_job, end = job("lstm"), machines.begin(job("lstm"), np.random.default_rng(0))
    losses = torch.arange(float(FEW.n_steps))
    end = together(apart(end)[0], {"step": torch.tensor(0.0), "losses": losses})
    points = [evaluate() for _, measure, evaluate in machines.tests(its_job, end, end) if "lost" in measure]
    assert [point.tolist() for point in points[:2]] == [[0, 1], [2, 3]] and points[-1][-1] == FEW.n_steps - 1


@pytest.mark.parametrize("variant", VARIANTS)
def test_wrong_bits_of_a_learner_that_knows_nothing_are_about_half(variant):
    found = machines.wrong(job(variant, FEW._replace(n_test=50)), weights_of(variant), {"length": 7})
    assert found.shape == (50,) and 28 - 6 < found.mean() < 28 + 6
    again = machines.wrong(job(variant, FEW._replace(n_test=50)), weights_of(variant), {"length": 7})
    np.testing.assert_array_equal(found, again)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_learner_learns(variant):
    settings = FEW._replace(n_steps=60, batch=8, n_hidden=16, row_width=8)
    its_job, rng = job(variant, settings), np.random.default_rng(0)
    how, params = machines.train(its_job), machines.begin(its_job, rng)
    state = how.rule.init(params)
    one = machines.Drawn(to_torch(Copy().of_lengths(rng, np.full(8, 1))), 1)
    losses = []
    for _ in range(60):
        gradient, loss = how.meta_gradient(params, one)
        params, state = how.rule.update(params, gradient, state)
        losses.append(float(loss))
    assert losses[-1] < losses[0] - 0.02


@pytest.mark.parametrize("data", OTHERS)
def test_another_task_is_drawn_in_batches_of_one_size(data):
    rng, its_job = np.random.default_rng(0), job("lstm", FEW._replace(data=data))
    drawn = [machines.draw(its_job, rng).series for _ in range(20)]
    assert len({len(series.x) for series in drawn}) > 3
    for series in drawn:
        assert (series.judged == series.judged[:, :1]).all()


@pytest.mark.parametrize("data", machines.TASKS)
def test_test_sequences_are_of_the_size_that_their_row_says(data):
    its_job = job("lstm", FEW._replace(data=data))
    for size in machines.TEST_SIZES[data]:
        series = machines.series_of(its_job, size)
        n_judged = {
            "copy": size.get("length"),
            "repeat-copy": size.get("length", 0) * size.get("repeats", 0) + 1,  # and the sign of the end
            "associative-recall": 3,
        }[data]
        assert series.x.shape[1] == FEW.n_test and (series.judged.sum(0) == n_judged).all()
        if data == "associative-recall":
            assert (series.x[..., -2].sum(0) == size["items"]).all()  # a sign before each item
        np.testing.assert_array_equal(machines.series_of(its_job, size).x, series.x)


def test_the_sequences_that_copying_is_judged_by_are_those_of_the_stored_runs():
    found = machines.series_of(job("ntm"), {"length": 5})
    expected = Copy().of_lengths(np.random.default_rng(5), np.full(FEW.n_test, 5))
    np.testing.assert_array_equal(found.x, expected.x)


@pytest.mark.parametrize("data", OTHERS)
@pytest.mark.parametrize("variant", ["ntm", "lstm", "transformer"])
def test_another_task_is_run_from_the_first_step_to_the_last_row(variant, data, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "HERE", tmp_path)
    its_job = job(variant, FEW._replace(data=data, n_rows=12, n_steps=2 * curve.N_POINTS))
    result = runner.carry_out(machines.EXPERIMENT, its_job, "as tested")
    sizes = machines.TEST_SIZES[data]
    assert [row.about for row in result.rows[: len(sizes)]] == list(sizes)
    assert all(row.n == FEW.n_test and row.mean > 0 for row in result.rows[: len(sizes)])
    assert len(result.rows) == len(sizes) + curve.N_POINTS
    assert (
        tmp_path / "results" / f"sequences_{variant}_{data}_seed=0_n_steps=120_batch=2_n_rows=12"
        "_row_width=3_n_hidden=4_n_test=3.json"
    ).exists()


def test_a_task_is_asked_for_by_its_name():
    asked = runner.parse(machines.EXPERIMENT, ["ntm", "--data", "associative-recall", "--seed", "3"])
    assert asked == {"ntm": machines.Settings(data="associative-recall", seed=3)}
