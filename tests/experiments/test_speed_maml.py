"""The speed comparison compares like with like: every way gives the same meta-gradient. Nothing is timed."""

import numpy as np
import pytest

from experiments.speed import maml


@pytest.mark.parametrize("case", maml.CASES, ids=str)
def test_every_way_to_learn_sinusoids_gives_the_same(case):
    gradients = {name: way() for name, way in maml.sinusoid_ways(*maml.draw(np.float64), case).items()}
    maml.assert_same(gradients, tolerance=1e-10)
    wrong = {name: 1.01 * np.asarray(g) for name, g in gradients[maml.LOOP].items()}
    with pytest.raises(AssertionError):
        maml.assert_same(gradients | {"wrong": wrong}, tolerance=1e-3)
