"""The shipped glyphs: drawn anew to the byte, no empty box, no look-alikes, of fit difficulty."""

import hashlib
import importlib.util
import io
import re
import zipfile
import zlib
from pathlib import Path

import matplotlib
import numpy as np
import PIL
import pytest
from PIL import Image, features
from scipy.ndimage import distance_transform_edt, maximum_filter

from reference.baselines import nearest_centroid
from reference.evaluation import evaluate
from reference.tasks import glyphs as module
from reference.tasks.bank import FewShot
from reference.tasks.glyphs import SPLITS, glyphs

DATASETS = Path(__file__).parents[2] / "datasets"
spec = importlib.util.spec_from_file_location("make_glyphs", DATASETS / "make_glyphs.py")
make_glyphs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_glyphs)

CARD = (DATASETS / "README.md").read_text()
CLASSES = make_glyphs.all_characters()


# The file


def test_the_shipped_file_is_that_of_the_data_card():
    digest = hashlib.sha256(module.FILE.read_bytes()).hexdigest()
    assert digest in CARD
    assert module.FILE.stat().st_size < 2_500_000


def test_the_card_counts_every_script():
    for split, scripts in make_glyphs.SCRIPTS.items():
        assert glyphs(split).names.size == sum(map(len, scripts.values()))
        for script, characters in scripts.items():
            assert re.search(rf"\| {split} +\| {re.escape(script)} +\| +{len(characters)} \|", CARD), script


def versions():
    """What the bytes depend on, as the data card writes it."""
    return (
        f"NumPy {np.__version__}, Pillow {PIL.__version__} (FreeType {features.version('freetype2')}), "
        f"Matplotlib {matplotlib.__version__}, zlib {zlib.ZLIB_RUNTIME_VERSION}"
    )


def test_drawing_everything_anew_gives_the_same_bytes():
    drawn = make_glyphs.build()
    if versions() in CARD:
        assert drawn == module.FILE.read_bytes()
        return
    print(f"\nother versions than the data card's ({versions()}): comparing the images, not the bytes")
    with np.load(io.BytesIO(drawn)) as mine, np.load(module.FILE) as shipped:
        for name in ("names", "scripts", "splits"):
            assert (mine[name] == shipped[name]).all()
        difference = unpack(mine["drawings"]) - unpack(shipped["drawings"])
    assert np.abs(difference).mean() < 0.05  # of 3 levels: edges may move, shapes may not


def unpack(packed):
    return np.stack([packed >> shift & 3 for shift in (6, 4, 2, 0)], axis=-1).astype(int)


def test_unpacking_gives_what_was_drawn():
    images = glyphs("test").images
    first = make_glyphs.draw(make_glyphs.SCRIPTS["test"]["Armenian"][0])
    assert (images[:20] == 85 * first).all()
    assert set(np.unique(images)) == {0, 85, 170, 255}


# The characters


def test_splits_hold_whole_scripts_and_every_name_once():
    banks = {split: glyphs(split) for split in SPLITS}
    scripts = [set(bank.groups) for bank in banks.values()]
    assert sum(map(len, scripts)) == len(set.union(*scripts)) == 19
    names = [name for bank in banks.values() for name in bank.names]
    assert len(names) == len(set(names)) == len(CLASSES)
    assert all(set(bank.sizes) == {20} for bank in banks.values())


def test_every_face_has_a_glyph_of_its_own_for_every_character():
    """No empty box: the shape is not the one that a face draws for what it has not."""
    nothing = "\uffff"
    boxes = {
        face: make_glyphs.ink(nothing, face) if make_glyphs.font(face).getmask(nothing).getbbox() else None
        for face in make_glyphs.FACES
    }
    for _, _, character in CLASSES:
        faces = make_glyphs.faces_with(character)
        assert faces, character
        for face in faces:
            assert not np.array_equal(make_glyphs.ink(character, face), boxes[face]), (character, face)


def ridges(character, *, square):
    """The middle of the strokes in a box of 36 pixels, with or without the character's own proportions."""
    ink = Image.fromarray(make_glyphs.ink(character, make_glyphs.faces_with(character)[0]))
    scale = 36 / max(ink.size)
    size = (36, 36) if square else tuple(max(1, round(scale * side)) for side in ink.size)
    canvas = Image.new("L", (44, 44))
    canvas.paste(ink.convert("L").resize(size, Image.Resampling.BOX), [(44 - side) // 2 for side in size])
    inside = np.asarray(canvas) > 110
    depth = distance_transform_edt(inside)
    return inside & (depth >= maximum_filter(depth, 3) - 0.3)


def distances(shapes):
    """For every two shapes, how far 95 % of the points of either lie at most from the other, the larger."""
    away = np.stack([distance_transform_edt(~shape) for shape in shapes]).astype(np.float32)
    one_way = np.stack([np.quantile(away[:, shape], 0.95, axis=1, method="higher") for shape in shapes])
    return np.maximum(one_way, one_way.T)


def test_no_two_characters_look_alike():
    characters = [character for _, _, character in CLASSES]
    own, square = (distances([ridges(c, square=flag) for c in characters]) for flag in (False, True))
    nearest = np.minimum(own, square) + 99 * np.eye(len(characters))
    i, j = np.unravel_index(nearest.argmin(), nearest.shape)
    assert nearest.min() > 2.9, (characters[i], characters[j])  # of 36 pixels


@pytest.mark.parametrize("pair", ["AΑ", "oο", "Oo", "Сc", "HН"])
def test_look_alikes_would_be_seen(pair):
    assert distances([ridges(c, square=True) for c in pair])[0, 1] < 2.5


# The drawings


@pytest.mark.parametrize("split", SPLITS)
def test_drawings_are_inked_inside_and_all_different(split):
    images = glyphs(split).images
    ink = (images >= 128).sum(axis=(1, 2))
    assert ink.min() >= 10 and ink.max() < 28 * 28 / 2
    edge = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1) >= 128
    assert edge.any(axis=1).mean() < 0.04 and edge.sum() < 0.005 * ink.sum()  # hardly anything is cut off
    rows, columns = np.indices((28, 28))
    for position in (rows, columns):
        centre = (images * position).sum(axis=(1, 2)) / images.sum(axis=(1, 2), dtype=float)
        assert np.abs(centre - 13.5).max() < 8 and abs(centre.mean() - 13.5) < 0.5
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


def test_raw_pixels_are_neither_useless_nor_enough():
    tasks = FewShot(glyphs("test"), n_way=5, k_shot=1, n_query=15)
    score = evaluate(nearest_centroid, tasks, n_episodes=300, rng=np.random.default_rng(0))
    assert 0.40 < score.interval[0] and score.interval[1] < 0.70


# Errors


def test_an_unknown_split_is_refused():
    with pytest.raises(
        ValueError, match=r"split must be one of \('train', 'validation', 'test'\), got 'valid'"
    ):
        glyphs("valid")


def test_an_absent_file_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "FILE", tmp_path / "glyphs.npz")
    with pytest.raises(FileNotFoundError, match=r"^\S+glyphs.npz does not exist; .*make_glyphs.py\)\.$"):
        glyphs("test")


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:1000], lambda b: b[:-30], lambda b: b[:9000] + b"!!" + b[9002:], lambda b: b""],
    ids=["beginning", "no end", "flipped", "empty"],
)
def test_a_damaged_file_is_told(damage, monkeypatch, tmp_path):
    path = tmp_path / "glyphs.npz"
    path.write_bytes(damage(module.FILE.read_bytes()))
    monkeypatch.setattr(module, "FILE", path)
    with pytest.raises(ValueError, match=r"^\S+glyphs.npz is damaged \(.*\); .*make_glyphs.py\)\.$"):
        glyphs("test")


def test_a_file_without_its_arrays_is_told(monkeypatch, tmp_path):
    path = tmp_path / "glyphs.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.txt", "text")
    monkeypatch.setattr(module, "FILE", path)
    with pytest.raises(ValueError, match="is damaged"):
        glyphs("test")
