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
# # Exercise 10: The recurrent tangent kernel
#
# You will carry a covariance through time, for every pair of times of two series; follow the gradient back through
# time; and read out all steps of series of unequal lengths. It goes with the chapter *Recurrent networks: what does
# the order of the inputs do?* of the book.
#
# **Convention** (Alemohammad et al. 2020, section 2, with $\sigma_v = 1$). A series is $x = (x_1,\dots,x_T)$, each
# $x_t\in\mathbb R^m$. With $n$ units, $h_0 = 0$, and $W, U, b, V$ with entries drawn from $\mathcal N(0, 1)$,
#
# $$g_t = \frac{\sigma_w}{\sqrt n}W h_{t-1} + \frac{\sigma_u}{\sqrt m}U x_t + \sigma_b b,\qquad
# h_t = \phi(g_t),\qquad f = \frac1{\sqrt n}V h_T.$$
#
# Here $\phi$ is ReLU; the *same* $W$, $U$ and $b$ act at every step; all of $W, U, b, V$ are trained.
#
# **Arrays.** Your functions receive `torch` tensors in float64, and numbers. Answer with tensors, numpy arrays or
# numbers; float32 is accepted. A series is `[t, m]`, one row a step.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The call `ntk.relu.dual(cov, var1, var2)`
# returns `.value`, which is $\mathbb E[\phi(u)\phi(v)]$, and `.slope`, which is
# $\mathbb E[\dot\phi(u)\dot\phi(v)]$, for Gaussian $u$ and $v$ with these variances and this covariance; it takes
# arrays. The rest of `ntk_teach` could do these tasks for you; that is what the cells marked *demonstration* show.
# They are not run when you are graded.
#
# **How to check.** `check("10.1", covariance_grid)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 10.1: the covariance at every pair of times ({{points 10.1}})
#
# As $n\to\infty$ one unit of the preactivations is a Gaussian variable $g_t(x)$ for every series $x$ and time $t$. Its
# covariance at two series and two times is (Alemohammad et al. 2020, Theorem 1)
#
# $$\Sigma_{t,t'}(x, x') = \sigma_w^2\,\mathbb E\big[\phi(g_{t-1}(x))\,\phi(g_{t'-1}(x'))\big]
# + \frac{\sigma_u^2}m\,x_t\cdot x'_{t'} + \sigma_b^2,$$
#
# where the first summand is 0 if $t = 1$ or $t' = 1$. The expectation needs three numbers: $\Sigma_{t-1,t'-1}(x, x')$
# and the variances $\Sigma_{t-1,t-1}(x, x)$ and $\Sigma_{t'-1,t'-1}(x', x')$. Return $\Sigma_{t,t'}$ for **all** pairs
# of times, of shape `[t, s]`: row $t$ for `x1`, column $t'$ for `x2`. The two series may have different lengths.
#
# **Predict before you run.** Two series with $x_t\cdot x'_{t'} = 0$ at all pairs of times, and no biases. Is
# $\Sigma_{2,2}(x, x')$ zero?


# %% solution="10.1"
def covariance_grid(x1, x2, sigma_w, sigma_u, sigma_b):
    """Covariance of the preactivations at all pairs of times. x1 [t, m], x2 [s, m] -> [t, s]."""
    ### BEGIN SOLUTION
    w, u, b = sigma_w**2, sigma_u**2, sigma_b**2

    def own_variances(series):
        found = []
        for step in series:
            past = found[-1] / 2 if found else 0.0
            found.append(w * past + u * step.square().mean() + b)
        return torch.stack(found)

    first, second = own_variances(x1), own_variances(x2)
    cov = u * x1 @ x2.T / x1.shape[1] + b
    for t in range(1, len(x1)):
        expectation = ntk.relu.dual(cov[t - 1, :-1], first[t - 1], second[:-1]).value
        cov[t, 1:] = cov[t, 1:] + w * expectation
    return cov
    ### END SOLUTION


# %% given="10.1-by-hand"
# One number a step, all scales but σ_w are 1. x = (1, 2) and x' = (1, 2): the unit meets itself.
series = torch.tensor([[1.0], [2.0]])
cov = torch.as_tensor(covariance_grid(series, series, 3.0, 1.0, 1.0))
assert tuple(cov.shape) == (2, 2), (
    f"expected a row for each of 2 and a column for each of 2 times, received {cov.shape}"
)
assert abs(cov[0, 0] - 2) < 1e-9, f"first step: 1·1 + bias 1 = 2, received {cov[0, 0]:.4f}"
assert abs(cov[0, 1] - 3) < 1e-9, f"times 1 and 2: nothing is before time 1, so 1·2 + 1 = 3, received {cov[0, 1]:.4f}"
assert abs(cov[1, 1] - (9 * 1 + 5)) < 1e-7, (
    f"second step: σ_w² · E[φφ] = 9 · 2/2 (half of the variance 2) + 2·2 + 1 = 14, received {cov[1, 1]:.4f}"
)

# %% check="10.1"
check("10.1", covariance_grid)

# %% tags=["demonstration"]
# Demonstration: one W for all steps, in a finite network. Products of units at times 3 and 4, and your number.
generator = torch.Generator().manual_seed(0)
pair = torch.randn(2, 5, 2, generator=generator)
expected = covariance_grid(pair[0], pair[1], 1.4, 1.0, 0.3)[2, 3]
for width in (64, 4096):
    U, b = torch.randn(width, 2, generator=generator), torch.randn(width, generator=generator)
    for name in ("one W", "a fresh W every step"):
        W, h, kept = torch.randn(width, width, generator=generator), torch.zeros(2, width), []
        for t in range(5):
            W = W if name == "one W" else torch.randn(width, width, generator=generator)
            g = 1.4 * h @ W.T / width**0.5 + pair[:, t] @ U.T / 2**0.5 + 0.3 * b
            h = g.relu()
            kept.append(g)
        print(f"width {width}, {name}: {(kept[2][0] @ kept[3][1] / width).item():.3f}, your number {expected:.3f}")

# %% [markdown]
# ## Task 10.2: the tangent kernel of the last state ({{points 10.2}})
#
# The gradient by $W$ is a sum over all steps at which $W$ was used, and so are those by $U$ and $b$. In the limit only
# pairs of times at **equal distance from the end** contribute, and (Alemohammad et al. 2020, Theorem 2)
#
# $$\Theta_{t,t'} = \Sigma_{t,t'} + \sigma_w^2\,\mathbb E\big[\dot\phi(g_{t-1})\,\dot\phi(g'_{t'-1})\big]\,
# \Theta_{t-1,t'-1},\qquad
# \Theta(x, x') = \mathbb E\big[\phi(g_T)\,\phi(g'_{T'})\big] +
# \mathbb E\big[\dot\phi(g_T)\,\dot\phi(g'_{T'})\big]\,\Theta_{T,T'},$$
#
# where $\Theta_{t,t'} = 0$ if $t = 0$ or $t' = 0$. The first summand on the right belongs to $V$. You receive the grid
# `sigma` of 10.1, `[t, s]`, the variances $\Sigma_{t,t}(x, x)$ as `q1`, `[t]`, and those of $x'$ as `q2`, `[s]`. The
# numbers of steps may differ. Return the one number $\Theta(x, x')$.
#
# **Predict before you run.** With $\sigma_w = 1$, how does the share of the first step in $\Theta(x, x)$ go down as the
# series get longer? With which $\sigma_w$ does it not?


# %% solution="10.2"
def last_step_ntk(sigma, q1, q2, sigma_w):
    """Tangent kernel of the last state's read-out. sigma [t, s], q1 [t], q2 [s] -> float."""
    ### BEGIN SOLUTION
    theta = value = slope = 0.0
    for step in range(-min(sigma.shape), 0):
        theta = sigma[step, step] + sigma_w**2 * slope * theta
        value, slope = ntk.relu.dual(sigma[step, step], q1[step], q2[step])
    return value + slope * theta
    ### END SOLUTION


# %% given="10.2-by-hand"
# A series with itself: both expectations are halves, of the variance and of 1.
q = torch.tensor([2.0, 14.0])
grid = torch.tensor([[2.0, 3.0], [3.0, 14.0]])
theta = float(last_step_ntk(grid, q, q, 3.0))
assert abs(theta - (7 + 0.5 * (14 + 9 * 0.5 * 2))) < 1e-6, (
    f"V: 14/2 = 7; the rest: 1/2 · (Σ of the last step 14 + σ_w² · 1/2 · Σ of the first 2) = 11.5; received {theta:.4f}"
)
theta = float(last_step_ntk(grid[1:], q[1:], q, 3.0))
assert theta < 18.4, f"one of the series has a single step, so that no earlier use can be paired; received {theta:.4f}"

# %% check="10.2"
check("10.2", last_step_ntk)

# %% tags=["demonstration"]
# Demonstration: from your two functions to the library's kernel, and the share of the first of 20 steps.
long, short = torch.randn(6, 2, generator=generator), torch.randn(4, 2, generator=generator)
scales = (1.3, 0.8, 0.4)
own = [covariance_grid(one, one, *scales).diagonal() for one in (long, short)]
yours = last_step_ntk(covariance_grid(long, short, *scales), *own, scales[0])
arch = ntk.serial(ntk.Recurrent(ntk.relu, *scales), ntk.LastStep(), ntk.Dense())
theirs = arch.ntk(ntk.Ragged.sequences([long, short]))[0, 1]
print(f"yours {yours:.10f}, library {theirs:.10f}")
ones = torch.ones(20, 1)
for sigma_w in (1.0, 1.2, 2**0.5):
    cov = covariance_grid(ones, ones, sigma_w, 1.0, 0.0)
    q = cov.diagonal()
    whole, rest = last_step_ntk(cov, q, q, sigma_w), last_step_ntk(cov[1:, 1:], q[1:], q[1:], sigma_w)
    print(f"sigma_w {sigma_w:.2f}: the first of 20 steps adds {(whole - rest) / whole:.1e} of the kernel")

# %% [markdown]
# ## Task 10.3: reading out all steps ({{points 10.3}})
#
# Read out the mean of the states, $f(x) = \frac1{\sqrt n}V\,\frac1T\sum_{t=1}^T h_t$. Every pair of times has a kernel
# $k_{t,t'}$ of its own, and that of the means is a mean (Alemohammad et al. 2020, section 2; written out for all pairs
# in the chapter):
#
# $$K(x, x') = \frac1{T\,T'}\sum_{t=1}^{T}\sum_{t'=1}^{T'} k_{t,t'}(x, x').$$
#
# You receive a batch: `k`, of shape `[n, m, t, s]`, for $n$ series against $m$ others, padded to common lengths, and
# `present1`, `[n, t]`, `present2`, `[m, s]`: 1 where a series has a step, 0 where it was padded, in front. **At padded
# steps `k` holds numbers without meaning.** Every series has at least one step. Return $K$, of shape `[n, m]`.
#
# **Predict before you run.** Is the kernel of the mean larger or smaller than the mean of the kernels at equal times?


# %% solution="10.3"
def average_kernel(k, present1, present2):
    """Kernel of the mean over steps. k [n, m, t, s], present1 [n, t], present2 [m, s] -> [n, m]."""
    ### BEGIN SOLUTION
    one = present1 / present1.sum(dim=1, keepdim=True)
    two = present2 / present2.sum(dim=1, keepdim=True)
    return torch.einsum("nt,nmts,ms->nm", one, k, two)
    ### END SOLUTION


# %% given="10.3-by-hand"
# One series of one step (padded to 2) against one of two steps. Only the last row of k has a meaning.
k = torch.tensor([[[[900.0, 700.0], [2.0, 4.0]]]])
found = torch.as_tensor(average_kernel(k, torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 1.0]])))
assert tuple(found.shape) == (1, 1), f"expected [n, m] = [1, 1], received {list(found.shape)}"
assert abs(found[0, 0] - 3) < 1e-9, (
    f"the pairs that are there hold 2 and 4, whose mean is 3, received {found[0, 0]:.4f}"
)

# %% check="10.3"
check("10.3", average_kernel)

# %% tags=["demonstration"]
# Demonstration: your read-out of the library's grid of pairs, and its own; then equal times alone, which differ.
batch = ntk.Ragged.sequences([long, short, long[:5] * 0.5])
grid = arch.layers[0].kernel(ntk.Kernel.of(batch))
pairs = grid.nngp + grid.ntk
whole = ntk.serial(arch.layers[0], ntk.AverageSteps(), ntk.Dense()).ntk(batch)
print(f"largest difference {(average_kernel(pairs, batch.present, batch.present) - whole).abs().max():.0e}")
equal = pairs[0, 0].diagonal().mean()
print(f"a series with itself: mean of all pairs {whole[0, 0]:.3f}, of equal times {equal:.3f}")

# %% [markdown]
# ## Question 10.4: shared weights, or fresh ones? ({{points 10.4}})
#
# A classmate draws a fresh $W_t$ for every step (counted from the end of the series) instead of one $W$ for all, and
# finds the same kernel on a data set of series of one length, read out at the last state. "So sharing weights makes no
# difference." Answer in about 150 words: why is the kernel the same here, where would it differ, and what does the
# limit not see? A person reads your answer:
#
# {{rubric 10.4}}

# %% [markdown] written="10.4"
# ### BEGIN SOLUTION
# On the way forward sharing matters: the same $W$ acts at $t$ and at $t'$, so preactivations at different times are
# correlated, and with fresh weights they are so through the biases and inputs only. On the way back it does not: the
# gradients at two steps are the read-out after different numbers of transposed matrices, and are orthogonal in the
# limit unless both steps are equally far from the end. So the kernel of the last states needs only pairs at equal
# distance from the end, and there both networks use one common matrix. An average over the steps, or any read-out of
# several states, asks for pairs of different times as well; there the two kernels differ. And a finite network knows
# the difference in any case: sharing has fewer parameters, other fluctuations about the limit and other movement of
# the kernel during training, of which the limit says nothing.
# ### END SOLUTION
