# %% right: as in the chapter
def sharpen_slope(weights, sharpness):
    logs = np.log(np.where(weights > 0, weights, 1))
    powers = np.where(weights > 0, np.exp(sharpness * (logs - logs[weights > 0].max())), 0)
    sharp = powers / powers.sum()
    return sharp * (logs - sharp @ logs)


# %% right: pair by pair
def sharpen_slope(weights, sharpness):
    sharp = weights**sharpness / np.sum(weights**sharpness)
    slopes = np.zeros(len(weights))
    for i in range(len(weights)):
        for j in range(len(weights)):
            if weights[i] > 0 and weights[j] > 0:
                slopes[i] += sharp[i] * sharp[j] * np.log(weights[i] / weights[j])
    return slopes


# %% right: the quotient rule, as a list
def sharpen_slope(weights, sharpness):
    p = [w**sharpness for w in weights]
    dp = [w**sharpness * np.log(w) if w > 0 else 0.0 for w in weights]
    total, d_total = sum(p), sum(dp)
    return [(d * total - q * d_total) / total**2 for q, d in zip(p, dp)]


# %% wrong: the sum is held still | the weights stay at sum 1
def sharpen_slope(weights, sharpness):
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return sharp * np.log(np.where(weights > 0, weights, 1))


# %% wrong: the sign is turned | check the sign
def sharpen_slope(weights, sharpness):
    logs = np.log(np.where(weights > 0, weights, 1))
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return sharp * (sharp @ logs - logs)


# %% wrong: a plain mean over the rows | under the weights
def sharpen_slope(weights, sharpness):
    logs = np.log(np.where(weights > 0, weights, 1))
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return sharp * (logs - logs.mean())


# %% wrong: not multiplied by the weight | by the weight itself
def sharpen_slope(weights, sharpness):
    logs = np.log(np.where(weights > 0, weights, 1))
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return logs - sharp @ logs


# %% wrong: the mean under the weights before sharpening | sharpened
def sharpen_slope(weights, sharpness):
    logs = np.log(np.where(weights > 0, weights, 1))
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return sharp * (logs - weights @ logs)


# %% wrong: the logarithm of 0 | row of weight 0
def sharpen_slope(weights, sharpness):
    logs = np.log(weights)
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return sharp * (logs - sharp @ logs)


# %% wrong: the sharpness is left out of the powers | small steps give
def sharpen_slope(weights, sharpness):
    logs = np.log(np.where(weights > 0, weights, 1))
    return weights * (logs - weights @ logs)


# %% wrong: the logarithms of the sharpened weights | small steps give
def sharpen_slope(weights, sharpness):
    sharp = weights**sharpness / np.sum(weights**sharpness)
    logs = np.log(np.where(sharp > 0, sharp, 1))
    return sharp * (logs - sharp @ logs)


# %% wrong: the power rule | sum 0
def sharpen_slope(weights, sharpness):
    return sharpness * weights ** (sharpness - 1)


# %% wrong: one number | expected shape
def sharpen_slope(weights, sharpness):
    logs = np.log(np.where(weights > 0, weights, 1))
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return float(np.sum(sharp * (logs - sharp @ logs) ** 2))


# %% right: a loop over the rows
def sharpen_slope(weights, sharpness):
    powers = [float(w) ** sharpness for w in weights]
    total = sum(powers)
    mean = sum(p / total * np.log(w) for p, w in zip(powers, weights, strict=True) if w > 0)
    return [p / total * (np.log(w) - mean) if w > 0 else 0.0 for p, w in zip(powers, weights, strict=True)]


# %% wrong: logarithms to the base 2 | by pencil
def sharpen_slope(weights, sharpness):
    logs = np.log2(np.where(weights > 0, weights, 1))
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return sharp * (logs - sharp @ logs)


# %% wrong: the powers are not divided by their sum | small steps give
def sharpen_slope(weights, sharpness):
    logs = np.log(np.where(weights > 0, weights, 1))
    powers = weights**sharpness
    return powers * (logs - powers @ logs / powers.sum())


# %% wrong: the slope at the right place, times the sharpness | small steps give
def sharpen_slope(weights, sharpness):
    logs = np.log(np.where(weights > 0, weights, 1))
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return sharpness * sharp * (logs - sharp @ logs)


# %% wrong: the derivative of the largest alone, the rest is forgotten | sum 0
def sharpen_slope(weights, sharpness):
    logs = np.log(np.where(weights > 0, weights, 1))
    sharp = weights**sharpness / np.sum(weights**sharpness)
    slope = sharp * (logs - sharp @ logs)
    return np.where(slope > 0, slope, 0)


# %% wrong: the rows of weight 0 are dropped | expected shape (3,)
def sharpen_slope(weights, sharpness):
    weights = weights[weights > 0]
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return sharp * (np.log(weights) - sharp @ np.log(weights))


# %% wrong: the slope of a softmax in its own score | sum 0
def sharpen_slope(weights, sharpness):
    sharp = weights**sharpness / np.sum(weights**sharpness)
    return sharp * (1 - sharp)
