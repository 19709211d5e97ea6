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


# %% wrong: any label that is not used up | most is left
def blind_guess(told, n_way, n_each):
    return next(label for label in range(n_way) if list(told).count(label) < n_each)


# %% wrong: how many are left | One label is wanted
def blind_guess(told, n_way, n_each):
    return [n_each - list(told).count(label) for label in range(n_way)]


# %% wrong: the largest number left | labels are 0 to
def blind_guess(told, n_way, n_each):
    return max(n_each - list(told).count(label) for label in range(n_way)) + n_way


# %% wrong: the likeliest among the labels that were told | most is left
def blind_guess(told, n_way, n_each):
    return min(set(told), key=list(told).count) if told else 0


# %% wrong: a label drawn by its share of what is left | most is left
def blind_guess(told, n_way, n_each):
    left = np.array([n_each - list(told).count(label) for label in range(n_way)])
    return int(np.random.default_rng(len(told)).choice(n_way, p=left / left.sum()))


# %% wrong: all the likeliest | One label is wanted
def blind_guess(told, n_way, n_each):
    left = [n_each - list(told).count(label) for label in range(n_way)]
    return [label for label in range(n_way) if left[label] == max(left)]
