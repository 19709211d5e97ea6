# %% right: as in the chapter
def rates_of_family(theta, pairs):
    left, right = 0.0, 0.0
    for support, query in pairs:
        s = support.gradient(theta)
        left = left + query.curvature * np.outer(s, s)
        right = right + query.gradient(theta) * s
    return np.linalg.solve(left, right)


# %% right: all tasks at once
def rates_of_family(theta, pairs):
    s = np.array([support.gradient(theta) for support, _ in pairs])
    b = np.array([query.gradient(theta) for _, query in pairs])
    B = np.array([query.curvature for _, query in pairs])
    return np.linalg.solve(np.einsum("tij,ti,tj->ij", B, s, s), np.einsum("ti,ti->i", b, s)).tolist()


# %% right: least squares, in coordinates where every query is round
def rates_of_family(theta, pairs):
    rows, wanted = [], []
    for support, query in pairs:
        root = np.linalg.cholesky(query.curvature).T
        rows.append(root @ np.diag(support.gradient(theta)))
        wanted.append(root @ (theta - query.centre))
    return np.linalg.lstsq(np.concatenate(rows), np.concatenate(wanted), rcond=None)[0]


# %% right: the mean loss is quadratic in the rates, so two gradients of it are enough
def rates_of_family(theta, pairs):
    def slope(alpha):
        found = np.zeros(len(theta))
        for support, query in pairs:
            s = support.gradient(theta)
            found -= query.gradient(theta - alpha * s) * s
        return found

    at_zero = slope(np.zeros(len(theta)))
    columns = [slope(e) - at_zero for e in np.eye(len(theta))]
    return np.linalg.solve(np.stack(columns, axis=1), -at_zero)


# %% wrong: the chapter's formula, which looks at the support alone | come apart
def rates_of_family(theta, pairs):
    left, right = 0.0, 0.0
    for support, _ in pairs:
        s = support.gradient(theta)
        left, right = left + support.curvature * np.outer(s, s), right + s * s
    return np.linalg.solve(left, right)


# %% wrong: the mean of the best rates of each task | all tasks share one
def rates_of_family(theta, pairs):
    found = []
    for support, query in pairs:
        s = support.gradient(theta)
        found.append(np.linalg.solve(query.curvature * np.outer(s, s), query.gradient(theta) * s))
    return np.mean(found, axis=0)


# %% wrong: the minus of the step is lost | minus of the step
def rates_of_family(theta, pairs):
    left, right = 0.0, 0.0
    for support, query in pairs:
        s = support.gradient(theta)
        left, right = left + query.curvature * np.outer(s, s), right + query.gradient(theta) * s
    return -np.linalg.solve(left, right)


# %% wrong: the means of two factors, in place of the mean of their product | product averaged or its factors
def rates_of_family(theta, pairs):
    s = np.array([support.gradient(theta) for support, _ in pairs])
    b = np.array([query.gradient(theta) for _, query in pairs])
    curvature = np.mean([query.curvature for _, query in pairs], axis=0)
    return np.linalg.solve(curvature * (s.T @ s / len(s)), np.mean(b * s, axis=0))


# %% wrong: the support's curvature stands where the query's belongs | whose curvature
def rates_of_family(theta, pairs):
    left, right = 0.0, 0.0
    for support, query in pairs:
        s = support.gradient(theta)
        left, right = left + support.curvature * np.outer(s, s), right + query.gradient(theta) * s
    return np.linalg.solve(left, right)


# %% wrong: each rate by itself, as if no coordinate touched another | ties it to the others
def rates_of_family(theta, pairs):
    left, right = 0.0, 0.0
    for support, query in pairs:
        s = support.gradient(theta)
        left, right = left + np.diag(query.curvature) * s**2, right + query.gradient(theta) * s
    return right / left


# %% wrong: one rate for all weights, the best there is | each rate is its own unknown
def rates_of_family(theta, pairs):
    left, right = 0.0, 0.0
    for support, query in pairs:
        s = support.gradient(theta)
        left, right = left + s @ query.curvature @ s, right + query.gradient(theta) @ s
    return np.full(len(theta), right / left)


# %% wrong: the start is taken to be zero | the slope left
def rates_of_family(theta, pairs):
    left, right, zero = 0.0, 0.0, np.zeros(len(theta))
    for support, query in pairs:
        s = support.gradient(zero)
        left, right = left + query.curvature * np.outer(s, s), right + query.gradient(zero) * s
    return np.linalg.solve(left, right)


# %% right: the pairs are used up, and the start is moved about
def rates_of_family(theta, pairs):
    matrix, right_side, theta_now = 0, 0, theta.copy()
    while pairs:
        support, query = pairs.pop()
        s = support.gradient(theta_now)
        matrix = matrix + query.curvature * np.outer(s, s)
        right_side = right_side + s * query.gradient(theta_now)
    theta -= 1
    return np.linalg.solve(matrix, right_side)
