"""What is compared is the same, and what is reported is what was measured. Nothing is timed."""

import mmap
import os
import sys

import numpy as np
import pytest

from experiments import bench

SECONDS = {"loop": [4.0, 2.0, 3.0], "fast": [1.0, 1.0, 10.0]}


def test_ways_that_differ_are_not_compared():
    ways = {"loop": {"w": np.array([1.0, -2.0])}, "other": {"w": np.array([1.0, -2.001])}}
    bench.assert_same(ways, "loop", tolerance=1e-3)
    with pytest.raises(AssertionError, match="other: w is 5e-04 of its largest apart"):
        bench.assert_same(ways, "loop", tolerance=1e-4)


def test_every_way_is_called_in_every_round_and_the_order_changes():
    called = []
    ways = {name: lambda name=name: called.append(name) for name in "abc"}
    found = bench.in_turn(ways, n_rounds=8, n_in_a_row=2)
    assert {name: len(seconds) for name, seconds in found.items()} == {"a": 8, "b": 8, "c": 8}
    rounds = [tuple(called[i : i + 6 : 2]) for i in range(0, 48, 6)]
    assert all(sorted(order) == ["a", "b", "c"] for order in rounds) and len(set(rounds)) > 1
    assert called[::2] == called[1::2]


def test_rows_hold_medians_quartiles_and_ratios():
    ratios = {"times as fast as the loop": "loop", "times as fast as a peer": "not here"}
    rows = bench.timed(SECONDS, {"case": "c"}, unit="milliseconds", ratios=ratios)
    found = {(row.about["way"], row.measure): row.mean for row in rows}
    assert found == {
        ("loop", "milliseconds, median"): 3000,
        ("loop", "milliseconds, lower quartile"): 2500,
        ("loop", "milliseconds, upper quartile"): 3500,
        ("loop", "times as fast as the loop"): 1,
        ("fast", "milliseconds, median"): 1000,
        ("fast", "milliseconds, lower quartile"): 1000,
        ("fast", "milliseconds, upper quartile"): 5500,
        ("fast", "times as fast as the loop"): 3,
    }
    assert all(row.about["case"] == "c" and row.half_width is None and row.n == 3 for row in rows)


def test_the_first_steps_are_not_counted():
    calls = []
    assert len(bench.steps_timed(lambda: calls.append(1), n_steps=5, n_warm=2)) == 3
    assert len(calls) == 5


def own_process(job):
    return job, os.getpid()


def test_every_round_of_every_job_has_a_process_of_its_own():
    found = bench.in_processes(own_process, ["a", "b"], n_rounds=1)
    assert {job: [name for name, _ in rounds] for job, rounds in found.items()} == {
        "a": ["a"],
        "b": ["b"],
    }
    assert len({pid for rounds in found.values() for _, pid in rounds}) == 2


def test_what_numpy_allocates_is_counted():
    assert bench.allocated_megabytes(lambda: np.ones(1_000_000)) == pytest.approx(8, abs=0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read from /proc")
def test_the_peak_is_what_was_held_at_most():
    bench.forget_peak()
    held = bench.megabytes("VmRSS")
    assert bench.megabytes("VmHWM") == pytest.approx(held, abs=5)
    with mmap.mmap(-1, 200_000_000) as block:  # not from malloc, which may keep what was freed before
        np.frombuffer(block, np.uint8)[:] = 1
    assert bench.megabytes("VmHWM") - held == pytest.approx(200, abs=5)
    assert bench.megabytes("VmRSS") == pytest.approx(held, abs=5)


def test_a_library_that_is_missing_is_said_to_be():
    assert bench.library("numpy") == np.__version__
    assert bench.library("no-such-library") == "not installed, not measured"
