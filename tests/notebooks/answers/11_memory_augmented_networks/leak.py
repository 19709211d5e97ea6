# %% right: as in the chapter
def leak(x, y, classes):
    n_way = y.max() + 1
    shown = x[..., -n_way:]
    if (shown.argmax(-1) == y).all() and shown.any(-1).all():
        return "on time"
    if all(len(set(y[classes == c].tolist())) == 1 for c in np.unique(classes)):
        return "not shuffled"
    if (np.diff(y, axis=0) != 0).sum(axis=0).max() < n_way:
        return "sorted"
    highest = np.maximum.accumulate(y, axis=0)
    before = np.concatenate([np.full_like(y[:1], -1), highest[:-1]])
    return "in order" if (y <= before + 1).all() else ""


# %% right: by loops over streams
def leak(x, y, classes):
    n_way = int(y.max()) + 1
    if np.array_equal(x[..., -n_way:], np.eye(n_way)[y]):
        return "on time"
    pairs = {(int(c), int(label)) for c, label in zip(classes.ravel(), y.ravel())}
    if len(pairs) == len({c for c, _ in pairs}):
        return "not shuffled"
    blocks, orders = [], []
    for stream in y.T.tolist():
        blocks.append(sum(a != b for a, b in zip(stream, stream[1:])) == len(set(stream)) - 1)
        orders.append(list(dict.fromkeys(stream)) == list(range(len(set(stream)))))
    if all(blocks):
        return "sorted"
    return "in order" if all(orders) else ""


# %% wrong: what is shown is compared with the label before | on time
def leak(x, y, classes):
    n_way = y.max() + 1
    if (x[1:, :, -n_way:].argmax(-1) == y[:-1]).all():
        return "on time"
    return ""


# %% wrong: the first stream alone | not shuffled
def leak(x, y, classes):
    n_way = y.max() + 1
    if (x[..., -n_way:].argmax(-1) == y).all():
        return "on time"
    first = {(c, label) for c, label in zip(classes[:, 0].tolist(), y[:, 0].tolist())}
    if len(first) == len(set(classes[:, 0].tolist())):
        return "not shuffled"
    return ""


# %% wrong: two of a class in a row count as sorted | sound
def leak(x, y, classes):
    n_way = y.max() + 1
    if (x[..., -n_way:].argmax(-1) == y).all():
        return "on time"
    if all(len(set(y[classes == c].tolist())) == 1 for c in np.unique(classes)):
        return "not shuffled"
    if (y[1:] == y[:-1]).any():
        return "sorted"
    return ""


# %% wrong: in order means that each stream begins with label 0 | sorted
def leak(x, y, classes):
    n_way = y.max() + 1
    if (x[..., -n_way:].argmax(-1) == y).all():
        return "on time"
    if all(len(set(y[classes == c].tolist())) == 1 for c in np.unique(classes)):
        return "not shuffled"
    return "in order" if (y[0] == 0).all() else ""


# %% wrong: a list of faults | expected a word
def leak(x, y, classes):
    return []


# %% wrong: everything is sound | on time
def leak(x, y, classes):
    return ""


# %% right: what is shown is not always the label before
def leak(x, y, classes):
    n_way = y.max() + 1
    if not (x[1:, :, -n_way:].argmax(-1) == y[:-1]).all():
        return "on time"
    if all(len(set(y[classes == c].tolist())) == 1 for c in np.unique(classes)):
        return "not shuffled"
    highest = np.maximum.accumulate(y, axis=0)
    if (y[0] == 0).all() and (y[1:] <= highest[:-1] + 1).all():
        return "in order"
    return "sorted" if ((y[1:] != y[:-1]).sum(axis=0) == n_way - 1).all() else ""


# %% right: by the places of each class
def leak(x, y, classes):
    n_way = y.max() + 1
    if (np.abs(x[..., -n_way:] - np.eye(n_way)[y]) < 0.5).all():
        return "on time"
    streams = [
        list(zip(c, labels, strict=True)) for c, labels in zip(classes.T.tolist(), y.T.tolist(), strict=True)
    ]
    if len(set().union(*streams)) == len(np.unique(classes)):
        return "not shuffled"
    if all(len([0 for a, b in zip(s, s[1:]) if a != b]) < len(set(s)) for s in streams):
        return "sorted"
    firsts = [[label for _, label in dict.fromkeys(s)] for s in streams]
    return "in order" if all(first == list(range(len(first))) for first in firsts) else ""


# %% wrong: in order when each stream begins with label 0 | begin with label 0
def leak(x, y, classes):
    n_way = y.max() + 1
    if (x[..., -n_way:].argmax(-1) == y).all():
        return "on time"
    if all(len(set(y[classes == c].tolist())) == 1 for c in np.unique(classes)):
        return "not shuffled"
    if (y[0] == 0).all():
        return "in order"
    return "sorted" if ((y[1:] != y[:-1]).sum(axis=0) == n_way - 1).all() else ""


# %% wrong: sorted when any stream is | got 'sorted'
def leak(x, y, classes):
    n_way = y.max() + 1
    if (x[..., -n_way:].argmax(-1) == y).all():
        return "on time"
    if all(len(set(y[classes == c].tolist())) == 1 for c in np.unique(classes)):
        return "not shuffled"
    highest = np.maximum.accumulate(y, axis=0)
    if (y[0] == 0).all() and (y[1:] <= highest[:-1] + 1).all():
        return "in order"
    return "sorted" if ((y[1:] != y[:-1]).sum(axis=0) == n_way - 1).any() else ""


# %% wrong: on time when step 0 shows a label | cut out of longer ones
def leak(x, y, classes):
    n_way = y.max() + 1
    if x[0, :, -n_way:].any():
        return "on time"
    if all(len(set(y[classes == c].tolist())) == 1 for c in np.unique(classes)):
        return "not shuffled"
    highest = np.maximum.accumulate(y, axis=0)
    if (y[0] == 0).all() and (y[1:] <= highest[:-1] + 1).all():
        return "in order"
    return "sorted" if ((y[1:] != y[:-1]).sum(axis=0) == n_way - 1).all() else ""


# %% wrong: sorted means labels that rise | 'sorted'
def leak(x, y, classes):
    n_way = y.max() + 1
    if (x[..., -n_way:].argmax(-1) == y).all():
        return "on time"
    if all(len(set(y[classes == c].tolist())) == 1 for c in np.unique(classes)):
        return "not shuffled"
    highest = np.maximum.accumulate(y, axis=0)
    if (y[0] == 0).all() and (y[1:] <= highest[:-1] + 1).all():
        return "in order"
    return "sorted" if (y[1:] >= y[:-1]).all() else ""


# %% wrong: within each stream a character has one label | expected '', got 'not shuffled'
def leak(x, y, classes):
    n_way = y.max() + 1
    if (x[..., -n_way:].argmax(-1) == y).all():
        return "on time"
    return "not shuffled"
