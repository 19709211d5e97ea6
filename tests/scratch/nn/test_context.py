"""Full context, differentiated twice by the engine and checked by small steps."""

import numpy as np

from reference.scratch.autodiff import check_gradients
from reference.scratch.nn import full_context, init_context


def test_derivatives_to_second_order():
    rng = np.random.default_rng(0)
    params = {f"context.{name}": p.astype(np.float64) for name, p in init_context(rng, 2).items()}

    def both(queries, support, weight):
        given = params | {"context.f.weight_ih_l0": weight}
        return np.concatenate(full_context(given, queries, support, n_reads=2))

    queries, support = rng.normal(size=(2, 2)), rng.normal(size=(3, 2))
    check_gradients(both, queries, support, params["context.f.weight_ih_l0"], rng=rng)
