"""How hard the glyphs are: raw pixels, an untrained and a trained small network on the test scripts.

    python datasets/measure_glyphs.py

Prints the numbers of the data card; takes about a minute.
"""

from functools import partial

import numpy as np
import torch
from torch.func import functional_call

from reference.baselines import nearest_centroid
from reference.evaluation import evaluate
from reference.meta_train import meta_train
from reference.pytorch import prototypical
from reference.pytorch.machine.arrays import in_numpy, to_torch
from reference.pytorch.nn import Conv4, init_params
from reference.rules import adam
from reference.tasks.bank import FewShot
from reference.tasks.glyphs import glyphs

N_EPISODES = 1000


def score(name: str, adapt, split: str) -> None:
    tasks = FewShot(glyphs(split), n_way=5, k_shot=1, n_query=15)
    result = evaluate(adapt, tasks, n_episodes=N_EPISODES, rng=np.random.default_rng(1))
    print(f"{name:40s} {split:10s} {result:.1%}", flush=True)


def main() -> None:
    for split in ("train", "validation", "test"):
        score("raw pixels, nearest centroid", nearest_centroid, split)
    rng = np.random.default_rng(0)
    net = Conv4(32)
    embed = partial(functional_call, net)
    params = init_params(rng, net)

    def learner(params):
        return in_numpy(lambda support: torch.no_grad()(prototypical.adapt)(params, support, embed=embed))

    score("untrained network", learner(params), "test")
    train = FewShot(glyphs("train"), n_way=20, k_shot=1, n_query=5)
    params, _ = meta_train(
        params,
        partial(prototypical.meta_gradient, embed=embed),
        lambda: to_torch(train.sample(rng)),
        rule=adam(2e-3),
        n_steps=1000,
    )
    for split in ("validation", "test"):
        score("prototypical network, 1,000 steps", learner(params), split)


if __name__ == "__main__":
    main()
