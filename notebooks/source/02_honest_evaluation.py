# %% [markdown] teaches=["reference.evaluation"]
# # Honest evaluation
#
# **Question.** When does a number show that a few-shot learner is good, or better than another, and how does a
# number come out better than its learner?
#
# **Objectives.** After this chapter you can
#
# - give an accuracy its 95 % interval, and check by simulation that an interval keeps its promise,
# - compare two learners on the same episodes, and say why that needs fewer of them,
# - compute how many episodes resolve a difference of one point,
# - find out whether a learner's predictions lean on the other queries,
# - tell an interval from a standard deviation, and name what even a right interval cannot show.
#
# **Prerequisites.** Chapter 01 (tasks, episodes, support and query). Mean and variance; arrays in NumPy.
#
# **Time.** 70 minutes to read, 1 minute to run.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from reference import plotting
from reference.baselines import nearest_centroid
from reference.checks import claim, same
from reference.episodes import Episode, Examples
from reference.tasks.bank import FewShot
from reference.tasks.glyphs import glyphs

plt.style.use(plotting.STYLE)

# %% [markdown]
# ## By hand
#
# A learner met five episodes. Each had five queries, and it got 3, 4, 4, 4 and 5 of them right: the accuracies
# are 0.6, 0.8, 0.8, 0.8 and 1.0. How good is the learner? Take a pencil:
#
# - The mean is 4.0 / 5 = 0.8.
# - The distances to the mean are -0.2, 0, 0, 0, 0.2; their squares sum to 0.08.
# - The *sample variance* divides that by one less than the number of values: $s^2 = 0.08 / 4 = 0.02$.
# - The *standard error* of the mean is $\sqrt{s^2 / n} = \sqrt{0.02 / 5} = 0.063$.
# - The *half-width* of the 95 % interval is 1.96 times that: 0.124.
#
# So the learner's accuracy is 0.80 +- 0.12. The program should agree with the pencil.

# %%
by_hand = np.array([0.6, 0.8, 0.8, 0.8, 1.0])
n = len(by_hand)
mean = by_hand.sum() / n
s = np.sqrt(np.sum((by_hand - mean) ** 2) / (n - 1))
print(f"mean {mean:.4g}, s {s:.4g}, half-width {1.96 * s / np.sqrt(n):.3g}")

# %% [markdown]
# Five episodes say little: anything from 0.68 to 0.92 is in the interval. The rest of the chapter is about three
# questions. Where do the 1.96, the $n - 1$ and the root come from? How does one compare two learners? And what
# can be wrong with a number although its interval is right?
#
# Commit to a guess for the last one now.
#
# **Predict.** Later you train one small network and evaluate it honestly. Then three things go wrong. The first
# two have gone wrong in public code; the third happens to whoever splits drawings and not classes (chapter 01):
#
# - *batch statistics*: at test time the network normalises each image by the mean and spread of all queries,
# - *sorted queries*: the queries arrive sorted by class, and the learner reads them in order,
# - *test classes in training*: the classes of the test episodes were also among the training classes.
#
# How many points (percent) does each add to the accuracy? And all three together? Replace the zeros.

# %%
my_guess = {
    "batch statistics": 0.0,
    "sorted queries": 0.0,
    "test classes in training": 0.0,
    "all three": 0.0,
}

# %% [markdown]
# ## Where the formula comes from
#
# A task $\mathcal{T} \sim p(\mathcal{T})$ gives one episode, and the episode one accuracy $a_i$. The accuracies
# of different episodes are independent draws with the same mean $\mu$ and the same variance $\sigma^2$. The
# number we are after is $\mu$; what we have is $\hat\mu = \frac{1}{n} \sum_i a_i$.
#
# **Step 1. The mean is right on average.** $\mathbb{E}[\hat\mu] = \frac{1}{n} \sum_i \mathbb{E}[a_i] = \mu$.
#
# **Step 2. Its variance falls with $n$.** Variances of independent numbers add, and a factor comes out squared:
#
# $$\mathrm{Var}(\hat\mu) = \frac{1}{n^2} \sum_i \mathrm{Var}(a_i) = \frac{n \sigma^2}{n^2} = \frac{\sigma^2}{n}.$$
#
# **Step 3. The variance can be estimated.** Distances to $\hat\mu$ are a little shorter than distances to $\mu$,
# because $\hat\mu$ sits in the middle of the very values it came from:
# $\mathbb{E} \sum_i (a_i - \hat\mu)^2 = n\sigma^2 - n \mathrm{Var}(\hat\mu) = (n - 1)\, \sigma^2$. So
# $s^2 = \frac{1}{n - 1} \sum_i (a_i - \hat\mu)^2$ is right on average. NumPy calls the missing one `ddof=1`, and
# does not subtract it unless told to.
#
# In a world small enough nothing needs to be believed. Let an accuracy be 0.5, 0.8 or 1.0, equally often. Then
# three episodes can come out in $3^3 = 27$ ways, and we can look at all of them.


# %%
def all_draws(values, n):
    """Every way to draw n times from the values, with replacement: (len(values) ** n, n)."""
    return np.stack(np.meshgrid(*[values] * n), axis=-1).reshape(-1, n)


world = np.array([0.5, 0.8, 1.0])
draws = all_draws(world, 3)
claim(
    "Step 1: the means of all draws average to mu.",
    np.isclose(draws.mean(1).mean(), world.mean()),
    draws.mean(1).mean(),
    world.mean(),
)
claim(
    "Step 2: their variance is sigma^2 / n.",
    np.isclose(draws.mean(1).var(), world.var() / 3),
    draws.mean(1).var(),
    world.var() / 3,
)
claim(
    "Step 3: s^2 with n - 1 averages to sigma^2.",
    np.isclose(draws.var(1, ddof=1).mean(), world.var()),
    draws.var(1, ddof=1).mean(),
    world.var(),
)
claim(
    "With n it averages to less.",
    np.isclose(draws.var(1).mean(), world.var() * 2 / 3),
    draws.var(1).mean(),
    world.var() * 2 / 3,
)

# %% [markdown]
# **Step 4. The mean is nearly normal.** The *central limit theorem* says: the mean of many independent draws is
# distributed like a normal variable, whatever one draw looks like. A normal variable stays within $z$ standard
# deviations of its mean with probability $\mathrm{erf}(z / \sqrt{2})$; for 95 % that gives $z = 1.96$. So in 95
# of 100 experiments the interval
#
# $$\hat\mu \pm 1.96\, \frac{s}{\sqrt{n}}$$
#
# holds $\mu$. That sentence is the whole meaning of "95 %". It speaks about experiments, not about episodes: 95 %
# of the *episodes* lie in a far wider range.

# %%
from math import erf, sqrt

print(f"within 1.96: {erf(1.96 / sqrt(2)):.4f}")

# %% [markdown]
# **Step 5. The difference of two learners.** Let $a_i$ and $b_i$ be the accuracies of two learners on the *same*
# episode $i$. Multiplying out the square of $(a_i - \mathbb{E} a) - (b_i - \mathbb{E} b)$ gives
#
# $$\mathrm{Var}(a - b) = \mathrm{Var}(a) + \mathrm{Var}(b) - 2\, \mathrm{Cov}(a, b).$$
#
# An episode with five look-alike characters is hard for everybody, so the covariance is positive, and the
# difference varies less than the two accuracies suggest. On different episodes the covariance is zero, and
# nothing is saved.

# %%
rng = np.random.default_rng(0)
hardness = rng.normal(size=50)  # shared by both learners
a, b = hardness + rng.normal(size=50), hardness + rng.normal(size=50)
cov = np.cov(a, b)
claim(
    "Var(a - b) = Va + Vb - 2 Cov.",
    np.isclose(np.var(a - b, ddof=1), cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]),
    np.var(a - b, ddof=1),
    cov[0, 0] + cov[1, 1] - 2 * cov[0, 1],
)

# %% [markdown]
# ## Build it in NumPy
#
# ### The interval
#
# First the accuracy of one episode: the share of queries whose highest score stands at their label. It is
# written for any number of leading axes, so that later it takes many episodes at once.


# %% tags=["setup"]
def accuracy(scores, labels):
    """Share of queries (..., q, n_way) whose highest score stands at their label (..., q)."""
    return np.mean(scores.argmax(axis=-1) == labels, axis=-1)


def half_width(values):
    """Half the width of the 95 % interval of the mean."""
    return 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))


def interval(values):
    """The ends of the 95 % interval of the mean."""
    return np.mean(values) - half_width(values), np.mean(values) + half_width(values)


def report(values):
    """The only form in which this chapter prints an accuracy."""
    return f"{np.mean(values):.3f} +- {half_width(values):.3f} (95% CI, {len(values)} episodes)"


# %% [markdown]
# The reference has the same three under other names: `accuracy`, and a `Score` that holds the values of all
# episodes and knows its `half_width` and its `interval`.

# %%
from reference import evaluation

same(accuracy, evaluation.accuracy, lambda rng: (rng.normal(size=(4, 15, 5)), rng.integers(0, 5, (4, 15))))
same(half_width, lambda values: evaluation.Score(values).half_width, lambda rng: (rng.random(9),))
same(interval, lambda values: evaluation.Score(values).interval, lambda rng: (rng.random(9),))

# %% [markdown]
# ### The loop
#
# An evaluation draws episodes, lets the learner adapt to each support set, and keeps *every* accuracy. It does
# not keep running sums: we shall need the single values to pair them. The generator `rng` serves the drawing
# alone, so two learners that are given equal generators meet the same episodes.


# %%
def evaluate(adapt, tasks, *, n_episodes, rng):
    """One accuracy for each of n_episodes fresh episodes."""
    values = []
    for _ in range(n_episodes):
        episode = tasks.sample(rng)
        predict = adapt(episode.support)
        values.append(accuracy(predict(episode.query.x), episode.query.y))
    return np.array(values)


# %% [markdown]
# As in chapter 01, `adapt` sees the support set alone. Note what `predict` sees: all queries of the episode at
# once. Two of the three leaks of this chapter come in through that door.

# %%
few = FewShot(glyphs("validation"), n_way=5, k_shot=1, n_query=5)


def by_reference(adapt, tasks, *, n_episodes, rng):
    """The values of the reference's Score."""
    return evaluation.evaluate(adapt, tasks, n_episodes=n_episodes, rng=rng).values


same(evaluate, by_reference, lambda rng: (nearest_centroid, few, {"n_episodes": 3, "rng": rng}))

# %% [markdown]
# ### First numbers
#
# The first learner is the plainest: compare the pixels of a query with the mean image of each class. The tasks
# are 5-way 1-shot with 15 queries a class. We use the *validation* scripts. Everything that is tried out is
# tried there; the test scripts stay in the drawer until the end of the chapter, for a reason that gets its own
# section.

# %%
tasks = FewShot(glyphs("validation"), n_way=5, k_shot=1, n_query=15)
full = evaluate(nearest_centroid, tasks, n_episodes=100, rng=np.random.default_rng(1))

# %% tags=["training", "nbval-ignore-output"]
print(f"raw pixels: {report(full)}; chance: 1/5")
print(f"standard deviation between episodes: {np.std(full, ddof=1):.3f}")

# %% [markdown]
# Two numbers, two meanings. The standard deviation says how different *episodes* are: it stays what it is when
# more of them are drawn. The half-width says how well we know the *mean*: it is $1.96 / \sqrt{100}$, about a
# fifth, of the standard deviation, and it shrinks with every episode.

# %%
claim("Raw pixels beat chance.", interval(full)[0] > 1 / 5, interval(full))
claim(
    "The half-width is a fifth of the spread.",
    5 < np.std(full) / half_width(full) < 5.2,
    np.std(full) / half_width(full),
)

# %% [markdown]
# ### Does the interval keep its promise?
#
# "95 %" speaks about repeated experiments, so let us repeat one: 100 experiments of 40 episodes each. For the
# truth we take the mean of all 4,000 episodes, ten times as exact as one experiment.

# %%
many = evaluate(nearest_centroid, tasks, n_episodes=4000, rng=np.random.default_rng(2))
experiments = many.reshape(100, 40)
low, high = np.array([interval(values) for values in experiments]).T
n_right = np.sum((low <= many.mean()) & (many.mean() <= high))
claim("Between 90 and 99 of the 100 intervals hold the truth.", 90 <= n_right <= 99, n_right)

# %%
ax = plotting.intervals(low, high, truth=many.mean())
ax.set(xlabel="experiment (40 episodes each)", ylabel="accuracy")
plotting.show(
    "A hundred vertical intervals side by side around a horizontal line; a handful, drawn thick, miss the "
    "line."
)

# %% [markdown]
# **Figure 1.** The interval keeps its promise: about 95 of 100 experiments catch the truth, and a handful miss
# it. Nothing tells the experimenter which kind is hers. The figure does not show what happens with five
# episodes instead of 40; that is for exercise 1.
#
# ### The bootstrap: the same without a formula
#
# The formula knows means. What is the interval of a median, or of the worst tenth of the episodes? Efron (1979)
# replaced the formula by a trick. We cannot draw new experiments from the world. But the $n$ values we have are
# our best picture of the world, so draw experiments from *them*: $n$ values with replacement, take the mean,
# and again, a few hundred times. The middle 95 % of these means are the interval.


# %%
def bootstrap_interval(values, *, n_resamples, rng):
    """The middle 95 % of the means of n_resamples redrawn experiments."""
    means = [np.mean(rng.choice(values, size=len(values))) for _ in range(n_resamples)]
    return tuple(np.quantile(means, [0.025, 0.975]))


# %%
same(
    bootstrap_interval,
    evaluation.bootstrap_interval,
    lambda rng: (rng.random(12), {"n_resamples": 200, "rng": rng}),
)

# %% [markdown]
# How spread out are the redrawn means? That is step 2 with the values as the world: their variance is the
# variance of the values (with $n$, not $n - 1$) divided by $n$. For the five accuracies of the first page all
# $5^5 = 3125$ redraws can be listed, so this is exact. Hence the bootstrap gives nearly the interval of the
# formula, a little narrower for small $n$.

# %%
redrawn = all_draws(by_hand, 5).mean(axis=1)
claim(
    "All redrawn means have the variance of the values, over n.",
    np.isclose(redrawn.var(), by_hand.var() / 5),
    redrawn.var(),
    by_hand.var() / 5,
)
ends = bootstrap_interval(full, n_resamples=1000, rng=np.random.default_rng(3))
gap = np.abs(np.subtract(ends, interval(full))).max()
claim("On 100 episodes both intervals have the same ends, within 0.003.", gap < 0.003, gap)

# %% [markdown]
# They part where the values crowd against a wall. Here are five episodes of a very good learner. The formula's
# interval reaches beyond 1, where no accuracy can be; the bootstrap's cannot leave the range of the values.
# (That does not make it right: five values are too few for either. The cure is more episodes.)

# %%
good = np.array([0.9, 1.0, 1.0, 1.0, 1.0])
ends = bootstrap_interval(good, n_resamples=1000, rng=np.random.default_rng(4))
print(f"formula: up to {interval(good)[1]:.3g}; bootstrap: up to {ends[1]:.3g}")

# %% [markdown]
# ## Two learners, one set of episodes
#
# Is it worth looking at every pixel? The second learner averages 2 x 2 pixels into one before it compares, so
# that a stroke that is off by a pixel still meets its partner.


# %%
def halved(support):
    """Nearest centroid on images of half the resolution."""

    def shrink(x):
        return x.reshape(len(x), 14, 2, 14, 2).mean(axis=(2, 4))

    predict = nearest_centroid(Examples(shrink(support.x), support.y))
    return lambda x: predict(shrink(x))


half = evaluate(halved, tasks, n_episodes=100, rng=np.random.default_rng(1))

# %% tags=["training", "nbval-ignore-output"]
print(f"full resolution: {report(full)}")
print(f"half resolution: {report(half)}")
print(f"difference:      {report(half - full)}")

# %% [markdown]
# The two intervals overlap by far. Many tables stop here and say "no significant difference". But both learners
# were given the same generator, hence the same 100 episodes. The third line is the interval of the 100
# *differences*, and it leaves out zero clearly.


# %%
def paired(a, b):
    """The 95 % interval of the mean difference a - b of two learners on the same episodes."""
    return interval(a - b)


same(
    paired,
    lambda a, b: evaluation.compare(evaluation.Score(a), evaluation.Score(b)).interval,
    lambda rng: (rng.random(9), rng.random(9)),
)

# %% [markdown]
# Had the episodes been different ones, the variance of the difference would have been the sum of both (step 5
# without the covariance), and the half-width the root of the sum of squares, here `unpaired`.

# %%
unpaired = np.hypot(half_width(half), half_width(full))
correlation = np.corrcoef(half, full)[0, 1]
claim(
    "Unpaired, the difference is not resolved.",
    (half - full).mean() < unpaired,
    (half - full).mean(),
    unpaired,
)
claim("Paired, it is: half resolution is better.", paired(half, full)[0] > 0, paired(half, full))
claim("The two learners' accuracies correlate by 0.8 to 0.98.", 0.8 < correlation < 0.98, correlation)

# %% [markdown]
# Why it works is best seen by looking at the first episodes in a row.

# %%
first = np.arange(1, 41)
ax = plotting.curves(first, {"full resolution": full[:40], "half resolution": half[:40]})
ax.set(xlabel="episode", ylabel="accuracy")
plotting.show(
    "Two zigzag lines over 40 episodes that rise and fall together between 0.3 and 0.7, one mostly a little "
    "above the other."
)

# %% [markdown]
# **Figure 2.** Episodes differ more than learners do: both lines go up on easy episodes and down on hard ones.
# The difference between the lines is far steadier than either line. That is the covariance of step 5. The
# figure shows 40 of the 100 episodes and proves nothing by itself; the interval of the differences does.
#
# How many episodes would have been enough? Set the half-width equal to the difference $d$ that you want to see
# and solve for $n$: $n = (1.96\, s / d)^2$, where $s$ is the standard deviation of the *differences* if the
# episodes are shared, and $\sqrt{s_a^2 + s_b^2}$ if not. Exercise 3 asks for it.

# %%
needed = (1.96 / 0.01) ** 2 * np.array(
    [np.var(half - full, ddof=1), np.var(half, ddof=1) + np.var(full, ddof=1)]
)
claim(
    "To resolve one point, pairing saves nine tenths of the episodes.",
    needed[0] < needed[1] / 10,
    needed[0],
    needed[1] / 10,
)

# %% [markdown]
# **A rule to keep.** Draw the test episodes once, from a generator with a fixed seed. Let every learner meet
# them. Store every learner's accuracy on every episode.
#
# ## Build it in PyTorch: many episodes at once
#
# For the experiment we need a learner that learns. We borrow a *prototypical network* (Snell et al. 2017),
# which chapter 06 builds from nothing. Two sentences are enough here: a network $f_\theta$ turns an image into a
# vector, its embedding, and the *prototype* $c_k$ of class $k$ is the mean embedding of the support images of
# that class. A query belongs to the class of the nearest prototype.
#
# The network has *batch normalisation*, and we need to know what that does. After each convolution it subtracts
# a mean from every channel and divides by a standard deviation. In training mode (`net.train()`) these come
# from the images that are passed in together, and running averages are kept aside. In evaluation mode
# (`net.eval()`) the running averages are used, so an image is embedded the same whatever comes with it.

# %%
import copy
import time
from functools import partial

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from reference.meta_train import meta_train
from reference.pytorch import prototypical
from reference.pytorch.machine.arrays import in_numpy, to_torch
from reference.pytorch.nn import Conv4
from reference.pytorch.optim import adam
from reference.pytorch.machine.speed import channels_last, keep_freed_memory
from reference.tasks.bank import as_input, make_bank

_ = keep_freed_memory()
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# The network and a function `embed(params, x)` that runs it with given parameters. `channels_last` is a matter
# of speed only.


# %%
def new_learner(seed):
    """An untrained network in evaluation mode, and its parameters."""
    net = Conv4(32, norm=nn.BatchNorm2d).to(device)
    params = prototypical.init(np.random.default_rng(seed), net)
    return net.eval(), {name: p.to(device) for name, p in params.items()}


def embedding(net):
    """The network as a function of its parameters and of images."""
    return lambda params, x: functional_call(net, params, channels_last(x))


# %% [markdown]
# The loop above takes one episode at a time and leaves most of a large device idle. Episodes have equal shapes,
# so they can be stacked, with a first axis that counts them, and go through the network together. After that it
# is all arithmetic on the axes $t$ (episode), $n$ (support example), $q$ (query), $k$ (class), $d$ (feature):
# with $y_{tnk} = 1$ where example $n$ of episode $t$ is of class $k$,
#
# $$c_{tkd} = \frac{\sum_n y_{tnk}\, z_{tnd}}{\sum_n y_{tnk}}, \qquad
# \text{score}_{tqk} = -\sum_d (z_{tqd} - c_{tkd})^2.$$


# %%
def batch_scores(embed, params, support, query_x, n_way):
    """Minus the squared distance of every query to every prototype: (n_tasks, q, n_way)."""
    n_tasks, n_support = support.y.shape
    together = torch.cat([support.x, query_x], dim=1)  # (n_tasks, n + q, ...)
    z = embed(params, together.flatten(0, 1)).unflatten(0, (n_tasks, -1))
    belongs = F.one_hot(support.y, n_way).to(z)  # y_tnk
    sums = torch.einsum("tnk,tnd->tkd", belongs, z[:, :n_support])
    prototypes = sums / belongs.sum(1)[..., None]
    return -((z[:, n_support:, None] - prototypes[:, None]) ** 2).sum(-1)


# %% [markdown]
# The check runs the reference's `adapt` on one episode after the other, in float64, with a linear embedding.
# `same` compares values and gradients. (The reference's scores are log-probabilities, so ours get a
# `log_softmax` first; that changes no order.)


# %%
def linear(params, x):
    return x.flatten(1) @ params["weight"]


def ours(params, support, query_x):
    return F.log_softmax(batch_scores(linear, params, support, query_x, n_way=3), dim=-1)


def one_by_one(params, support, query_x):
    learners = [
        prototypical.adapt(params, Examples(x, y), embed=linear) for x, y in zip(*support, strict=True)
    ]
    return torch.stack([predict(x) for predict, x in zip(learners, query_x, strict=True)])


def case(rng):
    x, query_x, weight = (
        torch.from_numpy(rng.normal(size=shape)) for shape in ((4, 6, 8), (4, 9, 8), (8, 5))
    )
    return {"weight": weight}, Examples(x, torch.tensor([[0, 1, 2, 2, 1, 0]] * 4)), query_x


same(ours, one_by_one, case)

# %% [markdown]
# With ten digits, and with not one prediction changed:

# %%
stacked, looped = (scores(*case(np.random.default_rng(9))) for scores in (ours, one_by_one))
claim("Scores agree to 1e-10.", (stacked - looped).abs().max() < 1e-10, (stacked - looped).abs().max())
differing = (stacked.argmax(-1) != looped.argmax(-1)).sum()
claim("Predictions agree exactly.", differing == 0, differing)

# %% [markdown]
# A pass over thousands of images at once would need gigabytes for the inner layers, so the evaluation cuts the
# stack into portions of `n_at_once` episodes.


# %%
def stack(episodes):
    """Episodes of equal shapes as one, with a first axis that counts them."""
    parts = ([e.support for e in episodes], [e.query for e in episodes])
    return Episode(*(Examples(*map(np.stack, zip(*part, strict=True))) for part in parts))


@torch.inference_mode()
def score_batch(net, params, batch, *, n_at_once=20):
    """The scores of all queries of all episodes, as an array (n_tasks, q, n_way)."""
    support, query, _ = to_torch(batch, device)
    n_way = int(support.y.max()) + 1
    portions = zip(*(part.split(n_at_once) for part in (*support, query.x)), strict=True)
    scores = [batch_scores(embedding(net), params, Examples(x, y), q, n_way) for x, y, q in portions]
    return torch.cat(scores).cpu().numpy()


# %% [markdown]
# The whole evaluation, on an untrained network, held against the reference's `evaluate`, which loops.


# %%
net, params = new_learner(seed=0)


def all_at_once(adapt, tasks, *, n_episodes, rng):
    batch = stack([tasks.sample(rng) for _ in range(n_episodes)])
    return accuracy(score_batch(net, params, batch), batch.query.y)


adapt = in_numpy(partial(prototypical.adapt, params, embed=embedding(net)), device)
same(all_at_once, by_reference, lambda rng: (adapt, few, {"n_episodes": 8, "rng": rng}))

# %% [markdown]
# ### Honest means independent, and independent means fast
#
# In evaluation mode the embedding of an image does not depend on its episode. Then why embed the image again in
# every episode? The 146 validation characters have 2,920 drawings in all. Embed each *once*; an episode is then
# a handful of row numbers, and its scores are arithmetic on short vectors:
# $-|z - c|^2 = 2\, z \cdot c - |c|^2 - |z|^2$, where the last term is the same for all classes and changes no
# prediction. This shortcut is open to honest learners only: one whose predictions lean on the rest of the episode
# must be run on every episode.


# %%
def draw_rows(bank, rng, n_tasks):
    """Row numbers (n_tasks, 5, 16) of the images of 5-way episodes with 1 + 15 images a class."""
    classes = rng.random((n_tasks, len(bank.names))).argsort(axis=1)[:, :5]
    drawings = rng.random((n_tasks, 5, 20)).argsort(axis=2)[..., :16]
    return bank.offsets[classes][..., None] + drawings


def values_of_rows(z, rows):
    """The accuracy of each episode, from the embeddings z of the whole bank: one-shot, so c_k = z_k."""
    prototypes, queries = z[rows[:, :, 0]], z[rows[:, :, 1:]].flatten(1, 2)
    scores = 2 * queries @ prototypes.mT - (prototypes**2).sum(-1)[:, None]
    return accuracy(scores.cpu().numpy(), np.repeat(np.arange(5), 15))


@torch.inference_mode()
def embed_bank(net, params, bank):
    """One embedding for every image of the bank."""
    portions = torch.from_numpy(as_input(bank.images)).split(500)
    return torch.cat([embedding(net)(params, x.to(device)) for x in portions])


# %% tags=["timing", "nbval-ignore-output"]
rng = np.random.default_rng(6)
sixty = [tasks.sample(rng) for _ in range(60)]
at_once = stack(sixty)
for _ in range(2):  # the first round warms up
    times = [time.perf_counter()]
    for episode in sixty:
        adapt(episode.support)(episode.query.x)
    times.append(time.perf_counter())
    score_batch(net, params, at_once)
    times.append(time.perf_counter())
embedded = embed_bank(net, params, tasks.bank)
for _ in range(20):
    values_of_rows(embedded, draw_rows(tasks.bank, rng, 100))
times.append(time.perf_counter())
print("on {}: 60 episodes one by one {:.2f} s, at once {:.2f} s;".format(device.type, *np.diff(times)[:2]))
print(f"2,000 episodes with every image embedded once {np.diff(times)[2]:.2f} s")

# %% [markdown]
# What to expect: on a CPU the convolutions are the work. They take about the same time in either order, so
# stacking gains little or nothing there; it is meant for devices that one episode cannot fill, and the printed
# line says what it gains on yours. Embedding once gains everywhere, because no work is done twice.
#
# ## The experiment: a ladder of inflated accuracy
#
# ### The honest rung
#
# The network is trained on 217 characters, the Greek and Latin ones: 20-way episodes, 250 steps. It will be
# tested on scripts it has never seen: Armenian, Canadian syllabics, Lao, N'Ko and Tifinagh.


# %%
def train(bank, *, seed=0, n_steps=250):
    """A network trained on episodes of this bank, in evaluation mode, and its parameters."""
    rng = np.random.default_rng(seed)
    net, params = new_learner(seed)
    training_tasks = FewShot(bank, n_way=20, k_shot=1, n_query=5)
    params, _ = meta_train(
        params,
        partial(prototypical.meta_gradient, embed=embedding(net.train())),
        lambda: to_torch(training_tasks.sample(rng), device),
        optimizer=adam(lambda step: 4e-3 * (1 - step / n_steps)),
        n_steps=n_steps,
    )
    return net.eval(), params


training_bank, _ = glyphs("train").split(["Greek", "Latin"])
trained = train(training_bank)

# %% [markdown]
# Now the drawer is opened: 300 test episodes, drawn once, for everybody. Baselines first: chance, raw pixels,
# and the network before training.

# %%
test_bank = glyphs("test")
test_tasks = FewShot(test_bank, n_way=5, k_shot=1, n_query=15)
rng = np.random.default_rng(2)
episodes = [test_tasks.sample(rng) for _ in range(300)]
batch = stack(episodes)
labels = batch.query.y

pixels = np.array([accuracy(nearest_centroid(e.support)(e.query.x), e.query.y) for e in episodes])
untrained = accuracy(score_batch(*new_learner(seed=0), batch), labels)
honest_scores = score_batch(*trained, batch)
honest = accuracy(honest_scores, labels)

# %% tags=["training", "nbval-ignore-output"]
for name, values in (("raw pixels", pixels), ("untrained", untrained), ("honest", honest)):
    print(f"{name:12s} {report(values)}")
print("chance       1/5")

# %%
claim("The untrained network is above chance.", interval(untrained)[0] > 1 / 5, interval(untrained))
claim("Raw pixels beat the untrained network.", paired(pixels, untrained)[0] > 0, paired(pixels, untrained))
claim(
    "The trained network beats raw pixels by 20 points or more.",
    paired(honest, pixels)[0] > 0.2,
    paired(honest, pixels),
)

# %% [markdown]
# That is the number to report, and its interval says how exactly 300 episodes show the truth *of this network*.
# How exact is it really? With the whole test bank embedded once, 10,000 other episodes take a second or two.


# %%
def ten_thousand(z):
    """The accuracies of 10,000 episodes, the same at every call, from the embedded test bank."""
    rng = np.random.default_rng(3)
    return np.concatenate([values_of_rows(z, draw_rows(test_bank, rng, 500)) for _ in range(20)])


z = embed_bank(*trained, test_bank)
exact = ten_thousand(z)

# %% tags=["training", "nbval-ignore-output"]
print(f"honest, 300 episodes:    {report(honest)}")
print(f"honest, 10,000 episodes: {report(exact)}")

# %%
near = abs(honest.mean() - exact.mean()) < 3 / 1.96 * half_width(honest)
claim("The two agree within three standard errors.", near, honest.mean(), exact.mean())

# %% [markdown]
# "Of this network" is a warning. Train once more, on the same characters for as many steps, from another seed.
# This is the same method. What does the paired interval say about the two?

# %%
another = ten_thousand(embed_bank(*train(training_bank, seed=2), test_bank))
low_end, high_end = paired(another, exact)
claim(
    "A method differs significantly from itself: zero is left out.",
    low_end > 0 or high_end < 0,
    low_end,
    high_end,
)

# %% tags=["training", "nbval-ignore-output"]
print(f"seed 2: {report(another)}")
print(f"seed 2 - seed 0: {report(another - exact)}")

# %% [markdown]
# The interval did its work: these two *networks* do differ, and enough episodes show it. But seeds are drawn like
# episodes are. A sentence about the *method* needs several trainings, and the interval of their means. Keep that
# in mind for the third leak, which compares two trainings.
#
# ### Leak 1: batch statistics
#
# Somebody forgets `net.eval()`, or the code has no running averages at all. Then the network normalises the
# queries by the mean and spread of *all queries of the episode*. This is called *transduction*: predictions for
# one query use the others. Nichol et al. (2018) report their results with and without it.
#
# What does it give away? All 75 queries together say where this task lies among all tasks, and there are exactly
# 15 of each class, so their mean stands in the middle of the five classes. (Danger: in training mode the network
# also *writes* to its running averages. We work on a copy, or the honest learner would change too.)

# %%
forgetful = copy.deepcopy(trained[0]).train(), trained[1]
adapt_forgetful = in_numpy(partial(prototypical.adapt, forgetful[1], embed=embedding(forgetful[0])), device)
with torch.inference_mode():
    predictors = [adapt_forgetful(e.support) for e in episodes]
    statistics = np.stack([predict(e.query.x) for predict, e in zip(predictors, episodes, strict=True)])

# %% [markdown]
# The same learner in the same mode, but the queries of one class come first, then those of the next: as when a
# person writes the same letter fifteen times. Every query is still answered, and counted, once.

# %%
with torch.inference_mode():
    class_by_class = np.empty_like(statistics)
    for predict, e, scores in zip(predictors, episodes, class_by_class, strict=True):
        for k in range(5):
            scores[e.query.y == k] = predict(e.query.x[e.query.y == k])

# %% tags=["training", "nbval-ignore-output"]
batch_statistics = accuracy(statistics, labels)
one_class_at_a_time = accuracy(class_by_class, labels)
print(f"batch statistics:              {report(batch_statistics)}")
print(f"  difference to honest:        {report(batch_statistics - honest)}")
print(f"  queries one class at a time: {report(one_class_at_a_time)}")

# %%
claim(
    "Batch statistics add to the accuracy; pairing shows it.",
    paired(batch_statistics, honest)[0] > 0,
    paired(batch_statistics, honest),
)
claim(
    "They cost over 15 points once classes come one at a time.",
    paired(one_class_at_a_time, honest)[1] < -0.15,
    paired(one_class_at_a_time, honest),
)

# %% [markdown]
# The gain is about a point; pairing leaves no doubt that it is there. The last number is what this section is about:
# the reported accuracy belongs to the learner *and to a test set with exactly fifteen queries of each class*.
# Take that away and a good part of it is gone. An honest learner scores the same in any order of arrival.
#
# ### Leak 2: sorted queries
#
# Many samplers build an episode class by class and never shuffle: the queries arrive as 15 of class 0, then 15
# of class 1, and so on. A prototypical network treats each query alone and cannot notice. But learners that read
# the queries as a sequence can: recurrent networks, convolutions over the row, attention with positions. Nobody
# tells them to cheat. Give such a learner one small layer over the row of queries,
#
# $$\text{score}'_{q} = \sum_{j=-4}^{4} w_j\, \text{score}_{q + j},$$
#
# and let gradient descent choose the nine weights on *training* episodes.


# %%
def read_in_order(scores, weights):
    """Each query's scores (..., q, n_way), mixed with those of its neighbours in the row."""
    reach, n_query = len(weights) // 2, scores.shape[-2]
    padded = F.pad(scores, (0, 0, reach, reach))
    return sum(w * padded[..., j : j + n_query, :] for j, w in enumerate(weights))


def sort_queries(scores, labels):
    """The queries of each episode in the order of their classes."""
    order = labels.argsort(axis=1, kind="stable")
    return np.take_along_axis(scores, order[..., None], axis=1), np.take_along_axis(labels, order, axis=1)


def fit_reader(scores, labels):
    """The nine weights with the least cross-entropy on these episodes, by gradient descent."""
    scores, labels = torch.from_numpy(scores), torch.from_numpy(labels)

    def gradient(params, _):
        weights = params["weights"].detach().requires_grad_()
        loss = F.cross_entropy(read_in_order(scores, weights).flatten(0, 1), labels.flatten())
        return {"weights": torch.autograd.grad(loss, weights)[0]}, loss.detach()

    start = {"weights": F.one_hot(torch.tensor(4), 9).float()}  # each query by itself
    return meta_train(start, gradient, lambda: None, optimizer=adam(0.03), n_steps=150)[0]["weights"]


# %% [markdown]
# One reader learns on sorted training episodes, one on shuffled ones. Both then read the honest scores of the
# test episodes.

# %%
rng = np.random.default_rng(4)
of_training = FewShot(training_bank, n_way=5, k_shot=1, n_query=15)
lessons = stack([of_training.sample(rng) for _ in range(100)])
lesson_scores = score_batch(*trained, lessons)
on_sorted = fit_reader(*sort_queries(lesson_scores, lessons.query.y))
on_shuffled = fit_reader(lesson_scores, lessons.query.y)


def read(scores, weights):
    return read_in_order(torch.from_numpy(scores), weights).numpy()


sorted_scores, sorted_labels = sort_queries(honest_scores, labels)
sorted_queries = accuracy(read(sorted_scores, on_sorted), sorted_labels)
same_reader_shuffled = accuracy(read(honest_scores, on_sorted), labels)
shuffled_reader = accuracy(read(honest_scores, on_shuffled), labels)

# %% tags=["training", "nbval-ignore-output"]
print("weights learned on sorted queries:  ", on_sorted.numpy().round(2))
print("weights learned on shuffled queries:", on_shuffled.numpy().round(2))
print(f"sorted queries:             {report(sorted_queries)}")
print(f"  difference to honest:     {report(sorted_queries - honest)}")
print(f"  same reader, shuffled:    {report(same_reader_shuffled)}")
print(f"shuffled reader - honest:   {report(shuffled_reader - honest)}")

# %%
beside, alone = np.array([3, 5]), np.arange(9) != 4
claim(
    "On sorted queries it learned to ask the neighbours.",
    on_sorted.numpy()[beside].min() > 0.1,
    on_sorted.numpy()[beside].min(),
)
claim(
    "On shuffled queries it learned not to.",
    np.abs(on_shuffled.numpy()[alone]).max() < 0.1,
    np.abs(on_shuffled.numpy()[alone]).max(),
)
claim(
    "Reading sorted queries adds over 2 points.",
    paired(sorted_queries, honest)[0] > 0.02,
    paired(sorted_queries, honest),
)
claim(
    "Shuffle them, and it loses over 10.",
    paired(same_reader_shuffled, honest)[1] < -0.1,
    paired(same_reader_shuffled, honest),
)
claim(
    "Even on shuffled queries a reader gains a little.",
    paired(shuffled_reader, honest)[0] > 0,
    paired(shuffled_reader, honest),
)
claim(
    "Its weights for the neighbours sum to less than zero.",
    on_shuffled.numpy()[alone].sum() < 0,
    on_shuffled.numpy()[alone].sum(),
)

# %% [markdown]
# The network is the same in all of these lines, and so are the images. Only the order of the rows tells. Look at
# the last line of numbers, too: the reader that learned on shuffled queries gains a little. Its weights for the
# neighbours are slightly *negative*. In a row of exactly 15 queries of each class, whatever the neighbour is,
# you are less likely to be. A learner that may look at the other queries finds every regularity of the test set.
#
# ### Leak 3: test classes in training
#
# Somebody splits the *drawings* into training and test instead of the *classes*, or trains on "all the data" and
# draws test episodes from it later. We train a second network, in the same way and for as many steps, on the
# Greek and Latin characters and the test characters together. Then we add up all three leaks: that network, in
# training mode, with sorted queries.


# %%
def together(*banks):
    """One bank with the classes of all of them."""
    sizes = np.concatenate([bank.sizes for bank in banks])
    names, groups = (np.concatenate([getattr(bank, kind) for bank in banks]) for kind in ("names", "groups"))
    images = np.concatenate([bank.images for bank in banks])
    return make_bank(images, np.repeat(np.arange(len(sizes)), sizes), names=names, groups=groups)


leaked = train(together(training_bank, test_bank))
test_classes = accuracy(score_batch(*leaked, batch), labels)

# %%
careless = copy.deepcopy(leaked[0]).train()
adapt_leaked = in_numpy(partial(prototypical.adapt, leaked[1], embed=embedding(careless)), device)
with torch.inference_mode():
    scores = np.stack([adapt_leaked(e.support)(e.query.x) for e in episodes])
scores, scored_labels = sort_queries(scores, labels)
all_three = accuracy(read(scores, on_sorted), scored_labels)

# %% [markdown]
# ### The ladder
#
# All rungs met the same 300 episodes, so each difference to the honest rung has a paired interval. Beside it
# stands your guess.

# %% tags=["training", "nbval-ignore-output"]
rungs = {
    "batch statistics": batch_statistics,
    "sorted queries": sorted_queries,
    "test classes in training": test_classes,
    "all three": all_three,
}
for name, values in rungs.items():
    print(
        f"{name:25s} {report(values)}; gain {report(values - honest)}; you guessed {my_guess[name] / 100:.3f}"
    )

# %%
gains = {name: paired(values, honest) for name, values in rungs.items()}
claim("Every leak inflates the accuracy.", min(gains.values())[0] > 0, gains)
claim(
    "Test classes in training add over 2 points.",
    gains["test classes in training"][0] > 0.02,
    gains["test classes in training"][0],
)
claim("All three together add over 6 points.", gains["all three"][0] > 0.06, gains["all three"][0])
claim(
    "The honest learner errs on one query in six, give or take 3 points.",
    abs(honest.mean() - 5 / 6) < 0.03,
    honest.mean(),
)
claim(
    "With all three leaks it seems to err on fewer than one in fifteen.",
    interval(all_three)[0] > 14 / 15,
    interval(all_three),
)

# %%
everything = {"raw pixels": pixels, "untrained network": untrained, "honest": honest, **rungs}
means = np.array([values.mean() for values in everything.values()])
half_widths = np.array([half_width(values) for values in everything.values()])
ax = plotting.ladder(list(everything), means, half_widths, reference=1 / 5)
ax.set(xlabel="accuracy on 300 test episodes (dashed: chance)", xticks=np.linspace(0, 1, 6))
plotting.show(
    "Horizontal bars with intervals: raw pixels near 0.47, untrained 0.40, honest 0.84, then batch "
    "statistics, sorted queries, test classes in training and all three, rising to about 0.95."
)

# %% [markdown]
# **Figure 3.** The ladder of inflated accuracy. Each rung above "honest" is the same architecture, trained as
# long, under a protocol that is wrong in one way; the last is wrong in all three. None of them would read a new
# script better. With all three leaks a learner that errs on one query in six looks as if it erred on fewer than
# one in fifteen. The figure does not say that these leaks are always so large: two networks with other seeds, or
# another data set, give other gaps.

# %%
changes = {name: values - honest for name, values in rungs.items()}
changes |= {
    "batch statistics,\none class at a time": one_class_at_a_time - honest,
    "reader of sorted queries,\nshuffled": same_reader_shuffled - honest,
}
means = np.array([values.mean() for values in changes.values()])
half_widths = np.array([half_width(values) for values in changes.values()])
ax = plotting.ladder(list(changes), means, half_widths, reference=0)
ax.set(xlabel="difference to the honest rung, paired (300 episodes)")
plotting.show(
    "Horizontal bars of paired differences to the honest rung: four small gains of 0.01 to 0.1 on the right "
    "of zero, two losses of 0.2 to 0.35 on the left."
)

# %% [markdown]
# **Figure 4.** What a leak gives in the table, it takes in use. The learners of the first two rungs lean on the
# make-up of the test set, and fall far below the honest one when it changes. The third leak has no such row: no
# rearrangement of the queries brings it to light. One must compare the lists of classes.
#
# ### A fourth way up: choosing on the test episodes
#
# No code is wrong here, only the order of work. Somebody tries thirty variants, evaluates each on the test
# episodes, and reports the best. Our thirty variants of the honest network each ignore eight of the 32
# features of the embedding, drawn at random. We choose the best by 30 test episodes, note its lead over the average variant there,
# and look up its lead on all other episodes. (A lead is a paired difference: hard and easy episodes cancel.) And
# because one such story could be luck, we tell it 100 times with fresh episodes.

# %% tags=["training", "nbval-ignore-output"]
rng = np.random.default_rng(7)
variants = [rng.permutation(32)[:24] for _ in range(30)]  # the features that each one keeps
rows = [draw_rows(test_bank, rng, 30) for _ in range(100)]  # a hundred stories
table = np.array([[values_of_rows(z[:, keep], r).mean() for keep in variants] for r in rows])  # (100, 30)
lead = table - table.mean(axis=1, keepdims=True)  # over the average variant, on the same episodes
reported = lead.max(axis=1)
elsewhere = (lead.sum(axis=0)[lead.argmax(axis=1)] - reported) / (len(rows) - 1)  # in all other stories
luck = reported - elsewhere
print(f"lead, reported - true: {luck.mean():.4f} +- {half_width(luck):.4f} (95% CI, 100 stories)")

# %%
claim("The best of thirty on 30 episodes is reported too good.", interval(luck)[0] > 0, interval(luck))

# %% [markdown]
# The best of many is partly good and partly lucky, and only the first part comes back. So choose on the
# *validation* classes, and open the drawer with the test classes once, for one learner.
#
# ## How many episodes? Move the slider
#
# The mean of the first episodes and its interval, as they come in.

# %%
from reference.figures import show_interval

_ = show_interval(exact[:1000], n_episodes=1000)
plotting.show("A line that settles near 0.84 within a band that narrows quickly at first and slowly later.")

# %% [markdown]
# **Figure 5.** The band narrows like $1/\sqrt{n}$: four times the episodes for half the width. The first hundred
# do most of the work. The figure is one draw of episodes; another draw wanders differently inside its band.

# %% tags=["interactive", "nbval-ignore-output"]
from reference.widgets import sliders

sliders(show_interval, exact[:1000], n_episodes=(2, 1000, 300))

# %% [markdown]
# ## What breaks it
#
# - **Few episodes.** With five, $s$ itself is uncertain, and 1.96 is too small (Student's $t$ says 2.78).
# - **Counting queries instead of episodes.** The 75 queries of an episode share one support set: if it is a bad
#   drawing, all suffer. They are not 75 independent draws; the independent thing is the episode. Exercise 1
#   measures what that mistake costs.
# - **One training run.** The interval is about *this network*; we saw a method beat itself. "Method A beats method
#   B" needs several trainings of each, and then the training run is what is drawn independently.
# - **Small test banks.** Episodes from 198 characters repeat the characters. The interval covers other episodes
#   of these scripts, not other scripts.
#
# **What differs from the papers.** The tables of Vinyals et al. (2016) hold means alone; those of Snell et al. (2017)
# have, on their larger data set, the interval of this chapter. Both put rows of several papers side by side, measured
# on different episodes. From such a table only unpaired comparisons can be made. That is why this course stores
# every value.
#
# ## The museum: a "+-" that means something else
#
# The function below re-creates a line found in public code. Here is the kind of table that comes of it
# (names and numbers are invented), 600 episodes for each row, drawn separately.
#
# | method | 5-way 1-shot |
# |---|---|
# | SnapNet | 68.2 +- 9.8 |
# | HydraProto | 70.4 +- 9.6 |
# | MetaMeta++ | 68.9 +- 10.1 |


# %%
def plus_minus(values):
    """What stands behind the "+-" in the table."""
    return np.std(values)


invented = {"SnapNet": (68.2, 9.8), "HydraProto": (70.4, 9.6), "MetaMeta++": (68.9, 10.1)}

# %% [markdown]
# Which of the three differ significantly? Decide before you read on. Read as intervals, the rows overlap almost
# completely: 58.4 to 78.0 against 60.8 to 80.0. A reader will say "no difference at all".
#
# Now the symptom. Spend four times the compute on the evaluation of raw pixels, and four times again:

# %%
widths = [plus_minus(many[:n]) for n in (250, 1000, 4000)]
claim(
    "Sixteen times the episodes, and the '+-' stays, within a tenth.",
    abs(widths[2] / widths[0] - 1) < 0.1,
    widths[2] / widths[0],
)

# %% [markdown]
# More evidence must make us surer. Find the fault in `plus_minus`, then pin it down: write a test that any
# honest "+-" passes and this one fails.
#
# <details><summary>The fault</summary>
#
# It is the standard deviation over episodes. It answers "how different are episodes?", and no amount of
# evaluation makes episodes more alike. (It also has the default `ddof=0`; that hardly matters at 600.)
#
# </details>


# %% tags=["raises-exception"]
def check_shrinks(plus_minus):
    """AssertionError unless four times the evidence halves the "+-"."""
    values = np.tile([0.4, 0.6, 0.6, 0.8], 250)
    ratio = plus_minus(values) / plus_minus(values[:250])
    assert abs(ratio - 0.5) < 0.01, (
        f"four times the episodes should halve the '+-'; it changed by {ratio:.2f}."
    )


check_shrinks(plus_minus)

# %% [markdown]
# The test fails, as it should. The fix is one division and one factor, and we have had it since the first page.
# The published rows can be mended too, because they say how many episodes there were.

# %%
check_shrinks(half_width)
mended = {name: (mean, 1.96 * std / np.sqrt(600)) for name, (mean, std) in invented.items()}
for name, (mean, width) in mended.items():
    print(f"{name:10s} {mean:.1f} +- {width:.2f}")


# %%
def resolved(first, second):
    """Whether two rows on different episodes differ: the gap against the root of the sum of squares."""
    (mean_a, width_a), (mean_b, width_b) = mended[first], mended[second]
    return abs(mean_a - mean_b) > np.hypot(width_a, width_b)


claim("HydraProto differs from SnapNet.", resolved("HydraProto", "SnapNet"), mended)
claim("HydraProto differs from MetaMeta++.", resolved("HydraProto", "MetaMeta++"), mended)
claim("SnapNet and MetaMeta++ are not told apart.", not resolved("SnapNet", "MetaMeta++"), mended)

# %% [markdown]
# "No difference at all" was wrong for two pairs of three. The opposite mistake happens as well: one row has an
# interval (+- 0.8), its neighbour a standard deviation (+- 9.8), and the first looks like the steadier method.
# When you meet a "+-", multiply it by $\sqrt{n} / 1.96$. If the result is more than an accuracy can spread (50
# points at the most), it was a standard deviation.
#
# ## Exercises

# %% [markdown]
# ### Exercise 1: Does an interval keep its promise?
#
# *Difficulty: easy. Time: 15 minutes. Points: 3.*
#
# Write `coverage(interval, draw, truth, n_trials, rng)`: the share of `n_trials` experiments whose interval holds
# `truth`. `draw(rng)` runs one experiment and gives its values; `interval(values)` gives the pair (low, high).
#
# The test cell then holds three intervals against an invented learner: the interval of this chapter, the same
# with five episodes, and one that counts each query as an independent draw. Guess the three shares first.
#
# <details><summary>Hint 1</summary>
#
# Figure 1 did this for 100 experiments that were drawn in advance. Write it as a loop.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Every trial needs an experiment of its own, and both ends of its interval.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `low, high = interval(draw(rng))`, then count `low <= truth <= high`, then divide by the number of trials.
#
# </details>


# %% solution="coverage"
def coverage(interval, draw, truth, n_trials, rng):
    """The share of experiments whose interval holds the truth."""
    ### BEGIN SOLUTION
    hits = 0
    for _ in range(n_trials):
        low, high = interval(draw(rng))
        hits += low <= truth <= high
    return hits / n_trials
    ### END SOLUTION


# %% test="coverage" points=2
recorded = [[-1, 1], [1, 2], [-2, 5], [-3, -1], [-1, 4]]  # five experiments; three of them enclose 0
waiting = iter(recorded)
share = coverage(lambda values: (min(values), max(values)), lambda rng: next(waiting), 0, 5, None)
left = len(list(waiting))
assert left == 0, f"{left} of 5 experiments were never drawn: each trial needs a fresh experiment."
assert share <= 1, f"coverage gave {share}: that is a count, and a share is asked for. Divide by the trials."
assert np.isclose(share, 3 / 5), (
    f"[-1, 1], [1, 2], [-2, 5], [-3, -1], [-1, 4] and truth 0: three of five hold it, you say {share}. "
    "An interval holds the truth if both ends are on the right side of it: low <= truth <= high."
)
### BEGIN HIDDEN TESTS
share = coverage(interval, lambda rng: rng.normal(2.0, 1.0, size=50), 2.0, 1000, np.random.default_rng(0))
assert 0.92 < share < 0.97, (
    f"1,000 experiments of 50 normal values around 2: the share should be near 0.95, you say {share}. "
    "Is it the truth that is looked for in the interval, and not the experiment's own mean?"
)
### END HIDDEN TESTS
print("coverage: passed")

# %% [markdown]
# Now use it. An episode's own accuracy $p_i$ varies around 0.7, and its 75 queries are right with probability
# $p_i$ each.


# %% test="coverage" points=1
def invented_episodes(n):
    """draw(rng) -> the accuracies of n episodes of 75 queries; their mean is 0.7."""
    return lambda rng: rng.binomial(75, rng.beta(14, 6, size=n)) / 75


def queries_as_draws(values):
    """The interval that takes 75 queries an episode for independent draws."""
    p = values.mean()
    reach = 1.96 * np.sqrt(p * (1 - p) / (75 * len(values)))
    return p - reach, p + reach


shares = [
    coverage(method, invented_episodes(n), 0.7, 2000, np.random.default_rng(1))
    for method, n in ((interval, 100), (interval, 5), (queries_as_draws, 100))
]
story = f"your coverage gives {np.round(shares, 3)}"
assert 0.93 < shares[0] < 0.97, (
    f"100 episodes should cover the truth in about 95 of 100 experiments; {story}."
)
assert 0.83 < shares[1] < 0.92, f"5 episodes should cover it in about 88 of 100 experiments; {story}."
assert 0.50 < shares[2] < 0.75, f"counting queries should cover it in fewer than 75 of 100; {story}."
print("coverage of three intervals: near 95, below 92 and below 75 in 100 experiments")

# %% [markdown]
# ### Exercise 2: A verdict on the same episodes
#
# *Difficulty: easy. Time: 10 minutes. Points: 2.*
#
# Two learners met the same episodes; `a` and `b` hold their accuracies. Write `verdict(a, b)`, which returns
# `"a"` if the first is better at 95 %, `"b"` if the second is, and `"open"` if the episodes do not decide.
#
# <details><summary>Hint 1</summary>
#
# One interval is needed, not two. Of what?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The interval of the differences `a - b` decides as soon as it leaves out one certain number.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `low, high = interval(a - b)`. If `low > 0`, the first is better.
#
# </details>


# %% solution="verdict"
def verdict(a, b):
    """Which of two learners on the same episodes is better at 95 %: "a", "b" or "open"."""
    ### BEGIN SOLUTION
    low, high = interval(a - b)
    if low > 0:
        return "a"
    return "b" if high < 0 else "open"
    ### END SOLUTION


# %% test="verdict" points=1
hardness = np.linspace(0.3, 0.9, 40)
wiggle = np.tile([0.01, -0.01], 20)
given = verdict(hardness + 0.02 + wiggle, hardness)
assert given == "a", (
    f"a is 0.02 better on 40 shared episodes, give or take 0.01, you say {given!r}. Hard and easy episodes "
    "make both spread; in the differences a - b that cancels. Is yours a paired comparison?"
)
given = verdict(hardness + 0.001 + 4 * wiggle, hardness)
assert given == "open", (
    f"a is 0.001 better, give or take 0.04: 40 episodes do not decide that, you say {given!r}. "
    "A larger mean is not yet a difference: what does the interval of the differences say about 0?"
)
print("verdict: passed on shared episodes")

# %% test="verdict" points=1
given = verdict(hardness, hardness)
assert given == "open", f"equal learners differ in nothing, you say {given!r}."
### BEGIN HIDDEN TESTS
given = verdict(hardness, hardness + 0.02 + wiggle)
assert given == "b", f"with a and b exchanged the verdict must be 'b', you say {given!r}: look at both ends."
given = verdict(hardness[::-1] + 0.1, hardness)  # what is hard for one is easy for the other
assert given == "open", (
    f"on opposite tastes the differences spread twice as far, and 0.1 is not resolved, you say {given!r}. "
    "Var(a - b) = Va + Vb - 2 Cov, and here Cov is negative. Only the differences themselves know."
)
given = verdict(hardness + 0.004 + wiggle, hardness)
assert given == "a", (
    f"differences of 0.004 with a spread of 0.01 are resolved by 40 episodes, you say {given!r}. "
    "The standard deviation of the differences is not yet the half-width: divide by the root of n."
)
### END HIDDEN TESTS
print("verdict: passed")

# %% [markdown]
# ### Exercise 3: How many episodes resolve one point?
#
# *Difficulty: medium. Time: 15 minutes. Points: 3.*
#
# You have tried two learners on a few shared episodes, a *pilot*. Write `episodes_to_resolve(a, b, gap)`: the
# smallest number of shared episodes whose interval of the mean difference has a half-width of at most `gap`. Take
# the spread from the pilot. Accuracies and `gap` are fractions: one point is 0.01.
#
# <details><summary>Hint 1</summary>
#
# Set the half-width equal to the gap and solve for $n$. Whose standard deviation is it?
#
# </details>
# <details><summary>Hint 2</summary>
#
# $n \ge (1.96\, s / \text{gap})^2$ with $s$ from the differences.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Half an episode cannot be drawn, and one fewer is not enough: round up.
#
# </details>


# %% solution="episodes-to-resolve"
def episodes_to_resolve(a, b, gap):
    """The fewest shared episodes whose mean difference a - b has a half-width of at most gap."""
    ### BEGIN SOLUTION
    s = np.std(a - b, ddof=1)
    return int(np.ceil((1.96 * s / gap) ** 2))
    ### END SOLUTION


# %% test="episodes-to-resolve" points=3
pilot = np.linspace(0.3, 0.9, 20)
other = pilot + np.tile([0.1, -0.1], 10)  # the differences are 0.1 and -0.1: s = 0.1026
n = episodes_to_resolve(other, pilot, 0.02)
assert n < 200, (
    f"the pilot's differences are 0.1 and -0.1; 102 shared episodes resolve 0.02, you say {n}. "
    "Hard and easy episodes cancel in the differences: is the spread that of a - b?"
)
assert n > 20, (
    f"the half-width falls with the root of n, so n grows with the square: 102 for 0.02, you say {n}."
)
assert n == 102, (
    f"(1.96 * 0.1026 / 0.02)^2 = 101.1, so 102 episodes are needed, you say {n}. "
    "Is s taken with n - 1 (ddof=1), and which way does one round up?"
)
### BEGIN HIDDEN TESTS
n = episodes_to_resolve(other, pilot, 0.01)
assert n == 405, f"half the gap takes four times the episodes, 405 for 0.01, you say {n}. Mind the square."
n = episodes_to_resolve(pilot, other + 0.3, 0.02)
assert n == 102, (
    f"a constant lead changes the mean and not the spread: still 102, you say {n}. "
    "The standard deviation is about the mean difference, not about zero."
)
### END HIDDEN TESTS
print("episodes_to_resolve: passed")

# %% [markdown]
# ### Exercise 4: Catch the leak
#
# *Difficulty: hard. Time: 25 minutes. Points: 4.*
#
# An honest `predict` gives every query the same scores whatever comes with it. Write `leans_on_others(predict, x)`,
# which returns `True` if any query's scores depend on the other rows of `x`, else `False`. `x` has shape (q, d);
# `predict` takes any number of rows and gives one row of scores for each. Rounding is no leak: arithmetic on one
# row and on many may differ in the last digits, so let differences up to `1e-6` pass.
#
# <details><summary>Hint 1</summary>
#
# Shuffling the rows is not enough. Which of the leaks of this chapter does not mind the order?
#
# </details>
# <details><summary>Hint 2</summary>
#
# What would a query get if it came alone? Which queries have to be tried?
#
# </details>
# <details><summary>Hint 3</summary>
#
# `predict(x[i : i + 1])[0]` against `predict(x)[i]`, scores and not classes, for every `i`.
#
# </details>


# %% solution="leans-on-others"
def leans_on_others(predict, x):
    """Whether some query's scores depend on the other queries."""
    ### BEGIN SOLUTION
    alone = np.concatenate([predict(x[i : i + 1]) for i in range(len(x))])
    return bool(np.abs(alone - predict(x)).max() > 1e-6)
    ### END SOLUTION


# %% test="leans-on-others" points=2
rng = np.random.default_rng(8)
queries, weight = rng.normal(size=(6, 4)), rng.normal(size=(4, 3))


def honest_predict(x):
    return x @ weight


def batch_predict(x):
    return (x - x.mean(axis=0)) @ weight


def neighbour_predict(x):
    scores = x @ weight
    scores[1:] += scores[:-1].copy()
    return scores


assert not leans_on_others(honest_predict, queries), (
    "x @ w treats every row by itself, and you found a leak. Do you let rounding pass, with 1e-6?"
)
assert leans_on_others(neighbour_predict, queries), (
    "each row is mixed with the one before it, and you found no leak. Do you try only the first query?"
)
print("leans_on_others: tells a neighbour's leak from none")

# %% test="leans-on-others" points=2
assert leans_on_others(batch_predict, queries), (
    "the mean of all queries is subtracted, and you found no leak. That mean is the same in any order, so "
    "shuffling cannot see it. What would a query get if it came alone?"
)
### BEGIN HIDDEN TESTS
assert not leans_on_others(lambda x: x @ weight + 1e-10 * len(x), queries), (
    "a difference of 1e-9 is rounding, not a leak: leave a tolerance of 1e-6."
)
assert leans_on_others(lambda x: x @ weight + 0.001 * x.mean(), queries), (
    "every score moves by the same small number, so no prediction changes, and you found no leak. It is one "
    "nevertheless, and will change others: compare the scores, not the classes they choose."
)
### END HIDDEN TESTS
print("leans_on_others: passed")

# %% [markdown]
# Your function on the learners of this chapter, in float64 so that rounding stays far below the tolerance.

# %%
some = (
    Examples(batch.support.x[0].astype(np.float64), batch.support.y[0]),
    batch.query.x[0].astype(np.float64),
)
caught = {}
for name, (network, weights) in (("honest", trained), ("forgetful", forgetful)):
    double = copy.deepcopy(network).double(), {key: p.double() for key, p in weights.items()}
    learner = in_numpy(partial(prototypical.adapt, double[1], embed=embedding(double[0])), device)
    with torch.inference_mode():
        caught[name] = leans_on_others(learner(some[0]), some[1])
claim("The honest learner passes.", not caught["honest"], caught)
claim("The one that uses batch statistics is caught.", caught["forgetful"], caught)

# %% [markdown]
# ### Exercise 5: Which number goes into the table?
#
# *Difficulty: medium. Time: 10 minutes. Points: 3.*
#
# A colleague trains the same method with twenty seeds. Each network is evaluated on the same 600 test episodes,
# 15 queries a class, normalised by the statistics of the queries. She reports the best: "94.1 +- 0.5". The
# interval is computed as in this chapter. In four to six sentences: name two reasons why the number is too good,
# say why the interval cannot show either, and say what she should have done and reported.
#
# <details><summary>Hint 1</summary>
#
# One reason is a leak through `predict`, the other lies in the order of work.
#
# </details>
# <details><summary>Hint 2</summary>
#
# What does an interval take for granted about the episodes and the learner?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Twenty seeds are twenty independent values. What is *their* mean and interval, and on which classes may one choose?
#
# </details>

# %% [markdown] answer="which-number" points=3
# <!-- BEGIN SOLUTION -->
# The batch statistics let each query see the other 74 and the exact balance of the classes; a learner that meets
# queries alone, or unevenly, will do worse. And the best of twenty on the test episodes was chosen partly for its
# luck on these episodes. The interval describes how the mean over episodes of *this* number varies with the draw
# of episodes; it takes the protocol as given and knows nothing of the nineteen others. She should evaluate with
# running statistics (or report both, and call the one transductive), choose, if she must, on validation classes,
# and report on the test episodes the mean over the twenty seeds with the interval of these twenty means.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Summary
#
# - The mean over $n$ episodes has the 95 % interval $\hat\mu \pm 1.96\, s / \sqrt{n}$; episodes count, not queries.
# - On the same episodes compare differences: $\mathrm{Var}(a - b)$ loses twice the covariance, and one point takes
#   a fraction of the episodes.
# - An interval says how exact a number is, not whether its protocol is honest: three leaks took a learner
#   from one error in six to fewer than one in fifteen.
# - A query's scores must not depend on the other queries, test classes must be new, and choices are made on
#   validation classes.
# - A "+-" that does not shrink with the number of episodes is a standard deviation.
#
# ## Read more
#
# - Bradley Efron, 1979, Bootstrap Methods: Another Look at the Jackknife, Annals of Statistics 7.
# - Sergey Ioffe, Christian Szegedy, 2015, Batch Normalization, arXiv:1502.03167.
# - Oriol Vinyals et al., 2016, Matching Networks for One Shot Learning, arXiv:1606.04080.
# - Jake Snell, Kevin Swersky, Richard Zemel, 2017, Prototypical Networks for Few-shot Learning, arXiv:1703.05175.
# - Alex Nichol, Joshua Achiam, John Schulman, 2018, On First-Order Meta-Learning Algorithms, arXiv:1803.02999.
# - Wei-Yu Chen et al., 2019, A Closer Look at Few-shot Classification, arXiv:1904.04232.
# - John Bronskill et al., 2020, TaskNorm: Rethinking Batch Normalization for Meta-Learning, arXiv:2003.03284.
