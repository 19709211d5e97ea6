# %% right: as in the chapter
def squared_distances(a, b):
    return np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=-1)


def log_probabilities(queries, prototypes):
    return log_softmax(-squared_distances(queries, prototypes), axis=1)


# %% right: multiplied out
def squared_distances(a, b):
    return np.sum(a**2, axis=1)[:, None] - 2 * a @ b.T + np.sum(b**2, axis=1)


def log_probabilities(queries, prototypes):
    return log_softmax(-squared_distances(queries, prototypes), axis=-1)


# %% right: one class at a time, and what all classes share is left out
def squared_distances(a, b):
    return np.stack([np.sum((a - b[j]) ** 2, axis=1) for j in range(len(b))], axis=1)


def log_probabilities(queries, prototypes):
    return log_softmax(2 * queries @ prototypes.T - np.sum(prototypes**2, axis=1), axis=1)


# %% right: the way on without it
from reference.scratch.prototypical import log_probabilities, squared_distances


# %% wrong: the square is undone by a root | a square is missing
def squared_distances(a, b):
    return np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=-1) ** 0.5


def log_probabilities(queries, prototypes):
    return log_softmax(-squared_distances(queries, prototypes), axis=1)


# %% wrong: the softmax runs over the queries | wrong axis
def squared_distances(a, b):
    return np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=-1)


def log_probabilities(queries, prototypes):
    return log_softmax(-squared_distances(queries, prototypes), axis=0)


# %% wrong: the farthest prototype is the most probable | log_probabilities
def squared_distances(a, b):
    return np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=-1)


def log_probabilities(queries, prototypes):
    return log_softmax(squared_distances(queries, prototypes), axis=1)


# %% wrong: probabilities, not their logarithms | a logarithm is missing
def squared_distances(a, b):
    return np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=-1)


def log_probabilities(queries, prototypes):
    return softmax(-squared_distances(queries, prototypes), axis=1)


# %% wrong: a mean over the coordinates | times what is expected
def squared_distances(a, b):
    return np.mean((a[:, None, :] - b[None, :, :]) ** 2, axis=-1)


def log_probabilities(queries, prototypes):
    return log_softmax(-squared_distances(queries, prototypes), axis=1)
