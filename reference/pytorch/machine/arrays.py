"""Where NumPy and PyTorch meet: episodes and series go in as tensors, predictions come back as arrays.

Tasks are drawn and learners are judged in NumPy, the same for both sides of the course; these two functions
are the only place where arrays change hands.

Differs from the paper: no paper.
"""

import numpy as np
import torch
from torch import Tensor

from reference.episodes import Adapt, Episode, Examples, Normal, Predict, Series


def to_torch(
    episode: Episode | Examples | Series, device: torch.device | str = "cpu"
) -> Episode | Examples | Series:
    """The episode (or a batch, bare examples, a series) as tensors on the device; `task` is untouched."""
    if isinstance(episode, Series):
        return Series(*(_tensor(part, device) for part in episode))
    if isinstance(episode, Examples):
        return _examples(episode, device)
    return Episode(_examples(episode.support, device), _examples(episode.query, device), episode.task)


def in_numpy(adapt: Adapt, device: torch.device | str = "cpu") -> Adapt:
    """A learner on tensors as a learner on arrays, which is what `reference.evaluation` takes."""

    def adapt_arrays(support: Examples) -> Predict:
        predict = adapt(_examples(support, device))
        return lambda x: _array(predict(_tensor(x, device)))

    return adapt_arrays


def _examples(examples: Examples, device: torch.device | str) -> Examples:
    return Examples(_tensor(examples.x, device), _tensor(examples.y, device))


def _tensor(array: np.ndarray, device: torch.device | str) -> Tensor:
    return torch.from_numpy(array).to(device)


def _array(prediction: Tensor | Normal) -> np.ndarray | Normal:
    if isinstance(prediction, Normal):
        return Normal(*map(_array, prediction))
    return prediction.detach().cpu().numpy()
