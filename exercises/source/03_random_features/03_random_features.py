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
# # Exercise 03: Random features
#
# You will write the kernel of a model that is linear in its parameters, train it, find where training ends, measure how
# the kernel comes to its limit, and make such a model out of a network.
# It goes with the chapter *Random features* of the book.
#
# **Convention.** Features $f^{(1)}, \dots, f^{(P)}$ are drawn once and stay. The model and its cost on $N$ examples are
#
# $$f_\theta(x) = \frac1{\sqrt P}\sum_{p=1}^P\theta_p\,f^{(p)}(x),\qquad
# C(\theta) = \frac1{2N}\sum_{i=1}^N\big(f_\theta(x_i) - y_i\big)^2 .$$
#
# Features come to you already evaluated: `features[i, p]` is $f^{(p)}(x_i)$, shape `[N, P]`, one row an input.
#
# **Arrays.** Your functions receive `torch` tensors in float64. Answer with tensors or with numpy arrays; float32 is
# accepted.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do these
# tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("03.1", feature_gram)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 03.1: inner, not outer ({{points 03.1}})
#
# The tangent kernel of the model is $\tilde K(x, x') = \sum_p \partial_{\theta_p} f_\theta(x)\,\partial_{\theta_p}
# f_\theta(x')$: one number for each pair of inputs (Jacot, Gabriel & Hongler 2018, section 3.1). Given the features of
# two batches of inputs, `f1` of shape `[n, P]` and `f2` of shape `[m, P]`, return their kernel, shape `[n, m]`, rows
# for the inputs of `f1`.
#
# **Predict before you run.** With 6 inputs and 40 features there is also a $40\times40$ matrix, made of the same
# gradients. How many of its eigenvalues are not zero, and which are they?


# %% solution="03.1"
def feature_gram(f1, f2):
    """Kernel of the model. f1 [n, P], f2 [m, P] -> [n, m]."""
    ### BEGIN SOLUTION
    return f1 @ f2.T / f1.shape[1]
    ### END SOLUTION


# %% given="03.1-by-hand"
# Two inputs with two features each, and one more input: an average of two products for each pair.
one = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
other = torch.tensor([[2.0, 2.0]])
gram = torch.as_tensor(feature_gram(one, other))
assert tuple(gram.shape) == (2, 1), f"expected [n, m] = [2, 1], received {list(gram.shape)}"
assert abs(gram[0, 0] - 3) < 1e-9, f"first input: (1·2 + 2·2)/2 = 3, received {gram[0, 0]:.4f}"
assert abs(gram[1, 0] - 2) < 1e-9, f"second input: (3·2 − 1·2)/2 = 2, received {gram[1, 0]:.4f}"

# %% check="03.1"
check("03.1", feature_gram)

# %% tags=["demonstration"]
# Demonstration: the spectra of the two matrices of 6 inputs and 40 ReLU features.
circle, target = ntk.data.circle(6)
drawn = ntk.RandomFeatures.of_activation(ntk.relu, count=40, like=circle, sigma_b=1.0)
F = drawn.features(circle)
small = torch.linalg.eigvalsh(feature_gram(F, F)).flip(0)
large = torch.linalg.eigvalsh(F.T @ F / 40).flip(0)
print("6 × 6:  ", " ".join(f"{value:.5f}" for value in small))
print("40 × 40:", " ".join(f"{value:.5f}" for value in large[:7]), "...")

# %% [markdown]
# ## Task 03.2: gradient descent on the parameters ({{points 03.2}})
#
# Take `steps` steps $\theta \leftarrow \theta - \mathrm{lr}\,\nabla_\theta C(\theta)$ with the cost $C$ above, on the
# whole data at once, from the given `theta`. Return the new $\theta$, shape `[P]`.
#
# **Predict before you run.** Each step moves the function, on the data and off it. Kernel gradient descent moves it by
# $-\frac{\mathrm{lr}}N\sum_j\tilde K(x, x_j)(f(x_j) - y_j)$. With 30 features, how far apart are the two functions
# after 500 steps?


# %% solution="03.2"
def theta_after(theta, features, y, lr, steps):
    """Parameters after gradient descent. theta [P], features [N, P], y [N] -> [P]."""
    ### BEGIN SOLUTION
    jacobian = features / features.shape[1] ** 0.5
    for _ in range(steps):
        residual = jacobian @ theta - y
        theta = theta - lr / len(y) * (jacobian.T @ residual)
    return theta
    ### END SOLUTION


# %% given="03.2-by-hand"
# Four features, one example: f = (1 + 1 + 1 + 1)/√4 = 2, and the slope of f in each parameter is 1/√4 = 1/2.
ones = torch.ones(4)
theta = torch.as_tensor(theta_after(ones, torch.ones(1, 4), torch.tensor([1.0]), 0.1, 1))
assert tuple(theta.shape) == (4,), f"expected one number for each of 4 features, received {list(theta.shape)}"
assert abs(theta[0] - 0.95) < 1e-9, f"1 − 0.1 · (2 − 1) · 1/2 = 0.95, received {theta[0]:.4f}"
# The same example twice: the cost is an average, so nothing changes.
theta = torch.as_tensor(theta_after(ones, torch.ones(2, 4), torch.ones(2), 0.1, 1))
assert abs(theta[0] - 0.95) < 1e-9, f"the same example twice: still 0.95, received {theta[0]:.4f}"

# %% check="03.2"
check("03.2", theta_after)

# %% tags=["demonstration"]
# Demonstration: the function that your parameters give, and kernel gradient descent, at points off the data.
elsewhere, _ = ntk.data.circle(25)
drawn = ntk.RandomFeatures.of_activation(ntk.relu, count=30, like=circle, sigma_b=1.0)
start = torch.randn(30, generator=torch.Generator().manual_seed(0))
path = ntk.kernel_gradient_descent(
    drawn.gram(circle), target, lr=0.5, steps=[1, 20, 500], f0=drawn.predict(start, circle)
)
by_kernel = path.predict(drawn.gram(elsewhere, circle), drawn.predict(start, elsewhere))
for steps, function in zip((1, 20, 500), by_kernel, strict=True):
    theta = theta_after(start, drawn.features(circle), target, 0.5, steps)
    print(f"{steps} steps: largest difference {(drawn.predict(theta, elsewhere) - function).abs().max():.1e}")

# %% [markdown]
# ## Task 03.3: where it ends, and what it remembers ({{points 03.3}})
#
# With a step size below the critical one, gradient descent on $C$ converges from any `theta0`. Return the limit
# $\theta_\infty$, shape `[P]`, without running the steps. Of all parameters with the smallest cost it is the one
# nearest to `theta0`.
#
# There may be fewer features than data, and an input may stand twice in the data with two different labels, so do not
# count on $\tilde K$ being invertible: `torch.linalg.pinv` and `torch.linalg.lstsq` exist for such matrices.
#
# **Predict before you run.** Gradients lie in the span of $N$ vectors. Which share of a random $\theta_0\in\mathbb R^P$
# do they never touch, for $N = 20$ and $P = 400$? And for $P = 10$?


# %% solution="03.3"
def theta_end(features, y, theta0):
    """Parameters at the end of gradient descent. features [N, P], y [N], theta0 [P] -> [P]."""
    ### BEGIN SOLUTION
    jacobian = features / features.shape[1] ** 0.5
    return theta0 + torch.linalg.pinv(jacobian) @ (y - jacobian @ theta0)
    ### END SOLUTION


# %% given="03.3-by-hand"
# One example, four features of which the last is 0: f = (θ₁ + θ₂ + θ₃)/2 has to become 3, and starts at 0.
row = torch.tensor([[1.0, 1.0, 1.0, 0.0]])
theta = torch.as_tensor(theta_end(row, torch.tensor([3.0]), torch.zeros(4)))
assert tuple(theta.shape) == (4,), f"expected one number for each of 4 features, received {list(theta.shape)}"
assert abs(theta[0] - 2) < 1e-9, f"(2 + 2 + 2)/2 = 3, received θ₁ = {theta[0]:.4f}"
# No gradient ever moves the fourth parameter.
theta = torch.as_tensor(theta_end(row, torch.tensor([3.0]), torch.tensor([0.0, 0.0, 0.0, 7.0])))
assert abs(theta[3] - 7) < 1e-9, f"the fourth parameter stays at 7, received {theta[3]:.4f}"

# %% check="03.3"
check("03.3", theta_end)

# %% tags=["demonstration"]
# Demonstration: the share of θ₀ that survives training on 20 handwritten digits.
digits, labels = ntk.data.digits(20)
parity = 1.0 - 2.0 * (labels % 2)
for count in (10, 20, 40, 400):
    drawn = ntk.RandomFeatures.of_activation(ntk.erf, count=count, like=digits, sigma_b=0.1, seed=count)
    F, start = drawn.features(digits), torch.randn(count, generator=torch.Generator().manual_seed(1))
    survives = theta_end(F, torch.zeros(20), start)  # targets 0: what fits them is 0
    left = theta_end(F, parity, start)
    cost = (drawn.predict(left, digits) - parity).square().mean() / 2
    print(f"P = {count}: share {survives.square().sum() / start.square().sum():.2f}, cost at the end {cost:.1e}")

# %% [markdown]
# ## Task 03.4: how the error falls ({{points 03.4}})
#
# As $P$ grows, $\tilde K$ tends to $K = \mathbb E[f^{(p)}f^{(p)}]$ by the law of large numbers. How fast? Given saved
# Gram matrices, `grams[i, j]` from the $j$-th draw of `counts[i]` features, and their limit, take for each number of
# features the error
#
# $$e_i = \Big(\frac1{\text{draws}}\sum_j\lVert\tilde K_{ij} - K\rVert_F^2\Big)^{1/2},\qquad
# \lVert A\rVert_F^2 = \sum_{k,l}A_{kl}^2 ,$$
#
# and return the slope of $\log e$ against $\log P$, fitted by least squares to all sizes. Shapes: `counts` `[w]`,
# `grams` `[w, draws, n, n]`, `limit` `[n, n]`.
#
# **Predict before you run.** You want one more correct digit of the kernel. How many times more features is that?


# %% solution="03.4"
def error_slope(counts, grams, limit):
    """Power with which the error falls. counts [w], grams [w, draws, n, n], limit [n, n] -> float."""
    ### BEGIN SOLUTION
    error = (grams - limit).square().sum(dim=(2, 3)).mean(dim=1).sqrt()
    centered = counts.log() - counts.log().mean()
    return float(centered @ error.log() / (centered @ centered))
    ### END SOLUTION


# %% given="03.4-by-hand"
# Two draws, 1 × 1: with errors 3/P and 4/P the root mean square is 3.54/P.
sizes = torch.tensor([10.0, 100.0, 1000.0])
saved = 2 + torch.stack([3 / sizes, -4 / sizes], dim=1)[:, :, None, None]
slope = float(error_slope(sizes, saved, torch.full((1, 1), 2.0)))
assert abs(slope + 1) < 1e-6, f"an error of 3.54/P has slope -1, received {slope:.4f}"

# %% check="03.4"
check("03.4", error_slope)

# %% tags=["demonstration"]
# Demonstration: ReLU features at four inputs, 40 draws of each size.
four = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.6, 0.8]])
limit = ntk.serial(ntk.Dense(), ntk.relu).kernel(four).nngp
sizes = torch.tensor([100.0, 1000.0, 10_000.0])


def gram_of(count, seed):
    return ntk.RandomFeatures.of_activation(ntk.relu, count=count, like=four, seed=seed).gram(four)


saved = torch.stack([torch.stack([gram_of(int(P), int(P) + seed) for seed in range(40)]) for P in sizes])
print(f"slope {error_slope(sizes, saved, limit):.3f}")

# %% [markdown]
# ## Task 03.5: a network, linearized ({{points 03.5}})
#
# A network with $n$ hidden units and without biases,
#
# $$f_\theta(x) = \frac1{\sqrt n}\,v\cdot\tanh\!\Big(\frac1{\sqrt d}\,W x\Big),\qquad \theta = (W, v),$$
#
# is not linear in $\theta$. Its linearization at $\theta_0 = (W, v)$ is,
#
# $$f^{\mathrm{lin}}(x) = f_{\theta_0}(x) + J(x)\,(\theta - \theta_0),\qquad
# J(x) = \frac{\partial f_\theta(x)}{\partial\theta}\Big|_{\theta_0},$$
#
# and $f^{\mathrm{lin}} - f_{\theta_0}$ is a model with features $\sqrt P\,\partial_{\theta_p}f$ (Lee et al. 2019,
# section 2.2). Given $W$ `[n, d]`, $v$ `[n]`, the displacements `dw` and `dv` of the same shapes, and a batch `x` of
# $m$ inputs, shape `[m, d]`, return $f^{\mathrm{lin}}$ at these inputs, shape `[m]`. By hand or by automatic
# differentiation: both are right.
#
# **Predict before you run.** Make the displacement twice as long. By what factor does $f^{\mathrm{lin}} - f_{\theta_0}$
# grow? And the gap between the network and its linearization?


# %% solution="03.5"
def linear_network(w, v, dw, dv, x):
    """The linearized network. w, dw [n, d], v, dv [n], x [m, d] -> [m]."""
    ### BEGIN SOLUTION
    n, d = w.shape
    post = torch.tanh(x @ w.T / d**0.5)
    hidden = (1 - post**2) * (x @ dw.T / d**0.5)  # what dw does to the activations, to first order
    return (post @ (v + dv) + hidden @ v) / n**0.5
    ### END SOLUTION


# %% given="03.5-by-hand"
# One unit and one input, so both scales are 1. At w = 0 tanh is 0 with slope 1: f_lin = 0 + v · dw · x.
zero, two, half = torch.tensor([[0.0]]), torch.tensor([2.0]), torch.tensor([[0.5]])
value = torch.as_tensor(linear_network(zero, two, half, torch.tensor([10.0]), torch.tensor([[3.0]])))
assert tuple(value.shape) == (1,), f"expected one number for each input, shape [1], received {list(value.shape)}"
assert abs(value[0] - 3) < 1e-9, f"w = 0: f_lin = 2 · 0.5 · 3 = 3, whatever dv is, received {value[0]:.4f}"

# %% check="03.5"
check("03.5", linear_network)

# %% tags=["demonstration"]
# Demonstration: a displacement of growing length, and what the linearization leaves out.
generator = torch.Generator().manual_seed(3)
w, dw = torch.randn(2, 50, 2, generator=generator)
v, dv = torch.randn(2, 50, generator=generator)
f0 = linear_network(w, v, 0 * dw, 0 * dv, elsewhere)
for length in (0.05, 0.1, 0.2):
    linear = linear_network(w, v, length * dw, length * dv, elsewhere)
    real = torch.tanh(elsewhere @ (w + length * dw).T / 2**0.5) @ (v + length * dv) / 50**0.5
    print(f"length {length}: |f_lin − f₀| = {(linear - f0).norm():.4f}, |f − f_lin| = {(real - linear).norm():.5f}")

# %% [markdown]
# ## Question 03.6: what a wide network shares with random features ({{points 03.6}})
#
# A fellow student says: "A very wide network *is* a random-feature model: draw the weights, and gradient descent is
# kernel gradient descent with the kernel of the features $\partial f/\partial\theta$." In about ten lines: what is
# drawn and what is learned in a random-feature model, and in a network? Which part of the statement is exact for
# random features at any $P$, and why? What does $P\to\infty$ add, and does the same argument serve for a network? Which
# model made from a network is a random-feature model exactly? A person reads your answer:
#
# {{rubric 03.6}}

# %% [markdown] written="03.6"
# ### BEGIN SOLUTION
# With random features the functions are drawn once and only their coefficients are learned; in a network the features
# $\partial f/\partial\theta$ depend on all weights, and they move when these are trained. For random features gradient
# descent on $\theta$ equals kernel gradient descent at every $P$ and every step size, for $f$ is linear in $\theta$:
# a step changes $f$ by exactly $J$ times the step, and $J$ stays, so the kernel $JJ^\top$ never changes. Letting
# $P\to\infty$ only makes this kernel deterministic, by the law of large numbers for independent features. A network's
# features are all made of the same weights and are not independent: there one needs an induction over the layers, and
# for training a second argument that the kernel hardly moves. Exactly a random-feature model is the linearization
# $f_{\theta_0} + J(\theta-\theta_0)$: it starts at $f_{\theta_0}$, and off the data a part of that start remains.
# ### END SOLUTION
