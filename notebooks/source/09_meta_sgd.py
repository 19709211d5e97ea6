# %% [markdown] teaches=["reference.scratch.meta_sgd.task_loss", "reference.scratch.meta_sgd.meta_gradient", "reference.pytorch.meta_sgd.task_loss"]
# # Meta-SGD and learning the update
#
# **Question.** If the starting point can be learned, why not the step?
#
# **Objectives.** After this chapter you can
#
# - derive the gradient of the loss after some steps in the starting weights and in the learning rates, and write it
#   with an engine and without,
# - say when a learned rate grows, when it shrinks, and why it may end up negative,
# - write down the rates that solve a family of quadratic tasks, in one step or in several,
# - build Meta-SGD, and rates for each layer and step, as calls of one loop,
# - say what learned rates depend on, and what they are worth beside a rate that was searched for.
#
# **Prerequisites.** Intervals and paired comparison (chapter 02), the engine and `unroll` (chapter 03), MAML (chapter
# 07). The symbols are those of the table in chapter 01. Chapter 08 is not needed.
#
# **Time.** 95 minutes to read, 140 minutes of exercises, 1 minute to run.

# %% tags=["setup"]
from functools import partial, wraps

import matplotlib.pyplot as plt
import numpy as np

from reference import plotting
from reference.checks import claim, same

plt.style.use(plotting.STYLE)

# %% tags=["setup"]
from reference.episodes import Episode, Examples, SideBySide
from reference.params import join, part
from reference.rules import Rule, adam, each_step, sgd
from reference.scratch.autodiff import Tensor, detach, grad
from reference.scratch.meta_sgd import adapt, with_rates
from reference.scratch.unroll import take_step, unroll
from reference.tasks.families import Quadratic, Quadratics, Sinusoid, Sinusoids

# %% [markdown]
# ## The idea
#
# MAML (chapter 07) learns the weights $\theta$ from which every new task starts. The step that leads away from them
# is not learned: $\phi = \theta - \alpha \nabla L_S(\theta)$, with one number $\alpha$ that somebody chose.
# **Meta-SGD** (Li, Zhou, Chen & Li 2017) gives every weight a rate of its own and learns all rates together with the
# weights:
#
# $$\phi = \theta - \alpha \circ \nabla L_S(\theta), \qquad
# \min_{\theta,\, \alpha}\; \mathbb{E}_{\mathcal{T}}\; L_Q(\phi) .$$
#
# Now $\alpha$ is a vector as long as $\theta$, and $\circ$ multiplies entry by entry. Below, $L$ without an index is
# the loss that training sees, $L_Q(\phi)$, as a function of $\theta$ and $\alpha$. So three things are learned: where
# to start ($\theta$), how far each weight goes (the size of $\alpha_i$), and which way (its sign). A learned rate may
# be negative, and even if all are positive, $\alpha \circ \nabla L_S$ no longer points along the gradient.
#
# In code little is new: a step that uses $\alpha$, the loss after it, and one more argument to differentiate in. That
# is nine lines, and in "Build it in NumPy" you write them.
#
# **Predict.** A network with 1761 weights learns sinusoids from 10 points in one step. Without a step its mean
# squared error is about 3. After a short training by MAML with $\alpha = 0.01$, one step brings it to about 0.75.
# Write down four guesses.
#
# 1. The same training, with 1761 learned rates: what error after one step?
# 2. With *six* learned rates, one for each weight matrix and each bias vector?
# 3. What share of the 1761 rates ends up negative?
# 4. Somebody sets those to zero, "because a learning rate is positive". What is the error then?

# %%
my_guesses = {"1761 rates": 0.75, "six rates": 0.75, "share below zero": 0.0, "clipped": 0.75}

# %% [markdown]
# ## By hand
#
# ### One number
#
# A task is a loss $L(\theta) = \tfrac12\, a\, (\theta - c)^2$ with the curvature $a = 4$ and the optimum $c = 3$. It
# is support loss and query loss at once. Start at $\theta = 1$: the gradient is $a\,(\theta - c) = 4 \cdot (-2) =
# -8$. With $\alpha = 0.1$ the step goes to $\phi = 1 + 0.8 = 1.8$, where the gradient is $4 \cdot (-1.2) = -4.8$.
#
# How does the loss at $\phi$ change with $\alpha$? By the chain rule, its slope at $\phi$ times the slope of $\phi$
# in $\alpha$, which is minus the gradient at $\theta$:
#
# $$\frac{dL}{d\alpha} = -\,L_Q'(\phi)\; L_S'(\theta) = -(-4.8)(-8) = -38.4 .$$
#
# It is negative, so a larger $\alpha$ is better. Small differences say the same.


# %%
def loss_at_rate(alpha, theta=1.0, a=4.0, c=3.0):
    phi = theta - alpha * a * (theta - c)
    return a / 2 * (phi - c) ** 2


h = 1e-5
for alpha in (0.1, 0.4):
    slope = (loss_at_rate(alpha + h) - loss_at_rate(alpha - h)) / (2 * h)
    print(f"alpha = {alpha}: loss {loss_at_rate(alpha):.4g}, slope in alpha {slope:.4g}")

# %% [markdown]
# Read the sign. The gradients before and after the step *agree* as long as the step is too short; then their product
# is positive and $\alpha$ should grow. With $\alpha = 0.4$ the step overshoots, the gradients *disagree*, and
# $\alpha$ should shrink. In between, at $\alpha = \tfrac14$, the step ends at the optimum. In general
#
# $$\phi - c = (1 - \alpha a)(\theta - c),$$
#
# so with $\alpha = 1/a$ one step solves *every* task of curvature $a$, wherever its optimum lies. That number belongs
# to the family of tasks, not to a task. It can be learned.
#
# ### Two numbers
#
# Now $\theta$ has two coordinates with curvatures 1 and 10: $L(\theta) = \tfrac12 (\theta_1 - c_1)^2 + \tfrac{10}{2}
# (\theta_2 - c_2)^2$. Each coordinate keeps its factor, $1 - \alpha$ and $1 - 10\,\alpha$. No single $\alpha$ makes
# both zero. Let the optimum lie at a distance of 1 in each coordinate. Before the step the loss is $5.5$; after it
# $\tfrac12 (1 - \alpha)^2 + \tfrac{10}{2} (1 - 10\,\alpha)^2$. Setting the slope $-(1 - \alpha) - 100\,(1 -
# 10\,\alpha)$ to zero gives $\alpha = 101/1001 \approx 0.101$ and the loss $405/1001 \approx 0.405$. With a rate for
# each coordinate, $\alpha = (1, \tfrac1{10})$, the loss is zero.


# %%
def loss_of_two(alpha):
    """The loss after a step from a distance of 1 in each of two coordinates of curvature 1 and 10."""
    curvatures = np.array([1.0, 10.0])
    return np.sum(curvatures / 2 * (1 - alpha * curvatures) ** 2)


print(f"no step: {loss_of_two(0.0):.4g}, best single rate: {loss_of_two(101 / 1001):.4g}, = {405 / 1001:.4g}")
print(f"a rate for each: {loss_of_two(np.array([1, 0.1])):.4g}")

# %% [markdown]
# ### The wrong way
#
# May a good rate be negative? Take two coordinates that are coupled, with the curvature matrix
# $A = \begin{pmatrix} 1 & -2 \\ -2 & 5 \end{pmatrix}$, and tasks whose optima all lie on one line, $c = t\,(1, 1)$
# with another number $t$ in each task. (The eigenvalues of $A$ are $3 \pm \sqrt 8$, both positive.) We start at
# $\theta = (0, 0)$. The gradient there is
#
# $$A\,(\theta - c) = -t \begin{pmatrix} 1 - 2 \\ -2 + 5 \end{pmatrix} = t \begin{pmatrix} 1 \\ -3 \end{pmatrix}.$$
#
# For $t = 1$ the way down begins along $(-1, 3)$: the first coordinate should go *left*. But the optimum lies to the
# right, and so in every task of this family. So the rate that helps is negative. With $\alpha = (-1, \tfrac13)$ the
# step is $-\alpha \circ t\,(1, -3) = t\,(1, 1)$: it ends at the optimum of every task.

# %%
coupled = np.array([[1.0, -2.0], [-2.0, 5.0]])
wrong_way_rates = np.array([-1.0, 1 / 3])
for t in (1.0, -0.5, 2.0):
    optimum = t * np.ones(2)
    step = -wrong_way_rates * (coupled @ (np.zeros(2) - optimum))
    print("optimum", optimum, " one step from (0, 0) ends at", step.round(12))

# %%
values, vectors = np.linalg.eigh(coupled)
turn = np.linspace(0, 2 * np.pi, 200)
ring = np.sqrt(2) * np.stack([np.cos(turn), np.sin(turn)], axis=1) @ (vectors / np.sqrt(values)) @ vectors.T
optima = np.array([[1.0, 1.0], [-1.0, -1.0]])
ax = plotting.closed_curves(optima[:, None] + ring, optima, n_dark=2)
_ = plt.setp(ax.lines, linestyle="-")
for sign in (1, -1):
    for end, dashes in ((0.35 * sign * np.array([-1, 3]), "--"), (0.94 * sign * np.ones(2), "-")):
        arrow = {"arrowstyle": "-|>", "linestyle": dashes, "color": plotting.GREY, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", end, (0, 0), arrowprops=arrow)
_ = ax.plot([], [], "--", color=plotting.GREY, label="against the gradient")
_ = ax.plot([], [], "-", color=plotting.GREY, label="with the rates $(-1, 1/3)$")
ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", xlim=(-4.6, 4.6), ylim=(-3, 3))
_ = ax.legend(loc="upper left")
plotting.show(
    "Two long tilted ellipses, level curves of two tasks, each around its own optimum, with the optima at "
    "(1, 1) and (-1, -1) and the start between them. Dashed arrows against the gradient leave the start up "
    "and to the left, and down and to the right; solid arrows lead from the start to the optima."
)

# %% [markdown]
# **Figure 1.** Each ellipse is a level curve of one task. From the start $(0, 0)$, which lies on both, gradient
# descent (dashed) leaves at a right angle to them and moves the first coordinate away from its optimum, in both
# tasks. Rates with the signs $(-, +)$ turn the step to where the optima lie. What the figure does not show: for a
# family with optima in *all* directions no such rates exist; a matrix would be needed.

# %% [markdown]
# ## Derivation: two gradients
#
# ### One step
#
# Write $s = \nabla L_S(\theta)$ for the support gradient, $H$ for the Hessian of $L_S$ at $\theta$, and
# $g = \nabla L_Q(\phi)$ for the query gradient after the step. (Chapter 07 used two of these letters for other
# things.) The step, coordinate by coordinate, is $\phi_i = \theta_i - \alpha_i\, s_i$. So
#
# $$\frac{\partial \phi_i}{\partial \theta_j} = [i = j] - \alpha_i H_{ij}, \qquad
# \frac{\partial \phi_i}{\partial \alpha_j} = -[i = j]\; s_i ,$$
#
# where $[i = j]$ is 1 if $i = j$ and else 0. The chain rule multiplies by $g_i$ and sums over $i$:
#
# $$\frac{dL}{d\theta_j} = g_j - \sum_i H_{ij}\, \alpha_i\, g_i , \qquad \frac{dL}{d\alpha_j} = -\,g_j\, s_j .$$
#
# In vectors, with the diagonal matrix $D$ of the rates,
#
# $$\boxed{\;\frac{dL}{d\theta} = (I - H D)\, g = g - H(\alpha \circ g), \qquad \frac{dL}{d\alpha} = -\,g \circ s\;}$$
#
# Note *the order*: the Jacobian of the step is $I - D H$, and its transpose, which carries gradients back, is
# $I - H D$. First multiply by the rates, then by $H$. In MAML $D$ is a number times $I$ and the order does not
# matter; here it does. And *the cost*: the gradient in $\alpha$ contains no Hessian. Both of its factors are there
# already.
#
# Small differences judge both lines, on quadratic tasks, where $H$ is the curvature matrix everywhere.


# %% tags=["setup"]
def loss_after(theta, alpha, support, query, n_steps):
    """The query loss after n_steps on the support loss, with the rates alpha (d,); both Quadratic."""
    for _ in range(n_steps):
        theta = theta - alpha * support.gradient(theta)
    return query.loss(theta)


# %% tags=["setup"]
def small_steps(f, x, h=1e-5):
    """The gradient of the number f(x) at the vector x, by central differences."""
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])


# %%
rng = np.random.default_rng(0)
one, other = (Quadratics(dimension=4).sample(rng) for _ in range(2))
place, rates4 = rng.normal(size=4), np.array([0.3, -0.2, 0.1, 0.5])
s, H, D = one.gradient(place), one.curvature, np.diag(rates4)
g = other.gradient(place - rates4 * s)
in_theta = small_steps(lambda x: loss_after(x, rates4, one, other, 1), place)
in_alpha = small_steps(lambda x: loss_after(place, x, one, other, 1), rates4)

# %%
gap = max(np.abs((np.eye(4) - H @ D) @ g - in_theta).max(), np.abs(-g * s - in_alpha).max())
claim("Both gradients are those of small differences.", gap < 1e-7, gap)
swapped = (np.eye(4) - D @ H) @ g
claim("(I - D H) g is not the gradient.", np.abs(swapped - in_theta).max() > 0.01, swapped, in_theta)

# %% [markdown]
# ### What a rate waits for
#
# Training sees the average over tasks, $\mathbb{E}\,[dL/d\alpha_i] = -\mathbb{E}\,[g_i\, s_i]$. So a rate grows where
# the support gradient before the step and the query gradient after it agree in sign, on average. It falls where they
# disagree, and rests where they have nothing to do with each other. A rate falls *below zero* if, at the given
# weights, with this weight held still and all the others moved, the query gradient still disagrees with what the
# support asked for. (For a loss that is convex in this rate that is exact: the slope at $\alpha_i = 0$ is then
# positive.)
#
# ### Several steps
#
# With $k$ steps the path is $\theta_0 = \theta$, $\theta_{j+1} = \theta_j - \alpha \circ s_j$ with $s_j = \nabla
# L_S(\theta_j)$. Walk back as in chapter 03. Let $v_k = \nabla L_Q(\theta_k)$, and $H_j$ the Hessian of $L_S$ at
# $\theta_j$. Each step adds its part for $\alpha$, and hands on the rest:
#
# $$\text{part of step } j:\; -\,v_{j+1} \circ s_j , \qquad v_j = v_{j+1} - H_j\,(\alpha \circ v_{j+1}) .$$
#
# At the end $dL/d\theta = v_0$, and $dL/d\alpha$ is the sum of all parts. Whoever gives every step rates of its own
# leaves the parts apart.
#
# ### Shared rates
#
# If several weights share one rate, its gradient is the *sum* of theirs. That makes a ladder: one rate for the whole
# network; one for each **tensor**, that is for each weight matrix and each bias vector; one for each weight, which is
# Meta-SGD; and each of these once for all steps, or anew for every step. All are sums of the same products
# $-v \circ s$. Antoniou et al. (2019) take one rate for each layer and step, among other changes to MAML that they
# call **MAML++**.
#
# ### The best rates of a family
#
# For quadratic tasks with one curvature $A$, any distribution of optima $c$ and a fixed start $\theta$, the best
# rates have a closed form. Here $s = A(\theta - c)$ and $g = A(\phi - c) = s - A(\alpha \circ s)$. Put this into
# $-\mathbb{E}\,[g_i s_i]$ and call $G_{ij} = \mathbb{E}\,[s_i s_j]$ the second moment of the support gradient:
#
# $$\mathbb{E}\left[\frac{dL}{d\alpha_i}\right] = -G_{ii} + \sum_j A_{ij}\, G_{ij}\, \alpha_j = 0
# \qquad\Longleftrightarrow\qquad (A \circ G)\,\alpha = \operatorname{diag}(G) .$$
#
# It is a linear system, with one solution if no coordinate of $s$ is always zero: then $A \circ G$ is positive
# definite (Schur's product theorem). The loss is convex in $\alpha$, so there it is least. If $A$ is diagonal, the
# solution is $\alpha_i = 1/A_{ii}$, as found above. On the line of optima from above, with $t^2 = 1$:
# $s = \pm(1, -3)$, so $G = \begin{pmatrix} 1 & -3 \\ -3 & 9 \end{pmatrix}$,
# $A \circ G = \begin{pmatrix} 1 & 6 \\ 6 & 45 \end{pmatrix}$, and $\alpha = (-1, \tfrac13)$ solves
# $\alpha_1 + 6\alpha_2 = 1$ and $6\alpha_1 + 45\alpha_2 = 9$.


# %%
def best_rates(curvature, moment):
    """The rates with the least loss after one step, from A and the second moment G of the gradient."""
    return np.linalg.solve(curvature * moment, np.diag(moment))


print("the line of optima:", best_rates(coupled, np.array([[1.0, -3.0], [-3.0, 9.0]])).round(4))
round_cloud = np.array([[2.0, 1.0], [1.0, 2.0]])  # its optima lie in all directions alike, so G = A A
print("a round cloud of optima:", best_rates(round_cloud, round_cloud @ round_cloud).round(4))

# %% [markdown]
# The second family, with $A = \begin{pmatrix} 2 & 1 \\ 1 & 2 \end{pmatrix}$, shows the limit. Its best rates are
# $(\tfrac5{14}, \tfrac5{14})$: equal, so nothing is gained over a single number, and a loss remains. One step would
# solve every task only as $\phi = \theta - A^{-1} s$, **Newton's step**; rates for each weight are a diagonal matrix,
# no more. Exercise 8 asks what becomes of the formula when support and query differ.
#
# ## Build it in NumPy
#
# Weights and rates travel in one dict, so that the outer optimiser treats them alike. The weights have the prefix
# `start.`, the rates `rate.`. The reference's `with_rates` makes such a dict of a network's weights, and `part` takes
# one of the two out again, under the network's own names.

# %%
params_of_two = with_rates({"w": np.zeros((1, 2)), "b": np.zeros(1)}, inner_lr=0.1)
print(params_of_two)
print(part(params_of_two, "rate"))

# %% [markdown]
# You write the step (exercise 1), the loss after it (2), and its gradients, with the engine (3) and without (4). The
# chapter goes on to use what you write. To skip an exercise, put the line behind "To go on without it:" in place of
# the function.

# %% [markdown]
# ### Exercise 1: The step
#
# *Difficulty: easy. Time: 10 minutes. Points: 2.*
#
# Write `by_weight(rates)`: the step $\theta - \alpha \circ \nabla L_S(\theta)$ as a `Rule` for `unroll`. `rates` is a
# dict with an array for every parameter, of the parameter's shape. A rule is a pair of functions,
# `Rule(init, update)`: `init(params)` gives the state to begin with (this rule has nothing to remember: `None` will
# do), and `update(params, gradient, state)` gives the new parameters, a dict again, and the state.
#
# <details><summary>Hint 1</summary>
#
# `by_weight` gets the rates and returns a rule that remembers them: write `update` inside of it.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Go through the parameters by name. Rates, gradients and parameters have the same names and shapes.
#
# </details>
# <details><summary>Hint 3</summary>
#
# A rate multiplies the gradient as it is, whatever its sign. Make a new dict, and give the state back beside it.
#
# </details>


# %% tags=["setup"]
from inspect import signature


def check_rule(rule):
    """Stop where something is no pair of functions that unroll can call."""
    assert isinstance(rule, Rule), f"by_weight gives a rule, Rule(init, update), got a {type(rule).__name__}."
    assert callable(rule.init), "A rule is a pair of functions, Rule(init, update)."
    calls = ("init(params)", "update(params, gradient, state)")
    for function, call, n in zip(rule, calls, (1, 3), strict=True):
        try:
            signature(function).bind(*range(n))
        except TypeError:
            raise AssertionError(f"unroll calls {call}: what is not needed is passed by, too.") from None


# %% solution="by-weight"
def by_weight(rates):
    """The step of Meta-SGD as a rule: theta - alpha o gradient, weight by weight."""

    ### BEGIN SOLUTION
    def update(params, gradient, state):
        return {name: p - rates[name] * gradient[name] for name, p in params.items()}, state

    return Rule(lambda params: None, update)
    ### END SOLUTION


# To go on without it: from reference.rules import sgd as by_weight


# %% test="by-weight" points=1
def step_by_rates(params, rates, gradient, rule_of=by_weight):
    """The parameters after one step of the rule."""
    rule = rule_of(rates)
    check_rule(rule)
    after = rule.update(params, gradient, rule.init(params))
    assert isinstance(after, tuple | list) and len(after) == 2, "update gives two things: weights, state."
    assert isinstance(after[0], dict), "update gives the new parameters first, in a dict with the same names."
    return after[0]


def pencil_step(*rates):
    return step_by_rates({"w": np.ones(2)}, {"w": np.array(rates)}, {"w": np.array([2.0, 3.0])})["w"]


story = "From (1, 1), with the gradient (2, 3) and the rates (0.5, 2), expected (0, -5), got"
came, own = pencil_step(0.5, 2.0), "every weight has a rate of its own."
MISSTEPS = [((2, 7), "that is uphill."), ((-1.5, -2.75), own), ((-6, -6), own)]
MISSTEPS += [((-1, -6), "the move alone, without the weights?"), ((0.5, -1), "how long is the gradient?")]
MISSTEPS += [((1.5, 1), "the order is update(params, gradient, state).")]
for place_of_step, words in MISSTEPS:
    assert not np.allclose(came, place_of_step), f"{story} {came}: {words}"
assert np.allclose(came, [0, -5]), f"{story} {came}. The rate itself multiplies the gradient."
came = pencil_step(0.5, -2.0)
story = f"With the rates (0.5, -2) expected (0, 7), got {came}."
assert np.allclose(came, [0, 7]), f"{story} A rate may be negative; nothing is cut off or turned."


# %% test="by-weight" points=1
def case_of_a_step(rng):
    draw = lambda: {name: Tensor(rng.normal(size=shape)) for name, shape in (("w", (2, 3)), ("b", (3,)))}
    return draw(), draw(), draw()


same(step_by_rates, partial(step_by_rates, rule_of=sgd), case_of_a_step)
### BEGIN HIDDEN TESTS
hidden_case = lambda rng: tuple({"u": Tensor(rng.normal(size=(4, 1, 2)))} for _ in range(3))
same(step_by_rates, partial(step_by_rates, rule_of=sgd), hidden_case)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2: The loss after the step
#
# *Difficulty: easy. Time: 10 minutes. Points: 2.*
#
# Write `task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight)`: the query loss after `n_steps` on the
# support, as a function of weights and rates. `params` is a dict as `with_rates` makes it; `loss(weights, examples)`
# is the loss of a network's weights; `rule_of(rates)` makes the rates into a rule. The engine will differentiate what
# you write in everything that `params` holds, so let nothing cut the graph.
#
# A pencil first: the task of "One number" as the support ($a = 4$, $c = 3$, so $s = -8$), another quadratic as the
# query ($a = 2$, $c = 2$). From $\theta = 1$ with $\alpha = 0.1$ the step ends at 1.8, and the query loss there is
# $(1.8 - 2)^2 = 0.04$. (The "examples" of a quadratic task are its optimum and its curvature.) The second test takes
# networks, with rates that all differ, some of them negative, and compares second derivatives, too.
#
# <details><summary>Hint 1</summary>
#
# Three lines: make the rule, take the steps, ask for the loss. Which examples belong to which line?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `unroll(loss, params, rule, n_steps)` wants a loss of the weights alone, and starts from weights under the network's
# own names.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `part(params, "start")` goes into `unroll`, `part(params, "rate")` into `rule_of`. What `unroll` gives is $\phi$.
#
# </details>


# %% tags=["setup"]
def quadratic_loss(params, examples):
    """The loss of a quadratic task, whose optimum and curvature stand where a network has examples."""
    return np.sum(Quadratic(*examples).loss(params["theta"]))


def as_episode(support, query):
    """An episode of two quadratic losses."""
    return Episode(Examples(*support), Examples(*query))


PENCIL = as_episode(*(Quadratic(np.array([c]), np.array([[a]])) for a, c in ((4.0, 3.0), (2.0, 2.0))))


# %% tags=["setup"]
from reference.scratch.nn import init_mlp, mlp


def squared_error(params, examples):
    return np.mean((mlp(params, examples.x) - examples.y) ** 2)


# %% tags=["setup"]
def case_of_a_net(rng, wrap=lambda p: p, n_steps=2):
    """Weights of a small network, rates of both signs, and points of a sinusoid."""
    net = {name: p.astype(float) for name, p in init_mlp(rng, [1, 4, 1]).items()}
    params = with_rates(net, inner_lr=0.05)
    params |= {name: p * rng.normal(1, 2, p.shape) for name, p in params.items() if "rate." in name}
    settings = {"loss": squared_error, "n_steps": n_steps}
    return {k: wrap(p) for k, p in params.items()}, Sinusoids(k_shot=5, n_query=4).sample(rng), settings


# %% solution="task-loss"
def task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    """The query loss after n_steps on the support, as a function of weights and rates."""
    ### BEGIN SOLUTION
    rule = rule_of(part(params, "rate"))
    phi = unroll(lambda p: loss(p, episode.support), part(params, "start"), rule, n_steps)
    return loss(phi, episode.query)
    ### END SOLUTION


# To go on without it: from reference.scratch.meta_sgd import task_loss

# %% test="task-loss" points=1
leaves = {"start.theta": Tensor(np.ones(1)), "rate.theta": Tensor(np.array([0.1]))}
asked = lambda **how: task_loss(dict(leaves), PENCIL, loss=quadratic_loss, **how)
try:
    value = asked()
except KeyError as missing:
    assert missing.args != ("theta",), "Nothing there is called theta. Who wants the network's own names?"
    raise
kind = type(value).__name__
assert not isinstance(value, dict | tuple | list | None), f"One number is asked for, the loss, got a {kind}."
MISTAKEN = {
    1.0: "the query loss at the start: no step was taken.",
    2.88: "the support loss after the step: the query judges.",
    6.48: "the support loss after a step on the query: it is the other way round.",
    0.64: "the query loss after a step on the query itself, which no learner may see.",
    0.0784: "the query loss after two steps: one was asked for.",
    2.92: "the loss of both together: the support has served its turn.",
}
story = f"By pencil the query loss after the step is 0.04, got {float(detach(value)):.4g}"
for number, words in MISTAKEN.items():
    assert not np.isclose(detach(value), number), f"{story}. That is {words}"
assert np.isclose(detach(value), 0.04), f"{story}."

# %% test="task-loss" points=1
from reference.scratch import meta_sgd

leaves = {"start.theta": Tensor(np.ones(1)), "rate.theta": Tensor(np.array([0.1]))}
asked = lambda **how: task_loss(dict(leaves), PENCIL, loss=quadratic_loss, **how)
doubled = lambda rates: by_weight({name: 2 * rate for name, rate in rates.items()})
value = asked()
after_two, twice = detach(asked(n_steps=2)), detach(asked(rule_of=doubled))
assert not np.isclose(after_two, 0.1184), "The query losses of all steps are summed: the last is asked for."
assert np.isclose(after_two, 0.0784), f"After two steps it is 0.0784, got {after_two:.4g}: is n_steps used?"
assert np.isclose(twice, 0.36), (
    f"By a rule that doubles the rates it is 0.36, got {twice:.4g}: is rule_of used?"
)
assert isinstance(value, Tensor), "A plain number came: the graph is cut, and nothing can be differentiated."
slope = {name: detach(d).item() for name, d in grad(value, leaves).items()}
assert slope["rate.theta"], "The slope in the rate is 0: the rates were cut off from the graph."
assert slope["start.theta"], "The slope in theta is 0: the start was cut off from the graph."
first_order = np.isclose(slope["start.theta"], -0.4)
assert not first_order, "The slope in theta lacks the curvature: the gradient in the step counts as constant."
same(task_loss, meta_sgd.task_loss, partial(case_of_a_net, wrap=Tensor))
### BEGIN HIDDEN TESTS
same(task_loss, meta_sgd.task_loss, partial(case_of_a_net, wrap=Tensor, n_steps=3))
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3: Both gradients, with the engine
#
# *Difficulty: easy. Time: 10 minutes. Points: 2.*
#
# Write `meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight)`: a pair, the gradient of the task loss
# in *all* of `params` (a dict of plain arrays with the same names) and the task loss (a plain number). `params` holds
# plain arrays. `grad(value, leaves, create_graph=False)` gives plain arrays, and `detach(value)` a plain number.
#
# The pencil case of exercise 2 goes on: $g = 2 \cdot (1.8 - 2) = -0.4$ and $s = -8$ give $dL/d\alpha = -g\,s =
# -3.2$, and $dL/d\theta = (1 - 4 \cdot 0.1)\,g = -0.24$.
#
# <details><summary>Hint 1</summary>
#
# The engine differentiates in Tensors. What has to become one before the loss is computed?
#
# </details>
# <details><summary>Hint 2</summary>
#
# `grad` takes a dict of Tensors and gives a dict with the same names.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Hand `loss`, `n_steps` and `rule_of` on; a default would take their place in silence.
#
# </details>


# %% solution="meta-gradient"
def meta_gradient(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    """The gradient of the task loss in weights and rates, and the task loss; plain arrays."""
    ### BEGIN SOLUTION
    leaves = {name: Tensor(p) for name, p in params.items()}
    value = task_loss(leaves, episode, loss=loss, n_steps=n_steps, rule_of=rule_of)
    return grad(value, leaves, create_graph=False), detach(value)
    ### END SOLUTION


# To go on without it: from reference.scratch.meta_sgd import meta_gradient

# %% test="meta-gradient" points=1
arrays = {"start.theta": np.ones(1), "rate.theta": np.array([0.1])}
try:
    found = meta_gradient(arrays, PENCIL, loss=quadratic_loss)
except TypeError as error:
    untouched = "not a Tensor" in str(error)
    assert not untouched, "The engine differentiates in Tensors alone: was everything in params made Tensors?"
    raise
ordered = isinstance(found, tuple | list) and isinstance(found[0], dict)
assert ordered, "The pair is (gradient, loss), in this order."
tensors = [thing for thing in (*found[0].values(), found[1]) if isinstance(thing, Tensor)]
assert not tensors, "Plain arrays are asked for, and Tensors came: they would keep the whole graph alive."
spoiled_args = any(isinstance(p, Tensor) for p in arrays.values())
assert not spoiled_args, "The dict that was given now holds Tensors: put them into a dict of your own."
story = f"The gradient has entries for weights and rates, named as in params: got {sorted(found[0])}."
assert found[0].keys() == {"start.theta", "rate.theta"}, story
pencil_slopes = {name: np.asarray(detach(d)).item() for name, d in found[0].items()}
story = f"The loss beside the gradient is 0.04, got {detach(found[1]):.4g}."
assert np.isclose(detach(found[1]), 0.04), story
assert pencil_slopes["rate.theta"], "In the rate 0 came: it was cut off from the graph before the step."
first_order = np.isclose(pencil_slopes["start.theta"], -0.4)
assert not first_order, "In theta -0.4 came, g alone: the gradient in the step counts as constant."
for name, wanted in (("start.theta", -0.24), ("rate.theta", -3.2)):
    story = f"In {name} the pencil says {wanted}, got {pencil_slopes[name]:.4g}"
    assert not np.isclose(pencil_slopes[name], -wanted), f"{story}: its sign is turned."
    assert np.isclose(pencil_slopes[name], wanted), f"{story}."

# %% test="meta-gradient" points=1
from reference.scratch import meta_sgd

doubled = lambda rates: by_weight({name: 2 * rate for name, rate in rates.items()})
for how, wanted in (({"n_steps": 2}, 0.0784), ({"rule_of": doubled}, 0.36)):
    arrays = {"start.theta": np.ones(1), "rate.theta": np.array([0.1])}
    _, came = meta_gradient(arrays, PENCIL, loss=quadratic_loss, **how)
    assert np.isclose(came, wanted), (
        f"With {how} the loss is {wanted}, got {came:.4g}: who gets {list(how)[0]}?"
    )


def gradient_by_step(params, episode, meta_gradient=meta_gradient):
    params = meta_sgd.with_step_rates(part(params, "start"), inner_lr=0.05, n_steps=3)
    return meta_gradient(params, episode, loss=squared_error, n_steps=3, rule_of=each_step)


same(meta_gradient, meta_sgd.meta_gradient, case_of_a_net)
of_reference = partial(gradient_by_step, meta_gradient=meta_sgd.meta_gradient)
same(gradient_by_step, of_reference, lambda rng: case_of_a_net(rng)[:2])
### BEGIN HIDDEN TESTS
same(meta_gradient, meta_sgd.meta_gradient, partial(case_of_a_net, n_steps=1))
### END HIDDEN TESTS

# %% [markdown]
# That is the whole method. The last check went further without a new line of method: `with_step_rates` begins with
# three rates for each tensor, one a step, and the rule `each_step(rates)` moves a tensor as a whole, in step $j$ at
# its rate number $j$. Those are the rates of MAML++. And `adapt`, also from the reference, takes the steps on a new
# task and gives `predict`.

# %% [markdown]
# ### Exercise 4: Both gradients, without the engine
#
# *Difficulty: medium. Time: 25 minutes. Points: 4.*
#
# Write `walk_back(theta, alpha, support, query, n_steps)`: the pair $(dL/d\theta, dL/d\alpha)$ of two arrays (d,),
# after `n_steps` on the support with the rates `alpha` (d,), in NumPy alone. `support` and `query` are
# `Quadratic(centre, curvature)`: `.gradient(theta)` is the gradient $A(\theta - c)$, and `.curvature` the matrix $A$,
# which is the Hessian everywhere.
#
# The first test is a pencil's: $\theta = 0$, $\alpha = \tfrac14$, a support with $a = 2, c = 2$ and a query with
# $a = 8, c = \tfrac34$, so that $s = -4$, $\phi = 1$ and $g = 2$. The second has several weights and steps, beside
# the engine.
#
# <details><summary>Hint 1</summary>
#
# Go forward first and keep every $\theta_j$. Then walk back over them, from the last to the first.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Two things travel back: $v$, which begins as the query gradient at the *end* of the path, and a sum for $\alpha$.
# Which of the two must a step deal with first?
#
# </details>
# <details><summary>Hint 3</summary>
#
# "Several steps" has the two lines of a step. $s_j$ belongs to the place where step $j$ began, $v_{j+1}$ to the place
# where it ended.
#
# </details>


# %% tags=["setup"]
def case_of_tasks(rng, n_weights=3, n_steps=1):
    """What walk_back is given, drawn at random."""
    support, query = (Quadratics(dimension=n_weights).sample(rng) for _ in range(2))
    return rng.normal(size=n_weights), 0.4 * rng.normal(size=n_weights), support, query, n_steps


def by_the_engine(theta, alpha, support, query, n_steps):
    """(dL/dtheta, dL/dalpha) of two Quadratic losses, by meta_gradient."""
    params = {"start.theta": theta, "rate.theta": alpha}
    found, _ = meta_gradient(params, as_episode(support, query), loss=quadratic_loss, n_steps=n_steps)
    return found["start.theta"], found["rate.theta"]


# %% solution="walk-back"
def walk_back(theta, alpha, support, query, n_steps):
    """(dL/dtheta, dL/dalpha) of two Quadratic losses after n_steps with the rates alpha (d,)."""
    ### BEGIN SOLUTION
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - alpha * support.gradient(path[-1]))
    v, in_alpha = query.gradient(path[-1]), np.zeros_like(alpha)
    for point in reversed(path[:-1]):
        in_alpha -= v * support.gradient(point)
        v = v - support.curvature @ (alpha * v)
    return v, in_alpha
    ### END SOLUTION


# To go on without it: walk_back = by_the_engine

# %% test="walk-back" points=2
support_1d, query_1d = (Quadratic(np.array([c]), np.array([[a]])) for a, c in ((2.0, 2.0), (8.0, 0.75)))
pair = walk_back(np.zeros(1), np.array([0.25]), support_1d, query_1d, 1)
two = hasattr(pair, "__len__") and len(pair) == 2
assert two, f"Two gradients are asked for, (in theta, in alpha), got a {type(pair).__name__}: {pair}."
in_weight, in_rate = (np.asarray(part_).item() for part_ in pair)
assert not np.allclose([in_weight, in_rate], [8, 1]), "The pair is (in theta, in alpha), in this order."
both_turned = np.allclose([in_weight, in_rate], [-1, -8])
assert not both_turned, "-1 and -8 came for 1 and 8: both signs are turned. Does v begin at the query?"
MISTAKEN_WEIGHT = {
    2: "g alone: the step depends on theta through its gradient, too.",
    -2: "it with the curvature of the query, or without alpha: whose curvature, and where are the rates?",
    -3: "it with the query gradient at theta, before the step.",
    3: "it with a plus: the step goes against the gradient.",
}
for number, words in MISTAKEN_WEIGHT.items():
    assert not np.isclose(in_weight, number), f"In theta the pencil says 1, got {number}. That is {words}"
MISTAKEN_RATE = {
    -8: "it with the sign turned: phi is theta MINUS alpha times s.",
    4: "it with s taken at phi, or with v carried back already. (Or was theta changed in place?)",
    -24: "it with g taken at theta, before the step.",
    1: "the gradient in theta once more.",
}
for number, words in MISTAKEN_RATE.items():
    assert not np.isclose(in_rate, number), f"In alpha the pencil says 8, got {number}. That is {words}"
assert np.allclose([in_weight, in_rate], [1, 8]), f"The pencil says 1 and 8, got {in_weight} and {in_rate}."


# %% test="walk-back" points=2
@wraps(walk_back)
def in_arrays(*case):
    return tuple(np.asarray(gradient) for gradient in walk_back(*case))


thought = ""
for n in (1, 2):
    came = in_arrays(*case_of_tasks(np.random.default_rng(0), n_steps=n))
    wanted = by_the_engine(*case_of_tasks(np.random.default_rng(0), n_steps=n))
    shapes = [gradient.shape for gradient in came]
    assert shapes == [(3,), (3,)], (
        f"Three rates have a gradient in each, as weights have: got shapes {shapes}."
    )
    numbers = np.round(wanted, 4).tolist(), np.round(came, 4).tolist()
    story = f"Three weights, {n} step(s): expected {numbers[0]}, got {numbers[1]}."
    turned_round = np.allclose(came[0], [-0.095, 0.6237, 0.4912], atol=1e-3)
    assert not turned_round, f"{story} In which order do the rates and the curvature act?"
    assert np.allclose(came, wanted), f"{story} {thought}"
    thought = (
        "Each step adds its part, with its own s and with v as it stands BEHIND the step; then v goes on."
    )
same(in_arrays, by_the_engine, partial(case_of_tasks, n_steps=3))
### BEGIN HIDDEN TESTS
same(in_arrays, by_the_engine, partial(case_of_tasks, n_weights=5, n_steps=4))
### END HIDDEN TESTS

# %% [markdown]
# ### What the derivation predicts
#
# $dL/d\alpha$ holds no Hessian. So the first-order shortcut of chapter 07, which counts the gradient in the step as a
# constant, should change the gradient in $\theta$ and leave the one in $\alpha$ as it is. (For one step. With several
# the $v_{j+1}$ hold Hessians.)


# %%
from reference.scratch.maml import task_loss as maml_loss


def first_order_gradient(params, episode):
    leaves = {name: Tensor(p) for name, p in params.items()}
    settings = {"loss": squared_error, "n_steps": 1, "first_order": True}
    value = maml_loss(part(leaves, "start"), episode, rule=by_weight(part(leaves, "rate")), **settings)
    return grad(value, leaves, create_graph=False)


# %%
params_small, episode_small, _ = case_of_a_net(np.random.default_rng(1))
exact, _ = meta_gradient(params_small, episode_small, loss=squared_error)
shortcut = first_order_gradient(params_small, episode_small)
off_by = {name: np.abs(exact[name] - shortcut[name]).max() for name in exact}
claim("First order: every rate's gradient stays exact.", max(part(off_by, "rate").values()) < 1e-10, off_by)
claim("No weight's gradient does.", min(part(off_by, "start").values()) > 1e-3, off_by)

# %% [markdown]
# And does training find the best rates? Take the family of the wrong way, with optima $t\,(1, 1)$ for $t = \pm 1$.
# Both rates start at 0.1. The closed form says that they should end at $(-1, \tfrac13)$, with no loss left. (It is
# for a fixed start. Here $\theta$ is learned, too, but the gradients of the two tasks in it cancel at 0, so that it
# stays.)

# %% tags=["setup"]
from reference.meta_train import mean_over_tasks, meta_train


def train_on_quadratics(tasks, params, *, n_steps, rule_of=by_weight, outer_lr=0.02):
    """The parameters after n_steps of Adam on all of the tasks at once, and the losses."""
    gradient = mean_over_tasks(partial(meta_gradient, loss=quadratic_loss, rule_of=rule_of))
    episodes = [as_episode(task, task) for task in tasks]
    return meta_train(params, gradient, lambda: episodes, rule=adam(outer_lr), n_steps=n_steps)


# %%
on_a_line = [Quadratic(t * np.ones(2), coupled) for t in (1.0, -1.0)]
begun = with_rates({"theta": np.zeros(2)}, inner_lr=0.1)
found_rates, found_losses = train_on_quadratics(on_a_line, begun, n_steps=600)
claim(
    "The learned rates are those of the closed form.",
    np.allclose(found_rates["rate.theta"], wrong_way_rates, atol=1e-2),
    found_rates["rate.theta"],
)
claim("The loss after one step is gone.", found_losses[-1] < 1e-3 < found_losses[0], found_losses[[0, -1]])

# %% [markdown]
# ## Experiment: sinusoids
#
# Tasks are the sinusoids of chapter 01, with 10 support points. The network has layers of 1, 40, 40 and 1 units, as
# in Finn et al. (2017): 1761 weights in six tensors. One inner step, ten tasks in an outer step, 1200 outer steps of
# Adam whose rate falls from 0.01 to zero. That setting and MAML's $\alpha = 0.01$ were searched for
# on other tasks and other seeds (the searches are not kept).
#
# How much is it worth to learn the rates, and how many of them? Eight learners differ in nothing else:
#
# | learner | rates |
# | --- | --- |
# | pretraining | zero: it learns without a step, from all tasks pooled |
# | MAML | 0.01, fixed |
# | one learned rate; one, from 0.1 | one number, at first 0.001 or 0.1 |
# | six learned rates; six, none below zero | one for each tensor, at first 0.01; free, or cut off at zero |
# | Meta-SGD; Meta-SGD, none below zero | 1761, at first 0.01; free, or cut off at zero |
#
# The single rate begins ten times too small in one learner and ten times too large in another: does training find it?
# Training is a draw too. So every learner is trained four times, from the same four starts and on the same tasks as
# the others.

# %%
N_SEEDS = 4
LEARNERS = {  # first rate; which weights share one; floor
    "pretraining": (0.0, "fixed", -np.inf),
    "MAML": (0.01, "fixed", -np.inf),
    "one learned rate": (0.001, "all", -np.inf),
    "one, from 0.1": (0.1, "all", -np.inf),
    "six learned rates": (0.01, "tensor", -np.inf),
    "six, none below zero": (0.01, "tensor", 0.0),
    "Meta-SGD": (0.01, "none", -np.inf),
    "Meta-SGD, none below zero": (0.01, "none", 0.0),
}
STARTS = [init_mlp(np.random.default_rng(seed), [1, 40, 40, 1]) for seed in range(N_SEEDS)]

# %% [markdown]
# All runs are trained side by side, as in chapter 07: 8 learners, 4 starts and 10 tasks are 320 copies of the
# network, and the loss is the *sum* over them, so that the gradient holds, copy by copy, the gradient of each. We
# average over the ten tasks of a run. Rates that are shared get the sum of their gradients, as derived; equal
# gradients keep equal rates equal, also under Adam.


# %%
def of_runs(numbers, like):
    """One number for each run, with axes behind it that let it multiply the runs' tensors."""
    return np.reshape(np.asarray(numbers, dtype=np.float32), (-1, *(1,) * (like.ndim - 1)))


def tied(in_rates, shared):
    """The gradients in the rates of all runs; where weights share a rate, the sum of theirs."""
    sums = {name: g.sum(axis=tuple(range(1, g.ndim))) for name, g in in_rates.items()}
    found, total = {}, sum(sums.values())
    for name, g in in_rates.items():
        summed = (shared == "tensor") * sums[name] + (shared == "all") * total
        found[name] = of_runs(shared == "none", g) * g + of_runs(summed, g)
    return found


# %%
def floored(params, floors):
    """The parameters with every rate at its run's floor or above.

    The optimiser's own number may lie below; it meets the gradient at the floor, and may come back.
    """
    return {k: np.maximum(p, of_runs(floors, p)) if k[:5] == "rate." else p for k, p in params.items()}


# %%
def errors(params, examples):
    """The mean squared error of each copy of the network on its own examples."""
    return np.mean((mlp(params, examples.x) - examples.y) ** 2, axis=(-2, -1))


def gradient_of_runs(params, episodes, *, shared, floors):
    """The mean over the tasks of each run of the gradient in weights and rates, and the mean loss."""
    n_runs, n_copies = len(shared), len(episodes.query.x)
    copies = {name: np.repeat(p, n_copies // n_runs, axis=0) for name, p in floored(params, floors).items()}
    gradient, total = meta_gradient(copies, episodes, loss=lambda p, e: np.sum(errors(p, e)))
    mean = {name: g.reshape(n_runs, -1, *g.shape[1:]).mean(axis=1) for name, g in gradient.items()}
    return mean | join(rate=tied(part(mean, "rate"), shared)), total / n_copies


# %%
def sinusoids(rng, n_tasks, *, n_query=10, times=1):
    """A batch of episodes in single precision, so many times over."""
    support, query, task = Sinusoids(k_shot=10, n_query=n_query).sample_batch(rng, n_tasks)
    repeated = lambda a: np.concatenate([a.astype(np.float32)] * times)
    return SideBySide(*(Examples(*map(repeated, side)) for side in (support, query)), task)


# %%
def train_runs(learners, draw, *, n_steps):
    """name -> its four runs, after n_steps; `draw()` gives the episodes of all runs, in this order."""
    columns = (np.array(column).repeat(N_SEEDS) for column in zip(*learners.values(), strict=True))
    first, shared, floors = columns
    stacked = {name: np.stack([start[name] for start in STARTS] * len(learners)) for name in STARTS[0]}
    rates = {name: np.ones_like(p) * of_runs(first, p) for name, p in stacked.items()}
    gradient = partial(gradient_of_runs, shared=shared, floors=floors)
    rule = adam(lambda t: 0.01 * (1 - t / n_steps))
    found, _ = meta_train(join(start=stacked, rate=rates), gradient, draw, rule=rule, n_steps=n_steps)
    found = floored(found, floors)
    rows = np.arange(len(shared)).reshape(len(learners), N_SEEDS)
    return {
        name: [{key: p[row] for key, p in found.items()} for row in own]
        for name, own in zip(learners, rows, strict=True)
    }


# %% tags=["training", "nbval-ignore-output"]
from reference.pytorch.machine.speed import keep_freed_memory

_ = keep_freed_memory()  # arrays of two megabytes come and go; to ask the system for each anew takes time
rng_of_tasks = np.random.default_rng(100)
ten_tasks_each = lambda: sinusoids(rng_of_tasks, 10 * N_SEEDS, times=len(LEARNERS))
runs = train_runs(LEARNERS, ten_tasks_each, n_steps=1200)
print("runs trained:", sum(map(len, runs.values())))

# %% [markdown]
# Now the test: 600 new tasks, each with 100 query points; `after_steps` adapts one run to all of them at once. Two
# baselines have no rate of their own: the network that was never trained and the pretrained one. They may choose the
# best of seven, on 600 *other* tasks. The intervals, with Student's factor for four runs, say how much *training*
# varies; the test tasks are the same for all.


# %%
def after_steps(run, episodes, n_steps=1):
    """The query error of every task after n_steps, (n_tasks,); too many steps may overflow."""
    n_tasks = len(episodes.query.x)
    own = {name: np.broadcast_to(p, (n_tasks, *p.shape)) for name, p in run.items()}
    with np.errstate(over="ignore", invalid="ignore"):
        on_support = lambda p: np.sum(errors(p, episodes.support))
        phi = unroll(on_support, part(own, "start"), by_weight(part(own, "rate")), n_steps, first_order=True)
        return errors(phi, episodes.query).astype(float)


# %%
test_tasks = sinusoids(np.random.default_rng(1000), 600, n_query=100)
other_tasks = sinusoids(np.random.default_rng(1001), 600, n_query=100)


def with_best_rate(start):
    """The weights with the rate, of seven, that leaves the least error on the other tasks."""
    tried = [with_rates(start, inner_lr=lr) for lr in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)]
    return min(tried, key=lambda run: np.nan_to_num(after_steps(run, other_tasks).mean(), nan=np.inf))


# %%
from reference.evaluation import Score, compare


def over_runs(values):
    """The mean over runs and half the width of its 95 % interval."""
    return Score(values).mean, Score(values).half_width


# %% tags=["training", "nbval-ignore-output"]
judged = {"never trained": [with_best_rate(start) for start in STARTS]} | runs
judged["pretraining"] = [with_best_rate(part(run, "start")) for run in runs["pretraining"]]
after_one_step = {
    name: np.array([after_steps(run, test_tasks) for run in found]) for name, found in judged.items()
}
for name, by_task in after_one_step.items():
    mean, reach = over_runs(by_task.mean(axis=1))
    print(f"{name:26s} {mean:.3f} +- {reach:.3f} (95% CI over 4 runs, on these 600 tasks)")
print("your guesses:", my_guesses)

# %% [markdown]
# Differences between learners are paired run by run: same start, same training tasks, same test.


# %%
def excess_of(worse, better):
    """By how much the error of one learner exceeds that of another, run by run."""
    return (after_one_step[worse] - after_one_step[better]).mean(axis=1)


# %% tags=["training", "nbval-ignore-output"]
PAIRS = [("pretraining", "MAML"), ("MAML", "one learned rate"), ("MAML", "six learned rates")]
PAIRS += [("six learned rates", "Meta-SGD"), ("six, none below zero", "six learned rates")]
PAIRS += [("Meta-SGD, none below zero", "Meta-SGD")]
for worse, better in PAIRS:
    mean, reach = over_runs(excess_of(worse, better))
    print(f"{worse} - {better}: {mean:.3f} +- {reach:.3f} (95% CI, 4 runs)")

# %%
by_start, by_one, by_six, by_rest, of_sign, of_signs = (excess_of(*pair) for pair in PAIRS)
claim(
    "In every run a step of MAML beats one from pretrained weights by a half.",
    by_start.min() > 0.5,
    by_start,
)
claim("In every run six learned rates lower MAML's error by a tenth.", by_six.min() > 0.1, by_six)
less = by_one.mean() < by_six.mean() * 2 / 3
claim("One learned rate gains, on average, less than two thirds of that.", less, by_one, by_six)
most = by_six.mean() > 2 * by_rest.mean()
claim("The six bring, on average, most of the way to all 1761.", most, by_six, by_rest)

# %%
SQUEEZE = ("never trained", "pretraining")  # their errors are so large that no other bar could be told apart
summary = {k: over_runs(by_task.mean(axis=1)) for k, by_task in after_one_step.items() if k not in SQUEEZE}
ax = plotting.ladder(list(summary), *np.transpose(list(summary.values())))
ax.set(xlabel="error after one step, 4 training runs")
plotting.show(
    "A ladder of errors with intervals. MAML and the learned rate that began too small are near 0.7, the one "
    "that began too large above 1, six rates that may not fall below zero near 0.55, six learned rates near "
    "0.4, both kinds of Meta-SGD near that or below."
)

# %% [markdown]
# **Figure 2.** Six learned rates take away close to half of MAML's error. 1761 take away a little more in
# these four runs, which other seeds need not repeat. A single learned rate gains little, or nothing, and loses if
# it began too large. The two learners without a meta-learned start, with errors over 2, are not drawn. The intervals
# are over training runs, and none of the runs is trained to the end. The figure does not say *why* six numbers help.
#
# The two rows with a floor say something about it. With six rates the sign matters: cut off at zero, they lose part
# of their gain. With a rate for every weight it matters less. We come back to this.

# %%
claim("Without signs, six rates do worse in every run.", of_sign.min() > 0, of_sign)
less = of_signs.mean() < of_sign.mean() / 2
claim("Without signs, 1761 rates lose on average less than half of that.", less, of_signs)
from_below, from_above = (
    [run["rate.layers.2.bias"].item() for run in runs[name]] for name in ("one learned rate", "one, from 0.1")
)
within = 0.0025 < min(from_below) <= max(from_below) < 0.04
claim("From 0.001 the rate ends within a factor of 4 of 0.01.", within, from_below)
claim("From 0.1 it ends below 0.05.", max(from_above) < 0.05, from_above)
behind_maml = excess_of("one, from 0.1", "MAML")
claim("But that learner is on average behind MAML with 0.01.", behind_maml.mean() > 0, behind_maml)

# %% [markdown]
# A search over $\alpha$ means a training run for each value; to learn it is one run. Does it find what the search
# found? From below the answer says nothing: Adam's first step is as long as its rate, here 0.01, whatever the
# gradient, and leads from 0.001 to 0.011, about where the rate ends. From 0.1 the way is nine such steps. The rate
# comes down, to within a few times the 0.01, but the learner is behind MAML with 0.01. A first rate that is too large
# is not mended here by learning it. (Its weights were learned with steps that were too long at first; that this is
# why is a guess.)

# %% [markdown]
# ## What the rates look like
#
# Back to guesses 3 and 4. We look at Meta-SGD, the learner with a rate for every weight, all of which started at
# 0.01.


# %%
def rates_of(run):
    """All 1761 rates of a run in one row."""
    return np.concatenate([rate.ravel() for rate in part(run, "rate").values()])


# %% tags=["training", "nbval-ignore-output"]
all_rates = np.stack([rates_of(run) for run in runs["Meta-SGD"]])
below = (all_rates < 0).mean(axis=1)
unmoved = (all_rates == np.float32(0.01)).mean(axis=1)
large = (np.abs(all_rates) > 0.1).mean(axis=1)
for what, share in (("below zero", below), ("at exactly 0.01", unmoved), ("beyond 0.1, either sign", large)):
    print(
        f"share of rates {what}: {over_runs(share)[0]:.2f} +- {over_runs(share)[1]:.2f} (95% CI over 4 runs)"
    )
print("your guess for those below zero:", my_guesses["share below zero"])

# %%
claim("In every run 15 to 45 of 100 rates end below zero.", 0.15 < below.min() <= below.max() < 0.45, below)
claim("Some rates never moved.", unmoved.min() > 0.05, unmoved)

# %%
shares_of_tensor = np.linspace(0, 1, 101)
rates_of_first = part(runs["Meta-SGD"][0], "rate").items()
by_tensor = {name: np.quantile(rate, shares_of_tensor) for name, rate in rates_of_first if rate.size > 1}
_, ax = plt.subplots(figsize=(4.5, 2.7), layout="constrained")
_ = plotting.curves(shares_of_tensor, by_tensor, ax=ax)
_ = ax.axhline(0, color=plotting.GREY, linewidth=1)
ax.set(xlabel="share of the tensor's weights with a smaller rate", ylabel="learned rate", ylim=(-0.6, 0.9))
plotting.show(
    "Five rising curves, the rates of each tensor in order of size. All cross zero, at between a fifth and "
    "two thirds of their length. The curves of weights are flat in the middle and steep at the ends; those "
    "of biases are wider."
)

# %% [markdown]
# **Figure 3.** The learned rates of one run, sorted within each tensor. Where a curve crosses zero one reads off the
# share of negative rates. Every layer has both signs; the spread is largest in the biases of the first layer. The
# sixth tensor is a single number. The figure does not show which weight has which rate, and that is what matters, as
# we see next.

# %% [markdown]
# What of the rates that never moved? A weight of the middle layer joins two units. If there is no $x$ at which both
# are on, its gradient is exactly zero, always, and so is $dL/d\alpha$. Nothing can be learned about a weight that has
# no influence.


# %%
def still_joining(run):
    """How many rates of the middle layer never moved, though an x in [-5, 5] turns both of their units on."""
    start, x = part(run, "start"), np.linspace(-5, 5, 2001)[:, None]
    first = np.maximum(x @ start["layers.0.weight"].T + start["layers.0.bias"], 0)
    second = np.maximum(first @ start["layers.1.weight"].T + start["layers.1.bias"], 0)
    on_together = (second > 0).T.astype(float) @ (first > 0) > 0
    return np.sum((run["rate.layers.1.weight"] == np.float32(0.01)) & on_together)


joining = [still_joining(run) for run in runs["Meta-SGD"]]
claim("Where units are on together, next to no rate stayed at 0.01.", max(joining) <= 5, joining)

# %% [markdown]
# ### Does each rate matter?
#
# Now we tamper with the learned rates, leave the weights as they are, and test again. Clipping keeps the positive
# ones; shuffling within a tensor keeps the whole distribution, and so figure 3; the mean of each tensor keeps nothing
# but the mean, in which the two signs cancel.


# %%
def changed(run, change):
    """The run with change(name, rates) in place of the rates of every tensor."""
    return run | join(rate={name: change(name, rate) for name, rate in part(run, "rate").items()})


def shuffled(name, rate):
    return np.random.default_rng(rate.size).permutation(rate.ravel()).reshape(rate.shape)


# %%
CHANGES = {
    "no step at all": lambda name, rate: 0 * rate,
    "negative rates set to 0": lambda name, rate: np.maximum(rate, 0),
    "shuffled within the tensor": shuffled,
    "the tensor's mean": lambda name, rate: np.full_like(rate, rate.mean()),
    "first layer frozen": lambda name, rate: rate * ("layers.0" not in name),
    "middle layer frozen": lambda name, rate: rate * ("layers.1" not in name),
    "last layer frozen": lambda name, rate: rate * ("layers.2" not in name),
    "as learned": lambda name, rate: rate,
}

# %% tags=["training", "nbval-ignore-output"]
tampered = {
    what: np.array([after_steps(changed(run, change), test_tasks).mean() for run in runs["Meta-SGD"]])
    for what, change in CHANGES.items()
}
for what, by_run in tampered.items():
    print(f"{what:27s} {over_runs(by_run)[0]:.2f} +- {over_runs(by_run)[1]:.2f} (95% CI over 4 runs)")
print("your guess for the clipped rates:", my_guesses["clipped"])

# %%
no_step, learned = tampered["no step at all"], tampered["as learned"]
spoiled = {what: tampered[what] for what in list(CHANGES)[1:4]}
worst = min(np.min(by_run / learned) for by_run in spoiled.values())
claim("Clipped, shuffled or averaged, the error more than doubles in every run.", worst > 2, spoiled, learned)
undone = spoiled["negative rates set to 0"].mean() / no_step.mean()
claim("Clipped rates leave, on average, over 0.8 times the error without a step.", undone > 0.8, undone)
frozen = [tampered[f"{layer} layer frozen"] for layer in ("first", "middle", "last")]
claim("Freezing any layer hurts, in every run.", np.min(frozen / learned) > 1.1, *frozen, learned)

# %% [markdown]
# So each rate is tuned to its own weight, and clipping the finished rates undoes the step, or does worse. Yet in
# figure 2 the 1761 rates that were cut off at zero *during training* did nearly as well. There is no contradiction.
# Weights and rates are learned together and fit each other, like a key and its lock. File the key, and the door stays
# shut; a lock made for another key would have opened about as well.
#
# ## What one step can do
#
# Why do six numbers help so much, and why does the sign matter if there are only six? There is an answer one can see.
# How does one step change the prediction at $x$? Let $\partial_i f(x)$ be the slope of the network's answer
# $f_\theta(x)$ in weight $i$. The support loss is $\frac1K \sum_k (f_\theta(x_k) - y_k)^2$, so its gradient is
# $\frac2K \sum_k \partial_i f(x_k)\,(f_\theta(x_k) - y_k)$. The weights move by $-\alpha_i$ times that, and the
# answer at $x$, to first order, by $\partial_i f(x)$ times the move, summed over all weights:
#
# $$f_\phi(x) \approx f_\theta(x) + \frac2K \sum_k \kappa(x, x_k)\,\big(y_k - f_\theta(x_k)\big), \qquad
# \kappa(x, x') = \sum_i \alpha_i\; \partial_i f(x)\; \partial_i f(x') .$$
#
# Each support point moves the whole curve, in proportion to how far the curve misses it, and the **kernel**
# $\kappa(x, x_k)$ says how strongly and which way at $x$. The rates are the factors in that sum. For given weights
# and six tensors $\kappa$ is a mixture of six fixed shapes, and six learned rates choose the mixture. With one rate,
# only its height can change.
#
# Which shape would be right for sinusoids? Take $\kappa(x, x') = \cos(x - x')$ and let the residuals be those of a
# sinusoid, $y_k - f_\theta(x_k) = a \sin(x_k - p)$. Since $2 \cos u \sin v = \sin(u + v) - \sin(u - v)$, with $u = x
# - x_k$ and $v = x_k - p$,
#
# $$\frac2K \sum_k \cos(x - x_k)\; a \sin(x_k - p) = a \sin(x - p) \;-\; \frac aK \sum_k \sin(x + p - 2 x_k) .$$
#
# The first term is the right answer, for every amplitude and phase. The second swings fast with $x_k$; over all of
# $[-5, 5]$ it averages to nearly nothing ($\tfrac{\sin 10}{10} \approx -0.054$ times $a \sin(x + p)$). With $K$
# points it is noise around that, of variance $a^2 / (2K)$ or so: at $K = 10$ it is what keeps the step from being
# perfect.

# %%
rng = np.random.default_rng(2)
amplitude, phase, at_x, points = 2.0, 0.7, 1.3, rng.uniform(-5, 5, 200_000)
by_cosines = np.mean(2 * np.cos(at_x - points) * amplitude * np.sin(points - phase))
rest = amplitude * np.sin(at_x + phase - 2 * points)
on_paper = amplitude * np.sin(at_x - phase) - rest.mean()
claim("The identity holds.", np.isclose(by_cosines, on_paper), by_cosines, on_paper)
of_ten = rest.reshape(-1, 10).mean(axis=1).var()
claim("With ten points the noise has the variance a^2 / 20, to a tenth.", 0.18 < of_ten < 0.22, of_ten)

# %% [markdown]
# So a step by the cosine draws sinusoids. And it needs no network:


# %%
def cosine_step(episodes, height):
    """The error of one step with the kernel height * cos(x - x'), from the mean curve of all tasks."""

    def mean_curve(x):  # the mean of a sin(x - p) over all amplitudes a and phases p
        return -2.55 * 2 / np.pi * np.cos(x)

    (x, y), (x_query, y_query) = episodes.support, episodes.query
    pull = np.cos(x_query - x.swapaxes(1, 2)) @ (y - mean_curve(x))
    return np.mean((mean_curve(x_query) + height * 2 / 10 * pull - y_query) ** 2, axis=(1, 2))


best_height = min((0.7, 0.8, 0.9, 1.0), key=lambda height: cosine_step(other_tasks, height).mean())
by_cosine = Score(cosine_step(test_tasks, best_height).astype(float))

# %% tags=["training", "nbval-ignore-output"]
SHOWN = ("MAML", "six learned rates", "Meta-SGD")
print(f"cosine step of height {best_height}: {by_cosine}")
print("mean of 4 runs:", {name: float(after_one_step[name].mean().round(3)) for name in SHOWN})

# %%
ahead = compare(Score(after_one_step["MAML"][0]), by_cosine)
claim("The cosine step beats MAML's first run.", ahead.interval[0] > 0.15, ahead)
closer = after_one_step["MAML"].mean() - np.array([after_one_step["Meta-SGD"].mean(), by_cosine.mean])
claim("Meta-SGD comes over two thirds of the way from MAML to it.", closer[0] > closer[1] * 2 / 3, closer)

# %% [markdown]
# Somebody who *knows* that all tasks are sinusoids of one frequency writes such a step down, without any training.
# Did Meta-SGD learn the same thing? We compute $\kappa$ of the trained networks, in double precision.


# %%
def slopes(start, x):
    """The slope of the answer at each x (n, 1) in every weight: (n, 1761)."""
    copies = {name: Tensor(np.repeat(p[None].astype(float), len(x), axis=0)) for name, p in start.items()}
    gradient = grad(np.sum(mlp(copies, x[:, None].astype(float))), copies, create_graph=False)
    return np.concatenate([g.reshape(len(x), -1) for g in gradient.values()], axis=1)


def kernel(run, x, x_other):
    return (slopes(part(run, "start"), x) * rates_of(run)) @ slopes(part(run, "start"), x_other).T


def likeness(kernel, other):
    """The cosine of the angle between two kernels, as vectors: 1 for the same shape."""
    return np.sum(kernel * other) / np.linalg.norm(kernel) / np.linalg.norm(other)


# %% [markdown]
# First, is the formula right? If the step is tiny, the answers must move as $\kappa$ says. The real step is not tiny:
# for 40 test tasks we compare what it did to the answers on a grid with what the kernel says, by the angle between
# the two and by their lengths.

# %%
grid_x = np.linspace(-5, 5, 21)[:, None]


def real_and_by_kernel(run, task, times=1.0):
    """How one step with so many times the rates moved the answers, and how the kernel says it would."""
    exact_run = changed({name: p.astype(float) for name, p in run.items()}, lambda name, rate: times * rate)
    support = Examples(*(a[task].astype(float) for a in test_tasks.support))
    before = partial(mlp, part(exact_run, "start"))
    real = adapt(exact_run, support, network=mlp, loss=squared_error)(grid_x) - before(grid_x)
    return real, 2 / len(support.x) * kernel(exact_run, grid_x, support.x) @ (support.y - before(support.x))


# %% tags=["training", "nbval-ignore-output"]
tiny = real_and_by_kernel(runs["Meta-SGD"][0], 0, times=1e-6)
direction, ratio = {}, {}
for name in SHOWN:
    moves = [real_and_by_kernel(runs[name][0], task) for task in range(40)]
    direction[name] = np.mean([likeness(real, said) for real, said in moves])
    ratio[name] = np.median([np.linalg.norm(said) / np.linalg.norm(real) for real, said in moves])
    print(f"{name:18s} cosine of the angle {direction[name]:.2f}, lengths {ratio[name]:.2f} : 1 (40 tasks)")

# %%
off = np.abs(tiny[0] - tiny[1]).max() / np.abs(tiny[0]).max()
claim("A tiny step moves the answers as the kernel says.", off < 1e-3, off)
claim("The kernel says where the real step goes.", min(direction.values()) > 0.85, direction)
claim("And how far, to within two thirds.", 0.6 < min(ratio.values()) <= max(ratio.values()) < 1.67, ratio)

# %% [markdown]
# The kernel says where a step goes, and roughly how far. We ask it about shapes only.

# %% tags=["training", "nbval-ignore-output"]
lattice = np.linspace(-5, 5, 41)[:, None]
ideal = np.cos(lattice - lattice.T)
asked = {"never trained": [with_rates(start, inner_lr=0.01) for start in STARTS]}
asked |= {name: runs[name] for name in list(LEARNERS) if name in SHOWN or "below" in name}
alike = {
    name: np.array([likeness(kernel(run, lattice, lattice), ideal) for run in found])
    for name, found in asked.items()
}
for name, by_run in alike.items():
    mean, reach = over_runs(by_run)
    print(f"{name:26s} likeness to the cosine {mean:.2f} +- {reach:.2f} (95% CI over 4 runs)")

# %%
untrained, of_maml = alike["never trained"], alike["MAML"]
claim("Untrained, the kernel is far from a cosine.", untrained.max() < 0.5, untrained)
claim("MAML comes part of the way.", 0.6 < of_maml.min() <= of_maml.max() < 0.85, of_maml)
for name in ("six learned rates", "Meta-SGD"):
    claim(f"{name}: nearer than MAML in every run.", np.all(alike[name] > of_maml), alike[name], of_maml)

# %% [markdown]
# Training turns the kernel towards the cosine, and learned rates turn it further than MAML's one. That this is *why*
# the error falls is a guess.

# %%
fig, axes = plt.subplots(1, 2, figsize=(5.4, 2.4), sharey=True, layout="constrained")
for ax, place_of_point in zip(axes, (-3.0, 0.0), strict=True):
    at = np.array([[place_of_point]])
    pulls = {name: kernel(runs[name][0], lattice, at)[:, 0] for name in SHOWN}
    plotting.curves(lattice[:, 0], pulls, ax=ax)
    _ = ax.plot(lattice, np.cos(lattice - at), ":", color=plotting.GREY, linewidth=2, label="cosine")
    _ = ax.axvline(place_of_point, color=plotting.GREY, linewidth=0.8)
    ax.set(xlabel="x", title=f"support point at {place_of_point:.0f}")
    ax.get_legend().remove()
axes[0].set_ylabel("pull of the point at x")
_ = fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
plotting.show(
    "Two panels, for support points at -3 and 0. In each a dotted cosine that peaks at the support point. "
    "The kernel of Meta-SGD follows its waves; that of MAML stays near zero where the cosine is lowest."
)

# %% [markdown]
# **Figure 4.** How strongly one support point pulls the curve, after training. The dotted line is the cosine. With
# learned rates the pull turns *against* the point half a period away, as it must for sinusoids; under MAML it does so
# too little. The figure shows the first-order picture of one run, and two points.

# %% [markdown]
# Now the signs. The six shapes, one for each tensor, are sums of products $\partial_i f(x)\, \partial_i f(x')$. Four
# of them can never be negative. That of the last bias is constant, for its slope is 1. The slopes in the last weights
# are the outputs of units, never negative. And those in the middle layer are the weight that leads on to the output,
# which is squared in the product, times such outputs (for a bias, times 1).

# %%
sizes = [p.size for p in STARTS[0].values()]
shapes = np.split(slopes(part(runs["six learned rates"][0], "start"), lattice), np.cumsum(sizes)[:-1], axis=1)
lowest = [(of_tensor @ of_tensor.T).min() for of_tensor in shapes]
claim("The two shapes of the first layer have both signs.", max(lowest[:2]) < 0, lowest[:2])
claim("The other four are never negative.", min(lowest[2:]) >= 0, lowest[2:])

# %% [markdown]
# With positive rates these four lift the kernel everywhere. To pull *against* the point half a period away, something
# must outweigh them: the two shapes of the first layer, or negative rates on some of the four. A negative rate does
# not "unlearn"; it carves the shape of the whole step. Six rates with a floor have the first way alone. Where do they
# end?

# %% tags=["training", "nbval-ignore-output"]
sixes = {
    name: np.array([[rate.flat[0] for rate in part(run, "rate").values()] for run in runs[name]])
    for name in ("six learned rates", "six, none below zero")
}
print("rates of the six tensors, from the first weights to the last bias, run by run")
for name, table in sixes.items():
    for row in table:
        print(f"{name:20s}", " ".join(f"{rate:7.3f}" for rate in row))

# %%
free, with_floor = sixes.values()
spread_in_tensor = max(np.ptp(p) for run in runs["six learned rates"] for p in part(run, "rate").values())
claim("Where six rates were learned, those of a tensor are equal.", spread_in_tensor == 0, spread_in_tensor)
subtracted = (free[:, 2:] < 0).sum(axis=1)
claim(
    "In every run six free rates subtract one of the four shapes or more.", subtracted.min() >= 1, subtracted
)
at_floor = (with_floor[:, 2:] == 0).sum(axis=1)
claim("With a floor, in every run half of these four or more end at zero.", at_floor.min() >= 2, at_floor)
claim("What is left moves the first layer.", np.all(with_floor[:, :2].max(axis=1) > 0), with_floor[:, :2])

# %% [markdown]
# A rate for every weight opens a third way: of the many small shapes within a tensor, take those that help and leave
# the others at zero. That needs no sign. So what share of 1761 rates with a floor lies on it?

# %% tags=["training", "nbval-ignore-output"]
with_floors = runs["Meta-SGD, none below zero"]
at_zero = {
    name: np.array([np.mean(part(run, "rate")[name] == 0) for run in with_floors]) for name in STARTS[0]
}
for name, shares in at_zero.items():
    print(f"{name}: share at zero, run by run", shares.round(2))

# %%
of_matrices = np.array([shares for name, shares in at_zero.items() if "weight" in name])
claim(
    "In every weight matrix of every run over a quarter of the rates ends at zero.",
    of_matrices.min() > 0.25,
    of_matrices.min(),
)

# %% [markdown]
# ## Where learned rates fail
#
# ### More steps than they were learned for
#
# Rates that were learned for one step end where that step ends. Nobody asked what a second step from there would do.


# %%
def some(episodes, rows):
    """The episodes with these numbers."""
    return SideBySide(*(Examples(side.x[rows], side.y[rows]) for side in episodes[:2]))


def error_by_steps(run, n_steps):
    """The mean error over 300 test tasks before the first and after each of n_steps."""
    episodes = some(test_tasks, slice(300))
    own = {name: np.broadcast_to(p, (300, *p.shape)) for name, p in run.items()}
    phi, rule, found = part(own, "start"), by_weight(part(own, "rate")), []
    state, on_support = rule.init(phi), lambda p: np.sum(errors(p, episodes.support))
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(n_steps):
            found.append(errors(phi, episodes.query).mean())
            phi, state = take_step(on_support, phi, rule, state, first_order=True)
        return np.nan_to_num([*found, errors(phi, episodes.query).mean()], nan=np.inf, posinf=np.inf)


# %% tags=["training", "nbval-ignore-output"]
by_steps = {name: np.array([error_by_steps(run, 10) for run in runs[name]]) for name in SHOWN}
for name, table in by_steps.items():
    medians = (f"{k}: {np.median(table[:, k]):.2g}" for k in (0, 1, 2, 4, 10))
    print(f"{name}: median error after", ", ".join(medians))
gainers = {name: int(np.sum(table[:, 2] < table[:, 1])) for name, table in by_steps.items()}
print("runs of 4 that gain from a second step:", gainers)

# %%
middle = {name: np.minimum(np.median(table, axis=0), 1e3) for name, table in by_steps.items()}
_, ax = plt.subplots(figsize=(5, 3), layout="constrained")
_ = plotting.curves(np.arange(11), middle, ax=ax)
ax.set(yscale="log", ylim=(0.1, 30), xlabel="inner steps", ylabel="error, median of 4 runs")
plotting.show(
    "Error against steps on a logarithmic scale. All three fall with the first step. MAML goes on falling, "
    "slowly, for ten steps. The curves of six rates and of Meta-SGD soon rise, out of the picture."
)

# %% [markdown]
# **Figure 5.** Every learner was trained for one step. MAML's small step can be repeated, and with ten it gets about
# where Meta-SGD is after one. A second step by learned rates helps in some runs; a few more, and the error
# leaves all bounds. The figure shows medians, and so hides a run that blew up earlier. We *train*
# for several steps below, on glyphs.

# %%
maml_steps, rates_steps = by_steps["MAML"], by_steps["Meta-SGD"]
better = maml_steps[:, 10] / maml_steps[:, 1]
claim("MAML goes on improving from one step to ten, in every run.", better.max() < 0.75, better)
ten, once = maml_steps[:, 10].mean(), rates_steps[:, 1].mean()
claim("With ten it comes within 0.15 of Meta-SGD with one.", ten < once + 0.15, ten, once)
diverged = np.all(rates_steps[:, 6] > rates_steps[:, 0])
claim("After six steps every Meta-SGD run is worse than without a step.", diverged, rates_steps[:, 6])

# %% [markdown]
# So what Meta-SGD buys here is *time*: one gradient in place of about ten.
#
# ### Few tasks
#
# Meta-SGD has twice the parameters of MAML. Training tasks were new in every step so far. Now each run has 20 tasks,
# with their 10 + 10 points, and no others, and takes 600 outer steps. Everything else stays. For comparison the same
# 600 steps on tasks that are always new.

# %%
FEW = {name: LEARNERS[name] for name in SHOWN}
pool = sinusoids(np.random.default_rng(500), 20 * N_SEEDS)  # 20 tasks for each start
rng_of_pool = np.random.default_rng(200)


def ten_of_twenty():
    rows = [20 * seed + rng_of_pool.choice(20, 10, replace=False) for seed in range(N_SEEDS)]
    return some(pool, np.concatenate(rows * len(FEW)))


# %% tags=["training", "nbval-ignore-output"]
few = train_runs(FEW, ten_of_twenty, n_steps=600)
always_new = lambda: sinusoids(rng_of_pool, 10 * N_SEEDS, times=len(FEW))
fresh = train_runs(FEW, always_new, n_steps=600)
pools = [some(pool, slice(20 * seed, 20 * seed + 20)) for seed in range(N_SEEDS)]
on_new = lambda found: np.array([after_steps(run, test_tasks).mean() for run in found])
few_new, fresh_new = ({name: on_new(found[name]) for name in FEW} for found in (few, fresh))
on_own = lambda found: np.array([after_steps(*both).mean() for both in zip(found, pools, strict=True)])
few_seen = {name: on_own(found) for name, found in few.items()}

# %% tags=["training", "nbval-ignore-output"]
COLUMNS = {"its 20 tasks": few_seen, "new tasks": few_new, "trained on new ones": fresh_new}
print("error after one step, 95% CI over 4 runs")
for name in FEW:
    scores = ((what, *over_runs(found[name])) for what, found in COLUMNS.items())
    print(f"{name:18s}", ", ".join(f"{what} {mean:.2f} +- {reach:.2f}" for what, mean, reach in scores))

# %%
seen, new, always = (found["Meta-SGD"] for found in COLUMNS.values())
claim("On its own 20 tasks every run of Meta-SGD has an error under 0.4.", seen.max() < 0.4, seen)
claim("On new tasks it has at least three times that error.", np.min(new / seen) > 3, new, seen)
claim(
    "With tasks that are always new, it leads MAML in every run.", np.all(always < fresh_new["MAML"]), always
)
few_lead = few_new["MAML"].mean() - new.mean()
fresh_lead = fresh_new["MAML"].mean() - always.mean()
claim("With 20 tasks that lead is smaller, on average, or gone.", few_lead < fresh_lead, few_lead, fresh_lead)
six_new, six_seen = few_new["six learned rates"].mean(), few_seen["six learned rates"].mean()
claim("Six rates, too, do worse on new tasks.", six_new > 1.5 * six_seen, six_new, six_seen)

# %% [markdown]
# Meta-SGD knows its 20 tasks far better than the family. Six rates do, too, and, by the means printed above, MAML.
# Which of the three is ahead on new tasks, four runs cannot say, for each run has 20 tasks of its own.

# %% [markdown]
# ## Build it in PyTorch
#
# `part`, `by_weight` and `each_step` never mention NumPy or the engine: they run on PyTorch's tensors as they are. So
# the second build is the loss of exercise 2 with PyTorch's `unroll` in it, and its gradient is PyTorch's.

# %%
import torch

from reference.pytorch.meta_sgd import meta_gradient as torch_meta_gradient
from reference.pytorch.meta_sgd import with_rates as torch_with_rates
from reference.pytorch.meta_sgd import with_step_rates as torch_with_step_rates
from reference.pytorch.nn import mlp as torch_mlp
from reference.pytorch.unroll import unroll as torch_unroll


# %%
def torch_task_loss(params, episode, *, loss, n_steps=1, rule_of=by_weight):
    start, rule = part(params, "start"), rule_of(part(params, "rate"))
    phi = torch_unroll(lambda p: loss(p, episode.support), start, rule, n_steps)
    return loss(phi, episode.query)


# %%
from reference.pytorch import meta_sgd as in_torch
from reference.pytorch.machine.arrays import to_torch


def torch_error(params, examples):
    return ((torch_mlp(params, examples.x) - examples.y) ** 2).mean()


def torch_case(rng, n_steps=2):
    params, episode, _ = case_of_a_net(rng, wrap=torch.from_numpy)
    return params, to_torch(episode), {"loss": torch_error, "n_steps": n_steps}


same(torch_task_loss, in_torch.task_loss, torch_case)

# %%
by_numpy, value_numpy = meta_gradient(params_small, episode_small, loss=squared_error, n_steps=2)
as_tensors = {name: torch.from_numpy(p) for name, p in params_small.items()}
by_torch, value_torch = torch_meta_gradient(as_tensors, to_torch(episode_small), loss=torch_error, n_steps=2)
apart = max(np.abs(by_numpy[name] - g.detach().numpy()).max() for name, g in by_torch.items())
apart = max(apart, abs(value_numpy - value_torch.item()))
claim("NumPy and PyTorch agree to 1e-10, weights, rates and loss.", apart < 1e-10, apart)

# %% [markdown]
# ## Experiment: glyphs
#
# Tell five characters apart after one drawing of each. Training scripts and test scripts have no character in common.
# Drawings are made smaller, 14 by 14 pixels, so that a dense network with layers of 196, 48, 48 and 5 units can learn
# from 400 outer steps of eight tasks. Everything was chosen on the *validation* scripts.


# %%
from torch.nn import functional as F

from reference.tasks.bank import FewShot
from reference.tasks.glyphs import glyphs

device = "cuda" if torch.cuda.is_available() else "cpu"
SPLITS = ("train", "validation", "test")
GLYPH_TASKS = {split: FewShot(glyphs(split), n_way=5, k_shot=1, n_query=5) for split in SPLITS}


def glyph_batch(split, rng, n_tasks):
    """Episodes in one batch: x (n_tasks, n, 196), each number the mean of four pixels."""
    support, query, _ = GLYPH_TASKS[split].sample_batch(rng, n_tasks)
    tiles = lambda x: x.reshape(*x.shape[:2], 14, 2, 14, 2).mean(axis=(3, 5))
    smaller = lambda side: Examples(tiles(side.x).reshape(*side.x.shape[:2], 196), side.y)
    return to_torch(Episode(smaller(support), smaller(query)), device)


# %%
def glyph_loss(params, examples):
    """The cross-entropy of each task on its own copy of the parameters, (n_tasks,)."""
    scores = torch_mlp(params, examples.x)
    return F.cross_entropy(scores.transpose(1, 2), examples.y, reduction="none").mean(dim=1)


def glyph_accuracy(params, episodes, *, n_steps=1, rule_of=by_weight):
    """The accuracy on each task's queries after n_steps on its support."""
    n_tasks = len(episodes.query.x)
    own = {name: p.detach().expand(n_tasks, *p.shape) for name, p in params.items()}
    rule, on_support = rule_of(part(own, "rate")), lambda p: glyph_loss(p, episodes.support).sum()
    phi = torch_unroll(on_support, part(own, "start"), rule, n_steps, first_order=True)
    right = torch_mlp(phi, episodes.query.x).argmax(dim=-1) == episodes.query.y
    return right.double().mean(dim=1).cpu().numpy()


# %% [markdown]
# The learners differ in three things: how many steps, which rates at first, and which of them are learned. Again
# every learner is trained from four starts, on the same tasks.
#
# The rate of 0.1 is *not tuned*, a first guess. The other two are the result of a search on validation scripts: with
# one step, $\alpha = 2$ was the best of 0.4, 1, 2, 3; with three steps, 0.7 the best of 0.2, 0.4, 0.7, 1 (1 did as
# well).

# %%
GLYPH_LEARNERS = {  # steps, first rate, which rates are learned
    "1 step, MAML, 0.1": (1, 0.1, "none"),
    "1 step, Meta-SGD from 0.1": (1, 0.1, "each weight"),
    "1 step, MAML, searched: 2": (1, 2.0, "none"),
    "1 step, Meta-SGD from 2": (1, 2.0, "each weight"),
    "3 steps, MAML, 0.1": (3, 0.1, "none"),
    "3 steps, MAML, searched: 0.7": (3, 0.7, "none"),
    "3 steps, 18 rates from 0.1": (3, 0.1, "each tensor and step"),
}

# %%
from reference.pytorch.batches import mean_over_batch
from reference.pytorch.maml import meta_gradient as torch_maml_gradient
from reference.pytorch.nn import MLP, init_params


def train_on_glyphs(start, batches, n_steps, inner_lr, learned):
    """The parameters after one outer step on each batch; Adam's rate falls from 0.01 to zero."""
    settings, gradient, params = {"loss": glyph_loss, "n_steps": n_steps}, torch_meta_gradient, start
    if learned == "each weight":
        params = torch_with_rates(start, inner_lr=inner_lr)
    elif learned == "each tensor and step":
        params = torch_with_step_rates(start, inner_lr=inner_lr, n_steps=n_steps)
        settings["rule_of"] = each_step
    else:
        gradient, settings["rule"] = torch_maml_gradient, sgd(inner_lr)
    gradient, n = partial(mean_over_batch(gradient), **settings), len(batches)
    rule = adam(lambda t: 0.01 * (1 - t / n))
    params, _ = meta_train(params, gradient, iter(batches).__next__, rule=rule, n_steps=n)
    return torch_with_rates(params, inner_lr=inner_lr) if learned == "none" else params


# %% tags=["training", "nbval-ignore-output"]
glyph_runs = {name: [] for name in GLYPH_LEARNERS}
for seed in range(N_SEEDS):
    rng = np.random.default_rng(seed)
    start = {name: p.to(device) for name, p in init_params(rng, MLP([196, 48, 48, 5])).items()}
    batches = [glyph_batch("train", rng, 8) for _ in range(400)]
    for name, how in GLYPH_LEARNERS.items():
        glyph_runs[name].append(train_on_glyphs(start, batches, *how))

# %% [markdown]
# The test has 600 episodes of unseen scripts, the same for all. Baselines: chance is $1/5$; the nearest support
# drawing in raw pixels; and the untrained network, which may choose its rate on validation episodes. (Pretraining is
# in chapter 07; here we compare rates.)

# %%
glyph_test = glyph_batch("test", np.random.default_rng(1000), 600)
glyph_validation = glyph_batch("validation", np.random.default_rng(1001), 600)
nearest = torch.cdist(glyph_test.query.x, glyph_test.support.x).argmin(dim=-1)
right_pixels = glyph_test.support.y.gather(1, nearest) == glyph_test.query.y
pixels = Score(right_pixels.double().mean(dim=1).cpu().numpy())


def untrained_accuracy(seed):
    net = init_params(np.random.default_rng(seed), MLP([196, 48, 48, 5]))
    net = {name: p.to(device) for name, p in net.items()}
    tried = [torch_with_rates(net, inner_lr=lr) for lr in (0.4, 2.0, 10.0)]
    best = max(tried, key=lambda params: glyph_accuracy(params, glyph_validation).mean())
    return glyph_accuracy(best, glyph_test)


# %% tags=["training", "nbval-ignore-output"]
glyph_scores = {"untrained network, 1 step": np.array([untrained_accuracy(seed) for seed in range(N_SEEDS)])}
for name, (n_steps, _, learned) in GLYPH_LEARNERS.items():
    how = {"n_steps": n_steps, "rule_of": each_step if "step" in learned else by_weight}
    glyph_scores[name] = np.array([glyph_accuracy(run, glyph_test, **how) for run in glyph_runs[name]])
print("raw pixels:", pixels)
for name, by_episode in glyph_scores.items():
    mean, reach = over_runs(by_episode.mean(axis=1))
    print(f"{name:29s} {mean:.3f} +- {reach:.3f} (95% CI, 4 runs, 600 episodes each)")


# %%
def glyph_lead(better, worse):
    """By how much one learner's accuracy exceeds another's, run by run."""
    return (glyph_scores[better] - glyph_scores[worse]).mean(axis=1)


# %% tags=["training", "nbval-ignore-output"]
GLYPH_PAIRS = [
    ("1 step, Meta-SGD from 0.1", "1 step, MAML, 0.1"),
    ("1 step, MAML, searched: 2", "1 step, Meta-SGD from 0.1"),
    ("1 step, Meta-SGD from 2", "1 step, MAML, searched: 2"),
    ("3 steps, 18 rates from 0.1", "3 steps, MAML, 0.1"),
    ("3 steps, 18 rates from 0.1", "3 steps, MAML, searched: 0.7"),
    ("3 steps, 18 rates from 0.1", "1 step, MAML, searched: 2"),
]
for pair in GLYPH_PAIRS:
    mean, reach = over_runs(glyph_lead(*pair))
    print(f"{pair[0]} - {pair[1]}: {mean:+.3f} +- {reach:.3f} (95% CI, 4 runs)")

# %%
mended, behind, begun_there, of_18, of_18_searched, _ = (glyph_lead(*pair) for pair in GLYPH_PAIRS)
claim("One step: Meta-SGD beats 0.1, the rate it began with.", mended.mean() > 0.02, mended)
claim("But the searched rate beats Meta-SGD from 0.1, on average by 2 points.", behind.mean() > 0.02, behind)
near = abs(begun_there.mean())
claim("Begun at the searched rate, Meta-SGD is within 4 points of it.", near < 0.04, begun_there)
claim("Three steps: 18 learned rates beat the rate they began with.", of_18.mean() > 0.02, of_18)
near = abs(of_18_searched.mean())
claim("They are within 5 points of the searched rate.", near < 0.05, of_18_searched)
over_pixels = compare(Score(glyph_scores["3 steps, 18 rates from 0.1"].mean(axis=0)), pixels)
claim("They beat raw pixels by 2 points or more.", over_pixels.interval[0] > 0.02, over_pixels)

# %% [markdown]
# If the first guess at the rate was bad, learning the rates helps: from 0.1, both ways of learning gain points, with
# one step, in these runs, up to about what raw pixels reach. But begun at the one good number that a search found,
# 12,053 learned rates add nothing that four runs can show. Begun at 0.1, with one step, they stay behind it. (That a
# step of Adam moves a rate by 0.01 at most may be why.) The 18 rates of three steps do reach what the search reached,
# to within the few points that four runs can tell.
#
# So what learned rates are worth depends on what stands beside them. On sinusoids the *shape* of the step mattered,
# and no single number has it. Here one number, found by a search, does
# about as well.
#
# ### A long step, then short ones
#
# What did the rates for each step learn? We look at the three weight matrices.

# %% tags=["training", "nbval-ignore-output"]
of_three_steps = [part(run, "rate") for run in glyph_runs["3 steps, 18 rates from 0.1"]]
step_rates = {
    name: np.stack([rates[name].cpu().numpy() for rates in of_three_steps])
    for name in ("layers.0.weight", "layers.1.weight", "layers.2.weight")
}
for name, rates in step_rates.items():
    print(name, "mean of 4 runs, by step:", rates.mean(axis=0).round(2))

# %%
first_steps = {name: rates[:, 0] for name, rates in step_rates.items()}
*lower, last_first = first_steps.values()
longest = last_first / step_rates["layers.2.weight"][:, 1:].max(axis=1)
claim(
    "In every run the last layer's first step is its longest, by half or more.", longest.min() > 1.5, longest
)
below_it = max(rates.mean() for rates in lower)
claim("On average it is longer than the first of those below.", last_first.mean() > below_it, first_steps)

# %% [markdown]
# Why long and short? For a quadratic task one can say it exactly. A step of rate $r$ multiplies the distance to the
# optimum along a direction of curvature $\lambda$ by $1 - r\lambda$. With curvatures 1 and 4, a step of rate 1
# removes the first and enlarges the second (factor $-3$); a step of $\tfrac14$ then removes the second. Two steps of
# *different* rates solve what no two equal steps can. In which order the two come is all the same for a quadratic
# task; why the long step comes first here, this does not say. Exercise 5 takes it further.
#
# ## At full size
#
# The setting of Finn et al. (2017) on sinusoids, 25 tasks a step and 70,000 steps: 146 times the tasks of our runs.
# MAML's 0.01 is the number of its paper; nobody searched for a better one at this length. One learned rate stands in
# for a search, but not for a wide one: it, too, begins at 0.01, as do all learned rates here. A learned rate for each
# array is what our six were.   An interval is over 600 test tasks, or, from three training runs on, over the runs.
# The order of the rows is that of their first runs and ranks nobody.

# %%
from reference.results import rows, select

at_full_size = {}
for row in rows(select("regression", data="sinusoids")):
    about = row.about
    mine = at_full_size.setdefault((about["k_shot"], about["learner"]), {})
    mine.setdefault(about["inner_steps"], []).append(row)


def in_a_table(found):
    """The mean of some runs, in words; the interval is over the runs, from three on."""
    means = [row.mean for row in found]
    away = sum(mean is None or mean > 10 for mean in means)
    if away:
        return f"away in {away} of {len(means)}"
    half = found[0].half_width if len(found) < 3 else Score(np.array(means)).half_width
    return f"{np.mean(means):.3f} +- {half:.3f}"


# %%
STEPS = (1, 5, 10)
for k in (10, 5):
    print(f"K = {k}: error after", ", ".join(map(str, STEPS)), "step(s), 95% CI")
    for (k_shot, name), by_step in sorted(at_full_size.items(), key=lambda entry: entry[1][1][0].mean):
        if k_shot == k:
            cells = "  ".join(f"{in_a_table(by_step[n]):16s}" for n in STEPS)
            print(f"   {name:30s} {cells}  runs: {len(by_step[1])}")

# %%
first_step = {
    name: np.array([row.mean for row in of[1]]) for (k, name), of in at_full_size.items() if k == 10
}
one_for_all, six_rates = first_step["one learned rate"], first_step["a learned rate for each array"]
lags = one_for_all - six_rates
claim("K = 10: six learned rates stand ahead of one, in every run.", lags.min() > 0.05, lags)
lags = six_rates - first_step["Meta-SGD"]
claim("Meta-SGD stands ahead of the six, in every run, by less.", 0 < lags.min() < lags.max() < 0.05, lags)
lags = first_step["MAML"] - one_for_all
claim("One learned rate is not told from 0.01.", abs(lags.mean()) < Score(lags).half_width, lags)

# %% [markdown]
# *Away*: in so many runs the mean error is over 10, for some task ran away. With ten points and three runs, after one
# step: a single learned rate has about the error of 0.01, where it began; six take most of what there is to gain; and
# here, after 70,000 steps, the other 1,755 rates take a little more in every run. After ten steps the six and the
# 1761 have run away in every run, as in figure 5. A single number bears repeating better: the learned one gains, on
# average, and with five steps is well below one step of Meta-SGD. But 0.01 is not safe ten times over: in one of
# MAML's three runs some task ran away.
#
# And the real Omniglot, 5-way 1-shot, on the mixed split of chapter 08, with a convolutional network and batch norm.
# Queries can be handed in together, which lets the norm see all of them, or each alone beside the support.

# %%
on_omniglot = {}
for run in select("omniglot", data="characters"):
    has = {"asked": "together", "n_way": 5} | run.settings
    if run.variant in ("maml", "meta-sgd") and has["n_way"] == 5:
        what = run.variant, has["asked"], has["n_steps"], has["test_steps"]
        for row in run.rows:
            if row.about["learner"] == "trained":
                on_omniglot.setdefault(what, {}).setdefault(row.about["transductive"], []).append(row)

print("Omniglot, 5-way 1-shot: accuracies of the test, 95% CI")
for (method, asked_so, outer, inner), by_asking in sorted(on_omniglot.items()):
    print(f"{method:8s} trained asked {asked_so}, {outer:,} steps; test, {inner} inner step(s):", end=" ")
    together, alone = (in_a_table(by_asking[transductive]) for transductive in (True, False))
    print(f"asked together {together}, alone {alone}, runs: {len(by_asking[True])}")

# %%
short = {(what[0], what[1]): by for what, by in on_omniglot.items() if what[2] == 1500}
for asked in ("together", "alone"):
    mine, theirs = (
        np.array([row.mean for row in short[who, asked][asked == "together"]]) for who in ("meta-sgd", "maml")
    )
    lead = mine - theirs
    claim(f"Trained and asked {asked}: Meta-SGD leads, in every run.", lead.min() > 0.01, lead)

# %% [markdown]
# The runs of 1,500 steps had 32 filters and 16 tasks a step. Trained and asked alike, Meta-SGD leads by some points.
# But its rates began at 0.1 and MAML's is 0.4, and nobody searched for either. The long runs are one each: no
# ranking.
#
# ## Freeze the rates
#
# Back to sinusoids and to one task, with Meta-SGD's first run. The figure has a slider for each layer: 0 freezes it,
# 1 leaves its rates as learned, 2 doubles them. The fourth, `own`, goes from the mean of each tensor (0) to the rates
# that each weight learned (1).

# %%
one_run, one_task = runs["Meta-SGD"][0], Examples(test_tasks.support.x[7], test_tasks.support.y[7])
x_line = np.linspace(-5, 5, 201, dtype=np.float32)
truth = Sinusoid(test_tasks.task.amplitude[7], test_tasks.task.phase[7])(x_line[:, None])[:, 0]


def answer(first, middle, last, own):
    """The predictions after a step in which each layer's rates count so many times."""
    count = {"layers.0": first, "layers.1": middle, "layers.2": last}
    chosen = lambda name, rate: count[name.rsplit(".", 1)[0]] * (own * rate + (1 - own) * rate.mean())
    return adapt(changed(one_run, chosen), one_task, network=mlp, loss=squared_error)(x_line[:, None])[:, 0]


# %%
from reference.figures import show_rates

_ = show_rates(answer, one_task, x_line, truth, first=1.0, middle=0.0, last=1.0, own=1.0)
plotting.show(
    "A sinusoid as a dotted line with ten support points as stars. The curve before the step is another "
    "wave; the curve after the learned step lies close to the dotted line; the third curve, with the middle "
    "layer frozen, lies between."
)

# %% [markdown]
# **Figure 6.** One step on ten points (stars) turns the average of all tasks into this one. With the middle layer
# frozen much of the way is still made. It is one task; the table under "Does each rate matter?" speaks for 600.

# %% tags=["interactive", "nbval-ignore-output"]
from reference.widgets import sliders

often = (0.0, 2.0, 1.0)
sliders(
    show_rates, answer, one_task, x_line, truth, first=often, middle=often, last=often, own=(0.0, 1.0, 1.0)
)

# %% [markdown]
# Try this. Move `own` from 1 to 0 and watch the curve leave the points. Freeze the layers one by one: which one can
# be spared? Double all three: does the step go past the points?
#
# ## What differs from the papers, and what breaks it
#
# - Li et al. (2017) begin all rates at one number drawn at random; ours begin at a number that we give. They sum over
#   tasks where we average. They also report classification on Omniglot and miniImageNet, and reinforcement learning.
# - Of the changes that make up MAML++ (Antoniou et al. 2019) we took one, the rates for each layer and step (in their
#   code, as in ours, for each *tensor*). The others are a loss after every step, first-order steps early in training,
#   batch normalisation of its own for each step, and an outer rate that falls as a cosine.
# - It breaks where more steps are taken than were trained, and where training tasks are few. It fell short here where
#   the first rates were far from good ones.
# - Rates double what the outer optimiser stores. The inner step costs hardly more than MAML's.
# - The rates are a diagonal. Directions that mix weights are out of reach; Park & Oliva (2019) learn small matrices
#   in their place.
#
# Two roads lead on. **ALFA** (Baik et al. 2020) makes the step depend on the task. In place of our rates a small
# network is learned: at every inner step it is given the mean of the weights and of the gradients of each layer, and
# answers with the rates and a decay of the weights for this step. With such steps even a random start, never learned,
# could do better than MAML in their experiments. So the chapter's question can be turned around: if the step is good
# enough, what is the learned start for? **CAVIA** (Zintgraf et al. 2019) moves less. It adds a few *context*
# parameters as further inputs of the network, and the inner loop adapts these alone. On sinusoids two numbers,
# amplitude and phase, tell a task from another, so little need move. The authors find it less prone to learning its
# training tasks by heart than MAML. Seen from here, CAVIA sets nearly all rates to zero before it begins.
#
# ## From the museum: rates that follow the weights
#
# This bug stood in the Meta-SGD of a published book. (The book's gradient in $\theta$ lacked the Hessian as well;
# here that is mended, to have one bug at a time.) It is re-created small, on quadratic tasks of curvatures 1 and 4
# whose four optima lie around $(0.5, 0.1)$. Everything is written out, without the engine.

# %%
corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
museum_optima = np.array([0.5, 0.1]) + 0.45 * corners
museum_tasks = [Quadratic(c, np.diag([1.0, 4.0])) for c in museum_optima]


def mean_loss(theta, alpha):
    return np.mean([loss_after(theta, alpha, task, task, 1) for task in museum_tasks])


# %%
def museum_gradient(theta, alpha):
    """The gradients in theta and in alpha."""
    total = np.zeros(2)
    for task in museum_tasks:
        g = task.gradient(theta - alpha * task.gradient(theta))
        total += g - task.curvature @ (alpha * g)
    return total / len(museum_tasks), total / len(museum_tasks)


# %%
def meta_learn(gradient, theta):
    """Weights and rates after 1000 outer steps from theta and from rates of 0.1."""
    alpha = np.array([0.1, 0.1])
    for _ in range(1000):
        in_theta, in_alpha = gradient(theta, alpha)
        theta, alpha = theta - 0.05 * in_theta, alpha - 0.05 * in_alpha
    return theta, alpha


# %%
begin = np.zeros(2)
museum_theta, museum_alpha = meta_learn(museum_gradient, begin)
at_first, at_end = mean_loss(begin, np.full(2, 0.1)), mean_loss(museum_theta, museum_alpha)
print(f"loss: {at_first:.4g} at first, {at_end:.4g} at the end")
print("weights:", museum_theta.round(3), " rates:", museum_alpha.round(3))

# %% [markdown]
# It trains. The loss falls to about a tenth; the rates have grown, and they differ from each other. No shape is
# wrong. But all tasks have curvatures 1 and 4, so the rates should become $(1, \tfrac14)$. And where they end depends
# on where the *weights* begin:

# %%
for first_theta in (np.zeros(2), np.array([1.0, 0.3])):
    theta_end, alpha_end = meta_learn(museum_gradient, first_theta)
    print("begin", first_theta, " rates", alpha_end.round(3), f" loss {mean_loss(theta_end, alpha_end):.4g}")
    print("   weights moved by", (theta_end - first_theta).round(3), " rates by", (alpha_end - 0.1).round(3))

# %% [markdown]
# **Your turn.** Compare how far weights and rates have moved before you read on, and find the line in
# `museum_gradient`.
#
# The weights and the rates moved by the same amounts, number for number. A test that asks small differences about
# *both* gradients stops it. (The error is meant to be there.)


# %%
def check_both_gradients(gradient, loss, theta, alpha):
    """Stop unless gradient(theta, alpha) is what small steps find, in theta and in alpha."""
    in_theta, in_alpha = gradient(theta, alpha)
    expected = small_steps(lambda x: loss(x, alpha), theta), small_steps(lambda x: loss(theta, x), alpha)
    for name, found, wanted in (("theta", in_theta, expected[0]), ("alpha", in_alpha, expected[1])):
        assert np.allclose(found, wanted, atol=1e-6), (
            f"in {name}: expected {wanted.round(3)}, got {found.round(3)}"
        )
    print("both gradients are right")


# %% tags=["raises-exception"]
check_both_gradients(museum_gradient, mean_loss, np.array([1.0, -1.0]), np.array([0.1, 0.2]))

# %% [markdown]
# The gradient in $\theta$ passes. The one in $\alpha$ is the gradient in $\theta$ once more. It should be $-g \circ
# s$, with the support gradient $s$ of each task; `walk_back` of exercise 4 has it right.


# %%
def mended_gradient(theta, alpha):
    """The gradients in theta and in alpha, each its own."""
    both = [walk_back(theta, alpha, task, task, 1) for task in museum_tasks]
    return tuple(np.mean(both, axis=0))


check_both_gradients(mended_gradient, mean_loss, np.array([1.0, -1.0]), np.array([0.1, 0.2]))

# %%
for first_theta in (np.zeros(2), np.array([1.0, 0.3])):
    _, alpha_end = meta_learn(mended_gradient, first_theta)
    there = np.allclose(alpha_end, [1, 0.25], atol=1e-3)
    claim(f"From {first_theta} the rates go to 1 and 1/4.", there, alpha_end)

# %% [markdown]
# In the book nobody could see it: the labels of its tasks were drawn at random, so no step could have helped. The bug
# has a quiet cousin. In 2020 a user of the library learn2learn printed the rates of its Meta-SGD after each outer
# step, and saw that they never changed (issue 167, mended since). The lesson of both: look at what is learned, and
# test a gradient in *every* argument it is meant for.
#
# ## Exercises
#
# Exercises 1 to 4 built the method. These need `with_rates`, `by_weight`, `meta_gradient`, `loss_after` and
# `train_on_quadratics`.

# %% [markdown]
# ### Exercise 5: As many steps as curvatures
#
# *Difficulty: medium. Time: 20 minutes. Points: 3.*
#
# All tasks of a family have the same curvature matrix $A$, symmetric and positive definite, and any optima. Each
# inner step now has *one* rate for all weights, and another in every step: $\theta_{j+1} = \theta_j - r_j\,
# A\,(\theta_j - c)$. Write `solving_rates(curvature)`: rates $(r_0, r_1, \dots)$, an array, that end at $c$ from any
# $\theta$, with as **few** steps as can be. Prove to yourself that fewer are not enough. Eigenvalues that agree to
# $10^{-6}$ count as one.
#
# <details><summary>Hint 1</summary>
#
# Along an eigenvector of $A$ with eigenvalue $\lambda$ a step multiplies the distance to $c$ by $1 - r_j \lambda$.
# What must the product over all steps be?
#
# </details>
# <details><summary>Hint 2</summary>
#
# For each eigenvalue some factor must be zero, so that $r_j = 1/\lambda$ for one $j$. One step serves all directions
# with the same eigenvalue.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `np.linalg.eigvalsh(curvature)` gives the eigenvalues in order, the equal ones side by side. Keep those that differ
# from the one before.
#
# </details>


# %% tags=["setup"]
def distance_left(rates, curvature):
    """How far from the optimum the worst start of length one ends."""
    steps = np.eye(len(curvature))
    for rate in rates:
        steps = (np.eye(len(curvature)) - rate * curvature) @ steps
    return np.linalg.norm(steps, 2)


# %% solution="solving-rates"
def solving_rates(curvature):
    """The fewest step sizes, one a step for all weights, that solve every task of this curvature."""
    ### BEGIN SOLUTION
    eigenvalues = np.linalg.eigvalsh(curvature)
    new = np.diff(eigenvalues, prepend=-np.inf) > 1e-6
    return 1 / eigenvalues[new]
    ### END SOLUTION


# %% test="solving-rates" points=1
r = solving_rates(np.diag([1.0, 4.0]))
assert not isinstance(r, set | None), f"An array of rates is asked for, in the order of the steps, got {r}."
r = np.asarray(r)
assert r.ndim == 1, f"A step has one number for all weights: expected one axis, got the shape {r.shape}."
assert r.shape == (2,), f"Curvatures 1 and 4 need two steps, one for each: got rates of shape {r.shape}."
assert not np.allclose(np.sort(r), [1, 4]), (
    "These are the curvatures. A step of rate r leaves 1 - r a of the distance."
)
assert np.allclose(np.sort(r), [0.25, 1]), (
    f"Curvatures 1 and 4 need the rates 1 and 1/4 in some order, got {r}."
)
turned = np.array([[2.0, 1.0], [1.0, 2.0]])
r = np.asarray(solving_rates(turned.copy()))
story = f"With A = [[2, 1], [1, 2]] a distance of {distance_left(r, turned):.3g} is left."
along_axes = np.allclose(r, 0.5)
assert not along_axes, f"{story} The curvatures that matter are along the eigenvectors, not along the axes."
assert distance_left(r, turned) < 1e-5, story

# %% test="solving-rates" points=2
three_alike = 3 * np.eye(4)
n = len(solving_rates(three_alike))
assert n == 1, f"With A = 3 I every direction has the same curvature: one step is enough, got {n}."
basis = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5))).Q


def fault(eigenvalues, n_steps):
    turned = basis @ np.diag(eigenvalues) @ basis.T
    r = solving_rates(turned.copy())
    story, left = f"Eigenvalues {eigenvalues}, computed with rounding", distance_left(r, turned)
    if len(r) != n_steps:
        return f"{story}: {n_steps} steps are enough and needed, got {len(r)}."
    return f"{story}: a distance of {left:.3g} is left." if left > 1e-5 else ""


for eigenvalues, n_steps in (([0.5, 2.0, 2.0, 2.0, 5.0], 3), ([0.5, 0.5, 2.0, 2.0001, 2.0001], 3)):
    assert not fault(eigenvalues, n_steps), fault(eigenvalues, n_steps)
### BEGIN HIDDEN TESTS
assert not fault([0.3, 0.6, 0.9, 1.2, 1.5], 5), fault([0.3, 0.6, 0.9, 1.2, 1.5], 5)
### END HIDDEN TESTS
print("solving_rates: passed")

# %% [markdown]
# ### Exercise 6: Rates that cannot turn
#
# *Difficulty: easy. Time: 15 minutes. Points: 3.*
#
# Some programs keep a rate positive by learning its logarithm: the parameter is $\rho$, the rate is $e^{\rho}$. Write
# two functions that fit into the chapter's `meta_gradient`:
#
# - `with_log_rates(start, *, inner_lr)`: like `with_rates`, but the entries under `rate.` hold $\rho$, and the first
#   step has the rate `inner_lr`;
# - `by_exponent(rates)`: like `by_weight`, for rates given as $\rho$.
#
# Before you run the last test: on the family of the wrong way, where the best rates are $(-1, \tfrac13)$, where will
# these two rates go?
#
# <details><summary>Hint 1</summary>
#
# Only two places differ from the chapter's functions: the number at the start, and the factor in the step.
#
# </details>
# <details><summary>Hint 2</summary>
#
# The engine must see the exponential, or the gradient in $\rho$ is wrong: `np.exp` works on the engine's tensors, as
# on arrays.
#
# </details>
# <details><summary>Hint 3</summary>
#
# $\rho = \ln(\texttt{inner\_lr})$, and the step is `p - np.exp(rates[name]) * gradient[name]`. The chain rule gives
# $dL/d\rho = e^{\rho}\, dL/d\alpha$ by itself.
#
# </details>


# %% solution="log-rates"
### BEGIN SOLUTION
def with_log_rates(start, *, inner_lr):
    params = with_rates(start, inner_lr=inner_lr)
    return {name: np.log(p) if name.startswith("rate.") else p for name, p in params.items()}


def by_exponent(rates):
    return by_weight({name: np.exp(rate) for name, rate in rates.items()})


### END SOLUTION


# %% test="log-rates" points=1
made = with_log_rates({"theta": np.array([0.5, -1.0])}, inner_lr=0.1)
named = isinstance(made, dict) and made.keys() == {"start.theta", "rate.theta"}
assert named, f"Expected a dict with start.theta and rate.theta, as with_rates gives it, got {made}."
rho = made["rate.theta"]
story = f"inner_lr = 0.1: every rho is ln 0.1 = -2.303, got {np.ravel(rho)}."
assert np.shape(rho) == (2,), f"One rho for every weight: shape (2,), got {np.shape(rho)}."
assert np.allclose(made["start.theta"], [0.5, -1]), "The weights under start. should stay as they are."
assert not np.allclose(rho, 0.1), f"{story} Then the first step has the rate e^0.1: where is the logarithm?"
assert np.allclose(rho, np.log(0.1)), story
rule = by_exponent({"theta": np.log([0.5, 2.0])})
assert isinstance(rule, Rule), "by_exponent gives a rule, as by_weight does: Rule(init, update)."
moved = rule.update({"theta": np.ones(2)}, {"theta": np.full(2, 2.0)}, rule.init({}))[0]["theta"]
story = f"Rates 0.5 and 2, a gradient of 2: expected the step from 1 to end at (0, -3), got {moved}"
assert not np.allclose(moved, [2, 5]), f"{story}: that is uphill."
assert not np.allclose(moved, [-1, -4]), f"{story}: that is the move alone, without the weights."
assert np.allclose(moved, [0, -3]), f"{story}."

# %% test="log-rates" points=1
wrong_way = Quadratic(np.ones(2), np.array([[1.0, -2.0], [-2.0, 5.0]]))
both = as_episode(wrong_way, wrong_way)
origin = lambda: {"theta": np.array([0.5, -1.0])}
plain, _ = meta_gradient(with_rates(origin(), inner_lr=0.1), both, loss=quadratic_loss)
logged, _ = meta_gradient(
    with_log_rates(origin(), inner_lr=0.1), both, loss=quadratic_loss, rule_of=by_exponent
)
story = "The gradient in rho should be e^rho times that in alpha"
assert np.any(logged["rate.theta"]), (
    f"{story}, got zeros: no gradient reaches rho. Was the exponential taken outside of the engine?"
)
assert np.allclose(logged["rate.theta"], 0.1 * plain["rate.theta"]), (
    f"{story}: expected {0.1 * plain['rate.theta']}, got {logged['rate.theta']}. "
    "Does the engine see the whole way from rho to the step?"
)
assert np.allclose(logged["start.theta"], plain["start.theta"]), (
    "The gradient in the weights should be the same."
)

# %% test="log-rates" points=1
line_of_optima = [Quadratic(t * np.ones(2), wrong_way.curvature) for t in (1.0, -1.0)]
settings = {"n_steps": 500, "rule_of": by_exponent, "outer_lr": 0.05}
found, _ = train_on_quadratics(
    line_of_optima, with_log_rates({"theta": np.zeros(2)}, inner_lr=0.1), **settings
)
ends = np.exp(found["rate.theta"])
print("the two rates end at", ends.round(3))
assert ends[0] < 0.01, f"Where should a rate end that would be -1 and cannot be negative? Got {ends[0]:.3g}."
assert abs(ends[1] - 0.2) < 0.02, (
    f"With the first at 0 the best second rate is 9/45 = 0.2, got {ends[1]:.3g}."
)
### BEGIN HIDDEN TESTS
by_matrix = by_exponent({"a": np.zeros(1), "b": np.full((2, 2), np.log(3.0))})
places, slopes_there = {"a": np.ones(1), "b": np.zeros((2, 2))}, {"a": np.ones(1), "b": np.eye(2)}
moved, _ = by_matrix.update(places, slopes_there, by_matrix.init(places))
assert np.allclose(moved["a"], 0) and np.allclose(moved["b"], -3 * np.eye(2)), (
    f"Two tensors with the rates 1 and 3: expected 0 and minus 3 times the identity, got {moved}."
)
### END HIDDEN TESTS
print("log rates: passed")

# %% [markdown]
# ### Exercise 7: The clipped rates
#
# *Difficulty: easy. Time: 15 minutes. Points: 4.*
#
# A colleague has trained Meta-SGD, finds that a quarter of the rates is negative, says "a learning rate is positive",
# sets them to zero, and ships the rest. In five to seven sentences: (a) What does it mean, in terms of two gradients,
# that a learned rate is negative? (b) What happened to the error in this chapter when the finished rates were
# clipped, and when they were kept above zero all through training, and why do the two differ? (c) What should the
# colleague do, if there must be no negative rates? (d) On glyphs with one step, what beat the Meta-SGD that began at
# 0.1, and at what cost?
#
# <details><summary>Hint 1</summary>
#
# $\mathbb{E}\,[dL/d\alpha_i] = -\mathbb{E}\,[g_i s_i]$. What sign has this product if the rate is pushed below zero?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Look at the table under "Does each rate matter?" and at the rows with a floor in figure 2.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Weights and rates were learned together. What do the weights know about the rates?
#
# </details>

# %% [markdown] answer="clipped-rates" points=4
# <!-- BEGIN SOLUTION -->
# (a) A rate is pushed below zero where the support gradient before the step and the query gradient after it disagree
# in sign on average, although this weight has not moved: the other weights' moves overshoot or bend the curve where
# the query does not want it, and this weight must go against its own support gradient to put it right. (b) Clipping
# the finished rates made the error many times as large, about that of no step at all or more. Kept above zero in
# training, 1761 rates lost little or nothing, six rates part of their gain. The weights were
# learned together with the rates and rely on them; if some are removed afterwards, what they were to
# correct stays uncorrected, while in training the weights could adapt to positive rates. (c) Train with positive
# rates from the start (a floor at zero, or the logarithm of the rate as the parameter), and compare on the same
# tasks. (d) MAML with the single rate 2, which was searched for; the search took a training run for each of four
# rates, and validation scripts to judge them by.
# <!-- END SOLUTION -->

# %% [markdown]
# <details><summary>A model answer, and what a grader looks for (open it after you have written yours)</summary>
#
# (a) On average over tasks the support gradient before the step and the query gradient after it disagree in sign,
# although this weight has not moved: the other weights' moves overshoot, and this one puts it right. (b) Clipping the
# finished rates made the error many times as large. Kept above zero in training, 1761 rates lost little or nothing,
# six rates part of their gain. Weights and rates are learned together; what is removed afterwards nobody corrects.
# (c) Train with positive rates from the start, by a floor or the logarithm, and compare over several runs. (d) MAML
# with the rate 2, at the price of four training runs, and of validation scripts to judge them by.
#
# A grader looks for, a point each: two gradients, *at two places*, that disagree on average; both halves of (b) *and*
# the reason; retraining, not another way of clipping, and a comparison; the searched rate, with its price.
#
# </details>

# %% [markdown]
# ### Exercise 8: When support and query differ
#
# *Difficulty: hard. Time: 35 minutes. Points: 5.*
#
# "The best rates of a family" took one loss for both support and query, and one curvature for all tasks. Real
# episodes have neither. Write `rates_of_family(theta, pairs)`: the rates (d,) with the least *mean* query loss after
# one step from `theta` (d,). `pairs` is a list of (support, query), each a `Quadratic` with an optimum and a
# curvature of its own. Derive it on paper, as the chapter did.
#
# Before you run the tests, guess. One coordinate, curvature 1, query optima at $\pm 1$, and support optima that miss
# the query's by noise of standard deviation $\sigma$. Without noise the best rate is 1. What is it with $\sigma = 1$?
#
# The first test is a pencil's, with $\sigma = \tfrac12$: support optima $\pm \tfrac12$ and $\pm \tfrac32$. The second
# has three coordinates and a start that is not zero; at the best rates no slope is left.
#
# <details><summary>Hint 1</summary>
#
# Call the query's curvature $B$ and its optimum $q$. How does $g = B(\phi - q)$ depend on $\alpha$? It is no longer
# made of $s$ alone.
#
# </details>
# <details><summary>Hint 2</summary>
#
# At the best rates the mean of $g_i s_i$ over the tasks is zero, for every $i$. Sort its terms: those without
# $\alpha$, and those with it. You get $d$ equations in $d$ unknowns.
#
# </details>
# <details><summary>Hint 3</summary>
#
# $B$ and $s$ now belong to a task. So what has to be averaged over tasks, products or their factors? Try it with two
# tasks that differ in curvature.
#
# </details>


# %% tags=["setup"]
def a_family(rng, theta, *, own_query, own_curvature, n_tasks=6):
    """Pairs (support, query) of Quadratic losses; with one curvature, and one loss for both, unless asked."""
    pairs, common = [], Quadratics(dimension=len(theta)).sample(rng).curvature
    for _ in range(n_tasks):
        support, query = (Quadratics(dimension=len(theta)).sample(rng) for _ in range(2))
        if not own_curvature:
            support, query = support._replace(curvature=common), query._replace(curvature=common)
        pairs.append((support, query if own_query else support))
    return pairs


def slope_left(rates, theta, pairs):
    """The slope of the mean query loss after one step in the rates, by small differences."""
    mean = lambda alpha: np.mean([loss_after(theta, alpha, *pair, 1) for pair in pairs])
    return small_steps(mean, np.asarray(rates, dtype=float))


# %% tags=["setup"]
def noisy(sigma):
    """Four tasks in one coordinate: query optima at -1 and 1, support optima off by -sigma and sigma."""
    at = lambda c: Quadratic(np.array([c]), np.eye(1))
    return [(at(c + sign * sigma), at(c)) for c in (-1.0, 1.0) for sign in (-1, 1)]


# %% tags=["setup"]
from copy import deepcopy


def check_a_family(rates_of_family, seed, words, **own):
    """Stop where the mean loss of a random family could still be lowered."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=3)
    pairs = a_family(rng, theta, **own)
    came = rates_of_family(theta.copy(), deepcopy(pairs))
    assert np.shape(came) == (3,), f"Three coordinates have three rates, got shape {np.shape(came)}."
    slope = slope_left(came, theta, pairs)
    assert np.abs(slope).max() < 1e-4, f"{words} The slope left in the rates is {slope.round(4)}, expected 0."


# %% solution="rates-of-family"
def rates_of_family(theta, pairs):
    """The rates (d,) with the least mean query loss after one step from theta, over (support, query)."""
    ### BEGIN SOLUTION
    left, right = 0.0, 0.0
    for support, query in pairs:
        s = support.gradient(theta)
        left = left + query.curvature * np.outer(s, s)
        right = right + query.gradient(theta) * s
    return np.linalg.solve(left, right)
    ### END SOLUTION


# %% test="rates-of-family" points=2
came = np.asarray(rates_of_family(np.zeros(1), noisy(0.5)))
assert came.shape == (1,), f"One coordinate has one rate, in an array (1,): got shape {came.shape}."
story = f"With noise of 1/2 the pencil says 0.8, got {came[0]:.4g}"
assert not np.isclose(came[0], 1), (
    f"{story}: the rate where the query is the support. Where do they come apart, and whose step is it?"
)
assert not np.isclose(came[0], 4 / 3), f"{story}: the mean of each task's best rate. All tasks share one."
assert not np.isclose(came[0], [2 / 3, 2]).any(), f"{story}: the best rate of a single task."
assert not np.isclose(came[0], -0.8), f"{story}: follow the minus of the step."
assert not np.isclose(came[0], 0), f"{story}: the learner would stay where it is."
assert np.isclose(came[0], 0.8), f"{story}."


# %% test="rates-of-family" points=3
tied_by_a = "One curvature, one loss for both: each rate is its own unknown, and A ties it to the others."
check_a_family(rates_of_family, 0, tied_by_a, own_query=False, own_curvature=False)
queries = "One curvature, queries with optima of their own:"
check_a_family(rates_of_family, 1, queries, own_query=True, own_curvature=False)
wild = (
    "Curvatures of their own: whose curvature does the step meet, and is a product averaged or its factors?"
)
check_a_family(rates_of_family, 2, wild, own_query=True, own_curvature=True)
### BEGIN HIDDEN TESTS
check_a_family(rates_of_family, 3, wild, own_query=True, own_curvature=True)
assert np.isclose(np.sum(rates_of_family(np.zeros(1), noisy(1.0))), 0.5), "With noise of 1 it is 1/2."
### END HIDDEN TESTS
by_noise = [np.sum(rates_of_family(np.zeros(1), noisy(sigma))) for sigma in (0, 0.5, 1, 2)]
print("the best rate with noise of 0, 1/2, 1, 2:", *np.round(by_noise, 4))

# %% [markdown]
# Compare with your guess: the noisier the support, the shorter the best step.

# %% [markdown]
# ## Summary
#
# - Meta-SGD learns a rate for every weight with the weights: $dL/d\theta = (I - HD)\,g$ and $dL/d\alpha = -g \circ
#   s$.
# - A rate grows where the support gradient before the step agrees with the query gradient after it; it turns negative
#   where they disagree.
# - The rates choose the kernel with which a support point pulls the prediction; on sinusoids it comes near a cosine,
#   and six of them suffice for most of the gain. A single one gains little, and began too large, it ends behind.
# - Learned rates belong to their weights and to about the number of steps they were trained for; 20 tasks were too few
#   to learn 1761 of them from.
# - On our glyphs one searched rate does as well, to within a few points; learned rates make up for a bad first guess,
#   in part or in full.
#
# ## Read more
#
# - Zhenguo Li, Fengwei Zhou, Fei Chen, Hang Li, 2017, Meta-SGD: Learning to Learn Quickly for Few-Shot Learning,
#   arXiv:1707.09835.
# - Antreas Antoniou, Harrison Edwards, Amos Storkey, 2019, How to train your MAML, arXiv:1810.09502.
# - Chelsea Finn, Pieter Abbeel, Sergey Levine, 2017, Model-Agnostic Meta-Learning for Fast Adaptation of Deep
#   Networks, arXiv:1703.03400.
# - Sungyong Baik, Myungsub Choi, Janghoon Choi, Heewon Kim, Kyoung Mu Lee, 2020, Meta-Learning with Adaptive
#   Hyperparameters, arXiv:2011.00209: ALFA.
# - Luisa Zintgraf, Kyriacos Shiarlis, Vitaly Kurin, Katja Hofmann, Shimon Whiteson, 2019, Fast Context Adaptation via
#   Meta-Learning, arXiv:1810.03642: CAVIA.
# - Eunbyung Park, Junier Oliva, 2019, Meta-Curvature, arXiv:1902.03356: small matrices in place of the rates.
# - Arthur Jacot, Franck Gabriel, Clement Hongler, 2018, Neural Tangent Kernel: Convergence and Generalization in
#   Neural Networks, arXiv:1806.07572: the kernel of a gradient step.
