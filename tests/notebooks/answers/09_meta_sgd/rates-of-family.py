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


# %% right: means for sums, and an inverse that is not exact where a coordinate is idle
def rates_of_family(theta, pairs):
    left = np.mean(
        [np.diag(s) @ b @ np.diag(s) for s, b in ((a.gradient(theta), q.curvature) for a, q in pairs)], 0
    )
    right = np.mean([a.gradient(theta) * q.gradient(theta) for a, q in pairs], axis=0)
    return np.linalg.pinv(left) @ right


# %% right: a long descent in the rates, coordinate by coordinate
def rates_of_family(theta, pairs):
    alpha = [0.0] * len(theta)
    for _ in range(5000):
        for i in range(len(theta)):
            slope = bend = 0.0
            for support, query in pairs:
                s = support.gradient(theta)
                slope -= query.gradient(theta - np.array(alpha) * s)[i] * s[i]
                bend += query.curvature[i, i] * s[i] ** 2
            alpha[i] -= slope / bend
            if i == len(theta) - 1 and abs(slope) < 1e-12:
                return alpha
    return alpha


# %% wrong: the distance to the query's optimum is made least, not its loss | ties it to the others
def rates_of_family(theta, pairs):
    s = np.array([support.gradient(theta) for support, _ in pairs])
    away = np.array([theta - query.centre for _, query in pairs])
    return np.sum(s * away, axis=0) / np.sum(s * s, axis=0)


# %% wrong: a matrix with the rates on its diagonal | in an array (1,)
def rates_of_family(theta, pairs):
    left, right = 0.0, 0.0
    for support, query in pairs:
        s = support.gradient(theta)
        left, right = left + query.curvature * np.outer(s, s), right + query.gradient(theta) * s
    return np.diag(np.linalg.solve(left, right))


# %% wrong: the second moment is that of the query's gradient | come apart
def rates_of_family(theta, pairs):
    left, right = 0.0, 0.0
    for support, query in pairs:
        s, b = support.gradient(theta), query.gradient(theta)
        left, right = left + query.curvature * np.outer(b, b), right + b * s
    return np.linalg.solve(left, right)


# %% wrong: support and query change places | whose step is it
def rates_of_family(theta, pairs):
    left, right = 0.0, 0.0
    for query, support in pairs:
        s = support.gradient(theta)
        left, right = left + query.curvature * np.outer(s, s), right + query.gradient(theta) * s
    return np.linalg.solve(left, right)


# %% wrong: the last task alone | a single task
def rates_of_family(theta, pairs):
    for support, query in pairs:
        s = support.gradient(theta)
        left, right = query.curvature * np.outer(s, s), query.gradient(theta) * s
    return np.linalg.solve(left + 1e-9 * np.eye(len(theta)), right)
