# %% right: as in the chapter
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax(strengths[..., None] * (keys @ rows.mT))


# %% right: the plain products, divided by both lengths
def by_content(keys, memory, strengths):
    lengths = norm(keys, axis=-1)[..., None] * norm(memory, axis=-1)[:, None]
    return softmax(strengths[..., None] * (keys @ memory.mT) / lengths)


# %% right: with einsum, the softmax written out
def by_content(keys, memory, strengths):
    products = np.einsum("bhw,brw->bhr", keys, memory)
    lengths = np.einsum("bh,br->bhr", np.sum(keys**2, axis=-1) ** 0.5, np.sum(memory**2, axis=-1) ** 0.5)
    powers = np.exp(strengths[..., None] * products / lengths)
    return powers / np.sum(powers, axis=-1, keepdims=True)


# %% right: the strength makes the keys longer
def by_content(keys, memory, strengths):
    keys = strengths[..., None] * keys / np.sqrt(np.sum(keys**2, axis=-1, keepdims=True))
    rows = memory / np.sqrt(np.sum(memory**2, axis=-1, keepdims=True))
    return softmax(keys @ np.swapaxes(rows, -1, -2))


# %% right: the way on without it
from reference.scratch.nn import memory as the_memory

by_content = lambda k, m, b: the_memory.by_content(the_memory.similarity(k, m), b)


# %% wrong: the plain product | divide by both lengths
def by_content(keys, memory, strengths):
    return softmax(strengths[..., None] * (keys @ memory.mT))


# %% wrong: only the key is made one long | length of the row
def by_content(keys, memory, strengths):
    return softmax(strengths[..., None] * (keys / norm(keys, axis=-1, keepdims=True) @ memory.mT))


# %% wrong: only the rows are made one long | length of the key
def by_content(keys, memory, strengths):
    return softmax(strengths[..., None] * (keys @ (memory / norm(memory, axis=-1, keepdims=True)).mT))


# %% wrong: the strength is forgotten | the strength is missing
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax(keys @ rows.mT)


# %% wrong: the strength multiplies the weights | inside of the softmax
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return strengths[..., None] * softmax(keys @ rows.mT)


# %% wrong: a distance in the place of a likeness | most alike row must get most
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax(-strengths[..., None] * (keys @ rows.mT))


# %% wrong: no softmax | those are the cosines
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return keys @ rows.mT


# %% wrong: the size of the cosine | points the other way
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax(strengths[..., None] * abs(keys @ rows.mT))


# %% wrong: the softmax over the heads | by pencil
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax(strengths[..., None] * (keys @ rows.mT), axis=1)


# %% wrong: one length for the whole memory | by pencil
def by_content(keys, memory, strengths):
    keys = keys / norm(keys, axis=-1, keepdims=True)
    rows = memory / np.sqrt(np.sum(memory**2, axis=(1, 2), keepdims=True))
    return softmax(strengths[..., None] * (keys @ rows.mT))


# %% wrong: rows before heads | expected (batch, n_heads, n_rows)
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax(strengths[..., None] * (keys @ rows.mT)).mT


# %% wrong: nothing is returned | return
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    softmax(strengths[..., None] * (keys @ rows.mT))


# %% right: the likeness first, its exponential to the power of the strength, each divided by the sum
def by_content(keys, memory, strengths):
    lengths = norm(keys, axis=-1, keepdims=True) * norm(memory, axis=-1, keepdims=True).mT
    plain_shares = softmax(keys @ memory.mT / lengths)
    powers = plain_shares ** strengths[..., None]
    return powers / np.sum(powers, axis=-1, keepdims=True)


# %% wrong: the strength divides, as a temperature does | by pencil
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax((keys @ rows.mT) / strengths[..., None])


# %% wrong: shares by the likeness itself, without an exponential | by pencil
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    alike = strengths[..., None] * (1 + keys @ rows.mT)
    return alike / np.sum(alike, axis=-1, keepdims=True)


# %% wrong: divided by the squares of the lengths | by pencil
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) ** 2 for x in (keys, memory))
    return softmax(strengths[..., None] * (keys @ rows.mT))


# %% wrong: the first head's strength for all heads | by_content
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax(strengths[:, :1, None] * (keys @ rows.mT))


# %% wrong: it is the best row alone | by pencil
def by_content(keys, memory, strengths):
    keys, rows = (detach(x) / np.linalg.norm(detach(x), axis=-1, keepdims=True) for x in (keys, memory))
    scores = detach(strengths)[..., None] * (keys @ rows.swapaxes(1, 2))
    return np.eye(scores.shape[-1])[scores.argmax(-1)]


# %% wrong: the strengths have no axis for the rows | x[..., None] gives it an axis for the rows
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax(strengths * (keys @ rows.mT))


# %% wrong: the first sequence's memory for all | by_content
def by_content(keys, memory, strengths):
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax(strengths[..., None] * (keys @ rows[:1].mT))
