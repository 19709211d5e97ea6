# %% right: as in the chapter
def hvp(loss, theta, v):
    t = Tensor(theta)
    return grad(total(grad(loss(t), t) * v), t).value


# %% right: the way on
from reference.checks import lent

hvp = lent.hvp_by(grads, Tensor)


# %% right: small steps of the gradient along v
def hvp(loss, theta, v):
    def slope(t):
        return grad(loss(t), t).value

    h = 1e-5
    return (slope(Tensor(theta + h * v)) - slope(Tensor(theta - h * v))) / (2 * h)


# %% right: forward along v, as the slope in s of the gradient at theta + s v, by a second walk through a dummy
def hvp(loss, theta, v):
    t, dummy = Tensor(theta), Tensor(v)
    (g,) = grads(loss(t), [t])
    (product,) = grads(total(dummy * g), [t])
    return detach(product)


# %% wrong: the gradient is detached | cut from its memory
def hvp(loss, theta, v):
    t = Tensor(theta)
    return grad(total(Tensor(grad(loss(t), t).value) * v), t).value


# %% wrong: the sums of the rows of the Hessian | where does v enter
def hvp(loss, theta, v):
    t = Tensor(theta)
    return grad(total(grad(loss(t), t)), t).value


# %% wrong: v multiplies the sums of the rows at the end | that is (24, 8)
def hvp(loss, theta, v):
    t = Tensor(theta)
    return grad(total(grad(loss(t), t)), t).value * v


# %% wrong: the gradient times v, differentiated no more | one entry for each
def hvp(loss, theta, v):
    t = Tensor(theta)
    return np.asarray(total(grad(loss(t), t) * v).value)


# %% wrong: a tensor | return an array
def hvp(loss, theta, v):
    t = Tensor(theta)
    return grad(total(grad(loss(t), t) * v), t)


# %% wrong: the products are not added up | added up
def hvp(loss, theta, v):
    t = Tensor(theta)
    return grad(grad(loss(t), t) * v, t).value


# %% wrong: only the diagonal of the Hessian | moves the second slope
def hvp(loss, theta, v):
    out = np.zeros(theta.shape)
    for i in range(theta.size):
        one = np.zeros(theta.shape)
        one.flat[i] = 1.0
        t = Tensor(theta)
        out.flat[i] = grad(total(grad(loss(t), t) * one), t).value.flat[i]
    return out * v
