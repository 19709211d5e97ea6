"""Memory-augmented networks: equations 2 to 8 by loops, what may see what, and one gradient on both sides."""

import math
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.episodes import Episode, Examples, in_order
from reference.meta_train import meta_train
from reference.params import part
from reference.rules import adam
from reference.tasks.instances import accuracy_by_instance, ceiling_of_first
from tests.both.said import said_by
from tests.sides import PYTORCH, SCRATCH, along, random_direction, slope

SIDES = (SCRATCH, PYTORCH)
few = settings(max_examples=15)
SEEDS = st.integers(0, 2**32 - 1)
SIZE = {"n_rows": 7, "width": 4, "n_reads": 2, "decay": 0.9}
CONTROLLERS = ("lstm", "feedforward")
N_WAY, D = 3, 5


def of(side):
    return import_module(f"reference.{side.name}.mann")


def machine_of(side, controller="lstm", **size):
    cells = import_module(f"reference.{side.name}.nn.cells")
    return of(side).machine(of(side).Size(**(SIZE | size)), getattr(cells, controller)(6))


def net_of(side, *args, **size):
    cells = import_module(f"reference.{side.name}.nn.cells")
    return cells.answering(machine_of(side, *args, **size), N_WAY)


def params_of(controller="lstm", seed=0, scale=2):
    params = net_of(SCRATCH, controller).init(np.random.default_rng(seed), D + N_WAY)
    return {name: scale * p.astype(np.float64) for name, p in params.items()}


def stream(seed=0, n=3, n_each=3, spread=0.1):
    """Examples of classes that are points in the plane of D numbers, each label a step late; all judged."""
    rng = np.random.default_rng(seed)
    y = np.stack([rng.permutation(np.repeat(np.arange(N_WAY), n_each)) for _ in range(n)])
    centers = rng.normal(size=(n, N_WAY, D))
    x = np.take_along_axis(centers, y[..., None], axis=1) + spread * rng.normal(size=(*y.shape, D))
    series = in_order(Episode(Examples(x[:, :1], y[:, :1]), Examples(x[:, 1:], y[:, 1:])), n_way=N_WAY)
    return series._replace(judged=np.ones_like(series.judged))


# The equations


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def one_by_one(params, xs, *, writes_first):
    """A feed-forward net on the sequences of a batch in turn, every equation one number at a time."""
    n_rows, width, n_reads, decay = SIZE.values()
    own, outputs = {name.removeprefix("core."): p for name, p in params.items()}, []
    for b in range(xs.shape[1]):
        memory, usage = np.zeros((n_rows, width)), [0.0] * n_rows
        last, reads, said = np.eye(n_rows)[:n_reads], np.zeros((n_reads, width)), []
        for x in xs[:, b]:
            h = np.tanh(own["controller.weight"] @ np.append(x, reads) + own["controller.bias"])
            numbers = (own["heads.weight"] @ h + own["heads.bias"]).reshape(n_reads, -1)
            keys, gates = np.tanh(numbers[:, :-1]), sigmoid(numbers[:, -1])
            reading, writing = np.zeros((2, n_reads, n_rows))
            rows = sorted(range(n_rows), key=lambda i, usage=usage: usage[i])[:n_reads]  # equation 6
            for h_i in range(n_reads):
                for i in range(n_rows):  # equation 7
                    writing[h_i, i] = gates[h_i] * last[h_i, i] + (1 - gates[h_i]) * (i == rows[h_i])
            before, memory = memory, memory.copy()
            memory[rows] = 0
            for i in range(n_rows):  # equation 8
                memory[i] += sum(writing[k, i] * keys[k] for k in range(n_reads))
            seen = memory if writes_first else before
            for h_i in range(n_reads):
                scores = []
                for row in seen:
                    length = math.sqrt(row @ row)
                    cosine = keys[h_i] @ row / length / math.sqrt(keys[h_i] @ keys[h_i]) if length else 0
                    scores.append(math.exp(cosine))  # equations 2 and 3
                reading[h_i] = np.array(scores) / sum(scores)
            reads = np.stack(
                [sum(w * row for w, row in zip(reading[k], seen, strict=True)) for k in range(n_reads)]
            )
            for i in range(n_rows):  # equation 5
                usage[i] = decay * usage[i] + reading[:, i].sum() + writing[:, i].sum()
            last = reading
            said.append(params["output.weight"] @ np.append(h, reads) + params["output.bias"])
        outputs.append(said)
    return np.swapaxes(outputs, 0, 1)


@few
@given(SEEDS, st.booleans())
def test_a_batch_is_its_sequences_one_by_one_by_loops(seed, writes_first):
    params, xs = params_of("feedforward", seed), stream(seed).x
    expected = one_by_one(params, xs, writes_first=writes_first)
    for side in SIDES:
        found, _ = said_by(side, net_of(side, "feedforward", writes_first=writes_first), params, xs)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def test_the_least_used_row_goes_to_the_first_head_and_of_equals_the_first_row(side):
    usage = side.array(np.array([[3.0, 1.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]]))
    found = side.numpy(of(side).least_used(usage, 3))
    assert found.argmax(-1).tolist() == [[1, 3, 2], [0, 1, 2]]
    assert found.sum(-1).tolist() == [[1, 1, 1], [1, 1, 1]] and found.dtype == np.float64


@few
@given(SEEDS)
def test_a_gate_chooses_between_what_was_read_and_what_is_least_used(seed):
    rng = np.random.default_rng(seed)
    last, least = rng.dirichlet(np.ones(7), (3, 2)), np.eye(7)[rng.integers(7, size=(3, 2))]
    for side in SIDES:
        for gate, expected in ((0.0, least), (1.0, last)):
            given = side.array(np.full((3, 2), gate)), side.array(last), side.array(least)
            np.testing.assert_allclose(side.numpy(of(side).write_weights(*given)), expected, atol=1e-15)


def test_a_strength_sharpens_what_is_read_and_reaches_the_heads(side):
    memory, keys = side.array(np.array([[[2.0, 0.0], [0.0, 3.0]]])), side.array(np.array([[[1.0, 0.0]]]))
    for strength in (0.0, 1.0, 5.0):
        found = side.numpy(of(side).read_weights(memory, keys, strength=strength))[0, 0]
        np.testing.assert_allclose(found, [sigmoid(strength), 1 - sigmoid(strength)], atol=1e-15)
    params = part(params_of(), "core")
    plain, sharp = (said_by(side, machine_of(side, strength=s), params, stream().x)[1] for s in (1.0, 9.0))
    surest = [
        np.mean([side.numpy(state.weights).max(-1).mean() for state in states]) for states in (plain, sharp)
    ]
    assert surest[1] > 1.3 * surest[0]


def test_usage_fades_and_grows_by_hand(side):
    usage, reading, writing = (
        side.array(np.array(x)) for x in ([[1.0, 2.0]], [[[0.25, 0.75]]], [[[1.0, 0.0]]])
    )
    found = side.numpy(of(side).next_usage(usage, reading, writing, decay=0.5))
    assert found.tolist() == [[0.5 + 0.25 + 1, 1 + 0.75]]


def test_a_key_replaces_the_least_used_row_and_is_added_to_the_one_just_read(side):
    memory, keys = np.arange(6.0).reshape(1, 3, 2), np.array([[[10.0, 20.0]]])
    least = np.array([[[0.0, 1.0, 0.0]]])
    for writing, expected in (
        (least, [[0, 1], [10, 20], [4, 5]]),
        (np.array([[[0.0, 0.0, 1.0]]]), [[0, 1], [0, 0], [14, 25]]),
    ):
        given = map(side.array, (memory, writing, keys))
        assert side.numpy(of(side).write(*given, least=side.array(least)))[0].tolist() == expected


@pytest.mark.parametrize("writes_first", [False, True])
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_weights_are_shares_usage_is_not_negative_and_reads_are_of_the_memory_that_is_said(
    side, controller, writes_first
):
    params = part(params_of(controller), "core")
    machine = machine_of(side, controller, writes_first=writes_first)
    said, states = said_by(side, machine, params, stream().x)
    assert said.shape == (9, 3, 6 + 2 * 4)
    for before, after in zip(states, states[1:], strict=False):
        weights = side.numpy(after.weights)
        assert (weights > 0).all() and (side.numpy(after.usage) >= 0).all()
        np.testing.assert_allclose(weights.sum(-1), 1)
        memory = side.numpy((after if writes_first else before).memory)
        np.testing.assert_allclose(side.numpy(after.reads), weights @ memory, rtol=1e-12)


def test_the_first_thing_written_goes_to_the_first_rows_whatever_the_gate(side):
    _, states = said_by(side, machine_of(side), part(params_of(), "core"), stream().x)
    memory = side.numpy(states[0].memory)
    assert memory[:, :2].any(-1).all() and not memory[:, 2:].any()


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_no_sequence_meets_another(side, controller):
    params, xs, net = params_of(controller), stream().x, net_of(side, controller)
    among, _ = said_by(side, net, params, xs)
    for b in range(3):
        alone, _ = said_by(side, net, params, xs[:, b : b + 1])
        np.testing.assert_allclose(alone[:, 0], among[:, b], rtol=1e-10, atol=1e-12)


# Learning


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_gradient_of_a_whole_stream_agrees_and_is_what_small_steps_find(controller):
    params, series, found = params_of(controller), stream(), []
    direction = random_direction(params)
    for side in SIDES:
        net = net_of(side, controller)
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


def test_the_loss_is_the_mean_over_judged_answers(side):
    params, net, series = params_of(), net_of(side), stream()
    judged = np.random.default_rng(0).random(series.judged.shape) < 0.5
    scores, _ = said_by(side, net, params, series.x)
    logs = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    picked = np.take_along_axis(logs, series.y[..., None], axis=-1)[..., 0]
    found = of(side).loss(side.array(params), side.array(series._replace(judged=judged)), net=net)
    assert float(found) == pytest.approx(-picked[judged].mean(), rel=1e-12)


def test_it_runs_in_float32(side):
    series = stream()
    series = series._replace(x=series.x.astype(np.float32))
    params = {name: p.astype(np.float32) for name, p in params_of().items()}
    gradient, value = of(side).meta_gradient(side.array(params), side.array(series), net=net_of(side))
    assert side.numpy(value).dtype == np.float32
    for name, g in side.numpy(gradient).items():
        assert (g.dtype, g.shape) == (np.float32, params[name].shape) and np.isfinite(g).all()


def test_thirty_steps_lower_the_loss_and_end_at_the_same_weights():
    ends = []
    for side in SIDES:
        rng, net = np.random.default_rng(1), net_of(side)
        draw = lambda rng=rng, side=side: side.array(stream(int(rng.integers(999)), n=8))  # noqa: E731
        gradient = lambda p, s, side=side, net=net: of(side).meta_gradient(p, s, net=net)  # noqa: E731
        end, losses = meta_train(side.array(params_of()), gradient, draw, rule=adam(0.01), n_steps=30)
        ends.append((side.numpy(end), losses))
    (mine, losses), (theirs, their_losses) = ends
    np.testing.assert_allclose(losses, their_losses, rtol=0, atol=1e-7)
    assert losses[-5:].mean() < losses[:5].mean()
    for name in mine:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-5, atol=1e-6)


# adapt, predict, and the k-th instance


def support_of(seed=0, n_each=2):
    x, y, _ = stream(seed, n=1, n_each=n_each)
    return Examples(x[:, 0, :D].copy(), y[:, 0])


def test_predict_answers_each_query_as_if_it_came_next(side):
    params, support, net = params_of(), support_of(), net_of(side)
    queries = np.random.default_rng(1).normal(size=(4, D))
    found = of(side).adapt(side.array(params), side.array(support), net=net)(side.array(queries))
    assert tuple(found.shape) == (4, N_WAY)
    for query, scores in zip(queries, side.numpy(found), strict=True):
        one = Examples(query[None, None], np.zeros((1, 1), int))  # the label of a query is never seen
        x = in_order(Episode(Examples(*(part[None] for part in support)), one), n_way=N_WAY).x
        np.testing.assert_allclose(said_by(side, net, params, x)[0][-1, 0], scores, rtol=1e-10)


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_no_query_sees_another_and_predicting_changes_nothing(side, controller):
    predict = of(side).adapt(
        side.array(params_of(controller)), side.array(support_of()), net=net_of(side, controller)
    )
    queries = np.random.default_rng(1).normal(size=(4, D))
    among = side.numpy(predict(side.array(queries)))
    np.testing.assert_array_equal(side.numpy(predict(side.array(queries))), among)
    order = np.array([2, 0, 3, 1])
    np.testing.assert_allclose(side.numpy(predict(side.array(queries[order]))), among[order], rtol=1e-10)
    for i in range(4):
        alone = side.numpy(predict(side.array(queries[i : i + 1])))[0]
        np.testing.assert_allclose(alone, among[i], rtol=1e-10)


def test_both_sides_predict_the_same_of_images_too():
    rng, found = np.random.default_rng(0), []
    x, y = rng.normal(size=(6, 1, 1, D)).astype(np.float32), np.array([0, 1, 2, 2, 1, 0])
    for side in SIDES:
        params = side.array({name: p.astype(np.float32) for name, p in params_of().items()})
        predict = of(side).adapt(params, side.array(Examples(x, y)), net=net_of(side))
        found.append(side.numpy(predict(side.array(x[:2]))))
        assert found[-1].dtype == np.float32
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)


def test_an_untrained_net_is_not_above_the_ceiling_at_first_instances_nor_is_a_perfect_one(side):
    series = stream(n=200, n_each=2)
    scores, _ = said_by(side, net_of(side), params_of(), series.x)
    first = accuracy_by_instance(scores, series.y)[:, 0]
    assert first.mean() < ceiling_of_first(N_WAY) + 4 * first.std() / 200**0.5


# How it begins, and what must not be given


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_same_generator_gives_the_same_parameters(controller):
    mine, theirs = (
        side.numpy(net_of(side, controller).init(np.random.default_rng(3), D + N_WAY)) for side in SIDES
    )
    assert list(mine) == list(theirs)
    for name, p in mine.items():
        np.testing.assert_array_equal(p, theirs[name])
        assert p.dtype == np.float32
    assert mine["core.heads.weight"].shape == (2 * (4 + 1), 6)


def test_odd_sizes_are_told(side):
    with pytest.raises(ValueError, match=r"^n_rows must be at least 2, got 1\.$"):
        machine_of(side, n_rows=1)
    with pytest.raises(ValueError, match=r"^n_reads must be at least 1, got 0\.$"):
        machine_of(side, n_reads=0)
    with pytest.raises(ValueError, match=r"^width must be at least 1, got 0\.$"):
        machine_of(side, width=0)
    with pytest.raises(ValueError, match=r"^decay must be at least 0 and finite, got -0\.1\.$"):
        machine_of(side, decay=-0.1)
    with pytest.raises(ValueError, match=r"^strength must be at least 0 and finite, got -1\.0\.$"):
        machine_of(side, strength=-1.0)


def test_what_does_not_fit_is_told(side):
    params, net, series = side.array(params_of()), net_of(side), stream()
    state = net.begin(params, side.array(series.x[0][:2]))
    with pytest.raises(ValueError, match=r"^state: got memories of 2 sequences, and x has 3; begin"):
        net.cell(params, state, side.array(series.x[0]))
    with pytest.raises(
        ValueError, match=r"^series.judged: got 4 steps of 3 sequences; x has 9 steps of 3\.$"
    ):
        of(side).loss(params, side.array(series._replace(judged=series.judged[:4])), net=net)
    with pytest.raises(ValueError, match=r"^labels: got \[7\]; the classes are 0\.\.2\.$"):
        of(side).loss(params, side.array(series._replace(y=np.where(series.y == 1, 7, series.y))), net=net)
    x, y = support_of()
    with pytest.raises(ValueError, match=r"^support.y: got classes \[0, 1\]; each of 0\.\.2, and no other"):
        of(side).adapt(params, side.array(Examples(x, np.minimum(y, 1))), net=net)
    many = side.array(Examples(np.stack([x, x]), np.stack([y, y])))
    with pytest.raises(ValueError, match=r"^support.y: got shape \(2, 6\), which is 2 tasks; one is needed"):
        of(side).adapt(params, many, net=net)
    predict = of(side).adapt(params, side.array(Examples(x, y)), net=net)
    with pytest.raises(ValueError, match=r"^query_x: got shape \(5,\); the support asks for \(q, 5\)"):
        predict(side.array(x[0]))


def test_labels_stand_a_step_late(side):
    found = side.numpy(of(side).one_late(side.array(np.array([2, 0])), 3))
    assert found.tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 0]]
