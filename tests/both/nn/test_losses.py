"""The losses against loops, and what must not be given; in the same words on both sides."""

import math

import numpy as np
import pytest

from tests.sides import along, random_direction, slope

RNG = np.random.default_rng


def test_cross_entropy_is_its_loop_also_for_log_probabilities(side):
    scores, labels = RNG(0).normal(size=(6, 4)), RNG(1).integers(4, size=6)
    loop = 0.0
    for row, label in zip(scores, labels, strict=True):
        loop -= math.log(math.exp(row[label]) / sum(map(math.exp, row))) / 6
    logs = np.log(np.exp(scores) / np.exp(scores).sum(1, keepdims=True))
    for given in (scores, logs):
        found = side.nn.cross_entropy(side.array(given), side.array(labels))
        assert float(found) == pytest.approx(loop)


def test_mean_squared_error_by_hand(side):
    found = side.nn.mean_squared_error(*map(side.array, (np.array([1.0, 2.0]), np.array([0.0, 4.0]))))
    assert float(found) == 2.5


def test_their_gradients_are_what_small_steps_find(side):
    scores, targets = RNG(2).normal(size=(2, 4, 3))
    labels = side.array(np.array([0, 2, 1, 1], np.uint8))
    for loss in (
        lambda p: side.nn.cross_entropy(p["scores"], labels),
        lambda p: side.nn.mean_squared_error(p["scores"], side.array(targets)),
    ):
        params = {"scores": scores}
        _, gradient = side.value_and_grad(loss)(side.array(params))
        direction = random_direction(params)
        expected = slope(side, loss, params, direction)
        assert along(side.numpy(gradient), direction) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], [-100, 0]])
def test_labels_without_a_score_are_named(side, labels):
    with pytest.raises(ValueError, match=r"^labels: got \[.*\]; the classes are 0\.\.2\.$"):
        side.nn.cross_entropy(side.array(np.zeros((2, 3))), side.array(np.array(labels)))


@pytest.mark.parametrize("targets", [(5,), (1, 5), (4, 1)])
def test_targets_that_would_broadcast_are_named(side, targets):
    with pytest.raises(ValueError, match=r"^targets: got shape \(.*\); the predictions have \(5, 1\)\.$"):
        side.nn.mean_squared_error(side.array(np.zeros((5, 1))), side.array(np.zeros(targets)))
