# %% right: as in the chapter
def write(memory, writing, keys, *, least):
    emptied = memory * (1 - np.sum(least, axis=1))[..., None]
    return emptied + writing.mT @ keys


# %% right: one head after the other
def write(memory, writing, keys, *, least):
    for head in range(least.shape[1]):
        memory = memory * (1 - least[:, head, :, None])
    for head in range(least.shape[1]):
        memory = memory + writing[:, head, :, None] * keys[:, head, None, :]
    return memory


# %% right: a mask in the place of a product
def write(memory, writing, keys, *, least):
    kept = (np.max(least, axis=1) == 0).astype(float)[..., None]
    return writing.mT @ keys + memory * kept


# %% right: the way on without it
from reference.scratch.mann import write


# %% wrong: nothing is returned | return
def write(memory, writing, keys, *, least):
    memory * (1 - np.sum(least, axis=1))[..., None] + writing.mT @ keys


# %% wrong: nothing is emptied | Nothing was set to zero
def write(memory, writing, keys, *, least):
    return memory + writing.mT @ keys


# %% wrong: only what is written to is emptied | writes nothing there
def write(memory, writing, keys, *, least):
    touched = least * (writing > 0)
    return memory * (1 - np.sum(touched, axis=1))[..., None] + writing.mT @ keys


# %% wrong: only the last head's row is emptied | Row 1 is the least used of head 0
def write(memory, writing, keys, *, least):
    return memory * (1 - least[:, -1, :, None]) + writing.mT @ keys


# %% wrong: emptied after the key was added | zero comes first
def write(memory, writing, keys, *, least):
    return (memory + writing.mT @ keys) * (1 - np.sum(least, axis=1))[..., None]


# %% wrong: the whole key in each row that is written | its share of the key
def write(memory, writing, keys, *, least):
    emptied = memory * (1 - np.sum(least, axis=1))[..., None]
    return emptied + ((writing > 0) * 1.0).mT @ keys


# %% wrong: every row forgets what it held | the other rows keep
def write(memory, writing, keys, *, least):
    return writing.mT @ keys


# %% wrong: emptied, and nothing else | Nothing was added
def write(memory, writing, keys, *, least):
    return memory * (1 - np.sum(least, axis=1))[..., None]


# %% wrong: in place | was changed
def write(memory, writing, keys, *, least):
    memory *= (1 - np.sum(least, axis=1))[..., None]
    memory += writing.mT @ keys
    return memory


# %% right: a sum over heads
def write(memory, writing, keys, *, least):
    added = np.sum(writing[..., None] * keys[:, :, None, :], axis=1)
    return np.where(np.any(least, axis=1)[..., None], 0.0, memory) + added


# %% wrong: head by head, each empties and writes | first zeros for all heads
def write(memory, writing, keys, *, least):
    for head in range(least.shape[1]):
        memory = memory * (1 - least[:, head, :, None])
        memory = memory + writing[:, head, :, None] * keys[:, head, None, :]
    return memory


# %% wrong: rows fade by what is written, as in chapter 10 | Rows do not fade
def write(memory, writing, keys, *, least):
    return memory * (1 - np.sum(writing, axis=1))[..., None] + writing.mT @ keys


# %% wrong: emptied as far as the gate is closed | whatever is written there
def write(memory, writing, keys, *, least):
    return memory * (1 - np.sum(least * writing, axis=1))[..., None] + writing.mT @ keys


# %% wrong: only the first head's row is emptied | writes nothing there
def write(memory, writing, keys, *, least):
    return memory * (1 - least[:, 0, :, None]) + writing.mT @ keys


# %% wrong: the keys do not learn | the graph is cut
def write(memory, writing, keys, *, least):
    return memory * (1 - np.sum(least, axis=1))[..., None] + writing.mT @ detach(keys)
