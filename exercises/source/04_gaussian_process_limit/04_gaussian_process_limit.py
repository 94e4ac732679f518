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
# # Exercise 04: The Gaussian process limit
#
# You will write a finite network, the covariance of its infinitely wide limit, the number that says how far the one is
# from the other, and a way to draw from a Bayesian posterior by training. It goes with the chapter *The Gaussian
# process limit* of the book.
#
# **Convention** (Jacot, Gabriel & Hongler 2018). Layer $\ell$ has weights $W^{(\ell)}$ and biases $b^{(\ell)}$, all
# entries drawn from $\mathcal N(0, 1)$, and
#
# $$\alpha^{(0)} = x,\qquad
# \tilde\alpha^{(\ell+1)} = \tfrac{1}{\sqrt{n_\ell}} W^{(\ell)}\alpha^{(\ell)} + \beta b^{(\ell)},\qquad
# \alpha^{(\ell)} = \phi(\tilde\alpha^{(\ell)}),\qquad f_\theta(x) = \tilde\alpha^{(L)}.$$
#
# $n_\ell$ is the number of units that the layer receives. The depth $L$ counts weight layers, and `sigma_b` is $\beta$.
#
# **Arrays.** Your functions receive `torch` tensors in float64. Answer with tensors or with numpy arrays; float32 is
# accepted.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do these
# tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("04.1", forward)` runs your function on random inputs and tells you which idea is missing.
# The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 04.1: a finite network ({{points 04.1}})
#
# Compute $f_\theta(x)$ for every row of `x`, with $\phi$ = ReLU. `weights[l]` has shape `[fan_out, fan_in]`,
# `biases[l]` has shape `[fan_out]`; the widths may all differ, and the last layer may have several outputs.
#
# **Predict before you run.** Keep $x$ and draw new weights again and again. When the width of the hidden layers grows
# sixteenfold, by what factor does the variance of $f_\theta(x)$ change?


# %% solution="04.1"
def forward(weights, biases, x, sigma_b):
    """Outputs of the network with these parameters. x [n, d] -> [n, outputs]."""
    ### BEGIN SOLUTION
    a = x
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if layer > 0:
            a = a.clamp(min=0)
        a = a @ weight.T / weight.shape[1] ** 0.5 + sigma_b * bias
    return a
    ### END SOLUTION


# %% given="04.1-by-hand"
# Two inputs of two coordinates, three hidden units, one output. The first layer divides by √2, the second by √3.
weights = [torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 0.0]]), torch.tensor([[1.0, 2.0, -3.0]])]
biases = [torch.tensor([0.0, 0.0, 4.0]), torch.tensor([2.0])]
x = torch.tensor([[1.0, 1.0], [-3.0, 0.0]])
f = torch.as_tensor(forward(weights, biases, x, 0.5))
assert tuple(f.shape) == (2, 1), f"expected [n, outputs] = [2, 1], received {list(f.shape)}"
first, third = 2 / 2**0.5, -1 / 2**0.5 + 0.5 * 4  # the second unit receives (1 - 1)/√2 = 0
expected = (1 * first + 2 * 0 - 3 * third) / 3**0.5 + 0.5 * 2
assert abs(f[0, 0] - expected) < 1e-9, (
    f"x = (1, 1): the units are {first:.4f}, 0 and {third:.4f}, and f = {expected:.4f}; received {f[0, 0]:.4f}"
)
expected = -3 * (3 / 2**0.5 + 0.5 * 4) / 3**0.5 + 0.5 * 2
assert abs(f[1, 0] - expected) < 1e-9, (
    f"x = (-3, 0): two units are inactive, and f = {expected:.4f}; received {f[1, 0]:.4f}"
)

# %% check="04.1"
check("04.1", forward)

# %% tags=["demonstration"]
# Demonstration: the variance of f over 2000 networks of depth 3, of which the limit is known exactly.
point = torch.tensor([[1.0, 0.0]])
deep = ntk.zoo.mlp(3)


def output_at(width, seed):
    layers = [m for m in deep.network(width=width, like=point, seed=seed) if hasattr(m, "weight")]
    with torch.no_grad():
        return forward([m.weight for m in layers], [m.bias for m in layers], point, 0.1)[0, 0]


for width in (4, 64):
    outputs = torch.stack([output_at(width, seed) for seed in range(2000)])
    kurtosis = ((outputs - outputs.mean()) ** 4).mean() / outputs.var() ** 2 - 3
    print(f"width {width}: variance {outputs.var():.4f}, excess kurtosis {kurtosis:.2f}")
print(f"limit: variance {deep.nngp(point).item():.4f}, excess kurtosis 0")

# %% [markdown]
# ## Task 04.2: the dual of ReLU ({{points 04.2}})
#
# The covariance of one layer is an expectation over a pair of units of the layer before. For ReLU it is elementary (Cho
# & Saul 2009): if $u$ and $v$ are centered Gaussians with variances $q$, $q'$ and covariance $c$, then with
# $\vartheta = \arccos\big(c/\sqrt{q q'}\big)$
#
# $$\mathbb E[\phi(u)\phi(v)] = \frac{\sqrt{q q'}}{2\pi}\big(\sin\vartheta + (\pi - \vartheta)\cos\vartheta\big).$$
#
# Given the covariance matrix `sigma` of $n$ units, return this expectation for each pair of them.
#
# **Predict before you run.** For $v = -u$, are both units ever active together? And what, then, is the expectation?


# %% solution="04.2"
def relu_dual(sigma):
    """E[φ(u_i) φ(u_j)] for u ~ N(0, sigma), φ = ReLU. sigma [n, n] -> [n, n]."""
    ### BEGIN SOLUTION
    variance = sigma.diagonal()
    root = torch.outer(variance, variance).sqrt()
    angle = torch.arccos((sigma / root).clamp(-1, 1))
    return root / (2 * torch.pi) * (angle.sin() + (torch.pi - angle) * angle.cos())
    ### END SOLUTION


# %% given="04.2-by-hand"
# Units of variance 4, 1, and 1: the first two uncorrelated, the third the negative of the second.
sigma = torch.tensor([[4.0, 0.0, 0.0], [0.0, 1.0, -1.0], [0.0, -1.0, 1.0]])
value = torch.as_tensor(relu_dual(sigma))
assert tuple(value.shape) == (3, 3), f"expected [3, 3], received {list(value.shape)}"
assert abs(value[0, 0] - 2) < 1e-9, f"E[φ(u)²] is half the variance, 2; received {value[0, 0]:.4f}"
assert abs(value[0, 1] - 1 / torch.pi) < 1e-9, (
    f"uncorrelated: E[φ(u)] E[φ(v)] = √4·√1/(2π) = {1 / torch.pi:.4f}, received {value[0, 1]:.4f}"
)
assert abs(value[1, 2]) < 1e-9, f"v = -u: never active together, so 0; received {value[1, 2]:.4f}"

# %% check="04.2"
check("04.2", relu_dual)

# %% tags=["demonstration"]
# Demonstration: your formula beside an average over a million pairs.
pair = torch.tensor([[2.0, -0.6], [-0.6, 0.5]])
draws = torch.randn(1_000_000, 2, generator=torch.Generator().manual_seed(0)) @ torch.linalg.cholesky(pair).T
average = draws.relu().prod(dim=1)
print(f"formula {relu_dual(pair)[0, 1]:.5f}, average {average.mean():.5f} ± {average.std() / 1000:.5f}")

# %% [markdown]
# ## Task 04.3: the covariance of the limit ({{points 04.3}})
#
# As the hidden widths grow, each output becomes a Gaussian process with covariance $\Sigma^{(L)}$. In a network whose
# weights carry the scale $\sigma_w$, $\tilde\alpha^{(\ell+1)} = \frac{\sigma_w}{\sqrt{n_\ell}}W^{(\ell)}\alpha^{(\ell)}
# + \sigma_b b^{(\ell)}$,
#
# $$\Sigma^{(1)}(x, x') = \tfrac{\sigma_w^2}{n_0}\,x\cdot x' + \sigma_b^2,\qquad
# \Sigma^{(\ell+1)}(x, x') = \sigma_w^2\,\mathbb E[\phi(u)\phi(v)] + \sigma_b^2,$$
#
# the expectation over $(u, v)$ Gaussian with covariance $\Sigma^{(\ell)}$ at $(x, x)$, $(x, x')$, $(x', x')$ (Jacot,
# Gabriel & Hongler 2018, Proposition 1). Here $\phi$ is erf, for which
#
# $$\mathbb E[\phi(u)\phi(v)] = \frac2\pi\arcsin\frac{2c}{\sqrt{(1 + 2q)(1 + 2q')}}$$
#
# with $q$, $q'$ the variances and $c$ the covariance (Williams 1996). You may write this line, or call
# `ntk.erf.dual(cov, var1, var2)`, which broadcasts and returns `.value`.
#
# **Predict before you run.** Take two inputs at a right angle and go deeper and deeper, with small weights
# ($\sigma_w = 1$) and with large ones ($\sigma_w = 3$). Does their correlation tend to 0, to 1, or to something in
# between?


# %% solution="04.3"
def limit_covariance(x, depth, sigma_w, sigma_b):
    """NNGP kernel of an erf network. x [n, d] -> [n, n]."""
    ### BEGIN SOLUTION
    sigma = sigma_w**2 * (x @ x.T) / x.shape[1] + sigma_b**2
    for _ in range(depth - 1):
        variance = sigma.diagonal()
        sigma = sigma_w**2 * ntk.erf.dual(sigma, variance[:, None], variance[None, :]).value + sigma_b**2
    return sigma
    ### END SOLUTION


# %% given="04.3-by-hand"
# Depth 1 is a linear network; at depth 2 the arcsine appears once.
x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
sigma = torch.as_tensor(limit_covariance(x, 1, 2.0, 0.5))
assert tuple(sigma.shape) == (2, 2), f"expected [2, 2], received {list(sigma.shape)}"
assert abs(sigma[0, 0] - 2.25) < 1e-9, f"σ_w²/n₀ · |x|² + σ_b² = 4/2 · 1 + 0.25 = 2.25, received {sigma[0, 0]:.4f}"
assert abs(sigma[0, 1] - 0.25) < 1e-9, f"x·x' = 0 leaves σ_b² = 0.25, received {sigma[0, 1]:.4f}"
sigma = torch.as_tensor(limit_covariance(x, 2, 2.0, 0.5))
expected = 4 * 2 / torch.pi * float(torch.asin(torch.tensor(2 * 0.25 / (1 + 2 * 2.25)))) + 0.25
assert abs(sigma[0, 1] - expected) < 1e-9, (
    f"depth 2: σ_w² · 2/π · arcsin(2 · 0.25/5.5) + σ_b² = {expected:.4f}, received {sigma[0, 1]:.4f}"
)

# %% check="04.3"
check("04.3", limit_covariance)

# %% tags=["demonstration"]
# Demonstration: the correlation of two inputs at a right angle, by depth.
right_angle = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
for sigma_w in (1.0, 3.0):
    row = [limit_covariance(right_angle, depth, sigma_w, 0.3) for depth in (1, 2, 5, 10, 40)]
    print(f"sigma_w {sigma_w}: " + "  ".join(f"{k[0, 1] / k[0, 0]:.3f}" for k in row))

# %% [markdown]
# ## Task 04.4: how far from Gaussian ({{points 04.4}})
#
# Fix one input. Given the layers below, the units of layer $\ell+1$ are independent Gaussians with one common variance
#
# $$q^{(\ell+1)} = \beta^2 + \frac1{n_\ell}\sum_{k=1}^{n_\ell}\phi(h_k)^2,\qquad h_k \sim \mathcal N(0, q^{(\ell)})
# \text{ independent, given } q^{(\ell)},$$
#
# which is itself random, but for $q^{(1)}$. For ReLU $\mathbb E[\phi(h)^2] = q/2$ and $\mathbb E[\phi(h)^4] = 3q^2/2$.
# So $m_1 = \mathbb E[q]$ and $m_2 = \mathbb E[q^2]$ can be carried from layer to layer exactly: derive how. The output
# is Gaussian given $q^{(L)}$, and its excess kurtosis is
#
# $$\frac{\mathbb E[f^4]}{\mathbb E[f^2]^2} - 3 = 3\Big(\frac{m_2}{m_1^2} - 1\Big).$$
#
# Return it for each $q^{(1)}$ in `q`; `widths` holds $n_1, \dots, n_{L-1}$ in this order, and they differ. This is the
# ReLU network with $\sigma_w = 1$ of the first task.
#
# **Predict before you run.** Two networks, one twice as deep and twice as wide as the other. Which output is nearer to
# a Gaussian?


# %% solution="04.4"
def excess_kurtosis(q, widths, sigma_b):
    """Excess kurtosis of the output over random networks. q [n], widths [hidden layers] -> [n]."""
    ### BEGIN SOLUTION
    first, second = q, q**2
    for n in widths:
        second = sigma_b**4 + sigma_b**2 * first + (1 / 4 + 5 / (4 * n)) * second
        first = sigma_b**2 + first / 2
    return 3 * (second / first**2 - 1)
    ### END SOLUTION


# %% given="04.4-by-hand"
# One hidden layer of 10 units without biases: q = Σφ²/10, with mean 1/2 and variance (3/2 - 1/4)/10 = 1/8.
excess = torch.as_tensor(excess_kurtosis(torch.tensor([1.0, 2.0]), torch.tensor([10.0]), 0.0))
assert tuple(excess.shape) == (2,), f"expected one number for each q, shape [2], received {list(excess.shape)}"
assert abs(excess[0] - 1.5) < 1e-9, f"3 · (1/8)/(1/2)² = 1.5, received {excess[0]:.4f}"
assert abs(excess[1] - 1.5) < 1e-9, f"without biases the size of q does not matter: 1.5, received {excess[1]:.4f}"
# With β = 1 the mean is 3/2 and the variance the same.
excess = torch.as_tensor(excess_kurtosis(torch.tensor([1.0]), torch.tensor([10.0]), 1.0))
assert abs(excess[0] - 1 / 6) < 1e-9, f"3 · (1/8)/(3/2)² = 0.1667, received {excess[0]:.4f}"

# %% check="04.4"
check("04.4", excess_kurtosis)

# %% tags=["demonstration"]
# Demonstration: at a fixed ratio of depth to width the kurtosis hardly changes; at a fixed width it grows with depth.
for hidden, width in ((4, 16), (8, 32), (16, 64), (64, 64)):
    excess = excess_kurtosis(torch.tensor([1.0]), torch.full((hidden,), float(width)), 0.0)
    print(f"{hidden} hidden layers of {width}: excess kurtosis {float(excess[0]):.2f}")

# %% [markdown]
# ## Task 04.5: sample, then optimize ({{points 04.5}})
#
# Let $f_0$ be a draw of the Gaussian process with covariance $\Sigma$. Train it without noise until it fits the data
# $(X, y)$, with $\Sigma$ itself as the kernel of gradient descent; this is what happens to a wide network when only its
# last layer is trained. Its end, on the data and elsewhere, is
#
# $$f_\infty(x) = f_0(x) + \Sigma(x, X)\,\Sigma(X, X)^{-1}\,\big(y - f_0(X)\big),$$
#
# and it is an exact draw of the Bayesian posterior (Matthews et al. 2017). Do this to many draws at once: `k` is
# $\Sigma(X, X)$, `[n, n]`; `k_test` is $\Sigma(x, X)$, `[m, n]`; row $i$ of `f0`, `[draws, n]`, and of `f0_test`,
# `[draws, m]`, are the values of the $i$-th draw on the data and at the $m$ other inputs.
#
# **Predict before you run.** How much do the ends of two draws differ at an input close to the data, and far from it?


# %% solution="04.5"
def trained_draws(k, k_test, y, f0, f0_test):
    """Where training takes each draw. k [n, n], k_test [m, n], y [n], f0 [draws, n], f0_test and result [draws, m]."""
    ### BEGIN SOLUTION
    weights = torch.linalg.solve(k, k_test.T)  # [n, m]
    return f0_test + (y - f0) @ weights
    ### END SOLUTION


# %% given="04.5-by-hand"
# One datum with Σ = 2, and Σ = 1 between it and the other input: half of what a draw misses is corrected there.
ends = trained_draws(
    torch.tensor([[2.0]]),
    torch.tensor([[1.0]]),
    torch.tensor([4.0]),
    torch.tensor([[0.0], [3.0]]),
    torch.tensor([[0.5], [-1.0]]),
)
ends = torch.as_tensor(ends)
assert tuple(ends.shape) == (2, 1), f"expected [draws, m] = [2, 1], received {list(ends.shape)}"
assert abs(ends[0, 0] - 2.5) < 1e-9, f"0.5 + 1/2 · (4 - 0) = 2.5, received {ends[0, 0]:.4f}"
assert abs(ends[1, 0] + 0.5) < 1e-9, f"-1 + 1/2 · (4 - 3) = -0.5, received {ends[1, 0]:.4f}"

# %% check="04.5"
check("04.5", trained_draws)

# %% tags=["demonstration"]
# Demonstration: 4000 draws, trained, beside the posterior in closed form.
circle, targets = ntk.data.circle(5)
others, _ = ntk.data.circle(12)
joint = deep.nngp(torch.cat([circle, others]))
prior = ntk.GaussianLaw(torch.zeros(17), joint).sample(4000, seed=0)
ends = torch.as_tensor(trained_draws(joint[:5, :5], joint[5:, :5], targets, prior[:, :5], prior[:, 5:]))
law = ntk.nngp_posterior(targets, nngp=joint[:5, :5], nngp_test=joint[5:, :5], nngp_test_test=joint[5:, 5:])
print(
    f"largest gap of the means {(ends.mean(0) - law.mean).abs().max():.4f}, noise {law.deviation.max() / 4000**0.5:.4f}"
)
print(f"relative gap of the covariances {(ends.T.cov() - law.covariance).norm() / law.covariance.norm():.3f}")

# %% [markdown]
# ## Question 04.6: a slide, corrected ({{points 04.6}})
#
# A slide says: "In the infinite width limit as $n_1, \dots, n_L\to\infty$ the network function $f$ tends to a i.i.d.
# centered Gaussian process of covariance $L$." Every part of this sentence can be misread. Write, in about ten lines,
# what is meant and what is true: what grows and what stays, what tends to what and in which sense, what is independent
# of what in the limit, and whether it already is at a finite width (task 04.4 helps). A person reads your answer:
#
# {{rubric 04.6}}

# %% [markdown] written="04.6"
# ### BEGIN SOLUTION
# The widths of the hidden layers, $n_1, \dots, n_{L-1}$, grow; the dimension of the input and the number $n_L$ of
# outputs are fixed by the problem. Choose finitely many inputs: the values of the $n_L$ outputs there are a random
# vector, over the draw of the parameters, and this vector converges in law to a Gaussian. In the limit the *outputs*
# are independent of each other and have one law: each is a centered Gaussian process with covariance $\Sigma^{(L)}$.
# The values of one output at two inputs are not independent, their covariance is $\Sigma^{(L)}(x, x')$. At a finite
# width two outputs are uncorrelated, because their last weights are independent and have mean zero; but both are sums
# over the same hidden units, hence have the same random variance $q$, and a large $|f_1|$ makes a large $|f_2|$ more
# likely. As the width grows $q$ tends to a constant, and this dependence vanishes with the excess kurtosis.
# ### END SOLUTION
