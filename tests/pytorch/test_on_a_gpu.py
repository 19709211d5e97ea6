"""Every learner gives the same gradient and the same scores on a GPU as on the processor, in float64."""

from functools import partial

import numpy as np
import pytest
import torch

from reference.episodes import Episode, Examples
from reference.pytorch import (
    maml,
    mann,
    matching,
    meta_sgd,
    ntm,
    prototypical,
    siamese,
    triplet,
)
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import MLP, as_function, cross_entropy, full_context
from reference.pytorch.nn.cells import answering, lstm
from reference.rules import sgd
from reference.tasks.bank import make_bank
from reference.tasks.instances import Instances
from reference.tasks.sequences import Copy

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: the GPU path was not run")

N_WAY, WIDTH = 3, 4
RNG = np.random.default_rng(0)
LABELS = np.array([2, 0, 1, 1, 0, 2])
SUPPORT, QUERY = (Examples(RNG.normal(size=(6, 5)), y) for y in (LABELS, LABELS[::-1].copy()))
EPISODE, BATCH = Episode(SUPPORT, QUERY), Examples(RNG.normal(size=(6, 5)), LABELS)
PAIRS = Examples(RNG.normal(size=(6, 2, 5)), np.array([0, 1, 1, 0, 1, 0]))
EMBED = MLP([5, WIDTH])


class Case:
    """One learner: its first parameters, its meta-gradient of what is drawn, and its adapt if it has one."""

    def __init__(self, params, drawn, meta_gradient, adapt=None):
        self.params, self.drawn, self.meta_gradient, self.adapt = params, drawn, meta_gradient, adapt


def comparing(module, params, **settings):
    settings = {"embed": as_function(EMBED), **settings}
    return Case(params, EPISODE, partial(module.meta_gradient, **settings), partial(module.adapt, **settings))


def adapting(module, params, **settings):
    net = as_function(MLP([5, N_WAY]))
    loss = lambda p, examples: cross_entropy(net(p, examples.x), examples.y)  # noqa: E731
    adapt = partial(module.adapt, network=net, loss=loss, **settings)
    return Case(params, EPISODE, partial(module.meta_gradient, loss=loss, **settings), adapt)


def remembering():
    net = answering(mann.machine(mann.Size(n_rows=6, width=3, n_reads=2), lstm(5)), N_WAY)
    images = RNG.integers(0, 255, size=(16, 2, 2), dtype=np.uint8)
    bank = make_bank(images, np.repeat(np.arange(4), 4), names=list("abcd"), groups=list("aabb"))
    series = Instances(bank, n_way=N_WAY, n_each=3).sample_batch(RNG, 2)
    params = net.init(RNG, series.x.shape[-1])
    return Case(params, series, partial(mann.meta_gradient, net=net))


def copying():
    net, task = answering(ntm.machine(ntm.Size(n_rows=6, width=3), lstm(5)), 8), Copy()
    return Case(net.init(RNG, task.d_in), task.sample_batch(RNG, 2), partial(ntm.meta_gradient, net=net))


RATE = {"rule": sgd(0.1), "n_steps": 2}
CASES = {
    "prototypical": lambda: comparing(prototypical, prototypical.init(RNG, EMBED)),
    "matching": lambda: comparing(matching, matching.init(RNG, EMBED), temperature=0.1),
    "matching with context": lambda: comparing(
        matching,
        matching.init_with_context(RNG, EMBED, width=WIDTH),
        temperature=0.1,
        context=partial(full_context, n_reads=2),
    ),
    "MAML": lambda: adapting(maml, maml.init(RNG, MLP([5, N_WAY])), **RATE),
    "Meta-SGD": lambda: adapting(meta_sgd, meta_sgd.init(RNG, MLP([5, N_WAY]), inner_lr=0.1)),
    "Siamese": lambda: Case(
        siamese.init_with_head(RNG, EMBED, width=WIDTH),
        PAIRS,
        partial(
            siamese.meta_gradient,
            embed=as_function(EMBED),
            apart=siamese.weighted_l1,
            cost=siamese.same_or_different,
        ),
    ),
    "NT-Xent": lambda: Case(
        siamese.init(RNG, EMBED),
        BATCH,
        partial(
            triplet.meta_gradient, embed=as_function(EMBED), cost=partial(triplet.nt_xent, temperature=0.1)
        ),
    ),
    "NTM": copying,
    "MANN": remembering,
}


def doubled(tree, device):
    if isinstance(tree, dict):
        return {name: doubled(p, device) for name, p in tree.items()}
    if isinstance(tree, torch.Tensor):
        return tree.to(device, torch.float64) if tree.is_floating_point() else tree.to(device)
    if tree is None:  # the task, which is not told
        return None
    parts = [doubled(part, device) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


@pytest.mark.parametrize("name", CASES)
def test_same_gradient_and_scores_on_a_gpu(name):
    case, found = CASES[name](), []
    for device in (torch.device("cpu"), torch.device("cuda")):
        params, drawn = doubled(case.params, device), doubled(to_torch(case.drawn, device), device)
        gradient, loss = case.meta_gradient(params, drawn)
        numbers = {**gradient, "loss": loss}
        if case.adapt:
            numbers["scores"] = case.adapt(params, drawn.support)(drawn.query.x)
        found.append({key: value.cpu() for key, value in numbers.items()})
    for key, value in found[0].items():
        assert torch.allclose(value, found[1][key], atol=1e-10, rtol=1e-8), key
