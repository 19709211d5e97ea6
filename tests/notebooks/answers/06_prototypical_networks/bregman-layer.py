# %% right: as in the chapter
def bregman_layer(value, gradient, centers):
    weights = gradient(centers)
    return weights, value(centers) - np.sum(weights * centers, axis=1)


# %% right: one class at a time
def bregman_layer(value, gradient, centers):
    weights = np.array([gradient(c) for c in centers])
    biases = np.array([value(c) - w @ c for w, c in zip(weights, centers, strict=True)])
    return weights, biases


# %% right: with einsum
def bregman_layer(value, gradient, centers):
    w = gradient(centers)
    return w, value(centers) - np.einsum("kd,kd->k", w, centers)


# %% right: lists
def bregman_layer(value, gradient, centers):
    w = [gradient(c[None])[0] for c in centers]
    return [list(row) for row in w], [value(c[None])[0] - sum(row * c) for row, c in zip(w, centers)]


# %% wrong: what holds for the square is taken for all | derive the biases for any F
def bregman_layer(value, gradient, centers):
    return gradient(centers), -value(centers)


# %% wrong: the weights of the squared distance for every F | what multiplies z
def bregman_layer(value, gradient, centers):
    return 2 * centers, value(centers) - np.sum(2 * centers**2, axis=1)


# %% wrong: the tangent term is forgotten in the bias | which terms do not hold z
def bregman_layer(value, gradient, centers):
    return gradient(centers), value(centers)


# %% wrong: F(c) is forgotten in the bias | which terms do not hold z
def bregman_layer(value, gradient, centers):
    weights = gradient(centers)
    return weights, -np.sum(weights * centers, axis=1)


# %% wrong: the dot product sums over the classes as well | one bias a class
def bregman_layer(value, gradient, centers):
    weights = gradient(centers)
    return weights, np.sum(value(centers)) - np.sum(weights * centers)


# %% wrong: minus the gradient's own square, right for the square | derive the biases for any F
def bregman_layer(value, gradient, centers):
    w = gradient(centers)
    return w, -np.sum(w**2, axis=1) / 4


# %% wrong: one array of both | expected a pair
def bregman_layer(value, gradient, centers):
    w = gradient(centers)
    return np.concatenate([w, (value(centers) - np.sum(w * centers, axis=1))[:, None]], axis=1)


# %% right: biases that are all moved alike, which changes no probability
def bregman_layer(value, gradient, centers):
    w = gradient(centers)
    b = value(centers) - np.sum(w * centers, axis=1)
    return w, b - b.max()
