"""The curve of a run is made of its losses, one a step."""

import torch

from experiments import curve
from experiments.carried import together


def test_a_loss_is_kept_at_each_step_and_nothing_is_changed_in_place():
    params = curve.blank({"w": torch.ones(1)}, 3)
    both = lambda weights, drawn: (drawn * weights["w"].sum(), {"w": torch.full((1,), drawn)})
    gradient, loss = curve.noting(both)(params, 5.0)
    assert loss == 5 and gradient["w"] == 5 and gradient["carried.step"] == 1
    assert gradient["carried.losses"].tolist() == [5, 0, 0] and params["carried.losses"].tolist() == [0, 0, 0]
    again, _ = curve.noting(both)({"w": params["w"]} | {k: gradient[k] for k in gradient if k != "w"}, 2.0)
    assert again["carried.losses"].tolist() == [5, 2, 0]


def test_points_are_equally_many_steps_each_and_the_rest_is_left_out():
    losses = torch.arange(2.0 * curve.N_POINTS + 1)
    end = together({}, {"step": torch.tensor(0.0), "losses": losses})
    found = list(curve.points(end, batch=10, measure="nats lost"))
    assert [about["sequences"] for about, _, _ in found] == [20 * (i + 1) for i in range(curve.N_POINTS)]
    assert found[0].evaluate().tolist() == [0, 1] and found[-1].evaluate().tolist() == [118, 119]
    assert {measure for _, measure, _ in found} == {"nats lost"}


def test_a_run_without_steps_has_no_curve():
    assert list(curve.points(curve.blank({}, 0), batch=10, measure="nats lost")) == []
