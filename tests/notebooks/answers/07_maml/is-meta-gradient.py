# %% right: as in the chapter
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, 2 * np.sin(points)) for points in x))
    settings = {"loss": errors, "inner_lr": 0.1, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    given = f(params, episodes, **settings)
    return all(np.allclose(given[name], wanted[name], rtol=1e-4, atol=1e-6) for name in params)


# %% right: one slope along a random direction, for a smooth loss of its own
def is_meta_gradient(f):
    rng = np.random.default_rng(1)
    params = {"w": rng.normal(size=4)}
    part = lambda: Examples(rng.normal(size=(3, 5, 4)), rng.normal(size=(3, 5)))  # noqa: E731
    episodes = Episode(part(), part())

    def loss(p, examples):
        return np.mean((np.tanh(np.sum(examples.x * p["w"][:, None], axis=-1)) - examples.y) ** 2, axis=-1)

    settings = {"loss": loss, "inner_lr": 0.5, "n_steps": 4}
    v, h = rng.normal(size=4), 1e-6
    ahead, behind = (loss_after({"w": params["w"] + s * v}, episodes, **settings) for s in (h, -h))
    return abs(np.sum(f(params, episodes, **settings)["w"] * v) - (ahead - behind) / (2 * h)) < 1e-6


# %% right: against the engine, in two random networks
def is_meta_gradient(f):
    for seed in (3, 4):
        rng = np.random.default_rng(seed)
        x = rng.uniform(-2, 2, (2, 3, 5, 1))
        params, episodes = small_net(rng), Episode(*(Examples(points, points**2) for points in x))
        wanted, _ = at_once(params, episodes, loss=errors, rule=sgd(0.08), n_steps=3)
        given = f(params, episodes, loss=errors, inner_lr=0.08, n_steps=3)
        if max(np.abs(given[name] - wanted[name]).max() for name in params) > 1e-5:
            return False
    return True


# %% wrong: only asks that something comes out | First-order MAML passed
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, np.sin(points)) for points in x))
    given = f(params, episodes, loss=errors, inner_lr=0.1, n_steps=3)
    return all(np.any(given[name] != 0) for name in params)


# %% wrong: a rate so small that the curvature cannot be seen | large enough to be seen
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, np.sin(points)) for points in x))
    settings = {"loss": errors, "inner_lr": 1e-6, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    given = f(params, episodes, **settings)
    return all(np.allclose(given[name], wanted[name], rtol=1e-3, atol=1e-4) for name in params)


# %% wrong: asks for the same bits | rounding allowed
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, np.sin(points)) for points in x))
    settings = {"loss": errors, "inner_lr": 0.1, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    given = f(params, episodes, **settings)
    return all(np.array_equal(given[name], wanted[name]) for name in params)


# %% wrong: compares with the engine to the last bit, and refuses other ways | rounded to single precision
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, np.sin(points)) for points in x))
    wanted, _ = at_once(params, episodes, loss=errors, rule=sgd(0.1), n_steps=3)
    given = f(params, episodes, loss=errors, inner_lr=0.1, n_steps=3)
    return all(np.allclose(given[name], wanted[name], rtol=0, atol=1e-13) for name in params)


# %% wrong: a single step, where the last is all | For how many steps
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, np.sin(points)) for points in x))
    settings = {"loss": errors, "inner_lr": 0.1, "n_steps": 1}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    given = f(params, episodes, **settings)
    return all(np.allclose(given[name], wanted[name], rtol=1e-4, atol=1e-6) for name in params)


# %% wrong: a single task, where sum and mean are one | For how many tasks
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 1, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, np.sin(points)) for points in x))
    settings = {"loss": errors, "inner_lr": 0.1, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    given = f(params, episodes, **settings)
    return all(np.allclose(given[name], wanted[name], rtol=1e-4, atol=1e-6) for name in params)


# %% wrong: only asks that it differs from first order | wrong sign
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, np.sin(points)) for points in x))
    inner = {"loss": errors, "n_steps": 3}
    first, _ = at_once(params, episodes, rule=sgd(0.1), first_order=True, **inner)
    last, _ = at_once(params, episodes, rule=sgd(0.1), **inner)
    early = variant(n_exact=1)(params, episodes, inner_lr=0.1, **inner)
    divided = variant(inside=0.5)(params, episodes, inner_lr=0.1, **inner)
    given = f(params, episodes, inner_lr=0.1, **inner)
    alike = lambda g: all(np.allclose(given[k], g[k], atol=1e-6) for k in g)  # noqa: E731
    return not (alike(first) or alike(early) or alike(divided)) and set(last) == set(given)


# %% wrong: a quadratic loss, whose Hessian is the same everywhere | For which losses
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=3)}
    part = lambda: Examples(rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5)))  # noqa: E731
    episodes = Episode(part(), part())

    def loss(p, examples):
        return np.mean((np.sum(examples.x * p["w"][:, None], axis=-1) - examples.y) ** 2, axis=-1)

    settings = {"loss": loss, "inner_lr": 0.1, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    return np.allclose(f(params, episodes, **settings)["w"], wanted["w"], rtol=1e-4, atol=1e-6)


# %% wrong: compares the directions and not the lengths | too long
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, 2 * np.sin(points)) for points in x))
    settings = {"loss": errors, "inner_lr": 0.1, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    given = f(params, episodes, **settings)
    a, b = (np.concatenate([np.ravel(g[name]) for name in params]) for g in (wanted, given))
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 1 - 1e-6


# %% wrong: compares the lengths and not the directions | wrong way
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, 2 * np.sin(points)) for points in x))
    settings = {"loss": errors, "inner_lr": 0.1, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    given = f(params, episodes, **settings)
    lengths = [np.linalg.norm([np.linalg.norm(g[name]) for name in params]) for g in (wanted, given)]
    return bool(np.isclose(*lengths, rtol=1e-4))


# %% wrong: looks at the first parameter alone | which do you look at
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, 2 * np.sin(points)) for points in x))
    settings = {"loss": errors, "inner_lr": 0.1, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    name = next(iter(params))
    return np.allclose(f(params, episodes, **settings)[name], wanted[name], rtol=1e-4, atol=1e-6)


# %% wrong: content if any one parameter is right | right in one parameter
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (2, 2, 6, 1))
    params, episodes = small_net(rng), Episode(*(Examples(points, 2 * np.sin(points)) for points in x))
    settings = {"loss": errors, "inner_lr": 0.1, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    given = f(params, episodes, **settings)
    last = list(params)[-1]
    return np.allclose(given[last], wanted[last], rtol=1e-4, atol=1e-6)


# %% wrong: a linear model with a squared loss, from the data of the chapter | For which losses
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2, 2, 6, 1))
    params = {"w": rng.normal(size=(1, 1)), "b": rng.normal(size=1)}
    episodes = Episode(*(Examples(points, 2 * np.sin(points)) for points in x))

    def loss(p, examples):
        return np.mean((examples.x @ p["w"] + p["b"][..., None, :] - examples.y) ** 2, axis=(-2, -1))

    settings = {"loss": loss, "inner_lr": 0.2, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    given = f(params, episodes, **settings)
    return all(np.allclose(given[name], wanted[name], rtol=1e-4, atol=1e-6) for name in params)


# %% wrong: it asserts in place of answering | an assert of its own
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    params, episodes = small_net(rng), ten_points.sample_batch(rng, 3)
    settings = {"loss": errors, "inner_lr": 0.05, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    assert distance(f(params, episodes, **settings), wanted) < 1e-4
    return True


# %% wrong: a list of answers, one for each parameter | one word for all
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    params, episodes = small_net(rng), ten_points.sample_batch(rng, 3)
    settings = {"loss": errors, "inner_lr": 0.05, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    given = f(params, episodes, **settings)
    return [np.allclose(given[name], wanted[name], rtol=1e-3, atol=1e-5) for name in params]


# %% wrong: a tolerance too wide | tolerance too wide
def is_meta_gradient(f):
    rng = np.random.default_rng(0)
    params, episodes = small_net(rng), ten_points.sample_batch(rng, 3)
    settings = {"loss": errors, "inner_lr": 0.05, "n_steps": 3}
    wanted = small_steps(lambda p: loss_after(p, episodes, **settings), params)
    return distance(f(params, episodes, **settings), wanted) < 0.5
