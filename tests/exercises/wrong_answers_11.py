"""Wrong answers to the tasks of chapter 11, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import numpy as np
import torch

import ntk_teach as ntk

# 11.1


def adjacency_as_it_came(sigma, edges1, edges2, mean):
    if mean:
        edges1, edges2 = edges1 / edges1.sum(1, keepdim=True), edges2 / edges2.sum(1, keepdim=True)
    return edges1 @ sigma @ edges2.T


def counts_itself_in_the_scale_only(sigma, edges1, edges2, mean):
    c1, c2 = 1 / (edges1.sum(1) + 1), 1 / (edges2.sum(1) + 1)
    total = torch.einsum("ua,ab,vb->uv", edges1, sigma, edges2)
    return c1[:, None] * total * c2 if mean else total


def rows_only(sigma, edges1, edges2, mean):
    s = edges1.numpy() + np.eye(len(edges1))
    if mean:
        s = s / s.sum(axis=1, keepdims=True)
    return s @ sigma.numpy()


def columns_only(sigma, edges1, edges2, mean):
    s = edges2 + torch.eye(len(edges2))
    if mean:
        s = s / s.sum(1, keepdim=True)
    return sigma @ s.T


def adds_the_identity_of_the_pair(sigma, edges1, edges2, mean):
    new = sigma.clone()
    for u in range(sigma.shape[0]):
        for v in range(sigma.shape[1]):
            near = [sigma[a, b] for a in torch.nonzero(edges1[u])[:, 0] for b in torch.nonzero(edges2[v])[:, 0]]
            new[u, v] = new[u, v] + sum(near)
            if mean:
                new[u, v] /= (edges1[u].sum() + 1) * (edges2[v].sum() + 1)
    return new


def hears_on_both_sides_and_adds(sigma, edges1, edges2, mean):
    s1, s2 = edges1 + torch.eye(len(edges1)), edges2 + torch.eye(len(edges2))
    if mean:
        s1, s2 = torch.diag(1 / s1.sum(1)) @ s1, torch.diag(1 / s2.sum(1)) @ s2
    return s1 @ sigma + sigma @ s2.T


def forgets_the_second_graph(sigma, edges1, edges2, mean):
    s = edges1 + torch.eye(len(edges1))
    s = s / s.sum(1, keepdim=True) if mean else s
    return s @ sigma @ s.T


def takes_the_mean_whatever_is_asked(sigma, edges1, edges2, mean):
    s1, s2 = (torch.nn.functional.normalize(e + torch.eye(len(e)), p=1.0, dim=1) for e in (edges1, edges2))
    return s1 @ sigma @ s2.T


def reads_mean_the_wrong_way_round(sigma, edges1, edges2, mean):
    s1, s2 = (e + torch.eye(len(e)) for e in (edges1, edges2))
    if not mean:
        s1, s2 = s1 / s1.sum(1, keepdim=True), s2 / s2.sum(1, keepdim=True)
    return s1 @ sigma @ s2.T


def multiplies_in_the_other_order(sigma, edges1, edges2, mean):
    s1, s2 = (e + torch.eye(len(e)) for e in (edges1, edges2))
    if mean:
        s1, s2 = s1 / s1.sum(1, keepdim=True), s2 / s2.sum(1, keepdim=True)
    return s2 @ sigma @ s1.T


def transposes_the_table(sigma, edges1, edges2, mean):
    s1, s2 = (e + torch.eye(len(e)) for e in (edges1, edges2))
    if mean:
        s1, s2 = s1 / s1.sum(1, keepdim=True), s2 / s2.sum(1, keepdim=True)
    return s2 @ sigma.T @ s1.T


# 11.2


def forgets_theta(sigma11, sigma12, sigma22, theta, s1, s2):
    cov = s1 @ sigma12 @ s2.T
    v1, v2 = torch.diag(s1 @ sigma11 @ s1.T), torch.diag(s2 @ sigma22 @ s2.T)
    d = ntk.relu.dual(cov, v1[:, None], v2[None])
    return torch.stack([2 * d.value, theta * 2 * d.slope + 2 * d.value])


def variances_from_the_arguments(sigma11, sigma12, sigma22, theta, s1, s2):
    cov = s1 @ sigma12 @ s2.T
    v1, v2 = sigma11.diagonal()[:, None], sigma22.diagonal()[None]
    length = torch.sqrt(v1 * v2)
    rho = (cov / length).clamp(-1, 1)
    angle = torch.arccos(rho)
    value = length / torch.pi * (torch.sin(angle) + (torch.pi - angle) * rho)
    slope = (torch.pi - angle) / torch.pi
    return torch.stack([value, (s1 @ theta @ s2.T) * slope + value])


def adds_variances(sigma11, sigma12, sigma22, theta, s1, s2):
    v1, v2 = (s1**2) @ sigma11.diagonal(), (s2**2) @ sigma22.diagonal()
    length = torch.sqrt(v1[:, None] * v2)
    rho = (s1 @ sigma12 @ s2.T / length).clamp(-1, 1)
    angle = torch.arccos(rho)
    value = length / torch.pi * (torch.sin(angle) + (torch.pi - angle) * rho)
    return torch.stack([value, (s1 @ theta @ s2.T) * (torch.pi - angle) / torch.pi + value])


def dual_without_the_two(sigma11, sigma12, sigma22, theta, s1, s2):
    v1, v2 = torch.diag(s1 @ sigma11 @ s1.T), torch.diag(s2 @ sigma22 @ s2.T)
    value, slope = ntk.relu.dual(s1 @ sigma12 @ s2.T, v1[:, None], v2[None])
    return torch.stack([value, s1 @ theta @ s2.T * slope + value])


def two_in_sigma_only(sigma11, sigma12, sigma22, theta, s1, s2):
    v1, v2 = torch.diag(s1 @ sigma11 @ s1.T), torch.diag(s2 @ sigma22 @ s2.T)
    value, slope = ntk.relu.dual(s1 @ sigma12 @ s2.T, v1[:, None], v2[None])
    return np.stack([(2 * value).numpy(), (s1 @ theta @ s2.T * slope + 2 * value).numpy()])


def only_multiplies_theta(sigma11, sigma12, sigma22, theta, s1, s2):
    v1, v2 = torch.diag(s1 @ sigma11 @ s1.T), torch.diag(s2 @ sigma22 @ s2.T)
    value, slope = ntk.relu.dual(s1 @ sigma12 @ s2.T, v1[:, None], v2[None])
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T)])


def adds_the_incoming_sigma(sigma11, sigma12, sigma22, theta, s1, s2):
    hat = s1 @ sigma12 @ s2.T
    v1, v2 = torch.diag(s1 @ sigma11 @ s1.T), torch.diag(s2 @ sigma22 @ s2.T)
    value, slope = ntk.relu.dual(hat, v1[:, None], v2[None])
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + hat])


def relu_before_hearing(sigma11, sigma12, sigma22, theta, s1, s2):
    value, slope = ntk.relu.dual(sigma12, sigma11.diagonal()[:, None], sigma22.diagonal()[None])
    sigma, new = 2 * value, theta * 2 * slope + 2 * value
    return torch.stack([s1 @ sigma @ s2.T, s1 @ new @ s2.T])


def theta_before_sigma(sigma11, sigma12, sigma22, theta, s1, s2):
    v1, v2 = torch.diag(s1 @ sigma11 @ s1.T), torch.diag(s2 @ sigma22 @ s2.T)
    value, slope = ntk.relu.dual(s1 @ sigma12 @ s2.T, v1[:, None], v2[None])
    return torch.stack([2 * slope * (s1 @ theta @ s2.T) + 2 * value, 2 * value])


def correlations_go_in(sigma11, sigma12, sigma22, theta, s1, s2):
    v1, v2 = torch.diag(s1 @ sigma11 @ s1.T), torch.diag(s2 @ sigma22 @ s2.T)
    rho = (s1 @ sigma12 @ s2.T / torch.sqrt(v1[:, None] * v2)).clamp(-1, 1)
    value, slope = ntk.relu.dual(rho, torch.ones_like(rho), torch.ones_like(rho))
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def scale_instead_of_its_square(sigma11, sigma12, sigma22, theta, s1, s2):
    v1, v2 = torch.diag(s1 @ sigma11 @ s1.T), torch.diag(s2 @ sigma22 @ s2.T)
    value, slope = (2**0.5 * part for part in ntk.relu.dual(s1 @ sigma12 @ s2.T, v1[:, None], v2[None]))
    return torch.stack([value, slope * (s1 @ theta @ s2.T) + value])


# 11.3


def means(levels11, levels12, levels22):
    one, both, two = (sum(float(x.mean()) for x in levels) for levels in (levels11, levels12, levels22))
    return [both, both / (one * two) ** 0.5]


def last_of_the_list(levels11, levels12, levels22):
    one, both, two = levels11[-1].sum(), levels12[-1].sum(), levels22[-1].sum()
    return torch.tensor([both, both / torch.sqrt(one * two)])


def traces(levels11, levels12, levels22):
    one, both, two = (sum(torch.diagonal(x).sum() for x in levels) for levels in (levels11, levels12, levels22))
    return torch.stack([both, both / (one * two).sqrt()])


def traces_below(levels11, levels12, levels22):
    both = sum(x.sum() for x in levels12)
    one, two = sum(x.trace() for x in levels11), sum(x.trace() for x in levels22)
    return torch.stack([both, both / torch.sqrt(one * two)])


def cosine_of_each_level(levels11, levels12, levels22):
    both, cosine = 0.0, 0.0
    for a, b, c in zip(levels11, levels12, levels22, strict=True):
        both += b.sum()
        cosine += b.sum() / torch.sqrt(a.sum() * c.sum())
    return torch.stack([both, cosine])


def mean_of_the_cosines(levels11, levels12, levels22):
    cosines = [b.sum() / (a.sum() * c.sum()) ** 0.5 for a, b, c in zip(levels11, levels12, levels22, strict=True)]
    return torch.stack([sum(x.sum() for x in levels12), torch.stack(cosines).mean()])


def no_square_root(levels11, levels12, levels22):
    one, both, two = (sum(x.sum() for x in levels) for levels in (levels11, levels12, levels22))
    return torch.stack([both, both / (one * two)])


def arithmetic(levels11, levels12, levels22):
    one, both, two = (sum(x.sum() for x in levels) for levels in (levels11, levels12, levels22))
    return torch.stack([both, both / ((one + two) / 2)])


def divided_by_sizes(levels11, levels12, levels22):
    both = sum(x.sum() for x in levels12)
    return torch.stack([both, both / (len(levels11[0]) * len(levels22[0]))])


def without_the_features(levels11, levels12, levels22):
    start = 1 if len(levels12) > 1 else 0
    one, both, two = (sum(x.sum() for x in levels[start:]) for levels in (levels11, levels12, levels22))
    return torch.stack([both, both / (one * two).sqrt()])


def one_number(levels11, levels12, levels22):
    one, both, two = (sum(x.sum() for x in levels) for levels in (levels11, levels12, levels22))
    return both / (one * two).sqrt()


def both_expectations_exchanged(sigma11, sigma12, sigma22, theta, s1, s2):
    v1, v2 = torch.diag(s1 @ sigma11 @ s1.T), torch.diag(s2 @ sigma22 @ s2.T)
    slope, value = ntk.relu.dual(s1 @ sigma12 @ s2.T, v1[:, None], v2[None])
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def no_transposition(sigma11, sigma12, sigma22, theta, s1, s2):
    v1, v2 = torch.einsum("ij,jk,ik->i", s1, sigma11, s1), torch.einsum("ij,jk,ik->i", s2, sigma22, s2)
    value, slope = ntk.relu.dual(s1 @ sigma12 @ s2, v1[:, None], v2[None])
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2) + 2 * value])


def returns_in_the_loop(levels11, levels12, levels22):
    one = both = two = 0.0
    for a, b, c in zip(levels11, levels12, levels22, strict=True):
        one, both, two = one + a.sum(), both + b.sum(), two + c.sum()
        return torch.stack([both, both / torch.sqrt(one * two)])


def up_to_the_last(levels11, levels12, levels22):
    one = both = two = torch.zeros(())
    for level in range(max(1, len(levels12) - 1)):
        one, both, two = one + levels11[level].sum(), both + levels12[level].sum(), two + levels22[level].sum()
    return torch.stack([both, both / torch.sqrt(one * two)])


WRONG = {
    "11.1": [
        (adjacency_as_it_came, "not themselves"),
        (counts_itself_in_the_scale_only, "left it out of the sum"),
        (rows_only, "Only the nodes of the first graph hear"),
        (columns_only, "Only the nodes of the second graph hear"),
        (adds_the_identity_of_the_pair, "Self loops belong in both matrices"),
        (hears_on_both_sides_and_adds, "runs over all pairs"),
        (forgets_the_second_graph, "along the edges of the first graph"),
        (takes_the_mean_whatever_is_asked, "a sum was asked for"),
        (reads_mean_the_wrong_way_round, "the wrong way round"),
        (multiplies_in_the_other_order, "graphs are swapped"),
        (transposes_the_table, "axes are not in order"),
    ],
    "11.2": [
        (forgets_theta, "Θ was not aggregated"),
        (variances_from_the_arguments, "before the aggregation"),
        (adds_variances, "as if nodes were independent"),
        (dual_without_the_two, "missing in both lines"),
        (two_in_sigma_only, "in front of E[φ̇φ̇]"),
        (only_multiplies_theta, "what they add to Θ"),
        (adds_the_incoming_sigma, "what leaves it"),
        (relu_before_hearing, "aggregated behind the ReLU"),
        (theta_before_sigma, "Θ first and Σ second"),
        (correlations_go_in, "lengths are lost"),
        (scale_instead_of_its_square, "√2"),
        (both_expectations_exchanged, "changed places"),
        (no_transposition, "S₂ is not transposed"),
    ],
    "11.3": [
        (means, "averaged over the pairs"),
        (last_of_the_list, "Only the last level"),
        (traces, "no common"),
        (traces_below, "not only"),
        (cosine_of_each_level, "first add the levels"),
        (mean_of_the_cosines, "averaged the quotients"),
        (no_square_root, "root is missing"),
        (arithmetic, "arithmetic mean"),
        (divided_by_sizes, "numbers of nodes"),
        (without_the_features, "raw features"),
        (one_number, "shape"),
        (returns_in_the_loop, "after the first level"),
        (up_to_the_last, "stops before the last level"),
    ],
}
