# %% right: as in the chapter
def resting_place(curvatures, centres, inner_lr):
    n_tasks, k, d = centres.shape
    P, q = np.tile(np.eye(d), (n_tasks, 1, 1)), np.zeros((n_tasks, d, 1))
    for A, c in zip(curvatures.swapaxes(0, 1), centres.swapaxes(0, 1), strict=True):
        factor = np.eye(d) - inner_lr * A
        P, q = factor @ P, factor @ q + inner_lr * A @ c[..., None]
    return np.linalg.solve((np.eye(d) - P).sum(axis=0), q.sum(axis=0))[:, 0]


# %% right: loops, one task and one batch at a time
def resting_place(curvatures, centres, inner_lr):
    d = centres.shape[-1]
    left, right = np.zeros((d, d)), np.zeros(d)
    for i in range(len(centres)):
        P, q = np.eye(d), np.zeros(d)
        for A, c in zip(curvatures[i], centres[i], strict=True):
            P = P - inner_lr * A @ P
            q = q - inner_lr * A @ (q - c)
        left += np.eye(d) - P
        right += q
    return np.linalg.solve(left, right)


# %% right: the direction is affine in theta, so it is asked at 0 and at the unit vectors
def resting_place(curvatures, centres, inner_lr):
    def summed(theta):
        total = 0
        for task_curvatures, task_centres in zip(curvatures, centres, strict=True):
            end = theta
            for A, c in zip(task_curvatures, task_centres, strict=True):
                end = end - inner_lr * A @ (end - c)
            total = total + theta - end
        return total

    d = centres.shape[-1]
    constant = summed(np.zeros(d))
    slopes = np.stack([summed(e) - constant for e in np.eye(d)], axis=1)
    return np.linalg.solve(slopes, -constant)


# %% wrong: the batches in the other order | the first one comes first
def resting_place(curvatures, centres, inner_lr):
    n_tasks, k, d = centres.shape
    P, q = np.tile(np.eye(d), (n_tasks, 1, 1)), np.zeros((n_tasks, d, 1))
    for i in reversed(range(k)):
        A, c = curvatures[:, i], centres[:, i]
        factor = np.eye(d) - inner_lr * A
        P, q = factor @ P, factor @ q + inner_lr * A @ c[..., None]
    return np.linalg.solve((np.eye(d) - P).sum(axis=0), q.sum(axis=0))[:, 0]


# %% wrong: what earlier steps added is not shrunk by later ones | q is multiplied
def resting_place(curvatures, centres, inner_lr):
    n_tasks, k, d = centres.shape
    P, q = np.tile(np.eye(d), (n_tasks, 1, 1)), np.zeros((n_tasks, d, 1))
    for i in range(k):
        A, c = curvatures[:, i], centres[:, i]
        P, q = (np.eye(d) - inner_lr * A) @ P, q + inner_lr * A @ c[..., None]
    return np.linalg.solve((np.eye(d) - P).sum(axis=0), q.sum(axis=0))[:, 0]


# %% wrong: every gradient is taken at theta, which is joint training | joint training
def resting_place(curvatures, centres, inner_lr):
    A = curvatures.sum(axis=(0, 1))
    return np.linalg.solve(A, (curvatures @ centres[..., None]).sum(axis=(0, 1)))[:, 0]


# %% wrong: the plain mean of the optima | plain mean
def resting_place(curvatures, centres, inner_lr):
    return centres.mean(axis=(0, 1))


# %% wrong: the factors are multiplied on from the right | do not commute
def resting_place(curvatures, centres, inner_lr):
    n_tasks, k, d = centres.shape
    P, q = np.tile(np.eye(d), (n_tasks, 1, 1)), np.zeros((n_tasks, d, 1))
    for i in range(k):
        A, c = curvatures[:, i], centres[:, i]
        factor = np.eye(d) - inner_lr * A
        P, q = P @ factor, factor @ q + inner_lr * A @ c[..., None]
    return np.linalg.solve((np.eye(d) - P).sum(axis=0), q.sum(axis=0))[:, 0]


# %% wrong: the batches of a task are pooled, and k steps taken on the pool | second step starts
def resting_place(curvatures, centres, inner_lr):
    k, d = centres.shape[1:]
    A = curvatures.mean(axis=1)
    pooled = np.linalg.solve(A, (curvatures @ centres[..., None]).mean(axis=1))
    weights = np.eye(d) - np.linalg.matrix_power(np.eye(d) - inner_lr * A, k)
    return np.linalg.solve(weights.sum(axis=0), (weights @ pooled).sum(axis=0))[:, 0]


# %% wrong: the rate of the pencil's task is written into the code | the given rate
def resting_place(curvatures, centres, inner_lr):
    n_tasks, k, d = centres.shape
    P, q = np.tile(np.eye(d), (n_tasks, 1, 1)), np.zeros((n_tasks, d, 1))
    for A, c in zip(curvatures.swapaxes(0, 1), centres.swapaxes(0, 1), strict=True):
        factor = np.eye(d) - 0.2 * A
        P, q = factor @ P, factor @ q + 0.2 * A @ c[..., None]
    return np.linalg.solve((np.eye(d) - P).sum(axis=0), q.sum(axis=0))[:, 0]


# %% wrong: every task is solved by itself, and the places are averaged | sum the directions first
def resting_place(curvatures, centres, inner_lr):
    d, places = centres.shape[-1], []
    for task_curvatures, task_centres in zip(curvatures, centres, strict=True):
        P, q = np.eye(d), np.zeros(d)
        for A, c in zip(task_curvatures, task_centres, strict=True):
            P, q = P - inner_lr * A @ P, q - inner_lr * A @ (q - c)
        places.append(np.linalg.solve(np.eye(d) - P, q))
    return np.mean(places, axis=0)


# %% wrong: entry by entry in place of the product of matrices | those of matrices
def resting_place(curvatures, centres, inner_lr):
    d = centres.shape[-1]
    left, right = np.zeros((d, d)), np.zeros(d)
    for task_curvatures, task_centres in zip(curvatures, centres, strict=True):
        P, q = np.eye(d), np.zeros(d)
        for A, c in zip(task_curvatures, task_centres, strict=True):
            P, q = (np.eye(d) - inner_lr * A) * P, q - inner_lr * A @ (q - c)
        left, right = left + np.eye(d) - P, right + q
    return np.linalg.solve(left, right)


# %% wrong: nothing is returned | `return`
def resting_place(curvatures, centres, inner_lr):
    _ = centres.mean(axis=(0, 1))
