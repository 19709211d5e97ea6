# %% right: as in the chapter
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    support, query = Quadratics(dimension=3).sample(rng), Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), rng.normal(size=3)
    in_theta, in_alpha = candidate(theta, alpha, support, query)
    wanted_theta = small_steps(lambda x: loss_after(x, alpha, support, query, 1), theta)
    wanted_alpha = small_steps(lambda x: loss_after(theta, x, support, query, 1), alpha)
    both = np.allclose(in_theta, wanted_theta, atol=1e-6) and np.allclose(in_alpha, wanted_alpha, atol=1e-6)
    return bool(both)


# %% right: against the formula on paper, on tasks written down
def is_meta_gradient(candidate):
    support = Quadratic(np.array([1.0, -2.0]), np.array([[2.0, 0.7], [0.7, 1.0]]))
    query = Quadratic(np.array([0.5, 1.0]), np.array([[1.0, -0.3], [-0.3, 3.0]]))
    theta, alpha = np.array([0.3, -0.4]), np.array([0.5, -0.2])
    s = support.gradient(theta)
    g = query.gradient(theta - alpha * s)
    expected = np.concatenate([g - support.curvature @ (alpha * g), -g * s])
    return np.abs(np.concatenate(candidate(theta, alpha, support, query)) - expected).max() < 1e-8


# %% right: slopes along random directions, many times
def is_meta_gradient(candidate):
    rng = np.random.default_rng(1)
    for _ in range(20):
        support, query = (Quadratics(dimension=4).sample(rng) for _ in range(2))
        theta, alpha, u, v = rng.normal(size=(4, 4))
        in_theta, in_alpha = candidate(theta, alpha, support, query)
        ahead = loss_after(theta + 1e-5 * u, alpha + 1e-5 * v, support, query, 1)
        behind = loss_after(theta - 1e-5 * u, alpha - 1e-5 * v, support, query, 1)
        slope = (ahead - behind) / 2e-5
        if abs(slope - in_theta @ u - in_alpha @ v) > 1e-5 * max(1, abs(slope)):
            return False
    return True


# %% wrong: only the weights are asked about | ask about both
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    support, query = Quadratics(dimension=3).sample(rng), Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), rng.normal(size=3)
    wanted = small_steps(lambda x: loss_after(x, alpha, support, query, 1), theta)
    return np.allclose(candidate(theta, alpha, support, query)[0], wanted, atol=1e-6)


# %% wrong: only the rates are asked about | where is the curvature
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    support, query = Quadratics(dimension=3).sample(rng), Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), rng.normal(size=3)
    wanted = small_steps(lambda x: loss_after(theta, x, support, query, 1), alpha)
    return np.allclose(candidate(theta, alpha, support, query)[1], wanted, atol=1e-6)


# %% wrong: all rates are equal, as in MAML | equal rates
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    support, query = Quadratics(dimension=3).sample(rng), Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), np.full(3, 0.1)
    in_theta, in_alpha = candidate(theta, alpha, support, query)
    wanted_theta = small_steps(lambda x: loss_after(x, alpha, support, query, 1), theta)
    wanted_alpha = small_steps(lambda x: loss_after(theta, x, support, query, 1), alpha)
    return np.allclose(in_theta, wanted_theta, atol=1e-6) and np.allclose(in_alpha, wanted_alpha, atol=1e-6)


# %% wrong: diagonal curvatures, where the order does not show | diagonal curvature
def is_meta_gradient(candidate):
    support = Quadratic(np.array([1.0, -2.0]), np.diag([1.0, 4.0]))
    query = Quadratic(np.array([0.5, 1.0]), np.diag([2.0, 1.0]))
    theta, alpha = np.array([0.3, -0.4]), np.array([0.5, -0.2])
    in_theta, in_alpha = candidate(theta, alpha, support, query)
    wanted_theta = small_steps(lambda x: loss_after(x, alpha, support, query, 1), theta)
    wanted_alpha = small_steps(lambda x: loss_after(theta, x, support, query, 1), alpha)
    return np.allclose(in_theta, wanted_theta, atol=1e-6) and np.allclose(in_alpha, wanted_alpha, atol=1e-6)


# %% wrong: the support is the query | query differ
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    task = Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), rng.normal(size=3)
    in_theta, in_alpha = candidate(theta, alpha, task, task)
    wanted_theta = small_steps(lambda x: loss_after(x, alpha, task, task, 1), theta)
    wanted_alpha = small_steps(lambda x: loss_after(theta, x, task, task, 1), alpha)
    return np.allclose(in_theta, wanted_theta, atol=1e-6) and np.allclose(in_alpha, wanted_alpha, atol=1e-6)


# %% wrong: asks for the same bits | np.allclose
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    support, query = Quadratics(dimension=3).sample(rng), Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), rng.normal(size=3)
    in_theta, in_alpha = candidate(theta, alpha, support, query)
    wanted_theta = small_steps(lambda x: loss_after(x, alpha, support, query, 1), theta)
    wanted_alpha = small_steps(lambda x: loss_after(theta, x, support, query, 1), alpha)
    return np.array_equal(in_theta, wanted_theta) and np.array_equal(in_alpha, wanted_alpha)


# %% wrong: only asks whether a step against the gradient lowers the loss | passed
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    support, query = Quadratics(dimension=3).sample(rng), Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), np.full(3, 0.1)
    in_theta, in_alpha = candidate(theta, alpha, support, query)
    before = loss_after(theta, alpha, support, query, 1)
    lower = loss_after(theta - 1e-4 * in_theta, alpha, support, query, 1) < before
    return lower and loss_after(theta, alpha - 1e-4 * in_alpha, support, query, 1) < before


# %% wrong: looks at the first entry alone | look at every entry
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    support, query = Quadratics(dimension=3).sample(rng), Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), rng.normal(size=3)
    in_theta, in_alpha = candidate(theta, alpha, support, query)
    wanted_theta = small_steps(lambda x: loss_after(x, alpha, support, query, 1), theta)
    wanted_alpha = small_steps(lambda x: loss_after(theta, x, support, query, 1), alpha)
    first = np.allclose(in_theta[0], wanted_theta[0], atol=1e-6)
    return first and np.allclose(in_alpha[0], wanted_alpha[0], atol=1e-6)


# %% wrong: compares the sums of the entries | whose sum is right
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    support, query = Quadratics(dimension=3).sample(rng), Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), rng.normal(size=3)
    in_theta, in_alpha = candidate(theta, alpha, support, query)
    wanted_theta = small_steps(lambda x: loss_after(x, alpha, support, query, 1), theta)
    wanted_alpha = small_steps(lambda x: loss_after(theta, x, support, query, 1), alpha)
    sums = np.allclose(np.sum(in_theta), wanted_theta.sum(), atol=1e-6)
    return sums and np.allclose(np.sum(in_alpha), wanted_alpha.sum(), atol=1e-6)


# %% wrong: compares the lengths of the gradients | wrong
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    support, query = Quadratics(dimension=3).sample(rng), Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), rng.normal(size=3)
    in_theta, in_alpha = candidate(theta, alpha, support, query)
    wanted_theta = small_steps(lambda x: loss_after(x, alpha, support, query, 1), theta)
    wanted_alpha = small_steps(lambda x: loss_after(theta, x, support, query, 1), alpha)
    lengths = np.allclose(np.linalg.norm(in_theta), np.linalg.norm(wanted_theta), atol=1e-6)
    return lengths and np.allclose(np.linalg.norm(in_alpha), np.linalg.norm(wanted_alpha), atol=1e-6)


# %% wrong: two optima, but one curvature for both | query differ
def is_meta_gradient(candidate):
    curvature = np.array([[2.0, 0.7], [0.7, 1.0]])
    support, query = (Quadratic(np.array(centre), curvature) for centre in ([1.0, -2.0], [0.5, 1.0]))
    theta, alpha = np.array([0.3, -0.4]), np.array([0.5, -0.2])
    in_theta, in_alpha = candidate(theta, alpha, support, query)
    wanted_theta = small_steps(lambda x: loss_after(x, alpha, support, query, 1), theta)
    wanted_alpha = small_steps(lambda x: loss_after(theta, x, support, query, 1), alpha)
    return np.allclose(in_theta, wanted_theta, atol=1e-6) and np.allclose(in_alpha, wanted_alpha, atol=1e-6)


# %% wrong: a formula with the query's curvature | refused
def is_meta_gradient(candidate):
    rng = np.random.default_rng(0)
    support, query = Quadratics(dimension=3).sample(rng), Quadratics(dimension=3).sample(rng)
    theta, alpha = rng.normal(size=3), rng.normal(size=3)
    s = support.gradient(theta)
    g = query.gradient(theta - alpha * s)
    in_theta, in_alpha = candidate(theta, alpha, support, query)
    return np.allclose(in_theta, g - query.curvature @ (alpha * g)) and np.allclose(in_alpha, -g * s)
