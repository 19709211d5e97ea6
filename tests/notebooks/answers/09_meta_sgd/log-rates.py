# %% right: as in the chapter
def with_log_rates(start, *, inner_lr):
    params = with_rates(start, inner_lr=inner_lr)
    return {name: np.log(p) if name.startswith("rate.") else p for name, p in params.items()}


def by_exponent(rates):
    return by_weight({name: np.exp(rate) for name, rate in rates.items()})


# %% right: with_rates once more, and a rule of its own
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    def update(params, gradient, state):
        return {name: p - np.exp(rates[name]) * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: rho begins at inner_lr, so the first step is about ten times too long | where is the logarithm
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=inner_lr)


def by_exponent(rates):
    return by_weight({name: np.exp(rate) for name, rate in rates.items()})


# %% wrong: the exponential is taken of a detached rho, so that no gradient reaches it | outside of the engine
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    return by_weight({name: np.exp(detach(rate)) for name, rate in rates.items()})


# %% wrong: one rho for a tensor | one rho for every weight
def with_log_rates(start, *, inner_lr):
    params = {f"start.{name}": p for name, p in start.items()}
    return params | {f"rate.{name}": np.array(np.log(inner_lr)) for name in start}


def by_exponent(rates):
    return by_weight({name: np.exp(rate) for name, rate in rates.items()})


# %% wrong: a plus in the step | uphill
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    def update(params, gradient, state):
        return {name: p + np.exp(rates[name]) * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)


# %% wrong: the logarithm is learned but the step uses it as it is | expected the step
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    return by_weight(rates)


# %% wrong: a power of two for the exponential, begun at the natural logarithm | expected the step
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    return by_weight({name: np.exp(rate * np.log(2)) for name, rate in rates.items()})


# %% wrong: the weights are changed along with the rates | stay as they are
def with_log_rates(start, *, inner_lr):
    return with_rates({name: 2 * p for name, p in start.items()}, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    return by_weight({name: np.exp(rate) for name, rate in rates.items()})


# %% wrong: the move alone, without the weights | without the weights
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    return Rule(lambda p: None, lambda p, g, s: ({k: -np.exp(rates[k]) * g[k] for k in p}, s))


# %% wrong: the exponential of the product | expected the step
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    return Rule(lambda p: None, lambda p, g, s: ({k: p[k] - np.exp(rates[k] * g[k]) for k in p}, s))


# %% wrong: the rates alone come back, without prefixes | start.theta and rate.theta
def with_log_rates(start, *, inner_lr):
    return {k: np.full_like(p, np.log(inner_lr)) for k, p in start.items()}


def by_exponent(rates):
    return by_weight({k: np.exp(r) for k, r in rates.items()})


# %% right: by join, and by the rule of gradient descent
def with_log_rates(start, *, inner_lr):
    return join(
        start=start, rate={name: np.zeros(np.shape(p)) + np.log(inner_lr) for name, p in start.items()}
    )


def by_exponent(rates):
    return sgd({name: np.exp(rho) for name, rho in rates.items()})


# %% right: the exponential is taken anew in every step, as the state
def with_log_rates(start, *, inner_lr):
    found = with_rates(start, inner_lr=1.0)
    for name in part(found, "rate"):
        found[f"rate.{name}"] = np.full_like(found[f"rate.{name}"], np.log(inner_lr))
    return found


def by_exponent(rates):
    def update(params, gradient, state):
        return {k: params[k] - state[k] * gradient[k] for k in params}, state

    return Rule(lambda params: {k: np.exp(rho) for k, rho in rates.items()}, update)


# %% wrong: the exponential alone, a dict and no rule | gives a rule
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    return {name: np.exp(rate) for name, rate in rates.items()}


# %% wrong: the logarithm to the base of ten | ln 0.1
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log10(inner_lr))


def by_exponent(rates):
    return by_weight({name: 10**rate for name, rate in rates.items()})


# %% wrong: the exponential of the given rate, in place of the logarithm | ln 0.1
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.exp(inner_lr))


def by_exponent(rates):
    return by_weight({name: np.log(rate) for name, rate in rates.items()})


# %% wrong: the logarithm without its minus, so that the exponent has one | expected the step
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    return by_weight({name: np.exp(-rate) for name, rate in rates.items()})


# %% wrong: softplus in place of the exponential | expected the step
def with_log_rates(start, *, inner_lr):
    return with_rates(start, inner_lr=np.log(inner_lr))


def by_exponent(rates):
    return by_weight({name: np.log(1 + np.exp(rate)) for name, rate in rates.items()})
