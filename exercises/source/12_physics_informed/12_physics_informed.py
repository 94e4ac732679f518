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
# # Exercise 12: Physics-informed networks
#
# A network $u_\theta$ is trained to satisfy $u'' = f$ inside and $u = g$ on the boundary. You will write the kernel
# that couples these two demands, the weights that balance them, and the motion of both errors. It goes with the
# chapter *Physics-informed networks* of the book.
#
# **Convention** (Wang, Yu & Perdikaris 2022, section 3). Two errors,
#
# $$e_u = \big(u_\theta(x^u_i) - g_i\big)_i \in \mathbb R^{N_u},\qquad
# e_r = \big(u_\theta''(x^r_j) - f_j\big)_j \in \mathbb R^{N_r},$$
#
# are the first $N_u$ and the last $N_r$ entries of $e$, and the cost is
# $C = \frac{\lambda_u}2\|e_u\|^2 + \frac{\lambda_r}2\|e_r\|^2$: half *sums* of squares. With the Jacobians
# $J_u = \partial e_u/\partial\theta$ and $J_r = \partial e_r/\partial\theta$ the kernel is
#
# $$K = \begin{pmatrix} K_{uu} & K_{ur}\\ K_{ur}^\top & K_{rr}\end{pmatrix},\qquad
# K_{uu} = J_uJ_u^\top,\quad K_{ur} = J_uJ_r^\top,\quad K_{rr} = J_rJ_r^\top,$$
#
# without a factor $1/N$. In code `nu` is $N_u$ and `k` is $K$.
#
# **Arrays.** Your functions receive `torch` tensors in float64. Answer with tensors or with numpy arrays; float32 is
# accepted.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do these
# tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("12.1", pinn_kernel)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import math

import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 12.1: the kernel of values and second derivatives ({{points 12.1}})
#
# The network has one hidden layer of $n$ units and one input,
#
# $$u(x) = \frac1{\sqrt n}\sum_{j=1}^n a_j\,\phi(w_jx + b_j),\qquad \phi = \tanh,$$
#
# and all of $w, b, a$ are trained. Return $K$ for the boundary points `xu` `[nu]` and the points of the equation `xr`
# `[nr]`, whose output is $u''(x)$. The rows of $J_u$ are $\partial u/\partial(w, b, a)$, those of $J_r$ are
# $\partial u''/\partial(w, b, a)$. With $t = \tanh$,
#
# $$\phi' = 1 - t^2,\qquad \phi'' = -2t(1 - t^2),\qquad \phi''' = (6t^2 - 2)(1 - t^2).$$
#
# Differentiate by hand or let torch do it, not by differences of neighboring points, which lose digits; nothing else
# is asked (Wang, Yu & Perdikaris 2022, Lemma 3.1).
#
# **Predict before you run.** The weights $w$ are multiplied by 10. By how much does $K_{rr}$ grow, compared with
# $K_{uu}$?


# %% solution="12.1"
def pinn_kernel(w, b, a, xu, xr):
    """Kernel of u(xu) and u''(xr). w, b, a [n]; xu [nu], xr [nr] -> [nu + nr, nu + nr]."""
    ### BEGIN SOLUTION
    scale = 1 / math.sqrt(len(w))

    def derivatives(x):
        t = torch.tanh(x[:, None] * w + b)
        first = 1 - t**2
        return t, first, -2 * t * first, (6 * t**2 - 2) * first

    t, first, _, _ = derivatives(xu)
    rows_u = scale * torch.cat([a * first * xu[:, None], a * first, t], dim=1)
    _, _, second, third = derivatives(xr)
    by_w = a * (2 * w * second + w**2 * third * xr[:, None])
    rows_r = scale * torch.cat([by_w, a * w**2 * third, w**2 * second], dim=1)
    rows = torch.cat([rows_u, rows_r])
    return rows @ rows.T
    ### END SOLUTION


# %% given="12.1-by-hand"
# One unit with w = 1, b = 0, a = 2. At x = 0: t = 0, φ' = 1, φ'' = 0, φ''' = -2.
one = torch.tensor([1.0]), torch.tensor([0.0]), torch.tensor([2.0])
k = torch.as_tensor(pinn_kernel(*one, torch.tensor([0.0]), torch.tensor([0.0, 0.5])))
assert tuple(k.shape) == (3, 3), f"one boundary point and two of the equation: 3 x 3, received {list(k.shape)}"
# The gradient of u(0) by (w, b, a) is (a φ' x, a φ', t) = (0, 2, 0), and n = 1.
assert abs(k[0, 0] - 4) < 1e-9, f"K_uu is |(0, 2, 0)|² = 4, received {k[0, 0]:.4f}"
# The gradient of u''(0) is (0, a w² φ''', w² φ'') = (0, -4, 0).
assert abs(k[0, 1] + 8) < 1e-9, f"K_ur is (0, 2, 0) · (0, -4, 0) = -8, received {k[0, 1]:.4f}"
assert abs(k[1, 1] - 16) < 1e-9, f"K_rr is |(0, -4, 0)|² = 16, received {k[1, 1]:.4f}"
assert abs(k - k.T).max() < 1e-9, "K is symmetric: the lower left block is the transpose of the upper right one"

# %% check="12.1"
check("12.1", pinn_kernel)

# %% tags=["demonstration"]
# Demonstration: the mean diagonal of both blocks at three scales of w. Ten networks of width 200.
ends, inner = torch.tensor([-1.0, 1.0]), torch.linspace(-1, 1, 20)
for factor in (1.0, 3.0, 10.0):
    total_u, total_r = 0.0, 0.0
    for seed in range(10):
        w, b, a = torch.randn(3, 200, generator=torch.Generator().manual_seed(seed))
        diagonal = pinn_kernel(factor * w, b, a, ends, inner).diagonal()
        total_u, total_r = total_u + diagonal[:2].mean() / 10, total_r + diagonal[2:].mean() / 10
    print(f"w times {factor:4.1f}: boundary {total_u:.2f}, equation {total_r:.3g}, ratio {total_r / total_u:.3g}")

# %% [markdown]
# ## Task 12.2: adaptive weights ({{points 12.2}})
#
# The adaptive weights of a kernel are
#
# $$\lambda_u = \frac{\operatorname{tr} K}{\operatorname{tr} K_{uu}},\qquad
# \lambda_r = \frac{\operatorname{tr} K}{\operatorname{tr} K_{rr}}$$
#
# (Wang, Yu & Perdikaris 2022, Algorithm 1), traces being sums over the diagonal. Let $\Lambda$ be the diagonal matrix
# with $\lambda_u$ in the first $N_u$ places and $\lambda_r$ in the others. Return the weighted kernel
# $\Lambda^{1/2}K\Lambda^{1/2}$, whose eigenvalues are the rates of the weighted cost.
#
# **Predict before you run.** Afterwards, do both blocks have the same trace, the same largest eigenvalue, or both?


# %% solution="12.2"
def weighted_kernel(k, nu):
    """The kernel with its adaptive weights. k [n, n], the first nu rows are the boundary -> [n, n]."""
    ### BEGIN SOLUTION
    diagonal = k.diagonal()
    own = torch.empty_like(diagonal)
    own[:nu], own[nu:] = diagonal[:nu].sum(), diagonal[nu:].sum()
    root = (diagonal.sum() / own).sqrt()
    return root[:, None] * k * root
    ### END SOLUTION


# %% given="12.2-by-hand"
# tr K = 10 with tr K_uu = 2 and tr K_rr = 8: λ_u = 5 and λ_r = 1.25.
k = torch.tensor([[2.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 0.0, 5.0]])
weighted = torch.as_tensor(weighted_kernel(k, 1))
assert tuple(weighted.shape) == (3, 3), f"one row and column for each point, received {list(weighted.shape)}"
assert abs(weighted[0, 0] - 10) < 1e-9, f"λ_u · 2 = 10, received {weighted[0, 0]:.4f}"
assert abs(weighted[2, 2] - 6.25) < 1e-9, f"λ_r · 5 = 6.25, received {weighted[2, 2]:.4f}"
assert abs(weighted[0, 1] - 2.5) < 1e-9, (
    f"between the blocks √(λ_u λ_r) · 1 = √6.25 = 2.5, received {weighted[0, 1]:.4f}"
)

# %% check="12.2"
check("12.2", weighted_kernel)

# %% tags=["demonstration"]
# Demonstration: the blocks of a network before and after, two ends and 20 points, standardized inputs.
problem = ntk.physics_informed.poisson(4, interior=20)
standardized = ntk.physics_informed.Standardization.of(problem.xr)
arch = ntk.serial(ntk.Dense(1, 1), ntk.tanh, ntk.Dense(1, 1))
network = torch.nn.Sequential(standardized, arch.network(width=300, like=problem.xr, seed=0))
full = ntk.pinn_kernels(network, problem.xu, problem.xr, problem.operator).full()
for name, matrix in (("equal", full), ("adaptive", weighted_kernel(full, 2))):
    parts = [matrix[:2, :2], matrix[2:, 2:]]
    shown = [f"trace {part.trace():.4g}, largest {torch.linalg.eigvalsh(part)[-1]:.4g}" for part in parts]
    print(f"{name:8s} boundary: {shown[0]};  equation: {shown[1]}")

# %% [markdown]
# ## Task 12.3: both errors after some steps ({{points 12.3}})
#
# Suppose that the kernel does not change. One step of gradient descent with learning rate `lr` on the cost
# $\frac{\lambda_u}2\|e_u\|^2 + \frac{\lambda_r}2\|e_r\|^2$ moves the parameters by $-\text{lr}\,J^\top\Lambda e$,
# and hence the errors by $-\text{lr}\,K\Lambda e$, with $J$ the two Jacobians on top of each other and $\Lambda$ as
# in 12.2, here with given `weights` $= (\lambda_u, \lambda_r)$. Return $e$ after `steps` such steps from `e0`,
# exactly: no flow.
#
# **Predict before you run.** The boundary is right at the start, $e_u = 0$, and the equation is not. What happens to
# $\|e_u\|$ in the first step?


# %% solution="12.3"
def errors_after(k, nu, weights, e0, lr, steps):
    """The errors after some steps. k [n, n], weights [2], e0 [n] -> [n]."""
    ### BEGIN SOLUTION
    full = torch.cat([weights[0].expand(nu), weights[1].expand(len(k) - nu)])
    e = e0
    for _ in range(steps):
        e = e - lr * (k @ (full * e))
    return e
    ### END SOLUTION


# %% given="12.3-by-hand"
# One point each. Λe = (3 · 0, 1 · 2) = (0, 2), and KΛe = (2, 4).
k = torch.tensor([[1.0, 1.0], [1.0, 2.0]])
e0, pair = torch.tensor([0.0, 2.0]), torch.tensor([3.0, 1.0])
after = torch.as_tensor(errors_after(k, 1, pair, e0, 0.1, 1))
assert tuple(after.shape) == (2,), f"one error for each of 2 points, received {list(after.shape)}"
assert abs(after[0] + 0.2) < 1e-9, f"the boundary: 0 - 0.1 · 2 = -0.2, received {after[0]:.4f}"
assert abs(after[1] - 1.6) < 1e-9, f"the equation: 2 - 0.1 · 4 = 1.6, received {after[1]:.4f}"
# From there Λe = (-0.6, 1.6) and KΛe = (1.0, 2.6).
after = torch.as_tensor(errors_after(k, 1, pair, e0, 0.1, 2))
assert abs(after[0] + 0.3) < 1e-9, f"the boundary after 2 steps: -0.2 - 0.1 · 1.0 = -0.3, received {after[0]:.4f}"

# %% check="12.3"
check("12.3", errors_after)

# %% tags=["demonstration"]
# Demonstration: the network of 12.2 with its kernel at the start, equal and adaptive weights, both at half the pace at
# which they would diverge. The boundary is taken to be right at first.
start_r = problem.operator(network, problem.xr).detach() - problem.f
start = torch.cat([torch.zeros(2), start_r[:, 0]])
adaptive = torch.stack([full.trace() / full[:2, :2].trace(), full.trace() / full[2:, 2:].trace()])
for name, pair in (("equal", torch.ones(2)), ("adaptive", adaptive)):
    matrix = full if name == "equal" else weighted_kernel(full, 2)
    rate = 1 / float(torch.linalg.eigvalsh(matrix)[-1])
    ends = [errors_after(full, 2, pair, start, rate, steps) for steps in (0, 1, 100)]
    boundary = ", ".join(f"{float(e[:2].norm()):.3f}" for e in ends)
    equation = ", ".join(f"{float(e[2:].norm()):.1f}" for e in ends)
    print(f"{name:8s} after 0, 1, 100 steps: boundary {boundary};  equation {equation}")

# %% [markdown]
# ## Question 12.4: what the weights can and cannot do ({{points 12.4}})
#
# A colleague trains a physics-informed network for $u'' = f$ on $[0, 1]$ with standardized inputs. The error of the
# equation falls at once, the error at the boundary first rises thirtyfold and then hardly moves. With adaptive
# weights both fall; for a right-hand side of much higher frequency neither run gets anywhere. In about ten lines:
# explain what happens in each of the three runs with the blocks of $K$, say where the imbalance comes from, and what
# no choice of $\lambda_u$ and $\lambda_r$ can change. A person reads your answer:
#
# {{rubric 12.4}}

# %% [markdown] written="12.4"
# ### BEGIN SOLUTION
# The boundary error moves by $-\lambda_uK_{uu}e_u - \lambda_rK_{ur}e_r$. At the start $e_r$ is large and $K_{ur}$
# carries it over, so the second term wins and the boundary gets worse; only the sum of both costs must fall. Then
# the step size is that of the large eigenvalues of $K_{rr}$, and the boundary, whose own block is smaller by two
# orders of magnitude, waits. The size of $K_{rr}$ is a matter of units: two derivatives in $x$ of a function of $(x
# - \mu)/\sigma$ bring $\sigma^{-2}$, a product of two gradients $\sigma^{-4}$, which is more than a hundred on $[0,
# 1]$. Adaptive weights give both diagonal blocks the same trace, that is, equal rates on average over directions,
# for the kernel as it stands, which is why they are renewed while it moves. They multiply each block by a number and
# leave the ratios of its eigenvalues: a direction like a high frequency, along which $K_{rr}$ is small, stays slow.
# And a rate is not an error: how far $u$ is from the solution is a matter of the equation's stability.
# ### END SOLUTION
