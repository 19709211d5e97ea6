"""What only the NumPy side of prototypical networks shows: second derivatives, and images."""

import numpy as np

from reference.episodes import Episode, Examples
from reference.scratch.autodiff import check_gradients
from reference.scratch.nn import conv4, init_conv4
from reference.scratch.prototypical import init, log_probabilities, meta_gradient, prototypes


def test_derivatives_to_second_order():
    rng, labels = np.random.default_rng(3), np.array([0, 1, 1, 0])
    check_gradients(lambda z: prototypes(z, labels, 2) ** 2, rng.normal(size=(4, 3)), rng=rng)
    check_gradients(log_probabilities, rng.normal(size=(4, 3)), rng.normal(size=(2, 3)), rng=rng)


def test_it_runs_on_images_in_float32():
    rng = np.random.default_rng(0)
    params = init(rng, lambda rng: init_conv4(rng, width=4))
    images, labels = rng.uniform(size=(6, 1, 28, 28)).astype(np.float32), np.array([1, 0, 2, 0, 1, 2])
    episode = Episode(Examples(images[:3], labels[:3]), Examples(images[3:], labels[3:]))
    gradient, value = meta_gradient(params, episode, embed=conv4)
    assert value.dtype == np.float32 and {g.dtype for g in gradient.values()} == {np.dtype(np.float32)}
    assert {name: g.shape for name, g in gradient.items()} == {name: p.shape for name, p in params.items()}
