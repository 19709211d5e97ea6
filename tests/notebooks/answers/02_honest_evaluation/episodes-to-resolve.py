# %% right: as in the chapter
def episodes_to_resolve(a, b, gap):
    s = np.std(a - b, ddof=1)
    return int(np.ceil((1.96 * s / gap) ** 2))


# %% right: counting upwards
def episodes_to_resolve(a, b, gap):
    s, n = np.std(a - b, ddof=1), 1
    while 1.96 * s / n**0.5 > gap:
        n += 1
    return n


# %% right: the variance from the covariance matrix
def episodes_to_resolve(a, b, gap):
    cov = np.cov(a, b)
    variance = cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]
    return int(np.ceil(1.96**2 * variance / gap**2))


# %% wrong: the two variances are added as if nothing were shared | differences
def episodes_to_resolve(a, b, gap):
    variance = np.var(a, ddof=1) + np.var(b, ddof=1)
    return int(np.ceil(1.96**2 * variance / gap**2))


# %% wrong: the spread of one learner alone | a - b
def episodes_to_resolve(a, b, gap):
    return int(np.ceil((1.96 * np.std(a, ddof=1) / gap) ** 2))


# %% wrong: the root is forgotten, so n is not squared | square
def episodes_to_resolve(a, b, gap):
    return int(np.ceil(1.96 * np.std(a - b, ddof=1) / gap))


# %% wrong: rounding down leaves the interval too wide | round
def episodes_to_resolve(a, b, gap):
    return int((1.96 * np.std(a - b, ddof=1) / gap) ** 2)


# %% wrong: NumPy's default divides by n | ddof=1
def episodes_to_resolve(a, b, gap):
    return int(np.ceil((1.96 * np.std(a - b) / gap) ** 2))


# %% wrong: the mean square of the differences stands for their variance | constant lead
def episodes_to_resolve(a, b, gap):
    d = a - b
    return int(np.ceil(1.96**2 * np.sum(d**2) / (len(d) - 1) / gap**2))
