# %% right: as in the chapter
def split_by_group(groups, share, rng):
    names = np.unique(groups)
    held_out = rng.choice(names, round(share * len(names)), replace=False)
    is_test = np.isin(groups, held_out)
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


# %% right: shuffling the groups and cutting the list
def split_by_group(groups, share, rng):
    names = rng.permutation(sorted(set(groups.tolist())))
    n_held_out = round(share * len(names))
    held_out = set(names[:n_held_out].tolist())
    train = [row for row, group in enumerate(groups.tolist()) if group not in held_out]
    test = [row for row, group in enumerate(groups.tolist()) if group in held_out]
    return np.array(train), np.array(test)


# %% wrong: the drawings are split, not the groups | no new task
def split_by_group(groups, share, rng):
    order = rng.permutation(len(groups))
    n_test = round(share * len(groups))
    return order[n_test:], order[:n_test]


# %% wrong: the last groups of the list, always the same | at random
def split_by_group(groups, share, rng):
    names = np.unique(groups)
    is_test = np.isin(groups, names[len(names) - round(share * len(names)) :])
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


# %% wrong: groups are held out until they make up a share of the drawings | count groups
def split_by_group(groups, share, rng):
    held_out = []
    for name in rng.permutation(np.unique(groups)):
        if np.isin(groups, [*held_out, name]).mean() <= share:
            held_out.append(name)
    is_test = np.isin(groups, held_out)
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


# %% wrong: every group is held out with probability share | count groups
def split_by_group(groups, share, rng):
    names = np.unique(groups)
    is_test = np.isin(groups, names[rng.random(len(names)) < share])
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


# %% wrong: one drawing of each group is kept, the others are lost | exactly one part
def split_by_group(groups, share, rng):
    names, rows = np.unique(groups, return_index=True)
    order = rng.permutation(rows)
    n_test = round(share * len(names))
    return order[n_test:], order[:n_test]


# %% wrong: training keeps all drawings | no new task
def split_by_group(groups, share, rng):
    names = np.unique(groups)
    held_out = rng.choice(names, round(share * len(names)), replace=False)
    return np.arange(len(groups)), np.flatnonzero(np.isin(groups, held_out))


# %% wrong: a group is found by drawing a drawing, so large groups are held out more often | same chance
def split_by_group(groups, share, rng):
    held_out = set()
    while len(held_out) < round(share * len(np.unique(groups))):
        held_out.add(str(rng.choice(groups)))
    is_test = np.isin(groups, list(held_out))
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


# %% wrong: groups are drawn with replacement | none of them twice
def split_by_group(groups, share, rng):
    names = np.unique(groups)
    is_test = np.isin(groups, rng.choice(names, round(share * len(names))))
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


# %% wrong: masks are returned, not positions | whole numbers
def split_by_group(groups, share, rng):
    names = np.unique(groups)
    is_test = np.isin(groups, rng.choice(names, round(share * len(names)), replace=False))
    return ~is_test, is_test


# %% wrong: the held out part comes first | (train_rows, test_rows)
def split_by_group(groups, share, rng):
    names = np.unique(groups)
    is_test = np.isin(groups, rng.choice(names, round(share * len(names)), replace=False))
    return np.flatnonzero(is_test), np.flatnonzero(~is_test)


# %% wrong: rounded down | rounds to 3
def split_by_group(groups, share, rng):
    names = np.unique(groups)
    held = np.isin(groups, rng.choice(names, int(share * len(names)), replace=False))
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% wrong: a random place in the sorted list, and its neighbours | neighbours
def split_by_group(groups, share, rng):
    names = np.unique(groups)
    names = np.roll(names, rng.integers(len(names)))[: round(share * len(names))]
    held = np.isin(groups, names)
    return np.flatnonzero(~held), np.flatnonzero(held)


# %% wrong: the last group is never held out | script j
def split_by_group(groups, share, rng):
    names = np.unique(groups)
    held = np.isin(groups, rng.choice(names[:-1], round(share * len(names)), replace=False))
    return np.flatnonzero(~held), np.flatnonzero(held)
