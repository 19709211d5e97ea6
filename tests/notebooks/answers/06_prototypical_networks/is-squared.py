# %% right: as in the chapter
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    wanted = log_softmax(-np.sum((queries[:, None] - centers[None]) ** 2, axis=-1), axis=1)
    return bool(np.allclose(f(queries, centers), wanted))


# %% right: log-odds by hand in the plane, and the rows must sum to 1
def is_squared(f):
    centers = np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]])
    queries = np.array([[3.0, 0.0], [-1.0, 1.0], [1.0, 2.0]])
    found = np.asarray(f(queries, centers))
    odds = found[:, :1] - found[:, 1:]
    return np.allclose(odds, [[7, -5], [23, 3], [3, -1]]) and np.allclose(np.exp(found).sum(axis=1), 1)


# %% right: against the reference of the chapter, at one query and two prototypes in the plane
def is_squared(f):
    q, c = np.array([[2.0, 3.0], [0.5, 1.0]]), np.array([[0.0, 0.0], [4.0, 1.0], [1.0, 1.0]])
    return np.abs(f(q, c) - log_probabilities(q, c)).max() < 1e-8


# %% wrong: compares which class wins, which the root does not change | the plain distance
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(50, 3)), rng.normal(size=(4, 3))
    return np.array_equal(f(queries, centers).argmax(1), log_probabilities(queries, centers).argmax(1))


# %% wrong: only asks whether the probabilities sum to 1 | the plain distance
def is_squared(f):
    rng = np.random.default_rng(0)
    found = f(rng.normal(size=(6, 3)), rng.normal(size=(4, 3)))
    return np.allclose(np.exp(found).sum(axis=1), 1)


# %% wrong: tries distances 0 and 1, which are their own squares | the plain distance
def is_squared(f):
    queries, centers = np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]])
    return np.allclose(f(queries, centers), log_probabilities(queries, centers))


# %% wrong: asks for the same bits, so another arrangement of the arithmetic fails | right up to rounding
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    return np.array_equal(f(queries, centers), log_probabilities(queries, centers))


# %% wrong: looks for linear log-odds only, and any factor passes | twice the squared distance
def is_squared(f):
    queries = np.array([[-1.0], [0.5], [3.0]])
    found = f(queries, np.array([[0.0], [1.0]]))
    odds = found[:, 0] - found[:, 1]
    return np.isclose((odds[1] - odds[0]) / 1.5, (odds[2] - odds[1]) / 2.5)


# %% wrong: log-odds of the first two classes only, so scores without a softmax pass | no softmax at all
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    odds = lambda found: found[:, 0] - found[:, 1]
    return np.allclose(odds(f(queries, centers)), odds(log_probabilities(queries, centers)))


# %% wrong: one coordinate, where a mean and a sum are one | a mean over coordinates
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(6, 1)), rng.normal(size=(4, 1))
    return np.allclose(f(queries, centers), log_probabilities(queries, centers))


# %% wrong: one query, which says nothing of several | the last query for all
def is_squared(f):
    queries, centers = np.array([[2.0, 1.0, 0.0]]), np.array([[1.0, 1.0, 2.0], [3.0, 2.0, 1.0]])
    return np.allclose(f(queries, centers), log_probabilities(queries, centers))


# %% wrong: the scores themselves are compared, though the softmax shifts them | right up to rounding
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    return np.allclose(f(queries, centers), -squared_distances(queries, centers))


# %% wrong: nothing is returned | true or false
def is_squared(f):
    found = f(np.zeros((2, 3)), np.ones((4, 3)))
    np.allclose(found, -np.log(4))


# %% wrong: prototypes of the same length, for which the biases are equal | without its biases
def is_squared(f):
    angles = np.array([0.0, 1.0, 2.5, 4.0])
    centers = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    queries = np.random.default_rng(0).normal(size=(5, 2))
    return np.allclose(f(queries, centers), log_probabilities(queries, centers))


# %% wrong: only the probability of the first class is looked at | turned order
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    return np.allclose(f(queries, centers)[:, 0], log_probabilities(queries, centers)[:, 0])


# %% wrong: only the first query is looked at | the first query for all
def is_squared(f):
    rng = np.random.default_rng(0)
    queries, centers = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    return np.allclose(f(queries, centers)[0], log_probabilities(queries, centers)[0])
