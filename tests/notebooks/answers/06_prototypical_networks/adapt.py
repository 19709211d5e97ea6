# %% right: as in the chapter
def adapt(params, support, *, embed):
    centers = prototypes(embed(params, support.x), support.y, support.y.max() + 1)
    return lambda x: log_probabilities(embed(params, x), centers)


# %% right: an inner function with a name
def adapt(params, support, *, embed):
    n_way = len(np.unique(support.y))
    centers = prototypes(embed(params, support.x), support.y, n_way)

    def predict(x):
        return log_probabilities(embed(params, x), centers)

    return predict


# %% right: the way on without it
from reference.scratch.prototypical import adapt


# %% wrong: the prototypes are returned, not a predictor | adapt gives a function
def adapt(params, support, *, embed):
    return prototypes(embed(params, support.x), support.y, support.y.max() + 1)


# %% wrong: the answer is the class, not the log-probabilities | shape
def adapt(params, support, *, embed):
    centers = prototypes(embed(params, support.x), support.y, support.y.max() + 1)
    return lambda x: log_probabilities(embed(params, x), centers).argmax(axis=1)


# %% wrong: the predictor compares the queries with the support examples one by one | shape
def adapt(params, support, *, embed):
    return lambda x: log_probabilities(embed(params, x), embed(params, support.x))


# %% wrong: probabilities, not their logarithms | a logarithm is missing
def adapt(params, support, *, embed):
    centers = prototypes(embed(params, support.x), support.y, support.y.max() + 1)
    return lambda x: np.exp(log_probabilities(embed(params, x), centers))


# %% wrong: the support is embedded anew in every call | computed once
def adapt(params, support, *, embed):
    n_way = support.y.max() + 1
    centers = lambda: prototypes(embed(params, support.x), support.y, n_way)
    return lambda x: log_probabilities(embed(params, x), centers())


# %% wrong: the embedding of the mean image, not the mean of the embeddings | largest difference
def adapt(params, support, *, embed):
    centers = embed(params, prototypes(support.x, support.y, support.y.max() + 1))
    return lambda x: log_probabilities(embed(params, x), centers)


# %% wrong: the queries are not embedded | largest difference
def adapt(params, support, *, embed):
    centers = prototypes(embed(params, support.x), support.y, support.y.max() + 1)
    return lambda x: log_probabilities(x, centers)
