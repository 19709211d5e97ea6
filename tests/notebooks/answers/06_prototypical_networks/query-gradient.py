# %% right: as in the chapter
def query_gradient(queries, prototypes, labels):
    expected = np.exp(log_probabilities(queries, prototypes)) @ prototypes
    return 2 * (expected - prototypes[labels]) / len(queries)


# %% right: the sum over classes before the terms with z drop out
def query_gradient(queries, prototypes, labels):
    errors = np.exp(log_probabilities(queries, prototypes))
    errors[np.arange(len(labels)), labels] -= 1
    steps = -2 * (queries[:, None] - prototypes[None])
    return np.sum(errors[..., None] * steps, axis=1) / len(queries)


# %% right: a loop over queries and classes
def query_gradient(queries, prototypes, labels):
    gradient = np.zeros_like(queries)
    for i in range(len(queries)):
        p = np.exp(log_probabilities(queries[i : i + 1], prototypes))[0]
        for k in range(len(prototypes)):
            gradient[i] += 2 * (p[k] - (k == labels[i])) * prototypes[k] / len(queries)
    return gradient


# %% wrong: the direction of the descent step instead of the gradient | sign
def query_gradient(queries, prototypes, labels):
    expected = np.exp(log_probabilities(queries, prototypes)) @ prototypes
    return 2 * (prototypes[labels] - expected) / len(queries)


# %% wrong: the 2 of the square is left out | derivative of a square
def query_gradient(queries, prototypes, labels):
    expected = np.exp(log_probabilities(queries, prototypes)) @ prototypes
    return (expected - prototypes[labels]) / len(queries)


# %% wrong: the sum over the queries, not their mean | mean over
def query_gradient(queries, prototypes, labels):
    expected = np.exp(log_probabilities(queries, prototypes)) @ prototypes
    return 2 * (expected - prototypes[labels])


# %% wrong: only the pull towards the own prototype, as if there were no other classes | every class
def query_gradient(queries, prototypes, labels):
    return 2 * (queries - prototypes[labels]) / len(queries)


# %% wrong: log-probabilities taken for probabilities | every class
def query_gradient(queries, prototypes, labels):
    expected = log_probabilities(queries, prototypes) @ prototypes
    return 2 * (expected - prototypes[labels]) / len(queries)


# %% wrong: the weights of the classes are averaged over the queries | own label
def query_gradient(queries, prototypes, labels):
    p = np.exp(log_probabilities(queries, prototypes)).mean(axis=0)
    return 2 * (p @ prototypes - prototypes[labels]) / len(queries)
