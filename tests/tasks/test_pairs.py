"""Pairs that are what they say: two images, of one class or of two, and nobody in both train and test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from reference.baselines import nearest_centroid
from reference.evaluation import evaluate
from reference.tasks.bank import make_bank
from reference.tasks.glyphs import glyphs
from reference.tasks.pairs import Batches, OneShotTrials, Pairs, Triplets

RNG = np.random.default_rng
SEEDS = st.integers(0, 2**32)
SIZES = st.lists(st.integers(2, 5), min_size=4, max_size=9)


def a_bank(sizes, groups=None):
    """A bank whose image i holds the number i in its first bytes, so that a drawn image names its row."""
    n = sum(sizes)
    images = np.zeros((n, 4, 4), np.uint8)
    images[:, 0, 0], images[:, 0, 1], images[:, -1, -1] = np.arange(n) // 256, np.arange(n) % 256, 255
    labels = np.repeat(np.arange(len(sizes)), sizes)
    names = [f"class {c}" for c in range(len(sizes))]
    groups = groups or [f"group {c % 2}" for c in range(len(sizes))]
    return make_bank(images, labels, names=names, groups=groups)


def rows_of(x):
    bytes_ = np.rint(255 * x).astype(int)
    return 256 * bytes_[..., 0, 0, 0] + bytes_[..., 0, 0, 1]


def class_of(bank, rows):
    return np.searchsorted(bank.offsets, rows, side="right") - 1


def assert_uniform(counts):
    """Chi-square at its 99.99 % point."""
    expected = counts.mean()
    assert ((counts - expected) ** 2 / expected).sum() < chi2.isf(1e-4, counts.size - 1), counts


class Counting(np.random.Generator):
    """A generator that counts how often it is asked."""

    calls = 0

    def integers(self, *args, **settings):
        self.calls += 1
        return super().integers(*args, **settings)

    def permutation(self, *args, **settings):
        self.calls += 1
        return super().permutation(*args, **settings)


# Pairs and triplets


@given(SIZES, SEEDS, st.booleans())
def test_every_pair_is_what_its_label_says(sizes, seed, within):
    bank = a_bank(sizes)
    x, y = Pairs(bank, n_pairs=40, within_groups=within).sample(RNG(seed))
    assert x.shape == (40, 2, 1, 4, 4) and x.dtype == np.float32 and 0 <= x.min() <= x.max() <= 1
    rows = rows_of(x)
    classes = class_of(bank, rows)
    assert (rows[:, 0] != rows[:, 1]).all()  # never an image with itself
    np.testing.assert_array_equal(y, classes[:, 0] == classes[:, 1])
    assert y.sum() == 20 and y.dtype == np.int64
    if within:
        assert (bank.groups[classes[:, 0]] == bank.groups[classes[:, 1]]).all()


@given(SIZES, SEEDS, st.booleans())
def test_every_triplet_is_one_class_twice_and_another(sizes, seed, within):
    bank = a_bank(sizes)
    x, y = Triplets(bank, n_triplets=30, within_groups=within).sample(RNG(seed))
    assert x.shape == (90, 1, 4, 4) and y.shape == (90,)
    np.testing.assert_array_equal(class_of(bank, rows_of(x)), y)
    (a, p, n), (row_a, row_p, _) = y.reshape(-1, 3).T, rows_of(x).reshape(-1, 3).T
    assert (a == p).all() and (a != n).all() and (row_a != row_p).all()
    if within:
        assert (bank.groups[a] == bank.groups[n]).all()


@pytest.mark.parametrize("within", [False, True])
def test_every_class_partner_and_image_is_equally_likely(within):
    bank = a_bank([3] * 6)
    rows, classes = Triplets(bank, n_triplets=60_000, within_groups=within).rows(RNG(0))
    assert_uniform(np.bincount(classes[:, 0]))
    pairs = np.zeros((6, 6))
    np.add.at(pairs, (classes[:, 0], classes[:, 2]), 1)
    allowed = ~np.eye(6, dtype=bool) & (
        np.full((6, 6), not within) | (np.arange(6)[:, None] % 2 == np.arange(6) % 2)
    )
    assert not pairs[~allowed].any()
    assert_uniform(pairs[allowed])
    images = np.zeros((18, 18))
    np.add.at(images, (rows[:, 0], rows[:, 1]), 1)
    assert (images > 0).sum() == 18 * 2
    assert_uniform(images[images > 0])
    assert_uniform(np.bincount(rows[:, 2], minlength=18))


def test_the_position_of_a_pair_does_not_tell_its_label():
    pairs = Pairs(a_bank([4] * 5), n_pairs=10)
    rng = RNG(0)
    assert_uniform(np.sum([pairs.sample(rng).y for _ in range(2000)], axis=0))


def test_the_same_generator_gives_the_same_pairs():
    pairs = Pairs(a_bank([4] * 5), n_pairs=10)
    one, again = (pairs.sample(RNG(1)) for _ in range(2))
    assert (one.x == again.x).all() and (one.y == again.y).all()
    rows, same = pairs.rows(RNG(1))
    assert (rows_of(one.x) == rows).all() and (one.y == same).all()


def test_nobody_is_in_both_train_and_test():
    """By whole scripts: no class, and no image to the byte, is met in training and judged afterwards."""
    train, test = glyphs("train"), glyphs("test")
    met = [set(), set()]
    for i, bank in enumerate((train, test)):
        for tasks in (Pairs(bank, n_pairs=4000), Triplets(bank, n_triplets=4000)):
            rows, *_ = tasks.rows(RNG(i))
            met[i] |= {bank.images[row].tobytes() for row in np.unique(rows)}
    assert len(met[0]) > 5000 and len(met[1]) > 1000 and not met[0] & met[1]
    assert not set(train.names) & set(test.names) and not set(train.groups) & set(test.groups)


def test_the_split_of_any_bank_keeps_identities_apart():
    bank = a_bank([3] * 8)
    train, test = bank.split(["group 0"])
    rows = [
        set(rows_of(Pairs(part, n_pairs=400).sample(RNG(0)).x).ravel().tolist()) for part in (train, test)
    ]
    assert not set(class_of(bank, list(rows[0]))) & set(class_of(bank, list(rows[1])))


def test_a_hundred_times_as_many_take_as_many_draws():
    """No loop over pairs or images: the number of calls of the generator does not depend on theirs."""

    bank = a_bank([4] * 20)

    def n_calls(n_pairs):
        rng = Counting(np.random.PCG64(0))
        Pairs(bank, n_pairs=n_pairs).rows(rng)
        return rng.calls

    assert n_calls(20) == n_calls(2000) <= 8


# Batches


@given(st.integers(2, 4), st.integers(2, 4), SEEDS)
def test_a_batch_has_k_images_of_each_of_n_classes(n_classes, k_images, seed):
    bank = a_bank([4, 5, 6, 4, 5])
    x, y = Batches(bank, n_classes=n_classes, k_images=k_images).sample(RNG(seed))
    rows = rows_of(x)
    assert x.shape == (n_classes * k_images, 1, 4, 4) and len(set(rows)) == len(rows)
    assert np.bincount(y).tolist() == [k_images] * n_classes
    classes = class_of(bank, rows)
    assert len(set(zip(classes, y, strict=True))) == n_classes  # a label means a class


# One-shot trials


def drawn(n_drawers=4, sizes=(5, 7)):
    """Two alphabets whose image j of each class is drawer j's."""
    groups = [f"alphabet {g}" for g, n in enumerate(sizes) for _ in range(n)]
    return a_bank([n_drawers] * sum(sizes), groups)


@given(SEEDS)
@settings(max_examples=30)
def test_a_trial_is_one_alphabet_in_two_hands(seed):
    bank = drawn()
    trials = OneShotTrials(bank, n_way=5)
    batch = trials.sample_batch(RNG(seed), 3)
    for t in range(3):
        hands = []
        for x, y in ((part.x[t], part.y[t]) for part in batch[:2]):
            rows = rows_of(x)
            classes = class_of(bank, rows)
            assert sorted(y) == list(range(5)) and (bank.names[classes] == batch.task[t][y]).all()
            assert len(set(bank.groups[classes])) == 1
            hands.append(set(rows - bank.offsets[classes]))
        assert len(hands[0]) == len(hands[1]) == 1 and hands[0] != hands[1]
    one = trials.sample(RNG(seed))
    assert (one.support.x == trials.sample_batch(RNG(seed), 1).support.x[0]).all()


def test_every_alphabet_pair_of_hands_and_place_is_equally_likely():
    bank = drawn()
    (x, y), (query_x, query_y), names = OneShotTrials(bank, n_way=5).sample_batch(RNG(0), 6000)
    classes = class_of(bank, rows_of(x))
    groups = np.char.endswith(bank.groups[classes[:, 0]], "1")
    assert_uniform(np.bincount(groups))
    hands = np.zeros((4, 4))
    drawers = [rows_of(images[:, 0]) % 4 for images in (x, query_x)]
    np.add.at(hands, tuple(drawers), 1)
    assert not hands.diagonal().any()
    assert_uniform(hands[~np.eye(4, dtype=bool)])
    assert_uniform(np.bincount(5 * y[:, 0] + query_y[:, 0]))  # where a label stands says nothing


def test_trials_are_tasks_that_a_learner_is_evaluated_on():
    score = evaluate(nearest_centroid, OneShotTrials(glyphs("test"), n_way=20), n_episodes=20, rng=RNG(0))
    assert 0.05 < score.mean < 1


# What must not be given


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pairs(a_bank([4]), n_pairs=2), r"bank has 1 class\(es\); at least 2 are needed"),
        (lambda: Pairs(a_bank([4, 1]), n_pairs=2), r"class 'class 1' has 1 image\(s\); 2 are needed"),
        (lambda: Pairs(a_bank([4, 4]), n_pairs=3), r"n_pairs must be even, .* got 3"),
        (lambda: Pairs(a_bank([4, 4]), n_pairs=0), r"n_pairs must be at least 1, got 0"),
        (
            lambda: Pairs(a_bank([4] * 3), n_pairs=2, within_groups=True),
            r"group 'group 1' has one class; a pair of two classes needs two",
        ),
        (lambda: Triplets(a_bank([4]), n_triplets=2), r"bank has 1 class"),
        (lambda: Triplets(a_bank([4, 1]), n_triplets=2), r"class 'class 1' has 1 image"),
        (lambda: Triplets(a_bank([4, 4]), n_triplets=-1), r"n_triplets must be at least 1, got -1"),
        (lambda: Batches(a_bank([4] * 3), n_classes=4, k_images=2), r"bank has 3 class\(es\); at least 4"),
        (lambda: Batches(a_bank([4, 3]), n_classes=2, k_images=4), r"class 'class 1' has 3 image\(s\); 4"),
        (lambda: Batches(a_bank([4, 3]), n_classes=1, k_images=2), r"n_classes must be at least 2, got 1"),
        (lambda: Batches(a_bank([4, 3]), n_classes=2, k_images=1), r"k_images must be at least 2, got 1"),
        (lambda: OneShotTrials(drawn()), r"group 'alphabet 0' has 5 classes, but n_way=20 are needed"),
        (lambda: OneShotTrials(drawn(), n_way=6), r"group 'alphabet 0' has 5 classes, but n_way=6"),
        (lambda: OneShotTrials(drawn(), n_way=1), r"n_way must be at least 2, got 1"),
        (lambda: OneShotTrials(drawn(n_drawers=1), n_way=2), r"class 'class 0' has 1 image\(s\); 2 are"),
        (
            lambda: OneShotTrials(a_bank([4, 4, 3], ["a"] * 3), n_way=2),
            r"class 'class 2' has 3 images and its group 4; one for each drawer",
        ),
    ],
)
def test_what_cannot_be_drawn_is_told_in_a_sentence(make, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        make()


def test_what_is_no_bank_is_told(as_users_meet):
    pairs = as_users_meet("reference.tasks.pairs")
    for make in (
        lambda bank: pairs.Pairs(bank, n_pairs=2),
        lambda bank: pairs.Triplets(bank, n_triplets=2),
        lambda bank: pairs.Batches(bank, n_classes=2, k_images=2),
        lambda bank: pairs.OneShotTrials(bank),
    ):
        with pytest.raises(ValueError, match=r"^bank must be a Bank, as make_bank gives it, got float64 of"):
            make(np.ones((3, 4, 4)))
    with pytest.raises(ValueError, match=r"^n_pairs must be a whole number, got 2\.0"):
        pairs.Pairs(a_bank([4, 4]), n_pairs=2.0)
    with pytest.raises(ValueError, match=r"^rng must be a NumPy generator"):
        pairs.Pairs(a_bank([4, 4]), n_pairs=2).sample(0)
