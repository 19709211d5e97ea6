# %% right: as in the chapter
def adapt(params, support, *, embed, temperature):
    weights, n_way = part(params, "embedding"), support.y.max() + 1
    known = embed(weights, support.x)

    def predict(x):
        scores = similarities(embed(weights, x), known, temperature=temperature)
        return class_log_probabilities(scores, support.y, n_way)

    return predict


# %% right: a lambda, and the directions of the support are made once
def adapt(params, support, *, embed, temperature):
    known = unit(embed(part(params, "embedding"), support.x)).T / temperature
    ask = lambda x: unit(embed(part(params, "embedding"), x)) @ known
    return lambda x: class_log_probabilities(ask(x), support.y, len(np.unique(support.y)))


# %% right: the way on without it
from reference.scratch.matching import adapt


# %% wrong: the loop runs over the support where the query was meant | expected the shape
def adapt(params, support, *, embed, temperature):
    weights = part(params, "embedding")
    known = embed(weights, support.x)

    def predict(x):
        rows = [similarities(z[None], known, temperature=temperature) for z in known]
        return class_log_probabilities(np.concatenate(rows), support.y, support.y.max() + 1)

    return predict


# %% wrong: as many rows as there are queries, but of the support | does predict embed the x
def adapt(params, support, *, embed, temperature):
    weights = part(params, "embedding")
    known = embed(weights, support.x)

    def predict(x):
        scores = similarities(known[: len(x)], known, temperature=temperature)
        return class_log_probabilities(scores, support.y, support.y.max() + 1)

    return predict


# %% wrong: the support is embedded in every call | computed once
def adapt(params, support, *, embed, temperature):
    weights = part(params, "embedding")

    def predict(x):
        scores = similarities(embed(weights, x), embed(weights, support.x), temperature=temperature)
        return class_log_probabilities(scores, support.y, support.y.max() + 1)

    return predict


# %% wrong: answers in place of a function | adapt gives a function
def adapt(params, support, *, embed, temperature):
    known = embed(part(params, "embedding"), support.x)
    return class_log_probabilities(similarities(known, known, temperature=temperature), support.y, 3)


# %% wrong: the temperature stays at 1 | largest difference
def adapt(params, support, *, embed, temperature):
    weights = part(params, "embedding")
    known = embed(weights, support.x)

    def predict(x):
        scores = similarities(embed(weights, x), known, temperature=1.0)
        return class_log_probabilities(scores, support.y, support.y.max() + 1)

    return predict


# %% wrong: probabilities, not their logarithms | a logarithm is missing
def adapt(params, support, *, embed, temperature):
    weights = part(params, "embedding")
    known = embed(weights, support.x)

    def predict(x):
        scores = similarities(embed(weights, x), known, temperature=temperature)
        return np.exp(class_log_probabilities(scores, support.y, support.y.max() + 1))

    return predict


# %% wrong: means in place of votes | largest difference
def adapt(params, support, *, embed, temperature):
    weights, n_way = part(params, "embedding"), support.y.max() + 1
    known = embed(weights, support.x)
    centers = np.stack([np.mean(known[support.y == k], axis=0) for k in range(n_way)])

    def predict(x):
        scores = similarities(embed(weights, x), centers, temperature=temperature)
        return class_log_probabilities(scores, np.arange(n_way), n_way)

    return predict


# %% right: the support is embedded at the first question, and kept
def adapt(params, support, *, embed, temperature):
    weights, kept = part(params, "embedding"), []

    def predict(x):
        if not kept:
            kept.append(embed(weights, support.x))
        scores = similarities(embed(weights, x), kept[0], temperature=temperature)
        return class_log_probabilities(scores, support.y, len(set(support.y.tolist())))

    return predict


# %% wrong: the weights of all parts are handed to the embedding | of the embedding alone
def adapt(params, support, *, embed, temperature):
    known = embed(params, support.x)

    def predict(x):
        scores = similarities(embed(params, x), known, temperature=temperature)
        return class_log_probabilities(scores, support.y, support.y.max() + 1)

    return predict


# %% wrong: the support is not embedded | both go through
def adapt(params, support, *, embed, temperature):
    def predict(x):
        scores = similarities(embed(part(params, "embedding"), x), support.x, temperature=temperature)
        return class_log_probabilities(scores, support.y, support.y.max() + 1)

    return predict


# %% wrong: a class for each example of the support | expected the shape
def adapt(params, support, *, embed, temperature):
    weights = part(params, "embedding")
    known = embed(weights, support.x)

    def predict(x):
        scores = similarities(embed(weights, x), known, temperature=temperature)
        return scores - logsumexp(scores, axis=1)[:, None]

    return predict
