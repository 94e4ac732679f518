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
# # Exercise 06: Least squares, mode by mode
#
# With a constant kernel, gradient descent on the squared error can be solved by hand. You will write down the trained
# function at any time, the cost of each mode, the step size at which descent ends, the covariance of infinitely wide
# trained networks, and the error of stopping early. It goes with the chapter *Least squares: one mode at a time* of
# the book.
#
# **Convention.** The cost is $C(f) = \frac1{2N}\sum_{i=1}^N\lVert f(x_i) - y_i\rVert^2$: half of a *mean* over the $N$
# training inputs. Time is $t = \mathrm{lr}\cdot\text{steps}$. For a kernel $K$ and every input $x$, on the data or
# off it,
#
# $$\partial_t f_t(x) = -\frac1N\sum_{j=1}^N K(x, x_j)\,\big(f_t(x_j) - y_j\big).$$
#
# The matrix $K$ has the entries $K(x_i, x_j)$, and $f_0$ is the function at $t = 0$.
#
# **Arrays.** Your functions receive `torch` tensors in float64. Answer with tensors or with numpy arrays; float32 is
# accepted. `k_test` is $K(x, X)$: a row for each test point $x$, a column for each training input, shape `[m, n]`.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do these
# tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("06.1", trained_function)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import math

import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 06.1: the trained function ({{points 06.1}})
#
# On the data the flow is a linear differential equation for the residual $f_t(X) - y$. Solve it, and insert the
# solution into the equation for any other $x$ (Jacot, Gabriel & Hongler 2018, section 5):
#
# $$f_t(x) = f_0(x) + K(x, X)\,\Big[\int_0^t e^{-sK/N}\,\frac{ds}{N}\Big]\,\big(y - f_0(X)\big).$$
#
# In the eigenbasis of $K$ the integral is a number for each mode. Return $f_t$ at the test points. The last point of
# this task needs a thought: if an input appears twice in the data, $K$ has no inverse. The integral does not mind.
#
# **Predict before you run.** Long after the last mode has arrived, $f_t = y$ on the data. Off the data, does $f_\infty$
# still depend on $f_0$?


# %% solution="06.1"
def trained_function(k, k_test, y, f0, f0_test, t):
    """f_t at the test points. k [n, n], k_test [m, n], y [n], f0 [n], f0_test [m], t a number -> [m]."""
    ### BEGIN SOLUTION
    values, vectors = torch.linalg.eigh(k)
    rates = values.clamp(min=0) / len(k)
    moving = rates > 1e-12 * rates.max()
    # The integral over e^(-s rate) is (1 - e^(-t rate)) / rate, and t where the rate is 0.
    integral = torch.where(moving, -torch.expm1(-t * rates) / rates.where(moving, torch.ones_like(rates)), t)
    return f0_test + k_test @ vectors @ (integral * (vectors.T @ (y - f0))) / len(k)
    ### END SOLUTION


# %% given="06.1-by-hand"
# Two inputs that do not see each other, K = diag(2, 8), N = 2: the rates are 1 and 4. From f_0 = 0 to y = (1, 1).
k = torch.diag(torch.tensor([2.0, 8.0]))
nothing, ones, t = torch.zeros(2), torch.ones(2), 0.5
at_data = torch.as_tensor(trained_function(k, k, ones, nothing, nothing, t))
assert tuple(at_data.shape) == (2,), f"expected one number for each of 2 test points, received {tuple(at_data.shape)}"
for mode, rate in enumerate((1.0, 4.0)):
    reached = 1 - math.exp(-rate * t)
    assert abs(at_data[mode] - reached) < 1e-6, (
        f"mode {mode} has the rate {k[mode, mode]:g}/2 = {rate:g} and at t = {t} has reached 1 - e^(-{rate * t:g}) = "
        f"{reached:.4f}, received {at_data[mode]:.4f}"
    )
# A test point that sees neither input stays where it started, even if f_0 is large there.
alone = torch.as_tensor(trained_function(k, torch.zeros(1, 2), ones, nothing, torch.tensor([7.0]), t))
assert abs(alone[0] - 7) < 1e-6, f"K(x, X) = 0: f_t(x) = f_0(x) = 7 for ever, received {alone[0]:.4f}"

# %% check="06.1"
check("06.1", trained_function)

# %% tags=["demonstration"]
# Demonstration: four points on the circle, the NTK of depth 4, and f_0 that is not zero. What happens off the data?
gamma = torch.tensor([-2.2, -0.8, 0.6, 1.9])
x, z = (torch.stack([a.cos(), a.sin()], dim=1) for a in (gamma, torch.tensor([3.0, 0.0])))
y = x.prod(dim=1)
deep = ntk.zoo.mlp(4)
theta, theta_test = deep.ntk(x), deep.ntk(z, x)
f0, f0_test = torch.tensor([0.3, -0.1, 0.2, 0.05]), torch.tensor([0.4, -0.2])
for t in (0.0, 20.0, 1e6):
    shown = trained_function(theta, theta_test, y, f0, f0_test, t)
    print(f"t = {t:9g}: f at two test points = {shown[0]:+.6f}, {shown[1]:+.6f}")
print(f"targets there: {z.prod(dim=1)[0]:+.6f}, {z.prod(dim=1)[1]:+.6f}")

# %% [markdown]
# ## Task 06.2: the cost, mode by mode ({{points 06.2}})
#
# Averages over the data make an inner product of functions, $\langle f, g\rangle = \frac1N\sum_j f(x_j)\,g(x_j)$. The
# operator $\Pi f(x) = \frac1N\sum_j K(x, x_j)\,f(x_j)$ has eigenfunctions $f^{(i)}$ with $\langle f^{(i)}, f^{(i)}
# \rangle = 1$ and eigenvalues $\lambda_1\ge\lambda_2\ge\dots$: the *kernel principal components*, not centered (Jacot,
# Gabriel & Hongler 2018, sections 5 and 6.3). Write the residual $r = f_0 - y$ in this basis. Then the cost at time $t$
# is a sum over the modes, $C(f_t) = \sum_i C_i(t)$, and none of them knows of the others. Return
# $C_1(t), \dots, C_N(t)$, the fastest mode first.
#
# **Predict before you run.** Eight equally spaced points on the circle, a kernel that only depends on the angle between
# them. What do the modes look like, and which one is the fastest?


# %% solution="06.2"
def cost_by_mode(k, residual, t):
    """The cost of each mode at time t. k [n, n], residual f_0 - y [n], t a number -> [n]."""
    ### BEGIN SOLUTION
    n = len(k)
    values, vectors = torch.linalg.eigh(k)  # rising
    rates = values.flip(0) / n
    functions = math.sqrt(n) * vectors.flip(1)  # a column a mode, with mean square 1
    coordinates = functions.T @ residual / n
    return 0.5 * (torch.exp(-rates * t) * coordinates) ** 2
    ### END SOLUTION


# %% given="06.2-by-hand"
# K = diag(2, 8) again: the fast mode lives on the second input. Its residual 1 costs 1/(2N) = 1/4 at the start.
r = torch.tensor([2.0, 1.0])
start = torch.as_tensor(cost_by_mode(torch.diag(torch.tensor([2.0, 8.0])), r, 0.0))
assert tuple(start.shape) == (2,), f"expected one cost for each of 2 modes, received {tuple(start.shape)}"
whole = float((r**2).sum() / 4)
assert abs(start.sum() - whole) < 1e-6, f"at t = 0 the costs add up to C = {whole:g}, received {start.sum():.4f}"
assert abs(start[0] - 0.25) < 1e-6, f"the mode with eigenvalue 8/2 comes first and costs 1/4, received {start[0]:.4f}"
later = torch.as_tensor(cost_by_mode(torch.diag(torch.tensor([2.0, 8.0])), r, 0.5))
assert abs(later[1] / start[1] - math.exp(-1)) < 1e-6, (
    f"the slow mode has the rate 1: by t = 0.5 its residual has fallen by e^(-0.5) and its cost by e^(-1) = 0.3679, "
    f"received {later[1] / start[1]:.4f}"
)

# %% check="06.2"
check("06.2", cost_by_mode)

# %% tags=["demonstration"]
# Demonstration: eight points on the circle and a residual that jumps. The modes are waves around the circle; sine and
# cosine of one wave have the same rate, so their costs are added. The more periods, the slower.
angles = torch.arange(8) * (2 * math.pi / 8)
ring = torch.stack([angles.cos(), angles.sin()], dim=1)
jump = torch.where(angles < 2.5, 1.0, -0.5)
for t in (0, 10, 100, 1000):
    by_mode = torch.as_tensor(cost_by_mode(deep.ntk(ring), jump, float(t)))
    waves = [part.sum() for part in by_mode.split([1, 2, 2, 2, 1])]
    print(f"t = {t:4d}: " + "  ".join(f"{part:.4f}" for part in waves) + f"   sum {by_mode.sum():.4f}")

# %% [markdown]
# ## Task 06.3: the critical learning rate ({{points 06.3}})
#
# Gradient descent in function space takes finite steps, $f_{k+1} = f_k - \frac{\mathrm{lr}}{N}\,K\,(f_k - y)$. Return
# the learning rate up to which *every* mode decays and beyond which one of them grows.
#
# Your kernel has $c$ outputs, `k[i, j, k, l]` $= K_{kl}(x_i, x_j)$, shape `[n, n, c, c]`, also for $c = 1$; the blocks
# with $k \ne l$ couple the outputs, and $f(X) - y$ has shape `[n, c]`. The cost is the mean over the inputs of the
# *sum* over the outputs, as at the top of this page.
#
# **Predict before you run.** A real network of finite width is trained with one and a half times the critical rate of
# its own kernel. Does it diverge?


# %% solution="06.3"
def critical_lr(k):
    """The learning rate at which gradient descent stops converging. k [n, n, c, c] -> float."""
    ### BEGIN SOLUTION
    n, c = k.shape[0], k.shape[2]
    matrix = k.permute(0, 2, 1, 3).reshape(n * c, n * c)  # over the pairs (input, output)
    return 2 * n / float(torch.linalg.eigvalsh(matrix).max())
    ### END SOLUTION


# %% given="06.3-by-hand"
# K = diag(2, 8) with N = 2 and one output: the fastest mode has the rate 4, and lr = 2/4 turns it around for ever.
one_output = torch.diag(torch.tensor([2.0, 8.0]))[:, :, None, None]
limit = float(critical_lr(one_output))
assert abs(limit - 0.5) < 1e-6, f"each step multiplies the fast mode by 1 - 4 lr, which is -1 at lr = 0.5: {limit:.4f}"
# One input, two outputs that are coupled: [[2, 1], [1, 2]] has the eigenvalues 1 and 3, and N is 1.
coupled = torch.tensor([[2.0, 1.0], [1.0, 2.0]])[None, None]
limit = float(critical_lr(coupled))
assert abs(limit - 2 / 3) < 1e-6, f"both outputs together are the fast mode, with the rate 3 and N = 1: {limit:.4f}"

# %% check="06.3"
check("06.3", critical_lr)

# %% tags=["demonstration"]
# Demonstration: the kernel just below and above its critical rate, and a network at once and a half of its own.
edge = critical_lr(theta[:, :, None, None])
for share in (0.9, 1.1):
    f = f0.clone()
    for _ in range(100):
        f = f - share * edge / 4 * theta @ (f - y)
    print(f"kernel,  lr = {share} of the critical {edge:.2f}: cost after 100 steps = {(f - y).square().mean() / 2:.2g}")
network = deep.network(width=256, like=x, seed=0)
edge = critical_lr(ntk.empirical_ntk(network, x)[:, :, None, None])
costs = ntk.gradient_descent(network, x, y, lr=1.5 * edge, steps=100)
after = critical_lr(ntk.empirical_ntk(network, x)[:, :, None, None])
print(f"network, lr = 1.5 of the critical {edge:.2f}:", end=" ")
print(f"cost {costs[0]:.3f}, at most {costs.max():.3f}, then {costs[-1]:.2g}")
print(f"         critical rate of its own kernel: {edge:.2f} before, {after:.2f} after")

# %% [markdown]
# ## Task 06.4: the covariance of trained networks ({{points 06.4}})
#
# An infinitely wide network starts as a Gaussian process with covariance $\Sigma$ (the NNGP kernel) and is moved by
# $\Theta$ (the NTK). Because $f_t$ is $f_0$ under an affine map, it is Gaussian at every $t$. Its mean is $M_t\,y$ with
# $M_t = \Theta(x, X)\,\Theta^{-1}\big(1 - e^{-t\Theta/N}\big)$ (Lee et al. 2019, equations 14 and 15, here for a cost
# that is a mean). Find its covariance at the test points, in terms of $M_t$ and $\Sigma$, and return it.
#
# The arguments are $\Theta(X, X)$, $\Sigma(X, X)$, $\Theta(x, X)$, $\Sigma(x, X)$, $\Sigma(x, x')$ and $t$, which may
# be `math.inf`.
#
# **Predict before you run.** All networks pass through the data at $t = \infty$. Off the data, is their variance larger
# or smaller than that of the Bayesian posterior with the prior $\Sigma$?


# %% solution="06.4"
def trained_covariance(ntk, nngp, ntk_test, nngp_test, nngp_test_test, t):
    """Covariance of f_t at m test points, over random initializations -> [m, m]."""
    ### BEGIN SOLUTION
    values, vectors = torch.linalg.eigh(ntk)
    rates = values / len(ntk)
    learned = vectors @ torch.diag(1 - torch.exp(-rates * t)) @ vectors.T
    moved = ntk_test @ torch.linalg.solve(ntk, learned)
    cross = moved @ nngp_test.T
    return nngp_test_test + moved @ nngp @ moved.T - cross - cross.T
    ### END SOLUTION


# %% given="06.4-by-hand"
# One input with Θ = 2 and Σ = 1, N = 1; a test point with Θ(x, X) = 1, Σ(x, X) = 0.4 and Σ(x, x) = 1. At t = ∞
# the map is M = 1/2, so f(x) = f_0(x) + (y - f_0(X))/2: variance 1 + 1/4 - 2 · 0.4/2.
numbers = [torch.tensor([[v]]) for v in (2.0, 1.0, 1.0, 0.4, 1.0)]
variance = torch.as_tensor(trained_covariance(*numbers, 50.0))
assert tuple(variance.shape) == (1, 1), f"expected [m, m] = [1, 1], received {list(variance.shape)}"
assert abs(variance[0, 0] - 0.85) < 1e-6, f"1 + 0.25 - 0.4 = 0.85, received {variance[0, 0]:.4f}"
# The training input itself as the test point: every network passes through y there.
numbers = [torch.tensor([[v]]) for v in (2.0, 1.0, 2.0, 1.0, 1.0)]
variance = torch.as_tensor(trained_covariance(*numbers, 50.0))
assert abs(variance[0, 0]) < 1e-6, f"at a training input the variance ends at 0, received {variance[0, 0]:.4f}"

# %% check="06.4"
check("06.4", trained_covariance)

# %% tags=["demonstration"]
# Demonstration: the variance at two test points, beside the posterior and beside 200 trained networks of width 64.
both, cross, sigma_zz = deep.kernel(x), deep.kernel(z, x), deep.nngp(z)
theory = trained_covariance(both.ntk, both.nngp, cross.ntk, cross.nngp, sigma_zz, 100.0)
posterior = sigma_zz - cross.nngp @ torch.linalg.solve(both.nngp, cross.nngp.T)
trained = ntk.train_ensemble(
    deep, x, y, width=64, seeds=range(200), steps=100, at=(100,), x_test=z, parameters_at=()
).f_test[:, 0]
for point in range(2):
    print(
        f"test point {point}: variance at t = 100 {theory[point, point]:.4f}, width 64 {trained[:, point].var():.4f}, "
        f"posterior {posterior[point, point]:.4f}"
    )

# %% [markdown]
# ## Task 06.5: the error of stopping early ({{points 06.5}})
#
# The labels are noisy, $y = y^* + \sigma\varepsilon$ with $\varepsilon\sim\mathcal N(0, \mathrm{Id})$, and training has
# seen $y$. Its aim was $y^*$. Return the expected error on the inputs of the data,
#
# $$R(t) = \frac1N\,\mathbb E_\varepsilon\lVert f_t(X) - y^*\rVert^2,$$
#
# at each of the given times (bias and variance of early stopping: Yao, Rosasco & Caponnetto 2007). Write $f_t - y^*$
# in the eigenbasis of $K$. In each mode there is a part of $y^* - f_0$ that has not been learned yet and a part of the
# noise that has, and their cross term has expectation 0.
#
# **Predict before you run.** In a mode whose signal is as strong as the noise, when is the best moment to stop?


# %% solution="06.5"
def risk(k, target, f0, noise, t):
    """Expected error at each time. k [n, n], target y* [n], f0 [n], noise sigma, t [T] -> [T]."""
    ### BEGIN SOLUTION
    values, vectors = torch.linalg.eigh(k)
    left = torch.exp(-t[:, None] * values / len(k))  # [T, n]
    missing = vectors.T @ (f0 - target)
    return (left**2 * missing**2 + (1 - left) ** 2 * noise**2).mean(dim=1)
    ### END SOLUTION


# %% given="06.5-by-hand"
# One input, K = 1, target 3, f_0 = 1, noise 0.5. At t = 0 the gap is 2, so R = 4; at t = ∞ the label is learned with
# its noise, so R = 0.25; at t = log 2 half the gap is left and half the noise is in: (1)² + (0.25)².
one = [torch.tensor([[1.0]]), torch.tensor([3.0]), torch.tensor([1.0]), 0.5]
found = torch.as_tensor(risk(*one, torch.tensor([0.0, 50.0, math.log(2)])))
assert tuple(found.shape) == (3,), f"expected one error for each of 3 times, received {tuple(found.shape)}"
for value, expected, when in zip(found, (4.0, 0.25, 1.0625), ("t = 0", "t = 50", "t = log 2"), strict=True):
    assert abs(value - expected) < 1e-6, f"{when}: expected {expected}, received {value:.4f}"

# %% check="06.5"
check("06.5", risk)

# %% tags=["demonstration"]
# Demonstration: a smooth target on 24 points of the circle. The stronger the noise, the earlier one should stop.
angles = torch.arange(24) * (2 * math.pi / 24)
ring = torch.stack([angles.cos(), angles.sin()], dim=1)
times = torch.logspace(-1, 7, 401)
for noise in (0.0, 0.1, 0.3, 1.0):
    error = risk(deep.ntk(ring), ring.prod(dim=1), torch.zeros(24), noise, times)
    best = int(error.argmin())
    print(f"noise {noise}: best t = {times[best]:9.3g} with R = {error[best]:.4f}; at the end R = {error[-1]:.4f}")

# %% [markdown]
# ## Question 06.6: what the deviation from the line shows ({{points 06.6}})
#
# In section 6.3 of Jacot, Gabriel & Hongler 2018 networks are trained on 512 digits towards
# $f^* = f_0 + \frac12 f^{(2)}$, where $f^{(2)}$ is the second principal component of the *limiting* kernel. Write
# $f_t - f^* = g_t\,f^{(2)} + h_t$ with $h_t\perp f^{(2)}$. Figure 3 (b) shows $\lVert h_t\rVert$: it rises, falls
# again, and is smaller for wider networks. A slide has the heading "Deviation from linear dependency on $\theta$" over
# it. In about ten lines: what does the figure measure, why is $h_t$ not zero, and how could one find out? A person
# reads your answer:
#
# {{rubric 06.6}}

# %% [markdown] written="06.6"
# ### BEGIN SOLUTION
# The figure measures how far the function has left the straight line from $f_0$ to $f^*$, in the norm of the data. A
# function that moves with a constant kernel stays on that line exactly if $f^{(2)}$ is an eigenfunction of this kernel.
# There are two reasons why a finite network leaves it. Its kernel at $t = 0$ is not the limit, so $f^{(2)}$ is not an
# eigenfunction and the other modes move as well; this happens even if the network is linear in $\theta$. And the kernel
# changes during training, which is the nonlinearity in $\theta$. To separate them, freeze the kernel at its initial
# value and solve the linear equation: what is then left of $h_t$ is due to the first cause alone. Or train the network
# towards $f_0 + \frac12 v$ with $v$ an eigenvector of its own initial kernel: with a frozen kernel $h_t$ would be
# zero, so that what is seen is due to the motion alone.
# ### END SOLUTION
