# %% [markdown] teaches=["reference.evaluation"]
# # A sample: the mean and its interval
#
# **Question.** How sure can a few numbers make us of their mean?
#
# **Objectives.** After this chapter you can
#
# - compute the half-width of a 95 % interval with a pencil,
# - say why it shrinks with the square root of the number of values,
# - tell an interval from a standard deviation.
#
# **Prerequisites.** School algebra; arrays in NumPy.
#
# **Time.** 5 minutes to read, 20 minutes of exercises, 1 minute to run.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from reference import plotting
from reference.checks import claim, same

plt.style.use(plotting.STYLE)

# %% [markdown]
# ## By hand
#
# Four episodes gave the values 1, 2, 3 and 6.
#
# **Predict.** Write down their mean, and how far from it you would expect the mean of four more values.

# %%
values = np.array([1.0, 2.0, 3.0, 6.0])
mean = values.mean()
print("mean:", mean)

# %%
spread = np.sqrt(np.sum((values - mean) ** 2) / 3)
print(f"spread: {spread:.4g}")

# %% [markdown]
# ## Where the square root comes from
#
# Independent variances add, so the sum of $n$ values has variance $n\sigma^2$ and their mean $\sigma^2 / n$.
# All pairs from our four values show it.

# %%
pairs = np.stack(np.meshgrid(values, values)).mean(axis=0)
variances = pairs.var(), values.var()
claim(
    "The mean of two values has half the variance of one.",
    np.isclose(2 * variances[0], variances[1]),
    variances,
)

# %% [markdown]
# ## Build it
#
# The half-width of the interval is $1.96\, s / \sqrt{n}$, and the interval reaches as far to both sides of the mean.
# You write both.

# %% [markdown]
# ### Exercise 1: The half-width
#
# *Difficulty: easy. Time: 5 minutes. Points: 1.*
#
# Write `half_width(values)`, with $s$ as on the first page.
#
# <details><summary>Hint 1</summary>
#
# How did the pencil get from the squares to the spread?
#
# </details>
# <details><summary>Hint 2</summary>
#
# By what does NumPy divide the sum of squares where nothing else is said?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Look up `ddof`. And it is the spread of the mean that counts, not the spread of one value.
#
# </details>


# %% solution="half-width"
def half_width(values):
    """Half the width of the 95 % interval of the mean."""
    ### BEGIN SOLUTION
    return 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))
    ### END SOLUTION


# To go on without it: from reference.evaluation import Score
# To go on without it: half_width = lambda values: Score(values).half_width

# %% test="half-width" points=1
from reference.evaluation import Score

same(half_width, lambda values: Score(values).half_width, lambda rng: (rng.normal(size=40),))
### BEGIN HIDDEN TESTS
same(half_width, lambda values: Score(values).half_width, lambda rng: (rng.random(50),))
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2: The interval
#
# *Difficulty: easy. Time: 5 minutes. Points: 1.*
#
# Write `interval(values)`, which gives the pair (low, high) of the ends of the 95 % interval.
#
# <details><summary>Hint 1</summary>
#
# In the middle stands the mean.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Draw it on a line: what lies between the middle and each end?
#
# </details>
# <details><summary>Hint 3</summary>
#
# The function of exercise 1 gives the reach to one side.
#
# </details>


# %% solution="interval"
def interval(values):
    """The ends of the 95 % interval of the mean."""
    ### BEGIN SOLUTION
    return np.mean(values) - half_width(values), np.mean(values) + half_width(values)
    ### END SOLUTION


# To go on without it: from reference.evaluation import Score
# To go on without it: interval = lambda values: Score(values).interval

# %% test="interval" points=1
from reference.evaluation import Score

same(interval, lambda values: Score(values).interval, lambda rng: (rng.normal(size=40),))
### BEGIN HIDDEN TESTS
same(interval, lambda values: Score(values).interval, lambda rng: (rng.random(50),))
### END HIDDEN TESTS

# %% [markdown]
# ## The experiment
#
# We fit one number to noisy values by gradient descent, and ask how far it lands from the truth, 2.

# %% tags=["training", "nbval-ignore-output"]
rng = np.random.default_rng(0)
errors = []
for _ in range(30):
    guess, noisy = 0.0, 2 + rng.normal(size=20)
    for _ in range(100):
        guess -= 0.1 * np.mean(guess - noisy)
    errors.append(guess - 2)
print(f"error: {np.mean(errors):.3f} +- {half_width(errors):.3f} (95% CI, {len(errors)} runs)")

# %%
reach = abs(np.mean(errors)) + half_width(errors)
claim("The error is nearer to zero than 0.3, interval included.", reach < 0.3, reach)


# %%
def show(n):
    """The half-width of the mean of 1 to n values of spread one."""
    counts = np.arange(1, n + 1)
    axes = plt.figure(figsize=(4, 2.5)).gca()
    axes.plot(counts, 1.96 / np.sqrt(counts), marker="o")
    axes.set(xlabel="values", ylabel="half-width")


# %%
show(16)
plotting.show(
    "A falling curve: the half-width of the interval starts near 2 for one value, is about 1 for four "
    "and 0.5 for sixteen."
)

# %% [markdown]
# **Figure 1.** Four times the values halve the interval. The curve holds for values of spread one; it says
# nothing of how to get a smaller spread.

# %% tags=["interactive", "nbval-ignore-output"]
from reference.widgets import sliders

sliders(show, n=(2, 64, 16))

# %% [markdown]
# ## Exercises

# %% [markdown]
# ### Exercise 3: How many values
#
# *Difficulty: easy. Time: 5 minutes. Points: 2.*
#
# Write `enough(spread, goal)`: the smallest number of values whose mean has a half-width of at most `goal`.
#
# <details><summary>Hint 1</summary>
#
# Set the half-width equal to the goal and solve for $n$.
#
# </details>
# <details><summary>Hint 2</summary>
#
# $n \ge (1.96\, s / \text{goal})^2$.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A number of values is a whole number; round up with `np.ceil`.
#
# </details>


# %% solution="enough"
def enough(spread, goal):
    """The smallest number of values whose mean has a half-width of at most goal."""
    ### BEGIN SOLUTION
    return int(np.ceil((1.96 * spread / goal) ** 2))
    ### END SOLUTION


# %% test="enough" points=2
n = enough(1.0, 0.98)
assert n == 4, (
    f"enough(1.0, 0.98) should be 4, got {n}. Half-width 0.98 = 1.96 * 1.0 / sqrt(4): where is the square?"
)
### BEGIN HIDDEN TESTS
n = enough(1.0, 0.5)
assert n == 16, (
    f"enough(1.0, 0.5) should be 16, got {n}. 15.4 values are too few: which way does one round up?"
)
n = enough(2.0, 0.98)
assert n == 16, f"enough(2.0, 0.98) should be 16, got {n}. What does twice the spread do to the half-width?"
### END HIDDEN TESTS
print("enough: passed")

# %% [markdown]
# ### Exercise 4: Interval or spread
#
# *Difficulty: medium. Time: 5 minutes. Points: 1.*
#
# A paper reports "71.2 +- 9.8 over 600 episodes". In two sentences: why can this not be an interval of the mean
# if each episode has 75 queries?
#
# <details><summary>Hint 1</summary>
#
# How large would the spread between episodes have to be?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Multiply 9.8 by the square root of 600 and divide by 1.96.
#
# </details>
# <details><summary>Hint 3</summary>
#
# An accuracy lies between 0 and 100, so its spread is at most 50.
#
# </details>

# %% [markdown] answer="interval-or-spread" points=1
# <!-- BEGIN SOLUTION -->
# A half-width of 9.8 over 600 episodes needs a spread of 122 points, but accuracies differ by at most 50.
# The number is the standard deviation between episodes.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Summary
#
# - The mean of $n$ values has the variance of one, divided by $n$.
# - A 95 % interval reaches 1.96 standard errors to both sides.
# - Four times the values halve it.
# - A standard deviation does not shrink with more values.
# - A result without its interval is half a result.
#
# ## Read more
#
# - Oriol Vinyals et al., 2016, Matching Networks for One Shot Learning, arXiv:1606.04080.
