# %% right: as in the chapter
def least_extra(n_rows, decay):
    oldest = decay ** (n_rows - 2) / (1 - decay ** (n_rows - 1))
    return (1 - decay) * oldest


# %% right: all rounds added up, over the sum of a long past
def least_extra(n_rows, decay):
    oldest = sum(decay ** (n_rows - 2 + rounds * (n_rows - 1)) for rounds in range(20_000))
    return oldest / sum(decay**k for k in range(100_000))


# %% right: one over a sum
def least_extra(n_rows, decay):
    return decay ** (n_rows - 2) / sum(decay**k for k in range(n_rows - 1))


# %% wrong: nothing is returned | return
def least_extra(n_rows, decay):
    decay ** (n_rows - 2) / sum(decay**k for k in range(n_rows - 1))


# %% wrong: as if an overwritten row began at nothing | loses its content and not its usage
def least_extra(n_rows, decay):
    return (1 - decay) * decay ** (n_rows - 2)


# %% wrong: the usage of the oldest alone | the favourite's own usage
def least_extra(n_rows, decay):
    return decay ** (n_rows - 2) / (1 - decay ** (n_rows - 1))


# %% wrong: the last 1 of the oldest alone | earlier rounds
def least_extra(n_rows, decay):
    return decay ** (n_rows - 2)


# %% wrong: one step of fading too many | faded n - 2 times
def least_extra(n_rows, decay):
    return (1 - decay) * decay ** (n_rows - 1) / (1 - decay ** (n_rows - 1))


# %% wrong: all n rows in turn | n - 1 others
def least_extra(n_rows, decay):
    return (1 - decay) * decay ** (n_rows - 1) / (1 - decay**n_rows)


# %% wrong: compared with a row written just now | that is written to
def least_extra(n_rows, decay):
    return 1 - decay


# %% wrong: the favourite's last read has faded, too | One fading is missing
def least_extra(n_rows, decay):
    oldest = decay ** (n_rows - 2) / (1 - decay ** (n_rows - 1))
    return oldest * (1 - decay) / decay


# %% wrong: a round of n steps | a round has n - 1 steps
def least_extra(n_rows, decay):
    return (1 - decay) * decay ** (n_rows - 2) / (1 - decay**n_rows)


# %% wrong: compared with the newest of the others | that of the oldest
def least_extra(n_rows, decay):
    return (1 - decay) / (1 - decay ** (n_rows - 1))


# %% wrong: the answer of one case | should be safe
def least_extra(n_rows, decay):
    return 9 / 49


# %% wrong: in words | expected a number
def least_extra(n_rows, decay):
    return "(1 - decay) * decay ** (n_rows - 2)"
