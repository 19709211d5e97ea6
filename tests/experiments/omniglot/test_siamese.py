"""The Siamese runs: what a batch holds, that images are distorted, and that a network is judged alone."""

import numpy as np
import pytest
import torch

from experiments.omniglot import siamese
from experiments.training import judge
from reference.tasks.bank import make_bank
from reference.tasks.pairs import OneShotTrials
from tests.experiments.omniglot import small
from tests.experiments.omniglot.small import drawings as drawings

pytestmark = pytest.mark.usefixtures("drawings")
VARIANTS = list(siamese.VARIANTS)


def turned():
    """Two alphabets of 20 characters, and their quarter turns; image j of a class holds its number and j."""
    images = np.zeros((2 * 20 * 3, 28, 28), np.uint8)
    images[:, 13, 13], images[:, 14, 14] = np.arange(120) + 1, 255
    names = [f"{g}/{c}" for g in ("one", "two") for c in range(20)]
    groups = np.repeat(["one", "two"], 20).tolist()
    return make_bank(images, np.repeat(np.arange(40), 3), names=names, groups=groups).with_rotations()


def test_a_turned_alphabet_is_another_one():
    bank = siamese.by_turn(turned())
    assert sorted(set(bank.groups.tolist())) == sorted(
        f"{g}{t}" for g in ("one", "two") for t in ("", " 90", " 180", " 270")
    )
    for name, group in zip(bank.names.tolist(), bank.groups.tolist(), strict=True):
        assert (
            group.split()[0] == name.split("/")[0] and group.partition(" ")[2] == name.partition("turned ")[2]
        )


def test_a_batch_of_alphabets_holds_two_images_of_each_character_under_one_label():
    trials = OneShotTrials(siamese.by_turn(turned()).split(["one", "two"])[0], n_way=14)
    x, y = siamese.of_alphabets(trials, np.random.default_rng(0), n_alphabets=3)
    assert x.shape == (84, 1, 28, 28) and y.shape == (84,)
    image = np.rint(255 * x[:, 0, 13, 13]).astype(int) - 1
    classes = image // 3
    for label in np.unique(y):
        assert len(set(classes[y == label])) == 1
    assert len(np.unique(y)) == len(np.unique(classes))
    assert (np.bincount(y) % 2 == 0).all()  # four, where an alphabet came twice


@pytest.mark.parametrize("others", ["anywhere", "one-alphabet"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_step_takes_as_many_images_as_it_says_and_distorts_them(variant, others, monkeypatch):
    job = small.job(variant, others=others, n_images=32)
    drawn = siamese.draw(job)(np.random.default_rng(0))
    of_one_alphabet = variant not in siamese.PAIRED and others == "one-alphabet"
    assert drawn.x.numel() == 28 * 28 * (28 if of_one_alphabet else 32)
    monkeypatch.setattr(siamese, "distorted", lambda images, maps: images)
    plain = siamese.draw(job)(np.random.default_rng(0))
    assert torch.equal(plain.y, drawn.y) and not torch.allclose(plain.x, drawn.x)
    assert plain.x.shape == drawn.x.shape and drawn.x.dtype == torch.float32


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_learns_to_tell_two_kinds_of_drawing_apart(variant, tmp_path):
    """A few steps lower the loss on what was drawn."""
    job = small.job(variant, n_steps=8, outer_lr=0.01, n_images=32)
    how, start = siamese.train(job), small.start(job)
    drawn = how.draw(np.random.default_rng(5))
    fixed = how._replace(draw=lambda rng: drawn)
    params, state = start, fixed.rule.init(start)
    first = how.meta_gradient(params, drawn)[1]
    for _ in range(8):
        params, state = fixed.rule.update(params, how.meta_gradient(params, drawn)[0], state)
    assert how.meta_gradient(params, drawn)[1] < first


@pytest.mark.parametrize("variant", ["koch", "nt-xent"])
def test_all_learners_are_judged_by_the_same_rows(variant, tmp_path):
    job = small.job(variant)
    tests = list(siamese.tests(job, small.start(job), small.start(job)))
    rows = judge(small.begun(job), tests, job, checkpoint=tmp_path / "run").rows
    by_learner = {}
    for row in rows:
        about = {name: word for name, word in row.about.items() if name != "learner"}
        by_learner.setdefault(row.about["learner"], []).append((about, row.measure, row.n))
    assert list(by_learner) == ["trained", "untrained", "raw pixels", "trained, 16 copies"]
    assert all(rows == by_learner["trained"] for rows in by_learner.values())
    assert [n for *_, n in by_learner["trained"]] == [4, 2, 40, 40, 40, 40]


def test_an_embedding_is_averaged_over_an_image_and_its_copies():
    x = torch.from_numpy(np.random.default_rng(0).random((3, 1, 8, 8), dtype=np.float32))
    seen = []

    def embed(params, images):
        seen.append(images)
        return images.flatten(1)

    found = siamese.averaged(embed)({}, x)
    assert len(seen) == 17 and torch.equal(seen[0], x)
    assert torch.allclose(found, torch.stack([each.flatten(1) for each in seen]).mean(0), atol=1e-6)
    first, again, others = (siamese.averaged(embed)({}, images) for images in (x, x, x.flip(0)))
    assert torch.equal(first, again) and not torch.allclose(first, others.flip(0))
