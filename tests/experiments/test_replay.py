"""A recorded step gives what the step itself gives, for every batch, on a GPU."""

from functools import partial

import numpy as np
import pytest
import torch

from experiments.omniglot import instances
from experiments.replay import replayed
from experiments.saving import Job
from reference.episodes import Series
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.unroll import value_and_grad
from reference.tasks.bank import make_bank
from reference.tasks.instances import Instances

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: the GPU path was not run")

SMALL = instances.Settings(n_way=3, n_each=3, pixels=4, n_rows=8, row_width=5, n_reads=2, n_hidden=6)


def batches(n):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 4, 4)).astype(np.uint8)
    bank = make_bank(images, np.repeat(np.arange(6), 5), names=list("abcdef"), groups=list("abcdef"))
    tasks = Instances(bank, n_way=3, n_each=3)
    return [to_torch(tasks.sample_batch(rng, 4), "cuda") for _ in range(n)]


@pytest.mark.parametrize("variant", ["mann", "mann-writes-first", "lstm"])
def test_replayed_equals_called(variant):
    job = Job("instances", variant, SMALL, torch.device("cuda"))
    params = instances.apart(instances.begin(job, np.random.default_rng(1)))[0]
    direct = value_and_grad(partial(instances.loss, answer=instances.answers(job)))
    again, drawn = replayed(direct), batches(3)
    found = [again(params, series) for series in drawn]
    moved = {name: p + 0.1 for name, p in params.items()}
    found.append(again(moved, drawn[0]))
    for (value, gradient), (weights, series) in zip(
        found, [(params, s) for s in drawn] + [(moved, drawn[0])], strict=True
    ):
        needed, needed_gradient = direct(weights, series)
        assert torch.allclose(value, needed, atol=1e-6)
        for name, g in needed_gradient.items():
            assert torch.allclose(gradient[name], g, atol=1e-5), name
    assert len({float(value) for value, _ in found}) == 4


def test_what_the_processor_must_read_cannot_be_recorded():
    def reading(params, series):
        scale = 2.0 if params["w"].sum().item() > 0 else 1.0
        return params["w"].sum() * scale, params

    series = Series(*(torch.ones(1, device="cuda") for _ in range(3)))
    with pytest.raises(RuntimeError):
        replayed(reading)({"w": torch.ones(2, device="cuda")}, series)
