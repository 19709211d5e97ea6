"""Networks and how a recurrent one runs: the parts that learners are made of."""

from reference.pytorch.nn.networks import MLP as MLP
from reference.pytorch.nn.networks import Block as Block
from reference.pytorch.nn.networks import Conv4 as Conv4
from reference.pytorch.nn.networks import init_params as init_params
from reference.pytorch.nn.networks import linear as linear
from reference.pytorch.nn.networks import mlp as mlp
from reference.pytorch.nn.recurrent import Cell as Cell
from reference.pytorch.nn.recurrent import scan as scan
