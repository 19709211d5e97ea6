# %% right: as in the chapter
def verdict(a, b):
    low, high = interval(a - b)
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
    reach = 1.96 * np.sqrt((cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]) / len(a))
    gap = np.mean(a) - np.mean(b)
    return "a" if gap > reach else "b" if gap < -reach else "open"


# %% wrong: two intervals that overlap are taken for no difference | paired
def verdict(a, b):
    low_a, high_a = interval(a)
    low_b, high_b = interval(b)
    if low_a > high_b:
        return "a"
    return "b" if low_b > high_a else "open"


# %% wrong: the variances are added as if the episodes were different ones | paired
def verdict(a, b):
    gap = np.mean(a) - np.mean(b)
    reach = np.hypot(half_width(a), half_width(b))
    return "a" if gap > reach else "b" if gap < -reach else "open"


# %% wrong: the larger mean wins | larger mean
def verdict(a, b):
    return "a" if np.mean(a) > np.mean(b) else "b"


# %% wrong: the standard deviation of the differences stands for the half-width | root of n
def verdict(a, b):
    difference = a - b
    if abs(difference.mean()) <= difference.std(ddof=1):
        return "open"
    return "a" if difference.mean() > 0 else "b"


# %% wrong: whoever wins more episodes is better | larger mean
def verdict(a, b):
    wins = np.mean(a > b)
    return "a" if wins > 0.5 else "b" if wins < 0.5 else "a"


# %% wrong: only the lower end is looked at, so the second never wins | both ends
def verdict(a, b):
    return "a" if interval(a - b)[0] > 0 else "open"
