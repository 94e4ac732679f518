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
# # Exercise 08: Lazy training
#
# You will measure how lazy a model is before training it, train it lazily, predict with its tangent, measure how far
# its kernel moved, and decide by counting which parametrizations are lazy. It goes with the chapter *Lazy training*
# of the book.
#
# **Convention** (Chizat, Oyallon & Bach 2019, section 1; the cost is that of the book). A model has outputs
# $h(\theta)\in\mathbb R^N$ on the $N$ training inputs, and is scaled by $\alpha > 0$. With targets $y\in\mathbb R^N$,
#
# $$R(z) = \frac1{2N}\lVert z - y\rVert^2,\qquad F_\alpha(\theta) = \frac1{\alpha^2}\,R\big(\alpha\,h(\theta)\big).$$
#
# **Arrays.** Your functions receive `torch` tensors in float64, and numbers. Answer with tensors, numpy arrays or
# numbers; float32 is accepted.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do these
# tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("08.1", relative_scale)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import copy

import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 08.1: the relative scale ({{points 08.1}})
#
# How much does the tangent of a model turn while the model closes its residual? For the scaled model $\alpha h$ the
# answer is (Chizat, Oyallon & Bach 2019, section 1)
#
# $$\kappa_{\alpha h} = \frac{\lVert\alpha h(\theta_0) - y\rVert\;\lVert D^2(\alpha h)(\theta_0)\rVert}
# {\lVert D(\alpha h)(\theta_0)\rVert^2}.$$
#
# Take one output at one input. Then $Dh$ is the `gradient`, of shape `[p]`, with its Euclidean norm; $D^2h$ is the
# symmetric `hessian`, of shape `[p, p]`, with its **operator norm** $\max_{\lVert u\rVert = \lVert v\rVert = 1}
# \lvert u^\top H v\rvert$. Both belong to $h$, not to $\alpha h$. The numbers `output` and `target` are $h(\theta_0)$
# and $y$. Return one number.
#
# **Predict before you run.** For $h(\theta_0) = 0$, what does ten times $\alpha$ do to $\kappa$? And for
# $h(\theta_0) = 1$?


# %% solution="08.1"
def relative_scale(gradient, hessian, output, target, alpha):
    """κ of alpha · h. gradient [p], hessian [p, p] -> float."""
    ### BEGIN SOLUTION
    residual = abs(alpha * output - target)
    second = alpha * torch.linalg.matrix_norm(hessian, ord=2)
    first = alpha * gradient.norm()
    return residual * second / first**2
    ### END SOLUTION


# %% given="08.1-by-hand"
# The slope is (3, 4), of length 5; the bends are -2 and 1, so the model bends most downwards.
gradient, hessian = torch.tensor([3.0, 4.0]), torch.diag(torch.tensor([-2.0, 1.0]))
kappa = float(relative_scale(gradient, hessian, 1.5, 1.0, 1.0))
assert abs(kappa - 0.5 * 2 / 25) < 1e-9, f"alpha = 1: distance 0.5 · bend 2 / slope 5² = 0.04, received {kappa:.4f}"
kappa = float(relative_scale(gradient, hessian, 1.5, 1.0, 2.0))
assert abs(kappa - 2.0 * 4 / 100) < 1e-9, f"alpha = 2: |2 · 1.5 - 1| · (2 · 2) / (2 · 5)² = 0.08, received {kappa:.4f}"

# %% check="08.1"
check("08.1", relative_scale)

# %% tags=["demonstration"]
# Demonstration: what your number says, from a start at 0 and from a start at 1.
for start in (0.0, 1.0):
    kappas = [relative_scale(gradient, hessian, start, 2.0, alpha) for alpha in (1.0, 10.0, 100.0)]
    print(f"h = {start:g}: " + ", ".join(f"{float(kappa):.4f}" for kappa in kappas))

# %% [markdown]
# ## Task 08.2: a step on the lazy objective ({{points 08.2}})
#
# To start at zero, subtract what the network computes at the start: the model is $h = f_\theta - f_{\theta_0}$, and
# $F_\alpha$ is as above. The network is somewhere on its way. You receive `jacobian`, the derivative of its outputs
# $f$ by its parameters at the present $\theta$, of shape `[n, p]`; its present outputs `f` and its outputs at the
# start `f0`, of shape `[n]`; the targets `y`. Return the **change** of the parameters, of shape `[p]`, in one step of
# gradient descent of size `lr` on $F_\alpha$.
#
# **Predict before you run.** How far do the parameters move in the first step if $\alpha$ is doubled? And how far does
# the function $\alpha h$?


# %% solution="08.2"
def lazy_step(jacobian, f, f0, y, alpha, lr):
    """One step on F_α. jacobian [n, p], f, f0, y [n] -> [p]."""
    ### BEGIN SOLUTION
    residual = alpha * (f - f0) - y
    slope = alpha * (jacobian.T @ residual) / len(y) / alpha**2
    return -lr * slope
    ### END SOLUTION


# %% given="08.2-by-hand"
# Two examples, one parameter. With alpha = 2 the model's outputs are 2 · (1, 0) and the residuals (1, -1).
step = torch.as_tensor(
    lazy_step(torch.tensor([[3.0], [1.0]]), torch.tensor([4.0, 1.0]), torch.tensor([3.0, 1.0]), torch.ones(2), 2.0, 0.1)
)
assert tuple(step.shape) == (1,), f"expected one change for each of 1 parameters, received {list(step.shape)}"
assert abs(step[0] + 0.1 * 2 / 2 / 4 * (3 * 1 - 1 * 1)) < 1e-9, (
    f"-lr · α (chain rule) / N / α² · (3·1 + 1·(-1)) = -0.05, received {step[0]:.4f}"
)

# %% check="08.2"
check("08.2", lazy_step)

# %% tags=["demonstration"]
# Demonstration: a hundred of your steps with a real network. The function arrives alike, the weights move less.
x, y = ntk.data.circle(10)
network = ntk.zoo.mlp(2, ntk.erf).network(width=20, like=x, seed=0)


def trained_with(alpha):
    """Movement of the parameters, and the cost of α h at the end."""
    moving = copy.deepcopy(network)
    parameters = list(moving.parameters())
    f0 = network(x)[:, 0].detach()
    for _ in range(100):
        f = moving(x)[:, 0]
        rows = [torch.cat([g.flatten() for g in torch.autograd.grad(v, parameters, retain_graph=True)]) for v in f]
        change = lazy_step(torch.stack(rows), f.detach(), f0, y, alpha, 1.0)
        torch.nn.utils.vector_to_parameters(
            torch.nn.utils.parameters_to_vector(parameters).detach() + change, parameters
        )
    moved = torch.nn.utils.parameters_to_vector(parameters) - torch.nn.utils.parameters_to_vector(network.parameters())
    h = alpha * (moving(x)[:, 0] - f0)
    return float(moved.detach().norm()), float((h.detach() - y).square().mean() / 2)


for alpha in (1.0, 10.0, 100.0):
    moved, cost = trained_with(alpha)
    print(f"alpha {alpha:g}: moved {moved:.4f}, cost {cost:.4f}")

# %% [markdown]
# ## Task 08.3: what the tangent predicts ({{points 08.3}})
#
# The linearized network is $f^{\mathrm{lin}}(x) = f_{\theta_0}(x) + J(x)\,(\theta - \theta_0)$, with
# $J(x) = \partial f_{\theta_0}(x)/\partial\theta$ fixed (Lee et al. 2019, section 2.2). Train it by `steps` steps of
# gradient descent of size `lr` on $\frac1{2N}\sum_i (f^{\mathrm{lin}}(x_i) - y_i)^2$, starting at
# $\theta = \theta_0$, and return its values at new inputs. You receive `j` and `j_test`, the Jacobians at the $n$
# training and $m$ new inputs, of shape `[n, p]` and `[m, p]`; `f0` and `f0_test`, the values of $f_{\theta_0}$ there.
# There is no $\alpha$ in this task.
#
# **Predict before you run.** After a thousand steps, do two networks of one architecture, with different
# initializations, have the same tangent prediction between the data points?


# %% solution="08.3"
def tangent_prediction(j_test, j, f0_test, f0, y, lr, steps):
    """f_lin at new inputs after training. j_test [m, p], j [n, p] -> [m]."""
    ### BEGIN SOLUTION
    delta = torch.zeros_like(j[0])
    for _ in range(steps):
        residual = f0 + j @ delta - y
        delta = delta - lr * (j.T @ residual) / len(y)
    return f0_test + j_test @ delta
    ### END SOLUTION


# %% given="08.3-by-hand"
# One example, one parameter: f_lin = 1 + 2 δ on the data with target 3, and 5 - δ at the new input.
one = [torch.tensor([[-1.0]]), torch.tensor([[2.0]]), torch.tensor([5.0]), torch.tensor([1.0]), torch.tensor([3.0])]
value = torch.as_tensor(tangent_prediction(*one, 0.1, 1))
assert tuple(value.shape) == (1,), f"expected one value for each of 1 new inputs, received {list(value.shape)}"
assert abs(value[0] - 4.6) < 1e-9, (
    f"first step: δ = -0.1 · 2 · (1 - 3) = 0.4, and 5 - 0.4 = 4.6, received {value[0]:.4f}"
)
value = torch.as_tensor(tangent_prediction(*one, 0.1, 2))
assert abs(value[0] - 4.36) < 1e-9, f"second step: the residual is now -1.2, δ = 0.4 + 0.24, received {value[0]:.4f}"

# %% check="08.3"
check("08.3", tangent_prediction)

# %% tags=["demonstration"]
# Demonstration: how far a trained network is from your prediction, as the width grows.
probes = x[::2] + 0.1


def rows_of(network, points):
    return ntk.tangent_features(network, points)[:, 0]  # [n, p]


for width in (16, 64, 256):
    squares = []
    for seed in range(5):
        network = ntk.zoo.mlp(2, ntk.erf).network(width=width, like=x, seed=seed)
        with torch.no_grad():
            starts = network(probes)[:, 0], network(x)[:, 0]
        predicted = tangent_prediction(rows_of(network, probes), rows_of(network, x), *starts, y, 1.0, 50)
        ntk.gradient_descent(network, x, y, lr=1.0, steps=50)
        squares.append((network(probes)[:, 0].detach() - predicted).square().mean())
    print(f"width {width}: distance to the tangent {torch.stack(squares).mean().sqrt():.4f}")

# %% [markdown]
# ## Task 08.4: how far the kernel has moved ({{points 08.4}})
#
# A network is looked at $T$ times during its training, and each time its Jacobian on $n$ inputs is saved:
# `jacobians` has shape `[t, n, p]`, the first one from the start. With $\Theta_t = J_tJ_t^\top$, return the relative
# drift of the kernel at each of these times,
#
# $$\frac{\lVert\Theta_t - \Theta_0\rVert_F}{\lVert\Theta_0\rVert_F},\qquad
# \lVert A\rVert_F = \Big(\sum_{ij}A_{ij}^2\Big)^{1/2},$$
#
# of shape `[t]`; the first entry is 0.
#
# **Predict before you run.** A kernel moves while its network is trained. Does it move faster at the beginning or at
# the end?


# %% solution="08.4"
def kernel_drift(jacobians):
    """Relative drift of the kernel. jacobians [t, n, p] -> [t]."""
    ### BEGIN SOLUTION
    theta = jacobians @ jacobians.mT
    change = torch.linalg.matrix_norm(theta - theta[0])
    return change / torch.linalg.matrix_norm(theta[0])
    ### END SOLUTION


# %% given="08.4-by-hand"
# The second Jacobian is the first one doubled: four times the kernel. The third one is turned: the same kernel.
first = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
moved = torch.as_tensor(kernel_drift(torch.stack([first, 2 * first, first @ torch.tensor([[0.0, 1.0], [-1.0, 0.0]])])))
assert tuple(moved.shape) == (3,), f"expected one drift for each of 3 times, received {list(moved.shape)}"
assert abs(moved[0]) < 1e-9, f"at the start nothing has moved, received {moved[0]:.4f}"
assert abs(moved[1] - 3) < 1e-9, f"(4 Θ - Θ) is 3 times as large as Θ, received {moved[1]:.4f}"
assert abs(moved[2]) < 1e-9, f"turned gradients have the same inner products: 0, received {moved[2]:.4f}"

# %% check="08.4"
check("08.4", kernel_drift)

# %% tags=["demonstration"]
# Demonstration: one network in its NTK parametrization and in the mean-field one, at two widths.
for kind in ("ntk", "mean_field"):
    for width in (32, 512):
        network = ntk.zoo.mlp(2).network(width=width, like=x, seed=1, parametrization=kind)
        saved = [rows_of(network, x)]
        for _ in range(3):
            ntk.gradient_descent(network, x, y, lr=0.5, steps=50)
            saved.append(rows_of(network, x))
        # Mean-field networks have the learning rate's factor in their parameters: nothing else has to be done.
        print(f"{kind} {width}: " + ", ".join(f"{value:.3f}" for value in kernel_drift(torch.stack(saved))))

# %% [markdown]
# ## Task 08.5: powers of the width ({{points 08.5}})
#
# A network with one hidden layer of $n$ units, written so that all usual parametrizations fit in
# (after Yang & Hu 2021, section 3):
#
# $$f(x) = n^{-a_2}\sum_{j=1}^n v_j\,\phi\big(p_j(x)\big),\qquad p_j(x) = n^{-a_1}\,u_j\cdot x .$$
#
# The stored weights are drawn as $v_j\sim n^{-b_2}\,\mathcal N(0, 1)$ and
# $u_j\sim n^{a_1}\,\mathcal N(0, \mathrm{Id})$, all independent, so that $p_j$ is of order 1. Gradient descent on a
# cost whose residuals are of order 1 takes steps of size $n^{-c}$. Each quantity below is of order $n^{\text{power}}$.
# Return the four powers, in this order, shape `[4]`:
#
# 1. $f(x)$ at the start;
# 2. the part of the **last** layer in the speed of training: $n^{-c}\sum_j(\partial f/\partial v_j)^2$;
# 3. the part of the **first** layer: $n^{-c}\sum_j\lVert\partial f/\partial u_j\rVert^2$;
# 4. the **features**: the change of one $p_j(x)$ in the first step.
#
# Count: $n$ independent terms with random signs add up to $\sqrt n$ times one of them, $n$ terms of one sign to $n$
# times. Inputs, $\phi$ and its derivative are of order 1.
#
# **Predict before you run.** NTK: $a_1 = 0$, $a_2 = \frac12$, $b_2 = c = 0$. Mean-field: $a_1 = 0$, $a_2 = 1$,
# $b_2 = 0$, $c = -1$. Which of the two moves its features however wide it is, and what is $f$ at its start?


# %% solution="08.5"
def powers_of_width(a1, a2, b2, c):
    """Powers of n: f at the start, last layer, first layer, features. Four numbers -> [4]."""
    ### BEGIN SOLUTION
    start = 0.5 - a2 - b2  # random signs
    last = -c + 1 - 2 * a2  # n squares
    first = -c + 1 - 2 * (a2 + b2 + a1)
    by_first = -(a2 + b2 + a1)  # one unit's gradient
    features = -a1 - c + by_first
    return torch.tensor([start, last, first, features])
    ### END SOLUTION


# %% given="08.5-by-hand"
# Without any power at all: f is a sum of n random signs, both layers add n squares, and a unit moves by order 1.
powers = torch.as_tensor(powers_of_width(0.0, 0.0, 0.0, 0.0))
assert tuple(powers.shape) == (4,), f"expected four powers, received shape {list(powers.shape)}"
for name, power, expected in zip(
    ("f at the start", "last layer", "first layer", "features"), powers, (0.5, 1.0, 1.0, 0.0), strict=True
):
    assert abs(power - expected) < 1e-9, f"{name}: n to the power {expected}, received {power:.2f}"

# %% check="08.5"
check("08.5", powers_of_width)

# %% tags=["demonstration"]
# Demonstration: four parametrizations. Lazy are those whose features have a negative power and whose f still moves.
choices = {
    "NTK": (0.0, 0.5, 0.0, 0.0),
    "standard, lr 1/n": (0.0, 0.0, 0.5, 1.0),
    "mean-field": (0.0, 1.0, 0.0, -1.0),
    "muP": (-0.5, 0.5, 0.5, 0.0),
}
for name, choice in choices.items():
    shown = "  ".join(f"{float(power):+.1f}" for power in powers_of_width(*choice))
    print(f"{name:18s} {shown}")

# %% [markdown]
# ## Question 08.6: was this network lazy? ({{points 08.6}})
#
# A report says: "Our network has hidden layers of width 4096 and fits the training set perfectly. Its weights moved by
# 0.3 % of their norm. So it is in the lazy regime, and the theory of its kernel explains why it predicts so well."
# In about ten lines: which of these steps hold? What would you measure, and what experiment would decide whether this
# network was lazy? What would its outcome say about the test error? Use what the chapter shows. A person reads your
# answer:
#
# {{rubric 08.6}}

# %% [markdown] written="08.6"
# ### BEGIN SOLUTION
# Width alone decides nothing: laziness is a matter of scale. The relative scale $\kappa$ goes like
# $1/(\alpha\sqrt n)$, and a mean-field or μP network of width 4096 learns features. So I must know the
# parametrization, or measure. The movement of the weights is divided by the norm of all weights, which grows with
# their number; in a wide network each feature can change completely while the sum of squares hardly notices. I would
# measure the relative drift of the kernel, or of the hidden units, or the distance between the network and its
# tangent. The deciding experiment: from the same initialization train the linearized network (or the network with a
# large $\alpha$, centered) to the same training cost, and compare the two functions on test inputs. If they agree,
# the network was lazy on this task. Then its test error is that of kernel regression, and theory of the kernel
# applies to it; but that fitting was easy does not say that this error is small, and a feature-learning network may
# do better or worse. Perfect fit on the training set fits both stories.
# ### END SOLUTION
