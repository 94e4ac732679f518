# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Exercise 02: Kernel gradient descent
#
# You will write the norm that a kernel defines, a step of gradient descent in the space of functions, the speed at
# which a cost falls, the matrix of a kernel with several outputs, and the place where a singular kernel stops.
# It goes with the chapter *Kernel gradient descent* of the book.
#
# **Convention** (Jacot, Gabriel & Hongler 2018, section 3). There are $N$ training inputs $x_1, \dots, x_N$; each
# expectation over the data is a mean over them. The cost is $C(f) = \frac1N\sum_j c(f(x_j), y_j)$, and
# $d(x_j) = \partial c(f(x_j), y_j)/\partial f(x_j)$ is the derivative of *one* example's cost. The kernel $K$ turns it
# into a motion of $f$ at every $x$,
#
# $$\partial_t f(x) = -\frac1N\sum_{j=1}^N K(x, x_j)\, d(x_j).$$
#
# **Arrays.** Your functions receive `torch` tensors in float64. Answer with tensors or with numpy arrays; float32 is
# accepted. A kernel of $m$ and $n$ inputs has shape `[m, n]`: rows for the first argument.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do these
# tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("02.1", kernel_norm_squared)` runs your function on random inputs and tells you which idea
# is missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 02.1: the norm that a kernel defines ({{points 02.1}})
#
# A kernel $K$ defines an inner product of *functions* $d, e$ with values in $\mathbb R^c$ (section 3 of the paper),
#
# $$\langle d, e\rangle_K = \mathbb E_{x, x'}\bigl[d(x)^\top e(x')\, K(x, x')\bigr],$$
#
# with $x$ and $x'$ drawn **independently** from the training inputs. Return
# $\lVert d\rVert^2_K = \langle d, d\rangle_K$ from `kernel` `[n, n]` and the values `d` `[n, c]`. (One number
# $K(x, x')$ for all outputs: it stands for $K(x, x')\,\mathrm{Id}_c$.)
#
# **Predict before you run.** Is there a function that is not zero on the data, and has norm zero? For which kernels?


# %% solution="02.1"
def kernel_norm_squared(kernel, d):
    """‖d‖²_K. kernel [n, n], d [n, c] -> float."""
    ### BEGIN SOLUTION
    return float((d * (kernel @ d)).sum() / len(d) ** 2)
    ### END SOLUTION


# %% given="02.1-by-hand"
# Two inputs, one output: the four pairs (x, x') have 2·1·1, 1·1·3, 1·3·1 and 5·3·3.
norm = float(kernel_norm_squared(torch.tensor([[2.0, 1.0], [1.0, 5.0]]), torch.tensor([[1.0], [3.0]])))
pairs = 2 + 3 + 3 + 45
assert abs(norm - pairs / 4) < 1e-9, f"the mean of the four pairs is {pairs}/4 = {pairs / 4:g}, received {norm:.4f}"
# Two outputs: the second has values 1 and 0 and adds the pair (x₁, x₁) alone, 2·1·1.
norm = float(kernel_norm_squared(torch.tensor([[2.0, 1.0], [1.0, 5.0]]), torch.tensor([[1.0, 1.0], [3.0, 0.0]])))
assert abs(norm - (pairs + 2) / 4) < 1e-9, f"two outputs: ({pairs} + 2)/4 = {(pairs + 2) / 4:g}, received {norm:.4f}"

# %% check="02.1"
check("02.1", kernel_norm_squared)

# %% tags=["demonstration"]
# Demonstration: a linear kernel, which has two features, on six points of a circle. The eigenvector of its smallest
# eigenvalue is a function that is not zero, and its norm is.
circle, target = ntk.data.circle(6)
linear = circle @ circle.T
blind = torch.linalg.eigh(linear).eigenvectors[:, :1]
print(f"mean square {blind.square().mean():.4f}, squared norm {abs(kernel_norm_squared(linear, blind)):.1e}")

# %% [markdown]
# ## Task 02.2: one step, on the data and off it ({{points 02.2}})
#
# Now the squared error, $c(f, y) = \frac12 (f - y)^2$, and one step of gradient descent in function space,
#
# $$f(x) \leftarrow f(x) - \mathrm{lr}\cdot\frac1N\sum_{j=1}^N K(x, x_j)\, d(x_j).$$
#
# The function is known at $m$ points, `f` `[m]`. Some of these points are the training inputs: `data` `[n]` holds
# their places, in any order, so that `f[data]` belongs to `y` `[n]`. Column $j$ of `kernel` `[m, n]` is
# $K(\cdot, x_j)$ at all $m$ points. Return the new `f`, `[m]`.
#
# **Predict before you run.** A training input is already right, $f(x_j) = y_j$. Does its output stay where it is?


# %% solution="02.2"
def kgd_step(f, kernel, data, y, lr):
    """f after one step. f [m], kernel [m, n], data [n], y [n] -> [m]."""
    ### BEGIN SOLUTION
    residual = f[data] - y
    return f - lr * kernel @ residual / len(y)
    ### END SOLUTION


# %% given="02.2-by-hand"
# Three points; the third and the first are data, in this order. Residuals: 4 - 1 = 3 at the third, 0 at the first.
f = torch.tensor([1.0, 2.0, 4.0])
kernel = torch.tensor([[0.5, 1.0], [0.2, 0.6], [1.0, 0.5]])
new = torch.as_tensor(kgd_step(f, kernel, torch.tensor([2, 0]), torch.tensor([1.0, 1.0]), 0.1))
assert tuple(new.shape) == (3,), f"expected one value for each of 3 points, received shape {list(new.shape)}"
assert abs(new[2] - (4 - 0.1 * 1.0 * 3 / 2)) < 1e-9, (
    f"the third point is too high by 3: 4 - 0.1 · 1.0 · 3 / 2 = 3.85, received {new[2]:.4f}"
)
assert abs(new[1] - (2 - 0.1 * 0.2 * 3 / 2)) < 1e-9, (
    f"the second point is no data and moves all the same: 2 - 0.1 · 0.2 · 3 / 2 = 1.97, received {new[1]:.4f}"
)
assert abs(new[0] - (1 - 0.1 * 0.5 * 3 / 2)) < 1e-9, (
    f"the first point is right already and is pulled along: 1 - 0.1 · 0.5 · 3 / 2 = 0.925, received {new[0]:.4f}"
)

# %% check="02.2"
check("02.2", kgd_step)

# %% tags=["demonstration"]
# Demonstration: 200 steps with the kernel of an infinitely wide network on twelve points of the circle, of which four
# are data. The other eight are predicted, and so is what they should be: x₁x₂ is known there too.
points, truth = ntk.data.circle(12)
data = torch.tensor([10, 1, 4, 7])
theta = ntk.zoo.mlp(4).ntk(points, points[data])
f = torch.zeros(12)
for _ in range(200):
    f = torch.as_tensor(kgd_step(f, theta, data, truth[data], 1.0))
others = [i for i in range(12) if i not in data.tolist()]
print(f"largest residual on the data {(f - truth)[data].abs().max():.4f}, off it {(f - truth)[others].abs().max():.4f}")

# %% [markdown]
# ## Task 02.3: how fast the logistic cost falls ({{points 02.3}})
#
# For classes $y_j \in \{-1, +1\}$ the logistic cost is $c(f, y) = \log(1 + e^{-y f})$. Along the flow
#
# $$\partial_t C(f_t) = -\lVert d_t\rVert^2_K,$$
#
# with the norm of 02.1. Return this derivative for outputs `f` `[n]`, classes `y` `[n]` and `kernel` `[n, n]`. Some
# outputs will be as large as 1000, on the right side and on the wrong one: the cost is finite there, and your answer
# should be, too.
#
# **Predict before you run.** An example is right with a large margin, $y f = 20$. Does it still push? And one that is
# wrong with $y f = -20$: does it push twenty times as hard as one at $y f = -1$?


# %% solution="02.3"
def cost_decay(kernel, f, y):
    """dC/dt of the logistic cost. kernel [n, n], f [n], y [n] -> float."""
    ### BEGIN SOLUTION
    d = -y * torch.sigmoid(-y * f)
    return float(-(d @ kernel @ d) / len(d) ** 2)
    ### END SOLUTION


# %% given="02.3-by-hand"
# One input with f = 0: d = -y/2, whichever class it has.
decay = float(cost_decay(torch.tensor([[3.0]]), torch.tensor([0.0]), torch.tensor([1.0])))
assert abs(decay + 3 / 4) < 1e-9, f"f = 0: -3 · (1/2)² = -0.75, received {decay:.4f}"
# A short walk along the flow: the cost must change by as much as you say.
kernel, f, y = torch.tensor([[2.0, -0.5], [-0.5, 1.0]]), torch.tensor([0.3, 0.8]), torch.tensor([1.0, -1.0])


def cost(f):
    return torch.log(1 + torch.exp(-y * f)).mean()


slope = torch.autograd.functional.jacobian(cost, f)  # ∂C/∂f(x_j): it has the 1/N already
short = 1e-6
change = float(cost(f - short * kernel @ slope) - cost(f)) / short
decay = float(cost_decay(kernel, f, y))
assert abs(decay - change) < 1e-4 * abs(change), f"after a time of 1e-6 dC/dt is {change:.5f}, received {decay:.5f}"

# %% check="02.3"
check("02.3", cost_decay)

# %% tags=["demonstration"]
# Demonstration: real digits, 4 against 9, at f = 0, with the kernel of an infinitely wide network. The cost starts at
# log 2; if it kept its first speed, how long would it take to reach 0?
images, labels = ntk.data.digits(600, seed=0)
pair = (labels == 4) | (labels == 9)
images, classes = images[pair][:100], torch.where(labels[pair][:100] == 4, 1.0, -1.0)
theta = ntk.zoo.mlp(4).ntk(images)
speed = -cost_decay(theta, torch.zeros(100), classes)
print(f"dC/dt = {-speed:.5f}: log 2 lasts for t = {0.6931 / speed:.0f}")

# %% [markdown]
# ## Task 02.4: a kernel of several outputs as one matrix ({{points 02.4}})
#
# With $c$ outputs $K(x, x')$ is a $c\times c$ matrix, and in general **not** a symmetric one; what holds is
# $K(x, x') = K(x', x)^\top$. To speak of eigenvalues one needs a single matrix, over pairs (input, output). Return it
# from `kernel` `[m, n, c, c]`, where `kernel[i, j, k, l]` is $K_{kl}(x_i, x'_j)$: row $i\,c + k$ belongs to output $k$
# at $x_i$, column $j\,c + l$ to output $l$ at $x'_j$ (counted from 0).
#
# **Predict before you run.** For the data against themselves, is your matrix symmetric, although its blocks are not?


# %% solution="02.4"
def block_matrix(kernel):
    """One matrix over pairs (input, output). kernel [m, n, c, c] -> [m·c, n·c]."""
    ### BEGIN SOLUTION
    m, n, c, _ = kernel.shape
    return kernel.permute(0, 2, 1, 3).reshape(m * c, n * c)
    ### END SOLUTION


# %% given="02.4-by-hand"
# One input against two, with two outputs. Digits name the places: 100·(second input) + 10·k + l.
blocks = torch.tensor([[[[100.0, 101.0], [110.0, 111.0]], [[200.0, 201.0], [210.0, 211.0]]]])
matrix = torch.as_tensor(block_matrix(blocks))
assert tuple(matrix.shape) == (2, 4), f"expected [m·c, n·c] = [2, 4], received {list(matrix.shape)}"
first_row = [100.0, 101.0, 200.0, 201.0]
assert matrix[0].tolist() == first_row, f"row 0 is output k = 0: expected {first_row}, received {matrix[0].tolist()}"

# %% check="02.4"
check("02.4", block_matrix)

# %% tags=["demonstration"]
# Demonstration: a network with three outputs. A block of two different inputs is not symmetric, the whole is.
network = ntk.zoo.mlp(3).network(width=32, like=circle, out_features=3, seed=0)
theta = ntk.empirical_ntk(network, circle)
matrix = torch.as_tensor(block_matrix(theta))
block = theta[0, 1]
print(f"one block: |K - Kᵀ| / |K| = {(block - block.T).norm() / block.norm():.2f}")
print(f"the whole: |K - Kᵀ| / |K| = {(matrix - matrix.T).norm() / matrix.norm():.0e}")

# %% [markdown]
# ## Task 02.5: where a singular kernel stops ({{points 02.5}})
#
# Back to the squared error, $\partial_t f_t = -\frac1N K (f_t - y)$ on the data. If `kernel` `[n, n]` is
# positive-definite, $f_t \to y$. Now it is only **semi**definite: it may have fewer features than there are inputs, or
# meet one input twice with two different targets. Return $f_\infty = \lim_{t\to\infty} f_t$, from the outputs `f0`
# `[n]` at the start and the targets `y` `[n]`. Kernels come in all units: entries of size $10^{-13}$ are as good as
# any.
#
# (In floating point an eigenvalue that should be zero is a tiny number of either sign. If you leave the decision to a
# routine, ask what it takes for zero: `torch.linalg.lstsq` decides well only with `driver="gelsd"`.)
#
# **Predict before you run.** One input stands in the data twice, with targets $+1$ and $-1$; $f_0 = 0$. Where does $f$
# end there? And with targets $+1$, $+1$, $-1$?


# %% solution="02.5"
def outputs_at_infinity(kernel, f0, y):
    """f on the data as t → ∞. kernel [n, n], f0 [n], y [n] -> [n]."""
    ### BEGIN SOLUTION
    values, vectors = torch.linalg.eigh(kernel)
    blind = vectors[:, values < 1e-10 * values[-1]]
    return y + blind @ (blind.T @ (f0 - y))
    ### END SOLUTION


# %% given="02.5-by-hand"
# The same input twice, targets 1 and -1, both outputs 0.5 at the start: equal inputs have equal outputs for ever, and
# the two pulls cancel at 0. A third input, uncoupled, reaches its target 2.
kernel = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 4.0]])
end = torch.as_tensor(outputs_at_infinity(kernel, torch.tensor([0.5, 0.5, 0.5]), torch.tensor([1.0, -1.0, 2.0])))
assert tuple(end.shape) == (3,), f"expected one value for each of 3 inputs, received shape {list(end.shape)}"
assert abs(end[2] - 2) < 1e-9, f"the kernel moves the third input: expected its target 2, received {end[2]:.4f}"
assert abs(end[0] - end[1]) < 1e-9, f"one input, one output: received {end[0]:.4f} and {end[1]:.4f}"
assert abs(end[0]) < 1e-9, f"between 1 and -1 the pulls cancel at 0, received {end[0]:.4f}"

# %% check="02.5"
check("02.5", outputs_at_infinity)

# %% tags=["demonstration"]
# Demonstration: the linear kernel of 02.1, and the kernel of an infinitely wide network, on six points of the circle
# with the target x₁x₂. Only one of them can learn it.
for name, theta in {"linear kernel": linear, "network, depth 4": ntk.zoo.mlp(4).ntk(circle)}.items():
    left = torch.as_tensor(outputs_at_infinity(theta, torch.zeros(6), target)) - target
    print(f"{name}: cost at t = 0 {target.square().mean() / 2:.4f}, at t = ∞ {left.square().mean() / 2:.4f}")

# %% [markdown]
# ## Question 02.6: what guaranteed convergence needs ({{points 02.6}})
#
# A slide on this theory says: "$K$ constant over training and positive-definite $\implies$ convergence to global
# minimum." In about ten lines: which words are missing, and which condition is stronger than it needs to be? Say what
# the cost has to be, what the kernel has to be and on which space, what converges to what, and where the statement
# ends. Give one example in which the cost converges and there is nothing for $f$ to converge to. A person reads your
# answer:
#
# {{rubric 02.6}}

# %% [markdown] written="02.6"
# ### BEGIN SOLUTION
# The cost has to be convex as a function of the outputs and bounded below; a cost with two wells stops in the nearer
# one, although the kernel is positive-definite. The kernel has to be positive-definite as a form on functions on the
# training inputs: its smallest eigenvalue there must be positive. It need not be constant: if the smallest eigenvalue
# stays above a positive number while the kernel moves, and the largest stays bounded, the same conclusion holds. The
# conclusion is about the cost, which falls to its infimum. For least squares the infimum is a minimum and the outputs
# converge to the targets exponentially fast. For logistic regression on separable classes there is no minimizer: the
# cost tends to 0 while the outputs grow without bound. All of this concerns outputs on the training inputs, and
# nothing is said about other inputs. It concerns the flow in continuous time, or small enough steps. And for a
# network it is about the limit of infinite width at a fixed time; at a finite width one has to show separately that
# the smallest eigenvalue of the moving kernel stays away from zero.
# ### END SOLUTION
