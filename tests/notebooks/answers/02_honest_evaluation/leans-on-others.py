# %% right: as in the chapter
def leans_on_others(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return bool(np.abs(alone - predict(x)).max() > 1e-6)


# %% right: one query after the other, stopping at the first leak
def leans_on_others(predict, x):
    scores = predict(x)
    for i in range(len(x)):
        if not np.allclose(predict(x[i : i + 1])[0], scores[i], rtol=0, atol=1e-6):
            return True
    return False


# %% right: each query with all the others replaced
def leans_on_others(predict, x):
    scores = predict(x)
    for i in range(len(x)):
        changed = x + 1.0
        changed[i] = x[i]
        if np.abs(predict(changed)[i] - scores[i]).max() > 1e-6:
            return True
    return False


# %% wrong: shuffling the rows finds a reader of the order, and no batch statistics | a leak
def leans_on_others(predict, x):
    order = np.random.default_rng(0).permutation(len(x))
    return bool(np.abs(predict(x[order]) - predict(x)[order]).max() > 1e-6)


# %% wrong: the first query is tried and no other | row 1
def leans_on_others(predict, x):
    return bool(np.abs(predict(x[:1])[0] - predict(x)[0]).max() > 1e-6)


# %% wrong: the chosen classes are compared instead of the scores | winner stays
def leans_on_others(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return bool((alone.argmax(1) != predict(x).argmax(1)).any())


# %% wrong: exact equality takes rounding for a leak | rounding
def leans_on_others(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return not np.array_equal(alone, predict(x))


# %% wrong: the last query is tried and no other | row 0
def leans_on_others(predict, x):
    return bool(np.abs(predict(x[-1:])[0] - predict(x)[-1]).max() > 1e-6)


# %% wrong: the signed difference finds leaks in one direction alone | a leak
def leans_on_others(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return bool((alone - predict(x)).max() > 1e-6)


# %% wrong: a query is asked with the first few, and only those are compared | a leak
def leans_on_others(predict, x):
    return bool(np.abs(predict(x[:3]) - predict(x)[:3]).max() > 1e-6)


# %% wrong: the differences themselves are given back | True or False
def leans_on_others(predict, x):
    return np.concatenate([predict(x[i : i + 1]) for i in range(len(x))]) - predict(x)


# %% wrong: predicting twice asks whether the learner is random | a leak
def leans_on_others(predict, x):
    return not np.allclose(predict(x), predict(x.copy()))


# %% wrong: the batch is cut in two, and a leak inside a half stays hidden | a leak
def leans_on_others(predict, x):
    scores, half = predict(x), len(x) // 2
    parts = np.concatenate([predict(x[:half]), predict(x[half:])])
    return bool(np.abs(parts - scores).max() > 1e-6)


# %% wrong: the scores of the first class alone | for class 1
def leans_on_others(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return bool(np.abs(alone - predict(x))[:, 0].max() > 1e-6)


# %% wrong: a tolerance that goes with the score | whatever the score
def leans_on_others(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return not np.allclose(alone, predict(x))


# %% right: each query left out once
def leans_on_others(predict, x):
    scores = predict(x)
    for i in range(len(x)):
        rest = np.delete(np.arange(len(x)), i)
        if np.abs(predict(x[rest]) - scores[rest]).max() > 1e-6:
            return True
    return False
