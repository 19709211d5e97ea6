"""The speed comparison compares like with like: every way gives the same meta-gradient. Nothing is timed."""

import numpy as np
import pytest

from experiments import bench
from experiments.speed import maml


@pytest.mark.parametrize("case", maml.CASES, ids=str)
def test_every_way_to_learn_sinusoids_gives_the_same(case):
    gradients = {name: way() for name, way in maml.sinusoid_ways(case, np.float64).items()}
    bench.assert_same(gradients, maml.LOOP, tolerance=1e-10)


def test_the_cases_differ():
    gradients = [maml.sinusoid_ways(case, np.float64)[maml.LOOP]() for case in maml.CASES]
    for other in gradients[1:]:
        with pytest.raises(AssertionError):
            bench.assert_same({"one": gradients[0], "other": other}, "one", tolerance=1e-3)
