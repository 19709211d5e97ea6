# %% right: as in the chapter
def own_curve(rng):
    a, b, c = rng.normal(size=3)
    return lambda x: 1 + a + b * np.sin(x) + c * np.cos(x)


own_best_single = 2.0


# %% right: parabolas, scaled so that the parts weigh alike
def own_curve(rng):
    a, b, c = rng.uniform(-1, 1, size=3)

    def curve(x):
        return a + b * x / 5 + c * (x / 5) ** 2

    return curve


own_best_single = (
    1 + 1 / 3 + 1 / 5
) / 3  # E a^2 = 1/3; the means of u^2 and u^4 over [-1, 1] are 1/3 and 1/5


# %% right: three wide bumps of normal heights
def own_curve(rng):
    heights = rng.normal(size=3)
    return lambda x: np.exp(-((x - np.array([-3.0, 0.0, 3.0])) ** 2) / 2) @ heights[:, None]


u = np.linspace(-5, 5, 10_001)
own_best_single = sum(np.mean(np.exp(-((u - m) ** 2))) for m in (-3, 0, 3))


# %% right: a phase in the place of independent numbers, and a slope
def own_curve(rng):
    a, p, b = rng.uniform(1, 2), rng.uniform(0, 2 * np.pi), rng.normal()
    return lambda x: a * np.sin(x - p) + b * x / 3


own_best_single = (1.5**2 + 1 / 12) / 2 + 25 / 27  # E a^2 / 2, and E b^2 times the mean of x^2 / 9


# %% wrong: the chapter's sinusoids, two directions | fewer than three
def own_curve(rng):
    a, p = rng.uniform(0.1, 5), rng.uniform(0, np.pi)
    return lambda x: a * np.sin(x - p)


own_best_single = 3.006


# %% wrong: four directions | more than three
def own_curve(rng):
    a, b, c, d = rng.normal(size=4)
    return lambda x: a + b * np.sin(x) + c * np.cos(x) + d * x / 3


own_best_single = 1 + 1 + 25 / 27


# %% wrong: three drawn numbers, one of which is a frequency | more than three
def own_curve(rng):
    a, p, f = rng.uniform(0.5, 3), rng.uniform(0, np.pi), rng.uniform(0.5, 1.5)
    return lambda x: a * np.sin(f * x - p)


own_best_single = 1.7


# %% wrong: three drawn numbers that move one and the same curve | fewer than three
def own_curve(rng):
    a, b, c = rng.normal(size=3)
    return lambda x: (a + b + c) * np.sin(x)


own_best_single = 1.5


# %% wrong: the numbers are drawn anew for every call | once a task
def own_curve(rng):
    def curve(x):
        a, b, c = rng.normal(size=3)
        return a + b * np.sin(x) + c * np.cos(x)

    return curve


own_best_single = 2.0


# %% wrong: a hidden generator | draw all of it from rng
def own_curve(rng):
    a, b, c = np.random.default_rng().normal(size=3)
    return lambda x: a + b * np.sin(x) + c * np.cos(x)


own_best_single = 2.0


# %% wrong: one task for ever | many tasks
def own_curve(rng):
    return lambda x: 1 + np.sin(x) + np.cos(x)


own_best_single = 0.0


# %% wrong: noise on the targets | asked again
def own_curve(rng):
    a, b, c = rng.normal(size=3)
    return lambda x: a + b * np.sin(x) + c * np.cos(x) + 0.1 * rng.normal(size=x.shape)


own_best_single = 2.01


# %% wrong: the mean square in place of the variance | always answering 0
def own_curve(rng):
    a, b, c = rng.normal(size=3)
    return lambda x: 1 + a + b * np.sin(x) + c * np.cos(x)


own_best_single = 3.0


# %% wrong: the curves' mean squares are forgotten, three variances of 1 | averaged over x
def own_curve(rng):
    a, b, c = rng.normal(size=3)
    return lambda x: a + b * np.sin(x) + 2 * c * np.cos(x)


own_best_single = 6.0


# %% wrong: the value at x = 0 alone | averaged over x
def own_curve(rng):
    a, b, c = rng.normal(size=3)
    return lambda x: a + b * x / 5 + c * (x / 5) ** 2


own_best_single = 1.0


# %% wrong: the curves wiggle too fast for the bumps | more than three
def own_curve(rng):
    a, b, c = rng.normal(size=3)
    return lambda x: a + b * np.sin(6 * x) + c * np.cos(6 * x)


own_best_single = 2.0


# %% wrong: a number for each task in the place of a function | function of x
def own_curve(rng):
    return rng.normal(size=3)


own_best_single = 2.0


# %% wrong: a flat list of targets | one target for each input
def own_curve(rng):
    a, b, c = rng.normal(size=3)
    return lambda x: (a + b * np.sin(x) + c * np.cos(x))[:, 0]


own_best_single = 2.0
