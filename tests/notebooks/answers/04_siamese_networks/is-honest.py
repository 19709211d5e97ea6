# %% right: as in the chapter
def is_honest(split):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.repeat(np.arange(9), 5))
        train, test = (np.asarray(side) for side in split(labels, rng))
        if not len(train) or not len(test) or np.isin(labels[train], labels[test]).any():
            return False
    return True


# %% right: sets, and one generator for all draws
def is_honest(split):
    rng = np.random.default_rng(7)
    for _ in range(100):
        labels = np.tile(np.arange(6), 8)
        sides = [{int(labels[row]) for pair in side for row in pair} for side in split(labels, rng)]
        if min(map(len, sides)) == 0 or sides[0] & sides[1]:
            return False
    return True


# %% right: unequal classes, all tries in one expression
def is_honest(split):
    def fair(seed):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.repeat(np.arange(12), np.arange(12) % 3 + 3))
        train, test = map(np.array, split(labels, rng))
        return train.size > 0 and test.size > 0 and not set(labels[train.ravel()]) & set(labels[test.ravel()])

    return all(fair(seed) for seed in range(80))


# %% wrong: compares pairs, not classes | the museum
def is_honest(split):
    labels, rng = np.tile(np.arange(9), 5), np.random.default_rng(0)
    train, test = ({tuple(pair) for pair in np.asarray(side).tolist()} for side in split(labels, rng))
    return bool(train) and bool(test) and not train & test


# %% wrong: compares row numbers, not classes | drawings are split
def is_honest(split):
    for seed in range(60):
        labels = np.tile(np.arange(9), 5)
        train, test = (np.asarray(side) for side in split(labels, np.random.default_rng(seed)))
        if not len(train) or not len(test) or np.isin(train, test).any():
            return False
    return True


# %% wrong: labels in order, where a cut in the middle is honest | cut in the middle
def is_honest(split):
    for seed in range(60):
        labels = np.repeat(np.arange(10), 5)
        train, test = (np.asarray(side) for side in split(labels, np.random.default_rng(seed)))
        if not len(train) or not len(test) or np.isin(labels[train], labels[test]).any():
            return False
    return True


# %% wrong: looks at the first of each pair only | comes from anywhere
def is_honest(split):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.repeat(np.arange(9), 5))
        train, test = (np.asarray(side) for side in split(labels, rng))
        if not len(train) or not len(test) or np.isin(labels[train[:, 0]], labels[test[:, 0]]).any():
            return False
    return True


# %% wrong: one draw | one draw of ten
def is_honest(split):
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(9), 5))
    train, test = (np.asarray(side) for side in split(labels, rng))
    return bool(len(train) and len(test) and not np.isin(labels[train], labels[test]).any())


# %% wrong: an empty side shares nothing | nothing to
def is_honest(split):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.repeat(np.arange(9), 5))
        train, test = (np.asarray(side) for side in split(labels, rng))
        if np.isin(labels[train], labels[test]).any():
            return False
    return True


# %% wrong: a few shared classes are let pass | is among the training pairs
def is_honest(split):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.repeat(np.arange(9), 5))
        train, test = (np.asarray(side) for side in split(labels, rng))
        if not len(train) or not len(test) or np.isin(labels[train], labels[test]).mean() > 0.1:
            return False
    return True


# %% wrong: wants as many classes on both sides | shares no class
def is_honest(split):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.repeat(np.arange(9), 5))
        train, test = (set(labels[np.asarray(side)].ravel().tolist()) for side in split(labels, rng))
        if train & test or not train or len(test) < 2:
            return False
    return True


# %% wrong: nothing is returned | true or false
def is_honest(split):
    labels, rng = np.tile(np.arange(9), 5), np.random.default_rng(0)
    train, test = split(labels, rng)
    not np.isin(labels[np.asarray(train)], labels[np.asarray(test)]).any()
