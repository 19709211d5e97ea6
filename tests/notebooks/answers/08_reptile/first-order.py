# %% right: as in the chapter
def first_order(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return gradient_at(phi, episode.query, loss), loss(phi, episode.query)


# %% right: the loop written out, with one gradient more after it
def first_order(params, episode, *, loss, rule, n_steps):
    phi, state = params, rule.init(params)
    for _ in range(n_steps):
        phi, state = rule.update(phi, gradient_at(phi, episode.support, loss), state)
    leaves = {name: Tensor(p) for name, p in phi.items()}
    return grad(loss(leaves, episode.query), leaves, create_graph=False), loss(phi, episode.query)


# %% right: as Reptile with the query for its last batch, read off the last step
def first_order(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    last = direction(phi, [episode.query], loss=loss, rule=sgd(1.0))
    return last, loss(phi, episode.query)


# %% right: the way on without it
from reference.scratch import maml

first_order = partial(maml.meta_gradient, first_order=True)


# %% wrong: the gradient that was left in the loop | last inner step
def first_order(params, episode, *, loss, rule, n_steps):
    state = rule.init(params)
    for _ in range(n_steps):
        gradient = gradient_at(params, episode.support, loss)
        params, state = rule.update(params, gradient, state)
    return gradient, loss(params, episode.query)


# %% wrong: the support's gradient at phi | shall be small after learning
def first_order(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return gradient_at(phi, episode.support, loss), loss(phi, episode.query)


# %% wrong: the query's gradient at theta | before any learning
def first_order(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return gradient_at(params, episode.query, loss), loss(phi, episode.query)


# %% wrong: through the steps | goes through the steps
def first_order(params, episode, *, loss, rule, n_steps):
    leaves = {name: Tensor(p) for name, p in params.items()}
    phi, state = leaves, rule.init(leaves)
    for _ in range(n_steps):
        phi, state = rule.update(phi, grad(loss(phi, episode.support), phi), state)
    value = loss(phi, episode.query)
    return grad(value, leaves, create_graph=False), value.value


# %% wrong: Reptile's direction | Reptile's direction
def first_order(params, episode, *, loss, rule, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=rule, n_steps=n_steps)


# %% wrong: uphill | sign is turned
def first_order(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return {name: -g for name, g in gradient_at(phi, episode.query, loss).items()}, loss(phi, episode.query)


# %% wrong: the query's gradient is added to those of the support | of which loss
def first_order(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    moved = {name: p - phi[name] for name, p in params.items()}
    return {name: g + moved[name] for name, g in gradient_at(phi, episode.query, loss).items()}, loss(
        phi, episode.query
    )


# %% wrong: the loss before learning is reported | query loss at phi
def first_order(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return gradient_at(phi, episode.query, loss), loss(params, episode.query)


# %% wrong: keeps the history of the last gradient | given:    Tensor
def first_order(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    leaves = {name: Tensor(p) for name, p in phi.items()}
    value = loss(leaves, episode.query)
    return grad(value, leaves), value.value
