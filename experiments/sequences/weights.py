"""The weights of a finished run, small enough to stand beside its result and to be loaded by a chapter.

    python -m experiments.sequences.weights 'sequences_ntm_copy_seed=0_outer_lr=0.01_largest_gradient=1.0'

The name is that of the run's file in results/, which has a checkpoint of the same name in runs/.
"""

import sys
from pathlib import Path

from experiments.carried import apart
from experiments.runner import HERE
from reference.pytorch.machine import checkpoints
from reference.results import read


def keep(name: str, here: Path = HERE) -> Path:
    """Put the run's weights beside its result, without what only training needs; where they are.

    Raises ValueError for a run that has not come to its end.
    """
    groups, notes = checkpoints.load(here / "runs" / f"{name}.safetensors")
    settings = read(here / "results" / f"{name}.json").settings
    if notes["step"] != settings["n_steps"]:
        raise ValueError(f"{name}: the run is at step {notes['step']} of {settings['n_steps']}.")
    kept = here / "results" / f"{name}.safetensors"
    about = {key: notes[key] for key in ("experiment", "variant", "settings")}
    checkpoints.save(kept, {"params": apart(groups["params"])[0]}, about)
    return kept


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(keep(name))
