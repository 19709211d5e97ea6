"""Families of tasks: the ranges of their paper, points on their curves, losses that are quadratic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.tasks.families import Lines, Quadratics, Sinusoids

seeds = st.integers(0, 2**32)


@given(seeds, st.sampled_from([Sinusoids, Lines]), st.integers(1, 7), st.integers(1, 7), st.integers(1, 4))
def test_points_lie_on_the_curve_in_one_episode_and_in_a_batch(seed, family, k_shot, n_query, n_tasks):
    tasks = family(k_shot=k_shot, n_query=n_query)
    one = tasks.sample(np.random.default_rng(seed))
    batch = tasks.sample_batch(np.random.default_rng(seed), n_tasks)
    for episode, lead in ((one, ()), (batch, (n_tasks,))):
        assert episode.support.x.shape == episode.support.y.shape == (*lead, k_shot, 1)
        assert episode.query.x.shape == episode.query.y.shape == (*lead, n_query, 1)
        for x, y in (episode.support, episode.query):
            assert (y == episode.task(x)).all() and (np.abs(x) <= 5).all()


@given(seeds)
def test_a_batch_is_its_tasks_side_by_side(seed):
    batch = Sinusoids(k_shot=3, n_query=4).sample_batch(np.random.default_rng(seed), 3)
    for t in range(3):
        amplitude, phase = batch.task.amplitude[t], batch.task.phase[t]
        assert np.allclose(batch.query.y[t], amplitude * np.sin(batch.query.x[t] - phase), rtol=0, atol=1e-14)


def test_sinusoids_fill_the_ranges_of_the_paper():
    task = Sinusoids(k_shot=1, n_query=1).sample_batch(np.random.default_rng(0), 20_000).task
    for values, low, high in ((task.amplitude, 0.1, 5.0), (task.phase, 0.0, np.pi)):
        assert low <= values.min() and values.max() <= high
        inner = np.histogram(values, bins=10, range=(low, high))[0]
        assert ((inner - 2000) ** 2 / 2000).sum() < 34  # chi-square, 9 degrees: its 99.99 % point


def test_lines_have_standard_normal_slope_and_intercept():
    task = Lines(k_shot=1, n_query=1).sample_batch(np.random.default_rng(0), 20_000).task
    for values in task:
        assert abs(values.mean()) < 4 / np.sqrt(20_000) and abs(values.std() - 1) < 4 / np.sqrt(40_000)
    assert abs(np.corrcoef(*task)[0, 1]) < 4 / np.sqrt(20_000)


def test_the_same_generator_gives_the_same_task():
    for tasks in (Sinusoids(k_shot=2, n_query=2), Lines(k_shot=2, n_query=2)):
        a, b = (tasks.sample(np.random.default_rng(5)) for _ in range(2))
        assert (a.query.y == b.query.y).all() and a.task == b.task


# Quadratics


@given(seeds, st.integers(1, 5))
def test_the_gradient_is_that_of_the_loss_and_vanishes_at_the_centre(seed, d):
    rng = np.random.default_rng(seed)
    task, theta = Quadratics(dimension=d).sample(rng), rng.normal(size=d)
    step = 1e-6 * np.eye(d)
    slopes = [(task.loss(theta + e) - task.loss(theta - e)) / 2e-6 for e in step]
    assert np.allclose(task.gradient(theta), slopes, atol=1e-7)
    assert np.allclose(task.gradient(theta), task.curvature @ (theta - task.centre), atol=1e-12)
    assert task.loss(task.centre) == 0 and (task.gradient(task.centre) == 0).all()
    by_hand = (theta - task.centre) @ task.curvature @ (theta - task.centre) / 2
    assert np.isclose(task.loss(theta), by_hand, rtol=1e-12)


@given(seeds, st.integers(1, 5), st.integers(1, 4))
def test_curvatures_are_symmetric_with_eigenvalues_in_range(seed, d, n_tasks):
    tasks = Quadratics(dimension=d, curvatures=(0.25, 3.0)).sample_batch(np.random.default_rng(seed), n_tasks)
    assert tasks.centre.shape == (n_tasks, d) and tasks.curvature.shape == (n_tasks, d, d)
    assert (tasks.curvature == tasks.curvature.swapaxes(1, 2)).all()
    eigenvalues = np.linalg.eigvalsh(tasks.curvature)
    assert (eigenvalues > 0.25 - 1e-9).all() and (eigenvalues < 3 + 1e-9).all()


def test_a_batch_of_losses_is_each_loss():
    rng = np.random.default_rng(0)
    tasks, theta = Quadratics(dimension=3).sample_batch(rng, 4), rng.normal(size=3)
    one_by_one = [type(tasks)(c, a).loss(theta) for c, a in zip(*tasks, strict=True)]
    assert np.allclose(tasks.loss(theta), one_by_one, rtol=1e-14)


# Errors


@pytest.mark.parametrize("family", [Sinusoids, Lines])
def test_counts_must_be_positive(family):
    with pytest.raises(ValueError, match="k_shot must be at least 1, got 0"):
        family(k_shot=0, n_query=1)
    with pytest.raises(ValueError, match="n_query must be at least 1, got -1"):
        family(k_shot=1, n_query=-1)


def test_quadratics_name_what_is_wrong():
    with pytest.raises(ValueError, match="dimension must be at least 1, got 0"):
        Quadratics(dimension=0)
    with pytest.raises(ValueError, match=r"two positive numbers, least first; got \(2.0, 1.0\)"):
        Quadratics(curvatures=(2.0, 1.0))


@pytest.fixture(scope="module")
def plain(as_users_meet):
    """The module as users meet it, without the shapes that pytest enforces."""
    return as_users_meet("reference.tasks.families")


RNG = np.random.default_rng(0)

WRONG_CALLS = {
    "k_shot in fractions": (
        lambda m: m.Sinusoids(k_shot=1.5, n_query=1),
        "k_shot must be a whole number, got 1.5",
    ),
    "k_shot that is bool": (
        lambda m: m.Lines(k_shot=True, n_query=1),
        "k_shot must be a whole number, got True",
    ),
    "no function": (
        lambda m: m.Curves(3, k_shot=1, n_query=1),
        r"draw must be a function draw\(rng, .*got 3",
    ),
    "a seed": (
        lambda m: m.Sinusoids(k_shot=1, n_query=1).sample(0),
        "rng must be a NumPy generator, .*got 0",
    ),
    "a draw of numbers": (
        lambda m: m.Curves(lambda rng, batch: 3, k_shot=1, n_query=1).sample(RNG),
        "draw must give a function of x, gave 3",
    ),
    "no tasks": (
        lambda m: m.Lines(k_shot=1, n_query=1).sample_batch(RNG, 0),
        "n_tasks must be at least 1, got 0",
    ),
    "tasks in fractions": (
        lambda m: m.Quadratics().sample_batch(RNG, 2.0),
        "n_tasks must be a whole number, got 2.0",
    ),
    "a seed for a loss": (lambda m: m.Quadratics().sample(7), "rng must be a NumPy generator"),
    "dimension that is bool": (lambda m: m.Quadratics(dimension=True), "dimension must be a whole number"),
    "one curvature": (lambda m: m.Quadratics(curvatures=(1.0,)), "curvatures must be two positive numbers"),
    "a number": (lambda m: m.Quadratics(curvatures=2.0), "curvatures must be two positive numbers.*got 2.0"),
    "infinite": (lambda m: m.Quadratics(curvatures=(1.0, np.inf)), "curvatures must be two positive numbers"),
    "no number": (
        lambda m: m.Quadratics(curvatures=(np.nan, 1.0)),
        "curvatures must be two positive numbers",
    ),
    "words": (lambda m: m.Quadratics(curvatures="12"), "curvatures must be two positive numbers"),
    "points in a row": (
        lambda m: m.Sinusoid(1.0, 0.0)(np.zeros(3)),
        r"x has shape \(3,\); points of shape \(..., n, 1",
    ),
    "points side by side": (lambda m: m.Line(1.0, 0.0)(np.zeros((2, 3))), r"x has shape \(2, 3\)"),
    "another dimension": (
        lambda m: m.Quadratics(dimension=2).sample(RNG).loss(np.zeros(1)),
        r"theta has shape \(1,\), but centre \(2,\)",
    ),
    "a number for theta": (
        lambda m: m.Quadratics().sample(RNG).gradient(0.0),
        r"theta has shape \(\), but centre",
    ),
}


@pytest.mark.parametrize("call, says", WRONG_CALLS.values(), ids=WRONG_CALLS)
def test_families_say_what_is_wrong(plain, call, says):
    with pytest.raises(ValueError, match=says) as caught:
        call(plain)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_numbers_of_python_and_numpy_serve(plain):
    tasks = plain.Sinusoids(k_shot=np.int64(2), n_query=np.uint8(3))
    assert tasks.sample_batch(RNG, np.int32(4)).query.x.shape == (4, 3, 1)
    assert plain.Line(2, 1)(np.array([[3.0]])) == 7 and plain.Sinusoid(2.0, 0.0)(np.zeros((1, 1))) == 0
    assert plain.Quadratics(dimension=np.int64(3), curvatures=[1, 1]).sample(RNG).centre.shape == (3,)
