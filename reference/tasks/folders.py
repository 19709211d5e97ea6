"""A Bank from images of your own: a folder for each class, one picture a file, of any size, grey or colour.

Each picture is made grey, turned into ink on paper, shrunk with its proportions kept, and set in the middle
of a square of paper.
"""

import os
import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps

from reference import contracts
from reference.progress import progress
from reference.tasks.bank import Bank, make_bank

KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pbm", ".pgm", ".ppm")
LEFT_BY_SYSTEMS = (
    "thumbs.db",
    "desktop.ini",
    "__macosx",
)  # hidden, though their names do not begin with a dot
MOST_BYTES, MOST_PIXELS = 100_000_000, 60_000_000  # of a file and of a picture: beyond what a telephone takes


def bank_from_folder(path: str | os.PathLike, *, size: int = 28, ink: str = "dark") -> Bank:
    """The pictures of a folder as a bank of (size, size) images, classes sorted by name.

    The folder holds a folder for each class (path/class/picture.png), or folders of those, one a group
    (path/group/class/picture.png; such a class is named "group/class"). Without groups, all classes belong to
    one with the name of the folder. Hidden files are passed over, and so is what lies beside the folders and
    is no picture. ink="dark" is for dark strokes on light paper, ink="light" for the reverse; the brightness
    is taken as it is, so grey paper stays a little grey. Transparent parts count as paper. Of several frames
    the first is read; a photograph is turned as its camera says.

    Pictures keep their proportions: the longer side fills `size`, each pixel is the mean over the area it
    covers, and the margins are paper. ValueError, or FileNotFoundError when there is no such folder, in one
    sentence that names the file or folder: a class with fewer than two pictures (one to learn from, one to be
    asked about), a file that is no picture, unreadable or larger than 60 million pixels, folders of unequal
    depth.
    """
    size = contracts.whole("size", size)
    if ink not in ("dark", "light"):
        raise ValueError(f"ink must be 'dark' or 'light', got {contracts.shown(ink)}.")
    root = contracts.path_of("path", path)
    files = _files_by_class(root)
    flat = [file for of_class in files.values() for file in of_class]
    images = np.stack([_drawing(file, size, ink) for file in progress(flat, f"reading {root.name}")])
    labels = np.repeat(np.arange(len(files)), [len(of_class) for of_class in files.values()])
    groups = [group for group, _ in files]
    return make_bank(images, labels, names=[name for _, name in files], groups=groups)


def _files_by_class(root: Path) -> dict[tuple[str, str], list[Path]]:
    """(group, class) -> its pictures, both sorted. Every sentence about folders is here."""
    if not os.path.isdir(root):  # Path.is_dir raises where a name is too long
        what = "is no folder" if os.path.exists(root) else "does not exist"
        raise FileNotFoundError(f"path: {root} {what}; a folder with a folder for each class is needed.")
    folders, _ = _inside(root, "a class")
    grouped = {folder for folder in folders if _inside(folder, None)[0]}
    if grouped and (other := [folder for folder in folders if folder not in grouped]):
        raise ValueError(
            f"path: {min(grouped)} holds folders and {other[0]} does not; either all classes stand in groups "
            "or none."
        )
    if grouped:
        classes = [(group.name, folder) for group in folders for folder in _inside(group, "a class")[0]]
    else:
        classes = [(root.resolve().name, folder) for folder in folders]
    if not classes:
        raise ValueError(f"path: {root} holds no folder; each class needs one, with its pictures.")
    named = {}
    for group, folder in classes:
        deeper, pictures = _inside(folder, None)
        if deeper:
            raise ValueError(
                f"path: {deeper[0]} is too deep; path/group/class/picture is the deepest there is."
            )
        for file in pictures:
            if file.suffix.lower() not in KINDS:
                raise ValueError(f"path: {file} is no picture ({' '.join(KINDS)}); take it out of its class.")
        if len(pictures) < 2:
            raise ValueError(
                f"path: {folder} holds {len(pictures)} picture{'s' * (not pictures)}; a class needs at least "
                "2, one to learn from and one to be asked about."
            )
        named[group, f"{group}/{folder.name}" if grouped else folder.name] = pictures
    return named


def _inside(folder: Path, wanted: str | None) -> tuple[list[Path], list[Path]]:
    """The folders and the files in a folder, sorted, without hidden ones. Where folders alone are `wanted`,
    ValueError for a picture that stands beside them."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not _hidden(entry))
    except OSError as error:  # pragma: no cover - whoever runs the tests as root may read every folder
        raise ValueError(f"path: {folder} cannot be read ({contracts.first_line(error)}).") from error
    folders = [entry for entry in entries if entry.is_dir()]
    files = [entry for entry in entries if not entry.is_dir()]
    if wanted and (loose := [file for file in files if file.suffix.lower() in KINDS]):
        raise ValueError(f"path: {loose[0]} stands in no class; put it in the folder of {wanted}.")
    return folders, files


def _hidden(entry: Path) -> bool:
    return entry.name.startswith(".") or entry.name.lower() in LEFT_BY_SYSTEMS


def _drawing(file: Path, size: int, ink: str) -> UInt8[np.ndarray, "{size} {size}"]:
    """A picture as ink in the middle of a square; ValueError that names the file."""
    paper = 255 if ink == "dark" else 0
    try:
        grey = _grey(file, paper)
    except Exception as error:  # Pillow's decoders raise almost anything on a damaged file
        raise ValueError(f"path: {file} cannot be read ({contracts.first_line(error)}).") from error
    scale = size / max(grey.shape)
    height, width = (max(1, round(scale * side)) for side in grey.shape)
    square = np.zeros((size, size), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    square[top : top + height, left : left + width] = area_average(np.abs(paper - grey), height, width)
    return square


def _grey(file: Path, paper: int) -> Float[np.ndarray, "height width"]:
    """The brightness of a picture, 0 to 255, on paper where it is transparent."""
    if (n_bytes := file.stat().st_size) > MOST_BYTES:
        raise ValueError(f"{n_bytes} bytes, of at most {MOST_BYTES}")
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of Pillow about large pictures and odd tags: the sizes are checked here
        with Image.open(file) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels, of at most {MOST_PIXELS}")
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I"):  # 16 bits a pixel
                return np.asarray(image, np.float32) / 257
            if (
                image.mode == "F"
            ):  # pragma: no cover - of the kinds allowed only TIFF can, and not with every Pillow
                raise ValueError("its pixels are fractions of an unknown range; save it as a PNG")
            if image.has_transparency_data:
                sheet = Image.new("RGBA", image.size, (paper, paper, paper, 255))
                image = Image.alpha_composite(sheet, image.convert("RGBA"))
            return np.asarray(image.convert("L"), np.float32)


def area_average(
    image: Float[np.ndarray, "*n h w"], height: int, width: int
) -> UInt8[np.ndarray, "*n {height} {width}"]:
    """Images of values 0..255 in another size: each new pixel is the mean over the area it covers."""
    rows, columns = _overlap(image.shape[-2], height), _overlap(image.shape[-1], width)
    return np.rint(rows @ image @ columns.T).clip(0, 255).astype(np.uint8)


def _overlap(n_old: int, n_new: int) -> Float[np.ndarray, "{n_new} {n_old}"]:
    """The share of each new pixel (row) that each old one covers, along one side."""
    cell, pixel = np.arange(n_new)[:, None] * (n_old / n_new), np.arange(n_old)
    shared = np.minimum(cell + n_old / n_new, pixel + 1) - np.maximum(cell, pixel)
    return (np.maximum(0, shared) * (n_new / n_old)).astype(np.float32)
