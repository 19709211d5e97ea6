# %% right: as in the chapter
def evaluate(adapt, tasks, *, n_episodes, rng):
    values = []
    for _ in range(n_episodes):
        episode = tasks.sample(rng)
        predict = adapt(episode.support)
        values.append(accuracy(predict(episode.query.x), episode.query.y))
    return np.array(values)


# %% right: all episodes are drawn first
def evaluate(adapt, tasks, *, n_episodes, rng):
    episodes = [tasks.sample(rng) for _ in range(n_episodes)]
    return np.array([accuracy(adapt(e.support)(e.query.x), e.query.y) for e in episodes])


# %% right: an array to be filled, arguments by position
def evaluate(adapt, tasks, n_episodes, rng):
    values = np.empty(n_episodes)
    for i in range(n_episodes):
        support, query, _ = tasks.sample(rng)
        values[i] = (np.asarray(adapt(support)(query.x)).argmax(1) == query.y).mean()
    return values


# %% right: the way on without it
from reference.evaluation import evaluate as scored

evaluate = lambda adapt, tasks, **how: scored(adapt, tasks, **how).values


# %% wrong: one episode is drawn, and scored again and again | difference
def evaluate(adapt, tasks, *, n_episodes, rng):
    episode = tasks.sample(rng)
    predict = adapt(episode.support)
    return np.array([accuracy(predict(episode.query.x), episode.query.y) for _ in range(n_episodes)])


# %% wrong: only the mean is kept | shape
def evaluate(adapt, tasks, *, n_episodes, rng):
    episodes = [tasks.sample(rng) for _ in range(n_episodes)]
    return np.mean([accuracy(adapt(e.support)(e.query.x), e.query.y) for e in episodes])


# %% wrong: a generator of its own, so two learners cannot be given the same episodes by the caller | difference
def evaluate(adapt, tasks, *, n_episodes, rng):
    rng = np.random.default_rng(99)
    episodes = [tasks.sample(rng) for _ in range(n_episodes)]
    return np.array([accuracy(adapt(e.support)(e.query.x), e.query.y) for e in episodes])


# %% wrong: scored on the support set | difference
def evaluate(adapt, tasks, *, n_episodes, rng):
    episodes = [tasks.sample(rng) for _ in range(n_episodes)]
    return np.array([accuracy(adapt(e.support)(e.support.x), e.support.y) for e in episodes])


# %% wrong: the learner of the first episode answers all others | difference
def evaluate(adapt, tasks, *, n_episodes, rng):
    episodes = [tasks.sample(rng) for _ in range(n_episodes)]
    predict = adapt(episodes[0].support)
    return np.array([accuracy(predict(e.query.x), e.query.y) for e in episodes])


# %% wrong: it adapts to the queries and their labels | difference
def evaluate(adapt, tasks, *, n_episodes, rng):
    episodes = [tasks.sample(rng) for _ in range(n_episodes)]
    return np.array([accuracy(adapt(e.query)(e.query.x), e.query.y) for e in episodes])


# %% wrong: the generator serves other things too | difference
def evaluate(adapt, tasks, *, n_episodes, rng):
    values = []
    for _ in range(n_episodes):
        episode = tasks.sample(rng)
        order = rng.permutation(len(episode.query.y))
        values.append(accuracy(adapt(episode.support)(episode.query.x[order]), episode.query.y[order]))
    return np.array(values)


# %% wrong: the predictor is handed the labels too | the images alone
def evaluate(adapt, tasks, *, n_episodes, rng):
    episodes = [tasks.sample(rng) for _ in range(n_episodes)]
    return np.array([accuracy(adapt(e.support)(e.query), e.query.y) for e in episodes])


# %% wrong: the learner is handed the whole episode | both x and y
def evaluate(adapt, tasks, *, n_episodes, rng):
    episodes = [tasks.sample(rng) for _ in range(n_episodes)]
    return np.array([accuracy(adapt(e)(e.query.x), e.query.y) for e in episodes])


# %% wrong: running means instead of the values | largest difference
def evaluate(adapt, tasks, *, n_episodes, rng):
    episodes = [tasks.sample(rng) for _ in range(n_episodes)]
    values = [accuracy(adapt(e.support)(e.query.x), e.query.y) for e in episodes]
    return np.cumsum(values) / np.arange(1, n_episodes + 1)
