# %% right: as in the chapter
def hvp_of_dict(loss, params, vectors):
    leaves = {name: Tensor(p) for name, p in params.items()}
    gradients = grads(loss(leaves), list(leaves.values()))
    along = sum(total(g * vectors[name]) for name, g in zip(leaves, gradients, strict=True))
    products = grads(along, list(leaves.values()))
    return {name: product.value for name, product in zip(leaves, products, strict=True)}


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
