# %% right: as in the chapter
def similarities(queries, support, *, temperature):
    return unit(queries) @ unit(support).T / temperature


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature), axis=1)


# %% right: the dot products divided by both lengths, the softmax by hand
def similarities(queries, support, *, temperature):
    lengths = [np.sqrt(np.sum(x**2, axis=1)) for x in (queries, support)]
    return queries @ support.T / (lengths[0][:, None] * lengths[1][None, :]) / temperature


def attention(queries, support, *, temperature):
    weights = np.exp(similarities(queries, support, temperature=temperature))
    return weights / np.sum(weights, axis=1)[:, None]


# %% right: all pairs by broadcasting
def similarities(queries, support, *, temperature):
    return np.sum(unit(queries)[:, None] * unit(support)[None], axis=2) / temperature


def attention(queries, support, *, temperature):
    scores = similarities(queries, support, temperature=temperature)
    return np.exp(scores - logsumexp(scores, axis=1)[:, None])


# %% right: the way on without it
from reference.scratch.matching import attention, similarities


# %% wrong: only the support is made of length 1 | a cosine divides by that of the query, too
def similarities(queries, support, *, temperature):
    return queries @ unit(support).T / temperature


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature), axis=1)


# %% wrong: the dot product | and by that of the example
def similarities(queries, support, *, temperature):
    return queries @ support.T / temperature


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature), axis=1)


# %% wrong: times the temperature | multiplied by the temperature
def similarities(queries, support, *, temperature):
    return temperature * unit(queries) @ unit(support).T


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature), axis=1)


# %% wrong: no temperature | the temperature is missing
def similarities(queries, support, *, temperature):
    return unit(queries) @ unit(support).T


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature) / temperature, axis=1)


# %% wrong: a cosine distance | alike should be large
def similarities(queries, support, *, temperature):
    return (1 - unit(queries) @ unit(support).T) / temperature


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature), axis=1)


# %% wrong: a softmax over queries | wrong axis
def similarities(queries, support, *, temperature):
    return unit(queries) @ unit(support).T / temperature


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature), axis=0)


# %% wrong: support by query | expected the shape (2, 3), got (3, 2)
def similarities(queries, support, *, temperature):
    return unit(support) @ unit(queries).T / temperature


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature), axis=1)


# %% wrong: the attention goes to the least alike | its sign is turned
def similarities(queries, support, *, temperature):
    return unit(queries) @ unit(support).T / temperature


def attention(queries, support, *, temperature):
    return softmax(-similarities(queries, support, temperature=temperature), axis=1)


# %% wrong: no softmax | there is none
def similarities(queries, support, *, temperature):
    return unit(queries) @ unit(support).T / temperature


def attention(queries, support, *, temperature):
    return similarities(queries, support, temperature=temperature)


# %% wrong: nothing is returned | is a `return` missing
def similarities(queries, support, *, temperature):
    unit(queries) @ unit(support).T / temperature


def attention(queries, support, *, temperature):
    softmax(similarities(queries, support, temperature=temperature), axis=1)


# %% wrong: the absolute value of a cosine | a cosine has a sign
def similarities(queries, support, *, temperature):
    return ((unit(queries) @ unit(support).T) ** 2) ** 0.5 / temperature


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature), axis=1)


# %% wrong: only the queries are made of length 1 | that of the example, too
def similarities(queries, support, *, temperature):
    return unit(queries) @ support.T / temperature


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature), axis=1)


# %% wrong: divided by the temperature once more | divided by the temperature twice
def similarities(queries, support, *, temperature):
    return unit(queries) @ unit(support).T / temperature


def attention(queries, support, *, temperature):
    return softmax(similarities(queries, support, temperature=temperature) / temperature, axis=1)


# %% wrong: the attention has no temperature | the temperature is missing
def similarities(queries, support, *, temperature):
    return unit(queries) @ unit(support).T / temperature


def attention(queries, support, *, temperature):
    return softmax(unit(queries) @ unit(support).T, axis=1)


# %% wrong: divided by the sum, without exponentials | the exponential is missing
def similarities(queries, support, *, temperature):
    return unit(queries) @ unit(support).T / temperature


def attention(queries, support, *, temperature):
    scores = similarities(queries, support, temperature=temperature)
    return scores / np.sum(scores, axis=1)[:, None]


# %% wrong: one softmax over the whole matrix | wrong axis
def similarities(queries, support, *, temperature):
    return unit(queries) @ unit(support).T / temperature


def attention(queries, support, *, temperature):
    weights = np.exp(similarities(queries, support, temperature=temperature))
    return weights / np.sum(weights)
