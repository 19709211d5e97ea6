# %% right: as in the chapter
def coverage(interval, draw, truth, n_trials, rng):
    hits = 0
    for _ in range(n_trials):
        low, high = interval(draw(rng))
        hits += low <= truth <= high
    return hits / n_trials


# %% right: all intervals first, then the mean of a comparison
def coverage(interval, draw, truth, n_trials, rng):
    ends = np.array([interval(draw(rng)) for _ in range(n_trials)])
    return np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))


# %% wrong: one experiment is drawn, and looked at again and again | a fresh one
def coverage(interval, draw, truth, n_trials, rng):
    low, high = interval(draw(rng))
    return np.mean([low <= truth <= high for _ in range(n_trials)])


# %% wrong: hits are counted and not divided | share
def coverage(interval, draw, truth, n_trials, rng):
    hits = 0
    for _ in range(n_trials):
        low, high = interval(draw(rng))
        hits += low <= truth <= high
    return hits


# %% wrong: only the lower end is compared | both ends
def coverage(interval, draw, truth, n_trials, rng):
    return np.mean([interval(draw(rng))[0] <= truth for _ in range(n_trials)])


# %% wrong: every trial draws two experiments, one for each end | a fresh one
def coverage(interval, draw, truth, n_trials, rng):
    return np.mean([interval(draw(rng))[0] <= truth <= interval(draw(rng))[1] for _ in range(n_trials)])


# %% wrong: all trials are given back, not their share | one number
def coverage(interval, draw, truth, n_trials, rng):
    ends = [interval(draw(rng)) for _ in range(n_trials)]
    return [low <= truth <= high for low, high in ends]


# %% wrong: the experiments that miss are counted | hold
def coverage(interval, draw, truth, n_trials, rng):
    ends = [interval(draw(rng)) for _ in range(n_trials)]
    return np.mean([truth < low or truth > high for low, high in ends])


# %% wrong: it looks for the experiment's own mean, which is always inside | both ends
def coverage(interval, draw, truth, n_trials, rng):
    hits = 0
    for _ in range(n_trials):
        values = draw(rng)
        low, high = interval(values)
        hits += low <= np.mean(values) <= high
    return hits / n_trials
