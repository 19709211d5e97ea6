"""Omniglot from its archives: read exactly, cached whole, and every way to lack it told in one sentence.

Most tests read small archives made here. Those on the real data run where METALEARN_OMNIGLOT names a folder
that holds it.
"""

import hashlib
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reference.tasks import omniglot as module
from reference.tasks.bank import FewShot
from reference.tasks.omniglot import omniglot

REAL = os.environ.get("METALEARN_OMNIGLOT")
needs_real = pytest.mark.skipif(not REAL, reason="METALEARN_OMNIGLOT names no folder with the real Omniglot")
ALPHABETS = {"images_background": {"Hebrew": 2, "Latin": 3}, "images_evaluation": {"Angelic": 2}}


def drawing(seed):
    """Where a made-up drawing has ink: a thick random line."""
    y, x = np.mgrid[:105, :105]
    a, b, c = np.random.default_rng(seed).normal(size=3)
    return np.abs(a * (y - 52) + b * (x - 52) + 20 * c) < 4


def png(ink):
    file = io.BytesIO()
    Image.fromarray(~ink).save(file, format="png")
    return file.getvalue()


def entries(name):
    """The files of a small archive: {path: bytes}, in the official layout."""
    files, number = {f"{name}/": b""}, 0
    for alphabet, n_characters in ALPHABETS[name].items():
        for character in range(1, n_characters + 1):
            number += 1
            for drawer in range(1, 21):
                path = f"{name}/{alphabet}/character{character:02d}/{number:04d}_{drawer:02d}.png"
                files[path] = png(drawing([len(name), number, drawer]))
    return files


def write(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


@pytest.fixture(scope="session")
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives")
    for name in ALPHABETS:
        write(folder / f"{name}.zip", entries(name))
    return folder


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def folder(archives, tmp_path, monkeypatch):
    """A folder with both small archives; the module expects them, and caches in an empty place."""
    shutil.copytree(archives, tmp_path / "folder")
    monkeypatch.delenv("METALEARN_OMNIGLOT", raising=False)
    monkeypatch.delenv("METALEARN_OFFLINE", raising=False)
    monkeypatch.setenv("METALEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "test_characters", lambda: ["Hebrew/character02", "Angelic/character01"])
    for name, attribute in (("images_background", "BACKGROUND"), ("images_evaluation", "EVALUATION")):
        numbers = len(ALPHABETS[name]), sum(ALPHABETS[name].values())
        expected = module.Archive(name, *numbers, sha256(archives / f"{name}.zip"))
        monkeypatch.setattr(module, attribute, expected)
    return tmp_path / "folder"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)


def cached():
    return sorted(path.name for path in module.cache().glob("*")) if module.cache().exists() else []


def sentence(caught):
    """The message, which must be one sentence."""
    text = str(caught.value)
    assert "\n" not in text and text.endswith(".") and text.startswith("Omniglot: ")
    return text


# Reading


def test_all_characters_are_read_in_order(folder, no_network):
    background, test = omniglot("background", folder=folder), omniglot("test", folder=folder)
    assert background.names.tolist() == [
        "Hebrew/character01",
        "Hebrew/character02",
        "Latin/character01",
        "Latin/character02",
        "Latin/character03",
    ]
    assert background.groups.tolist() == ["Hebrew"] * 2 + ["Latin"] * 3
    assert test.groups.tolist() == ["Angelic"] * 2 and test.sizes.tolist() == [20, 20]
    FewShot(test, n_way=2, k_shot=5, n_query=15)


def test_images_shrink_by_area_ink_white_on_black(folder):
    image = omniglot("background", folder=folder).images[20 * 3 + 4]  # the 4th character's 5th drawing
    ink = drawing([len("images_background"), 4, 5])
    fine = np.repeat(np.repeat(ink, 4, axis=0), 4, axis=1)  # quarters of a pixel: 420 = 28 * 15
    share = fine.reshape(28, 15, 28, 15).mean(axis=(1, 3))
    assert (image == np.floor(255 * share + 0.5)).all()
    assert np.isclose(image.sum() / 255 * 3.75**2, ink.sum(), rtol=0.01)  # no ink is lost


def test_splits_share_nothing_and_lose_nothing(folder, monkeypatch):
    parts = {split: omniglot(split, folder=folder) for split in ("train", "validation", "background", "test")}
    assert set(parts["validation"].groups) == {"Hebrew"} and set(parts["train"].groups) == {"Latin"}
    both = [*parts["validation"].names, *parts["train"].names]
    assert both == parts["background"].names.tolist()
    assert not set(parts["background"].groups) & set(parts["test"].groups)
    monkeypatch.setattr(module, "N_TRAINVAL", 6)
    splits = ("train", "validation", "trainval", "test")
    snell = {split: omniglot(split, protocol="vinyals", folder=folder).names.tolist() for split in splits}
    assert snell["validation"] + snell["train"] == snell["trainval"] == [*both, "Angelic/character01"]
    assert snell["test"] == ["Angelic/character02"]
    mixed = {split: omniglot(split, protocol="characters", folder=folder) for split in ("train", "test")}
    assert mixed["test"].names.tolist() == ["Hebrew/character02", "Angelic/character01"]
    assert set(mixed["train"].names) | set(mixed["test"].names) == {*both, *parts["test"].names}
    assert not set(mixed["train"].names) & set(mixed["test"].names)


def test_the_second_call_reads_the_cache(folder, monkeypatch):
    first = omniglot("test", folder=folder)
    assert len(cached()) == 1
    monkeypatch.setattr(module, "_read", None)
    assert (omniglot("test", folder=folder).images == first.images).all()


def test_the_environment_names_a_folder_and_the_argument_goes_before_it(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("METALEARN_OMNIGLOT", str(folder))
    assert len(omniglot("test").names) == 2
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        omniglot("test", folder=tmp_path / "elsewhere")


def test_an_archive_zipped_anew_is_taken_and_another_content_is_not_confused_with_it(folder):
    before = omniglot("test", folder=folder).images
    files = entries("images_evaluation")
    write(folder / "images_evaluation.zip", dict(reversed(files.items())))
    assert (omniglot("test", folder=folder).images == before).all()
    first = "images_evaluation/Angelic/character01/0001_01.png"
    write(folder / "images_evaluation.zip", files | {first: png(drawing(0))})
    assert (omniglot("test", folder=folder).images[0] != before[0]).any()


@pytest.mark.parametrize(
    "split, protocol, message",
    [
        (
            "test",
            "alphabet",
            "protocol must be one of .*'alphabets', 'vinyals', 'characters'.*, got 'alphabet'",
        ),
        ("valid", "alphabets", "split must be one of .*'validation'.*, got 'valid'"),
        ("validation", "characters", "split must be one of .*for protocol 'characters', got 'validation'"),
        ("background", "vinyals", "split must be one of .*for protocol 'vinyals', got 'background'"),
    ],
)
def test_unknown_names_are_refused(split, protocol, message):
    with pytest.raises(ValueError, match=message):
        omniglot(split, protocol=protocol)


# Absent, partial, damaged


def test_an_absent_archive_is_named(folder):
    (folder / "images_evaluation.zip").unlink()
    with pytest.raises(FileNotFoundError) as caught:
        omniglot("background", folder=folder)
    assert str(folder / "images_evaluation.zip") in sentence(caught) and "downloaded" in sentence(caught)
    assert cached() == []


def without(files, fragment):
    return {name: content for name, content in files.items() if fragment not in name}


DAMAGES = {
    "no zip at all": (lambda files: None, "not a zip file"),
    "a character lacks": (lambda files: without(files, "Latin/character02"), "4 characters of 2 alphabets"),
    "an alphabet lacks": (lambda files: without(files, "Hebrew"), "3 characters of 1 alphabets, not 5 of 2"),
    "a drawing lacks": (lambda files: without(files, "0003_07"), "19 drawings of Latin/character01, not 20"),
    "not an image": (
        lambda files: {k: v if "0004_01" not in k else b"text" for k, v in files.items()},
        "cannot identify image",
    ),
    "half an image": (
        lambda files: {k: v if "0004_01" not in k else v[: len(v) // 2] for k, v in files.items()},
        "is damaged",
    ),
    "another size": (
        lambda files: {k: v if "0004_01" not in k else png(np.eye(28, dtype=bool)) for k, v in files.items()},
        "size (28, 28), not 1 and (105, 105)",
    ),
}


@pytest.mark.parametrize("damage, says", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_told_in_one_sentence_and_nothing_is_kept(folder, damage, says):
    path = folder / "images_background.zip"
    files = damage(entries("images_background"))
    path.write_bytes(b"nothing of the kind") if files is None else write(path, files)
    with pytest.raises(ValueError) as caught:
        omniglot("test", folder=folder)
    assert str(path) in sentence(caught) and says in sentence(caught) and "replace it" in sentence(caught)
    assert cached() == []


@pytest.mark.parametrize("share", [0.3, 0.98])
def test_a_partial_archive_is_told(folder, share):
    path = folder / "images_evaluation.zip"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError) as caught:
        omniglot("test", folder=folder)
    assert str(path) in sentence(caught) and cached() == []


def test_a_flipped_byte_is_found(folder):
    path = folder / "images_evaluation.zip"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"images_evaluation\.zip is damaged"):
        omniglot("test", folder=folder)
    assert cached() == []


def fields(content):
    """Where the entries of an archive's directory begin, and the places and widths of what each says."""
    entries = [match.start() for match in re.finditer(b"PK\x01\x02", content)]
    return entries, [(6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4)]


def damaged(rng, content):
    """An archive with a bit flipped, bytes lost, added or overwritten, or its directory altered."""
    damaged, kind = bytearray(content), rng.integers(5)
    place = int(rng.integers(len(content)))
    if kind == 0:
        damaged[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del damaged[place:]
    elif kind == 2:
        damaged[place:place] = rng.bytes(int(rng.integers(1, 1000)))
    elif kind == 3:
        damaged[place : place + 50] = bytes(50)
    else:
        starts, places = fields(content)
        offset, width = places[rng.integers(len(places))]
        place = starts[rng.integers(len(starts))] + offset
        damaged[place : place + width] = bytes(rng.choice([0, 1, 255], width).tolist())
    return bytes(damaged)


def test_whatever_is_damaged_the_sentence_comes_or_the_images_are_right(folder):
    """zipfile, zlib and Pillow raise a dozen kinds of error; a user reads one sentence."""
    path, rng, causes = folder / "images_evaluation.zip", np.random.default_rng(3), set()
    content, right = path.read_bytes(), omniglot("test", folder=folder)
    for _ in range(60):
        shutil.rmtree(module.cache(), ignore_errors=True)
        path.write_bytes(damaged(rng, content))
        try:
            assert (omniglot("test", folder=folder).images == right.images).all()
        except ValueError as error:
            assert str(error).startswith(f"Omniglot: {path} is damaged or not the official archive (")
            assert str(error).endswith(f"{path.name}.") and "\n" not in str(error)
            causes.add(type(error.__cause__).__name__)
    assert len(causes) >= 3, causes


def with_entry(folder, content, **about):
    """The archive of the folder with one drawing replaced, packed as `about` says."""
    path, name = folder / "images_evaluation.zip", "images_evaluation/Angelic/character01/0001_01.png"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, drawn in entries("images_evaluation").items():
            archive.writestr(other, content if other == name else drawn, **(about if other == name else {}))
    return path


def huge(width, height):
    """A PNG that claims a size."""
    header = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + bytes([1, 0, 0, 0, 0])
    whole = png(drawing(0))
    return whole[:12] + header + zlib.crc32(header).to_bytes(4) + whole[33:]


@pytest.mark.parametrize("n_bytes", [100_001, 50_000_000])
def test_a_large_entry_is_never_read(folder, monkeypatch, n_bytes):
    path = with_entry(folder, bytes(n_bytes))
    assert path.stat().st_size < 1_000_000  # it packs well
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    with pytest.raises(ValueError, match=rf"0001_01.png has {n_bytes} bytes, of at most 100000") as caught:
        omniglot("test", folder=folder)
    assert sentence(caught)


def test_a_large_archive_is_never_read(folder):
    with open(folder / "images_evaluation.zip", "r+b") as file:
        file.truncate(10_000_000_000)  # takes no room: it is full of holes
    with pytest.raises(ValueError, match="10000000000 bytes, of at most 200000000") as caught:
        omniglot("test", folder=folder)
    assert sentence(caught)


@pytest.mark.parametrize("side", [9_500, 60_000])
def test_a_large_image_is_never_unpacked(folder, side):
    with_entry(folder, huge(side, side))
    with pytest.raises(ValueError, match=r"images_evaluation.zip is damaged") as caught:
        omniglot("test", folder=folder)
    assert sentence(caught)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_may_ask_for_gigabytes_are_refused(folder, method):
    with_entry(folder, png(drawing(0)), compress_type=method)
    with pytest.raises(ValueError, match=f"packed by method {method}, not stored or deflated") as caught:
        omniglot("test", folder=folder)
    assert sentence(caught)


def test_an_encrypted_archive_is_told(folder):
    path = folder / "images_evaluation.zip"
    content = bytearray(path.read_bytes())
    for start in fields(content)[0]:
        content[start + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="encrypted") as caught:
        omniglot("test", folder=folder)
    assert sentence(caught) and type(caught.value.__cause__) is RuntimeError


def test_a_flip_inside_a_drawing_is_found_although_it_was_packed_after(folder):
    drawn = bytearray(png(drawing(0)))
    drawn[drawn.index(b"IDAT") + 12] ^= 16
    with_entry(folder, bytes(drawn))
    with pytest.raises(ValueError, match="is damaged"):
        omniglot("test", folder=folder)


def test_a_folder_may_begin_at_home(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert len(omniglot("test", folder="~/folder").names) == 2
    monkeypatch.setenv("METALEARN_OMNIGLOT", "~/folder")
    assert len(omniglot("test").names) == 2
    monkeypatch.chdir(folder.parent)
    assert len(omniglot("test", folder="folder").names) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:1000],
        lambda b: b[:-9],
        lambda b: b[:5000] + b"!" + b[5001:],
        lambda b: b.replace(b"'shape': (140,", b"'shape': (139,"),
        lambda b: b.replace(b"{'descr'", b"{('descr'"),
        lambda b: b"\x93NUMPY" + b,
        lambda b: b"",
    ],
)
def test_a_damaged_cache_is_named_and_not_used(folder, damage):
    omniglot("test", folder=folder)
    (path,) = module.cache().glob("*.npz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError) as caught:
        omniglot("test", folder=folder)
    assert str(path) in sentence(caught) and "delete it" in sentence(caught)


def test_where_nothing_can_be_kept_the_archives_serve_and_a_line_says_so(folder, monkeypatch, capsys):
    expected = omniglot("test", folder=folder)
    for path in module.cache().glob("*"):
        path.unlink()
    capsys.readouterr()

    def full(file, **arrays):
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert (omniglot("test", folder=folder).images == expected.images).all()
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "no space left on device" in said and "METALEARN_CACHE" in said
    assert cached() == []


def test_a_cache_that_is_no_folder_is_told_before_a_download(server, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("METALEARN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(FileNotFoundError, match="cannot be written .*METALEARN_CACHE") as caught:
        omniglot("test")
    assert sentence(caught) and server.asked == []


def test_the_cache_stands_in_a_clone_or_else_with_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("METALEARN_CACHE", "~/mine")
    assert module.cache() == tmp_path / "mine"
    monkeypatch.delenv("METALEARN_CACHE")
    assert module.cache() == module.DATASETS / "cache"
    monkeypatch.setattr(module, "DATASETS", tmp_path / "site-packages" / "datasets")
    assert "site-packages" not in module.cache().parts and "meta-learning-course" in module.cache().parts


def test_three_processes_at_once_agree(folder):
    """Each reads the archives into the same empty caches; none may see what another has half written."""
    code = f"""
import os
import sys
from reference.tasks import omniglot as module
module.BACKGROUND = module.Archive(*{tuple(module.BACKGROUND)!r})
module.EVALUATION = module.Archive(*{tuple(module.EVALUATION)!r})
sys.stdin.read()  # wait for the others
for cache in "abcde":
    os.environ["METALEARN_CACHE"] = os.path.join({str(module.cache())!r}, cache)
    print(module.omniglot("test", folder={str(folder)!r}).images.sum())
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(3)]
    for worker in workers:
        worker.stdin.close()
        worker.stdin = None
    results = [(worker.communicate(timeout=120), worker.returncode) for worker in workers]
    assert all(code == 0 for _, code in results), results
    expected = str(omniglot("test", folder=folder).images.sum())
    assert all(out.split() == [expected] * 5 for (out, _), _ in results)
    left = [path.name for path in module.cache().glob("*/*")]
    assert len(left) == 5 and all(name.endswith(".npz") for name in left)


# Downloading: never over a real network


class Server:
    """Stands in for pooch's downloader: sends what it was given, and remembers what was asked for."""

    def __init__(self, send):
        self.send, self.asked = send, []

    def download(self, url, output_file, _pooch, **__):
        self.asked.append(url)
        self.send(url, Path(output_file))


@pytest.fixture
def server(folder, monkeypatch, no_network):
    """Sends the archives of the folder; a test may change `send`."""
    server = Server(lambda url, path: path.write_bytes((folder / url.rsplit("/")[-1]).read_bytes()))
    monkeypatch.setattr(module.pooch, "HTTPDownloader", lambda **_: server.download)
    return server


def test_archives_are_downloaded_once_from_their_repository(server):
    assert len(omniglot("background").names) == 5 and len(omniglot("test").names) == 2
    address = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
    assert server.asked == [f"{address}images_background.zip", f"{address}images_evaluation.zip"]
    assert cached()[:2] == ["images_background.zip", "images_evaluation.zip"] and len(cached()) == 3


def test_another_sha256_is_refused_and_not_kept(server):
    server.send = lambda url, path: path.write_bytes(b"<html>moved</html>")
    with pytest.raises(ValueError) as caught:
        omniglot("test")
    assert "another sha256" in sentence(caught) and "images_background.zip" in sentence(caught)
    assert cached() == []


def test_no_network_is_told(server):
    def unreachable(url, path):
        path.write_bytes(b"half")
        raise ConnectionError("name resolution")

    server.send = unreachable
    with pytest.raises(FileNotFoundError) as caught:
        omniglot("test")
    assert "cannot be reached" in sentence(caught) and "METALEARN_OMNIGLOT" in sentence(caught)
    assert "glyphs()" in sentence(caught) and cached() == []


def test_a_damaged_download_is_fetched_again(server):
    omniglot("test")
    (module.cache() / "images_background.zip").write_bytes(b"damaged since")
    assert len(omniglot("background").names) == 5 and len(server.asked) == 3


def test_offline_opens_no_socket(folder, server, monkeypatch):
    monkeypatch.setenv("METALEARN_OFFLINE", "1")
    with pytest.raises(FileNotFoundError) as caught:
        omniglot("test")
    assert "METALEARN_OFFLINE=1 forbids a download" in sentence(caught) and server.asked == []
    assert len(omniglot("test", folder=folder).names) == 2  # a folder serves offline too


def test_offline_uses_what_was_downloaded_and_names_what_was_damaged(server, monkeypatch):
    omniglot("test")
    monkeypatch.setenv("METALEARN_OFFLINE", "1")
    assert len(omniglot("test").names) == 2
    (module.cache() / "images_evaluation.zip").write_bytes(b"damaged since")
    with pytest.raises(FileNotFoundError, match=r"images_evaluation\.zip is damaged and METALEARN_OFFLINE"):
        omniglot("test")


# The list of test characters, and the real data


def test_the_list_of_test_characters():
    names = module.test_characters()
    assert len(names) == len(set(names)) == 423 and names == sorted(names)


@needs_real
def test_the_list_is_the_draw_it_claims_to_be():
    names = sorted([*omniglot("background").names.tolist(), *omniglot("test").names.tolist()])
    drawn = np.random.default_rng(2016).permutation(names)[1200:]
    assert sorted(drawn.tolist()) == module.test_characters()


@needs_real
def test_the_real_omniglot_has_its_official_numbers():
    background, test = omniglot("background"), omniglot("test")
    assert (len(background.names), len(set(background.groups))) == (964, 30)
    assert (len(test.names), len(set(test.groups))) == (659, 20)
    assert set(background.sizes) == set(test.sizes) == {20}
    assert (len(omniglot("train").names), len(omniglot("validation").names)) == (798, 166)
    assert set(omniglot("validation").groups) == set(module.VALIDATION)
    assert len(omniglot("train", protocol="characters").names) == 1200
    assert len(omniglot("test", protocol="characters").names) == 423


@needs_real
def test_the_split_of_snell_is_that_of_the_authors_program():
    """Their lists, data/omniglot/splits/vinyals, alphabet by alphabet."""
    splits = ("trainval", "train", "validation", "test")
    banks = {split: omniglot(split, protocol="vinyals") for split in splits}
    assert {split: len(bank.names) for split, bank in banks.items()} == {
        "trainval": 1200,
        "train": 1028,
        "validation": 172,
        "test": 423,
    }
    whole = "Kannada Keble Malayalam Manipuri Mongolian Old_Church_Slavonic_(Cyrillic) Oriya Syriac_(Serto)"
    whole = {*whole.split(), "Sylheti", "Tengwar", "Tibetan", "ULOG"}
    of_gurmukhi = {f"Gurmukhi/character{number}" for number in (42, 43, 44, 45)}
    everything = [*omniglot("background").names, *omniglot("test").names]
    expected = {name for name in everything if name.split("/")[0] in whole} | of_gurmukhi
    assert set(banks["test"].names) == expected
    assert set(banks["test"].groups) & set(banks["trainval"].groups) == {"Gurmukhi"}
    assert set(banks["validation"].groups) == set(module.VALIDATION_OF_SNELL)
    assert not set(banks["validation"].groups) & set(banks["train"].groups)
    assert set(banks["train"].names) | set(banks["validation"].names) == set(banks["trainval"].names)


@needs_real
def test_the_real_images_are_these_to_the_byte():
    digest = hashlib.sha256(omniglot("background").images.tobytes() + omniglot("test").images.tobytes())
    assert digest.hexdigest() == "40f917921936bc2ec29556ee64a0e5810cfd5d9268c88e1ea04a827b0daa2120"
