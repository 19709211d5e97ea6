# %% right: as in the chapter
def blind_guess(told, n_way, n_each):
    left = n_each - np.bincount(np.array(told, dtype=int), minlength=n_way)
    return int(left.argmax())


# %% right: the label told least often
def blind_guess(told, n_way, n_each):
    return min(range(n_way), key=list(told).count)


# %% right: of equals the last
def blind_guess(told, n_way, n_each):
    left = [n_each - list(told).count(label) for label in range(n_way)]
    return max(label for label in range(n_way) if left[label] == max(left))


# %% wrong: the label told most often | told most often
def blind_guess(told, n_way, n_each):
    return max(range(n_way), key=list(told).count)


# %% wrong: the label that has not come for longest, by the last one | most is left
def blind_guess(told, n_way, n_each):
    return (told[-1] + 1) % n_way if told else 0


# %% wrong: any label that is not used up | told most often
def blind_guess(told, n_way, n_each):
    return next(label for label in range(n_way) if list(told).count(label) < n_each)


# %% wrong: how many are left | One label is wanted
def blind_guess(told, n_way, n_each):
    return [n_each - list(told).count(label) for label in range(n_way)]


# %% wrong: the largest number left | labels are 0 to
def blind_guess(told, n_way, n_each):
    return max(n_each - list(told).count(label) for label in range(n_way)) + n_way
