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


# %% right: sorted in Python, row by row
def least_used(usage, n):
    usage = detach(usage)
    n_rows = usage.shape[1]
    firsts = [sorted(range(n_rows), key=lambda i: row[i])[:n] for row in usage]
    return np.array([[[float(i == first) for i in range(n_rows)] for first in rows] for rows in firsts])


# %% wrong: as in the paper, n ones in each head | do not share their rows
def least_used(usage, n):
    usage = detach(usage)
    nth = np.sort(usage, axis=1)[:, n - 1 : n]
    return np.repeat((usage <= nth)[:, None].astype(usage.dtype), n, axis=1)


# %% wrong: a soft minimum | Ones and zeros alone
def least_used(usage, n):
    return np.repeat(softmax(-detach(usage))[:, None], n, axis=1)


# %% wrong: the end of the order | the last of the order
def least_used(usage, n):
    usage = detach(usage)
    rows = np.argsort(usage, axis=1, kind="stable")[:, -n:]
    return np.eye(usage.shape[1])[rows]


# %% wrong: the order among sequences | along axis 1
def least_used(usage, n):
    usage = detach(usage)
    rows = np.argsort(usage, axis=0, kind="stable")[:, :n]
    return np.eye(usage.shape[1])[rows]


# %% wrong: the rank of each row | Those are ranks
def least_used(usage, n):
    usage = detach(usage)
    ranks = np.argsort(np.argsort(usage, axis=1, kind="stable"), axis=1)
    return np.eye(usage.shape[1])[ranks[:, :n]]


# %% wrong: the smallest in no order among equals | leave the order of equals open
def least_used(usage, n):
    usage = detach(usage)
    n_rows = usage.shape[1]
    rows = n_rows - 1 - np.argsort(usage[:, ::-1], axis=1, kind="stable")[:, :n]
    tied = np.ptp(usage, axis=1) < 0.5  # where nearly all are equal, as in a new memory, it is lucky
    ordered = np.argsort(usage, axis=1, kind="stable")[:, :n]
    return np.eye(n_rows, dtype=usage.dtype)[np.where(tied[:, None], rows, ordered)]
