"""A run that was stopped, in whatever way, ends where one that was never stopped ends."""

import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from experiments import training
from experiments.saving import resume
from experiments.training import Evaluation
from reference.evaluation import Score
from reference.results import Row, key
from tests.experiments import tiny

JOB = tiny.job()

# Killed while it draws the points of its fifth step.
KILLED = """
import os, signal, sys
from itertools import count
from pathlib import Path
from experiments import saving, training
from tests.experiments import tiny

drawn = count(1)
def until_killed(rng):
    if next(drawn) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return tiny.draw(rng)

job, checkpoint = tiny.job(), Path(sys.argv[1])
with saving.alone(checkpoint):
    how = tiny.train(job)._replace(draw=until_killed)
    training.train(tiny.begun(job), how, job, checkpoint=checkpoint, save_every_s=0)
"""


def whole(tmp_path):
    return training.train(tiny.begun(JOB), tiny.train(JOB), JOB, checkpoint=tmp_path / "whole")


def gone_on(checkpoint):
    run = resume(checkpoint, tiny.begun(JOB), JOB)
    assert (run.step, run.n_resumed) == (4, 1)
    return training.train(run, tiny.train(JOB), JOB, checkpoint=checkpoint)


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path):
    command = [sys.executable, "-c", KILLED, tmp_path / "run"]
    killed = subprocess.run(command, capture_output=True, cwd=Path(__file__).parents[2])
    assert killed.returncode == -9, killed.stderr.decode()
    assert tiny.same(gone_on(tmp_path / "run"), whole(tmp_path))


def test_ctrl_c_in_the_middle_of_a_step_leaves_the_last_whole_one(tmp_path):
    drawn = count(1)

    def until_interrupted(rng):
        point = tiny.draw(rng)  # the generator has moved on already
        if next(drawn) == 5:
            raise KeyboardInterrupt
        return point

    how = tiny.train(JOB)._replace(draw=until_interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.train(tiny.begun(JOB), how, JOB, checkpoint=tmp_path / "run", save_every_s=1e9)
    assert tiny.same(gone_on(tmp_path / "run"), whole(tmp_path))


def test_training_leaves_what_it_was_given_alone(tmp_path):
    run, again = tiny.begun(JOB), tiny.begun(JOB)
    end = training.train(run, tiny.train(JOB), JOB, checkpoint=tmp_path / "run")
    assert tiny.same(run, again) and not tiny.same(run, end)


def test_the_last_step_is_always_saved(tmp_path):
    run = training.train(tiny.begun(JOB), tiny.train(JOB), JOB, checkpoint=tmp_path / "run", save_every_s=1e9)
    assert run.step == 6
    assert tiny.same(resume(tmp_path / "run", tiny.begun(JOB), JOB), run)


def test_what_is_carried_is_replaced_and_what_is_learned_steps(tmp_path):
    run = whole(tmp_path)
    rng = np.random.default_rng(0)
    rng.normal(size=3)  # the first weights
    mean = np.zeros(3)
    for _ in range(6):
        mean = 0.9 * mean + 0.1 * rng.normal(size=3)
    np.testing.assert_allclose(run.params["carried.mean"], mean, rtol=1e-12)
    assert run.state.mean.keys() == {"w"}


def judged(run, names, tmp_path, asked):
    def test(name):
        def evaluate():
            asked.append(name)
            return Score(np.array([1.0, len(name)]))

        return Evaluation({"learner": name}, "error", evaluate)

    return training.judge(run, map(test, names), JOB, checkpoint=tmp_path / "run")


def test_rows_are_gone_on_with_by_what_they_are_about_and_not_by_their_place(tmp_path):
    asked = []
    run = judged(tiny.begun(JOB), ["a", "bb"], tmp_path, asked)
    run = resume(tmp_path / "run", tiny.begun(JOB), JOB)
    run = judged(run, ["ccc", "bb", "a"], tmp_path, asked)
    assert asked == ["a", "bb", "ccc"]
    assert [(row.about["learner"], row.mean) for row in run.rows] == [("ccc", 2.0), ("bb", 1.5), ("a", 1.0)]
    assert [row.about["learner"] for row in judged(run, ["a"], tmp_path, asked).rows] == ["a"]


def test_an_evaluation_that_is_interrupted_keeps_those_before_it(tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    tests = [
        Evaluation({"n": 1}, "error", lambda: Score(np.arange(2.0))),
        Evaluation({"n": 2}, "error", interrupted),
    ]
    with pytest.raises(KeyboardInterrupt):
        training.judge(tiny.begun(JOB), tests, JOB, checkpoint=tmp_path / "run")
    assert [row.about for row in resume(tmp_path / "run", tiny.begun(JOB), JOB).rows] == [{"n": 1}]


def test_a_row_has_the_numbers_of_its_score():
    row = Row({}, "error", None, None, 0)
    score = Score(np.random.default_rng(0).random(40))
    found = training.scored(row, score)
    assert (found.mean, found.half_width) == pytest.approx((score.mean, score.half_width), rel=1e-2)
    assert found.n == 40 and key(found) == key(row)


def test_a_row_has_the_numbers_of_an_estimate():
    found = training.scored(Row({}, "area", None, None, 0), training.Estimate(0.123456, 0.01234, 300))
    assert found[2:] == (0.12346, 0.0123, 300)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_what_goes_to_infinity_has_no_number(bad):
    assert training.scored(Row({}, "e", None, None, 0), np.array([0.5, bad]))[2:] == (None, None, 2)


def test_the_rate_falls_from_the_outer_lr_to_nothing():
    rate = training.cosine(0.4, 100)
    assert [rate(0), rate(50)] == pytest.approx([0.4, 0.2])
    assert 0 < rate(99) < 0.001
    assert all(rate(i) > rate(i + 1) for i in range(99))


def test_both_clocks_are_counted_on():
    since = training.now()
    while training.now().cpu - since.cpu < 0.01:
        os.urandom(1000)
    assert training.spent(training.Seconds(5, 7), since) > (5, 7)
