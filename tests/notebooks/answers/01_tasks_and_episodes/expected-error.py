# %% right: as in the chapter
def expected_error(params, support_x, query_x):
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = h @ covariance @ h.T + params["noise"] * np.eye(len(h))
    left = covariance - covariance @ h.T @ np.linalg.solve(gram, h @ covariance)
    return np.einsum("qi,ij,qj->q", h_q, left, h_q)


# %% right: in terms of the values of the curve, with G written out
def expected_error(params, support_x, query_x):
    h, h_q = features(support_x), features(query_x)
    across = h_q @ params["covariance"] @ h.T
    within = h @ params["covariance"] @ h.T + params["noise"] * np.eye(len(h))
    gain = across @ np.linalg.inv(within)
    return np.diag(h_q @ params["covariance"] @ h_q.T - gain @ across.T)


# %% right: all four terms of the covariance of d - G r, nothing cancelled
def expected_error(params, support_x, query_x):
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = h @ covariance @ h.T + params["noise"] * np.eye(len(h))
    gain = covariance @ h.T @ np.linalg.inv(gram)
    kept = np.eye(12) - gain @ h
    left = kept @ covariance @ kept.T + params["noise"] * gain @ gain.T
    return ((h_q @ left) * h_q).sum(axis=1)


# %% wrong: the variance between tasks, as if there were no support | takes error away
def expected_error(params, support_x, query_x):
    h_q = features(query_x)
    return np.einsum("qi,ij,qj->q", h_q, params["covariance"], h_q)


# %% wrong: what the support explains is added | takes error away
def expected_error(params, support_x, query_x):
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = h @ covariance @ h.T + params["noise"] * np.eye(len(h))
    left = covariance + covariance @ h.T @ np.linalg.solve(gram, h @ covariance)
    return np.einsum("qi,ij,qj->q", h_q, left, h_q)


# %% wrong: the targets are taken to be exact | noise
def expected_error(params, support_x, query_x):
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    left = covariance - covariance @ h.T @ np.linalg.solve(h @ covariance @ h.T, h @ covariance)
    return np.einsum("qi,ij,qj->q", h_q, left, h_q)


# %% wrong: the whole covariance between queries instead of its diagonal | diagonal
def expected_error(params, support_x, query_x):
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = h @ covariance @ h.T + params["noise"] * np.eye(len(h))
    left = covariance - covariance @ h.T @ np.linalg.solve(gram, h @ covariance)
    return h_q @ left @ h_q.T


# %% wrong: the standard deviation instead of its square | the prior variance
def expected_error(params, support_x, query_x):
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = h @ covariance @ h.T + params["noise"] * np.eye(len(h))
    left = covariance - covariance @ h.T @ np.linalg.solve(gram, h @ covariance)
    return np.sqrt(np.einsum("qi,ij,qj->q", h_q, left, h_q))


# %% wrong: only the expected squared bias is kept, the noise that comes in through G is forgotten | through G
def expected_error(params, support_x, query_x):
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    gain = covariance @ h.T @ np.linalg.inv(h @ covariance @ h.T + params["noise"] * np.eye(len(h)))
    kept = np.eye(12) - gain @ h
    left = kept @ covariance @ kept.T
    return np.einsum("qi,ij,qj->q", h_q, left, h_q)


# %% wrong: the noise of a new target is added to the distance from the curve | without noise
def expected_error(params, support_x, query_x):
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = h @ covariance @ h.T + params["noise"] * np.eye(len(h))
    left = covariance - covariance @ h.T @ np.linalg.solve(gram, h @ covariance)
    return np.einsum("qi,ij,qj->q", h_q, left, h_q) + params["noise"]


# %% wrong: every support point takes away by itself, as if no two said the same | at once
def expected_error(params, support_x, query_x):
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    left = covariance.copy()
    for row in h:
        left -= np.outer(covariance @ row, covariance @ row) / (row @ covariance @ row + params["noise"])
    return np.einsum("qi,ij,qj->q", h_q, left, h_q)


# %% wrong: the noise is added to every entry of the matrix, as one number | on the diagonal only
def expected_error(params, support_x, query_x):
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = h @ covariance @ h.T + params["noise"]
    left = covariance - covariance @ h.T @ np.linalg.solve(gram, h @ covariance)
    return np.einsum("qi,ij,qj->q", h_q, left, h_q)


# %% right: the points one after the other, and a list
def expected_error(params, support_x, query_x):
    left = params["covariance"]
    for h in features(support_x):
        left = left - np.outer(left @ h, h @ left) / (h @ left @ h + params["noise"])
    return [float(h @ left @ h) for h in features(query_x)]
