"""Omniglot: 1,623 characters of 50 alphabets, each drawn by 20 people, as a Bank of 28x28 images.

The two official archives are read once into an array that is cached; afterwards a call takes a tenth of
a second. They come from a folder that holds them (`folder`, or the environment variable
METALEARN_OMNIGLOT), or else are downloaded from their public repository.
Papers: Lake et al. 2015, "Human-level concept learning through probabilistic program induction" (the
data, and the split by whole alphabets); Vinyals et al. 2016, arXiv:1606.04080 (the split by characters).

Differs from the papers: the 1,200 training characters of Vinyals et al. were never published, so ours
are a draw of our own (data/omniglot_test_characters.txt); images shrink from 105x105 to 28x28 by
area averaging, where the papers do not say how.
"""

import hashlib
import io
import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch
from jaxtyping import Bool, UInt8
from PIL import Image

from reference.progress import progress
from reference.tasks.bank import Bank, make_bank

SHIPPED = Path(__file__).resolve().parent / "data"  # it travels in the wheel
CACHE = Path(__file__).resolve().parents[2] / "datasets" / "cache"
ADDRESS = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
SIZE, DRAWINGS = 105, 20  # pixels a side as drawn; drawings of each character


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


def omniglot(split: str, *, protocol: str = "alphabets", folder: str | os.PathLike | None = None) -> Bank:
    """The characters of a split; class names are "alphabet/character", groups alphabets.

    protocol="alphabets", the official split, holds out whole alphabets: "background" (964 characters of
    30 alphabets) is "train" (798) and "validation" (166) together, "test" has the 659 of the other 20.
    protocol="characters", of Vinyals et al. 2016, mixes the alphabets: "train" has 1,200 characters,
    "test" the other 423. The paper also adds quarter turns as classes: `.with_rotations()`.

    FileNotFoundError when the archives are nowhere to be had, ValueError when one is damaged.
    """
    splits = {"alphabets": ("background", "train", "validation", "test"), "characters": ("train", "test")}
    if protocol not in splits:
        raise ValueError(f"protocol must be one of {tuple(splits)}, got {protocol!r}.")
    if split not in splits[protocol]:
        raise ValueError(f"split must be one of {splits[protocol]} for protocol {protocol!r}, got {split!r}.")
    everything = _cached(_archives(folder))
    if protocol == "characters":
        chosen = np.isin(everything.names, test_characters()) == (split == "test")
    else:
        background = np.arange(len(everything.names)) < BACKGROUND.n_characters
        validation = np.isin(everything.groups, VALIDATION)
        chosen = {
            "background": background,
            "train": background & ~validation,
            "validation": background & validation,
            "test": ~background,
        }[split]
    return everything.select(np.flatnonzero(chosen))


def test_characters() -> list[str]:
    """The 423 characters, of all 1,623, on which protocol="characters" tests."""
    return (SHIPPED / "omniglot_test_characters.txt").read_text().split()


def _archives(folder: str | os.PathLike | None) -> list[Path]:
    """The paths of both archives, in the folder that the caller or the environment names, or downloaded."""
    given = folder or os.environ.get("METALEARN_OMNIGLOT")
    if not given:
        return [_download(archive) for archive in (BACKGROUND, EVALUATION)]
    paths = [Path(given) / f"{archive.name}.zip" for archive in (BACKGROUND, EVALUATION)]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(
                f"Omniglot: {path} does not exist; put the official archive there, or name no folder "
                f"(unset METALEARN_OMNIGLOT) to have it downloaded."
            )
    return paths


def _download(archive: Archive) -> Path:
    """The path of the official archive in the cache. Nothing but the complete file ever gets its name."""
    path = CACHE / f"{archive.name}.zip"
    if path.exists() and pooch.file_hash(path) == archive.sha256:
        return path
    elsewhere = "name a folder that holds both archives by folder= or METALEARN_OMNIGLOT, or use glyphs()"
    if os.environ.get("METALEARN_OFFLINE") == "1":
        what = "is damaged" if path.exists() else "does not exist"
        raise FileNotFoundError(
            f"Omniglot: {path} {what} and METALEARN_OFFLINE=1 forbids a download; {elsewhere}."
        )
    try:
        downloader = pooch.HTTPDownloader(progressbar=True)
        pooch.retrieve(
            ADDRESS + path.name, f"sha256:{archive.sha256}", path.name, CACHE, downloader=downloader
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
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in archives)).hexdigest()
    path = CACHE / f"omniglot-{digest[:16]}.npz"
    if not path.exists():
        parts = [_read(*pair) for pair in zip(archives, (BACKGROUND, EVALUATION), strict=True)]
        names = [name for part in parts for name in part]
        images = np.concatenate([part[name] for part in parts for name in part])
        _save(path, images=images, names=np.array(names))
    try:
        with open(path, "rb") as file, np.load(file) as stored:
            images, names = stored["images"], stored["names"].tolist()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"Omniglot: the cached array {path} is damaged; delete it and call again."
        ) from error
    groups = [name.split("/")[0] for name in names]
    return make_bank(images, np.repeat(np.arange(len(names)), DRAWINGS), names=names, groups=groups)


def _read(path: Path, archive: Archive) -> dict[str, UInt8[np.ndarray, "20 28 28"]]:
    """The shrunk drawings of every character of an archive, by "alphabet/character", sorted."""
    try:
        with zipfile.ZipFile(path) as opened:
            entries = _entries(opened, archive)
            bar = progress(entries.items(), f"reading {path.name}")
            return {name: _shrink(np.stack([_ink(opened.read(e)) for e in drawn])) for name, drawn in bar}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"Omniglot: {path} is damaged or not the official archive ({error}); replace it with the file "
            f"{ADDRESS}{path.name}."
        ) from error


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
    with Image.open(io.BytesIO(png)) as image:
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


def _save(path: Path, **arrays: np.ndarray) -> None:
    """An .npz that is there whole or not at all, whoever else writes it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
