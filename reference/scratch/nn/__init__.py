"""Networks, what their answers cost, and how a recurrent one runs: the parts that learners are made of."""

from reference.scratch.nn.context import full_context as full_context
from reference.scratch.nn.context import init_context as init_context
from reference.scratch.nn.distances import distance as distance
from reference.scratch.nn.distances import squared_distance as squared_distance
from reference.scratch.nn.distances import unit as unit
from reference.scratch.nn.losses import cross_entropy as cross_entropy
from reference.scratch.nn.losses import mean_squared_error as mean_squared_error
from reference.scratch.nn.networks import conv4 as conv4
from reference.scratch.nn.networks import init_conv4 as init_conv4
from reference.scratch.nn.networks import init_mlp as init_mlp
from reference.scratch.nn.networks import layer_norm as layer_norm
from reference.scratch.nn.networks import linear as linear
from reference.scratch.nn.networks import mlp as mlp
from reference.scratch.nn.recurrent import Cell as Cell
from reference.scratch.nn.recurrent import bidirectional as bidirectional
from reference.scratch.nn.recurrent import init_bidirectional as init_bidirectional
from reference.scratch.nn.recurrent import init_lstm as init_lstm
from reference.scratch.nn.recurrent import lstm_cell as lstm_cell
from reference.scratch.nn.recurrent import scan as scan
from reference.scratch.nn.recurrent import zero_state as zero_state
