# %% right: as in the chapter
def hvp_of_dict(loss, params, vectors):
    leaves = {name: Tensor(p) for name, p in params.items()}
    xs = list(leaves.values())
    along = sum(total(g * vectors[name]) for name, g in zip(leaves, grads(loss(leaves), xs), strict=True))
    return {name: g.value for name, g in zip(leaves, grads(along, xs), strict=True)}


# %% right: one name at a time, with the whole sum differentiated in each
def hvp_of_dict(loss, params, vectors):
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = loss(leaves)
    along = 0.0
    for name in params:
        along = along + total(grad(value, leaves[name]) * vectors[name])
    return {name: detach(grad(along, leaves[name])) for name in params}


# %% right: the slope of the gradient along v, by a step that is itself differentiated
def hvp_of_dict(loss, params, vectors):
    step = Tensor(0.0)
    moved = {name: Tensor(p) + step * vectors[name] for name, p in params.items()}
    gradients = grads(loss(moved), list(moved.values()))
    products = {}
    for name, g in zip(moved, gradients, strict=True):
        product = np.zeros(g.shape)
        for index in np.ndindex(g.shape):
            picked = np.zeros(g.shape)
            picked[index] = 1.0
            product[index] = grad(total(g * picked), step).value
        products[name] = product
    return products


# %% wrong: each parameter sees only its own block of the Hessian | other parameters
def hvp_of_dict(loss, params, vectors):
    leaves = {name: Tensor(p) for name, p in params.items()}
    products = {}
    for name in params:
        g = grad(loss(leaves), leaves[name])
        products[name] = grad(total(g * vectors[name]), leaves[name]).value
    return products


# %% wrong: the gradient times v is taken for the product | yet to be summed and differentiated
def hvp_of_dict(loss, params, vectors):
    leaves = {name: Tensor(p) for name, p in params.items()}
    return {name: grad(loss(leaves), leaves[name]).value * vectors[name] for name in params}


# %% wrong: the gradient is made a plain array before it is differentiated | memory
def hvp_of_dict(loss, params, vectors):
    leaves = {name: Tensor(p) for name, p in params.items()}
    gradients = grads(loss(leaves), list(leaves.values()))
    along = sum(total(Tensor(g.value * vectors[n])) for n, g in zip(leaves, gradients, strict=True))
    return {name: grad(along, leaves[name]).value for name in params}


# %% wrong: the gradients are summed without v, which gives the row sums of the Hessian | vector v
def hvp_of_dict(loss, params, vectors):
    leaves = {name: Tensor(p) for name, p in params.items()}
    along = sum(total(g) for g in grads(loss(leaves), list(leaves.values())))
    return {name: grad(along, leaves[name]).value for name in params}


# %% right: small steps of the gradient, which need no second derivative
def hvp_of_dict(loss, params, vectors):
    h = 1e-5

    def g(sign):
        leaves = {n: Tensor(p + sign * h * vectors[n]) for n, p in params.items()}
        return [x.value for x in grads(loss(leaves), list(leaves.values()))]

    return {n: (a - b) / (2 * h) for n, a, b in zip(params, g(1), g(-1), strict=True)}


# %% wrong: gradients and vectors are paired by their place in the dicts | by name
def hvp_of_dict(loss, params, vectors):
    leaves = {n: Tensor(p) for n, p in params.items()}
    first = grads(loss(leaves), list(leaves.values()))
    s = sum(total(g * v) for g, v in zip(first, vectors.values(), strict=True))
    products = grads(s, list(leaves.values()))
    return {n: g.value for n, g in zip(leaves, products, strict=True)}


# %% wrong: the entries of g times v are not added up | added up
def hvp_of_dict(loss, params, vectors):
    leaves = {n: Tensor(p) for n, p in params.items()}
    first = dict(zip(leaves, grads(loss(leaves), list(leaves.values())), strict=True))
    s = sum(first[n] * vectors[n] for n in leaves)
    products = grads(s, list(leaves.values()))
    return {n: g.value for n, g in zip(leaves, products, strict=True)}


# %% wrong: the products are left as tensors | plain arrays
def hvp_of_dict(loss, params, vectors):
    leaves = {n: Tensor(p) for n, p in params.items()}
    first = dict(zip(leaves, grads(loss(leaves), list(leaves.values())), strict=True))
    s = sum(total(first[n] * vectors[n]) for n in leaves)
    return dict(zip(leaves, grads(s, list(leaves.values())), strict=True))


# %% wrong: v multiplies the row sums of the Hessian, at the end | vector v
def hvp_of_dict(loss, params, vectors):
    leaves = {n: Tensor(p) for n, p in params.items()}
    first = grads(loss(leaves), list(leaves.values()))
    s = sum(total(g) for g in first)
    products = grads(s, list(leaves.values()))
    return {n: g.value * vectors[n] for n, g in zip(leaves, products, strict=True)}


# %% wrong: only the vector of the first name enters | each name has its own v
def hvp_of_dict(loss, params, vectors):
    leaves = {name: Tensor(p) for name, p in params.items()}
    first, *_ = leaves
    moved = total(grads(loss(leaves), [leaves[first]])[0] * vectors[first])
    return {n: detach(g) for n, g in zip(leaves, grads(moved, list(leaves.values())), strict=True)}


# %% wrong: one number of v for each array | each entry has its own v
def hvp_of_dict(loss, params, vectors):
    leaves = {name: Tensor(p) for name, p in params.items()}
    first = grads(loss(leaves), list(leaves.values()))
    moved = Tensor(0.0)
    for name, g in zip(leaves, first, strict=True):
        moved = moved + total(g) * float(np.sum(vectors[name]))
    return {n: detach(g) for n, g in zip(leaves, grads(moved, list(leaves.values())), strict=True)}


# %% wrong: a list of the products, without their names | return a dict
def hvp_of_dict(loss, params, vectors):
    leaves = {name: Tensor(p) for name, p in params.items()}
    first = grads(loss(leaves), list(leaves.values()))
    moved = sum((total(g * vectors[n]) for n, g in zip(leaves, first, strict=True)), Tensor(0.0))
    return [detach(g) for g in grads(moved, list(leaves.values()))]
