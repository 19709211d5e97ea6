"""The samplers that are compared draw episodes of one shape. Nothing is timed."""

import numpy as np
import pytest

from experiments.speed import sampler

SHAPE = {"n_way": 3, "k_shot": 2, "n_query": 1}


@pytest.fixture
def bank(monkeypatch):
    monkeypatch.setattr(sampler, "N_CLASSES", 6)
    return sampler.random_bank()


@pytest.mark.parametrize("make", [sampler.indexing, sampler.loop])
def test_an_episode_is_of_the_shape_asked_for(make, bank):
    support, query, *_ = make(bank, **SHAPE)()
    assert support.x.shape == (6, 1, 28, 28) and query.x.shape == (3, 1, 28, 28)
    assert np.bincount(support.y).tolist() == [2, 2, 2] and np.bincount(query.y).tolist() == [1, 1, 1]
    assert support.x.dtype == np.float32 and 0 <= support.x.min() < support.x.max() <= 1


def test_a_batch_is_divided_by_its_length(bank, monkeypatch):
    monkeypatch.setattr(sampler, "N_ROUNDS", 2)
    assert len(sampler.batches(bank, **SHAPE)().query.y) == sampler.BATCH
    seconds = {"indexing": [1.0, 1.0], sampler.BATCHES: [64.0, 64.0]}
    monkeypatch.setattr(sampler.bench, "in_turn", lambda ways, n_rounds: seconds)
    rows = sampler.compare("c", bank, {"indexing": sampler.indexing, sampler.BATCHES: sampler.batches}, SHAPE)
    numbers = {(row.about["way"], row.measure): row.mean for row in rows}
    assert numbers[sampler.BATCHES, "milliseconds, median"] == 2000
