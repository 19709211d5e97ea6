"""Glyphs: 958 characters of 19 scripts, 20 drawings each, shipped with the course, as Banks of 28x28 images.

They stand in for handwriting where there is no network: typefaces, pen widths and warps vary as hands do.
Whole scripts are held out, as in Omniglot (Lake et al. 2015). datasets/README.md is the data card.

Differs from the paper: the drawings are made by datasets/make_glyphs.py, not by people.
"""

from pathlib import Path

import numpy as np

from reference import contracts
from reference.tasks.bank import Bank, make_bank

FILE = Path(__file__).resolve().parent / "data" / "glyphs.npz"  # it travels in the wheel
SPLITS = ("train", "validation", "test")


def glyphs(split: str) -> Bank:
    """The characters of a split; class names are "script/code point", groups scripts. Grey has four levels.

    FileNotFoundError or ValueError when the file is absent or damaged.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, got {contracts.shown(split)}.")
    try:
        with open(FILE, "rb") as file, np.load(file) as stored:
            packed, splits = stored["drawings"], stored["splits"]
            names, scripts = stored["names"], stored["scripts"]
        levels = packed[..., None] >> np.array([6, 4, 2, 0], dtype=np.uint8) & 3  # four pixels a byte
        images = (85 * levels).reshape(-1, 28, 28)
        labels = np.repeat(np.arange(len(names)), len(images) // len(names))
        bank = make_bank(images, labels, names=names, groups=scripts)
        return bank.select(np.flatnonzero(splits == split))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{FILE} does not exist; {_mend()}.") from error
    except Exception as error:  # NumPy's reader raises almost anything on a damaged file
        raise ValueError(f"{FILE} is damaged ({contracts.first_line(error)}); {_mend()}.") from error


def _mend() -> str:
    back = "git checkout reference/tasks/data/glyphs.npz"
    return f"restore it ({back}) or draw it anew (python datasets/make_glyphs.py)"
