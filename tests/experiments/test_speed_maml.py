"""The speed comparison compares like with like: every way gives the same meta-gradient. Nothing is timed."""

import numpy as np
import pytest

from experiments.speed import maml


def test_every_way_to_learn_sinusoids_gives_the_same():
    gradients = {name: way() for name, way in maml.sinusoid_ways(*maml.draw(np.float64)).items()}
    maml.assert_same(gradients, rtol=1e-10, atol=1e-10)
    wrong = {name: 1.01 * np.asarray(g) for name, g in gradients[maml.LOOP].items()}
    with pytest.raises(AssertionError):
        maml.assert_same(gradients | {"wrong": wrong}, rtol=1e-3, atol=1e-5)
