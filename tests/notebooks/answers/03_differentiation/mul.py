# %% right: as in the chapter
def mul(a, b):
    return Tensor(detach(a) * detach(b), [(a, lambda g: g * b), (b, lambda g: g * a)])


# %% right: the way on
from reference.checks.lent import mul


# %% right: by its own name, the pairs the other way round, named vjps
def mul(a, b):
    def to_a(g):
        return mul(b, g)

    def to_b(g):
        return mul(a, g)

    return Tensor(np.multiply(detach(a), detach(b)), ((b, to_b), (a, to_a)))


# %% wrong: the vjps are computed on plain values, as in the museum | which has no memory
def mul(a, b):
    return Tensor(
        detach(a) * detach(b), [(a, lambda g: g.value * detach(b)), (b, lambda g: g.value * detach(a))]
    )


# %% wrong: a tensor is made of plain values, without a memory | has forgotten that it depends on g
def mul(a, b):
    return Tensor(
        detach(a) * detach(b),
        [(a, lambda g: Tensor(g.value * detach(b))), (b, lambda g: Tensor(g.value * detach(a)))],
    )


# %% wrong: the operands are detached in the vjps | depends on the other operand
def mul(a, b):
    return Tensor(detach(a) * detach(b), [(a, lambda g: g * detach(b)), (b, lambda g: g * detach(a))])


# %% wrong: each operand gets the factor that it has itself | back to a
def mul(a, b):
    return Tensor(detach(a) * detach(b), [(a, lambda g: g * a), (b, lambda g: g * b)])


# %% wrong: the slope alone, without the gradient that comes in | back to a
def mul(a, b):
    return Tensor(detach(a) * detach(b), [(a, lambda g: b), (b, lambda g: a)])


# %% wrong: the gradient is handed on unchanged, as by a sum | back to a
def mul(a, b):
    return Tensor(detach(a) * detach(b), [(a, lambda g: g), (b, lambda g: g)])


# %% wrong: one vjp, for the first operand | each of the operands
def mul(a, b):
    return Tensor(detach(a) * detach(b), [(a, lambda g: g * b)])


# %% wrong: a plain array | return a Tensor
def mul(a, b):
    return detach(a) * detach(b)


# %% wrong: a constant has no value field | operand, too
def mul(a, b):
    return Tensor(a.value * b.value, [(a, lambda g: g * b), (b, lambda g: g * a)])
