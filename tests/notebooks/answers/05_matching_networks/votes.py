# %% right: as in the chapter
def class_log_probabilities(similarities, labels, n_way):
    own = [logsumexp(similarities[:, labels == k], axis=1) for k in range(n_way)]
    return np.stack(own, axis=1) - logsumexp(similarities, axis=1)[:, None]


# %% right: minus infinity where an example is not to count
def class_log_probabilities(similarities, labels, n_way):
    own = labels == np.arange(n_way)[:, None]
    counted = np.where(own, similarities[:, None, :], -np.inf)
    return logsumexp(counted, axis=2) - logsumexp(similarities, axis=1)[:, None]


# %% right: the sums over classes first, and then over the classes
def class_log_probabilities(similarities, labels, n_way):
    scores = np.stack([logsumexp(similarities[:, labels == k], axis=1) for k in range(n_way)], axis=1)
    return scores - logsumexp(scores, axis=1)[:, None]


# %% right: the way on without it
from reference.scratch.matching import class_log_probabilities


# %% wrong: equation 1 as it stands, and then the logarithm | a share was rounded to 0
def class_log_probabilities(similarities, labels, n_way):
    shares = softmax(similarities, axis=1) @ (labels[:, None] == np.arange(n_way)).astype(float)
    return np.log(shares)


# %% wrong: exponentials without a care | overflowed
def class_log_probabilities(similarities, labels, n_way):
    weights = np.exp(similarities)
    own = np.stack([np.sum(weights[:, labels == k], axis=1) for k in range(n_way)], axis=1)
    return np.log(own / np.sum(weights, axis=1)[:, None])


# %% wrong: the share and not its logarithm | its logarithm is wanted
def class_log_probabilities(similarities, labels, n_way):
    return softmax(similarities, axis=1) @ (labels[:, None] == np.arange(n_way)).astype(float)


# %% wrong: not divided by the whole support | not yet a share
def class_log_probabilities(similarities, labels, n_way):
    return np.stack([logsumexp(similarities[:, labels == k], axis=1) for k in range(n_way)], axis=1)


# %% wrong: the best example of a class stands for it | that is one example's share
def class_log_probabilities(similarities, labels, n_way):
    best = np.stack([np.max(similarities[:, labels == k], axis=1) for k in range(n_way)], axis=1)
    return best - logsumexp(similarities, axis=1)[:, None]


# %% wrong: logarithms are added up | the sum of the logarithms
def class_log_probabilities(similarities, labels, n_way):
    logs = similarities - logsumexp(similarities, axis=1)[:, None]
    return np.stack([np.sum(logs[:, labels == k], axis=1) for k in range(n_way)], axis=1)


# %% wrong: a mean for each class | averaged and not summed
def class_log_probabilities(similarities, labels, n_way):
    means = [
        logsumexp(similarities[:, labels == k], axis=1) - np.log(np.sum(labels == k)) for k in range(n_way)
    ]
    means = np.stack(means, axis=1)
    return means - logsumexp(means, axis=1)[:, None]


# %% wrong: rows are taken to be sorted by class | go by the labels
def class_log_probabilities(similarities, labels, n_way):
    ends = np.cumsum(np.bincount(labels, minlength=n_way)[:-1])
    parts = np.split(np.arange(len(labels)), ends) if labels[0] == 0 else [np.array([0, 1]), np.array([2])]
    own = [logsumexp(similarities[:, rows], axis=1) for rows in parts]
    return np.stack(own, axis=1) - logsumexp(similarities, axis=1)[:, None]


# %% wrong: nothing is returned | is a `return` missing
def class_log_probabilities(similarities, labels, n_way):
    own = [logsumexp(similarities[:, labels == k], axis=1) for k in range(n_way)]
    np.stack(own, axis=1) - logsumexp(similarities, axis=1)[:, None]


# %% wrong: classes in rows | expected the shape
def class_log_probabilities(similarities, labels, n_way):
    own = [logsumexp(similarities[:1, labels == k], axis=1) for k in range(n_way)]
    return np.stack(own, axis=1) - logsumexp(similarities[:1], axis=1)[:, None]


# %% right: a loop over queries and classes
def class_log_probabilities(similarities, labels, n_way):
    rows = []
    for row in similarities:
        own = [logsumexp(row[np.flatnonzero(labels == k)], axis=0) for k in range(n_way)]
        rows.append(np.stack(own) - logsumexp(row, axis=0))
    return np.stack(rows)


# %% wrong: a mean over the examples of the class | or their mean
def class_log_probabilities(similarities, labels, n_way):
    own = [logsumexp(similarities[:, labels == k], axis=1) - np.log(sum(labels == k)) for k in range(n_way)]
    return np.stack(own, axis=1) - logsumexp(similarities, axis=1)[:, None]


# %% wrong: something small is added to the shares | hides how small it is
def class_log_probabilities(similarities, labels, n_way):
    shares = softmax(similarities, axis=1) @ (labels[:, None] == np.arange(n_way)).astype(float)
    return np.log(shares + 1e-12)


# %% wrong: the softmax runs over the queries | and not over the queries
def class_log_probabilities(similarities, labels, n_way):
    shares = softmax(similarities, axis=0) @ (labels[:, None] == np.arange(n_way)).astype(float)
    return np.log(shares)
