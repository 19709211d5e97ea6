"""Every way to take a training step takes one, and learns; the plain LSTMs are ours. Nothing is timed."""

from itertools import product

import numpy as np
import pytest
import torch

from experiments.speed import comparing
from experiments.speed.comparing import CONTEXT, MATCHING, PLAIN, SIAMESE

CASES = (SIAMESE, MATCHING, CONTEXT)
STEPS = [(case, way) for case in CASES for way in comparing.ways(case) if "memory kept" not in way]


@pytest.fixture
def small(monkeypatch):
    for name, value in {"N_PAIRS": 6, "N_WAY": 3, "N_QUERY": 2, "WIDTH": 4}.items():
        monkeypatch.setattr(comparing, name, value)


def test_half_of_the_pairs_and_every_class_equally_often(small):
    assert comparing.pairs().y.sum() == 3 and comparing.pairs().x.shape == (6, 2, 1, 28, 28)
    support, query = comparing.episode()[:2]
    assert np.bincount(support.y).tolist() == [1] * 3 and np.bincount(query.y).tolist() == [2] * 3


@pytest.mark.parametrize(("case", "way"), STEPS)
def test_every_way_takes_a_step(case, way, small):
    step = comparing.ways(case)[way](case)
    first, *_, last = (float(step()) for _ in range(30))
    assert last < first


@pytest.mark.parametrize("case", CASES)
def test_the_layout_changes_no_loss(case, small):
    losses = [comparing.OURS[way](case)() for way in ("as it comes", "channels_last")]
    torch.testing.assert_close(*losses)


def test_the_plain_context_is_ours(small):
    """From the same weights."""
    rng = np.random.default_rng(0)
    known, asked = (torch.from_numpy(rng.normal(size=(n, 4)).astype(np.float32)) for n in (3, 6))
    net = comparing.Conv4(4)
    params = comparing.matching.init_with_context(rng, net, width=4)
    lstm, cell = torch.nn.LSTM(4, 4, bidirectional=True), torch.nn.LSTMCell(8, 4)
    lstm.load_state_dict({k.removeprefix("context.g."): p for k, p in params.items() if ".g." in k})
    cell.load_state_dict(
        {k.removeprefix("context.f.").removesuffix("_l0"): p for k, p in params.items() if ".f." in k}
    )
    theirs = comparing.in_context(lstm, cell, known, asked)
    ours = comparing.full_context(params, asked, known, n_reads=3)
    torch.testing.assert_close(theirs, ours[::-1])


def test_easyfsl_stands_beside_full_context_alone():
    for case, name in product(CASES, comparing.PEERS):
        assert name not in comparing.ways(case) or case == CONTEXT
    assert all(PLAIN in comparing.ways(case) for case in CASES)
