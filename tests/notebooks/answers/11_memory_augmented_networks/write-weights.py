# %% right: as in the chapter
def write_weights(gates, last_reading, least):
    return gates[..., None] * last_reading + (1 - gates[..., None]) * least


# %% right: the least used, and a step towards what was read
def write_weights(gates, last_reading, least):
    return least + gates[..., None] * (last_reading - least)


# %% right: the gates as a column
def write_weights(gates, last_reading, least):
    shares = np.reshape(gates, (*gates.shape, 1))
    return last_reading * shares + least * (1 - shares)


# %% right: the way on without it
from reference.scratch.mann import write_weights


# %% wrong: nothing is returned | return
def write_weights(gates, last_reading, least):
    gates[..., None] * last_reading + (1 - gates[..., None]) * least


# %% wrong: the gate the wrong way round | wrong way round
def write_weights(gates, last_reading, least):
    return (1 - gates[..., None]) * last_reading + gates[..., None] * least


# %% wrong: all of the least used | the rest of the gate
def write_weights(gates, last_reading, least):
    return gates[..., None] * last_reading + least


# %% wrong: the gate on both | 1 - g, not g
def write_weights(gates, last_reading, least):
    return gates[..., None] * (last_reading + least)


# %% wrong: one or the other | does not choose
def write_weights(gates, last_reading, least):
    return np.where(gates[..., None] > 0.5, last_reading, least)


# %% wrong: the gate of the first head for all | its own gate
def write_weights(gates, last_reading, least):
    first = gates[:, :1, None]
    return first * last_reading + (1 - first) * least


# %% wrong: what was read alone | nothing of the least used row
def write_weights(gates, last_reading, least):
    return last_reading


# %% wrong: the gate does not learn | the graph is cut
def write_weights(gates, last_reading, least):
    gates = detach(gates)[..., None]
    return gates * last_reading + (1 - gates) * least


# %% wrong: a sigmoid once more | expected (0.175
def write_weights(gates, last_reading, least):
    gates = 1 / (1 + np.exp(-gates[..., None]))
    return gates * last_reading + (1 - gates) * least


# %% wrong: all heads together | of shape (1, 2, 4)
def write_weights(gates, last_reading, least):
    return np.sum(gates[..., None] * last_reading + (1 - gates[..., None]) * least, axis=1)
