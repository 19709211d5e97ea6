"""The neural Turing machine that is measured: LSTM of 100, memory 128 x 20, a head of each kind."""

from reference.episodes import Series
from reference.params import Params
from reference.pytorch import ntm
from reference.pytorch.nn.cells import Recurrent, answering, lstm
from reference.tasks.sequences import Copy

SIZE = ntm.Size(n_rows=128, width=20)
N_HIDDEN = 100


def machine() -> Recurrent:
    """The machine under its output layer."""
    return answering(ntm.machine(SIZE, lstm(N_HIDDEN)), Copy().d_out)


def gradient(params: Params, series: Series, net: Recurrent) -> Params:
    """The gradient of the loss in all parameters."""
    return ntm.meta_gradient(params, series, net=net)[0]
