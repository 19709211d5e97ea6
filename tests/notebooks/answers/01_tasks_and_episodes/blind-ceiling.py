# %% right: as in the chapter, the mean over places of the largest probability
def blind_ceiling(n_way):
    place = (np.arange(10_000) + 0.5) / 10_000
    return label_probabilities(place, n_way).max(axis=-1).mean()


# %% right: a simulation that bets on the whole part of n_way times the place, the most probable label
def blind_ceiling(n_way):
    rng = np.random.default_rng(0)
    n_right, n_draws = 0, 20
    for _ in range(n_draws):
        places = rng.random((30_000, n_way))
        label = (places[:, 1:] < places[:, :1]).sum(axis=1)
        n_right += np.mean(label == np.floor(n_way * places[:, 0]))
    return n_right / n_draws


# %% right: the integral, piece by piece, of the label that is best between k / n_way and (k + 1) / n_way
def blind_ceiling(n_way):
    total = 0.0
    for k in range(n_way):
        u = np.linspace(k / n_way, (k + 1) / n_way, 2001)
        values = comb(n_way - 1, k) * u**k * (1 - u) ** (n_way - 1 - k)
        total += np.trapezoid(values, u)
    return total


# %% wrong: without the support set there is only chance | the bet may depend on u
def blind_ceiling(n_way):
    return 1 / n_way


# %% wrong: averaging before betting | bet first
def blind_ceiling(n_way):
    place = (np.arange(10_000) + 0.5) / 10_000
    return label_probabilities(place, n_way).mean(axis=0).max()


# %% wrong: who knows every class is always right | 3/4
def blind_ceiling(n_way):
    return 1.0


# %% wrong: the query's own class is counted among those before it | other
def blind_ceiling(n_way):
    place = (np.arange(10_000) + 0.5) / 10_000
    if n_way == 2:
        return 0.75
    return label_probabilities(place, n_way + 1).max(axis=-1).mean()


# %% wrong: betting on the expected label, rounded | most probable label
def blind_ceiling(n_way):
    place = (np.arange(10_000) + 0.5) / 10_000
    bet = np.rint((n_way - 1) * place).astype(int)
    return np.take_along_axis(label_probabilities(place, n_way), bet[:, None], axis=1).mean()


# %% wrong: the place is taken to be the middle of the bank | average over u
def blind_ceiling(n_way):
    return label_probabilities(np.array(0.5), n_way).max()


# %% wrong: betting at random with the right probabilities instead of on the largest | most probable label
def blind_ceiling(n_way):
    place = (np.arange(10_000) + 0.5) / 10_000
    return (label_probabilities(place, n_way) ** 2).sum(axis=-1).mean()


# %% wrong: the best place for each label is chosen, not the best label for each place | bet first
def blind_ceiling(n_way):
    place = (np.arange(10_000) + 0.5) / 10_000
    return label_probabilities(place, n_way).max(axis=0).mean()
