# %% [markdown] teaches=["reference.scratch.nn.memory", "reference.pytorch.nn.memory", "reference.scratch.ntm.cell", "reference.scratch.ntm.wishes"]
# # Neural Turing machines
#
# **Question.** Can a network learn a *program*, one that still works on inputs longer than any it was trained on?
#
# **Objectives.** After this chapter you can
#
# - move a head by pencil: content, gate, shift and sharpening, then read, erase and add,
# - write these as functions that hand gradients through, and name what must always hold of them,
# - train a machine of your own until it copies, and show that what it copies passes through the memory,
# - read a learned program off the weights of its heads, and say where it breaks,
# - tell which faults of such a machine training hides, and test for them.
#
# **Prerequisites.** The engine (chapter 03). Adam and `meta_train` are used as in chapters 07 to 09; what an LSTM is,
# is said here in two sentences.
#
# **Time.** 100 minutes to read, 170 minutes of exercises, 1 minute to run.

# %% tags=["setup"]
from functools import partial, wraps
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from reference import plotting
from reference.checks import claim, same
from reference.scratch.autodiff import Tensor, detach, norm, sigmoid, softmax, softplus
from reference.scratch.nn.cells import Recurrent, answering, feedforward, run
from reference.scratch.nn.networks import linear
from reference.scratch.ntm import Size, State
from reference.tasks.sequences import Copy, wrong_bits

plt.style.use(plotting.STYLE)

# %% [markdown]
# ## The idea
#
# Parts 1 and 2 adapt by computing a mean or by changing weights. This part adapts by **remembering**: a network meets
# examples one after the other, puts down what it will need, and looks it up when it is asked. The weights $\theta$
# hold *how* to use a memory. What is *in* the memory belongs to the sequence at hand and is gone after it. This
# chapter builds the memory. Chapter 11 uses it to learn new classes.
#
# A recurrent network does have a memory: its state, a vector that each step turns into the next. An **LSTM**
# (Hochreiter & Schmidhuber 1997) keeps such a vector with gates between 0 and 1 that say how much of it stays, how
# much is replaced and how much is shown. But in that vector everything is mixed with everything, and a state of twice
# the width has four times the weights. A computer is built otherwise: a small processor, and beside it a large store
# of equal cells with addresses. A **neural Turing machine** (Graves, Wayne & Danihelka 2014) is that, made so that a
# gradient passes through:
#
# - the **memory** $M$ is a matrix of rows, all alike; more rows need no more weights $\theta$;
# - the **controller**, a small network, sees the input $x_t$ and what was read last; it says what the heads want;
# - a **head** has an address. A reading head gives a row to the controller, a writing head changes one.
#
# One thing is in the way. An address is a whole number, and there is no derivative of "row 3" in its 3. So an address
# here is soft: a **weight** $w(i) \ge 0$ for every row, with $\sum_i w(i) = 1$ (the paper's equation 1). A head that
# is sure has one weight of 1. A head that is not sure reads a mixture, and the loss can tell it which share should
# grow.
#
# The test of such a machine is a task that a child could program. **Copy**: a sequence of $L$ random bit vectors is
# shown, then a sign, and then the machine must say them again, in order, while it sees nothing more.
#
# **Predict.** Three learners with 63,000 to 67,000 weights are trained to copy 1 to 20 vectors of 8 bits: a neural
# Turing machine, an LSTM, and a small transformer, which keeps every step it has seen and attends to all of them.
# Then each gets sequences of 40 vectors, 320 bits. Guessing is wrong in 160 of them. How many does each get wrong?
# Write down three numbers.

# %%
my_guess = {"machine": 0, "LSTM": 0, "transformer": 0}  # wrong bits of 320; put yours

# %% [markdown]
# ## By hand
#
# A memory of three rows and two columns. A head with the weights $(0.5, 0.5, 0)$ reads $r = \sum_i w(i)\,M(i)$
# (equation 2): half of the first row and half of the second.

# %%
M = np.array([[4.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
w = np.array([0.5, 0.5, 0.0])
print("read:", w @ M)

# %% [markdown]
# To **write** is to erase and then to add. The head says what share $e$ of each column to erase, between 0 and 1, and
# what to add, $a$ (equations 3 and 4):
#
# $$\tilde M(i) = M(i)\,\big(1 - w(i)\, e\big), \qquad M(i) \leftarrow \tilde M(i) + w(i)\, a .$$
#
# Take $e = (1, 0)$ and $a = (0, 6)$. In row 0 half of the 4 goes, and half of the 6 comes. What becomes of rows 1 and
# 2?

# %%
e, a = np.array([1.0, 0.0]), np.array([0.0, 6.0])
print("erased:", (M * (1 - np.outer(w, e))).tolist())
print("added: ", (M * (1 - np.outer(w, e)) + np.outer(w, a)).tolist())

# %% [markdown]
# Row 2 has weight 0 and stays as it was: that is what keeps old entries safe. Now, **where** is the head? It says
# five things, and four small steps make its new weights out of them.
#
# | step | what the head says | equation | what it does |
# |---|---|---|---|
# | content | a key $k$, a strength $\beta \ge 0$ | 5, 6 | $w^c(i) \propto e^{\beta \cos(k,\, M(i))}$: rows like the key |
# | gate | $g$ in $[0, 1]$ | 7 | $w^g = g\, w^c + (1 - g)\, w_{t-1}$: that, or where it was before |
# | shift | $s$, a distribution over $-1, 0, 1$ | 8 | $\tilde w(i) = \sum_j w^g(j)\, s(i - j)$: rows along |
# | sharpening | $\gamma \ge 1$ | 9 | $w(i) = \tilde w(i)^\gamma / \sum_j \tilde w(j)^\gamma$: against the blur |
#
# (Here $\beta$ and $\gamma$ are the paper's letters; elsewhere in this course $\beta$ is the outer rate. In the code
# they are `strength` and `sharpness`.) The first step finds by what is *in* a row. The last three find by *place*:
# stay, step on, keep sharp. The rows form a ring: one on from the last is the first.
#
# By pencil: four rows, the head was at row 0, and the content looks most like row 2: $w^c = (0, 0.2, 0.8, 0)$. The
# gate is 0.5, so $w^g = (0.5, 0.1, 0.4, 0)$. The shift is sure of $+1$, so everything moves one on:
# $(0, 0.5, 0.1, 0.4)$. With $\gamma = 2$ the squares are $0, 0.25, 0.01, 0.16$, of sum 0.42.

# %%
mixed = 0.5 * np.array([0, 0.2, 0.8, 0]) + 0.5 * np.array([1, 0, 0, 0])
moved = np.roll(mixed, 1)
print("gate:", mixed, " shift:", moved, " sharpened:", (moved**2 / np.sum(moved**2)).round(3))

# %% [markdown]
# ### A program for the memory
#
# With these a copy can be programmed by hand. Both heads begin at row 0. While the input comes, the writing head
# erases all, adds the bits, and shifts by one each step; the reading head stays (gate 0, shift 0). After the sign the
# writing head rests and the reading head shifts by one each step. No number in this depends on the length: the
# program is right for every $L$ up to the number of rows. Whether gradient descent *finds* it, from examples alone,
# is the question of this chapter. (In exercise 5 you program something harder by hand.)

# %% [markdown]
# ## Build it in NumPy
#
# You write four of the steps. All take a batch of sequences, each with its own memory, and several heads: a memory is
# (batch, n_rows, width), weights are (batch, n_heads, n_rows), a number that each head says is (batch, n_heads). Give
# arrays and arrays come out; give the Tensors of chapter 03 and gradients can be taken. Each function returns
# something new and changes nothing it was given: the memory of the last step is needed for the gradient.


# %% tags=["setup"]
def shares(rng, *shape):
    """Random weights: positive, and of sum 1 along the last axis."""
    return softmax(rng.normal(size=shape))


# %% [markdown]
# ### Exercise 1: Find by content
#
# *Difficulty: easy. Time: 15 minutes. Points: 3.*
#
# Write `by_content(keys, memory, strengths)` with `keys` (batch, n_heads, width) and `strengths` (batch, n_heads):
# $w^c$ (batch, n_heads, n_rows), the softmax over the rows of $\beta$ times the **cosine** between key and row,
# $\cos(k, m) = k \cdot m / (|k|\,|m|)$ (equations 5 and 6). `norm(x, axis=-1, keepdims=True)` and `softmax` (over the
# last axis) are imported above. No row is zero in the tests, so nothing need be added to the lengths.
#
# <details><summary>Hint 1</summary>
#
# Make all keys and all rows one unit long first. What is then the cosine?
#
# </details>
# <details><summary>Hint 2</summary>
#
# All products of keys and rows are one product of matrices, batch by batch: (n_heads, width) times (width, n_rows).
# `x.mT` swaps the last two axes.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `strengths[..., None]` has shape (batch, n_heads, 1). The strength goes inside of the softmax.
#
# </details>


# %% tags=["setup"]
def fitting(function):
    """The function, with a sentence where its shapes do not fit or a Tensor cannot do what is asked."""

    @wraps(function)
    def tried(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise AssertionError(
                f"{function.__name__} stopped: {str(error).rstrip('. ')}. If that is about shapes: a number "
                f"that each head says is (batch, n_heads), and x[..., None] gives it an axis for the rows. "
                f"If it is about Tensors: they know products, sums, powers and indices; to detach one ends "
                f"the gradient."
            ) from error

    return tried


# %% solution="by-content"
def by_content(keys, memory, strengths):
    """w^c (batch, n_heads, n_rows): the rows whose content looks like the key."""
    ### BEGIN SOLUTION
    keys, rows = (x / norm(x, axis=-1, keepdims=True) for x in (keys, memory))
    return softmax(strengths[..., None] * (keys @ rows.mT))
    ### END SOLUTION


# To go on without it: from reference.scratch.nn import memory as the_memory
# To go on without it: by_content = lambda k, m, b: the_memory.by_content(the_memory.similarity(k, m), b)

# %% test="by-content" points=2
three_rows = np.array([[[2.0, 0.0], [0.0, 5.0], [-1.0, 0.0]]])  # cosines 1, 0 and -1 with the key (3, 0)
found = fitting(by_content)(np.array([[[3.0, 0.0]]]), three_rows, np.array([[np.log(2)]]))
assert found is not None, "expected weights, got None: is a `return` missing?"
assert np.shape(found) == (1, 1, 3), f"expected (batch, n_heads, n_rows) = (1, 1, 3), got {np.shape(found)}."
found = np.asarray(found)[0, 0]
story = (
    f"key (3, 0), rows (2, 0), (0, 5), (-1, 0), strength ln 2: expected (4, 2, 1) / 7, got {found.round(3)}."
)
for mistaken, hint in {
    (0.9825, 0.0154, 0.0021): "That is the plain product: divide by both lengths.",
    (0.7273, 0.1818, 0.0909): "Divide by the length of the row as well as by that of the key.",
    (0.8767, 0.1096, 0.0137): "Divide by the length of the key as well as by that of the row.",
    (0.4, 0.2, 0.4): "That is the size of the cosine; a row that points the other way is unlike the key.",
    (0.665, 0.245, 0.09): "The strength is missing.",
    (0.4612, 0.1697, 0.0624): "The strength multiplies the cosines, inside of the softmax.",
    (0.1429, 0.2857, 0.5714): "The most alike row must get most: check the sign.",
    (1, 0, -1): "Those are the cosines; the softmax over rows is missing.",
}.items():
    assert not np.allclose(found, mistaken, atol=2e-3), f"{story} {hint}"
assert np.allclose(found, np.array([4, 2, 1]) / 7, atol=1e-6), (
    f"{story} By pencil: e^(ln 2 * cosine) is 2, 1, 1/2."
)

# %% test="by-content" points=1
from reference.scratch.nn import memory as reference_memory


def case_of_content(rng):
    shapes = (2, 3, 4), (2, 5, 4), (2, 3)
    return tuple(Tensor(rng.normal(size=shape)) for shape in shapes)


whole = lambda k, m, b: reference_memory.by_content(reference_memory.similarity(k, m), b)
same(fitting(by_content), whole, case_of_content)
### BEGIN HIDDEN TESTS
wider = lambda rng: tuple(Tensor(rng.normal(size=shape)) for shape in ((3, 1, 6), (3, 2, 6), (3, 1)))
same(by_content, whole, wider)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2: Shift
#
# *Difficulty: medium. Time: 20 minutes. Points: 3.*
#
# Write `shift(weights, shifts)`, equation 8. `shifts` (batch, n_heads, n_shifts) has an odd number of entries in the
# order $-1, 0, 1$ (or $-2, \dots, 2$): how sure the head is of each. A shift of $+1$ takes what stood at row $j$ to
# row $j + 1$, and from the last row to row 0. The engine does not know `np.roll`, but it can index:
# `weights[..., rows]` with an array `rows`.
#
# <details><summary>Hint 1</summary>
#
# Do one shift at a time: for each entry $d$ the weights, moved by $d$ rows, times how sure the head is of $d$. Add
# up.
#
# </details>
# <details><summary>Hint 2</summary>
#
# What stands at row $i$ after a move by $d$ was at row $i - d$ before, counted around the ring.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `(np.arange(n_rows) - d) % n_rows` are the rows it came from. The entry with number $n$ in `shifts` is the shift by
# $n$ minus half of `n_shifts`, rounded down.
#
# </details>


# %% solution="shift"
def shift(weights, shifts):
    """w~(i) = sum_j w(j) s(i - j), around the ring."""
    ### BEGIN SOLUTION
    n_rows, n_shifts = weights.shape[-1], shifts.shape[-1]
    moved = 0
    for n in range(n_shifts):
        came_from = (np.arange(n_rows) - (n - n_shifts // 2)) % n_rows
        moved = moved + shifts[..., n, None] * weights[..., came_from]
    return moved
    ### END SOLUTION


# To go on without it: from reference.scratch.nn.memory import shift

# %% test="shift" points=2
found = fitting(shift)(np.array([[[1.0, 0, 0, 0]]]), np.array([[[0.1, 0.2, 0.7]]]))
assert found is not None, "expected weights, got None: is a `return` missing?"
assert np.shape(found) == (1, 1, 4), f"expected weights of shape (1, 1, 4), got {np.shape(found)}."
found = np.asarray(found)[0, 0]
story = (
    f"at row 0 of 4, sure of +1 by 0.7 and of -1 by 0.1: expected (0.2, 0.7, 0, 0.1), got {found.round(3)}."
)
for mistaken, hint in {
    (0.2, 0.1, 0, 0.7): "It goes the wrong way: +1 leads from row 0 to row 1.",
    (0.2, 0.7, 0, 0): "What leaves at one end comes back at the other.",
    (0.2, 0.1, 0, 0): "It goes the wrong way, and what leaves at one end is lost.",
    (0.1, 0.2, 0.7, 0): "The shifts begin at -1, not at 0.",
    (0.1, 0.2, 0, 0.7): "The shifts begin at -1, not at 0.",
    (0.1, 0, 0.7, 0.2): "The shifts begin at -1, not at 0, and +1 leads to the next row.",
    (1, 0, 0, 0): "Nothing has moved.",
    (
        0,
        1,
        0,
        0,
    ): "That is the most likely shift alone. The head moves a share each way, or nothing could be learned.",
}.items():
    assert not np.allclose(found, mistaken, atol=1e-6), f"{story} {hint}"
assert np.allclose(found, [0.2, 0.7, 0, 0.1], atol=1e-6), f"{story} Move by -1, by 0, by 1; weigh; add up."

# %% test="shift" points=1
from reference.scratch.nn import memory as reference_memory


def case_of_shift(rng):
    return Tensor(shares(rng, 2, 3, 7)), Tensor(shares(rng, 2, 3, rng.choice([1, 3, 5])))


same(fitting(shift), reference_memory.shift, case_of_shift)
### BEGIN HIDDEN TESTS
tight = lambda rng: (Tensor(shares(rng, 1, 2, 5)), Tensor(shares(rng, 1, 2, 5)))
same(shift, reference_memory.shift, tight)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3: Sharpen
#
# *Difficulty: easy. Time: 15 minutes. Points: 2.*
#
# A shift that is sure by 0.9 blurs: after ten steps the head is spread over several rows. Write
# `sharpen(weights, sharpness)`, equation 9. One thing the paper does not say: computers run this in float32. Weights
# of $1/128$ to the power 20 are $10^{-42}$ there, which is 0 or near it, and $0/0$ is no number. Take care that it
# comes out right; the result does not change if all weights are first multiplied by one number.
#
# <details><summary>Hint 1</summary>
#
# Powers, then divide by their sum over the rows of the same head.
#
# </details>
# <details><summary>Hint 2</summary>
#
# By which number would you divide the weights, so that at least one power cannot vanish?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Each head by its own largest weight: `axis=-1, keepdims=True`. With Tensors, `detach` makes it a constant, and the
# gradient stays right because the result does not depend on it.
#
# </details>


# %% solution="sharpen"
def sharpen(weights, sharpness):
    """w^gamma / sum w^gamma, for each head with its own gamma (batch, n_heads)."""
    ### BEGIN SOLUTION
    largest = np.max(detach(weights), axis=-1, keepdims=True)
    powers = (weights / largest) ** sharpness[..., None]
    return powers / np.sum(powers, axis=-1, keepdims=True)
    ### END SOLUTION


# To go on without it: from reference.scratch.nn.memory import sharpen

# %% test="sharpen" points=1
found = fitting(sharpen)(np.array([[[0.8, 0.2, 0.0], [0.5, 0.25, 0.25]]]), np.array([[2.0, 1.0]]))
assert found is not None, "expected weights, got None: is a `return` missing?"
assert np.shape(found) == (1, 2, 3), f"expected weights of shape (1, 2, 3), got {np.shape(found)}."
found = np.asarray(found)[0]
story = f"(0.8, 0.2, 0) with gamma 2: expected (0.941, 0.059, 0), got {found[0].round(3)}."
for mistaken, hint in {
    (0.64, 0.04, 0): "The powers must be divided by their sum.",
    (0.381, 0.0238, 0): "Each head is divided by its own sum, not by that of all heads.",
    (0.665, 0.2, 0.134): "That is a softmax of the products; a row of weight 0 must stay at 0.",
    (1, 0.0625, 0): "The powers must be divided by their sum, not by the largest.",
    (0.8, 0.2, 0): "Nothing was sharpened.",
    (0.667, 0.333, 0): "That blurs: the power is gamma, not one over it.",
}.items():
    assert not np.allclose(found[0], mistaken, atol=6e-3), f"{story} {hint}"
assert np.allclose(found[0], [16 / 17, 1 / 17, 0], atol=1e-6), (
    f"{story} By pencil: 0.64, 0.04 and 0, of sum 0.68."
)
story = f"(0.5, 0.25, 0.25) with gamma 1 stays as it is, got {found[1].round(3)}."
assert np.allclose(found[1], [0.5, 0.25, 0.25], atol=1e-6), f"{story} Does each head have its own gamma?"

# %% test="sharpen" points=1
from reference.scratch.nn import memory as reference_memory

flat_and_sure = np.stack([np.full(128, 1 / 128), np.eye(128)[0]])[None].astype(np.float32)
for gamma, heads in ((2, slice(1)), (20, slice(1)), (60, slice(1)), (60, slice(2))):
    with np.errstate(all="ignore"):
        found = np.asarray(sharpen(flat_and_sure[:, heads], np.full((1, heads.stop), gamma, np.float32)))
    beside = "a sure head beside it" if heads.stop == 2 else "alone"
    assert np.allclose(found[0, 0], 1 / 128, rtol=1e-3), (
        f"a head of 128 equal weights in float32, gamma {gamma}, {beside}: they stay at 1/128 = 0.0078, "
        f"got {found[0, 0, 0]}. All powers are 0 there, or nearly. By what could you divide a head's "
        f"weights first?"
    )
assert np.allclose(found[0, 1], flat_and_sure[0, 1]), (
    f"a sure head, one weight of 1 in float32, gamma 60: it stays as it is, got {found[0, 1, 0]} for the 1. "
    f"A number that is large enough for small weights makes this power too large. Which number would suit "
    f"both?"
)
case_of_sharpen = lambda rng: (Tensor(shares(rng, 2, 3, 6)), Tensor(rng.uniform(1, 4, (2, 3))))
same(fitting(sharpen), reference_memory.sharpen, case_of_sharpen)
### BEGIN HIDDEN TESTS
one_head = lambda rng: (Tensor(shares(rng, 3, 1, 2)), Tensor(rng.uniform(1, 9, (3, 1))))
same(sharpen, reference_memory.sharpen, one_head)
### END HIDDEN TESTS

# %% [markdown]
# The gate is one line, and then the four steps stand in a row. A `Focus` is what all heads say of where they want to
# be.


# %% tags=["setup"]
class Focus(NamedTuple):
    keys: np.ndarray  # (batch, n_heads, width)
    strengths: np.ndarray  # (batch, n_heads), from 0 on
    gates: np.ndarray  # (batch, n_heads), between 0 and 1
    shifts: np.ndarray  # (batch, n_heads, n_shifts), of sum 1
    sharpness: np.ndarray  # (batch, n_heads), from 1 on


# %% tags=["setup"]
def interpolate(content, previous, gates):
    """Equation 7: gate 1 looks for content, gate 0 stays where it was."""
    return gates[..., None] * content + (1 - gates[..., None]) * previous


# %% tags=["setup"]
def address(memory, previous, focus, move=None):
    """Where the heads are now: equations 5 to 9. (`move` puts another function in the place of `shift`.)"""
    content = by_content(focus.keys, memory, focus.strengths)
    mixed = interpolate(content, previous, focus.gates)
    return sharpen((move or shift)(mixed, focus.shifts), focus.sharpness)


# %% tags=["setup"]
def read(memory, weights):
    """Equation 2."""
    return weights @ memory


# %% [markdown]
# ### Exercise 4: Write
#
# *Difficulty: easy. Time: 15 minutes. Points: 3.*
#
# Write `write(memory, weights, *, erase, add)`, equations 3 and 4, for several writing heads: `weights` is (batch,
# n_heads, n_rows), `erase` and `add` are (batch, n_heads, width). First **all** heads erase, one after the other, so
# that what two of them leave of an entry is a product; then all add. So no order of the heads matters.
#
# <details><summary>Hint 1</summary>
#
# For one head, $w(i)\, e$ for all rows $i$ and columns is a matrix. `weights[:, head, :, None]` is (batch, n_rows,
# 1).
#
# </details>
# <details><summary>Hint 2</summary>
#
# Erasing is a loop over the heads, and each makes a new memory out of the last.
#
# </details>
# <details><summary>Hint 3</summary>
#
# What all heads add together is one product of matrices: (n_rows, n_heads) times (n_heads, width).
#
# </details>


# %% solution="write"
def write(memory, weights, *, erase, add):
    """M(i) (1 - w(i) e) for every head, and then + w(i) a of every head."""
    ### BEGIN SOLUTION
    for head in range(weights.shape[1]):
        memory = memory * (1 - weights[:, head, :, None] * erase[:, head, None, :])
    return memory + weights.mT @ add
    ### END SOLUTION


# To go on without it: from reference.scratch.nn.memory import write

# %% test="write" points=2
twos, two_heads = np.full((1, 2, 2), 2.0), np.array([[[1.0, 0.0], [0.5, 0.5]]])
erases, adds = np.array([[[1.0, 0.0], [0.5, 0.0]]]), np.array([[[5.0, 0.0], [0.0, 2.0]]])
found = fitting(write)(twos, two_heads, erase=erases, add=adds)
assert found is not None, "expected the new memory, got None: is a `return` missing?"
assert (twos == 2).all(), "the memory you were given was changed: make a new one."
assert np.shape(found) == (1, 2, 2), f"expected a memory of shape (1, 2, 2), got {np.shape(found)}."
found = np.asarray(found)[0].ravel()
story = (
    "two rows (2, 2); head 0 at row 0 erases (1, 0), adds (5, 0); head 1 at both by halves erases (0.5, 0), "
    f"adds (0, 2): expected (5, 3) and (1.5, 3), got {found[:2].round(3)} and {found[2:].round(3)}."
)
for mistaken, hint in {
    (4.5, 3, 1.5, 3): "Two heads that erase leave a product, (1 - w e)(1 - w' e'); a sum can take too much.",
    (5.75, 3, 1.75, 3): "A share of what is there is erased: multiply by 1 - w e; do not subtract w e.",
    (3.75, 3, 1.5, 3): "All heads erase before any head adds.",
    (0, 3, 1.5, 3): "All heads erase before any head adds; and what was added is not erased.",
    (7, 3, 2, 3): "Nothing was erased.",
    (0, 2, 1.5, 2): "Nothing was added.",
    (5, 3, 0, 3): "Erase w(i) e, not e: a row of weight 0 stays.",
    (5, 4, 6.5, 4): "Add w(i) a, not a: a row of weight 0 stays.",
}.items():
    assert not np.allclose(found, mistaken), f"{story} {hint}"
assert np.allclose(found, [5, 3, 1.5, 3]), story

# %% test="write" points=1
from reference.scratch.nn import memory as reference_memory


def case_of_write(rng):
    arrays = (
        rng.normal(size=(2, 5, 4)),
        shares(rng, 2, 3, 5),
        shares(rng, 2, 3, 4),
        rng.normal(size=(2, 3, 4)),
    )
    memory, weights, erase, add = map(Tensor, arrays)
    return memory, weights, {"erase": erase, "add": add}


same(fitting(write), reference_memory.write, case_of_write)
### BEGIN HIDDEN TESTS
alone = lambda rng: (
    Tensor(rng.normal(size=(3, 2, 1))),
    Tensor(shares(rng, 3, 1, 2)),
    {"erase": Tensor(rng.uniform(size=(3, 1, 1))), "add": Tensor(rng.normal(size=(3, 1, 1)))},
)
same(write, reference_memory.write, alone)
### END HIDDEN TESTS

# %% [markdown]
# ### What must always hold
#
# Before anything is trained: six sentences that hold whatever the memory is and whatever a head says (the fifth where
# one row is most alike). A machine that breaks one of them may still learn something, and be wrong.

# %%
rng = np.random.default_rng(0)
rows, before = rng.normal(size=(4, 9, 5)), shares(rng, 4, 2, 9)
focus = Focus(
    rng.normal(size=(4, 2, 5)),
    rng.uniform(0, 9, (4, 2)),
    rng.uniform(size=(4, 2)),
    shares(rng, 4, 2, 3),
    rng.uniform(1, 9, (4, 2)),
)
new = address(rows, before, focus)
claim("Weights are shares.", new.min() >= 0 and np.allclose(new.sum(-1), 1), new.min(), new.sum(-1))

# %%
sure = np.zeros((4, 2, 3))
sure[..., 2] = 1
claim(
    "A sure shift of +1 is np.roll by 1.", (shift(before, sure) == np.roll(before, 1, -1)).all(), before[0, 0]
)
unmoved = interpolate(new, before, np.zeros((4, 2)))
claim("Gate 0 keeps the weights of the step before.", (unmoved == before).all(), unmoved - before)
as_it_was = sharpen(before, np.ones((4, 2)))
claim("Sharpness 1 changes nothing.", np.allclose(as_it_was, before), as_it_was - before)

# %%
certain = by_content(focus.keys, rows, np.full((4, 2), 1e6))
best = by_content(focus.keys, rows, np.ones((4, 2))).argmax(-1)
claim(
    "A strength without bound points at the row most alike.",
    np.allclose(certain, np.eye(9)[best]),
    certain.max(-1),
)
alone = [address(rows[[b]], before[[b]], Focus(*(part[[b]] for part in focus))) for b in range(4)]
claim(
    "No sequence of a batch sees another.",
    np.allclose(np.concatenate(alone), new),
    new - np.concatenate(alone),
)

# %% [markdown]
# ### The machine
#
# The controller is any recurrent network. What it says goes through one linear layer to the numbers that the heads
# want, and each number is brought into its range: softplus for what is at least 0, a sigmoid for shares, a softmax
# for shifts, tanh for what is added. Our `wishes` cuts them apart.


# %% tags=["setup"]
def wishes(numbers, size):
    """Of the numbers (batch, n): a Focus of all heads, and what the writing heads erase and add."""
    n_heads, width, n = size.n_reads + size.n_writes, size.width, len(numbers)
    cut = n_heads * (width + 3 + 2 * size.shift_range + 1)
    where = np.reshape(numbers[:, :cut], (n, n_heads, -1))
    strength, gate, sharp = (where[..., width + i] for i in range(3))
    focus = Focus(
        where[..., :width],
        softplus(strength),
        sigmoid(gate),
        softmax(where[..., width + 3 :]),
        1 + softplus(sharp),
    )
    change = np.reshape(numbers[:, cut:], (n, size.n_writes, -1))
    return focus, sigmoid(change[..., :width]), np.tanh(change[..., width:])


# %% [markdown]
# One step of the machine. The controller sees $x_t$ and what was read last; the heads move; they read and then write.
# All of them meet the memory of the step *before*, so no head reads what is being written. A `State` is what goes on
# to the next step: the controller's own state, the memory, the weights (of the reading heads, then of the writing
# ones) and the reads. The controller is a `Recurrent` of the course: it has `init` (the first weights), `begin` (the
# first state) and `cell` (one step: the next state, and what it says). `Size` holds the numbers of rows, columns and
# heads.


# %% tags=["setup"]
def machine_step(params, state, x, *, size, controller, move=None, put=None):
    """The next state, and what the machine says: what its controller says and what was read."""
    own = {name.removeprefix("controller."): p for name, p in params.items() if "controller." in name}
    seen = np.concatenate([x, np.reshape(state.reads, (len(x), -1))], axis=1)
    kept, said = controller.cell(own, state.controller, seen)
    focus, erase, add = wishes(linear(said, params["heads.weight"], params["heads.bias"]), size)
    weights = address(state.memory, state.weights, focus, move)
    reads = read(state.memory, weights[:, : size.n_reads])
    memory = (put or write)(state.memory, weights[:, size.n_reads :], erase=erase, add=add)
    out = np.concatenate([said, np.reshape(reads, (len(x), -1))], axis=1)
    return State(kept, memory, weights, reads), out


# %%
from reference.scratch import ntm as reference_ntm

two_and_two = {"size": Size(n_rows=5, width=3, n_reads=2, n_writes=2), "controller": feedforward(4)}


def case_of_a_step(rng):
    params = reference_ntm.init(rng, 2, **two_and_two)
    params = {name: Tensor(3.0 * p.astype(np.float64)) for name, p in params.items()}
    arrays = rng.normal(size=(2, 5, 3)), shares(rng, 2, 4, 5), rng.normal(size=(2, 2, 3))
    return params, State((), *map(Tensor, arrays)), Tensor(rng.normal(size=(2, 2))), two_and_two


same(machine_step, reference_ntm.cell, case_of_a_step)

# %% [markdown]
# ## A tiny machine learns to copy
#
# Now train it, with your four functions and the engine of chapter 03. The task in small: 1 to 6 vectors of 2 bits.
# The input has a third channel, the sign of the end; only the steps after it are judged.

# %%
task = Copy(n_bits=2, lengths=(1, 6))
x, y, judged = task.of_lengths(np.random.default_rng(3), np.array([3]))
print("x:", *x[:, 0].astype(int).tolist())
print(
    "y:",
    *(
        bits if count else "  .  "
        for bits, count in zip(y[:, 0].astype(int).tolist(), judged[:, 0], strict=True)
    ),
)

# %% [markdown]
# The controller is one dense layer, **without any state**. So there is no way for a bit to get from the input to
# the answer but through the memory and the heads. `init` and `begin` are the reference's bookkeeping: the first
# weights, and a memory of one small constant with every head at row 0.

# %%
from reference.scratch.ntm import begin, init

small = {"size": Size(n_rows=12, width=6), "controller": feedforward(32)}


# %%
def tiny_net(begin=begin, **other_parts):
    """The tiny machine under its output layer."""
    step = partial(machine_step, **small, **other_parts)
    return answering(Recurrent(partial(init, **small), partial(begin, **small), step, 32 + 6), task.d_out)


# %%
net = tiny_net()
start = net.init(np.random.default_rng(0), task.d_in)
print(sum(p.size for p in start.values()), "weights")

# %% [markdown]
# Two things keep the training steady. The rate falls along half a cosine. And the gradient, all parameters together,
# is cut to a length of at most 1 before Adam sees it: `clipped`. Through the steps of a machine that is not sure yet
# where its heads are, a gradient can become very long, and one such step would undo many others. The loss is the
# cross-entropy of a bit to the base 2, in words the bits lost of each: 1 for a learner that says one half to
# everything, 0 for one that is sure and right.

# %%
from reference.meta_train import meta_train
from reference.rules import adam, clipped
from reference.scratch.ntm import meta_gradient


def falling(rate, n_steps):
    """Half a cosine, from the rate to nothing."""
    return lambda step: rate * (1 + np.cos(np.pi * step / n_steps)) / 2


# %%
def train_tiny(seed, n_steps=700):
    """The weights after n_steps batches of 16 sequences, and the losses."""
    rng, rule = np.random.default_rng(seed), clipped(adam(falling(0.02, n_steps)), 1.0)
    first, draw = net.init(rng, task.d_in), lambda: task.sample_batch(rng, 16)
    return meta_train(first, partial(meta_gradient, net=net), draw, rule=rule, n_steps=n_steps)


# %% [markdown]
# Now and then a training of this machine ends halfway, with a program for the short sequences. The last losses show
# it; then we begin again with other weights. (In practice this is done often and said seldom. What is reported must
# be chosen by the training loss, as here, and not by the test.)

# %% tags=["training", "nbval-ignore-output"]
for attempt in range(6):
    trained, losses = train_tiny(attempt)
    parts = {first: round(float(losses[first : first + 50].mean()), 3) for first in (0, 200, 400, 650)}
    print(f"training {attempt + 1}: bits lost, of one, over 50 steps from step", parts)
    if losses[-50:].mean() < 0.02:
        break


# %%
def errors(length):
    """Wrong bits of each of 200 new sequences of this length."""
    series = task.of_lengths(np.random.default_rng(length), np.full(200, length))
    return wrong_bits(series, np.asarray(run(net, trained, series.x)))


# %%
wrong = {length: errors(length).mean() for length in (1, 2, 4, 6, 7, 10)}
claim(
    "It copies: under half a bit wrong in a sequence, at lengths 1, 2, 4 and 6 (guessing: 6 at length 6).",
    max(wrong[length] for length in (1, 2, 4, 6)) < 0.5,
    wrong,
)

# %% [markdown]
# It copies; it does not only lower a loss. Is it true that the bits pass through the memory? An explanation is tested
# by a control. Let the machine read its input, then exchange the memories of the sequences of the batch, each for its
# neighbour's, with what was last read from them, and let it go on. If the bits are there, each sequence must now be
# answered with the *neighbour's* bits. And another control: exchange the positions of the heads, and leave the rest.


# %%
def with_exchange(fields, series):
    """The answers where, once the input is over, the given parts of the state are the neighbour's."""
    state, answers = net.begin(trained, series.x[0]), []
    for step, now in enumerate(series.x):
        if step == len(series.x) // 2:
            state = state._replace(**{name: np.roll(getattr(state, name), 1, axis=0) for name in fields})
        state, said = net.cell(trained, state, now)
        answers.append(said)
    return np.stack(answers)


# %%
series = task.of_lengths(np.random.default_rng(9), np.full(200, 4))
neighbours = series._replace(y=np.roll(series.y, 1, axis=1))
exchanged = with_exchange(("memory", "reads"), series)
moved_along = wrong_bits(neighbours, exchanged).mean(), wrong_bits(series, exchanged).mean()
claim(
    "With the neighbour's memory and reads it says the neighbour's bits, to a bit of 8; of its own it "
    "gets over 3 wrong.",
    moved_along[0] < 1 and moved_along[1] > 3,
    moved_along,
)
kept = wrong_bits(series, with_exchange(("weights",), series)).mean()
claim("With the neighbour's head positions it says its own bits as before.", kept < 0.5, kept)

# %% [markdown]
# The first claim is the test of the explanation: exchange the memories, and the answers are exchanged. (Why with what
# was last read? We first left it out. In one of fifteen trainings (not stored) two bits in eight were then still the
# sequence's own: that machine had kept its last vector in what its head had just read, and not in a row.) Now watch
# the heads. The **film strip** shows the weights of both heads at every step; time goes to the right, the rows go
# down.


# %%
def filmed(net, params, x):
    """The weights (n_steps, n_heads, n_rows) of the heads on the first sequence of x."""
    state, film = net.begin(params, x[0]), []
    for now in x:
        state, _ = net.cell(params, state, now)
        film.append(detach(state.weights)[0])
    return np.stack(film)


# %%
def strip(film, length):
    """Two pictures above one another: where the writing head is at each step, and the reading head."""
    _, pair = plt.subplots(2, figsize=(6.5, 4.4), sharex=True, layout="constrained")
    for ax, head, name in zip(pair, (1, 0), ("writing head", "reading head"), strict=True):
        plotting.matrix(film[:, head].T, ax=ax).set(ylabel="row", title=name, aspect="auto")
        ax.images[0].colorbar.ax.set_ylim(0, None)
        ax.axvline(length, color=plotting.COLOURS[1], linestyle="--")
    pair[1].set(xlabel="step; the sign of the end comes at the dashed line")


# %%
tiny_film = filmed(net, trained, task.of_lengths(np.random.default_rng(1), np.array([4])).x)
strip(tiny_film, 4)
plotting.show(
    "Two heat maps of head weights, rows of the memory against steps, for the tiny machine copying 4 "
    "vectors. The "
    "writing head's weight moves from row to row while the input comes; after the dashed line the reading "
    "head's moves "
    "along rows in the same order."
)

# %% [markdown]
# **Figure 1.** The tiny machine at work. Look for the diagonals: a head that moves one row on at each step. In this
# run a row is read one step before it is due, which will do: what is read reaches the controller in the next step,
# too. What a head does where nothing is to be read or written is left to it, and differs from training to training.
# The figure shows one sequence, not that all are treated so.

# %% [markdown]
# ## Build it in PyTorch
#
# The same steps, for machines that are worth training. Only names change; the engine's arrays become tensors, and
# PyTorch knows `roll`.

# %%
import torch
from torch.nn.functional import normalize


# %%
def torch_address(memory, previous, focus):
    """Equations 5 to 9."""
    alike = normalize(focus.keys, dim=-1) @ normalize(memory, dim=-1).mT
    content = (focus.strengths[..., None] * alike).softmax(-1)
    mixed = previous.lerp(content, focus.gates[..., None])
    reach = focus.shifts.shape[-1] // 2
    moved = sum(focus.shifts[..., n, None] * mixed.roll(n - reach, -1) for n in range(2 * reach + 1))
    powers = (moved / moved.detach().amax(-1, keepdim=True)) ** focus.sharpness[..., None]
    return powers / powers.sum(-1, keepdim=True)


# %%
def torch_write(memory, weights, *, erase, add):
    """Equations 3 and 4."""
    for w, e in zip(weights.unbind(1), erase.unbind(1), strict=True):
        memory = memory * (1 - w[..., None] * e[:, None])
    return memory + weights.mT @ add


# %%
def case_in_torch(rng):
    where = Focus(
        rng.normal(size=(2, 3, 4)),
        rng.uniform(0, 5, (2, 3)),
        rng.uniform(size=(2, 3)),
        shares(rng, 2, 3, 3),
        rng.uniform(1, 4, (2, 3)),
    )
    where = Focus(*map(torch.from_numpy, where))
    return torch.from_numpy(rng.normal(size=(2, 6, 4))), torch.from_numpy(shares(rng, 2, 3, 6)), where


# %%
as_tensors = lambda rng: tuple(
    {key: torch.from_numpy(detach(x)) for key, x in part.items()}
    if isinstance(part, dict)
    else torch.from_numpy(detach(part))
    for part in case_of_write(rng)
)


# %%
from reference.pytorch.nn import memory as torch_memory

same(torch_address, torch_memory.address, case_in_torch)
same(torch_write, torch_memory.write, as_tensors)

# %% [markdown]
# The machine around them reads as it did, so from here on we take `reference.pytorch.ntm`. A smaller setting first,
# which learns while you wait: 1 to 8 vectors of 8 bits, a memory of 24 rows of 16, and again a dense layer without a
# state as the controller. Beside it stands an LSTM with more than twice as many weights, trained on as many
# sequences. The rate of each was chosen from 0.005, 0.01, 0.02 and 0.04 with six seeds (10 to 15, which train nothing
# that is shown in this section, and are not stored), by the wrong bits at lengths 4 and 8.
#
# As above, a training that ends halfway is begun again, judged by its own last losses: of twenty trainings of this
# machine (seeds 20 to 39, not stored) two ended with over 0.1 of a bit lost of each, and the other eighteen with at
# most 0.051. A run is therefore the best of up to three trainings by that loss, and ends early at one under 0.1. The
# LSTM gets the same rule. Each learner gets three runs.

# %%
from reference.pytorch import ntm as torch_ntm
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn.cells import answering as torch_answering
from reference.pytorch.nn.cells import feedforward as torch_feedforward
from reference.pytorch.nn.cells import lstm
from reference.pytorch.nn.cells import run as torch_run

# %%
short_ones = Copy(lengths=(1, 8))
NETS = {
    "machine": (torch_answering(torch_ntm.machine(torch_ntm.Size(24, 16), torch_feedforward(64)), 8), 0.02),
    "LSTM": (torch_answering(lstm(64), 8), 0.02),
}


# %%
for name, (model, _) in NETS.items():
    first_weights = model.init(np.random.default_rng(0), short_ones.d_in)
    print(f"{name}: {sum(p.numel() for p in first_weights.values()):,} weights")


# %%
def train_small(name, seed, gradient=torch_ntm.meta_gradient, n_steps=700):
    """The weights after n_steps batches of 16, each of one length, and the loss over the last 50 of them."""
    (model, rate), rng = NETS[name], np.random.default_rng(seed)
    draw = lambda: to_torch(short_ones.sample_batch(rng, 16))
    begin, rule = model.init(rng, short_ones.d_in), clipped(adam(falling(rate, n_steps)), 1.0)
    weights, losses = meta_train(begin, partial(gradient, net=model), draw, rule=rule, n_steps=n_steps)
    return weights, float(losses[-50:].mean())


# %%
def best_of_three(name, seed):
    """The weights of the training with the least loss at its end; none is begun after one under 0.1."""
    trainings = []
    for attempt in range(3):
        trainings.append(train_small(name, seed + 100 * attempt))
        lost = trainings[-1][1]
        print(f"{name}, run {seed}, training {attempt + 1}: bits lost, of one, at the end {lost:.3f}")
        if lost < 0.1:
            break
    return min(trainings, key=lambda training: training[1])[0]


# %%
def share_wrong(name, params, length, n=100):
    """The share of wrong bits over n new sequences of this length."""
    series = short_ones.of_lengths(np.random.default_rng(1000 + length), np.full(n, length))
    with torch.inference_mode():
        logits = torch_run(NETS[name][0], params, to_torch(series).x)
    return wrong_bits(series, logits.numpy()).mean() / (8 * length)


# %% tags=["training", "nbval-ignore-output"]
LENGTHS = np.array([2, 4, 6, 8, 10, 12, 16, 20])
small_nets = {(name, seed): best_of_three(name, seed) for name in NETS for seed in range(3)}
small_wrong = {
    key: np.array([share_wrong(key[0], p, length) for length in LENGTHS]) for key, p in small_nets.items()
}
for (name, seed), found in small_wrong.items():
    print(f"{name}, seed {seed}: share of wrong bits at lengths 4, 8, 16, 20:", found[[1, 3, 6, 7]].round(3))


# %%
def by_seed(lengths, shares_of, longest, legend="upper left"):
    """The share of wrong bits against the length, a line for every training run."""
    _, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    names = list(dict.fromkeys(name for name, _ in shares_of))
    for (name, seed), found in shares_of.items():
        look = names.index(name)
        style = {
            "color": plotting.COLOURS[look],
            "linestyle": plotting.LINES[look],
            "marker": plotting.MARKERS[look],
        }
        ax.plot(
            lengths, found, **style, markersize=4, label=name if (name, seed) in first_of(shares_of) else None
        )
    ax.axvspan(0, longest, color=plotting.GREY, alpha=0.12, linewidth=0)
    ax.set(xlabel="length of the sequence", ylabel="share of wrong bits", ylim=(-0.02, 0.55), xlim=(0, None))
    ax.legend(loc=legend)
    return ax


# %%
def first_of(shares_of):
    """The first run of each name, which names the line."""
    return {name: (name, seed) for name, seed in reversed(shares_of)}.values()


# %%
_ = by_seed(LENGTHS, small_wrong, 8)
plotting.show(
    "Share of wrong bits against sequence length, three lines each for the machine and the LSTM; lengths "
    "of training, up to 8, are shaded. The machine's lines lie near zero there and stay low at length 12; "
    "one of them may rise beyond, as far as the LSTM's, which rise from 0.2 at length 4 to 0.4 at length 16."
)

# %% [markdown]
# **Figure 2.** Each line is one run; the shaded lengths were trained on. The machine copies what it was
# trained on and goes on beyond, in some runs farther than in others. The LSTM has not learned even length 4 from
# 11,200 sequences a training. That does not show that it cannot: the next section gives it more time.

# %%
at = {name: np.stack([small_wrong[name, seed] for seed in range(3)]) for name in NETS}
claim(
    "Machine: under five bits in a hundred wrong at lengths 2, 4, 6 and 8, in each of its runs.",
    at["machine"][:, :4].max() < 0.05,
    at["machine"][:, :4].max(1),
)
claim("LSTM: over two in ten wrong at length 8, in each run.", at["LSTM"][:, 3].min() > 0.2, at["LSTM"][:, 3])
claim(
    "At length 12, never trained on, the machine is ahead of the LSTM in each of three pairs of runs, by "
    "over a tenth of the bits.",
    (at["LSTM"][:, 5] - at["machine"][:, 5]).min() > 0.1,
    at["LSTM"][:, 5] - at["machine"][:, 5],
)

# %% [markdown]
# ## Copying beyond the training length
#
# The full setting: 8 bits, 1 to 20 vectors, a memory of 128 rows of 20, an LSTM of width 100 as the controller
# (62,660 weights). Beside it an LSTM of width 120 (63,848 weights) and a causal transformer, two blocks of width 52
# with sines for the positions (67,296). These runs took a minute or two of one core each and are loaded:
#
#     python -m experiments.sequences.machines ntm --seed 0 --outer-lr 1e-2 --largest-gradient 1
#     python -m experiments.sequences.machines lstm --seed 0 --outer-lr 1e-2 --n-steps 12000
#     python -m experiments.sequences.machines transformer --seed 0 --outer-lr 3e-3 --largest-gradient 1 --n-steps 12000
#
# **How the settings were chosen.** With seed 100, which is not shown below, every learner was trained for 3,000 steps
# of 16 sequences, at rates from 0.0003 to 0.01 (LSTM and machine to 0.03) and with the gradient cut at 10 or at 1.
# Six to eight pairs each were tried; all are listed in `experiments/sequences/README.md`. The fewest wrong bits at
# the lengths of training decided; longer sequences had no say. For the machine five pairs tied, at no wrong bit at
# all: rates 0.003 and 0.01, cut at 10 or at 1, and 0.03, cut at 10. (At 0.03, cut at 1, its one run did not learn to
# copy.) The two of the smaller rates cut at 1 are shown; of those cut at 10, a few runs are in the README, and some
# of them failed. All chosen rates lie inside of their grids; of the cut only two values were tried.
#
# A step of the machine takes four times as long as one of the others. So the others got four times as many, on
# 192,000 sequences, which makes the time of training about equal. Their rates were not chosen again at that length;
# one run each with seed 100 there says the same as those below (LSTM: 58 of 160 bits wrong at length 20; transformer,
# at rate 0.001: none at 20, 118 of 240 at 30).

# %%
from reference.evaluation import Score
from reference.results import select

# %%
FULL = {
    "machine, rate 0.01": {"variant": "ntm", "outer_lr": 0.01, "n_steps": 3000, "largest_gradient": 1.0},
    "machine, rate 0.003": {"variant": "ntm", "outer_lr": 0.003, "n_steps": 3000, "largest_gradient": 1.0},
    "LSTM": {"variant": "lstm", "outer_lr": 0.01, "n_steps": 12000, "largest_gradient": 10.0},
    "transformer": {"variant": "transformer", "outer_lr": 0.003, "n_steps": 12000, "largest_gradient": 1.0},
}


# %%
full_runs = {
    (name, run.settings["seed"]): run
    for name, chosen in FULL.items()
    for run in select("sequences", data="copy", **chosen)
    if run.settings["seed"] < 100  # seed 100 chose the settings
}


# %%
def wrong_bits_of(run):
    """The mean number of wrong bits of 100 sequences, at each length."""
    return {row.about["length"]: row.mean for row in run.rows if row.measure == "wrong bits"}


# %%
by_length = {key: wrong_bits_of(run) for key, run in full_runs.items()}


# %%
print("wrong bits at lengths       20     30     40     60    120   (guessing: 4 a vector)")
for (name, seed), found in by_length.items():
    print(f"{name:19s} seed {seed}", "".join(f"{found[length]:7.2f}" for length in (20, 30, 40, 60, 120)))

# %%
test_lengths = np.array(list(by_length["LSTM", 0]))
full_shares = {key: np.array(list(found.values())) / (8 * test_lengths) for key, found in by_length.items()}
_ = by_seed(test_lengths, full_shares, 20, legend="center right")
plotting.show(
    "Share of wrong bits against length from 5 to 120, lengths up to 20 shaded, one line for each of "
    "sixteen runs. All "
    "lines of the machine lie at zero to length 30, those of rate 0.003 to 60 and beyond; three of rate "
    "0.01 rise to a half by 60. "
    "The transformer's are at zero to 20 and leap to almost a half at 30; the LSTM's rise from the start."
)

# %% [markdown]
# **Figure 3.** Each line is one training run, each point 100 new sequences; a half is guessing. To the right of the
# shade no learner was ever trained. The figure does not say which of these learners would do best if each were given
# what its makers would give it (other positions for the transformer; three layers of 256 for the LSTM, and more
# steps): it compares small ones of one size.

# %%
runs_of = lambda word, length: np.array(
    [found[length] for (name, _), found in by_length.items() if word in name]
)
claim(
    "Lengths of training: the machine gets no bit of 300 sequences wrong, in each of ten runs.",
    len(runs_of("machine", 5)) == 10 and max(runs_of("machine", length).max() for length in (5, 10, 20)) == 0,
    {length: runs_of("machine", length).max() for length in (5, 10, 20)},
)
claim(
    "So does the transformer, in each of three; the LSTM gets over 50 of 160 wrong at length 20.",
    len(runs_of("transformer", 5)) == len(runs_of("LSTM", 5)) == 3
    and max(runs_of("transformer", length).max() for length in (5, 10, 20)) == 0
    and runs_of("LSTM", 20).min() > 50,
    runs_of("transformer", 20),
    runs_of("LSTM", 20),
)
claim(
    "At length 30: the machine under 1 of 240 in each run, the transformer over 100 in each.",
    runs_of("machine", 30).max() < 1 and runs_of("transformer", 30).min() > 100,
    runs_of("machine", 30),
    runs_of("transformer", 30),
)

# %%
claim(
    "At length 60: with rate 0.003 each of five runs has under 5 bits of 480 wrong; with rate 0.01 two of "
    "five have, and three over 150.",
    len(runs_of("0.003", 60)) == len(runs_of("0.01", 60)) == 5
    and runs_of("0.003", 60).max() < 5
    and (runs_of("0.01", 60) < 5).sum() == 2
    and sorted(runs_of("0.01", 60))[2] > 150,
    runs_of("0.003", 60),
    runs_of("0.01", 60),
)

# %% [markdown]
# The LSTM has not learned the task in four times as many sequences. The transformer has learned it without a mistake
# *and* fails at sequences half as long again: a perfect score where it was trained does not say what lies beyond. The
# machine goes on beyond (your guess for 40 vectors: the third column of the table), and then its runs part. At 60
# vectors, three times the longest it was trained on, all five of rate 0.003 still have at most one bit in a hundred
# wrong; of the five of rate 0.01 two have none and three are near guessing. Both rates had no mistake in training.
# The mean difference over the five pairs is 135 +- 153 bits: that a smaller step finds the better program they do not
# show.

# %% [markdown]
# ### Which program is it?
#
# Two runs of rate 0.01 have their weights stored: that of seed 1, which copies 120 vectors (with 0.3 of 960 bits
# wrong), and that of seed 0, which copies 30 and then fails. First the film of seed 1, on a sequence of 40 vectors.

# %%
from reference.pytorch.machine import checkpoints
from reference.results import folder

# %%
full_net = torch_answering(torch_ntm.machine(torch_ntm.Size(n_rows=128, width=20), lstm(100)), 8)
stored = {
    seed: folder() / f"sequences_ntm_copy_seed={seed}_outer_lr=0.01_largest_gradient=1.0.safetensors"
    for seed in (0, 1)
}
weights_of = {seed: checkpoints.load(path)[0]["params"] for seed, path in stored.items()}


# %%
forty = to_torch(Copy().of_lengths(np.random.default_rng(4), np.array([40])))
with torch.inference_mode():
    full_film = filmed(full_net, weights_of[1], forty.x)

# %%
strip(full_film[:, :, :60], 40)
plotting.show(
    "The film strip of the full machine copying 40 vectors. Above, the writing head: a straight diagonal "
    "from row 0 to row 39 while the input comes. Below, the reading head: nothing to be seen before the "
    "dashed line, then, from row 0 on, the same diagonal."
)

# %% [markdown]
# **Figure 4.** The program: write to rows 0, 1, 2, and so on; at the sign go to row 0; read rows 0, 1, 2, and so on.
# Its diagonals are those of the program at the beginning of this chapter, found from examples alone, and at twice the
# length that it was trained on. But here the reading head does not wait at row 0: before the sign it is spread over
# all 128 rows, too thinly to be seen, and soon after the sign so is the writing head. Nobody asked anything of them
# there.

# %%
wrote, answered = full_film[:40, 1].argmax(-1), full_film[41:, 0].argmax(-1)
claim(
    "Vector i is written to row i and read there, for all 40.",
    (wrote == answered).all() and (wrote == range(40)).all(),
    wrote,
    answered,
)
surest = np.concatenate([full_film[:40, 1].max(-1), full_film[41:, 0].max(-1)])
claim(
    "The heads are sure: over 0.95 of the weight on one row, in each of the 80 steps.",
    surest.min() > 0.95,
    surest.min(),
)

# %% [markdown]
# And seed 0, on 60 vectors? Its film shows the same two diagonals. But look at where its reading head begins.


# %%
def answers_of(params, series, placed=None):
    """The answers of the full machine, and the weights (n_steps, batch, 128) of its reading head.

    With `placed`, weights (128,), the reading head is put there by hand when the input is over.
    """
    state, said, film = full_net.begin(params, series.x[0]), [], []
    for step, now in enumerate(series.x):
        if placed is not None and step == len(series.x) // 2:
            weights = state.weights.clone()
            weights[:, 0] = torch.tensor(placed)
            state = state._replace(weights=weights)
        state, answer = full_net.cell(params, state, now)
        said.append(answer.numpy())
        film.append(state.weights[:, 0].numpy())
    return np.stack(said), np.stack(film)


# %%
sixty = Copy().of_lengths(np.random.default_rng(6), np.full(50, 60))
with torch.inference_mode():
    plain, plain_at = answers_of(weights_of[0], to_torch(sixty))
began_at = plain_at[61].argmax(-1)
rows_begun = sorted(set(began_at.tolist()))
claim(
    "In 50 sequences its first answer is read from over ten different rows.",
    len(rows_begun) > 10,
    *rows_begun,
)
claim(
    "Of 480 bits over 150 are wrong.", wrong_bits(sixty, plain).mean() > 150, wrong_bits(sixty, plain).mean()
)

# %% [markdown]
# It reads rightly, from the wrong place: one sequence from this row, the next from that. Counted from that row on,
# its answers are right:

# %%
bits_shown, bits_said = sixty.x[:60, :, :8], plain[61:] > 0
from_its_row = [
    np.mean(bits_said[: 60 - row, b] != bits_shown[row:, b]) for b, row in enumerate(began_at) if row < 55
]
claim(
    "From the row where it began, under 2 bits in 100 are wrong.",
    np.mean(from_its_row) < 0.02,
    np.mean(from_its_row),
)
on_row_0 = {steps: plain_at[steps, :, 0].mean() for steps in (0, 5, 20, 40, 59)}
claim(
    "Its weight on row 0 falls as it waits: over 0.02 after 20 steps, under 0.012 after 59; even is 0.008.",
    on_row_0[20] > 0.02 and on_row_0[59] < 0.012,
    on_row_0,
)

# %% [markdown]
# Seed 0 keeps a *trace* of row 0 in the reading head while the input comes, a fifth of the weight after the first
# step, and less at each step. At the sign the head is sharpened, and the row with the most weight wins. After 20
# steps that is still row 0, by a little; after 60 nothing is left to sharpen, and any row wins. If that is the whole
# fault, it must be enough to take this one head back to row 0 by hand when the input is over, and to change nothing
# else. And seed 1? We put the reading heads of both to three places.

# %%
PLACES = {"row 0": np.eye(128)[0], "no row, evenly spread": np.full(128, 1 / 128), "row 70": np.eye(128)[70]}
wrong_placed, begins_at = {}, {}
with torch.inference_mode():
    for seed, params in weights_of.items():
        for place, placed in PLACES.items():
            said, where = answers_of(params, to_torch(sixty), placed)
            begins_at[seed, place] = sorted(set(where[61].argmax(-1).tolist()))
            wrong_placed[seed, place] = wrong_bits(sixty, said).mean()

# %%
claim(
    "Put to row 0, seed 0 gets under 5 of 480 bits wrong.",
    wrong_placed[0, "row 0"] < 5,
    wrong_placed[0, "row 0"],
)
evenly = [wrong_placed[seed, "no row, evenly spread"] for seed in (0, 1)]
claim(
    "Evenly spread, seed 0 gets over 150 wrong; seed 1 begins at row 0 all the same and gets under 5 wrong.",
    evenly[0] > 150 and evenly[1] < 5 and begins_at[1, "no row, evenly spread"] == [0],
    evenly,
    begins_at[1, "no row, evenly spread"],
)

# %%
in_training, spread = Copy().of_lengths(np.random.default_rng(6), np.full(50, 20)), np.full(128, 1 / 128)
with torch.inference_mode():
    at_20 = [
        wrong_bits(in_training, answers_of(weights_of[0], to_torch(in_training), placed)[0]).mean()
        for placed in (None, spread)
    ]
claim(
    "At 20 vectors, which seed 0 copies with under one bit wrong, evenly spread it gets over 40 of 160.",
    at_20[0] < 1 and at_20[1] > 40,
    at_20,
)

# %%
at_70 = [wrong_placed[seed, "row 70"] for seed in (0, 1)]
claim(
    "Put to row 70, both begin to read there, and get over 150 wrong.",
    min(at_70) > 150 and begins_at[0, "row 70"] == begins_at[1, "row 70"] == [70],
    at_70,
    begins_at[0, "row 70"],
    begins_at[1, "row 70"],
)

# %% [markdown]
# So two programs fit the training lengths without a mistake. Seed 0 goes by place alone: it keeps a trace of row 0,
# and where the trace is gone it has nothing. Seed 1 keeps none. Before the sign its reading head is spread over the
# rows, and at the sign it *looks*: spread evenly by our hand, it still finds row 0, and that can only come from the
# content. How long the input was does not matter to it. (We had thought that it would find row 0 from anywhere. The
# last line says no: put to row 70 it begins there. Its gate, it seems, keeps a part of the old place, and a head that
# is sure of one outweighs the content.) Nothing in the training loss tells the two apart: both end at 0.0008 of a bit
# lost.

# %% [markdown]
# ### How the memory begins
#
# Collier & Beel (2018) tried three contents for the memory before the first step: one small constant ($10^{-6}$),
# random numbers, and numbers that are learned like weights. The constant converged about twice as fast as the next
# best in their experiments. Ours: the constant, random numbers (normal, deviation 0.5, drawn anew for each batch),
# and numbers that are drawn in this way once and then learned; 1,500 steps, five runs each. The setting, rate 0.01,
# is the one that was chosen with the constant start; the others were not tuned, which favours the constant.

# %%
starts, short = (
    {"constant": "ntm", "random": "ntm-random-start", "learned": "ntm-learned-start"},
    {"n_steps": 1500, "outer_lr": 0.01, "largest_gradient": 1.0},
)


# %%
begun = {
    (name, run.settings["seed"]): run
    for name, variant in starts.items()
    for run in select("sequences", data="copy", variant=variant, **short)
}


# %%
def training_curve(run):
    """Sequences seen, and the bits lost (of one) over the steps before."""
    return np.array([(row.about["sequences"], row.mean) for row in run.rows if "sequences" in row.about]).T


# %%
_, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for (name, seed), found in begun.items():
    look = list(starts).index(name)
    style = {"color": plotting.COLOURS[look], "linestyle": plotting.LINES[look]}
    _ = ax.plot(*training_curve(found), **style, label=f"{name} start" if seed == 0 else None)
ax.set(xlabel="sequences seen", ylabel="bits lost, of one", ylim=(0, 1.05))
_ = ax.legend()
plotting.show(
    "Training curves, five runs each with a constant, a random and a learned start of the memory. All fall "
    "from 1 to nearly 0 between 3,000 and 10,000 sequences, four of them with a spike back above 0.7, three "
    "with a smaller one; the three kinds overlap."
)

# %% [markdown]
# **Figure 5.** All three starts learn, in every run, and the lines overlap. (Four of the fifteen forget most or all
# of it once more, and learn it anew: whoever stops there reports a failure.) So here the constant is no condition of
# success, and not twice as fast. What the figure cannot show is what they have learned.

# %%
first_below = {
    key: next(seen for seen, lost in training_curve(run).T if lost < 0.05) for key, run in begun.items()
}
fives = [
    (name, length, [wrong_bits_of(begun[name, seed])[length] for seed in range(5)])
    for name in starts
    for length in (20, 60)
]
for name in starts:
    print(
        f"{name}: under 0.05 of a bit after",
        *(int(first_below[name, seed]) for seed in range(5)),
        "sequences",
    )
for name, length, found in fives:
    print(f"{name}: wrong bits at length {length}:", *found)

# %%
below = np.array([[first_below[name, seed] for seed in range(5)] for name in starts])
at_60 = np.array([found for _, length, found in fives if length == 60])
at_end = [max(training_curve(begun[name, seed])[1, -1] for seed in range(5)) for name in starts]
claim("Every run of every start ends with under 0.02 of a bit lost.", max(at_end) < 0.02, at_end)
later = {name: Score(below[row] - below[0]) for row, name in ((1, "random"), (2, "learned"))}
claim(
    "For the first time under 0.05 of a bit, the learned start is later than the constant one in each of "
    "five pairs; the random one is not.",
    (below[2] > below[0]).all() and not (below[1] > below[0]).all(),
    {f"{name}, mean of five pairs": score.mean for name, score in later.items()},
    {f"{name}, 95% interval": score.interval for name, score in later.items()},
)
claim(
    "At length 60 the constant start gets fewer bits wrong than the random one in each of five pairs.",
    (at_60[0] < at_60[1]).all() and not (at_60[0] < at_60[2]).all(),
    *at_60,
)

# %% [markdown]
# To come below for the first time, over five pairs, the random start takes 800 sequences more (the interval reaches
# from 400 fewer to 2,000 more), the learned one 1,800 (200 to 3,500). Corrected for two comparisons neither is an
# order, and a third more is not twice. Counted until a run *stays* below, with the spikes, the random start is the
# last of the three. Beyond the training lengths the runs hint at more: at 60 vectors the constant is ahead of the
# random start in each of five pairs, by 99 +- 115 bits, and that is no order either. (We chose 60 after we had seen
# the table; at 40 it is ahead in four.)
#
# One more thing in the recipe: where the gradient is cut. The same setting, cut at 10 in place of 1:

# %%
cut_at_10 = {
    run.settings["seed"]: run
    for run in select("sequences", data="copy", variant="ntm", **(short | {"largest_gradient": 10.0}))
}
learned_at = lambda run: next((int(seen) for seen, lost in training_curve(run).T if lost < 0.05), 10**9)
pairs = {seed: (learned_at(begun["constant", seed]), learned_at(run)) for seed, run in cut_at_10.items()}
claim(
    "Cut at 10 the machine needs over half as many sequences again as cut at 1, in each of three pairs "
    "(10^9: not learned in 24,000).",
    all(1.5 * at_1 < at_10 for at_1, at_10 in pairs.values()) and len(pairs) == 3,
    pairs,
)

# %% [markdown]
# It is so in this setting. It is not in every one: of the single runs with seed 100 over 48,000 sequences the one cut
# at 10 took a third more at rate 0.01, was the earlier at 0.003, and at 0.03 it alone learned.
#
# ## What it costs
#
# A gradient through $T$ steps needs what each step has computed. Every step makes a new memory, so all of them are
# kept: we count the bytes that PyTorch holds for the backward pass.


# %%
def bytes_kept(length):
    """Bytes held for the gradient of 16 sequences of this length."""
    held = {}

    def note(x):
        storage = x.untyped_storage()
        held[storage.data_ptr()] = storage  # kept, so that no other comes to stand in its place
        return x

    series = to_torch(Copy().of_lengths(np.random.default_rng(0), np.full(16, length)))
    leaves = {name: p.detach().requires_grad_() for name, p in weights_of[1].items()}
    with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
        _ = torch_ntm.loss(leaves, series, net=full_net)
    return sum(storage.nbytes() for storage in held.values())


# %%
kept_at = {length: bytes_kept(length) for length in (5, 10, 20, 40)}
memory_bytes = 16 * 128 * 20 * 4
per_step = (kept_at[40] - kept_at[20]) / 40
claim(
    "Memory grows with the steps, in a straight line to one part in a hundred.",
    abs((kept_at[40] - kept_at[20]) / (kept_at[20] - kept_at[10]) - 2) < 0.02,
    {f"length {length}, MB": size / 1e6 for length, size in kept_at.items()},
)
claim(
    "Each step keeps between 3 and 12 times what the memory itself takes.",
    3 < per_step / memory_bytes < 12,
    per_step / memory_bytes,
)

# %% tags=["timing", "nbval-ignore-output"]
import time

for length in (10, 20, 40):
    series_of_16 = to_torch(Copy().of_lengths(np.random.default_rng(0), np.full(16, length)))
    torch_ntm.meta_gradient(weights_of[1], series_of_16, net=full_net)
    began = time.process_time()
    torch_ntm.meta_gradient(weights_of[1], series_of_16, net=full_net)
    print(
        f"length {length}, {2 * length + 1} steps, batch of 16: {1000 * (time.process_time() - began):.0f} "
        f"ms of CPU"
    )

# %% [markdown]
# Both grow in a straight line. The usual way out is **truncation**: cut the sequence into windows, and let no
# gradient pass from one window to the one before. Whoever takes the gradient of each window at its end keeps the
# steps of one window only: at 120 vectors, 241 steps, a process then peaks 24 MB above its start and not 162 (16
# sequences, windows of 16 steps, `experiments/speed/ntm_length.py`). The code below takes all windows at the end,
# which is shorter and saves no memory. The numbers themselves still flow: the state goes on, only its history is
# forgotten. What is the price here? Vector $i$ is written at step $i$ and its answer is due $L + 1$ steps later. If a
# cut lies between, the error of the answer says nothing to the step that wrote.


# %%
def cut(state):
    """The state without its history."""
    if isinstance(state, tuple):
        parts = [cut(part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state.detach()


# %%
def loss_in_windows(params, series, *, net, window):
    """The loss of the machine, with no gradient from one window to the one before."""
    state, logits = net.begin(params, series.x[0]), []
    for step, now in enumerate(series.x):
        state, said = net.cell(params, cut(state) if step and step % window == 0 else state, now)
        logits.append(said)
    logits = torch.stack(logits)[series.judged]
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, series.y[series.judged]) / np.log(2)


# %%
six = to_torch(short_ones.of_lengths(np.random.default_rng(0), np.array([6])))
reached = {}
for window in (13, 7):
    watched = six._replace(x=six.x.clone().requires_grad_())
    loss_in_windows(small_nets["machine", 0], watched, net=NETS["machine"][0], window=window).backward()
    reached[window] = watched.x.grad[:6].abs().sum((1, 2)) > 0
claim(
    "Six vectors, 13 steps, one window: every input gets a gradient.",
    bool(reached[13].all()),
    reached[13],
)
claim("Windows of 7 steps: none of the six inputs does.", not reached[7].any(), reached[7])

# %% [markdown]
# Where the gradient is zero, nothing is learned about writing. Short sequences fit into a window, and could teach the
# program for all. Do they? We train the small machine once more, in windows of 8 steps, in which sequences of 1 to 3
# vectors fit whole.

# %%
from reference.pytorch.unroll import value_and_grad


def in_windows(params, series, net):
    """The gradient in windows of 8 steps, and the loss."""
    value, gradient = value_and_grad(loss_in_windows)(params, series, net=net, window=8)
    return gradient, value


# %% tags=["training", "nbval-ignore-output"]
truncated, _ = train_small("machine", 0, gradient=in_windows)
cut_wrong = np.array([share_wrong("machine", truncated, length) for length in LENGTHS])
print("share of wrong bits at lengths", LENGTHS)
print(cut_wrong.round(2))

# %%
claim(
    "In windows of 8 steps it learns length 2: under 5 bits in 100 are wrong.",
    cut_wrong[0] < 0.05,
    cut_wrong[0],
)

# %% [markdown]
# In this run two vectors, which fit into a window, are learned. Beyond, the price differs from run to run. With
# twelve other seeds (10 to 15, which also chose the rate, 1000 to 1002, 2000 to 2002; not stored: put them in the
# place of the 0) the program of the short sequences carried over nearly whole in five runs, with at most 1.2 bits in
# 100 wrong at length 8. In the other seven 16 or more were wrong, where the whole gradient left under 3 in each of
# the six that we trained with it (1000 to 1002, 2000 to 2002). So truncation need not be fatal where one program
# serves all lengths; but what is written early and needed late is then learned from the short cases, or not at all.

# %% [markdown]
# ## Drive the head by hand
#
# Five rows hold different things, the head was at row 1. The four pictures are the four steps.


# %% tags=["setup"]
FIVE_ROWS = np.array([[[1.0, 0, 0], [0, 1.0, 0], [0, 0.9, 0.4], [0, 0, 1.0], [0.6, 0, 0.8]]])


# %% tags=["setup"]
def stages(*, key, strength, gate, shift_by, sharpness):
    """The weights after each of the four steps; the key is the content of one row."""
    number = lambda value: np.array([[value]])
    certain = np.clip([-shift_by, 1 - abs(shift_by), shift_by], 0, 1)
    content = by_content(FIVE_ROWS[:, [key]], FIVE_ROWS, number(strength))
    gated = interpolate(content, np.eye(5)[None, [1]], number(gate))
    along = shift(gated, certain[None, None])
    steps = {
        "content": content,
        "gate": gated,
        "shift": along,
        "sharpening": sharpen(along, number(sharpness)),
    }
    return {name: np.asarray(weights)[0, 0] for name, weights in steps.items()}


# %%
from reference.figures import show_head

_ = show_head(stages, key=2, strength=5.0, gate=0.7, shift_by=0.8, sharpness=2.0)
plotting.show(
    "Four bar charts over five rows: after content rows 2 and 1 have most; after the gate row 1 has "
    "gained; after the "
    "shift both have moved to the right, by most of a row; after sharpening one row stands out."
)

# %% [markdown]
# **Figure 6.** The key is the content of row 2, and row 1 holds nearly the same; so the content finds both. The gate
# mixes in row 1, where the head was. The shift moves what there is by 0.8 of a row. The last step takes back some of
# the blur.

# %% tags=["interactive", "nbval-ignore-output"]
from reference.widgets import sliders

sliders(
    show_head,
    stages,
    key=(0, 4, 2),
    strength=(0.0, 20.0, 5.0),
    gate=(0.0, 1.0, 0.7),
    shift_by=(-1.0, 1.0, 0.8),
    sharpness=(1.0, 10.0, 2.0),
)

# %% [markdown]
# Try this. With gate 0 only the place counts: drive to row 0 and to row 2. With gate 1, key 4 and a shift of +1,
# where does the head come out? Shift by 0.5: can sharpening say which of two equal rows was meant? Now strength 20
# with key 2: can a strength tell rows 1 and 2 apart, and at what strength does it begin to?
#
# ## What differs from the paper, and what breaks it
#
# - The equations are the paper's. It leaves open whether heads meet the memory before or after this step's writing
#   (ours: before), where they begin (row 0), and how numbers are brought into their ranges (for what is added it
#   names none; ours: tanh).
# - The paper trains by RMSProp with momentum, on as many sequences as its figures show (up to a million), and clips
#   each number of the gradient to $\pm 10$. We clip its length, train with Adam, and stop after 48,000 sequences.
# - The paper has four other tasks. Two of them, repeat copy and associative recall, have been run in
#   `experiments/sequences/`; its README has the tables. Of each, one of three runs of the machine learned it in
#   48,000 sequences (associative recall: one more in 192,000), and so did the run that had chosen the rate. On
#   repeat copy these two go on to twice as many vectors with under a bit in twenty wrong, and count worse than
#   that.
# - It breaks where the ring is too small: a sequence longer than the memory overwrites its own beginning. No training
#   mends that.
# - It breaks where the program is not exact. A head that leaves a hundredth of its weight behind at each step still
#   has over 0.8 on its row after 20 and under 0.4 after 100, unless sharpening takes the rest back. Figure 3 shows
#   runs in which it does, and others.
# - It breaks in training: runs differ, and the loss jumps. Whoever reports one seed has reported a draw.
#
# ## From the museum: the convolution that ran backwards
#
# In equation 8 the shift is indexed by $i - j$. Most libraries' "convolution" does not turn its kernel round; it
# computes $\sum_d w(i + d)\, s(d)$. A well-known program for this machine pads the ring and calls `conv1d`. Read its
# three shifts as $-1, 0, 1$, and every head runs the other way. The exhibit:


# %%
def museum_shift(weights, shifts):
    """The ring, padded, and a library's convolution."""
    reach, n_rows = shifts.shape[-1] // 2, weights.shape[-1]
    ring = np.concatenate([weights[..., -reach:], weights, weights[..., :reach]], axis=-1)
    return sum(shifts[..., d, None] * ring[..., d : d + n_rows] for d in range(shifts.shape[-1]))


# %% [markdown]
# **Your turn.** We take the tiny machine, which was trained with the right shift, put this one in its place, and
# change nothing else. What will it say? Commit yourself before you run the cell.

# %%
backward_net = tiny_net(move=museum_shift)
fours = task.of_lengths(np.random.default_rng(2), np.full(100, 4))
forward, backward = (np.asarray(run(model, trained, fours.x)) for model in (net, backward_net))
claim("It says the same, number for number.", np.allclose(forward, backward, atol=1e-4), forward - backward)

# %% [markdown]
# Not a bit changes. Hold the ring up to a mirror, row $i$ for row $-i$: the start is the same constant in every row,
# both heads begin at row 0, which is its own image, and a find by content does not ask for numbers. So the backward
# machine *is* the forward one, in the mirror: where the one steps on, the other steps back, with both of its heads.

# %%
mirror = -np.arange(12) % 12
film_forward, film_backward = (filmed(model, trained, fours.x) for model in (net, backward_net))
gap = film_backward - film_forward[:, :, mirror]
claim(
    "Its film is the mirror image.",
    np.allclose(gap, 0, atol=1e-4) and not np.allclose(film_backward, film_forward, atol=0.1),
    gap,
)

# %% [markdown]
# No loss, no accuracy and no length finds this fault. It bites where rows have names: where a program is written by
# hand (exercise 5), where two programs exchange weights and one begins with a memory whose rows differ. There the
# mirror breaks:

# %%
from reference.scratch.ntm import random_start


def begin_with_noise(params, x, **machine):
    """The state before the first step, with a memory whose rows differ."""
    return begin(params, x, **machine, start=random_start(np.random.default_rng(0)))


both_ways = [tiny_net(begin=begin_with_noise), tiny_net(begin=begin_with_noise, move=museum_shift)]
forth, back = (np.asarray(run(model, trained, fours.x)) for model in both_ways)
claim(
    "From a memory whose rows differ they say different things.",
    abs(forth - back).max() > 0.1,
    abs(forth - back).max(),
)

# %% [markdown]
# What finds it at once is a test against the equation, one line long: a sure shift of $+1$ is `np.roll` by $+1$.
#
# ## From the museum: one memory for all
#
# The second exhibit is a fault that training does see, and does not explain. To save memory, somebody kept the memory
# as one array beside the network and not in the state: `begin` makes (1, n_rows, width), which broadcasts, and
# `write` sums what the batch has to say. (With this from the start, in a form that hands gradients through, three
# trainings of the tiny machine ended with over 0.7 of each bit lost.) We put it into the machine that is trained:


# %% tags=["setup"]
def museum_write(memory, weights, *, erase, add):
    """(1, n_rows, width), whatever the batch."""
    kept = 1 - weights[..., None] * erase[:, :, None, :]
    return memory * kept.prod((0, 1)) + np.einsum("bhi,bhj->ij", weights, add)


# %%
def museum_begin(params, x, **machine):
    """The state before the first step, with a single memory."""
    state = begin(params, x, **machine)
    return state._replace(memory=state.memory[:1])


# %%
museum_net = tiny_net(begin=museum_begin, put=museum_write)
answers = lambda which, params: lambda series: np.asarray(run(which, params, series.x))
museum_answers = answers(museum_net, trained)


# %%
def some(series, which):
    """Some of the sequences of a series."""
    return type(series)(*(part[:, which] for part in series))


# %%
twenty = some(fours, range(20))
one_by_one = [museum_answers(some(twenty, [b])) for b in range(20)]
one_at_a_time = wrong_bits(twenty, np.concatenate(one_by_one, axis=1)).mean()
all_at_once = wrong_bits(twenty, museum_answers(twenty)).mean()
claim(
    "One sequence at a time, hardly a bit is wrong; 20 at once, over 2 of 8.",
    one_at_a_time < 0.2 and all_at_once > 2,
    one_at_a_time,
    all_at_once,
)

# %% [markdown]
# **Your turn.** A test with a batch of one passes, and so does a test of what shape the answers have. Which sentence
# of "what must always hold" is broken? Write it as a test that any machine can be put to, before you read on. Here is
# a first one, for one sequence and one tolerance; exercise 6 asks for a judge that is harder to fool. It needs no
# trained weights: what must hold, holds for the first ones, too. (The error is meant to be there.)


# %%
def check_first(answers, series):
    """The first sequence is answered alone as it is among others."""
    among, alone = answers(series)[:, 0], answers(some(series, [0]))[:, 0]
    assert np.allclose(among, alone, atol=1e-4), "the first is answered in another way among others."
    print("The first sequence is answered alone as it is among others.")


three = some(fours, range(3))

# %% tags=["raises-exception"]
check_first(answers(museum_net, start), three)

# %%
check_first(answers(net, start), three)

# %% [markdown]
# ## From the museum: heads that take turns
#
# In our machine all heads meet the memory of the step before. A well-known program in PyTorch calls its heads one
# after the other, in pairs: one reads, one writes, and the next pair finds the memory that this one has left. So a
# head may read what another has written in the same step. In small:


# %% tags=["setup"]
def museum_turns(memory, readers, writers, *, erase, add):
    """What is read, and the new memory; `readers` and `writers` (batch, n, n_rows) are weights of heads."""
    reads = []
    for n in range(readers.shape[1]):
        pair = slice(n, n + 1)
        reads.append(read(memory, readers[:, pair]))
        memory = write(memory, writers[:, pair], erase=erase[:, pair], add=add[:, pair])
    return np.concatenate(reads, axis=1), memory


def without_turns(memory, readers, writers, **change):
    """The same, and all heads meet the memory of the step before."""
    return read(memory, readers), write(memory, writers, **change)


# %%
rng = np.random.default_rng(0)
two_pairs = {
    "memory": rng.normal(size=(3, 6, 4)),
    "readers": shares(rng, 3, 2, 6),
    "writers": shares(rng, 3, 2, 6),
    "erase": shares(rng, 3, 2, 4),
    "add": rng.normal(size=(3, 2, 4)),
}
one_pair = {name: part if name == "memory" else part[:, :1] for name, part in two_pairs.items()}
pairs_of = [(act(**one_pair), act(**two_pairs)) for act in (museum_turns, without_turns)]
alike = [[np.allclose(a, b) for a, b in zip(*both, strict=True)] for both in zip(*pairs_of, strict=True)]
claim(
    "With one pair of heads they are the same; with two, neither reads nor memory.",
    alike == [[True] * 2, [False] * 2],
    alike,
)

# %% [markdown]
# **Your turn.** One head of each kind is what this chapter has used throughout, so every training above would have
# gone the same way. With two the heads have an order, and what a head does depends on its *number*. Which sentence
# should always hold, and how do you test it without knowing the right numbers? Ours: number the heads anew, and what
# is read is numbered anew; the memory stays. (The error is meant to be there.)


# %%
def check_numbers(act, memory, **heads):
    """Heads that are numbered the other way round do what they did."""
    reads, after = act(memory, **heads)
    turned_reads, turned_after = act(memory, **{name: part[:, ::-1] for name, part in heads.items()})
    assert np.allclose(turned_reads[:, ::-1], reads), "what a head reads depends on its number."
    assert np.allclose(turned_after, after), "what is written depends on the numbers of the heads."
    print("Numbered anew, the heads do what they did.")


# %% tags=["raises-exception"]
check_numbers(museum_turns, **two_pairs)

# %%
check_numbers(without_turns, **two_pairs)

# %% [markdown]
# Is it a fault? Of writing heads the paper says that their order does not matter (section 3.2), and here it does.
# Whether reading comes before or after the writing, it leaves open. A machine can be trained either way, and which
# learns better we have not measured; but weights that were trained one way mean something else the other way.
#
# The lesson of all three: a falling loss is a weak test. What must hold is known before the training, and costs a
# second to check.

# %% [markdown]
# ## Exercises
#
# They need the setup cells and what you wrote in exercises 1 to 4.

# %% [markdown]
# ### Exercise 5: A program by hand
#
# *Difficulty: hard. Time: 35 minutes. Points: 5.*
#
# Program the machine yourself: it shall say the sequence `repeats` times over. In each step both heads get a `Move`:
# with `look` they go to the row that looks most like the **marker** (gate 1; the key is the marker, the strength is
# large), else they start from where they were (gate 0); then they shift by -1, 0 or 1. As in the machine above, both
# begin at row 0, move, and then the reading head reads what the memory held *before* this step's writing. With `put`
# the writing head erases its row and adds the bits of this step; with `mark`, too, it adds a marker beside them.
#
# Write `repeating(length, repeats)`: the list of `Orders`, one for each of `length` steps of input, one for the sign
# of the end (there is nothing to put), and `length * repeats` steps of answers. The memory has more rows than you
# need, and you do not know how many. Rows that were never written hold a small constant, which looks a little like
# the marker.
#
# <details><summary>Hint 1</summary>
#
# Draw the rows for length 3 and write over each step where both heads must be *when they act*. Copying once needs no
# `look`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# After the last vector of a round the next row would be empty. Which row must the reading head find instead, and how
# could it be told from all others?
#
# </details>
# <details><summary>Hint 3</summary>
#
# A look and a shift happen in one step, look first. The first write is at row 0, where the head is: its shift is 0.
# The reading head may rest wherever you like until the first answer.
#
# </details>


# %% tags=["setup"]
class Move(NamedTuple):
    look: bool = False
    shift: int = 0


# %% tags=["setup"]
class Orders(NamedTuple):
    write: Move = Move()
    read: Move = Move()
    put: bool = False
    mark: bool = False


# %% tags=["setup"]
def one_move(memory, weights, move):
    """The weights (1, 1, n_rows) of a head that obeys, with the functions of exercises 1 to 3."""
    key = np.eye(memory.shape[-1])[None, None, -1]
    number = lambda value: np.array([[float(value)]])
    sure = np.eye(3)[None, None, move.shift + 1]
    return address(memory, weights, Focus(key, number(200), number(move.look), sure, number(1)))


# %% tags=["setup"]
def obey(program, bits, n_rows):
    """What the machine reads in the steps after the sign of the end, (n_answers, d), under these orders."""
    (length, d), said = bits.shape, []
    memory, reader, writer = (
        np.full((1, n_rows, d + 1), 1e-6),
        np.eye(n_rows)[None, [0]],
        np.eye(n_rows)[None, [0]],
    )
    for step, orders in enumerate(program):
        writer, reader = one_move(memory, writer, orders.write), one_move(memory, reader, orders.read)
        said.append(read(memory, reader)[0, 0, :d])
        new = 1e-6 + np.append(bits[step], 3.0 * orders.mark) if step < length else np.zeros(d + 1)
        put = float(orders.put)
        memory = write(memory, writer, erase=np.full((1, 1, d + 1), put), add=put * new[None, None])
    return np.array(said[length + 1 :])


# %% tags=["setup"]
def orders_fault(program, length, repeats):
    """What is wrong with a program before it is run, in words; nothing if it can be."""
    if not isinstance(program, list | tuple):
        return f"expected a list of Orders, got {type(program).__name__}."
    if not all(isinstance(orders, Orders) for orders in program):
        return "every entry is an Orders(...)."
    if len(program) != (steps := length + 1 + length * repeats):
        return f"expected {steps} steps (input, sign, answers), got {len(program)}."
    moves = [move for orders in program for move in (orders.write, orders.read)]
    if not all(isinstance(move, Move) and move.shift in (-1, 0, 1) for move in moves):
        return "every move is a Move(...), and its shift is -1, 0 or 1: one row in a step."
    late = [step for step, orders in enumerate(program) if orders.put and step >= length]
    return f"step {late[0]} puts, but there are no bits after the input." if late else ""


# %% tags=["setup"]
def program_fault(repeating, length, repeats, n_rows, seed=0):
    """What goes wrong with the program for this length, in words; nothing if it is right."""
    story, program = f"length {length}, {repeats} times, {n_rows} rows", repeating(length, repeats)
    if fault := orders_fault(program, length, repeats):
        return f"{story}: {fault}"
    bits = np.random.default_rng(seed).integers(2, size=(length, 4)).astype(float)
    bits[0] = 1  # looks as much like an empty row as bits can
    said = obey(program, bits, n_rows)
    right = (abs(said - np.tile(bits, (repeats, 1))) < 0.1).all(1)
    if right.all():
        return ""
    first = int(np.argmin(right))
    thought = "Where is the reading head after the last vector of a round, and what takes it back?"
    if first < length:
        thought = "Are the vectors in rows of their own, and is the reading head where the first one is?"
    if bare := [step for step, orders in enumerate(program) if orders.mark and not orders.put]:
        thought += f" Step {bare[0]} marks but does not put: then nothing is written, and no marker either."
    which = f"answer {first + 1} of {len(right)} (round {first // length + 1}) is wrong"
    return f"{story}: {which}, the head read {said[first].round(2)} for {bits[first % length]}. {thought}"


# %% solution="repeating"
def repeating(length, repeats):
    """The orders under which the machine says a sequence of this length so many times over."""
    ### BEGIN SOLUTION
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == 0) for i in range(length)]
    one_round = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, Orders(), *one_round * repeats]
    ### END SOLUTION


# %% test="repeating" points=3
for length, repeats, n_rows in ((1, 1, 4), (3, 1, 8), (3, 2, 8), (5, 3, 7)):
    fault = program_fault(repeating, length, repeats, n_rows)
    assert not fault, fault

# %% [markdown]
# Now lengths and memories at the limits: one vector said many times, and a memory with just one row to spare.

# %% test="repeating" points=2
for length, repeats, n_rows in ((1, 5, 6), (6, 2, 7), (4, 4, 40), (2, 3, 5)):
    fault = program_fault(repeating, length, repeats, n_rows, seed=length)
    assert not fault, fault
### BEGIN HIDDEN TESTS
for length, repeats, n_rows in ((7, 3, 30), (2, 6, 9), (9, 2, 10)):
    fault = program_fault(repeating, length, repeats, n_rows, seed=5)
    assert not fault, fault
### END HIDDEN TESTS
print("repeating: passed")

# %% [markdown]
# ### Exercise 6: Do they meet?
#
# *Difficulty: medium. Time: 25 minutes. Points: 3.*
#
# Write the judge that would have found the second exhibit. `sequences_meet(answers, x)` is given any function
# `answers(x)`, (n_steps, batch, d) to (n_steps, batch, d_out), and an input `x` of several sequences. It returns True
# if what is said of *any* sequence depends on the others (on what they hold, or on how many there are), at any step,
# and else False. It must not be fooled by the last digits, in which sums of different batch sizes differ (up to
# $10^{-9}$ here), and it must find an influence of $10^{-5}$.
#
# <details><summary>Hint 1</summary>
#
# What would a sequence be answered if there were no others?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `x[:, [b]]` is sequence b alone, still with an axis of sequences. Not only the first one may be touched.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Compare all steps, with a tolerance between the two sizes; `np.allclose` has a relative one too, which is not what
# you want here: `rtol=0`.
#
# </details>


# %% tags=["setup"]
def sums(x):
    """Each sequence by itself: its running sum."""
    return np.cumsum(x, axis=0)


def one_hears(x, *, who, whom):
    """Running sums; one of several sequences has another's added."""
    out = sums(x)
    out[:, who] += sums(x)[:, whom] * (x.shape[1] > 1)
    return out


def in_pairs(x):
    """Running sums; every second sequence has those of the one before it added."""
    out = sums(x)
    out[:, 1::2] += sums(x)[:, : x.shape[1] // 2 * 2 : 2]
    return out


def leaks(x, *, step=slice(None), number=slice(None)):
    """Running sums; some steps and numbers have the mean over the batch added."""
    out = sums(x)
    out[step, :, number] += x.mean(1, keepdims=True)[step, :, number]
    return out


# %% tags=["setup"]
APART = {  # programs whose sequences do not meet, and what a judge that errs has missed
    "a running sum": (sums, "nothing is shared here"),
    "a softmax over each sequence's own numbers": (lambda x: softmax(sums(x)), "nothing is shared here"),
    "sums that are rounded otherwise in a batch": (
        lambda x: sums(x) + 1e-10 * x.shape[1],
        "a difference in the last digits is no meeting",
    ),
}
TOGETHER = {
    "one memory for all": (lambda x: 0 * x + sums(x).sum(1, keepdims=True), "all answers are one"),
    "a softmax over the batch": (lambda x: softmax(sums(x).swapaxes(1, 2)).swapaxes(1, 2), "every answer is"),
    "the last hears the first": (partial(one_hears, who=-1, whom=0), "only the last sequence is touched"),
    "a leak in the last step": (partial(leaks, step=slice(-1, None)), "only the last step is touched"),
    "a small leak": (lambda x: sums(x) + 2e-5 * x.max(1, keepdims=True), "it is small"),
    "a sum over the number": (lambda x: sums(x) / x.shape[1], "the number of the others counts, too"),
    "the first hears the last": (partial(one_hears, who=0, whom=-1), "only the first sequence is touched"),
    "sequences in pairs": (in_pairs, "every second one hears the one before it, and nobody else"),
    "a leak in the first step": (partial(leaks, step=slice(1)), "only the first step is touched"),
    "a leak in one number": (partial(leaks, number=slice(-1, None)), "only the last number is touched"),
    "a small leak beside large numbers": (
        lambda x: 1000 + sums(x) + 2e-5 * x.max(1, keepdims=True),
        "it is small only beside the numbers it is added to",
    ),
}


# %% tags=["setup"]
def of_three_axes(program):
    """The program, with a sentence for an input of another shape."""

    def checked(x):
        assert np.ndim(x) == 3, (
            f"the program was given an input of shape {np.shape(x)}; it takes (n_steps, batch, d)."
        )
        return program(x)

    return checked


# %% tags=["setup"]
def judge_fault(judge, x):
    """The first program that the judge gets wrong, in words; nothing if there is none."""
    for meets, programs in ((False, APART), (True, TOGETHER)):
        for name, (program, thought) in programs.items():
            given = judge(of_three_axes(program), x)
            if not isinstance(given, bool | np.bool_):
                return f"expected True or False, got {type(given).__name__}."
            if bool(given) != meets:
                return f"'{name}': expected {meets}, got {bool(given)}; {thought}."
    return ""


# %% solution="meet"
def sequences_meet(answers, x):
    """Whether the answer to any sequence depends on the others beside it."""
    ### BEGIN SOLUTION
    among = np.asarray(answers(x))
    alone = [np.asarray(answers(x[:, [b]]))[:, 0] for b in range(x.shape[1])]
    return bool(np.abs(among - np.stack(alone, axis=1)).max() > 1e-7)
    ### END SOLUTION


# %% test="meet" points=2
fault = judge_fault(sequences_meet, np.random.default_rng(0).normal(size=(6, 4, 3)))
assert not fault, fault

# %% test="meet" points=1
twins = np.repeat(np.random.default_rng(1).normal(size=(5, 1, 2)), 3, axis=1)
assert not sequences_meet(sums, twins), "three equal sequences, each by itself: expected False, got True."
number = lambda x: sums(x) / x.shape[1]
assert sequences_meet(number, twins), (
    "three equal sequences, divided by their number: expected True, got False."
)
narrow = lambda x: sums(x)[..., :1]
assert not sequences_meet(narrow, twins), "an answer of another width than x is no meeting: expected False."
### BEGIN HIDDEN TESTS
fault = judge_fault(sequences_meet, np.random.default_rng(2).normal(size=(3, 2, 5)))
assert not fault, fault
### END HIDDEN TESTS
print("sequences_meet: passed")

# %% [markdown]
# ### Exercise 7: What sharpening teaches
#
# *Difficulty: medium. Time: 25 minutes. Points: 4.*
#
# How do the weights change when a head says a little more sharpness? Work out $\partial w(i) / \partial \gamma$ for
# equation 9 with a pencil, and write `sharpen_slope(weights, sharpness)` for one head: `weights` (n_rows,) are the
# $\tilde w$ before sharpening (some may be 0), `sharpness` is a number. No small steps, no engine. Then use it: for
# which weights does the head learn nothing about its sharpness?
#
# <details><summary>Hint 1</summary>
#
# Write $\tilde w^\gamma = e^{\gamma \ln \tilde w}$. Which well-known function of the numbers $\gamma \ln \tilde w(i)$
# is equation 9?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The derivative of a softmax of scores that move at speeds $v_i$ needs the mean speed, under the softmax.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A row of weight 0 stays at 0, so its slope is 0, and it must not turn a sum into NaN: what is $0 \cdot \ln 0$?
#
# </details>


# %% tags=["setup"]
def by_steps(weights, gamma):
    """The slope by small steps."""
    ahead, behind = (weights ** (gamma + h) / np.sum(weights ** (gamma + h)) for h in (1e-5, -1e-5))
    return (ahead - behind) / 2e-5


# %% solution="sharpen-slope"
def sharpen_slope(weights, sharpness):
    """The derivative (n_rows,) of the sharpened weights in the sharpness."""
    ### BEGIN SOLUTION
    logs = np.log(np.where(weights > 0, weights, 1))
    powers = np.where(weights > 0, np.exp(sharpness * (logs - logs[weights > 0].max())), 0)
    sharp = powers / powers.sum()
    return sharp * (logs - sharp @ logs)
    ### END SOLUTION


# %% test="sharpen-slope" points=2
given = sharpen_slope(np.array([0.8, 0.2]), 1.0)
assert given is not None, "expected slopes, got None: is a `return` missing?"
assert np.shape(given) == (2,), f"two rows: expected shape (2,), got {np.shape(given)}."
given = np.asarray(given, dtype=float)
story = f"(0.8, 0.2), gamma 1: expected (0.2218, -0.2218), got {given.round(4)}."
for mistaken, hint in {
    (
        -0.1785,
        -0.3219,
    ): "The powers grow at that speed, but their sum changes, too: the weights stay at sum 1.",
    (-0.2218, 0.2218): "More sharpness gives more to the largest: check the sign.",
    (-0.2231, -1.6094): "Those are the logarithms, the speeds of the scores.",
    (0.5545, -0.1386): "The mean speed is under the weights, not a plain mean over the rows.",
    (0.2773, -1.109): "Multiply by the weight itself.",
    (0.8, 0.2): "That is the derivative of gamma * w.",
}.items():
    assert not np.allclose(given, mistaken, atol=2e-3), f"{story} {hint}"
assert np.isclose(given.sum(), 0, atol=1e-9), (
    f"{story} The weights keep the sum 1, so the slopes have the sum 0."
)
assert np.allclose(given, [0.22181, -0.22181], atol=1e-4), f"{story} By pencil: 0.8 * 0.2 * ln(0.8 / 0.2)."


# %% test="sharpen-slope" points=2
for seed, gamma in ((0, 1.0), (1, 2.5), (2, 6.0)):
    some_weights = shares(np.random.default_rng(seed), 5)
    given, expected = sharpen_slope(some_weights, gamma), by_steps(some_weights, gamma)
    assert np.allclose(given, expected, atol=1e-5), (
        f"{some_weights.round(3)}, gamma {gamma}: small steps give {expected.round(4)}, got "
        f"{np.round(given, 4)}. Only at gamma 1 are the weights the *sharpened* ones: which stand where?"
    )
with np.errstate(all="ignore"):
    given = np.asarray(sharpen_slope(np.array([0.0, 0.75, 0.25]), 2.0))
assert given.shape == (3,), f"three rows, one of weight 0: expected shape (3,), got {given.shape}."
assert np.isfinite(given).all(), (
    f"(0, 0.75, 0.25): got {given}. A row of weight 0 has slope 0, whatever ln 0 is."
)
assert np.allclose(given, [0, 0.09888, -0.09888], atol=1e-4), (
    f"(0, 0.75, 0.25), gamma 2: got {given.round(4)}."
)
### BEGIN HIDDEN TESTS
for certain in ([0.0, 1.0, 0.0], [0.25] * 4, [0.0, 0.5, 0.5]):
    with np.errstate(all="ignore"):
        given = sharpen_slope(np.array(certain), 3.0)
    assert np.allclose(given, 0), f"{certain}: the slopes are 0, got {given}."
### END HIDDEN TESTS
print("sharpen_slope: passed")

# %% [markdown]
# <details><summary>For which weights it learns nothing (open it after you have answered)</summary>
#
# Where all weights that are not 0 are equal: a head that is sure of one row, and one that is spread evenly.
# Sharpening changes neither, whatever $\gamma$ is. So a head that has lost its place altogether does not find it
# again by more sharpness; something else must first make one row stand out.
#
# </details>

# %% [markdown]
# ### Exercise 8: What each of them would have to do
#
# *Difficulty: medium. Time: 20 minutes. Points: 3.*
#
# In six to nine sentences. (a) How many bits must a learner hold between input and answer at length 120, and where
# would each of the three put them? (b) The transformer keeps every step it has seen, so it has all the bits, at every
# length. Which part of the task fails, then, and which experiment with the same network would test your answer? (c) A
# ring of 128 rows is given 200 vectors. Which of them can a machine with the right program still say?
#
# <details><summary>Hint 1</summary>
#
# For (a): bits per vector times vectors; then numbers in the LSTM's state, rows times width, steps.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For (b): answer $i$ must attend to step $i$. How is a step found, and was it ever asked for a step number over 41?
#
# </details>
# <details><summary>Hint 3</summary>
#
# For (c): the writing head goes round. Which rows are written twice, and by what? Then look where the reading head
# begins.
#
# </details>

# %% [markdown] answer="three-learners" points=3
# <!-- BEGIN SOLUTION -->
# (a) 8 * 120 = 960 bits. The LSTM must press them into 240 numbers of state (120 in c, 120 in h), each of which
# passes through gates at every step; the machine has 128 rows of 20 numbers and needs one row a vector; the
# transformer has the 120 input steps themselves. (b) Not the store but the address: answer i must find step i, by
# sines of positions that it has never seen or at distances it has never used (training had at most 41 steps,
# distances up to 21). A test: train the same network with positions drawn at random from a range as long as the
# test's, so that all of them are known, or with the distances known; if the address is at fault, it should now go
# farther; if the store were, it should not. (c) Vectors 129 to 200 were written over rows 0 to 71, so vectors 1 to
# 72 are gone; vectors 73 to 200 are in the ring, and could be said. But the program begins at row 0, where vector
# 129 stands, so it says 129 to 200 in the place of 1 to 72, then 73 to 128 rightly, at their places, and then 129
# to 200, rightly: 128 of 200 come at their right places.
# <!-- END SOLUTION -->

# %% [markdown]
# <details><summary>A model answer, and what a grader looks for (open it after you have written yours)</summary>
#
# (a) 960 bits: the LSTM in 240 numbers that every step passes through; the machine in 120 of its 128 rows; the
# transformer in the input steps, which it all keeps. (b) The address fails: answer $i$ must find step $i$ by
# positions, and training never showed a position over 41 and never needed a distance over 21. To test it, give
# training positions drawn from a range as long as the test's (same network, same sequences): if it now copies
# farther, the address was at fault. (c) Vectors 129 to 200 overwrite vectors 1 to 72. A program that reads from row 0
# says 129 to 200 first, then 73 to 128, then 129 to 200: the last 128 are right.
#
# A grader looks for: (1 point) 960, and three places with their sizes. (1 point) a finding about addresses and *an
# experiment that could come out the other way*; "transformers cannot count" is a name, not a test. (1 point) that the
# first 72 are lost and why the rest still come out.
#
# </details>

# %% [markdown]
# ## Where it stands today
#
# Hardly anybody reads text with a neural Turing machine. Its nearest heir, the differentiable neural computer (Graves
# et al. 2016), adds links from one written row to the next and a list of free ones. What took over is attention
# **without** writing: a transformer makes every step a row of its memory and only reads. It trains in parallel, where
# our machine goes step by step; and its store grows with the sequence.
#
# Two studies frame what our third curve shows. Delétang et al. (2023) trained 20,910 models on 15 tasks, sorted by
# the kind of automaton that each needs, and tested them on lengths never seen. Transformers and plain recurrent
# networks failed beyond the simplest kind, LSTMs could also count, and only networks with a structured memory, a
# stack or a tape, went on from there. Jelassi et al. (2024) prove that a transformer of two layers can copy most
# strings of a length exponential in its width, which a state of fixed size cannot, and trained ones, with suitable
# positions, do copy beyond their training lengths. The two do not contradict each other. In the second study the
# learner's own answers are its next input, as in text. So the next symbol can be found by *content*: look for what
# followed these symbols before. Our task gives nothing back, so all that can tell step $i$ is its number. That is
# what exercise 8 asks about, and randomised positions (Ruoss et al. 2023) are one answer.
#
# An address that holds at every length seems to be the hard part, and this chapter's machine gets it from a step that
# is the same everywhere: one row on. Of the ten runs above, seven went on to three times the length of training, with
# at most one bit in a hundred wrong.
#
# ## Summary
#
# - A head's address is a distribution over rows: found by content, mixed with where it was, shifted, sharpened;
#   reading is a mean under it, writing erases and adds under it, and all of it has a gradient.
# - The weights $\theta$ hold a program, the memory holds the sequence; exchange the memories of two sequences and
#   the answers are exchanged.
# - Trained on 1 to 20 vectors, the machine and a transformer make no mistake at lengths 5, 10 and 20, and an
#   LSTM of their size does not learn it. At 30 vectors the machine has under one of 240 bits wrong in each of
#   ten runs, and the transformer over 100 in each of three.
# - A perfect score at the training lengths does not tell a program whose head loses its place from one whose
#   head does not; the film of the heads and a head put back by hand do.
# - Weights that sum to 1, a sure shift that is a roll, sequences that never meet, heads without an order: what must
#   hold is tested before the training, for training may hide it (a backward shift) or not explain it (a shared
#   memory).
#
# ## Read more
#
# - Alex Graves, Greg Wayne, Ivo Danihelka, 2014, Neural Turing Machines, arXiv:1410.5401.
# - Mark Collier, Joeran Beel, 2018, Implementing Neural Turing Machines, arXiv:1807.08518.
# - Razvan Pascanu, Tomas Mikolov, Yoshua Bengio, 2013, On the Difficulty of Training Recurrent Neural Networks,
#   arXiv:1211.5063: why gradients explode, and clipping them.
# - Grégoire Delétang, Anian Ruoss, Jordi Grau-Moya, and others, 2023, Neural Networks and the Chomsky Hierarchy,
#   arXiv:2207.02098.
# - Samy Jelassi, David Brandfonbrener, Sham Kakade, Eran Malach, 2024, Repeat After Me: Transformers are Better
#   than State Space Models at Copying, arXiv:2402.01032.
# - Anian Ruoss, Grégoire Delétang, Tim Genewein, and others, 2023, Randomized Positional Encodings Boost Length
#   Generalization of Transformers, arXiv:2305.16843.
