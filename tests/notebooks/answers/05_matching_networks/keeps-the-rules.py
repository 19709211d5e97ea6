# %% right: as in the chapter
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    x, y, queries = rng.normal(size=(7, 3)), np.array([2, 0, 1, 0, 2, 0, 1]), rng.normal(size=(5, 3))
    support = Examples(x, y)
    found = np.asarray(adapt(support)(queries))
    if found.shape != (5, 3) or not np.allclose(np.exp(found).sum(axis=1), 1):
        return False
    alone = [np.asarray(adapt(support)(queries[i : i + 1])) for i in range(5)]
    backwards = np.asarray(adapt(support)(queries[::-1]))
    if any(row.shape != (1, 3) for row in alone) or not np.allclose(np.concatenate(alone), found):
        return False
    if (
        backwards.shape != (5, 3)
        or not np.allclose(backwards[::-1], found)
        or np.allclose(found[0], found[1:])
    ):
        return False
    order, names = rng.permutation(7), np.array([1, 2, 0])
    shuffled = np.asarray(adapt(Examples(x[order], y[order]))(queries))
    renamed = np.asarray(adapt(Examples(x, names[y]))(queries))
    return bool(np.allclose(shuffled, found) and np.allclose(renamed[:, names], found))


# %% right: many small trials, in the plane
def keeps_the_rules(adapt):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        y = rng.permutation([0, 0, 0, 1, 2, 2, 3])
        x, queries = rng.normal(size=(7, 2)), rng.normal(size=(9, 2))
        ask = lambda a, b, q: np.exp(np.asarray(adapt(Examples(a, b))(q)))
        p = ask(x, y, queries)
        if p.shape != (9, 4) or np.abs(p.sum(axis=1) - 1).max() > 1e-6:
            return False
        some = ask(x, y, queries[[7, 2, 4]])
        if some.shape != (3, 4) or np.abs(some - p[[7, 2, 4]]).max() > 1e-6 or p.std(axis=0).max() < 1e-6:
            return False
        flipped = ask(x[::-1], y[::-1], queries)
        other = ask(x, 3 - y, queries)
        if np.abs(flipped - p).max() > 1e-6 or np.abs(other[:, ::-1] - p).max() > 1e-6:
            return False
    return True


# %% wrong: only asks whether the rows sum to 1 | it breaks a rule
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    found = adapt(Examples(rng.normal(size=(5, 3)), np.array([0, 1, 2, 0, 1])))(rng.normal(size=(5, 3)))
    return bool(np.allclose(np.exp(found).sum(axis=1), 1))


# %% wrong: as many queries as examples, and no query alone | asks about the support
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    x, y, q = rng.normal(size=(5, 3)), np.array([0, 1, 2, 0, 1]), rng.normal(size=(5, 3))
    found = adapt(Examples(x, y))(q)
    order = np.array([4, 2, 0, 3, 1])
    shuffled = adapt(Examples(x[order], y[order]))(q)
    return bool(found.shape == (5, 3) and np.allclose(np.sort(shuffled, axis=0), np.sort(found, axis=0)))


# %% wrong: sorted labels, so that those who take them to be sorted pass | labels as if sorted
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    x, y, q = rng.normal(size=(7, 3)), np.array([0, 0, 0, 1, 1, 2, 2]), rng.normal(size=(5, 3))
    found = adapt(Examples(x, y))(q)
    if found.shape != (5, 3) or not np.allclose(np.exp(found).sum(axis=1), 1):
        return False
    alone = np.concatenate([adapt(Examples(x, y))(q[i : i + 1])[:1] for i in range(5)])
    order = np.array([2, 0, 1, 4, 3, 6, 5])
    shuffled = adapt(Examples(x[order], y[order]))(q)
    liked = (
        np.allclose(alone, found) and np.allclose(shuffled, found) and not np.allclose(found[0], found[1:])
    )
    return bool(liked and found[:, 0].mean() < np.log(0.5))


# %% wrong: no other names for the classes | a liking for class 0
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    x, y, queries = rng.normal(size=(7, 3)), np.array([2, 0, 1, 0, 2, 0, 1]), rng.normal(size=(5, 3))
    found = np.asarray(adapt(Examples(x, y))(queries))
    if found.shape != (5, 3) or not np.allclose(np.exp(found).sum(axis=1), 1):
        return False
    alone = np.concatenate([np.asarray(adapt(Examples(x, y))(queries[i : i + 1]))[:1] for i in range(5)])
    order = rng.permutation(7)
    shuffled = np.asarray(adapt(Examples(x[order], y[order]))(queries))
    return bool(
        np.allclose(alone, found) and np.allclose(shuffled, found) and not np.allclose(found[0], found[1:])
    )


# %% wrong: no look at whether the query counts | only how frequent
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    x, y, queries = rng.normal(size=(7, 3)), np.array([2, 0, 1, 0, 2, 0, 1]), rng.normal(size=(5, 3))
    found = np.asarray(adapt(Examples(x, y))(queries))
    if found.shape != (5, 3) or not np.allclose(np.exp(found).sum(axis=1), 1):
        return False
    alone = np.concatenate([np.asarray(adapt(Examples(x, y))(queries[i : i + 1]))[:1] for i in range(5)])
    order, names = rng.permutation(7), np.array([1, 2, 0])
    shuffled = np.asarray(adapt(Examples(x[order], y[order]))(queries))
    renamed = np.asarray(adapt(Examples(x, names[y]))(queries))
    return bool(
        np.allclose(alone, found) and np.allclose(shuffled, found) and np.allclose(renamed[:, names], found)
    )


# %% wrong: the columns of the new names are taken the wrong way round | it keeps the rules
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    x, y, queries = rng.normal(size=(7, 3)), np.array([2, 0, 1, 0, 2, 0, 1]), rng.normal(size=(5, 3))
    found = np.asarray(adapt(Examples(x, y))(queries))
    names = np.array([1, 2, 0])
    renamed = np.asarray(adapt(Examples(x, names[y]))(queries))
    return bool(found.shape == (5, 3) and np.allclose(renamed, found[:, names]))


# %% wrong: compares with votes of its own, and only one learner is like that | it keeps the rules
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    x, y, queries = rng.normal(size=(7, 3)), np.array([2, 0, 1, 0, 2, 0, 1]), rng.normal(size=(5, 3))
    mine = class_log_probabilities(similarities(queries, x, temperature=0.1), y, 3)
    found = np.asarray(adapt(Examples(x, y))(queries))
    return bool(found.shape == mine.shape and np.allclose(found, mine))


# %% wrong: asks for the same bits | up to rounding
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    x, y, queries = rng.normal(size=(7, 3)), np.array([2, 0, 1, 0, 2, 0, 1]), rng.normal(size=(5, 3))
    order = np.array([6, 2, 0, 5, 3, 1, 4])
    found, shuffled = adapt(Examples(x, y))(queries), adapt(Examples(x[order], y[order]))(queries)
    return bool(found.shape == (5, 3) and np.array_equal(found, shuffled))


# %% wrong: nothing is returned | true or false
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    adapt(Examples(rng.normal(size=(3, 3)), np.arange(3)))(rng.normal(size=(5, 3)))


# %% wrong: other shapes are not looked at, and the comparison breaks off | did not say True or False
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    x, y, q = rng.normal(size=(7, 3)), np.array([2, 0, 1, 0, 2, 0, 1]), rng.normal(size=(5, 3))
    found = adapt(Examples(x, y))(q)
    alone = np.concatenate([adapt(Examples(x, y))(q[i : i + 1]) for i in range(5)])
    return bool(np.allclose(found, alone) and np.allclose(np.exp(found).sum(axis=1), 1))


# %% wrong: it stops where it should say False | did not say True or False
def keeps_the_rules(adapt):
    rng = np.random.default_rng(0)
    x, y, q = rng.normal(size=(7, 3)), np.array([2, 0, 1, 0, 2, 0, 1]), rng.normal(size=(5, 3))
    found = adapt(Examples(x, y))(q)
    assert found.shape == (5, 3)
    return True
