"""What a recurrent net of either side says, step by step."""

import numpy as np


def said_by(side, net, params, xs):
    """What the net says at every step of xs, as NumPy arrays, and its states."""
    params, states, outputs = side.array(params), [], []
    state = net.begin(params, side.array(xs[0]))
    for x in xs:
        state, output = net.cell(params, state, side.array(x))
        states.append(state)
        outputs.append(side.numpy(output))
    return np.stack(outputs), states
