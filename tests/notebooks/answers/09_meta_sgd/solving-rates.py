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
