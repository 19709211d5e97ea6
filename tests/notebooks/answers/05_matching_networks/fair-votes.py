# %% right: as in the chapter
def fair_log_probabilities(similarities, labels, n_way):
    heads = np.log(np.bincount(labels, minlength=n_way))
    densities = class_log_probabilities(similarities, labels, n_way) - heads
    return densities - logsumexp(densities, axis=1)[:, None]


# %% right: each similarity is lowered by the logarithm of its class's size, and then votes
def fair_log_probabilities(similarities, labels, n_way):
    sizes = np.bincount(labels, minlength=n_way)
    return class_log_probabilities(similarities - np.log(sizes[labels]), labels, n_way)


# %% right: class by class from the start
def fair_log_probabilities(similarities, labels, n_way):
    columns = []
    for k in range(n_way):
        own = similarities[:, labels == k]
        columns.append(logsumexp(own, axis=1) - np.log(own.shape[1]))
    densities = np.stack(columns, axis=1)
    return densities - logsumexp(densities, axis=1)[:, None]


# %% wrong: plain votes | the heads still count
def fair_log_probabilities(similarities, labels, n_way):
    return class_log_probabilities(similarities, labels, n_way)


# %% wrong: divided by the heads, and not made to sum to 1 again | not to 1
def fair_log_probabilities(similarities, labels, n_way):
    return class_log_probabilities(similarities, labels, n_way) - np.log(np.bincount(labels, minlength=n_way))


# %% wrong: the similarities are averaged | the similarities were averaged
def fair_log_probabilities(similarities, labels, n_way):
    means = np.stack([similarities[:, labels == k].mean(axis=1) for k in range(n_way)], axis=1)
    return means - logsumexp(means, axis=1)[:, None]


# %% wrong: logarithms are divided by the heads | bumps
def fair_log_probabilities(similarities, labels, n_way):
    own = [logsumexp(similarities[:, labels == k], axis=1) / np.sum(labels == k) for k in range(n_way)]
    own = np.stack(own, axis=1) * (similarities.any(axis=1)[:, None])
    return own - logsumexp(own, axis=1)[:, None]


# %% wrong: out of the logarithm and back | too early
def fair_log_probabilities(similarities, labels, n_way):
    densities = np.stack([np.exp(similarities[:, labels == k]).mean(axis=1) for k in range(n_way)], axis=1)
    shares = densities / densities.sum(axis=1, keepdims=True)
    return np.log(np.maximum(shares, 1e-300))


# %% wrong: the heads are added, as a prior would be | all equally alike
def fair_log_probabilities(similarities, labels, n_way):
    more = class_log_probabilities(similarities, labels, n_way) + np.log(np.bincount(labels, minlength=n_way))
    return more - logsumexp(more, axis=1)[:, None]


# %% wrong: the nearest example of each class stands for it | the nearest example
def fair_log_probabilities(similarities, labels, n_way):
    best = np.stack([similarities[:, labels == k].max(axis=1) for k in range(n_way)], axis=1)
    return best - logsumexp(best, axis=1)[:, None]


# %% wrong: divided by the size of the support | the heads still count
def fair_log_probabilities(similarities, labels, n_way):
    densities = class_log_probabilities(similarities, labels, n_way) - np.log(len(labels))
    return densities - logsumexp(densities, axis=1)[:, None]


# %% wrong: nothing is returned | is a `return` missing
def fair_log_probabilities(similarities, labels, n_way):
    class_log_probabilities(similarities, labels, n_way)


# %% right: in float32, as a list, in place
def fair_log_probabilities(similarities, labels, n_way):
    similarities = similarities.astype(np.float32)
    for k in range(n_way):
        similarities[:, labels == k] -= np.log((labels == k).sum())
    return class_log_probabilities(similarities, labels, n_way).tolist()


# %% wrong: probabilities, no logarithms | their logarithms are wanted
def fair_log_probabilities(similarities, labels, n_way):
    densities = class_log_probabilities(similarities, labels, n_way)
    densities = np.exp(densities - np.log(np.bincount(labels, minlength=n_way)))
    return densities / densities.sum(axis=1)[:, None]
