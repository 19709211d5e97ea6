# %% right: as in the chapter
def loss(params, episode, *, embed):
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    embedded = embed(params, np.concatenate([support_x, query_x]))
    centers = prototypes(embedded[: len(support_x)], support_y, support_y.max() + 1)
    scores = log_probabilities(embedded[len(support_x) :], centers)
    return -np.mean(scores[np.arange(len(query_y)), query_y])


# %% right: two passes, and the right entries by a table of zeros and ones
def loss(params, episode, *, embed):
    n_way = int(episode.support.y.max()) + 1
    centers = prototypes(embed(params, episode.support.x), episode.support.y, n_way)
    scores = log_probabilities(embed(params, episode.query.x), centers)
    return -np.sum(np.eye(n_way)[episode.query.y] * scores) / len(episode.query.y)


# %% right: the way on without it
from reference.scratch.prototypical import loss


# %% wrong: the prototypes are cut off, so no gradient reaches the support | the gradient with respect to params
def loss(params, episode, *, embed):
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    centers = detach(prototypes(embed(params, support_x), support_y, support_y.max() + 1))
    scores = log_probabilities(embed(params, query_x), centers)
    return -np.mean(scores[np.arange(len(query_y)), query_y])


# %% wrong: the sum over the queries | times what is expected
def loss(params, episode, *, embed):
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    centers = prototypes(embed(params, support_x), support_y, support_y.max() + 1)
    scores = log_probabilities(embed(params, query_x), centers)
    return -np.sum(scores[np.arange(len(query_y)), query_y])


# %% wrong: uphill | sign
def loss(params, episode, *, embed):
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    centers = prototypes(embed(params, support_x), support_y, support_y.max() + 1)
    scores = log_probabilities(embed(params, query_x), centers)
    return np.mean(scores[np.arange(len(query_y)), query_y])


# %% wrong: the mean over all classes, right and wrong | largest difference
def loss(params, episode, *, embed):
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    centers = prototypes(embed(params, support_x), support_y, support_y.max() + 1)
    return -np.mean(log_probabilities(embed(params, query_x), centers))


# %% wrong: one number for each query | an axis stayed
def loss(params, episode, *, embed):
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    centers = prototypes(embed(params, support_x), support_y, support_y.max() + 1)
    scores = log_probabilities(embed(params, query_x), centers)
    return -scores[np.arange(len(query_y)), query_y]


# %% wrong: the embedding of the mean example, not the mean of the embeddings | largest difference
def loss(params, episode, *, embed):
    (support_x, support_y), (query_x, query_y) = episode.support, episode.query
    centers = embed(params, prototypes(support_x, support_y, support_y.max() + 1))
    scores = log_probabilities(embed(params, query_x), centers)
    return -np.mean(scores[np.arange(len(query_y)), query_y])
