# %% right: as in the chapter
def is_transductive(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return not np.allclose(predict(x), alone, rtol=1e-5, atol=1e-7)


# %% right: a loop that stops at the first query that notices
def is_transductive(predict, x):
    together = predict(x)
    for i, scores in enumerate(together):
        if not np.allclose(predict(x[i : i + 1])[0], scores):
            return True
    return False


# %% right: the largest change, beside the largest score
def is_transductive(predict, x):
    together = np.asarray(predict(x))
    alone = np.stack([predict(query[None])[0] for query in x])
    return bool(np.abs(together - alone).max() > 1e-6 * max(1.0, np.abs(together).max()))


# %% wrong: compares classes, which a small shift does not change | classes, which hide
def is_transductive(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return not np.array_equal(predict(x).argmax(1), alone.argmax(1))


# %% wrong: asks about the first query only | every query
def is_transductive(predict, x):
    return not np.allclose(predict(x)[0], predict(x[:1])[0])


# %% wrong: digit by digit, so rounding counts as transduction | np.allclose
def is_transductive(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return not np.array_equal(predict(x), alone)


# %% wrong: only the order is changed, and batch norm does not mind | in other company
def is_transductive(predict, x):
    return not np.allclose(predict(x[::-1])[::-1], predict(x))


# %% wrong: looks whether any two queries get different scores | answers each query by itself
def is_transductive(predict, x):
    scores = predict(x)
    return not np.allclose(scores, scores[:1])


# %% wrong: leaves out one query at the end, so only what depends on the last one is seen | look at every query
def is_transductive(predict, x):
    return not np.allclose(predict(x)[:-1], predict(x[:-1]))


# %% wrong: compares the batch with its two halves, in which queries still have company | leave it no company
def is_transductive(predict, x):
    half = len(x) // 2
    return not np.allclose(predict(x), np.concatenate([predict(x[:half]), predict(x[half:])]))


# %% wrong: asks about the later queries only | look at every query
def is_transductive(predict, x):
    together = predict(x)
    return any(not np.allclose(predict(x[i : i + 1])[0], together[i]) for i in range(1, len(x)))


# %% wrong: asks about the last query only | look at every query
def is_transductive(predict, x):
    return not np.allclose(predict(x)[-1], predict(x[-1:])[0])


# %% wrong: neighbours stay together, two by two | leave it no company
def is_transductive(predict, x):
    pairs = [predict(x[i : i + 2]) for i in range(0, len(x), 2)]
    return not np.allclose(predict(x), np.concatenate(pairs))


# %% wrong: signed differences, which cancel in their mean | in other company
def is_transductive(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return (predict(x) - alone).mean() > 1e-6 + 1e9 * (predict(x) - alone).mean() ** 2


# %% wrong: allows a hundredth for rounding | more than rounding
def is_transductive(predict, x):
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return not np.allclose(predict(x), alone, atol=1e-2)
