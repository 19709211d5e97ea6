# %% right: as in the chapter
def reptile_step(params, ends, outer_lr):
    means = {name: np.mean([end[name] for end in ends], axis=0) for name in params}
    return {name: p + outer_lr * (means[name] - p) for name, p in params.items()}


# %% right: as a weighted average of where it is and where the tasks ended
def reptile_step(params, ends, outer_lr):
    new = {}
    for name in params:
        total = sum(end[name] for end in ends)
        new[name] = (1 - outer_lr) * params[name] + outer_lr * total / len(ends)
    return new


# %% right: a step of gradient descent along the mean direction
def reptile_step(params, ends, outer_lr):
    def mean_direction(name):
        return sum(params[name] - end[name] for end in ends) / len(ends)

    return {name: p - outer_lr * mean_direction(name) for name, p in params.items()}


# %% right: by the rule that the outer loop has
def reptile_step(params, ends, outer_lr):
    mean = {name: np.stack([params[name] - end[name] for end in ends]).mean(axis=0) for name in params}
    outer = sgd(outer_lr)
    return outer.update(params, mean, outer.init(params))[0]


# %% wrong: theta - phi is added, so it moves away from the ends | away
def reptile_step(params, ends, outer_lr):
    means = {name: np.mean([end[name] for end in ends], axis=0) for name in params}
    return {name: p + outer_lr * (p - means[name]) for name, p in params.items()}


# %% wrong: beta is forgotten, the mean of the ends takes theta's place | quarter of the way
def reptile_step(params, ends, outer_lr):
    return {name: np.mean([end[name] for end in ends], axis=0) for name in params}


# %% wrong: the ways to the tasks are summed, not averaged | do not sum
def reptile_step(params, ends, outer_lr):
    return {name: p + outer_lr * sum(end[name] - p for end in ends) for name, p in params.items()}


# %% wrong: one task after the other, so the last one counts most | one end after the other
def reptile_step(params, ends, outer_lr):
    for end in ends:
        params = {name: p + outer_lr * (end[name] - p) for name, p in params.items()}
    return params


# %% wrong: works in place and changes what it was given | was changed
def reptile_step(params, ends, outer_lr):
    for name in params:
        params[name] += outer_lr * (np.mean([end[name] for end in ends], axis=0) - params[name])
    return params


# %% wrong: the mean runs over all numbers of a parameter | mean of the ends
def reptile_step(params, ends, outer_lr):
    return {name: p + outer_lr * (np.mean([end[name] for end in ends]) - p) for name, p in params.items()}


# %% wrong: sums into the first of the ends | ends were changed
def reptile_step(params, ends, outer_lr):
    moved = {}
    for name, p in params.items():
        total = ends[0][name]
        for end in ends[1:]:
            total += end[name]
        moved[name] = p + outer_lr * (total / len(ends) - p)
    return moved


# %% wrong: always divides by two | every end count alike
def reptile_step(params, ends, outer_lr):
    return {name: p + outer_lr * (sum(end[name] for end in ends) / 2 - p) for name, p in params.items()}


# %% wrong: a matrix is averaged over its rows, too, so that only vectors come out right | every entry averaged
def reptile_step(params, ends, outer_lr):
    new = {}
    for name, p in params.items():
        mean = np.mean([end[name] for end in ends], axis=0)
        mean = mean if mean.ndim == 1 else mean.mean(axis=0)
        new[name] = p + outer_lr * (mean - p)
    return new


# %% wrong: the number of tasks is taken from the first parameter's rows | every end count alike
def reptile_step(params, ends, outer_lr):
    return {name: p + outer_lr * sum(end[name] - p for end in ends) / len(p) for name, p in params.items()}


# %% wrong: beta and 1 - beta change places | three quarters
def reptile_step(params, ends, outer_lr):
    means = {name: np.mean([end[name] for end in ends], axis=0) for name in params}
    return {name: outer_lr * p + (1 - outer_lr) * means[name] for name, p in params.items()}


# %% wrong: the mean is added, not the way to it | the way begins at theta
def reptile_step(params, ends, outer_lr):
    means = {name: np.mean([end[name] for end in ends], axis=0) for name in params}
    return {name: p + outer_lr * means[name] for name, p in params.items()}


# %% wrong: the way alone, without theta | the way alone
def reptile_step(params, ends, outer_lr):
    means = {name: np.mean([end[name] for end in ends], axis=0) for name in params}
    return {name: outer_lr * (means[name] - p) for name, p in params.items()}


# %% wrong: nothing is returned | NoneType
def reptile_step(params, ends, outer_lr):
    means = {name: np.mean([end[name] for end in ends], axis=0) for name in params}
    _ = {name: p + outer_lr * (means[name] - p) for name, p in params.items()}
