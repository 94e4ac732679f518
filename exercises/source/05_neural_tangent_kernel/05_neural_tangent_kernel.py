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
# # Exercise 05: The neural tangent kernel
#
# You will write the kernel of an infinitely wide network, the kernel of a finite one, and the numbers that join them.
# It goes with the chapter *The neural tangent kernel* of the book.
#
# **Convention** ({{source}}). Layer $\ell$ has weights $W^{(\ell)}$ and biases
# $b^{(\ell)}$, all entries drawn from $\mathcal N(0, 1)$, and
#
# $$\alpha^{(0)} = x,\qquad
# {{network}},\qquad
# \alpha^{(\ell)} = \phi(\tilde\alpha^{(\ell)}),\qquad f_\theta(x) = \tilde\alpha^{({{last}})}.$$
#
# Here $\phi$ is ReLU, {{factor}} The argument `depth` is $L$, {{depth}}, and `sigma_b` is $\beta$.
#
# **Arrays.** Your functions receive `torch` tensors in float64. Answer with tensors or with numpy arrays; float32 is
# accepted. The kernel of $n$ and $m$ inputs has shape `[n, m]`.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do these
# tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("05.1", limiting_ntk)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 05.1: the limiting kernel ({{points 05.1}})
#
# At initialization, as the hidden widths grow, the kernel of the network tends to $\Theta^{({{last}})}$, with
#
# $$\Sigma^{(1)}(x, x') = {{first_covariance}} + \beta^2,\qquad
# \Sigma^{(\ell+1)} = {{twice}}\mathbb E[\phi(u)\phi(v)] + \beta^2,\qquad
# \dot\Sigma^{(\ell+1)} = {{twice}}\mathbb E[\dot\phi(u)\dot\phi(v)],$$
#
# the expectations over $(u, v)$ Gaussian with covariance $\Sigma^{(\ell)}$ at $(x, x)$, $(x, x')$, $(x', x')$, and
#
# $$\Theta^{(1)} = \Sigma^{(1)},\qquad
# \Theta^{(\ell+1)}(x, x') = \Theta^{(\ell)}(x, x')\,\dot\Sigma^{(\ell+1)}(x, x') + \Sigma^{(\ell+1)}(x, x')$$
#
# ({{theorem}}). For ReLU, with $q = \Sigma(x, x)$, $q' = \Sigma(x', x')$
# and $\vartheta = \arccos\big(\Sigma(x, x')/\sqrt{q q'}\big)$ (Cho & Saul 2009),
#
# $$\mathbb E[\phi\phi] = \frac{\sqrt{q q'}}{2\pi}\big(\sin\vartheta + (\pi - \vartheta)\cos\vartheta\big),\qquad
# \mathbb E[\dot\phi\dot\phi] = \frac{\pi - \vartheta}{2\pi}.$$
#
# You may write these two lines, or call `ntk.relu.dual(cov, var1, var2)`, which returns `.value` and `.slope`{{dual}}.
#
# **Predict before you run.** Take $x = (1, 0)$ and $-x$. Is the kernel of these two positive or negative with one
# hidden layer? And with three? Write down two signs and a reason; the demonstration below answers.


# %% solution="05.1"
def limiting_ntk(x, depth, sigma_b):
    """NTK at infinite width. x [n, d] -> [n, n]."""
    ### BEGIN SOLUTION
    first = 1 / x.shape[1]  # {{first_variance}}
    factor = 1  # {{hidden_variance}}
    layers = depth  # {{weight_layers}}
    sigma = first * (x @ x.T) + sigma_b**2
    theta = sigma
    for _ in range(layers - 1):
        variance = sigma.diagonal()
        value, slope = ntk.relu.dual(sigma, variance[:, None], variance[None, :])
        sigma = factor * value + sigma_b**2
        theta = theta * factor * slope + sigma
    return theta
    ### END SOLUTION


# %% given="05.1-by-hand"
# In this notebook's convention Σ is first · x·x' + β² in the first layer, and factor · E[φφ] + β² in the others.
x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
first = 1 / x.shape[1]  # {{first_variance}}
factor = 1  # {{hidden_variance}}
depth = 1  # {{depth_without_hidden_layers}}
theta = torch.as_tensor(limiting_ntk(x, depth, 0.1))
assert tuple(theta.shape) == (3, 3), (
    f"expected one row and one column for each of 3 inputs, received {tuple(theta.shape)}"
)
# The length of x is 1, so the linear network has Θ = Σ = first · 1 + β², and first · (-1) + β² between x and -x.
sigma = first + 0.01
assert abs(theta[0, 0] - sigma) < 1e-9, (
    f"depth {depth}: {first:g}·|x|² + β² = {first:g} + 0.01 = {sigma:g}, received {theta[0, 0]:.4f}"
)
assert abs(theta[0, 2] - (0.01 - first)) < 1e-9, (
    f"depth {depth}, x and -x: -{first:g} + 0.01 = {0.01 - first:g}, received {theta[0, 2]:.4f}"
)
theta = torch.as_tensor(limiting_ntk(x, depth + 1, 0.1))
# On the diagonal half of the Gaussian is active: both expectations bring 1/2, and the same factor.
half = factor * sigma / 2
assert abs(theta[0, 0] - (2 * half + 0.01)) < 1e-7, (
    f"depth {depth + 1}: Σ = {half:g} + 0.01 and Θ = {half:g} + Σ = {2 * half + 0.01:g}, received {theta[0, 0]:.4f}"
)

# %% check="05.1"
check("05.1", limiting_ntk)

# %% tags=["demonstration"]
# Demonstration: the kernel of a point and its antipode, by depth.
antipodes = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
for depth in range(1, 6):
    print(f"depth {depth}: Θ(x, -x) = {limiting_ntk(antipodes, depth, 0.1)[0, 1]:+.4f}")

# %% [markdown]
# ## Task 05.2: the kernel of one network ({{points 05.2}})
#
# A finite network has a kernel at its present parameters, random and moving:
# $\Theta(x, x') = \sum_p \partial_{\theta_p} f(x)\, \partial_{\theta_p} f(x')$ (Jacot, Gabriel & Hongler 2018,
# section 4). The chain rule gives it without storing a single gradient. With $\delta^{({{last}})} = 1$ and
# $\delta^{(\ell)} = \dot\phi(\tilde\alpha^{(\ell)}) \odot {{scale}} W^{(\ell)\top}\delta^{(\ell+1)}$,
#
# $$\Theta(x, x') = {{sum}}.$$
#
# Write this sum, or differentiate: both are right. `weights[l]` has shape `[fan_out, fan_in]`, `biases[l]` has shape
# `[fan_out]`, and the last layer has one output.
#
# **Predict before you run.** When the width grows from 64 to 1024, sixteenfold, by what factor does the distance
# between this kernel and the limit shrink?


# %% solution="05.2"
def network_ntk(weights, biases, x1, x2, sigma_b):
    """NTK of the network with these parameters. x1 [n, d], x2 [m, d] -> [n, m]."""
    ### BEGIN SOLUTION

    def traced(x):
        post, pre = [x], []
        for weight, bias, variance in zip(weights, biases, variances, strict=True):
            pre.append(variance**0.5 * (post[-1] @ weight.T) + sigma_b * bias)
            post.append(pre[-1].clamp(min=0))
        delta = [torch.ones_like(pre[-1])]
        for layer in range(len(weights) - 1, 0, -1):
            back = variances[layer] ** 0.5 * (delta[0] @ weights[layer])
            delta.insert(0, back * (pre[layer - 1] > 0))
        return post[:-1], delta

    variances = [1 / weight.shape[1] for weight in weights]  # {{variances}}
    (post1, delta1), (post2, delta2) = traced(x1), traced(x2)
    layers = zip(variances, post1, post2, delta1, delta2, strict=True)
    return sum((v * (a @ b.T) + sigma_b**2) * (d @ e.T) for v, a, b, d, e in layers)
    ### END SOLUTION


# %% given="05.2-by-hand"
# One hidden unit with weight 1, then weight 2, no biases: at 1 and 3 the unit is active, at -1 it is not. The square
# of the scale in front of the weights is first in the first layer, and factor in the second.
small = [torch.tensor([[1.0]]), torch.tensor([[2.0]])], [torch.zeros(1), torch.zeros(1)]
x = torch.tensor([[1.0], [-1.0]])
first = 1 / x.shape[1]  # {{first_variance}}
factor = 1  # {{hidden_variance}}
theta = torch.as_tensor(network_ntk(*small, x, torch.tensor([[3.0]]), 0.5))
assert tuple(theta.shape) == (2, 1), f"expected [n, m] = [2, 1], received {list(theta.shape)}"
last_layer = factor * first * 1 * 3 + 0.25  # what enters it is √first · x
first_layer = (first * 1 * 3 + 0.25) * factor * 2**2
assert abs(theta[0, 0] - last_layer - first_layer) < 1e-9, (
    f"both active: {last_layer:g} (last layer) + {first_layer:g} (first), received {theta[0, 0]:.4f}"
)
assert abs(theta[1, 0] - 0.25) < 1e-9, (
    f"one inactive: only the last bias is left, β² = 0.25, received {theta[1, 0]:.4f}"
)

# %% check="05.2"
check("05.2", network_ntk)

# %% tags=["demonstration"]
# Demonstration: your kernel at random parameters approaches the limit. Root mean square over ten networks.
circle, _ = ntk.data.circle(8)
deep = ntk.zoo.mlp(3)  # {{three_layers}}
limit = deep.ntk(circle)


def kernel_at(width, seed):
    layers = [m for m in deep.network(width=width, like=circle, seed=seed) if hasattr(m, "weight")]
    with torch.no_grad():
        return network_ntk([m.weight for m in layers], [m.bias for m in layers], circle, circle, 0.1)


for width in (64, 256, 1024):
    distance = sum((kernel_at(width, seed) - limit).square().sum() for seed in range(10)) / 10
    print(f"width {width}: relative distance {distance.sqrt() / limit.norm():.4f}")

# %% [markdown]
# ## Task 05.3: several outputs ({{points 05.3}})
#
# The network is again ${{network}}$. With $c$ outputs the kernel has a $c\times c$ block for each pair of inputs,
# $\Theta_{kk'}(x, x') = \sum_p \partial_{\theta_p} f_k(x)\, \partial_{\theta_p} f_{k'}(x')$
# (Jacot, Gabriel & Hongler 2018, section 4). The output $k$ belongs to $x$, the output $k'$ to $x'$. Return shape
# `[n, m, c, c]`, also for $c = 1$.
#
# **Predict before you run.** Two outputs share all hidden layers. As the width grows, does $\Theta_{01}$ stay, grow, or
# vanish next to $\Theta_{00}$?


# %% solution="05.3"
def output_ntk(weights, biases, x1, x2, sigma_b):
    """NTK of a network with c outputs. x1 [n, d], x2 [m, d] -> [n, m, c, c]."""
    ### BEGIN SOLUTION
    from torch.func import jacrev, vmap

    variances = [1 / weight.shape[1] for weight in weights]  # {{variances}}

    def outputs(parameters, a):
        for layer, (weight, bias) in enumerate(zip(*parameters, strict=True)):
            entering = torch.relu(a) if layer else a
            a = variances[layer] ** 0.5 * (weight @ entering) + sigma_b * bias
        return a

    def jacobian(x):
        by_weights, by_biases = vmap(jacrev(outputs), (None, 0))((weights, biases), x)
        return torch.cat([part.flatten(2) for part in (*by_weights, *by_biases)], dim=2)  # [n, c, parameters]

    return torch.einsum("nkp,mlp->nmkl", jacobian(x1), jacobian(x2))
    ### END SOLUTION


# %% given="05.3-by-hand"
# One hidden unit, two outputs with weights 2 and -1. Each output has its own last layer; the first layer is shared.
# The square of the scale in front of the weights is first in the first layer, and factor in the second.
shared = [torch.tensor([[1.0]]), torch.tensor([[2.0], [-1.0]])], [torch.zeros(1), torch.zeros(2)]
x = torch.tensor([[1.0]])
first = 1 / x.shape[1]  # {{first_variance}}
factor = 1  # {{hidden_variance}}
block = torch.as_tensor(output_ntk(*shared, x, torch.tensor([[3.0]]), 0.5))
assert tuple(block.shape) == (1, 1, 2, 2), f"expected [n, m, c, c] = [1, 1, 2, 2], received {list(block.shape)}"
own = factor * first * 1 * 3 + 0.25
common = (first * 1 * 3 + 0.25) * factor
assert abs(block[0, 0, 0, 0] - own - common * 4) < 1e-9, (
    f"Θ₀₀ = {own:g} + {common:g} · 2·2, received {block[0, 0, 0, 0]:.4f}"
)
assert abs(block[0, 0, 0, 1] + common * 2) < 1e-9, (
    f"Θ₀₁ = {common:g} · 2·(-1): the shared layer alone, received {block[0, 0, 0, 1]:.4f}"
)

# %% check="05.3"
check("05.3", output_ntk)

# %% tags=["demonstration"]
# Demonstration: the entries k ≠ k' next to the entries k = k', as the width grows. Ten networks of each width.
for width in (16, 64, 256, 1024):
    networks = [deep.network(width=width, like=circle, out_features=2, seed=seed) for seed in range(10)]
    blocks = torch.stack([ntk.empirical_ntk(network, circle) for network in networks])
    print(f"width {width}: |Θ₀₁| / |Θ₀₀| = {blocks[..., 0, 1].norm() / blocks[..., 0, 0].norm():.3f}")

# %% [markdown]
# ## Task 05.4: how the fluctuations vanish ({{points 05.4}})
#
# Draw many networks of each width and keep one number of each: its $\Theta(x, x')$. Over the draws {{power_law}}.
# Given saved numbers, `samples[i, j]` from the $j$-th network of width `widths[i]`,
# return the slope of $\log({{spread_formula}})$ against $\log(\text{width})$, fitted by least squares to all widths.
#
# **Predict before you run.** In 05.2 you saw the *distance* to the limit. Which slope does the *{{spread}}* have?


# %% solution="05.4"
def variance_slope(widths, samples):
    """Power with which the spread falls. widths [w], samples [w, networks] -> float."""
    ### BEGIN SOLUTION
    spread = samples.var(dim=1)  # {{spread}}
    centered = widths.log() - widths.log().mean()
    return float(centered @ spread.log() / (centered @ centered))
    ### END SOLUTION


# %% given="05.4-by-hand"
# Two numbers 5 ± s have variance 2 s² and mean 5. With s = 1/width their standard deviation falls like 1/width.
decades = torch.tensor([10.0, 100.0, 1000.0])
power = -2  # {{spread_power}}
slope = float(variance_slope(decades, torch.stack([5 - 1 / decades, 5 + 1 / decades], dim=1)))
assert abs(slope - power) < 1e-6, f"the variance is 2/width²: here the slope is {power}, received {slope:.4f}"

# %% check="05.4"
check("05.4", variance_slope)

# %% tags=["demonstration"]
# Demonstration: the slope for real networks of depth 3, 100 of each width.
widths = torch.tensor([16.0, 32.0, 64.0, 128.0])
samples = torch.stack([torch.stack([kernel_at(int(width), seed)[0, 1] for seed in range(100)]) for width in widths])
print(f"slope {variance_slope(widths, samples):.2f}")

# %% [markdown]
# ## Task 05.5: what each layer adds ({{points 05.5}})
#
# Unroll the recursion of 05.1: $\Theta^{({{last}})} = \sum_{\ell=1}^{{{last}}} S_\ell$ with
#
# $$S_\ell(x, x') = \Sigma^{(\ell)}(x, x')\prod_{j=\ell+1}^{{{last}}}\dot\Sigma^{(j)}(x, x').$$
#
# $S_\ell$ is the kernel of the network in which layer $\ell$ alone is trained; the last summand,
# $\Sigma^{({{last}})}$, is that of training only the read-out (Jacot, Gabriel & Hongler 2018, Theorem 1 and its
# remarks). Return all of them, the layer next to the input first, shape `[{{layers}}, n, n]`; $\Sigma$ and
# $\dot\Sigma$ are those of 05.1.
#
# **Predict before you run.** Without biases, which layer adds most to $\Theta(x, x)$ in a network of depth 5? What
# would biases change?


# %% solution="05.5"
def layer_shares(x, depth, sigma_b):
    """What each layer adds to the limiting kernel. x [n, d] -> [layers, n, n]."""
    ### BEGIN SOLUTION
    first = 1 / x.shape[1]  # {{first_variance}}
    factor = 1  # {{hidden_variance}}
    layers = depth  # {{weight_layers}}
    sigma = first * (x @ x.T) + sigma_b**2
    shares = [sigma]
    for _ in range(layers - 1):
        variance = sigma.diagonal()
        value, slope = ntk.relu.dual(sigma, variance[:, None], variance[None, :])
        sigma = factor * value + sigma_b**2
        shares = [share * factor * slope for share in shares] + [sigma]
    return torch.stack(shares)
    ### END SOLUTION


# %% given="05.5-by-hand"
# Without biases every activation multiplies Σ, and whatever passes through it, by the same number, factor/2: all three
# weight layers add the same.
x = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
first = 1 / x.shape[1]  # {{first_variance}}
factor = 1  # {{hidden_variance}}
depth = 1  # {{depth_without_hidden_layers}}
shares = torch.as_tensor(layer_shares(x, depth + 2, 0.0))
assert tuple(shares.shape) == (3, 2, 2), f"expected one [2, 2] for each of 3 layers, received {list(shares.shape)}"
expected = first * (factor / 2) ** 2
for layer in range(3):
    assert abs(shares[layer, 0, 0] - expected) < 1e-7, (
        f"layer {layer}: {first:g} · {factor / 2:g}² = {expected:g}, received {shares[layer, 0, 0]:.4f}"
    )

# %% check="05.5"
check("05.5", layer_shares)

# %% tags=["demonstration"]
# Demonstration: the shares at depth 5 on the diagonal, without biases and with sigma_b = 0.5.
for sigma_b in (0.0, 0.5):
    diagonal = layer_shares(circle, 5, sigma_b)[:, 0, 0]
    print(f"sigma_b {sigma_b}: " + "  ".join(f"{share:.5f}" for share in diagonal))

# %% [markdown]
# ## Question 05.6: what the theorem on training says ({{points 05.6}})
#
# Theorem 2 of Jacot, Gabriel & Hongler 2018 (section 4.2) is often quoted as "the NTK stays constant during
# training". The experiments in its section 6 use ReLU networks of width 500 and 10 000, and Figure 1 shows their
# kernels before and after 200 steps. In about ten lines: what does the theorem promise, in which order of limits,
# and for which networks? What do you see in the figure, and does the theorem cover it? A person reads your answer:
#
# {{rubric 05.6}}

# %% [markdown] written="05.6"
# ### BEGIN SOLUTION
# The theorem fixes a training time $T$ and lets the hidden widths go to infinity, one after the other. Then the
# kernel at time $t$ tends in probability to the kernel at initialization, uniformly for $t$ in $[0, T]$, as long as
# the integral of the training direction stays bounded, which holds for least squares. The kernel is what stays
# constant; the outputs move, all the way to the targets. It does not say what happens at one finite width, nor for
# $T\to\infty$ at that width. It asks for a twice differentiable activation with bounded second derivative, so ReLU
# is not covered. In the figure the kernel of width 500 is larger after training than before; at width 10 000 it has
# hardly moved. So the limit shows in the experiment, although this theorem does not promise it for ReLU.
# ### END SOLUTION
