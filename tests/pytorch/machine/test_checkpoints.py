"""A checkpoint is what was saved, or a sentence that says it is not."""

import numpy as np
import pytest
import torch

from reference.pytorch.machine import checkpoints

GROUPS = {
    "params": {"blocks.0.conv.weight": torch.rand(2, 1, 3, 3), "scale": torch.tensor(2.0)},
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


def test_layout_in_memory_does_not_matter(tmp_path):
    turned = torch.rand(3, 4).T
    checkpoints.save(tmp_path / "a", {"params": {"w": turned}}, {})
    assert torch.equal(checkpoints.load(tmp_path / "a")[0]["params"]["w"], turned)


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[: len(b) // 2],
        lambda b: b"",
        lambda b: b[:-1] + bytes([b[-1] ^ 1]),  # one flipped bit in a tensor
        lambda b: b.replace(b'\\"step\\": 3', b'\\"step\\": 4'),
    ],
    ids=["cut short", "empty", "a flipped bit", "another step"],
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

    monkeypatch.setattr(checkpoints.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(path, GROUPS, NOTES | {"step": 4})
    assert checkpoints.load(path)[1]["step"] == 3
