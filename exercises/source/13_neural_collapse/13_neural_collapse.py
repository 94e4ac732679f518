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
# # Exercise 13: Neural collapse
#
# You will find the blocks of a kernel that has learned its classes, say how fast a network learns with such a kernel,
# and measure how far the features have collapsed. It goes with the chapter *Neural collapse* of the book.
#
# **Convention.** There are $N$ inputs in $C$ classes; `labels` holds the class of each, integers $0, \dots, C-1$, in
# any order, every class at least once. Kernels have one number for a pair of inputs (for a network with several outputs
# it is the mean over the outputs). The cost is that of the book, half the **mean** of squares,
# $\frac1{2N}\sum_i\lVert f(x_i) - y_i\rVert^2$.
#
# **Arrays.** Your functions receive `torch` tensors in float64, labels in int64, and numbers. Answer with tensors,
# numpy arrays or numbers; float32 is accepted.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do these
# tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("13.1", block_means)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import math

import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 13.1: the three values of the blocks ({{points 13.1}})
#
# A kernel is *block-structured* if it has one value $\gamma_d$ on the diagonal, one value $\gamma_c$ for two
# **different** inputs of one class, and one value $\gamma_n$ for inputs of two classes (Seleznova et al. 2023).
# No kernel of a real network is. The nearest block-structured kernel, in the sense of the smallest sum of squared
# differences over all $N^2$ entries, has for its three values the **means** of the entries of each kind.
#
# You receive `kernel`, symmetric, of shape `[n, n]`, and `labels`, of shape `[n]`. Classes may have different sizes,
# and a class may have a single input. Return $(\gamma_d, \gamma_c, \gamma_n)$, shape `[3]`.
#
# **Predict before you run.** At initialization, before it has seen a label, has a network's kernel on digits
# $\gamma_c = \gamma_n$, or $\gamma_c > \gamma_n$?


# %% solution="13.1"
def block_means(kernel, labels):
    """Means over one input, one class, two classes. kernel [n, n], labels [n] -> [3]."""
    ### BEGIN SOLUTION
    same = labels[:, None] == labels[None, :]
    one = torch.eye(len(labels), dtype=torch.bool)
    return torch.stack([kernel[one].mean(), kernel[same & ~one].mean(), kernel[~same].mean()])
    ### END SOLUTION


# %% given="13.1-by-hand"
# Three inputs, the first and the last of one class.
kernel = torch.tensor([[4.0, 1.0, 3.0], [1.0, 6.0, 2.0], [3.0, 2.0, 5.0]])
values = torch.as_tensor(block_means(kernel, torch.tensor([0, 1, 0])))
assert tuple(values.shape) == (3,), f"expected three values, received shape {list(values.shape)}"
assert abs(values[0] - 5) < 1e-9, f"the diagonal: (4 + 6 + 5)/3 = 5, received {values[0]:.4f}"
assert abs(values[1] - 3) < 1e-9, f"one class, two inputs: the first with the last, 3, received {values[1]:.4f}"
assert abs(values[2] - 1.5) < 1e-9, f"two classes: 1 and 2, mean 1.5, received {values[2]:.4f}"

# %% check="13.1"
check("13.1", block_means)

# %% tags=["demonstration"]
# Demonstration: 20 digits of each of four classes, a network before and after training.
images, names = ntk.data.digits(seed=0)
chosen = torch.cat([torch.nonzero(names == c)[:20, 0] for c in range(4)])
x, labels = images[chosen], names[chosen]
targets = ntk.data.centered_one_hot(labels, 4)
network = ntk.zoo.mlp(4, sigma_w=math.sqrt(2)).network(width=48, like=x, out_features=4, seed=0)
features_before = network[:-1](x).detach()
for moment in ("before", "after"):
    values = block_means(ntk.empirical_ntk_trace(network, x), labels)
    print(f"{moment}: γ_c/γ_d = {values[1] / values[0]:.3f}, γ_n/γ_d = {values[2] / values[0]:.3f}")
    if moment == "before":
        ntk.gradient_descent(network, x, targets, lr=1.0, steps=300)

# %% [markdown]
# ## Task 13.2: three rates ({{points 13.2}})
#
# Let the kernel be exactly block-structured, with `classes` $= C$ classes of `per_class` $= m$ inputs each,
# $N = Cm$, and let it stand still. A residual follows $\dot r = -\frac1N K r$ (the book's cost), so it decays
# as $e^{-\text{rate}\cdot t}$ along each eigenvector of the matrix. There are three kinds of them:
#
# 1. functions that average to 0 over **each** class;
# 2. functions that are constant on each class and average to 0 over all inputs;
# 3. constants.
#
# Return for each kind, in this order, its rate and its multiplicity (the dimension of its space), shape `[3, 2]`. The
# three numbers $\gamma$ may be any, also negative; $C, m\ge2$.
#
# **Predict before you run.** The targets of a classification are constant on classes. Which of the three rates decides
# how fast they are learned, and what happens at the slowest?


# %% solution="13.2"
def block_rates(gamma_d, gamma_c, gamma_n, classes, per_class):
    """Rate and multiplicity: within classes, class means, constants. Five numbers -> [3, 2]."""
    ### BEGIN SOLUTION
    inputs = classes * per_class
    single = gamma_d - gamma_c
    of_class = single + per_class * (gamma_c - gamma_n)
    overall = of_class + inputs * gamma_n
    return torch.tensor(
        [[single / inputs, inputs - classes], [of_class / inputs, classes - 1], [overall / inputs, 1.0]]
    )
    ### END SOLUTION


# %% given="13.2-by-hand"
# Without any relation between different inputs, K = 6 · Id: every function has the rate 6/N.
found = torch.as_tensor(block_rates(6.0, 0.0, 0.0, 3, 2))
assert tuple(found.shape) == (3, 2), f"expected a rate and a multiplicity in three rows, received {list(found.shape)}"
for row, kind in enumerate(("within classes", "class means", "constants")):
    assert abs(found[row, 0] - 1) < 1e-9, f"{kind}: 6/N = 1, received {found[row, 0]:.4f}"
assert abs(found[:, 1].sum() - 6) < 1e-9, (
    f"there are N = 6 independent functions, your multiplicities sum to {found[:, 1].sum():g}"
)
# If all entries are 6, K = 6 · 11ᵀ: constants have the eigenvalue N · 6, whatever averages to 0 has 0.
found = torch.as_tensor(block_rates(6.0, 6.0, 6.0, 3, 2))
for row, expected in enumerate((0.0, 0.0, 6.0)):
    assert abs(found[row, 0] - expected) < 1e-9, f"all entries 6, row {row}: {expected:g}, received {found[row, 0]:.4f}"

# %% check="13.2"
check("13.2", block_rates)

# %% tags=["demonstration"]
# Demonstration: your rates beside the eigenvalues of the trained network's kernel, which is not block-structured.
theta = ntk.empirical_ntk_trace(network, x)
rows = torch.as_tensor(block_rates(*(float(value) for value in block_means(theta, labels)), 4, 20))
spectrum = torch.linalg.eigvalsh(theta).flip(0) / len(x)
groups = {"constants": spectrum[:1], "class means": spectrum[1:4], "within classes": spectrum[4:]}
for (kind, values), row in zip(groups.items(), rows.flip(0), strict=True):
    print(f"{kind}: rate {row[0]:.5f}, eigenvalues from {values[0]:.5f} down to {values[-1]:.5f}")

# %% [markdown]
# ## Task 13.3: variability within classes ({{points 13.3}})
#
# The first of the four numbers of neural collapse (Papyan, Han & Donoho 2020). From `features` $h_i$, rows of shape
# `[n, d]`, and `labels`, form the class means $\mu_c$ and **their** mean $\mu = \frac1C\sum_c\mu_c$, and
#
# $$\Sigma_W = \frac1N\sum_i(h_i - \mu_{c(i)})(h_i - \mu_{c(i)})^\top,\qquad
# \Sigma_B = \frac1C\sum_c(\mu_c - \mu)(\mu_c - \mu)^\top,$$
#
# where $c(i)$ is the class of $h_i$. Return
#
# $$\mathrm{NC1} = \frac1C\operatorname{tr}\big(\Sigma_W\,\Sigma_B^+\big).$$
#
# $\Sigma_B^+$ is the pseudo-inverse: the rank of $\Sigma_B$ is at most $C - 1$, and rounding turns its zeros into tiny
# numbers, so stay in float64 up to here and call `torch.linalg.pinv` with `rtol=1e-9`.
#
# **Predict before you run.** The features of one class become one point. Does NC1 then also become 0 on images that the
# network has not been trained on?


# %% solution="13.3"
def variability(features, labels):
    """NC1. features [n, d], labels [n] -> float."""
    ### BEGIN SOLUTION
    classes = int(labels.max()) + 1
    means = torch.stack([features[labels == c].mean(dim=0) for c in range(classes)])
    deviations, spread = features - means[labels], means - means.mean(dim=0)
    within = deviations.T @ deviations / len(features)
    between = spread.T @ spread / classes
    return torch.trace(within @ torch.linalg.pinv(between, rtol=1e-9)) / classes
    ### END SOLUTION


# %% given="13.3-by-hand"
# Two classes with means (3, 0) and (-1, 0), around (1, 0): Σ_B = diag(4, 0), and Σ_B⁺ = diag(1/4, 0).
features = torch.tensor([[4.0, 5.0], [2.0, -5.0], [-1.0, 7.0], [-1.0, -7.0]])
nc1 = float(variability(features, torch.tensor([0, 0, 1, 1])))
assert abs(nc1 - 0.5 / 4 / 2) < 1e-9, (
    f"only the first coordinate counts: variance (1 + 1 + 0 + 0)/4 within, over 4 between, over C = 2: 0.0625, "
    f"received {nc1:.4f}"
)

# %% check="13.3"
check("13.3", variability)

# %% tags=["demonstration"]
# Demonstration: before training, after it, and after it on 30 other digits of each class.
others = torch.cat([torch.nonzero(names == c)[20:50, 0] for c in range(4)])
with torch.no_grad():
    print(f"before: {float(variability(features_before, labels)):.3f}")
    print(f"after: {float(variability(network[:-1](x), labels)):.3f}")
    print(f"other digits: {float(variability(network[:-1](images[others]), names[others])):.3f}")

# %% [markdown]
# ## Question 13.4: what do the blocks prove? ({{points 13.4}})
#
# A report shows the kernel of a trained network as a picture, sorted by class, with clear blocks on the diagonal. It
# concludes: "The kernel is block-structured. By the theorem of Seleznova et al. 2023 the network has therefore
# undergone neural collapse, which explains why it generalizes." In about ten lines: what does the theorem assume and
# what does it derive, which measurements would test its hypotheses on this network, and which control would you ask for
# before you believe the last half-sentence? A person reads your answer:
#
# {{rubric 13.4}}

# %% [markdown] written="13.4"
# ### BEGIN SOLUTION
# The theorem *assumes* that the kernel of the outputs and that of the features have exactly the block structure and
# stand still, and derives three rates, a conserved quantity and, if that vanishes at the start, the collapse. A picture
# does not establish the assumption: entries inside a block and blocks among each other differ. I would report the
# distance from the nearest block-structured kernel, before training as well, since a constant kernel is also nearly
# block-structured; the spread of the eigenvalues within the three groups; and how far the kernel still moves. Collapse
# can be measured without any theorem, by NC1 to NC4. For the last half-sentence: the same numbers on test images; a
# lazy network from the same draw, which fits as well and does not collapse; and a network trained on random labels,
# which may collapse and generalizes to nothing.
# ### END SOLUTION
