"""The speed comparison compares like with like: every way gives the same meta-gradient. Nothing is timed."""

import sys

import numpy as np
import pytest

from experiments.speed import maml_images
from experiments.speed.maml import LOOP, assert_same
from reference.pytorch.nn import init_params


@pytest.mark.parametrize("case", maml_images.CASES, ids=str)
@pytest.mark.parametrize("net_name", maml_images.NETS)
def test_every_way_to_learn_images_gives_the_same(net_name, case):
    net = maml_images.NETS[net_name]().double()
    params = {name: p.double() for name, p in init_params(np.random.default_rng(0), net).items()}
    ways = maml_images.ways(net, params, maml_images.draw(2, np.float64), case)
    # What keeps memory would keep it for every test after this one.
    gradients = {name: way() for name, way in ways.items() if "memory kept" not in name}
    assert_same(gradients, tolerance=1e-10)
    with pytest.raises(AssertionError, match="wrong: 0"):
        assert_same(
            gradients | {"wrong": {name: 1.01 * g for name, g in gradients[LOOP].items()}}, tolerance=1e-3
        )


def test_the_strided_net_does_a_fraction_of_the_work():
    def multiplications(sides, widths):
        return sum(9 * side**2 * a * b for side, (a, b) in zip(sides, widths, strict=True))

    widths = [(1, 64), (64, 64), (64, 64), (64, 64)]
    pooling, stride = (multiplications(sides, widths) for sides in ((28, 14, 7, 3), (14, 7, 4, 2)))
    assert pooling / stride == pytest.approx(3.7, abs=0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read from /proc")
def test_the_peak_is_what_was_held_at_most():
    maml_images.forget_peak()
    held = maml_images.megabytes("VmRSS")
    assert maml_images.megabytes("VmHWM") == pytest.approx(held, abs=5)
    block = np.ones(25_000_000)
    size = block.nbytes / 1e6
    del block
    assert maml_images.megabytes("VmHWM") - held == pytest.approx(size, abs=5)
    assert maml_images.megabytes("VmRSS") == pytest.approx(held, abs=5)
