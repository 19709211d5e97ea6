# %% right: as in the chapter
def learned(params, batches, *, loss, rule):
    state = rule.init(params)
    for batch in batches:
        params, state = rule.update(params, gradient_at(params, batch, loss), state)
    return params


# %% right: the first batch, then the others in the same way
def learned(params, batches, *, loss, rule):
    def go_on(weights, state, rest):
        if not rest:
            return weights
        gradient = gradient_at(weights, rest[0], loss)
        return go_on(*rule.update(weights, gradient, state), rest[1:])

    return go_on({name: p.copy() for name, p in params.items()}, rule.init(params), list(batches))


# %% right: with the engine itself, and its history cut at the end of each step
def learned(params, batches, *, loss, rule):
    phi, state = dict(params), rule.init(params)
    for i in range(len(batches)):
        leaves = {name: Tensor(p) for name, p in phi.items()}
        gradient = grad(loss(leaves, batches[i]), leaves, create_graph=False)
        phi, state = rule.update(phi, gradient, state)
    return phi


# %% right: the way on without it
from reference.scratch.reptile import learned


# %% wrong: every gradient is taken at theta | taken at 0.8
def learned(params, batches, *, loss, rule):
    phi, state = params, rule.init(params)
    for batch in batches:
        phi, state = rule.update(phi, gradient_at(params, batch, loss), state)
    return phi


# %% wrong: every step starts at theta, so only the last one is kept | one step
def learned(params, batches, *, loss, rule):
    state = rule.init(params)
    for batch in batches:
        phi, state = rule.update(params, gradient_at(params, batch, loss), state)
    return phi


# %% wrong: it returns inside the loop | one step
def learned(params, batches, *, loss, rule):
    state = rule.init(params)
    for batch in batches:
        params, state = rule.update(params, gradient_at(params, batch, loss), state)
        return params


# %% wrong: the state begins anew in every step | hand it on
def learned(params, batches, *, loss, rule):
    for batch in batches:
        params, _ = rule.update(params, gradient_at(params, batch, loss), rule.init(params))
    return params


# %% wrong: the new state is thrown away | hand it on
def learned(params, batches, *, loss, rule):
    state = rule.init(params)
    for batch in batches:
        params, _ = rule.update(params, gradient_at(params, batch, loss), state)
    return params


# %% wrong: gives the state as well | a dict of parameters
def learned(params, batches, *, loss, rule):
    state = rule.init(params)
    for batch in batches:
        params, state = rule.update(params, gradient_at(params, batch, loss), state)
    return params, state


# %% wrong: gives theta - phi | next exercise
def learned(params, batches, *, loss, rule):
    phi, state = params, rule.init(params)
    for batch in batches:
        phi, state = rule.update(phi, gradient_at(phi, batch, loss), state)
    return {name: p - phi[name] for name, p in params.items()}


# %% wrong: keeps the history of the steps | Tensor
def learned(params, batches, *, loss, rule):
    params = {name: Tensor(p) for name, p in params.items()}
    state = rule.init(params)
    for batch in batches:
        params, state = rule.update(params, grad(loss(params, batch), params), state)
    return params


# %% wrong: changes the arrays that it was given | params was changed
def learned(params, batches, *, loss, rule):
    phi, state = dict(params), rule.init(params)
    for batch in batches:
        phi, state = rule.update(phi, gradient_at(phi, batch, loss), state)
    for name, p in params.items():
        p[...] = phi[name]
    return dict(phi)


# %% wrong: nothing is returned | NoneType
def learned(params, batches, *, loss, rule):
    state = rule.init(params)
    for batch in batches:
        params, state = rule.update(params, gradient_at(params, batch, loss), state)
