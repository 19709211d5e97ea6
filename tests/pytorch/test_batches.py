"""Many tasks by vmap or one by one, with the norms of PyTorch: exact against small steps; and what is not."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, grad_and_value, vmap
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from reference.episodes import Episode, Examples, one_by_one
from reference.meta_train import mean_over_tasks
from reference.pytorch import maml, meta_sgd, reptile
from reference.pytorch.batches import mean_by_vmap
from reference.pytorch.nn import as_function, cross_entropy, init_params
from reference.rules import adam, each_step, only, sgd

# Images and a conv net with a norm, float64. It is smooth: a small step over a corner of a ReLU would change
# the inner gradient at once, and central differences would see a jump.

N_TASKS, N_WAY, RATE = 3, 5, 0.02


# Each makes the norm of a layer with so many channels, whose images have this side.


def batch_norm(width, side, **settings):
    # the batch's own statistics: transductive
    return nn.BatchNorm2d(width, track_running_stats=False, **settings)


def instance_norm(width, side):
    return nn.InstanceNorm2d(width, affine=True)


def layer_norm(width, side):
    return nn.LayerNorm([width, side, side])


def group_norm(width, side):
    return nn.GroupNorm(1, width)


class HandNorm(nn.Module):
    """Batch norm in its own words."""

    def __init__(self, width, side):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x):
        centred = x - x.mean((0, 2, 3), keepdim=True)
        scaled = centred / (centred**2).mean((0, 2, 3), keepdim=True).add(1e-5).sqrt()
        return scaled * self.weight[:, None, None] + self.bias[:, None, None]


def conv_net(norm):
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 3), norm(4, 10), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(4, 4, 3), norm(4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(36, N_WAY)),
    ).double()


def conv_problem(norm):
    """Parameters, a batch of three tasks, and the loss of one task."""
    rng = np.random.default_rng(0)
    net = conv_net(norm)
    params = {name: p.double() for name, p in init_params(rng, net).items()}
    for name, p in params.items():
        if name[0] in "15":  # a norm's: away from one and zero, so that nothing drops out
            p += torch.from_numpy(rng.normal(scale=0.3, size=p.shape))
    parts = []
    for n in (1, 2):
        labels = rng.permuted(np.tile(np.arange(N_WAY), (N_TASKS, n)), axis=1)
        images = rng.uniform(size=(N_TASKS, N_WAY * n, 1, 12, 12))
        parts.append(Examples(torch.from_numpy(images), torch.from_numpy(labels)))

    def loss(params, examples):
        return cross_entropy(functional_call(net, params, examples.x), examples.y)

    return params, Episode(*parts), loss


def slope(function, params, direction, step=1e-7):
    """How fast function changes at params along the direction, by a central difference."""
    ahead, behind = (
        function({name: p + h * direction[name] for name, p in params.items()}) for h in (step, -step)
    )
    return float(ahead - behind) / (2 * step)


def along(gradient, direction):
    return float(sum((gradient[name] * direction[name]).sum() for name in direction))


def random_direction(params):
    rng = np.random.default_rng(7)
    return {name: torch.from_numpy(rng.normal(size=p.shape)) for name, p in params.items()}


def mean_task_loss(task_loss, params, episodes, **settings):
    return sum(task_loss(params, episode, **settings) for episode in one_by_one(episodes)) / N_TASKS


def as_loop(approach):
    def mean(params, episodes, **settings):
        return mean_over_tasks(partial(approach.meta_gradient, **settings))(params, one_by_one(episodes))

    return mean


def as_vmap(approach):
    return mean_by_vmap(grad_and_value(approach.task_loss))


ANIL = only(["8.weight", "8.bias"], sgd(RATE))
METHODS = {
    "MAML": (maml, {"rule": sgd(RATE)}),
    # With Adam's own epsilon a step is nearly a sign, which jumps where a gradient is 0, as before a norm.
    "MAML, Adam inside": (maml, {"rule": adam(RATE, epsilon=0.1)}),
    "ANIL": (maml, {"rule": ANIL}),
    "Meta-SGD": (meta_sgd, {}),
    "MAML++": (meta_sgd, {"rule_of": each_step}),
}


@pytest.mark.metagrad
@pytest.mark.parametrize("way", [as_loop, as_vmap])
@pytest.mark.parametrize("n_steps", [1, 5])
@pytest.mark.parametrize("norm", [batch_norm, instance_norm, layer_norm, group_norm, HandNorm])
@pytest.mark.parametrize("method", METHODS)
def test_every_way_is_exact_whatever_the_norm(method, norm, n_steps, way):
    params, episodes, loss = conv_problem(norm)
    approach, settings = METHODS[method]
    if "rule_of" in settings:
        params = meta_sgd.with_step_rates(params, inner_lr=RATE, n_steps=n_steps)
    elif approach is meta_sgd:
        params = meta_sgd.with_rates(params, inner_lr=RATE)
    settings = {"loss": loss, "n_steps": n_steps, **settings}
    gradient, value = way(approach)(params, episodes, **settings)
    direction = random_direction(params)
    function = partial(mean_task_loss, approach.task_loss, episodes=episodes, **settings)
    assert float(value) == pytest.approx(float(function(params)), rel=1e-10)
    assert along(gradient, direction) == pytest.approx(slope(function, params, direction), rel=1e-6)


@pytest.mark.metagrad
@pytest.mark.parametrize("way", [as_loop, as_vmap])
@pytest.mark.parametrize("n_steps", [1, 5])
def test_first_order_with_batch_norm_is_the_query_gradient_a_fixed_step_away(n_steps, way):
    params, episodes, loss = conv_problem(batch_norm)
    settings = {"loss": loss, "rule": sgd(RATE), "n_steps": n_steps, "first_order": True}
    gradient, _ = way(maml)(params, episodes, **settings)
    tasks = one_by_one(episodes)
    ends = [maml.adapted(params, task.support, **settings) for task in tasks]

    def function(p):
        moved = [{name: p[name] + end[name] - params[name] for name in p} for end in ends]
        return sum(loss(end, task.query) for end, task in zip(moved, tasks, strict=True)) / N_TASKS

    direction = random_direction(params)
    assert along(gradient, direction) == pytest.approx(slope(function, params, direction), rel=1e-6)


@pytest.mark.metagrad
@pytest.mark.parametrize(
    "way", [as_loop, lambda approach: mean_by_vmap(approach.meta_gradient)], ids=["loop", "vmap"]
)
@pytest.mark.parametrize("n_steps", [1, 5])
def test_reptile_with_batch_norm_is_the_mean_of_the_tasks_ends(n_steps, way):
    params, episodes, loss = conv_problem(batch_norm)
    gradient, _ = way(reptile)(params, episodes, loss=loss, rule=sgd(RATE), n_steps=n_steps)
    ends = [by_autograd(params, task.support, loss, n_steps) for task in one_by_one(episodes)]
    for name, p in params.items():
        expected = p - sum(end[name] for end in ends) / N_TASKS
        torch.testing.assert_close(gradient[name], expected, rtol=1e-8, atol=1e-12)


def by_autograd(params, support, loss, n_steps):
    """Plain gradient descent, without torch.func."""
    for _ in range(n_steps):
        leaves = {name: p.detach().requires_grad_() for name, p in params.items()}
        gradient = torch.autograd.grad(loss(leaves, support), list(leaves.values()))
        params = {name: p.detach() - RATE * g for (name, p), g in zip(leaves.items(), gradient, strict=True)}
    return params


def from_outside(params, episodes, **settings):
    """The pattern that is wrong with batch norm: differentiating from outside what is mapped."""

    def mean_loss(params):
        return vmap(lambda *parts: maml.task_loss(params, Episode(*parts), **settings))(*episodes[:2]).mean()

    return grad(mean_loss)(params)


def apart(found, expected):
    """The relative distance of two gradients."""
    squares = [((found[name] - p) ** 2).sum() for name, p in expected.items()]
    return float((sum(squares) / sum((p**2).sum() for p in expected.values())).sqrt())


@pytest.mark.parametrize("n_steps", [1, 5])
@pytest.mark.parametrize(("norm", "least"), [(batch_norm, 1e-3), (instance_norm, 1e-3), (layer_norm, 1e-5)])
def test_differentiating_from_outside_of_vmap_is_wrong_with_these_norms_and_nobody_says_so(
    norm, least, n_steps
):
    params, episodes, loss = conv_problem(norm)
    settings = {"loss": loss, "rule": sgd(0.1), "n_steps": n_steps}
    expected, _ = as_loop(maml)(params, episodes, **settings)
    error = apart(from_outside(params, episodes, **settings), expected)
    assert error > least, (
        f"torch {torch.__version__} has mended this norm's second derivatives in vmap (error {error:.0e}): "
        "mean_by_vmap need no longer warn, and the chapters that show the trap should say so."
    )


def no_norm(width, side):
    return nn.Identity()


def instance_norm_without_scale(width, side):
    return nn.InstanceNorm2d(width)


RIGHT = [(norm, False) for norm in (no_norm, group_norm, HandNorm, instance_norm_without_scale)]


@pytest.mark.parametrize(("norm", "first_order"), [*RIGHT, (batch_norm, True), (layer_norm, True)])
def test_differentiating_from_outside_is_right_for_these_norms_and_for_first_order(norm, first_order):
    params, episodes, loss = conv_problem(norm)
    settings = {"loss": loss, "rule": sgd(0.1), "n_steps": 1, "first_order": first_order}
    expected, _ = as_loop(maml)(params, episodes, **settings)
    assert apart(from_outside(params, episodes, **settings), expected) < 1e-8


def over_batch(x):
    return x.mean((0, 2, 3), keepdim=True)


class ForgetfulBatchNorm(torch.autograd.Function):
    """Batch norm whose gradient in the scale is right, but holds the mean and the deviation for constants."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.mean = over_batch(x)
        ctx.inverse_deviation = (over_batch((x - ctx.mean) ** 2) + 1e-5).rsqrt()
        ctx.save_for_backward(x, weight)
        return (x - ctx.mean) * ctx.inverse_deviation * weight[:, None, None] + bias[:, None, None]

    @staticmethod
    def backward(ctx, g):
        x, weight = ctx.saved_tensors
        mean = over_batch(x)
        inverse_deviation = (over_batch((x - mean) ** 2) + 1e-5).rsqrt()
        normed = (x - mean) * inverse_deviation
        in_x = (
            weight[:, None, None] * inverse_deviation * (g - over_batch(g) - normed * over_batch(g * normed))
        )
        forgetful = (
            x - ctx.mean
        ) * ctx.inverse_deviation  # the same numbers, but how they depend on x is lost
        return in_x, (g * forgetful).sum((0, 2, 3)), g.sum((0, 2, 3))


class ForgetfulNorm(HandNorm):
    def forward(self, x):
        return ForgetfulBatchNorm.apply(x, self.weight, self.bias)


@pytest.mark.parametrize("n_steps", [1, 5])
def test_what_goes_wrong_is_the_derivative_of_the_gradient_in_the_scale(n_steps):
    params, episodes, loss = conv_problem(batch_norm)
    wrong = from_outside(params, episodes, loss=loss, rule=sgd(0.1), n_steps=n_steps)

    _, _, forgetful_loss = conv_problem(ForgetfulNorm)
    leaves = {name: p.clone().requires_grad_() for name, p in params.items()}
    total = 0
    for task in one_by_one(episodes):
        end = leaves
        for _ in range(n_steps):
            values = list(end.values())
            gradient = torch.autograd.grad(forgetful_loss(end, task.support), values, create_graph=True)
            end = {name: p - 0.1 * g for (name, p), g in zip(end.items(), gradient, strict=True)}
        total = total + forgetful_loss(end, task.query) / N_TASKS
    gradient = torch.autograd.grad(total, list(leaves.values()))
    assert apart(dict(zip(leaves, gradient, strict=True)), wrong) < 1e-10


def test_without_scale_there_is_no_trap():
    params, episodes, loss = conv_problem(partial(batch_norm, affine=False))
    settings = {"loss": loss, "rule": sgd(0.1), "n_steps": 5}
    expected, _ = as_loop(maml)(params, episodes, **settings)
    assert apart(from_outside(params, episodes, **settings), expected) < 1e-8


# A norm that keeps running statistics, in training: no function of its parameters, until it is made one.


def running_norm(width, side):
    return nn.BatchNorm2d(width)


def routes(loss, network, params, episodes):
    """Every way in which a network is differentiated or used."""
    task, settings = one_by_one(episodes)[0], {"loss": loss, "rule": sgd(RATE), "n_steps": 2}
    by_vmap = mean_by_vmap(grad_and_value(maml.task_loss))
    return {
        "second order": lambda: maml.meta_gradient(params, task, **settings),
        "first order": lambda: maml.meta_gradient(params, task, first_order=True, **settings),
        "Reptile": lambda: reptile.meta_gradient(params, task, **settings),
        "adapt": lambda: maml.adapt(params, task.support, network=network, **settings)(task.query.x),
        "vmap": lambda: by_vmap(params, episodes, **settings),
        "vmap, first order": lambda: by_vmap(params, episodes, first_order=True, **settings),
        "vmap, Reptile": lambda: mean_by_vmap(reptile.meta_gradient)(params, episodes, **settings),
    }


ROUTES = (
    *("second order", "first order", "Reptile", "adapt"),
    *("vmap", "vmap, first order", "vmap, Reptile"),
)


def both_ways(norm):
    """The conv problem with this norm: the bare network, and the same as a function."""
    params, episodes, _ = conv_problem(norm)
    net = conv_net(norm)
    return params, episodes, net, partial(functional_call, net), as_function(net)


def loss_of(network):
    return lambda params, examples: cross_entropy(network(params, examples.x), examples.y)


@pytest.mark.parametrize("route", ROUTES)
def test_a_norm_in_training_is_accepted_by_every_route_as_a_function_and_moves_nothing(route):
    params, episodes, net, _, network = both_ways(running_norm)
    before = {name: b.clone() for name, b in net.named_buffers()}
    found = routes(loss_of(network), network, params, episodes)[route]()
    assert all(torch.equal(b, before[name]) for name, b in net.named_buffers())
    # the norm without running statistics is the same function
    _, _, _, plain, _ = both_ways(batch_norm)
    expected = routes(loss_of(plain), plain, params, episodes)[route]()
    if route == "adapt":
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    else:
        assert apart(found[0], expected[0]) < 1e-12


@pytest.mark.parametrize("route", ROUTES)
def test_bare_it_is_the_same_where_torch_can_and_refused_with_the_remedy_where_it_cannot(route):
    params, episodes, _, bare, network = both_ways(running_norm)
    if route.startswith("vmap"):
        with pytest.raises(
            RuntimeError, match=r"^network: a norm in training moves .* make the network by as_f"
        ):
            routes(loss_of(bare), bare, params, episodes)[route]()
        return
    found = routes(loss_of(bare), bare, params, episodes)[route]()
    expected = routes(loss_of(network), network, params, episodes)[route]()
    if route == "adapt":
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    else:
        assert apart(found[0], expected[0]) < 1e-12


# Attention, and a norm of weights.


class Attends(nn.Module):
    """One layer of attention over the rows, and their mean."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0].mean(1)


def attention_problem():
    rng = np.random.default_rng(0)
    net = Attends().double()
    params = {name: p.double() for name, p in init_params(rng, net).items()}
    x, y = torch.from_numpy(rng.normal(size=(2, 3, 4, 5, 8))), torch.from_numpy(rng.normal(size=(2, 3, 4, 8)))
    network = as_function(net)

    def loss(params, examples):
        return F.mse_loss(network(params, examples.x), examples.y)

    return params, Episode(*map(Examples, x, y)), loss


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # torch maps attention one by one
def test_attention_in_second_order_names_its_remedy_and_the_remedy_works():
    params, episodes, loss = attention_problem()
    task, settings = one_by_one(episodes)[0], {"loss": loss, "rule": sgd(0.1), "n_steps": 1}
    words = (
        r"^network: this kernel of attention has no second derivative; take the one written out, `with torch"
    )
    for ask in (
        lambda: maml.meta_gradient(params, task, **settings),
        lambda: mean_by_vmap(grad_and_value(maml.task_loss))(params, episodes, **settings),
    ):
        with pytest.raises(RuntimeError, match=words):
            ask()
    maml.meta_gradient(params, task, first_order=True, **settings)
    with sdpa_kernel(SDPBackend.MATH):
        gradient, _ = maml.meta_gradient(params, task, **settings)
        direction = random_direction(params)
        expected = slope(partial(maml.task_loss, episode=task, **settings), params, direction)
    assert along(gradient, direction) == pytest.approx(expected, rel=1e-6)


def test_the_second_derivative_of_weight_norm_is_wrong_in_torch_itself():
    """What the docstring of mean_by_vmap says."""
    rng = np.random.default_rng(0)
    net = nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)).double()
    params = {name: torch.from_numpy(rng.normal(size=p.shape)) for name, p in net.named_parameters()}
    x, direction = torch.from_numpy(rng.normal(size=(5, 3))), random_direction(params)

    def slope_along(params):  # of a cubic loss, by the first derivative, which is right
        value = lambda p: (functional_call(net, p, x) ** 3).sum()  # noqa: E731
        return sum((g * direction[name]).sum() for name, g in grad(value)(params).items())

    found = along(grad(slope_along)(params), direction)
    expected = slope(slope_along, params, direction)
    assert abs(found / expected - 1) > 1e-2, "torch has mended weight_norm: the docstring need not warn"
