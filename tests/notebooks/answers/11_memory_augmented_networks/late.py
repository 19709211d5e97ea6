# %% right: as in the chapter
def late(x, y, n_way):
    images = x.reshape(*y.shape, -1)
    labels = np.eye(n_way, dtype=x.dtype)[y]
    before = np.concatenate([np.zeros_like(labels[:, :1]), labels[:, :-1]], axis=1)
    return np.concatenate([images, before], axis=-1).swapaxes(0, 1)


# %% right: steps first, and one task after the other
def late(x, y, n_way):
    n_tasks, n_steps = y.shape
    d = x[0, 0].size
    stream = np.zeros((n_steps, n_tasks, d + n_way), x.dtype)
    for task in range(n_tasks):
        for step in range(n_steps):
            stream[step, task, :d] = x[task, step].ravel()
            if step:
                stream[step, task, d + y[task, step - 1]] = 1
    return stream


# %% right: rolled, and the first step wiped
def late(x, y, n_way):
    labels = np.roll(np.eye(n_way)[y], 1, axis=1)
    labels[:, 0] = 0
    both = np.concatenate([x.reshape(*y.shape, -1), labels], axis=2)
    return np.transpose(both, (1, 0, 2)).astype(x.dtype)


# %% right: the way on without it
from reference.episodes import in_order

cut = lambda x, y: Episode(Examples(x[:, :1], y[:, :1]), Examples(x[:, 1:], y[:, 1:]))
late = lambda x, y, n_way: in_order(cut(x, y), n_way=n_way).x


# %% wrong: nothing is returned | return
def late(x, y, n_way):
    labels = np.eye(n_way, dtype=x.dtype)[y]


# %% wrong: on time | the answer stands in the question
def late(x, y, n_way):
    labels = np.eye(n_way, dtype=x.dtype)[y]
    return np.concatenate([x.reshape(*y.shape, -1), labels], axis=-1).swapaxes(0, 1)


# %% wrong: one step early | one step early
def late(x, y, n_way):
    labels = np.eye(n_way, dtype=x.dtype)[y]
    after = np.concatenate([labels[:, 1:], np.zeros_like(labels[:, :1])], axis=1)
    return np.concatenate([x.reshape(*y.shape, -1), after], axis=-1).swapaxes(0, 1)


# %% wrong: rolled, so that the last label comes first | At step 0 there is no label before
def late(x, y, n_way):
    labels = np.roll(np.eye(n_way, dtype=x.dtype)[y], 1, axis=1)
    return np.concatenate([x.reshape(*y.shape, -1), labels], axis=-1).swapaxes(0, 1)


# %% wrong: label 0 in the place of none | At step 0 there is no label before
def late(x, y, n_way):
    before = np.concatenate([np.zeros_like(y[:, :1]), y[:, :-1]], axis=1)
    labels = np.eye(n_way, dtype=x.dtype)[before]
    return np.concatenate([x.reshape(*y.shape, -1), labels], axis=-1).swapaxes(0, 1)


# %% wrong: tasks first | n_steps, n_tasks
def late(x, y, n_way):
    labels = np.eye(n_way, dtype=x.dtype)[y]
    before = np.concatenate([np.zeros_like(labels[:, :1]), labels[:, :-1]], axis=1)
    return np.concatenate([x.reshape(*y.shape, -1), before], axis=-1)


# %% wrong: reshaped in the place of exchanged | reshape mixes
def late(x, y, n_way):
    labels = np.eye(n_way, dtype=x.dtype)[y]
    before = np.concatenate([np.zeros_like(labels[:, :1]), labels[:, :-1]], axis=1)
    both = np.concatenate([x.reshape(*y.shape, -1), before], axis=-1)
    return both.reshape(y.shape[1], y.shape[0], -1)


# %% wrong: float64 comes out | number type
def late(x, y, n_way):
    labels = np.eye(n_way)[y]
    before = np.concatenate([np.zeros_like(labels[:, :1]), labels[:, :-1]], axis=1)
    return np.concatenate([x.reshape(*y.shape, -1), before], axis=-1).swapaxes(0, 1)


# %% wrong: a list of steps | expected one array
def late(x, y, n_way):
    labels = np.eye(n_way, dtype=x.dtype)[y]
    before = np.concatenate([np.zeros_like(labels[:, :1]), labels[:, :-1]], axis=1)
    return list(np.concatenate([x.reshape(*y.shape, -1), before], axis=-1).swapaxes(0, 1))


# %% wrong: as many labels as have come | of which two never come
def late(x, y, n_way):
    labels = np.eye(y.max() + 1, dtype=x.dtype)[y]
    before = np.concatenate([np.zeros_like(labels[:, :1]), labels[:, :-1]], axis=1)
    return np.concatenate([x.reshape(*y.shape, -1), before], axis=-1).swapaxes(0, 1)


# %% wrong: the label first and the image behind it | the reverse
def late(x, y, n_way):
    labels = np.eye(n_way, dtype=x.dtype)[y]
    before = np.concatenate([np.zeros_like(labels[:, :1]), labels[:, :-1]], axis=1)
    return np.concatenate([before, x.reshape(*y.shape, -1)], axis=-1).swapaxes(0, 1)


# %% wrong: moved along the tasks | Along which axis
def late(x, y, n_way):
    labels = np.eye(n_way, dtype=x.dtype)[y]
    before = np.concatenate([np.zeros_like(labels[:1]), labels[:-1]], axis=0)
    return np.concatenate([x.reshape(*y.shape, -1), before], axis=-1).swapaxes(0, 1)


# %% wrong: two steps late | two steps late
def late(x, y, n_way):
    labels = np.eye(n_way, dtype=x.dtype)[y]
    before = np.concatenate([np.zeros_like(labels[:, :2]), labels[:, :-2]], axis=1)
    return np.concatenate([x.reshape(*y.shape, -1), before], axis=-1).swapaxes(0, 1)


# %% wrong: the first label twice | not the first label
def late(x, y, n_way):
    labels = np.eye(n_way, dtype=x.dtype)[np.concatenate([y[:, :1], y[:, :-1]], axis=1)]
    return np.concatenate([x.reshape(*y.shape, -1), labels], axis=-1).swapaxes(0, 1)


# %% wrong: label -1 in the place of none, which is the last row | nothing comes round from the end
def late(x, y, n_way):
    before = np.concatenate([np.full_like(y[:, :1], -1), y[:, :-1]], axis=1)
    labels = np.eye(n_way, dtype=x.dtype)[before]
    return np.concatenate([x.reshape(*y.shape, -1), labels], axis=-1).swapaxes(0, 1)
