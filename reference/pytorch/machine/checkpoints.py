"""A run's whole state in one file that is either complete and intact, or is refused.

Tensors and notes (counters, generator states, anything JSON can say) stand in one safetensors file that
carries a sha256 of all of it: names, dtypes, shapes, bytes and notes. It is written beside the old one and
moved over it, so a kill at any moment leaves one good file.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from reference.results import in_place_of

Groups = dict[str, dict[str, Tensor]]  # {"params": {...}, "state": {...}}


def save(path: Path | str, groups: dict[str, dict[str, Any]], notes: dict[str, Any]) -> None:
    """Write groups of tensors and notes to path, in place of what was there.

    Raises ValueError for what a checkpoint cannot hold.
    """
    tensors = {}
    for group, named in groups.items():
        if "/" in group:
            raise ValueError(f"groups: got the name {group!r}; a group's name has no '/'.")
        for name, value in named.items():
            if not isinstance(value, Tensor):
                kind = type(value).__name__
                raise ValueError(f"groups: {group}/{name} is a {kind}; a group holds tensors.")
            # A tensor of its own: safetensors refuses those that share their memory.
            tensors[f"{group}/{name}"] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
    text = json.dumps({"groups": list(groups), "notes": notes}, default=_plain)
    with in_place_of(Path(path)) as unfinished:
        save_file(tensors, unfinished, metadata={"notes": text, "sha256": _sha256(tensors, text)})


def load(path: Path | str) -> tuple[Groups, dict[str, Any]]:
    """The groups of tensors (on the CPU, in memory of their own) and the notes that were saved.

    Raises ValueError when the file is not what was written; the file is left as it is.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"checkpoint {path}: there is no such file.")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            # Copies: what safetensors gives lies in the file, and the process dies when that is overwritten.
            tensors = {key: file.get_tensor(key).clone() for key in file.keys()}
            metadata = file.metadata() or {}
    except safetensors.SafetensorError:
        raise _damaged(path) from None
    if not {"notes", "sha256"} <= metadata.keys():
        raise ValueError(f"{path} is no checkpoint of a run: it has neither notes nor a sha256.")
    if metadata["sha256"] != _sha256(tensors, metadata["notes"]):
        raise _damaged(path)
    noted = json.loads(metadata["notes"])
    groups: Groups = {group: {} for group in noted["groups"]}
    for key, value in tensors.items():
        group, name = key.split("/", 1)
        groups[group][name] = value
    return groups, noted["notes"]


def _sha256(tensors: dict[str, Tensor], text: str) -> str:
    names = sorted(tensors)
    header = [[name, str(tensors[name].dtype), list(tensors[name].shape)] for name in names]
    digest = hashlib.sha256(json.dumps([header, text]).encode())
    for name in names:
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy())  # NumPy has no bfloat16
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    kind = type(value).__name__
    raise ValueError(f"notes: got a {kind}; notes hold what JSON can say, and NumPy's numbers.")


def _damaged(path: Path) -> ValueError:
    return ValueError(
        f"checkpoint {path} is damaged: its contents do not match its sha256; it was left as it is: "
        "put back a good copy, or move it away to start the run again."
    )
