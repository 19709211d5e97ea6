"""Each split trains on characters that it is not judged by."""

from typing import get_args

import pytest

from experiments.omniglot import data

SPLITS = {"alphabets": ("background", "test"), "held-out": ("train", "validation")}


class Split(str):
    """A stand-in for a bank that knows its name and whether it was turned."""

    def with_rotations(self):
        return Split(f"{self} turned")


@pytest.mark.parametrize("name", get_args(data.Data))
def test_what_is_trained_on_is_turned_and_is_another_split_than_the_test(name, monkeypatch):
    monkeypatch.setattr(data, "omniglot", lambda split, protocol="alphabets": Split(f"{protocol} {split}"))
    training, test = data.banks(name)
    if name in ("characters", "vinyals"):  # there the test classes are turned too
        first = {"characters": "train", "vinyals": "trainval"}[name]
        assert (training, test) == (f"{name} {first} turned", f"{name} test turned")
    else:
        first, second = SPLITS[name]
        assert (training, test) == (f"alphabets {first} turned", f"alphabets {second}")
