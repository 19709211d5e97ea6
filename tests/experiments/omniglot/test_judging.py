"""How comparing networks are judged: raw pixels by hand, and intervals over what they say."""

import numpy as np
import pytest
import torch

from experiments.omniglot import judging
from reference.baselines import nearest_centroid
from reference.evaluation import evaluate
from reference.pytorch import siamese
from reference.tasks.bank import make_bank
from reference.tasks.pairs import OneShotTrials, Pairs
from reference.verification import area, equal_error_rate
from tests.experiments.omniglot import small


def bank(sizes=(20, 22, 5), noise=60, n_each=4):
    """Alphabets of these sizes; every character is a random picture, every drawing of it has noise."""
    rng, n = np.random.default_rng(0), sum(sizes)
    pictures = rng.integers(0, 256, (n, 1, 6, 6)) + rng.normal(0, noise, (n, n_each, 6, 6))
    images = np.clip(pictures, 0, 255).astype(np.uint8).reshape(-1, 6, 6)
    groups = np.repeat([f"alphabet {i}" for i in range(len(sizes))], sizes).tolist()
    names = [f"character {i}" for i in range(n)]
    return make_bank(images, np.repeat(np.arange(n), n_each), names=names, groups=groups)


def job(**settings):
    return small.job("nt-xent", **({"n_test_episodes": 12, "n_test_pairs": 200} | settings))


def test_one_shot_is_the_nearest_drawing_in_each_alphabet_that_is_large_enough():
    found, rng = judging.one_shot(job(), bank(noise=120), judging.RAW), np.random.default_rng(0)
    assert found.shape == (2, 6) and 0 < found.mean() < 1
    for values, name in zip(found, ("alphabet 0", "alphabet 1"), strict=True):
        trials = OneShotTrials(bank(noise=120).split([name])[0], n_way=20)
        np.testing.assert_array_equal(
            evaluate(nearest_centroid, trials, n_episodes=6, rng=rng).values, values
        )


@pytest.mark.parametrize("within", [False, True])
def test_verification_is_that_of_the_pairs_distances(within):
    drawn = bank(noise=120)
    pairs = Pairs(drawn, n_pairs=200, within_groups=within).sample(np.random.default_rng(0))
    distances = np.sqrt(((pairs.x[:, 0] - pairs.x[:, 1]) ** 2).sum((1, 2, 3)))
    embedded = lambda: judging.embed_all(job(), drawn, judging.RAW)  # noqa: E731
    for measure, by_hand in (("equal error rate", equal_error_rate), ("area under the ROC", area)):
        found = judging.verification(job(), drawn, judging.RAW, embedded, within=within, measure=measure)
        assert found.number == pytest.approx(by_hand(-distances, pairs.y), abs=0.01)
        assert 0 < found.half_width < 0.5 and found.n == 200


def test_the_head_is_asked_where_there_is_one():
    """A head with weights below zero turns near into far."""
    drawn = bank()
    params = judging.NO_NETWORK | {"head.weight": -torch.ones(1, 36), "head.bias": torch.zeros(1)}
    turned = judging.Judged(params, lambda params, x: x.flatten(1), siamese.weighted_l1)
    embedded = lambda: judging.embed_all(job(), drawn, turned)  # noqa: E731
    how = {"within": False, "measure": "area under the ROC"}
    assert judging.verification(job(), drawn, turned, embedded, **how).number < 0.1
    assert judging.one_shot(job(), drawn, turned).mean() == 0


def test_every_image_is_embedded_once_and_in_order():
    drawn = bank(sizes=(60, 80))
    found = judging.embed_all(job(), drawn, judging.RAW)
    np.testing.assert_allclose(found.numpy(), drawn.images.reshape(-1, 36) / 255, rtol=1e-6)
