# %% right: as in the chapter
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    d = h.shape[1]
    i, f, g, o = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h, c), h


# %% right: the rows of the weights are cut, and the state is a list
def lstm_cell(params, state, x):
    h, c = state
    d, four = h.shape[1], []
    for k in range(4):
        rows = slice(k * d, (k + 1) * d)
        wx, bx, wh, bh = (
            params[n][rows] for n in ("weight_ih_l0", "bias_ih_l0", "weight_hh_l0", "bias_hh_l0")
        )
        four.append(x @ wx.T + bx + h @ wh.T + bh)
    i, f, o = (sigmoid(four[k]) for k in (0, 1, 3))
    new_c = f * c + i * np.tanh(four[2])
    new_h = o * np.tanh(new_c)
    return [new_h, new_c], new_h


# %% right: the way on without it
from reference.scratch.nn import lstm_cell


# %% wrong: i and f have changed places | i and f have changed places
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    d = h.shape[1]
    f, i, g, o = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h, c), h


# %% wrong: g is taken for a gate | g is no gate
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = sigmoid(all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"]))
    d = h.shape[1]
    i, f, g, o = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    c = f * c + i * g
    h = o * np.tanh(c)
    return (h, c), h


# %% wrong: h is made of the old c | of the new c'
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    d = h.shape[1]
    i, f, g, o = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    h = sigmoid(o) * np.tanh(c)
    return (h, sigmoid(f) * c + sigmoid(i) * np.tanh(g)), h


# %% wrong: h without its tanh | h is the tanh of c
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    d = h.shape[1]
    i, f, g, o = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * c
    return (h, c), h


# %% wrong: the output gate is left out | o is missing
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    d = h.shape[1]
    i, f, g, _ = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return (np.tanh(c), c), np.tanh(c)


# %% wrong: the old h is not looked at | largest difference
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"]) + params["bias_hh_l0"]
    d = h.shape[1]
    i, f, g, o = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h, c), h


# %% wrong: the state as (c, h) | in this order
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    d = h.shape[1]
    i, f, g, o = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (c, h), h


# %% wrong: the pair h, c alone, without an output | gives a pair
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    d = h.shape[1]
    i, f, g, o = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


# %% right: x and h side by side, and a list in place of the outer pair
def lstm_cell(params, state, x):
    h, c = state
    weight = np.concatenate([params["weight_ih_l0"], params["weight_hh_l0"]], axis=1)
    both = np.concatenate([x, h], axis=1) @ weight.T + (params["bias_ih_l0"] + params["bias_hh_l0"])
    four = np.transpose(both.reshape(len(x), 4, h.shape[1]), (1, 0, 2))
    c = sigmoid(four[1]) * c + sigmoid(four[0]) * np.tanh(four[2])
    h = np.tanh(c) * sigmoid(four[3])
    return [(h, c), h]


# %% wrong: g and o have changed places | g and o have changed places
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    d = h.shape[1]
    i, f, o, g = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h, c), h


# %% wrong: the state is taken for (c, h) | the pair (h, c), in this order
def lstm_cell(params, state, x):
    c, h = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    d = h.shape[1]
    i, f, g, o = (all_four[:, k * d : (k + 1) * d] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h, c), h


# %% wrong: every fourth number, where they stand in blocks | largest difference
def lstm_cell(params, state, x):
    h, c = state
    all_four = linear(x, params["weight_ih_l0"], params["bias_ih_l0"])
    all_four = all_four + linear(h, params["weight_hh_l0"], params["bias_hh_l0"])
    d = h.shape[1]
    i, f, g, o = (all_four[:, k::4] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h, c), h
