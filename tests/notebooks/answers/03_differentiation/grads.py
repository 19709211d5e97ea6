# %% right: as in the chapter
def grads(y, xs):
    if y.shape != ():
        raise ValueError(f"y: only a scalar has a gradient, this has shape {y.shape}; take total(y).")
    path = between(xs, y)
    on_path, gradients = set(path), {y: Tensor(1.0)}
    for tensor in path:
        for parent, vjp in tensor.parents:
            if parent in on_path:
                g = sum_to(vjp(gradients[tensor]), parent.shape)
                gradients[parent] = gradients[parent] + g if parent in gradients else g
    return [gradients.get(x, Tensor(np.zeros(x.shape))) for x in xs]


# %% right: the way on
from reference.checks.lent import grads


# %% right: every operand is gone to, in a list of what arrives, summed when it is its turn
def grads(y, xs):
    if y.shape != ():
        raise ValueError("y: only a scalar has a gradient.")
    arrived = {tensor: [] for tensor in ancestors(y)}
    arrived[y].append(Tensor(np.ones(())))
    done = {}
    for tensor in between(xs, y):
        g = arrived[tensor][0]
        for more in arrived[tensor][1:]:
            g = add(g, more)
        done[tensor] = g
        for parent, vjp in tensor.parents:
            arrived[parent].append(sum_to(vjp(g), parent.shape))
    return [done[x] if x in done and x in arrived else Tensor(0.0 * x.value) for x in xs]


# %% wrong: a later gradient replaces an earlier one | each of them count
def grads(y, xs):
    path = between(xs, y)
    on_path, gradients = set(path), {y: Tensor(1.0)}
    for tensor in path:
        for parent, vjp in tensor.parents:
            if parent in on_path:
                gradients[parent] = sum_to(vjp(gradients[tensor]), parent.shape)
    return [gradients.get(x, Tensor(np.zeros(x.shape))) for x in xs]


# %% wrong: plain arrays come back | a list of tensors
def grads(y, xs):
    path = between(xs, y)
    on_path, gradients = set(path), {y: Tensor(1.0)}
    for tensor in path:
        for parent, vjp in tensor.parents:
            if parent in on_path:
                g = sum_to(vjp(gradients[tensor]), parent.shape)
                gradients[parent] = gradients[parent] + g if parent in gradients else g
    return [detach(gradients.get(x, np.zeros(x.shape))) for x in xs]


# %% wrong: the gradients lose their memory on the way | has forgotten x
def grads(y, xs):
    path = between(xs, y)
    on_path, gradients = set(path), {y: Tensor(1.0)}
    for tensor in path:
        for parent, vjp in tensor.parents:
            if parent in on_path:
                g = sum_to(vjp(gradients[tensor]), parent.shape)
                g = gradients[parent] + g if parent in gradients else g
                gradients[parent] = Tensor(g.value)
    return [gradients.get(x, Tensor(np.zeros(x.shape))) for x in xs]


# %% wrong: the shape of what was repeated is not mended | shape (3,)
def grads(y, xs):
    path = between(xs, y)
    on_path, gradients = set(path), {y: Tensor(1.0)}
    for tensor in path:
        for parent, vjp in tensor.parents:
            if parent in on_path:
                g = vjp(gradients[tensor])
                gradients[parent] = gradients[parent] + g if parent in gradients else g
    return [gradients.get(x, Tensor(np.zeros(x.shape))) for x in xs]


# %% wrong: recursion that goes every path by itself | when it is complete
def grads(y, xs):
    path, gradients = set(between(xs, y)), {}

    def send(tensor, g):
        gradients[tensor] = gradients[tensor] + g if tensor in gradients else g
        for parent, vjp in tensor.parents:
            if parent in path:
                send(parent, sum_to(vjp(g), parent.shape))

    send(y, Tensor(1.0))
    return [gradients.get(x, Tensor(np.zeros(x.shape))) for x in xs]


# %% wrong: the walk starts with y, not with its slope of 1 | the slope 32
def grads(y, xs):
    path = between(xs, y)
    on_path, gradients = set(path), {y: y}
    for tensor in path:
        for parent, vjp in tensor.parents:
            if parent in on_path:
                g = sum_to(vjp(gradients[tensor]), parent.shape)
                gradients[parent] = gradients[parent] + g if parent in gradients else g
    return [gradients.get(x, Tensor(np.zeros(x.shape))) for x in xs]


# %% wrong: in the order of the walk in place of that of xs | order of xs
def grads(y, xs):
    path = between(xs, y)
    on_path, gradients = set(path), {y: Tensor(1.0)}
    for tensor in path:
        for parent, vjp in tensor.parents:
            if parent in on_path:
                g = sum_to(vjp(gradients[tensor]), parent.shape)
                gradients[parent] = gradients[parent] + g if parent in gradients else g
    found = [g for tensor, g in gradients.items() if tensor in xs]
    return found + [Tensor(np.zeros(x.shape)) for x in xs if x not in gradients]


# %% wrong: a dict from tensor to gradient | return a list
def grads(y, xs):
    path = between(xs, y)
    on_path, gradients = set(path), {y: Tensor(1.0)}
    for tensor in path:
        for parent, vjp in tensor.parents:
            if parent in on_path:
                g = sum_to(vjp(gradients[tensor]), parent.shape)
                gradients[parent] = gradients[parent] + g if parent in gradients else g
    return gradients


# %% wrong: all ancestors of y are walked, whatever the xs are | is not asked for
def grads(y, xs):
    found = {y: Tensor(1.0)}
    for tensor in reversed(ancestors(y)):
        for parent, vjp in tensor.parents:
            g = sum_to(vjp(found[tensor]), parent.shape)
            found[parent] = found[parent] + g if parent in found else g
    return [found.get(x, Tensor(np.zeros(x.shape))) for x in xs]


# %% wrong: an x on which y does not depend is looked up all the same | zeros
def grads(y, xs):
    path = between(xs, y)
    found = {y: Tensor(1.0)}
    for tensor in path:
        for parent, vjp in tensor.parents:
            if parent in path:
                g = sum_to(vjp(found[tensor]), parent.shape)
                found[parent] = found[parent] + g if parent in found else g
    return [found[x] for x in xs]
