# %% right: as in the chapter
def condition(params, h, y):
    reach = params["covariance"] @ h.T
    gram = h @ reach + params["noise"] * np.eye(len(h))
    return params["mean"] + reach @ np.linalg.solve(gram, y[:, 0] - h @ params["mean"])


# %% right: the way on, one point after the other
from reference.baselines import condition


# %% right: with G written out by an inverse
def condition(params, h, y):
    m, s = np.asarray(params["mean"]), params["covariance"]
    g = s @ h.T @ np.linalg.inv(h @ s @ h.T + params["noise"] * np.identity(h.shape[0]))
    return m + (g @ (y - (h @ m)[:, None])).ravel()


# %% right: in a root of the covariance, where the prior is a ridge
def condition(params, h, y):
    values, axes = np.linalg.eigh(params["covariance"])
    root = axes * np.sqrt(np.maximum(values, 0))
    a = h @ root
    noise = max(params["noise"], 1e-12)
    z = a.T @ np.linalg.solve(a @ a.T + noise * np.eye(len(a)), y[:, 0] - h @ params["mean"])
    return params["mean"] + root @ z


# %% wrong: the targets instead of the surprise | start at the mean
def condition(params, h, y):
    reach = params["covariance"] @ h.T
    gram = h @ reach + params["noise"] * np.eye(len(h))
    return params["mean"] + reach @ np.linalg.solve(gram, y[:, 0])


# %% wrong: the mean is not added | start at the mean
def condition(params, h, y):
    reach = params["covariance"] @ h.T
    gram = h @ reach + params["noise"] * np.eye(len(h))
    return reach @ np.linalg.solve(gram, y[:, 0] - h @ params["mean"])


# %% wrong: no noise | the line and the noise
def condition(params, h, y):
    reach = params["covariance"] @ h.T
    return params["mean"] + reach @ np.linalg.solve(h @ reach, y[:, 0] - h @ params["mean"])


# %% wrong: the formula with the inverse of the covariance | no inverse
def condition(params, h, y):
    precision = np.linalg.inv(params["covariance"])
    noise = max(params["noise"], 1e-9)
    return np.linalg.solve(h.T @ h / noise + precision, h.T @ y[:, 0] / noise + precision @ params["mean"])


# %% wrong: plain least squares, whatever the prior | start at the mean
def condition(params, h, y):
    return np.linalg.lstsq(h, y[:, 0], rcond=None)[0]


# %% wrong: a column | one number for each weight
def condition(params, h, y):
    reach = params["covariance"] @ h.T
    gram = h @ reach + params["noise"] * np.eye(len(h))
    return params["mean"][:, None] + reach @ np.linalg.solve(gram, y - (h @ params["mean"])[:, None])


# %% wrong: the surprise goes back through the heights, not through the covariance | can move together
def condition(params, h, y):
    gram = h @ params["covariance"] @ h.T + params["noise"] * np.eye(len(h))
    return params["mean"] + h.T @ np.linalg.solve(gram, y[:, 0] - h @ params["mean"])


# %% wrong: only the first point is used | largest
def condition(params, h, y):
    h, y = h[:1], y[:1]
    reach = params["covariance"] @ h.T
    gram = h @ reach + params["noise"] * np.eye(len(h))
    return params["mean"] + reach @ np.linalg.solve(gram, y[:, 0] - h @ params["mean"])


# %% wrong: the noise is added everywhere, not on the diagonal | largest
def condition(params, h, y):
    reach = params["covariance"] @ h.T
    gram = h @ reach + params["noise"]
    return params["mean"] + reach @ np.linalg.solve(gram, y[:, 0] - h @ params["mean"])
