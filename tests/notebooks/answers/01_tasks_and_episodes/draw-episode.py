# %% right: as in the chapter
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% right: the way on, the reference's sampler
from reference.tasks.bank import FewShot

draw_episode = lambda rng, bank, n, k, m: FewShot(bank, n_way=n, k_shot=k, n_query=m).sample(rng)


# %% right: pairs of row and label in lists, shuffled
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.permutation(len(bank.names))[:n_way]
    support, query = [], []
    for label, c in enumerate(classes):
        rows = rng.permutation(np.arange(bank.offsets[c], bank.offsets[c + 1])).tolist()
        support += [(row, label) for row in rows[:k_shot]]
        query += [(row, label) for row in rows[k_shot : k_shot + n_query]]
    parts = []
    for pairs in (support, query):
        rows, labels = rng.permutation(pairs).T
        parts.append(Examples(as_input(bank.images[rows]), labels))
    return Episode(*parts, [str(bank.names[c]) for c in classes])


# %% right: a label for every class number, looked up by row
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    label_of = {c: k for k, c in enumerate(classes.tolist())}
    class_of_row = np.repeat(np.arange(len(bank.names)), bank.sizes)
    support, query = [], []
    for c in label_of:
        rows = rng.choice(np.flatnonzero(class_of_row == c), k_shot + n_query, replace=False)
        support.extend(rows[:k_shot])
        query.extend(rows[k_shot:])
    parts = []
    for rows in (rng.permutation(support), rng.permutation(query)):
        labels = np.array([label_of[c] for c in class_of_row[rows].tolist()])
        parts.append(Examples(as_input(bank.images[rows]), labels))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: four arrays instead of an episode | return an Episode
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    rows = np.stack([bank.offsets[c] + np.arange(k_shot + n_query) for c in classes])
    y = np.arange(n_way)
    return rows[:, :k_shot], np.repeat(y, k_shot), rows[:, k_shot:], np.repeat(y, n_query)


# %% wrong: the pictures as bytes | as_input
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(bank.images[part.ravel()[order]], labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: classes drawn with replacement | no two for the same
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way)
    rows = np.stack(
        [bank.offsets[c] + rng.choice(bank.sizes[c], k_shot + n_query, replace=False) for c in classes]
    )
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: support and query are two separate draws | share none
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    parts = []
    for n in (k_shot, n_query):
        rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n, replace=False) for c in classes])
        labels = np.repeat(np.arange(n_way), n)
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[rows.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: drawings of a class are drawn with replacement | appears twice
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], k_shot + n_query) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: the labels are the numbers of the classes in the bank | place in the draw
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(classes, part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: the classes are sorted before they are numbered | what sorted it
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = np.sort(rng.choice(len(bank.names), n_way, replace=False))
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: the rows stand in the order of their labels | shuffle rows and labels together
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        parts.append(Examples(as_input(bank.images[part.ravel()]), labels))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: only the pictures are shuffled | labels travel with their rows
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        parts.append(Examples(as_input(bank.images[rng.permutation(part.ravel())]), labels))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: the classes are shuffled as blocks, not the rows | not the classes
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        order = rng.permutation(n_way)
        parts.append(Examples(as_input(bank.images[part[order].ravel()]), np.repeat(order, part.shape[1])))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: of every class always the first drawings | drawn at random too
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    rows = np.stack([bank.offsets[c] + np.arange(k_shot + n_query) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: the rows are counted from the beginning of the class | counted from its beginning
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    rows = np.stack([rng.choice(bank.sizes[c], k_shot + n_query, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: a class is found by drawing a drawing, so large classes come more often | however many drawings
def draw_episode(rng, bank, n_way, k_shot, n_query):
    class_of_row = np.repeat(np.arange(len(bank.names)), bank.sizes)
    classes = []
    while len(classes) < n_way:
        c = rng.choice(class_of_row)
        classes += [] if c in classes else [c]
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: a generator of its own, so that no episode can be drawn again | draw everything from rng
def draw_episode(rng, bank, n_way, k_shot, n_query):
    rng = np.random.default_rng()
    classes = rng.choice(len(bank.names), n_way, replace=False)
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: the task names the classes in the order of the bank | label 0 first
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[np.sort(classes)])


# %% wrong: pairs in the place of Examples | Examples(x, y)
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append((as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])


# %% wrong: the drawings are sorted, so the first of a class are never queries | any may be support or query
def draw_episode(rng, bank, n_way, k_shot, n_query):
    classes = rng.choice(len(bank.names), n_way, replace=False)
    places = [np.sort(rng.choice(bank.sizes[c], k_shot + n_query, replace=False)) for c in classes]
    rows, parts = bank.offsets[classes][:, None] + np.array(places), []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        y, order = np.repeat(np.arange(n_way), part.shape[1]), rng.permutation(part.size)
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), y[order]))
    return Episode(*parts, bank.names[classes])
