# %% right: as in the chapter
def as_one_head(queries, support, labels, n_way, temperature):
    scale = queries.shape[1] ** 0.5 / temperature
    values = F.one_hot(labels, n_way).to(support)
    return scale * F.normalize(queries, dim=1), F.normalize(support, dim=1), values


# %% right: the scale on the keys, lengths by hand
def as_one_head(queries, support, labels, n_way, temperature):
    q = queries / queries.norm(dim=1, keepdim=True)
    k = support / support.norm(dim=1, keepdim=True) * np.sqrt(support.shape[1]) / temperature
    return q, k, (labels[:, None] == torch.arange(n_way)).double()


# %% right: half of the scale on each, in float32
def as_one_head(queries, support, labels, n_way, temperature):
    half = (queries.shape[1] ** 0.5 / temperature) ** 0.5
    q, k = (half * F.normalize(z, dim=1) for z in (queries, support))
    return [q, k, torch.eye(n_way, dtype=torch.float64)[labels]]


# %% wrong: PyTorch's own scale is left in | scale is still in it
def as_one_head(queries, support, labels, n_way, temperature):
    values = F.one_hot(labels, n_way).to(support)
    return F.normalize(queries, dim=1) / temperature, F.normalize(support, dim=1), values


# %% wrong: no temperature and no scale | neither temperature nor scale
def as_one_head(queries, support, labels, n_way, temperature):
    return F.normalize(queries, dim=1), F.normalize(support, dim=1), F.one_hot(labels, n_way).to(support)


# %% wrong: the scale is undone, and there is no temperature | where is the temperature
def as_one_head(queries, support, labels, n_way, temperature):
    scale = queries.shape[1] ** 0.5
    return (
        scale * F.normalize(queries, dim=1),
        F.normalize(support, dim=1),
        F.one_hot(labels, n_way).to(support),
    )


# %% wrong: vectors of any length | lengths of the vectors
def as_one_head(queries, support, labels, n_way, temperature):
    scale = queries.shape[1] ** 0.5 / temperature
    return scale * queries, support, F.one_hot(labels, n_way).to(support)


# %% wrong: the labels as numbers | a column of V for each class
def as_one_head(queries, support, labels, n_way, temperature):
    scale = queries.shape[1] ** 0.5 / temperature
    return scale * F.normalize(queries, dim=1), F.normalize(support, dim=1), labels[:, None].to(support)


# %% wrong: whole numbers for values | float tensors
def as_one_head(queries, support, labels, n_way, temperature):
    scale = queries.shape[1] ** 0.5 / temperature
    return scale * F.normalize(queries, dim=1), F.normalize(support, dim=1), F.one_hot(labels, n_way)


# %% wrong: the scale is divided by the root of d once more | in it twice
def as_one_head(queries, support, labels, n_way, temperature):
    scale = 1 / (queries.shape[1] ** 0.5 * temperature)
    return (
        scale * F.normalize(queries, dim=1),
        F.normalize(support, dim=1),
        F.one_hot(labels, n_way).to(support),
    )


# %% wrong: the embedded support as values | a column of V for each class
def as_one_head(queries, support, labels, n_way, temperature):
    scale = queries.shape[1] ** 0.5 / temperature
    return scale * F.normalize(queries, dim=1), F.normalize(support, dim=1), support


# %% wrong: the probabilities themselves | three tensors
def as_one_head(queries, support, labels, n_way, temperature):
    scores = F.normalize(queries, dim=1) @ F.normalize(support, dim=1).T / temperature
    return scores.softmax(1) @ F.one_hot(labels, n_way).to(scores)
