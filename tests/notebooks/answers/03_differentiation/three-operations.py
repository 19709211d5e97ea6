# %% right: as in the chapter
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g * (1.0 - tanh(x) * tanh(x)))])


def divide(a, b):
    return Tensor(detach(a) / detach(b), [(a, lambda g: divide(g, b)), (b, lambda g: -divide(g * a, b * b))])


def cumulate(x, from_end=False):
    value = np.cumsum(detach(x)[::-1])[::-1] if from_end else np.cumsum(detach(x))
    return Tensor(value, [(x, lambda g: cumulate(g, not from_end))])


# %% right: other operations of the engine in the vjps, and an order turned round by take
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g * 4.0 * (exp(x) + exp(-x)) ** -2.0)])


def divide(a, b):
    return Tensor(detach(a) / detach(b), [(a, lambda g: g * b**-1.0), (b, lambda g: -1.0 * g * a * b**-2.0)])


def cumulate(x):
    turned = np.arange(x.value.size)[::-1]
    return Tensor(np.cumsum(x.value), [(x, lambda g: take(cumulate(take(g, turned)), turned))])


# %% wrong: the vjp of tanh is written in plain NumPy | memory is lost
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g * (1 - np.tanh(x.value) ** 2))])


# %% wrong: the vjp of tanh takes the plain value of g | no memory
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g.value * (1 - np.tanh(x.value) ** 2))])


# %% wrong: the vjp gives the slope alone and forgets the gradient that comes in | multiply the slope
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: 1.0 - tanh(x) * tanh(x))])


# %% wrong: tanh is composed and has no vjp of its own | one Tensor
def tanh(x):
    return (exp(x) - exp(-x)) / (exp(x) + exp(-x))


# %% wrong: the slope of 1 / b has lost its sign | sign
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g * (1.0 - tanh(x) * tanh(x)))])


def divide(a, b):
    return Tensor(detach(a) / detach(b), [(a, lambda g: g / b), (b, lambda g: g * a / (b * b))])


# %% wrong: the running sum sends gradients back in the direction it ran itself | reaches all three
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g * (1.0 - tanh(x) * tanh(x)))])


def divide(a, b):
    return Tensor(detach(a) / detach(b), [(a, lambda g: g / b), (b, lambda g: -1.0 * g * a / (b * b))])


def cumulate(x):
    return Tensor(np.cumsum(detach(x)), [(x, lambda g: cumulate(g))])


# %% wrong: every entry is taken to reach its own result only | reaches all three
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g * (1.0 - tanh(x) * tanh(x)))])


def divide(a, b):
    return Tensor(detach(a) / detach(b), [(a, lambda g: g / b), (b, lambda g: -1.0 * g * a / (b * b))])


def cumulate(x):
    return Tensor(np.cumsum(detach(x)), [(x, lambda g: g)])


# %% wrong: NumPy is asked for the tanh of a tensor in the vjp | refuse a tensor
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g * (1 - np.tanh(x) ** 2))])


# %% wrong: the vjp in b gives the slope and forgets g | times g
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g * (1 - tanh(x) ** 2))])


def divide(a, b):
    return Tensor(detach(a) / detach(b), [(a, lambda g: g / b), (b, lambda g: -a / b**2)])


# %% wrong: the vjp of the running sum is right once, but in plain NumPy | memory is lost
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g * (1 - tanh(x) ** 2))])


def divide(a, b):
    return Tensor(detach(a) / detach(b), [(a, lambda g: g / b), (b, lambda g: -g * a / b**2)])


def cumulate(x):
    return Tensor(np.cumsum(detach(x)), [(x, lambda g: Tensor(np.cumsum(g.value[::-1])[::-1]))])


# %% wrong: a plain array | return a Tensor
def tanh(x):
    return np.tanh(x.value)
