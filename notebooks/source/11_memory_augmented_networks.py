# %% [markdown] teaches=["reference.scratch.mann.least_used", "reference.scratch.mann.write_weights", "reference.scratch.mann.write", "reference.scratch.mann.next_usage", "reference.scratch.mann.read_weights", "reference.scratch.mann.cell", "reference.pytorch.mann.least_used", "reference.pytorch.mann.write_weights", "reference.pytorch.mann.write", "reference.episodes.in_order", "reference.tasks.instances.ceiling_of_first", "reference.tasks.instances.accuracy_by_instance"]
# # Memory-augmented networks
#
# **Question.** Can a network that meets examples one by one, and changes no weight, write down each new class
# and know it when it comes again?
#
# **Objectives.** After this chapter you can
#
# - turn a few-shot task into a stream in which every label comes one step late, and say what would leak if it
#   did not,
# - derive how often the *first* example of a class can be named at all, and use that number to find leaks,
# - build a memory that writes where it is least missed: usage, its decay, the least used rows, the write
#   gate,
# - test by controls whether a network uses the memory it was given,
# - tell what a written memory buys beside an LSTM's state and beside a transformer that keeps everything.
#
# **Prerequisites.** Chapter 10 (heads, soft weights, the LSTM) and the engine (chapter 03). `adapt` and
# `predict` are as in chapters 06 to 09.
#
# **Time.** 80 minutes to read, 165 minutes of exercises, 1 minute to run.

# %% tags=["setup"]
from functools import partial

import matplotlib.pyplot as plt
import numpy as np

from reference import plotting
from reference.checks import claim, same
from reference.episodes import Episode, Examples, Series
from reference.evaluation import Score
from reference.scratch.autodiff import Tensor, detach, sigmoid, softmax
from reference.scratch.mann import Size, State
from reference.scratch.nn.cells import answering, feedforward, run
from reference.scratch.nn.memory import similarity
from reference.scratch.nn.networks import linear

plt.style.use(plotting.STYLE)

# %% [markdown]
# ## The idea
#
# Chapter 10 built a memory and taught a machine to copy with it. Now the memory gets our problem: new
# classes, from few examples. Santoro et al. (2016) put it as a **stream**. Images come one at a time. At each
# step the network must name the class of the image *before* it is told; the true label comes with the next
# image, **one step late**. Five classes, ten images of each, in random order: fifty questions. For the next
# stream five other classes are drawn, and labels are handed out anew: the character that was "3" a moment ago
# may now be "0".
#
# So nothing about labels can be put into the weights $\theta$. They can hold an eye for characters, and a
# *procedure*: keep what you have just seen; when its label arrives, bind the two; when something like it
# comes again, find it, and say its label. This is `adapt` and `predict` in one, with no gradient and no mean:
# to adapt is to have read the stream so far.
#
# Where is the binding kept? A recurrent network could keep it in its state. A **memory-augmented network**
# (MANN) has a matrix of rows as in chapter 10, but addresses it in another way. There is no shift and no
# place, only content; and a new entry goes to the row that is **least used**, where it is missed least.
#
# The score is asked by **instance**: of all classes that came for the 1st time, how many were named? For the
# 2nd time? The 10th? At the 2nd instance a class has been seen once: that is one-shot learning. (How far one
# gets there without looking at all, exercise 5 will show.)
#
# **Predict.** Three learners of 650,000 to 690,000 weights are trained on streams of handwritten characters:
# a MANN, an LSTM, and a small transformer that keeps every step and attends to all of them. Then they get
# characters of which they have never seen one. How often is each right at the 1st, the 2nd and the 10th
# instance? Write down nine numbers.

# %%
my_guess = {"MANN": (0, 0, 0), "LSTM": (0, 0, 0), "transformer": (0, 0, 0)}  # percent; put yours

# %% [markdown]
# ## By hand
#
# ### What nobody can know
#
# At its first instance a class has no label yet. Is a right answer then chance, one in five? Not quite. Say
# $j$ classes have come already, and you see that this one is new. Then its label is none of the $j$ that are
# taken, and each of the other $5 - j$ is as likely. No guess is right more often than $1 / (5 - j)$. In each
# stream this happens once for every $j = 0, \dots, 4$, so over first instances nobody can be right more often
# than
#
# $$\frac{1}{5}\left(\frac{1}{5} + \frac{1}{4} + \frac{1}{3} + \frac{1}{2} + 1\right).$$


# %% tags=["setup"]
def ceiling(n_way):
    """The best accuracy at first instances, over streams."""
    return sum(1 / (n_way - taken) for taken in range(n_way)) / n_way


# %%
from reference.tasks import instances as reference_instances

same(ceiling, reference_instances.ceiling_of_first, lambda rng: (int(rng.integers(1, 20)),))
print(f"five classes: {ceiling(5):.3f}, three: {ceiling(3):.3f}, two: {ceiling(2):.3f}")

# %% [markdown]
# This 45.7 % is a tool. It is no matter of skill: it follows from how the labels are drawn. **Whoever beats
# it by more than luck knew a label before it was told**, and the mistake is in the stream, the loss or the
# test. (The paper reports 36.4 % for its network at the first instance; below the ceiling, above 20 %: it has
# learned to avoid the labels that are taken.)
#
# ### A memory that writes where it is least missed
#
# Four rows, one head. For every row there is a number, its **usage** $w^u$: how much it was read and written
# of late. At each step it fades by a factor $\gamma$, the **decay**, and grows by what is read and written
# (the paper's equation 5):
#
# $$w^u_t = \gamma\, w^u_{t-1} + w^r_t + w^w_t .$$
#
# The row with the smallest usage is the **least used**: $w^{lu}$ has a one there and zeros elsewhere
# (equation 6). Where does the head write? It has a choice of two, and a **gate** $g$ between 0 and 1 that
# mixes them (equation 7):
#
# $$w^w_t = g\, w^r_{t-1} + (1 - g)\, w^{lu}_{t-1} .$$
#
# Gate 0: to the least used row, as something new. Gate 1: onto the row that it read last, to add to what is
# known there. Before it writes, the least used row is set to zero; then the key $k$ is added where $w^w$ says
# (equation 8). The same key serves for reading and for writing: what is put down now is what will be looked
# for later.
#
# By pencil: usage $(0.9, 0.2, 0.5, 0.3)$, last read with $w^r = (0.7, 0.1, 0.1, 0.1)$, gate $g = 0.25$. Least
# used is row 1. So $w^w = 0.25 \cdot (0.7, 0.1, 0.1, 0.1) + 0.75 \cdot (0, 1, 0, 0)$.

# %%
usage, last_read, gate = np.array([0.9, 0.2, 0.5, 0.3]), np.array([0.7, 0.1, 0.1, 0.1]), 0.25
least = np.eye(4)[usage.argmin()]
written = gate * last_read + (1 - gate) * least
print("write weights:", written)

# %% [markdown]
# Row 1 gets most of the key, and row 0, which was read last, a little. Say this step reads with $(0.1, 0.1,
# 0.1, 0.7)$ and the decay is a half. Which row is written to next? Work it out before you look.

# %%
next_usage_by_hand = 0.5 * usage + np.array([0.1, 0.1, 0.1, 0.7]) + written
print("usage:", next_usage_by_hand, " least used: row", next_usage_by_hand.argmin())

# %% [markdown]
# ### How sharply can it read?
#
# Reading is by content, and simpler than in chapter 10: $w^r$ is the softmax over the rows of the cosine
# between key and row (equations 2 and 3). There the cosine was multiplied by a strength $\beta$, which the
# head could raise. Here it is not. Take a good case: one row *is* the key, cosine 1, and the others are at
# right angles to it, or empty, cosine 0. How much of what is read comes from the right row?

# %%
for n_rows in (4, 16, 128):
    print(f"{n_rows:3d} rows: {np.e / (np.e + n_rows - 1):.3f} of the weight; evenly: {1 / n_rows:.3f}")

# %% [markdown]
# With the paper's 128 rows the right row gets 2 % where an even spread gives 0.8 %. (The best case, all other
# rows opposite to the key, cosine -1, gives $e^2 / (e^2 + 127)$, 5.5 %.) So this head does not point. What it
# reads is nearly the mean of all rows, with a slight lean towards the right one. A linear
# layer can enlarge a lean. Whether such a memory is of use is a question for a control, and it gets one
# below.

# %% [markdown]
# ## Build it in NumPy
#
# First the stream. A batch of tasks comes as in every chapter: images `x` (n_tasks, n_steps, ...) and labels
# `y` (n_tasks, n_steps), in the order in which they will be met. A recurrent network wants steps first.

# %% [markdown]
# ### Exercise 1: One step late
#
# *Difficulty: medium. Time: 15 minutes. Points: 3.*
#
# Write `late(x, y, n_way)`: the stream (n_steps, n_tasks, d + n_way). At each step stands the image as a
# vector of its $d$ numbers, and behind it the label of the image **before**, as `n_way` zeros with a one. At
# step 0 there is no label before: all zeros. Give it the number type of `x`.
#
# <details><summary>Hint 1</summary>
#
# Make the labels into vectors first, as they stand, for all steps. Then move them by one step.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.eye(n_way)[y]` has shape (n_tasks, n_steps, n_way). After the move the last label is gone: nobody is
# asked after it.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Zeros of shape (n_tasks, 1, n_way), then all labels but the last, along the axis of steps. The axes are
# exchanged at the end, with `swapaxes(0, 1)`; `reshape` would mix tasks and steps.
#
# </details>


# %% solution="late"
def late(x, y, n_way):
    """The stream (n_steps, n_tasks, d + n_way): each image, and the label of the one before."""
    ### BEGIN SOLUTION
    images = x.reshape(*y.shape, -1)
    labels = np.eye(n_way, dtype=x.dtype)[y]
    before = np.concatenate([np.zeros_like(labels[:, :1]), labels[:, :-1]], axis=1)
    return np.concatenate([images, before], axis=-1).swapaxes(0, 1)
    ### END SOLUTION


# To go on without it: from reference.episodes import in_order
# To go on without it: cut = lambda x, y: Episode(Examples(x[:, :1], y[:, :1]), Examples(x[:, 1:], y[:, 1:]))
# To go on without it: late = lambda x, y, n_way: in_order(cut(x, y), n_way=n_way).x

# %% test="late" points=1
two_tasks = np.arange(6.0, dtype=np.float32).reshape(2, 3, 1, 1)  # images of one pixel: 0 1 2 and 3 4 5
their_labels = np.array([[1, 0, 2], [0, 2, 2]])
given = late(two_tasks, their_labels, 3)
assert given is not None, "expected a stream, got None: is a `return` missing?"
assert np.shape(given) == (3, 2, 4), (
    f"two tasks of three images of one pixel, three labels: expected (n_steps, n_tasks, 1 + 3) = (3, "
    f"2, 4), got "
    f"{np.shape(given)}."
)
assert isinstance(given, np.ndarray), f"expected one array, got a {type(given).__name__}."
assert given.dtype == np.float32, f"x is float32, the stream is {given.dtype}: keep the number type of x."
assert given[:, 0, -1].tolist() != [0, 1, 2], (
    "expected the image first and the label behind it, got the reverse."
)
assert given[:, 0, 0].tolist() == [0, 1, 2], (
    f"the pixels of task 0 are 0, 1, 2 in this order, got {given[:, 0, 0].tolist()}. Exchange axes by "
    f"swapaxes; "
    "reshape mixes tasks and steps."
)

# %% test="late" points=1
labels_given = late(two_tasks, their_labels, 3)[:, 0, 1:].argmax(-1) - (
    late(two_tasks, their_labels, 3)[:, 0, 1:].sum(-1) == 0
)
story = (
    "task 0 has the labels 1, 0, 2: expected beside its images none, 1, 0, got "
    f"{', '.join('none' if label < 0 else str(label) for label in labels_given)}."
)
for mistaken, hint in {
    (1, 0, 2): "Each image has its own label beside it: the answer stands in the question.",
    (0, 2, -1): "That is one step early: the label of the image that is still to come.",
    (1, 1, 0): "At step 0 there is no label before: zeros, not the first label.",
    (0, 1, 0): "At step 0 there is no label before: zeros do not mean label 0.",
    (2, 1, 0): "At step 0 there is no label before: nothing comes round from the end.",
    (-1, -1, 1): "That is two steps late.",
    (-1, -1, -1): "Along which axis were the labels moved? Steps are the second of y, tasks the first.",
}.items():
    assert tuple(labels_given.tolist()) != mistaken, f"{story} {hint}"
assert labels_given.tolist() == [-1, 1, 0], f"{story} Zeros first, then the label of the image before."

# %% test="late" points=1
from reference.episodes import in_order


def in_two_parts(x, y, n_way):
    """The reference wants a support set and queries; where the cut is, is all the same here."""
    return in_order(Episode(Examples(x[:, :1], y[:, :1]), Examples(x[:, 1:], y[:, 1:])), n_way=n_way).x


def case_of_streams(rng):
    return rng.normal(size=(3, 6, 1, 2, 2)), rng.integers(4, size=(3, 6)), 5  # label 4 never comes


unseen = np.shape(late(two_tasks, their_labels, 5))
assert unseen == (3, 2, 6), f"five labels, of which two never come: expected (3, 2, 1 + 5), got {unseen}."
same(late, in_two_parts, case_of_streams)
### BEGIN HIDDEN TESTS
flat = lambda rng: (rng.normal(size=(4, 2, 5)).astype(np.float32), rng.integers(2, size=(4, 2)), 2)
same(late, in_two_parts, flat)
### END HIDDEN TESTS

# %% [markdown]
# Now the memory. As in chapter 10 everything takes a batch of sequences, each with a memory of its own, and
# several heads: memory (batch, n_rows, width), weights (batch, n_heads, n_rows). Every head reads, and every
# head writes. Reading and usage are a line each; `similarity` is the cosine of chapter 10, and 0 for a row of
# zeros.


# %% tags=["setup"]
def read_weights(memory, keys, *, strength=1.0):
    """Equations 2 and 3; the paper's strength is 1."""
    return softmax(strength * similarity(keys, memory))


# %% tags=["setup"]
def next_usage(usage, reading, writing, *, decay):
    """Equation 5, added up over heads."""
    return decay * usage + np.sum(reading + writing, axis=1)


# %% [markdown]
# ### Exercise 2: The least used rows
#
# *Difficulty: medium. Time: 20 minutes. Points: 3.*
#
# Write `least_used(usage, n)` with `usage` (batch, n_rows): $w^{lu}$ (batch, n, n_rows), with one row for
# each of $n$ heads. Head 0 gets a one at the least used row, head 1 at the next, and so on: two heads that
# write in one step must not write to one row. Of equals the first row comes first. It is a constant: no
# gradient goes through it, so begin with `detach(usage)`, which gives a plain array.
#
# <details><summary>Hint 1</summary>
#
# Which rows they are is a question of order. NumPy has a function that gives the order and not the sorted
# numbers.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `np.argsort` sorts upwards. With `kind="stable"` equals stay in their order; without, the order of equals is
# left open.
#
# </details>
# <details><summary>Hint 3</summary>
#
# From row numbers to ones and zeros, compare with all row numbers, or take rows of `np.eye(n_rows)`.
#
# </details>


# %% solution="least-used"
def least_used(usage, n):
    """w^lu (batch, n, n_rows): a one at the least used row for head 0, at the next for head 1, ..."""
    ### BEGIN SOLUTION
    usage = detach(usage)
    rows = np.argsort(usage, axis=1, kind="stable")[:, :n]
    return np.eye(usage.shape[1], dtype=usage.dtype)[rows]
    ### END SOLUTION


# To go on without it: from reference.scratch.mann import least_used

# %% test="least-used" points=1
used = np.array([[0.9, 0.2, 0.5, 0.3], [0.1, 0.7, 0.6, 0.4]])
given = least_used(used, 2)
assert given is not None, "expected ones and zeros, got None: is a `return` missing?"
assert np.shape(given) == (2, 2, 4), (
    f"two sequences, four rows, n = 2: one row of ones and zeros a head, (2, 2, 4); got {np.shape(given)}."
)
given = np.asarray(given)
story = (
    f"usage (0.9, 0.2, 0.5, 0.3), two heads: expected a one at row 1 and a one at row 3, got "
    f"{given[0].tolist()}."
)
assert np.isin(given, (0, 1)).all(), (
    f"{story} Ones and zeros alone: a head that writes something new is sure."
)
assert (given.sum(-1) == 1).all(), f"{story} One row for each head: two heads do not share their rows."
for mistaken, hint in {
    (0, 2): "Those are the most used rows: the smallest usage is wanted.",
    (1, 1): "Both heads got one row: the second head takes the next.",
    (3, 1): "The least used row is for head 0, the next for head 1.",
    (2, 0): "Those are the last of the order; the first of the order upwards are wanted.",
    (1, 0): "The order is among the rows of one sequence, along axis 1, not among sequences.",
    (3, 0): "Those are ranks: that row 0 is the most used, row 1 the least. Wanted is which row is first.",
}.items():
    assert tuple(given.argmax(-1)[0].tolist()) != mistaken, f"{story} {hint}"
assert (given[0] == np.eye(4)[[1, 3]]).all(), f"{story} One row for each head."

# %% test="least-used" points=1
given = np.asarray(least_used(used, 2))
assert (given[1] == np.eye(4)[[0, 3]]).all(), (
    f"the second sequence, usage (0.1, 0.7, 0.6, 0.4): expected rows 0 and 3, got "
    f"{given[1].argmax(-1).tolist()}. "
    "Each sequence has its own order."
)

# %% test="least-used" points=1
from reference.scratch import mann as reference_mann

nothing_used = np.zeros((1, 40))
nothing_used[0, 20] = 1.0
given = least_used(nothing_used, 3).argmax(-1)[0].tolist()
assert given == [0, 1, 2], (
    f"forty rows, nearly all of usage 0, three heads: expected the first rows 0, 1, 2, got {given}."
)
in_pairs = np.tile([0.3, 0.1], (1, 20))  # equals that are spread over all rows
given = least_used(in_pairs, 5).argmax(-1)[0].tolist()
assert given == [1, 3, 5, 7, 9], (
    f"usage 0.3, 0.1, 0.3, 0.1, ..., five heads: expected rows 1, 3, 5, 7, 9, the first of equals, got "
    f"{given}. Some ways of sorting leave the order of equals open."
)
assert isinstance(least_used(Tensor(used), 1), np.ndarray), (
    "given a Tensor, expected a plain array: the choice of a row has no gradient. Begin with detach(usage)."
)
same(least_used, reference_mann.least_used, lambda rng: (rng.uniform(size=(3, 7)).round(1), 4))
### BEGIN HIDDEN TESTS
same(least_used, reference_mann.least_used, lambda rng: (rng.uniform(size=(5, 3)), 1))
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3: Where to write
#
# *Difficulty: easy. Time: 15 minutes. Points: 2.*
#
# Write `write_weights(gates, last_reading, least)`, equation 7, for several heads: `gates` (batch, n_heads),
# the other two (batch, n_heads, n_rows). `last_reading` are the weights with which each head read in the step
# **before**. (Why not in this step? The label that has just come belongs to the image of the step before.)
#
# <details><summary>Hint 1</summary>
#
# By pencil it was one line. Which shape must the gates have to multiply weights?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `gates[..., None]` is (batch, n_heads, 1).
#
# </details>
# <details><summary>Hint 3</summary>
#
# The two shares of a head, of what it read and of the least used, have the sum 1. Gate 1 means what it read.
#
# </details>


# %% solution="write-weights"
def write_weights(gates, last_reading, least):
    """w^w: onto what was read last, or onto what is least used."""
    ### BEGIN SOLUTION
    return gates[..., None] * last_reading + (1 - gates[..., None]) * least
    ### END SOLUTION


# To go on without it: from reference.scratch.mann import write_weights

# %% test="write-weights" points=1
last = np.array([[[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]]])
rows_least = np.eye(4)[None, [1, 3]]
given = write_weights(np.array([[0.25, 1.0]]), last, rows_least)
assert given is not None, "expected weights, got None: is a `return` missing?"
assert np.shape(given) == (1, 2, 4), f"expected weights of shape (1, 2, 4), got {np.shape(given)}."
given = np.asarray(given)[0]
story = (
    f"read (0.7, 0.1, 0.1, 0.1), least used row 1, gate 0.25: expected (0.175, 0.775, 0.025, 0.025), got "
    f"{given[0].round(3)}."
)
for mistaken, hint in {
    (0.525, 0.325, 0.075, 0.075): "Gate 1 means what was read: these are the wrong way round.",
    (0.175, 1.025, 0.025, 0.025): "The least used row gets the rest of the gate, 1 - g, and not all of it.",
    (0.175, 0.275, 0.025, 0.025): "The least used row gets 1 - g, not g.",
    (0.7, 0.1, 0.1, 0.1): "That is what was read, and nothing of the least used row.",
    (0, 1, 0, 0): "The gate mixes the two; it does not choose one of them.",
}.items():
    assert not np.allclose(given[0], mistaken, atol=1e-6), f"{story} {hint}"
assert np.allclose(given[0], (0.175, 0.775, 0.025, 0.025), atol=1e-6), story
assert np.allclose(given[1], 0.25, atol=1e-6), (
    f"gate 1, read evenly: expected 0.25 in each row, got {given[1].round(3)}. Does each head have its "
    f"own gate?"
)

# %% test="write-weights" points=1
from reference.scratch import mann as reference_mann


def shares(rng, *shape):
    """Random weights: positive, and of sum 1 along the last axis."""
    return softmax(rng.normal(size=shape))


def case_of_gates(rng):
    return (
        Tensor(rng.uniform(size=(3, 2))),
        Tensor(shares(rng, 3, 2, 5)),
        np.eye(5)[rng.integers(5, size=(3, 2))],
    )


same(write_weights, reference_mann.write_weights, case_of_gates)
### BEGIN HIDDEN TESTS
alone = lambda rng: (Tensor(rng.uniform(size=(1, 1))), Tensor(shares(rng, 1, 1, 2)), np.eye(2)[None, [1]])
same(write_weights, reference_mann.write_weights, alone)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 4: Write
#
# *Difficulty: easy. Time: 15 minutes. Points: 3.*
#
# Write `write(memory, writing, keys, *, least)`, equation 8, with `writing` and `least` (batch, n_heads,
# n_rows) and `keys` (batch, n_heads, width). First the least used row of *every* head becomes zero, whatever
# its gate says. Then every head adds its key to each row, times its write weight there. The memory that you
# were given stays as it is.
#
# <details><summary>Hint 1</summary>
#
# `least` summed over the heads has a one for every row that is to become zero.
#
# </details>
# <details><summary>Hint 2</summary>
#
# What all heads add together is one product of matrices: (n_rows, n_heads) times (n_heads, width), batch by
# batch. `x.mT` exchanges the last two axes.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A factor for whole rows has the shape (batch, n_rows, 1).
#
# </details>


# %% solution="write"
def write(memory, writing, keys, *, least):
    """M(i) + w^w(i) k of every head, after the least used rows have become 0."""
    ### BEGIN SOLUTION
    emptied = memory * (1 - np.sum(least, axis=1))[..., None]
    return emptied + writing.mT @ keys
    ### END SOLUTION


# To go on without it: from reference.scratch.mann import write

# %% test="write" points=1
before = np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]])
where = np.array([[[0.5, 0.4, 0.0, 0.1], [0.0, 0.0, 1.0, 0.0]]])
given = write(before, where, np.array([[[10.0, 20.0], [2.0, 0.0]]]), least=np.eye(4)[None, [1, 3]])
assert given is not None, "expected the new memory, got None: is a `return` missing?"
assert before[0, 3].tolist() == [7, 8], "the memory you were given was changed: make a new one."
assert np.shape(given) == (1, 4, 2), f"expected a memory of shape (1, 4, 2), got {np.shape(given)}."

# %% test="write" points=1
given = np.asarray(
    write(before, where, np.array([[[10.0, 20.0], [2.0, 0.0]]]), least=np.eye(4)[None, [1, 3]])
)[0]
story = (
    "rows (1, 2), (3, 4), (5, 6), (7, 8); head 0 writes (10, 20) by 0.5 to row 0, 0.4 to row 1, its least "
    "used, and 0.1 to row 3; head 1 writes (2, 0) to row 2, and its least used is row 3: expected (6, 12), "
    f"(4, 8), (7, 6), (1, 2), got {given.tolist()}."
)
for mistaken, hint in {
    (6, 12, 7, 12, 7, 6, 8, 10): "Nothing was set to zero.",
    (6, 12, 4, 8, 7, 6, 8, 10): "Row 3 becomes zero, though its head writes nothing there.",
    (6, 12, 7, 12, 7, 6, 1, 2): "Row 1 is the least used of head 0: zero, before the key is added.",
    (6, 12, 0, 0, 7, 6, 0, 0): "What is added stays: zero comes first, then the key.",
    (6, 12, 4, 8, 7, 6, 0, 0): "Row 3 was emptied after head 0 wrote: first zeros for all heads.",
    (11, 22, 10, 20, 7, 6, 10, 20): "Each row gets its share of the key, w(i) k.",
    (5, 10, 4, 8, 2, 0, 1, 2): "Only least used rows are emptied; the other rows keep what they hold.",
    (5.5, 11, 5.8, 10.4, 2, 0, 7.3, 9.2): "Rows do not fade where one writes, as in chapter 10.",
    (6, 12, 5.8, 10.4, 7, 6, 8, 10): "The least used row becomes zero, whatever is written there.",
    (1, 2, 0, 0, 5, 6, 0, 0): "Nothing was added.",
}.items():
    assert not np.allclose(given.ravel(), mistaken), f"{story} {hint}"
assert np.allclose(given, [[6, 12], [4, 8], [7, 6], [1, 2]]), story

# %% test="write" points=1
from reference.scratch import mann as reference_mann


def case_of_write(rng):
    arrays = rng.normal(size=(2, 5, 4)), softmax(rng.normal(size=(2, 3, 5))), rng.normal(size=(2, 3, 4))
    return *map(Tensor, arrays), {"least": np.eye(5)[np.array([[0, 3, 1], [4, 2, 0]])]}


same(write, reference_mann.write, case_of_write)
### BEGIN HIDDEN TESTS
one_head = lambda rng: (
    *(Tensor(rng.normal(size=shape)) for shape in ((3, 2, 1), (3, 1, 2), (3, 1, 1))),
    {"least": np.eye(2)[np.array([[0], [1], [0]])]},
)
same(write, reference_mann.write, one_head)
### END HIDDEN TESTS

# %% [markdown]
# ### One step
#
# The controller, any recurrent network, sees the image, the late label and what was read last. What it says
# goes through a linear layer to a key (brought between -1 and 1 by tanh) and a gate (a sigmoid) for each
# head. Then: read, find the least used rows, write, count. A head reads the memory of the step before, so
# that it never finds what it is only about to write. (The paper's $M_t$ leaves the order open. In two
# well-known programs what is read is what stands there *after* the write; one finds its rows by the new
# memory, the other by the old. See "What differs".) The answer is a linear layer on what the controller says
# and what was read.
#
# Two tuples carry this. `size` has `n_rows`, `width` and `n_reads` (the heads), the `decay` and the
# `strength`. `state` is what is kept from step to step: the controller's own, the memory, the weights and the
# reads of this step, the usage.


# %% tags=["setup"]
def mann_step(params, state, x, *, size, controller, least_of=None):
    """The next state, and what the machine says. (`least_of`: a function in the place of `least_used`.)"""
    own = {name.removeprefix("controller."): p for name, p in params.items() if "controller." in name}
    seen = np.concatenate([x, np.reshape(state.reads, (len(x), -1))], axis=1)
    kept, said = controller.cell(own, state.controller, seen)
    numbers = linear(said, params["heads.weight"], params["heads.bias"])
    numbers = np.reshape(numbers, (len(x), size.n_reads, -1))
    keys, gates = np.tanh(numbers[..., :-1]), sigmoid(numbers[..., -1])
    reading = read_weights(state.memory, keys, strength=size.strength)
    least = (least_of or least_used)(state.usage, size.n_reads)
    writing = write_weights(gates, state.weights, least)
    reads = reading @ state.memory
    memory = write(state.memory, writing, keys, least=least)
    usage = next_usage(state.usage, reading, writing, decay=size.decay)
    out = np.concatenate([said, np.reshape(reads, (len(x), -1))], axis=1)
    return State(kept, memory, reading, usage, reads), out


# %%
from reference.scratch import mann as reference_mann

three_heads = {"size": Size(n_rows=6, width=3, n_reads=3), "controller": feedforward(4)}


def case_of_a_step(rng):
    params = reference_mann.init(rng, 2, **three_heads)
    params = {name: Tensor(3.0 * p.astype(np.float64)) for name, p in params.items()}
    weights = softmax(rng.normal(size=(2, 3, 6)))
    arrays = rng.normal(size=(2, 6, 3)), weights, rng.uniform(size=(2, 6)), rng.normal(size=(2, 3, 3))
    return params, State((), *map(Tensor, arrays)), Tensor(rng.normal(size=(2, 2))), three_heads


same(mann_step, reference_mann.cell, case_of_a_step)

# %% [markdown]
# ### What must always hold
#
# Before anything is trained. The first key goes to the first row, whatever the gate says: nothing has been
# read yet, and head $i$ begins at row $i$. Usage is never negative. What one stream writes, no other reads.


# %% tags=["setup"]
def begin_small(params, x, *, size, controller):
    """The state before the first step: an empty memory, of which nothing is used."""
    own = {name.removeprefix("controller."): p for name, p in params.items() if "controller." in name}
    memory = np.zeros((len(x), size.n_rows, size.width), x.dtype)
    usage = np.zeros_like(memory[..., 0])
    first = least_used(usage, size.n_reads)
    return State(controller.begin(own, x), memory, first, usage, np.zeros_like(memory[:, : size.n_reads]))


# %%
from reference.scratch.mann import init

parts = {"size": Size(n_rows=6, width=3, n_reads=1), "controller": feedforward(5)}
some_params = init(np.random.default_rng(0), 4, **parts)
some_xs = np.random.default_rng(1).normal(size=(9, 3, 4))


# %%
def stream_states(params, xs, **machine):
    """The states after every step."""
    states = [begin_small(params, xs[0], **machine)]
    for x in xs:
        states.append(mann_step(params, states[-1], x, **machine)[0])
    return states[1:]


# %%
states = stream_states(some_params, some_xs, **parts)
filled = states[0].memory[0].any(-1)
claim("After one step row 0 is filled, and no other.", filled.tolist() == [True] + [False] * 5, *filled)
lowest = min(state.usage.min() for state in states)
claim("Usage is never negative.", lowest >= 0, lowest)
alone = [stream_states(some_params, some_xs[:, [b]], **parts)[-1].memory for b in range(3)]
gap = np.concatenate(alone) - states[-1].memory
claim("No stream's memory depends on another's.", np.allclose(gap, 0), gap)

# %% [markdown]
# ## A tiny one learns to learn
#
# Now train it with your four functions and the engine of chapter 03. The classes are directions in a space of
# four dimensions, drawn anew for each stream; an example is its class's direction and a little noise. Two
# classes, four examples each: eight questions. Guessing gets one half; the ceiling at first instances is 3/4.


# %%
def directions(rng, n, *, n_way=2, n_each=4):
    """n streams: each class is a direction, each example that direction and noise."""
    y = rng.permuted(np.tile(np.repeat(np.arange(n_way), n_each), (n, 1)), axis=1)
    centers = rng.normal(size=(n, n_way, 4))
    centers /= np.linalg.norm(centers, axis=-1, keepdims=True)
    x = np.take_along_axis(centers, y[..., None], axis=1) + 0.1 * rng.normal(size=(*y.shape, 4))
    return Series(late(x, y, n_way), y.T, np.ones(y.T.shape, dtype=bool))


# %% [markdown]
# The score. For each stream, sort the answers by how often their class had come:


# %% tags=["setup"]
def by_instance(scores, y):
    """(n, n_each): in each stream the share of classes that are right at their 1st, 2nd, ... instance."""
    right = (np.asarray(scores).argmax(-1) == y).astype(float)
    met = (y[..., None] == np.arange(y.max() + 1)).cumsum(axis=0)
    instance = np.take_along_axis(met, y[..., None], axis=-1)[..., 0]
    return np.stack(
        [(right * (instance == k)).sum(0) / (instance == k).sum(0) for k in range(1, instance.max() + 1)], 1
    )


# %%
from reference.tasks.instances import accuracy_by_instance


def case_of_scores(rng):
    y = rng.permuted(np.tile(np.repeat(np.arange(3), 4), (5, 1)), axis=1).T
    return rng.normal(size=(12, 5, 3)), y


same(by_instance, accuracy_by_instance, case_of_scores)

# %%
from reference.meta_train import meta_train
from reference.rules import adam, clipped
from reference.scratch.mann import meta_gradient
from reference.scratch.nn.cells import Recurrent, lstm

tiny = {"size": Size(n_rows=8, width=8, n_reads=2), "controller": lstm(32)}


# %%
def tiny_net(**other_parts):
    """The tiny machine under its output layer; it says two scores."""
    step = partial(mann_step, **tiny, **other_parts)
    return answering(Recurrent(partial(init, **tiny), partial(begin_small, **tiny), step, 32 + 2 * 8), 2)


# %%
def falling(rate, n_steps):
    """Half a cosine, from the rate to nothing."""
    return lambda step: rate * (1 + np.cos(np.pi * step / n_steps)) / 2


# %%
def train_tiny(seed, n_steps=800):
    """The weights after n_steps batches of 16 streams, and the losses."""
    rng, rule = np.random.default_rng(seed), clipped(adam(falling(0.02, n_steps)), 1.0)
    first = tiny_net().init(rng, 4 + 2)
    gradient = partial(meta_gradient, net=tiny_net())
    return meta_train(first, gradient, lambda: directions(rng, 16), rule=rule, n_steps=n_steps)


# %% tags=["training", "nbval-ignore-output"]
trained, losses = train_tiny(0)
print(
    "nats lost, over 50 steps from step",
    {s: round(losses[s : s + 50].mean(), 2) for s in (0, 100, 200, 400, 750)},
)

# %% [markdown]
# Look at the losses: in this run a fall, a rest near 0.55, and a second fall. Where does it rest? The labels
# of a stream come in one of 70 orders, all equally likely. Whoever looks at no image cannot lose less
# than $\ln 70 / 8 = 0.53$ nats an answer, on average, and loses just this by counting well (exercise 5). So
# at the rest it does no better than one who counts with eyes shut; below 0.53 it must look.

# %%
test = directions(np.random.default_rng(10), 400)
tiny_scores = by_instance(run(tiny_net(), trained, test.x), test.y)
tiny_by = [Score(tiny_scores[:, k]) for k in range(4)]
everywhere = Score(tiny_scores.mean(1))
claim(
    "Over all instances it is right more often than anybody with eyes shut can be, 0.67.",
    everywhere.interval[0] > 0.7,
    everywhere,
)
claim("At the 1st it is not above the ceiling, 3/4.", tiny_by[0].interval[0] < ceiling(2), tiny_by[0])

# %% [markdown]
# (0.67 is the counter's share, from exercise 5. Why over *all* instances, and not at the 2nd? You will see
# there how far one gets at the 2nd without looking.) No weight has changed during these 400 streams. What a
# class looks like, and what it is called, was put down on the way.

# %% [markdown]
# ### Is its memory used?
#
# It has a memory, and it learned; so the memory did it? The controller is an LSTM, which has a state of its
# own. An explanation is tested by a control. Two of them. First, **silence** the reads: the trained net goes
# on as before, but what its heads read is replaced by zeros on its way to the controller and to the answer.
# What it still knows, it knows without the memory. (What it loses it may have had from there, or the zeros
# upset it: it never met them in training.) Second, train an LSTM of the same size, with no memory at all, on
# as many streams.


# %%
def silenced(params, heard, said):
    """The net whose controller hears its first `heard` inputs, and its answer the first `said`, alone."""
    deaf = {"core.controller.weight_ih_l0": heard, "output.weight": said}
    return params | {name: params[name] * (np.arange(params[name].shape[1]) < n) for name, n in deaf.items()}


# %% tags=["training", "nbval-ignore-output"]
plain_net = answering(lstm(40), 2)
rng, rule = np.random.default_rng(0), clipped(adam(falling(0.02, 800)), 1.0)
plain, _ = meta_train(
    plain_net.init(rng, 4 + 2),
    partial(meta_gradient, net=plain_net),
    lambda: directions(rng, 16),
    rule=rule,
    n_steps=800,
)
sizes = [sum(p.size for p in params.values()) for params in (trained, plain)]
without = by_instance(run(tiny_net(), silenced(trained, 4 + 2, 32), test.x), test.y)
without_memory = by_instance(run(plain_net, plain, test.x), test.y)
print("weights:", *sizes)
for name, found in (
    ("as trained", tiny_scores),
    ("reads silenced", without),
    ("an LSTM alone", without_memory),
):
    print(f"{name}: right at instances 1 to 4:", found.mean(0).round(3))

# %%
deaf, own = Score(without.mean(1)), Score(without_memory.mean(1))
claim(
    "Without its reads it is still above the counter's 0.67, over all instances.",
    deaf.interval[0] > 0.69,
    deaf,
)
claim("So is the LSTM alone.", own.interval[0] > 0.7, own)

# %% [markdown]
# So this controller keeps bindings by itself; how many differs from training to training. That is the first
# lesson of this chapter's controls: **a memory that is offered need not be used.** (A guess at the cause: the
# state of an LSTM is easier to learn to use.) A net that has a memory and a good score is no evidence for the
# memory.

# %% [markdown]
# ### Where is each instance written and read?
#
# The film strip, as in chapter 10: time goes to the right, the rows go down; on the left what is written
# (both heads together), on the right what is read.


# %%
def filmed(params, xs, *, parts, least_of=None):
    """For the first stream: what both heads write and read, and the usage, (n_steps, n_rows) each."""
    own = {name.removeprefix("core."): p for name, p in params.items() if name.startswith("core.")}
    state, film = begin_small(own, xs[0], **parts), {"written": [], "read": [], "used": []}
    for x in xs:
        before = state
        state, _ = mann_step(own, state, x, **parts, least_of=least_of)
        spread = (
            state.usage - parts["size"].decay * before.usage - state.weights.sum(1)
        )  # equation 5, solved for w^w
        for name, rows in (("written", spread), ("read", state.weights.sum(1)), ("used", state.usage)):
            film[name].append(np.asarray(rows)[0])
    return {name: np.stack(rows) for name, rows in film.items()}


# %%
film = filmed(trained, test.x[:, :1], parts=tiny)
_, pair = plt.subplots(1, 2, figsize=(7.5, 2.6), sharey=True, layout="constrained")
for ax, name in zip(pair, ("written", "read"), strict=True):
    plotting.matrix(film[name].T, ax=ax).set(title=name, xlabel="step", aspect="auto")
    ax.images[0].colorbar.ax.set_ylim(0, None)
_ = pair[0].set_ylabel("row")
plotting.show(
    "Two heat maps, rows of the memory against the eight steps of a stream. Left, what is written: one or "
    "two dark cells at each step, in other rows than at the step before. Right, what is read: nearly the "
    "same weight in every row, at most steps."
)

# %% [markdown]
# **Figure 1.** Writing points, reading does not. Left: the two heads take the two least used rows, other ones
# at each step; where a gate is open, a part goes elsewhere. Right: a read is spread over all rows. The pencil
# allows more: with eight rows one of them could get half of a read. The figure shows one stream of one
# training; how far the gates open differs from training to training.

# %%
sharpest = film["read"].max() / 2
most = np.e**2 / (np.e**2 + 7)
claim(
    "No row gets more of a read than e^2 / (e^2 + 7): one row at cosine 1, seven at -1.",
    sharpest <= most,
    sharpest,
    most,
)

# %% [markdown]
# ## Build it in PyTorch
#
# The same functions; only names change. From here on the machine is `reference.pytorch.mann`.

# %%
import torch
from torch.nn import functional as F


# %%
def torch_least_used(usage, n):
    """Equation 6."""
    rows = usage.detach().argsort(dim=1, stable=True)[:, :n]
    return F.one_hot(rows, usage.shape[1]).to(usage)


# %%
def torch_write(memory, writing, keys, *, least):
    """Equation 8."""
    return memory * (1 - least.sum(1))[..., None] + writing.mT @ keys


# %%
from reference.pytorch import mann as torch_mann

as_tensors = lambda case: (
    lambda rng: tuple(
        {key: torch.from_numpy(detach(x)) for key, x in part.items()}
        if isinstance(part, dict)
        else torch.from_numpy(detach(part))
        for part in case(rng)
    )
)
same(torch_least_used, torch_mann.least_used, lambda rng: (torch.from_numpy(rng.uniform(size=(3, 7))), 4))
same(torch_write, torch_mann.write, as_tensors(case_of_write))

# %% [markdown]
# ### Glyphs
#
# Now shapes: the glyphs that the course ships, two classes in a stream, five drawings of each. Learning to
# see *and* to remember takes longer than a chapter may (the next section has it). So every drawing is
# described by eight numbers: its first principal components over half of the training glyphs, each divided by
# the root of its spread, and all together made one unit long. Training classes are the training scripts and
# their quarter turns; the test scripts were never seen, not even by the components.

# %%
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.mann import Size as TorchSize
from reference.pytorch.mann import machine as torch_machine
from reference.pytorch.mann import meta_gradient as torch_meta_gradient
from reference.pytorch.nn.cells import answering as torch_answering
from reference.pytorch.nn.cells import lstm as torch_lstm
from reference.pytorch.nn.cells import run as torch_run
from reference.tasks.bank import distinct
from reference.tasks.glyphs import glyphs

ink = lambda bank: bank.images.reshape(len(bank.images), -1) / np.float32(255)
middle = ink(glyphs("train")).mean(0)
centred = ink(glyphs("train"))[::2] - middle
variances, components = (part[..., -8:] for part in np.linalg.eigh(centred.T @ centred / len(centred)))


# %%
def described(bank):
    """The eight numbers of each image."""
    numbers = (ink(bank) - middle) @ components / variances**0.25
    return numbers / np.linalg.norm(numbers, axis=1, keepdims=True)


banks = {"train": glyphs("train").with_rotations(), "test": glyphs("test")}
numbers_of = {split: described(bank) for split, bank in banks.items()}


# %%
def glyph_streams(rng, n, split):
    """n streams of two classes, five of each; and the rows of the bank that are seen, (n, 10)."""
    bank = banks[split]
    classes = distinct(rng, np.full(n, len(bank.names)), count=2)
    rows = bank.offsets[classes][..., None] + distinct(rng, bank.sizes[classes], count=5)
    labelled = rng.permuted((2 * rows + np.arange(2)[:, None]).reshape(n, -1), axis=1)
    rows, y = np.divmod(labelled, 2)
    return Series(late(numbers_of[split][rows], y, 2), y.T, np.ones(y.T.shape, dtype=bool)), rows


# %%
glyph_parts = {"size": Size(n_rows=16, width=12, n_reads=2), "controller": lstm(48)}
GLYPH_NETS = {
    "MANN": torch_answering(torch_machine(TorchSize(16, 12, 2), torch_lstm(48)), 2),
    "LSTM": torch_answering(torch_lstm(64), 2),
}


# %%
def train_on_glyphs(model, n_steps=2000):
    """The weights after n_steps batches of 32 streams."""
    rng = np.random.default_rng(0)
    draw = lambda: to_torch(glyph_streams(rng, 32, "train")[0])
    rule_here = clipped(adam(falling(0.04, n_steps)), 1.0)
    gradient = partial(torch_meta_gradient, net=model)
    return meta_train(model.init(rng, 8 + 2), gradient, draw, rule=rule_here, n_steps=n_steps)[0]


# %% [markdown]
# Beside the two learners stands a **list**: all that was met is kept, and the label of the nearest one is
# said. It learns nothing and forgets nothing.


# %%
def by_list(x, y):
    """The label (n_steps, n) of the nearest earlier example in each stream; 0 at the first step."""
    examples, n_steps = x[..., : -(y.max() + 1)], len(x)
    gaps = ((examples[:, None] - examples[None]) ** 2).sum(-1)  # (n_steps, n_steps, n)
    gaps[np.arange(n_steps)[:, None] <= np.arange(n_steps)] = np.inf  # nothing of now or later
    said = np.take_along_axis(y, gaps.argmin(1), axis=0)
    said[0] = 0
    return said


# %% tags=["training", "nbval-ignore-output"]
on_glyphs = {name: train_on_glyphs(model) for name, model in GLYPH_NETS.items()}
glyph_test, _ = glyph_streams(np.random.default_rng(20), 400, "test")
answers_on_glyphs = {"list": np.eye(2)[by_list(glyph_test.x, glyph_test.y)]}
with torch.inference_mode():
    for name, model in GLYPH_NETS.items():
        answers_on_glyphs[name] = torch_run(model, on_glyphs[name], to_torch(glyph_test).x).numpy()
glyph_scores = {name: by_instance(said, glyph_test.y) for name, said in answers_on_glyphs.items()}
print("right at instances 1 to 5 (each +- 0.03), on scripts never seen:")
for name, found in glyph_scores.items():
    print(f"{name}:", found.mean(0).round(2))

# %%
for name in GLYPH_NETS:
    of_all = Score(glyph_scores[name].mean(1))
    claim(
        f"{name}: over all instances right more often than the counter, whose share is 0.65.",
        of_all.interval[0] > 0.66,
        of_all,
    )
    once = Score(glyph_scores[name][:, 0])
    claim(f"{name}: at the 1st not above the ceiling, 3/4.", once.interval[0] < ceiling(2), once)

# %%
lists = glyph_scores["list"].mean(0)
behind = {name: float(found.mean(0)[4] - lists[4]) for name, found in glyph_scores.items()}
claim(
    "At the 5th instance neither learner is ahead of the list by more than 0.06.",
    max(behind.values()) < 0.06,
    behind,
)
claim("At the 1st the list is right less than one time in three.", lists[0] < 1 / 3, lists[0])

# %% [markdown]
# One run each: no order of the two. But look at the list. From eight numbers that anybody could compute, with
# no training at all, it makes as much at the 5th instance as these learners. (At first instances it is mostly
# wrong, for it can only name a class that it has met.) Keep it in mind: it will be there at full size, too.

# %% [markdown]
# ### Through `adapt` and `predict`
#
# Is this the same thing as a prototypical network or MAML? It fits the same two verbs. `adapt(params,
# support)` meets the support in its order, each label one step late, and keeps the state. `predict(x)` meets
# every query as if it came next, all from that same state, so no query sees another. Five-line proof: the
# tiny net on two-way one-shot episodes.

# %%
from reference.baselines import nearest_centroid
from reference.evaluation import evaluate
from reference.scratch.mann import adapt


class Directions:
    """Episodes: one example of each of two directions, and three queries of each."""

    def sample(self, rng):
        series = directions(rng, 1)
        x, y = series.x[:, 0, :4], series.y[:, 0]
        first = np.sort([np.flatnonzero(y == c)[0] for c in (0, 1)])  # in the order in which they come
        rest = np.setdiff1d(np.arange(8), first)
        return Episode(Examples(x[first], y[first]), Examples(x[rest], y[rest]))


# %%
remembering = evaluate(
    partial(adapt, trained, net=tiny_net()), Directions(), n_episodes=300, rng=np.random.default_rng(0)
)
by_mean = evaluate(nearest_centroid, Directions(), n_episodes=300, rng=np.random.default_rng(0))
claim(
    "Through adapt and predict it is right more than seven times in ten.",
    remembering.interval[0] > 0.7,
    remembering,
)
claim(
    "The nearest class mean, which needs no training at all, is right more often.",
    by_mean.interval[0] > remembering.interval[1],
    by_mean,
)

# %% [markdown]
# The baseline is a warning: these classes are blobs, and for blobs a mean is hard to beat. What a learner of
# streams has over a mean is that nobody told it the rule; what it pays is that it has to find it.

# %% [markdown]
# ## Handwriting, at full size
#
# Now the paper's setting: Omniglot characters of 20 x 20 pixels, five classes, ten images each; an LSTM of
# 200 as the controller, a memory of 128 x 40, four heads (648,369 weights). Beside it
#
# - the same machine with one change: in each step it **writes first** and then reads the memory that it has
#   just written (the paper leaves it open),
# - the same with a **strength of 10** on its cosines, so that its heads can point (the other rows at right
#   angles: $e^{10} / (e^{10} + 127)$, nearly all),
# - an **LSTM** of 248 (651,005 weights) and a causal **transformer**, three blocks of width 132 (686,933),
# - two that do not learn. The **counter** of exercise 5 sees no image. The **list of pixels** keeps every
#   image and its label, and says the label of the one with the nearest raw pixels: a perfect memory with no
#   eye for characters.
#
# 1,200 characters and their quarter turns are trained on, the other 423, turned too, judged (a draw of ours
# from all alphabets, called mixed in this course; the paper has the same sizes, and also shifts its images).
# Clipped gradients, Adam under a falling rate, 1,800 steps of 128 streams for every learner, three runs each.
# **These runs are short**: 230,400 streams, but only 1,800 steps. A run took six minutes (a machine), two and a
# half (an LSTM) or one and a half (a transformer) on a GPU that all of them shared. Longer ones come below.
#
# **How the rates were chosen.** On 25 background alphabets, judged by 5 others, seed 100, 500 steps, the
# accuracy at the 2nd instance: rates 0.001, 0.003, 0.01 and 0.03 for the machines and the LSTM, all of which
# chose 0.01 (the machine that writes first was given the other's rate); 0.0003, 0.001 and 0.003 for the
# transformer, which had not begun to look at any of them; it was given 0.001, the best by a little.
#
#     python -m experiments.omniglot.instances mann --seed 0 --data characters --n-steps 1800 --outer-lr 1e-2
#     python -m experiments.omniglot.instances transformer --seed 0 --data characters --n-steps 1800
#     python -m experiments.omniglot.instances pixels --data characters

# %%
from reference.results import select

LEARNERS = {"MANN": "mann", "MANN, writes first": "mann-writes-first", "MANN, strength 10": "mann-sharp"}
LEARNERS |= {"LSTM": "lstm", "transformer": "transformer"}
full_runs = {
    (name, run.settings["seed"]): run
    for name, variant in LEARNERS.items()
    for run in select("instances", variant=variant, data="characters", n_steps=1800, batch=128)
}
pixels = select("instances", variant="pixels", data="characters")[0]


# %%
def accuracies(run, reads="heard"):
    """The accuracy at each instance, and the half-width of its interval over 2,000 test streams."""
    rows = [row for row in run.rows if row.about.get("reads") == reads]
    return {row.about["instance"]: (row.mean, row.half_width) for row in rows}


# %%
print("percent right at instance             1st     2nd     5th    10th   (+- 1 over streams)")
for (name, seed), found in full_runs.items():
    print(
        f"{name:18s} seed {seed}        ",
        "".join(f"{100 * accuracies(found)[k][0]:8.1f}" for k in (1, 2, 5, 10)),
    )
print(f"{'list of pixels':32s}", "".join(f"{100 * accuracies(pixels)[k][0]:8.1f}" for k in (1, 2, 5, 10)))

# %% [markdown]
# Beside them what others report, each with its own protocol:
#
# | | 1st | 2nd | 5th | 10th | |
# |---|---|---|---|---|---|
# | MANN, Santoro et al. (2016) | 36.4 | 82.8 | 94.9 | 98.1 | 1,200 / 423 characters, turned and shifted; 100,000 episodes |
# | LSTM, the same paper | | 49.5 | | | the same |
# | MANN, a public program (snowkylin/ntm, its README) | 35.6 | 88.8 | 97.3 | 97.6 | 1,200 / 423 characters, turned and shifted; 100,000 batches of 16; keys of their own for writing |
# | LSTM, the same program | 23.3 | 59.0 | 70.8 | 72.3 | the same |
# | ours, above | | | | | 1,200 / 423, turned; 230,400 streams in 1,800 steps; three runs |
# | the counter (no image) | 45.7 | 31 | 28 | 33 | classes equally often, which in the paper they are not |
# | the keen (no image; exercise 5) | 12 | 61 | 28 | 33 | the same; aims at the 2nd instance and pays at the 1st |
#
# Mind the last line. Somebody who never looks and always says a label that was told just once is right at the
# 2nd instance six times in ten, more often than the LSTMs of others in this table. One column alone says
# little. Over the instances 2, 3, 5 and 10 together nobody who never looks is right more often than 0.496, on
# average (in each step say the label that is most likely to count; the simulation stands below).


# %%
def line(ax, run, *, look=None, **more):
    """Accuracy against instance, in the colour, line and marker of one learner, or in grey."""
    style = {"color": plotting.GREY}
    if look is not None:
        style = {
            "color": plotting.COLOURS[look],
            "linestyle": plotting.LINES[look],
            "marker": plotting.MARKERS[look],
        }
    found = accuracies(run)
    ax.plot([f"{k}" for k in found], [mean for mean, _ in found.values()], **style, markersize=4, **more)


# %%
_, ax = plt.subplots(figsize=(6.6, 4.4), layout="constrained")
for (name, seed), one_run in full_runs.items():
    line(ax, one_run, look=list(LEARNERS).index(name), label=None if seed else name)
line(ax, pixels, label="list of pixels")
ax.plot("1", ceiling(5), "_", color=plotting.GREY, markersize=18, markeredgewidth=2)
ax.annotate("ceiling", ("1", ceiling(5) + 0.03), color=plotting.GREY, ha="center")
ax.set(xlabel="instance", ylabel="share right", ylim=(0, 1))
_ = ax.legend(fontsize="small", loc="lower right")
plotting.show(
    "Share of right answers against instance, three lines each for MANN, MANN that writes first, MANN with "
    "strength 10, LSTM and transformer, one for the list of pixels. All begin below the ceiling of 0.457. "
    "All that learn leap to between 0.54 and 0.73 at the second instance and end between 0.74 and 0.86. The "
    "list of pixels begins at 0.04, passes 0.51 at the second instance and ends at 0.83."
)

# %% [markdown]
# **Figure 2.** Each line is one training run, each point 2,000 streams of characters never trained on. The
# grey line learned nothing. What the figure does not show is what longer training would do.


# %%
def three(name, k, reads="heard"):
    """The accuracies of the three runs at instance k."""
    return np.array([accuracies(full_runs[name, seed], reads)[k][0] for seed in range(3)])


# %%
firsts = np.concatenate([three(name, 1) for name in LEARNERS])
claim(
    "At the 1st instance no run of fifteen is above the ceiling.",
    firsts.max() < ceiling(5) + 0.01,
    firsts.max(),
)
lead = three("LSTM", 2) - three("MANN", 2)
claim("At the 2nd instance the LSTM is ahead of the MANN in each of three pairs.", lead.min() > 0.015, *lead)


# %%
def interval(differences):
    """The mean over three pairs, and the half-width of its interval, in points."""
    score = Score(100 * differences)
    return f"{score.mean:5.1f} +- {score.half_width:.1f}"


for name in ("MANN, writes first", "MANN, strength 10", "LSTM", "transformer"):
    ahead = [interval(three(name, k) - three("MANN", k)) for k in (2, 5, 10)]
    print(f"{name:18s} ahead of MANN at the 2nd, 5th, 10th:", *ahead)

# %%
listed = {k: accuracies(pixels)[k][0] for k in (2, 10)}
sooner = {k: min(three("LSTM", k).min(), three("MANN", k).min()) - accuracies(pixels)[k][0] for k in (2, 3)}
claim(
    "At the 2nd and the 3rd instance LSTM and MANN are ahead of the list of pixels, by a tenth or more.",
    min(sooner.values()) > 0.1,
    sooner,
)
claim(
    "At the 10th no LSTM, and no MANN as the paper has it, is ahead of the list of pixels.",
    max(three("LSTM", 10).max(), three("MANN", 10).max()) < listed[10],
    three("LSTM", 10),
    three("MANN", 10),
    listed[10],
)

# %% [markdown]
# How was your guess? In these runs:
#
# - The LSTM, which the paper has at 49.5 % at the 2nd instance, is at 70 to 73 %. It was tuned by the same
#   grid as the machine and has as many weights and streams. At the 2nd instance it is ahead of the MANN that
#   reads first in each of three pairs, by 3.1 +- 0.8 points (+- 2.7, corrected for the twelve comparisons above).
#   Of the MANN that writes first it is ahead in each pair too, but by 3.7 +- 5.5: no order. At the 5th and the
#   10th there is none, and between the two MANNs none anywhere.
# - The MANN is far from the paper's 82.8 %; 1,800 steps are few. (More of them come below.)
# - A list that forgets nothing and compares raw pixels is behind at the 2nd and the 3rd instance. (We think:
#   with few examples one must know *which* differences between drawings matter.) At the 10th no LSTM has passed
#   it, and of nine machines one, with a strength of 10 (86 %): nine examples of each class lie in the list, and
#   one of them is often near enough.
# - At the 2nd, 5th and 10th instance the transformers are behind the LSTM in each pair, by 2 to 11 points; over
#   three pairs that is no order (7.7 +- 8.5 at the 2nd). Their loss began to fall last, and their rate was chosen
#   before any had begun.
#
# Of all but the machine that writes first, runs with 1,400 steps and the same seeds were made before these
# (experiments/omniglot/README.md). There, too, the LSTM was ahead of the MANN at the 2nd instance in each pair,
# but by 4.5 +- 5.1: three differences can lie close together by luck. And the transformers were only just
# beginning, at 28 to 49 %. One that seems unable to learn may be one that has not begun.

# %% [markdown]
# ### Longer, in small batches
#
# The paper takes 16 streams a step. So did we, once each for the LSTM and the machine in both orders: 20,000
# steps of 16 streams at rate 0.003 (not searched), 11 times as many steps on 1.4 times as many streams.
#
#     python -m experiments.omniglot.instances mann-writes-first --seed 0 --data characters \
#         --batch 16 --n-steps 20000 --outer-lr 0.003

# %%
longer = {
    name: select("instances", variant=LEARNERS[name], data="characters", n_steps=20000, batch=16)[0]
    for name in ("LSTM", "MANN", "MANN, writes first")
}
print("percent right at instance          1st     2nd     5th    10th   (+- 0.9 over streams)")
for name, one_run in longer.items():
    for reads in ("heard", "silenced") if name != "LSTM" else ("heard",):
        found = accuracies(one_run, reads)
        print(
            f"{name + (', silenced' if reads == 'silenced' else ''):30s}",
            "".join(f"{100 * found[k][0]:8.1f}" for k in (1, 2, 5, 10)),
        )

# %%
at_end = {name: accuracies(one_run)[10][0] for name, one_run in longer.items()}
claim(
    "LSTM and the machine that writes first: three quarters right at the 2nd instance, ahead of the list of "
    "pixels by over two points at the 10th.",
    min(accuracies(longer[name])[2][0] for name in ("LSTM", "MANN, writes first")) > 0.75
    and min(at_end["LSTM"], at_end["MANN, writes first"]) > listed[10] + 0.02,
    at_end,
    listed[10],
)

# %% [markdown]
# All three are better than after 1,800 larger steps (seed 0), by 3 to 8 points at the 2nd instance. Steps, batch,
# rate and number of streams have all changed; which of them did it, these runs do not say. All three have passed
# the list at the 10th. One run each is no order. The paper's 82.8 and 98.1 % are still not reached, and why, we
# do not know.


# %% [markdown]
# ### Do they use it?
#
# The control from above, on the full runs: the trained machines with their reads silenced.

# %%
MACHINES = [name for name in LEARNERS if name.startswith("MANN")]
for name in MACHINES:
    for k in (2, 10):
        heard, unheard = three(name, k), three(name, k, "silenced")
        print(f"{name}, instance {k}: heard", *heard.round(3), " silenced", *unheard.round(3))


# %%
def best_blind(instances, n_way=5, n_each=10, n=40_000):
    """The share right at these instances of whoever sees no image and aims at them alone, by simulation."""
    order = np.random.default_rng(0).permuted(np.tile(np.repeat(np.arange(n_way), n_each), (n, 1)), axis=1)
    met, right, rows = np.zeros((n, n_way), dtype=int), 0, np.arange(n)
    for now in order.T:
        said = ((n_each - met) * np.isin(met + 1, instances)).argmax(1)  # the likeliest of those that count
        right += ((said == now) & np.isin(met[rows, now] + 1, instances)).sum()
        met[rows, now] += 1
    return right / (n * n_way * len(instances))


# %%
loses = {name: three(name, 10) - three(name, 10, "silenced") for name in MACHINES}
judged = (2, 3, 5, 10)
blind_at_most = best_blind(judged)
unheard = {name: np.mean([three(name, k, "silenced") for k in judged], axis=0) for name in MACHINES}
print(f"aiming at instances 2, 3, 5 and 10 with eyes shut: {blind_at_most:.3f}")
leaning = "MANN", "MANN, writes first"
claim(
    "Without its reads the paper's machine, in either order, is right more often, over instances 2, 3, 5 and "
    "10, than anybody with eyes shut; with a strength of 10 it is not, in any run.",
    min(unheard[name].min() for name in leaning) > blind_at_most + 0.03
    and unheard["MANN, strength 10"].max() < blind_at_most - 0.02,
    *unheard.values(),
)
claim(
    "At the 10th instance the silence costs it 25 points or fewer; with a strength of 10, 34 or more, in "
    "every run.",
    max(loses[name].max() for name in leaning) < 0.25 and loses["MANN, strength 10"].min() > 0.34,
    *loses.values(),
)

# %% [markdown]
# Silenced, the paper's machine, in either order, is still right in 54 to 63 % over the instances 2, 3, 5 and 10,
# in each of six runs; with eyes shut nobody is in more than 49.6. So its controller has much in its own state.
# The two longer runs say the same: 65 %.
#
# With a head that can point the silence costs more at the 10th instance, in each pair (by 17 +- 16 points, not
# corrected: hardly an order), and what is left is no better than somebody with eyes shut could be: it has lost
# what it had from there, or the zeros, which it never met in training, upset it. At the 2nd instance we had seen
# the same after 1,400 steps, 23 to 26 points against 7 to 12. After 1,800 they are 14 to 17 against 7 to 14, so we
# do not say it. That pointing makes a machine better is not shown: it is behind the other at the 2nd instance in
# each pair, by 9 +- 8 points (+- 30 corrected), and ahead at the 10th in each pair, by 3.1 +- 5.4. And mind what
# the control cannot tell: a net that was trained with its reads never had to learn to do without.

# %% [markdown]
# ### The same on glyphs
#
# The glyphs that ship with the course, with this machine and this LSTM: five classes, 20 x 20 pixels, 621 shapes and
# their quarter turns to train on, 196 shapes of other scripts to judge by; 20,000 steps of 16 streams, three runs
# each. The rates 0.001, 0.003 and 0.01 were tried on 141 shapes held out, 3,000 steps each. The LSTM had begun to
# look at 0.003 alone, the machine at none; both were given 0.003. (In 1,500 steps of 128 streams the LSTM had begun
# at 0.01 and not at 0.003, the machine not at 0.01, the only rate it was tried with.)
#
#     python -m experiments.omniglot.instances mann --seed 0 --data glyphs --batch 16 --n-steps 20000 \
#         --outer-lr 0.003

# %%
on_all_glyphs = sorted(
    select("instances", data="glyphs"),
    key=lambda run: (run.variant, run.settings["n_steps"], run.settings["seed"]),
)


def over(run, reads="heard"):
    """The mean accuracy over the judged instances."""
    return np.mean([accuracies(run, reads)[k][0] for k in judged])


print("percent right at instance           1st     2nd     5th    10th    over 2, 3, 5, 10   silenced")
for one_run in on_all_glyphs:
    found, n_steps = accuracies(one_run), one_run.settings["n_steps"]
    print(
        f"{one_run.variant:6s} {n_steps:6,d} steps, seed {one_run.settings['seed']}    ",
        "".join(f"{100 * found[k][0]:8.1f}" for k in (1, 2, 5, 10)),
        f"{100 * over(one_run):12.1f}",
        f"{100 * over(one_run, 'silenced'):17.1f}" if one_run.variant == "mann" else "",
    )
claim(
    "On glyphs, after 20,000 steps, every run is right more often than anybody with eyes shut.",
    min(over(run) for run in on_all_glyphs if run.settings["n_steps"] == 20000) > blind_at_most + 0.01,
    [over(run) for run in on_all_glyphs if run.settings["n_steps"] == 20000],
)

# %% [markdown]
# All six look, and none has come far: over instances 2, 3, 5 and 10 the LSTM is right in 65, 65 and 59 %, the
# machine in 60, 53 and 57. The LSTM is ahead in each pair, by 6.4 +- 12.4 points: no order. (At the 10th instance
# alone it is 5.3 +- 1.2, or +- 2.5 corrected for four comparisons, and that is one.) When a run leaves the
# counter's plateau is a part of it. Two LSTMs left it after 700 and 800 steps, the third after 4,700; two
# machines after 800 and 1,100, the third after 4,000; three machines that had 8,000 steps in all (on a GPU, with
# the same seeds) left it late, too, and end at 34 to 39 %, LSTMs at 52 to 55. Silenced, the machines are worse
# than somebody with eyes shut can be, 44, 39 and 41 %. On characters they were not. Data, batch and number of
# steps differ, and which of them does it we do not know. The list of pixels is ahead of all six at the 10th
# instance, with 76 %, and behind the three LSTMs at the 2nd.

# %% [markdown]
# ### Is a written memory needed, then?
#
# Not for what the paper's machine reached here: an LSTM of the same size gets as far from its state, or farther,
# on characters and on glyphs, in the short runs and in the longer ones. What a memory should buy is the list's
# strength, forgetting nothing, together with a learned eye. On characters, at the 10th instance, the machine that
# points is ahead of the LSTM in each pair, by 1.6 +- 5.1, which is no order; one of its runs is the best of all
# short ones there, 86 %. Three runs do not settle it.

# %% [markdown]
# ## One step at a time
#
# The widget goes through a stream of glyphs with the machine that was trained on them above.

# %%
from reference.figures import show_memory_step

glyph_weights = {name: p.numpy() for name, p in on_glyphs["MANN"].items()}
one_stream, its_rows = glyph_streams(np.random.default_rng(3), 1, "test")
glyph_film = filmed(glyph_weights, one_stream.x, parts=glyph_parts)
with torch.inference_mode():
    one_said = (
        torch_run(GLYPH_NETS["MANN"], on_glyphs["MANN"], to_torch(one_stream).x)[:, 0].softmax(-1).numpy()
    )
stream_shown = banks["test"].images[its_rows[0]], one_stream.y[:, 0], one_said, *glyph_film.values()
_ = show_memory_step(*stream_shown, step=4)
plotting.show(
    "Five pictures of one step: the glyph that is seen, with the label told for the one before; two "
    "bars, what the machine says; and three bar charts over "
    "the sixteen rows of the memory: a few tall bars for what is written, bars of like height for what "
    "is read, and the usage."
)

# %% [markdown]
# **Figure 3.** Step 4 of one stream. From left to right: what is seen, what is said, what is written, what is
# read, how much each row has been used. The bars of the last three differ from training to training. What
# stays: with sixteen rows no row can get more than a third of a read, $e^2 / (e^2 + 15)$.

# %% tags=["interactive", "nbval-ignore-output"]
from reference.widgets import sliders

sliders(show_memory_step, *stream_shown, step=(0, 9, 4))

# %% [markdown]
# Try this. Go through the ten steps and write down which rows are written. When is a row written a second
# time? Find the first step at which the machine is sure. Was the label of that class told by then? And change
# the 3 in `default_rng(3)`: find a stream in which it is wrong to the end. Can you tell the two glyphs apart?
#
# ## What differs from the paper, and what breaks it
#
# - **The order within a step.** We read, then write. If a step writes first, with the key that it then reads
#   by, a head finds the row that it has just filled, and in the next step, when the label has come, the gate
#   leads back to exactly that row: image and label meet there. In our order the gate leads to what *looked most
#   like* the image before it was written. For a class that comes again that is its row; a new image and its
#   label must be brought together by the controller's own state. Programs differ: tristandeleu's finds its rows
#   in the new memory and writes with keys of its own, snowkylin's finds them in the old one and reads what stands
#   there after the write. Under "Handwriting" stand three runs of each: neither way is ahead.
# - Each of $n$ heads takes the $i$-th least used row, and each step empties $n$ rows; in the paper each head
#   takes all $n$, and one row is emptied. Our decay is 0.95, as in public programs.
# - Our streams have each class equally often. In the paper classes come at random, and a counter gains
#   nothing. (Exercise 5.)
# - It breaks where the memory is smaller than what must be kept: the least used row is then one that is still
#   needed. It breaks without decay: with $\gamma = 0$ usage knows only the last step, and writing goes back
#   and forth between the first two rows. (Exercise 7 looks at the other end.)
# - It breaks where training does: a learner rests first, where a counter of labels stands (the tiny net, the
#   machines on glyphs) or at even guessing, ln 5 = 1.61 nats (the runs on characters), and may leave it late.
#
# ## From the museum: the label that arrives on time
#
# The most natural way to feed a network pairs of images and labels is side by side. The exhibit is one line
# shorter than `late`:


# %% tags=["setup"]
def museum_stream(x, y, n_way):
    """The images, and their labels beside them."""
    return np.concatenate([x.reshape(*y.shape, -1), np.eye(n_way, dtype=x.dtype)[y]], axis=-1).swapaxes(0, 1)


# %%
def on_time(rng, n):
    """Streams of directions from the museum."""
    series = directions(rng, n)
    x, y = series.x[..., :4].swapaxes(0, 1), series.y.T
    return series._replace(x=museum_stream(x, y, 2))


# %% tags=["training", "nbval-ignore-output"]
rng, short_rule = np.random.default_rng(0), clipped(adam(falling(0.02, 150)), 1.0)
leaked, leaked_losses = meta_train(
    plain_net.init(rng, 4 + 2),
    partial(meta_gradient, net=plain_net),
    lambda: on_time(rng, 16),
    rule=short_rule,
    n_steps=150,
)
print("nats lost at steps 0, 50, 100, 149:", leaked_losses[[0, 50, 100, 149]].round(3))

# %% [markdown]
# The loss falls faster than ever, and to nothing. **Your turn.** Nothing crashes and all shapes are right.
# Which number in this chapter must this learner not beat? Write the test before you read on. (The error is
# meant to be there.)


# %%
def check_ceiling(net, params, series):
    """No learner is right at first instances more often than can be known."""
    first = Score(by_instance(run(net, params, series.x), series.y)[:, 0])
    highest = ceiling(series.y.max() + 1)
    assert first.interval[0] <= highest, (
        "at first instances it is right more often than anybody can be: it knew labels before they came."
    )
    print("At first instances it is not above the ceiling.")


# %% tags=["raises-exception"]
_ = check_ceiling(plain_net, leaked, on_time(np.random.default_rng(11), 400))

# %%
_ = check_ceiling(plain_net, plain, test)

# %% [markdown]
# The mend is the line that was missing: `late`. And keep the test; it costs nothing and knows no
# architecture. (A sound learner that sits *at* the ceiling fails it by chance about one time in forty: then
# draw other streams.)
#
# ## From the museum: the shuffle that is missing
#
# Somebody prepares the streams once and for all: every class has a label, as in any data set. In the small
# world of this chapter: ten directions that never change, five of them always called 0, five always 1.


# %%
TEN = np.random.default_rng(5).normal(size=(10, 4))
TEN /= np.linalg.norm(TEN, axis=1, keepdims=True)


def ten_directions(rng, n, *, shuffled):
    """Streams of an even and an odd of ten directions; the even is always 0, or labels are drawn anew."""
    y = rng.permuted(np.tile(np.repeat([0, 1], 4), (n, 1)), axis=1)
    pair = np.stack([2 * rng.integers(5, size=n), 1 + 2 * rng.integers(5, size=n)], axis=1)
    if shuffled:
        pair = rng.permuted(pair, axis=1)
    x = TEN[np.take_along_axis(pair, y, axis=1)] + 0.1 * rng.normal(size=(*y.shape, 4))
    return Series(late(x, y, 2), y.T, np.ones(y.T.shape, dtype=bool))


# %% tags=["training", "nbval-ignore-output"]
rng, rule_of_400 = np.random.default_rng(0), clipped(adam(falling(0.02, 400)), 1.0)
fixed, fixed_losses = meta_train(
    plain_net.init(rng, 4 + 2),
    partial(meta_gradient, net=plain_net),
    lambda: ten_directions(rng, 16, shuffled=False),
    rule=rule_of_400,
    n_steps=400,
)
print("nats lost at steps 0, 100, 200, 399:", fixed_losses[[0, 100, 200, 399]].round(3))

# %% [markdown]
# Again the loss falls to nothing. What has it learned? Three tests: the ten directions as in training; the
# same ten with labels handed out anew; and new directions.

# %%
worlds = {
    "as in training": ten_directions(np.random.default_rng(12), 400, shuffled=False),
    "the same ten, labels anew": ten_directions(np.random.default_rng(12), 400, shuffled=True),
    "new directions": test,
}
in_world = {name: by_instance(run(plain_net, fixed, series.x), series.y) for name, series in worlds.items()}
known = Score(in_world["as in training"][:, 0])
claim("On the streams of training it names a class before it was ever told.", known.interval[0] > 0.9, known)
anew = [Score(in_world[name].mean(1)) for name in ("the same ten, labels anew", "new directions")]
claim(
    "With labels anew, and on new directions, it does no better than the counter's 0.67 over all instances.",
    max(score.interval[0] for score in anew) < 0.67,
    *anew,
)

# %% [markdown]
# It has learned ten names, by heart, in its weights. It met every class with its label and never had to read
# the stream. Yin et al. (2020) call this memorisation: where one function fits all tasks, nothing makes a
# learner adapt. The same test finds it, on the streams of *training*: (The error is meant to be there.)

# %% tags=["raises-exception"]
_ = check_ceiling(plain_net, fixed, worlds["as in training"])

# %% [markdown]
# ## From the museum: the least used row that was the most used
#
# The third is from a public program for this very network (NTM-One-Shot-TF). It sorts the usage with a
# function that gives the *largest* first, and takes the first. In our words:


# %% tags=["setup"]
def museum_least_used(usage, n):
    """The first n rows of the order."""
    usage = detach(usage)
    return np.eye(usage.shape[1], dtype=usage.dtype)[np.argsort(-usage, axis=1, kind="stable")[:, :n]]


# %%
museum_film = filmed(trained, test.x[:, :1], parts=tiny, least_of=museum_least_used)
_, beside = plt.subplots(1, 2, figsize=(7.5, 2.6), sharey=True, layout="constrained")
for ax, (name, shown) in zip(
    beside, {"least used": film, "from the museum": museum_film}.items(), strict=True
):
    plotting.matrix(shown["written"].T, ax=ax).set(title=name, xlabel="step", aspect="auto")
    ax.images[0].colorbar.ax.set_ylim(0, None)
_ = beside[0].set_ylabel("row")
plotting.show(
    "Two heat maps of what is written, rows against steps. Left, two other rows "
    "at each step. Right, it stays in the first two rows from beginning to end."
)

# %% [markdown]
# **Figure 4.** What the heads write as new goes to the same two rows at every step, and wipes out what the
# step before has put there. **Your turn.** Does the score tell? Guess, then run the cell: the trained
# machine, with this function in the place of the right one and nothing else changed.

# %%
in_museum = by_instance(run(tiny_net(least_of=museum_least_used), trained, test.x), test.y)
swapped = Score(in_museum.mean(1))
claim("It still beats the counter's 0.67, over all instances.", swapped.interval[0] > 0.69, swapped)

# %% [markdown]
# It works. A controller that keeps bindings in its own state can do without the memory, and whoever looks at
# the score alone sees a working MANN. The test that finds it needs no training, and is a sentence from
# "what must always hold": what was written first is still there, as long as there are rows that nobody has
# used. (The error is meant to be there.)


# %%
def check_kept(least_of):
    """With closed gates n steps fill n rows."""
    memory, usage = np.zeros((1, 6, 3)), np.zeros((1, 6))
    for step in range(6):
        least = least_of(usage, 1)
        memory = write(memory, least, np.full((1, 1, 3), step + 1.0), least=least)
        usage = next_usage(usage, np.full((1, 1, 6), 1 / 6), least, decay=0.95)
    kept = sorted(memory[0, :, 0].astype(int).tolist())
    assert kept == [1, 2, 3, 4, 5, 6], "six things were written to six empty rows, and not all are there."
    print("Six things, six rows, all there.")


# %%
check_kept(least_used)

# %% tags=["raises-exception"]
check_kept(museum_least_used)

# %% [markdown]
# ## Exercises
#
# They need the setup cells and what you wrote in exercises 1 to 4.

# %% [markdown]
# ### Exercise 5: With eyes shut
#
# *Difficulty: medium. Time: 15 minutes. Points: 3.*
#
# In our streams every class comes equally often. Whoever knows that and counts can do better than chance
# without looking at a single image. Write `blind_guess(told, n_way, n_each)`: `told` is the list of the
# labels told so far; return the label that is most likely to be right at this step. Of equally likely ones
# return any. Then look at what the counter scores: its share over *all* steps is the line that a learner must
# beat before you may say that it looks. Why not its share at one instance? See the cell after the tests.
#
# <details><summary>Hint 1</summary>
#
# How many images of each class are still to come?
#
# </details>
# <details><summary>Hint 2</summary>
#
# All orders of the images that are left are equally likely. So the chance of a label is its share of what is
# left.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.bincount(told, minlength=n_way)` counts, but an empty list needs `np.array(told, dtype=int)`.
#
# </details>


# %% tags=["setup"]
def eyes_shut(guess, n_way, n_each, n=400, seed=0):
    """The accuracy at each instance, (n_each,), of who guesses by the labels told so far."""
    rng, right = np.random.default_rng(seed), np.zeros(n_each)
    for _ in range(n):
        labels = rng.permutation(np.repeat(np.arange(n_way), n_each)).tolist()
        for step, label in enumerate(labels):
            right[labels[:step].count(label)] += guess(labels[:step], n_way, n_each) == label
    return right / (n * n_way)


# %% solution="blind"
def blind_guess(told, n_way, n_each):
    """The label that most images are left of."""
    ### BEGIN SOLUTION
    left = n_each - np.bincount(np.array(told, dtype=int), minlength=n_way)
    return int(left.argmax())
    ### END SOLUTION


# %% test="blind" points=2
for told, n_way, n_each, right_ones in (
    ([], 3, 2, {0, 1, 2}),
    ([0, 1, 1], 3, 3, {2}),
    ([2, 2, 2, 0], 3, 4, {1}),
    ([0, 1, 1, 2, 0], 3, 2, {2}),
    ([1, 1], 2, 2, {0}),
):
    given = blind_guess(list(told), n_way, n_each)
    story = f"told {told}, {n_way} labels, {n_each} of each: expected {sorted(right_ones)}, got {given!r}."
    assert isinstance(given, int | np.integer) and not isinstance(given, bool), (
        f"{story} One label is wanted."
    )
    assert 0 <= given < n_way, f"{story} The labels are 0 to {n_way - 1}."
    left = [n_each - told.count(label) for label in range(n_way)]
    thought = f"Left of each: {left}. The label of which most is left is the most likely."
    if all(told.count(given) > told.count(label) for label in range(n_way) if label != given):
        thought = f"That is the label told most often: less of it is left, {left}."
    assert given in right_ones, f"{story} {thought}"

# %% test="blind" points=1
shut = eyes_shut(blind_guess, 3, 4)
assert abs(shut[0] - ceiling(3)) < 0.05, (
    f"at first instances the counter is at the ceiling, {ceiling(3):.3f}; yours is at {shut[0]:.3f}."
)
### BEGIN HIDDEN TESTS
assert blind_guess([0, 1, 2, 3, 4] * 2 + [3, 1], 5, 10) in (0, 2, 4)
assert min(eyes_shut(blind_guess, 5, 2, seed=1)) > 0.28
### END HIDDEN TESTS
print("blind_guess: passed")

# %% [markdown]
# At first instances the counter is *at* the ceiling: a class that never came has the most left. So 45.7 % at
# the first instance is no sign of looking, either. And the second instance? Here is another who never looks.


# %%
def keen(told, n_way, n_each):
    """A label that was told just once, if there is one: right whenever that class comes for the 2nd time."""
    once = [label for label in range(n_way) if told.count(label) == 1]
    return once[0] if once else blind_guess(told, n_way, n_each)


for guess in (blind_guess, keen):
    shares = eyes_shut(guess, 5, 10)
    print(f"{guess.__name__}: at the 2nd instance {shares[1]:.2f}, over all {shares.mean():.2f}")

# %% [markdown]
# Whoever says "three" all day is right whenever it is a three. So a share at one instance can be had by
# saying one thing again and again, and it costs little at the others. Over all steps nobody with eyes shut
# beats the counter, who says the likeliest at each.

# %% [markdown]
# ### Exercise 6: Find the leak
#
# *Difficulty: hard. Time: 35 minutes. Points: 5.*
#
# Somebody hands you streams. Are they sound? Write `leak(x, y, classes)`. `x` (n_steps, n, d + n_way) and `y`
# (n_steps, n) are many streams, as a learner gets them; the last `n_way` numbers of `x` are the label shown,
# with `n_way = y.max() + 1`. `classes` (n_steps, n) says which character it really is, by its number in the
# bank; a learner does not see it, but you may. Return one of the words:
#
# - `"on time"`: the label shown is that of the image beside it,
# - `"not shuffled"`: a character has the same label in every stream,
# - `"in order"`: the first new class of a stream always has label 0, the next new one label 1, and so on,
# - `"sorted"`: all images of a class come in a row,
# - `""`: none of these.
#
# Beware of sound streams: a class may come twice in a row by chance, characters may be few, and streams may
# be cut out of longer ones, so that step 0, too, shows the label of an image before.
#
# <details><summary>Hint 1</summary>
#
# Each fault is a sentence with "always" in it, so one look for a counterexample decides. In which shapes?
#
# </details>
# <details><summary>Hint 2</summary>
#
# For "in order": at each step, is the label at most one more than the largest before? For "sorted": how often
# does the label change in a stream of `n_way` classes whose images come in blocks?
#
# </details>
# <details><summary>Hint 3</summary>
#
# For "not shuffled": collect the labels of each character; are they all one? For "on time": where the largest
# entry of the label part stands, at all steps, and whether there is one (of zeros `argmax` is 0).
#
# </details>


# %% tags=["setup"]
def some_streams(rng, n, *, n_way=3, n_each=4, n_characters=6, fault="", equal=True):
    """Streams of a small bank, sound or with a fault: x, y, and the characters."""
    chosen = rng.permuted(np.tile(np.arange(n_characters), (n, 1)), axis=1)[:, :n_way]
    which = np.tile(np.repeat(np.arange(n_way), n_each), (n, 1))
    if fault == "sorted":
        which = np.repeat(rng.permuted(which[:, ::n_each], axis=1), n_each, axis=1)
    else:
        which = rng.permuted(which, axis=1) if equal else rng.integers(n_way, size=which.shape)
    if fault == "in order":
        first = np.stack([(row == np.arange(n_way)[:, None]).argmax(1) for row in which])
        which = np.take_along_axis(first.argsort(1).argsort(1), which, axis=1)
    classes = np.take_along_axis(chosen, which, axis=1)
    y = classes % n_way if fault == "not shuffled" else which
    x = np.eye(n_characters)[classes] + rng.normal(size=(*y.shape, n_characters)) / 9
    stream = late(x, y, n_way)
    if fault == "on time":
        stream[..., -n_way:] = np.eye(n_way)[y.T]
    return stream, y.T, classes.T


# %% tags=["setup"]
def found_wrongly(leak, seed):
    """The first streams that the judge gets wrong, in words; nothing if there are none."""
    rng = np.random.default_rng(seed)
    for fault in ("", "on time", "not shuffled", "in order", "sorted"):
        for about in (
            {},
            {"n_way": 5, "n_each": 2, "n_characters": 9},
            {"n_way": 2, "n_each": 2, "n_characters": 4},
        ):
            given = leak(*some_streams(rng, 200, fault=fault, **about))
            if not isinstance(given, str) or given != fault:
                return f"{about or 'three classes of six'}, made with {fault or 'no fault'!r}: got {given!r}."
    sound = some_streams(rng, 200)
    for about, streams in {
        "classes drawn at random at each step, not equally often": some_streams(rng, 200, equal=False),
        "sound streams cut out of longer ones, from step 3 on": [part[3:] for part in sound],
        "of sound streams those that begin with label 0, the others in any order": [
            part[:, sound[1][0] == 0] for part in sound
        ],
    }.items():
        if (given := leak(*streams)) != "":
            return f"{about}: expected '', got {given!r}."
    return ""


# %% solution="leak"
def leak(x, y, classes):
    """Which fault the streams have, in a word."""
    ### BEGIN SOLUTION
    n_way = y.max() + 1
    shown = x[..., -n_way:]
    if (shown.argmax(-1) == y).all() and shown.any(-1).all():
        return "on time"
    if all(len(set(y[classes == c].tolist())) == 1 for c in np.unique(classes)):
        return "not shuffled"
    if (np.diff(y, axis=0) != 0).sum(axis=0).max() < n_way:
        return "sorted"
    highest = np.maximum.accumulate(y, axis=0)
    before = np.concatenate([np.full_like(y[:1], -1), highest[:-1]])
    return "in order" if (y <= before + 1).all() else ""
    ### END SOLUTION


# %% test="leak" points=3
given = leak(*some_streams(np.random.default_rng(0), 200))
assert isinstance(given, str), f"expected a word, got {type(given).__name__}."
assert given == "", (
    f"sound streams: expected '', got {given!r}. One counterexample in any stream is enough to be sound."
)
for fault, thought in {
    "on time": "Does the label part say the class of the same step, at every step?",
    "not shuffled": "Over all streams: how many labels has each character?",
    "in order": "Of each stream, the labels of new classes in the order in which they come.",
    "sorted": "How often does the label change within a stream?",
}.items():
    given = leak(*some_streams(np.random.default_rng(1), 200, fault=fault))
    assert given == fault, f"streams with the fault {fault!r}: got {given!r}. {thought}"

# %% test="leak" points=2
fault = found_wrongly(leak, 2)
assert not fault, fault
### BEGIN HIDDEN TESTS
fault = found_wrongly(leak, 3)
assert not fault, fault
### END HIDDEN TESTS
print("leak: passed")

# %% [markdown]
# ### Exercise 7: How little protects a row
#
# *Difficulty: hard. Time: 30 minutes. Points: 4.*
#
# One head, gate always 0: in each step the least used of `n_rows` rows is overwritten, with write weight 1.
# All rows are read alike, except one, the *favourite*, which is read by `extra` more than the others in each
# step. How large must `extra` be, so that the favourite is never overwritten? Work out the limit by pencil
# for a decay $0 < \gamma < 1$ and write `least_extra(n_rows, decay)`. Then put in the paper's 128 rows and
# our decay of 0.95, and compare with how sharply a head can read (the cell with 0.021 and 0.008 above).
#
# <details><summary>Hint 1</summary>
#
# What all rows are read in common does not change their order: leave it out. The others are overwritten in
# turn. How many steps ago was the one that is next in turn written, and what is left of that 1 in its usage,
# at the moment of the choice?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The favourite gets `extra` in each step, and what it had fades. Towards which number does $u \leftarrow
# \gamma u + \text{extra}$ go?
#
# </details>
# <details><summary>Hint 3</summary>
#
# The choice at step $t$ looks at the usage after step $t - 1$. With $n - 1$ others in turn, the oldest was
# written at step $t - (n - 1)$. And before that, a round earlier: a row that is overwritten loses its
# content, not its usage.
#
# </details>


# %% tags=["setup"]
def is_overwritten(n_rows, decay, extra):
    """Whether row 0, written first and then the favourite, is ever overwritten; by simulation."""
    usage, reading = np.zeros((1, n_rows)), np.zeros((1, 1, n_rows))
    reading[..., 0] = extra
    for step in range(60 * n_rows + int(40 / (1 - decay))):
        least = least_used(usage, 1)
        if step and least[0, 0, 0]:
            return True
        usage = next_usage(usage, reading, least, decay=decay)
    return False


# %% solution="least-extra"
def least_extra(n_rows, decay):
    """The limit: read by more than that in each step, a row is never overwritten."""
    ### BEGIN SOLUTION
    oldest = decay ** (n_rows - 2) / (1 - decay ** (n_rows - 1))
    return (1 - decay) * oldest
    ### END SOLUTION


# %% test="least-extra" points=2
given = least_extra(4, 0.6)
assert given is not None, "expected a number, got None: is a `return` missing?"
assert isinstance(given, int | float | np.number), f"expected a number, got a {type(given).__name__}."
story = f"4 rows, decay 0.6: expected 9/49 = 0.1837, got {float(given):.4g}."
for mistaken, hint in {
    0.144: "A row that is overwritten loses its content and not its usage: what earlier rounds left in "
    "it is still there, faded.",
    0.4591837: "That is the usage of the oldest of the others. How large is the favourite's own usage, of "
    "`extra` in each step?",
    0.36: "That is what is left of the last 1 in the oldest of the others; earlier rounds left "
    "something, too, and the favourite's usage grows.",
    0.1102041: "The oldest of the n - 1 others was written n - 1 steps ago, and its 1 has faded n - 2 "
    "times since.",
    0.3061224: "One fading is missing: the 1 of the oldest has faded n - 2 times, and the favourite's usage "
    "holds the last read whole.",
    0.09926471: "The favourite is not overwritten in turn, so there are n - 1 others.",
    0.1654412: "The favourite is not overwritten in turn: a round has n - 1 steps.",
    0.0864: "The oldest of the n - 1 others was written n - 1 steps ago, and its 1 has faded n - 2 "
    "times since; and earlier rounds left something, too.",
    0.4: "That is for a row that is written to; the favourite is not.",
}.items():
    assert not np.isclose(given, mistaken, rtol=1e-5), f"{story} {hint}"
assert np.isclose(given, 9 / 49, rtol=1e-6), (
    f"{story} Compare the favourite's usage in the long run with that of the oldest of the others."
)

# %% test="least-extra" points=1
for n_rows, decay in ((3, 0.9), (6, 0.7), (12, 0.95)):
    limit = least_extra(n_rows, decay)
    assert not is_overwritten(n_rows, decay, 1.02 * limit), (
        f"{n_rows} rows, decay {decay}: read by {1.02 * limit:.4g} more, the favourite should be safe, "
        f"and is overwritten."
    )
    assert is_overwritten(n_rows, decay, 0.98 * limit), (
        f"{n_rows} rows, decay {decay}: read by {0.98 * limit:.4g} more, it should be overwritten, and "
        f"is safe: the limit is lower."
    )

# %% test="least-extra" points=1
assert np.isclose(least_extra(128, 0.95), 7.8125e-05, rtol=1e-3), "128 rows, decay 0.95: about 7.8e-05."
### BEGIN HIDDEN TESTS
assert np.isclose(least_extra(2, 0.8), 1) and np.isclose(least_extra(40, 0.99), 0.0210503, rtol=1e-3)
### END HIDDEN TESTS
print("least_extra: passed")

# %% [markdown]
# A read that leans as above gives its row 0.021 - 0.008 = 0.013 more than the others, over a hundred times the
# limit. So a weak lean protects, if it comes at every step.

# %% [markdown]
# ### Exercise 8: Is a written memory needed?
#
# *Difficulty: medium. Time: 20 minutes. Points: 3.*
#
# In six to nine sentences. (a) Where does each of the three, MANN, LSTM and transformer, keep the binding of image
# and label, and how many numbers is that after 50 steps at the paper's sizes? (b) A colleague who has read the paper
# says: "MANN beats the LSTM, so the memory is what does it." Name two other differences between the two that could do
# it, and for each the run that would tell. (c) Which control in this chapter speaks most directly about the memory,
# and what does it leave open?
#
# <details><summary>Hint 1</summary>
#
# For (a): the LSTM has h and c; the MANN has those of its controller and 128 rows of 40; the transformer
# keeps all steps, in each block.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For (b): think of what happens to a gradient on its way back through 50 steps, and of what was tuned.
#
# </details>
# <details><summary>Hint 3</summary>
#
# For (c): a net that was trained with its reads and tested without them has lost more than its memory: it
# never learned to do without.
#
# </details>

# %% [markdown] answer="needed" points=3
# <!-- BEGIN SOLUTION -->
# (a) The LSTM keeps it in its state, 2 * 248 = 496 numbers; the MANN in 128 * 40 = 5,120 numbers of memory
# and 400 of its controller's state; the transformer in the 50 steps themselves, 50 * 132 numbers at the entry
# of each of three blocks. (b) The way of the gradient: a row that is not written stays as it is, so an error
# at step 40 reaches step 5 without passing through 35 gates; test: an LSTM with its forget gates begun near
# 1, or with a longer training. The multiplication of two things that were computed from the input (key times
# row): an LSTM has that only in its gates; test: an LSTM with attention over its own earlier states, without
# writing. (The rate and the steps would be a third: tune both by the same grid.) (c) Silencing the reads of a
# trained MANN: what it still knows, it knows without the memory. What it loses it had got through the memory,
# or the zeros, which it never met in training, upset it. And it leaves open whether a net trained without a
# memory would have found another way: that is what the LSTM and the transformer beside it are for.
# <!-- END SOLUTION -->

# %% [markdown]
# <details><summary>A model answer, and what a grader looks for (open it after you have written yours)</summary>
#
# (a) LSTM: 496 numbers of state. MANN: 5,120 in the memory and 400 in its controller. Transformer: 50 steps
# of 132 numbers in each of three blocks. (b) The way of the gradient (a row that is not written passes it on
# unchanged), against an LSTM whose forget gates begin near 1; the product of key and row, against an LSTM
# that attends to its own earlier states; unequal tuning, against the same grid for both. (c) Silenced reads:
# what the trained net still knows, it knows without the memory. What it loses it had from there, or the zeros
# upset it. And it leaves open whether another net would have done without.
#
# A grader looks for: (1 point) three places with their sizes. (1 point) two differences that are not "the
# memory", each with a run that could come out either way. (1 point) that a control on a trained net tells
# what *this* net uses, and not what is needed.
#
# </details>

# %% [markdown]
# ## Where it went
#
# Learning from a stream, without a gradient, has become the most widely used kind of meta-learning there is;
# the written memory has not.
#
# **SNAIL** (Mishra et al. 2018) took this chapter's problem and dropped the writing. Convolutions over time
# carry what was just seen, and causal attention looks back at *all* of it: the memory is the past itself. A
# **transformer** is that without the convolutions, and reading examples from its prompt is called
# **in-context learning**. Chan et al. (2022) trained transformers on streams of Omniglot images and labels
# much like ours and asked what makes them read the stream at all: labels that change their meaning, classes
# that come in bursts, many rare classes. Those are conditions on the *data*. In their experiments recurrent
# networks did not learn it from such data; with labels handed out anew in each stream, ours does. Reddy
# (2023) looked at the plateau. In a small attention network the ability comes abruptly, when two layers fit
# together (an *induction head*): one that brings a label to its image, and one that looks for the image. Our
# curves have plateaus, too, at the counter's or at even guessing; why they end when they end we have not studied.
#
# What is left of the MANN? The differentiable neural computer (Graves et al. 2016), too, writes to what is
# least used; and that the label comes one step late is how agents are told their reward, in chapter 15, which
# is to come.
#
# ## Summary
#
# - In a stream with labels one step late, to adapt is to have read so far; labels are handed out anew, so
#   that $\theta$ can hold an eye and a procedure, and no label.
# - At first instances nobody can be right more often than $(1/n + \dots + 1/2 + 1)/n$; whoever is knew a label
#   before it was told. It is the cheapest test for leaks in this course. (The share at another single instance
#   can be had without looking; over all instances nobody blind beats the counter.)
# - A MANN writes to the least used row or to the one just read; it reads by cosine without a strength, which
#   leans and does not point.
# - In three short runs of each an LSTM of the same size is ahead of the MANN that reads first at the 2nd
#   instance, by 3.1 points (+- 2.7 after correction); at the 5th and the 10th there is no order, and none
#   between reading first and writing first. A list of raw pixels is passed at the 10th by one short run of
#   fifteen. In longer runs, one each, the LSTM and both MANNs pass it; the paper's numbers none has reached.
#   On glyphs, three runs each, machine and LSTM learn to look; at the 10th instance the LSTM is ahead.
# - A memory that is offered need not be used: silence it, and see.
#
# ## Read more
#
# - Adam Santoro, Sergey Bartunov, Matthew Botvinick, Daan Wierstra, Timothy Lillicrap, 2016, One-shot
#   Learning with Memory-Augmented Neural Networks, arXiv:1605.06065.
# - Nikhil Mishra, Mostafa Rohaninejad, Xi Chen, Pieter Abbeel, 2018, A Simple Neural Attentive Meta-Learner,
#   arXiv:1707.03141.
# - Łukasz Kaiser, Ofir Nachum, Aurko Roy, Samy Bengio, 2017, Learning to Remember Rare Events,
#   arXiv:1703.03129: a list of keys that is read by nearest neighbours.
# - Stephanie Chan, Adam Santoro, Andrew Lampinen, and others, 2022, Data Distributional Properties Drive
#   Emergent In-Context Learning in Transformers, arXiv:2205.05055.
# - Gautam Reddy, 2023, The Mechanistic Basis of Data Dependence and Abrupt Learning in an In-Context
#   Classification Task, arXiv:2312.03002.
# - Alex Graves, Greg Wayne, Malcolm Reynolds, and others, 2016, Hybrid Computing Using a Neural Network with
#   Dynamic External Memory, Nature 538, 471-476.
# - Mingzhang Yin, George Tucker, Mingyuan Zhou, Sergey Levine, Chelsea Finn, 2020, Meta-Learning without
#   Memorization, arXiv:1912.03820.
