"""Own images: read as they are, and one sentence that names the file for each thing that can be wrong."""

import re
import runpy
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from reference.baselines import nearest_centroid
from reference.evaluation import evaluate
from reference.scratch import nn, prototypical
from reference.tasks.bank import FewShot
from reference.tasks.folders import area_average, bank_from_folder

CARD = Path(__file__).parents[2] / "datasets" / "README.md"
SHAPES = {"ring": "ellipse", "box": "rectangle", "stroke": "line"}


def draw(path, shape, rng, *, size=(90, 60), mode="L", ink=0, paper=255):
    """A picture of a shape, placed at random."""
    image = Image.new(mode, size, paper)
    corner = rng.integers(5, 20, 2)
    box = [*map(int, corner), *map(int, corner + rng.integers(25, 35, 2))]
    getattr(ImageDraw.Draw(image), SHAPES[shape])(
        box, **({"fill": ink} if shape == "stroke" else {"outline": ink}), width=5
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def own(tmp_path):
    """Three classes of five pictures."""
    rng = np.random.default_rng(0)
    for shape in SHAPES:
        for i in range(5):
            draw(tmp_path / "own" / shape / f"{i}.png", shape, rng)
    return tmp_path / "own"


# What is read


def test_a_folder_is_a_class_and_hidden_files_are_passed_over(own):
    (own / ".git").mkdir()
    (own / "licence.txt").write_text("mine")
    (own / "ring" / ".DS_Store").write_bytes(b"\0")
    (own / "ring" / "Thumbs.db").write_bytes(b"\0")
    (own / "__MACOSX").mkdir()
    bank = bank_from_folder(own)
    assert bank.names.tolist() == ["box", "ring", "stroke"] and bank.groups.tolist() == ["own"] * 3
    assert bank.sizes.tolist() == [5, 5, 5] and bank.images.shape == (15, 28, 28)


def test_folders_of_folders_are_groups(own, tmp_path):
    (tmp_path / "all").mkdir()
    own.rename(tmp_path / "all" / "round and square")
    rng = np.random.default_rng(1)
    for i in range(2):
        draw(tmp_path / "all" / "thin" / "stroke" / f"{i}.JPG", "stroke", rng)
    bank = bank_from_folder(tmp_path / "all")
    assert bank.names.tolist() == [
        *(f"round and square/{name}" for name in ("box", "ring", "stroke")),
        "thin/stroke",
    ]
    assert bank.groups.tolist() == ["round and square"] * 3 + ["thin"] and bank.sizes.tolist() == [5, 5, 5, 2]


def test_a_picture_keeps_its_proportions_and_its_greys(tmp_path):
    pixels = np.full((40, 80), 255, np.uint8)
    pixels[:, :20], pixels[:, 20:40] = 0, 155
    for name in "ab":
        (tmp_path / "one").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "one" / f"{name}.png")
    image = bank_from_folder(tmp_path, size=8).images[0]
    assert (image[:2] == 0).all() and (image[6:] == 0).all()  # margins: it is twice as wide as high
    assert (image[2:6] == [255, 255, 100, 100, 0, 0, 0, 0]).all()


KINDS = {
    "grey": ("L", 0, 255),
    "colour": ("RGB", (0, 0, 0), (255, 255, 255)),
    "bits": ("1", 0, 1),
    "palette": ("P", 0, 255),
    "16 bits": ("I;16", 0, 65535),
    "transparent": ("RGBA", (0, 0, 0, 255), (9, 9, 9, 0)),
    "grey and transparent": ("LA", (0, 255), (9, 0)),
}


@pytest.mark.parametrize("mode, ink, paper", KINDS.values(), ids=KINDS)
def test_the_same_picture_of_any_kind_gives_the_same_bytes(tmp_path, mode, ink, paper):
    expected = np.zeros((20, 20), np.uint8)
    expected[5:15, 8:12] = 255
    for name in "ab":
        image = Image.new(mode, (20, 20), paper)
        if mode == "P":
            image.putpalette([i // 3 for i in range(768)])
        image.paste(ink, (8, 5, 12, 15))
        (tmp_path / "one").mkdir(exist_ok=True)
        image.save(tmp_path / "one" / f"{name}.png")
    assert (bank_from_folder(tmp_path, size=20).images == expected).all()


def test_light_ink_on_dark_paper(tmp_path):
    for name, (ink, paper) in {"dark": (0, 255), "light": (255, 0)}.items():
        for i in range(2):
            draw(
                tmp_path / name / "ring" / f"{i}.png", "ring", np.random.default_rng(i), ink=ink, paper=paper
            )
    light = bank_from_folder(tmp_path / "light", ink="light")
    assert (light.images == bank_from_folder(tmp_path / "dark").images).all()
    transparent = Image.new("LA", (9, 9), (0, 0))
    for i in range(2):
        transparent.save(tmp_path / "light" / "ring" / f"nothing {i}.png")
    assert (bank_from_folder(tmp_path / "light", ink="light").images[2:] == 0).all()  # paper is dark here


def test_a_photograph_is_turned_as_its_camera_says(tmp_path):
    pixels = np.full((8, 8), 255, np.uint8)
    pixels[0] = 0
    turned = Image.Exif()
    turned[0x0112] = 3  # upside down
    (tmp_path / "one").mkdir()
    for name in "ab":
        Image.fromarray(pixels).save(tmp_path / "one" / f"{name}.png", exif=turned)
    image = bank_from_folder(tmp_path, size=8).images[0]
    assert (image[7] == 255).all() and (image[:7] == 0).all()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32))
def test_area_averaging_keeps_the_mean_and_is_a_block_mean_where_it_divides(h, w, height, width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (h, w)).astype(np.float32)
    assert area_average(image, height, width).mean() == pytest.approx(image.mean(), abs=0.51)
    large = np.repeat(np.repeat(image, height, axis=0), width, axis=1)
    assert (area_average(large, h, w) == image).all()
    many = np.stack([large, large[::-1]])
    assert (area_average(many, h, w) == np.stack([image, image[::-1]])).all()


def test_relative_paths_and_the_home_folder(own, monkeypatch):
    expected = bank_from_folder(str(own)).images
    monkeypatch.chdir(own.parent)
    monkeypatch.setenv("HOME", str(own.parent))
    monkeypatch.setenv("USERPROFILE", str(own.parent))
    for path in ("own", Path("./own"), "~/own", "own/../own/"):
        assert (bank_from_folder(path).images == expected).all()
    monkeypatch.chdir(own)
    assert bank_from_folder(".").groups.tolist() == ["own"] * 3


# What can be wrong


def huge_png(path, width, height):
    """A PNG that claims a size and has no pixels."""

    def chunk(kind, data):
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 0, 0, 0, 0])
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )


def leave(folder, n):
    for file in sorted(folder.iterdir())[n:]:
        file.unlink()


def large_file(own):
    with open(own / "ring" / "0.png", "r+b") as file:
        file.truncate(200_000_000)  # takes no room: it is full of holes


def flip(own):
    path = own / "box" / "2.png"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


WRONG_FOLDERS = {
    "no pictures": (
        lambda own: [leave(own / name, 0) for name in SHAPES],
        r"own/box holds 0 pictures; a class needs",
    ),
    "one empty": (lambda own: leave(own / "ring", 0), r"own/ring holds 0 pictures; a class needs at least 2"),
    "one picture": (
        lambda own: leave(own / "ring", 1),
        r"own/ring holds 1 picture; a class needs at least 2",
    ),
    "a text": (
        lambda own: (own / "box" / "notes.txt").write_text("x"),
        r"own/box/notes.txt is no picture \(\.png",
    ),
    "no ending": (lambda own: (own / "box" / "x").write_text("x"), r"own/box/x is no picture"),
    "a text as png": (
        lambda own: (own / "box" / "2.png").write_text("x"),
        r"own/box/2.png cannot be read \(cannot",
    ),
    "empty": (lambda own: (own / "box" / "2.png").write_bytes(b""), r"own/box/2.png cannot be read"),
    "a flipped byte": (flip, r"own/box/2.png cannot be read"),
    "half a picture": (
        lambda own: (own / "box" / "2.png").write_bytes((own / "box" / "2.png").read_bytes()[:100]),
        r"own/box/2.png cannot be read",
    ),
    "large": (
        lambda own: huge_png(own / "ring" / "9.png", 9000, 9000),
        r"ring/9.png cannot be read \(9000 x 9000 pix",
    ),
    "larger": (lambda own: huge_png(own / "ring" / "9.png", 60000, 60000), r"ring/9.png cannot be read"),
    "a large file": (large_file, r"ring/0.png cannot be read \(200000000 bytes, of at most"),
    "a loose picture": (
        lambda own: (own / "box" / "2.png").rename(own / "2.png"),
        r"own/2.png stands in no class",
    ),
    "unequal depth": (
        lambda own: (own / "box" / "deeper").mkdir(),
        r"own/box holds folders and \S*own/ring does not; either all classes stand in groups or none",
    ),
    "too deep": (
        lambda own: (
            [(own / name / "class" / "deeper").mkdir(parents=True) for name in SHAPES]
            + [file.unlink() for file in own.glob("*/*.png")]
        ),
        r"own/box/class/deeper is too deep; path/group/class/picture is the deepest",
    ),
    "a broken link": (
        lambda own: (own / "box" / "9.png").symlink_to(own / "nowhere"),
        r"box/9.png cannot be read",
    ),
}


def sentence(caught):
    text = str(caught.value)
    assert "\n" not in text and text.endswith(".") and text.startswith("path: ")
    return text


@pytest.mark.parametrize("spoil, says", WRONG_FOLDERS.values(), ids=WRONG_FOLDERS)
def test_what_is_wrong_is_told_with_its_place(own, spoil, says):
    spoil(own)
    with pytest.raises(ValueError, match=says) as caught:
        bank_from_folder(own)
    assert sentence(caught)


def test_no_folder_and_nothing_in_it(own):
    with pytest.raises(FileNotFoundError, match="path: .*nowhere does not exist") as caught:
        bank_from_folder(own / "nowhere")
    assert sentence(caught)
    with pytest.raises(FileNotFoundError, match="0.png is no folder; a folder with a folder for each class"):
        bank_from_folder(own / "ring" / "0.png")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        bank_from_folder("~nobody-of-this-name/own")
    (own / "empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no folder; each class needs one"):
        bank_from_folder(own / "empty")


def test_other_arguments(own, as_users_meet):
    plain = as_users_meet("reference.tasks.folders")
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        bank_from_folder(own, size=0)
    with pytest.raises(ValueError, match="size must be a whole number, got 28.0"):
        plain.bank_from_folder(own, size=28.0)
    with pytest.raises(ValueError, match="ink must be 'dark' or 'light', got 'black'"):
        bank_from_folder(own, ink="black")
    with pytest.raises(ValueError, match="path must be the path of a folder, got 3"):
        plain.bank_from_folder(3)


# From the first picture to the score


def test_own_pictures_are_told_apart_by_a_few_examples(own):
    tasks = FewShot(bank_from_folder(own), n_way=3, k_shot=2, n_query=3)
    score = evaluate(nearest_centroid, tasks, n_episodes=40, rng=np.random.default_rng(0))
    assert score.interval[0] > 0.5  # chance is a third
    params = nn.init_conv4(np.random.default_rng(1), width=8)
    learner = partial(prototypical.adapt, params, embed=nn.conv4)
    assert evaluate(learner, tasks, n_episodes=10, rng=np.random.default_rng(2)).interval[0] > 1 / 3


def test_the_page_shows_what_works(own, monkeypatch, capsys):
    """The snippet of datasets/README.md runs as it stands, in the folder that holds `own`."""
    text = CARD.read_text(encoding="utf-8").split("## Your own images")[1]
    (snippet,) = re.findall(r"```python\n(.*?)```", text.split("\n## ")[0], flags=re.S)
    monkeypatch.chdir(own.parent)
    Path("snippet.py").write_text(snippet, encoding="utf-8")
    runpy.run_path("snippet.py")
    assert re.fullmatch(r"0\.\d+ \+- 0\.\d+ \(95% CI, 200 episodes\)\n", capsys.readouterr().out)
