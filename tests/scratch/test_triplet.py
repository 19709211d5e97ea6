"""The costs of a labelled batch, differentiated twice by the engine and checked by small steps."""

from functools import partial

import numpy as np
import pytest

from reference.scratch.autodiff import check_gradients
from reference.scratch.siamese import contrastive
from reference.scratch.triplet import batch_hard, every_pair, in_threes, nt_xent, semi_hard, triplet

LABELS, THREES = np.array([0, 1, 2, 1, 0, 2, 0, 1]), np.array([0, 0, 1, 2, 2, 0, 1, 1, 2])


@pytest.mark.parametrize(
    ("cost", "labels"),
    [
        (partial(batch_hard, margin=1.0), LABELS),
        (partial(semi_hard, margin=1.0), LABELS),
        (partial(nt_xent, temperature=0.5), LABELS),
        (partial(every_pair, cost=partial(contrastive, margin=1.5)), LABELS),
        (partial(in_threes, margin=1.0), THREES),
    ],
    ids=["batch_hard", "semi_hard", "nt_xent", "every_pair", "in_threes"],
)
def test_derivatives_to_second_order(cost, labels):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        check_gradients(lambda x: cost(x, labels), rng.normal(size=(len(labels), 3)), rng=rng)


def test_derivatives_of_the_triplet_loss_to_second_order():
    rng = np.random.default_rng(0)
    near, far = rng.normal(size=(2, 6))
    check_gradients(lambda p, n: triplet(p**2, n**2, margin=0.5), near, far, rng=rng)
