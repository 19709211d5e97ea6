"""Copies that belong to whoever works in them: made where none is, and never written over once changed.

A hidden file beside the copies says what was written. A copy that still is what was written is brought up to
date; any other stays as it is, and a new version is written beside it: 07_maml.ipynb, 07_maml-2.ipynb, ...
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

RECORD = ".written.json"  # name -> sha256 of what was written there


def put(folder: Path, contents: Mapping[str, bytes], *, afresh: bool = False) -> list[str]:
    """Write the contents, by name, into the folder; one sentence for each copy that was changed and is kept.

    A changed copy of the same version needs no new one beside it, unless `afresh`. OSError where the folder
    cannot be written.
    """
    written = _read(folder / RECORD)
    said = []
    for name, content in contents.items():
        version, copies = _sha256(content), _copies(folder, name)
        seen = {copy: _sha256((folder / copy).read_bytes()) for copy in copies}
        if version in seen.values() or not afresh and version in {written.get(copy) for copy in copies}:
            continue
        if copies and seen[copies[-1]] == written.get(copies[-1]):
            target = copies[-1]
            _replace(folder / target, content)
        else:
            target = _beside(name, len(copies) + 1)
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            with open(folder / target, "xb") as file:  # x: it never opens what is there
                file.write(content)
        if copies and target != copies[-1]:
            said.append(f"{folder.name}/{copies[-1]} is changed and kept; beside it is a new {target}.")
        written[target] = version
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / RECORD, json.dumps(written, indent=1).encode())
    return said


def _copies(folder: Path, name: str) -> list[str]:
    """The copies that are there, the newest last."""
    copies = []
    while os.path.lexists(folder / (copy := _beside(name, len(copies) + 1))):
        copies.append(copy)
    return copies


def _beside(name: str, k: int) -> str:
    """The name of the k-th copy."""
    path = Path(name)
    return path.with_stem(f"{path.stem}-{k}").as_posix() if k > 1 else name


def _read(record: Path) -> dict[str, str]:
    """What was written; nothing where that is not known, so that every copy counts as changed."""
    try:
        written = json.loads(record.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return written if isinstance(written, dict) else {}


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    os.replace(part, path)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
