# %% right: as in the chapter
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    points, velocity = [theta], np.zeros_like(theta)
    for _ in range(n_steps):
        velocity = momentum * velocity + gradient(points[-1])
        points.append(points[-1] - inner_lr * velocity)
    p, q = query_gradient(points[-1]), np.zeros_like(theta)
    for point in reversed(points[:-1]):
        r = q - inner_lr * p
        p, q = p + hessian_times(point, r), momentum * r
    return p


# %% right: recursion, with the slopes in theta and in the velocity handed back together
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    def slopes(at, velocity, left):
        if left == 0:
            return query_gradient(at), np.zeros_like(at)
        following = momentum * velocity + gradient(at)
        in_theta, in_velocity = slopes(at - inner_lr * following, following, left - 1)
        whole = in_velocity - inner_lr * in_theta
        return in_theta + hessian_times(at, whole), momentum * whole

    return slopes(theta, np.zeros_like(theta), n_steps)[0]


# %% right: forward, a column of the Jacobian at a time
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    at, velocity = theta, np.zeros_like(theta)
    moves, pushes = np.eye(len(theta)), np.zeros((len(theta), len(theta)))
    for _ in range(n_steps):
        columns = [hessian_times(at, column) for column in moves.T]
        pushes = momentum * pushes + np.stack(columns, axis=1)
        moves = moves - inner_lr * pushes
        velocity = momentum * velocity + gradient(at)
        at = at - inner_lr * velocity
    return moves.T @ query_gradient(at)


# %% wrong: the walk back of plain steps | the answer without momentum
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    points, velocity = [theta], np.zeros_like(theta)
    for _ in range(n_steps):
        velocity = momentum * velocity + gradient(points[-1])
        points.append(points[-1] - inner_lr * velocity)
    g = query_gradient(points[-1])
    for point in reversed(points[:-1]):
        g = g - inner_lr * hessian_times(point, g)
    return g


# %% wrong: the velocity's slope comes back whole, without the factor momentum | Without momentum each step back
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    points, velocity = [theta], np.zeros_like(theta)
    for _ in range(n_steps):
        velocity = momentum * velocity + gradient(points[-1])
        points.append(points[-1] - inner_lr * velocity)
    p, q = query_gradient(points[-1]), np.zeros_like(theta)
    for point in reversed(points[:-1]):
        q = q - inner_lr * p
        p = p + hessian_times(point, q)
    return p


# %% wrong: momentum on the way back as on the way forward, which is the same on a bowl only | where its step began
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    points, velocity = [theta], np.zeros_like(theta)
    for _ in range(n_steps):
        velocity = momentum * velocity + gradient(points[-1])
        points.append(points[-1] - inner_lr * velocity)
    g, back = query_gradient(points[-1]), np.zeros_like(theta)
    for point in reversed(points[:-1]):
        back = momentum * back + hessian_times(point, g)
        g = g - inner_lr * back
    return g


# %% wrong: the Hessian is taken where the step ended | where its step began
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    points, velocity = [theta], np.zeros_like(theta)
    for _ in range(n_steps):
        velocity = momentum * velocity + gradient(points[-1])
        points.append(points[-1] - inner_lr * velocity)
    p, q = query_gradient(points[-1]), np.zeros_like(theta)
    for point in reversed(points[1:]):
        r = q - inner_lr * p
        p, q = p + hessian_times(point, r), momentum * r
    return p


# %% wrong: first order, the query gradient alone | Without momentum each step back
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    velocity = np.zeros_like(theta)
    for _ in range(n_steps):
        velocity = momentum * velocity + gradient(theta)
        theta = theta - inner_lr * velocity
    return query_gradient(theta)


# %% wrong: the way forward is walked without momentum | where its step began
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    points = [theta]
    for _ in range(n_steps):
        points.append(points[-1] - inner_lr * gradient(points[-1]))
    p, q = query_gradient(points[-1]), np.zeros_like(theta)
    for point in reversed(points[:-1]):
        r = q - inner_lr * p
        p, q = p + hessian_times(point, r), momentum * r
    return p


# %% wrong: the first step comes first on the way back | where its step began
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    points, velocity = [theta], np.zeros_like(theta)
    for _ in range(n_steps):
        velocity = momentum * velocity + gradient(points[-1])
        points.append(points[-1] - inner_lr * velocity)
    p, q = query_gradient(points[-1]), np.zeros_like(theta)
    for point in points[:-1]:
        r = q - inner_lr * p
        p, q = p + hessian_times(point, r), momentum * r
    return p


# %% wrong: no walk back: small differences of the end point | never called
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    def end(theta):
        velocity = np.zeros_like(theta)
        for _ in range(n_steps):
            velocity = momentum * velocity + gradient(theta)
            theta = theta - inner_lr * velocity
        return theta

    columns = [(end(theta + h) - end(theta - h)) / 2e-5 for h in 1e-5 * np.eye(len(theta))]
    return np.array(columns) @ query_gradient(end(theta))


# %% wrong: the way forward changes the caller's theta | belongs to the caller
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    points, velocity = [], np.zeros_like(theta)
    for _ in range(n_steps):
        points.append(theta.copy())
        velocity = momentum * velocity + gradient(theta)
        theta -= inner_lr * velocity
    p, q = query_gradient(theta), np.zeros_like(theta)
    for point in reversed(points):
        r = q - inner_lr * p
        p, q = p + hessian_times(point, r), momentum * r
    return p


# %% wrong: the way forward knows no momentum | on the path with momentum
def through_momentum(theta, gradient, hessian_times, query_gradient, *, inner_lr, momentum, n_steps):
    points = []
    for _ in range(n_steps):
        points.append(theta)
        theta = theta - inner_lr * gradient(theta)
    p, q = query_gradient(theta), np.zeros_like(theta)
    for point in reversed(points):
        r = q - inner_lr * p
        p, q = p + hessian_times(point, r), momentum * r
    return p
