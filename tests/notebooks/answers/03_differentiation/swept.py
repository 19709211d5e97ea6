# %% right: as in the chapter
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    points = [theta]
    for _ in range(n_steps):
        t = Tensor(points[-1])
        points.append(points[-1] - inner_lr * grad(support_loss(t), t).value)
    end = Tensor(points[-1])
    v = grad(query_loss(end), end).value
    for point in reversed(points[:-1]):
        v = v - inner_lr * hvp(support_loss, point, v)
    return v


# %% right: recursion, each call going back through the first of its steps
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    t = Tensor(theta)
    if n_steps == 0:
        return grad(query_loss(t), t).value
    following = theta - inner_lr * grad(support_loss(t), t).value
    v = swept(support_loss, query_loss, following, inner_lr, n_steps - 1)
    return v - inner_lr * hvp(support_loss, theta, v)


# %% right: the engine goes back through each step, one at a time
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    points = [theta]
    for _ in range(n_steps):
        points.append(unroll(support_loss, Tensor(points[-1]), inner_lr, 1, first_order=True).value)
    end = Tensor(points.pop())
    v = grad(query_loss(end), end).value
    while points:
        t = Tensor(points.pop())
        v = grad(total(unroll(support_loss, t, inner_lr, 1) * v), t).value
    return v


# %% wrong: the whole loop is unrolled, right and in need of all the memory | remembers earlier steps
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    start = Tensor(theta)
    return grad(query_loss(unroll(support_loss, start, inner_lr, n_steps)), start).value


# %% wrong: the query gradient alone, the first-order answer | where is the curvature
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    end = Tensor(unroll(support_loss, Tensor(theta), inner_lr, n_steps, first_order=True).value)
    return grad(query_loss(end), end).value


# %% wrong: each factor is taken as alpha H, without the identity | identity
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    points = [theta]
    for _ in range(n_steps):
        t = Tensor(points[-1])
        points.append(points[-1] - inner_lr * grad(support_loss(t), t).value)
    end = Tensor(points[-1])
    v = grad(query_loss(end), end).value
    for point in reversed(points[:-1]):
        v = -inner_lr * hvp(support_loss, point, v)
    return v


# %% wrong: the Hessian is taken where the step ended | where the step started
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    points = [theta]
    for _ in range(n_steps):
        t = Tensor(points[-1])
        points.append(points[-1] - inner_lr * grad(support_loss(t), t).value)
    end = Tensor(points[-1])
    v = grad(query_loss(end), end).value
    for point in reversed(points[1:]):
        v = v - inner_lr * hvp(support_loss, point, v)
    return v


# %% wrong: the steps are gone through in the order in which they were taken | last step comes first
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    points = [theta]
    for _ in range(n_steps):
        t = Tensor(points[-1])
        points.append(points[-1] - inner_lr * grad(support_loss(t), t).value)
    end = Tensor(points[-1])
    v = grad(query_loss(end), end).value
    for point in points[:-1]:
        v = v - inner_lr * hvp(support_loss, point, v)
    return v


# %% right: every point is walked to afresh, and none is kept
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    def at(k):
        x = theta
        for _ in range(k):
            x = unroll(support_loss, Tensor(x), inner_lr, 1).value
        return Tensor(x)

    end = at(n_steps)
    v = grad(query_loss(end), end).value
    for k in range(n_steps - 1, -1, -1):
        t = at(k)
        v = grad(total(unroll(support_loss, t, inner_lr, 1) * v), t).value
    return v


# %% wrong: the query gradient is taken before the last step | after the last step
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    points = [theta]
    for _ in range(n_steps):
        t = Tensor(points[-1])
        points.append(t.value - inner_lr * grad(support_loss(t), t).value)
    points.pop()
    end = Tensor(points[-1])
    v = grad(query_loss(end), end).value
    for p in reversed(points):
        v = v - inner_lr * hvp(support_loss, p, v)
    return v


# %% wrong: every Hessian meets the query gradient, and the products are added | one before it gave
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    points = [theta]
    for _ in range(n_steps):
        t = Tensor(points[-1])
        points.append(t.value - inner_lr * grad(support_loss(t), t).value)
    end = Tensor(points.pop())
    q = grad(query_loss(end), end).value
    v = q
    for p in reversed(points):
        v = v - inner_lr * hvp(support_loss, p, q)
    return v
