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
# # Exercise 09: The convolutional tangent kernel
#
# You will compute what a convolution does to covariances between pixels, carry the tangent kernel through a layer,
# and read the pixels out. It goes with the chapter *The convolutional tangent kernel* of the book.
#
# **Convention** (Arora, Du, Hu, Li, Salakhutdinov & Wang 2019, section 4, in the book's scaling). At site $i$ of an
# image there are $n$ channels $\alpha_i$. A convolution with offsets $a$ in a window has the outputs
#
# $$\tilde\alpha_{k,i} = \frac{\sigma_w}{\sqrt{n\,|\text{window}|}}\sum_a\sum_c W_{a,kc}\,\alpha_{c,i+a}
# + \sigma_b\, b_k,\qquad W_{a,kc},\ b_k\sim\mathcal N(0, 1)\ \text{independent},$$
#
# where $|\text{window}|$ is its number of pixels, and all sites share the same $W_a$ and $b$. A covariance between the
# sites of two images is $\Sigma(i, j)$, with $i$ in the first and $j$ in the second.
#
# **Arrays.** Your functions receive `torch` tensors in float64, and numbers. Answer with tensors, numpy arrays or
# numbers; float32 is accepted.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do these
# tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("09.1", patch_covariance)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 09.1: the covariance behind a convolution ({{points 09.1}})
#
# You receive `cov`, the covariance of one input channel between the pixels of two images of one size, of shape
# `[h, w, h, w]`: `cov[r, c, s, d]` belongs to the pixel in row `r` and column `c` of the first image and to the one in
# row `s` and column `d` of the second. The window has `window` × `window` pixels, an odd number on a side, and lies
# **around** its site. Beyond the border there are zeros, and a padded zero is a pixel: the layer is divided by the same
# number everywhere. Return the covariance of one output channel between all pixels, in the same shape.
#
# **Predict before you run.** Two independent means over windows of 9 pixels would give 81 products. How many products
# does this covariance have, and why?


# %% solution="09.1"
def patch_covariance(cov, window, sigma_w, sigma_b):
    """Covariance of the outputs of a convolution. cov [h, w, h, w] -> [h, w, h, w]."""
    ### BEGIN SOLUTION
    h, w = cov.shape[:2]
    reach = window // 2
    padded = torch.nn.functional.pad(cov, (reach, reach) * 4)
    total = torch.zeros_like(cov)
    for a in range(window):
        for b in range(window):
            total += padded[a : a + h, b : b + w, a : a + h, b : b + w]
    return sigma_w**2 / window**2 * total + sigma_b**2
    ### END SOLUTION


# %% given="09.1-by-hand"
# Two white images of 3 × 3 pixels: every covariance is 1. In the middle all 9 pixels of the window are there.
white = torch.as_tensor(patch_covariance(torch.ones(3, 3, 3, 3), 3, 2.0, 0.5))
assert tuple(white.shape) == (3, 3, 3, 3), f"expected the shape of cov, [3, 3, 3, 3], received {list(white.shape)}"
assert abs(white[1, 1, 1, 1] - 4.25) < 1e-9, (
    f"middle and middle: 2² · 9/9 + 0.5² = 4.25, received {white[1, 1, 1, 1]:.4f}"
)
# The window of a corner reaches over the border with 5 of its 9 pixels.
assert abs(white[0, 0, 0, 0] - (4 * 4 / 9 + 0.25)) < 1e-9, (
    f"corner and the same corner: 2² · 4/9 + 0.5² = {4 * 4 / 9 + 0.25:.4f}, received {white[0, 0, 0, 0]:.4f}"
)
# An offset must stay inside at both sites. From opposite corners only one does, (0, 0).
assert abs(white[0, 0, 2, 2] - (4 * 1 / 9 + 0.25)) < 1e-9, (
    f"opposite corners: one common offset, 2² · 1/9 + 0.5² = {4 / 9 + 0.25:.4f}, received {white[0, 0, 2, 2]:.4f}"
)

# %% check="09.1"
check("09.1", patch_covariance)

# %% tags=["demonstration"]
# Demonstration: your function is the first layer of the library, on two real digits; and the border grows dark.
digits = ntk.data.digits(2, seed=0)[0].reshape(2, 8, 8, 1)
cov = torch.einsum("ijc,klc->ijkl", digits[0], digits[1])
layer = ntk.serial(ntk.Conv2d(3, sigma_w=1.4, sigma_b=0.1))
theirs = layer.kernel(digits[:1], digits[1:]).nngp.reshape(8, 8, 8, 8)
print(f"difference {(torch.as_tensor(patch_covariance(cov, 3, 1.4, 0.1)) - theirs).abs().max():.0e}")
cov = torch.ones(8, 8, 8, 8)
for depth in range(1, 4):
    cov = torch.as_tensor(patch_covariance(cov, 3, 1.0, 0.0))
    print(f"{depth} convolutions: corner / middle = {cov[0, 0, 0, 0] / cov[4, 4, 4, 4]:.3f}")

# %% [markdown]
# ## Task 09.2: the tangent kernel through a layer ({{points 09.2}})
#
# Now images of **one row** of $p$ pixels, windows of `window` = $q$ pixels that fit, and no padding: output site $i$
# sees the pixels $i, \dots, i + q - 1$. Given are, behind some layer, the covariance `sigma` and the tangent kernel
# `theta` between the pixels of two images, of shape `[p, p]`; and the variances `var1` and `var2` of the pixels of the
# first and of the second image, of shape `[p]`. A ReLU and a convolution follow. Return the new tangent kernel, of
# shape `[p - q + 1, p - q + 1]` (Arora et al. 2019, section 4):
#
# $$\Theta'(i, j) = \Sigma'(i, j) + \frac{\sigma_w^2}{q}\sum_{a=0}^{q-1}
# \big(\Theta\odot\mathbb E[\dot\phi\dot\phi]\big)(i + a, j + a),\qquad
# \Sigma'(i, j) = \frac{\sigma_w^2}{q}\sum_{a=0}^{q-1}\mathbb E[\phi\phi](i + a, j + a) + \sigma_b^2 .$$
#
# The expectations are over the Gaussian pair at pixel $i$ of the first and pixel $j$ of the second image.
# `ntk.relu.dual(cov, var1, var2)` gives them as `.value` and `.slope`, or write them yourself. A pixel may be black:
# its variance, its covariances and its $\Theta$ are then zero.
#
# **Predict before you run.** Is it the same to average $\Theta$ over the window first and to multiply afterwards?


# %% solution="09.2"
def site_step(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    """NTK behind ReLU and a convolution of rows. theta, sigma [p, p], var1, var2 [p] -> [p - q + 1, p - q + 1]."""
    ### BEGIN SOLUTION
    value, slope = ntk.relu.dual(sigma, var1[:, None], var2[None, :])
    both = value + theta * slope
    left = len(sigma) - window + 1
    windows = [both[a : a + left, a : a + left] for a in range(window)]
    return sigma_w**2 * torch.stack(windows).mean(0) + sigma_b**2
    ### END SOLUTION


# %% given="09.2-by-hand"
# Two equal images of two white pixels that are fully correlated: half of the Gaussian is active, E[φφ] = E[φ̇φ̇] = 1/2.
ones = torch.ones(2, 2)
new = torch.as_tensor(site_step(3 * ones, ones, torch.ones(2), torch.ones(2), 2, 2.0, 0.5))
assert tuple(new.shape) == (1, 1), f"one window of two pixels fits: expected [1, 1], received {list(new.shape)}"
assert abs(new[0, 0] - 8.25) < 1e-7, (
    f"Σ' = 2² · (1/2 + 1/2)/2 + 0.5² = 2.25, and 2² · (3/2 + 3/2)/2 = 6 from below: 8.25, received {new[0, 0]:.4f}"
)
# A black image against a white one: nothing is alike, and nothing is NaN.
new = torch.as_tensor(site_step(0 * ones, 0 * ones, torch.zeros(2), torch.ones(2), 2, 2.0, 0.5))
assert abs(new[0, 0] - 0.25) < 1e-9, f"only the bias is left, 0.5² = 0.25, received {new[0, 0]:.4f}"

# %% check="09.2"
check("09.2", site_step)

# %% tags=["demonstration"]
# Demonstration: with a window of one pixel your function is a dense layer at each pixel, the kernel of chapter 05.
pixels = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
dense = ntk.zoo.mlp(1, sigma_w=1.4, sigma_b=0.1)
sigma, var = dense.nngp(pixels), dense.nngp(pixels).diagonal()
theirs = ntk.zoo.mlp(2, sigma_w=1.4, sigma_b=0.1).ntk(pixels)
print(f"difference {(torch.as_tensor(site_step(sigma, sigma, var, var, 1, 1.4, 0.1)) - theirs).abs().max():.0e}")
# And a hundred networks: a convolution of one pixel to 400 channels, ReLU, a convolution of three pixels.
row, other = torch.tensor([[[1.0, -0.5, 0.7, 0.2]]]), torch.tensor([[[0.5, -1.0, 0.3, 0.8]]])


def one_draw(seed):
    """Σ_p ∂f ∂f of one network, for the first output pixel of each row."""
    draw = torch.Generator().manual_seed(seed)
    first = torch.randn(400, 1, 1, generator=draw, requires_grad=True)
    second = torch.randn(1, 400, 3, generator=draw, requires_grad=True)
    conv = torch.nn.functional.conv1d
    outputs = [1.4 / 1200**0.5 * conv(conv(x, first).relu(), second)[0, 0, 0] for x in (row, other)]
    one, two = (torch.autograd.grad(f, (first, second)) for f in outputs)
    return (one[0] * two[0]).sum() + (one[1] * two[1]).sum()


cov = row[0, 0][:, None] * other[0, 0]
limit = torch.as_tensor(site_step(cov, cov, row[0, 0] ** 2, other[0, 0] ** 2, 3, 1.4, 0.0))[0, 0]
draws = torch.stack([one_draw(seed) for seed in range(100)])
print(f"100 networks {draws.mean():.3f} ± {draws.std() / 10:.3f}, your limit {limit:.3f}")

# %% [markdown]
# ## Task 09.3: local average pooling ({{points 09.3}})
#
# `cov`, of shape `[h, w, h, w]`, belongs to all pairs of pixels behind the last activation. The network goes on with a
# **mean** over windows of `window` × `window` pixels, $c\times c$, one window for every site, and flattens: a last
# layer with weights of its own at every site. The border is circular: row $h$ is row 0 again. Return the number behind
# the read-out, for a last layer with $\sigma_w = 1$ and no bias (Li et al. 2019, section 4):
#
# $$\frac1{hw}\sum_i\Big(\frac1{c^4}\sum_{a}\sum_{b}\Sigma(i + a,\ i + b)\Big),$$
#
# with offsets $a$ and $b$ that run over the window independently of each other.
#
# **Predict before you run.** Which read-out is $c = 1$? And a window as large as the image?


# %% solution="09.3"
def local_pooling(cov, window):
    """LAP and Flatten on a circle. cov [h, w, h, w] -> float."""
    ### BEGIN SOLUTION
    h, w = cov.shape[:2]
    for axis in range(4):
        cov = sum(cov.roll(-step, dims=axis) for step in range(window)) / window
    return torch.einsum("ijij->", cov) / (h * w)
    ### END SOLUTION


# %% given="09.3-by-hand"
# One row of three pixels that are uncorrelated, with variances 1, 2 and 3, seen by windows of one pixel.
cov = torch.diag(torch.tensor([1.0, 2.0, 3.0])).reshape(1, 3, 1, 3)
flat = float(local_pooling(cov, 1))
assert abs(flat - 2) < 1e-9, f"c = 1: the mean of 1, 2, 3 is 2, received {flat:.4f}"
# Four pixels in a square, all uncorrelated with variance 1; a window of 2 × 2 is the whole image.
cov = torch.eye(4).reshape(2, 2, 2, 2)
whole = float(local_pooling(cov, 2))
assert abs(whole - 0.25) < 1e-9, f"c = 2: the variance of a mean of 4 uncorrelated pixels is 1/4, received {whole:.4f}"

# %% check="09.3"
check("09.3", local_pooling)

# %% tags=["demonstration"]
# Demonstration: your read-out on two real digits, from Flatten to GAP; and GAP as a mean over translations.
body = [ntk.Conv2d(3, padding="circular", sigma_w=1.4), ntk.relu]
pairs = ntk.serial(*body).kernel(digits[:1], digits[1:]).nngp.reshape(8, 8, 8, 8)
for window in (1, 2, 4, 8):
    print(f"window {window}: {float(local_pooling(pairs, window)):.5f}")
translates = [digits[1:].roll((r, c), dims=(1, 2)) for r in range(8) for c in range(8)]
moved = [ntk.serial(*body).kernel(digits[:1], x).nngp.reshape(8, 8, 8, 8) for x in translates]
print(f"mean of window 1 over all translations: {sum(float(local_pooling(m, 1)) for m in moved) / 64:.5f}")

# %% [markdown]
# ## Question 09.4: should a colleague pool? ({{points 09.4}})
#
# A colleague classifies small scans of handwritten digits, centered in their frames, with a convolutional kernel and
# Flatten. Having read that global average pooling gives ten points on photographs, they replace Flatten by GAP, with
# circular padding, "because then it is translation invariant". The accuracy falls by several points. With zeros around
# the image it rises again. In about ten lines: explain all three observations, and say what you would try. A person
# reads your answer:
#
# {{rubric 09.4}}

# %% [markdown] written="09.4"
# ### BEGIN SOLUTION
# Flatten compares the patch at a pixel with the patch at the same pixel of the other image; GAP compares every patch
# with every patch. On a circle GAP is exactly training on all translates of every image, so it cannot know where a
# stroke is, only which strokes there are. For photographs that is a good assumption: an object may be anywhere. These
# digits are centered, and where a stroke lies is information (the loop of a 6 and of a 9), so throwing it away costs
# accuracy. With zeros around the image the theorem does not hold: patches near the border have smaller variances, and
# deeper layers carry this shadow inwards, so that the kernel knows roughly how far a patch is from the border. I would
# try a local window between the two, choose its size on held-out images, and compare on several draws of the training
# set with standard errors. Shuffling the pixels shows how much of the gain needs neighbors at all.
# ### END SOLUTION
