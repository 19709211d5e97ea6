# %% right: as in the chapter
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    for _ in range(n_steps):
        at = {name: Tensor(detach(p)) for name, p in params.items()} if first_order else params
        gradient = grad(loss(at, support), at, create_graph=not first_order)
        params, state = rule.update(params, gradient, state)
    return params


# %% right: always Tensors for the gradient, and a new name for what moves
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    phi, memory, step = dict(params), rule.init(params), 0
    while step < n_steps:
        if first_order:
            plain = {name: Tensor(detach(p)) for name, p in phi.items()}
            slopes = {name: detach(g) for name, g in grad(loss(plain, support), plain).items()}
        else:
            slopes = grad(loss(phi, support), phi)
        phi, memory = rule.update(phi, slopes, memory)
        step += 1
    return phi


# %% right: chapter 03's loop
from reference.scratch.unroll import unroll


def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    return unroll(lambda p: loss(p, support), params, rule, n_steps, first_order=first_order)


# %% right: the way on without it
from reference.scratch.maml import adapted


# %% wrong: first order by accident, the gradient is made of plain arrays | lost its history
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    for _ in range(n_steps):
        at = {name: Tensor(detach(p)) for name, p in params.items()}
        params, state = rule.update(params, grad(loss(at, support), at, create_graph=False), state)
    return params


# %% wrong: first order by accident, the gradient is detached | lost its history
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    for _ in range(n_steps):
        at = {name: Tensor(detach(p)) for name, p in params.items()} if first_order else params
        gradient = {name: detach(g) for name, g in grad(loss(at, support), at).items()}
        params, state = rule.update(params, gradient, state)
    return params


# %% wrong: every step begins with new Tensors, and nothing leads back | lost their history
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    for _ in range(n_steps):
        params = {name: Tensor(detach(p)) for name, p in params.items()}
        params, state = rule.update(params, grad(loss(params, support), params), state)
    return params if not first_order else {name: detach(p) for name, p in params.items()}


# %% wrong: one step, whatever n_steps says | where one step leads
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    if n_steps == 0:
        return params
    at = {name: Tensor(detach(p)) for name, p in params.items()} if first_order else params
    gradient = grad(loss(at, support), at, create_graph=not first_order)
    return rule.update(params, gradient, rule.init(params))[0]


# %% wrong: at least one step, since it stands before the loop | steps: 0. Expected 2.0, got 3.5
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    at = {name: Tensor(detach(p)) for name, p in params.items()} if first_order else params
    params, state = rule.update(params, grad(loss(at, support), at), state)
    for _ in range(n_steps - 1):
        at = {name: Tensor(detach(p)) for name, p in params.items()} if first_order else params
        params, state = rule.update(params, grad(loss(at, support), at), state)
    return params


# %% wrong: uphill | uphill
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    for _ in range(n_steps):
        at = {name: Tensor(detach(p)) for name, p in params.items()} if first_order else params
        gradient = {name: -1 * g for name, g in grad(loss(at, support), at).items()}
        params, state = rule.update(params, gradient, state)
    return params


# %% wrong: all steps use the gradient of the start | the second one begins where the first ended
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    at = {name: Tensor(detach(p)) for name, p in params.items()} if first_order else params
    gradient = grad(loss(at, support), at, create_graph=not first_order)
    for _ in range(n_steps):
        params, state = rule.update(params, gradient, state)
    return params


# %% wrong: the dict of the caller is changed | dict of the caller
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    for _ in range(n_steps):
        at = {name: Tensor(detach(p)) for name, p in params.items()} if first_order else params
        moved, state = rule.update(params, grad(loss(at, support), at, create_graph=not first_order), state)
        for name in params:
            params[name] = moved[name]
    return params


# %% wrong: the rule begins anew at every step | its state goes from one step to the next
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    for _ in range(n_steps):
        at = {name: Tensor(detach(p)) for name, p in params.items()} if first_order else params
        gradient = grad(loss(at, support), at, create_graph=not first_order)
        params, _ = rule.update(params, gradient, rule.init(params))
    return params


# %% wrong: first_order is not looked at | gradients are constants
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    for _ in range(n_steps):
        params, state = rule.update(params, grad(loss(params, support), params), state)
    return params


# %% wrong: first order from arrays is not thought of | plain arrays as parameters stopped
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    for _ in range(n_steps):
        gradient = grad(loss(params, support), params, create_graph=not first_order)
        params, state = rule.update(params, gradient, state)
    return params


# %% wrong: the pair of the last update comes back | a dict with the names of params
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    pair = params, rule.init(params)
    for _ in range(n_steps):
        at = {name: Tensor(detach(p)) for name, p in pair[0].items()} if first_order else pair[0]
        pair = rule.update(pair[0], grad(loss(at, support), at, create_graph=not first_order), pair[1])
    return pair


# %% wrong: nothing is returned | return
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    for _ in range(n_steps):
        params, state = rule.update(params, grad(loss(params, support), params), state)


# %% wrong: the first step keeps no history, the last one does | one step's share
def adapted(params, support, *, loss, rule, n_steps, first_order=False):
    state = rule.init(params)
    for step in range(n_steps):
        at = {name: Tensor(detach(p)) for name, p in params.items()} if first_order else params
        is_last = step == n_steps - 1
        gradient = grad(loss(at, support), at, create_graph=is_last and not first_order)
        params, state = rule.update(params, gradient, state)
    return params
