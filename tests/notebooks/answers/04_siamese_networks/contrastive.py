# %% right: as in the chapter
def contrastive(distances, alike, *, margin):
    near, far = distances**2, relu(margin - distances) ** 2
    return np.mean(np.where(alike == 1, near, far)) / 2


# %% right: labels as weights, no choice
def contrastive(distances, alike, *, margin):
    short = relu(margin - distances)
    return np.sum(0.5 * alike * distances**2 + 0.5 * (1 - alike) * short * short) / len(alike)


# %% right: np.maximum, and the kinds one after the other
def contrastive(distances, alike, *, margin):
    own, other = distances[alike == 1], distances[alike == 0]
    return (np.sum(own**2) + np.sum(np.maximum(margin - other, 0) ** 2)) / (2 * len(alike))


# %% right: the way on without it
from reference.scratch.siamese import contrastive


# %% wrong: the half is forgotten | half is missing
def contrastive(distances, alike, *, margin):
    return np.mean(np.where(alike == 1, distances**2, relu(margin - distances) ** 2))


# %% wrong: the labels of the paper, 0 for one class | kinds are swapped
def contrastive(distances, alike, *, margin):
    return np.mean(np.where(alike == 0, distances**2, relu(margin - distances) ** 2)) / 2


# %% wrong: no maximum with 0 | beyond the margin
def contrastive(distances, alike, *, margin):
    return np.mean(np.where(alike == 1, distances**2, (margin - distances) ** 2)) / 2


# %% wrong: squares are subtracted | what is squared
def contrastive(distances, alike, *, margin):
    return np.mean(np.where(alike == 1, distances**2, relu(margin**2 - distances**2))) / 2


# %% wrong: the pull is not squared | half of the squared distance
def contrastive(distances, alike, *, margin):
    return np.mean(np.where(alike == 1, distances, relu(margin - distances) ** 2)) / 2


# %% wrong: the sum, not the mean | mean over all pairs
def contrastive(distances, alike, *, margin):
    return np.sum(np.where(alike == 1, distances**2, relu(margin - distances) ** 2)) / 2


# %% wrong: the cost of each pair | one number
def contrastive(distances, alike, *, margin):
    return np.where(alike == 1, distances**2, relu(margin - distances) ** 2) / 2


# %% wrong: each kind has a mean of its own | nan
def contrastive(distances, alike, *, margin):
    with np.errstate(invalid="ignore", divide="ignore"):
        own, other = (alike == 1).astype(float), (alike == 0).astype(float)
        pull = np.sum(own * distances**2) / np.sum(own)
        return (pull + np.sum(other * relu(margin - distances) ** 2) / np.sum(other)) / 2
