# %% right: as in the chapter
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y) / len(support.y)
    phi = theta - rates * s
    g = 2 * query.x.T @ (query.x @ phi - query.y) / len(query.y)
    hessian = 2 * support.x.T @ support.x / len(support.y)
    return g - hessian @ (rates * g), -g * s


# %% right: the Jacobians written out as matrices
def linear_gradients(theta, rates, support, query):
    n, d = support.x.shape
    hessian = 2 * support.x.T @ support.x / n
    s = hessian @ theta - 2 * support.x.T @ support.y / n
    residual = query.x @ (theta - rates * s) - query.y
    g = 2 * query.x.T @ residual / len(residual)
    in_theta, in_rates = np.eye(d) - np.diag(rates) @ hessian, -np.diag(s)
    return in_theta.T @ g, in_rates.T @ g


# %% right: weight by weight, in loops
def linear_gradients(theta, rates, support, query):
    n, d = support.x.shape
    s = np.array([np.mean(2 * support.x[:, i] * (support.x @ theta - support.y)) for i in range(d)])
    g = np.array([np.mean(2 * query.x[:, i] * (query.x @ (theta - rates * s) - query.y)) for i in range(d)])
    in_theta = g.copy()
    for j in range(d):
        for i in range(d):
            in_theta[j] -= np.mean(2 * support.x[:, i] * support.x[:, j]) * rates[i] * g[i]
    return in_theta, -(g * s)


# %% wrong: first order, the curvature of the step is forgotten | its gradient, too
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y) / len(support.y)
    g = 2 * query.x.T @ (query.x @ (theta - rates * s) - query.y) / len(query.y)
    return g, -g * s


# %% wrong: the query gradient is taken before the step | at which point
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y) / len(support.y)
    g = 2 * query.x.T @ (query.x @ theta - query.y) / len(query.y)
    hessian = 2 * support.x.T @ support.x / len(support.y)
    return g - hessian @ (rates * g), -g * s


# %% wrong: the minus of the step is lost in the gradient of the rates | the sign
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y) / len(support.y)
    g = 2 * query.x.T @ (query.x @ (theta - rates * s) - query.y) / len(query.y)
    hessian = 2 * support.x.T @ support.x / len(support.y)
    return g - hessian @ (rates * g), g * s


# %% wrong: H and the rates in the wrong order | order in which rates and H act
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y) / len(support.y)
    g = 2 * query.x.T @ (query.x @ (theta - rates * s) - query.y) / len(query.y)
    hessian = 2 * support.x.T @ support.x / len(support.y)
    return g - rates * (hessian @ g), -g * s


# %% wrong: one number for all rates, as if they were one | its own gradient
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y) / len(support.y)
    g = 2 * query.x.T @ (query.x @ (theta - rates * s) - query.y) / len(query.y)
    hessian = 2 * support.x.T @ support.x / len(support.y)
    return g - hessian @ (rates * g), np.array([-g @ s])


# %% wrong: sums over the examples instead of means | several examples are averaged
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y)
    g = 2 * query.x.T @ (query.x @ (theta - rates * s) - query.y)
    return g - 2 * support.x.T @ (support.x @ (rates * g)), -g * s


# %% wrong: the museum's, the rates get the gradient of the weights | two gradients
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y) / len(support.y)
    g = 2 * query.x.T @ (query.x @ (theta - rates * s) - query.y) / len(query.y)
    hessian = 2 * support.x.T @ support.x / len(support.y)
    in_theta = g - hessian @ (rates * g)
    return in_theta, in_theta


# %% wrong: the pair in the other order | in this order
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y) / len(support.y)
    phi = theta - rates * s
    g = 2 * query.x.T @ (query.x @ phi - query.y) / len(query.y)
    hessian = 2 * support.x.T @ support.x / len(support.y)
    return -g * s, g - hessian @ (rates * g)


# %% wrong: the curvature of the query loss | which loss has its curvature
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y) / len(support.y)
    g = 2 * query.x.T @ (query.x @ (theta - rates * s) - query.y) / len(query.y)
    hessian = 2 * query.x.T @ query.x / len(query.y)
    return g - hessian @ (rates * g), -g * s


# %% wrong: in the rates alone, the query gradient is taken before the step | taken at theta, before
def linear_gradients(theta, rates, support, query):
    s = 2 * support.x.T @ (support.x @ theta - support.y) / len(support.y)
    g = 2 * query.x.T @ (query.x @ (theta - rates * s) - query.y) / len(query.y)
    before = 2 * query.x.T @ (query.x @ theta - query.y) / len(query.y)
    hessian = 2 * support.x.T @ support.x / len(support.y)
    return g - hessian @ (rates * g), -before * s
