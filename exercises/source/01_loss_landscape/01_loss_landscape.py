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
# # Exercise 01: The loss landscape
#
# You will make a picture of a landscape honest, find the smallest of all copies of one function, and measure the same
# cost twice: along parameters, where it has barriers, and along outputs, where it has none.
# It goes with the chapter *The loss landscape* of the book.
#
# **Arrays.** Your functions receive `torch` tensors in float64. Answer with tensors or with numpy arrays; float32 is
# accepted. The networks here are written out, without scales: $f(x) = V\,\phi(Wx + b) + b'$ with ReLU $\phi$,
# $W$ of shape `[n, d]`, $b$ `[n]`, $V$ `[c, n]`, $b'$ `[c]`.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do some of
# these tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("01.1", filter_normalize)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 01.1: filter by filter ({{points 01.1}})
#
# A slice of the landscape, $a\mapsto C(\theta + a\,d)$, depends on how long $d$ is compared with the weights that it
# moves. Li et al. 2018 (section 4) therefore give each **filter** $j$ of each layer $i$, all the weights that enter
# one unit, the length that the weights have,
#
# $$d_{i,j} \leftarrow \frac{d_{i,j}}{\lVert d_{i,j}\rVert}\,\lVert\theta_{i,j}\rVert,$$
#
# and hold the biases fixed, $d = 0$. Write it for one parameter. It is a weight matrix `[units, fan_in]`, a bias
# `[units]`, or the weights of a convolution, `[channels, in, height, width]`, where a filter is all that belongs to one
# output channel. The norm is the root of the sum of squares. No filter of `direction` is zero.
#
# **Predict before you run.** Multiply $W$ and $b$ of a hidden ReLU layer by 7 and divide $V$ by 7. Does the function
# change? And the slice along a raw direction? And along a normalized one?


# %% solution="01.1"
def filter_normalize(direction, parameter):
    """The direction with filters as long as those of the parameter. Any shape -> the same shape."""
    ### BEGIN SOLUTION
    if parameter.ndim == 1:
        return torch.zeros_like(direction)
    axes = tuple(range(1, parameter.ndim))
    wanted = parameter.square().sum(axes, keepdim=True).sqrt()
    given = direction.square().sum(axes, keepdim=True).sqrt()
    return direction * wanted / given
    ### END SOLUTION


# %% given="01.1-by-hand"
# Two units. The first filter of the direction is (3, 4), of length 5, and its weights have length 10.
weights = torch.tensor([[6.0, 8.0], [0.0, 2.0]])
direction = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
moved = torch.as_tensor(filter_normalize(direction, weights))
assert tuple(moved.shape) == (2, 2), f"expected the shape of the direction, [2, 2], received {list(moved.shape)}"
assert abs(moved[0, 0] - 6) < 1e-9, f"(3, 4) has length 5, the weights have 10: twice as long, received {moved[0]}"
assert abs(moved[1, 0] - 2) < 1e-9, f"the second filter has a length of its own: (2, 0), received {moved[1]}"
bias = torch.as_tensor(filter_normalize(torch.tensor([1.0, -2.0]), torch.tensor([3.0, 0.5])))
assert not bias.any(), f"biases are held fixed: zeros, received {bias}"

# %% check="01.1"
check("01.1", filter_normalize)

# %% tags=["demonstration"]
# Demonstration: one function at two addresses, and its slices along one random direction.
circle, target = ntk.data.circle(20)
generator = torch.Generator().manual_seed(0)
shapes = {"weight": (16, 2), "bias": (16,), "out": (1, 16)}
theta = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
twin = {"weight": 7 * theta["weight"], "bias": 7 * theta["bias"], "out": theta["out"] / 7}
draw = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def output(p):
    return (torch.relu(circle @ p["weight"].T + p["bias"]) @ p["out"].T)[:, 0]


def slice_of(p, d):
    steps = torch.linspace(-1, 1, 21)
    return torch.stack(
        [ntk.squared_error.value(output({name: p[name] + a * d[name] for name in p}), target) for a in steps]
    )


print(f"outputs differ by {(output(theta) - output(twin)).abs().max():.0e}")
raw = slice_of(theta, draw) - slice_of(twin, draw)
print(f"raw slices differ by {raw.abs().max():.2f}")
one, two = (slice_of(p, {name: filter_normalize(draw[name], p[name]) for name in p}) for p in (theta, twin))
print(f"normalized slices differ by {(one - two).abs().max():.0e}")

# %% [markdown]
# ## Task 01.2: the smallest copy of a network ({{points 01.2}})
#
# For each hidden unit $i$ with incoming weights $w_i$, bias $b_i$ and outgoing weights $v_i\in\mathbb R^c$ (column $i$
# of $V$), and any $\lambda_i > 0$, the network with $(\lambda_iw_i,\ \lambda_ib_i,\ v_i/\lambda_i)$ is the same
# function, since $\phi(\lambda t) = \lambda\phi(t)$. Of all these copies, find the one whose parameters have the
# smallest sum of squares. (Setting the derivative by $\lambda_i$ to zero is the whole task. That flatness depends on
# the copy is the point of Dinh et al. 2017.)
#
# Return one row a unit: incoming weights, bias, outgoing weights. A unit with $(w_i, b_i) = 0$ or with $v_i = 0$ adds
# nothing to the function; its smallest copy is the limit, all zeros.
#
# **Predict before you run.** In the smallest copy, how do the lengths of $(w_i, b_i)$ and $v_i$ compare?


# %% solution="01.2"
def balanced(w_in, bias, w_out):
    """The smallest copy. w_in [n, d], bias [n], w_out [c, n] -> [n, d + 1 + c]."""
    ### BEGIN SOLUTION
    entering = torch.cat([w_in, bias[:, None]], dim=1)
    leaving = w_out.T
    one, two = entering.norm(dim=1, keepdim=True), leaving.norm(dim=1, keepdim=True)
    common = (one * two).sqrt()  # λ²·one² + two²/λ² is least where both summands are equal
    safe_one, safe_two = (torch.where(length > 0, length, 1.0) for length in (one, two))
    return torch.cat([entering / safe_one, leaving / safe_two], dim=1) * common
    ### END SOLUTION


# %% given="01.2-by-hand"
# One input, two units, one output. The first: (w, b) = (0, 1) of length 1 and v = 9. λ² = 9/1, so λ = 3.
row = torch.as_tensor(balanced(torch.tensor([[0.0], [2.0]]), torch.tensor([1.0, 0.0]), torch.tensor([[9.0, 0.0]])))
assert tuple(row.shape) == (2, 3), f"expected a row a unit, d + 1 + c = 3 columns, received {list(row.shape)}"
assert abs(row[0, 1] - 3) < 1e-9, f"the bias of the first unit is 1·λ = 3, received {row[0, 1]:.4f}"
assert abs(row[0, 2] - 3) < 1e-9, f"its outgoing weight is 9/λ = 3, received {row[0, 2]:.4f}"
assert not row[1].any(), f"nothing leaves the second unit: its smallest copy is all zeros, received {row[1]}"

# %% check="01.2"
check("01.2", balanced)

# %% tags=["demonstration"]
# Demonstration: the same function with smaller parameters.
rows = torch.as_tensor(balanced(theta["weight"], theta["bias"], theta["out"]))
small = {"weight": rows[:, :2], "bias": rows[:, 2], "out": rows[:, 3:].T}
size = {name: sum(float(part.square().sum()) for part in p.values()) for name, p in (("θ", theta), ("7θ", twin))}
print(f"outputs differ by {(output(theta) - output(small)).abs().max():.0e}")
print(f"sum of squares {size['θ']:.1f}, of the copy times 7 {size['7θ']:.1f}, smallest {rows.square().sum():.1f}")
again = torch.as_tensor(balanced(twin["weight"], twin["bias"], twin["out"]))
print(f"from either copy the same: they differ by {(again - rows).abs().max():.0e}")

# %% [markdown]
# ## Task 01.3: the barrier between two networks ({{points 01.3}})
#
# Walk from `one` to `two` on the straight line between their **parameters**, $\theta(s) = (1-s)\theta_1 + s\theta_2$,
# in `steps` equal steps, $s = 0, \tfrac1{\text{steps}}, \dots, 1$. With the cost
# $C = \frac1{2N}\sum_i\lVert f(x_i) - y_i\rVert^2$, the barrier is the largest height above the chord (Entezari et al.
# 2022),
#
# $$\max_s\ \Bigl[C(\theta(s)) - (1-s)\,C(\theta_1) - s\,C(\theta_2)\Bigr].$$
#
# A network is a list `[w_in, bias, w_out, bias_out]` with shapes `[n, d]`, `[n]`, `[c, n]`, `[c]`; `x` is `[N, d]` and
# `y` is `[N, c]`.
#
# **Predict before you run.** Renumber the hidden units of a network. Is there a barrier between it and itself?


# %% solution="01.3"
def barrier(one, two, x, y, steps):
    """Largest height above the chord. Two networks, x [N, d], y [N, c] -> float."""

    ### BEGIN SOLUTION
    def cost(s):
        w_in, bias, w_out, bias_out = ((1 - s) * p + s * q for p, q in zip(one, two, strict=True))
        f = torch.relu(x @ w_in.T + bias) @ w_out.T + bias_out
        return ntk.squared_error.value(f, y)

    points = [j / steps for j in range(steps + 1)]
    first, last = cost(0), cost(1)
    return max(float(cost(s) - (1 - s) * first - s * last) for s in points)
    ### END SOLUTION


# %% given="01.3-by-hand"
# One unit. f(x) = v·relu(w x), from (w, v) = (1, 0) to (0, 1): both ends give 0, the midpoint gives x/4.
zero = torch.zeros(1)
one = [torch.tensor([[1.0]]), zero, torch.tensor([[0.0]]), zero]
two = [torch.tensor([[0.0]]), zero, torch.tensor([[1.0]]), zero]
x = torch.tensor([[4.0], [4.0]])
height = float(barrier(one, two, x, torch.zeros(2, 1), 2))
assert abs(height - 0.5) < 1e-9, f"at s = 1/2 f = 1 on both inputs, the cost is 1/2, the chord 0; received {height:.4f}"
height = float(barrier(one, two, x, torch.ones(2, 1), 2))
assert abs(height) < 1e-9, f"with target 1 the midpoint is perfect, and both ends lie on the chord: 0, {height:.4f}"

# %% check="01.3"
check("01.3", barrier)

# %% tags=["demonstration"]
# Demonstration: two trained networks, and a renumbered copy of the first.
deep = ntk.zoo.mlp(2)


def written_out(seed):
    network = deep.network(width=64, like=circle, seed=seed)
    ntk.gradient_descent(network, circle, target, lr=1.0, steps=300)
    hidden, _, last = network
    parts = (hidden.scale * hidden.weight, 0.1 * hidden.bias, last.scale * last.weight, 0.1 * last.bias)
    return [part.detach() for part in parts]


first, second = written_out(0), written_out(1)
order = torch.randperm(64, generator=generator)
renumbered = [first[0][order], first[1][order], first[2][:, order], first[3]]
for name, other in (("itself", first), ("another network", second), ("itself, renumbered", renumbered)):
    print(f"barrier to {name}: {barrier(first, other, circle, target[:, None], 20):.3f}")

# %% [markdown]
# ## Task 01.4: between two sets of outputs ({{points 01.4}})
#
# Now walk between *outputs*, $f(s) = (1-s)u + sv$ with $u, v\in\mathbb R^N$, with the logistic cost
# $q(s) = \frac1N\sum_i\log\bigl(1 + e^{-y_if_i(s)}\bigr)$ and labels $y_i = \pm1$. Return its curvature
# $q''(s) = \mathrm d^2q/\mathrm ds^2$ at the given points.
#
# It is never negative: the cost is convex in the outputs (Jacot, Gabriel & Hongler 2018, section 3, ask for no more).
# Outputs can be large: your function should survive $f_i = 1000$.
#
# **Predict before you run.** If all labels are flipped, what happens to $q''$? And where on the way from $f$ to a
# tenfold more confident $10f$ is it largest?


# %% solution="01.4"
def curvature(u, v, y, s):
    """Second derivative of the logistic cost on the segment. u, v, y [N], s [k] -> [k]."""
    ### BEGIN SOLUTION
    f = u + s[:, None] * (v - u)  # [k, N]
    p = torch.sigmoid(f)
    return (p * torch.sigmoid(-f) * (v - u).square()).mean(dim=1)
    ### END SOLUTION


# %% given="01.4-by-hand"
# One example, from -2 to 2: in the middle f = 0, where the second derivative by f is 1/4, and v - u = 4.
u, v, y = torch.tensor([-2.0]), torch.tensor([2.0]), torch.tensor([1.0])
bends = torch.as_tensor(curvature(u, v, y, torch.tensor([0.0, 0.5, 1.0])))
assert tuple(bends.shape) == (3,), f"expected one number for each of 3 points, received {list(bends.shape)}"
assert abs(bends[1] - 4) < 1e-9, f"at s = 1/2: 1/4 · 4² = 4, received {bends[1]:.4f}"
assert abs(bends[0] - bends[2]) < 1e-9, f"by symmetry both ends bend alike, received {bends[0]:.4f} and {bends[2]:.4f}"

# %% check="01.4"
check("01.4", curvature)

# %% tags=["demonstration"]
# Demonstration: flipped labels, and the way to confidence.
f = torch.randn(50, generator=generator)
labels = f.sign()
s = torch.linspace(0, 1, 6)
print("f to 10 f:        " + "  ".join(f"{value:.3f}" for value in curvature(f, 10 * f, labels, s)))
print("flipped labels:   " + "  ".join(f"{value:.3f}" for value in curvature(f, 10 * f, -labels, s)))

# %% [markdown]
# ## Task 01.5: a spectrum without the matrix ({{points 01.5}})
#
# The Hessian of $C = \frac1{2N}\sum_i\lVert f_\theta(x_i) - y_i\rVert^2$ by the parameters has a part that is never
# negative, the Gauss-Newton matrix $G = \frac1N\sum_i J(x_i)^\top J(x_i)$ with $J(x) = \partial f_\theta(x)/\partial
# \theta$ of shape `[c, P]` (Martens 2020, section 8). It is $P\times P$: for a million parameters nobody can store it.
# Yet its non-zero eigenvalues are those of a matrix with only $Nc$ rows, the Gram matrix of the tangent kernel.
#
# Given all Jacobians, `[N, c, P]`, return the `k` largest of the $P$ eigenvalues of $G$, the largest first, $k\le P$.
#
# **Predict before you run.** How many eigenvalues of $G$ can be different from zero?


# %% solution="01.5"
def gauss_newton_spectrum(jacobian, k):
    """The k largest eigenvalues of G. jacobian [N, c, P] -> [k]."""
    ### BEGIN SOLUTION
    rows = jacobian.flatten(0, 1)  # [N c, P]
    values = torch.linalg.eigvalsh(rows @ rows.T / len(jacobian)).flip(0)
    zeros = torch.zeros(max(k - len(values), 0), dtype=values.dtype)
    return torch.cat([values, zeros])[:k]
    ### END SOLUTION


# %% given="01.5-by-hand"
# Two inputs, one output, three parameters; the gradients (2, 0, 0) and (0, 4, 0) are orthogonal.
gradients = torch.tensor([[[2.0, 0.0, 0.0]], [[0.0, 4.0, 0.0]]])
values = torch.as_tensor(gauss_newton_spectrum(gradients, 3))
assert tuple(values.shape) == (3,), f"expected k = 3 eigenvalues, received {list(values.shape)}"
assert abs(values[0] - 8) < 1e-9, f"the largest is 4²/N = 16/2 = 8, received {values[0]:.4f}"
assert abs(values[1] - 2) < 1e-9, f"the second is 2²/N = 4/2 = 2, received {values[1]:.4f}"
assert abs(values[2]) < 1e-9, f"no gradient reaches the third parameter: 0, received {values[2]:.4f}"

# %% check="01.5"
check("01.5", gauss_newton_spectrum)

# %% tags=["demonstration"]
# Demonstration: a network with many parameters, whose Gauss-Newton matrix would take gigabytes.
network = ntk.zoo.mlp(3).network(width=150, like=circle, seed=0)
parameters = {name: p.detach() for name, p in network.named_parameters()}
by_part = torch.func.jacrev(lambda p: torch.func.functional_call(network, p, (circle,)))(parameters)
jacobian = torch.cat([part.flatten(2) for part in by_part.values()], dim=2)
count = jacobian.shape[2]
print(f"{count} parameters: the matrix would take {8 * count**2 / 1e9:.1f} GB")
print("from the Jacobian: " + "  ".join(f"{value:.5f}" for value in gauss_newton_spectrum(jacobian, 3)))
kernel = torch.linalg.eigvalsh(ntk.empirical_ntk(network, circle) / len(circle)).flip(0)
print("from the kernel:   " + "  ".join(f"{value:.5f}" for value in kernel[:3]))

# %% [markdown]
# ## Question 01.6: two pictures of a minimum ({{points 01.6}})
#
# A colleague trains two ReLU networks and draws, for each, the cost along one random Gaussian direction. The left
# minimum looks flat, the right one sharp. "The left one will generalize better," she says, "and now I draw a whole
# surface: it is a bowl, so training was a convex problem." In about ten lines: which of her conclusions can a picture
# carry? Use copies of one network to make your point. A person reads your answer:
#
# {{rubric 01.6}}

# %% [markdown] written="01.6"
# ### BEGIN SOLUTION
# Neither. Multiply what enters a hidden ReLU layer by 7 and divide what leaves it by 7: the function is the same, on
# the training data and everywhere else, so it generalizes exactly as before. Yet along the same raw direction the
# picture becomes many times sharper, and the largest eigenvalue of the Hessian grows. Sharpness of a raw slice is a
# property of the address, not of the function. Giving each filter of the direction the length of the filter of the
# weights removes this for whole layers: the slices then coincide. It does not remove the rescaling of single units by
# different factors, and it does not say what happens in the thousands of directions that were not drawn; a random
# slice sees an average curvature, in which a few negative directions are lost. As to the second conclusion: the cost
# is convex in the outputs, and on two random directions it may look convex in the parameters. But between the network
# and a copy with renumbered units, again the same function, there is a barrier, so it is not convex in the
# parameters.
# ### END SOLUTION
