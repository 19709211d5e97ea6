# %% right: as in the chapter
def area(scores, alike):
    true, false = scores[alike == 1], np.sort(scores[alike == 0])
    beaten = np.searchsorted(false, true, side="left") + np.searchsorted(false, true, side="right")
    return beaten.mean() / (2 * len(false))


# %% right: the ranks of the true pairs, ties at their mean rank
def area(scores, alike):
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n = int(np.sum(alike == 1))
    return (ranks[alike == 1].sum() - n * (n + 1) / 2) / (n * (len(alike) - n))


# %% right: straight lines under the curve, ties together
def area(scores, alike):
    values, place = np.unique(-scores, return_inverse=True)
    up = np.cumsum(np.bincount(place, weights=alike == 1)) / np.sum(alike == 1)
    right = np.cumsum(np.bincount(place, weights=alike == 0)) / np.sum(alike == 0)
    return np.trapezoid(np.append(0, up), np.append(0, right))


# %% wrong: counted the other way round | count the other way round
def area(scores, alike):
    true, false = scores[alike == 1], np.sort(scores[alike == 0])
    return np.mean(len(false) - np.searchsorted(false, true, side="left")) / len(false)


# %% wrong: the count is not divided | a count
def area(scores, alike):
    true, false = scores[alike == 1], np.sort(scores[alike == 0])
    return np.sum(np.searchsorted(false, true, side="left")).astype(float)


# %% wrong: ties count nothing | a tie counts one half
def area(scores, alike):
    true, false = scores[alike == 1], np.sort(scores[alike == 0])
    return np.searchsorted(false, true, side="left").mean() / len(false)


# %% wrong: ties count whole | a tie counts one half
def area(scores, alike):
    true, false = scores[alike == 1], np.sort(scores[alike == 0])
    return np.searchsorted(false, true, side="right").mean() / len(false)


# %% wrong: a staircase in the order of the list, whatever is tied | a tie counts one half
def area(scores, alike):
    order = np.argsort(-scores, kind="stable")
    up = np.cumsum(alike[order] == 1) / np.sum(alike == 1)
    return up[alike[order] == 0].mean()


# %% wrong: the best accuracy of one threshold | one threshold
def area(scores, alike):
    return max(np.mean((scores >= t) == (alike == 1)) for t in np.unique(scores))


# %% wrong: the mean of true minus false accepts over thresholds | right order
def area(scores, alike):
    kinds = [scores[alike == k] for k in (0, 1)]
    return np.mean([np.mean(kinds[1] >= t) - np.mean(kinds[0] >= t) for t in np.unique(scores)])
