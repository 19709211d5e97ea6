"""Two switches that make convolutions on a CPU faster and change no result but rounding.

Together they train the conv net of the course about 2.6 times faster (`experiments/speed/prototypical.py`).

Differs from the paper: no paper; this is about memory, not about learning.
"""

import ctypes

from jaxtyping import Float
from torch import Tensor


def channels_last(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """The same numbers with the channels of a pixel side by side in memory, as CPU convolutions like them.

    With one channel both layouts are the same bytes, so `x.to(memory_format=torch.channels_last)` does
    nothing and the whole net falls back to the slow layout; the strides written here leave no doubt.
    """
    n, c, h, w = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(n, h, w * c)
    return pixels.unflatten(2, (w, c)).permute(0, 3, 1, 2)


def keep_freed_memory() -> bool:
    """Tell the C library to keep memory that tensors free, instead of giving it back and asking again.

    Without it every large activation is mapped and cleared by the kernel anew. It holds for the whole
    process, which then stays at its largest size. True where it took effect: Linux with glibc.
    """
    M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h
    try:
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    except TypeError:  # Windows knows no library without a name
        return False
    return bool(  # pragma: no cover - it holds for a whole process, so the tests give it one
        mallopt and mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1)
    )
