"""Streams of instances: labels a step late, everything judged, and a ceiling that no guess can pass."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.tasks.bank import make_bank
from reference.tasks.instances import Instances, accuracy_by_instance, ceiling_of_first, instance

seeds = st.integers(0, 2**32)


def bank(n_classes=7, n_images=6):
    """Every image is its class and its number, so that a stream can be read."""
    labels = np.repeat(np.arange(n_classes), n_images)
    images = np.zeros((len(labels), 2, 2), np.uint8)
    images[:, 0, 0], images[:, 1, 1] = labels + 1, np.tile(np.arange(n_images), n_classes)
    names = [f"c{c}" for c in range(n_classes)]
    return make_bank(images, labels, names=names, groups=names)


@settings(max_examples=20)
@given(seeds, st.integers(2, 5), st.integers(2, 6), st.integers(1, 4))
def test_every_instance_comes_once_with_the_label_of_the_one_before(seed, n_way, n_each, n):
    x, y, judged = Instances(bank(), n_way=n_way, n_each=n_each).sample_batch(np.random.default_rng(seed), n)
    assert x.shape == (n_way * n_each, n, 4 + n_way) and judged.all() and judged.shape == y.shape
    assert x.dtype == np.float32
    for b in range(n):
        late, pixels = x[:, b, 4:], np.rint(255 * x[:, b, :4]).astype(int)
        np.testing.assert_array_equal(late[0], np.zeros(n_way))
        np.testing.assert_array_equal(late[1:], np.eye(n_way)[y[:-1, b]])
        assert np.bincount(y[:, b]).tolist() == [n_each] * n_way
        assert len({(p[0], y[t, b]) for t, p in enumerate(pixels)}) == n_way  # a label a class
        assert len({tuple(p) for p in pixels}) == n_way * n_each  # no image twice


def test_labels_are_drawn_anew_for_each_stream_and_the_order_says_nothing():
    x, y, _ = Instances(bank(), n_way=5, n_each=2).sample_batch(np.random.default_rng(0), 4000)
    for step in (0, 1, 9):
        assert abs(np.bincount(y[step]) / 4000 - 0.2).max() < 0.03
    of_class_1 = y[0][np.rint(255 * x[0, :, 0]) == 1]  # one character, many labels
    assert abs(np.bincount(of_class_1) / len(of_class_1) - 0.2).max() < 0.08


def test_instances_and_their_accuracy_by_hand():
    labels = np.array([[0, 1], [1, 1], [0, 0], [1, 0]])
    assert instance(labels).tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]
    says = np.array([[0, 0], [0, 1], [0, 0], [1, 0]])
    found = accuracy_by_instance(np.eye(2)[says], labels)
    assert found.tolist() == [[0.5, 1.0], [0.5, 1.0]]


@given(seeds, st.integers(1, 5), st.integers(1, 5))
def test_accuracy_by_instance_is_a_loop(seed, n_way, n_each):
    rng = np.random.default_rng(seed)
    labels = np.stack([rng.permutation(np.repeat(np.arange(n_way), n_each)) for _ in range(3)], axis=1)
    scores = rng.normal(size=(*labels.shape, n_way))
    expected = np.zeros((3, n_each))
    for b in range(3):
        met = [0] * n_way
        for t in range(len(labels)):
            label = labels[t, b]
            expected[b, met[label]] += (scores[t, b].argmax() == label) / n_way
            met[label] += 1
    np.testing.assert_allclose(accuracy_by_instance(scores, labels), expected)


# The ceiling


def test_the_ceiling_by_hand():
    assert ceiling_of_first(1) == 1
    assert ceiling_of_first(2) == pytest.approx(3 / 4)
    assert ceiling_of_first(5) == pytest.approx((1 / 5 + 1 / 4 + 1 / 3 + 1 / 2 + 1) / 5)
    assert round(ceiling_of_first(5), 3) == 0.457


@pytest.mark.parametrize("n_way", [1, 2, 3, 4, 5, 6])
def test_it_is_what_the_best_of_all_guessers_reaches(n_way):
    """A guesser knows the labels so far and chooses one; the best takes the one that follows most often."""
    orders, right = list(permutations(range(n_way))), 0
    for met in range(n_way):
        followers = {}
        for order in orders:
            followers.setdefault(order[:met], []).append(order[met])
        right += sum(max(map(next_ones.count, set(next_ones))) for next_ones in followers.values())
    assert ceiling_of_first(n_way) == pytest.approx(right / len(orders) / n_way)


def test_no_guesser_on_real_streams_is_above_it_and_one_that_avoids_what_is_taken_is_there():
    y = Instances(bank(), n_way=5, n_each=4).sample_batch(np.random.default_rng(0), 4000).y
    taken = np.cumsum(np.eye(5)[y], axis=0) - np.eye(5)[y]
    scores = (taken == 0) * np.arange(5, 0, -1)  # the first label that is free
    first = accuracy_by_instance(scores.astype(float), y)[:, 0]
    assert first.mean() == pytest.approx(ceiling_of_first(5), abs=4 * first.std() / 4000**0.5)


def test_odd_settings_are_told(as_users_meet):
    with pytest.raises(ValueError, match=r"^n_way=8 is more than the 7 classes of the bank\."):
        Instances(bank(), n_way=8, n_each=2)
    with pytest.raises(ValueError, match=r"^class 'c0' has 6 images, but k_shot=1 and n_query=6 need 7\."):
        Instances(bank(), n_way=2, n_each=7)
    with pytest.raises(ValueError, match=r"^n_each must be at least 2, got 1\."):
        Instances(bank(), n_way=2, n_each=1)
    with pytest.raises(ValueError, match=r"^rng must be a NumPy generator"):
        plain = as_users_meet("reference.tasks.instances")
        plain.Instances(bank(), n_way=2, n_each=2).sample_batch(3, 1)
    with pytest.raises(ValueError, match=r"^labels: classes come 1 to 2 times; each must come equally often"):
        accuracy_by_instance(np.zeros((3, 1, 2)), np.array([[0], [1], [1]]))
    with pytest.raises(ValueError, match=r"^n_way must be at least 1, got 0\."):
        ceiling_of_first(0)
