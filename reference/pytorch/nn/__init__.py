"""Networks, what their answers cost, and how a recurrent one runs: the parts that learners are made of."""

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
from reference.pytorch.nn.recurrent import scan as scan
