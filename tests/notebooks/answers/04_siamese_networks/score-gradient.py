# %% right: as in the chapter
def score_gradient(scores, labels):
    itself = np.eye(len(labels), dtype=bool)
    own = (labels[:, None] == labels) & ~itself
    raised = np.where(itself, 0, np.exp(scores - scores.max(axis=1, keepdims=True)))
    p = raised / raised.sum(axis=1, keepdims=True)
    return (p - own / own.sum(axis=1, keepdims=True)) / len(labels)


# %% right: row by row, as a list
def score_gradient(scores, labels):
    n, rows = len(labels), []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        total = sum(np.exp(scores[i, j]) for j in others)
        friends = [j for j in others if labels[j] == labels[i]]
        row = [0.0] * n
        for j in others:
            row[j] = (np.exp(scores[i, j]) / total - (j in friends) / len(friends)) / n
        rows.append(row)
    return rows


# %% right: minus infinity on the diagonal
def score_gradient(scores, labels):
    n = len(labels)
    masked = scores + np.diag(np.full(n, -np.inf))
    p = np.exp(masked - np.logaddexp.reduce(masked, axis=1, keepdims=True))
    target = (labels[:, None] == labels).astype(float) - np.eye(n)
    return (p - target / target.sum(axis=1)[:, None]) / n


# %% wrong: uphill and downhill are swapped | sign is turned
def score_gradient(scores, labels):
    itself = np.eye(len(labels), dtype=bool)
    own = (labels[:, None] == labels) & ~itself
    raised = np.where(itself, 0, np.exp(scores))
    return (own / own.sum(axis=1, keepdims=True) - raised / raised.sum(axis=1, keepdims=True)) / len(labels)


# %% wrong: the mean over anchors is left out | mean over anchors
def score_gradient(scores, labels):
    itself = np.eye(len(labels), dtype=bool)
    own = (labels[:, None] == labels) & ~itself
    raised = np.where(itself, 0, np.exp(scores))
    return raised / raised.sum(axis=1, keepdims=True) - own / own.sum(axis=1, keepdims=True)


# %% wrong: the diagonal stays in the softmax | diagonal is not 0
def score_gradient(scores, labels):
    own = (labels[:, None] == labels) & ~np.eye(len(labels), dtype=bool)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return (p - own / own.sum(axis=1, keepdims=True)) / len(labels)


# %% wrong: the diagonal is blanked afterwards, but counted in the sum | to what must they sum
def score_gradient(scores, labels):
    itself = np.eye(len(labels), dtype=bool)
    own = (labels[:, None] == labels) & ~itself
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return (np.where(itself, 0, p) - own / own.sum(axis=1, keepdims=True)) / len(labels)


# %% wrong: 1 for each friend, not one share | to what must they sum
def score_gradient(scores, labels):
    itself = np.eye(len(labels), dtype=bool)
    own = (labels[:, None] == labels) & ~itself
    raised = np.where(itself, 0, np.exp(scores))
    return (raised / raised.sum(axis=1, keepdims=True) - own) / len(labels)


# %% wrong: the softmax over columns | to what must they sum
def score_gradient(scores, labels):
    itself = np.eye(len(labels), dtype=bool)
    own = (labels[:, None] == labels) & ~itself
    raised = np.where(itself, 0, np.exp(scores))
    return (raised / raised.sum(axis=0, keepdims=True) - own / own.sum(axis=1, keepdims=True)) / len(labels)


# %% wrong: only the strangers are pushed | to what must they sum
def score_gradient(scores, labels):
    itself = np.eye(len(labels), dtype=bool)
    raised = np.where(itself, 0, np.exp(scores))
    return np.where(labels[:, None] != labels, raised / raised.sum(axis=1, keepdims=True), 0) / len(labels)


# %% wrong: all strangers are pushed alike | row
def score_gradient(scores, labels):
    itself = np.eye(len(labels), dtype=bool)
    own, strangers = (labels[:, None] == labels) & ~itself, labels[:, None] != labels
    raised = np.where(itself, 0, np.exp(scores))
    p = raised / raised.sum(axis=1, keepdims=True)
    even = (
        np.where(strangers, np.sum(p * strangers, axis=1, keepdims=True), 0) / strangers.sum(axis=1)[:, None]
    )
    return (np.where(strangers, even, p) - own / own.sum(axis=1, keepdims=True)) / len(labels)


# %% wrong: one number for each anchor | expected the shape
def score_gradient(scores, labels):
    return scores.sum(axis=1)
