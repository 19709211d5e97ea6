"""How fast episodes are drawn: by indexing the bank, by a loop over images, by learn2learn's Taskset.

    python -m experiments.speed.sampler

All read the same images from memory. The loop stands for the usual data set
that hands out one example at a time. learn2learn is measured where it can be imported: on bytes that each
access turns into floats, as ours are, and at its best, on images that are floats from the start. Its
labels are Python numbers; as tensors they would cost it up to twenty times more. Release 0.2.0 does not
compile on Python 3.11 and newer as it comes; its data module does once Cython has written the C files anew.
"""

from collections.abc import Callable

import numpy as np

from experiments import bench
from reference.episodes import Episode, Examples
from reference.results import Row
from reference.tasks.bank import Bank, FewShot, as_input, make_bank

N_CLASSES, N_IMAGES = 964, 20  # the shape of Omniglot's background
SHAPES = {
    "5-way 5-shot 15-query": {"n_way": 5, "k_shot": 5, "n_query": 15},
    "60-way 5-shot 5-query": {"n_way": 60, "k_shot": 5, "n_query": 5},
}
BATCH, N_ROUNDS = 32, 500
BATCHES = f"indexing, batches of {BATCH}"


def main() -> None:
    samplers = {"indexing": indexing, BATCHES: batches, "loop over images": loop} | peers()
    bank = random_bank()
    rows = [row for name, shape in SHAPES.items() for row in compare(name, bank, samplers, shape)]
    bench.leave("sampler", {"n_rounds": N_ROUNDS}, rows, libraries=["learn2learn"])


def compare(name: str, bank: Bank, samplers: dict[str, Callable], shape: dict[str, int]) -> list[Row]:
    """Milliseconds of an episode, and how many times as fast as indexing."""
    seconds = bench.in_turn({way: make(bank, **shape) for way, make in samplers.items()}, n_rounds=N_ROUNDS)
    seconds[BATCHES] = [s / BATCH for s in seconds[BATCHES]]
    ratios = {"times as fast as indexing": "indexing"}
    return bench.timed(seconds, {"case": name}, unit="milliseconds", ratios=ratios)


def random_bank() -> Bank:
    images = np.random.default_rng(0).integers(0, 256, (N_CLASSES * N_IMAGES, 28, 28), dtype=np.uint8)
    names = [str(c) for c in range(N_CLASSES)]
    return make_bank(images, np.repeat(np.arange(N_CLASSES), N_IMAGES), names=names, groups=names)


def indexing(bank: Bank, **shape: int) -> Callable[[], Episode]:
    tasks, rng = FewShot(bank, **shape), np.random.default_rng(1)
    return lambda: tasks.sample(rng)


def batches(bank: Bank, **shape: int) -> Callable[[], Episode]:
    tasks, rng = FewShot(bank, **shape), np.random.default_rng(1)
    return lambda: tasks.sample_batch(rng, BATCH)


def loop(bank: Bank, *, n_way: int, k_shot: int, n_query: int) -> Callable[[], Episode]:
    rng = np.random.default_rng(1)

    def draw() -> Episode:
        parts = ([], []), ([], [])
        for label, c in enumerate(rng.choice(N_CLASSES, n_way, replace=False)):
            for i, member in enumerate(rng.choice(N_IMAGES, k_shot + n_query, replace=False)):
                x, y = parts[i >= k_shot]
                x.append(bank.images[bank.offsets[c] + member][None].astype(np.float32) / 255)
                y.append(label)
        return Episode(*(Examples(np.stack(x), np.array(y)) for x, y in parts))

    return draw


def peers() -> dict[str, Callable]:
    """learn2learn's Taskset, if there is one."""
    try:
        import learn2learn
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(1)

    class Images(torch.utils.data.Dataset):
        def __init__(self, images, access):
            self.images, self.access = images, access

        def __len__(self):
            return len(self.images)

        def __getitem__(self, i):
            return self.access(self.images[i]), i // N_IMAGES

    def taskset(images, access, *, n_way: int, k_shot: int, n_query: int) -> Callable[[], object]:
        data = learn2learn.data.MetaDataset(Images(images, access))
        steps = [
            learn2learn.data.transforms.FusedNWaysKShots(data, n=n_way, k=k_shot + n_query),
            learn2learn.data.transforms.LoadData(data),
            learn2learn.data.transforms.RemapLabels(data),
            learn2learn.data.transforms.ConsecutiveLabels(data),
        ]
        return learn2learn.data.Taskset(data, task_transforms=steps).sample

    def on_bytes(bank: Bank, **shape: int) -> Callable[[], object]:
        return taskset(torch.from_numpy(bank.images[:, None]), lambda image: image.float() / 255, **shape)

    def on_floats(bank: Bank, **shape: int) -> Callable[[], object]:
        return taskset(torch.from_numpy(as_input(bank.images)), lambda image: image, **shape)

    return {"learn2learn's Taskset": on_bytes, "learn2learn's Taskset, images as floats": on_floats}


if __name__ == "__main__":
    main()
