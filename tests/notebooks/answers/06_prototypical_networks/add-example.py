# %% right: as in the chapter
def add_example(prototype, count, z):
    return prototype + (z - prototype) / (count + 1)


# %% right: through the sum that the old mean stands for
def add_example(prototype, count, z):
    total = count * prototype + z
    return total / (count + 1)


# %% right: as a weighted average
def add_example(prototype, count, z):
    share = 1 / (count + 1)
    return (1 - share) * np.asarray(prototype) + share * np.asarray(z)


# %% wrong: the old mean is taken for a single example | weigh as much
def add_example(prototype, count, z):
    return (prototype + z) / 2


# %% wrong: the new example is not counted | how many examples
def add_example(prototype, count, z):
    return (count * prototype + z) / count


# %% wrong: the step is divided by the old count | how many examples
def add_example(prototype, count, z):
    return prototype + (z - prototype) / count


# %% wrong: the old mean is not multiplied back into a sum | how many examples
def add_example(prototype, count, z):
    return (prototype + z) / (count + 2)
