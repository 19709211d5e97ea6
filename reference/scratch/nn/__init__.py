"""Networks, what their answers cost, and how a recurrent one runs: the parts that learners are made of."""

from reference.scratch.nn.losses import cross_entropy as cross_entropy
from reference.scratch.nn.losses import mean_squared_error as mean_squared_error
from reference.scratch.nn.networks import conv4 as conv4
from reference.scratch.nn.networks import init_conv4 as init_conv4
from reference.scratch.nn.networks import init_mlp as init_mlp
from reference.scratch.nn.networks import layer_norm as layer_norm
from reference.scratch.nn.networks import linear as linear
from reference.scratch.nn.networks import mlp as mlp
from reference.scratch.nn.recurrent import Cell as Cell
from reference.scratch.nn.recurrent import scan as scan
