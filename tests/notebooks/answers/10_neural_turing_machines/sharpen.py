# %% right: as in the chapter
def sharpen(weights, sharpness):
    largest = np.max(detach(weights), axis=-1, keepdims=True)
    powers = (weights / largest) ** sharpness[..., None]
    return powers / np.sum(powers, axis=-1, keepdims=True)


# %% right: the largest is differentiated, too
def sharpen(weights, sharpness):
    powers = (weights / np.max(weights, axis=-1, keepdims=True)) ** sharpness[..., None]
    return powers / np.sum(powers, axis=-1, keepdims=True)


# %% right: a softmax of logarithms
def sharpen(weights, sharpness):
    tiny = 1e-300 if weights.dtype == np.float64 else 1e-37
    return softmax(sharpness[..., None] * np.log(np.maximum(weights, tiny)))


# %% right: in float64
def sharpen(weights, sharpness):
    if not isinstance(weights, Tensor):
        weights, sharpness = weights.astype(np.float64), sharpness.astype(np.float64)
    powers = weights ** sharpness[..., None]
    return powers / np.sum(powers, axis=-1, keepdims=True)


# %% right: the way on without it
from reference.scratch.nn.memory import sharpen


# %% wrong: the equation as it stands, in float32 | all powers are 0
def sharpen(weights, sharpness):
    powers = weights ** sharpness[..., None]
    return powers / np.sum(powers, axis=-1, keepdims=True)


# %% wrong: a little something against the zero | all powers are 0
def sharpen(weights, sharpness):
    powers = weights ** sharpness[..., None]
    return powers / (np.sum(powers, axis=-1, keepdims=True) + 1e-16)


# %% wrong: no sum | divided by their sum
def sharpen(weights, sharpness):
    return weights ** sharpness[..., None]


# %% wrong: divided by the largest and by nothing else | not by the largest
def sharpen(weights, sharpness):
    return (weights / np.max(detach(weights), axis=-1, keepdims=True)) ** sharpness[..., None]


# %% wrong: a softmax of the products | must stay at 0
def sharpen(weights, sharpness):
    return softmax(sharpness[..., None] * weights)


# %% wrong: a root | blurs
def sharpen(weights, sharpness):
    largest = np.max(detach(weights), axis=-1, keepdims=True)
    powers = (weights / largest) ** (1 / sharpness[..., None])
    return powers / np.sum(powers, axis=-1, keepdims=True)


# %% wrong: the sum of all heads | its own sum
def sharpen(weights, sharpness):
    powers = weights ** sharpness[..., None]
    return powers / np.sum(powers, axis=(1, 2), keepdims=True)


# %% wrong: the gamma of the first head for all | own gamma
def sharpen(weights, sharpness):
    largest = np.max(detach(weights), axis=-1, keepdims=True)
    powers = (weights / largest) ** sharpness[:, :1, None]
    return powers / np.sum(powers, axis=-1, keepdims=True)


# %% wrong: a product with gamma | nothing was sharpened
def sharpen(weights, sharpness):
    products = weights * sharpness[..., None]
    return products / np.sum(products, axis=-1, keepdims=True)


# %% wrong: nothing is returned | return
def sharpen(weights, sharpness):
    weights = weights ** sharpness[..., None]


# %% wrong: the largest of all heads | by what could you divide a head's weights
def sharpen(weights, sharpness):
    powers = (weights / np.max(detach(weights))) ** sharpness[..., None]
    return powers / np.sum(powers, axis=-1, keepdims=True)


# %% wrong: divided by the sum before the power | divided by their sum
def sharpen(weights, sharpness):
    shares = weights / np.sum(weights, axis=-1, keepdims=True)
    return shares ** sharpness[..., None]


# %% wrong: the power of the softmax of the weights | must stay at 0
def sharpen(weights, sharpness):
    powers = softmax(weights) ** sharpness[..., None]
    return powers / np.sum(powers, axis=-1, keepdims=True)


# %% wrong: the number of rows makes the weights large | which number would suit both
def sharpen(weights, sharpness):
    powers = (weights * weights.shape[-1]) ** sharpness[..., None]
    return powers / powers.sum(-1, keepdims=True)


# %% wrong: divided by the mean | which number would suit both
def sharpen(weights, sharpness):
    powers = (weights / detach(weights).mean(-1, keepdims=True)) ** sharpness[..., None]
    return powers / powers.sum(-1, keepdims=True)


# %% wrong: gamma has no axis for the rows | x[..., None] gives it an axis for the rows
def sharpen(weights, sharpness):
    powers = (weights / detach(weights).max(-1, keepdims=True)) ** sharpness
    return powers / powers.sum(-1, keepdims=True)
