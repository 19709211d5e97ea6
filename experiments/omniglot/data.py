"""What the runs on Omniglot are trained on and judged by."""

from typing import Literal

from reference.tasks.bank import Bank
from reference.tasks.omniglot import omniglot

# alphabets: the official split, trained on the background alphabets and judged on the evaluation alphabets;
# vinyals: the split of Vinyals et al. 2016 in the program of Snell et al. 2017, trained on 1,200 characters
# and judged on the other 423, nearly all of unseen alphabets; characters: the mixed split, of the same sizes,
# drawn at random from all alphabets and so easier;
# held-out: for choosing settings, trained on 25 background alphabets and judged on the other 5.
Data = Literal["alphabets", "vinyals", "characters", "held-out"]


def banks(data: Data) -> tuple[Bank, Bank]:
    """What to train on, where a quarter turn makes a new class, and what to judge by."""
    if data in ("vinyals", "characters"):  # Snell et al. turn the test classes too (section 3.1)
        names = ("trainval", "test") if data == "vinyals" else ("train", "test")
        training, test = (omniglot(split, protocol=data) for split in names)
        return training.with_rotations(), test.with_rotations()
    training, test = ("train", "validation") if data == "held-out" else ("background", "test")
    return omniglot(training).with_rotations(), omniglot(test)
