"""The speed comparison compares like with like: both engines give the same gradients. Nothing is timed."""

import pytest

from experiments import bench
from experiments.speed import engine


@pytest.mark.parametrize("name", engine.PROGRAMS)
def test_the_engines_agree(name):
    gradients = {way: call() for way, call in engine.ways(*engine.PROGRAMS[name]).items()}
    assert len(gradients) == 3
    bench.assert_same(gradients, engine.HIPS, tolerance=1e-10)
