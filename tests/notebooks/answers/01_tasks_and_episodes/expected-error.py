# %% right: as in the chapter
def expected_error(params, support_x, query_x):
    phi, phi_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = phi @ covariance @ phi.T + params["noise"] * np.eye(len(phi))
    left = covariance - covariance @ phi.T @ np.linalg.solve(gram, phi @ covariance)
    return np.einsum("qi,ij,qj->q", phi_q, left, phi_q)


# %% right: in terms of the values of the curve, with G written out
def expected_error(params, support_x, query_x):
    phi, phi_q = features(support_x), features(query_x)
    across = phi_q @ params["covariance"] @ phi.T
    within = phi @ params["covariance"] @ phi.T + params["noise"] * np.eye(len(phi))
    gain = across @ np.linalg.inv(within)
    return np.diag(phi_q @ params["covariance"] @ phi_q.T - gain @ across.T)


# %% right: all four terms of the covariance of d - G r, nothing cancelled
def expected_error(params, support_x, query_x):
    phi, phi_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = phi @ covariance @ phi.T + params["noise"] * np.eye(len(phi))
    gain = covariance @ phi.T @ np.linalg.inv(gram)
    kept = np.eye(12) - gain @ phi
    left = kept @ covariance @ kept.T + params["noise"] * gain @ gain.T
    return ((phi_q @ left) * phi_q).sum(axis=1)


# %% wrong: the variance between tasks, as if there were no support | takes error away
def expected_error(params, support_x, query_x):
    phi_q = features(query_x)
    return np.einsum("qi,ij,qj->q", phi_q, params["covariance"], phi_q)


# %% wrong: what the support explains is added | takes error away
def expected_error(params, support_x, query_x):
    phi, phi_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = phi @ covariance @ phi.T + params["noise"] * np.eye(len(phi))
    left = covariance + covariance @ phi.T @ np.linalg.solve(gram, phi @ covariance)
    return np.einsum("qi,ij,qj->q", phi_q, left, phi_q)


# %% wrong: the targets are taken to be exact | noise
def expected_error(params, support_x, query_x):
    phi, phi_q, covariance = features(support_x), features(query_x), params["covariance"]
    left = covariance - covariance @ phi.T @ np.linalg.solve(phi @ covariance @ phi.T, phi @ covariance)
    return np.einsum("qi,ij,qj->q", phi_q, left, phi_q)


# %% wrong: the whole covariance between queries instead of its diagonal | diagonal
def expected_error(params, support_x, query_x):
    phi, phi_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = phi @ covariance @ phi.T + params["noise"] * np.eye(len(phi))
    left = covariance - covariance @ phi.T @ np.linalg.solve(gram, phi @ covariance)
    return phi_q @ left @ phi_q.T


# %% wrong: the standard deviation instead of its square | the prior variance
def expected_error(params, support_x, query_x):
    phi, phi_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = phi @ covariance @ phi.T + params["noise"] * np.eye(len(phi))
    left = covariance - covariance @ phi.T @ np.linalg.solve(gram, phi @ covariance)
    return np.sqrt(np.einsum("qi,ij,qj->q", phi_q, left, phi_q))


# %% wrong: only the expected squared bias is kept, the noise that comes in through G is forgotten | through G
def expected_error(params, support_x, query_x):
    phi, phi_q, covariance = features(support_x), features(query_x), params["covariance"]
    gain = covariance @ phi.T @ np.linalg.inv(phi @ covariance @ phi.T + params["noise"] * np.eye(len(phi)))
    kept = np.eye(12) - gain @ phi
    left = kept @ covariance @ kept.T
    return np.einsum("qi,ij,qj->q", phi_q, left, phi_q)
