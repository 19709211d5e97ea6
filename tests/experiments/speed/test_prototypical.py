"""Every way to take a training step takes one; those of the course learn the same. Nothing is timed."""

import numpy as np
import pytest

from experiments.speed import prototypical


@pytest.fixture
def small(monkeypatch):
    for name, value in {"N_WAY": 3, "K_SHOT": 1, "N_QUERY": 2, "WIDTH": 4}.items():
        monkeypatch.setattr(prototypical, name, value)


def test_an_episode_has_every_class_equally_often(small):
    support, query = prototypical.episode()[:2]
    assert np.bincount(support.y).tolist() == [1, 1, 1] and np.bincount(query.y).tolist() == [2, 2, 2]
    assert support.x.shape == (3, 1, 28, 28)


@pytest.mark.parametrize("way", [way for way in prototypical.WAYS if "memory kept" not in way])
def test_every_way_takes_a_step(way, small):
    step = prototypical.WAYS[way]()
    for _ in range(2):
        step()
