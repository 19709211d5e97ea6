# %% right: as in the chapter
def shift(weights, shifts):
    n_rows, n_shifts = weights.shape[-1], shifts.shape[-1]
    moved = 0
    for n in range(n_shifts):
        came_from = (np.arange(n_rows) - (n - n_shifts // 2)) % n_rows
        moved = moved + shifts[..., n, None] * weights[..., came_from]
    return moved


# %% right: a matrix for each shift
def shift(weights, shifts):
    n_rows, reach = weights.shape[-1], shifts.shape[-1] // 2
    return sum(
        shifts[..., d + reach, None] * (weights @ np.roll(np.eye(n_rows), d, axis=1))
        for d in range(-reach, reach + 1)
    )


# %% right: the ring cut open and joined again
def shift(weights, shifts):
    reach = shifts.shape[-1] // 2
    total = shifts[..., reach, None] * weights
    for d in range(1, reach + 1):
        on = np.concatenate([weights[..., -d:], weights[..., :-d]], axis=-1)
        back = np.concatenate([weights[..., d:], weights[..., :d]], axis=-1)
        total = total + shifts[..., reach + d, None] * on + shifts[..., reach - d, None] * back
    return total


# %% right: equation 8 to the letter, a row at a time
def shift(weights, shifts):
    n, reach = weights.shape[-1], shifts.shape[-1] // 2
    rows = []
    for i in range(n):
        found = 0
        for j in range(n):
            for d in range(-reach, reach + 1):
                if (j + d) % n == i:
                    found = found + weights[..., j] * shifts[..., d + reach]
        rows.append(found)
    return np.stack(rows, axis=-1)


# %% right: the way on without it
from reference.scratch.nn.memory import shift


# %% wrong: the library's convolution, which does not turn the kernel round | wrong way
def shift(weights, shifts):
    n_rows, n_shifts = weights.shape[-1], shifts.shape[-1]
    moved = 0
    for n in range(n_shifts):
        came_from = (np.arange(n_rows) + (n - n_shifts // 2)) % n_rows
        moved = moved + shifts[..., n, None] * weights[..., came_from]
    return moved


# %% wrong: what leaves at the end is lost | comes back at the other
def shift(weights, shifts):
    nothing = 0 * weights[..., :1]
    on = np.concatenate([nothing, weights[..., :-1]], axis=-1)
    back = np.concatenate([weights[..., 1:], nothing], axis=-1)
    return shifts[..., 0, None] * back + shifts[..., 1, None] * weights + shifts[..., 2, None] * on


# %% wrong: the shifts are taken as 0, 1, 2 | begin at -1
def shift(weights, shifts):
    n_rows = weights.shape[-1]
    return sum(
        shifts[..., n, None] * weights[..., (np.arange(n_rows) - n) % n_rows] for n in range(shifts.shape[-1])
    )


# %% wrong: they are taken as 0, 1, -1, as an index counts | begin at -1
def shift(weights, shifts):
    n_rows = weights.shape[-1]
    by = {0: 0, 1: 1, 2: -1}
    return sum(shifts[..., n, None] * weights[..., (np.arange(n_rows) - by[n]) % n_rows] for n in range(3))


# %% wrong: only the most likely shift | a share each way
def shift(weights, shifts):
    best = int(detach(shifts).reshape(-1, shifts.shape[-1])[0].argmax()) - shifts.shape[-1] // 2
    return weights[..., (np.arange(weights.shape[-1]) - best) % weights.shape[-1]]


# %% wrong: three shifts are taken for granted | shift
def shift(weights, shifts):
    n_rows = weights.shape[-1]
    return sum(
        shifts[..., n, None] * weights[..., (np.arange(n_rows) - (n - 1)) % n_rows]
        for n in range(min(3, shifts.shape[-1]))
    )


# %% wrong: every head moves by the first head's shifts | shift
def shift(weights, shifts):
    n_rows, reach = weights.shape[-1], shifts.shape[-1] // 2
    return sum(
        shifts[:, :1, n, None] * weights[..., (np.arange(n_rows) - n + reach) % n_rows]
        for n in range(shifts.shape[-1])
    )


# %% wrong: the graph is cut | graph is cut
def shift(weights, shifts):
    w, s = detach(weights), detach(shifts)
    return sum(s[..., n, None] * np.roll(w, n - s.shape[-1] // 2, axis=-1) for n in range(s.shape[-1]))


# %% wrong: nothing is returned | return
def shift(weights, shifts):
    weights[..., (np.arange(weights.shape[-1]) - 1) % weights.shape[-1]]


# %% right: the rows come from a table of all sums
def shift(weights, shifts):
    n_rows, reach = weights.shape[-1], shifts.shape[-1] // 2
    table = (np.arange(n_rows)[:, None] - np.arange(-reach, reach + 1)) % n_rows
    return np.sum(weights[..., table] * shifts[..., None, :], axis=-1)


# %% wrong: each row to its own number plus the mean shift | a share each way
def shift(weights, shifts):
    n_rows, n_shifts = weights.shape[-1], shifts.shape[-1]
    mean = np.round(np.sum(detach(shifts) * (np.arange(n_shifts) - n_shifts // 2), axis=-1)).astype(int)
    rows = (np.arange(n_rows) - mean[..., None]) % n_rows
    return np.take_along_axis(detach(weights), rows, axis=-1)


# %% wrong: the shares are multiplied, not added | expected (0.2, 0.7, 0, 0.1)
def shift(weights, shifts):
    n_rows, n_shifts = weights.shape[-1], shifts.shape[-1]
    moved = 1
    for n in range(n_shifts):
        came_from = (np.arange(n_rows) - (n - n_shifts // 2)) % n_rows
        moved = moved * shifts[..., n, None] * weights[..., came_from]
    return moved


# %% wrong: one step after the other, each moving what the last has moved | expected (0.2, 0.7, 0, 0.1)
def shift(weights, shifts):
    n_rows, n_shifts = weights.shape[-1], shifts.shape[-1]
    for n in range(n_shifts):
        came_from = (np.arange(n_rows) - (n - n_shifts // 2)) % n_rows
        weights = weights + shifts[..., n, None] * weights[..., came_from]
    return weights


# %% wrong: the last row is its own neighbour | comes back at the other
def shift(weights, shifts):
    n_rows, n_shifts = weights.shape[-1], shifts.shape[-1]
    moved = 0
    for n in range(n_shifts):
        came_from = np.arange(n_rows) - (n - n_shifts // 2)
        inside = (came_from >= 0) & (came_from < n_rows)
        moved = moved + shifts[..., n, None] * weights[..., came_from.clip(0, n_rows - 1)] * inside
    return moved


# %% wrong: np.roll, which the engine does not know | they know products, sums, powers and indices
def shift(weights, shifts):
    n_shifts = shifts.shape[-1]
    return sum(shifts[..., n, None] * np.roll(weights, n - n_shifts // 2, -1) for n in range(n_shifts))


# %% wrong: the shares have no axis for the rows | x[..., None] gives it an axis for the rows
def shift(weights, shifts):
    n_rows, n_shifts = weights.shape[-1], shifts.shape[-1]
    came_from = lambda n: (np.arange(n_rows) - (n - n_shifts // 2)) % n_rows
    return sum(shifts[..., n] * weights[..., came_from(n)] for n in range(n_shifts))
