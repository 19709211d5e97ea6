"""The tasks of Graves et al. by loops and by eye, in batches of one length and of many."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import Series
from reference.tasks.sequences import AssociativeRecall, Copy, RepeatCopy, cross_entropy_in_bits, wrong_bits

seeds = st.integers(0, 2**32)
numbers = st.lists(st.integers(1, 6), min_size=1, max_size=4).map(np.array)
TASKS = (Copy(), RepeatCopy(), AssociativeRecall())


def read(series, i):
    """One sequence as lists of rows: x and y up to its end, and which steps are judged."""
    end = np.flatnonzero(series.judged[:, i])[-1] + 1
    assert not series.x[end:, i].any() and not series.y[end:, i].any() and not series.judged[end:, i].any()
    return series.x[:end, i], series.y[:end, i], series.judged[:end, i]


@given(seeds, numbers)
def test_a_copy_is_shown_and_then_due(seed, lengths):
    series = Copy(n_bits=3).of_lengths(np.random.default_rng(seed), lengths)
    assert series.x.shape == (2 * lengths.max() + 1, len(lengths), 4)
    for i, k in enumerate(lengths):
        x, y, judged = read(series, i)
        assert len(x) == 2 * k + 1 and judged.tolist() == [False] * (k + 1) + [True] * k
        np.testing.assert_array_equal(y[k + 1 :], x[:k, :3])
        assert x[k].tolist() == [0, 0, 0, 1] and not x[:k, 3].any()
        assert not x[k + 1 :].any() and not y[: k + 1].any()


@given(seeds, numbers, st.integers(1, 4))
def test_a_repeat_copy_is_due_several_times_and_then_its_end(seed, lengths, most):
    rng, task = np.random.default_rng(seed), RepeatCopy(n_bits=3)
    repeats = rng.integers(1, most + 1, len(lengths))
    series = task.of_lengths(rng, lengths, repeats=repeats)
    for i, (k, times) in enumerate(zip(lengths, repeats, strict=True)):
        x, y, judged = read(series, i)
        assert len(x) == k + 1 + k * times + 1 and judged.tolist() == [False] * (k + 1) + [True] * (
            k * times + 1
        )
        np.testing.assert_array_equal(y[k + 1 : -1, :3], np.tile(x[:k, :3], (times, 1)))
        assert y[-1].tolist() == [0, 0, 0, 1] and not y[:-1, 3].any()
        assert x[k, :4].tolist() == [0, 0, 0, 1] and not x[:k, 3:].any() and not x[k + 1 :].any()
        assert x[k, 4] == pytest.approx((times - 5.5) / np.sqrt(99 / 12))


def test_the_number_of_copies_has_mean_0_and_deviation_1():
    task = RepeatCopy(n_bits=1, lengths=(1, 1), repeats=(2, 6))
    repeats = np.arange(2, 7)
    shown = task.of_lengths(np.random.default_rng(0), np.ones(5, int), repeats=repeats).x[1, :, 2]
    assert shown.mean() == pytest.approx(0, abs=1e-7) and shown.std() == pytest.approx(1)
    alone = replace(task, repeats=(3, 3)).sample_batch(np.random.default_rng(0), 2)
    assert not alone.x[1, :, 2].any()


@given(seeds, st.lists(st.integers(2, 5), min_size=1, max_size=4).map(np.array), st.integers(1, 3))
def test_a_recall_asks_for_what_followed(seed, items, k):
    task = AssociativeRecall(n_bits=4, item_length=k, items=(2, 5))
    series = task.of_items(np.random.default_rng(seed), items)
    for i, n in enumerate(items):
        x, y, judged = read(series, i)
        asks = n * (k + 1)
        assert len(x) == asks + 2 * k + 2 and judged.tolist() == [False] * (asks + k + 2) + [True] * k
        blocks = x[:asks].reshape(n, k + 1, 6)
        assert (blocks[:, 0] == [0, 0, 0, 0, 1, 0]).all() and not blocks[:, 1:, 4:].any()
        for t in (asks, asks + k + 1):
            assert x[t].tolist() == [0, 0, 0, 0, 0, 1]
        shown = [block[1:, :4].tolist() for block in blocks]
        assert all(shown.count(item) == 1 for item in shown)
        asked = shown.index(x[asks + 1 : asks + 1 + k, :4].tolist())
        assert shown[asked + 1] == y[asks + k + 2 :].tolist()
        assert not x[asks + k + 2 :].any() and not x[asks + 1 : asks + 1 + k, 4:].any()
        assert not y[: asks + k + 2].any()


def test_every_item_but_the_last_is_asked_for():
    task = AssociativeRecall(n_bits=8, item_length=1, items=(4, 4))
    series = task.sample_batch(np.random.default_rng(0), 3000)
    question = series.x[9, :, None, :8]
    asked = (series.x[1:8:2, :, :8].swapaxes(0, 1) == question).all(-1).argmax(1)
    assert abs(np.bincount(asked, minlength=4) / 3000 - [1 / 3, 1 / 3, 1 / 3, 0]).max() < 0.04


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_a_batch_is_of_one_length_of_float32_and_of_its_seed(task):
    for seed in range(20):
        series, again = (task.sample_batch(np.random.default_rng(seed), 5) for _ in range(2))
        for part, same in zip(series, again, strict=True):
            np.testing.assert_array_equal(part, same)
        assert series.x.shape[1:] == (5, task.d_in) and series.y.shape[1:] == (5, task.d_out)
        assert series.x.dtype == series.y.dtype == np.float32 and series.judged.dtype == bool
        assert (series.judged == series.judged[:, :1]).all() and series.judged[-1].all()
        assert np.isin(series.y, [0, 1]).all()


def test_lengths_are_uniform_and_so_are_bits():
    rng, lengths = np.random.default_rng(0), []
    for _ in range(2000):
        lengths.append(Copy(n_bits=1, lengths=(2, 5)).sample_batch(rng, 1).judged.sum())
    assert abs(np.bincount(lengths, minlength=6)[2:] / 2000 - 0.25).max() < 0.05
    assert abs(Copy().of_lengths(rng, np.full(100, 50)).x[:50, :, :8].mean() - 0.5) < 0.01


# Measures


@settings(max_examples=20)
@given(seeds, numbers)
def test_the_measures_are_loops_over_what_is_judged(seed, lengths):
    rng = np.random.default_rng(seed)
    series = Copy(n_bits=3).of_lengths(rng, lengths)
    logits = rng.normal(size=series.y.shape) * 3
    for i, k in enumerate(lengths):
        own, y = logits[k + 1 : 2 * k + 1, i], series.y[k + 1 : 2 * k + 1, i]
        p = 1 / (1 + np.exp(-own))
        assert wrong_bits(series, logits)[i] == ((p > 0.5) != y).sum()
        expected = -np.log2(np.where(y == 1, p, 1 - p)).sum()
        assert cross_entropy_in_bits(series, logits)[i] == pytest.approx(expected)


def test_guessing_costs_a_bit_a_bit_and_certainty_nothing():
    series = Copy(n_bits=3).of_lengths(np.random.default_rng(0), np.array([2, 4]))
    np.testing.assert_allclose(cross_entropy_in_bits(series, 0 * series.y), [6, 12])
    sure = 1e4 * (2 * series.y - 1)
    assert not cross_entropy_in_bits(series, sure).any() and not wrong_bits(series, sure).any()
    assert wrong_bits(series, -sure).tolist() == [6, 12]
    assert np.isfinite(cross_entropy_in_bits(series, -sure)).all()


# What must not be given


def test_odd_settings_are_told(as_users_meet):
    plain = as_users_meet("reference.tasks.sequences")
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"^n_bits must be at least 1, got 0\."):
        Copy(n_bits=0)
    with pytest.raises(ValueError, match=r"^lengths must be at least 5, got 3\."):
        Copy(lengths=(5, 3))
    with pytest.raises(ValueError, match=r"^items must be at least 2, got 1\."):
        AssociativeRecall(items=(1, 3))
    with pytest.raises(ValueError, match=r"^items: got 6; of items of 2 bits, so many seldom all differ\."):
        AssociativeRecall(n_bits=2, item_length=1)
    with pytest.raises(ValueError, match=r"^items must be at least 2, got 1\."):
        AssociativeRecall().of_items(rng, np.array([3, 1]))
    with pytest.raises(ValueError, match=r"^lengths must be at least 1, got 0\."):
        Copy().of_lengths(rng, np.array([3, 0]))
    with pytest.raises(ValueError, match=r"^repeats: got 1 for 2 lengths; each needs one\."):
        plain.RepeatCopy().of_lengths(rng, np.array([3, 2]), repeats=np.array([3]))
    for task in TASKS:
        with pytest.raises(ValueError, match=r"^rng must be a NumPy generator"):
            getattr(plain, type(task).__name__)().sample_batch(0, 3)
        with pytest.raises(ValueError, match=r"^n must be at least 1, got 0\."):
            task.sample_batch(rng, 0)


def test_parts_that_do_not_fit_are_told():
    x, y, judged = Copy(n_bits=3).of_lengths(np.random.default_rng(0), np.array([2, 4]))
    words = r"^series.judged: got 7 steps of 2 sequences; x has 9 steps of 2\."
    with pytest.raises(ValueError, match=words):
        wrong_bits(Series(x, y, judged[:7]), y)
    with pytest.raises(
        ValueError, match=r"^series.y: got shape \(9, 2, 3\); the net says 2 numbers a step\."
    ):
        wrong_bits(Series(x, y, judged), y[..., :2])
