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
