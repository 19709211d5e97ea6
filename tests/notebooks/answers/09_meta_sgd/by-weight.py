# %% right: as in the chapter
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - rates[name] * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% right: a loop, and an empty dict to remember
def by_weight(rates):
    def init(params):
        return {}

    def update(params, gradient, state):
        moved = {}
        for name in params:
            moved[name] = -1 * (gradient[name] * rates[name]) + params[name]
        return moved, state

    return Rule(init=init, update=update)


# %% right: the way on without it
from reference.rules import sgd as by_weight


# %% wrong: uphill | uphill
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p + rates[name] * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: one rate for all, the mean of a tensor's | rate of its own
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - np.mean(rates[name]) * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: the rates are detached, so that they cannot be learned | graph is cut
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - detach(rates[name]) * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: the gradient is detached, which is first order | graph is cut
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - rates[name] * detach(gradient[name]) for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: the rates are taken for logarithms | the rate itself
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - np.exp(rates[name]) * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: negative rates are cut off | may be negative
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - np.maximum(rates[name], 0) * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: the sign of a rate is lost | may be negative
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - np.abs(rates[name]) * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: the move alone, without the weights | without the weights
def by_weight(rates):
    def update(params, gradient, state):
        return {name: -rates[name] * gradient[name] for name in params}, state

    return Rule(lambda params: None, update)


# %% wrong: an inner product for the product entry by entry | rate of its own
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - np.sum(rates[name] * gradient[name]) for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: the parameters are returned without the state | two things
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - rates[name] * gradient[name] for name, p in params.items()}

    return Rule(lambda params: None, update)


# %% wrong: the update is returned, not a rule | gives a rule
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - rates[name] * gradient[name] for name, p in params.items()}, state

    return update


# %% wrong: the parameters that were given are changed | changed its argument
def by_weight(rates):
    def update(params, gradient, state):
        for name in params:
            params[name] = params[name] - rates[name] * gradient[name]
        return params, state

    return Rule(lambda params: None, update)


# %% right: two lambdas, and a list of two things
def by_weight(rates):
    return Rule(
        lambda params: (),
        lambda params, gradient, state: [{k: p - rates[k] * gradient[k] for k, p in params.items()}, state],
    )


# %% wrong: the rate is the whole step, the gradient is forgotten | how long is the gradient
def by_weight(rates):
    def update(params, gradient, state):
        return {k: params[k] - rates[k] for k in params}, state

    return Rule(lambda params: None, update)


# %% wrong: the state comes first | parameters first
def by_weight(rates):
    def update(params, gradient, state):
        return state, {k: params[k] - rates[k] * gradient[k] for k in params}

    return Rule(lambda params: None, update)


# %% wrong: a list of arrays, the names are lost | parameters first
def by_weight(rates):
    def update(params, gradient, state):
        return [params[k] - rates[k] * gradient[k] for k in params], state

    return Rule(lambda params: None, update)


# %% wrong: nothing to remember, so no function to begin with | pair of functions
def by_weight(rates):
    def update(params, gradient, state):
        return {k: params[k] - rates[k] * gradient[k] for k in params}, state

    return Rule(None, update)


# %% right: the state carries the rates
def by_weight(rates):
    def update(params, gradient, state):
        return dict((name, params[name] - gradient[name] * state[name]) for name in sorted(params)), state

    return Rule(lambda params: dict(rates), update)


# %% right: a tensor at a time, by the rule of gradient descent
def by_weight(rates):
    def update(params, gradient, state):
        moved = {}
        for name, p in params.items():
            rule = sgd(rates[name])
            moved |= rule.update({name: p}, {name: gradient[name]}, rule.init({name: p}))[0]
        return moved, None

    return Rule(lambda params: None, update)


# %% wrong: parameters and gradient change places | params, gradient, state
def by_weight(rates):
    def update(gradient, params, state):
        return {name: p - rates[name] * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: nothing to remember, so update has no state | update(params, gradient, state)
def by_weight(rates):
    def update(params, gradient):
        return {name: p - rates[name] * gradient[name] for name, p in params.items()}, None

    return Rule(lambda params: None, update)


# %% wrong: nothing to remember, so init is given nothing | init(params)
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - rates[name] * gradient[name] for name, p in params.items()}, state

    return Rule(lambda: None, update)


# %% wrong: the sign of the gradient alone | how long is the gradient
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - rates[name] * np.sign(gradient[name]) for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: the rule is made and not returned | got a NoneType
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - rates[name] * gradient[name] for name, p in params.items()}, state

    Rule(lambda params: None, update)


# %% wrong: the gradient is divided by the rate | multiplies the gradient
def by_weight(rates):
    def update(params, gradient, state):
        return {name: p - gradient[name] / rates[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)
