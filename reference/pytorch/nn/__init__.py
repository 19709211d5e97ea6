"""Networks, what their answers cost, and how a recurrent one runs: the parts that learners are made of."""

from reference.pytorch.nn.context import full_context as full_context
from reference.pytorch.nn.context import init_context as init_context
from reference.pytorch.nn.distances import distance as distance
from reference.pytorch.nn.distances import squared_distance as squared_distance
from reference.pytorch.nn.distances import unit as unit
from reference.pytorch.nn.losses import cross_entropy as cross_entropy
from reference.pytorch.nn.losses import mean_squared_error as mean_squared_error
from reference.pytorch.nn.modules import as_function as as_function
from reference.pytorch.nn.modules import init_params as init_params
from reference.pytorch.nn.modules import norm_statistics as norm_statistics
from reference.pytorch.nn.networks import MLP as MLP
from reference.pytorch.nn.networks import Block as Block
from reference.pytorch.nn.networks import Conv4 as Conv4
from reference.pytorch.nn.networks import linear as linear
from reference.pytorch.nn.networks import mlp as mlp
from reference.pytorch.nn.recurrent import Cell as Cell
from reference.pytorch.nn.recurrent import bidirectional as bidirectional
from reference.pytorch.nn.recurrent import init_bidirectional as init_bidirectional
from reference.pytorch.nn.recurrent import init_lstm as init_lstm
from reference.pytorch.nn.recurrent import lstm_cell as lstm_cell
from reference.pytorch.nn.recurrent import scan as scan
from reference.pytorch.nn.recurrent import zero_state as zero_state
