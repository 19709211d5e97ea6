# %% right: as in the chapter
def batch_hard(embedded, labels, *, margin):
    table, own = pair_table(embedded), labels[:, None] == labels
    farthest = table.masked_fill(~own, -torch.inf).amax(1)
    nearest = table.masked_fill(own, torch.inf).amin(1)
    return F.relu(farthest - nearest + margin).mean()


# %% right: one anchor after the other
def batch_hard(embedded, labels, *, margin):
    table, costs = pair_table(embedded), []
    for i, row in enumerate(table):
        own = labels == labels[i]
        costs.append(torch.clamp(row[own].max() - row[~own].min() + margin, min=0))
    return torch.stack(costs).mean()


# %% right: torch.where, and the anchor itself left out
def batch_hard(embedded, labels, *, margin):
    same_class = labels.unsqueeze(0) == labels.unsqueeze(1)
    friends = same_class & ~torch.eye(len(labels), dtype=torch.bool)
    table = pair_table(embedded)
    far = torch.where(friends, table, torch.full_like(table, -1e9)).max(dim=1).values
    near = torch.where(same_class, torch.full_like(table, 1e9), table).min(dim=1).values
    return torch.relu(margin + far - near).sum() / len(labels)


# %% right: the way on without it
from reference.pytorch.triplet import batch_hard


# %% wrong: the sum over anchors | sum over anchors
def batch_hard(embedded, labels, *, margin):
    table, own = pair_table(embedded), labels[:, None] == labels
    farthest, nearest = table.masked_fill(~own, -torch.inf).amax(1), table.masked_fill(own, torch.inf).amin(1)
    return F.relu(farthest - nearest + margin).sum()


# %% wrong: the mean over the anchors that cost something | all count
def batch_hard(embedded, labels, *, margin):
    table, own = pair_table(embedded), labels[:, None] == labels
    farthest, nearest = table.masked_fill(~own, -torch.inf).amax(1), table.masked_fill(own, torch.inf).amin(1)
    costs = F.relu(farthest - nearest + margin)
    return costs.sum() / (costs > 0).sum()


# %% wrong: the easiest of the batch | nearest of another
def batch_hard(embedded, labels, *, margin):
    itself = torch.eye(len(labels), dtype=torch.bool)
    table, own = pair_table(embedded), labels[:, None] == labels
    nearest = table.masked_fill(~own | itself, torch.inf).amin(1)
    farthest = table.masked_fill(own, -torch.inf).amax(1)
    return F.relu(nearest - farthest + margin).mean()


# %% wrong: squared distances | not squared here
def batch_hard(embedded, labels, *, margin):
    table, own = pair_table(embedded) ** 2, labels[:, None] == labels
    farthest, nearest = table.masked_fill(~own, -torch.inf).amax(1), table.masked_fill(own, torch.inf).amin(1)
    return F.relu(farthest - nearest + margin).mean()


# %% wrong: no cut, or one after the mean | cut at 0 is for each anchor
def batch_hard(embedded, labels, *, margin):
    table, own = pair_table(embedded), labels[:, None] == labels
    farthest, nearest = table.masked_fill(~own, -torch.inf).amax(1), table.masked_fill(own, torch.inf).amin(1)
    return F.relu((farthest - nearest + margin).mean())


# %% wrong: each anchor's cost | one number
def batch_hard(embedded, labels, *, margin):
    table, own = pair_table(embedded), labels[:, None] == labels
    farthest, nearest = table.masked_fill(~own, -torch.inf).amax(1), table.masked_fill(own, torch.inf).amin(1)
    return F.relu(farthest - nearest + margin)


# %% wrong: the graph is cut | gradient
def batch_hard(embedded, labels, *, margin):
    table, own = pair_table(embedded.detach()), labels[:, None] == labels
    farthest, nearest = table.masked_fill(~own, -torch.inf).amax(1), table.masked_fill(own, torch.inf).amin(1)
    return F.relu(farthest - nearest + margin).mean()
