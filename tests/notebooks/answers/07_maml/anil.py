# %% right: as in the chapter
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return params | {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    gradient, _ = meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)
    return gradient


# %% right: a rate for each parameter, zero in the body
from reference.scratch.unroll import unroll


def head_only(head, inner_lr):
    def update(params, gradient, state):
        rates = {name: inner_lr if name in head else 0.0 for name in params}
        return {name: p - rates[name] * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    leaves = {name: Tensor(p) for name, p in params.items()}
    end = unroll(lambda p: loss(p, episode.support), leaves, head_only(head, inner_lr), n_steps)
    return {name: detach(g) for name, g in grad(loss(end, episode.query), leaves).items()}


# %% right: only the head's gradient is ever computed within the task
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return {n: params[n] - inner_lr * gradient[n] if n in head else params[n] for n in params}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    leaves = {name: Tensor(p) for name, p in params.items()}
    now = dict(leaves)
    for _ in range(n_steps):
        inner = grad(loss(now, episode.support), {name: now[name] for name in head})
        now |= {name: now[name] - inner_lr * inner[name] for name in head}
    return {name: detach(g) for name, g in grad(loss(now, episode.query), leaves).items()}


# %% wrong: the update returns the head alone, and the body is lost | must return every parameter
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)[0]


# %% wrong: everything adapts | stays as it is
def head_only(head, inner_lr):
    return sgd(inner_lr)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)[0]


# %% wrong: the step goes uphill | a plain step
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return params | {name: params[name] + inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)[0]


# %% wrong: what does not adapt is not learned either, and gets no meta-gradient | each needs one
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return params | {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    found, _ = meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)
    return {name: found[name] for name in head}


# %% wrong: the body is detached at every step, and the path back to it is cut | not what small steps find
def head_only(head, inner_lr):
    def update(params, gradient, state):
        still = {name: Tensor(detach(p)) for name, p in params.items() if name not in head}
        return still | {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)[0]


# %% wrong: first order | keep their memory
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return params | {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    inner = {"rule": head_only(head, inner_lr), "n_steps": n_steps, "first_order": True}
    return meta_gradient(params, episode, loss=loss, **inner)[0]


# %% wrong: the gradient is plain MAML's, and the update is not used | head alone adapt
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return params | {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=sgd(inner_lr), n_steps=n_steps)[0]


# %% wrong: the names of this network's head are written into the code | go by the names
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return (
            params | {n: params[n] - inner_lr * gradient[n] for n in params if n.startswith("layers.1")}
        ), state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)[0]


# %% wrong: what does not adapt is held for a constant, so its meta-gradient is zero | is zero
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return params | {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    moving = {name: params[name] for name in head}
    still = {name: p for name, p in params.items() if name not in head}
    with_body = lambda p, examples: loss(still | p, examples)  # noqa: E731
    found, _ = meta_gradient(moving, episode, loss=with_body, rule=sgd(inner_lr), n_steps=n_steps)
    return {name: np.zeros_like(p) for name, p in still.items()} | found


# %% wrong: the pair of meta_gradient is handed on | gives a pair
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return params | {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)


# %% wrong: the rate and the loss of the visible test are written into the code | the rate, the loss
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return params | {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    settings = {"loss": squared_error, "rule": head_only(head, 0.05), "n_steps": n_steps}
    return meta_gradient(params, episode, **settings)[0]


# %% wrong: the last layer moves, whatever the head is called | go by the names
def head_only(head, inner_lr):
    def update(params, gradient, state):
        last = list(params)[-2:]
        return params | {name: params[name] - inner_lr * gradient[name] for name in last}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)[0]


# %% wrong: a step too few | not what small steps find
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return params | {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    rule = head_only(head, inner_lr)
    return meta_gradient(params, episode, loss=loss, rule=rule, n_steps=n_steps - 1)[0]


# %% right: the pair as a list, the gradient of the body times zero
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return [{name: p - inner_lr * (name in head) * gradient[name] for name, p in params.items()}, state]

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)[0]


# %% wrong: the update changes the dict that it was given | changed the dict
def head_only(head, inner_lr):
    def update(params, gradient, state):
        for name in head:
            params[name] = params[name] - inner_lr * gradient[name]
        return params, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)[0]


# %% wrong: the body comes back as plain arrays | their way back
def head_only(head, inner_lr):
    def update(params, gradient, state):
        moved = {name: params[name] - inner_lr * gradient[name] for name in head}
        return {name: detach(p) for name, p in params.items()} | moved, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    return meta_gradient(params, episode, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)[0]


# %% wrong: the Tensors are put into the dict of the caller | anil changed the dict
def head_only(head, inner_lr):
    def update(params, gradient, state):
        return params | {name: params[name] - inner_lr * gradient[name] for name in head}, state

    return Rule(lambda params: None, update)


def anil(params, episode, head, *, loss, inner_lr, n_steps):
    for name in params:
        params[name] = Tensor(params[name])
    phi = adapted(params, episode.support, loss=loss, rule=head_only(head, inner_lr), n_steps=n_steps)
    return grad(loss(phi, episode.query), params, create_graph=False)
