# %% right: as in the chapter
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    members = [np.flatnonzero(labels == c) for c in classes]
    rows = np.stack([rng.choice(own, k_shot + n_query, replace=False) for own in members])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        y = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(y))
        parts += [part.ravel()[order], y[order]]
    return tuple(parts)


# %% right: shuffling first and taking the first rows of each class
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.permutation(sorted(set(labels.tolist())))[:n_way]
    support, query = [], []
    for label, c in enumerate(classes):
        rows = [row for row in rng.permutation(len(labels)) if labels[row] == c]
        support += [(row, label) for row in rows[:k_shot]]
        query += [(row, label) for row in rows[k_shot : k_shot + n_query]]
    support, query = rng.permutation(support), rng.permutation(query)
    return support[:, 0], support[:, 1], query[:, 0], query[:, 1]


# %% right: a dictionary from class number to label
def draw_episode(labels, n_way, k_shot, n_query, rng):
    label_of = {c: k for k, c in enumerate(rng.choice(np.unique(labels), n_way, replace=False))}
    support, query = [], []
    for c in label_of:
        rows = rng.choice(np.where(labels == c)[0], k_shot + n_query, replace=False)
        support.extend(rows[:k_shot])
        query.extend(rows[k_shot:])
    support, query = rng.permutation(support), rng.permutation(query)
    return (
        support,
        np.array([label_of[labels[row]] for row in support]),
        query,
        np.array([label_of[labels[row]] for row in query]),
    )


# %% right: plain lists of whole numbers
def draw_episode(labels, n_way, k_shot, n_query, rng):
    support, query = [], []
    for k, c in enumerate(rng.choice(np.unique(labels), n_way, replace=False)):
        rows = rng.permutation(np.flatnonzero(labels == c)).tolist()
        support += [(row, k) for row in rows[:k_shot]]
        query += [(row, k) for row in rows[k_shot : k_shot + n_query]]
    support, query = rng.permutation(support).tolist(), rng.permutation(query).tolist()
    return [r for r, _ in support], [k for _, k in support], [r for r, _ in query], [k for _, k in query]


# %% wrong: classes drawn with replacement | distinct classes
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way)
    free = {c: list(rng.permutation(np.flatnonzero(labels == c))) for c in np.unique(labels)}
    s_rows = [free[c].pop() for c in classes for _ in range(k_shot)]
    q_rows = [free[c].pop() for c in classes for _ in range(min(n_query, len(free[c])))]
    s_y, q_y = np.repeat(np.arange(n_way), k_shot), np.repeat(np.arange(n_way), n_query)
    return np.array(s_rows), s_y, np.array(q_rows), q_y


# %% wrong: support and query are two separate draws | share none
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    parts = []
    for n_each in (k_shot, n_query):
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(labels == c), n_each, replace=False) for c in classes]
        )
        order = rng.permutation(len(rows))
        parts += [rows[order], np.repeat(np.arange(n_way), n_each)[order]]
    return tuple(parts)


# %% wrong: the labels are the class numbers of the data set | place in the draw
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    rows = np.stack(
        [rng.choice(np.flatnonzero(labels == c), k_shot + n_query, replace=False) for c in classes]
    )
    support, query = rng.permutation(rows[:, :k_shot].ravel()), rng.permutation(rows[:, k_shot:].ravel())
    return support, labels[support], query, labels[query]


# %% wrong: np.unique numbers the classes by size | what sorted it
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    rows = np.stack(
        [rng.choice(np.flatnonzero(labels == c), k_shot + n_query, replace=False) for c in classes]
    )
    support, query = rng.permutation(rows[:, :k_shot].ravel()), rng.permutation(rows[:, k_shot:].ravel())
    s_y, q_y = (np.unique(labels[part], return_inverse=True)[1] for part in (support, query))
    return support, s_y, query, q_y


# %% wrong: the rows stand in the order of their labels | shuffle rows and labels together
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    rows = np.stack(
        [rng.choice(np.flatnonzero(labels == c), k_shot + n_query, replace=False) for c in classes]
    )
    s_y, q_y = np.repeat(np.arange(n_way), k_shot), np.repeat(np.arange(n_way), n_query)
    return rows[:, :k_shot].ravel(), s_y, rows[:, k_shot:].ravel(), q_y


# %% wrong: rows and labels are shuffled apart | one for each label
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    rows = np.stack(
        [rng.choice(np.flatnonzero(labels == c), k_shot + n_query, replace=False) for c in classes]
    )
    s_y, q_y = np.repeat(np.arange(n_way), k_shot), np.repeat(np.arange(n_way), n_query)
    support, query = rng.permutation(rows[:, :k_shot].ravel()), rng.permutation(rows[:, k_shot:].ravel())
    return support, rng.permutation(s_y), query, rng.permutation(q_y)


# %% wrong: a class is found by drawing a drawing, so large classes come more often | list of classes
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = []
    while len(classes) < n_way:
        c = rng.choice(labels)
        if c not in classes:
            classes.append(c)
    parts = [[], [], [], []]
    for k, c in enumerate(classes):
        rows = rng.choice(np.flatnonzero(labels == c), k_shot + n_query, replace=False)
        parts[0] += [(row, k) for row in rows[:k_shot]]
        parts[2] += [(row, k) for row in rows[k_shot:]]
    support, query = rng.permutation(parts[0]), rng.permutation(parts[2])
    return support[:, 0], support[:, 1], query[:, 0], query[:, 1]


# %% wrong: a generator of its own, so that no episode can be drawn again | draw everything from rng
def draw_episode(labels, n_way, k_shot, n_query, rng):
    rng = np.random.default_rng()
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    members = [np.flatnonzero(labels == c) for c in classes]
    rows = np.stack([rng.choice(own, k_shot + n_query, replace=False) for own in members])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        y = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(y))
        parts += [part.ravel()[order], y[order]]
    return tuple(parts)


# %% wrong: of every class always the first drawings | drawn at random too
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    rows = np.stack([np.flatnonzero(labels == c)[: k_shot + n_query] for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        y = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(y))
        parts += [part.ravel()[order], y[order]]
    return tuple(parts)


# %% wrong: the classes are shuffled as blocks, not the rows | not the classes
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    rows = np.stack(
        [rng.choice(np.flatnonzero(labels == c), k_shot + n_query, replace=False) for c in classes]
    )
    order = rng.permutation(n_way)
    support, query = rows[order, :k_shot].ravel(), rows[order, k_shot:].ravel()
    return support, np.repeat(order, k_shot), query, np.repeat(order, n_query)


# %% wrong: the rows are counted within their class | positions in `labels`
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    rows = np.stack([rng.choice(np.sum(labels == c), k_shot + n_query, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        y = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(y))
        parts += [part.ravel()[order], y[order]]
    return tuple(parts)


# %% wrong: the drawings of a class are drawn with replacement | appears twice
def draw_episode(labels, n_way, k_shot, n_query, rng):
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    rows = np.stack([rng.choice(np.flatnonzero(labels == c), k_shot + n_query) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        y = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(y))
        parts += [part.ravel()[order], y[order]]
    return tuple(parts)
