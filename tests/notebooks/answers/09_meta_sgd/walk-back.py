# %% right: as in the chapter
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = query.gradient(path[-1]), np.zeros_like(alpha)
    for point in reversed(path[:-1]):
        in_alpha -= v * support.gradient(point)
        v = v - support.curvature @ (alpha * v)
    return v, in_alpha


# %% right: the gradients are kept, and the Jacobian is a matrix
def walk_back(theta, alpha, support, query, n_steps):
    kept, here = [], theta
    for _ in range(n_steps):
        kept.append(support.curvature @ (here - support.centre))
        here = here - alpha * kept[-1]
    back = np.eye(len(theta)) - support.curvature @ np.diag(alpha)
    v, parts = query.gradient(here), []
    for s in kept[::-1]:
        parts.append(-v * s)
        v = back @ v
    return v, sum(parts)


# %% right: forward, with the Jacobians of the path
def walk_back(theta, alpha, support, query, n_steps):
    d = len(theta)
    here, of_theta, of_alpha = theta, np.eye(d), np.zeros((d, d))
    for _ in range(n_steps):
        s = support.gradient(here)
        step = np.eye(d) - np.diag(alpha) @ support.curvature
        here, of_theta, of_alpha = here - alpha * s, step @ of_theta, step @ of_alpha - np.diag(s)
    g = query.gradient(here)
    return [g @ of_theta, g @ of_alpha]


# %% right: the way on without it
walk_back = by_the_engine


# %% wrong: first order, g alone in theta | through its gradient, too
def walk_back(theta, alpha, support, query, n_steps):
    s = support.gradient(theta)
    g = query.gradient(theta - alpha * s)
    return g, -g * s


# %% wrong: the curvature of the query | whose curvature
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = query.gradient(path[-1]), np.zeros_like(alpha)
    for point in reversed(path[:-1]):
        in_alpha -= v * support.gradient(point)
        v = v - query.curvature @ (alpha * v)
    return v, in_alpha


# %% wrong: the query gradient is taken before the step | before the step
def walk_back(theta, alpha, support, query, n_steps):
    v, s = query.gradient(theta), support.gradient(theta)
    return v - support.curvature @ (alpha * v), -v * s


# %% wrong: in alpha alone, the query gradient is taken before the step | g taken at theta
def walk_back(theta, alpha, support, query, n_steps):
    s = support.gradient(theta)
    g = query.gradient(theta - alpha * s)
    return g - support.curvature @ (alpha * g), -query.gradient(theta) * s


# %% wrong: the support gradient of a step is taken where the step ends | s taken at phi
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = query.gradient(path[-1]), np.zeros_like(alpha)
    for point in reversed(path[1:]):
        in_alpha -= v * support.gradient(point)
        v = v - support.curvature @ (alpha * v)
    return v, in_alpha


# %% wrong: the minus of the step is lost in alpha | MINUS
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = query.gradient(path[-1]), np.zeros_like(alpha)
    for point in reversed(path[:-1]):
        in_alpha += v * support.gradient(point)
        v = v - support.curvature @ (alpha * v)
    return v, in_alpha


# %% wrong: the minus of the step is lost in theta | with a plus
def walk_back(theta, alpha, support, query, n_steps):
    s = support.gradient(theta)
    g = query.gradient(theta - alpha * s)
    return g + support.curvature @ (alpha * g), -g * s


# %% wrong: the museum's, alpha gets the gradient in theta | gradient in theta once more
def walk_back(theta, alpha, support, query, n_steps):
    s = support.gradient(theta)
    g = query.gradient(theta - alpha * s)
    in_theta = g - support.curvature @ (alpha * g)
    return in_theta, in_theta


# %% wrong: the pair in the other order | in this order
def walk_back(theta, alpha, support, query, n_steps):
    s = support.gradient(theta)
    g = query.gradient(theta - alpha * s)
    return -g * s, g - support.curvature @ (alpha * g)


# %% wrong: H and the rates in the wrong order | in which order
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = query.gradient(path[-1]), np.zeros_like(alpha)
    for point in reversed(path[:-1]):
        in_alpha -= v * support.gradient(point)
        v = v - alpha * (support.curvature @ v)
    return v, in_alpha


# %% wrong: one sum for all rates, as if they were one | gradient in each
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = query.gradient(path[-1]), 0.0
    for point in reversed(path[:-1]):
        in_alpha -= v @ support.gradient(point)
        v = v - support.curvature @ (alpha * v)
    return v, in_alpha


# %% wrong: one sum, spread over all rates | three weights, 1 step(s)
def walk_back(theta, alpha, support, query, n_steps):
    s = support.gradient(theta)
    g = query.gradient(theta - alpha * s)
    return g - support.curvature @ (alpha * g), np.full(len(alpha), -g @ s)


# %% wrong: only the last step gives a part for alpha | each step adds its part
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v = query.gradient(path[-1])
    in_alpha = -v * support.gradient(path[-2])
    for _ in range(n_steps):
        v = v - support.curvature @ (alpha * v)
    return v, in_alpha


# %% wrong: v goes on before the step takes its part | behind the step
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v = query.gradient(path[-1])
    in_alpha = -v * support.gradient(path[-2])
    for point in reversed(path[:-2]):
        v = v - support.curvature @ (alpha * v)
        in_alpha -= (v - support.curvature @ (alpha * v)) * support.gradient(point)
    return v - support.curvature @ (alpha * v), in_alpha


# %% wrong: every step has the query gradient for its v | behind the step
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    g = query.gradient(path[-1])
    in_alpha, v = -g * sum(support.gradient(point) for point in path[:-1]), g
    for _ in range(n_steps):
        v = v - support.curvature @ (alpha * v)
    return v, in_alpha


# %% right: backwards by itself, in lists of numbers
def walk_back(theta, alpha, support, query, n_steps):
    if n_steps == 0:
        return list(query.gradient(theta)), list(0 * alpha)
    s = support.gradient(theta)
    v, a = walk_back(theta - alpha * s, alpha, support, query, n_steps - 1)
    v, a = np.array(v), np.array(a)
    return (v - support.curvature @ (alpha * v)).tolist(), (a - v * s).tolist()


# %% wrong: only the diagonal of the curvature | three weights, 1 step(s)
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v = query.gradient(path[-1])
    a = np.zeros_like(theta)
    for t in reversed(path[:-1]):
        a = a - v * support.gradient(t)
        v = v - np.diag(support.curvature) * alpha * v
    return v, a


# %% wrong: right, but the start that was given is moved | changed its argument
def walk_back(theta, alpha, support, query, n_steps):
    path = []
    for _ in range(n_steps):
        path.append(theta.copy())
        theta -= alpha * support.gradient(theta)
    v, in_alpha = query.gradient(theta), np.zeros_like(alpha)
    for point in reversed(path):
        in_alpha = in_alpha - v * support.gradient(point)
        v = v - support.curvature @ (alpha * v)
    return v, in_alpha


# %% wrong: nothing comes back | got a NoneType
def walk_back(theta, alpha, support, query, n_steps):
    _ = by_the_engine(theta, alpha, support, query, n_steps)


# %% right: small imaginary steps, which are exact
def walk_back(theta, alpha, support, query, n_steps):
    def slope(at):
        theta_, alpha_ = at[: len(theta)], at[len(theta) :]
        for _ in range(n_steps):
            theta_ = theta_ - alpha_ * (support.curvature @ (theta_ - support.centre))
        away = theta_ - query.centre
        return (away @ query.curvature @ away / 2).imag / 1e-30

    both = np.concatenate([theta, alpha])
    found = np.array([slope(both + 1e-30j * e) for e in np.eye(len(both))])
    return found[: len(theta)], found[len(theta) :]


# %% right: the support gradients shrink by a matrix, and all steps stand in one array
def walk_back(theta, alpha, support, query, n_steps):
    turn = np.eye(len(theta)) - support.curvature * alpha
    s = [support.gradient(theta)]
    for _ in range(n_steps):
        s.append(turn @ s[-1])
    g = query.gradient(theta - alpha * np.sum(s[:-1], axis=0))
    v = np.array([np.linalg.matrix_power(turn, n_steps - 1 - j) @ g for j in range(n_steps)])
    return turn @ v[0], -np.einsum("jd,jd->d", v, np.array(s[:-1]))


# %% wrong: the two lines of a step change places | carried back already
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = query.gradient(path[-1]), np.zeros_like(alpha)
    for point in reversed(path[:-1]):
        v = v - support.curvature @ (alpha * v)
        in_alpha -= v * support.gradient(point)
    return v, in_alpha


# %% wrong: v begins as the gradient of the support | begin at the query
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = support.gradient(path[-1]), np.zeros_like(alpha)
    for point in reversed(path[:-1]):
        in_alpha -= v * support.gradient(point)
        v = v - support.curvature @ (alpha * v)
    return v, in_alpha


# %% wrong: the direction that goes down, in place of the gradients | both signs are turned
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = query.gradient(path[-1]), np.zeros_like(alpha)
    for point in reversed(path[:-1]):
        in_alpha -= v * support.gradient(point)
        v = v - support.curvature @ (alpha * v)
    return -v, -in_alpha


# %% wrong: the curvature multiplies entry by entry | gradient in each
def walk_back(theta, alpha, support, query, n_steps):
    s = support.gradient(theta)
    g = query.gradient(theta - alpha * s)
    return g - support.curvature * (alpha * g), -g * s


# %% wrong: one step, whatever was asked for | each step adds its part
def walk_back(theta, alpha, support, query, n_steps):
    s = support.gradient(theta)
    g = query.gradient(theta - alpha * s)
    return g - support.curvature @ (alpha * g), -g * s


# %% wrong: the rates are left out on the way back | where are the rates
def walk_back(theta, alpha, support, query, n_steps):
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = query.gradient(path[-1]), np.zeros_like(alpha)
    for point in reversed(path[:-1]):
        in_alpha -= v * support.gradient(point)
        v = v - support.curvature @ v
    return v, in_alpha
