# %% right: as in the chapter
def solving_rates(curvature):
    eigenvalues = np.linalg.eigvalsh(curvature)
    new = np.diff(eigenvalues, prepend=-np.inf) > 1e-6
    return 1 / eigenvalues[new]


# %% right: the longest step first, the eigenvalues collected one by one
def solving_rates(curvature):
    found = []
    for value in np.linalg.eigvalsh(curvature):
        if not any(abs(value - other) < 1e-6 for other in found):
            found.append(value)
    return np.array([1 / value for value in found])


# %% right: rounded, then made unique; the shortest step first
def solving_rates(curvature):
    return 1 / np.unique(np.linalg.eigvalsh(curvature).round(6))[::-1]


# %% wrong: a step for every eigenvalue, equal ones too | one step is enough
def solving_rates(curvature):
    return 1 / np.linalg.eigvalsh(curvature)


# %% wrong: np.unique without room for rounding | 3 steps are enough
def solving_rates(curvature):
    return 1 / np.unique(np.linalg.eigvalsh(curvature))


# %% wrong: the curvatures along the axes | along the eigenvectors
def solving_rates(curvature):
    return 1 / np.unique(np.diag(curvature))


# %% wrong: the eigenvalues themselves | these are the curvatures
def solving_rates(curvature):
    return np.unique(np.linalg.eigvalsh(curvature).round(6))


# %% wrong: the safe step of gradient descent, 1 / the largest curvature, again and again | need the rates
def solving_rates(curvature):
    eigenvalues = np.linalg.eigvalsh(curvature)
    return np.full(len(np.unique(eigenvalues.round(6))), 1 / eigenvalues.max())


# %% wrong: one best step for all | two steps
def solving_rates(curvature):
    eigenvalues = np.linalg.eigvalsh(curvature)
    return np.array([2 / (eigenvalues.min() + eigenvalues.max())])


# %% right: in single precision
def solving_rates(curvature):
    values = np.linalg.eigvalsh(curvature)
    return (1 / values[np.append(True, np.diff(values) > 1e-6)]).astype(np.float32)


# %% wrong: eigenvalues that are near are taken for equal | 3 steps are enough and needed
def solving_rates(curvature):
    return 1 / np.unique(np.linalg.eigvalsh(curvature).round(3))


# %% right: a list, from singular values
def solving_rates(curvature):
    rates = []
    for value in np.linalg.svd(curvature, compute_uv=False):
        if not rates or not np.isclose(1 / rates[-1], value, rtol=0, atol=1e-6):
            rates.append(1 / value)
    return rates


# %% right: from the inverse, whose eigenvalues are the rates
def solving_rates(curvature):
    rates = np.linalg.eigvals(np.linalg.inv(curvature)).real
    return tuple({round(1 / rate, 6): rate for rate in rates}.values())


# %% wrong: the ends of the spectrum alone | 3 steps are enough and needed
def solving_rates(curvature):
    values = np.linalg.eigvalsh(curvature)
    return np.unique(1 / values[[0, -1]].round(6))


# %% wrong: Chebyshev's steps, the best when only the ends are known | need the rates
def solving_rates(curvature):
    values = np.linalg.eigvalsh(curvature)
    n, low, high = len(np.unique(values.round(6))), values[0], values[-1]
    nodes = np.cos((2 * np.arange(n) + 1) * np.pi / (2 * n))
    return 1 / ((high + low) / 2 + (high - low) / 2 * nodes)


# %% wrong: a set, which has no order | order of the steps
def solving_rates(curvature):
    return {1 / value for value in np.linalg.eigvalsh(curvature).round(6)}


# %% wrong: a rate of its own for every weight, as in Meta-SGD | one number for all weights
def solving_rates(curvature):
    values = np.linalg.eigvalsh(curvature)
    return np.array([1 / values for _ in np.unique(values.round(6))])


# %% wrong: steps twice as long, which jump to the other side | need the rates
def solving_rates(curvature):
    return 2 / np.unique(np.linalg.eigvalsh(curvature).round(6))
