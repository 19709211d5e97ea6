# %% right: as in the chapter
def loss_gradient(queries, query_y, support, support_y, n_way):
    centers = prototypes(support, support_y, n_way)
    errors = np.exp(log_probabilities(queries, centers)) - np.eye(n_way)[query_y]
    errors = errors / len(queries)
    in_centers = 2 * (errors.T @ queries - errors.sum(axis=0)[:, None] * centers)
    shots = np.bincount(support_y, minlength=n_way)
    return 2 * errors @ centers, (in_centers / shots[:, None])[support_y]


# %% right: loops, and lists for a result
def loss_gradient(queries, query_y, support, support_y, n_way):
    centers = [np.mean([x for x, y in zip(support, support_y) if y == k], axis=0) for k in range(n_way)]
    in_queries, in_support = np.zeros_like(queries), np.zeros_like(support)
    for i, z in enumerate(queries):
        weights = np.exp([-np.sum((z - c) ** 2) for c in centers])
        for k, c in enumerate(centers):
            error = (weights[k] / weights.sum() - (k == query_y[i])) / len(queries)
            in_queries[i] += -2 * error * (z - c)
            for j in np.flatnonzero(support_y == k):
                in_support[j] += 2 * error * (z - c) / np.sum(support_y == k)
    return [in_queries.tolist(), in_support.tolist()]


# %% right: single precision
def loss_gradient(queries, query_y, support, support_y, n_way):
    z, s = queries.astype(np.float32), support.astype(np.float32)
    belongs = np.eye(n_way, dtype=np.float32)[support_y]
    belongs /= belongs.sum(axis=0)
    c = belongs.T @ s
    e = softmax(2 * z @ c.T - (c**2).sum(axis=1), axis=1)
    e[np.arange(len(z)), query_y] -= 1
    e *= np.float32(2 / len(z))
    return e @ c, belongs @ (e.T @ z - e.sum(axis=0)[:, None] * c)


# %% wrong: uphill is taken for downhill | which way
def loss_gradient(queries, query_y, support, support_y, n_way):
    c = prototypes(support, support_y, n_way)
    e = 2 * (np.exp(log_probabilities(queries, c)) - np.eye(n_way)[query_y]) / len(queries)
    in_centers = (e.T @ queries - e.sum(axis=0)[:, None] * c) / np.bincount(support_y)[:, None]
    return -e @ c, -in_centers[support_y]


# %% wrong: the 2 of the square is left out | slope of a square
def loss_gradient(queries, query_y, support, support_y, n_way):
    c = prototypes(support, support_y, n_way)
    e = (np.exp(log_probabilities(queries, c)) - np.eye(n_way)[query_y]) / len(queries)
    in_centers = (e.T @ queries - e.sum(axis=0)[:, None] * c) / np.bincount(support_y)[:, None]
    return e @ c, in_centers[support_y]


# %% wrong: the sum over the queries, not their mean | times too large
def loss_gradient(queries, query_y, support, support_y, n_way):
    c = prototypes(support, support_y, n_way)
    e = 2 * (np.exp(log_probabilities(queries, c)) - np.eye(n_way)[query_y])
    in_centers = (e.T @ queries - e.sum(axis=0)[:, None] * c) / np.bincount(support_y)[:, None]
    return e @ c, in_centers[support_y]


# %% wrong: each example gets the pull on its prototype whole | whole pull
def loss_gradient(queries, query_y, support, support_y, n_way):
    c = prototypes(support, support_y, n_way)
    e = 2 * (np.exp(log_probabilities(queries, c)) - np.eye(n_way)[query_y]) / len(queries)
    return e @ c, (e.T @ queries - e.sum(axis=0)[:, None] * c)[support_y]


# %% wrong: divided by the mean number of shots | does every class take part
def loss_gradient(queries, query_y, support, support_y, n_way):
    c = prototypes(support, support_y, n_way)
    e = 2 * (np.exp(log_probabilities(queries, c)) - np.eye(n_way)[query_y]) / len(queries)
    return e @ c, (e.T @ queries - e.sum(axis=0)[:, None] * c)[support_y] * n_way / len(support)


# %% wrong: the prototypes are held still | add up to 0
def loss_gradient(queries, query_y, support, support_y, n_way):
    c = prototypes(support, support_y, n_way)
    e = 2 * (np.exp(log_probabilities(queries, c)) - np.eye(n_way)[query_y]) / len(queries)
    return e @ c, np.zeros_like(support)


# %% wrong: only the own class pulls | which way
def loss_gradient(queries, query_y, support, support_y, n_way):
    c = prototypes(support, support_y, n_way)
    in_queries = 2 * (queries - c[query_y]) / len(queries)
    return in_queries, np.zeros_like(support)


# %% wrong: the first query stands for all | does every class take part, for every query
def loss_gradient(queries, query_y, support, support_y, n_way):
    c = prototypes(support, support_y, n_way)
    e = 2 * (np.exp(log_probabilities(queries[:1], c)) - np.eye(n_way)[query_y[:1]])
    e = np.repeat(e, len(queries), axis=0) / len(queries)
    in_centers = (e.T @ queries - e.sum(axis=0)[:, None] * c) / np.bincount(support_y)[:, None]
    return e @ c, in_centers[support_y]


# %% wrong: the gradient in the prototypes in place of the support | has their shape
def loss_gradient(queries, query_y, support, support_y, n_way):
    c = prototypes(support, support_y, n_way)
    e = 2 * (np.exp(log_probabilities(queries, c)) - np.eye(n_way)[query_y]) / len(queries)
    found = e.T @ queries - e.sum(axis=0)[:, None] * c
    return e @ c, found[:1]


# %% wrong: only one of the two | expected a pair
def loss_gradient(queries, query_y, support, support_y, n_way):
    c = prototypes(support, support_y, n_way)
    return 2 * (np.exp(log_probabilities(queries, c)) - np.eye(n_way)[query_y]) @ c / len(queries)
