"""Equations 2 to 9 of Graves et al. against pencil and paper, loops, and what must always hold."""

import math
from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.scratch.autodiff import check_gradients
from tests.sides import PYTORCH, SCRATCH, along, random_direction, slope

SIDES = (SCRATCH, PYTORCH)
few = settings(max_examples=20)
SEEDS, ROWS, REACH = st.integers(0, 2**32 - 1), st.integers(5, 9), st.integers(0, 2)


def of(side):
    return import_module(f"reference.{side.name}.nn.memory")


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def draw(seed, batch=3, n_heads=2, n_rows=6, width=4, reach=1):
    """A memory, weights, what heads want and what they write; NumPy's."""
    rng = np.random.default_rng(seed)
    each = (batch, n_heads)
    return {
        "memory": rng.normal(size=(batch, n_rows, width)),
        "previous": softmax(rng.normal(size=(*each, n_rows))),
        "keys": rng.normal(size=(*each, width)),
        "strengths": rng.uniform(0, 5, each),
        "gates": rng.uniform(size=each),
        "shifts": softmax(rng.normal(size=(*each, 2 * reach + 1))),
        "sharpness": rng.uniform(1, 4, each),
        "erase": rng.uniform(size=(*each, width)),
        "add": rng.normal(size=(*each, width)),
    }


def by_loops(memory, previous, keys, strengths, gates, shifts, sharpness, erase, add):
    """Every equation, one number at a time: the new weights, what is read, the new memory."""
    (batch, n_heads, n_rows), reach = previous.shape, shifts.shape[-1] // 2
    weights, reads, memory = np.zeros_like(previous), np.zeros_like(keys), memory.copy()
    for b in range(batch):
        for h in range(n_heads):
            key = keys[b, h]
            cosines = [
                key @ row / math.sqrt(key @ key) / math.sqrt(row @ row) if row.any() else 0
                for row in memory[b]
            ]
            scores = [math.exp(strengths[b, h] * c) for c in cosines]
            mixed = [
                gates[b, h] * scores[i] / sum(scores) + (1 - gates[b, h]) * previous[b, h, i]
                for i in range(n_rows)
            ]
            moved = [0.0] * n_rows
            for j in range(n_rows):
                for by in range(-reach, reach + 1):
                    moved[(j + by) % n_rows] += mixed[j] * shifts[b, h, by + reach]
            powers = [m ** sharpness[b, h] for m in moved]
            weights[b, h] = [p / sum(powers) for p in powers]
            reads[b, h] = sum(w * row for w, row in zip(weights[b, h], memory[b], strict=True))
        for h in range(n_heads):
            for i in range(n_rows):
                memory[b, i] = memory[b, i] * (1 - weights[b, h, i] * erase[b, h])
        for h in range(n_heads):
            for i in range(n_rows):
                memory[b, i] = memory[b, i] + weights[b, h, i] * add[b, h]
    return weights, reads, memory


def step(m, memory, previous, keys, strengths, gates, shifts, sharpness, erase, add):
    """The same by a side's functions."""
    weights = m.address(memory, previous, m.Focus(keys, strengths, gates, shifts, sharpness))
    return weights, m.read(memory, weights), m.write(memory, weights, erase=erase, add=add)


@few
@given(SEEDS, ROWS, REACH, st.integers(1, 3))
def test_the_equations_are_their_loops(seed, n_rows, reach, n_heads):
    drawn = draw(seed, n_rows=n_rows, reach=reach, n_heads=n_heads)
    expected = by_loops(**drawn)
    for side in SIDES:
        for found, wanted in zip(step(of(side), **side.array(drawn)), expected, strict=True):
            np.testing.assert_allclose(side.numpy(found), wanted, rtol=1e-10, atol=1e-12)


@few
@given(SEEDS, st.floats(0, 500), st.floats(1, 60))
def test_weights_are_shares(seed, strength, sharpness):
    drawn = draw(seed)
    drawn |= {
        "strengths": drawn["strengths"] * 0 + strength,
        "sharpness": drawn["sharpness"] * 0 + sharpness,
    }
    for side in SIDES:
        for dtype in (np.float32, np.float64):
            typed = {name: x.astype(dtype) for name, x in drawn.items()}
            weights = side.numpy(step(of(side), **side.array(typed))[0])
            assert weights.dtype == dtype and (weights >= 0).all()
            np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)


# One equation at a time


@pytest.mark.parametrize("by", [-2, -1, 0, 1, 2])
def test_a_shift_that_is_sure_is_a_roll_and_plus_one_goes_to_the_next_row(side, by):
    weights = np.random.default_rng(0).uniform(size=(2, 3, 7))
    shifts = np.zeros((2, 3, 5))
    shifts[..., by + 2] = 1
    found = side.numpy(of(side).shift(side.array(weights), side.array(shifts)))
    np.testing.assert_array_equal(found, np.roll(weights, by, axis=-1))
    first = np.zeros((1, 1, 7))
    first[..., 0] = 1
    moved = side.numpy(of(side).shift(side.array(first), side.array(shifts[:1, :1])))
    assert moved[0, 0].argmax() == by % 7


@few
@given(SEEDS, ROWS, REACH)
def test_a_shift_is_equation_8_to_the_letter(seed, n_rows, reach):
    drawn = draw(seed, n_rows=n_rows, reach=reach)
    weights, shifts = drawn["previous"], drawn["shifts"]
    s = np.zeros((*weights.shape[:2], n_rows))  # s(d) for d from 0 to N - 1, modulo N
    for by in range(-reach, reach + 1):
        s[..., by % n_rows] += shifts[..., by + reach]
    expected = sum(weights[..., [j]] * s[..., (np.arange(n_rows) - j) % n_rows] for j in range(n_rows))
    for side in SIDES:
        found = side.numpy(of(side).shift(side.array(weights), side.array(shifts)))
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@few
@given(SEEDS)
def test_a_gate_of_0_stays_and_a_gate_of_1_looks_for_content(seed):
    drawn = draw(seed)
    content, previous, gates = drawn["previous"][::-1].copy(), drawn["previous"], drawn["gates"]
    for side in SIDES:
        for gate, expected in ((0, previous), (1, content)):
            given = map(side.array, (content, previous, gates * 0 + gate))
            np.testing.assert_allclose(
                side.numpy(of(side).interpolate(*given)), expected, rtol=1e-15, atol=1e-16
            )


@few
@given(SEEDS)
def test_sharpness_1_changes_nothing_and_much_of_it_leaves_the_largest(seed):
    weights = draw(seed)["previous"]
    for side in SIDES:
        for sharpness, expected in ((1, weights), (1e6, np.eye(6)[weights.argmax(-1)])):
            given = side.array(weights), side.array(np.full(weights.shape[:2], float(sharpness)))
            np.testing.assert_allclose(side.numpy(of(side).sharpen(*given)), expected, atol=1e-4)


def test_sharpening_survives_float32_where_the_powers_alone_would_all_be_0(side):
    weights = np.full((1, 1, 128), 1 / 128, np.float32)
    sharpness = np.full((1, 1), 40, np.float32)
    assert (weights**40 == 0).all()
    found = side.numpy(of(side).sharpen(side.array(weights), side.array(sharpness)))
    np.testing.assert_allclose(found, weights, rtol=1e-6)


@few
@given(SEEDS)
def test_strength_0_sees_no_content_and_much_of_it_sees_the_nearest_row(seed):
    drawn = draw(seed)
    for side in SIDES:
        m = of(side)
        alike = m.similarity(*map(side.array, (drawn["keys"], drawn["memory"])))
        nearest = np.eye(6)[side.numpy(alike).argmax(-1)]
        for strength, expected, near in ((0.0, 1 / 6, 1e-15), (1e6, nearest, 1e-3)):
            strengths = side.array(np.full((3, 2), strength))
            np.testing.assert_allclose(side.numpy(m.by_content(alike, strengths)), expected, atol=near)


@few
@given(SEEDS, st.floats(0.01, 100))
def test_similarity_is_a_cosine(seed, length):
    drawn = draw(seed)
    for side in SIDES:
        found = side.numpy(of(side).similarity(*map(side.array, (drawn["keys"], drawn["memory"]))))
        longer = side.numpy(of(side).similarity(*map(side.array, (length * drawn["keys"], drawn["memory"]))))
        np.testing.assert_allclose(longer, found, rtol=1e-9, atol=1e-14)
        assert (abs(found) <= 1 + 1e-12).all()
        own = side.numpy(of(side).similarity(*map(side.array, (drawn["memory"], drawn["memory"]))))
        np.testing.assert_allclose(np.diagonal(own, axis1=1, axis2=2), 1)


def test_a_row_of_zeros_is_like_no_key_and_gives_finite_gradients(side):
    keys, memory = np.ones((1, 1, 3)), np.zeros((1, 4, 3))
    memory[0, 1] = 1
    m = of(side)
    np.testing.assert_allclose(side.numpy(m.similarity(*map(side.array, (keys, memory)))), [[[0, 1, 0, 0]]])
    leaves = side.array({"keys": keys, "memory": memory})
    _, gradient = side.value_and_grad(lambda p: m.similarity(p["keys"], p["memory"]).sum())(leaves)
    # at a row of zeros its own direction, as in `unit`: a key of length 1 pulls with 1
    np.testing.assert_allclose(side.numpy(gradient)["memory"][0, 0], np.full(3, 3**-0.5))
    assert all(np.isfinite(g).all() for g in side.numpy(gradient).values())


@few
@given(SEEDS)
def test_nothing_erased_and_nothing_added_leaves_the_memory(seed):
    drawn = draw(seed)
    none = np.zeros_like(drawn["add"])
    for side in SIDES:
        memory, weights = map(side.array, (drawn["memory"], drawn["previous"]))
        after = of(side).write(memory, weights, erase=side.array(none), add=side.array(none))
        np.testing.assert_array_equal(side.numpy(after), drawn["memory"])


def test_a_sure_head_replaces_its_row_and_touches_no_other(side):
    memory, new = np.arange(12.0).reshape(1, 4, 3), np.array([[[7.0, 8.0, 9.0]]])
    weights = np.eye(4)[[2]][None]
    m, here = of(side), [side.array(memory), side.array(weights)]
    after = side.numpy(m.write(*here, erase=side.array(np.ones((1, 1, 3))), add=side.array(new)))
    expected = memory.copy()
    expected[0, 2] = new
    np.testing.assert_array_equal(after, expected)
    np.testing.assert_array_equal(side.numpy(m.read(*here)), memory[:, [2]])


@few
@given(SEEDS)
def test_the_order_of_writing_heads_does_not_matter(seed):
    drawn = draw(seed, n_heads=3)
    for side in SIDES:
        found = []
        for order in ([0, 1, 2], [2, 0, 1]):
            weights, erase, add = (side.array(drawn[name][:, order]) for name in ("previous", "erase", "add"))
            found.append(
                side.numpy(of(side).write(side.array(drawn["memory"]), weights, erase=erase, add=add))
            )
        np.testing.assert_allclose(*found, rtol=1e-12)


@few
@given(SEEDS)
def test_no_sequence_of_a_batch_meets_another(seed):
    drawn = draw(seed)
    for side in SIDES:
        among = [side.numpy(part) for part in step(of(side), **side.array(drawn))]
        for b in range(3):
            alone = {name: x[b : b + 1] for name, x in drawn.items()}
            for found, expected in zip(step(of(side), **side.array(alone)), among, strict=True):
                np.testing.assert_allclose(side.numpy(found)[0], expected[b], rtol=1e-12)


# Derivatives


EQUATIONS = {
    "similarity": ("keys", "memory"),
    "by_content": ("previous", "strengths"),
    "interpolate": ("previous", "previous", "gates"),
    "shift": ("previous", "shifts"),
    "sharpen": ("previous", "sharpness"),
    "read": ("memory", "previous"),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_derivatives_of_first_and_second_order_are_what_small_steps_find(name):
    drawn, function = draw(0), getattr(of(SCRATCH), name)
    given = [np.roll(drawn[argument], i, axis=0) for i, argument in enumerate(EQUATIONS[name])]
    check_gradients(function, *given, rng=np.random.default_rng(0), tolerance=1e-5)


def test_so_are_those_of_writing():
    drawn = draw(0)

    def write(memory, weights, erase, add):
        return of(SCRATCH).write(memory, weights, erase=erase, add=add)

    given = [drawn[name] for name in ("memory", "previous", "erase", "add")]
    check_gradients(write, *given, rng=np.random.default_rng(0), tolerance=1e-5)


def weighed(side, weigh, drawn):
    """One number of a whole step of addressing, reading and writing."""
    return sum((w * part).sum() for w, part in zip(weigh, step(of(side), **drawn), strict=True))


@pytest.mark.parametrize("reach", [0, 1, 2])
def test_a_step_and_its_gradient_agree_between_the_sides_and_with_small_steps(reach):
    drawn, rng = draw(reach, reach=reach), np.random.default_rng(0)
    weigh = [rng.normal(size=drawn[name].shape) for name in ("previous", "keys", "memory")]
    found = []
    for side in SIDES:
        loss = lambda p, side=side: weighed(side, [*map(side.array, weigh)], p)  # noqa: E731
        value, gradient = side.value_and_grad(loss)(side.array(drawn))
        found.append((float(value), side.numpy(gradient)))
        direction = random_direction(drawn)
        expected = slope(side, loss, drawn, direction)
        assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-6)
    (value, gradient), (their_value, their_gradient) = found
    assert value == pytest.approx(their_value, rel=1e-12)
    for name in drawn:
        np.testing.assert_allclose(gradient[name], their_gradient[name], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", EQUATIONS)
def test_every_equation_agrees_between_the_sides_in_value_and_gradient(name):
    drawn, rng = draw(1), np.random.default_rng(1)
    given = {str(i): np.roll(drawn[a], i, axis=0) for i, a in enumerate(EQUATIONS[name])}
    function = [getattr(of(side), name) for side in SIDES]
    value, theirs = (
        side.numpy(f(*side.array(given).values())) for side, f in zip(SIDES, function, strict=True)
    )
    np.testing.assert_allclose(value, theirs, rtol=1e-10, atol=1e-12)
    weigh = rng.normal(size=value.shape)
    found = []
    for side, f in zip(SIDES, function, strict=True):
        loss = lambda p, f=f, side=side: (side.array(weigh) * f(*p.values())).sum()  # noqa: E731
        found.append(side.numpy(side.value_and_grad(loss)(side.array(given))[1]))
    gradient, their_gradient = found
    for i in given:
        np.testing.assert_allclose(gradient[i], their_gradient[i], rtol=1e-10, atol=1e-10)


def test_pytorch_finds_the_same_second_order():
    """Where no row is 0: there the length has none."""
    drawn, m = {k: torch.tensor(x, requires_grad=True) for k, x in draw(0).items()}, of(PYTORCH)
    focus = [drawn[name] for name in m.Focus._fields]
    assert torch.autograd.gradgradcheck(
        lambda memory, previous, *focus: m.address(memory, previous, m.Focus(*focus)),
        (drawn["memory"], drawn["previous"], *focus),
    )


# What must not be given


@pytest.mark.parametrize(("n_rows", "n_shifts"), [(2, 3), (4, 5), (6, 2)])
def test_more_shifts_than_rows_and_an_even_number_of_them_are_told(side, n_rows, n_shifts):
    weights, shifts = np.full((1, 1, n_rows), 1 / n_rows), np.full((1, 1, n_shifts), 1 / n_shifts)
    words = (
        rf"^n_rows: got {n_rows} rows and {n_shifts} shifts; shifts are an odd number, at most one a row\.$"
    )
    with pytest.raises(ValueError, match=words):
        of(side).shift(side.array(weights), side.array(shifts))
