# %% right: as in the chapter
def prototypes(embedded, labels, n_way):
    belongs = (labels[:, None] == np.arange(n_way)).astype(embedded.dtype)
    return belongs.T @ embedded / belongs.sum(axis=0)[:, None]


# %% right: one class at a time
def prototypes(embedded, labels, n_way):
    return np.stack([embedded[labels == k].mean(axis=0) for k in range(n_way)])


# %% right: weights that already hold the division
def prototypes(embedded, labels, n_way):
    weights = np.zeros((n_way, len(labels)))
    for i, k in enumerate(labels):
        weights[k, i] = 1 / np.sum(labels == k)
    return weights @ embedded


# %% right: the way on without it
from reference.scratch.prototypical import prototypes


# %% wrong: sums, not means | divided by the wrong count
def prototypes(embedded, labels, n_way):
    belongs = (labels[:, None] == np.arange(n_way)).astype(embedded.dtype)
    return belongs.T @ embedded


# %% wrong: all classes are taken to be equally large | divided by the wrong count
def prototypes(embedded, labels, n_way):
    belongs = (labels[:, None] == np.arange(n_way)).astype(embedded.dtype)
    return belongs.T @ embedded * (n_way / len(labels))


# %% wrong: rows are taken to be sorted by class | largest difference
def prototypes(embedded, labels, n_way):
    return embedded.reshape(n_way, -1, embedded.shape[1]).mean(axis=1)


# %% wrong: the first example stands for its class | largest difference
def prototypes(embedded, labels, n_way):
    return np.stack([embedded[np.flatnonzero(labels == k)[0]] for k in range(n_way)])


# %% wrong: one mean of everything | shape
def prototypes(embedded, labels, n_way):
    return embedded.mean(axis=0)
