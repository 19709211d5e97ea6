# %% right: as in the chapter
def sequences_meet(answers, x):
    among = np.asarray(answers(x))
    alone = [np.asarray(answers(x[:, [b]]))[:, 0] for b in range(x.shape[1])]
    return bool(np.abs(among - np.stack(alone, axis=1)).max() > 1e-7)


# %% right: one at a time, with allclose
def sequences_meet(answers, x):
    among = answers(x)
    for b in range(x.shape[1]):
        if not np.allclose(among[:, b], answers(x[:, b : b + 1])[:, 0], rtol=0, atol=1e-7):
            return True
    return False


# %% right: any of them
def sequences_meet(answers, x):
    among = answers(x)
    return any(np.max(abs(answers(x[:, [b]])[:, 0] - among[:, b])) > 1e-6 for b in range(x.shape[1]))


# %% wrong: only the first sequence is tried | only the last sequence is touched
def sequences_meet(answers, x):
    return not np.allclose(answers(x)[:, 0], answers(x[:, [0]])[:, 0], rtol=0, atol=1e-7)


# %% wrong: equal to the last digit | last digits
def sequences_meet(answers, x):
    among = answers(x)
    return any(not np.array_equal(among[:, b], answers(x[:, [b]])[:, 0]) for b in range(x.shape[1]))


# %% wrong: only the first step is compared | only the last step is touched
def sequences_meet(answers, x):
    among = answers(x)
    return any(abs(among[0, b] - answers(x[:, [b]])[0, 0]).max() > 1e-7 for b in range(x.shape[1]))


# %% wrong: a tolerance that lets a small leak pass | it is small
def sequences_meet(answers, x):
    among = answers(x)
    return any(abs(among[:, b] - answers(x[:, [b]])[:, 0]).max() > 1e-2 for b in range(x.shape[1]))


# %% wrong: the others are changed, their number is not | the number of the others counts
def sequences_meet(answers, x):
    among = answers(x)
    for b in range(x.shape[1]):
        others = x + 1.0
        others[:, b] = x[:, b]
        if abs(answers(others)[:, b] - among[:, b]).max() > 1e-7:
            return True
    return False


# %% wrong: whether the answers are alike | expected
def sequences_meet(answers, x):
    among = answers(x)
    return bool(np.allclose(among[:, 0], among[:, -1]))


# %% wrong: the mean of the difference hides it | expected
def sequences_meet(answers, x):
    among = answers(x)
    alone = np.concatenate([answers(x[:, [b]]) for b in range(x.shape[1])], axis=1)
    return bool(abs((among - alone).mean()) > 1e-2)


# %% wrong: True and False are exchanged | expected False
def sequences_meet(answers, x):
    among = answers(x)
    alone = np.concatenate([answers(x[:, [b]]) for b in range(x.shape[1])], axis=1)
    return bool(np.allclose(among, alone, rtol=0, atol=1e-7))


# %% wrong: the largest difference itself | True or False
def sequences_meet(answers, x):
    alone = np.concatenate([answers(x[:, [b]]) for b in range(x.shape[1])], axis=1)
    return abs(answers(x) - alone).max()


# %% wrong: the order of the sequences is changed | all answers are one
def sequences_meet(answers, x):
    order = np.arange(x.shape[1])[::-1]
    return not np.allclose(answers(x[:, order]), answers(x)[:, order], rtol=0, atol=1e-7)


# %% wrong: the axis of sequences is lost | it takes (n_steps, batch, d)
def sequences_meet(answers, x):
    among = answers(x)
    return any(abs(answers(x[:, b]) - among[:, b]).max() > 1e-7 for b in range(x.shape[1]))


# %% wrong: the others are set to zero | the number of the others counts
def sequences_meet(answers, x):
    among = answers(x)
    for b in range(x.shape[1]):
        others = np.zeros_like(x)
        others[:, b] = x[:, b]
        if abs(answers(others)[:, b] - among[:, b]).max() > 1e-7:
            return True
    return False


# %% wrong: two sequences are compared with each other | expected False
def sequences_meet(answers, x):
    said = answers(x)
    return bool(abs(said[:, 0] - said[:, 1]).max() > 1e-7)


# %% wrong: the default tolerances, one of which is relative | it is small
def sequences_meet(answers, x):
    among = answers(x)
    alone = np.concatenate([answers(x[:, [b]]) for b in range(x.shape[1])], axis=1)
    return not np.allclose(among, alone, rtol=1e-2)


# %% wrong: a tolerance ten times as large as the influence that must be found | it is small
def sequences_meet(answers, x):
    among = answers(x)
    return any(abs(among[:, b] - answers(x[:, [b]])[:, 0]).max() > 1e-4 for b in range(x.shape[1]))


# %% wrong: only the last sequence is tried | only the first sequence is touched
def sequences_meet(answers, x):
    return bool(abs(answers(x)[:, -1] - answers(x[:, -1:])[:, 0]).max() > 1e-7)


# %% wrong: one sequence is left out, and the others are compared | in pairs
def sequences_meet(answers, x):
    return bool(abs(answers(x)[:, :-1] - answers(x[:, :-1])).max() > 1e-7)


# %% wrong: two halves in the place of single sequences | in pairs
def sequences_meet(answers, x):
    half = x.shape[1] // 2
    apart = np.concatenate([answers(x[:, :half]), answers(x[:, half:])], axis=1)
    return bool(abs(answers(x) - apart).max() > 1e-7)


# %% wrong: only the last step is compared | only the first step is touched
def sequences_meet(answers, x):
    alone = np.concatenate([answers(x[:, [b]]) for b in range(x.shape[1])], axis=1)
    return bool(abs(answers(x)[-1] - alone[-1]).max() > 1e-7)


# %% wrong: only the first number of an answer is compared | only the last number is touched
def sequences_meet(answers, x):
    alone = np.concatenate([answers(x[:, [b]]) for b in range(x.shape[1])], axis=1)
    return bool(abs(answers(x) - alone)[..., 0].max() > 1e-7)


# %% wrong: allclose as it comes | beside the numbers it is added to
def sequences_meet(answers, x):
    alone = np.concatenate([answers(x[:, [b]]) for b in range(x.shape[1])], axis=1)
    return not np.allclose(answers(x), alone)


# %% wrong: the difference keeps its sign | expected True
def sequences_meet(answers, x):
    alone = np.concatenate([answers(x[:, [b]]) for b in range(x.shape[1])], axis=1)
    return bool((answers(x) - alone).max() > 1e-7)


# %% wrong: the same sequences twice over | expected True
def sequences_meet(answers, x):
    return bool(abs(answers(np.concatenate([x, x], axis=1))[:, : x.shape[1]] - answers(x)).max() > 1e-7)


# %% right: alone, and beside others that are drawn anew
def sequences_meet(answers, x):
    among, rng = answers(x), np.random.default_rng(0)
    for b in range(x.shape[1]):
        others = rng.normal(size=x.shape)
        others[:, b] = x[:, b]
        for now in (answers(others)[:, b], answers(x[:, [b]])[:, 0]):
            if abs(now - among[:, b]).max() > 1e-7:
                return True
    return False
