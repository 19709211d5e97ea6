"""Neural Turing machines: a machine one sequence at a time, what must always hold, and that it learns."""

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import Series
from reference.meta_train import meta_train
from reference.params import part
from reference.rules import adam
from reference.tasks.sequences import Copy, cross_entropy_in_bits
from tests.both.nn.test_memory import by_loops
from tests.both.said import said_by
from tests.sides import PYTORCH, SCRATCH, along, random_direction, slope

SIDES = (SCRATCH, PYTORCH)
few = settings(max_examples=10)
SEEDS = st.integers(0, 2**32 - 1)
SIZE = {"n_rows": 6, "width": 4, "n_reads": 2, "n_writes": 2, "shift_range": 1}
CONTROLLERS, STARTS = ("lstm", "feedforward"), ("constant", "learned", "random")
D_IN, D_OUT = 4, 3


def of(side):
    return import_module(f"reference.{side.name}.ntm")


def machine_of(side, controller="lstm", start="constant", **size):
    """The machine without an output layer."""
    cells, m = import_module(f"reference.{side.name}.nn.cells"), of(side)
    begun = {"constant": m.constant_start, "learned": m.learned_start}
    chosen = m.random_start(np.random.default_rng(5)) if start == "random" else begun[start]()
    return m.machine(m.Size(**(SIZE | size)), getattr(cells, controller)(5), start=chosen)


def net_of(side, *args, **size):
    cells = import_module(f"reference.{side.name}.nn.cells")
    return cells.answering(machine_of(side, *args, **size), D_OUT)


def wide(params, scale=2):
    """In float64, and larger, so that every part of the machine matters."""
    return {name: scale * np.asarray(p).astype(np.float64) for name, p in params.items()}


def params_of(controller="lstm", start="constant", seed=0):
    return wide(net_of(SCRATCH, controller, start).init(np.random.default_rng(seed), D_IN))


def draw(seed=0, lengths=(3, 2, 1)):
    series = Copy(n_bits=D_OUT).of_lengths(np.random.default_rng(seed), np.array(lengths))
    return Series(series.x.astype(np.float64), series.y.astype(np.float64), series.judged)


# One sequence at a time


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log1p(np.exp(x))


def one_by_one(params, xs):
    """A feed-forward machine on the sequences of a batch in turn, each with its own memory; what it says."""
    n_heads, width = SIZE["n_reads"] + SIZE["n_writes"], SIZE["width"]
    own, outputs = {name.removeprefix("core."): p for name, p in params.items()}, []
    for b in range(xs.shape[1]):
        memory = np.full((SIZE["n_rows"], width), 1e-6)
        weights = np.eye(SIZE["n_rows"])[[0] * n_heads]
        reads, said = memory[[0] * SIZE["n_reads"]], []
        for x in xs[:, b]:
            seen = np.concatenate([x, reads.ravel()])
            h = np.tanh(own["controller.weight"] @ seen + own["controller.bias"])
            numbers = own["heads.weight"] @ h + own["heads.bias"]
            where, change = np.split(numbers, [n_heads * (width + 6)])
            where, change = where.reshape(n_heads, -1), change.reshape(SIZE["n_writes"], -1)
            shifts = np.exp(where[:, width + 3 :])
            # a head that reads is one that erases and adds nothing
            erase, add = np.zeros((2, n_heads, width))
            erase[2:], add[2:] = sigmoid(change[:, :width]), np.tanh(change[:, width:])
            parts = {
                "keys": where[:, :width],
                "strengths": softplus(where[:, width]),
                "gates": sigmoid(where[:, width + 1]),
                "sharpness": 1 + softplus(where[:, width + 2]),
                "shifts": shifts / shifts.sum(axis=1, keepdims=True),
                "erase": erase,
                "add": add,
            }
            batch_of_one = {name: p[None] for name, p in parts.items()}
            found = by_loops(memory=memory[None], previous=weights[None], **batch_of_one)
            weights, reads, memory = found[0][0], found[1][0][: SIZE["n_reads"]], found[2][0]
            answer = params["output.weight"] @ np.concatenate([h, reads.ravel()]) + params["output.bias"]
            said.append(answer)
        outputs.append(said)
    return np.swapaxes(outputs, 0, 1)


@few
@given(SEEDS)
def test_a_batch_is_its_sequences_one_by_one_by_loops(seed):
    params, xs = params_of("feedforward", seed=seed), draw(seed).x
    expected = one_by_one(params, xs)
    for side in SIDES:
        found, _ = said_by(side, net_of(side, "feedforward"), params, xs)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_no_sequence_meets_another(side, controller):
    params, xs = params_of(controller), draw().x
    net = net_of(side, controller)
    among, _ = said_by(side, net, params, xs)
    for b in range(3):
        alone, _ = said_by(side, net, params, xs[:, b : b + 1])
        np.testing.assert_allclose(alone[:, 0], among[:, b], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_weights_are_shares_at_every_step_and_the_shapes_are_as_said(side, controller):
    params = part(params_of(controller), "core")
    said, states = said_by(side, machine_of(side, controller), params, draw().x)
    assert said.shape == (7, 3, 5 + 2 * 4)
    for state in states:
        weights = side.numpy(state.weights)
        assert (weights >= 0).all() and weights.shape == (3, 4, 6)
        np.testing.assert_allclose(weights.sum(-1), 1)
        assert tuple(state.memory.shape) == (3, 6, 4) and tuple(state.reads.shape) == (3, 2, 4)
        assert (
            not np.shares_memory(side.numpy(state.memory), side.numpy(states[0].memory)) or state is states[0]
        )


def test_heads_read_what_was_there_before_this_steps_writing(side):
    params, xs = part(params_of(), "core"), draw().x
    _, states = said_by(side, machine_of(side), params, xs)
    for before, after in zip(states, states[1:], strict=False):
        old, weights = side.numpy(before.memory), side.numpy(after.weights)[:, :2]
        np.testing.assert_allclose(side.numpy(after.reads), weights @ old, rtol=1e-12)
        assert abs(weights @ side.numpy(after.memory) - side.numpy(after.reads)).max() > 1e-4


# How it begins


@pytest.mark.parametrize("start", STARTS)
def test_every_sequence_begins_with_the_same_memory_and_heads_at_row_0(side, start):
    net, params = machine_of(side, start=start), part(params_of(start=start), "core")
    state = net.begin(side.array(params), side.array(draw().x[0]))
    memory, weights = side.numpy(state.memory), side.numpy(state.weights)
    assert (memory == memory[:1]).all() and (weights[..., 0] == 1).all() and (weights[..., 1:] == 0).all()
    np.testing.assert_array_equal(side.numpy(state.reads), memory[:, [0, 0]])
    if start == "constant":
        assert (memory == 1e-6).all() and not any("start" in name for name in params)
    if start == "learned":
        np.testing.assert_array_equal(memory[0], params["start.memory"])
    if start == "random":
        expected = np.random.default_rng(5).normal(scale=0.5, size=(6, 4)).astype(np.float32)
        np.testing.assert_array_equal(memory[0], expected)
        again = side.numpy(net.begin(side.array(params), side.array(draw().x[0])).memory)
        assert (again != memory).all()


@pytest.mark.parametrize("start", ["constant", "learned"])
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_same_generator_gives_the_same_parameters(controller, start):
    mine, theirs = (
        side.numpy(net_of(side, controller, start).init(np.random.default_rng(3), D_IN)) for side in SIDES
    )
    assert list(mine) == list(theirs)
    for name, p in mine.items():
        np.testing.assert_array_equal(p, theirs[name])
        assert p.dtype == np.float32
    assert mine["core.heads.weight"].shape == (4 * (4 + 3 + 3) + 2 * 2 * 4, 5)


# The loss


def test_the_loss_is_the_mean_over_judged_bits_and_guessing_costs_1(side):
    params, series, net = params_of(), draw(), net_of(side)
    found = float(of(side).loss(side.array(params), side.array(series), net=net))
    logits, _ = said_by(side, net, params, series.x)
    expected = cross_entropy_in_bits(series, logits).sum() / (D_OUT * series.judged.sum())
    assert found == pytest.approx(expected, rel=1e-12)
    none = {name: 0 * p for name, p in params.items()}
    assert float(of(side).loss(side.array(none), side.array(series), net=net)) == pytest.approx(1, rel=1e-12)


def test_a_step_that_is_not_judged_costs_nothing_and_weighs_nothing(side):
    params, series, net = side.array(params_of()), draw(), net_of(side)
    other = np.where(series.judged[..., None], series.y, 1 - series.y)
    found = [
        of(side).meta_gradient(params, side.array(series._replace(y=y)), net=net) for y in (series.y, other)
    ]
    assert float(found[0][1]) == float(found[1][1])
    for name in params:
        np.testing.assert_array_equal(side.numpy(found[0][0])[name], side.numpy(found[1][0])[name])


def test_sequences_of_one_batch_are_padded_without_a_trace(side):
    params, series, net = side.array(params_of()), draw(lengths=(3, 1)), net_of(side)
    short = Series(*(part[:3, 1:] for part in series))
    alone = Series(series.x[:, 1:], series.y[:, 1:], series.judged[:, 1:])
    losses = [float(of(side).loss(params, side.array(s), net=net)) for s in (short, alone)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


@pytest.mark.parametrize("start", ["constant", "learned"])
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_gradient_of_a_whole_sequence_agrees_and_is_what_small_steps_find(controller, start):
    params, series, found = params_of(controller, start), draw(), []
    direction = random_direction(params)
    for side in SIDES:
        net = net_of(side, controller, start)
        gradient, value = of(side).meta_gradient(side.array(params), side.array(series), net=net)
        assert not getattr(value, "requires_grad", False) and list(gradient) == list(params)
        found.append((float(value), side.numpy(gradient)))
        loss = lambda p, side=side, net=net: of(side).loss(p, side.array(series), net=net)  # noqa: E731
        expected = slope(side, loss, params, direction)
        assert along(found[-1][1], direction) == pytest.approx(expected, rel=1e-6)
    (value, gradient), (their_value, their_gradient) = found
    assert value == pytest.approx(their_value, rel=1e-12)
    for name, g in gradient.items():
        np.testing.assert_allclose(g, their_gradient[name], rtol=1e-10, atol=1e-10)
        assert g.any()


def test_it_runs_in_float32_and_long_sequences_stay_finite(side):
    task = Copy(n_bits=D_OUT)
    series = task.of_lengths(np.random.default_rng(0), np.array([40, 20]))
    params = {name: p.astype(np.float32) for name, p in wide(params_of(), 3).items()}
    gradient, value = of(side).meta_gradient(side.array(params), side.array(series), net=net_of(side))
    assert side.numpy(value).dtype == np.float32
    for name, g in side.numpy(gradient).items():
        assert (g.dtype, g.shape) == (np.float32, params[name].shape) and np.isfinite(g).all()


def test_twenty_steps_lower_the_loss_and_end_at_the_same_weights():
    ends = []
    for side in SIDES:
        rng, net, params = np.random.default_rng(1), net_of(side), params_of()
        draw_one = lambda rng=rng, side=side: side.array(draw(int(rng.integers(99)), (2, 2, 2, 2)))  # noqa: E731
        gradient = lambda p, s, side=side, net=net: of(side).meta_gradient(p, s, net=net)  # noqa: E731
        end, losses = meta_train(side.array(params), gradient, draw_one, rule=adam(0.02), n_steps=20)
        ends.append((side.numpy(end), losses))
    (mine, losses), (theirs, their_losses) = ends
    np.testing.assert_allclose(losses, their_losses, rtol=0, atol=1e-8)
    assert losses[-5:].mean() < losses[:5].mean() - 0.02
    for name in mine:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-6, atol=1e-7)


# What must not be given


def test_odd_sizes_are_told(side):
    words = r"^n_rows: got 4 rows and 5 shifts; shifts are an odd number, at most one a row\.$"
    with pytest.raises(ValueError, match=words):
        machine_of(side, n_rows=4, shift_range=2)
    for name in ("n_rows", "width", "n_reads", "n_writes"):
        with pytest.raises(ValueError, match=rf"^{name} must be at least 1, got 0\.$"):
            machine_of(side, **{name: 0})
    with pytest.raises(ValueError, match=r"^shift_range must be at least 0, got -1\.$"):
        machine_of(side, shift_range=-1)
    assert machine_of(side, n_rows=1, shift_range=0).width == 13


def test_a_state_of_another_batch_is_told(side):
    net, params, x = machine_of(side), side.array(part(params_of(), "core")), draw().x[0]
    state = net.begin(params, side.array(x[:2]))
    words = r"^state: got memories of 2 sequences, and x has 3; begin\(params, x\) makes one for each\.$"
    with pytest.raises(ValueError, match=words):
        net.cell(params, state, side.array(x))


def test_a_series_that_does_not_fit_is_told(side):
    params, net, (x, y, judged) = side.array(params_of()), net_of(side), draw()

    def loss(*parts):
        return of(side).loss(params, Series(*map(side.array, parts)), net=net)

    words = r"^series.judged: got 5 steps of 3 sequences; x has 7 steps of 3\.$"
    with pytest.raises(ValueError, match=words):
        loss(x, y, judged[:5])
    with pytest.raises(ValueError, match=r"^series.y: got 7 steps of 2 sequences; x has 7 steps of 3\.$"):
        loss(x, y[:, :2], judged)
    with pytest.raises(
        ValueError, match=r"^series.y: got shape \(7, 3, 2\); the net says 3 numbers a step\.$"
    ):
        loss(x, y[..., :2], judged)
    words = (
        r"^series.judged: got (torch\.)?bool of shape \(7, 3\); it is bool .* and true at a step or more\.$"
    )
    with pytest.raises(ValueError, match=words):
        loss(x, y, judged & False)
    with pytest.raises(
        ValueError, match=r"^series.judged: got (torch\.)?float64 of shape \(7, 3\); it is bool"
    ):
        loss(x, y, judged * 1.0)
    ragged = [side.array(x[:5, 0]), side.array(x[:7, 1])]
    words = (
        r"^series.x: got list; one array \(n_steps, batch, \.\.\.\) is needed: sequences of different lengths"
    )
    with pytest.raises(ValueError, match=words):
        of(side).loss(params, Series(ragged, side.array(y), side.array(judged)), net=net)


def test_an_input_of_another_size_is_told(side):
    net, params = machine_of(side), side.array(part(params_of(), "core"))
    x = side.array(np.ones((3, 9)))
    with pytest.raises(ValueError, match=r"^x: got 17 numbers a row; weight_ih_l0 takes 12\. Is this"):
        net.cell(params, net.begin(params, x), x)
