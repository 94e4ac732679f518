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
# # Exercise 07: Generalization
#
# You will compute what labels cost a kernel, the error on data that were left out, the spectrum of a kernel on the
# sphere, the learning curve that follows from a spectrum, and what is left for a kernel to learn in a function on the
# hypercube. It goes with the chapter *Generalization* of the book.
#
# **Arrays.** Your functions receive `torch` tensors in float64, whole numbers and floats. Answer with tensors or with
# numpy arrays; float32 is accepted. `k` is the Gram matrix $\tilde K_{ij} = K(x_i, x_j)$ of $N$ training inputs, shape
# `[n, n]`, symmetric and positive definite; its diagonal is *not* constant.
#
# **What you may use.** `torch`, `numpy`, `scipy`, and of the library: {{provides}} (no task needs it). The rest of
# `ntk_teach` could do these tasks for you; that is what the cells marked *demonstration* show. They are not run when
# you are graded.
#
# **How to check.** `check("07.1", complexity)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import math

import numpy as np
import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 07.1: what the labels cost ({{points 07.1}})
#
# The function of least norm through the labels has $\lVert\hat f\rVert_K^2 = y^\top\tilde K^{-1}y$. The part of the
# book's bound on the test loss that depends on the labels is twice the Rademacher complexity of a ball of that radius,
#
# $$\frac{2}{N}\sqrt{\operatorname{tr}\tilde K\;\cdot\; y^\top \tilde K^{-1} y}$$
#
# (Bartlett & Mendelson 2002, Lemma 22, for the complexity; Arora et al. 2019, Theorem 5.1, for a kernel whose diagonal
# is 1/2). `y` has shape `[n, c]`: each of its $c$ columns is one labeling of the same inputs, for example the true
# labels and some shuffled ones. Return one number for each labeling, shape `[c]`.
#
# **Predict before you run.** Multiply the kernel by 7: what happens to the bound? Then take labels that are the
# *strongest* eigenvector of $\tilde K$, and labels that are the weakest. Which of them are cheap?


# %% solution="07.1"
def complexity(k, y):
    """Label-dependent part of the bound. k [n, n], y [n, c] -> [c]."""
    ### BEGIN SOLUTION
    squared = (y * torch.linalg.solve(k, y)).sum(0)
    return 2 * (k.trace() * squared).sqrt() / len(k)
    ### END SOLUTION


# %% given="07.1-by-hand"
# Two inputs that know nothing of each other: K = diag(1, 4). For y = (1, 0) the norm² is 1, for y = (0, 1) it is 1/4:
# the input with the longer features is cheaper to fit.
k = torch.tensor([[1.0, 0.0], [0.0, 4.0]])
cost = torch.as_tensor(complexity(k, torch.eye(2)))
assert tuple(cost.shape) == (2,), f"expected one number for each of 2 labelings, received shape {tuple(cost.shape)}"
assert abs(cost[0] - math.sqrt(5)) < 1e-6, f"2/2 · √(5 · 1) = {math.sqrt(5):.4f}, received {cost[0]:.4f}"
assert abs(cost[1] - math.sqrt(5) / 2) < 1e-6, f"2/2 · √(5 · 1/4) = {math.sqrt(5) / 2:.4f}, received {cost[1]:.4f}"

# %% check="07.1"
check("07.1", complexity)

# %% tags=["demonstration"]
# Demonstration: zeros against ones, the true labels and the same labels shuffled.
digits, numbers = ntk.data.mnist(5000, seed=0)
x, labels = ntk.data.two_classes(digits, numbers, minus=0, plus=1)
shuffled = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]
kernel = ntk.zoo.mlp(3).ntk(x)
for n in (50, 200, 800):
    true, random = complexity(kernel[:n, :n], torch.stack([labels[:n], shuffled[:n]], dim=1))
    print(f"{n} digits: true labels {true:.2f}, shuffled labels {random:.2f}")

# %% [markdown]
# ## Task 07.2: leave one out ({{points 07.2}})
#
# Kernel ridge regression predicts $f(x) = K(x, X)(\tilde K + \delta\,\mathrm{Id})^{-1}y$. Let $f^{(-i)}$ be the
# same with example $i$ left out of the training set, $N-1$ examples and the same $\delta$. Return the residuals
#
# $$y_i - f^{(-i)}(x_i),\qquad i = 1, \dots, N,$$
#
# shape `[n]`. You may train $N$ times; but there is a closed form that needs one inverse, and it is proved in the
# chapter (*Leaving one out*). Your function must also be right for `ridge` $= 0$, where the training residuals
# all vanish.
#
# **Predict before you run.** With $\delta = 0$ the fit passes through every label. Are the residuals of the
# examples left out 0, too?


# %% solution="07.2"
def leave_one_out(k, y, ridge):
    """Residuals of the examples left out. k [n, n], y [n] -> [n]."""
    ### BEGIN SOLUTION
    inverse = torch.linalg.inv(k + ridge * torch.eye(len(k)))
    return (inverse @ y) / inverse.diagonal()
    ### END SOLUTION


# %% given="07.2-by-hand"
# Two examples: without the first, f(x₁) = K₁₂ / (K₂₂ + δ) · y₂ = 1 / (2 + 2) · 8 = 2.
k, y = torch.tensor([[3.0, 1.0], [1.0, 2.0]]), torch.tensor([5.0, 8.0])
left = torch.as_tensor(leave_one_out(k, y, 2.0))
assert tuple(left.shape) == (2,), f"expected one residual for each of 2 examples, received shape {tuple(left.shape)}"
assert abs(left[0] - 3) < 1e-6, f"without the first example f(x₁) = 1/4 · 8 = 2, so 5 - 2 = 3, received {left[0]:.4f}"
assert abs(left[1] - 7) < 1e-6, f"without the second example f(x₂) = 1/5 · 5 = 1, so 8 - 1 = 7, received {left[1]:.4f}"

# %% check="07.2"
check("07.2", leave_one_out)

# %% tags=["demonstration"]
# Demonstration: threes against eights. The error on digits that were left out, and on digits that nobody has seen.
x, labels = ntk.data.two_classes(digits, numbers, minus=3, plus=8)
kernel = ntk.zoo.mlp(3).ntk(x)
for ridge in (0.0, 0.03, 0.3):
    inside = torch.as_tensor(leave_one_out(kernel[:500, :500], labels[:500], ridge)).square().mean()
    weights = torch.linalg.solve(kernel[:500, :500] + ridge * torch.eye(500), labels[:500])
    outside = (labels[500:] - kernel[500:, :500] @ weights).square().mean()
    print(f"ridge {ridge:4.2f}: left out {inside:.4f}, unseen {outside:.4f}")

# %% [markdown]
# ## Task 07.3: eigenvalues by degree ({{points 07.3}})
#
# On the sphere $\mathbb S^{d-1}$ of inputs with $d$ coordinates, a kernel $K(x, x') = \kappa(x\cdot x')$ has one
# eigenvalue for each degree $k$, the average of $\kappa$ times a polynomial over the sphere,
#
# $$\lambda_k = c_d\int_0^\pi \kappa(\cos\theta)\,P_k(\cos\theta)\,\sin^{d-2}\theta\,d\theta,\qquad
# c_d\int_0^\pi\sin^{d-2}\theta\,d\theta = 1$$
#
# (the Funk–Hecke formula, proved in the chapter). The polynomials satisfy $P_0 = 1$, $P_1 = t$, and
#
# $$(k + d - 2)\,P_{k+1}(t) = (2k + d - 2)\,t\,P_k(t) - k\,P_{k-1}(t).$$
#
# You receive angles $\theta_q$ and weights $w_q$ of a quadrature, so that $\int_0^\pi g\,d\theta$ is
# $\sum_q w_q\, g(\theta_q)$, and `values`, the numbers $\kappa(\cos\theta_q)$; all `[q]`. `dimension` is $d \ge 2$.
# Return $\lambda_0, \dots, \lambda_{\text{degree}}$, shape `[degree + 1]`.
#
# **Predict before you run.** Which degrees can a network with one hidden layer of ReLU and no biases not learn at all?


# %% solution="07.3"
def eigenvalues_by_degree(values, angles, weights, dimension, degree):
    """Funk-Hecke eigenvalues. values, angles, weights [q] -> [degree + 1]."""
    ### BEGIN SOLUTION
    t = angles.cos()
    polynomials = [torch.ones_like(t), t]
    for k in range(1, degree):
        ahead = (2 * k + dimension - 2) * t * polynomials[k] - k * polynomials[k - 1]
        polynomials.append(ahead / (k + dimension - 2))
    mass = weights * angles.sin() ** (dimension - 2)
    return torch.stack(polynomials[: degree + 1]) @ (mass * values) / mass.sum()
    ### END SOLUTION


# %% given="07.3-by-hand"
nodes, node_weights = np.polynomial.legendre.leggauss(40)
angles = torch.as_tensor(math.pi / 2 * (1 + nodes))
weights = torch.as_tensor(math.pi / 2 * node_weights)
# The kernel that is 1 everywhere knows constants only. The kernel x·x' knows linear functions, and the mean square of
# one coordinate of a point on the sphere is 1/d: they add up to |x|² = 1.
constant = torch.as_tensor(eigenvalues_by_degree(torch.ones(40), angles, weights, 5, 2))
assert tuple(constant.shape) == (3,), f"expected degrees 0, 1 and 2, shape (3,), received {tuple(constant.shape)}"
assert abs(constant[0] - 1) < 1e-6, f"κ = 1: λ₀ is the average of 1, received {constant[0]:.4f}"
linear = torch.as_tensor(eigenvalues_by_degree(angles.cos(), angles, weights, 5, 2))
assert abs(linear[1] - 1 / 5) < 1e-6, f"κ = t in 5 dimensions: λ₁ = 1/5, received {linear[1]:.4f}"
assert abs(linear[2]) < 1e-6, f"κ = t has nothing of degree 2: λ₂ = 0, received {linear[2]:.4f}"

# %% check="07.3"
check("07.3", eigenvalues_by_degree)

# %% tags=["demonstration"]
# Demonstration: ReLU networks on the sphere of 3 dimensions, without and with biases, one and two hidden layers.
for depth, sigma_b in ((2, 0.0), (2, 1.0), (3, 0.0)):
    kappa = ntk.zonal(ntk.zoo.mlp(depth, sigma_b=sigma_b).ntk, 3)
    spectrum = eigenvalues_by_degree(kappa(angles.cos()), angles, weights, 3, 6)
    print(f"depth {depth}, sigma_b {sigma_b}: " + "  ".join(f"{value:9.6f}" for value in spectrum))

# %% [markdown]
# ## Task 07.4: the learning curve ({{points 07.4}})
#
# Kernel regression with $n$ examples learns the share $L_i = \lambda_i/(\lambda_i + \kappa)$ of mode $i$. The
# threshold $\kappa > 0$ solves
#
# $$\sum_i \frac{\lambda_i}{\lambda_i + \kappa} + \frac{\delta}{\kappa} = n,$$
#
# and the test error (mean squared, on noisy labels) is predicted to be
#
# $$E = E_0\Bigl(\sum_i (1 - L_i)^2 v_i^2 + \sigma^2\Bigr),\qquad E_0 = \frac{n}{n - \sum_i L_i^2}$$
#
# (Bordelon, Canatar & Pehlevan 2020; Simon et al. 2023). Here $\delta$ is `ridge`, added to the Gram matrix as it
# stands; $\sigma$ is `noise`, a standard deviation; `power` holds the $v_i^2$, `[m]`, in the order of `eigenvalues`,
# which is no particular one. Return the error for each of the `sizes` $n$, `[s]`. Without a ridge all sizes are below
# the number of modes. The left side falls with $\kappa$: halve an interval of $\log\kappa$ until it is as narrow as
# rounding, or call a root finder; six digits of $E$ are compared.
#
# **Predict before you run.** The labels are pure noise ($v = 0$) and there is no ridge. Is $E$ below, at, or above
# $\sigma^2$?


# %% solution="07.4"
def predicted_error(eigenvalues, power, sizes, ridge, noise):
    """Test error for each size. eigenvalues, power [m], sizes [s] -> [s]."""
    ### BEGIN SOLUTION
    low, high = torch.full_like(sizes, -40.0), torch.full_like(sizes, 40.0)  # log κ
    for _ in range(100):
        middle = (low + high) / 2
        kappa = middle.exp()
        count = (eigenvalues / (eigenvalues + kappa[:, None])).sum(1) + ridge / kappa
        low, high = torch.where(count > sizes, middle, low), torch.where(count > sizes, high, middle)
    learned = eigenvalues / (eigenvalues + low.exp()[:, None])
    missing = ((1 - learned).square() * power).sum(1) + noise**2
    return sizes / (sizes - learned.square().sum(1)) * missing
    ### END SOLUTION


# %% given="07.4-by-hand"
# Ten modes of one eigenvalue, 4 examples, no ridge: 10 λ/(λ + κ) = 4, so every L is 0.4. Of each mode 0.6² is missing,
# and E₀ = 4 / (4 - 10 · 0.16) = 5/3. With v² = 1 in each mode: 5/3 · 10 · 0.36 = 6.
flat = torch.full((10,), 0.7)
error = torch.as_tensor(predicted_error(flat, torch.ones(10), torch.tensor([4.0]), 0.0, 0.0))
assert tuple(error.shape) == (1,), f"expected one error for each of 1 sizes, received shape {tuple(error.shape)}"
assert abs(error[0] - 6) < 1e-5, f"E = 5/3 · 10 · 0.36 = 6, received {error[0]:.4f}"
# One mode of eigenvalue 1, 1 example, ridge 2: 1/(1 + κ) + 2/κ = 1 gives κ = 1 + √3.
error = torch.as_tensor(predicted_error(torch.ones(1), torch.ones(1), torch.tensor([1.0]), 2.0, 0.0))
learned = 1 / (2 + math.sqrt(3))
by_hand = (1 - learned) ** 2 / (1 - learned**2)
assert abs(error[0] - by_hand) < 1e-5, f"κ = 1 + √3, L = {learned:.4f}, E = {by_hand:.4f}, received {error[0]:.4f}"

# %% check="07.4"
check("07.4", predicted_error)

# %% tags=["demonstration"]
# Demonstration: a target of degree 2 on the sphere in 20 dimensions. Degrees above 4 are too high to be learned with so
# few examples: they act as a ridge. Measured: the mean of ten training sets, with its standard error.
d = 20
network = ntk.zoo.mlp(2, sigma_b=1.0)
spectrum = ntk.sphere_spectrum(ntk.zonal(network.ntk, d), d, range(5))
modes = spectrum.eigenvalues.repeat_interleave(spectrum.multiplicities.long())
target = torch.zeros(len(modes))
target[1 + d] = 1.0  # one harmonic of degree 2: behind the constant and d linear functions


def product(x):
    return math.sqrt(d * (d + 2)) * x[:, 0] * x[:, 1]  # of mean square 1


test = ntk.data.sphere(1000, d, seed=99)
sizes = [50, 150, 450]
predicted = predicted_error(modes, target, torch.tensor(sizes, dtype=torch.float64), spectrum.tail, 0.0)
for n, expected in zip(sizes, predicted, strict=True):
    measured = []
    for seed in range(10):
        x = ntk.data.sphere(n, d, seed=seed)
        fit = network.ntk(test, x) @ torch.linalg.solve(network.ntk(x), product(x))
        measured.append((fit - product(test)).square().mean())
    measured = torch.stack(measured)
    print(f"{n} examples: predicted {expected:.3f}, measured {measured.mean():.3f} ± {measured.std() / 10**0.5:.3f}")

# %% [markdown]
# ## Task 07.5: energy by degree ({{points 07.5}})
#
# On the hypercube $\{-1, 1\}^d$ with its uniform distribution the products $\chi_S(x) = \prod_{i\in S} x_i$, one for
# each set $S$ of coordinates, are orthonormal; $\chi_\emptyset = 1$. The *energy* of a function in degree $k$ is
#
# $$W_k = \sum_{\lvert S\rvert = k} \mathbb E[f\,\chi_S]^2,\qquad \sum_k W_k = \mathbb E[f^2].$$
#
# A kernel that treats all coordinates alike needs about $\binom dk$ examples for degree $k$ (the chapter proves it:
# with $n$ examples its error is at least $\sum_k W_k\,(1 - n/\binom dk)$, taken over the positive terms). You
# receive all $2^d$ points, `x` of shape `[2^d, d]`, in any order, and the `values` of $f$ there, `[2^d]`. Return
# $W_0, \dots, W_d$, shape `[d + 1]` (O'Donnell 2014, section 1.4).
#
# **Predict before you run.** The majority of three coordinates, $\operatorname{sign}(x_1 + x_2 + x_3)$, is not a
# polynomial at first sight. Which degrees does it have?


# %% solution="07.5"
def energy_by_degree(x, values):
    """Energy of each degree. x [2^d, d], values [2^d] -> [d + 1]."""
    ### BEGIN SOLUTION
    from itertools import combinations

    d = x.shape[1]
    energies = torch.zeros(d + 1, dtype=values.dtype)
    for k in range(d + 1):
        for subset in combinations(range(d), k):
            energies[k] += (values * x[:, list(subset)].prod(1)).mean() ** 2
    return energies
    ### END SOLUTION


# %% given="07.5-by-hand"
# f = 2 + 3 x₁x₂: degree 0 has 2², degree 2 has 3², together the mean square 13.
x = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
energies = torch.as_tensor(energy_by_degree(x, 2 + 3 * x[:, 0] * x[:, 1]))
assert tuple(energies.shape) == (3,), f"expected degrees 0, 1 and 2, shape (3,), received {tuple(energies.shape)}"
for degree, expected in enumerate((4.0, 0.0, 9.0)):
    assert abs(energies[degree] - expected) < 1e-6, (
        f"f = 2 + 3 x₁x₂: W{degree} = {expected:g}, received {energies[degree]:.4f}"
    )

# %% check="07.5"
check("07.5", energy_by_degree)

# %% tags=["demonstration"]
# Demonstration: three functions of three coordinates out of 10, and the error that 100 examples leave to any kernel.
d = 10
x = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * d)
functions = {"x₁": x[:, 0], "majority of three": x[:, :3].sum(1).sign(), "parity of three": x[:, :3].prod(1)}
for name, values in functions.items():
    energies = energy_by_degree(x, values)
    floor = sum(w * max(0.0, 1 - 100 / math.comb(d, k)) for k, w in enumerate(energies.tolist()))
    print(f"{name}: W1 = {energies[1]:.2f}, W3 = {energies[3]:.2f}, error at least {floor:.3f}")

# %% [markdown]
# ## Question 07.6: what the bound says ({{points 07.6}})
#
# A colleague trains networks of width 100 on 1000 examples of the parity of three bits among thirty, and writes:
# "The bound of the initial kernel is far above 1, so the theorem shows that networks cannot learn this task. But when
# I put the NTK of the *trained* network into the same formula, with the same labels, the number is small. Hence the
# trained network is guaranteed to generalize. And for digits the true labels have a bound of 1.5 and shuffled ones
# have 4.5; both are above 1, so the bound is useless." What is right in this, what is wrong? In about ten
# lines; use the theorem of the chapter and its section on parity. A person reads your answer:
#
# {{rubric 07.6}}

# %% [markdown] written="07.6"
# ### BEGIN SOLUTION
# The theorem bounds the test loss from above, for examples drawn independently and for a kernel that was fixed before
# the labels were seen. A bound above 1 on a loss in [0, 1] promises nothing; it does not show that anything fails. It
# is not useless either: the number of the true labels is a third of that of shuffled labels, and the rest of the bound
# hardly depends on them, so it tells apart what the training error cannot. For parity the large number is about this
# kernel: another theorem, a lower bound, says that any kernel with the symmetry of the initial one fails with so few
# examples. A network whose features move is not bound by it, and in the chapter it learns the task. The small number of
# the trained network's kernel is no guarantee, because that kernel was chosen by training on these same labels: it is a
# function of the sample, and the ball in its space was not fixed beforehand. It shows that the features have turned
# towards the task; whether the network generalizes is measured on fresh examples, or bounded with a kernel learned on
# one half of the data and labels from the other.
# ### END SOLUTION
