# %% right: as in the chapter
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1]):
        memory = memory * (1 - weights[:, head, :, None] * erase[:, head, None, :])
    return memory + weights.mT @ add


# %% right: adding in a loop, too
def write(memory, weights, *, erase, add):
    n_heads = weights.shape[1]
    for h in range(n_heads):
        memory = memory * (1 - weights[:, h][..., None] * erase[:, h][:, None])
    for h in range(n_heads):
        memory = memory + weights[:, h][..., None] * add[:, h][:, None]
    return memory


# %% right: what stays is a product of shares
def write(memory, weights, *, erase, add):
    stays = 1
    for w, e in zip(np.swapaxes(weights, 0, 1), np.swapaxes(erase, 0, 1)):
        stays = stays * (1 - np.einsum("bi,bj->bij", w, e))
    return memory * stays + np.einsum("bhi,bhj->bij", weights, add)


# %% right: less what is erased, one head after the other
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1] - 1, -1, -1):
        memory = memory - memory * weights[:, head, :, None] * erase[:, head, None, :]
    return memory + np.swapaxes(weights, 1, 2) @ add


# %% right: the way on without it
from reference.scratch.nn.memory import write


# %% wrong: what heads erase is summed | leave a product
def write(memory, weights, *, erase, add):
    return memory * (1 - weights.mT @ erase) + weights.mT @ add


# %% wrong: each head erases and adds before the next | before any head adds
def write(memory, weights, *, erase, add):
    for h in range(weights.shape[1]):
        memory = memory * (1 - weights[:, h, :, None] * erase[:, h, None, :])
        memory = memory + weights[:, h, :, None] * add[:, h, None, :]
    return memory


# %% wrong: added first, then erased | before any head adds
def write(memory, weights, *, erase, add):
    memory = memory + weights.mT @ add
    for h in range(weights.shape[1]):
        memory = memory * (1 - weights[:, h, :, None] * erase[:, h, None, :])
    return memory


# %% wrong: nothing is erased | nothing was erased
def write(memory, weights, *, erase, add):
    return memory + weights.mT @ add


# %% wrong: nothing is added | nothing was added
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1]):
        memory = memory * (1 - weights[:, head, :, None] * erase[:, head, None, :])
    return memory


# %% wrong: the erase is not weighed | a row of weight 0 stays
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1]):
        memory = memory * (1 - erase[:, head, None, :])
    return memory + weights.mT @ add


# %% wrong: what is added is not weighed | a row of weight 0 stays
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1]):
        memory = memory * (1 - weights[:, head, :, None] * erase[:, head, None, :])
    return memory + np.sum(add, axis=1, keepdims=True)


# %% wrong: written into the memory that was given | was changed
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1]):
        memory *= 1 - weights[:, head, :, None] * erase[:, head, None, :]
    memory += weights.mT @ add
    return memory


# %% wrong: one memory for the batch | write
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1]):
        memory = memory * (1 - weights[:, head, :, None] * erase[:, head, None, :])
    return memory + np.sum(weights.mT @ add, axis=0, keepdims=True)


# %% wrong: only the first head | expected (5, 3)
def write(memory, weights, *, erase, add):
    memory = memory * (1 - weights[:, 0, :, None] * erase[:, 0, None, :])
    return memory + weights[:, 0, :, None] * add[:, 0, None, :]


# %% wrong: nothing is returned | return
def write(memory, weights, *, erase, add):
    memory = memory * (1 - weights[:, 0, :, None] * erase[:, 0, None, :])


# %% wrong: the erase is what stays | expected (5, 3)
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1]):
        memory = memory * (1 - weights[:, head, :, None] * (1 - erase[:, head, None, :]))
    return memory + weights.mT @ add


# %% wrong: the weight alone erases | expected (5, 3)
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1]):
        memory = memory * (1 - weights[:, head, :, None])
    return memory + weights.mT @ add


# %% wrong: a sure head leaves nothing of the row, whatever it says | expected (5, 3)
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1]):
        memory = memory * (1 - weights[:, head, :, None]) * (1 - erase[:, head, None, :])
    return memory + weights.mT @ add


# %% wrong: what is added is erased by the later heads, because each makes its own memory and they are summed | expected (5, 3)
def write(memory, weights, *, erase, add):
    new = 0
    for head in range(weights.shape[1]):
        w = weights[:, head, :, None]
        new = new + memory * (1 - w * erase[:, head, None, :]) + w * add[:, head, None, :]
    return new


# %% wrong: the mean of what the heads would make | expected (5, 3)
def write(memory, weights, *, erase, add):
    n, new = weights.shape[1], 0
    for head in range(n):
        w = weights[:, head, :, None]
        new = new + (memory * (1 - w * erase[:, head, None, :]) + w * add[:, head, None, :]) / n
    return new


# %% wrong: the share is subtracted, whatever is there | do not subtract
def write(memory, weights, *, erase, add):
    for head in range(weights.shape[1]):
        memory = memory - weights[:, head, :, None] * erase[:, head, None, :]
    return memory + weights.mT @ add


# %% wrong: a product over heads, which a Tensor does not have | they know products, sums, powers and indices
def write(memory, weights, *, erase, add):
    kept = (1 - weights[..., None] * erase[:, :, None, :]).prod(1)
    return memory * kept + weights.mT @ add
