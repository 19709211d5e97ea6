# %% [markdown] teaches=["reference.tasks.families", "reference.tasks.bank.FewShot", "reference.pytorch.machine.arrays"]
# # Tasks and episodes
#
# **Question.** What can be learned from many tasks that cannot be learned from any one of them?
#
# **Objectives.** After this chapter you can
#
# - draw N-way K-shot episodes with distinct classes, disjoint support and query, and labels that give nothing away,
# - split data by classes, so that a test asks for new tasks and not only for new examples,
# - say how good a learner can become that never looks at its support, and use that as a yardstick,
# - build a learner of tasks in a dozen lines, predict its error, and say where it must fail,
# - write the inner and the outer objective of any learner of this course in one notation.
#
# **Prerequisites.** Python and NumPy; means, variances and matrices; least squares. No machine learning is needed.
#
# **Time.** 90 minutes to read, 1 minute to run.

# %% tags=["setup"]
from dataclasses import dataclass
from math import comb

import matplotlib.pyplot as plt
import numpy as np

from reference import plotting
from reference.checks import claim, same
from reference.episodes import Episode, Examples
from reference.evaluation import evaluate
from reference.tasks.bank import Bank, as_input
from reference.tasks.glyphs import glyphs

plt.style.use(plotting.STYLE)

# %% [markdown]
# ## By hand: two points and one idea
#
# Somebody shows you two examples of an unknown rule: the input 1 has the target 3, and the input 3 has the target 7.
# What is the target of the input 5?
#
# It depends on what you have seen before. These two examples are a **support set**: the examples to learn
# from. A learner is a function that takes the support set and returns another function, the one that
# predicts. One that knows nothing of earlier rules can do little better than repeat what it saw nearby. One
# that has met many such rules, and found that all of them were straight lines, needs no more than the two
# points: the slope is $(7 - 3) / (3 - 1) = 2$, the intercept $3 - 2 \cdot 1 = 1$. Here are both learners.
# A support set has two fields, the inputs `x` and the targets `y`, columns with one row an example.


# %%
def knows_nothing(support):
    """The target of the nearest support input."""

    def predict(x):
        nearest = np.abs(x - support.x.T).argmin(axis=1)
        return support.y[nearest]

    return predict


def knows_lines(support):
    """The line through the two support points."""
    (x1, x2), (y1, y2) = support.x[:, 0], support.y[:, 0]
    slope = (y2 - y1) / (x2 - x1)
    return lambda x: y1 + slope * (x - x1)


# %% [markdown]
# Both get the same support set and the same question, the input 5. The examples on which a learner is judged
# are the **query set**. (`Examples` is a pair of arrays, `x` and `y`, with names.) The rule was $y = 2x + 1$,
# so the right answer is 11.

# %%
support = Examples(x=np.array([[1.0], [3.0]]), y=np.array([[3.0], [7.0]]))
question = np.array([[5.0]])
for learner in (knows_nothing, knows_lines):
    predict = learner(support)
    print(f"{learner.__name__}: {predict(question)[0, 0]:.4g}")

# %% [markdown]
# The first says 7 and is wrong by 4; the second says 11. They saw the same two points. What separates them is
# knowledge of the *kind* of rule, and nobody needs to program that knowledge in: it can be learned from
# earlier rules. That is meta-learning.
#
# ## The one idea of the course
#
# A rule, with examples drawn from it, is a **task** $\mathcal{T}$. Tasks come from a distribution
# $p(\mathcal{T})$. One draw of a task gives an **episode**: a support set $S$ to learn from and a query set
# $Q$ to be judged on, both from the same task. In code, an `Episode` is two `Examples`. A learner is a
# function with one argument more than you saw above:
#
# $$\texttt{adapt}(\theta, S) \rightarrow \texttt{predict}, \qquad \texttt{predict}(x) \rightarrow \text{targets or scores}$$
#
# Here $\theta$ is everything the learner has kept from earlier tasks. There is no argument through which $Q$
# could reach `adapt`. What happens inside `adapt` is **inner** learning, from the few examples of one task.
# Choosing $\theta$ so that inner learning goes well is **outer** learning, from many tasks:
#
# $$\min_\theta\; \mathbb{E}_{\mathcal{T} \sim p(\mathcal{T})}\; L_Q(\phi), \qquad \phi = \text{what adapt makes of } \theta \text{ and } S .$$
#
# A **loss** says how wrong one prediction is; in this chapter it is the squared error, (prediction $-$
# target)$^2$. $L_Q$ is the mean loss on the query set, and $\mathbb{E}$ the average over all tasks that could be
# drawn. Everything in this course fills in these two lines. The three large parts differ in what `adapt` does.
# Their words are explained when they come; see only that the form stays the same:
#
# | part | `adapt(params, support)` | `predict(x)` | $\theta$ is |
# |---|---|---|---|
# | 1: learning to compare | embeds the support, keeps a mean for each class | finds the nearest mean | an embedding |
# | 2: learning to adapt | takes a few gradient steps on the support loss | runs the adapted network | a starting point |
# | 3: learning to remember | writes the support into a memory | reads from the memory | a network that reads and writes |
#
# ### The notation of the whole course
#
# Come back to this table whenever a symbol looks new. You do not need all of it now.
#
# | symbol | meaning | code |
# |---|---|---|
# | $\mathcal{T} \sim p(\mathcal{T})$ | a task, drawn from a distribution over tasks | `tasks.sample(rng)` |
# | $S$, $Q$ | support and query examples of one task | `episode.support`, `episode.query` |
# | $(x, y)$ | an input and its target | `x`, `y` |
# | $N$, $K$, $M$ | classes in an episode, support examples a class, query examples a class | `n_way`, `k_shot`, `n_query` |
# | $\theta$ | what is learned across tasks (meta-parameters) | `params` |
# | $\phi$ | parameters after adaptation to one task | `adapted` |
# | $\alpha$, $\beta$ | inner and outer learning rate | `inner_lr`, `outer_lr` |
# | $f_\theta(x)$ | a network: prediction or embedding | `mlp(params, x)` |
# | $L_S(\theta)$, $L_Q(\phi)$ | mean loss on support, on query | `loss` |
# | $c_k$ | prototype of class $k$ | `prototypes` |
# | $\mathbb{E}$, $\hat\mu \pm 1.96\, s/\sqrt{n}$ | expectation; mean and 95 % interval over $n$ episodes | `Score` |
#
# In a task that is a curve there are no classes. Then $K$ is the number of support points and $M$ the number of query
# points.
#
# **Predict.** Later in this chapter each task is a curve, $y = a \sin(x - p)$, with its own amplitude $a$ and
# phase $p$. A learner is shown *two* points of a new curve and predicts the rest of it. Always answering 0
# has a mean squared error of 4.25. Guess the error of three other learners, and write your three numbers
# down: (1) it fits a smooth function to the two points and knows nothing else, (2) it has seen 500 other
# curves, and answers with their average whatever the points are, (3) it has seen the same 500 curves and uses
# the two points as well as it can. The experiment below has the answers.
#
# ## Build it: families of tasks
#
# A **family** of tasks is a form with free numbers in it, and a task is a draw of these numbers. We need four
# families in this course. Two are curves: sinusoids $y = a \sin(x - p)$ and straight lines.


# %% tags=["setup"]
def sinusoid(amplitude, phase, x):
    """amplitude * sin(x - phase)."""
    return amplitude * np.sin(x - phase)


def line(slope, intercept, x):
    """slope * x + intercept."""
    return slope * x + intercept


# %% [markdown]
# The third is of another kind: a task is a *loss*, with no examples at all. For a vector $\theta$ of unknowns,
#
# $$L(\theta) = \tfrac{1}{2} (\theta - c)^\top A\, (\theta - c), \qquad \nabla L(\theta) = A\,(\theta - c) .$$
#
# The task's numbers are its optimum $c$ and its curvature $A$, a symmetric matrix with positive eigenvalues. What a
# gradient step does to such a task can be followed with a pencil. Part 2 lives on that.


# %% tags=["setup"]
def quadratic_loss(centre, curvature, theta):
    """Half the squared distance from the optimum, measured by the curvature."""
    return (theta - centre) @ curvature @ (theta - centre) / 2


def quadratic_gradient(centre, curvature, theta):
    """Its gradient."""
    return curvature @ (theta - centre)


# %% [markdown]
# A *distribution* over tasks is an object with a method `sample(rng)` that returns an episode. The random
# numbers come from the generator `rng` that the caller hands in, never from a hidden global one: whoever
# starts from an equal generator meets the same episodes, and that is how learners are compared fairly.
#
# For the sinusoids we take the numbers of Finn et al. (2017, arXiv:1703.03400, section 5.1): amplitude
# uniform in $[0.1, 5]$, phase uniform in $[0, \pi]$, inputs uniform in $[-5, 5]$, frequency 1. They are
# fields of the object, because we shall want to change them.


# %% tags=["setup"]
@dataclass(frozen=True)
class SinusoidTasks:
    """Episodes of k_shot support and n_query query points of a random sinusoid."""

    k_shot: int
    n_query: int = 20
    amplitudes: tuple = (0.1, 5.0)
    phases: tuple = (0.0, np.pi)
    frequency: float = 1.0

    def sample(self, rng):
        amplitude, phase = rng.uniform(*self.amplitudes), rng.uniform(*self.phases)
        x = rng.uniform(-5, 5, (self.k_shot + self.n_query, 1))
        y = sinusoid(amplitude, phase, self.frequency * x)
        support = Examples(x[: self.k_shot], y[: self.k_shot])
        query = Examples(x[self.k_shot :], y[self.k_shot :])
        return Episode(support, query, task=(amplitude, phase))


# %% [markdown]
# The field `task` tells what was drawn. It is for figures and tests; a learner never gets it.
#
# The course has a second, independent writing of everything, the package `reference`. A cell with `same(...)`
# runs both on random cases and compares them; if yours differs, it says where and by how much. The
# reference's sinusoid tasks draw their numbers in the same order as ours, so even the random episodes must be
# equal, number for number.

# %%
from reference.tasks.families import Line, Quadratic, Sinusoid, Sinusoids


def curve_case(rng):
    return np.array(rng.normal()), np.array(rng.normal()), rng.normal(size=(4, 1))


def loss_case(rng):
    return rng.normal(size=2), np.diag(rng.uniform(1, 2, 2)) + 0.1, rng.normal(size=2)


same(sinusoid, lambda a, p, x: Sinusoid(a, p)(x), curve_case)
same(line, lambda s, b, x: Line(s, b)(x), curve_case)
same(quadratic_loss, lambda c, a, theta: Quadratic(c, a).loss(theta), loss_case)
same(quadratic_gradient, lambda c, a, theta: Quadratic(c, a).gradient(theta), loss_case)
same(SinusoidTasks(k_shot=5).sample, Sinusoids(k_shot=5, n_query=20).sample, lambda rng: (rng,))

# %% [markdown]
# ## Build it: the N-way K-shot sampler
#
# The fourth family is the one that most of the course learns from: *tell $N$ kinds of characters apart, after
# $K$ drawings of each*. That is an $N$-way $K$-shot task. The characters come with the course: almost a
# thousand in 19 scripts, 20 drawings each. We hold all drawings in memory, sorted by class, in a **bank**:
# class `c` owns the rows `offsets[c]` to `offsets[c + 1]`.

# %%
bank = glyphs("train")
print(f"{len(bank.images)} drawings of {len(bank.names)} characters in {len(np.unique(bank.groups))} scripts")
print("rows of the first three classes begin at", bank.offsets[:3])
print("their names:", *bank.names[:3], "; their script:", bank.groups[0])

# %% [markdown]
# One episode takes four steps. **First, the classes**: $N$ of them, all different. With a class drawn twice,
# one character would carry two labels, and no learner could be right about both. **Second, the drawings**:
# $K + M$ different rows of each class. The first $K$ will be the support and the other $M$ the query. One
# draw without replacement makes the two disjoint by construction. Two separate draws would now and then put
# the same drawing into both, and such a query can be answered by memory alone.


# %% tags=["setup"]
def choose_classes(rng, n_classes, n_way):
    """n_way different class numbers, in random order."""
    return rng.choice(n_classes, n_way, replace=False)


def choose_drawings(rng, bank, classes, n_each):
    """Rows of the bank (n_way, n_each): different drawings of each class."""
    return np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])


# %% [markdown]
# **Third, the labels.** Inside an episode a class is called $0, 1, \dots, N - 1$, by its place in the draw. The same
# character is 3 in one episode and 0 in the next, so a label means nothing without the support set. **Fourth, the
# order**: the rows are shuffled, so that the position of a drawing does not tell its label.


# %% tags=["setup"]
def label_and_shuffle(rng, bank, rows):
    """The drawings (n_way, n_each) as examples in random order; the label is the row they stand in."""
    n_way, n_each = rows.shape
    labels = np.repeat(np.arange(n_way), n_each)
    order = rng.permutation(len(labels))
    return Examples(as_input(bank.images[rows.ravel()[order]]), labels[order])


# %% [markdown]
# Now all four together in the form of the course, an object with `sample`. `as_input` turns bytes into
# numbers in $[0, 1]$, ink 1, with one channel in front, the way networks like images.


# %% tags=["setup"]
@dataclass(frozen=True)
class GlyphTasks:
    """Tell n_way classes apart: k_shot support and n_query query drawings of each."""

    bank: Bank
    n_way: int
    k_shot: int
    n_query: int

    def sample(self, rng):
        classes = choose_classes(rng, len(self.bank.names), self.n_way)
        rows = choose_drawings(rng, self.bank, classes, self.k_shot + self.n_query)
        support = label_and_shuffle(rng, self.bank, rows[:, : self.k_shot])
        query = label_and_shuffle(rng, self.bank, rows[:, self.k_shot :])
        return Episode(support, query, task=self.bank.names[classes])


# %% [markdown]
# Here is one 5-way 1-shot episode with 3 query drawings of each class.

# %%
episode = GlyphTasks(bank, n_way=5, k_shot=1, n_query=3).sample(np.random.default_rng(3))
print("support x:", episode.support.x.shape, " y:", episode.support.y)
print("query   x:", episode.query.x.shape, " y:", episode.query.y)

# %% [markdown]
# ### Does it keep its promises?
#
# Pictures do not say which class they are of, so a mistake in a sampler is hard to see. The trick: give it a
# bank whose "pictures" are their own name. Each has two pixels, the number of its class and its own number
# within the class. Then the facts of an episode can be counted. (In this bank the classes have different
# numbers of drawings.)


# %%
def facts(episode):
    """What a sampler promises, counted in an episode of the numbered bank."""
    support, query = episode.support, episode.query
    drawings = np.rint(255 * np.concatenate([support.x, query.x])).reshape(-1, 2).astype(int)
    classes, labels = drawings[:, 0], np.r_[support.y, query.y]
    return {
        "examples of each label": (np.bincount(support.y).tolist(), np.bincount(query.y).tolist()),
        "classes": len(np.unique(classes)),
        "pairs of class and label": len(np.unique(np.stack([classes, labels]), axis=1).T),
        "different drawings": len(np.unique(drawings, axis=0)),
    }


sizes = np.arange(8, 20)
pixels = np.array([[[c, i]] for c in range(12) for i in range(sizes[c])], dtype=np.uint8)
names = np.array([f"class {c}" for c in range(12)])
numbered = Bank(pixels, np.r_[0, np.cumsum(sizes)], names, groups=names)

# %% [markdown]
# A class that had two labels, or a label that stood for two classes, would make more pairs than classes. A
# drawing in both sets would make fewer different drawings. The reference's sampler is another program that
# draws other episodes, but its facts must be ours. (It also draws many episodes at once without a loop, and
# refuses what cannot be, such as more shots than drawings, with a sentence that says why.)

# %%
from reference.tasks.bank import FewShot

our_tasks = GlyphTasks(numbered, n_way=5, k_shot=2, n_query=3)
their_tasks = FewShot(numbered, n_way=5, k_shot=2, n_query=3)


def our_facts(rng):
    return facts(our_tasks.sample(rng))


for fact, count in our_facts(np.random.default_rng(1)).items():
    print(f"{fact}: {count}")
same(our_facts, lambda rng: facts(their_tasks.sample(rng)), lambda rng: (rng,), n_cases=200)

# %% [markdown]
# ### Split by class, not by drawing
#
# A learner of tasks is tested on *new tasks*. New drawings of characters it was trained on would test
# something else: whether it remembers these characters. So training and test must not share a class. Our bank
# goes one step further and holds out whole scripts, because letters of one script look alike. There is no
# lack of training tasks: $C$ characters give $C (C - 1) (C - 2) (C - 3) (C - 4)$ choices of five classes in
# order, and each class has 20 choices of its one support drawing. (`claim` prints its sentence if it holds,
# and stops the notebook if it does not.)

# %%
test_bank = glyphs("test")
support_sets = np.prod(len(bank.names) - np.arange(5.0)) * 20.0**5
print("train:", *dict.fromkeys(bank.groups.tolist()), sep="  ")
print("test: ", *dict.fromkeys(test_bank.groups.tolist()), sep="  ")
scripts, classes = set(bank.groups) & set(test_bank.groups), set(bank.names) & set(test_bank.names)
claim("They share no script.", not scripts, scripts)
claim("They share no class.", not classes, classes)
print(f"5-way 1-shot support sets from the training characters: {support_sets:.3g}")

# %% [markdown]
# Yet all these tasks are made of the same 621 characters. More episodes are not more characters. Keep that in
# mind when you read of millions of training episodes; below we measure the same thing with curves.
#
# ## An atlas of four task distributions
#
# To see a distribution over tasks, draw many tasks. Each panel of the figure shows one of our families:
# twenty sinusoids, twenty lines, twenty quadratics with the closed curve on which the loss is 0.1 around each
# optimum, and three 5-way 1-shot support sets, one a row. Slopes, intercepts and optima are normally
# distributed. The two eigenvalues of a curvature lie between $\frac12$ and 2, its axes are turned at random.

# %%
rng, n_tasks = np.random.default_rng(2), 20
x = np.linspace(-5, 5, 61)
sinusoids = np.stack([sinusoid(rng.uniform(0.1, 5), rng.uniform(0, np.pi), x) for _ in range(n_tasks)])
lines = np.stack([line(rng.normal(), rng.normal(), x) for _ in range(n_tasks)])

angle = np.linspace(0, 2 * np.pi, 50)[:, None]
circle = np.hstack([np.cos(angle), np.sin(angle)]) * np.sqrt(2 * 0.1)
optima = rng.normal(size=(n_tasks, 2))
eigenvalues = np.exp(rng.uniform(np.log(0.5), np.log(2), (n_tasks, 1, 2)))
axes = np.linalg.qr(rng.normal(size=(n_tasks, 2, 2)))[0]
levels = optima[:, None] + circle / np.sqrt(eigenvalues) @ axes

supports = [GlyphTasks(bank, n_way=5, k_shot=1, n_query=1).sample(rng).support for _ in range(3)]

# %% [markdown]
# Three tasks of each family are drawn out in colour, the others stay grey.

# %%
_, ((a, b), (c, d)) = plt.subplots(2, 2, figsize=(6.2, 4.6), layout="constrained")
plotting.family(x, sinusoids, ax=a).set(title="sinusoids", xlabel="x", ylabel="y")
plotting.family(x, lines, ax=b).set(title="lines", xlabel="x", ylabel="y", ylim=(-8, 8))
plotting.closed_curves(levels, optima, ax=c).set(title="quadratics", xlabel="first unknown", ylabel="second")
images, labels = (np.concatenate(part) for part in zip(*supports, strict=True))
plotting.glyphs(images, labels, n_columns=5, ax=d).set_title("glyphs: one task a row", pad=14)
plotting.show(
    "Four panels: twenty sinusoids of different heights, most of them below zero in the middle; twenty "
    "lines; ellipses scattered around the origin; three rows of five characters numbered 0 to 4 in random "
    "order."
)

# %% [markdown]
# **Figure 1.** Tasks of one family differ, but not in every way: the sinusoids share a wavelength and most
# dip near $x = 0$, the lines are straight, the optima lie around the origin, every glyph task has five
# labels. What is shared is what a learner of tasks can learn. The figure shows the tasks, not the examples a
# learner gets: it sees a few points of a curve, never the curve.
#
# Here is the glyph episode that we drew above, whole.

# %%
from reference.figures import show_episode


def make_tasks(*, n_way, k_shot, n_query):
    """Tasks of any size on the training characters."""
    return GlyphTasks(bank, n_way, k_shot, n_query)


show_episode(make_tasks, n_way=5, k_shot=1, n_query=3, seed=3)
plotting.show(
    "A row of five support characters with the labels 0 to 4 and below it fifteen query characters of the "
    "same five classes in mixed order."
)

# %% [markdown]
# **Figure 2.** An episode poses its whole question by itself: which of the five above is each of the
# fifteen below? (The number above a query is its answer; cover it.) You can do it although you may not
# know these characters, and so you have the ability that this course is about. The figure does not say how
# hard it is for a machine; the next section does.

# %% tags=["interactive", "nbval-ignore-output"]
from reference.widgets import sliders

sliders(show_episode, make_tasks, n_way=(2, 20, 5), k_shot=(1, 5, 1), n_query=(1, 5, 3), seed=(0, 99, 3))

# %% [markdown]
# ### How hard is it?
#
# Two yardsticks stand beside every result of this course. Chance is $1/N$. And there is a learner that has
# learned nothing from other tasks: it compares raw pixels with the mean of each class. `evaluate` adapts a
# learner to fresh episodes and returns a `Score`: the mean over episodes with its 95 % interval
# $\hat\mu \pm 1.96\, s / \sqrt{n}$, where $s$ is the standard deviation between the $n$ episodes. Chapter 02
# builds and questions it. Read $0.50 \pm 0.02$ as: the mean over *all* episodes is likely within 0.02 of
# 0.50.

# %%
from reference.baselines import nearest_centroid

test_tasks = GlyphTasks(test_bank, n_way=5, k_shot=1, n_query=5)
raw_pixels = evaluate(nearest_centroid, test_tasks, n_episodes=600, rng=np.random.default_rng(3))
print(f"raw pixels, 5-way 1-shot, test scripts: {raw_pixels}; chance: 1/5")
low, high = raw_pixels.interval
claim(
    "That is better than twice chance, and wrong more than four times in ten.",
    2 / 5 < low and high < 0.6,
    low,
    high,
)

# %% [markdown]
# Pixels know something, and far from everything: there is room to learn. Learners that use it come
# later, from chapter 06 on. In this chapter we stay with curves, where everything can be worked out.
#
# ## One model for all tasks: how good can it be?
#
# The simplest use of many tasks: put all their points into one heap and fit one function $g$. Which $g$ is
# best, and how good is it? Its expected squared error at one input $x$ is an average over tasks: $g(x)$ is the
# same for all of them, the target $y$ is not. Call $\bar y(x) = \mathbb{E}[y \mid x]$ the average target there.
# Then
#
# $$\mathbb{E}\big[(y - g(x))^2\big] = \mathbb{E}\big[(y - \bar y)^2\big] + 2\,(\bar y - g)\,\mathbb{E}[y - \bar y] + (\bar y - g)^2
# = \operatorname{Var}(y \mid x) + (\bar y(x) - g(x))^2 .$$
#
# The middle term is 0 because $\bar y$ is the mean. The first term does not depend on $g$. So the best single
# function is $g = \bar y$, and its error is the variance between tasks. No amount of data makes that smaller.
#
# For the sinusoids we can compute both. Write the sine of a difference out:
#
# $$y = a \sin(x - p) = A \sin x + B \cos x, \qquad A = a \cos p, \quad B = -a \sin p .$$
#
# So a task is just two numbers, $(A, B)$. Now average, with $p$ uniform in $[0, \pi]$ and independent of $a$:
#
# - $\mathbb{E}[\cos p] = 0$ and $\mathbb{E}[\sin p] = \frac{1}{\pi}\int_0^\pi \sin p \, dp = \frac{2}{\pi}$, so $\mathbb{E} A = 0$ and
#   $\mathbb{E} B = -\frac{2}{\pi}\,\mathbb{E} a$.
# - $\mathbb{E}[\cos^2 p] = \mathbb{E}[\sin^2 p] = \frac12$, so $\mathbb{E} A^2 = \mathbb{E} B^2 = \frac12 \mathbb{E} a^2$.
# - $\mathbb{E}[\sin p \cos p] = 0$, so $\mathbb{E}[AB] = 0$.
#
# Therefore
#
# $$\bar y(x) = -\frac{2\,\mathbb{E} a}{\pi} \cos x, \qquad
# \operatorname{Var}(y \mid x) = \tfrac12 \mathbb{E} a^2 - \Big(\frac{2\,\mathbb{E} a}{\pi}\Big)^2 \cos^2 x .$$
#
# With $a$ uniform in $[0.1, 5]$ we have $\mathbb{E} a = 2.55$ and $\mathbb{E} a^2 = 2.55^2 + 4.9^2 / 12$.
# Over $x$ uniform in $[-5, 5]$ the mean of $\cos^2 x$ is $\frac12 + \frac{\sin 10}{20}$.

# %%
mean_a, mean_a2 = 2.55, 2.55**2 + 4.9**2 / 12
height = 2 * mean_a / np.pi
always_zero = mean_a2 / 2
best_single = always_zero - height**2 * (0.5 + np.sin(10) / 20)
print(f"the best single function: -{height:.4g} cos x")
print(f"its mean squared error: {best_single:.4g};  always answering 0: {always_zero:.4g}")

# %% [markdown]
# Paper has spoken; now ask a hundred thousand drawn tasks. At each of five inputs the average target must be
# $\bar y(x)$ and the average squared distance from it must be the variance, up to the noise of the draw (four
# standard errors).

# %%
rng = np.random.default_rng(4)
at = np.array([-4.0, -1.5, 0.0, 2.0, 3.0])
drawn = sinusoid(rng.uniform(0.1, 5, (100_000, 1)), rng.uniform(0, np.pi, (100_000, 1)), at)


def agrees(values, derived):
    """Whether the means of the columns are as derived, up to four standard errors."""
    return np.all(abs(values.mean(0) - derived) < 4 * values.std(0) / np.sqrt(len(values)))


average = -height * np.cos(at)
claim("The average curve is -1.623 cos x.", agrees(drawn, average), drawn.mean(0), average)
apart = (drawn - average) ** 2
claim("The variance is as derived.", agrees(apart, always_zero - average**2), apart.mean(0))

# %% [markdown]
# ### The pooled fit
#
# A learner does not know the formula. It sees examples. We draw 500 training tasks with 50 points each. They are the
# past of every learner in the rest of this chapter.

# %%
rng = np.random.default_rng(5)
training = [SinusoidTasks(k_shot=50).sample(rng).support for _ in range(500)]
train_x, train_y = (np.stack(part) for part in zip(*training, strict=True))
print("training inputs:", train_x.shape, " targets:", train_y.shape)

# %% [markdown]
# Which functions may a learner choose from? Something smooth, with nothing of a sine in it: weighted sums of
# twelve bumps $e^{-(x - m)^2 / 2}$, whose centres $m$ are evenly spaced over $[-5, 5]$. We write $H$ for the
# matrix of bump heights (`h` in code), one row an input, one column a bump. A function is then a vector $w$ of
# 12 weights, and its values are $H w$. Fitting the weights is least squares, with a pinch of $10^{-3}$ on the
# diagonal that keeps the equations well-behaved:
#
# $$(H^\top H + 10^{-3} I)\, w = H^\top y .$$


# %% tags=["setup"]
CENTRES = np.linspace(-5, 5, 12)


def features(x):
    """Heights (..., n, 12) of twelve bumps of width 1 at the inputs (..., n, 1)."""
    return np.exp(-((x - CENTRES) ** 2) / 2)


def least_squares(h, y):
    """The weights (..., 12) that fit targets y (..., n, 1) on heights h (..., n, 12)."""
    gram = h.swapaxes(-1, -2) @ h + 1e-3 * np.eye(h.shape[-1])
    return np.linalg.solve(gram, h.swapaxes(-1, -2) @ y)[..., 0]


# %% [markdown]
# The pooled model is one such fit to all 25,000 points. Is its function the derived one? By the formula above,
# its error is larger than the best possible by the mean of $(\bar y - g)^2$.

# %%
grid = np.linspace(-5, 5, 101)[:, None]
pooled_weights = least_squares(features(train_x).reshape(-1, 12), train_y.reshape(-1, 1))


def miss(weights):
    """The mean squared distance of a fit from the best single function."""
    return np.mean((features(grid) @ weights + height * np.cos(grid[:, 0])) ** 2)


claim(
    "The pooled fit is worse than the best single function by less than 0.03.",
    miss(pooled_weights) < 0.03,
    miss(pooled_weights),
)

# %% [markdown]
# There are 25,000 points in that heap. But the 50 points of a task all lie on one curve, so it has only 500
# *independent* things in it. Does that matter? We make other heaps of 25,000 points, from few tasks and from
# many, ten of each.


# %%
def heap(rng, n_tasks, n_each):
    """Weights fitted to n_each points of each of n_tasks tasks."""
    drawn = [SinusoidTasks(k_shot=n_each).sample(rng).support for _ in range(n_tasks)]
    x, y = (np.concatenate(part) for part in zip(*drawn, strict=True))
    return least_squares(features(x), y)


rng = np.random.default_rng(8)
few, many = (np.mean([miss(heap(rng, n, 25_000 // n)) for _ in range(10)]) for n in (50, 5000))
claim(
    "25,000 points of 50 tasks miss by five times as much as 25,000 of 5000.", few > 5 * many, few, 5 * many
)

# %% [markdown]
# Whoever learns across tasks counts tasks.
#
# Is the error of the pooled model on *new* tasks the derived one? We judge every learner of this chapter by its
# mean squared error on the query points of 1000 new tasks. In the form of a learner the pooled model is short:
# it does not use its argument.


# %%
def regression_score(adapt, tasks, seed):
    """The squared error on 1000 new tasks, with its interval."""
    rng = np.random.default_rng(seed)
    return evaluate(adapt, tasks, n_episodes=1000, rng=rng, metric=lambda guess, y: np.mean((guess - y) ** 2))


def pooled(support):
    """The same function for every task."""
    return lambda x: features(x) @ pooled_weights[:, None]


score = regression_score(pooled, SinusoidTasks(k_shot=1), seed=6)
print(f"squared error of the pooled fit: {score}; derived: {best_single:.4g}")
claim(
    "The derived error lies in the interval.",
    score.interval[0] < best_single < score.interval[1],
    score,
    best_single,
)

# %% [markdown]
# The error is as derived, and we saw that more training tasks could lower it by less than 0.03. The pooled
# model also wastes what it is given at test time: it never looks at the support set. Its inner learning
# does nothing, $\phi = \theta$.
#
# ## A learner of tasks
#
# Figure 1 shows more than an average. It shows *how* the tasks differ. To use it, describe the tasks by a
# distribution: fit the bumps to each training task by itself, and it becomes one vector $w$. So 500 tasks are
# 500 examples of a vector.
# Keep their mean $\mu$ and their covariance $\Sigma$, and the mean squared residual $\sigma^2$ of the fits
# (what bumps cannot express). That is all of outer learning: $\theta = (\mu, \Sigma, \sigma^2)$.


# %% tags=["setup"]
def learn_prior(x, y):
    """params: mean and covariance over tasks of the weights, and the noise; x, y are (n_tasks, n, 1)."""
    h = features(x)
    weights = least_squares(h, y)  # (n_tasks, 12): a task is one example now
    residuals = h @ weights[..., None] - y
    return {"mean": weights.mean(0), "covariance": np.cov(weights.T), "noise": np.mean(residuals**2)}


# %% [markdown]
# In how many ways do these tasks differ? The eigenvalues of the covariance of the *curves*, on a grid of inputs, say how much
# of the variance lies in each direction.

# %%
params = learn_prior(train_x, train_y)
spread = features(grid) @ params["covariance"] @ features(grid).T  # covariance of the curves on the grid
shares = np.sort(np.linalg.eigvalsh(spread))[::-1] / np.trace(spread)
print("share of the variance between tasks:", *(f"{share:.2g}" for share in shares[:4]))
claim(
    "Two directions hold more than 0.999 of the variance between tasks.",
    shares[:2].sum() > 0.999,
    shares[:2].sum(),
)

# %% [markdown]
# Twelve weights could describe curves that differ in twelve ways. The covariance says: these tasks differ in
# *two*. Nobody told the learner that a task is a pair $(A, B)$. It found out, and two is the number of points
# it should need.
#
# ### Inner learning: the best guess from a few points
#
# Now a support set arrives: inputs with bump heights $H$ ($K$ rows) and targets $y = H w + \varepsilon$. The
# rest $\varepsilon$ we treat as noise of mean zero and variance $\sigma^2$ that has nothing to do with $w$. Which
# $w$ is it? We look for the best guess of the form $\hat w = \mu + G\,(y - H\mu)$, with any matrix $G$: start at
# the mean, and move in proportion to the surprise. Write $d = w - \mu$ and $r = y - H\mu$, both of mean zero.
# The squared length of a vector $v$ is $|v|^2 = \operatorname{tr}(v v^\top)$, so the expected squared error is
#
# $$\mathbb{E}\,|d - G r|^2 = \operatorname{tr}\big(\mathbb{E}[d d^\top] - 2\, G\, \mathbb{E}[r d^\top] + G\, \mathbb{E}[r r^\top]\, G^\top\big).$$
#
# Its derivative with respect to $G$ is $-2\,\mathbb{E}[d r^\top] + 2\, G\, \mathbb{E}[r r^\top]$. Since
# $r = H d + \varepsilon$, the two expectations are $\mathbb{E}[d r^\top] = \Sigma H^\top$ and
# $\mathbb{E}[r r^\top] = H \Sigma H^\top + \sigma^2 I$. Setting the derivative to zero gives
#
# $$\hat w = \mu + \Sigma H^\top \big(H \Sigma H^\top + \sigma^2 I\big)^{-1} (y - H \mu).$$
#
# This is the whole inner learner, in the form of the course: `adapt(params, support)` gives `predict`. The
# same $G$ is best for every weighted sum of the weights, so for the predicted values $H_Q \hat w$ too, where
# $H_Q$ holds the heights at the query inputs. (If weights and noise are normally distributed, no guess at all is
# better, linear or not; then it is called Bayesian linear regression. Ours are not normal, so it is the best
# *linear* guess, as far as noise is a fair picture of what bumps cannot express.)


# %% tags=["setup"]
def condition(params, h, y):
    """The best linear guess of the weights (d,) after targets y (k, 1) at heights h (k, d)."""
    reach = params["covariance"] @ h.T  # (d, k): how weights and targets vary together
    gram = h @ reach + params["noise"] * np.eye(len(h))
    return params["mean"] + reach @ np.linalg.solve(gram, y[:, 0] - h @ params["mean"])


# %% [markdown]
# With it, the learner is three lines long.


# %% tags=["setup"]
def adapt(params, support):
    """A learner of tasks: the prior conditioned on the support set."""
    adapted = condition(params, features(support.x), support.y)
    return lambda x: features(x) @ adapted[:, None]


# %% [markdown]
# First oracle, the pencil. Take lines with slope and intercept of mean 0 and variance 1, no noise, "bumps"
# $(x, 1)$, and *one* point, the input 1 with the target 3. Then $H\Sigma H^\top = 1 + 1 = 2$ and the
# guess is $(1, 1) \cdot 3 / 2$: slope and intercept share the surprise equally.

# %%
standard = {"mean": np.zeros(2), "covariance": np.eye(2), "noise": 0.0}
print("slope, intercept:", condition(standard, np.array([[1.0, 1.0]]), np.array([[3.0]])))

# %% [markdown]
# Second oracle, another formula. The same $\hat w$ minimises
# $\frac{1}{\sigma^2}|y - H w|^2 + (w - \mu)^\top \Sigma^{-1} (w - \mu)$: fit the support, but stay where
# tasks usually are. Setting its gradient to zero gives a system of equations for $w$ itself.


# %%
def penalised_fit(params, h, y):
    """The minimiser of the support loss plus the distance from the mean, in the metric of the covariance."""
    precision = np.linalg.inv(params["covariance"])
    gram = h.T @ h / params["noise"] + precision
    return np.linalg.solve(gram, h.T @ y[:, 0] / params["noise"] + precision @ params["mean"])


# %% [markdown]
# On random numbers both must give the same weights.

# %%
rng = np.random.default_rng(7)
square = rng.normal(size=(4, 4))
some = {"mean": rng.normal(size=4), "covariance": square @ square.T + np.eye(4), "noise": 0.3}
h, y = rng.normal(size=(3, 4)), rng.normal(size=(3, 1))
difference = abs(condition(some, h, y) - penalised_fit(some, h, y)).max()
claim("Both formulas give the same weights to 1e-10.", difference < 1e-10, difference)

# %% [markdown]
# Read the second formula once more. The inner objective is a support loss plus a pull towards $\mu$. In MAML
# (chapter 07) $\theta$ will be a starting point and a few gradient steps will do the fitting, but the thought
# is the same.
#
# ## The experiment: one task, all tasks, a learner of tasks
#
# Five learners meet the same new sinusoids.
#
# - *Alone*: one model for one task. It has seen no other task: the same `adapt`, with mean 0, the covariance $I$, and
#   the same small noise. It knows only that curves are smooth sums of bumps.
# - *Pooled*: one model for all tasks. It ignores the support.
# - *Pooled, then fitted*: it starts from the pooled weights and adapts with the covariance $I$. This is
#   "pretrain, then fine-tune".
# - *Learner of tasks*: the learned mean *and* the learned covariance.
# - *Told the family*: least squares on $\sin x$ and $\cos x$, by somebody who knows the formula but not how $a$ and $p$ are
#   distributed.


# %%
def told_the_family(support):
    """Least squares on sin x and cos x; the shortest solution where there are many."""
    adapted = np.linalg.lstsq(np.hstack([np.sin(support.x), np.cos(support.x)]), support.y, rcond=None)[0]
    return lambda x: np.hstack([np.sin(x), np.cos(x)]) @ adapted


ignorant = {"mean": np.zeros(12), "covariance": np.eye(12), "noise": params["noise"]}
pretrained = ignorant | {"mean": pooled_weights}
learners = {
    "alone": lambda support: adapt(ignorant, support),
    "pooled": pooled,
    "pooled, then fitted": lambda support: adapt(pretrained, support),
    "learner of tasks": lambda support: adapt(params, support),
    "told the family": told_the_family,
}

# %% [markdown]
# Before any average, one new curve and two of its points.

# %%
curve = SinusoidTasks(k_shot=2).sample(np.random.default_rng(31))
shown = ("alone", "pooled", "learner of tasks")
predictions = {name: learners[name](curve.support)(grid)[:, 0] for name in shown}
truth = sinusoid(*curve.task, grid[:, 0])
ax = plotting.regression(curve.support, grid[:, 0], truth, predictions)
ax.set(xlabel="x", ylabel="y")
ax.legend(ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1))
plotting.show(
    "One sinusoid with two support points. The learner of tasks lies on the dotted true curve everywhere; "
    "the learner alone passes through the points and goes its own way elsewhere; the pooled model is a "
    "cosine that misses the points."
)

# %% [markdown]
# **Figure 3.** Two points are enough for the learner that has seen other tasks. Alone, with the same points
# and the same bumps, a learner goes through the points and knows nothing of the rest; the pooled curve does
# not even pass through the points. This is one task: it shows what kind of mistakes are made, not how often.
#
# Now 1000 new tasks for each number of support points. Every learner gets an equal generator, so all meet the
# same tasks.

# %%
shots = (1, 2, 5, 10)
results = {
    (name, k): regression_score(learner, SinusoidTasks(k_shot=k), seed=12)
    for k in shots
    for name, learner in learners.items()
}
for (name, k), score in results.items():
    print(f"K = {k:2d}  {name:20s} {score}")

# %% [markdown]
# Sentences about such a table should be checked too. Two intervals that do not overlap are a safe sign of a real
# difference. (It is a stricter rule than needed when the learners met the same tasks. Chapter 02 does it properly.)


# %%
def below(name, other, k):
    """Whether the whole interval of one learner lies below that of the other."""
    return results[name, k].interval[1] < results[other, k].interval[0]


ours, others = "learner of tasks", ("alone", "pooled", "pooled, then fitted")
wins = all(below(ours, other, k) for other in others for k in shots)
fiftieth = 50 * results[ours, 2].interval[1] < min(results[other, 2].mean for other in others)
saves = results[ours, 2].interval[1] < results["alone", 10].interval[0]
table = {name: [results[name, k].mean for k in shots] for name in (ours, *others)}
two, ten, told = results[ours, 2], results["alone", 10], results["told the family", 1]
claim("The learner of tasks beats the three above it, from one to ten points.", wins, table)
claim("With two points its error is under a fiftieth of theirs.", fiftieth, two)
claim("With two points it beats the learner alone with ten.", saves, two, ten)
claim(
    "With one point it beats the learner that was told the family.", below(ours, "told the family", 1), told
)
claim("With ten points even the learner alone beats the pooled model.", below("alone", "pooled", 10), ten)
claim(
    "The learner of tasks ends at an error under 0.002.",
    results[ours, 10].interval[1] < 0.002,
    results[ours, 10],
)

# %%
measured = {name: np.array([results[name, k].mean for k in shots]) for name in (ours, *others)}
bands = {name: np.transpose([results[name, k].interval for k in shots]) for name in measured}
ax = plotting.curves(np.array(shots), measured, bands=bands)
ax.set(xlabel="support points K", ylabel="squared error on new tasks", yscale="log", xticks=shots)
plotting.show(
    "Squared error against number of support points on a logarithmic scale. The pooled line is flat near 3; "
    "alone falls from 4 to a tenth; the learner of tasks falls from 1.4 at one point to two hundredths at "
    "two and under a thousandth at five."
)

# %% [markdown]
# **Figure 4.** What has been learned across tasks is worth many points: the learner of tasks does with two
# points what the learner alone does not reach with ten. A little error remains however many points there are:
# bumps are not exactly sines. The figure does not show the price, 500 earlier tasks with 50 points each. Nor
# does it show *told the family*: at $K = 1$ the learner of tasks beats even the one that knows the formula,
# because it also knows which amplitudes and phases are usual.
#
# Now look at your three numbers again, beside the rows *alone*, *pooled* and *learner of tasks* at $K = 2$.
# Was your third guess below the others by a factor of fifty?
#
# Why is the band so wide at $K = 2$? Two points $x_1, x_2$ are two equations for $A$ and $B$, and their
# determinant is $\sin x_1 \cos x_2 - \cos x_1 \sin x_2 = \sin(x_1 - x_2)$. Where it is near 0 (points in the same
# place, or a whole number of half wavelengths apart) both points say the same thing. Are those the bad tasks?

# %%
rng = np.random.default_rng(12)  # the same 1000 tasks once more
pairs = np.stack([SinusoidTasks(k_shot=2).sample(rng).support.x[:, 0] for _ in range(1000)])
determinants = abs(np.sin(pairs[:, 0] - pairs[:, 1]))
worst = np.argsort(results[ours, 2].values)[-10:]
claim(
    "In the ten worst of the 1000 tasks the determinant is under 0.3.",
    determinants[worst].max() < 0.3,
    determinants[worst].max(),
)
claim("In half of all tasks it is over 0.6.", np.median(determinants) > 0.6, np.median(determinants))

# %% [markdown]
# ### Which half of the prior does it?
#
# "Pooled, then fitted" has a learned starting point as well, and gains little. Is its covariance $I$ only
# badly scaled? We try five scales. And we try the other half alone: the learned covariance around a zero mean.

# %%
scales = (0.01, 0.1, 1, 10, 100)
starts = [pretrained | {"covariance": scale * np.eye(12)} for scale in scales]
fitted = [regression_score(lambda s, p=p: adapt(p, s), SinusoidTasks(k_shot=2), seed=12) for p in starts]
no_mean = params | {"mean": np.zeros(12)}
half = {k: regression_score(lambda s: adapt(no_mean, s), SinusoidTasks(k_shot=k), seed=12) for k in (1, 2)}
for k, score in half.items():
    print(f"K = {k}  learned covariance, mean 0: {score}")
best = min(score.mean for score in fitted)
claim(
    "With one point the learned mean helps.",
    results[ours, 1].interval[1] < half[1].interval[0],
    results[ours, 1],
    half[1],
)
claim(
    "With two, the covariance alone is under a twentieth of the best scale.",
    20 * half[2].interval[1] < best,
    half[2],
    best,
)

# %% [markdown]
# The mean helps where there is one point. The *covariance* does the rest. It says in which directions tasks
# differ, so that two points move the whole curve.
#
# ### How many tasks does it take?
#
# We learn the prior from $n$ training tasks only, and test with two support points. Few tasks can be lucky or
# unlucky ones, so we do it for ten different sets of $n$.


# %%
def error_after(x, y):
    """The mean squared error with two support points, after these training tasks."""
    fewer = learn_prior(x, y)
    return regression_score(lambda s: adapt(fewer, s), SinusoidTasks(k_shot=2), seed=12).mean


after = {
    n: [error_after(train_x[i : i + n], train_y[i : i + n]) for i in range(0, 10 * n, n)]
    for n in (2, 3, 5, 20)
}
for n, errors in after.items():
    print(f"{n:2d} tasks: best {min(errors):.2f}, median {np.median(errors):.2f}, worst {max(errors):.2f}")
claim("None of the sets of two tasks is enough.", min(after[2]) > 1, min(after[2]))
claim(
    "Of the sets of three some are and some are not.",
    min(after[3]) < 0.2 and max(after[3]) > 1,
    min(after[3]),
    max(after[3]),
)
claim("All of the sets of twenty are.", max(after[20]) < 0.1, max(after[20]))

# %% [markdown]
# Two tasks have one difference, so the covariance knows one direction where two are needed, and the learner
# is sure of something wrong. Three tasks have two differences. That should be enough, unless both point the
# same way. Is that what was wrong with the bad sets? Then their covariance has little in its second direction.

# %%
threes = [learn_prior(train_x[i : i + 3], train_y[i : i + 3])["covariance"] for i in range(0, 30, 3)]
second = [np.linalg.eigvalsh(covariance)[-2] for covariance in threes]
thin, bad = set(np.argsort(second)[:4]), set(np.argsort(after[3])[-4:])
claim(
    "The four worst sets of three are the four that have least in the second direction.",
    thin == bad,
    thin,
    bad,
)

# %% [markdown]
# After twenty tasks there is little left to gain: look at the table, which was made with 500.
#
# ## What breaks it
#
# A prior is a bet that the next task is like the earlier ones. Four bets, at one and at ten support points:
# tasks as in training, phases from $[\pi, 2\pi]$ (all curves turned upside down), amplitudes from $[5, 10]$
# (larger than any seen), and curves that wiggle faster, $a \sin(1.5\,x - p)$.

# %%
shifts = {
    "as in training": {},
    "phases shifted": {"phases": (np.pi, 2 * np.pi)},
    "larger amplitudes": {"amplitudes": (5.0, 10.0)},
    "faster": {"frequency": 1.5},
}
judged = {"answers 0": lambda support: np.zeros_like} | {name: learners[name] for name in ("alone", ours)}
outside = {
    (k, kind, name): regression_score(learner, SinusoidTasks(k, **shift), seed=13)
    for k in (1, 10)
    for kind, shift in shifts.items()
    for name, learner in judged.items()
}
for (k, kind, name), score in outside.items():
    print(f"K = {k:2d}  {kind:18s} {name:16s} {score:.2f}")


# %% [markdown]
# Again the sentences are checked before we write them down.


# %%
def outside_below(k, kind, name, other):
    """The same question for the table of shifted tasks."""
    return outside[k, kind, name].interval[1] < outside[k, kind, other].interval[0]


within = ("phases shifted", "larger amplitudes")
overcome = all(outside_below(10, kind, ours, "alone") for kind in within)
claim(
    "One point, phases shifted: worse than answering 0.",
    outside_below(1, within[0], "answers 0", ours),
    outside[1, within[0], ours],
)
claim(
    "One point, larger amplitudes: still better than with no past.",
    outside_below(1, within[1], ours, "alone"),
    outside[1, within[1], ours],
)
claim("Ten points: both shifts are overcome.", overcome, [outside[10, kind, ours] for kind in within])
claim(
    "Ten points, faster curves: worse than with no past.",
    outside_below(10, "faster", "alone", ours),
    outside[10, "faster", ours],
)

# %% [markdown]
# Two kinds of failure, and they are worth telling apart. Shifted phases and larger amplitudes lie *within*
# the directions that the covariance knows, only far from the mean. With one point the prior's mean can mislead
# (the phases) or be too timid and still useful (the amplitudes); a few more points correct it. Faster curves
# lie *outside* of these directions. The prior has all but ruled such curves out, so even ten points do not
# persuade it, while the learner alone does well. Look for this edge in every learner of tasks that you meet;
# later chapters, still to come, measure it.
#
# ## The same in PyTorch, on the device that is there
#
# In PyTorch an episode is the same thing made of tensors. One function moves it to the device. It leaves
# `task` alone, and it keeps the number type (labels stay integers).

# %%
import torch

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def to_torch(episode, device="cpu"):
    """The episode as tensors on the device."""
    support, query = (
        Examples(*(torch.from_numpy(array).to(device) for array in part)) for part in episode[:2]
    )
    return Episode(support, query, episode.task)


from reference.pytorch import episodes as torch_reference

same(to_torch, torch_reference.to_torch, lambda rng: (SinusoidTasks(k_shot=3).sample(rng),))
same(to_torch, torch_reference.to_torch, lambda rng: (test_tasks.sample(rng),))

# %% [markdown]
# Devices like large arrays. A **batch of episodes** is an episode whose arrays have one axis more in front,
# one entry a task. Curves all have the same shapes, so a thousand tasks stack into one.


# %%
def stack(episodes):
    """A batch: the same fields, with a leading axis of length n_tasks."""
    parts = ([getattr(e, name) for e in episodes] for name in ("support", "query"))
    return Episode(*(Examples(*map(np.stack, zip(*part, strict=True))) for part in parts))


rng = np.random.default_rng(12)
episodes = [SinusoidTasks(k_shot=5).sample(rng) for _ in range(1000)]
batch = to_torch(stack(episodes), device)
print("support x:", tuple(batch.support.x.shape), batch.support.x.dtype)
print("query y:  ", tuple(batch.query.y.shape), batch.query.y.dtype)

# %% [markdown]
# `adapt` for the whole batch is the same equation. `.mT` transposes the last two axes, and
# `torch.linalg.solve` solves a thousand small systems at once. Compare it with `condition` line by line:
# nothing is new but the leading axis.


# %%
def features_torch(x):
    """Twelve bumps, as before."""
    return torch.exp(-((x - torch.as_tensor(CENTRES, device=x.device)) ** 2) / 2)


def adapt_torch(params, support):
    """A learner of tasks for a batch: support x and y are (n_tasks, k_shot, 1)."""
    h = features_torch(support.x)
    mean, reach = params["mean"][:, None], params["covariance"] @ h.mT
    gram = h @ reach + params["noise"] * torch.eye(h.shape[-2], dtype=h.dtype, device=h.device)
    adapted = mean + reach @ torch.linalg.solve(gram, support.y - h @ mean)
    return lambda x: features_torch(x) @ adapted


# %% [markdown]
# All thousand tasks at once must give what `adapt` gives one by one, and the errors of the table at $K = 5$.

# %%
params_torch = {name: torch.as_tensor(value, device=device) for name, value in params.items()}
in_torch = adapt_torch(params_torch, batch.support)(batch.query.x).cpu().numpy()
one_by_one = np.stack([adapt(params, e.support)(e.query.x) for e in episodes])
claim(
    "1000 tasks at once and one by one agree to 1e-7.",
    abs(in_torch - one_by_one).max() < 1e-7,
    abs(in_torch - one_by_one).max(),
)
squared = ((in_torch - stack(episodes).query.y) ** 2).mean(axis=(1, 2))
off = abs(squared - results[ours, 5].values).max()
claim("So do the errors behind the table, task by task.", off < 1e-7, off)

# %% [markdown]
# Same generator, same tasks, same equation: on whatever device this ran, it is the same learner.
#
# ## What differs from the papers
#
# Support and query sets, N-way and K-shot are as in Vinyals et al. (2016). Our sinusoids are those of Finn et
# al. (2017), with the inputs of support and query drawn alike. Our learner of tasks is an old
# idea, empirical Bayes: a prior estimated from earlier tasks. Harrison et al. (2018) put a network in the place
# of the bumps and train it through `condition`. Grant et al. (2018) read MAML as such a prior. We saw every
# training task at 50 points, so that each could be fitted by itself; with few points a task, mean and
# covariance must be estimated jointly.
#
# ## The museum: labels that know too much
#
# Here is a sampler as one finds it in public code. It draws its classes at random, draws different drawings, keeps
# support and query apart, and shuffles all rows. There is one bug in it. Do not look for it yet; watch what it does.


# %%
@dataclass(frozen=True)
class MuseumTasks:
    """An N-way K-shot sampler with a bug."""

    bank: Bank
    n_way: int
    k_shot: int
    n_query: int

    def sample(self, rng):
        classes = rng.choice(len(self.bank.names), self.n_way, replace=False)
        rows = choose_drawings(rng, self.bank, classes, self.k_shot + self.n_query)
        parts = rows[:, : self.k_shot], rows[:, self.k_shot :]
        support, query = (self.examples(rng.permutation(part.ravel()), classes) for part in parts)
        return Episode(support, query, self.bank.names[classes])

    def examples(self, rows, classes):
        class_of_row = np.searchsorted(self.bank.offsets, rows, side="right") - 1
        return Examples(as_input(self.bank.images[rows]), self.relabel(class_of_row, classes))

    def relabel(self, class_of_row, classes):
        """Any class numbers become 0..n_way-1."""
        return np.unique(class_of_row, return_inverse=True)[1]


# %% [markdown]
# It passes every test that we have.

# %%
museum = MuseumTasks(numbered, n_way=5, k_shot=2, n_query=3)


def museum_facts(rng):
    return facts(museum.sample(rng))


same(museum_facts, our_facts, lambda rng: (rng,), n_cases=200)

# %% [markdown]
# ### The symptom
#
# A learner that never looks at the support set cannot tell which class is called 0 and which is called 1. It
# must score $1/N$, however clever it is. So let us build a *blind* learner and hope that it fails.
#
# We split the characters of the training scripts at random: two thirds to learn from, one third to be tested
# on. No character is in both, as in the split of Vinyals et al. (2016). `select` keeps the classes in the
# order in which the bank had them, one script after another.
#
# The blind learner compares a query with the mean drawing of each character it knows, takes the 20 most
# similar, and asks one thing: *where in the bank* do they stand, $u = 0$ at its beginning and $u = 1$ at its
# end? A character that looks like Latin letters is put near the beginning, a character that looks like arrows
# near the end.

# %%
shuffled = np.random.default_rng(14).permutation(len(bank.names))
seen_bank, unseen_bank = bank.select(np.sort(shuffled[:420])), bank.select(np.sort(shuffled[420:]))
in_both = set(seen_bank.names) & set(unseen_bank.names)
claim("No class is in both.", not in_both, in_both)


def places_of_similar(images, n_similar=20):
    """For each image the places u in [0, 1] of the known classes that look most like it."""
    means = seen_bank.images.reshape(len(seen_bank.names), -1, 28 * 28).mean(axis=1) / 255
    flat = images.reshape(len(images), -1).astype(float)
    distances = (flat**2).sum(1)[:, None] - 2 * flat @ means.T + (means**2).sum(1)
    nearest = np.argpartition(distances, n_similar, axis=1)[:, :n_similar]
    return (nearest + 0.5) / len(means)


# %% [markdown]
# Then it bets on a label. If labels followed the order of the bank, a class at place $u$ would get the label
# $k$ exactly when $k$ of the other $N - 1$ classes stand before it. Each does so with probability $u$, so
#
# $$P(\text{label} = k \mid u) = \binom{N - 1}{k}\, u^k (1 - u)^{N - 1 - k} .$$


# %% tags=["setup"]
def label_probabilities(place, n_way):
    """P(label = k | place), shape (..., n_way), for labels that follow the order of the bank."""
    k = np.arange(n_way)
    choices = np.array([comb(n_way - 1, i) for i in k])
    return choices * place[..., None] ** k * (1 - place[..., None]) ** (n_way - 1 - k)


# %% [markdown]
# For $N = 2$ this is $1 - u$ and $u$, as it should be. For $N = 5$ and $u = 0.3$ we count.

# %%
stands_before = np.random.default_rng(17).random((200_000, 4)) < 0.3
counted = np.bincount(stands_before.sum(axis=1), minlength=5) / 200_000
largest = abs(counted - label_probabilities(np.array(0.3), 5)).max()
claim("Counting agrees with the formula to 0.005.", largest < 0.005, largest)


# %% [markdown]
# The blind learner averages these probabilities over the 20 places. It has the form of every learner, but from the support it
# takes nothing but the number of classes.


# %%
def blind(support):
    """A learner that does not look at the support set, apart from the number of classes."""
    n_way = int(support.y.max()) + 1
    return lambda x: label_probabilities(places_of_similar(x), n_way).mean(axis=1)


# %% [markdown]
# Guess its accuracy before you run the cell. Chance is $1/5$.


# %% tags=["training", "nbval-ignore-output"]
def blind_score(sampler):
    """The blind learner on 600 episodes of characters that nobody trained on."""
    return evaluate(blind, sampler(unseen_bank, 5, 1, 5), n_episodes=600, rng=np.random.default_rng(15))


leaking = blind_score(MuseumTasks)
print(f"blind learner, sampler of the museum: {leaking}; chance: 1/5")

# %% [markdown]
# Is that more than luck?

# %%
claim("The blind learner is above chance on the museum's episodes.", leaking.interval[0] > 0.22, leaking)

# %% [markdown]
# It reads labels off single drawings, of characters it has never seen, without a support set. A network
# trained on such episodes is paid for this trick as much as for the skill, and where test classes follow the
# same order its reported accuracy contains the trick. In the extreme a network recognises every training
# class and needs no support at all (Yin et al., 2020, call it the memorisation problem). Exercise 3 computes
# how far that could go.
#
# Now look at `MuseumTasks` again. Which line does it? Find it before you read on.
#
# <details><summary>The line</summary>
#
# `np.unique(..., return_inverse=True)`. `np.unique` *sorts*. It turns class numbers into $0..N-1$ by size, so
# in every episode the class that comes first in the bank gets label 0, whatever the order of the draw was.
# The word "sort" stands nowhere.
#
# </details>
#
# ### A test that fails
#
# A bug that was found gets a test, and the test must fail before the bug is mended. Take the numbered bank,
# where we can read the class of a picture. If labels follow the draw, then the class with label 0 is the
# smallest of the five in about one episode of five, not in all of them.


# %% tags=["raises-exception"]
def check_labels_follow_the_draw(tasks, n_episodes=200):
    """AssertionError if label 0 goes to the first class of the bank more often than a fair draw allows."""
    rng, n_first = np.random.default_rng(16), 0
    for _ in range(n_episodes):
        support = tasks.sample(rng).support
        classes = np.rint(255 * support.x[:, 0, 0, 0])
        n_first += classes[support.y == 0][0] == classes.min()
    expected = n_episodes / tasks.n_way
    story = f"label 0 went to the first class in {n_first} of {n_episodes} episodes"
    assert n_first < 2 * expected, f"{story}; about {expected:.0f} would be fair."


check_labels_follow_the_draw(museum)

# %% [markdown]
# The test fails, as it should. The mended line numbers a class by its place in the draw:
# `class_of_row[:, None] == classes` has one true entry in each row, and `argmax` finds its column.


# %%
class MendedTasks(MuseumTasks):
    """The same sampler; the labels follow the draw."""

    def relabel(self, class_of_row, classes):
        """The class numbers become their places in the draw."""
        return (class_of_row[:, None] == classes).argmax(axis=1)


# %% tags=["training", "nbval-ignore-output"]
mended, chapter = blind_score(MendedTasks), blind_score(GlyphTasks)
print(f"blind learner, mended sampler:         {mended}")
print(f"blind learner, sampler of the chapter: {chapter}; chance: 1/5")

# %%
check_labels_follow_the_draw(MendedTasks(numbered, n_way=5, k_shot=2, n_query=3))
check_labels_follow_the_draw(our_tasks)
at_chance = all(abs(score.mean - 1 / 5) < 0.02 for score in (mended, chapter))
claim("The blind learner is back at chance, within 0.02.", at_chance, mended, chapter)

# %% [markdown]
# Keep the blind learner in mind as a tool. Whatever the benchmark, a learner that ignores the support must
# score at chance. If it does not, the episodes leak.
#
# ## Exercises

# %% [markdown]
# ### Exercise 1: An episode from a list of labels
#
# *Difficulty: easy. Time: 20 minutes. Points: 4.*
#
# Data rarely come as a sorted bank. Often there is one array that says of each drawing which class it is of:
# any class numbers, in any order, and some classes have many more drawings than others. Write `draw_episode`.
# It returns four arrays: the rows and the labels of the support, and the rows and the labels of the query.
# Rows are positions in `labels`. Every class has the same chance to be drawn, however many drawings it has, and
# so has every drawing of a class. (You may assume that each class has at least `k_shot + n_query`.)
#
# <details><summary>Hint 1</summary>
#
# Four steps, as in the chapter: classes, drawings, labels, order. `np.unique(labels)` lists the classes, each once.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.flatnonzero(labels == c)` gives the rows of class `c`. Draw `k_shot + n_query` of them at once, without
# replacement.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Put the drawn rows into an array of shape `(n_way, k_shot + n_query)`. Cut it by columns, label it by rows
# (`np.repeat(np.arange(n_way), k_shot)`), then apply one `rng.permutation` to rows and labels alike.
#
# </details>


# %% solution="draw-episode"
def draw_episode(labels, n_way, k_shot, n_query, rng):
    """(support_rows, support_y, query_rows, query_y) of one N-way K-shot episode, each in random order."""
    ### BEGIN SOLUTION
    classes = rng.choice(np.unique(labels), n_way, replace=False)
    members = [np.flatnonzero(labels == c) for c in classes]
    rows = np.stack([rng.choice(own, k_shot + n_query, replace=False) for own in members])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        y = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(y))
        parts += [part.ravel()[order], y[order]]
    return tuple(parts)
    ### END SOLUTION


# %% test="draw-episode" points=2
labels = np.random.default_rng(0).permutation(np.repeat([3, 7, 8, 20, 31, 40], 12))
for seed in range(50):
    s_rows, s_y, q_rows, q_y = draw_episode(labels, 4, 2, 3, np.random.default_rng(seed))
    assert len(s_rows) == 8 and len(q_rows) == 12, (
        f"4 classes need 4*2 support and 4*3 query rows, got {len(s_rows)} and {len(q_rows)}."
    )
    assert sorted(s_y) == sorted([0, 1, 2, 3] * 2), (
        f"support labels should be 0..n_way-1, each k_shot times; got {sorted(map(int, s_y))}. "
        "Inside an episode a class goes by its place in the draw, not by its number."
    )
    rows, y = np.r_[s_rows, q_rows], np.r_[s_y, q_y]
    classes = [set(labels[rows[y == k]].tolist()) for k in range(4)]
    assert all(len(c) == 1 for c in classes) and len(set.union(*classes)) == 4, (
        f"labels 0..3 stand for {classes}: they should be four distinct classes, one for each label. "
        "(Rows are positions in `labels`, not within a class.)"
    )
    assert len(set(rows)) == len(rows), (
        "a drawing appears twice. Support and query must share none: can one draw serve both?"
    )
print("draw_episode: the counts are right")

# %% test="draw-episode" points=1
labels = np.repeat([2, 4, 6, 8, 10], [100, 10, 10, 10, 10])
drawn = [list(map(np.asarray, draw_episode(labels, 2, 2, 2, np.random.default_rng(s)))) for s in range(300)]
again = draw_episode(labels, 2, 2, 2, np.random.default_rng(0))
assert all(np.array_equal(a, b) for a, b in zip(drawn[0], again, strict=True)), (
    "the same generator should give the same episode: draw everything from rng."
)
### BEGIN HIDDEN TESTS
large = np.mean([2 in labels[rows] for rows, _, _, _ in drawn])
assert 0.25 < large < 0.55, (
    f"the class with 100 drawings is in a share of {large:.2f} of episodes, 2 of 5 would be fair. "
    "Draw from the list of classes, not from the list of drawings: every class has the same chance."
)
n_used = len(set(np.concatenate([np.r_[s_rows, q_rows] for s_rows, _, q_rows, _ in drawn]).tolist()))
assert n_used > 110, (
    f"300 episodes used only {n_used} of the 140 drawings. Is it always the same drawings of a class? "
    "They should be drawn at random too."
)
### END HIDDEN TESTS
print("draw_episode: classes and drawings are drawn at random")

# %% test="draw-episode" points=1
drawn = [list(map(np.asarray, draw_episode(labels, 2, 2, 2, np.random.default_rng(s)))) for s in range(300)]
### BEGIN HIDDEN TESTS
sorted_share = np.mean([labels[rows[y == 0][0]] < labels[rows[y == 1][0]] for rows, y, _, _ in drawn])
assert 0.35 < sorted_share < 0.65, (
    f"label 0 is the smaller class number in a share of {sorted_share:.2f} of episodes; 0.5 would be fair. "
    "The label itself now says something of the class: what sorted it?"
)
for name, at in (("support", 1), ("query", 3)):
    first = np.mean([episode[at][0] == 0 for episode in drawn])
    assert 0.35 < first < 0.65, (
        f"the first {name} row has label 0 in a share of {first:.2f} of episodes; 0.5 would be fair. "
        "The position tells the label: shuffle rows and labels together."
    )
    alike = np.mean([episode[at][0] == episode[at][1] for episode in drawn])
    assert 0.2 < alike < 0.47, (
        f"the first two {name} rows have one label in a share of {alike:.2f} of episodes; 1/3 would be fair. "
        "Neighbours tell each other's label: shuffle the rows, not the classes."
    )
### END HIDDEN TESTS
print("draw_episode: passed")

# %% [markdown]
# ### Exercise 2: A split that tests for new tasks
#
# *Difficulty: easy. Time: 15 minutes. Points: 2.*
#
# Write `split_by_group(groups, share, rng)`. `groups` says for each drawing to which group it belongs. A
# group may be a class, or a whole script if you want a harder test. Choose `round(share * number of groups)`
# groups at random, each with the same chance, and hold them out. Return `(train_rows, test_rows)`: the
# positions of the drawings in `groups`, as whole numbers.
#
# <details><summary>Hint 1</summary>
#
# What is drawn at random: drawings or groups?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `names = np.unique(groups)`; draw some of `names` without replacement.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.isin(groups, held_out)` is true for the drawings of the groups held out; `np.flatnonzero` turns it into rows.
#
# </details>


# %% solution="split-by-group"
def split_by_group(groups, share, rng):
    """(train_rows, test_rows): all drawings, with round(share * n_groups) random groups held out."""
    ### BEGIN SOLUTION
    names = np.unique(groups)
    held_out = rng.choice(names, round(share * len(names)), replace=False)
    is_test = np.isin(groups, held_out)
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)
    ### END SOLUTION


# %% test="split-by-group" points=1
groups = np.repeat([f"script {letter}" for letter in "abcdefghij"], [40, 5, 5, 5, 5, 5, 5, 5, 5, 40])
train_rows, test_rows = map(np.asarray, split_by_group(groups, 0.3, np.random.default_rng(0)))
assert train_rows.dtype.kind == test_rows.dtype.kind == "i", (
    f"positions of drawings are whole numbers; got {train_rows.dtype}. A mask or names are no positions yet."
)
shared = set(groups[train_rows]) & set(groups[test_rows])
assert not shared, (
    f"{len(shared)} groups are in both parts. New drawings of a known group make no new task: split groups."
)
both = sorted([*train_rows, *test_rows])
assert both == list(range(120)), f"each of the 120 drawings belongs into exactly one part; got {len(both)}."
n_held = len(set(groups[test_rows]))
assert n_held == 3, (
    f"share 0.3 of 10 groups is 3 groups, held out were {n_held}. Count groups, not drawings; "
    "and the order is (train_rows, test_rows)."
)
print("split_by_group: the parts are right")

# %% test="split-by-group" points=1
splits = [split_by_group(groups, 0.2, np.random.default_rng(seed)) for seed in range(200)]
again = split_by_group(groups, 0.2, np.random.default_rng(1))[1]
assert np.array_equal(splits[1][1], again), (
    "the same generator should give the same split: draw everything from rng."
)
### BEGIN HIDDEN TESTS
held = [set(groups[test]) for _, test in splits]
counts = sorted({len(names) for names in held})
assert counts == [2], (
    f"share 0.2 of 10 groups is 2 groups, held out were {counts}. Count groups, and draw none of them twice."
)
n_choices = len(set(map(frozenset, held)))
assert n_choices > 5, (
    f"200 generators gave {n_choices} different choice(s) of groups. The groups should be "
    "drawn at random: neighbours in a sorted list are often alike."
)
large = np.mean(["script a" in names for names in held])
assert 0.1 < large < 0.35, (
    f"the largest group is held out in a share of {large:.2f} of splits, 0.2 would be fair. "
    "Draw from the list of groups, not of drawings: every group has the same chance."
)
### END HIDDEN TESTS
print("split_by_group: passed")

# %% [markdown]
# ### Exercise 3: How much a sorted label can leak
#
# *Difficulty: medium. Time: 25 minutes. Points: 3.*
#
# The blind learner of the museum is a poor reader of drawings. Suppose a perfect one: it knows the place $u$
# of every query's class in the bank exactly, but still never sees the support. Labels follow the order of the
# bank. The bank is large, so $u$ is uniform in $[0, 1]$. Write `blind_ceiling(n_way)`: the accuracy of the
# best bet, to 0.002. For $N = 2$ your pencil should give $3/4$.
#
# <details><summary>Hint 1</summary>
#
# The bet may depend on $u$. What is the probability of being right at one given $u$, if you bet as well as you can?
#
# </details>
# <details><summary>Hint 2</summary>
#
# At a given $u$ it is $\max_k P(\text{label} = k \mid u)$. For $N = 2$ this is $\max(1 - u, u)$, whose
# average is $3/4$.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Average over many evenly spaced $u$. `label_probabilities(u, n_way)` of the chapter has shape `(len(u), n_way)`.
#
# </details>


# %% solution="blind-ceiling"
def blind_ceiling(n_way):
    """The accuracy of a learner that knows every class's place in the bank and never sees the support."""
    ### BEGIN SOLUTION
    place = (np.arange(10_000) + 0.5) / 10_000
    return label_probabilities(place, n_way).max(axis=-1).mean()
    ### END SOLUTION


# %% test="blind-ceiling" points=3
got = blind_ceiling(2)
assert abs(got - 0.75) < 0.002, (
    f"blind_ceiling(2) should be 3/4, got {got:.4f}. The bet may depend on u: bet first, "
    "on the most probable label at this u, then average over u (many of them)."
)
### BEGIN HIDDEN TESTS
got = blind_ceiling(5)
assert abs(got - 0.5021) < 0.002, (
    f"blind_ceiling(5) should be 0.502, got {got:.4f}. k of the *other* N-1 classes stand before it, "
    "and the best bet is the most probable label, not the expected one."
)
got = blind_ceiling(20)
assert abs(got - 0.2647) < 0.002, (
    f"blind_ceiling(20) should be 0.265, got {got:.4f}. Is the bet right for any N?"
)
### END HIDDEN TESTS
print("blind_ceiling: passed")

# %% [markdown]
# ### Exercise 4: Knowing how wrong one will be
#
# *Difficulty: hard. Time: 30 minutes. Points: 3.*
#
# The learner of tasks can say how large its error will be before it has seen a single target, from the
# *inputs* of the support alone. Write `expected_error(params, support_x, query_x)`: for each query input the
# expected squared distance between the prediction of `adapt` and the curve $H_Q w$ itself. Follow the derivation
# of `condition`: with the best $G$, what is left of the covariance of $w$?
#
# <details><summary>Hint 1</summary>
#
# With $G = \Sigma H^\top(H\Sigma H^\top + \sigma^2 I)^{-1}$, the error of the guess is $w - \hat w = d
# - G r$. Its covariance is $\mathbb{E}[(d - Gr)(d - Gr)^\top]$.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Multiply it out, and use $G\,\mathbb{E}[r r^\top] = \mathbb{E}[d r^\top]$. Two of the four terms cancel:
# $\Sigma - G H \Sigma$ remains. A support point can only take away.
#
# </details>
# <details><summary>Hint 3</summary>
#
# For one query input with row of heights $h$ the answer is
# $h\,(\Sigma - GH\Sigma)\,h^\top$. For all of them, take the diagonal of
# $H_Q (\Sigma - GH\Sigma) H_Q^\top$.
#
# </details>


# %% solution="expected-error"
def expected_error(params, support_x, query_x):
    """The expected squared error (q,) of adapt at query_x (q, 1) after targets at support_x (k, 1)."""
    ### BEGIN SOLUTION
    h, h_q, covariance = features(support_x), features(query_x), params["covariance"]
    gram = h @ covariance @ h.T + params["noise"] * np.eye(len(h))
    left = covariance - covariance @ h.T @ np.linalg.solve(gram, h @ covariance)
    return np.einsum("qi,ij,qj->q", h_q, left, h_q)
    ### END SOLUTION


# %% test="expected-error" points=2
easy = {"mean": np.ones(12), "covariance": 2.0 * np.eye(12), "noise": 0.5}
far, near = np.array([[-5.0]]), np.array([[4.0], [5.0]])
got = expected_error(easy, far, near)
assert np.shape(got) == (2,), (
    f"one number for each of the 2 query inputs is expected, shape (2,); got {np.shape(got)}: the diagonal."
)
prior = 2.0 * (features(near) ** 2).sum(1)
assert np.allclose(got, prior, rtol=1e-3), (
    f"a support point far away leaves the prior variance {prior.round(4)}; got {np.round(got, 4)}. "
    "The heights that count are those of the query, and the distance is to the curve itself, without noise."
)
before = 2.0 * (features(far) ** 2).sum()
want, got = before - before**2 / (before + 0.5), expected_error(easy, far, far)[0]
assert abs(got - want) < 1e-8, (
    f"at the support point: expected {want:.4f}, got {got:.4f}; without support it is {before:.4f}. "
    "A support point takes error away; its noise comes in through G and keeps it from taking all."
)
print("expected_error: right for one point")

# %% test="expected-error" points=1
rng = np.random.default_rng(1)
half = rng.normal(size=(12, 12)) / 3
some = {"mean": rng.normal(size=12), "covariance": half @ half.T, "noise": 0.04}
assert np.all(expected_error(some, rng.uniform(-5, 5, (6, 1)), near) > 0), (
    "an expected squared error is positive. "
    "Points may say the same thing twice: take them all at once, in one G."
)
### BEGIN HIDDEN TESTS
sx, qx = rng.uniform(-5, 5, (3, 1)), rng.uniform(-5, 5, (4, 1))
w = some["mean"] + rng.normal(size=(4000, 12)) @ half.T
y = features(sx) @ w[..., None] + 0.2 * rng.normal(size=(4000, 3, 1))
guesses = np.stack([adapt(some, Examples(sx, targets))(qx)[:, 0] for targets in y])
want, got = ((guesses - w @ features(qx).T) ** 2).mean(0), expected_error(some, sx, qx)
assert np.allclose(got, want, rtol=0.15), (
    f"4000 drawn tasks have the squared errors {want.round(3)}, expected_error says {np.round(got, 3)}. "
    "Start from the covariance of d - G r: the whole Sigma, all points at once, noise on the diagonal only."
)
### END HIDDEN TESTS
print("expected_error: passed")

# %% [markdown]
# ### Exercise 5: Three learners in one notation
#
# *Difficulty: medium. Time: 20 minutes. Points: 3.*
#
# For each of these learners write three things: what $\theta$ is, the inner objective (how $\phi$ comes from
# $\theta$ and $S$), and the outer objective (how $\theta$ is chosen). Use the notation table. (a) The pooled
# model. (b) The learner of tasks of this chapter. (c) A learner of part 2: one gradient step on the support
# loss, from a learned starting point. Then say in one sentence which of the three could run on a task with an
# empty support set, and what each would answer.
#
# <details><summary>Hint 1</summary>
#
# Begin with the general form: $\min_\theta \mathbb{E}_{\mathcal{T}} L_Q(\phi)$ with $\phi = \phi(\theta, S)$.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For (a), what does the learner do with $S$ at test time? For (b), look at the second oracle of `condition`.
#
# </details>
# <details><summary>Hint 3</summary>
#
# For (c): $\phi = \theta - \alpha \nabla L_S(\theta)$. With no support there is no loss to descend.
#
# </details>

# %% [markdown] answer="three-objectives" points=3
# <!-- BEGIN SOLUTION -->
# (a) Pooled: $\theta$ is one weight vector. Inner: nothing is learned, $\phi = \theta$. Outer:
# $\min_\theta \mathbb{E}_{\mathcal{T}} L_{S \cup Q}(\theta)$, the loss over all examples of all tasks.
#
# (b) Learner of tasks: $\theta = (\mu, \Sigma, \sigma^2)$. Inner: $\phi = \arg\min_w \frac{1}{\sigma^2} |y_S
# - H_S w|^2 + (w - \mu)^\top \Sigma^{-1} (w - \mu)$. Outer: $\mu$, $\Sigma$ are the mean and the
# covariance of the training tasks' weights, $\sigma^2$ their residual. No other choice gives the linear guess
# a smaller expected error, so it is $\min_\theta \mathbb{E}_{\mathcal{T}} L_Q(\phi)$ too (up to what 500
# tasks cannot tell), solved by averaging instead of descending.
#
# (c) One gradient step: $\theta$ is a starting point. Inner: $\phi = \theta - \alpha \nabla L_S(\theta)$. Outer:
# $\min_\theta \mathbb{E}_{\mathcal{T}} L_Q\big(\theta - \alpha \nabla L_S(\theta)\big)$.
#
# All three run with an empty support set and then answer with what they have from other tasks: (a) its one
# function, as always, (b) the mean function $H\mu$, (c) the function of the starting point.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Summary
#
# - A task is a draw from a distribution over tasks; an episode is its support set to learn from and its query set to be judged on.
# - An honest N-way K-shot sampler has distinct classes, disjoint support and query, labels by the order of the draw, and
#   shuffled rows; an honest split holds out classes.
# - The best single model for all tasks is their average, and its error is the variance between tasks, whatever the amount of data.
# - A learner of tasks also learns how tasks differ: on sinusoids two points then do more than ten points alone, as long as the
#   new task differs in the ways it has seen.
# - A learner that ignores the support must score at chance; if it does not, the labels leak.
#
# ## Read more
#
# - Sebastian Thrun, Lorien Pratt, 1998, Learning to Learn: Introduction and Overview (in the book of that name).
# - Jonathan Baxter, 2000, A Model of Inductive Bias Learning, arXiv:1106.0245.
# - Oriol Vinyals et al., 2016, Matching Networks for One Shot Learning, arXiv:1606.04080.
# - Chelsea Finn, Pieter Abbeel, Sergey Levine, 2017, Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks, arXiv:1703.03400.
# - James Harrison, Apoorva Sharma, Marco Pavone, 2018, Meta-Learning Priors for Efficient Online Bayesian Regression, arXiv:1807.08912.
# - Erin Grant et al., 2018, Recasting Gradient-Based Meta-Learning as Hierarchical Bayes, arXiv:1801.08930.
# - Mingzhang Yin et al., 2020, Meta-Learning without Memorization, arXiv:1912.03820.
# - Timothy Hospedales et al., 2020, Meta-Learning in Neural Networks: A Survey, arXiv:2004.05439.
