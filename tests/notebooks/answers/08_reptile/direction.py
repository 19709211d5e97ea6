# %% right: as in the chapter
def direction(params, batches, *, loss, rule):
    phi = learned(params, batches, loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}


def meta_gradient(params, episode, *, loss, rule, n_steps):
    moved = direction(params, [episode.support] * n_steps, loss=loss, rule=rule)
    phi = {name: p - moved[name] for name, p in params.items()}
    return moved, loss(phi, episode.query)


# %% right: phi is learned once and used twice
def direction(params, batches, *, loss, rule):
    phi, found = learned(params, batches, loss=loss, rule=rule), {}
    for name in params:
        found[name] = -(phi[name] - params[name])
    return found


def meta_gradient(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support for _ in range(n_steps)], loss=loss, rule=rule)
    return {name: params[name] - phi[name] for name in params}, loss(phi, episode.query)


# %% right: learned twice, and the steps written out
def direction(params, batches, *, loss, rule):
    theta, state = params, rule.init(params)
    for batch in batches:
        theta, state = rule.update(theta, gradient_at(theta, batch, loss), state)
    return {name: params[name] - theta[name] for name in params}


def meta_gradient(params, episode, *, loss, rule, n_steps):
    batches = n_steps * [episode.support]
    phi = learned(params, batches, loss=loss, rule=rule)
    return direction(params, batches, loss=loss, rule=rule), loss(phi, episode.query)


# %% right: the way on without it
from reference.scratch.reptile import direction, meta_gradient


# %% wrong: from theta to phi, so that an optimiser goes away from phi | away from phi
def direction(params, batches, *, loss, rule):
    phi = learned(params, batches, loss=loss, rule=rule)
    return {name: phi[name] - p for name, p in params.items()}


def meta_gradient(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return {name: phi[name] - p for name, p in params.items()}, loss(phi, episode.query)


# %% wrong: divided by the rate | divided by the rate
def direction(params, batches, *, loss, rule):
    phi = learned(params, batches, loss=loss, rule=rule)
    return {name: (p - phi[name]) / 0.2 for name, p in params.items()}


def meta_gradient(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return {name: (p - phi[name]) / 0.2 for name, p in params.items()}, loss(phi, episode.query)


# %% wrong: divided by the number of steps | the whole way
def direction(params, batches, *, loss, rule):
    phi = learned(params, batches, loss=loss, rule=rule)
    return {name: (p - phi[name]) / len(batches) for name, p in params.items()}


def meta_gradient(params, episode, *, loss, rule, n_steps):
    batches = [episode.support] * n_steps
    phi = learned(params, batches, loss=loss, rule=rule)
    return direction(params, batches, loss=loss, rule=rule), loss(phi, episode.query)


# %% wrong: phi itself | phi itself
def direction(params, batches, *, loss, rule):
    return learned(params, batches, loss=loss, rule=rule)


def meta_gradient(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return phi, loss(phi, episode.query)


# %% wrong: one step, whatever n_steps is | n_steps steps
def direction(params, batches, *, loss, rule):
    phi = learned(params, batches, loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}


def meta_gradient(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support], loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}, loss(phi, episode.query)


# %% wrong: the steps are taken on the query | all on the support
def direction(params, batches, *, loss, rule):
    phi = learned(params, batches, loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}


def meta_gradient(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.query] * n_steps, loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}, loss(phi, episode.query)


# %% wrong: the loss is reported before learning | before learning
def direction(params, batches, *, loss, rule):
    phi = learned(params, batches, loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}


def meta_gradient(params, episode, *, loss, rule, n_steps):
    moved = direction(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return moved, loss(params, episode.query)


# %% wrong: the loss of the support is reported | loss of the support
def direction(params, batches, *, loss, rule):
    phi = learned(params, batches, loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}


def meta_gradient(params, episode, *, loss, rule, n_steps):
    phi = learned(params, [episode.support] * n_steps, loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}, loss(phi, episode.support)


# %% wrong: the direction alone | a pair
def direction(params, batches, *, loss, rule):
    phi = learned(params, batches, loss=loss, rule=rule)
    return {name: p - phi[name] for name, p in params.items()}


def meta_gradient(params, episode, *, loss, rule, n_steps):
    return direction(params, [episode.support] * n_steps, loss=loss, rule=rule)
