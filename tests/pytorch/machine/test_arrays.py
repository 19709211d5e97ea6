"""Arrays become tensors with the same numbers, and predictions come back as arrays."""

import numpy as np
import pytest
import torch

from reference.episodes import Episode, Examples, Normal, Series
from reference.pytorch.machine.arrays import in_numpy, to_torch

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: path not run")
    ),
]


@pytest.mark.parametrize("device", DEVICES)
def test_numbers_types_and_task_are_kept(device):
    x, y = np.random.default_rng(0).random((2, 4, 1, 3, 3), dtype=np.float32), np.arange(8).reshape(2, 4)
    episode = to_torch(Episode(Examples(x, y), Examples(x[:, :2], y[:, :2]), "what was drawn"), device)
    assert episode.support.x.dtype == torch.float32 and episode.support.y.dtype == torch.int64
    assert episode.support.x.device.type == device and episode.task == "what was drawn"
    assert np.array_equal(episode.support.x.cpu().numpy(), x)
    assert np.array_equal(episode.query.y.cpu().numpy(), y[:, :2])


@pytest.mark.parametrize("device", DEVICES)
def test_bare_examples_go_across_too(device):
    pairs = Examples(np.ones((4, 2, 3), np.float32), np.array([0, 1, 1, 0]))
    found = to_torch(pairs, device)
    assert isinstance(found, Examples) and found.x.device.type == found.y.device.type == device
    assert np.array_equal(found.x.cpu().numpy(), pairs.x) and found.y.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("device", DEVICES)
def test_a_tensor_learner_speaks_numpy_at_its_edge(device):
    def adapt(support):
        assert support.x.device.type == device
        shift = support.x.mean().requires_grad_()  # a graph behind the answer is no obstacle
        return lambda x: x + shift

    predict = in_numpy(adapt, device)(Examples(np.array([1.0, 3.0]), np.array([0, 1])))
    assert np.array_equal(predict(np.array([1.0, 2.0])), np.array([3.0, 4.0]))


def test_a_normal_distribution_comes_back_as_one():
    def adapt(support):
        return lambda x: Normal(2 * x, x.exp())

    x = np.linspace(0, 1, 3)[:, None]
    found = in_numpy(adapt)(Examples(x, x))(x)
    assert isinstance(found, Normal)
    np.testing.assert_allclose(found.mean, 2 * x)
    np.testing.assert_allclose(found.deviation, np.exp(x))


@pytest.mark.parametrize("device", DEVICES)
def test_a_series_goes_across_too(device):
    rng = np.random.default_rng(0)
    series = Series(
        rng.random((5, 2, 3), dtype=np.float32), rng.random((5, 2, 1)), np.arange(10).reshape(5, 2) > 3
    )
    found = to_torch(series, device)
    assert isinstance(found, Series) and found.judged.dtype == torch.bool
    for mine, theirs in zip(series, found, strict=True):
        assert theirs.device.type == device and np.array_equal(theirs.cpu().numpy(), mine)
