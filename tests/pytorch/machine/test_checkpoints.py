"""A checkpoint is what was saved, or a sentence that says it is not."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from reference import results
from reference.pytorch.machine import checkpoints

WEIGHT = torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(0))
GROUPS = {
    "params": {"blocks.0.conv.weight": WEIGHT, "scale": torch.tensor(2.0)},
    "buffers": {"count": torch.tensor(7)},
}
NOTES = {"step": 3, "rng": np.random.default_rng(0).bit_generator.state, "rate": 0.1}


@pytest.fixture
def path(tmp_path):
    checkpoints.save(tmp_path / "new folder" / "run.safetensors", GROUPS, NOTES)
    return tmp_path / "new folder" / "run.safetensors"


def test_comes_back_as_it_was(path):
    groups, notes = checkpoints.load(path)
    assert notes == NOTES
    assert groups.keys() == GROUPS.keys()
    for group, named in GROUPS.items():
        assert all(
            torch.equal(groups[group][k], v) and groups[group][k].dtype == v.dtype for k, v in named.items()
        )


def test_a_restored_generator_goes_on_where_it_was(path):
    rng = np.random.default_rng(99)
    rng.bit_generator.state = checkpoints.load(path)[1]["rng"]
    assert rng.random() == np.random.default_rng(0).random()


SAVED = {
    "turned": WEIGHT.transpose(0, 3),
    "a view": WEIGHT.reshape(-1)[::2],
    "bfloat16": WEIGHT.bfloat16(),
    "integers": torch.arange(4),
    "truths": torch.tensor([True, False]),
    "nothing": torch.zeros(0, 3),
    "learned": WEIGHT.clone().requires_grad_(),
}


@pytest.mark.parametrize("name", SAVED)
def test_every_kind_of_tensor_comes_back(name, tmp_path):
    checkpoints.save(tmp_path / "a", {"params": {"w": SAVED[name]}}, {})
    found = checkpoints.load(tmp_path / "a")[0]["params"]["w"]
    assert found.dtype == SAVED[name].dtype and torch.equal(found, SAVED[name])


def test_tensors_that_share_their_memory_come_back_apart(tmp_path):
    checkpoints.save(tmp_path / "a", {"params": {"w": WEIGHT, "tied": WEIGHT, "row": WEIGHT[0]}}, {})
    found = checkpoints.load(tmp_path / "a")[0]["params"]
    assert torch.equal(found["w"], WEIGHT) and torch.equal(found["row"], WEIGHT[0])
    found["w"].zero_()
    assert torch.equal(found["tied"], WEIGHT)


def test_an_empty_group_and_a_path_of_letters_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoints.save("x", {"params": {"w": WEIGHT}, "carried": {}}, {})
    assert checkpoints.load("x")[0]["carried"] == {}
    checkpoints.save("x", {}, {"step": 1})
    assert checkpoints.load("x") == ({}, {"step": 1})


def test_numbers_of_numpy_are_noted_as_numbers(tmp_path):
    notes = {"step": np.int64(3), "rate": np.float64(0.1), "small": np.float32(0.5), "all": np.arange(2)}
    checkpoints.save(tmp_path / "a", {}, notes)
    assert checkpoints.load(tmp_path / "a")[1] == {"step": 3, "rate": 0.1, "small": 0.5, "all": [0, 1]}


@pytest.mark.parametrize(
    ("groups", "notes", "sentence"),
    [
        ({"params": {"w": 1.0}}, {}, "groups: params/w is a float; a group holds tensors."),
        ({"a/b": {}}, {}, "groups: got the name 'a/b'; a group's name has no '/'."),
        ({}, {"loss": WEIGHT}, "notes: got a Tensor; notes hold what JSON can say"),
    ],
)
def test_what_cannot_be_saved_is_named(groups, notes, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        checkpoints.save(tmp_path / "a", groups, notes)
    assert list(tmp_path.iterdir()) == []


def test_what_was_loaded_does_not_lie_in_the_file(path):
    # In a process of its own: one that reads a mapped file after it was cut short is killed.
    code = (
        "import sys\nfrom reference.pytorch.machine import checkpoints\n"
        "groups, _ = checkpoints.load(sys.argv[1])\nopen(sys.argv[1], 'wb').close()\n"
        "print(float(groups['params']['blocks.0.conv.weight'].sum()))"
    )
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) == pytest.approx(float(WEIGHT.sum()))


def test_a_file_of_others_is_no_checkpoint(tmp_path):
    save_file({"w": WEIGHT}, tmp_path / "theirs.safetensors")
    with pytest.raises(ValueError, match="theirs.safetensors is no checkpoint of a run: it has neither"):
        checkpoints.load(tmp_path / "theirs.safetensors")
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(FileNotFoundError, match="there is no such file"):
            checkpoints.load(path)


def header_changed(old, new):
    def change(data):
        n = int.from_bytes(data[:8], "little")
        header = data[8 : 8 + n].replace(old, new)
        assert header != data[8 : 8 + n] and len(header) == n
        return data[:8] + header + data[8 + n :]

    return change


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[: len(b) // 2],
        lambda b: b"",
        lambda b: b[:-1] + bytes([b[-1] ^ 1]),  # one flipped bit in a tensor
        header_changed(b'\\"step\\": 3', b'\\"step\\": 4'),
        header_changed(b'"F32"', b'"I32"'),
        header_changed(b"[2,1,3,3]", b"[1,2,3,3]"),
        header_changed(b"scale", b"scald"),
        lambda b: b"PK" + b[2:],
    ],
    ids=["cut short", "empty", "a flipped bit", "another step", "dtype", "shape", "name", "no safetensors"],
)
def test_a_damaged_file_is_refused_in_one_sentence_and_left_alone(path, damage):
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    with pytest.raises(
        ValueError, match=r"run\.safetensors is damaged: .* move it away to start the run again"
    ):
        checkpoints.load(path)
    assert path.read_bytes() == damaged


def test_an_interrupted_save_leaves_the_old_file(path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(results.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(path, GROUPS, NOTES | {"step": 4})
    assert checkpoints.load(path)[1]["step"] == 3
    assert [file.name for file in path.parent.iterdir()] == [path.name]
