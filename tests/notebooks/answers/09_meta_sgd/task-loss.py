# %% right: as in the chapter
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    rule = rule_of(part(params, "rate"))
    phi = unroll(lambda p: loss(p, episode.support), part(params, "start"), rule, n_steps)
    return loss(phi, episode.query)


# %% right: a step at a time
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    phi, rule = part(params, "start"), rule_of(part(params, "rate"))
    state = rule.init(phi)
    for _ in range(n_steps):
        phi, state = take_step(partial(loss, examples=episode.support), phi, rule, state)
    return loss(phi, episode.query)


# %% right: by MAML's loss, which takes a rule
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    from reference.scratch.maml import task_loss as of_maml

    rule = rule_of(part(params, "rate"))
    return of_maml(part(params, "start"), episode, loss=loss, rule=rule, n_steps=n_steps)


# %% right: the way on without it
from reference.scratch.meta_sgd import task_loss


# %% wrong: support and query change places | other way round
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    rule = rule_of(part(params, "rate"))
    phi = unroll(lambda p: loss(p, episode.query), part(params, "start"), rule, n_steps)
    return loss(phi, episode.support)


# %% wrong: the support judges its own step | the query judges
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    rule = rule_of(part(params, "rate"))
    phi = unroll(lambda p: loss(p, episode.support), part(params, "start"), rule, n_steps)
    return loss(phi, episode.support)


# %% wrong: the steps are on the query | no learner may see
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    rule = rule_of(part(params, "rate"))
    phi = unroll(lambda p: loss(p, episode.query), part(params, "start"), rule, n_steps)
    return loss(phi, episode.query)


# %% wrong: the query is asked at the start, before the step | no step was taken
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    start, rule = part(params, "start"), rule_of(part(params, "rate"))
    unroll(lambda p: loss(p, episode.support), start, rule, n_steps)
    return loss(start, episode.query)


# %% wrong: one step, whatever was asked for | is n_steps used
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    rule = rule_of(part(params, "rate"))
    phi = unroll(lambda p: loss(p, episode.support), part(params, "start"), rule, 1)
    return loss(phi, episode.query)


# %% wrong: the rates are detached | rates were cut off
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    rule = rule_of({name: detach(rate) for name, rate in part(params, "rate").items()})
    phi = unroll(lambda p: loss(p, episode.support), part(params, "start"), rule, n_steps)
    return loss(phi, episode.query)


# %% wrong: first order | counts as constant
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    rule = rule_of(part(params, "rate"))
    phi = unroll(lambda p: loss(p, episode.support), part(params, "start"), rule, n_steps, first_order=True)
    return loss(phi, episode.query)


# %% wrong: a plain number comes back | graph is cut
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    rule = rule_of(part(params, "rate"))
    phi = unroll(lambda p: loss(p, episode.support), part(params, "start"), rule, n_steps)
    return detach(loss(phi, episode.query))


# %% wrong: only the rates' own names are left out, so that weights count as rates, too | 0.04
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    start = part(params, "start")
    phi = unroll(lambda p: loss(p, episode.support), start, rule_of(start), n_steps)
    return loss(phi, episode.query)


# %% wrong: always weight by weight, whatever rule was asked for | is rule_of used
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    phi = unroll(
        lambda p: loss(p, episode.support), part(params, "start"), by_weight(part(params, "rate")), n_steps
    )
    return loss(phi, episode.query)


# %% wrong: the weights after the step come back, not their loss | one number
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    return unroll(
        lambda p: loss(p, episode.support), part(params, "start"), rule_of(part(params, "rate")), n_steps
    )


# %% wrong: the loss is computed and not returned | one number
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    phi = unroll(
        lambda p: loss(p, episode.support), part(params, "start"), rule_of(part(params, "rate")), n_steps
    )
    loss(phi, episode.query)


# %% right: the gradient is asked for by hand, and the rule is given it
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    phi, (init, update) = part(params, "start"), rule_of(part(params, "rate"))
    state = init(phi)
    for _ in range(n_steps):
        slope = grad(loss(phi, episode.support), phi, create_graph=True)
        phi, state = update(phi, slope, state)
    return loss(phi, episode.query)


# %% right: by itself, with a step less
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    if n_steps == 0:
        return loss(part(params, "start"), episode.query)
    on_support, rates = partial(loss, examples=episode.support), part(params, "rate")
    moved = unroll(on_support, part(params, "start"), rule_of(rates), 1)
    return task_loss(join(start=moved, rate=rates), episode, loss=loss, n_steps=n_steps - 1, rule_of=rule_of)


# %% wrong: a step too many | two steps
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    phi, rule = part(params, "start"), rule_of(part(params, "rate"))
    state = rule.init(phi)
    for _ in range(n_steps + 1):
        phi, state = take_step(lambda p: loss(p, episode.support), phi, rule, state)
    return loss(phi, episode.query)


# %% wrong: the losses of support and query are added | of both together
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    on_support = lambda p: loss(p, episode.support)
    phi = unroll(on_support, part(params, "start"), rule_of(part(params, "rate")), n_steps)
    return on_support(phi) + loss(phi, episode.query)


# %% wrong: the query loss after every step, as in MAML++ | of all steps are summed
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    phi, rule, total = part(params, "start"), rule_of(part(params, "rate")), 0.0
    state = rule.init(phi)
    for _ in range(n_steps):
        phi, state = take_step(lambda p: loss(p, episode.support), phi, rule, state)
        total = total + loss(phi, episode.query)
    return total


# %% wrong: unroll gets weights and rates under their prefixes | own names
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    phi = unroll(lambda p: loss(p, episode.support), params, rule_of(part(params, "rate")), n_steps)
    return loss(phi, episode.query)


# %% wrong: the rule gets weights and rates under their prefixes | own names
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    phi = unroll(lambda p: loss(p, episode.support), part(params, "start"), rule_of(params), n_steps)
    return loss(phi, episode.query)


# %% wrong: the start is detached, as if only the rates were learned | start was cut off
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    start = {name: Tensor(detach(p)) for name, p in part(params, "start").items()}
    phi = unroll(lambda p: loss(p, episode.support), start, rule_of(part(params, "rate")), n_steps)
    return loss(phi, episode.query)
