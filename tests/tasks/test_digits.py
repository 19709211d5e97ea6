"""The digits: all there, ink in the middle, enlarged and not redrawn."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from reference.tasks.bank import FewShot
from reference.tasks.digits import digits, enlarge


def test_all_digits_are_there_under_their_names():
    bank = digits()
    assert bank.images.shape == (1797, 28, 28) and bank.images.dtype == np.uint8
    assert bank.names.tolist() == list("0123456789") and set(bank.groups) == {"digits"}
    assert bank.sizes.tolist() == np.bincount(load_digits().target).tolist()


def test_enlarging_keeps_the_total_ink_and_is_exact_at_the_centres():
    source = load_digits().images
    large = enlarge(source)
    assert np.allclose(large.sum(axis=(1, 2)), 9 * source.sum(axis=(1, 2)) * 255 / 16, rtol=0.02)
    assert (large[:, 3:27:3, 3:27:3] == np.rint(source * 255 / 16)).all()  # the centre of each 3x3
    assert (large[:, 0] == 0).all() and (large[:, :, -1] == 0).all()  # a margin of paper


def test_bilinear_by_a_loop():
    source = load_digits().images[7]
    padded = np.pad(source, 1)
    large = enlarge(source[None])[0]
    for i, j in ((1, 5), (4, 4), (11, 18), (25, 9), (20, 26)):
        y, x = (i - 3) / 3 + 1, (j - 3) / 3 + 1  # pixel 3 is the centre of the first drawn pixel
        y0, x0 = int(y), int(x)
        dy, dx = y - y0, x - x0
        value = (1 - dy) * ((1 - dx) * padded[y0, x0] + dx * padded[y0, x0 + 1])
        value += dy * ((1 - dx) * padded[y0 + 1, x0] + dx * padded[y0 + 1, x0 + 1])
        assert abs(large[i, j] - value * 255 / 16) <= 0.5 + 1e-9


def test_episodes_come_from_classes_of_unequal_sizes():
    episode = FewShot(digits(), n_way=10, k_shot=5, n_query=100).sample(np.random.default_rng(0))
    assert episode.query.x.shape == (1000, 1, 28, 28) and sorted(episode.task) == list("0123456789")


@pytest.mark.parametrize(
    "images, says",
    [
        (np.zeros((8, 8)), r"images is float64 of shape \(8, 8\); numbers of shape \(n, 8, 8\) are needed"),
        (np.zeros((2, 64)), r"images is float64 of shape \(2, 64\)"),
        (np.zeros((2, 8, 8), bool), "images is bool"),
        (np.full((2, 8, 8), 255), r"images goes from 255 to 255; 0 \(paper\) to 16 \(ink\) is allowed"),
        (np.full((2, 8, 8), np.nan), "images goes from nan to nan"),
        ([[1, 2], [3]], "images is no array"),
    ],
)
def test_other_images_are_refused(images, says):
    with pytest.raises(ValueError, match=says):
        enlarge(images)
