# %% right: as in the chapter
def layer_gradient(weight, x, alike, *, margin):
    delta = x[:, 0] - x[:, 1]
    moved = delta @ weight.T
    length = np.sqrt(np.sum(moved**2, axis=1))
    push = -np.maximum(0, margin - length) / np.where(length == 0, 1, length)
    return (np.where(alike == 1, 1, push)[:, None] * moved).T @ delta / len(x)


# %% right: one pair after the other, as a list
def layer_gradient(weight, x, alike, *, margin):
    total = np.zeros_like(weight)
    for (a, b), kind in zip(x, alike):
        d = weight @ (a - b)
        length = np.linalg.norm(d)
        if kind == 1:
            total += np.outer(d, a - b)
        elif 0 < length < margin:
            total -= (margin - length) / length * np.outer(d, a - b)
    return (total / len(x)).tolist()


# %% right: both twins apart, and added
def layer_gradient(weight, x, alike, *, margin):
    z = np.einsum("dk,nck->ncd", weight, x)
    away = z[:, 0] - z[:, 1]
    length = np.linalg.norm(away, axis=1, keepdims=True)
    unit = np.divide(away, length, out=np.zeros_like(away), where=length > 0)
    g = np.where(alike[:, None] == 1, away, -np.clip(margin - length, 0, None) * unit) / len(x)
    return g.T @ x[:, 0] - g.T @ x[:, 1]


# %% right: single precision
def layer_gradient(weight, x, alike, *, margin):
    delta = (x[:, 0] - x[:, 1]).astype(np.float32)
    moved = delta @ weight.T.astype(np.float32)
    length = np.maximum(np.linalg.norm(moved, axis=1), np.float32(1e-12))
    factor = np.where(alike == 1, 1, np.minimum(0, 1 - margin / length))
    return np.einsum("n,nd,nk->dk", factor.astype(np.float32), moved, delta) / len(x)


# %% wrong: downhill | uphill
def layer_gradient(weight, x, alike, *, margin):
    delta = x[:, 0] - x[:, 1]
    moved = delta @ weight.T
    length = np.maximum(np.linalg.norm(moved, axis=1), 1e-12)
    factor = np.where(alike == 1, -1, np.maximum(0, margin / length - 1))
    return (factor[:, None] * moved).T @ delta / len(x)


# %% wrong: the half is lost with the square | where is the half
def layer_gradient(weight, x, alike, *, margin):
    delta = x[:, 0] - x[:, 1]
    moved = delta @ weight.T
    length = np.maximum(np.linalg.norm(moved, axis=1), 1e-12)
    factor = np.where(alike == 1, 2, 2 * np.minimum(0, 1 - margin / length))
    return (factor[:, None] * moved).T @ delta / len(x)


# %% wrong: the sum over pairs | times too large
def layer_gradient(weight, x, alike, *, margin):
    delta = x[:, 0] - x[:, 1]
    moved = delta @ weight.T
    length = np.maximum(np.linalg.norm(moved, axis=1), 1e-12)
    factor = np.where(alike == 1, 1, np.minimum(0, 1 - margin / length))
    return (factor[:, None] * moved).T @ delta


# %% wrong: only the second twin is counted, the first is held still | expected
def layer_gradient(weight, x, alike, *, margin):
    delta = x[:, 0] - x[:, 1]
    moved = delta @ weight.T
    length = np.maximum(np.linalg.norm(moved, axis=1), 1e-12)
    factor = np.where(alike == 1, 1, np.minimum(0, 1 - margin / length))
    return -(factor[:, None] * moved).T @ x[:, 1] / len(x)


# %% wrong: a pair beyond the margin is pulled back | beyond the margin
def layer_gradient(weight, x, alike, *, margin):
    delta = x[:, 0] - x[:, 1]
    moved = delta @ weight.T
    length = np.maximum(np.linalg.norm(moved, axis=1), 1e-12)
    factor = np.where(alike == 1, 1, 1 - margin / length)
    return (factor[:, None] * moved).T @ delta / len(x)


# %% wrong: the push is not divided by the distance | two classes, margin 6
def layer_gradient(weight, x, alike, *, margin):
    delta = x[:, 0] - x[:, 1]
    moved = delta @ weight.T
    length = np.linalg.norm(moved, axis=1)
    factor = np.where(alike == 1, 1, -np.maximum(0, margin - length))
    return (factor[:, None] * moved).T @ delta / len(x)


# %% wrong: divided by a distance of 0 | slope of a pair at distance 0
def layer_gradient(weight, x, alike, *, margin):
    delta = x[:, 0] - x[:, 1]
    moved = delta @ weight.T
    length = np.linalg.norm(moved, axis=1)
    with np.errstate(all="ignore"):
        factor = np.where(alike == 1, 1, -np.maximum(0, margin - length) / length)
        return (factor[:, None] * moved).T @ delta / len(x)


# %% wrong: the gradient in the embeddings, not in the weights | shape of weight
def layer_gradient(weight, x, alike, *, margin):
    return (x[:, 0] - x[:, 1]) @ weight.T


# %% wrong: by the engine | without the engine
def layer_gradient(weight, x, alike, *, margin):
    leaf = Tensor(weight)
    d = norm((x[:, 0] - x[:, 1]) @ leaf.T, axis=-1)
    return grad(np.mean(np.where(alike == 1, d**2, relu(margin - d) ** 2)) / 2, leaf)
