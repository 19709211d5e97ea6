"""When two numbers are equal, and that no engine is loaded to tell."""

import subprocess
import sys

import numpy as np

from reference.checks import same
from tests.checks.cases import column_means, oblong, refused


def test_rounding_and_precision_are_forgiven_but_no_more():
    same(lambda x: column_means(x) + 1e-12, column_means, oblong)
    same(lambda x: column_means(x.astype(np.float32)), column_means, oblong)
    refused(lambda x: column_means(x) + 1e-6, column_means, oblong)


def test_nan_and_infinity_of_the_reference_are_expected():
    def log(x):
        with np.errstate(all="ignore"):
            return np.log(np.array([-1.0, 0.0, 2.0])) + 0 * x

    same(lambda x: log(x), log, lambda rng: (rng.normal(size=3),))
    assert "at [2]" in refused(lambda x: log(x) * np.array([1, 1, 2]), log, lambda rng: (rng.normal(size=3),))


def test_the_checks_load_neither_engine():
    code = "import sys, reference.checks; print([m for m in sys.modules if m == 'torch' or 'autodiff' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
