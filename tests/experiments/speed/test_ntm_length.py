"""Windows are the whole where one holds all, else no gradient goes over their ends. Nothing is timed."""

import numpy as np
import pytest
import torch

from experiments.speed import ntm_length
from experiments.speed.copying import gradient, machine
from reference.pytorch import ntm
from reference.pytorch.nn.recurrent import map_state
from reference.tasks.sequences import Copy


def given(length=3):
    net = machine()
    params = {name: p.double() for name, p in net.init(np.random.default_rng(0), Copy().d_in).items()}
    series = ntm_length.draw(length, n=2)
    return params, series._replace(x=series.x.double(), y=series.y.double()), net


def test_one_window_is_the_whole_gradient():
    params, series, net = given()
    found = ntm_length.in_windows(params, series, net, window=7)
    for name, expected in gradient(params, series, net).items():
        torch.testing.assert_close(found[name], expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("window", [2, 3, 6])
def test_windows_are_the_loss_with_a_state_that_is_cut(window):
    params, series, net = given()
    found = ntm_length.in_windows(params, series, net, window=window)
    whole = gradient(params, series, net)
    assert not all(torch.allclose(found[name], whole[name], rtol=1e-3) for name in whole)

    step = [0]

    def cell(params, state, x):
        state = map_state(torch.Tensor.detach, state) if step[0] % window == 0 else state
        step[0] += 1
        return net.cell(params, state, x)

    expected, _ = ntm.meta_gradient(params, series, net=net._replace(cell=cell))
    for name, of_one in expected.items():
        torch.testing.assert_close(found[name], of_one, rtol=1e-10, atol=1e-14)


def test_a_round_finds_seconds_and_a_peak(monkeypatch):
    for way in ntm_length.WAYS:
        seconds, peak = ntm_length.one_round((9, way))
        assert seconds > 0 and peak >= 0
    rows = ntm_length.summary(9, {"whole": [(0.1, 20.0), (0.3, 30.0), (0.2, 40.0)]})
    assert [(row.measure, row.mean) for row in rows] == [
        ("milliseconds, median", 200.0),
        (ntm_length.PEAK, 30.0),
    ]
    assert rows[0].about == {"case": "length 9, 19 steps", "way": "whole"}
