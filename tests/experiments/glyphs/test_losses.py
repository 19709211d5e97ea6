"""The losses train what they say, in a few steps, and are judged on trials that hold no image twice."""

import numpy as np
import pytest
import torch

from experiments.glyphs import contenders, losses
from reference.pytorch import siamese
from reference.pytorch.nn import distance
from reference.results import Row
from reference.tasks.glyphs import glyphs


def few_steps(name, setting=0):
    setting = losses.CHOICES[name].settings[setting]
    params = losses.trained(name, rate=1e-3, setting=setting, seed=0, n_steps=2)
    return losses.CHOICES[name].judged(params, setting)


@pytest.mark.parametrize("name", losses.CHOICES)
def test_every_choice_and_setting_trains_and_judges_every_query(name):
    for setting in range(len(losses.CHOICES[name].settings)):
        hits = losses.right(few_steps(name, setting), "validation")
        assert hits.shape == (losses.N_TRIALS["validation"], 12) and 0 < hits.mean() < 1


def test_the_same_seed_trains_the_same_weights():
    first, second = (few_steps("NT-Xent").params for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def tables():
    rng = np.random.default_rng(0)
    z, labels = torch.from_numpy(rng.normal(size=(6, 3))), torch.tensor([0, 0, 1, 1, 2, 2])
    own = (labels[:, None] == labels) & ~torch.eye(6, dtype=torch.bool)
    return distance(z[:, None], z[None]), own, labels[:, None] != labels


def test_contrastive_costs_are_those_written_out_pair_by_pair():
    distances, own, other = tables()
    pulls = [distances[i, j].item() for i in range(6) for j in range(6) if own[i, j]]
    pushes = [max(0.0, 2 - distances[i, j].item()) for i in range(6) for j in range(6) if other[i, j]]
    that_cost = [push for push in pushes if push > 0]
    assert 0 < len(that_cost) < len(pushes)
    square = lambda numbers: np.square(numbers).mean()
    expected = {
        contenders.that_cost: (square(pulls) + square(that_cost)) / 4,
        contenders.straight: (np.mean(pulls) + np.mean(pushes)) / 2,
        contenders.straight_that_cost: (np.mean(pulls) + np.mean(that_cost)) / 2,
    }
    for cost, value in expected.items():
        assert cost(distances, own, other, margin=2.0).item() == pytest.approx(value)
    apart = contenders.each(lambda d, same: siamese.contrastive(d, same.long(), margin=2.0))
    assert apart(distances, own, other).item() == pytest.approx((square(pulls) + square(pushes)) / 4)


def test_where_no_pair_costs_its_mean_is_zero():
    distances, own, other = tables()
    assert contenders.straight_that_cost(distances, own, other, margin=0.0) == distances[own].mean() / 2


@pytest.mark.parametrize("split", losses.N_WAY)
def test_a_trial_has_one_script_and_two_drawings_of_each_character(split):
    bank = glyphs(split)
    for support, queries in zip(*losses.trials(split), strict=True):
        assert not set(support.tolist()) & set(queries.tolist())
        classes = [np.searchsorted(bank.offsets, rows, side="right") - 1 for rows in (support, queries)]
        assert (classes[0] == classes[1]).all() and len(set(classes[0].tolist())) == losses.N_WAY[split]
        assert len(set(bank.groups[classes[0]].tolist())) == 1


def test_a_rate_that_was_tried_is_not_tried_again(monkeypatch):
    monkeypatch.setattr(losses, "validated", lambda about: Row(about, "accuracy", 0.5, None, 2))
    about = {"choice": "NT-Xent", "split": "validation", "rate": 1e-3, "setting": 0.1}
    there = [Row(about, "accuracy", 0.9, None, 2)]
    found = list(losses.tuned("NT-Xent", there))
    assert len(found) == 18 and [row.mean for row in found].count(0.9) == 1


def test_raw_pixels_need_no_training():
    assert losses.right(losses.RAW, "test").mean() > 2 / 20


def test_an_unknown_choice_is_told():
    with pytest.raises(SystemExit, match="^got the choice 'NT-Xnet'; there are contrastive, drawn pairs"):
        losses.main(["NT-Xnet"])
