"""Settings that take no time."""

from experiments import curve
from experiments.sequences import machines

FEW = machines.Settings(n_steps=curve.N_POINTS * 2, batch=2, n_rows=6, row_width=3, n_hidden=4, n_test=3)
