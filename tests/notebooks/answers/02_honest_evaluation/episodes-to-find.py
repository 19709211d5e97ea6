# %% right: as in the chapter
def episodes_to_find(a, b, gap, power):
    s = np.std(np.subtract(a, b), ddof=1)
    errors = 1.96 + NormalDist().inv_cdf(power)
    return int(np.ceil((errors * s / gap) ** 2))


# %% right: counting upwards until the bell around the gap has enough beyond the interval's reach
def episodes_to_find(a, b, gap, power):
    s, n = np.std(np.array(a) - np.array(b), ddof=1), 1
    while 1 - NormalDist(gap, s / n**0.5).cdf(1.96 * s / n**0.5) < power:
        n += 1
    return n


# %% right: the variance from the covariance matrix
def episodes_to_find(a, b, gap, power):
    cov = np.cov(a, b)
    variance = cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]
    reach = NormalDist().inv_cdf(0.975) - NormalDist().inv_cdf(1 - power)
    return int(np.ceil(reach**2 * variance / gap**2))


# %% wrong: the power is left out, as if it were one half | with probability
def episodes_to_find(a, b, gap, power):
    return int(np.ceil((1.96 * np.std(a - b, ddof=1) / gap) ** 2))


# %% wrong: the two variances are added as if nothing were shared | 102 shared episodes
def episodes_to_find(a, b, gap, power):
    variance = np.var(a, ddof=1) + np.var(b, ddof=1)
    return int(np.ceil((1.96 + NormalDist().inv_cdf(power)) ** 2 * variance / gap**2))


# %% wrong: the spread of one learner alone | 102 shared episodes
def episodes_to_find(a, b, gap, power):
    return int(np.ceil(((1.96 + NormalDist().inv_cdf(power)) * np.std(a, ddof=1) / gap) ** 2))


# %% wrong: the root is forgotten, so n is not squared | 102 shared episodes
def episodes_to_find(a, b, gap, power):
    return int(np.ceil((1.96 + NormalDist().inv_cdf(power)) * np.std(a - b, ddof=1) / gap))


# %% wrong: rounding down leaves too few | 102 shared episodes
def episodes_to_find(a, b, gap, power):
    return int(((1.96 + NormalDist().inv_cdf(power)) * np.std(a - b, ddof=1) / gap) ** 2)


# %% wrong: NumPy's default divides by n | 102 shared episodes
def episodes_to_find(a, b, gap, power):
    return int(np.ceil(((1.96 + NormalDist().inv_cdf(power)) * np.std(a - b) / gap) ** 2))


# %% wrong: the mean square of the differences stands for their variance | constant lead
def episodes_to_find(a, b, gap, power):
    s = np.sqrt(np.sum((a - b) ** 2) / (len(a) - 1))
    return int(np.ceil(((1.96 + NormalDist().inv_cdf(power)) * s / gap) ** 2))


# %% wrong: power to two sides, as if it were another interval | with probability
def episodes_to_find(a, b, gap, power):
    s = np.std(a - b, ddof=1)
    return int(np.ceil(((1.96 + NormalDist().inv_cdf(1 - (1 - power) / 2)) * s / gap) ** 2))


# %% wrong: the episodes that resolve, divided by the power | with probability
def episodes_to_find(a, b, gap, power):
    return int(np.ceil((1.96 * np.std(a - b, ddof=1) / gap) ** 2 * power / 0.5))
