# %% right: as in the chapter
def meta_gradient(params, episode, **inner):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, **inner)
    return grad(value, leaves, create_graph=False), detach(value)


# %% right: the engine's own word for value and gradient
def meta_gradient(params, episode, **inner):
    value, gradient = value_and_grad(task_loss)(params, episode, **inner)
    return gradient, value


# %% right: gradients with a history, whose numbers are taken
def meta_gradient(params, episode, **inner):
    theta = dict(zip(params, map(Tensor, params.values()), strict=True))
    value = task_loss(theta, episode, **inner)
    found = grad(value, theta)
    return {name: detach(found[name]) for name in params}, detach(value)


# %% right: the way on without it
from reference.scratch.maml import meta_gradient


# %% wrong: the gradient in phi, which is first order | first order
def meta_gradient(params, episode, **inner):
    leaves = {name: Tensor(p) for name, p in params.items()}
    phi = adapted(leaves, episode.support, **inner)
    value = inner["loss"](phi, episode.query)
    return grad(value, phi, create_graph=False), detach(value)


# %% wrong: first order by accident, the steps keep nothing | first order
def meta_gradient(params, episode, **inner):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, **inner | {"first_order": True})
    return grad(value, leaves, create_graph=False), detach(value)


# %% wrong: the gradient at theta instead of phi | nobody has learned
def meta_gradient(params, episode, **inner):
    leaves = {name: Tensor(p) for name, p in params.items()}
    gradient = grad(inner["loss"](leaves, episode.query), leaves, create_graph=False)
    return gradient, detach(task_loss(leaves, episode, **inner))


# %% wrong: the support loss in place of the query loss | the query judges
def meta_gradient(params, episode, **inner):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = inner["loss"](adapted(leaves, episode.support, **inner), episode.support)
    return grad(value, leaves, create_graph=False), detach(value)


# %% wrong: downhill already | the sign is turned
def meta_gradient(params, episode, **inner):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, **inner)
    return {name: -g for name, g in grad(value, leaves, create_graph=False).items()}, detach(value)


# %% wrong: loss first, gradient second | First in the pair
def meta_gradient(params, episode, **inner):
    return value_and_grad(task_loss)(params, episode, **inner)


# %% wrong: the gradient alone | a pair
def meta_gradient(params, episode, **inner):
    leaves = {name: Tensor(p) for name, p in params.items()}
    return grad(task_loss(leaves, episode, **inner), leaves, create_graph=False)


# %% wrong: the loss before the steps comes back with it | the task loss there is
def meta_gradient(params, episode, **inner):
    leaves = {name: Tensor(p) for name, p in params.items()}
    gradient = grad(task_loss(leaves, episode, **inner), leaves, create_graph=False)
    return gradient, detach(inner["loss"](leaves, episode.query))


# %% wrong: Tensors, not plain arrays | expected: array
def meta_gradient(params, episode, **inner):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, **inner)
    return grad(value, leaves), detach(value)


# %% wrong: it is always exact | goes on to the task loss
def meta_gradient(params, episode, *, loss, rule, n_steps, first_order=False):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, rule=rule, n_steps=n_steps)
    return grad(value, leaves, create_graph=False), detach(value)


# %% right: a pair as a list, the loss as a float
def meta_gradient(params, episode, **inner):
    theta = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(theta, episode, **inner)
    return [grad(value, theta, create_graph=False), float(detach(value))]


# %% wrong: the Tensors are put into the dict of the caller | the dict of the caller holds Tensors
def meta_gradient(params, episode, **inner):
    for name in params:
        params[name] = Tensor(params[name])
    value = task_loss(params, episode, **inner)
    return grad(value, params, create_graph=False), detach(value)


# %% wrong: asked in other Tensors than those that went in | the very Tensors
def meta_gradient(params, episode, **inner):
    value = task_loss({name: Tensor(p) for name, p in params.items()}, episode, **inner)
    return grad(value, {name: Tensor(p) for name, p in params.items()}, create_graph=False), detach(value)
