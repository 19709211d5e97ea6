# %% right: as in the chapter
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    scores, mine = v @ u / temperature, labels == y
    pull = softmax(scores, axis=0)
    pull[mine] -= softmax(scores[mine], axis=0)
    in_u = pull @ v / temperature
    return (in_u - in_u @ u * u) / np.linalg.norm(z)


# %% right: the projection as a matrix, exponentials with their largest taken out, a loop over examples
def query_gradient(z, support, labels, y, temperature):
    length = np.sqrt(np.sum(z**2))
    u = z / length
    directions = [row / np.sqrt(np.sum(row**2)) for row in support]
    s = np.array([row @ u for row in directions]) / temperature
    all_weights = np.exp(s - s.max())
    own_weights = np.where(labels == y, np.exp(s - s[labels == y].max()), 0)
    total = np.zeros(len(z))
    for a, b, row in zip(
        all_weights / all_weights.sum(), own_weights / own_weights.sum(), directions, strict=True
    ):
        total = total + (a - b) * row
    return (np.eye(len(z)) - np.outer(u, u)) @ total / (temperature * length)


# %% right: the derivative of the cosine written out
def query_gradient(z, support, labels, y, temperature):
    n, m = np.linalg.norm(z), np.linalg.norm(support, axis=1)
    cosine = support @ z / (n * m)
    slopes = support / (n * m)[:, None] - cosine[:, None] * z / n**2
    s = cosine / temperature
    a = np.exp(s - logsumexp(s, axis=0))
    b = np.where(labels == y, np.exp(s - logsumexp(s[labels == y], axis=0)), 0)
    return ((a - b)[:, None] * slopes).sum(axis=0) / temperature


# %% wrong: u is taken to be z, so the part along z stays | there is a part along z
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    scores, mine = v @ u / temperature, labels == y
    pull = softmax(scores, axis=0)
    pull[mine] -= softmax(scores[mine], axis=0)
    return pull @ v / temperature / np.linalg.norm(z)


# %% wrong: the sign is turned | its sign is turned
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    scores, mine = v @ u / temperature, labels == y
    pull = -softmax(scores, axis=0)
    pull[mine] += softmax(scores[mine], axis=0)
    in_u = pull @ v / temperature
    return (in_u - in_u @ u * u) / np.linalg.norm(z)


# %% wrong: the length of z is forgotten | times as long
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    scores, mine = v @ u / temperature, labels == y
    pull = softmax(scores, axis=0)
    pull[mine] -= softmax(scores[mine], axis=0)
    in_u = pull @ v / temperature
    return in_u - in_u @ u * u


# %% wrong: the temperature is forgotten in the chain | times as long
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    scores, mine = v @ u / temperature, labels == y
    pull = softmax(scores, axis=0)
    pull[mine] -= softmax(scores[mine], axis=0)
    in_u = pull @ v
    return (in_u - in_u @ u * u) / np.linalg.norm(z)


# %% wrong: all examples of the own class pull alike, as with a mean | with what weights
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    mine = labels == y
    pull = softmax(v @ u / temperature, axis=0) - mine / mine.sum()
    in_u = pull @ v / temperature
    return (in_u - in_u @ u * u) / np.linalg.norm(z)


# %% wrong: one minus for each example of the own class, as if each were right alone | with what weights
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    pull = softmax(v @ u / temperature, axis=0) - (labels == y)
    in_u = pull @ v / temperature
    return (in_u - in_u @ u * u) / np.linalg.norm(z)


# %% wrong: the support is not made of length 1 | times as long
def query_gradient(z, support, labels, y, temperature):
    u = z / np.linalg.norm(z)
    scores, mine = support @ u / temperature, labels == y
    pull = softmax(scores, axis=0)
    pull[mine] -= softmax(scores[mine], axis=0)
    in_u = pull @ support / temperature
    return (in_u - in_u @ u * u) / np.linalg.norm(z)


# %% wrong: exponentials that overflow at a low temperature | which exponentials are large
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    weights = np.exp(v @ u / temperature)
    own = weights * (labels == y)
    in_u = (weights / weights.sum() - own / own.sum()) @ v / temperature
    return (in_u - in_u @ u * u) / np.linalg.norm(z)


# %% wrong: the loss in place of its gradient | expected the shape
def query_gradient(z, support, labels, y, temperature):
    return loss_of_one(z, support, labels, y, temperature)


# %% wrong: nothing is returned | is a `return` missing
def query_gradient(z, support, labels, y, temperature):
    by_small_steps(lambda at: loss_of_one(at, support, labels, y, temperature), z)


# %% right: in float32, in place, as a list
def query_gradient(z, support, labels, y, temperature):
    z, support = z.astype(np.float32), support.astype(np.float32)
    length = np.linalg.norm(z)
    z /= length
    support /= np.linalg.norm(support, axis=1, keepdims=True)
    s = support @ z / np.float32(temperature)
    pull = softmax(s, axis=0) - softmax(np.where(labels == y, s, -np.inf), axis=0)
    in_u = pull @ support / np.float32(temperature)
    return ((in_u - (in_u @ z) * z) / length).tolist()


# %% wrong: only what pushes away, without the own class | with what weights
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    in_u = softmax(v @ u / temperature, axis=0) @ v / temperature
    return (in_u - in_u @ u * u) / np.linalg.norm(z)


# %% wrong: the same, and the part along z stays | with what weights
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    return softmax(v @ u / temperature, axis=0) @ v / temperature / np.linalg.norm(z)


# %% wrong: the sign is turned, and the length of z forgotten | its sign is turned
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    scores, mine = v @ u / temperature, labels == y
    pull = -softmax(scores, axis=0)
    pull[mine] += softmax(scores[mine], axis=0)
    in_u = pull @ v / temperature
    return in_u - in_u @ u * u


# %% wrong: the own class pulls, and the others do not push | weights of the two examples
def query_gradient(z, support, labels, y, temperature):
    u, v = z / np.linalg.norm(z), support / np.linalg.norm(support, axis=1)[:, None]
    own = np.where(labels == y, np.exp(v @ u / temperature), 0)
    in_u = -own / own.sum() @ v / temperature
    return (in_u - in_u @ u * u) / np.linalg.norm(z)
