"""Omniglot: 1,623 characters of 50 alphabets, each drawn by 20 people, as a Bank of 28x28 images.

The two official archives are read once into an array that is cached; afterwards a call takes a tenth of
a second. They come from a folder that holds them (`folder`, or the environment variable
METALEARN_OMNIGLOT), or else are downloaded from their public repository.
Papers: Lake et al. 2015, "Human-level concept learning through probabilistic program induction" (the
data, and the split by whole alphabets); Vinyals et al. 2016, arXiv:1606.04080, and Snell et al. 2017,
arXiv:1703.05175 (1,200 characters to train on; which ones is in the authors' program of the second paper).

Differs from the papers: the split of protocol="characters", which is called mixed in the course, is a draw
of our own (data/omniglot_test_characters.txt) and easier than theirs, since its test characters share
alphabets with the training; images shrink from 105x105 to 28x28 by area averaging, where the papers do
not say how and the program resamples.
"""

import hashlib
import io
import os
import re
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch
from jaxtyping import Bool, UInt8
from PIL import Image

from reference import contracts
from reference.progress import progress
from reference.tasks.bank import Bank, make_bank

SHIPPED = Path(__file__).resolve().parent / "data"  # it travels in the wheel
DATASETS = Path(__file__).resolve().parents[2] / "datasets"
ADDRESS = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
SIZE, DRAWINGS = 105, 20  # pixels a side as drawn; drawings of each character
MOST_BYTES = {"archive": 200_000_000, "drawing": 100_000}  # ten times what the largest of them can need


class Archive(NamedTuple):
    """What an official archive is known by."""

    name: str
    n_alphabets: int
    n_characters: int
    sha256: str  # of the official file; one zipped anew has the same content under another hash


BACKGROUND = Archive(
    "images_background", 30, 964, "ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640"
)
EVALUATION = Archive(
    "images_evaluation", 20, 659, "1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee"
)

# Held out of the background alphabets for choosing settings: a fixed choice of ours, of five kinds of script.
VALIDATION = ("Anglo-Saxon_Futhorc", "Bengali", "Hebrew", "Japanese_(hiragana)", "Tagalog")
# The alphabets that Snell et al. validate on. They test on the last 423 characters in the order of the
# archives: the twelve last alphabets and the last four characters of Gurmukhi, whose others are trained on.
VALIDATION_OF_SNELL = ("Armenian", "Bengali", "Early_Aramaic", "Hebrew", "Mkhedruli_(Georgian)")
N_TRAINVAL = 1200

SPLITS = {
    "alphabets": ("background", "train", "validation", "test"),
    "vinyals": ("trainval", "train", "validation", "test"),
    "characters": ("train", "test"),
}


def omniglot(split: str, *, protocol: str = "alphabets", folder: str | os.PathLike | None = None) -> Bank:
    """The characters of a split; class names are "alphabet/character", groups alphabets.

    protocol="alphabets", the official split, holds out whole alphabets: "background" (964 characters of
    30 alphabets) is "train" (798) and "validation" (166) together, "test" has the 659 of the other 20.
    protocol="vinyals", that of Snell et al. 2017 after Vinyals et al. 2016: "trainval" (1,200 characters) is
    "train" (1,028) and "validation" (172) together, "test" has the other 423, all but four of them of
    alphabets that are not trained on. Both papers add quarter turns as classes: `.with_rotations()`.
    protocol="characters", the mixed split, is as large and easier: "train" has 1,200 characters and "test"
    the other 423, drawn at random from all alphabets.

    FileNotFoundError when the archives are nowhere to be had, ValueError when one is damaged.
    """
    if protocol not in tuple(SPLITS):
        raise ValueError(f"protocol must be one of {tuple(SPLITS)}, got {contracts.shown(protocol)}.")
    if split not in SPLITS[protocol]:
        raise ValueError(
            f"split must be one of {SPLITS[protocol]} for protocol {protocol!r}, got "
            f"{contracts.shown(split)}."
        )
    everything = _cached(_archives(folder))
    if protocol == "characters":
        test = np.isin(everything.names, test_characters())
    else:
        n_first = BACKGROUND.n_characters if protocol == "alphabets" else N_TRAINVAL
        test = np.arange(len(everything.names)) >= n_first
    validation = np.isin(everything.groups, VALIDATION if protocol == "alphabets" else VALIDATION_OF_SNELL)
    validation &= ~test & (protocol != "characters")
    chosen = {"test": test, "validation": validation, "train": ~test & ~validation}.get(split, ~test)
    return everything.select(np.flatnonzero(chosen))


def test_characters() -> list[str]:
    """The 423 characters, of all 1,623, on which protocol="characters" tests."""
    return (SHIPPED / "omniglot_test_characters.txt").read_text().split()


def cache() -> Path:
    """Where downloads and the array are kept: METALEARN_CACHE, or datasets/cache/ of a clone, or else the
    user's own folder for caches."""
    if named := os.environ.get("METALEARN_CACHE"):
        return contracts.path_of("METALEARN_CACHE", named)
    in_clone = (DATASETS.parent / "pyproject.toml").is_file()
    return DATASETS / "cache" if in_clone else Path(pooch.os_cache("meta-learning-course"))


def _archives(folder: str | os.PathLike | None) -> list[Path]:
    """The paths of both archives, in the folder that the caller or the environment names, or downloaded."""
    given = folder or os.environ.get("METALEARN_OMNIGLOT")
    if not given:
        return [_download(archive) for archive in (BACKGROUND, EVALUATION)]
    given = contracts.path_of("folder", given)
    paths = [given / f"{archive.name}.zip" for archive in (BACKGROUND, EVALUATION)]
    for path in paths:
        if not os.path.isfile(path):  # Path.is_file raises where a name is too long
            raise FileNotFoundError(
                f"Omniglot: {path} does not exist; put the official archive there, or name no folder (unset "
                "METALEARN_OMNIGLOT) to have it downloaded."
            )
    return paths


def _download(archive: Archive) -> Path:
    """The path of the official archive in the cache. Nothing but the complete file ever gets its name."""
    path = cache() / f"{archive.name}.zip"
    if path.is_file() and pooch.file_hash(path) == archive.sha256:
        return path
    elsewhere = "name a folder that holds both archives by folder= or METALEARN_OMNIGLOT, or use glyphs()"
    if os.environ.get("METALEARN_OFFLINE") == "1":
        what = "is damaged" if path.exists() else "does not exist"
        raise FileNotFoundError(
            f"Omniglot: {path} {what} and METALEARN_OFFLINE=1 forbids a download; {elsewhere}."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise FileNotFoundError(
            f"Omniglot: {path.parent} cannot be written ({contracts.first_line(error)}), so nothing is "
            f"downloaded; name another folder by METALEARN_CACHE, or {elsewhere}."
        ) from error
    try:
        downloader = pooch.HTTPDownloader(progressbar=True)
        pooch.retrieve(
            ADDRESS + path.name, f"sha256:{archive.sha256}", path.name, path.parent, downloader=downloader
        )
    except ValueError as error:
        raise ValueError(
            f"Omniglot: what came from {ADDRESS}{path.name} has another sha256 than the official archive and "
            f"was not kept; try again later, or {elsewhere}."
        ) from error
    except OSError as error:
        raise FileNotFoundError(f"Omniglot: {ADDRESS}{path.name} cannot be reached; {elsewhere}.") from error
    return path


def _cached(archives: list[Path]) -> Bank:
    """All characters, background first. The cached array is named after the bytes of the archives."""
    pairs = list(zip(archives, (BACKGROUND, EVALUATION), strict=True))
    path = cache() / f"omniglot-{_digest(archives)[:16]}.npz"
    if not path.exists():
        parts = [_read(*pair) for pair in pairs]
        names = np.array([name for part in parts for name in part])
        images = np.concatenate([part[name] for part in parts for name in part])
        _keep(path, images=images, names=names)
        return _bank(images, names)
    try:
        with open(path, "rb") as file, np.load(file) as stored:
            return _bank(stored["images"], stored["names"])
    except Exception as error:  # NumPy's reader raises almost anything on a damaged file
        raise ValueError(
            f"Omniglot: the cached array {path} is damaged ({contracts.first_line(error)}); delete it and "
            "call again."
        ) from error


def _bank(images: UInt8[np.ndarray, "n 28 28"], names: np.ndarray) -> Bank:
    groups = [name.split("/")[0] for name in names.tolist()]
    return make_bank(images, np.repeat(np.arange(len(names)), DRAWINGS), names=names, groups=groups)


def _digest(archives: list[Path]) -> str:
    """The sha256 of the archives, one after the other, read in pieces."""
    digest = hashlib.sha256()
    for path in archives:
        try:
            if (n_bytes := path.stat().st_size) > MOST_BYTES["archive"]:
                raise ValueError(f"{n_bytes} bytes, of at most {MOST_BYTES['archive']}")
            with open(path, "rb") as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
        except (OSError, ValueError) as error:
            raise _damaged(path, error) from error
    return digest.hexdigest()


def _damaged(path: Path, error: Exception) -> ValueError:
    return ValueError(
        f"Omniglot: {path} is damaged or not the official archive ({contracts.first_line(error)}); replace "
        f"it with the file {ADDRESS}{path.name}."
    )


def _read(path: Path, archive: Archive) -> dict[str, UInt8[np.ndarray, "20 28 28"]]:
    """The shrunk drawings of every character of an archive, by "alphabet/character", sorted."""
    try:
        with zipfile.ZipFile(path) as opened, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow about large images: theirs are refused below
            entries = _entries(opened, archive)
            bar = progress(entries.items(), f"reading {path.name}")
            return {
                name: _shrink(np.stack([_ink(_content(opened, e)) for e in drawn])) for name, drawn in bar
            }
    except Exception as error:  # zipfile, zlib and Pillow raise almost anything on a damaged file
        raise _damaged(path, error) from error


def _content(opened: zipfile.ZipFile, entry: str) -> bytes:
    """A drawing's file. Neither the size an entry claims nor what it unpacks to is read beyond the limit."""
    about, most = opened.getinfo(entry), MOST_BYTES["drawing"]
    if about.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others may ask for gigabytes
        raise ValueError(f"{entry} is packed by method {about.compress_type}, not stored or deflated")
    if about.file_size > most:
        raise ValueError(f"{entry} has {about.file_size} bytes, of at most {most}")
    with opened.open(about) as file:
        content = file.read(most + 1)  # to its end, where zipfile compares the check sum
    if len(content) != about.file_size:  # pragma: no cover - zipfile's own check comes first in most releases
        raise ValueError(f"{entry} has {len(content)} bytes, not the {about.file_size} it claims")
    return content


def _entries(opened: zipfile.ZipFile, archive: Archive) -> dict[str, list[str]]:
    """The names of every character's images, sorted. ValueError when their numbers are wrong."""
    drawings: dict[str, list[str]] = {}
    for entry in sorted(opened.namelist()):
        if match := re.fullmatch(rf"{archive.name}/([^/]+/character\d+)/\d+_\d+\.png", entry):
            drawings.setdefault(match[1], []).append(entry)
    n_alphabets = len({name.split("/")[0] for name in drawings})
    if (len(drawings), n_alphabets) != (archive.n_characters, archive.n_alphabets):
        raise ValueError(
            f"{len(drawings)} characters of {n_alphabets} alphabets, not {archive.n_characters} of "
            f"{archive.n_alphabets}"
        )
    for name, drawn in drawings.items():
        if len(drawn) != DRAWINGS:
            raise ValueError(f"{len(drawn)} drawings of {name}, not {DRAWINGS}")
    return drawings


def _ink(png: bytes) -> Bool[np.ndarray, "105 105"]:
    """Where a drawing has ink: the files are black (0) on white (1)."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        image.verify()  # the check sums inside, which reading the pixels passes over
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        if (image.mode, image.size) != ("1", (SIZE, SIZE)):
            raise ValueError(f"an image of mode {image.mode} and size {image.size}, not 1 and {(SIZE, SIZE)}")
        return ~np.asarray(image)


def _shrink(ink: Bool[np.ndarray, "n 105 105"]) -> UInt8[np.ndarray, "n 28 28"]:
    """The share of every 28x28 cell that is ink, as 0..255. Exact: counted in quarters of a pixel,
    a source pixel is 4 wide and a cell 15, and all sums are whole numbers below 2**24."""
    cell, pixel = 15 * np.arange(28)[:, None], 4 * np.arange(SIZE)
    overlap = np.maximum(0, np.minimum(cell + 15, pixel + 4) - np.maximum(cell, pixel)).astype(np.float32)
    share = overlap @ ink.astype(np.float32) @ overlap.T  # of 15 * 15
    return ((255 * share.astype(np.int64) + 112) // 225).astype(np.uint8)


def _keep(path: Path, **arrays: np.ndarray) -> None:
    """An .npz that is there whole or not at all, whoever else writes it at the same time. Where it cannot be
    written, a line says so, and the next call reads the archives again."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(part, "wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        print(
            f"Omniglot: {path.parent} cannot be written ({contracts.first_line(error)}), so every call reads "
            "the "
            "archives again; METALEARN_CACHE names another folder.",
            file=sys.stderr,
        )
