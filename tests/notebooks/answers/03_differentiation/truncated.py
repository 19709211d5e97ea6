# %% right: as in the chapter
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    start = Tensor(theta)
    early = unroll(support_loss, start, inner_lr, n_steps - n_exact, first_order=True)
    return grad(query_loss(unroll(support_loss, early, inner_lr, n_exact)), start).value


# %% right: a loop over the steps that detaches the early gradients
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    start = t = Tensor(theta)
    for step in range(n_steps):
        gradient = grad(support_loss(t), t)
        is_exact = step >= n_steps - n_exact
        t = t - inner_lr * (gradient if is_exact else detach(gradient))
    return grad(query_loss(t), start).value


# %% right: first-order steps only move the point, so differentiation may start where they end
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    early = unroll(support_loss, Tensor(theta), inner_lr, n_steps - n_exact, first_order=True)
    start = Tensor(early.value)
    return grad(query_loss(unroll(support_loss, start, inner_lr, n_exact)), start).value


# %% wrong: the parameters are detached instead of the gradient | path back to theta
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    start = t = Tensor(theta)
    for step in range(n_steps):
        gradient = grad(support_loss(t), t)
        if step >= n_steps - n_exact:
            t = t - inner_lr * gradient
        else:
            t = Tensor(detach(t) - inner_lr * detach(gradient))
    return grad(query_loss(t), start).value


# %% wrong: the first steps are exact instead of the last | last one, or the first
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    start = t = Tensor(theta)
    for step in range(n_steps):
        gradient = grad(support_loss(t), t)
        t = t - inner_lr * (gradient if step < n_exact else detach(gradient))
    return grad(query_loss(t), start).value


# %% wrong: nothing is detached | Which detach is missing
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    start = Tensor(theta)
    return grad(query_loss(unroll(support_loss, start, inner_lr, n_steps)), start).value


# %% wrong: everything is first-order, whatever n_exact says | both factors
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    start = Tensor(theta)
    end = unroll(support_loss, start, inner_lr, n_steps, first_order=True)
    return grad(query_loss(end), start).value


# %% wrong: one step too few is exact | Count the steps
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    start = t = Tensor(theta)
    for step in range(n_steps):
        gradient = grad(support_loss(t), t)
        t = t - inner_lr * (gradient if step > n_steps - n_exact else detach(gradient))
    return grad(query_loss(t), start).value


# %% wrong: only the exact steps are taken | all n_steps steps
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    start = Tensor(theta)
    return grad(query_loss(unroll(support_loss, start, inner_lr, n_exact)), start).value


# %% wrong: the last steps are cut out with -n_exact, which is all of them for 0 | Which detach
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    start = t = Tensor(theta)
    exact = list(range(n_steps))[-n_exact:]
    for i in range(n_steps):
        g = grad(support_loss(t), t)
        t = t - inner_lr * (g if i in exact else detach(g))
    return grad(query_loss(t), start).value


# %% wrong: the last step is exact, or all of them, and nothing in between | 2 of 3 steps exact
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    start = t = Tensor(theta)
    for i in range(n_steps):
        g = grad(support_loss(t), t)
        exact = n_exact == n_steps or (n_exact and i == n_steps - 1)
        t = t - inner_lr * (g if exact else detach(g))
    return detach(grad(query_loss(t), start))
