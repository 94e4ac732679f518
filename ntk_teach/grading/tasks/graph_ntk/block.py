"""Task 11.2: one block of the graph tangent kernel: aggregate, ReLU, and the weights behind it."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.activations import relu
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.graph_ntk.draws import aggregation, joint

__all__ = ["block"]


def reference(sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor) -> Tensor:
    variances = (s1 @ sigma11 @ s1.T).diagonal(), (s2 @ sigma22 @ s2.T).diagonal()
    value, slope = _dual(s1 @ sigma12 @ s2.T, *variances)
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def _dual(cov: Tensor, var1: Tensor, var2: Tensor) -> tuple[Tensor, Tensor]:
    """E[φφ] and E[φ̇φ̇] of a table of pairs; a correlation beyond 1 is a correlation of 1."""
    bound = (var1[:, None] * var2[None, :]).sqrt()
    dual = relu.dual(torch.maximum(torch.minimum(cov, bound), -bound), var1[:, None], var2[None, :])
    return dual.value, dual.slope


# ---- inputs


def two_graphs(
    rng: np.random.Generator, *, sizes: tuple[int, int], means: tuple[bool, bool], itself: bool = False
) -> Arguments:
    """Two graphs, or one and the same twice; Θ is no function of Σ."""
    p, q = sizes
    whole, s1 = joint(rng, p + q), aggregation(rng, p, mean=means[0])
    theta = torch.from_numpy(rng.normal(size=(p, q)) * 2)
    if itself:
        return {
            "sigma11": whole[:p, :p].clone(),
            "sigma12": whole[:p, :p].clone(),
            "sigma22": whole[:p, :p].clone(),
            "theta": (theta + theta.T) / 2 + 3 * torch.eye(p, dtype=torch.float64),
            "s1": s1,
            "s2": s1.clone(),
        }
    return {
        "sigma11": whole[:p, :p].clone(),
        "sigma12": whole[:p, p:].clone(),
        "sigma22": whole[p:, p:].clone(),
        "theta": theta,
        "s1": s1,
        "s2": aggregation(rng, q, mean=means[1]),
    }


# ---- wrong answers: what enters the ReLU, and what is made of it


def _entering(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, s1: Tensor, s2: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    return s1 @ sigma12 @ s2.T, (s1 @ sigma11 @ s1.T).diagonal(), (s2 @ sigma22 @ s2.T).diagonal()


def theta_not_aggregated(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """Θ was not aggregated: the gradients of the neighbors reach a node as well, so Θ moves along the edges like Σ."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([2 * value, 2 * slope * theta + 2 * value])


def sigma_not_aggregated(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """Σ was not aggregated, only Θ: the ReLU receives what a node *hears*, and its covariance is another."""
    value, slope = _dual(sigma12, sigma11.diagonal(), sigma22.diagonal())
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def nothing_aggregated(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """The graphs' edges do not enter at all: this is a fully connected layer on each node by itself."""
    value, slope = _dual(sigma12, sigma11.diagonal(), sigma22.diagonal())
    return torch.stack([2 * value, 2 * slope * theta + 2 * value])


def aggregated_last(sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor) -> Tensor:
    """You aggregated behind the ReLU: in a block nodes hear first, and the ReLU acts on what they heard."""
    value, slope = _dual(sigma12, sigma11.diagonal(), sigma22.diagonal())
    return torch.stack([s1 @ part @ s2.T for part in (2 * value, 2 * slope * theta + 2 * value)])


def old_variances(sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor) -> Tensor:
    """The variances are those before the aggregation: a sum over neighbors has another variance than the node had, so
    the two graphs' own Σ have to be aggregated, too.
    """
    value, slope = _dual(s1 @ sigma12 @ s2.T, sigma11.diagonal(), sigma22.diagonal())
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def variances_of_independent_nodes(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """You added the variances of the neighbors, as if nodes were independent: the covariances inside a graph belong to
    the variance of a sum.
    """
    value, slope = _dual(s1 @ sigma12 @ s2.T, s1**2 @ sigma11.diagonal(), s2**2 @ sigma22.diagonal())
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def variances_aggregated_once(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """You aggregated the diagonals as vectors: a variance is a covariance of a node with itself, aggregate the whole
    matrix on both sides and read the diagonal afterwards.
    """
    value, slope = _dual(s1 @ sigma12 @ s2.T, s1 @ sigma11.diagonal(), s2 @ sigma22.diagonal())
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def no_factor_two(sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor) -> Tensor:
    """The factor 2 is missing in both lines: the weights behind the ReLU have the scale √2 here."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([value, slope * (s1 @ theta @ s2.T) + value])


def no_factor_in_the_slope(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """The factor 2 is missing in front of E[φ̇φ̇]: a gradient passes the same weights as the signal."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([2 * value, slope * (s1 @ theta @ s2.T) + 2 * value])


def no_factor_in_the_value(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """The factor 2 is missing in front of E[φφ]: the signal passes the same weights as a gradient."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([value, 2 * slope * (s1 @ theta @ s2.T) + value])


def factor_not_squared(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """Your factor is √2: that is the scale of the weights, and covariances carry its square."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    root = math.sqrt(2)
    return torch.stack([root * value, root * slope * (s1 @ theta @ s2.T) + root * value])


def new_covariance_not_added(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """The new weights train, too: what they add to Θ, the new Σ, is missing."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T)])


def old_covariance_added(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """You added the Σ that enters the ReLU: the new weights receive what leaves it."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + s1 @ sigma12 @ s2.T])


def added_first(sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor) -> Tensor:
    """You added the new Σ before multiplying by the slope: no ReLU stands behind the new weights in this block."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T + 2 * value)])


def slope_at_the_new_covariance(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """E[φ̇φ̇] was taken at the new Σ: both expectations belong to the covariance that enters this ReLU."""
    value, _ = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    own = (s1 @ sigma11 @ s1.T).diagonal(), (s2 @ sigma22 @ s2.T).diagonal()
    _, slope = _dual(2 * value, *own)  # behind the ReLU 2 E[φ²] is the variance in front of it
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def read_out_trained_alone(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """Your Θ is the new Σ: that is the kernel if only the last weights are trained."""
    value, _ = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([2 * value, 2 * value])


def old_sigma_returned(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """The Σ that you return is the one that enters the ReLU: the next block needs the one behind it."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([s1 @ sigma12 @ s2.T, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def order_swapped(sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor) -> Tensor:
    """You returned Θ first and Σ second: asked are Σ, then Θ."""
    return reference(sigma11, sigma12, sigma22, theta, s1, s2).flip(0)


def lengths_lost(sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor) -> Tensor:
    """The lengths are lost: you evaluated E[φφ] at correlations, and it grows with the deviations of the two nodes."""
    cov, var1, var2 = _entering(sigma11, sigma12, sigma22, s1, s2)
    value, slope = _dual(cov / (var1[:, None] * var2[None, :]).sqrt(), torch.ones_like(var1), torch.ones_like(var2))
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def one_side_aggregated(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """Only the first graph was aggregated in Σ and Θ of the pair: both nodes of a pair hear their neighbors."""
    variances = (s1 @ sigma11 @ s1.T).diagonal(), (s2 @ sigma22 @ s2.T).diagonal()
    value, slope = _dual(s1 @ sigma12, *variances)
    return torch.stack([2 * value, 2 * slope * (s1 @ theta) + 2 * value])


def theta_aggregated_behind(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """Θ was multiplied by the slope first and aggregated afterwards: the slope belongs to the node that has heard."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([2 * value, s1 @ (2 * slope * theta) @ s2.T + 2 * value])


def expectations_exchanged(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """The two expectations have changed places: Σ is made of E[φφ], and Θ passes the derivative, E[φ̇φ̇]."""
    value, slope = _dual(*_entering(sigma11, sigma12, sigma22, s1, s2))
    return torch.stack([2 * slope, 2 * value * (s1 @ theta @ s2.T) + 2 * slope])


def deviations(sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor) -> Tensor:
    """You have standard deviations where variances belong: `ntk.relu.dual`, for one, takes the roots itself."""
    cov, var1, var2 = _entering(sigma11, sigma12, sigma22, s1, s2)
    value, slope = relu.dual(cov, var1.sqrt()[:, None], var2.sqrt())
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2.T) + 2 * value])


def second_not_transposed(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> Tensor:
    """S₂ is not transposed where you aggregated the Σ and Θ of the pair: with sums it is symmetric and nobody notices,
    with means it is not.
    """
    _, var1, var2 = _entering(sigma11, sigma12, sigma22, s1, s2)
    value, slope = relu.dual(s1 @ sigma12 @ s2, var1[:, None], var2)
    return torch.stack([2 * value, 2 * slope * (s1 @ theta @ s2) + 2 * value])


# ---- right answers


def by_angles(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> NDArray[np.float64]:
    """Cho and Saul's formulas."""
    a, b, c, t, s, r = (x.numpy() for x in (sigma11, sigma12, sigma22, theta, s1, s2))
    length = np.sqrt(np.outer(np.diag(s @ a @ s.T), np.diag(r @ c @ r.T)))
    cosine = np.clip(s @ b @ r.T / length, -1, 1)
    angle = np.arccos(cosine)
    value = length / np.pi * (np.sqrt(1 - cosine**2) + (np.pi - angle) * cosine)
    return np.stack([value, value + (s @ t @ r.T) * (np.pi - angle) / np.pi])


def in_one_matrix(sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor) -> Tensor:
    """Both graphs as one, without an edge between them."""
    p = len(s1)
    whole = torch.cat([torch.cat([sigma11, sigma12], 1), torch.cat([sigma12.T, sigma22], 1)])
    heard = torch.zeros_like(whole)
    heard[:p, :p], heard[p:, p:] = s1, s2
    whole = heard @ whole @ heard.T
    var = whole.diagonal()
    dual = relu.dual(whole, var[:, None], var[None, :])
    value, slope = 2 * dual.value[:p, p:], 2 * dual.slope[:p, p:]
    return torch.stack([value, s1 @ theta @ s2.T * slope + value])


def pair_by_pair(
    sigma11: Tensor, sigma12: Tensor, sigma22: Tensor, theta: Tensor, s1: Tensor, s2: Tensor
) -> list[list[list[float]]]:
    found: list[list[list[float]]] = [[], []]
    for one in s1:
        rows: tuple[list[float], list[float]] = ([], [])
        for two in s2:
            dual = relu.dual(one @ sigma12 @ two, one @ sigma11 @ one, two @ sigma22 @ two)
            rows[0].append(float(2 * dual.value))
            rows[1].append(float(2 * dual.slope * (one @ theta @ two) + 2 * dual.value))
        found[0].append(rows[0])
        found[1].append(rows[1])
    return found


block = Task(
    id="11.2",
    title="One block",
    signature="one_block(sigma11, sigma12, sigma22, theta, s1, s2) -> [2, p, q]",
    reference=reference,
    credit={"two graphs": 2, "a graph with itself": 1},
    cases=(
        Case("two graphs", "4 and 6 nodes, sums", partial(two_graphs, sizes=(4, 6), means=(False, False))),
        Case("two graphs", "6 and 3 nodes, means", partial(two_graphs, sizes=(6, 3), means=(True, True))),
        Case("two graphs", "5 and 5 nodes, sums", partial(two_graphs, sizes=(5, 5), means=(False, False))),
        Case("a graph with itself", "one graph", partial(two_graphs, sizes=(5, 5), means=(True, True), itself=True)),
    ),
    misconceptions=(
        Misconception(theta_not_aggregated),
        Misconception(sigma_not_aggregated),
        Misconception(nothing_aggregated),
        Misconception(aggregated_last),
        Misconception(theta_aggregated_behind),
        Misconception(one_side_aggregated),
        Misconception(old_variances),
        Misconception(variances_of_independent_nodes),
        Misconception(variances_aggregated_once),
        Misconception(no_factor_two),
        Misconception(no_factor_in_the_slope),
        Misconception(no_factor_in_the_value),
        Misconception(factor_not_squared),
        Misconception(new_covariance_not_added),
        Misconception(old_covariance_added),
        Misconception(added_first),
        Misconception(slope_at_the_new_covariance),
        Misconception(read_out_trained_alone),
        Misconception(old_sigma_returned),
        Misconception(order_swapped),
        Misconception(lengths_lost),
        Misconception(expectations_exchanged),
        Misconception(deviations),
        Misconception(second_not_transposed),
    ),
    alternatives=(by_angles, in_one_matrix, pair_by_pair),
)
