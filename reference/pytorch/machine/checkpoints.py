"""A run's whole state in one file that is either complete and intact, or is refused.

Tensors and notes (counters, generator states, anything JSON can say) stand in one safetensors file that
carries its own sha256. It is written beside the old one and moved over it, so a kill at any moment leaves
one good file.

Differs from the paper: no paper.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import safetensors
from safetensors.torch import save_file
from torch import Tensor

Groups = dict[str, dict[str, Tensor]]  # {"params": {...}, "mean": {...}}


def save(path: Path, groups: Groups, notes: dict[str, Any]) -> None:
    """Write groups of tensors and notes to path, in place of what was there."""
    tensors = {
        f"{group}/{name}": value.detach().cpu().contiguous()
        for group, named in groups.items()
        for name, value in named.items()
    }
    text = json.dumps(notes)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    save_file(tensors, unfinished, metadata={"notes": text, "sha256": _sha256(tensors, text)})
    os.replace(unfinished, path)


def load(path: Path) -> tuple[Groups, dict[str, Any]]:
    """The groups of tensors (on the CPU) and the notes that were saved.

    Raises ValueError when the file is not what was written; the file is left as it is.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
            metadata = file.metadata() or {}
    except safetensors.SafetensorError:
        raise _damaged(path) from None
    text = metadata.get("notes", "")
    if metadata.get("sha256") != _sha256(tensors, text):
        raise _damaged(path)
    groups: Groups = {}
    for key, value in tensors.items():
        group, name = key.split("/", 1)
        groups.setdefault(group, {})[name] = value
    return groups, json.loads(text)


def _sha256(tensors: dict[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for key in sorted(tensors):
        digest.update(key.encode())
        digest.update(tensors[key].numpy().tobytes())
    return digest.hexdigest()


def _damaged(path: Path) -> ValueError:
    return ValueError(
        f"checkpoint {path} is damaged: its contents do not match its sha256; it was left as it is: "
        "put back a good copy, or move it away to start the run again."
    )
