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
# # Exercise 11: The tangent kernel of graphs
#
# You will write the kernel with which an infinitely wide graph network compares two molecules, from the first time that
# an atom hears its neighbors to one number for the pair. It goes with the chapter *The tangent kernel of graphs* of
# the book.
#
# **Convention** (Du et al. 2019, section 3; features are divided by their number). A graph has $p$ nodes and a
# symmetric adjacency matrix $A$ of zeros and ones, with zeros on its diagonal. For two graphs, $\Sigma$ and $\Theta$
# are matrices with a row for each node of the *first* graph and a column for each node of the *second*.
#
# **Arrays.** Your functions receive `torch` tensors in float64, lists of them, and integers. Answer with tensors or
# with numpy arrays; float32 is accepted.
#
# **What you may use.** `torch`, `numpy`, and of the library: {{provides}}. The rest of `ntk_teach` could do these
# tasks for you; that is what the cells marked *demonstration* show. They are not run when you are graded.
#
# **How to check.** `check("11.1", aggregate)` runs your function on random inputs and tells you which idea is
# missing. The final grading uses other inputs and the same words. Do not change your arguments in place.

# %% given="setup"
import torch

import ntk_teach as ntk
from ntk_teach.grading import check

torch.set_default_dtype(torch.float64)

# %% [markdown]
# ## Task 11.1: hearing the neighbors ({{points 11.1}})
#
# Before every block, each node hears its neighbors **and itself**:
#
# $$h_u \leftarrow c_u\sum_v (A + \mathrm{Id})_{uv}\,h_v .$$
#
# With `mean = 0` the scale is $c_u = 1$; with `mean = 1` it is one over the number of terms, so that $h_u$ becomes a
# mean (Du et al. 2019, section 3). The table `sigma`, of shape `[p, q]`, holds the covariances of a value at each
# node of the first graph with a value at each node of the second. Return the table after both graphs have aggregated.
# Their adjacency matrices are `edges1` of shape `[p, p]` and `edges2` of shape `[q, q]`.
#
# **Predict before you run.** Two graphs whose nodes all have the same features: what does a mean change, and what does
# a sum?


# %% solution="11.1"
def aggregate(sigma, edges1, edges2, mean):
    """Covariance of node pairs after aggregation. sigma [p, q], edges1 [p, p], edges2 [q, q] -> [p, q]."""
    ### BEGIN SOLUTION

    def hearing(edges):
        heard = edges + torch.eye(len(edges))
        return heard / heard.sum(1, keepdim=True) if mean else heard

    return hearing(edges1) @ sigma @ hearing(edges2).T
    ### END SOLUTION


# %% given="11.1-by-hand"
# A bond u - v, and a single node. The single node hears itself alone; u and v both hear u and v.
bond, alone = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.zeros(1, 1)
table = torch.as_tensor(aggregate(torch.tensor([[1.0], [5.0]]), bond, alone, 0))
assert tuple(table.shape) == (2, 1), f"expected a row for each of 2 nodes and 1 column, received {tuple(table.shape)}"
assert abs(table[0, 0] - 6.0) < 1e-9, f"a sum: u hears u and v, 1 + 5 = 6, received {table[0, 0]:.4f}"
table = torch.as_tensor(aggregate(torch.tensor([[1.0], [5.0]]), bond, alone, 1))
assert abs(table[0, 0] - 3.0) < 1e-9, f"a mean: (1 + 5) / 2 = 3, received {table[0, 0]:.4f}"

# %% check="11.1"
check("11.1", aggregate)

# %% tags=["demonstration"]
# Demonstration: a star and a path of five equal nodes. The table has one entry for each pair; what can it still tell?
star = torch.zeros(5, 5)
star[0, 1:] = star[1:, 0] = 1.0
path = torch.diag(torch.ones(4), 1) + torch.diag(torch.ones(4), -1)
for mean in (1, 0):
    table = torch.as_tensor(aggregate(torch.ones(5, 5), star, path, mean))
    print(f"mean = {mean}: entries from {table.min():.1f} to {table.max():.1f}")

# %% [markdown]
# ## Task 11.2: one block ({{points 11.2}})
#
# In a block the nodes aggregate, a ReLU acts on what they heard, and random weights of scale $\sqrt2$ follow. For two
# graphs with aggregation matrices $S_1$ and $S_2$ (already scaled; $S$ need not be symmetric),
#
# $$\hat\Sigma = S_1\,\Sigma\,S_2^\top,\quad \hat\Theta = S_1\,\Theta\,S_2^\top,\qquad
# \Sigma_{\text{new}} = 2\,\mathbb E[\phi\phi],\quad
# \Theta_{\text{new}} = \hat\Theta\odot 2\,\mathbb E[\dot\phi\dot\phi] + \Sigma_{\text{new}}$$
#
# (Du et al. 2019, section 3). Both expectations are over the Gaussian pair with covariance $\hat\Sigma(u, u')$ and with
# the variances of the two nodes *after aggregation, each in its own graph*. You receive $\Sigma$ of the first graph
# with itself, of the first with the second, of the second with itself, as `sigma11` `[p, p]`, `sigma12` `[p, q]`,
# `sigma22` `[q, q]`, further `theta` `[p, q]`, `s1` and `s2`. Return $\Sigma_{\text{new}}$ and $\Theta_{\text{new}}$
# of the pair of graphs, in this order, as one tensor `[2, p, q]`.
#
# `ntk.relu.dual(cov, var1, var2)` returns `.value` and `.slope`, the two expectations without the factor 2; its
# arguments are broadcast.
#
# **Predict before you run.** After many blocks on a connected graph, with means: how alike are two atoms?


# %% solution="11.2"
def one_block(sigma11, sigma12, sigma22, theta, s1, s2):
    """Σ and Θ of all node pairs after one block. sigma12, theta [p, q], s1 [p, p], s2 [q, q] -> [2, p, q]."""
    ### BEGIN SOLUTION
    cov = s1 @ sigma12 @ s2.T
    var1 = (s1 @ sigma11 @ s1.T).diagonal()
    var2 = (s2 @ sigma22 @ s2.T).diagonal()
    value, slope = ntk.relu.dual(cov, var1[:, None], var2[None, :])
    sigma = 2 * value
    return torch.stack([sigma, (s1 @ theta @ s2.T) * 2 * slope + sigma])
    ### END SOLUTION


# %% given="11.2-by-hand"
# Two nodes that hear each other, against a single node of another graph. Values: 1 and 2 at the pair, 3 at the single
# node, all of one sign, so that every pair is fully correlated: 2 E[φφ] is the product, and 2 E[φ̇φ̇] = 1.
one, two = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0]])
found = torch.as_tensor(
    one_block(one @ one.T, one @ two.T, two @ two.T, torch.tensor([[1.0], [5.0]]), torch.ones(2, 2), torch.ones(1, 1))
)
assert tuple(found.shape) == (2, 2, 1), f"expected Σ and Θ of 2 × 1 pairs, [2, 2, 1], received {list(found.shape)}"
assert abs(found[0, 0, 0] - 9.0) < 1e-5, f"Σ: (1 + 2) · 3 = 9, received {found[0, 0, 0]:.4f}"
assert abs(found[1, 0, 0] - 15.0) < 1e-3, f"Θ: (1 + 5) · 1 + 9 = 15, received {found[1, 0, 0]:.4f}"

# %% check="11.2"
check("11.2", one_block)

# %% tags=["demonstration"]
# Demonstration: your blocks give the library's kernel of a ring of six carbon atoms with a nitrogen, and phenol.
ring = [(u, (u + 1) % 6) for u in range(6)]
carbon_ring = torch.zeros(7, 7)
for u, v in [*ring, (0, 6)]:
    carbon_ring[u, v] = carbon_ring[v, u] = 1.0
kinds = {"C": 0, "N": 1, "O": 2}
with_nitrogen, phenol = (torch.eye(3)[[kinds[atom] for atom in atoms]] for atoms in ("CCCCCCN", "CCCCCCO"))
s = carbon_ring + torch.eye(7)


def kernel_levels(x1, x2, blocks):
    """Θ of the node pairs after 0, 1, ..., blocks; both molecules have the same bonds."""
    sigmas = {name: a @ b.T / 3 for name, (a, b) in {"11": (x1, x1), "12": (x1, x2), "22": (x2, x2)}.items()}
    theta, levels = sigmas["12"], [sigmas["12"]]
    for _ in range(blocks):
        new = one_block(sigmas["11"], sigmas["12"], sigmas["22"], theta, s, s)
        own1 = one_block(sigmas["11"], sigmas["11"], sigmas["11"], sigmas["11"], s, s)[0]
        own2 = one_block(sigmas["22"], sigmas["22"], sigmas["22"], sigmas["22"], s, s)[0]
        sigmas, theta = {"11": own1, "12": new[0], "22": own2}, new[1]
        levels.append(theta)
    return levels


graphs = ntk.Ragged.graphs([with_nitrogen, phenol], [carbon_ring, carbon_ring])
for blocks in (1, 2, 3):
    mine = float(kernel_levels(with_nitrogen, phenol, blocks)[-1].sum())
    print(f"{blocks} blocks: yours {mine:.4f}, the library's {float(ntk.zoo.gnn(blocks).ntk(graphs)[0, 1]):.4f}")

# %% [markdown]
# ## Task 11.3: from pairs of nodes to a pair of graphs ({{points 11.3}})
#
# The read-out of a level is a sum over the nodes. With **jumping knowledge** every level $\ell = 0, 1, \dots, B$ is
# read out by independent weights, the raw features included, and the kernels of the levels add (Du et al. 2019,
# section 3):
#
# $$K(G, G') = \sum_{\ell=0}^{B}\sum_{u\in G}\sum_{u'\in G'}\Theta^{(\ell)}(u, u') .$$
#
# You receive three lists of matrices, one matrix for each level: `levels11` for the first graph with itself, `levels12`
# for the first with the second, `levels22` for the second with itself. Return two numbers, shape `[2]`: the kernel
# $K(G, G')$, and the normalized kernel $K(G, G')/\sqrt{K(G, G)\,K(G', G')}$.
#
# **Predict before you run.** $H$ consists of two copies of $G$ with no bond between them. What are the two numbers of
# $G$ and $H$, compared with those of $G$ and $G$?


# %% solution="11.3"
def graph_kernel(levels11, levels12, levels22):
    """K of two graphs, and normalized. Lists of [p, p], [p, q] and [q, q] -> [2]."""
    ### BEGIN SOLUTION
    one, both, two = (sum(theta.sum() for theta in levels) for levels in (levels11, levels12, levels22))
    return torch.stack([both, both / (one * two).sqrt()])
    ### END SOLUTION


# %% given="11.3-by-hand"
# One level, two nodes against one: K(G, G') = 3 + 1, K(G, G) = 2 + 1 + 1 + 4, K(G', G') = 8.
level11, level12, level22 = torch.tensor([[2.0, 1.0], [1.0, 4.0]]), torch.tensor([[3.0], [1.0]]), torch.tensor([[8.0]])
found = torch.as_tensor(graph_kernel([level11], [level12], [level22]))
assert tuple(found.shape) == (2,), f"expected two numbers, received shape {tuple(found.shape)}"
assert abs(found[0] - 4.0) < 1e-9, f"K = 3 + 1 = 4, received {found[0]:.4f}"
assert abs(found[1] - 0.5) < 1e-9, f"normalized: 4 / √(8 · 8) = 0.5, received {found[1]:.4f}"

# %% check="11.3"
check("11.3", graph_kernel)

# %% tags=["demonstration"]
# Demonstration: the ring with a nitrogen against phenol. One block makes them more alike, for nitrogen and oxygen hear
# the same carbon; then the difference travels around the ring.
for blocks in (0, 1, 2, 4):
    parts = [kernel_levels(*both, blocks) for both in ((with_nitrogen,) * 2, (with_nitrogen, phenol), (phenol,) * 2)]
    kernel, cosine = graph_kernel(*parts)
    print(f"{blocks} blocks: K = {float(kernel):.3f}, normalized {float(cosine):.4f}")

# %% [markdown]
# ## Question 11.4: a record on a benchmark ({{points 11.4}})
#
# A report says: "On MUTAG we compared 400 settings of our graph kernel (depth, scale, normalization, penalty $C$) by
# ten-fold cross-validation. The best one reaches 91.2 ± 7.9 percent and beats the previous 90.0 ± 8.5. With infinite
# width our network can represent any function of a molecule." In about ten lines: what does the number 91.2 estimate,
# and what is wrong with the comparison? What would you have them run? Is the last sentence right? Use what the chapter
# shows. A person reads your answer:
#
# {{rubric 11.4}}

# %% [markdown] written="11.4"
# ### BEGIN SOLUTION
# The test folds chose the setting, so 91.2 is the maximum of 400 noisy means, and the maximum of noise is not zero: it
# estimates nothing that will be met on new molecules, and is too high by a point or more. The earlier 90.0 has the same
# defect, with another number of settings, so the difference may be the number of settings alone. I would ask for nested
# cross-validation: in each training part an inner cross-validation chooses depth, scale, normalization and C, and the
# test fold is used once. The ± is the spread of single folds of nineteen molecules, where one molecule is five percent;
# it is not the error of the mean, and a difference of 1.2 is far inside of it. Both methods should be run on the same
# folds, in several random divisions, and compared fold by fold. The last sentence is wrong: for every choice of
# parameters such a network gives equal outputs for two graphs that color refinement cannot separate, such as two
# triangles and a hexagon with equal labels, and the limit inherits this as equal rows of the kernel.
# ### END SOLUTION
