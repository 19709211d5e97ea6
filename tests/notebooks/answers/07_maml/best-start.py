# %% right: as in the chapter
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = (1 - inner_lr * a) ** n_steps
    outer = 1.0 if first_order else s
    return np.sum(outer * b * (d - (1 - s) * c)) / np.sum(outer * b * s)


# %% right: the direction is a line in theta, known from its values at 0 and at 1
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    def direction(theta):
        total = 0.0
        for ai, ci, bi, di in zip(a, c, b, d, strict=True):
            phi, slope = theta, 1.0
            for _ in range(n_steps):
                phi, slope = phi - inner_lr * ai * (phi - ci), slope * (1 - inner_lr * ai)
            total += bi * (phi - di) * (1.0 if first_order else slope)
        return total

    at_0, at_1 = direction(0.0), direction(1.0)
    return -at_0 / (at_1 - at_0)


# %% right: a weighted mean of the starts that would be perfect for one task each
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    left = (1 - inner_lr * a) ** n_steps
    perfect = c + (d - c) / left
    weights = b * left if first_order else b * left**2
    return np.average(perfect, weights=weights)


# %% wrong: the mean of the query floors, as if the step led nowhere | start where it ends at 3
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = (1 - inner_lr * a) ** n_steps
    weights = b * s if first_order else b * s**2
    return np.sum(weights * d) / np.sum(weights)


# %% wrong: the mean of the support floors | what says where to end
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = (1 - inner_lr * a) ** n_steps
    weights = b * s if first_order else b * s**2
    return np.sum(weights * c) / np.sum(weights)


# %% wrong: the factor by which phi moves is forgotten: first order under another name | 2.4 is first order
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = (1 - inner_lr * a) ** n_steps
    return np.sum(b * (d - (1 - s) * c)) / np.sum(b * s)


# %% wrong: the order is never asked for | Which factor drops out
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = (1 - inner_lr * a) ** n_steps
    return np.sum(s * b * (d - (1 - s) * c)) / np.sum(s**2 * b)


# %% wrong: one step, whatever n_steps says | where does n_steps enter
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = 1 - inner_lr * a
    outer = 1.0 if first_order else s
    return np.sum(outer * b * (d - (1 - s) * c)) / np.sum(outer * b * s)


# %% wrong: k steps are taken for one step of k times the rate | still slopes
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = 1 - n_steps * inner_lr * a
    outer = 1.0 if first_order else s
    return np.sum(outer * b * (d - (1 - s) * c)) / np.sum(outer * b * s)


# %% wrong: the support's curvature weighs the tasks, which is the same only where both are alike | which say how hard
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = (1 - inner_lr * a) ** n_steps
    outer = 1.0 if first_order else s
    return np.sum(outer * a * (d - (1 - s) * c)) / np.sum(outer * a * s)


# %% wrong: phi is taken as s theta, and the support's floor is forgotten | which say how hard
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = (1 - inner_lr * a) ** n_steps
    outer = 1.0 if first_order else s
    if np.allclose(c, d) and n_steps == 1:
        return np.sum(outer * s * b * d) / np.sum(outer * s * b)
    return np.sum(outer * b * d) / np.sum(outer * b * s)


# %% wrong: what is left of the distance is taken without its sign | beyond the floor
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = np.abs(1 - inner_lr * a) ** n_steps
    outer = 1.0 if first_order else s
    return np.sum(outer * b * (d - (1 - s) * c)) / np.sum(outer * b * s)


# %% wrong: the plain mean of the starts that would be perfect for one task each | plain mean of the two floors
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    return np.mean(c + (d - c) / (1 - inner_lr * a) ** n_steps)


# %% wrong: a start for each task | one start for all tasks
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    return c + (d - c) / (1 - inner_lr * a) ** n_steps


# %% wrong: joint training, before any step | never thinks of the step
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    if len(a) == 1:
        return c + (d - c) / (1 - inner_lr * a) ** n_steps
    return np.sum(b * d) / np.sum(b)


# %% wrong: first order with exact MAML's weights of twice the steps, right only where both agree | query slopes
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s = (1 - inner_lr * a) ** n_steps
    weights = b * s if first_order else b * s**2
    target = d if first_order and len(a) > 2 else c + (d - c) / s
    return np.average(target, weights=weights)


# %% right: gradient descent in a loop
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    s, theta = (1 - inner_lr * a) ** n_steps, 0.0
    for _ in range(5000):
        theta -= 0.3 * np.mean((1 if first_order else s) * b * (c + s * (theta - c) - d))
    return theta


# %% wrong: right, but it writes into the arrays of the caller | the arrays of the caller
def best_start(a, c, b, d, inner_lr, n_steps, first_order=False):
    a *= -inner_lr
    a += 1
    s = a**n_steps
    outer = b if first_order else b * s
    return np.sum(outer * (d - (1 - s) * c)) / np.sum(outer * s)
