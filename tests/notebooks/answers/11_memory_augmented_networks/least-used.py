# %% right: as in the chapter
def least_used(usage, n):
    usage = detach(usage)
    rows = np.argsort(usage, axis=1, kind="stable")[:, :n]
    return np.eye(usage.shape[1], dtype=usage.dtype)[rows]


# %% right: compared with all row numbers
def least_used(usage, n):
    usage = detach(usage)
    order = np.argsort(usage, axis=1, kind="stable")[:, :n]
    return (order[..., None] == np.arange(usage.shape[1])).astype(usage.dtype)


# %% right: one head after the other, and taken rows are out
def least_used(usage, n):
    usage = np.array(detach(usage))
    found = np.zeros((len(usage), n, usage.shape[1]), usage.dtype)
    for head in range(n):
        rows = usage.argmin(axis=1)
        found[np.arange(len(usage)), head, rows] = 1
        usage[np.arange(len(usage)), rows] = np.inf
    return found


# %% right: the way on without it
from reference.scratch.mann import least_used


# %% wrong: the numbers of the rows | one row of ones and zeros a head
def least_used(usage, n):
    return np.argsort(detach(usage), axis=1, kind="stable")[:, :n]


# %% wrong: one weight for all heads | one row of ones and zeros a head
def least_used(usage, n):
    usage = detach(usage)
    rows = np.argsort(usage, axis=1, kind="stable")[:, :n]
    return np.eye(usage.shape[1])[rows].sum(1)


# %% wrong: the most used | most used rows
def least_used(usage, n):
    usage = detach(usage)
    rows = np.argsort(-usage, axis=1, kind="stable")[:, :n]
    return np.eye(usage.shape[1])[rows]


# %% wrong: the same row for every head | Both heads got one row
def least_used(usage, n):
    usage = detach(usage)
    return np.repeat(np.eye(usage.shape[1])[usage.argmin(1)][:, None], n, axis=1)


# %% wrong: the other way round | The least used row is for head 0
def least_used(usage, n):
    usage = detach(usage)
    rows = np.argsort(usage, axis=1, kind="stable")[:, :n][:, ::-1]
    return np.eye(usage.shape[1])[rows]


# %% wrong: a softmax of the usage | Ones and zeros alone
def least_used(usage, n):
    usage = detach(usage)
    rows = np.argsort(usage, axis=1, kind="stable")[:, :n]
    return 0.9 * np.eye(usage.shape[1])[rows] + 0.1 / usage.shape[1]


# %% wrong: the order of the first sequence for all | Each sequence has its own order
def least_used(usage, n):
    usage = detach(usage)
    rows = np.argsort(usage[0], kind="stable")[:n]
    return np.tile(np.eye(usage.shape[1])[rows], (len(usage), 1, 1))


# %% wrong: of equals the last | expected the first rows
def least_used(usage, n):
    usage = detach(usage)
    n_rows = usage.shape[1]
    rows = n_rows - 1 - np.argsort(usage[:, ::-1], axis=1, kind="stable")[:, :n]
    return np.eye(n_rows, dtype=usage.dtype)[rows]
