"""Every way to a meta-gradient on the PyTorch side against small steps, with batch norm; and bad input."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, grad_and_value, vmap
from torch.nn import functional as F

from reference.episodes import Episode, Examples, one_by_one
from reference.meta_train import mean_over_tasks, meta_train
from reference.pytorch import maml, meta_sgd, optim, reptile
from reference.pytorch.batches import mean_by_vmap, mean_over_batch
from reference.pytorch.nn import MLP, init_params, linear
from reference.pytorch.unroll import sgd
from reference.tasks.families import Quadratics

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


def conv_problem(norm):
    """Parameters, a batch of three tasks, and the loss of one task."""
    rng = np.random.default_rng(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 4, 3), norm(4, 10), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(4, 4, 3), norm(4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(36, N_WAY)),
    )
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
        return F.cross_entropy(functional_call(net, params, examples.x), examples.y)

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


ANIL = maml.only(["8.weight", "8.bias"], sgd(RATE))
METHODS = {
    "MAML": (maml, {"update": sgd(RATE)}),
    "ANIL": (maml, {"update": ANIL}),
    "Meta-SGD": (meta_sgd, {}),
    "MAML++": (meta_sgd, {"step_by": meta_sgd.each_step}),
}


@pytest.mark.metagrad
@pytest.mark.parametrize("way", [as_loop, as_vmap])
@pytest.mark.parametrize("n_steps", [1, 5])
@pytest.mark.parametrize("norm", [batch_norm, instance_norm, layer_norm, group_norm, HandNorm])
@pytest.mark.parametrize("method", METHODS)
def test_every_way_is_exact_whatever_the_norm(method, norm, n_steps, way):
    params, episodes, loss = conv_problem(norm)
    approach, settings = METHODS[method]
    if "step_by" in settings:
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
    settings = {"loss": loss, "update": sgd(RATE), "n_steps": n_steps, "first_order": True}
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
    gradient, _ = way(reptile)(params, episodes, loss=loss, update=sgd(RATE), n_steps=n_steps)
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
    settings = {"loss": loss, "update": sgd(0.1), "n_steps": n_steps}
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
    settings = {"loss": loss, "update": sgd(0.1), "n_steps": 1, "first_order": first_order}
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
    wrong = from_outside(params, episodes, loss=loss, update=sgd(0.1), n_steps=n_steps)

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
    settings = {"loss": loss, "update": sgd(0.1), "n_steps": 5}
    expected, _ = as_loop(maml)(params, episodes, **settings)
    assert apart(from_outside(params, episodes, **settings), expected) < 1e-8


# A dense net with a batch norm that knows a task axis, for mean_over_batch.


def normed_net(params, x):
    x = linear(x, params["0.weight"], params["0.bias"])
    centred = x - x.mean(-2, keepdim=True)
    normed = centred / (centred**2).mean(-2, keepdim=True).add(1e-5).sqrt()
    x = torch.tanh(normed * params["scale"])
    return linear(x, params["1.weight"], params["1.bias"])


def dense_problem():
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (6, 2), "0.bias": (6,), "scale": (1, 6), "1.weight": (1, 6), "1.bias": (1,)}
    params = {name: torch.from_numpy(rng.normal(size=shape)) for name, shape in shapes.items()}
    x = torch.from_numpy(rng.normal(size=(2, N_TASKS, 7, 2)))
    return params, Episode(*(Examples(part, part[..., :1] * part[..., 1:]) for part in x))


def dense_loss(params, examples):
    """One number for each task."""
    return ((normed_net(params, examples.x) - examples.y) ** 2).mean((-2, -1))


@pytest.mark.metagrad
@pytest.mark.parametrize("n_steps", [1, 5])
@pytest.mark.parametrize("method", METHODS)
def test_a_batch_of_own_copies_is_exact_with_batch_norm(method, n_steps):
    params, episodes = dense_problem()
    approach, settings = METHODS[method]
    settings = {"loss": dense_loss, "n_steps": n_steps, **settings}
    if method == "ANIL":
        settings["update"] = maml.only(["1.weight", "1.bias"], sgd(RATE))
    elif method == "MAML++":
        params = meta_sgd.with_step_rates(params, inner_lr=RATE, n_steps=n_steps)
    elif method == "Meta-SGD":
        params = meta_sgd.with_rates(params, inner_lr=RATE)
    gradient, _ = mean_over_batch(approach.meta_gradient)(params, episodes, **settings)
    direction = random_direction(params)
    function = partial(mean_task_loss, approach.task_loss, episodes=episodes, **settings)
    assert along(gradient, direction) == pytest.approx(slope(function, params, direction), rel=1e-6)


# Quadratic losses: where training stops. All four stopping points are derived in tests/scratch.


def weight(name, A, rate, n_steps):
    """W in the direction W (theta - c)."""
    left = np.linalg.matrix_power(np.eye(2) - rate * A, n_steps)
    return {"MAML": left @ A @ left, "first-order MAML": A @ left, "Reptile": np.eye(2) - left}[name]


@pytest.mark.parametrize("n_steps", [1, 3])
@pytest.mark.parametrize("name", ["MAML", "first-order MAML", "Reptile"])
def test_training_stops_where_the_formula_says(name, n_steps):
    tasks = Quadratics(dimension=2).sample_batch(np.random.default_rng(0), 6)
    A, rate = tasks.curvature, 0.3
    W = weight(name, A, rate, n_steps)
    optimum = np.linalg.solve(W.sum(0), (W @ tasks.centre[..., None]).sum(0))[:, 0]
    examples = Examples(torch.from_numpy(tasks.centre), torch.from_numpy(A))

    def loss(params, task):
        apart = params["theta"] - task.x
        return torch.einsum("...i,...ij,...j->...", apart, task.y, apart) / 2

    meta_gradient = {
        "MAML": maml.meta_gradient,
        "first-order MAML": partial(maml.meta_gradient, first_order=True),
        "Reptile": reptile.meta_gradient,
    }[name]
    trained, _ = meta_train(
        {"theta": torch.tensor([3.0, -2.0], dtype=torch.float64)},
        partial(mean_over_batch(meta_gradient), loss=loss, update=sgd(rate), n_steps=n_steps),
        lambda: Episode(examples, examples),
        optimizer=optim.sgd(0.7),
        n_steps=700,
    )
    np.testing.assert_allclose(trained["theta"].numpy(), optimum, rtol=0, atol=1e-9)


# Bad input.

NET = MLP([2, 3])
SETTINGS = {"network": partial(functional_call, NET), "update": sgd(0.1), "n_steps": 2}


def classes(*labels):
    return Examples(torch.ones(len(labels), 2), torch.tensor(labels))


def cross_entropy(params, examples):
    return F.cross_entropy(functional_call(NET, params, examples.x), examples.y)


def start():
    return maml.init(np.random.default_rng(0), NET)


@pytest.mark.parametrize("rate", [torch.ones(2), torch.ones(3, 2, 1), {"layers.0.weight": torch.ones(3)}])
def test_a_rate_of_the_wrong_shape_is_named(rate):
    with pytest.raises(
        ValueError, match=r"^inner_lr: got shape \(.*\) for layers.0.weight of shape \(3, 2\); a"
    ):
        maml.adapt(start(), classes(0, 1, 2), loss=cross_entropy, **SETTINGS | {"update": sgd(rate)})


def test_a_parameter_without_a_rate_is_named():
    update = sgd({"head": 0.1})
    with pytest.raises(
        ValueError, match=r"^inner_lr: got rates for \['head'\]; layers.0.weight needs one too\.$"
    ):
        maml.adapt(start(), classes(0, 1, 2), loss=cross_entropy, **SETTINGS | {"update": update})


def test_a_step_without_a_rate_is_named():
    params = meta_sgd.with_step_rates(start(), inner_lr=0.1, n_steps=2)
    settings = {"network": SETTINGS["network"], "loss": cross_entropy, "step_by": meta_sgd.each_step}
    meta_sgd.adapt(params, classes(0, 1, 2), n_steps=2, **settings)
    with pytest.raises(ValueError, match=r"^rates: there are 2 for each parameter; step 2 has none\.$"):
        meta_sgd.adapt(params, classes(0, 1, 2), n_steps=3, **settings)


def test_rates_that_are_not_one_for_each_step_are_named():
    episode = Episode(classes(0, 1, 2), classes(0, 1, 2))
    settings = {"loss": cross_entropy, "step_by": meta_sgd.each_step}
    for_weights = meta_sgd.with_rates(start(), inner_lr=0.1)  # of Meta-SGD: as many as weights
    with pytest.raises(ValueError, match=r"^rates: got shapes \[.*\]; every parameter has equally many, one"):
        meta_sgd.meta_gradient(for_weights, episode, **settings)
    missing = meta_sgd.with_step_rates(start(), inner_lr=0.1, n_steps=1)
    del missing["rate.layers.0.weight"]
    with pytest.raises(ValueError, match=r"^rates: got rates for \[.*\]; layers.0.weight needs some too\.$"):
        meta_sgd.meta_gradient(missing, episode, **settings)


def test_a_learned_rate_of_the_wrong_shape_is_named():
    params = meta_sgd.with_rates(start(), inner_lr=0.1) | {"rate.layers.0.weight": torch.full((2,), 0.1)}
    episode = Episode(classes(0, 1, 2), classes(0, 1, 2))
    with pytest.raises(
        ValueError, match=r"^inner_lr: got shape \(2,\) for layers.0.weight of shape \(3, 2\)"
    ):
        meta_sgd.meta_gradient(params, episode, loss=cross_entropy)


def test_every_step_of_reptile_has_its_number():
    seen = []

    def update(params, gradient, step):
        seen.append(step)
        return params

    reptile.direction(start(), [classes(0, 1, 2)] * 3, loss=cross_entropy, update=update)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("approach", [maml, reptile, meta_sgd])
def test_a_predictor_remembers_nothing_of_how_it_was_learned(approach):
    params, settings = start(), SETTINGS
    if approach is meta_sgd:
        params = meta_sgd.with_rates(params, inner_lr=0.1)
        settings = {name: value for name, value in SETTINGS.items() if name != "update"}
    leaves = {name: p.requires_grad_() for name, p in params.items()}
    predict = approach.adapt(leaves, classes(0, 1, 2), loss=cross_entropy, **settings)
    assert not predict(torch.ones(1, 2)).requires_grad


def test_a_name_that_is_no_parameter_is_named():
    update = maml.only(["head"], sgd(0.1))
    with pytest.raises(ValueError, match=r"^names: got \['head'\]; the parameters are \['layers.0.bias', "):
        maml.adapt(start(), classes(0, 1, 2), loss=cross_entropy, **SETTINGS | {"update": update})


@pytest.mark.parametrize("labels", [[0, 0, 1], [0, 1, 3], [2, 1, 1], [-1, 0, 1]])
@pytest.mark.parametrize("approach", [maml, reptile, meta_sgd])
def test_a_missing_or_a_foreign_class_is_named(approach, labels):
    params, settings = start(), SETTINGS
    if approach is meta_sgd:
        params = meta_sgd.with_rates(params, inner_lr=0.1)
        settings = {name: value for name, value in SETTINGS.items() if name != "update"}
    with pytest.raises(
        ValueError, match=r"^support: got classes \[.*\]; each of 0..2, which the network scores"
    ):
        approach.adapt(params, classes(*labels), loss=cross_entropy, **settings)


@pytest.mark.parametrize("n_steps", [0, 2])
@pytest.mark.parametrize("approach", [maml, reptile, meta_sgd])
def test_a_loss_that_is_no_scalar_is_named(approach, n_steps):
    def loss(params, examples):
        return F.cross_entropy(functional_call(NET, params, examples.x), examples.y, reduction="none")

    episode = Episode(classes(0, 1, 2), classes(0, 1, 2))
    with pytest.raises(
        ValueError, match=r"^loss: got shape \(3,\); it gives one number, such as a mean over exam"
    ):
        if approach is meta_sgd:
            params = meta_sgd.with_rates(start(), inner_lr=0.1)
            meta_sgd.meta_gradient(params, episode, loss=loss, n_steps=n_steps)
        approach.meta_gradient(start(), episode, loss=loss, update=sgd(0.1), n_steps=n_steps)


def test_a_batch_wants_one_number_for_each_task():
    params, episodes = dense_problem()
    with pytest.raises(
        ValueError, match=r"^loss: got shape \(\); a batch of 3 tasks needs one number for each, \(3,\)"
    ):
        mean_over_batch(maml.meta_gradient)(
            params, episodes, loss=lambda p, e: dense_loss(p, e).mean(), update=sgd(0.1), n_steps=1
        )


def test_a_nan_in_the_support_is_named_when_adapting_and_stops_training():
    support = classes(0, 1, 2)
    support.x[0] = torch.nan
    with pytest.raises(
        FloatingPointError,
        match=r"^adapted: layers.0.weight is not finite after 2 steps; look for NaN in the sup",
    ):
        maml.adapt(start(), support, loss=cross_entropy, **SETTINGS)
    bias = maml.only(["layers.0.bias"], sgd(0.1))  # the weights stay finite
    with pytest.raises(FloatingPointError, match=r"^adapted: layers.0.bias is not finite"):
        maml.adapt(start(), support, loss=cross_entropy, **SETTINGS | {"update": bias})
    meta_gradient = partial(maml.meta_gradient, loss=cross_entropy, update=sgd(0.1), n_steps=1)
    with pytest.raises(FloatingPointError, match="outer step 0: the loss is nan"):
        episode = Episode(support, support)
        meta_train(start(), meta_gradient, lambda: episode, optimizer=optim.sgd(0.1), n_steps=1)


def test_parameters_that_the_query_loss_does_not_use_have_a_gradient_of_zero():
    params = start() | {"unused": torch.ones(2)}
    episode = Episode(classes(0, 1, 2), classes(0, 1, 2))

    def loss(params, examples):
        used = {name: p for name, p in params.items() if name != "unused"}
        return cross_entropy(used, examples)

    gradient, _ = maml.meta_gradient(params, episode, loss=loss, update=sgd(0.1), n_steps=1)
    assert torch.equal(gradient["unused"], torch.zeros(2))
