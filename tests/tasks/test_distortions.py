"""Distortions: whole turns and shifts move pixels exactly, and none goes further than it may."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.tasks.distortions import KOCH, affine_maps, distorted

RNG = np.random.default_rng
SEEDS = st.integers(0, 2**32)
QUARTER = np.array([[0.0, -1.0], [1.0, 0.0]])


def images(n=5, h=28, w=28, seed=0):
    return RNG(seed).random((n, 1, h, w), dtype=np.float32)


def smooth(n=5):
    """Blobs of ink near the middle, which bilinear interpolation meets closely."""
    y, x = np.mgrid[:28, :28]
    at = RNG(0).uniform(11, 16, (n, 2, 1, 1))
    return np.exp(-((x - at[:, 0]) ** 2 + (y - at[:, 1]) ** 2) / 18)[:, None]


def one(linear=((1.0, 0.0), (0.0, 1.0)), shift=(0.0, 0.0), n=5):
    return np.tile(np.concatenate([np.array(linear), np.array(shift)[:, None]], axis=1), (n, 1, 1))


def after(second, first):
    """The map that does what first does, and then second."""
    linear = second[:, :, :2] @ first[:, :, :2]
    return np.concatenate([linear, second[:, :, :2] @ first[:, :, 2:] + second[:, :, 2:]], axis=2)


@pytest.mark.parametrize(("h", "w"), [(28, 28), (7, 10), (1, 1)])
def test_the_identity_leaves_every_image_to_the_bit(h, w):
    x = images(h=h, w=w)
    found = distorted(x, one())
    assert found.dtype == x.dtype and (found == x).all()


@pytest.mark.parametrize("side", [28, 9])
def test_a_quarter_turn_is_that_of_the_array(side):
    x = images(h=side, w=side)
    np.testing.assert_array_equal(distorted(x, one(QUARTER)), np.rot90(x, -1, axes=(2, 3)))


def test_a_shift_by_whole_pixels_moves_the_array_and_paper_comes_in():
    x = images()
    found = distorted(x, one(shift=(3, -2)))  # right and up
    np.testing.assert_array_equal(found[:, :, :-2, 3:], x[:, :, 2:, :-3])
    assert (found[:, :, -2:] == 0).all() and (found[..., :3] == 0).all()
    assert (distorted(x, one(shift=(100, 0))) == 0).all()


def test_half_a_pixel_is_the_mean_of_two():
    x = images()
    found = distorted(x, one(shift=(0.5, 0)))
    np.testing.assert_allclose(found[..., 1:], (x[..., 1:] + x[..., :-1]) / 2, rtol=1e-6)


def test_stretching_doubles_lengths():
    x = np.zeros((1, 1, 9, 9))
    x[0, 0, 3:6, 4] = 1  # three pixels of a line, one on either side of the middle
    found = distorted(x, one(2 * np.eye(2), n=1))[0, 0]
    assert found[2:7, 4].tolist() == [1] * 5 and found[1, 4] == found[7, 4] == 0.5
    assert found[4, 3] == found[4, 5] == 0.5 and found[4, 2] == 0


@given(SEEDS)
def test_one_map_after_another_is_their_product(seed):
    x, (a, b) = smooth(), (affine_maps(RNG(seed + i), 5, side=28) for i in (0, 1))
    np.testing.assert_allclose(distorted(distorted(x, a), b), distorted(x, after(b, a)), atol=0.05)
    turned = one(QUARTER)
    np.testing.assert_allclose(distorted(distorted(x, turned), turned), x[:, :, ::-1, ::-1], atol=1e-12)


@given(SEEDS)
def test_ink_stays_between_paper_and_black(seed):
    found = distorted(images(), affine_maps(RNG(seed), 5, side=28))
    assert found.min() >= 0 and found.max() <= 1 and found.dtype == np.float32


@pytest.mark.parametrize("kind", KOCH._fields[:4])
def test_each_distortion_goes_as_far_as_it_may_and_no_further(kind):
    alone = KOCH._replace(**{name: 0.0 for name in KOCH._fields[:4] if name != kind})
    maps = affine_maps(RNG(0), 20_000, side=28, most=alone)
    linear, shift = maps[:, :, :2], maps[:, :, 2]
    found = {
        "turn": np.rad2deg(np.arctan2(linear[:, 1, 0], linear[:, 0, 0])),
        "shear": linear[:, 0, 1],
        "stretch": linear[:, 1, 1] - 1,
        "shift": shift[:, 0] / 28,
    }[kind]
    most = getattr(KOCH, kind)
    assert np.abs(found).max() <= most * (1 + 1e-12)
    assert found.max() > 0.99 * most and found.min() < -0.99 * most
    assert np.mean(found == 0) == pytest.approx(0.5, abs=0.02) and abs(found.mean()) < 0.02 * most
    if kind == "turn":
        np.testing.assert_allclose(np.linalg.det(linear), 1)
    if kind != "shift":
        assert (shift == 0).all()


def test_without_a_chance_nothing_happens():
    assert (affine_maps(RNG(0), 5, side=28, most=KOCH._replace(chance=0)) == one()).all()


def test_every_image_follows_its_own_map():
    x, maps = images(), affine_maps(RNG(1), 5, side=28)
    together = distorted(x, maps)
    for i in range(5):
        np.testing.assert_allclose(together[i], distorted(x[i : i + 1], maps[i : i + 1])[0], atol=1e-6)


def test_many_images_cost_less_than_one_after_the_other():
    """No loop over images: a thousand small ones take far less than a thousand calls."""
    x, maps = images(1000, 4, 4), affine_maps(RNG(0), 1000, side=4)
    start = time.process_time()
    distorted(x, maps)
    at_once, start = time.process_time() - start, time.process_time()
    for i in range(100):
        distorted(x[i : i + 1], maps[i : i + 1])
    assert at_once < (time.process_time() - start) * 10 / 4


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: d.affine_maps(RNG(0), 0, side=28), r"n must be at least 1, got 0"),
        (lambda d: d.affine_maps(RNG(0), 2, side=2.5), r"side must be a whole number, got"),
        (lambda d: d.affine_maps(0, 2, side=28), r"rng must be a NumPy generator"),
        (lambda d: d.distorted(images()[:, 0], one()), r"images is float32 of shape \(5, 28, 28\); floats"),
        (lambda d: d.distorted(images().astype(np.uint8), one()), r"images is uint8 of shape"),
        (lambda d: d.distorted(images(), one(n=4)), r"maps has shape \(4, 2, 3\); 5 images need \(5, 2, 3\)"),
    ],
)
def test_odd_input_is_told_in_a_sentence(call, words, as_users_meet):
    with pytest.raises(ValueError, match=f"^{words}"):
        call(as_users_meet("reference.tasks.distortions"))
