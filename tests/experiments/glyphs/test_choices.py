"""The choices train what they say, in a few steps, and a stored result is complete."""

import numpy as np
import pytest
import torch

from experiments.glyphs import choices
from reference.pytorch.machine.arrays import to_torch
from reference.results import read
from reference.tasks.bank import FewShot
from reference.tasks.glyphs import glyphs

TASKS = FewShot(glyphs("validation"), n_way=5, k_shot=1, n_query=2)


def few_steps(name):
    return choices.trained(choices.CHOICES[name]._replace(n_steps=2), 1e-3, 0)


@pytest.mark.parametrize("name", choices.CHOICES)
def test_every_learner_of_a_choice_scores_every_query_for_every_class(name):
    episode = to_torch(TASKS.sample(np.random.default_rng(0)))
    for adapt in choices.learners(name, few_steps(name)).values():
        assert adapt(episode.support)(episode.query.x).shape == (10, 5)


def test_the_same_seed_trains_the_same_weights():
    first, second = few_steps("all pairs"), few_steps("all pairs")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_all_pairs_is_the_loss_written_out_image_by_image():
    params = few_steps("all pairs")
    episode = to_torch(TASKS.sample(np.random.default_rng(1)))
    x, y = (torch.cat(both) for both in zip(episode.support, episode.query, strict=True))
    z, total = choices.embed(params, x), 0.0
    for i in range(len(y)):
        near = torch.stack([torch.exp(-((z[i] - z[j]) ** 2).sum()) for j in range(len(y)) if j != i])
        alike = torch.tensor([bool(y[j] == y[i]) for j in range(len(y)) if j != i])
        total -= torch.log(near[alike].sum() / near.sum())
    assert choices.pairs_loss(params, episode).item() == pytest.approx(total.item() / len(y), rel=1e-5)


def test_a_batch_of_the_classifier_names_the_class_of_each_image():
    bank = glyphs("train")
    x, y = choices.batch(bank, np.random.default_rng(0)).query
    for image, label in zip(x[:5], y[:5], strict=True):
        own = bank.images[bank.offsets[label] : bank.offsets[label + 1]]
        assert (own == np.rint(255 * image[0].numpy())).all((1, 2)).any()


def test_an_unknown_choice_is_told(monkeypatch):
    with pytest.raises(SystemExit, match="^got the choice 'cosin'; there are untrained, squared"):
        choices.main(["cosin"])


def test_the_stored_result_holds_every_choice_at_every_rate_and_seed():
    measured = read(choices.FILE).rows
    for name in choices.CHOICES:
        own = [row for row in measured if row.about["choice"] == name]
        assert {row.about["rate"] for row in own if row.about["split"] == "validation"} == set(choices.RATES)
        tested = [row.about for row in own if row.about["split"] == "test" and row.measure == "accuracy"]
        assert {(about["seed"], about["n_way"]) for about in tested} == {
            (s, n) for s in range(6) for n in (5, 20)
        }
        assert len({about["rate"] for about in tested}) == 1
