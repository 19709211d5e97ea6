# %% right: as in the chapter
def half_width(values):
    return 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))


# %% right: from the sum of squares, for lists too
def half_width(values):
    n, mean = len(values), sum(values) / len(values)
    return 1.96 * (sum((v - mean) ** 2 for v in values) / (n - 1) / n) ** 0.5


# %% right: by the covariance, in single precision
def half_width(values):
    return np.float32(1.96 * np.sqrt(np.cov(values) / np.size(values)))


# %% right: the way on without it
from reference.evaluation import Score

half_width = lambda values: Score(values).half_width


# %% wrong: the sum of squares is divided by n | largest difference
def half_width(values):
    return 1.96 * np.std(values) / np.sqrt(len(values))


# %% wrong: the spread of one value, which no evidence makes smaller | largest difference
def half_width(values):
    return 1.96 * np.std(values, ddof=1)


# %% wrong: the whole width | largest difference
def half_width(values):
    return 2 * 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))


# %% wrong: divided by n instead of its root | largest difference
def half_width(values):
    return 1.96 * np.std(values, ddof=1) / len(values)


# %% wrong: the variance stands for the standard deviation | largest difference
def half_width(values):
    return 1.96 * np.var(values, ddof=1) / np.sqrt(len(values))


# %% wrong: the standard error without its factor | largest difference
def half_width(values):
    return np.std(values, ddof=1) / np.sqrt(len(values))


# %% right: the factor to more digits, and a tensor
def half_width(values):
    import torch

    return 1.959964 * torch.as_tensor(values).std() / len(values) ** 0.5
