# %% [markdown] teaches=["reference.tasks.families", "reference.tasks.bank.FewShot", "reference.baselines.learn_prior", "reference.baselines.condition", "reference.pytorch.machine.arrays"]
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
# **Time.** 75 minutes to read, 185 minutes of exercises, 1 minute to run.

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


# %%
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
# They saw the same two points. What separates them is knowledge of the *kind* of rule, and nobody needs to program
# that knowledge in: it can be learned from earlier rules. That is meta-learning.
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
def curve_case(rng):
    return np.array(rng.normal()), np.array(rng.normal()), rng.normal(size=(4, 1))


def loss_case(rng):
    return rng.normal(size=2), np.diag(rng.uniform(1, 2, 2)) + 0.1, rng.normal(size=2)


# %%
from reference.tasks.families import Line, Quadratic, Sinusoid, Sinusoids

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
#
# **Third, the labels.** Inside an episode a class is called $0, 1, \dots, N - 1$, by its place in the draw. The same
# character is 3 in one episode and 0 in the next, so a label means nothing without the support set. **Fourth, the
# order**: the rows are shuffled, so that the position of a drawing does not tell its label.
#
# You write the sampler. Pictures do not say which class they are of, so a mistake in it is hard to see. The trick: give
# it a bank whose "pictures" are their own name. Each has two pixels, the number of its class and its own number
# within the class. Then the facts of an episode can be counted.


# %% tags=["setup"]
def numbered_bank(sizes):
    """A bank of classes of these sizes; a picture is two pixels, its class and its number in the class."""
    pixels = [[[c, i]] for c, size in enumerate(sizes) for i in range(size)]
    names = np.array([f"class {c}" for c in range(len(sizes))])
    return Bank(np.array(pixels, dtype=np.uint8), np.r_[0, np.cumsum(sizes)], names, groups=names)


# %% tags=["setup"]
def numbers_of(x):
    """(class, number in the class) of each picture of a numbered bank: whole numbers (n, 2)."""
    return np.rint(255 * np.asarray(x)).reshape(-1, 2).astype(int)


# %% tags=["setup"]
def facts(episode):
    """What a sampler promises, counted in an episode of a numbered bank."""
    support, query = episode.support, episode.query
    drawings = np.concatenate([numbers_of(support.x), numbers_of(query.x)])
    classes, labels = drawings[:, 0], np.r_[support.y, query.y]
    return {
        "examples of each label": (np.bincount(support.y).tolist(), np.bincount(query.y).tolist()),
        "classes": len(np.unique(classes)),
        "pairs of class and label": len(np.unique(np.stack([classes, labels]), axis=1).T),
        "different drawings": len(np.unique(drawings, axis=0)),
    }


numbered = numbered_bank(np.arange(8, 20))

# %% [markdown]
# A class that had two labels, or a label that stood for two classes, would make more pairs than classes. A
# drawing in both sets would make fewer different drawings. The reference's sampler is another program that
# draws other episodes, but its facts must be yours.

# %% [markdown]
# ### Exercise 1: The sampler
#
# *Difficulty: medium. Time: 25 minutes. Points: 6.*
#
# Write `draw_episode(rng, bank, n_way, k_shot, n_query)`. It returns
# `Episode(Examples(x, y), Examples(x, y), task)`: support, query, and the names of the classes, label 0 first. The rows
# of each `x` are `as_input(bank.images[rows])`, which turns bytes into numbers in $[0, 1]$, ink 1, with one channel
# in front, the way networks like images. Every class has the same chance to be drawn, and so has every drawing of a
# class. (You may assume that every class has `k_shot + n_query` drawings.)
#
# <details><summary>Hint 1</summary>
#
# Four steps, as above. Which of them needs `replace=False`?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Class `c` owns `bank.sizes[c]` rows, the first of which is `bank.offsets[c]`. A table of rows, one line a class, can be
# cut by columns and labelled by lines.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `rng.permutation` of the positions gives an order. What else has to be put into that order, if a drawing is to keep
# its label?
#
# </details>


# %% solution="draw-episode"
def draw_episode(rng, bank, n_way, k_shot, n_query):
    """An N-way K-shot episode of the bank, support and query each in random order."""
    ### BEGIN SOLUTION
    classes = rng.choice(len(bank.names), n_way, replace=False)
    n_each = k_shot + n_query
    rows = np.stack([bank.offsets[c] + rng.choice(bank.sizes[c], n_each, replace=False) for c in classes])
    parts = []
    for part in (rows[:, :k_shot], rows[:, k_shot:]):
        labels = np.repeat(np.arange(n_way), part.shape[1])
        order = rng.permutation(len(labels))
        parts.append(Examples(as_input(bank.images[part.ravel()[order]]), labels[order]))
    return Episode(*parts, task=bank.names[classes])
    ### END SOLUTION


# To go on without it: from reference.tasks.bank import FewShot
# To go on without it: draw_episode = lambda rng, bank, *how: FewShot(
# To go on without it:     bank, n_way=how[0], k_shot=how[1], n_query=how[2]).sample(rng)

# %% test="draw-episode" points=1
for seed in range(50):
    episode = draw_episode(np.random.default_rng(seed), numbered, 5, 2, 3)
    assert isinstance(episode, Episode), f"return an Episode, not a {type(episode).__name__}."
    assert all(isinstance(part, Examples) for part in episode[:2]), "support and query are Examples(x, y)."
    shapes = [np.shape(array) for part in episode[:2] for array in part]
    assert shapes == [(10, 1, 1, 2), (10,), (15, 1, 1, 2), (15,)], (
        "5-way 2-shot with 3 queries a class has 5*2 support and 5*3 query examples, x with one row each as "
        f"as_input makes them, y with one label each; here x, y, x, y have the shapes {shapes}."
    )
    assert np.max(episode.support.x) <= 1, "x holds bytes up to 255: as_input brings them into [0, 1]."
print("draw_episode: the shapes are right")

# %% test="draw-episode" points=1
for seed in range(50):
    episode = draw_episode(np.random.default_rng(seed), numbered, 5, 2, 3)
    labels = np.r_[episode.support.y, episode.query.y]
    assert sorted(labels) == sorted([*range(5)] * 5), (
        f"each label 0..4 should be there 5 times; got {sorted(labels.tolist())}. "
        "Inside an episode a class goes by its place in the draw, not by its number."
    )
    drawings = np.concatenate([numbers_of(episode.support.x), numbers_of(episode.query.x)])
    classes = [sorted({c for c, _ in drawings[labels == k].tolist()}) for k in range(5)]
    assert all(len(c) == 1 for c in classes) and len({c for (c,) in classes}) == 5, (
        f"labels 0..4 stand for the classes {classes}: each should stand for one, and no two for the same. "
        "Rows of the bank are counted from its beginning; labels travel with their rows."
    )
print("draw_episode: the labels are right")

# %% test="draw-episode" points=1
for seed in range(50):
    episode = draw_episode(np.random.default_rng(seed), numbered, 5, 2, 3)
    drawings = np.concatenate([numbers_of(episode.support.x), numbers_of(episode.query.x)])
    assert len(np.unique(drawings, axis=0)) == 25, (
        "a drawing appears twice. Support and query must share none: can one draw serve both?"
    )
    names = [f"class {numbers_of(episode.support.x)[episode.support.y == k][0, 0]}" for k in range(5)]
    told = list(map(str, np.ravel(episode.task)))
    assert told == names, f"task should name the classes, label 0 first: {names}; got {told}."
print("draw_episode: no drawing appears twice")

# %% test="draw-episode" points=1
from reference.tasks.bank import FewShot


def your_facts(rng):
    return facts(draw_episode(rng, numbered, 5, 2, 3))


their_tasks = FewShot(numbered, n_way=5, k_shot=2, n_query=3)
same(your_facts, lambda rng: facts(their_tasks.sample(rng)), lambda rng: (rng,), n_cases=200)
### BEGIN HIDDEN TESTS
for seed in range(30):
    counted = facts(draw_episode(np.random.default_rng(seed), numbered, 12, 1, 7))
    assert counted["different drawings"] == 96 and counted["pairs of class and label"] == 12, (
        f"12-way 1-shot with 7 queries a class, all that the smallest class has: got {counted}."
    )
### END HIDDEN TESTS

# %% test="draw-episode" points=1
lopsided = numbered_bank([100, 10, 10, 10, 10])
drawn = [draw_episode(np.random.default_rng(seed), lopsided, 2, 2, 2) for seed in range(300)]
again = draw_episode(np.random.default_rng(0), lopsided, 2, 2, 2)
assert np.array_equal(drawn[0].query.x, again.query.x), (
    "the same generator should give the same episode: draw everything from rng."
)
large = np.mean(["class 0" in episode.task for episode in drawn])
assert 0.3 < large < 0.5, (
    f"the class with 100 of the 140 drawings is in a share of {large:.2f} of episodes; 2 of 5 would be fair. "
    "Every class has the same chance, however many drawings it has."
)
for name in ("support", "query"):
    used = np.concatenate([numbers_of(getattr(episode, name).x) for episode in drawn])
    n_used = len(np.unique(used[used[:, 0] > 0], axis=0))
    assert n_used == 40, (
        f"four of the classes have 10 drawings each; in the {name} sets of 300 episodes {n_used} of these 40 "
        "came up. Drawings are drawn at random too, and any may be support or query."
    )
print("draw_episode: classes and drawings are drawn at random")

# %% test="draw-episode" points=1
drawn = [draw_episode(np.random.default_rng(seed), lopsided, 2, 2, 2) for seed in range(300)]
rising = np.mean([str(episode.task[0]) < str(episode.task[1]) for episode in drawn])
assert 0.4 < rising < 0.6, (
    f"label 0 is the smaller class number in a share of {rising:.2f} of episodes; 0.5 would be fair. "
    "The label itself now says something of the class: what sorted it?"
)
for name in ("support", "query"):
    y = np.array([getattr(episode, name).y for episode in drawn])
    first, alike = np.mean(y[:, 0] == 0), np.mean(y[:, 0] == y[:, 1])
    assert 0.4 < first < 0.6, (
        f"the first {name} row has label 0 in a share of {first:.2f} of episodes; 0.5 would be fair. "
        "The position tells the label: shuffle rows and labels together."
    )
    assert 0.23 < alike < 0.43, (
        f"the first two {name} rows have one label in a share of {alike:.2f} of episodes; 1/3 would be fair. "
        "Neighbours tell each other's label: shuffle the rows, not the classes."
    )
### BEGIN HIDDEN TESTS
places = np.array([numbers_of(episode.support.x)[0, 1] for episode in drawn if "class 0" not in episode.task])
assert 3.5 < places.mean() < 5.5, f"of ten drawings a support shows number {places.mean():.1f} on average."
### END HIDDEN TESTS
print("draw_episode: passed")

# %% [markdown]
# ### The sampler in the form of the course
#
# An object with `sample`, as for the curves. (The reference's also draws many episodes at once without a loop, and
# refuses what cannot be, such as more shots than drawings, with a sentence that says why.)


# %% tags=["setup"]
@dataclass(frozen=True)
class GlyphTasks:
    """Tell n_way classes apart: k_shot support and n_query query drawings of each."""

    bank: Bank
    n_way: int
    k_shot: int
    n_query: int

    def sample(self, rng):
        return draw_episode(rng, self.bank, self.n_way, self.k_shot, self.n_query)


# %% [markdown]
# Here is one 5-way 1-shot episode with 3 query drawings of each class, and the facts of one of the numbered bank.

# %%
glyph_episode = GlyphTasks(bank, n_way=5, k_shot=1, n_query=3).sample(np.random.default_rng(3))
print("support x:", glyph_episode.support.x.shape, " y:", glyph_episode.support.y)
print("query   x:", glyph_episode.query.x.shape, " y:", glyph_episode.query.y)

# %%
our_tasks = GlyphTasks(numbered, n_way=5, k_shot=2, n_query=3)


def our_facts(rng):
    return facts(our_tasks.sample(rng))


for fact, count in our_facts(np.random.default_rng(1)).items():
    print(f"{fact}: {count}")

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
# Yet all these tasks are made of the same 621 characters. More episodes are not more characters; below we measure the
# same thing with curves.
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
plotting.closed_curves(levels, optima, ax=c).set(
    title="quadratics", xlabel="first unknown", ylabel="second unknown"
)
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
# know these characters, and so you have the ability that this course is about. How hard is it for
# a machine?

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
# builds and questions it. Read $0.50 \pm 0.02$ as: the mean over *all* episodes of these characters is likely within
# 0.02 of 0.50. Of other scripts it says nothing.

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
# There is room to learn. Learners that use it come from chapter 06 on. Here we stay with curves, where everything can be
# worked out.
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
# Now ask a hundred thousand drawn tasks. At each of five inputs the average target must be
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


# %% tags=["setup"]
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
    "The pooled fit is worse than the best single function by less than 0.05.",
    miss(pooled_weights) < 0.05,
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


# %%
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
def regression_score(adapt, tasks, seed, n_tasks=1000):
    """The squared error on new tasks, with its interval over tasks."""

    def squared_error(guess, y):
        return np.mean((guess - y) ** 2)

    rng = np.random.default_rng(seed)
    return evaluate(adapt, tasks, n_episodes=n_tasks, rng=rng, metric=squared_error)


# %%
def pooled(support):
    """The same function for every task."""
    return lambda x: features(x) @ pooled_weights[:, None]


# %%
score = regression_score(pooled, SinusoidTasks(k_shot=1), seed=6)
print(f"squared error of the pooled fit: {score}; derived: {best_single:.4g}")
claim(
    "The two agree, up to four standard errors.",
    abs(score.mean - best_single) < 4 * score.half_width / 1.96,
    score,
    best_single,
)

# %% [markdown]
# The error is as derived, and we saw that more training tasks could lower it by less than 0.05. The pooled
# model also wastes what it is given at test time: it never looks at the support set. Its inner learning
# does nothing, $\phi = \theta$.
#
# ## Build it: a learner of tasks
#
# Figure 1 shows more than an average. It shows *how* the tasks differ. To use it, describe the tasks by a
# distribution: fit the bumps to each training task by itself, and it becomes one vector $w$. So 500 tasks are
# 500 examples of a vector.
# Keep their mean $\mu$ and their covariance $\Sigma$, and the mean squared residual $\sigma^2$ of the fits
# (what bumps cannot express). That is all of outer learning: $\theta = (\mu, \Sigma, \sigma^2)$.

# %% [markdown]
# ### Exercise 2: Outer learning
#
# *Difficulty: easy. Time: 15 minutes. Points: 2.*
#
# Write `learn_prior(x, y)` for inputs and targets of shape `(n_tasks, n, 1)`. It returns
# `{"mean": mu, "covariance": Sigma, "noise": sigma_squared}` with shapes `(12,)`, `(12, 12)` and one number. The covariance
# divides by `n_tasks - 1`.
#
# <details><summary>Hint 1</summary>
#
# What is one example here: a point, or a task?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `features` and `least_squares` take all tasks at once and give one vector of weights for each.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.cov` takes a row for a variable. The fits predict targets; what is left of the targets is the residual.
#
# </details>


# %% solution="learn-prior"
def learn_prior(x, y):
    """params: mean and covariance over tasks of the weights, and the noise; x, y are (n_tasks, n, 1)."""
    ### BEGIN SOLUTION
    h = features(x)
    weights = least_squares(h, y)  # (n_tasks, 12): a task is one example now
    residuals = h @ weights[..., None] - y
    return {"mean": weights.mean(0), "covariance": np.cov(weights.T), "noise": np.mean(residuals**2)}
    ### END SOLUTION


# To go on without it: from reference import baselines
# To go on without it: learn_prior = lambda x, y: baselines.learn_prior(features(x), y)

# %% test="learn-prior" points=2
from reference.baselines import learn_prior as their_prior

rng = np.random.default_rng(0)
x, y = rng.uniform(-5, 5, (7, 30, 1)), rng.normal(size=(7, 30, 1))
got, want = learn_prior(x, y), their_prior(features(x), y)
assert isinstance(got, dict) and set(got) == set(want), f"return a dict with the keys {sorted(want)}."
got = {name: np.asarray(value) for name, value in got.items()}
shapes = {name: value.shape for name, value in got.items()}
assert shapes == {name: np.shape(value) for name, value in want.items()}, (
    f"mean (12,), covariance (12, 12) and one number for the noise are wanted; got {shapes}. "
    "The covariance is that of 12 weights over the tasks."
)
assert not np.allclose(got["mean"], least_squares(features(x).reshape(-1, 12), y.reshape(-1, 1))), (
    "this mean is one fit to the heap of all points. Fit each task by itself; the fits have a mean."
)
assert not np.isclose(got["noise"] ** 2, want["noise"]), "the noise is a mean *square*, without a root."
assert not np.allclose(got["covariance"] * 7 / 6, want["covariance"]), "divide by n_tasks - 1."
same(learn_prior, lambda x, y: their_prior(features(x), y), lambda rng: (x, 1 + rng.random(y.shape)))
### BEGIN HIDDEN TESTS
three = rng.uniform(-5, 5, (3, 50, 1))
same(learn_prior, lambda x, y: their_prior(features(x), y), lambda rng: (three, rng.normal(size=three.shape)))
### END HIDDEN TESTS

# %% [markdown]
# ### How tasks differ
#
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
# $r = H d + \varepsilon$ and $\varepsilon$ has nothing to do with $d$, the two expectations are $\mathbb{E}[d r^\top] = \Sigma H^\top$ and
# $\mathbb{E}[r r^\top] = H \Sigma H^\top + \sigma^2 I$. Setting the derivative to zero gives
#
# $$\hat w = \mu + \Sigma H^\top \big(H \Sigma H^\top + \sigma^2 I\big)^{-1} (y - H \mu).$$
#
# This is the whole inner learner, in the form of the course: `adapt(params, support)` gives `predict`. The
# same $G$ is best for every weighted sum of the weights, so for the predicted values $H_Q \hat w$ too, where
# $H_Q$ holds the heights at the query inputs. (If weights and noise are normally distributed, no guess at all is
# better, linear or not; then it is called Bayesian linear regression. Ours are not normal, so it is the best
# *linear* guess, as far as noise is a fair picture of what bumps cannot express.)


# %% [markdown]
# ### Exercise 3: Inner learning
#
# *Difficulty: medium. Time: 20 minutes. Points: 3.*
#
# Write `condition(params, h, y)`: the guess $\hat w$ of shape `(d,)` from targets `y` of shape `(k, 1)` at heights `h` of
# shape `(k, d)`. It must work where $\Sigma$ has no inverse (after two tasks it has none) and where $\sigma^2 = 0$.
#
# First with a pencil. Take lines with slope and intercept of mean 0 and variance 1, no noise, "bumps" $(x, 1)$, and
# *one* point, the input 1 with the target 3. What are the guesses of slope and intercept, and what are they if
# $\sigma^2 = 2$?
#
# <details><summary>Hint 1</summary>
#
# The surprise is how far the targets are from what the mean predicts at the support. What is its shape?
#
# </details>
# <details><summary>Hint 2</summary>
#
# There are two products of covariances in the formula. One is $(d, k)$ and reaches from targets to weights; the other is
# $(k, k)$ and belongs to the targets alone.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.linalg.solve(a, b)` gives $a^{-1} b$ without an inverse. `y` is a column; the weights are a row of numbers.
#
# </details>


# %% solution="condition"
def condition(params, h, y):
    """The best linear guess of the weights (d,) after targets y (k, 1) at heights h (k, d)."""
    ### BEGIN SOLUTION
    reach = params["covariance"] @ h.T  # (d, k): how weights and targets vary together
    gram = h @ reach + params["noise"] * np.eye(len(h))
    return params["mean"] + reach @ np.linalg.solve(gram, y[:, 0] - h @ params["mean"])
    ### END SOLUTION


# To go on without it: from reference.baselines import condition

# %% test="condition" points=1
one_point, three = np.array([[1.0, 1.0]]), np.array([[3.0]])
lines = {"mean": np.zeros(2), "covariance": np.eye(2), "noise": 0.0}
for name, change, expected, think in (
    ("no noise", {}, (1.5, 1.5), "Slope and intercept share the surprise of 3 equally."),
    ("mean slope 1", {"mean": np.array([1.0, 0.0])}, (2, 1), "Start at the mean; the surprise is 3 - 1."),
    ("noise 2", {"noise": 2.0}, (0.75, 0.75), "The target varies by the line and the noise: 2 + 2."),
    ("slope = intercept", {"covariance": np.ones((2, 2))}, (1.5, 1.5), "Weights can move together."),
):
    story = f"{name}: one point (1, 3) should give (slope, intercept) {expected}"
    try:
        got = np.asarray(condition(lines | change, one_point, three))
    except np.linalg.LinAlgError:
        raise AssertionError(f"{story}, but a matrix has no inverse. Which needs none?") from None
    assert got.shape == (2,), f"the guess has one number for each weight, shape (2,); got {got.shape}."
    assert np.allclose(got, expected), f"{story}, got {got.round(4)}. {think}"
print("condition: as the pencil says")


# %% test="condition" points=2
from reference.baselines import condition as their_condition


def some_support(rng):
    half = rng.normal(size=(5, 5))
    prior = {"mean": rng.normal(size=5), "covariance": half @ half.T, "noise": 0.5}
    return prior, rng.normal(size=(3, 5)), rng.normal(size=(3, 1))


same(condition, their_condition, some_support)
### BEGIN HIDDEN TESTS
long_support = lambda rng: (some_support(rng)[0], rng.normal(size=(9, 5)), rng.normal(size=(9, 1)))
same(condition, their_condition, long_support)
### END HIDDEN TESTS

# %% [markdown]
# ### The learner
#
# With it, the learner is three lines long.


# %% tags=["setup"]
def adapt(params, support):
    """A learner of tasks: the prior conditioned on the support set."""
    adapted = condition(params, features(support.x), support.y)
    return lambda x: features(x) @ adapted[:, None]


# %% [markdown]
# The reference takes in one point after the other and knows no matrix to invert. Here is a third way, another
# formula. The same $\hat w$ minimises
# $\frac{1}{\sigma^2}|y - H w|^2 + (w - \mu)^\top \Sigma^{-1} (w - \mu)$: fit the support, but stay where
# tasks usually are. (Where $\Sigma$ has an inverse.) Setting its gradient to zero gives a system of equations for $w$ itself.


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
# Read this formula once more. The inner objective is a support loss plus a pull towards $\mu$. In MAML
# (chapter 07) $\theta$ will be a starting point and a few gradient steps will do the fitting, but the thought
# is the same.
#
# ## The experiment: one task, all tasks, a learner of tasks
#
# Six learners meet the same new sinusoids.
#
# - *Alone*: one model for one task. It has seen no other task: the same `adapt`, with mean 0, the covariance $s I$, and
#   the same small noise. It knows only that curves are smooth sums of bumps.
# - *Pooled*: one model for all tasks. It ignores the support.
# - *Pooled, then fitted*: it starts from the pooled weights and adapts with the covariance $s I$. This is
#   "pretrain, then fine-tune".
# - *Learner of tasks*: the learned mean *and* the learned covariance.
# - *Told the family*: least squares on $\sin x$ and $\cos x$, by somebody who knows the formula but not how $a$ and $p$ are
#   distributed.
# - *Told everything*: `condition` on $\sin x$ and $\cos x$ with the exact mean and covariance of $(A, B)$, which we derived
#   above. No linear guess can be better on average.
#
# The two scales $s$ are chosen with as much care as the others get: of five, the one with the least error (the geometric
# mean over the numbers of points) on 300 tasks of its own.


# %%
shots = (1, 2, 5, 10)


def with_scale(mean, scale):
    return {"mean": mean, "covariance": scale * np.eye(12), "noise": params["noise"]}


# %%
def best_scale(mean):
    """params with the scale of five that does best on 300 tasks of its own."""

    def error(scale):
        prior, logs = with_scale(mean, scale), []
        for k in shots:
            score = regression_score(lambda s: adapt(prior, s), SinusoidTasks(k), seed=9, n_tasks=300)
            logs.append(np.log(score.mean))
        return np.mean(logs)

    return with_scale(mean, min((0.01, 0.1, 1, 10, 100), key=error))


# %%
def waves(x):
    return np.hstack([np.sin(x), np.cos(x)])


# %%
def told_the_family(support):
    """Least squares on sin x and cos x; the shortest solution where there are many."""
    adapted = np.linalg.lstsq(waves(support.x), support.y, rcond=None)[0]
    return lambda x: waves(x) @ adapted


moments = np.array([0, -height]), np.diag([always_zero, always_zero - height**2])
everything = dict(zip(("mean", "covariance"), moments, strict=True)) | {"noise": 1e-6}


# %%
def told_everything(support):
    adapted = condition(everything, waves(support.x), support.y)
    return lambda x: waves(x) @ adapted[:, None]


# %%
ignorant, pretrained = best_scale(np.zeros(12)), best_scale(pooled_weights)
learners = {
    "alone": lambda support: adapt(ignorant, support),
    "pooled": pooled,
    "pooled, then fitted": lambda support: adapt(pretrained, support),
    "learner of tasks": lambda support: adapt(params, support),
    "told the family": told_the_family,
    "told everything": told_everything,
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
results = {
    (name, k): regression_score(learner, SinusoidTasks(k_shot=k), seed=12)
    for k in shots
    for name, learner in learners.items()
}
for (name, k), score in results.items():
    print(f"K = {k:2d}  {name:20s} {score}")

# %% [markdown]
# Sentences about such a table should be checked too. Two intervals that do not overlap are a safe sign of a real
# difference on tasks like these. (Chapter 02 has a better rule for learners that met the same tasks.)


# %%
def below(name, other, k):
    """Whether the whole interval of one learner lies below that of the other."""
    return results[name, k].interval[1] < results[other, k].interval[0]


ours, others = "learner of tasks", ("alone", "pooled", "pooled, then fitted")
wins = all(below(ours, other, k) for other in others for k in shots)
twentieth = 20 * results[ours, 2].interval[1] < min(results[other, 2].mean for other in others)
saves = results[ours, 2].interval[1] < results["alone", 10].interval[0]
table = {name: [results[name, k].mean for k in shots] for name in (ours, *others)}
two, ten, told = results[ours, 2], results["alone", 10], results["told the family", 1]
claim("The learner of tasks beats the three above it, from one to ten points.", wins, table)
claim("With two points its error is under a twentieth of theirs.", twentieth, two)
claim("With two points it beats the learner alone with ten.", saves, two, ten)
claim(
    "With one point it beats the learner that was told the family.", below(ours, "told the family", 1), told
)
behind = np.mean(results[ours, 1].values - results["told everything", 1].values)
claim("It is behind the one that was told everything by less than 0.06.", abs(behind) < 0.06, behind)
claim("With ten points even the learner alone beats the pooled model.", below("alone", "pooled", 10), ten)
claim(
    "The learner of tasks ends at an error under 0.005.",
    results[ours, 10].interval[1] < 0.005,
    results[ours, 10],
)

# %%
measured = {name: np.array([results[name, k].mean for k in shots]) for name in (ours, *others)}
bands = {name: np.transpose([results[name, k].interval for k in shots]) for name in measured}
ax = plotting.curves(np.array(shots), measured, bands=bands)
ax.set(xlabel="support points K", ylabel="squared error on new tasks", yscale="log", xticks=shots)
plotting.show(
    "Squared error against number of support points on a logarithmic scale. The pooled line is flat near 3; "
    "alone falls from 4 to 0.15; the learner of tasks falls from 1.4 at one point to two hundredths at "
    "two and under a thousandth at five."
)

# %% [markdown]
# **Figure 4.** What has been learned across tasks is worth many points: the learner of tasks does with two
# points what the learner alone does not reach with ten. A little error remains however many points there are:
# bumps are not exactly sines. Each band runs over the 1000 tasks, for one set of 500 training tasks. The figure does not
# show the price, these 500 tasks with 50 points each.
#
# Nor does it show the two who were told. At $K = 1$ the learner of tasks beats even the one that knows the formula.
# Why? The guess: it also knows which amplitudes and phases are usual. *Told everything* tests that guess. It knows the
# formula and what is usual, and the lead is gone. What it knows beyond the learner of tasks shows at $K = 2$.
#
# Now look at your three numbers again, beside the rows *alone*, *pooled* and *learner of tasks* at $K = 2$.
# Was your third guess below the others by a factor of twenty?
#
# Why is the band so wide at $K = 2$? Two points $x_1, x_2$ are two equations for $A$ and $B$, and their
# determinant is $\sin x_1 \cos x_2 - \cos x_1 \sin x_2 = \sin(x_1 - x_2)$. Where it is near 0 (points in the same
# place, or a whole number of half wavelengths apart) both points say the same thing. Are those the bad tasks?

# %%
rng = np.random.default_rng(12)  # the same 1000 tasks once more
pairs = np.stack([SinusoidTasks(k_shot=2).sample(rng).support.x[:, 0] for _ in range(1000)])
determinants = abs(np.sin(pairs[:, 0] - pairs[:, 1]))
errors = results[ours, 2].values
alike = determinants < 0.2
claim("In fewer than one task of five the determinant is under 0.2.", alike.mean() < 0.2, alike.mean())
share = errors[alike].sum() / errors.sum()
claim("These tasks make more than half of the whole error.", share > 0.5, share)
claim("In half of all tasks it is over 0.6.", np.median(determinants) > 0.6, np.median(determinants))

# %% [markdown]
# ### Which half of the prior does it?
#
# "Pooled, then fitted" has a learned starting point as well, and gains little, although its scale is the best of five. We
# try the other half alone: the learned covariance around a zero mean.

# %%
no_mean = params | {"mean": np.zeros(12)}
half = {k: regression_score(lambda s: adapt(no_mean, s), SinusoidTasks(k_shot=k), seed=12) for k in (1, 2)}
for k, score in half.items():
    print(f"K = {k}  learned covariance, mean 0: {score}")
claim(
    "With one point the learned mean helps.",
    results[ours, 1].interval[1] < half[1].interval[0],
    results[ours, 1],
    half[1],
)
claim(
    "With two, the covariance alone has under a twentieth of the error of the mean alone.",
    20 * half[2].interval[1] < results["pooled, then fitted", 2].mean,
    half[2],
    results["pooled, then fitted", 2],
)

# %% [markdown]
# The mean helps where there is one point. The *covariance* does the rest: it says in which directions tasks differ.
#
# ### How many tasks does it take?
#
# We learn the prior from $n$ training tasks only, and test with two support points. Few tasks can be lucky or
# unlucky ones, so we do it for many different sets of $n$: a hundred sets of three, ten of the others.


# %%
def error_after(start, n):
    """The mean squared error with two support points, after n of the training tasks."""
    fewer = learn_prior(train_x[start : start + n], train_y[start : start + n])
    tasks = SinusoidTasks(k_shot=2)
    return regression_score(lambda s: adapt(fewer, s), tasks, seed=12, n_tasks=300).mean


# %%
n_sets = {2: 10, 3: 100, 20: 10}
after = {n: np.array([error_after(n * i, n) for i in range(sets)]) for n, sets in n_sets.items()}
for n, found in after.items():
    print(f"{n:2d} tasks: best {min(found):.2f}, median {np.median(found):.2f}, worst {max(found):.2f}")
few_enough = np.mean(after[3] < 0.2)
claim("None of the sets of two tasks is enough.", min(after[2]) > 0.5, min(after[2]))
claim("Over half of the sets of three are, with an error under 0.2.", few_enough > 0.5, few_enough)
claim("Some sets of three are not: their error is over 1.", max(after[3]) > 1, max(after[3]))
claim("All of the sets of twenty are.", max(after[20]) < 0.2, max(after[20]))

# %% [markdown]
# Two tasks have one difference, so the covariance knows one direction where two are needed, and the learner
# is sure of something wrong. Three tasks have two differences. That should be enough, unless both point nearly the
# same way. Is that what was wrong with the bad sets? Then the covariance of their curves has little in its second
# direction. (With our first ten sets the four worst were exactly the four that have least there. Another ten took that
# back, which is why there are a hundred here. And the mean over sets hangs on a few terrible ones: hence medians.)


# %%
def second_direction(start):
    covariance = learn_prior(train_x[start : start + 3], train_y[start : start + 3])["covariance"]
    return np.linalg.eigvalsh(features(grid) @ covariance @ features(grid).T)[-2]


# %%
second = np.array([second_direction(3 * i) for i in range(100)])
thin = second < np.median(second)
middle = np.median(after[3][thin]), np.median(after[3][~thin])
claim(
    "The half with less there has a median error higher by a third or more.",
    middle[0] > 4 / 3 * middle[1],
    middle,
)
ranks = np.corrcoef(np.argsort(np.argsort(second)), np.argsort(np.argsort(after[3])))[0, 1]
claim("The ranks of the two go opposite ways, not strictly.", -0.95 < ranks < -0.1, ranks)

# %% [markdown]
# So a thin second direction is a part of the answer, and not all of it: a correlation well above $-1$ says that sets are
# bad for other reasons too.
#
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
# The sentences are checked before we write them down.


# %%
def outside_below(k, kind, name, other):
    """The same question for the table of shifted tasks."""
    return outside[k, kind, name].interval[1] < outside[k, kind, other].interval[0]


# %%
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
# Two kinds of failure. Shifted phases and larger amplitudes lie *within*
# the directions that the covariance knows, only far from the mean. With one point the prior's mean can mislead
# (the phases) or be too timid and still useful (the amplitudes); a few more points correct it. Faster curves
# lie *outside* of these directions. The prior has all but ruled such curves out, so even ten points do not
# persuade it, while the learner alone, which knows less, is far below it. Look for this edge in every learner of tasks.
#
# ## The same in PyTorch, on the device that is there
#
# In PyTorch an episode is the same thing made of tensors. One function moves it to the device. It leaves
# `task` alone, and it keeps the number type (labels stay integers).

# %%
import torch

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


# %%
def to_torch(episode, device="cpu"):
    """The episode as tensors on the device."""
    support, query = (
        Examples(*(torch.from_numpy(array).to(device) for array in part)) for part in episode[:2]
    )
    return Episode(support, query, episode.task)


# %%
from reference.pytorch.machine import arrays as torch_reference

same(to_torch, torch_reference.to_torch, lambda rng: (SinusoidTasks(k_shot=3).sample(rng),))
same(to_torch, torch_reference.to_torch, lambda rng: (test_tasks.sample(rng),))

# %% [markdown]
# A **batch of episodes** is an episode whose arrays have one axis more in front,
# one entry a task. Curves all have the same shapes, so a thousand tasks stack into one.


# %%
def stack(episodes):
    """A batch: the same fields, with a leading axis of length n_tasks."""
    parts = ([getattr(e, name) for e in episodes] for name in ("support", "query"))
    return Episode(*(Examples(*map(np.stack, zip(*part, strict=True))) for part in parts))


# %%
rng = np.random.default_rng(12)
episodes = [SinusoidTasks(k_shot=5).sample(rng) for _ in range(1000)]
batch = to_torch(stack(episodes), device)
print("support x:", tuple(batch.support.x.shape), batch.support.x.dtype)
print("query y:  ", tuple(batch.query.y.shape), batch.query.y.dtype)

# %% [markdown]
# `adapt` for the whole batch is the same equation with a leading axis. `.mT` transposes the last two axes, and
# `torch.linalg.solve` solves a thousand small systems at once.


# %%
def features_torch(x):
    """Twelve bumps, as before."""
    return torch.exp(-((x - torch.as_tensor(CENTRES, device=x.device)) ** 2) / 2)


# %%
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
# ## What differs from the papers
#
# Support and query sets, N-way and K-shot are as in Vinyals et al. (2016). Our sinusoids are those of Finn et
# al. (2017), with the inputs of support and query drawn alike. Our learner of tasks is an old
# idea, empirical Bayes: a prior estimated from earlier tasks. Harrison et al. (2018) put a network in the place
# of the bumps and train it through `condition`. Grant et al. (2018) read MAML as such a prior. We saw every
# training task at 50 points, so that each could be fitted by itself; with few points a task, mean and
# covariance must be estimated jointly.
#
# **Without weights.** In `condition` the covariance of the weights comes up only between inputs: the matrix
# $H \Sigma H^\top$ says how the targets at two inputs vary together. A function that gives this number for any two inputs
# is a *kernel*, and the guess of the targets needs nothing else; with normal distributions it is called a Gaussian
# process. Patacchiola et al. (2020), *deep kernel transfer*, learn the kernel itself. A network embeds the inputs, a kernel
# compares the embeddings, and the parameters of both are shared by all tasks; they are trained so that the targets of
# the earlier tasks become probable. A new task then needs no gradient step and no parameters of its own: one solve, as
# here. It is the learner of this chapter with learned bumps, as many of them as one likes, and a covariance that need
# not be written down.
#
# ## The museum: labels that know too much
#
# Here is a sampler as one finds it in public code. It draws classes and drawings as yours does (it calls yours), keeps
# support and query apart, and shuffles all rows. Then it turns the numbers of the classes in the bank into labels
# $0, \dots, N - 1$, in its own way. There is one bug in it. Do not look for it yet; watch what it does.


# %%
@dataclass(frozen=True)
class MuseumTasks(GlyphTasks):
    """An N-way K-shot sampler with a bug."""

    def sample(self, rng):
        episode = super().sample(rng)
        number_of = {name: c for c, name in enumerate(self.bank.names)}
        classes = np.array([number_of[name] for name in episode.task])
        parts = (Examples(part.x, self.relabel(classes[part.y], classes)) for part in episode[:2])
        return Episode(*parts, task=episode.task)

    def relabel(self, class_of_row, classes):
        """Any class numbers become 0..n_way-1."""
        return np.unique(class_of_row, return_inverse=True)[1]


# %% [markdown]
# Its facts are ours.

# %%
museum = MuseumTasks(numbered, n_way=5, k_shot=2, n_query=3)


def museum_facts(rng):
    return facts(museum.sample(rng))


same(museum_facts, our_facts, lambda rng: (rng,), n_cases=200)

# %% [markdown]
# ### The symptom
#
# A learner that never looks at the support set cannot tell which class is called 0 and which is called 1. It
# must score $1/N$. So let us build a *blind* learner and hope that it fails.
#
# We split the characters of the training scripts at random: two thirds to learn from, one third to be tested
# on. No character is in both. `select` keeps the classes in the
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
# trained on such episodes can lower its loss by this trick too. In the extreme every class has the same label in all
# episodes: then a network that recognises the training classes needs no support at all (Yin et al., 2020, call it the
# memorisation problem). Exercise 5 computes how far the trick could go here.
#
# Now look at `MuseumTasks` again. Which line does it? Find it before you read on.
#
# <details><summary>The line</summary>
#
# `np.unique(..., return_inverse=True)`. `np.unique` *sorts*. It turns class numbers into $0..N-1$ by size, so
# in every episode the class that comes first in the bank gets label 0, whatever the order of the draw was.
# The word "sort" stands nowhere. (And `task`, which names label 0 first, no longer tells the truth.)
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
mended = blind_score(MendedTasks)
print(f"blind learner, mended sampler: {mended}; chance: 1/5")

# %%
check_labels_follow_the_draw(MendedTasks(numbered, n_way=5, k_shot=2, n_query=3))
check_labels_follow_the_draw(our_tasks)
claim("The blind learner is back at chance, within 0.02.", abs(mended.mean - 1 / 5) < 0.02, mended)

# %% [markdown]
# Keep the blind learner as a tool: on whatever benchmark, a learner that ignores the support must score at chance.
#
# ## Exercises

# %% [markdown]
# ### Exercise 4: A split that tests for new tasks
#
# *Difficulty: easy. Time: 15 minutes. Points: 3.*
#
# Data rarely come as a sorted bank. Often there is one array that says of each drawing to which group it belongs, in
# any order. A group may be a class, or a whole script if you want a harder test. Write
# `split_by_group(groups, share, rng)`. Choose `round(share * number of groups)` groups at random, each with the same
# chance, and hold them out. Return `(train_rows, test_rows)`: the positions of the drawings in `groups`, as whole numbers.
#
# <details><summary>Hint 1</summary>
#
# What is drawn at random: drawings or groups?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.unique(groups)` lists the groups, each once, however many drawings it has.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.isin` tells for each drawing whether its group is among some; `np.flatnonzero` turns yes and no into positions.
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
groups = np.random.default_rng(0).permutation(groups)
given = split_by_group(groups, 0.3, np.random.default_rng(0))
assert isinstance(given, tuple | list) and len(given) == 2, "return the pair (train_rows, test_rows)."
train_rows, test_rows = map(np.asarray, given)
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
held = [set(groups[test]) for _, test in splits]
counts = sorted({len(names) for names in held})
assert counts == [2], (
    f"share 0.2 of 10 groups is 2 groups, held out were {counts}. Count groups, and draw none of them twice."
)
for share, wanted in ((0.26, 3), (0.24, 2)):
    n_held = len(set(groups[split_by_group(groups, share, np.random.default_rng(0))[1]]))
    assert n_held == wanted, f"share {share} of 10 groups rounds to {wanted} groups, held out were {n_held}."
print("split_by_group: the counts are right")

# %% test="split-by-group" points=1
splits = [split_by_group(groups, 0.2, np.random.default_rng(seed)) for seed in range(200)]
held = [set(groups[test]) for _, test in splits]
n_choices = len(set(map(frozenset, held)))
assert n_choices > 20, (
    f"200 generators gave {n_choices} different choice(s) of the 45 pairs of groups. The groups should be "
    "drawn at random: neighbours in a sorted list are often alike."
)
for group in ("script a", "script e", "script j"):
    often = np.mean([group in names for names in held])
    assert 0.08 < often < 0.36, (
        f"{group} is held out in a share of {often:.2f} of splits, 0.2 would be fair. "
        "Every group has the same chance, however many drawings it has."
    )
### BEGIN HIDDEN TESTS
numbers = np.array([7, 7, 3, 9, 9, 9, 4])
train_rows, test_rows = split_by_group(numbers, 0.5, np.random.default_rng(2))
assert sorted([*train_rows, *test_rows]) == [*range(7)] and len(set(numbers[test_rows])) == 2, (
    f"of the groups 3, 4, 7 and 9 two are held out; got rows {train_rows} and {test_rows}."
)
### END HIDDEN TESTS
print("split_by_group: passed")

# %% [markdown]
# ### Exercise 5: How much a sorted label can leak
#
# *Difficulty: medium. Time: 20 minutes. Points: 3.*
#
# The blind learner of the museum is a poor reader of drawings. Suppose a perfect one: it knows the place $u$
# of every query's class in the bank exactly, but still never sees the support. Labels follow the order of the
# bank. The bank is large, so $u$ is uniform in $[0, 1]$. Write `blind_ceiling(n_way)`: the accuracy of the
# best bet, to 0.002. For $N = 2$ your pencil should give $3/4$.
#
# <details><summary>Hint 1</summary>
#
# Do it for $N = 2$ with a pencil: what do you bet at $u = 0.2$, and how often are you right?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The bet may depend on $u$. What is the probability of being right at one given $u$, if you bet as well as you can?
#
# </details>
# <details><summary>Hint 3</summary>
#
# `label_probabilities` takes an array of places. An average over a uniform $u$ needs many of them, evenly spaced.
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
got = np.asarray(blind_ceiling(2), dtype=float)
assert got.shape == (), f"one number is wanted, got shape {got.shape}: average over u, too."
assert abs(got - 0.75) < 0.002, (
    f"blind_ceiling(2) should be 3/4, got {got:.4f}. The bet may depend on u: bet first, "
    "on the most probable label at this u, then average over u (many of them)."
)
got = float(blind_ceiling(5))
assert abs(got - 0.5021) < 0.002, (
    f"blind_ceiling(5) should be 0.502, got {got:.4f}. k of the *other* N-1 classes stand before it, "
    "and the best bet is the most probable label, not the expected one."
)
### BEGIN HIDDEN TESTS
got = float(blind_ceiling(20))
assert abs(got - 0.2647) < 0.002, (
    f"blind_ceiling(20) should be 0.265, got {got:.4f}. Is the bet right for any N?"
)
### END HIDDEN TESTS
print("blind_ceiling: passed")

# %% [markdown]
# ### Exercise 6: Knowing how wrong one will be
#
# *Difficulty: hard. Time: 35 minutes. Points: 4.*
#
# The learner of tasks can say how large its error will be before it has seen a single target, from the
# *inputs* of the support alone. Write `expected_error(params, support_x, query_x)`: for each query input the
# expected squared distance between the prediction of `adapt` and the curve $H_Q w$ itself. Follow the derivation
# of `condition`: with the best $G$, what is left of the covariance of $w$?
#
# <details><summary>Hint 1</summary>
#
# The error of the guess of $w$ is $d - G r$. What is its covariance, as an expectation of products?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Multiply it out: four terms. You know $\mathbb{E}[d r^\top]$ and $\mathbb{E}[r r^\top]$. What does the best $G$ do to
# their product? Check with one point and one weight that a support point can only take away.
#
# </details>
# <details><summary>Hint 3</summary>
#
# If $w$ has the error covariance $C$, a prediction $h w$ has the error variance $h\, C\, h^\top$. There are many query
# inputs, and nobody asks how their errors go together.
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


# %% test="expected-error" points=1
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
assert np.min(expected_error(some, rng.uniform(-5, 5, (6, 1)), near)) > 0, (
    "an expected squared error is positive. "
    "Points may say the same thing twice: take them all at once, in one G."
)
print("expected_error: positive")


# %% test="expected-error" points=2
def squared_errors(prior, half, sx, qx):
    """The mean squared errors of adapt at qx on 4000 tasks drawn from the prior."""
    rng = np.random.default_rng(2)
    w = prior["mean"] + rng.normal(size=(4000, 12)) @ half.T
    y = features(sx) @ w[..., None] + np.sqrt(prior["noise"]) * rng.normal(size=(4000, len(sx), 1))
    guesses = np.stack([adapt(prior, Examples(sx, targets))(qx)[:, 0] for targets in y])
    return ((guesses - w @ features(qx).T) ** 2).mean(0)


sx, qx = np.array([[-1.0], [0.5], [3.0]]), np.array([[-3.0], [0.0], [1.0], [4.0]])
want, got = squared_errors(some, half, sx, qx), expected_error(some, sx, qx)
assert np.allclose(got, want, rtol=0.15), (
    f"4000 drawn tasks have the squared errors {want.round(3)}, expected_error says {np.round(got, 3)}. "
    "Start from the covariance of d - G r: the whole Sigma, all points at once, noise on the diagonal only."
)
### BEGIN HIDDEN TESTS
noisy = some | {"noise": 0.5}
sx, qx = np.array([[-2.0], [-1.8], [0.0], [2.5], [4.0]]), np.array([[-4.0], [1.0], [3.0]])
want, got = squared_errors(noisy, half, sx, qx), expected_error(noisy, sx, qx)
assert np.allclose(got, want, rtol=0.15), (
    f"with noise 0.5 drawn tasks have {want.round(3)}, expected_error says {np.round(got, 3)}."
)
### END HIDDEN TESTS
print("expected_error: passed")

# %% [markdown]
# ### Exercise 7: Three learners in one notation
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
# For (a), what does the learner do with $S$ at test time? For (b), which formula of the chapter is a minimum?
#
# </details>
# <details><summary>Hint 3</summary>
#
# For (c): where there is no example there is no loss, and nothing to descend.
#
# </details>

# %% [markdown] answer="three-objectives" points=3
# <!-- BEGIN SOLUTION -->
# (a) Pooled: $\theta$ is one weight vector. Inner: nothing is learned, $\phi = \theta$. Outer:
# $\min_\theta \mathbb{E}_{\mathcal{T}} L_{S \cup Q}(\theta)$, the loss over all examples of all tasks.
#
# (b) Learner of tasks: $\theta = (\mu, \Sigma, \sigma^2)$. Inner: $\phi = \arg\min_w \frac{1}{\sigma^2} |y_S
# - H_S w|^2 + (w - \mu)^\top \Sigma^{-1} (w - \mu)$. Outer: $\mu$, $\Sigma$ are the mean and the
# covariance of the training tasks' weights, $\sigma^2$ their residual. It was not found by descending
# $\mathbb{E}_{\mathcal{T}} L_Q(\phi)$. If what bumps cannot express were noise of this variance that has nothing to do with
# $w$, the true mean and covariance would give the smallest expected error of all linear guesses, and so minimise that
# too. Here the rest depends on the task, and 500 tasks tell the two moments only nearly; so it is close to a minimum,
# not one.
#
# (c) One gradient step: $\theta$ is a starting point. Inner: $\phi = \theta - \alpha \nabla L_S(\theta)$. Outer:
# $\min_\theta \mathbb{E}_{\mathcal{T}} L_Q\big(\theta - \alpha \nabla L_S(\theta)\big)$.
#
# All three run with an empty support set and then answer with what they have from other tasks: (a) its one
# function, as always, (b) the mean function $H\mu$, (c) the function of the starting point.
# <!-- END SOLUTION -->

# %% [markdown]
# <details><summary>A model answer, and what a grader looks for (open it after you have written yours)</summary>
#
# (a) $\theta$ is one vector of weights; $\phi = \theta$, whatever $S$ is; $\theta$ minimises the mean loss over all points of
# all tasks. (b) $\theta$ is a mean, a covariance and a noise; $\phi$ minimises the support loss over the noise plus the
# squared distance from the mean, measured by the covariance; $\theta$ is counted from the training tasks, not descended to.
# That choice has the least expected query loss among linear guesses if the rest of the targets is noise that has nothing to
# do with $w$; here this holds nearly. (c) $\theta$ is a starting point; $\phi$ is it after one step down the support loss;
# $\theta$ minimises the expected query loss at $\phi$. With an empty support all three answer: (a) as ever, (b) with the mean
# function, (c) with the starting point.
#
# A grader looks for: (1 point) the three $\theta$ and that (a) has no inner learning; (1 point) the inner objective of (b)
# with both terms, and that of (c) as a step, not as a minimum; (1 point) the three answers to an empty support. A remark
# that (b)'s outer choice is optimal only under a condition deserves praise.
#
# </details>

# %% [markdown]
# ### Exercise 8: A family of your own
#
# *Difficulty: hard. Time: 35 minutes. Points: 4.*
#
# Invent a family of curves on $[-5, 5]$ for which a learner of tasks needs *three* points where it needs two on sinusoids,
# and derive what every learner without a support set must lose on it. Write two things:
#
# - `own_curve(rng)` draws one task and returns its function, which takes inputs of shape `(n, 1)` and gives targets of the
#   same shape, without noise. Tasks differ in three directions, no more and no less, and these are smooth enough for the
#   twelve bumps.
# - `own_best_single`: the error of the best single function on your family, for inputs uniform in $[-5, 5]$, within a
#   tenth. Derive it with a pencil, as the chapter did.
#
# The tests learn a prior from 400 of your tasks, count its directions, and let `adapt` meet 400 more.
#
# <details><summary>Hint 1</summary>
#
# A sinusoid is a sum of two fixed curves, each times a number that the task draws. What would a third direction be?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The error is a variance between tasks, averaged over $x$. Where the drawn numbers are independent, their variances add,
# each times the mean square of its curve. What does a mean that is not zero contribute?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Keep the three parts about equally large, and the curves wide: a curve that wiggles much more than $\sin x$ is no sum of
# twelve bumps. Powers of $x$ grow; what is the mean of $x^2$ over $[-5, 5]$?
#
# </details>


# %% tags=["setup"]
def points_of(curve, rng, k_shot):
    """An episode of k_shot support and 30 query points of a curve; a sentence if it is none."""
    x = rng.uniform(-5, 5, (k_shot + 30, 1))
    assert callable(curve), f"own_curve(rng) should return a function of x, not a {type(curve).__name__}."
    y = np.asarray(curve(x), dtype=float)
    assert y.shape == x.shape, f"for inputs {x.shape} the curve gives {y.shape}; one target for each input."
    assert np.isfinite(y).all(), "a target is not finite."
    return Episode(Examples(x[:k_shot], y[:k_shot]), Examples(x[k_shot:], y[k_shot:]))


# %% tags=["setup"]
def judged_family(own_curve, seed):
    """(shares of the variance, {k: error of adapt}, error of one function for all) of a family of curves."""
    rng = np.random.default_rng(seed)
    past = [points_of(own_curve(rng), rng, 30) for _ in range(400)]
    x, y = (np.stack([np.concatenate([e.support[i], e.query[i]]) for e in past]) for i in (0, 1))
    own, single = learn_prior(x, y), least_squares(features(x).reshape(-1, 12), y.reshape(-1, 1))
    h = features(np.linspace(-5, 5, 61)[:, None])
    values = np.maximum(np.sort(np.linalg.eigvalsh(h @ own["covariance"] @ h.T))[::-1], 0)
    errors = {}
    for k in (2, 3):
        new = [points_of(own_curve(rng), rng, k) for _ in range(400)]
        errors[k] = np.median([np.mean((adapt(own, e.support)(e.query.x) - e.query.y) ** 2) for e in new])
    many = [points_of(own_curve(rng), rng, 1).query for _ in range(4000)]
    all_x, all_y = (np.concatenate([q[i] for q in many]) for i in (0, 1))
    miss = np.mean((features(all_x) @ single - all_y[:, 0]) ** 2)
    return values / max(values.sum(), 1e-300), errors, miss


# %% solution="own-family"
### BEGIN SOLUTION
def own_curve(rng):
    a, b, c = rng.normal(size=3)
    return lambda x: 1 + a + b * np.sin(x) + c * np.cos(x)


own_best_single = 2.0  # the variances are 1 each; the mean squares of the curves are 1, and together 1
### END SOLUTION

# %% test="own-family" points=1
rng = np.random.default_rng(0)
points_of(own_curve(rng), rng, 1)
both = [own_curve(np.random.default_rng(seed))(np.linspace(-5, 5, 9)[:, None]) for seed in (0, 0, 1)]
assert np.allclose(both[0], both[1]), "the same generator should give the same task: draw all of it from rng."
assert not np.allclose(both[0], both[2]), "two generators give the same curve: a family has many tasks."
curve, x = own_curve(np.random.default_rng(0)), np.linspace(-5, 5, 9)[:, None]
again = "a curve gives other targets when it is asked again: the numbers are drawn once a task."
assert np.allclose(curve(x), curve(x)), again
print("own_curve: a family of curves")

# %% test="own-family" points=1
shares, errors, miss = judged_family(own_curve, seed=0)
told = f"The shares of the variance in the first five directions are {shares[:5].round(3)}"
assert shares[2] > 0.02, f"{told}: there are fewer than three (the third should hold 0.02 or more)."
assert shares[3] < 0.005, f"{told}: there are more than three (the fourth should hold less than 0.005)."
story = f"The median errors are {errors[2]:.4g} with two points and {errors[3]:.4g} with three"
assert errors[3] < errors[2] / 5, f"{story}: the third point should take four fifths of it or more."
assert errors[3] < miss / 20, f"{story}, and {miss:.4g} for one function: are your curves sums of the bumps?"
### BEGIN HIDDEN TESTS
shares, errors, miss = judged_family(own_curve, seed=1)
assert shares[2] > 0.015 and shares[3] < 0.007 and errors[3] < errors[2] / 4, (
    f"with other tasks the shares are {shares[:5].round(3)} and the errors {errors}."
)
### END HIDDEN TESTS
print("own_curve: three directions, three points")

# %% test="own-family" points=2
_, _, miss = judged_family(own_curve, seed=2)
squares = np.mean(np.concatenate([own_curve(np.random.default_rng(s))(x) for s in range(500)]) ** 2)
told = np.asarray(own_best_single, dtype=float)
assert told.shape == (), f"own_best_single is one number; got shape {told.shape}."
story = f"own_best_single = {told:.4g}; one function for all loses {miss:.4g} on 4000 of your tasks"
assert miss > 0 and (abs(told / miss - 1) < 0.1 or abs(told / squares - 1) > 0.1), (
    f"{story}. Yours is the error of always answering 0: the best function is the mean curve."
)
assert abs(told / miss - 1) < 0.1, f"{story}. Which of the three parts adds how much, averaged over x?"
### BEGIN HIDDEN TESTS
_, _, miss = judged_family(own_curve, seed=3)
assert abs(told / miss - 1) < 0.12, f"own_best_single = {told:.4g}; with other tasks it is {miss:.4g}."
### END HIDDEN TESTS
print("own_best_single: passed")

# %% [markdown]
# ## Summary
#
# - A task is a draw from a distribution over tasks; an episode is its support set to learn from and its query set to be judged on.
# - An honest N-way K-shot sampler has distinct classes, disjoint support and query, labels by the order of the draw, and
#   shuffled rows; an honest split holds out classes.
# - The best single function for all tasks is their average; its error is the variance between tasks, however many data there are.
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
# - Massimiliano Patacchiola et al., 2020, Bayesian Meta-Learning for the Few-Shot Setting via Deep Kernels, arXiv:1910.05199.
# - Mingzhang Yin et al., 2020, Meta-Learning without Memorization, arXiv:1912.03820.
# - Timothy Hospedales et al., 2020, Meta-Learning in Neural Networks: A Survey, arXiv:2004.05439.
