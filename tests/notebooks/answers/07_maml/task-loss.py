# %% right: as in the chapter
def task_loss(params, episode, **inner):
    return inner["loss"](adapted(params, episode.support, **inner), episode.query)


# %% right: the arguments by name
def task_loss(params, episode, *, loss, rule, n_steps, first_order=False):
    support, query = episode.support, episode.query
    phi = adapted(params, support, loss=loss, rule=rule, n_steps=n_steps, first_order=first_order)
    return loss(phi, query)


# %% right: the way on without it
from reference.scratch.maml import task_loss


# %% wrong: the support judges | the query judges
def task_loss(params, episode, **inner):
    return inner["loss"](adapted(params, episode.support, **inner), episode.support)


# %% wrong: the learner learns from the query | learns from the support
def task_loss(params, episode, **inner):
    return inner["loss"](adapted(params, episode.query, **inner), episode.query)


# %% wrong: the query loss at theta, not at phi | nobody has learned
def task_loss(params, episode, **inner):
    adapted(params, episode.support, **inner)
    return inner["loss"](params, episode.query)


# %% wrong: support and query loss are added | the query judges alone
def task_loss(params, episode, **inner):
    phi = adapted(params, episode.support, **inner)
    return inner["loss"](phi, episode.query) + inner["loss"](phi, episode.support)


# %% wrong: phi is detached, and no gradient comes back | the graph cut
def task_loss(params, episode, **inner):
    phi = {name: detach(p) for name, p in adapted(params, episode.support, **inner).items()}
    return inner["loss"](phi, episode.query)


# %% wrong: first order is not handed on | goes on to
def task_loss(params, episode, *, loss, rule, n_steps, first_order=False):
    return loss(adapted(params, episode.support, loss=loss, rule=rule, n_steps=n_steps), episode.query)


# %% wrong: one step, whatever n_steps says | differs
def task_loss(params, episode, *, loss, rule, n_steps, first_order=False):
    phi = adapted(params, episode.support, loss=loss, rule=rule, n_steps=1, first_order=first_order)
    return loss(phi, episode.query)


# %% wrong: phi comes back, not a loss | one number
def task_loss(params, episode, **inner):
    return adapted(params, episode.support, **inner)


# %% wrong: nothing is returned | return
def task_loss(params, episode, **inner):
    inner["loss"](adapted(params, episode.support, **inner), episode.query)


# %% wrong: support and query change places | changed places
def task_loss(params, episode, **inner):
    return inner["loss"](adapted(params, episode.query, **inner), episode.support)


# %% wrong: a plain number, which nobody can differentiate | remembers how it came from theta
def task_loss(params, episode, **inner):
    return float(detach(inner["loss"](adapted(params, episode.support, **inner), episode.query)))
