# %% right: as in the chapter
def with_momentum(k, mu):
    moved = [sum(mu**step for step in range(n)) for n in range(k + 1)]
    A = sum(moved[k - i] for i in range(k))
    B = sum(moved[k - i] * moved[i - j] for i in range(k) for j in range(i))
    return A, B


# %% right: geometric sums in closed form, as an array
def with_momentum(k, mu):
    def moved(n):
        return (1 - mu**n) / (1 - mu)

    i, j = np.arange(1, k + 1)[:, None], np.arange(1, k + 1)
    pairs = np.where(j < i, moved(k - i + 1) * moved(np.maximum(i - j, 0)), 0)
    return np.array([moved(k - np.arange(k)).sum(), pairs.sum()])


# %% right: the steps themselves, with coefficients in place of gradients
def with_momentum(k, mu):
    plain, inner, velocity, speed_inner = 0.0, 0.0, 0.0, 0.0
    for _ in range(k):
        # gamma = 1 * AvgGrad - alpha * plain * AvgGradInner, for theta has moved by -alpha * plain * AvgGrad
        velocity, speed_inner = mu * velocity + 1, mu * speed_inner + plain
        plain, inner = plain + velocity, inner + speed_inner
    return [plain, inner]


# %% wrong: no momentum at all | without momentum
def with_momentum(k, mu):
    return k, k * (k - 1) / 2


# %% wrong: the rate of the long run from the first step on | in the long run
def with_momentum(k, mu):
    return k / (1 - mu), k * (k - 1) / 2 / (1 - mu) ** 2


# %% wrong: a running mean in place of a running sum | no factor
def with_momentum(k, mu):
    moved = [1 - mu**n for n in range(k + 1)]
    A = sum(moved[k - i] for i in range(k))
    return A, sum(moved[k - i] * moved[i - j] for i in range(k) for j in range(i))


# %% wrong: the gradients are taken on a path of plain steps | path on which
def with_momentum(k, mu):
    moved = [sum(mu**step for step in range(n)) for n in range(k + 1)]
    return sum(moved), sum(moved[k - i] * i for i in range(k))


# %% wrong: momentum on the path, but every gradient counts once in the end | goes on moving
def with_momentum(k, mu):
    moved = [sum(mu**step for step in range(n)) for n in range(k + 1)]
    return k, sum(moved[i - j] for i in range(k) for j in range(i))


# %% wrong: the last gradient is taken to move theta farthest | first or the last
def with_momentum(k, mu):
    moved = [sum(mu**step for step in range(n)) for n in range(k + 1)]
    return sum(moved), sum(moved[i + 1] * moved[i - j] for i in range(k) for j in range(i))


# %% wrong: the gradient is taken after the batch's own step | before its own step
def with_momentum(k, mu):
    moved = [sum(mu**step for step in range(n)) for n in range(k + 2)]
    A = sum(moved[k - i] for i in range(k))
    return A, sum(moved[k - i] * moved[i - j + 1] for i in range(k) for j in range(i))


# %% wrong: the sign is in B | minus stands
def with_momentum(k, mu):
    moved = [sum(mu**step for step in range(n)) for n in range(k + 1)]
    A = sum(moved[k - i] for i in range(k))
    return A, -sum(moved[k - i] * moved[i - j] for i in range(k) for j in range(i))


# %% wrong: the three steps of the first test, with powers of mu up to the second | any number of steps
def with_momentum(k, mu):
    return 3 + 2 * mu + mu**2, 3 + 2 * mu


# %% wrong: only the pairs of neighbours | expected (4.25, 4)
def with_momentum(k, mu):
    moved = [sum(mu**step for step in range(n)) for n in range(k + 1)]
    return sum(moved), sum(moved[k - i] for i in range(1, k))


# %% wrong: the ratio alone | pair of numbers
def with_momentum(k, mu):
    moved = [sum(mu**step for step in range(n)) for n in range(k + 1)]
    return sum(moved[k - i] * moved[i - j] for i in range(k) for j in range(i)) / sum(moved) ** 2
