# %% [markdown] teaches=["reference.scratch.autodiff", "reference.scratch.nn", "reference.rules", "reference.scratch.unroll", "reference.pytorch.unroll"]
# # Differentiation you can differentiate
#
# **Question.** How can a program find the gradient of a function that takes gradient steps itself?
#
# **Objectives.** After this chapter you can
#
# - build an engine, in about a hundred lines, whose gradients can be differentiated again,
# - derive how an operation sends a gradient back (its vjp), and check it to second order,
# - multiply a vector by a Hessian without ever forming the Hessian,
# - say what one `detach` removes from a meta-gradient,
# - predict how the memory of $k$ unrolled steps grows with $k$.
#
# **Prerequisites.** The chain rule, partial derivatives, the product of two matrices; NumPy. The symbols are
# those of the table in chapter 01.
#
# **Time.** 70 minutes to read, 140 minutes of exercises, 1 minute to run.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from reference import plotting
from reference.checks import claim, same

plt.style.use(plotting.STYLE)

# %% [markdown]
# ## Why one derivative is not enough
#
# Many learners of this course adapt to a task by a gradient step. They hold parameters $\theta$, look at the
# support loss $L_S$ of the task, and move to
#
# $$\phi = \theta - \alpha \, \nabla L_S(\theta),$$
#
# with the inner learning rate $\alpha$. How good was $\theta$? As good as the query loss $L_Q(\phi)$ *after* the
# step. To improve $\theta$ we need the slope of $L_Q(\phi)$ in $\theta$, and $\phi$ contains a gradient. So we
# must differentiate a gradient.
#
# Take the smallest case: one number $\theta$, $L_S(\theta) = \tfrac12 \cdot 4\,\theta^2$ and
# $L_Q(\phi) = \tfrac12 (\phi - 2)^2$. The gradient of $L_S$ is $4\theta$. With $\theta = 1$ and $\alpha = 0.1$ the
# step gives $\phi = 0.6$. What is the slope of the loss after the step? We ask a small difference: the loss a little to the
# right, less the loss a little to the left, over the distance.


# %%
def loss_after_step(theta, inner_lr=0.1):
    phi = theta - inner_lr * 4 * theta  # 4 * theta is the gradient of L_S
    return (phi - 2) ** 2 / 2


h = 1e-5
slope = (loss_after_step(1 + h) - loss_after_step(1 - h)) / (2 * h)
print(f"slope of the query loss after the step: {slope:.4g}")

# %% [markdown]
# The chain rule says why. $\phi$ changes by $1 - 4\alpha = 0.6$ when $\theta$ changes by 1, and $L_Q$ has the slope
# $\phi - 2 = -1.4$ at $\phi = 0.6$. The product is $-0.84$. The factor $1 - 4\alpha$ holds the *second* derivative
# of $L_S$, which is 4. Somebody who forgets that the gradient in the step depends on $\theta$ finds $-1.4$.
#
# In this chapter we build a machine that gets the factor right, for any loss and any number of steps.
#
# **Predict.** Write down two guesses before you read on.
#
# 1. An *engine* is a program that finds gradients. There is one that hands back every gradient as an ordinary number,
#    right to the last digit. Somebody takes the step with it, and asks it for the slope above. Does it stop with an
#    error, give $-0.84$, or give $-1.4$?
# 2. A loss has $d$ parameters, so its Hessian $H$ (the table of all second derivatives) has $d^2$ entries. You
#    want $Hv$ for one vector $v$. Is the cost about that of a few gradients, of $d$ gradients, or of $d^2$?
#
# The second answer comes under "Experiment", the first under "From the museum".

# %% [markdown]
# ## By hand
#
# We start with $f(x) = x^3$ at $x = 2$, written as two multiplications. After the input come two lines forward and
# three backward. Each backward line asks how much $y$ changes when one earlier number changes. We write $\bar u$ (in code
# `gu`) for the slope of $y$ in $u$.

# %%
x = 2.0
u = x * x
y = u * x
gy = 1.0  # y changes as y
gu = gy * x  # from y = u * x
gx = gy * u + gu * x + gu * x  # x was used three times: once in y, twice in u
print("value:", y, " slope:", gx)

# %% [markdown]
# The slope of $x^3$ is $3x^2 = 12$, as found. Now the observation on which the whole chapter rests: **the backward
# lines are multiplications and additions too.** They are a program that computes `gx` from `x`. So we can go
# backward through them once more, with the same rules. Now `g_gu` is the slope of `gx` in `gu`, and so on. The second
# derivative is $6x$, which is 12 at $x = 2$ too. Small steps, which know nothing of our rules, are asked as well. (`claim`
# prints its sentence if it holds, and stops the notebook if it does not.)

# %%
g = 1.0
g_gu = g * x + g * x  # from gx = gy * u + gu * x + gu * x
g_u = g * gy
second = g * gu + g * gu  # x stands twice in the line of gx,
second += g_gu * gy  # once in the line of gu,
second += g_u * x + g_u * x  # and twice in the line of u
by_steps = ((2 + 1e-4) ** 3 - 2 * 2**3 + (2 - 1e-4) ** 3) / 1e-8  # how much the slope changes
claim(
    "The second slope is 12, by hand and by small steps.",
    second == 12 and abs(by_steps - 12) < 1e-4,
    second,
    by_steps,
)

# %% [markdown]
# ## Build it: a tensor that remembers
#
# Going backward by hand is dull and exact, which is work for a machine. It needs to know, for every number, what
# it was computed from, and how to send a gradient back. So we let numbers remember.
#
# From here on "the gradient of $u$" is short for the gradient of the final number $y$ in $u$, the $\bar u$ of above.
# A `Tensor` holds an array, and for every operand a pair: the operand, and a function called its **vjp**. The vjp
# takes the gradient of the result and gives the gradient of the operand. (The name is short for vector-Jacobian
# product; the derivation below says why.) A plain array is a constant: nothing flows back to it, so we drop it.
# The depth of a tensor is one more than that of its deepest operand, so operands always lie less deep than results.
#
# Now and then we want the plain array of a tensor. `detach` gives it, *without* the memory. It looks harmless; it
# will turn out to be the switch between first-order and second-order meta-learning.


# %% tags=["setup"]
class Tensor:
    """An array that remembers what it was computed from."""

    __array_ufunc__ = None  # in `array * tensor`, NumPy leaves the work to us

    def __init__(self, value, parents=()):
        self.value = np.asarray(value, dtype=float)
        self.parents = [(x, vjp) for x, vjp in parents if isinstance(x, Tensor)]
        self.depth = 1 + max([x.depth for x, _ in self.parents], default=-1)


Tensor.shape = property(lambda x: x.value.shape)


# %% tags=["setup"]
def detach(x):
    """The plain array of x, without its memory."""
    return x.value if isinstance(x, Tensor) else np.asarray(x, dtype=float)


# %% [markdown]
# An operation computes its value on plain arrays, and writes beside it the vjp of each operand. For the sum, the
# gradient goes back unchanged, to both.
#
# A vjp gets a *tensor* `g` and gives a *tensor*, made by the very operations that we are defining. So when a vjp runs, what
# it does is recorded as well. This is the only trick. (Python's `+` and `*` are told here which functions they stand
# for. `mul` comes next: you write it.)


# %% tags=["setup"]
def add(a, b):
    return Tensor(detach(a) + detach(b), [(a, lambda g: g), (b, lambda g: g)])


Tensor.__add__ = Tensor.__radd__ = add
Tensor.__mul__ = Tensor.__rmul__ = lambda a, b: mul(a, b)
Tensor.__neg__ = lambda a: -1.0 * a
Tensor.__sub__ = lambda a, b: a + -1.0 * b
Tensor.__rsub__ = lambda a, b: b + -1.0 * a


# %% tags=["setup"]
def remembers(result, operand):
    """Whether the result was computed from this operand, through however many steps."""
    return result is operand or any(remembers(parent, operand) for parent, _ in result.parents)


# %% [markdown]
# ### Exercise 1: The product
#
# *Difficulty: easy. Time: 10 minutes. Points: 2.*
#
# Write `mul(a, b)`, the product entry by entry of two tensors of one shape (or of a tensor and a constant), as one
# `Tensor(...)` with the vjp of each operand.
#
# <details><summary>Hint 1</summary>
#
# The pencil did it above, in the line for `gu` and in that for `gx`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# If $a$ changes by 1, by how much does $ab$ change? And then $y$, if the gradient of $ab$ is $g$?
#
# </details>
# <details><summary>Hint 3</summary>
#
# The second derivative needs to know that the first one depends on the operands. What may a vjp not do to them?
#
# </details>


# %% solution="mul"
def mul(a, b):
    """a * b, entry by entry."""
    ### BEGIN SOLUTION
    return Tensor(detach(a) * detach(b), [(a, lambda g: g * b), (b, lambda g: g * a)])
    ### END SOLUTION


# To go on without it: from reference.checks.lent import mul


# %% test="mul" points=2
a, b, g = Tensor([2.0, 3.0]), Tensor([5.0, -1.0]), Tensor([1.0, 10.0])
product = mul(a, b)
assert isinstance(product, Tensor), f"return a Tensor, not a {type(product).__name__}."
assert np.allclose(product.value, [10, -3]), f"(2, 3) times (5, -1) is (10, -3), got {product.value}."
assert product.depth == 1, "write one Tensor(...) whose operands are a and b themselves."
to = {name: [vjp for p, vjp in product.parents if p is x] for name, x in (("a", a), ("b", b))}
assert [len(vjps) for vjps in to.values()] == [1, 1], "one vjp belongs to each of the operands a and b."
for name, other, right in (("a", b, [5, -10]), ("b", a, [2, 30])):
    back = to[name][0](g)
    assert isinstance(back, Tensor), f"the vjp of {name} gives a {type(back).__name__}, which has no memory."
    assert np.allclose(back.value, right), (
        f"a = (2, 3), b = (5, -1) and g = (1, 10) should send {right} back to {name}, got {back.value}."
    )
    for what, one in (("g", g), ("the other operand", other)):
        assert remembers(back, one), f"what the vjp of {name} gives has forgotten that it depends on {what}."
try:
    assert len(mul(a, 3.0).parents) == 1 and np.allclose(mul(3.0, a).value, [6, 9]), "3 is a constant."
except AttributeError as error:
    raise AssertionError(f"3.0 is an operand, too: {error}. What gives the array of either kind?") from None
### BEGIN HIDDEN TESTS
square = mul(a, a)
assert len(square.parents) == 2 and np.allclose(square.parents[1][1](g).value, [2, 30]), "a * a has a twice."
### END HIDDEN TESTS
print("mul: passed")

# %% [markdown]
# ### Repeating and summing
#
# NumPy repeats a small array to fit a large one: a row of 3 added to a table of shape (2, 3) is used twice. Each of
# its entries reaches two results, so its gradient is the sum of two. "Repeat" and "sum what was repeated" undo each
# other's shapes, and **each is the vjp of the other**. With this pair, every broadcast and every sum is done.


# %% tags=["setup"]
def spread(x, shape):
    """x repeated to the shape, as NumPy broadcasts."""
    return Tensor(np.broadcast_to(detach(x), shape), [(x, lambda g: sum_to(g, x.shape))])


# %% tags=["setup"]
def sum_to(x, shape):
    """x summed over the axes along which an array of this shape would be repeated."""
    if x.shape == shape:
        return x
    new = len(x.shape) - len(shape)
    axes = (*range(new), *(new + i for i, n in enumerate(shape) if n == 1))
    return Tensor(np.reshape(np.sum(x.value, axis=axes), shape), [(x, lambda g: spread(g, x.shape))])


def total(x):
    """The sum of all entries: a scalar."""
    return sum_to(x, ())


# %% [markdown]
# ### The walk back
#
# To go backward from $y$ we need what $y$ depends on, in an order in which no result comes before its operands.
# We collect it with a stack and sort by depth.


# %% tags=["setup"]
def ancestors(y):
    """The tensors that y was computed from, y included; operands before results."""
    found, stack = {y: None}, [y]  # a dict keeps the order in which we met them
    while stack:
        for parent, _ in stack.pop().parents:
            if parent not in found:
                found[parent] = None
                stack.append(parent)
    return sorted(found, key=lambda tensor: tensor.depth)


# %% [markdown]
# Not all of these matter. To differentiate in some tensors `xs` we need only those that lie between `xs` and `y`:
# the `xs` themselves, and every tensor with an operand that lies between.


# %% tags=["setup"]
def between(xs, y):
    """The tensors through which y depends on the xs, both ends included; results before operands."""
    order, reached = ancestors(y), set(xs)
    for tensor in order:
        if any(parent in reached for parent, _ in tensor.parents):
            reached.add(tensor)
    return [tensor for tensor in reversed(order) if tensor in reached]


# %% [markdown]
# Now the backward pass. Every tensor hands its gradient to its operands. A tensor that was used several times gets
# several gradients, and they add up. Since results come before operands in `between`, a gradient is complete before it is
# handed on. Where an operand was repeated to fit, `sum_to` brings its gradient back to its shape. All of it is tensor
# arithmetic.

# %% [markdown]
# ### Exercise 2: The backward pass
#
# *Difficulty: medium. Time: 25 minutes. Points: 4.*
#
# Write `grads(y, xs)`: the gradients of the scalar tensor `y` in the tensors of the list `xs`, in their order, as tensors
# that remember. An `x` on which `y` does not depend gets zeros of its shape. Every tensor of `between(xs, y)` hands its
# gradient on once. Tensors can be keys of a dict.
#
# <details><summary>Hint 1</summary>
#
# What is the gradient of $y$ in $y$?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Keep a dict from tensor to the gradient collected so far. An operand may be there already, or not yet; or it may not
# lie between the `xs` and `y` at all.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Two loops, one inside the other: over tensors, and over the pairs that each of them remembers. Which gradient goes into
# the vjp, and to whom does what comes out belong?
#
# </details>


# %% solution="grads"
def grads(y, xs):
    """The gradient of the scalar y in each of the tensors xs, as tensors that remember."""
    if y.shape != ():
        raise ValueError(f"y: only a scalar has a gradient, this has shape {y.shape}; take total(y).")
    ### BEGIN SOLUTION
    path = between(xs, y)
    on_path, gradients = set(path), {y: Tensor(1.0)}
    for tensor in path:
        for parent, vjp in tensor.parents:
            if parent in on_path:
                g = sum_to(vjp(gradients[tensor]), parent.shape)
                gradients[parent] = gradients[parent] + g if parent in gradients else g
    return [gradients.get(x, Tensor(np.zeros(x.shape))) for x in xs]
    ### END SOLUTION


# To go on without it: from reference.checks.lent import grads

# %% test="grads" points=2
x, z, far = Tensor(2.0), Tensor(5.0), Tensor([7.0, 7.0])
u = x * x
y = u * x + u * z  # x^3 + 5 x^2: in x it has the slope 3 x^2 + 10 x = 32, in z the slope x^2 = 4
try:
    found = grads(y, [z, x, far])
except KeyError:
    raise AssertionError("No gradient came to one of the xs: y does not depend on it, zeros.") from None
is_list = isinstance(found, list | tuple) and len(found) == 3 and all(isinstance(g, Tensor) for g in found)
assert is_list, "return a list of tensors, one for each x."
in_z, in_x, in_far = (g.value for g in found)
turned = [float(g.value) for g in grads(y, [x, z])]
assert np.allclose(turned, [in_x, in_z]), (
    f"for [x, z] and [z, x] the same comes: {turned}. Mind the order of xs."
)
story = f"x^3 + z x^2 at x = 2, z = 5 has the slope 32 in x, got {in_x:.4g}"
assert np.isclose(in_x, 32), f"{story}. x is used in several places: does each of them count, once?"
assert np.isclose(in_z, 4), f"in z the slope is x^2 = 4, got {in_z:.4g}."
assert in_far.shape == (2,) and not in_far.any(), f"y does not depend on the third: zeros, got {in_far}."
assert np.isclose(grads(y, [u])[0].value, 7), (
    "u lies in the middle: y = u x + u z has the slope x + z = 7 in it."
)
assert np.isclose(grads(x, [x])[0].value, 1), "the slope of x in x is 1."
print("grads: passed on numbers")

# %% test="grads" points=1
row, table = Tensor([1.0, 2.0, 3.0]), Tensor(np.ones((2, 3)))
in_row, in_table = grads(total(row * table), [row, table])
assert in_row.shape == (3,), (
    f"a row that was repeated twice has a gradient of shape (3,), got {in_row.shape}."
)
assert np.allclose(in_row.value, 2), (
    f"each entry of the row reaches two results: expected 2s, got {in_row.value}."
)
(first,) = grads(total(row * row * row), [row])
assert remembers(first, row), "the gradient of x^3 has forgotten x: keep tensors, not values."
assert np.allclose(grads(total(first), [row])[0].value, [6, 12, 18]), "its own gradient should be 6 x."
print("grads: passed on shapes and memory")

# %% test="grads" points=1
calls = []
long = Tensor(1.0)
for _ in range(12):
    long = Tensor(2 * long.value, [(long, lambda g: calls.append(1) or g + g)])
    long = long + long
assert np.isclose(grads(long, ancestors(long)[:1])[0].value, 4.0**12), "24 doublings multiply by 4^12."
assert len(calls) == 12, (
    f"12 vjps were called {len(calls)} times: hand a gradient on once, when it is complete."
)
calls.clear()
_ = grads(long, [ancestors(long)[12]])  # half-way: six of the vjps lie between
assert len(calls) == 6, (
    f"6 vjps lie between the x and y, {len(calls)} were called: what lies before the x is not asked for."
)
### BEGIN HIDDEN TESTS
p, q = Tensor(np.ones((2, 1))), Tensor([1.0, 2.0])
in_p, in_q = grads(total(p * q * q + q), [p, q])
assert np.allclose(in_p.value, 5) and in_p.shape == (2, 1) and np.allclose(in_q.value, [6, 10]), "p q^2 + q."
### END HIDDEN TESTS
print("grads: passed")

# %% [markdown]
# ### Try it


# %% tags=["setup"]
def grad(y, x):
    """The gradient of the scalar y in the tensor x."""
    return grads(y, [x])[0]


# %% [markdown]
# That is the engine. We try it on $x^3$ at 2. By pencil: value 8, first derivative $3x^2 = 12$, second $6x = 12$,
# third 6.

# %%
x0 = Tensor(2.0)
derivatives = [x0 * x0 * x0]
for _ in range(3):
    derivatives.append(grad(derivatives[-1], x0))
print([float(t.value) for t in derivatives])

# %% [markdown]
# The reference engine was written independently of ours, so we let the two check each other, on the value of a function
# and on its first and second derivatives. `two_orders(f)` computes these three: the value $y$, the gradients of $\sum y^2$,
# and the gradients of *their* sum. It is told which engine to use: how to make a tensor, how to differentiate, how to sum.

# %%
from functools import wraps


def two_orders(f, make=Tensor, differentiate=grads, add_up=total):
    """Arrays in; out come f's value y, the gradients of sum(y^2), and the gradients of their sum."""

    @wraps(f)
    def run(*arrays):
        xs = [make(array) for array in arrays]
        y = f(*xs)
        first = differentiate(add_up(y * y), xs)
        return [t.value for t in [y, *first, *differentiate(sum(map(add_up, first)), xs)]]

    return run


# %% [markdown]
# `same` runs both on seeded random arrays, here of two shapes that broadcast, and compares all that comes out.


# %%
def polynomial(a, b):
    return a * a * b - 3.0 * b * b * a


def normals(*shapes):
    return lambda rng: tuple(rng.normal(size=shape) for shape in shapes)


# %%
from reference.scratch import autodiff as engine

REFERENCE = engine.Tensor, engine.grad, np.sum
same(two_orders(polynomial), two_orders(polynomial, *REFERENCE), normals((3,), (2, 1)))

# %% [markdown]
# ## The graph of a graph
#
# What did `grad` do to the memory? It added tensors to it. We count them, for each derivative of $x^3$.

# %%
for name, tensor in zip(("x^3", "first derivative", "second", "third"), derivatives, strict=True):
    print(f"{name:17s} depends on {len(ancestors(tensor)):2d} tensors")

# %% [markdown]
# Each derivative has a graph of its own, and that graph holds part of the one before. We draw the first two
# together: above, the two multiplications of $x^3$; below, what `grad` recorded. The arrows are read from the
# tensors; only the labels and the places are ours. ($x$ stands twice in $u = x\,x$ and gets a gradient from each place:
# the left one and the right one.)

# %%
x1 = Tensor(2.0)
u1 = x1 * x1
y1 = u1 * x1
slope1 = grad(y1, x1)
nodes = [*ancestors(slope1), y1]
names = r"$x$; $\bar y = 1$; $\bar u = \bar y\,x$; $u = x\,x$; $\bar u\,x$ (left); $\bar y\,u$; "
names += r"$\bar u\,x$ (right); sum; sum $= \bar x$; $y = u\,x$"
lanes = [1.0, -1.7, -1.3, 2.0, -2.1, 0.2, -1.0, -0.3, -1.0, 1.4]  # how high each is drawn
label, lane = dict(zip(nodes, names.split("; "), strict=False)), dict(zip(nodes, lanes, strict=False))
if len(nodes) != len(lanes):  # your engine records other steps than ours: numbers in place of names
    label, lane = {t: f"{i}" for i, t in enumerate(nodes)}, {t: i % 5 - 2 for i, t in enumerate(nodes)}
places = {label[t]: (1.5 * t.depth, lane[t]) for t in nodes}
arrows = [(label[operand], label[t]) for t in nodes for operand, _ in t.parents]
ax = plotting.graph(places, arrows, dark=[label[t] for t in (x1, u1, y1)])
plotting.show(
    "A graph. Above, x leads to u = x x and both lead to y. Below, a second graph starts from 1 and from the "
    "same x and u, and ends in the gradient of x."
)

# %% [markdown]
# **Figure 1.** The backward pass is a graph, hanging on the graph of the function: the filled nodes are the
# function, the outlined ones are what `grad` recorded, and arrows run from the filled to the outlined. Following them back
# from $\bar x$ to $x$ gives the second derivative. The figure does not show the values, nor the next graph, which
# hangs on this one in the same way.

# %% [markdown]
# ## More operations, and a judge
#
# The engine needs a few more operations. Each is one line of value and one line of vjp; each vjp is written with
# our operations, and may use the operation itself. NumPy's own functions refuse a tensor; they take `detach(x)`.


# %% tags=["setup"]
def exp(x):
    return Tensor(np.exp(detach(x)), [(x, lambda g: g * exp(x))])


# %% tags=["setup"]
def log(x):
    return Tensor(np.log(detach(x)), [(x, lambda g: g * x**-1.0)])


# %% tags=["setup"]
def power(x, n):
    """x to the power of the number n."""
    return Tensor(detach(x) ** n, [(x, lambda g: g * (n * x ** (n - 1)))])


Tensor.__pow__ = power
Tensor.__truediv__ = lambda a, b: a * b**-1.0
Tensor.__rtruediv__ = lambda b, a: a * b**-1.0

# %% [markdown]
# Who says that these are right? A judge that knows nothing of vjps. It makes a scalar $s(x)$ of a function, by weighting
# the entries of its result with random numbers and adding them up. Then it takes a random direction $v$ and a small $h$:
# the gradient of $s$, times $v$, summed, must be near
#
# $$\frac{s(x + hv) - s(x - hv)}{2h}.$$
#
# That is a judgement of the first derivative. For the second, note that the gradient is itself a function built
# from our operations, so the judge can be asked about the gradient. One recursive call does it.


# %% tags=["setup"]
def judge(f, x, orders=("first", "second"), h=1e-5):
    """Raise AssertionError unless the derivatives of f at the array x are what small steps find."""
    rng = np.random.default_rng(0)
    weights, v = rng.normal(size=f(Tensor(x)).shape), rng.normal(size=np.shape(x))

    def s(t):
        return total(weights * f(t))

    t = Tensor(x)
    found = np.sum(grad(s(t), t).value * v)
    expected = (s(Tensor(x + h * v)).value - s(Tensor(x - h * v)).value) / (2 * h)
    story = f"expected {expected:.6g} by small steps, the vjp gives {found:.6g}."
    assert abs(found - expected) < 1e-6 * max(1, abs(expected)), (
        f"the {orders[0]} derivative is wrong: {story}"
    )
    if orders[1:]:
        judge(lambda t: grad(s(t), t), x, orders[1:], h)


# %%
positive = np.array([0.3, 1.0, 2.5])
for operation in (exp, log, lambda x: x**-0.5, lambda x: 2 / x, lambda x: x - x * x):
    judge(operation, positive)
print("The judge finds five operations right to second order.")

# %% [markdown]
# ## Derivation: the vjp of a matrix product
#
# Let $C = AB$ be a step on the way to a number $L$, and let $G$ be the gradient of $L$ in $C$: a matrix of the shape
# of $C$ with $G_{ij} = \partial L / \partial C_{ij}$. What is the gradient in $A$?
#
# A small change $dC$ changes $L$ by $dL = \sum_{ij} G_{ij}\, dC_{ij}$. Write $\langle G, dC \rangle$ for this sum. The
# definition of a gradient reads backward, too: if we can write $dL = \langle X, dA \rangle$ for every $dA$, then $X$
# is the gradient in $A$. Now
#
# $$dC = dA\,B + A\,dB \qquad \text{(the product rule; the term } dA\,dB \text{ is of second order)},$$
#
# $$dL = \langle G, dA\,B \rangle + \langle G, A\,dB \rangle.$$
#
# In the first term, $\langle G, dA\,B \rangle = \sum_{ijk} G_{ij}\, dA_{ik} B_{kj} = \sum_{ik} \big(\sum_j G_{ij} B_{kj}\big)
# dA_{ik}$. The bracket is entry $(i, k)$ of $G B^\top$. In the second term the same gives $A^\top G$. So
#
# $$dL = \langle G B^\top, dA \rangle + \langle A^\top G, dB \rangle:$$
#
# **the gradient in $A$ is $G B^\top$, and the gradient in $B$ is $A^\top G$.** Both are matrix products again.
#
# In general let a function take $x$ to $y$, and let $J_{ij} = \partial y_i / \partial x_j$ be its Jacobian. A gradient
# $g$ of $y$ becomes the gradient $\sum_i g_i J_{ij}$ of $x$, the vector $g$ times the Jacobian: hence the name. The matrix
# $J$ is never formed; for the product above it would have as many entries as $C$ and $A$ multiplied.


# %% tags=["setup"]
def matmul(a, b):
    return Tensor(detach(a) @ detach(b), [(a, lambda g: g @ transpose(b)), (b, lambda g: transpose(a) @ g)])


# %% tags=["setup"]
def transpose(x):
    return Tensor(detach(x).T, [(x, transpose)])


Tensor.__matmul__ = matmul
Tensor.__rmatmul__ = lambda b, a: matmul(a, b)
Tensor.T = property(transpose)

# %% [markdown]
# We assert the last line in plain NumPy first, for random $dA$ and $dB$. The loss is $L = \langle G, AB \rangle$, whose
# gradient in $C$ is $G$. In the difference between a step forward and a step backward the term $dA\,dB$ drops out, so
# nothing need be small.

# %%
rng = np.random.default_rng(0)
A, B, G = rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), rng.normal(size=(2, 4))
dA, dB = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
dL = np.sum(G * ((A + dA) @ (B + dB) - (A - dA) @ (B - dB))) / 2
claim(
    "The gradients are G B^T and A^T G.",
    np.isclose(dL, np.sum(G @ B.T * dA) + np.sum(A.T @ G * dB)),
    dL,
    np.sum(G @ B.T * dA) + np.sum(A.T @ G * dB),
)

# %% [markdown]
# Then we ask the judge about our operation, to second order and in each operand.

# %%
judge(lambda t: (t * t) @ Tensor(B), A)
judge(lambda t: Tensor(A) @ (t * t), B)
judge(lambda t: t @ t.T, A)
print("The matrix product is right to second order.")

# %% [markdown]
# ### Picking numbers out
#
# One more pair completes the engine. `take` picks entries by their number (counted along the rows); its vjp puts
# the gradients back where the entries were, and adds where one was picked twice. That is `put`, and the vjp of
# `put` is `take`. With it we can cut, reorder, reshape, and, in a while, slide a window over an
# image. The check picks one entry twice; its gradient is 2.


# %% tags=["setup"]
def take(x, where):
    """The entries of x with the numbers `where`, in the shape of `where`."""
    return Tensor(detach(x).ravel()[where], [(x, lambda g: put(g, where, x.shape))])


# %% tags=["setup"]
def put(g, where, shape):
    """Zeros of the shape with each g added at its number."""
    # bincount adds up the weights that fall on the same number
    value = np.bincount(where.ravel(), weights=g.value.ravel(), minlength=np.prod(shape, dtype=int))
    return Tensor(value.reshape(shape), [(g, lambda h: take(h, where))])


# %%
twice = Tensor([5.0, 7.0, 9.0])
print(grad(total(take(twice, np.array([0, 2, 2]))), twice).value)
judge(lambda t: take(t * t * t, np.array([[0, 2], [2, 1]])), np.array([1.0, -2.0, 3.0]))

# %% [markdown]
# The operations came in pairs: `spread` and `sum_to`, `take` and `put`, `transpose` with itself, the product with
# products. Each linear operation is partner to the one that carries gradients the other way. This closure is what
# gives derivatives of every order.
#
# ## Build it: a Hessian-vector product
#
# The Hessian $H$ of a loss $L(\theta)$ with $d$ parameters is the matrix $H_{ij} = \partial^2 L / \partial\theta_i
# \partial\theta_j$. It says how the gradient changes: a small move $v$ of $\theta$ changes the gradient by $Hv$. For a
# million parameters $H$ has $10^{12}$ entries; but we mostly want $Hv$ for one $v$, and that is cheap. With $v$ constant,
#
# $$\frac{\partial}{\partial \theta_j} \sum_i v_i \frac{\partial L}{\partial \theta_i}
# = \sum_i H_{ji}\, v_i = (Hv)_j .$$
#
# The right side is what we want, and the left side needs only gradients of numbers.

# %% [markdown]
# ### Exercise 3: The Hessian, times a vector
#
# *Difficulty: easy. Time: 10 minutes. Points: 2.*
#
# Write `hvp(loss, theta, v)` for arrays `theta` and `v` of one shape; `loss` takes a tensor and gives a scalar tensor. Return
# an array. First with a pencil: what is $Hv$ for $L = x_1^2 x_2$ at $(3, 5)$ and $v = (1, 0)$?
#
# <details><summary>Hint 1</summary>
#
# Which number stands behind $\partial / \partial \theta_j$ in the formula?
#
# </details>
# <details><summary>Hint 2</summary>
#
# It is computed from a gradient that remembers, and from a constant.
#
# </details>
# <details><summary>Hint 3</summary>
#
# One tensor is made of `theta`, and two gradients are taken in it.
#
# </details>


# %% solution="hvp"
def hvp(loss, theta, v):
    """The Hessian of the loss at the array theta, times the array v."""
    ### BEGIN SOLUTION
    t = Tensor(theta)
    return grad(total(grad(loss(t), t) * v), t).value
    ### END SOLUTION


# To go on without it: from reference.checks import lent
# To go on without it: hvp = lent.hvp_by(grads, Tensor)

# %% test="hvp" points=2
at, e1, e2 = np.array([3.0, 5.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])


def corner(t):
    return total(t * t * (t - 1.0)) + total(t) * total(t) * total(t) / 6.0  # Hessian 6 x - 2 + 8, and 8


try:
    given = hvp(corner, at, e1)
except ValueError as error:
    raise AssertionError(f"{error} The entries of gradient times v are to be added up.") from None
assert isinstance(given, np.ndarray), f"return an array, not a {type(given).__name__}."
story = f"At (3, 5) the Hessian is ((24, 8), (8, 36)); times (1, 0) that is (24, 8), got {given.round(4)}"
assert given.shape == (2,), f"{story}: one entry for each parameter."
assert given.any(), f"{story}. All zero: was the gradient cut from its memory?"
assert not np.allclose(given, [32, 44]), f"{story}. These are the sums of the rows: where does v enter?"
assert not np.allclose(given, [24, 0]), f"{story}. Moving the first parameter moves the second slope, too."
assert np.allclose(given, [24, 8], rtol=1e-4), f"{story}."
assert np.allclose(hvp(corner, at, e2), [8, 36], rtol=1e-4), "times (0, 1) it should be (8, 36)."
### BEGIN HIDDEN TESTS
column = np.array([[1.0], [2.0]])
assert np.allclose(hvp(lambda t: total(t * t * t), column, column), [[6], [24]]), "theta may be a column."
### END HIDDEN TESTS
print("hvp: passed")

# %% [markdown]
# ### On a quadratic
#
# A quadratic loss $L(\theta) = \tfrac12 (\theta - c)^\top A\, (\theta - c)$ with a symmetric matrix $A$ has the Hessian
# $A$ everywhere. Chapter 01 drew such losses as tasks. Our product wants matrices, so $\theta$ and $c$ are columns.
# (On a network we shall ask PyTorch for the same product, under "Experiment".)


# %%
from reference.tasks.families import Quadratics


def quadratic(theta, curvature, centre):
    """(theta - c)^T A (theta - c) / 2, for columns theta and c."""
    away = theta - centre
    return total(away * (curvature @ away)) / 2.0


task = Quadratics(dimension=5).sample(np.random.default_rng(1))
bowl, bottom = task.curvature, task.centre[:, None]
somewhere, v = np.random.default_rng(2).normal(size=(2, 5, 1))
product = hvp(lambda t: quadratic(t, bowl, bottom), somewhere, v)
claim(
    "On a quadratic, the product with the Hessian is A v.", np.allclose(product, bowl @ v), product, bowl @ v
)

# %% [markdown]
# ## Through a gradient step
#
# Back to the question of this chapter. With $\phi = \theta - \alpha \nabla L_S(\theta)$, the Jacobian of $\phi$ in
# $\theta$ is $I - \alpha H$, where $I$ is the identity and $H$ the Hessian of $L_S$ at $\theta$. It is symmetric, so a gradient
# times this Jacobian is the Jacobian times the gradient, and the chain rule says
#
# $$\frac{d}{d\theta} L_Q(\phi) = (I - \alpha H)\, \nabla L_Q(\phi).$$
#
# This is the **meta-gradient**. First the pencil: in our example it was $(1 - 4\alpha)(\phi - 2) = -0.84$.

# %%
one = Tensor(1.0)
adapted = one - 0.1 * grad(2.0 * one * one, one)
meta_gradient = grad((adapted - 2.0) * (adapted - 2.0) / 2.0, one)
print(f"by the engine: {meta_gradient.value:.4g}")

# %% [markdown]
# Then columns of five numbers, with a support loss and a query loss of their own.

# %%
query_task = Quadratics(dimension=5).sample(np.random.default_rng(3))
theta = Tensor(somewhere)
phi = theta - 0.3 * grad(quadratic(theta, bowl, bottom), theta)
query_gradient = query_task.curvature @ (phi.value - query_task.centre[:, None])
through = grad(quadratic(phi, query_task.curvature, query_task.centre[:, None]), theta).value
expected = (np.eye(5) - 0.3 * bowl) @ query_gradient
claim(
    "The meta-gradient is (I - alpha H) times the query gradient.",
    np.allclose(through, expected),
    through,
    expected,
)

# %% [markdown]
# Now one word is changed: `detach` makes the inner gradient a plain array. The adapted $\phi$ are the same numbers.
# But to the engine the step is a constant, so the Jacobian of $\phi$ is $I$, and the curvature $\alpha H$ is gone.
# This is called the **first-order** meta-gradient; chapter 08 asks when one can afford it.

# %%
cut = theta - 0.3 * detach(grad(quadratic(theta, bowl, bottom), theta))
first_order = grad(quadratic(cut, query_task.curvature, query_task.centre[:, None]), theta).value
claim("The adapted parameters are the same.", np.array_equal(cut.value, phi.value), cut.value, phi.value)
claim(
    "The first-order meta-gradient is the query gradient alone.",
    np.allclose(first_order, query_gradient),
    first_order,
    query_gradient,
)
claim("It is not the meta-gradient.", not np.allclose(first_order, through, rtol=0.1), first_order, through)

# %% [markdown]
# Several steps are the same step again. We write the loop once; all of part 2 of the course is a use of it. It
# knows nothing of models or data: a loss is a function of the parameters.


# %% tags=["setup"]
def unroll(loss, theta, inner_lr, n_steps, first_order=False):
    """The tensor theta after n_steps of gradient descent on the loss, to be differentiated again."""
    for _ in range(n_steps):
        gradient = grad(loss(theta), theta)
        theta = theta - inner_lr * (detach(gradient) if first_order else gradient)
    return theta


# %%
from reference import rules
from reference.scratch import unroll as reference_unroll


def three_steps(start):
    return unroll(lambda t: total(t * t * t * t), start, 0.02, 3)


def three_steps_reference(start):
    rule = rules.sgd(0.02)
    return reference_unroll.unroll(lambda p: np.sum(p["t"] ** 4), {"t": start}, rule, 3)["t"]


same(two_orders(three_steps), two_orders(three_steps_reference, *REFERENCE), normals((4,)))

# %% [markdown]
# ## On top of the engine: layers and optimisers
#
# A layer is a function of parameters and input; it needs no vjp of its own, for it is made of operations that have
# one. A **linear layer** with weight $W$ (out, in) and bias $b$:


# %%
from reference.scratch import nn


def linear(x, weight, bias):
    return x @ weight.T + bias


same(two_orders(linear), two_orders(nn.linear, *REFERENCE), normals((5, 3), (2, 3), (2,)))

# %% [markdown]
# **Layer normalisation** (Ba et al. 2016, arXiv:1607.06450) moves every row to mean 0 and scales it to variance 1,
# then applies a learned scale and shift. The mean and the variance depend on the input, so the gradient must go
# through them too.


# %%
def layer_norm(x, weight, bias):
    n, width = x.shape
    centred = x - sum_to(x, (n, 1)) / width
    variance = sum_to(centred * centred, (n, 1)) / width
    return centred * (variance + 1e-5) ** -0.5 * weight + bias


same(two_orders(layer_norm), two_orders(nn.layer_norm, *REFERENCE), normals((5, 4), (4,), (4,)))

# %% [markdown]
# ### Convolution by hand
#
# A **convolution** slides a small kernel over its input. In one dimension, with input $x = (1, 2, 3, 4)$ and kernel
# $w = (1, 10)$: $y_i = x_i w_0 + x_{i+1} w_1$, so $y = (21, 32, 43)$. Let the gradient of $y$ be $g = (1, 1, 1)$.
#
# - The weight $w_0$ met $x_0, x_1, x_2$, so its gradient is $1 + 2 + 3 = 6$; $w_1$ met $x_1, x_2, x_3$: 9.
# - The input $x_1$ reached $y_1$ with weight 1 and $y_0$ with weight 10, so its gradient is 11. The ends met the
#   kernel once: 1 and 10. This is a convolution again: the kernel, turned around, slides over $g$.
#
# For the engine this is `take` and a product: pick the windows as the rows of a matrix, multiply by the kernel.

# %%
signal, kernel = Tensor([1.0, 2.0, 3.0, 4.0]), Tensor([[1.0], [10.0]])
convolved = take(signal, np.array([[0, 1], [1, 2], [2, 3]])) @ kernel
in_signal, in_kernel = grads(total(convolved), [signal, kernel])
print(convolved.value.ravel(), in_kernel.value.ravel(), in_signal.value)

# %% [markdown]
# For images nothing new happens. We let NumPy slide a window over the *numbers* of the pixels; `take` picks each
# window as a row; one product multiplies all windows by all kernels; a last `take` puts the axes in order.


# %%
def conv2d(x, weight):
    """x (n, channels, height, width), weight (filters, channels, h, w): (n, filters, new h, new w)."""
    pixels = np.arange(x.value.size).reshape(x.shape)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, weight.shape[1:], axis=(1, 2, 3))[:, 0]
    n, height, width, *_ = windows.shape
    n_filters = weight.shape[0]
    kernels = take(weight, np.arange(weight.value.size).reshape(n_filters, -1))
    y = take(x, windows.reshape(n * height * width, -1)) @ kernels.T
    order = np.arange(y.value.size).reshape(n, height, width, n_filters).transpose(0, 3, 1, 2)
    return take(y, order)


conv2d_reference = two_orders(lambda x, weight: engine.conv2d(x, weight, padding=0), *REFERENCE)
same(two_orders(conv2d), conv2d_reference, normals((2, 3, 5, 6), (4, 3, 3, 2)))

# %% [markdown]
# The windows overlap, so the matrix holds most pixels several times. That is the price of this short way. The
# reference makes one operation of it, whose two vjps are again convolutions; no window is kept.
#
# ### SGD and Adam
#
# An optimiser turns a gradient into a step. Ours work on plain arrays, for we shall not differentiate the outer step.
# Gradient descent is $\theta \leftarrow \theta - \beta g$ with the outer learning rate $\beta$. **Adam** (Kingma and Ba
# 2015, arXiv:1412.6980) keeps running means $m$ of the gradient and $s$ of its square, and divides one by the
# root of the other. Both start at 0 and so are too small at first; dividing by $1 - b^t$ after $t$ steps mends that,
# where $b$ is the share of a mean that is kept in each step: 0.9 for $m$ and 0.999 for $s$. The tiny $10^{-8}$ keeps us from
# dividing by zero. We let both sides take ten steps of Adam and one of gradient descent.
#
# The reference calls either of them a **rule**: a pair of functions, `init(params)`, which gives the state to begin
# with (for Adam $t$, $m$ and $s$), and `update(params, gradient, state)`, which gives new parameters and a new state.
# `unroll` takes such a rule for the inner steps; nothing in a rule says whether its steps are differentiated.


# %%
def sgd(theta, g, outer_lr):
    return theta - outer_lr * g


# %%
def adam(theta, g, state, outer_lr):
    """One step of Adam; the state is (t, m, s), at first (0, 0, 0)."""
    t, m, s = state
    t, m, s = t + 1, 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
    step = (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return theta - outer_lr * step, (t, m, s)


# %%
def ten_steps(start, pull):
    state = (0, 0.0, 0.0)
    for _ in range(10):
        start, state = adam(start, pull * start, state, 0.1)
    return sgd(start, pull, 0.1)


def ten_steps_reference(start, pull):
    rule, descent, params = rules.adam(0.1), rules.sgd(0.1), {"p": start}
    state = rule.init(params)
    for _ in range(10):
        params, state = rule.update(params, {"p": pull * params["p"]}, state)
    return descent.update(params, {"p": pull}, descent.init(params))[0]["p"]


same(ten_steps, ten_steps_reference, normals((3,), (3,)))

# %% [markdown]
# ### Does it learn?
#
# All of it together: a network with one hidden layer, whose parameters $\theta$ stand in one long column (`take`
# cuts them out), fitted by Adam to twenty points of a sinusoid task from chapter 01. The hidden units use the
# sigmoid $\sigma(z) = 1 / (1 + e^{-z})$. The baseline is the best constant, the mean of the targets; its error is their
# variance.


# %% tags=["setup"]
def network(theta, x):
    """Predictions (n, 1) at x (n, 1); theta (3 h, 1) holds h slopes, h biases, h output weights."""
    third = np.arange(theta.shape[0] // 3)
    slopes, biases, outputs = (take(theta, third + i * len(third)) for i in range(3))
    hidden = (1.0 + exp(-(x * slopes + biases))) ** -1.0
    return sum_to(hidden * outputs, x.shape)


# %% tags=["setup"]
def fit_loss(theta, x, y):
    """The mean squared error of the network."""
    error = network(theta, x) - y
    return total(error * error) / len(x)


# %%
from reference.tasks.families import Sinusoids

x_fit, y_fit = Sinusoids(k_shot=20, n_query=1).sample(np.random.default_rng(5)).support


def fit(seed, n_steps=400):
    learned, state = np.random.default_rng(seed).normal(size=(60, 1)), (0, 0.0, 0.0)
    for _ in range(n_steps):
        t = Tensor(learned)
        learned, state = adam(learned, grad(fit_loss(t, x_fit, y_fit), t).value, state, 0.05)
    return float(fit_loss(Tensor(learned), x_fit, y_fit).value)


# %% tags=["training", "nbval-ignore-output"]
best_constant = np.var(y_fit)
fits = [fit(seed) / best_constant for seed in range(3)]
print("error, as a fraction of that of the best constant:", np.round(fits, 4))

# %%
claim(
    "From each of three starts, the network's error ends below a fifth of the best constant's.",
    max(fits) < 0.2,
    max(fits),
)

# %% [markdown]
# ## The same in PyTorch
#
# PyTorch has all this. Its backward pass is recorded if one asks for it: `torch.autograd.grad(y, x,
# create_graph=True)`. We work in double precision, on the device that is there.

# %%
import torch

device = "cuda" if torch.cuda.is_available() else "cpu"
x2 = torch.tensor(2.0, dtype=torch.float64, device=device, requires_grad=True)
by_torch = [x2 * x2 * x2]
for _ in range(3):
    by_torch += torch.autograd.grad(by_torch[-1], x2, create_graph=True)
print([t.item() for t in by_torch])

# %% [markdown]
# By default `create_graph` is off: the gradient then comes back without a memory, as if we had called `detach`. To
# differentiate it again stops with an error.

# %%
(forgetful,) = torch.autograd.grad(x2**3, x2)
claim("Without create_graph a gradient has no memory.", not forgetful.requires_grad, forgetful.grad_fn)

# %% [markdown]
# Within a gradient step there is *no* error, since $\phi$ still depends on $\theta$ through the first term of the step. The
# result is first order. Our pencil example:


# %%
def slope_by_torch(create_graph):
    start = torch.tensor(1.0, dtype=torch.float64, device=device, requires_grad=True)
    (inner,) = torch.autograd.grad(2 * start**2, start, create_graph=create_graph)
    (outer,) = torch.autograd.grad((start - 0.1 * inner - 2) ** 2 / 2, start)
    return outer.item()


print(f"with create_graph: {slope_by_torch(True):.4g}, without: {slope_by_torch(False):.4g}")

# %% [markdown]
# `torch.func` says the same with functions instead of graphs: `grad(f)` is the function that computes the gradient
# of `f`, it can be nested, and its result can always be differentiated again. Here is the unrolled loop in this
# style, with the parameters in a dict.


# %%
def quartic(p):
    return (p["t"] ** 4).sum()


def torch_unroll(start, inner_lr, n_steps):
    for _ in range(n_steps):
        start = start - inner_lr * torch.func.grad(quartic)({"t": start})["t"]
    return start


# %%
from reference.pytorch import unroll as pytorch_reference


def unroll_reference(start, inner_lr, n_steps):
    return pytorch_reference.unroll(quartic, {"t": start}, rules.sgd(inner_lr), n_steps)["t"]


same(torch_unroll, unroll_reference, lambda rng: (torch.from_numpy(rng.normal(size=4)).to(device), 0.02, 3))

# %% [markdown]
# Two tools of `torch.func` are new to us.
#
# - `jvp(f, (x,), (v,))` goes *forward*: it carries a direction $v$ along with the value and gives $Jv$, the change of the
#   result. For a gradient function, $Jv$ is $Hv$. This is the usual way to a Hessian-vector product: forward over
#   reverse, with no second backward pass.
# - `vmap(f)` runs `f` on every row of a batch at once, as if in a loop. In later chapters the rows are tasks. Here they
#   are the rows of the identity: the products with all unit vectors give the whole Hessian at once.


# %%
def bumpy(t):
    return torch.exp(t * t.roll(-1)).sum()


def hvp_torch(t, v):
    return torch.func.jvp(torch.func.grad(bumpy), (t,), (v,))[1]


spot = torch.linspace(-1, 1, 5, dtype=torch.float64, device=device)
unit_vectors = torch.eye(5, dtype=torch.float64, device=device)
columns = torch.func.vmap(lambda e: hvp_torch(spot, e))(unit_vectors)
backward_twice = torch.autograd.functional.hessian(bumpy, spot)
claim(
    "vmap over unit vectors gives the Hessian.",
    torch.allclose(columns, backward_twice),
    columns,
    backward_twice,
)

# %% [markdown]
# ## Experiment: what a second derivative costs
#
# First, is the engine right where it matters, on a network and through several steps? We ask PyTorch for the same
# numbers: the loss, its gradient, a Hessian-vector product, and the gradient of the loss after three steps.


# %%
def torch_loss(t):
    slopes, biases, outputs = t.reshape(3, -1)
    hidden = torch.sigmoid(torch.from_numpy(x_fit).to(device) * slopes + biases)
    return ((hidden @ outputs - torch.from_numpy(y_fit[:, 0]).to(device)) ** 2).mean()


# %%
def torch_after_steps(t):
    for _ in range(3):
        t = t - 0.01 * torch.func.grad(torch_loss)(t)
    return torch_loss(t)


# %%
w, direction = np.random.default_rng(6).normal(size=(2, 60, 1))
wt, dt = (torch.from_numpy(array.ravel()).to(device) for array in (w, direction))
theirs = [f(wt) for f in (torch_loss, torch.func.grad(torch_loss), torch.func.grad(torch_after_steps))]
theirs.append(torch.func.jvp(torch.func.grad(torch_loss), (wt,), (dt,))[1])


def sine_loss(t):
    return fit_loss(t, x_fit, y_fit)


tw = Tensor(w)
after_steps = sine_loss(unroll(sine_loss, tw, 0.01, 3))
ours = [sine_loss(tw).value, grad(sine_loss(tw), tw).value, grad(after_steps, tw).value]
ours.append(hvp(sine_loss, w, direction))
gaps = [np.abs(a.ravel() - b.cpu().numpy().ravel()).max() for a, b in zip(ours, theirs, strict=True)]
claim("Engine and PyTorch agree to 1e-10 in all four.", max(gaps) < 1e-10, gaps)

# %% [markdown]
# Now the cost. Seconds depend on the machine; what a graph holds does not. Every number in the graph of a tensor was
# computed once and is kept, so the count tells of work and of memory. (It is a little high: NumPy stores the repeats of
# `spread` only once.) We count for networks of growing size: in the loss, in its gradient, in a Hessian-vector product,
# and in the whole Hessian, which we get from $d$ products with unit vectors.


# %%
def numbers_in(*ys):
    """How many numbers the graphs of these tensors hold; shared tensors count once."""
    return sum(tensor.value.size for tensor in set().union(*map(ancestors, ys)))


# %%
def costs(n):
    """Numbers in the loss, the gradient, one product and the Hessian of a network of n parameters."""
    t = Tensor(np.random.default_rng(n).normal(size=(n, 1)))
    loss = sine_loss(t)
    gradient = grad(loss, t)
    products = [grad(total(gradient * column[:, None]), t) for column in np.eye(n)]
    return numbers_in(loss), numbers_in(gradient), numbers_in(products[0]), numbers_in(*products)


# %%
sizes = np.array([6, 12, 24, 48, 96])
in_loss, in_gradient, in_product, in_hessian = np.array([costs(size) for size in sizes]).T
for row in zip(sizes, in_gradient / in_loss, in_product / in_loss, in_hessian / in_loss, strict=True):
    print("d = {:2d}: gradient {:.2f}, product {:.2f}, Hessian {:6.1f} times the loss".format(*row))
claim(
    "The gradient holds less than five times the loss's numbers.",
    max(in_gradient / in_loss) < 5,
    max(in_gradient / in_loss),
)
claim(
    "The product holds less than five times the gradient's.",
    max(in_product / in_gradient) < 5,
    max(in_product / in_gradient),
)
growth = np.diff(np.log2(in_hessian / in_product))
claim("When d doubles, the Hessian doubles beside the product.", np.all(abs(growth - 1) < 0.1), growth)

# %%
kinds = ("loss", "gradient", "Hessian times vector", "whole Hessian")
held = dict(zip(kinds, (in_loss, in_gradient, in_product, in_hessian), strict=True))
ax = plotting.curves(sizes, held)
ax.set(xscale="log", yscale="log", xlabel="parameters $d$", ylabel="numbers in the graph")
plotting.show(
    "Numbers against parameters, both axes logarithmic. Loss, gradient and product rise in parallel; the "
    "Hessian rises twice as steeply."
)

# %% [markdown]
# **Figure 2.** A Hessian-vector product costs a few gradients at every size; the whole Hessian costs in proportion to $d$
# times as much. This answers the second guess: a few gradients. The figure counts numbers, not seconds, and one kind of
# network. That a gradient costs only a few times what the function costs, however many variables it has, is a theorem for
# functions made of the four arithmetic operations (Baur and Strassen 1983); our product is a gradient of a number made
# of a gradient. (Pearlmutter 1994 differentiates the gradient forward instead, along $v$, as `jvp` of `grad` did above.)

# %% [markdown]
# ### The memory of unrolled steps
#
# To differentiate through $k$ steps, the engine must remember all of them. How much is that? We count the numbers in
# the graph of the loss after $k$ steps, with and without the memory of the inner gradients. There are 60 parameters.

# %%
steps = np.arange(9)
ends = [[sine_loss(unroll(sine_loss, tw, 0.01, k, cheap)) for k in steps] for cheap in (False, True)]
full, cheap = np.array([[numbers_in(end) for end in row] for row in ends])
per_step = np.diff(full)
claim("Every step adds the same quantity of numbers.", np.all(per_step == per_step[0]), per_step, per_step[0])
claim(
    "With detached gradients a step adds the new parameters alone.",
    np.all(np.diff(cheap) == 60),
    np.diff(cheap),
)
print(
    f"{full[0]} numbers for the loss alone; {per_step[0]} more for each step, or 60 with detached gradients"
)

# %% [markdown]
# That count walks the graph. A second oracle asks Python itself which tensors are alive before and after eight steps.
# (The parameters `tw` were there before.)


# %%
import gc


def alive():
    gc.collect()
    return sum(thing.value.size for thing in gc.get_objects() if type(thing) is Tensor)


# %%
def kept_by(first_order):
    before = alive()
    end = sine_loss(unroll(sine_loss, tw, 0.01, 8, first_order))
    return end, tw.value.size + alive() - before  # the end keeps its graph alive while we count


# %%
kept = [kept_by(False)[1], kept_by(True)[1]]
claim("Python holds the numbers of the graph and no more.", kept == [full[8], cheap[8]], kept)

# %%
ax = plotting.curves(steps, {"through the gradients": full, "gradients detached": cheap})
ax.set(xlabel="steps $k$", ylabel="numbers in the graph", ylim=(0, None))
plotting.show(
    "Numbers in the graph against steps. With the graph of the gradients a steep straight line; with "
    "detached gradients a line that is all but flat."
)

# %% [markdown]
# **Figure 3.** The memory of a second-order meta-gradient grows by the same amount with every step; with detached
# gradients it hardly grows. The lower line still rises, by one copy of the parameters a step. Even that can go: to first
# order the meta-gradient is $\nabla L_Q(\phi)$, so one may forget the path, start afresh at $\phi$, and differentiate
# once. The figure does not show that the two compute different things, nor that memory can be bought with time:
# exercise 7 does.
#
# ## Step through a backward pass
#
# We take a model $q = w x + b$ at $w = 3$, $x = 2$, $b = -1$, with target 3 and squared error, and watch the gradients
# arrive. `grads` gives all of them at once when we ask for every node between the parameters and the loss. Try it with a
# pencil first.

# %%
slope_w, offset_b = Tensor(3.0), Tensor(-1.0)
scaled = slope_w * 2.0
predicted = scaled + offset_b
error = predicted - 3.0
squared = error * error
name_of = {slope_w: "w = 3", offset_b: "b = -1", scaled: "2 w = 6"}
name_of |= {predicted: "q = 5", error: "e = q - 3 = 2", squared: "e e = 4"}
links = [(name_of[operand], name) for tensor, name in name_of.items() for operand, _ in tensor.parents]
back = between([slope_w, offset_b], squared)
found = zip(back, grads(squared, back), strict=True)
arriving = {name_of[tensor]: f"gradient {g.value:.4g}" for tensor, g in found}
print(arriving)

# %%
from reference.figures import show_backward

heights = ((0, 1), (0, 0), (1.2, 1), (2.4, 0.5), (3.8, 0.5), (5.2, 0.5))
spots = dict(zip(name_of.values(), heights, strict=True))
_ = show_backward(spots, links, arriving, step=3)
plotting.show(
    "The graph of the squared error after three of six nodes, from the right, have their gradient: 1 for the "
    "loss, 4 for the error, 4 for the prediction."
)

# %% [markdown]
# **Figure 4.** Gradients arrive from the right: a node's is complete before it is handed on. The picture shows numbers;
# each of these numbers is itself a tensor, with a graph as in figure 1.
#
# Drag the slider from 0 to 6. Before each step, say which node is next and what its gradient will be.

# %% tags=["interactive", "nbval-ignore-output"]
from reference.widgets import sliders

sliders(show_backward, spots, links, arriving, step=(0, 6, 3))

# %% [markdown]
# ## What breaks it
#
# - **Corners.** The ReLU $\max(z, 0)$ has slope 0 or 1 and second derivative 0, except at the corner, where there is
#   none. In a ReLU network each unit by itself contributes no curvature; what is left comes from products of layers and
#   from the loss.
# - **Decisions.** `take` differentiates the numbers it picks, never the picking. Sorting, rounding or taking a maximum
#   gives the slope of what was chosen, not of the choice.
# - **Points where a formula fails.** Our `power` multiplies by $x^{n-1}$. The third derivative of $x^2$ at 0 comes out as
#   $0 \cdot 0^{-1}$, which is not a number; the truth is 0. The reference treats such points one by one.
# - **Writing in place.** A vjp reads the values of its operands when the backward pass runs. If somebody has changed an
#   array meanwhile, the gradient is wrong without a word. The reference forbids `x[i] = ...`.
#
# Beyond this, the reference differs from ours in one comfort: its Tensor answers to NumPy's own functions, so one
# writes `np.exp(x)` for arrays and tensors alike; and its nodes do not keep values that no vjp needs.
#
# ## From the museum
#
# Here is an engine as one often finds it. It is short and tidy, and its gradients are right to the last digit.


# %%
class Scalar:
    """A number that remembers its operands, and its slope in each."""

    def __init__(self, value, parents=()):
        self.value, self.parents, self.grad = value, parents, 0.0

    def __add__(self, other):
        return Scalar(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Scalar(self.value * other.value, [(self, other.value), (other, self.value)])

    def backward(self, g=1.0):
        self.grad += g
        for parent, slope in self.parents:
            parent.backward(g * slope)


s = Scalar(2.0)
(s * s * s).backward()
print("slope of x^3 at 2:", s.grad)

# %% [markdown]
# Somebody meta-learns with it. There are two tasks $L_i(\theta) = \tfrac12 a_i (\theta - c_i)^2$, with $a = 1, c = 0$ and
# $a = 4, c = 1$. A learner takes one step with $\alpha = 0.2$ on each task. We look for the $\theta$ with the least loss *after*
# the step, summed over the tasks. Each $L_i$ is support loss and query loss at once.


# %%
TASKS = ((1.0, 0.0), (4.0, 1.0))


def task_loss(at, a, c, number):
    away = at + number(-c)
    return number(a / 2) * away * away


# %%
def museum_meta_gradient(start):
    at, loss = Scalar(start), Scalar(0.0)
    for a, c in TASKS:
        at.grad = 0.0
        task_loss(at, a, c, Scalar).backward()
        loss = loss + task_loss(at + Scalar(-0.2 * at.grad), a, c, Scalar)
    at.grad = 0.0
    loss.backward()
    return at.grad


# %%
def meta_train(meta_gradient_at, start=0.9):
    for _ in range(200):
        start -= 0.3 * meta_gradient_at(start)
    return start


def loss_after_adapting(start):
    return sum(a / 2 * (start - 0.2 * a * (start - c) - c) ** 2 for a, c in TASKS)


museum_end = meta_train(museum_meta_gradient)
print(f"ended at {museum_end:.4g}, with a loss after adapting of {loss_after_adapting(museum_end):.4g}")

# %% [markdown]
# Training ran without a warning, and it has settled: the meta-gradient it is given there is zero. Now the symptom. Somebody
# moves $\theta$ by hand.

# %%
print(f"the museum's slope at the end: {abs(museum_meta_gradient(museum_end)):.1f}")
print(f"the loss at 0.3: {loss_after_adapting(0.3):.4g}, at 0.2: {loss_after_adapting(0.2):.4g}")

# %% [markdown]
# The loss falls by about a third when one walks away from where training ended. **Find the cause before you open the fold.**
# Which line throws something away?
#
# <details><summary>What it is</summary>
#
# In `__mul__` the slopes are `other.value` and `self.value`, and in `backward` the gradient `g` is a float. So `grad` is a
# plain number without a memory. In the step, `Scalar(-0.2 * at.grad)` is a constant, and the factor $1 - \alpha a_i$ is
# missing from the meta-gradient. Training finds the point where the *first-order* meta-gradient vanishes: $\sum_i a_i
# (1 - \alpha a_i)(\theta - c_i) = 0.8\,\theta + 0.8\,(\theta - 1) = 0$, so $\theta = 0.5$. The least loss is where $\sum_i a_i
# (1 - \alpha a_i)^2 (\theta - c_i) = 0.64\,\theta + 0.16\,(\theta - 1) = 0$, so $\theta = 0.2$.
#
# </details>
#
# A test that compares gradients with small differences passes on this engine, for its first derivatives are right, as the
# 12 above was. The test that fails compares the *meta-gradient* with small differences of the loss after adapting.


# %%
def check_meta_gradient(meta_gradient_at):
    expected = (loss_after_adapting(0.5 + 1e-5) - loss_after_adapting(0.5 - 1e-5)) / 2e-5
    given = meta_gradient_at(0.5)
    verdict = "passed" if abs(given - expected) < 1e-6 else "FAILED"
    print(f"{verdict}: small steps give {expected:.2f}, the meta-gradient is {abs(given):.2f}")


check_meta_gradient(museum_meta_gradient)

# %% [markdown]
# The fix is to write the vjp in the engine's own numbers: the slope of a product is `other`, not `other.value`, and the
# gradient that is handed back is not a float. That is our engine.
#
# | museum | ours |
# | --- | --- |
# | `[(self, other.value), (other, self.value)]` | `[(a, lambda g: g * b), (b, lambda g: g * a)]` |


# %%
def mended_meta_gradient(start):
    at, loss = Tensor(start), Tensor(0.0)
    for a, c in TASKS:
        step = grad(task_loss(at, a, c, Tensor), at)
        loss = loss + task_loss(at - 0.2 * step, a, c, Tensor)
    return float(grad(loss, at).value)


check_meta_gradient(mended_meta_gradient)
mended_end = meta_train(mended_meta_gradient)
print(f"ended at {mended_end:.4g}, with a loss after adapting of {loss_after_adapting(mended_end):.4g}")
claim(
    "The two ends are 0.5 and 0.2.",
    np.allclose([museum_end, mended_end], [0.5, 0.2]),
    [museum_end, mended_end],
)

# %% [markdown]
# Last, the first guess: we ask the museum's engine for the slope with which the chapter began.

# %%
at_one = Scalar(1.0)
(Scalar(2.0) * at_one * at_one).backward()
away_from_two = at_one + Scalar(-0.1 * at_one.grad) + Scalar(-2.0)
at_one.grad = 0.0
(Scalar(0.5) * away_from_two * away_from_two).backward()
claim("No error, and the slope -1.4 in place of -0.84.", np.isclose(at_one.grad, -1.4), at_one.grad)

# %% [markdown]
# ## The engine of the next chapters
#
# From chapter 06 on the notebooks import the reference's engine. It is yours with more comfort; the words change a little.
#
# | here | there, in `reference.scratch` and `reference.rules` |
# | --- | --- |
# | `exp(x)`, `total(x)`, `take(x, where)` | NumPy's own functions on a `Tensor`: `np.exp(x)`, `np.sum(x, axis=1)`, `x[where]` |
# | $\theta$, one long column | `params`, a dict from name to array; a loss takes the dict, `loss(params, ...)` |
# | `grads(y, [x, z])` | `grad(y, params)`, a dict again; `create_graph=False` gives plain arrays, without a memory |
# | `grad(loss(t), t).value` | `value_and_grad(loss)(params, ...)`, a pair: the loss and its gradient, plain arrays |
# | `sgd(theta, g, lr)`, `adam(theta, g, state, lr)` | a `Rule`, as `sgd(lr)` or `adam(lr)`: `rule.init(params)` is the state it begins with, `rule.update(params, gradient, state)` gives new parameters and state |
# | one turn of the loop in `unroll` | `take_step(loss, params, rule, state)`, new parameters and state |
# | `unroll(loss, theta, lr, k, first_order)` | `unroll(loss, params, rule, k, first_order=...)` |
#
# The outer step of part 2 is `value_and_grad` of a function that unrolls inside, and a rule that takes the gradient. Here is
# that sentence on both sides: the loss after two steps, and its slope in the start.


# %%
def loss_and_meta_gradient(start, centre):
    t = Tensor(start)
    end = unroll(lambda p: total(exp(p) - p * centre), t, 0.1, 2)
    loss = total((end - centre) * (end - centre))
    return loss.value, grad(loss, t).value


# %%
def with_the_reference(start, centre):
    def loss_after(params):
        rule = rules.sgd(0.1)
        end = reference_unroll.unroll(lambda p: np.sum(np.exp(p["t"]) - p["t"] * centre), params, rule, 2)
        return np.sum((end["t"] - centre) ** 2)

    loss, gradient = engine.value_and_grad(loss_after)({"t": start})
    return loss, gradient["t"]


same(loss_and_meta_gradient, with_the_reference, normals((3,), (3,)))

# %% [markdown]
# ## Exercises

# %% [markdown]
# ### Exercise 4: Three operations
#
# *Difficulty: easy. Time: 20 minutes. Points: 3.*
#
# Write three operations for the engine, each as **one** `Tensor(...)` with its vjps beside the value:
#
# - `tanh(x)`, whose derivative is $1 - \tanh^2 x$;
# - `divide(a, b)`, entry by entry, for $a$ and $b$ of one shape;
# - `cumulate(x)` for a vector: $y_i = x_1 + \dots + x_i$. (NumPy has `np.cumsum`.)
#
# For the values use NumPy on `detach(x)`; the vjps are written for tensors. The tests differentiate each of them twice.
#
# <details><summary>Hint 1</summary>
#
# A vjp gets a tensor `g` and must give a tensor that remembers how it was made. What happens to the second derivative
# if it takes `x.value` instead of `x`?
#
# </details>
# <details><summary>Hint 2</summary>
#
# For the quotient, the slope in $a$ is $1 / b$ and in $b$ it is $-a / b^2$. For the running sum: which results does
# $x_j$ reach? Its gradient is the sum of theirs.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Write out the gradients of $x_1, x_2, x_3$ for $g = (g_1, g_2, g_3)$. It is a running sum again; where does it start?
# Its own vjp is one of the two sums as well, so one function with a switch can do both.
#
# </details>


# %% tags=["setup"]
def right_twice(name, f, x, hint):
    """Ask the judge, and add to its verdict what to think about."""
    try:
        judge(f, x)
    except (AssertionError, AttributeError, TypeError) as error:
        if "second" in str(error):
            hint = "The first is right, so the memory is lost: does a vjp use detach, .value or NumPy?"
        if isinstance(error, AttributeError):
            hint = "A vjp gave a plain array, which has no memory: build it from tensors."
        if isinstance(error, TypeError):
            hint = "NumPy's functions refuse a tensor: a vjp is built from the engine's operations and yours."
        raise AssertionError(f"{name}: {error} {hint}") from None


def is_one_step(result, operand):
    """Whether the result remembers this operand itself, and nothing in between."""
    return any(parent is operand for parent, _ in result.parents) and result.depth == operand.depth + 1


# %% solution="three-operations"
### BEGIN SOLUTION
def tanh(x):
    return Tensor(np.tanh(detach(x)), [(x, lambda g: g * (1.0 - tanh(x) * tanh(x)))])


def divide(a, b):
    return Tensor(detach(a) / detach(b), [(a, lambda g: divide(g, b)), (b, lambda g: -divide(g * a, b * b))])


def cumulate(x, from_end=False):
    value = np.cumsum(detach(x)[::-1])[::-1] if from_end else np.cumsum(detach(x))
    return Tensor(value, [(x, lambda g: cumulate(g, not from_end))])


### END SOLUTION

# %% test="three-operations" points=1
t = Tensor([-1.0, 0.2, 2.0])
assert isinstance(tanh(t), Tensor), f"tanh: return a Tensor, not a {type(tanh(t)).__name__}."
assert np.allclose(tanh(t).value, np.tanh(t.value)), f"expected {np.tanh(t.value)}, got {tanh(t).value}."
assert is_one_step(tanh(t), t), "tanh: write one Tensor(...) with a vjp, not a formula of other operations."
right_twice("tanh", tanh, t.value, "A vjp must multiply the slope 1 - tanh(x)^2 by g, which comes in.")
### BEGIN HIDDEN TESTS
right_twice("tanh", lambda x: tanh(x * x) * tanh(x), np.array([[0.5, -0.3]]), "Does g enter the vjp?")
### END HIDDEN TESTS
print("tanh: right to second order")

# %% test="three-operations" points=1
a, b = np.array([1.0, -2.0, 3.0]), np.array([2.0, 0.5, -1.5])
assert isinstance(divide(Tensor(a), Tensor(b)), Tensor), "divide: return a Tensor."
quotient = divide(Tensor(a), Tensor(b)).value
assert np.allclose(quotient, a / b), f"divide: expected {a / b}, got {quotient}."
right_twice("divide, in a", lambda t: divide(t, Tensor(b)), a, "a / b has the slope 1 / b in a, times g.")
hint = "a / b has the slope -a / b^2 in b (mind the sign), times g."
right_twice("divide, in b", lambda t: divide(Tensor(a), t), b, hint)
### BEGIN HIDDEN TESTS
t = Tensor(b)
assert is_one_step(divide(Tensor(a), t), t), "divide: write one Tensor(...) with a vjp for a and one for b."
right_twice("divide, in both", lambda t: divide(t * t, t * t * t), b, "Has each operand its own vjp?")
### END HIDDEN TESTS
print("divide: right to second order")

# %% test="three-operations" points=1
t = Tensor([1.0, 10.0, 100.0])
assert isinstance(cumulate(t), Tensor), f"cumulate: return a Tensor, not a {type(cumulate(t)).__name__}."
assert np.allclose(cumulate(t).value, [1, 11, 111]), (
    f"cumulate: expected [1, 11, 111], got {cumulate(t).value}."
)
assert is_one_step(cumulate(t), t), "cumulate: write one Tensor(...) with a vjp for x."
given = detach(grad(total(cumulate(t)), t))
assert np.allclose(given, [3, 2, 1]), (
    f"cumulate: the gradient of the sum should be [3, 2, 1], got {given}. The first entry reaches all three "
    "results, the last only one."
)
x = np.array([0.5, -1.0, 2.0])
right_twice("cumulate", lambda x: cumulate(x * x), x, "Which results does an entry reach?")
right_twice("cumulate", lambda x: cumulate(x * cumulate(x)), x, "Which results does an entry reach?")
### BEGIN HIDDEN TESTS
x = np.array([0.5, -1.0, 2.0, 3.0])
right_twice(
    "cumulate", lambda x: cumulate(cumulate(x) * cumulate(x)), x, "Which results does an entry reach?"
)
### END HIDDEN TESTS
print("cumulate: right to second order")

# %% [markdown]
# ### Exercise 5: A Hessian for many parameters
#
# *Difficulty: medium. Time: 15 minutes. Points: 2.*
#
# A network keeps its parameters in a dict, name to array. Write `hvp_of_dict(loss, params, vectors)`. The loss takes a
# dict of tensors and gives a scalar tensor; `params` and `vectors` are dicts of arrays with the same names and shapes.
# Return the product of the whole Hessian with the vector: a dict of plain arrays. Go by the names, for the two dicts may
# list them in different orders.
#
# Try it with a pencil for $L(a, b) = a^2 b$ at $a = 3$, $b = 5$: what is the Hessian there, and what is its first column?
#
# <details><summary>Hint 1</summary>
#
# The Hessian has entries for pairs of parameters from *different* arrays, too. Moving $a$ changes the gradient in $b$.
#
# </details>
# <details><summary>Hint 2</summary>
#
# In exercise 3 one number was differentiated. Here the parameters come in several arrays; it is still one number.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `grads` wants a list of tensors and keeps its order; the tensors must be the very ones that the loss was given.
#
# </details>


# %% tags=["setup"]
def column_of_cubic(a, b, function):
    """What `function` gives for a^2 b at (3, 5) and the vector (a, b); here b is an array of one entry."""
    point, v = {"a": np.array(3.0), "b": np.array([5.0])}, {"b": np.array([b]), "a": np.array(a)}
    try:
        given = function(lambda p: total(p["a"] * p["a"] * p["b"]), point, v)
    except ValueError as error:
        raise AssertionError(f"{error} A product g * v is an array: are its entries added up?") from None
    assert isinstance(given, dict), f"return a dict from name to array, not a {type(given).__name__}."
    assert set(given) == {"a", "b"}, f"the result needs the names a and b, it has {sorted(given)}."
    assert not any(isinstance(g, Tensor) for g in given.values()), "return plain arrays, not tensors."
    return given["a"].item(), given["b"].item()


# %% solution="hvp-of-dict"
def hvp_of_dict(loss, params, vectors):
    """The Hessian of the loss at params times the vectors, as a dict of arrays."""
    ### BEGIN SOLUTION
    leaves = {name: Tensor(p) for name, p in params.items()}
    xs = list(leaves.values())
    along = sum(total(g * vectors[name]) for name, g in zip(leaves, grads(loss(leaves), xs), strict=True))
    return {name: g.value for name, g in zip(leaves, grads(along, xs), strict=True)}
    ### END SOLUTION


# %% test="hvp-of-dict" points=1
pair = column_of_cubic(1.0, 0.0, hvp_of_dict)
story = f"For a^2 b at (3, 5) and v = (1, 0) expected (10, 6), got {pair}."
assert pair != (0, 0), f"{story} All zero: was the gradient cut from its memory before the second grads?"
assert pair != (30, 0), f"{story} This is the gradient times v, yet to be summed and differentiated."
assert pair != (10, 0), f"{story} Moving a changes the gradient in b: the sum has other parameters, too."
assert pair != (6, 0), f"{story} The gradient in a met the v of b: pair them by name, not by place."
assert np.allclose(pair, (10, 6)), f"{story} Where does the vector v enter?"
second = column_of_cubic(0.0, 1.0, hvp_of_dict)
assert np.allclose(second, (6, 0)), f"for v = (0, 1) expected (6, 0), got {second}: each name has its own v."
print("hvp_of_dict: right for one entry each")


# %% test="hvp-of-dict" points=1
point = {"r": np.array([1.0, 2.0]), "s": np.array([3.0, 4.0])}
v = {"s": np.zeros(2), "r": np.array([1.0, 0.0])}
given = hvp_of_dict(lambda p: total(p["r"] * p["r"] * p["s"]), point, v)  # in r: 2 s v, in s: 2 r v
assert np.allclose(given["r"], [6, 0]) and np.allclose(given["s"], [2, 0]), (
    "For r_1^2 s_1 + r_2^2 s_2 at r = (1, 2), s = (3, 4), moving r_1 alone: expected (6, 0) in r and (2, 0) "
    f"in s, got {given['r']} and {given['s']}. Each entry has its own v."
)
### BEGIN HIDDEN TESTS
w, c = np.arange(6.0).reshape(2, 3) / 5, np.array([[0.5, -1.0]])
ones = {"w": np.ones((2, 3)), "c": np.ones((1, 2))}
in_c = detach(hvp_of_dict(lambda p: total(exp(p["c"] @ p["w"])), {"w": w, "c": c}, ones)["c"])
change = np.exp(c @ w) * (ones["c"] @ w + c @ ones["w"])  # of the slope of the exponentials
expected = change @ w.T + np.exp(c @ w) @ ones["w"].T
assert np.allclose(in_c, expected), f"for matrices c and w expected {expected} in c, got {in_c}."
### END HIDDEN TESTS
print("hvp_of_dict: passed")

# %% [markdown]
# ### Exercise 6: Curvature for the last steps only
#
# *Difficulty: medium. Time: 20 minutes. Points: 3.*
#
# Between the full meta-gradient and the first-order one there is a middle. Write `truncated(support_loss, query_loss,
# theta, inner_lr, n_steps, n_exact)`: the slope of the query loss after `n_steps` steps on the support loss, in the
# array `theta`, where only the *last* `n_exact` steps contribute their curvature. The earlier ones count as
# first-order. Losses are functions of a tensor; the result is a plain array.
#
# In symbols, with $H_i$ the Hessian of $L_S$ at $\theta_i$, where step $i$ was taken, and $m$ for `n_exact`:
#
# $$(I - \alpha H_{n-m}) \cdots (I - \alpha H_{n-2})(I - \alpha H_{n-1})\, \nabla L_Q(\theta_n).$$
#
# <details><summary>Hint 1</summary>
#
# A step is $\theta - \alpha g$. Its Jacobian $I - \alpha H$ has two terms. Which part of the step makes which?
#
# </details>
# <details><summary>Hint 2</summary>
#
# What is left of the Jacobian if the gradient is a constant? And what, if the parameters are?
#
# </details>
# <details><summary>Hint 3</summary>
#
# The steps are numbered 0 to `n_steps - 1`; the exact ones are those from `n_steps - n_exact` on.
#
# </details>


# %% tags=["setup"]
def fourth(t):
    return total(t * t * t * t) / 4.0  # gradient t^3, Hessian 3 t^2


def to_two(t):
    return total((t - 2.0) * (t - 2.0)) / 2.0


# %% solution="truncated"
def truncated(support_loss, query_loss, theta, inner_lr, n_steps, n_exact):
    """The meta-gradient in theta with the curvature of the last n_exact steps."""
    ### BEGIN SOLUTION
    start = Tensor(theta)
    early = unroll(support_loss, start, inner_lr, n_steps - n_exact, first_order=True)
    return grad(query_loss(unroll(support_loss, early, inner_lr, n_exact)), start).value
    ### END SOLUTION


# %% test="truncated" points=2
# From theta = 1 with inner_lr = 0.1 two steps go to 0.9 and 0.8271; their factors are 0.7 and 0.757.
none, last, both = (float(detach(truncated(fourth, to_two, np.array(1.0), 0.1, 2, m))) for m in (0, 1, 2))
slope = 0.8271 - 2
cut = "n_exact = 0: got 0. The path back to theta is cut; detach the gradient, not the parameters."
assert none != 0, cut
story = f"n_exact = 0: expected the query gradient alone, {slope:.4f}, got {none:.4f}."
assert none != -1, f"{story} All n_steps steps are taken; n_exact says which keep their curvature."
assert np.isclose(none, slope), f"{story} Which detach is missing?"
story = f"n_exact = 2: expected both factors, {0.7 * 0.757 * slope:.4f}, got {both:.4f}."
assert np.isclose(both, 0.7 * 0.757 * slope), f"{story} Count the steps."
story = f"n_exact = 1: expected the factor 0.757 alone, {0.757 * slope:.4f}, got {last:.4f}."
assert np.isclose(last, 0.757 * slope), f"{story} Is the exact step the last one, or the first?"
print("truncated: right for two steps")

# %% test="truncated" points=1
third = 1 - 0.3 * 0.8271**2  # the factor of a third step, which ends at 0.8271 - 0.1 * 0.8271^3
of_three, end = float(detach(truncated(fourth, to_two, np.array(1.0), 0.1, 3, 2))), 0.8271 - 0.1 * 0.8271**3
wanted = 0.757 * third * (end - 2)
assert np.isclose(of_three, wanted), f"2 of 3 steps exact: expected {wanted:.4f}, got {of_three:.4f}."
### BEGIN HIDDEN TESTS
t, product = 1.5, 1.0
for step in range(5):
    product *= 1 - 0.3 * t**2 if step >= 2 else 1.0
    t -= 0.1 * t**3
three = float(detach(truncated(fourth, to_two, np.array(1.5), 0.1, 5, 3)))
assert np.isclose(three, product * (t - 2)), (
    f"3 of 5 steps: expected {product * (t - 2):.4f}, got {three:.4f}."
)
### END HIDDEN TESTS
print("truncated: passed")

# %% [markdown]
# ### Exercise 7: Many steps in the memory of one
#
# *Difficulty: hard. Time: 30 minutes. Points: 4.*
#
# Figure 3 says that the memory grows with every step. It need not. The meta-gradient is a product of matrices and a
# vector,
#
# $$(I - \alpha H_0)(I - \alpha H_1) \cdots (I - \alpha H_{k-1})\, \nabla L_Q(\theta_k),$$
#
# where $H_i$ is the Hessian of $L_S$ at $\theta_i$. Write `swept(support_loss, query_loss, theta, inner_lr, n_steps)`,
# which computes it exactly with plain arrays between the steps and `hvp` at each. No graph may span more than one
# step: the test looks at the depth of the tensors on which your function calls the support loss.
#
# <details><summary>Hint 1</summary>
#
# In which order does the product get cheap? What must be known when the walk back begins?
#
# </details>
# <details><summary>Hint 2</summary>
#
# Multiply from the right: the vector meets $(I - \alpha H_{k-1})$ first and $(I - \alpha H_0)$ last.
#
# </details>
# <details><summary>Hint 3</summary>
#
# To go back through one step is to multiply the vector by $I - \alpha H$. At which of its two ends is this $H$ taken?
#
# </details>


# %% solution="swept"
def swept(support_loss, query_loss, theta, inner_lr, n_steps):
    """The exact meta-gradient in the array theta, with graphs of one step at most."""
    ### BEGIN SOLUTION
    points = [theta]
    for _ in range(n_steps):
        t = Tensor(points[-1])
        points.append(points[-1] - inner_lr * grad(support_loss(t), t).value)
    end = Tensor(points[-1])
    v = grad(query_loss(end), end).value
    for point in reversed(points[:-1]):
        v = v - inner_lr * hvp(support_loss, point, v)
    return v
    ### END SOLUTION


# %% test="swept" points=2
def steep(t):
    return 2.0 * t * t  # Hessian 4 everywhere, so each step has the factor 1 - 0.1 * 4 = 0.6


given, expected = float(detach(swept(steep, to_two, np.array(1.0), 0.1, 2))), 0.6**2 * (0.36 - 2)
story = f"Two steps on 2 t^2 from 1: expected {expected:.4f}, got {given:.4f}."
assert not np.isclose(given, 0.36 - 2), f"{story} This is the query gradient: where is the curvature?"
assert not np.isclose(given, 0.4**2 * (0.36 - 2)), f"{story} Each factor is 1 - 0.4: keep the identity."
early, summed = 0.6**2 * (0.6 - 2), (1 - 0.4 - 0.4) * (0.36 - 2)
assert not np.isclose(given, early), f"{story} The query gradient belongs to the point after the last step."
assert not np.isclose(given, summed), f"{story} Each factor multiplies what the one before it gave."
assert np.isclose(given, expected), f"{story} What is the factor of a step?"
depths = []
swept(lambda t: depths.append(t.depth) or steep(t), to_two, np.array(1.0), 0.1, 4)
story = f"The loss was called on a tensor of depth {max(depths)}"
assert max(depths) == 0, f"{story}: it remembers earlier steps. Start every step afresh."
### BEGIN HIDDEN TESTS
unmoved = float(detach(swept(steep, to_two, np.array(1.0), 0.1, 0)))
assert np.isclose(unmoved, -1), f"without a step the slope is 1 - 2 = -1, got {unmoved}."
### END HIDDEN TESTS
print("swept: passed on a quadratic, without a long memory")

# %% test="swept" points=2
given, expected = float(detach(swept(fourth, to_two, np.array(1.0), 0.1, 2))), 0.7 * 0.757 * (0.8271 - 2)
story = f"On t^4 / 4 from 1: expected {expected:.4f}, got {given:.4f}."
assert np.isclose(given, expected), (
    f"{story} The Hessian belongs to the point where the step started: 1 and 0.9, not 0.9 and 0.8271."
)


def twisted(t):
    return total(exp(t * take(t, np.array([1, 2, 0]))))


begin = Tensor([0.3, -0.8, 0.5])
by_graph = grad(to_two(unroll(twisted, begin, 0.1, 4)), begin).value.round(6)
by_sweep = np.round(detach(swept(twisted, to_two, begin.value, 0.1, 4)), 6)
story = f"Three parameters: expected {by_graph}, got {by_sweep}. Matrices do not commute"
assert np.allclose(by_graph, by_sweep, atol=1e-5), f"{story}: the last step comes first on the way back."
### BEGIN HIDDEN TESTS
begin = Tensor([-0.2, 0.4, 0.9])
by_graph = grad(to_two(unroll(twisted, begin, 0.05, 6)), begin).value
by_sweep = detach(swept(twisted, to_two, begin.value, 0.05, 6))
assert np.allclose(by_graph, by_sweep), f"Six steps from elsewhere: expected {by_graph}, got {by_sweep}."
### END HIDDEN TESTS
print("swept: passed")

# %% [markdown]
# ### Exercise 8: What is kept
#
# *Difficulty: medium. Time: 10 minutes. Points: 2.*
#
# Answer in three or four sentences. Why must the engine keep every step of an unrolled loop for a second-order
# meta-gradient, when it need not for a first-order one? And `swept` keeps no graph longer than a step: what does it keep
# instead, and what does it pay?
#
# <details><summary>Hint 1</summary>
#
# Which factors stand in the meta-gradient, and what must be known to multiply by one of them?
#
# </details>
# <details><summary>Hint 2</summary>
#
# The Hessian $H_i$ is that of the support loss at $\theta_i$. What does a vjp of step $i$ read?
#
# </details>
# <details><summary>Hint 3</summary>
#
# Count how often the loss and its gradient at $\theta_i$ are computed in `unroll`, and how often in `swept`.
#
# </details>

# %% [markdown] answer="what-is-kept" points=2
# <!-- BEGIN SOLUTION -->
# The second-order meta-gradient has a factor $I - \alpha H_i$ for each step, and to multiply by it the vjps of the inner
# backward pass at $\theta_i$ read the values computed there; so the graph of every step is kept until the outer backward
# pass has gone through it. To first order every factor is $I$, and nothing of a step is needed. `swept` keeps the $k + 1$
# arrays of parameters only, which is far less than the graphs, and pays with time: the loss and its gradient at every
# $\theta_i$ are computed a second time on the way back.
# <!-- END SOLUTION -->

# %% [markdown]
# <details><summary>A model answer, and what a grader looks for (open it after you have written yours)</summary>
#
# Second order multiplies by $I - \alpha H_i$ for every step. The vjps that do it read values of the inner backward pass at
# $\theta_i$, and the outer backward pass comes to them only after the last step; so all of them wait. To first order the
# factors are $I$: nothing of a step is read. `swept` keeps the points $\theta_0, \dots, \theta_k$, arrays of parameters, and
# computes loss and gradient at each of them once more on the way back: less memory, more time.
#
# A grader looks for: (1 point) the factor $I - \alpha H_i$, whose values are needed *later* than they are made, and its
# absence to first order; (1 point) the points in place of the graphs, at the price of a second evaluation.
#
# </details>

# %% [markdown]
# ## Summary
#
# - A tensor remembers its operands with a vjp each; a walk from results to operands adds up the gradients.
# - If the vjps are written in the engine's own operations, a gradient has a graph, and can be differentiated again.
# - $Hv$ is the gradient of $\nabla L \cdot v$: a few gradients' worth of work, at any size, where $H$ costs $d$ of them.
# - A step $\theta - \alpha \nabla L_S$ has the Jacobian $I - \alpha H$; detaching the gradient leaves $I$, without a warning.
# - The graph of $k$ steps grows in proportion to $k$; one can have the exact meta-gradient without it, for more time.
#
# ## Read more
#
# - Atilim Gunes Baydin, Barak Pearlmutter, Alexey Radul, Jeffrey Siskind, 2018, Automatic Differentiation in Machine
#   Learning: a Survey, arXiv:1502.05767.
# - Barak Pearlmutter, 1994, Fast Exact Multiplication by the Hessian, Neural Computation 6(1).
# - Walter Baur, Volker Strassen, 1983, The Complexity of Partial Derivatives, Theoretical Computer Science 22(3).
# - Dougal Maclaurin, David Duvenaud, Ryan Adams, 2015, Gradient-based Hyperparameter Optimization through Reversible
#   Learning, arXiv:1502.03492: the meta-gradient of thousands of steps without their memory.
# - Chelsea Finn, Pieter Abbeel, Sergey Levine, 2017, Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks,
#   arXiv:1703.03400: chapter 07 builds it.
# - Diederik Kingma, Jimmy Ba, 2015, Adam: A Method for Stochastic Optimization, arXiv:1412.6980.
# - Jimmy Ba, Jamie Kiros, Geoffrey Hinton, 2016, Layer Normalization, arXiv:1607.06450.
