"""A module's parameters come from one generator; as a function it changes and forgets nothing."""

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import nn
from torch.func import functional_call

from reference.pytorch.nn import Conv4, as_function, init_params, norm_statistics

RNG = np.random.default_rng


class Own(nn.Module):
    """A layer of one's own, with a random parameter and a scale."""

    def __init__(self):
        super().__init__()
        self.mixing, self.scale = nn.Parameter(torch.randn(4, 3)), nn.Parameter(torch.ones(4))


LAYERS = {
    "linear": lambda: nn.Linear(3, 4),
    "conv 1d": lambda: nn.Conv1d(2, 4, 3),
    "conv 2d": lambda: nn.Conv2d(2, 4, 3),
    "transposed conv": lambda: nn.ConvTranspose2d(2, 4, 3),
    "LSTM, two layers, both ways": lambda: nn.LSTM(3, 4, num_layers=2, bidirectional=True),
    "GRU cell": lambda: nn.GRUCell(3, 4),
    "attention": lambda: nn.MultiheadAttention(4, 2),
    "embedding": lambda: nn.Embedding(5, 3),
    "bilinear": lambda: nn.Bilinear(2, 3, 4),
    "transformer": lambda: nn.TransformerEncoderLayer(4, 2, 8),
    "own": Own,
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_equal_seeds_give_equal_weights_and_others_others_whatever_torchs_own_generator_did(make):
    one, same, other = (init_params(RNG(seed), make()) for seed in (3, 3, 4))  # torch draws anew each time
    assert list(one) == [name for name, _ in make().named_parameters()]
    for name, p in one.items():
        assert p.dtype == torch.float32 and torch.equal(p, same[name])
        constant = bool((p == p.flatten()[0]).all())
        assert torch.equal(p, other[name]) == constant


def test_linear_and_convolution_are_uniform_in_pytorchs_range():
    net = nn.Sequential(nn.Conv1d(8, 50, 5), nn.Linear(30, 50), nn.LSTM(7, 64))
    params = init_params(RNG(0), net)
    for name, fan_in in (("0.weight", 40), ("0.bias", 40), ("1.weight", 30), ("2.weight_hh_l0", 64)):
        bound = fan_in**-0.5
        assert 0.9 * bound < params[name].abs().max() <= bound
        assert params[name].std() == pytest.approx(bound / 3**0.5, rel=0.2)


def test_the_weights_of_dense_and_conv_nets_are_what_they_always_were():
    # one draw for each parameter, in the order of the layers: the NumPy side draws the same
    net, rng = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(4, 3)), RNG(5)
    for p, fan_in in zip(init_params(RNG(5), net).values(), (9, 9, 4, 4), strict=True):
        drawn = rng.uniform(-(fan_in**-0.5), fan_in**-0.5, tuple(p.shape)).astype(np.float32)
        np.testing.assert_array_equal(p.numpy(), drawn)


def test_constants_stay_and_an_embedding_is_normal_with_its_padding_at_zero():
    params = init_params(RNG(0), nn.Sequential(nn.BatchNorm2d(3), nn.Embedding(2000, 4, padding_idx=1)))
    assert params["0.weight"].tolist() == [1] * 3 and params["0.bias"].tolist() == [0] * 3
    assert params["1.weight"][1].tolist() == [0] * 4
    assert params["1.weight"].std() == pytest.approx(1, rel=0.05)


# Running statistics.


def problem():
    net = Conv4(4, norm=nn.BatchNorm2d)
    images = torch.from_numpy(RNG(1).uniform(size=(5, 8, 1, 28, 28)).astype(np.float32))
    return net, init_params(RNG(0), net), images


def buffers(net):
    return {name: b.clone() for name, b in net.named_buffers()}


def test_in_training_a_function_uses_its_batchs_own_statistics_and_keeps_none():
    net, params, images = problem()
    before, network = buffers(net), as_function(net)
    found = network(params, images[0])
    assert all(torch.equal(b, before[name]) for name, b in net.named_buffers())
    assert torch.equal(found, network(params, images[0]))
    assert torch.equal(found, functional_call(net, params, images[0]))  # which moves those of net
    assert not all(torch.equal(b, before[name]) for name, b in net.named_buffers())


def test_the_statistics_are_the_means_over_the_batches_and_leave_the_net_alone():
    net, params, images = problem()
    before = buffers(net)
    statistics = norm_statistics(net, params, images)
    assert all(torch.equal(b, before[name]) for name, b in net.named_buffers()) and net.training
    assert statistics.keys() == {name for name in before if "num_batches" not in name}
    met = [functional_call(net.blocks[0].conv, part_of(params), batch) for batch in images]
    mean = torch.stack([x.mean((0, 2, 3)) for x in met]).mean(0)
    variance = torch.stack([x.var((0, 2, 3)) for x in met]).mean(0)  # with ddof 1, as torch keeps it
    torch.testing.assert_close(statistics["blocks.0.norm.running_mean"], mean)
    torch.testing.assert_close(statistics["blocks.0.norm.running_var"], variance)


def part_of(params):
    return {name: params[f"blocks.0.conv.{name}"] for name in ("weight", "bias")}


def test_with_statistics_an_answer_does_not_depend_on_its_neighbours_and_is_that_of_eval():
    net, params, images = problem()
    statistics = norm_statistics(net, params, images)
    network = as_function(net, statistics)
    torch.testing.assert_close(network(params, images[0])[:1], network(params, images[0, :1]))
    net.load_state_dict(params | statistics, strict=False)
    torch.testing.assert_close(network(params, images[0]), net.eval()(images[0]))


def test_saved_beside_the_parameters_they_come_back_and_the_scores_with_them():
    net, params, images = problem()
    statistics = norm_statistics(net, params, images)
    expected = as_function(net, statistics)(params, images[0])
    saved = load(save(params | statistics))
    again = {name: saved.pop(name) for name in statistics}
    found = as_function(Conv4(4, norm=nn.BatchNorm2d), again)(saved, images[0])
    assert torch.equal(found, expected)


def test_a_net_that_met_batches_keeps_its_statistics_in_evaluation():
    net, params, images = problem()
    for batch in images:
        functional_call(net, params, batch)
    found = as_function(net.eval())(params, images[0])
    assert torch.equal(found, functional_call(net, params, images[0]))


def test_a_function_is_of_the_net_as_it_is_now():
    net, params, images = problem()
    network = as_function(net)
    before = network(params, images[0])
    net.eval()
    assert torch.equal(network(params, images[0]), before)


@pytest.mark.parametrize("norm", [nn.BatchNorm1d, lambda n: nn.InstanceNorm1d(n, track_running_stats=True)])
def test_other_norms_with_running_statistics_too(norm):
    net = nn.Sequential(nn.Conv1d(2, 3, 3), norm(3)).double()
    params = {name: p.double() for name, p in init_params(RNG(0), net).items()}
    batches = torch.from_numpy(RNG(1).normal(size=(4, 6, 2, 9)))
    before = buffers(net)
    as_function(net)(params, batches[0])
    statistics = norm_statistics(net, params, batches)
    assert all(torch.equal(b, before[name]) for name, b in net.named_buffers())
    met = torch.stack(
        [functional_call(net[0], {n[2:]: params[n] for n in ("0.weight", "0.bias")}, x) for x in batches]
    )
    torch.testing.assert_close(statistics["1.running_mean"], met.mean((0, 1, 3)))
    network = as_function(net, statistics)
    torch.testing.assert_close(network(params, batches[0])[:1], network(params, batches[0, :1]))


def test_a_norm_in_evaluation_that_never_saw_a_batch_is_named():
    net, params, images = problem()
    with pytest.raises(
        ValueError, match=r"^net: blocks.0.norm is in evaluation and has seen no batch; pass sta"
    ):
        as_function(net.eval())
    with pytest.raises(ValueError, match=r"^batches: got none; at least one is needed\.$"):
        norm_statistics(net, params, [])
