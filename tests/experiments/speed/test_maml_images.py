"""The speed comparison compares like with like: every way gives the same meta-gradient. Nothing is timed."""

import numpy as np
import pytest

from experiments import bench
from experiments.speed import maml_images
from experiments.speed.loops import LOOP
from reference.pytorch.nn import init_params


@pytest.mark.parametrize("case", maml_images.CASES, ids=str)
@pytest.mark.parametrize("net_name", maml_images.NETS)
def test_every_way_to_learn_images_gives_the_same(net_name, case):
    net = maml_images.NETS[net_name]().double()
    params = {name: p.double() for name, p in init_params(np.random.default_rng(0), net).items()}
    ways = maml_images.ways(net, params, maml_images.draw(2, np.float64), case)
    # What keeps memory would keep it for every test after this one.
    gradients = {name: way() for name, way in ways.items() if "memory kept" not in name}
    bench.assert_same(gradients, LOOP, tolerance=1e-10)


def test_a_summary_has_the_seconds_and_the_peak_of_every_way_and_refuses_ways_that_differ():
    def sample(seconds, peak, number):
        return maml_images.Sample([seconds, 2 * seconds, 3 * seconds], peak, {"w": np.full(2, number)})

    found = {LOOP: [sample(1.0, 100.0, 1.0), sample(1.0, 120.0, 1.0)], "fast": [sample(0.5, 40.0, 1.001)]}
    numbers = {(row.about["way"], row.measure): row.mean for row in maml_images.summary("c", found)}
    assert numbers[LOOP, "seconds, median"] == 2 and numbers["fast", "seconds, median"] == 1
    assert numbers["fast", "times as fast as the loop"] == 2
    assert numbers[LOOP, "megabytes, peak"] == 110
    with pytest.raises(AssertionError, match="fast: w is"):
        maml_images.summary("c", found | {"fast": [sample(0.5, 40.0, 1.1)]})
