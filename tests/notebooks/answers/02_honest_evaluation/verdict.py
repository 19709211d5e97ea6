# %% right: as in the chapter
def verdict(a, b):
    low, high = interval(np.subtract(a, b))
    if low > 0:
        return "a"
    return "b" if high < 0 else "open"


# %% right: the mean difference against its half-width
def verdict(a, b):
    difference = np.array(a) - np.array(b)
    if abs(difference.mean()) <= 1.96 * difference.std(ddof=1) / len(difference) ** 0.5:
        return "open"
    return "a" if difference.mean() > 0 else "b"


# %% right: the variance of the difference by step 5
def verdict(a, b):
    cov = np.cov(a, b)
    reach = 1.96 * np.sqrt(max(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1], 0) / len(a))
    gap = np.mean(a) - np.mean(b)
    return "a" if gap > reach else "b" if gap < -reach else "open"


# %% right: the way on without it
from reference.evaluation import Score, compare

sides = lambda a, b: np.sign(compare(Score(a), Score(b)).interval).sum()
verdict = lambda a, b: {2: "a", -2: "b"}.get(sides(a, b), "open")


# %% wrong: two intervals that overlap are taken for no difference | differences a - b
def verdict(a, b):
    low_a, high_a = interval(a)
    low_b, high_b = interval(b)
    if low_a > high_b:
        return "a"
    return "b" if low_b > high_a else "open"


# %% wrong: the variances are added as if the episodes were different ones | differences a - b
def verdict(a, b):
    gap = np.mean(a) - np.mean(b)
    reach = np.hypot(half_width(a), half_width(b))
    return "a" if gap > reach else "b" if gap < -reach else "open"


# %% wrong: the larger mean wins | is 'open'
def verdict(a, b):
    return "a" if np.mean(a) > np.mean(b) else "b"


# %% wrong: 1.96 standard deviations stand for the half-width, the museum's own bug | not their spread
def verdict(a, b):
    difference = a - b
    if abs(difference.mean()) <= 1.96 * difference.std(ddof=1):
        return "open"
    return "a" if difference.mean() > 0 else "b"


# %% wrong: the standard deviation of the differences stands for the half-width | not their spread
def verdict(a, b):
    difference = a - b
    if abs(difference.mean()) <= difference.std(ddof=1):
        return "open"
    return "a" if difference.mean() > 0 else "b"


# %% wrong: whoever wins more episodes is better | you say 'open'
def verdict(a, b):
    wins = np.mean(a > b)
    return "a" if wins > 0.5 else "b" if wins < 0.5 else "open"


# %% wrong: only the lower end is looked at, so the second never wins | exchanged
def verdict(a, b):
    return "a" if interval(a - b)[0] > 0 else "open"


# %% wrong: the spread of one learner stands for that of the differences | give or take
def verdict(a, b):
    gap = np.mean(a) - np.mean(b)
    reach = half_width(a)
    return "a" if gap > reach else "b" if gap < -reach else "open"


# %% wrong: three standard errors, as in other sciences | leads by 0.0034
def verdict(a, b):
    d = a - b
    reach = 3 * d.std(ddof=1) / np.sqrt(len(d))
    return "a" if d.mean() > reach else "b" if d.mean() < -reach else "open"
