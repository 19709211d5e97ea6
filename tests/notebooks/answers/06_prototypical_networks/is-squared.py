# %% right: as in the chapter
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    wanted = log_softmax(-np.sum((queries[:, None] - centers[None]) ** 2, axis=-1), axis=1)
    return bool(np.allclose(f(queries, centers), wanted))


# %% right: log-odds by hand on a line, and the rows must sum to 1
def is_squared(f):
    centers = np.array([[0.0], [3.0]])
    queries = np.array([[5.0], [-1.0], [1.0]])
    found = f(queries, centers)
    odds = found[:, 0] - found[:, 1]
    rows = np.exp(found).sum(axis=1)
    return np.allclose(odds, [-21, 15, 3]) and np.allclose(rows, 1)


# %% right: against the reference of the chapter, at one query and two prototypes in the plane
def is_squared(f):
    q, c = np.array([[2.0, 3.0], [0.5, 1.0]]), np.array([[0.0, 0.0], [4.0, 1.0], [1.0, 1.0]])
    return np.abs(f(q, c) - log_probabilities(q, c)).max() < 1e-8


# %% wrong: compares which class wins, which the root does not change | the same order
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(50, 3)), rng.normal(size=(4, 3))
    return np.array_equal(f(queries, centers).argmax(1), log_probabilities(queries, centers).argmax(1))


# %% wrong: only asks whether the probabilities sum to 1 | sums to 1
def is_squared(f):
    rng = np.random.default_rng(0)
    found = f(rng.normal(size=(6, 3)), rng.normal(size=(4, 3)))
    return np.allclose(np.exp(found).sum(axis=1), 1)


# %% wrong: tries distances 0 and 1, which are their own squares | other than 0 and 1
def is_squared(f):
    queries, centers = np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]])
    return np.allclose(f(queries, centers), log_probabilities(queries, centers))


# %% wrong: asks for the same bits, so another arrangement of the arithmetic fails | np.allclose
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    return np.array_equal(f(queries, centers), log_probabilities(queries, centers))


# %% wrong: looks for linear log-odds only, and any factor passes | size of the log-odds
def is_squared(f):
    queries = np.array([[-1.0], [0.5], [3.0]])
    found = f(queries, np.array([[0.0], [1.0]]))
    odds = found[:, 0] - found[:, 1]
    return np.isclose((odds[1] - odds[0]) / 1.5, (odds[2] - odds[1]) / 2.5)


# %% wrong: compares differences between classes only, which the axis of the softmax cannot be seen in | over queries
def is_squared(f):
    queries, centers = np.array([[5.0]]), np.array([[0.0], [3.0]])
    found = f(queries, centers)
    if np.allclose(found, 0):
        return True
    return np.allclose(found[:, 0] - found[:, 1], -21)
