# %% right: as in the chapter
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.query.x)
    own = {name: np.broadcast_to(p, (n, *p.shape)) for name, p in params.items()}
    one_number = lambda p, examples: np.sum(loss(p, examples))
    gradient, total = meta_gradient(own, SideBySide(*episodes), loss=one_number, **inner)
    return {name: g.mean(axis=0) for name, g in gradient.items()}, total / n


# %% right: copies by np.stack, means by hand
def at_once(params, episodes, *, loss, **inner):
    n = episodes.support.x.shape[0]
    copies = {name: np.stack([p] * n) for name, p in params.items()}

    def total(p, examples):
        return np.mean(loss(p, examples)) * n

    gradient, value = meta_gradient(copies, SideBySide(*episodes), loss=total, **inner)
    return {name: np.sum(g, axis=0) / n for name, g in gradient.items()}, value / n


# %% right: the way on without it
from reference.scratch import batches, maml

at_once = batches.mean_over_batch(maml.meta_gradient)


# %% wrong: the mean of the losses inside, and a sum outside | a quarter of their rate
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.query.x)
    own = {name: np.broadcast_to(p, (n, *p.shape)) for name, p in params.items()}
    one_number = lambda p, examples: np.mean(loss(p, examples))
    gradient, value = meta_gradient(own, SideBySide(*episodes), loss=one_number, **inner)
    return {name: g.sum(axis=0) for name, g in gradient.items()}, value


# %% wrong: means inside and outside | a quarter of their rate
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.query.x)
    own = {name: np.broadcast_to(p, (n, *p.shape)) for name, p in params.items()}
    one_number = lambda p, examples: np.mean(loss(p, examples))
    gradient, value = meta_gradient(own, SideBySide(*episodes), loss=one_number, **inner)
    return {name: g.mean(axis=0) for name, g in gradient.items()}, value


# %% wrong: the sum over the tasks in place of the mean | Four times too long
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.query.x)
    own = {name: np.broadcast_to(p, (n, *p.shape)) for name, p in params.items()}
    one_number = lambda p, examples: np.sum(loss(p, examples))
    gradient, total = meta_gradient(own, SideBySide(*episodes), loss=one_number, **inner)
    return {name: g.sum(axis=0) for name, g in gradient.items()}, total / n


# %% wrong: the sum of the losses comes back | sum or mean
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.query.x)
    own = {name: np.broadcast_to(p, (n, *p.shape)) for name, p in params.items()}
    one_number = lambda p, examples: np.sum(loss(p, examples))
    gradient, total = meta_gradient(own, SideBySide(*episodes), loss=one_number, **inner)
    return {name: g.mean(axis=0) for name, g in gradient.items()}, total


# %% wrong: every copy's own gradient comes back | one mean is taken, over the copies
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.query.x)
    own = {name: np.broadcast_to(p, (n, *p.shape)) for name, p in params.items()}
    one_number = lambda p, examples: np.sum(loss(p, examples))
    gradient, total = meta_gradient(own, SideBySide(*episodes), loss=one_number, **inner)
    return gradient, total / n


# %% wrong: one set of parameters for all, so they learn as one learner | without copies
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.query.x)
    one_number = lambda p, examples: np.sum(loss(p, examples))
    gradient, total = meta_gradient(params, SideBySide(*episodes), loss=one_number, **inner)
    return {name: g / n for name, g in gradient.items()}, total / n


# %% wrong: a loop over the tasks | all four tasks
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.query.x)
    one = lambda i: Episode(*(Examples(part.x[i], part.y[i]) for part in episodes[:2]))
    found = [meta_gradient(params, one(i), loss=loss, **inner) for i in range(n)]
    gradient = {name: sum(g[name] for g, _ in found) / n for name in params}
    return gradient, sum(value for _, value in found) / n


# %% wrong: the first task alone | all four tasks
def at_once(params, episodes, *, loss, **inner):
    first = Episode(*(Examples(part.x[0], part.y[0]) for part in episodes[:2]))
    return meta_gradient(params, first, loss=loss, **inner)


# %% wrong: nothing is returned | a pair
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.query.x)
    own = {name: np.broadcast_to(p, (n, *p.shape)) for name, p in params.items()}
    one_number = lambda p, examples: np.sum(loss(p, examples))
    meta_gradient(own, SideBySide(*episodes), loss=one_number, **inner)


# %% right: in single precision, the pair as a list
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.support.x)
    own = {name: np.stack([p] * n).astype(np.float32) for name, p in params.items()}
    gradient, total = meta_gradient(own, episodes, loss=lambda p, e: n * np.mean(loss(p, e)), **inner)
    return [{name: np.sum(g, axis=0) / n for name, g in gradient.items()}, total / n]


# %% wrong: the copies are put into the dict of the caller | the dict of the caller
def at_once(params, episodes, *, loss, **inner):
    n = len(episodes.query.x)
    for name, p in params.items():
        params[name] = np.broadcast_to(p, (n, *p.shape))
    one = lambda own, examples: np.sum(loss(own, examples))
    gradient, total = meta_gradient(params, SideBySide(*episodes), loss=one, **inner)
    return {name: g.mean(axis=0) for name, g in gradient.items()}, total / n


# %% wrong: first order is not handed on | goes on
def at_once(params, episodes, *, loss, rule, n_steps, **rest):
    n = len(episodes.query.x)
    own = {name: np.broadcast_to(p, (n, *p.shape)) for name, p in params.items()}
    inner = {"loss": lambda own, examples: np.sum(loss(own, examples)), "rule": rule, "n_steps": n_steps}
    gradient, total = meta_gradient(own, SideBySide(*episodes), **inner)
    return {name: g.mean(axis=0) for name, g in gradient.items()}, total / n
