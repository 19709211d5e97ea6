# %% right: as in the chapter
def fair_distances(queries, support, support_y, n_way):
    centers = prototypes(support, support_y, n_way)
    noise = np.sum((support - centers[support_y]) ** 2) / (len(support) - n_way)
    return squared_distances(queries, centers) - noise / np.bincount(support_y, minlength=n_way)


# %% right: each class by itself where it can, else the mean of the others' noise
def fair_distances(queries, support, support_y, n_way):
    members = [support[support_y == k] for k in range(n_way)]
    known = [((m - m.mean(axis=0)) ** 2).sum() / (len(m) - 1) for m in members if len(m) > 1]
    columns = []
    for m in members:
        own = ((m - m.mean(axis=0)) ** 2).sum() / (len(m) - 1) if len(m) > 1 else np.mean(known)
        columns.append(((queries - m.mean(axis=0)) ** 2).sum(axis=1) - own / len(m))
    return np.stack(columns, axis=1).tolist()


# %% right: the noise from pairs of one class
def fair_distances(queries, support, support_y, n_way):
    k = next(k for k in range(n_way) if np.sum(support_y == k) > 1)
    a, b = support[support_y == k][:2]
    centers = prototypes(support, support_y, n_way)
    return squared_distances(queries, centers) - np.sum((a - b) ** 2) / 2 / np.bincount(support_y)


# %% wrong: as it was, without any correction | on average over all noise
def fair_distances(queries, support, support_y, n_way):
    return squared_distances(queries, prototypes(support, support_y, n_way))


# %% wrong: the spread divided by all examples, as if the prototypes were the truth | on average over all noise
def fair_distances(queries, support, support_y, n_way):
    centers = prototypes(support, support_y, n_way)
    noise = np.sum((support - centers[support_y]) ** 2) / len(support)
    return squared_distances(queries, centers) - noise / np.bincount(support_y, minlength=n_way)


# %% wrong: one freedom lost in all instead of one a class | on average over all noise
def fair_distances(queries, support, support_y, n_way):
    centers = prototypes(support, support_y, n_way)
    noise = np.sum((support - centers[support_y]) ** 2) / (len(support) - 1)
    return squared_distances(queries, centers) - noise / np.bincount(support_y, minlength=n_way)


# %% wrong: the noise of one example is taken off, not that of the mean | on average over all noise
def fair_distances(queries, support, support_y, n_way):
    centers = prototypes(support, support_y, n_way)
    noise = np.sum((support - centers[support_y]) ** 2) / (len(support) - n_way)
    return squared_distances(queries, centers) - noise


# %% wrong: added instead of taken off | on average over all noise
def fair_distances(queries, support, support_y, n_way):
    centers = prototypes(support, support_y, n_way)
    noise = np.sum((support - centers[support_y]) ** 2) / (len(support) - n_way)
    return squared_distances(queries, centers) + noise / np.bincount(support_y, minlength=n_way)


# %% wrong: each class from its own examples, one alone too | what does one example tell
def fair_distances(queries, support, support_y, n_way):
    centers, shots = prototypes(support, support_y, n_way), np.bincount(support_y, minlength=n_way)
    own = np.array([np.sum((support[support_y == k] - centers[k]) ** 2) for k in range(n_way)])
    with np.errstate(invalid="ignore", divide="ignore"):
        return squared_distances(queries, centers) - own / (shots - 1) / shots


# %% wrong: the variance of a coordinate in place of the whole square | on average over all noise
def fair_distances(queries, support, support_y, n_way):
    centers = prototypes(support, support_y, n_way)
    noise = np.mean((support - centers[support_y]) ** 2) * len(support) / (len(support) - n_way)
    return squared_distances(queries, centers) - noise / np.bincount(support_y, minlength=n_way)


# %% wrong: one number for each query | expected the shape
def fair_distances(queries, support, support_y, n_way):
    return squared_distances(queries, prototypes(support, support_y, n_way)).min(axis=1)


# %% wrong: a number for V that fits one case | on average over all noise
def fair_distances(queries, support, support_y, n_way):
    centers = prototypes(support, support_y, n_way)
    return squared_distances(queries, centers) - 2.25 / np.bincount(support_y, minlength=n_way)
