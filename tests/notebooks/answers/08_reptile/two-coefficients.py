# %% right: as in the chapter
def two_coefficients(weights):
    return sum(weights), sum(w * steps_before for steps_before, w in enumerate(weights))


# %% right: with arrays
def two_coefficients(weights):
    w = np.asarray(weights, dtype=float)
    return w.sum(), w @ np.arange(len(w))


# %% right: every pair of a step and one before it, counted one by one
def two_coefficients(weights):
    total, inner = 0.0, 0.0
    for i, w in enumerate(weights):
        total += w
        for _ in range(i):
            inner += w
    return total, inner


# %% wrong: Reptile's formula for every mixture | which terms
def two_coefficients(weights):
    k = len(weights)
    return sum(weights), sum(weights) / k * k * (k - 1) / 2


# %% wrong: the first step is counted as if one came before it | which terms
def two_coefficients(weights):
    return sum(weights), sum(w * i for i, w in enumerate(weights, start=1))


# %% wrong: the steps after each one, in place of those before | which terms
def two_coefficients(weights):
    return sum(weights), sum(w * (len(weights) - 1 - i) for i, w in enumerate(weights))


# %% wrong: the weight of the earlier step multiplies the pair | which terms
def two_coefficients(weights):
    return sum(weights), sum(weights[j] * weights[i] for i in range(len(weights)) for j in range(i))


# %% wrong: the mixture is averaged, though the learner sums | write out each gamma
def two_coefficients(weights):
    k = len(weights)
    return sum(weights) / k, sum(w * i for i, w in enumerate(weights)) / k


# %% wrong: the first-order term of MAML, twice what a first-order mixture has | which terms
def two_coefficients(weights):
    return sum(weights), 2 * sum(w * i for i, w in enumerate(weights))


# %% wrong: counts the steps before each one that takes part, whatever its weight | does each weight count
def two_coefficients(weights):
    return sum(weights), sum(i for i, w in enumerate(weights) if w)


# %% wrong: a weight's sign is lost in A | expected A
def two_coefficients(weights):
    return sum(abs(w) for w in weights), sum(w * i for i, w in enumerate(weights))


# %% wrong: every gradient on the way brings its plain gradient, whatever its weight | write out each gamma
def two_coefficients(weights):
    return len(weights), sum(w * i for i, w in enumerate(weights))


# %% wrong: the weights are normalised for B but not for A | which terms
def two_coefficients(weights):
    return sum(weights), sum(w * i for i, w in enumerate(weights)) / sum(weights)


# %% wrong: B alone | a pair of numbers
def two_coefficients(weights):
    return sum(w * i for i, w in enumerate(weights))


# %% wrong: nothing is returned | a pair of numbers
def two_coefficients(weights):
    _ = sum(weights), sum(w * i for i, w in enumerate(weights))
