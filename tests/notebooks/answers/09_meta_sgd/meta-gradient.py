# %% right: as in the chapter
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return grad(value, leaves, create_graph=False), detach(value)


# %% right: a list of leaves, and the graph thrown away afterwards
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    names = list(params)
    leaves = [Tensor(params[name]) for name in names]
    value = task_loss(dict(zip(names, leaves)), episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return {name: detach(g) for name, g in zip(names, grad(value, leaves))}, detach(value)


# %% right: by value_and_grad
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    from reference.scratch.autodiff import value_and_grad

    value, gradient = value_and_grad(task_loss)(params, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return gradient, value


# %% right: the way on without it
from reference.scratch.meta_sgd import meta_gradient


# %% wrong: the weights alone, as in MAML | entries for weights and rates
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    start = {name: Tensor(p) for name, p in params.items() if name.startswith("start.")}
    value = task_loss(params | start, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return grad(value, start, create_graph=False), detach(value)


# %% wrong: the rates are detached on their way into the step | cut off from the graph
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    constant = lambda rates: rule_of({name: detach(rate) for name, rate in rates.items()})
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=constant)
    return grad(value, leaves, create_graph=False), detach(value)


# %% wrong: the direction that goes down, in place of the gradient | sign is turned
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return {name: -g for name, g in grad(value, leaves, create_graph=False).items()}, detach(value)


# %% wrong: the loss comes first | in this order
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return detach(value), grad(value, leaves, create_graph=False)


# %% wrong: a prefix is lost | entries for weights and rates
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return part(grad(value, leaves, create_graph=False), "rate"), detach(value)


# %% wrong: the number of steps is not handed on | who gets n_steps
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss)
    return grad(value, leaves, create_graph=False), detach(value)


# %% wrong: Tensors come back, with their graph | plain
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return grad(value, leaves), value


# %% wrong: the gradient of the support loss at the start | the pencil says
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    before = loss(part(leaves, "start"), episode.support)
    phi_gradient = grad(before, part(leaves, "start"), create_graph=False)
    twice = {f"{kind}.{name}": g for kind in ("start", "rate") for name, g in phi_gradient.items()}
    return twice, detach(value)


# %% right: a list of two
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {k: Tensor(p) for k, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return [grad(value, leaves, create_graph=False), detach(value)]


# %% wrong: the rule is not handed on | who gets rule_of
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {k: Tensor(p) for k, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps)
    return grad(value, leaves, create_graph=False), detach(value)


# %% wrong: the dict that was given is filled with Tensors | a dict of your own
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    for k in params:
        params[k] = Tensor(params[k])
    value = task_loss(params, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return grad(value, params, create_graph=False), detach(value)


# %% right: an argument at a time
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    gradient = {}
    for name in params:
        leaf = Tensor(np.array(params[name]))
        value = task_loss(params | {name: leaf}, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
        gradient[name] = grad(value, leaf, create_graph=False)
    return gradient, detach(value)


# %% right: weights and rates apart, and a loss as Python's number
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    start, rate = ({name: Tensor(p) for name, p in part(params, of).items()} for of in ("start", "rate"))
    value = task_loss(join(start=start, rate=rate), episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    apart = {"start": grad(value, start), "rate": grad(value, rate, create_graph=False)}
    plain = {of: {name: detach(g) for name, g in found.items()} for of, found in apart.items()}
    return join(**plain), float(detach(value))


# %% wrong: first order | counts as constant
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    on_support, rule = lambda p: loss(p, episode.support), rule_of(part(leaves, "rate"))
    phi = unroll(on_support, part(leaves, "start"), rule, n_steps, first_order=True)
    value = loss(phi, episode.query)
    return grad(value, leaves, create_graph=False), detach(value)


# %% wrong: the gradient alone, without the loss | in this order
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return grad(value, leaves, create_graph=False)


# %% wrong: arrays stay arrays, so that the engine sees nothing | made Tensors
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    value = task_loss(params, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return grad(value, params, create_graph=False), detach(value)


# %% wrong: the loss beside it is that before the step | beside the gradient
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return grad(value, leaves, create_graph=False), detach(loss(part(leaves, "start"), episode.query))
