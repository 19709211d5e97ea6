# %% right: as in the chapter
def enough(spread, goal):
    return int(np.ceil((1.96 * spread / goal) ** 2))


# %% right: counting upwards until the interval is narrow enough
def enough(spread, goal):
    n = 1
    while 1.96 * spread / n**0.5 > goal + 1e-12:
        n += 1
    return n


# %% wrong: the half-width shrinks with n, not with its square root | square
def enough(spread, goal):
    return int(np.ceil(1.96 * spread / goal))


# %% wrong: rounding to the nearest whole number leaves the interval too wide | round
def enough(spread, goal):
    return int(np.floor((1.96 * spread / goal) ** 2))


# %% wrong: the spread is left out | twice the spread
def enough(spread, goal):
    return int(np.ceil((1.96 / goal) ** 2))
