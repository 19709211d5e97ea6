# %% right: as in the chapter
def interval(values):
    return np.mean(values) - half_width(values), np.mean(values) + half_width(values)


# %% right: the way on without it
from reference.evaluation import Score

interval = lambda values: Score(values).interval


# %% wrong: around zero | largest difference
def interval(values):
    return -half_width(values), half_width(values)


# %% wrong: half the reach | largest difference
def interval(values):
    return np.mean(values) - half_width(values) / 2, np.mean(values) + half_width(values) / 2


# %% wrong: the ends exchanged | largest difference
def interval(values):
    return np.mean(values) + half_width(values), np.mean(values) - half_width(values)
