"""Full context: an example is embedded in view of the whole support, and not by itself alone.

A bidirectional LSTM passes along the support, so that each example knows of the others; a query reads the
support by attention, several times, and is changed by what it reads.

Paper: Vinyals et al. 2016 (arXiv:1606.04080), appendix A.1 (equations 3 to 6) and A.2.
Differs from the paper: what was read, r, joins the input of the attention LSTM and not its state, which gives
the same sum.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from reference import contracts
from reference.params import Params, join, part
from reference.pytorch.nn.recurrent import (
    bidirectional,
    init_bidirectional,
    init_lstm,
    lstm_cell,
    scan,
    zero_state,
)


def init_context(rng: np.random.Generator, width: int) -> Params:
    """New parameters for embeddings of `width` numbers: of the support under `g.`, of a query under `f.`."""
    g = init_bidirectional(rng, width, width=width)
    return join(g=g, f=init_lstm(rng, 2 * width, width=width))


def full_context(
    params: Params, queries: Float[Tensor, "q d"], support: Float[Tensor, "n d"], *, n_reads: int
) -> tuple[Float[Tensor, "q d"], Float[Tensor, "n d"]]:
    """A Context: f(x, S) of every query and g(x_i, S) of every support example, whose order now matters."""
    g, f = part(params, "context.g"), part(params, "context.f")
    support = support_in_context(g, support)
    return query_in_context(f, queries, support=support, n_reads=n_reads), support


def support_in_context(params: Params, support: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """g(x_i, S): the embedding plus what two LSTMs say, one coming from each end of the support (A.2)."""
    ahead, back = bidirectional(params, support[:, None]).squeeze(1).chunk(2, dim=1)
    return ahead + back + support


def query_in_context(
    params: Params, queries: Float[Tensor, "q d"], *, support: Float[Tensor, "n d"], n_reads: int
) -> Float[Tensor, "q d"]:
    """f(x, S): each query on its own reads the support n_reads times, K, and is changed by it (A.1)."""
    n_reads = contracts.whole("n_reads", n_reads)

    def read(params, state, x):
        h, c = state
        r = (h @ support.T).softmax(1) @ support  # equations 5 and 6
        (h, c), _ = lstm_cell(params, (h, c), torch.cat([x, r], dim=1))  # equation 3
        return (h + x, c), h + x  # equation 4

    return scan(read, params, zero_state(params, queries), queries.expand(n_reads, -1, -1))[1][-1]
