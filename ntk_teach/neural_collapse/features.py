"""NC1 to NC4: the collapse of last-layer features onto their class means."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import DomainError, ShapeError, check_vectors, sentence
from ntk_teach.neural_collapse.checks import Classes, check_labels
from ntk_teach.shapes import Vectors

__all__ = ["Collapse", "collapse"]


class Collapse(NamedTuple):
    """Five numbers that are 0 for perfectly collapsed features; scalars, dimensionless, none changes with the scale.

    Args:
        nc1: variability within classes over that between them.
        nc2_norms: spread of the distances of the class means from their center, relative to their mean.
        nc2_angles: mean distance of the cosines between class means, seen from the center, from −1/(C − 1).
        nc3: distance between the rows of the read-out and the class means, both of norm 1 as matrices; at most 2.
        nc4: share of inputs that the read-out and the nearest class mean put into different classes.
    """

    nc1: Float[Tensor, ""]
    nc2_norms: Float[Tensor, ""]
    nc2_angles: Float[Tensor, ""]
    nc3: Float[Tensor, ""]
    nc4: Float[Tensor, ""]


def collapse(features: Vectors, labels: Classes, read_out: Callable[[Tensor], Tensor]) -> Collapse:
    r"""NC1 to NC4 of last-layer features h_i and an affine read-out h ↦ W h + b.

    With class means μ_c, their mean μ, M the matrix of rows μ_c − μ, Σ_W = mean over i of (h_i − μ_c)(h_i − μ_c)ᵀ and
    Σ_B = mean over c of (μ_c − μ)(μ_c − μ)ᵀ, c the class of i:

    NC1 = tr(Σ_W Σ_B⁺)/C;  NC2 norms = std_c ‖M_c‖ / mean_c ‖M_c‖ (std with 1/C);
    NC2 angles = mean over c ≠ c' of \|cos(M_c, M_c') + 1/(C − 1)\|;  NC3 = ‖W/‖W‖ − M/‖M‖‖, Frobenius norms;
    NC4 = mean over i of [argmax_c (W h_i + b)_c ≠ argmin_c ‖h_i − μ_c‖].

    Args:
        features: h [n, d], what the last layer receives: ``network[:-1](x)``.
        labels: [n], integers 0 … C − 1, each class at least once.
        read_out: the last layer, ``network[-1]``: an affine map from [n, d] to [n, C], given as a function.

    Returns: Collapse, without a graph. Raises: ShapeError, DtypeError for arrays that do not fit; DomainError for an
        empty class, one class alone, and class means that coincide. Cost: n d² and one SVD of [C, d].

    Source: Papyan, Han & Donoho 2020 (NC1 to NC4; NC3 with squares there). Chapter: 13_neural_collapse.
    """
    where = "collapse"
    h = check_vectors(features.detach(), name="features", where=where)
    labels = check_labels(labels, where=where)
    if len(labels) != len(h):
        do = "give one class for each input"
        raise ShapeError(sentence(f"{where}, labels", f"{len(h)} labels", str(list(labels.shape)), do))
    with torch.no_grad():
        bias = read_out(h.new_zeros(1, h.shape[1]))[0]  # [C]
        weight = (read_out(torch.eye(h.shape[1], dtype=h.dtype, device=h.device)) - bias).T  # [C, d]
        answered = read_out(h).argmax(1)
    classes = len(weight)
    counts = torch.bincount(labels.clamp(min=0), minlength=classes)
    if classes < 2 or int(labels.min()) < 0 or len(counts) != classes or not bool((counts > 0).all()):
        expected = f"each of the classes 0 … {classes - 1} of the read-out, at least two"
        received = f"classes {sorted(set(labels.tolist()))[:12]}"
        raise DomainError(sentence(f"{where}, labels", expected, received, "number the classes from 0"))
    means = torch.stack([h[labels == c].mean(0) for c in range(classes)])  # [C, d]
    centered = means - means.mean(0)
    norms = centered.norm(dim=1)
    if not bool((norms > 0).all()):
        do = "features that say nothing of the class have not collapsed; train first"
        raise DomainError(sentence(where, "class means away from their center", "one that lies in it", do))
    cosines = (centered @ centered.T) / (norms[:, None] * norms)
    others = ~torch.eye(classes, dtype=torch.bool, device=h.device)
    nearest = (h[:, None] - means).square().sum(2).argmin(1)
    return Collapse(
        nc1=_variability(h - means[labels], centered),
        nc2_norms=norms.std(correction=0) / norms.mean(),
        nc2_angles=(cosines[others] + 1 / (classes - 1)).abs().mean(),
        nc3=(weight / weight.norm() - centered / centered.norm()).norm(),
        nc4=(answered != nearest).to(h.dtype).mean(),
    )


def _variability(within: Tensor, between: Tensor) -> Tensor:
    """tr(Σ_W Σ_B⁺)/C. With M = U S Vᵀ it is the mean over i of Σ_k (v_k · within_i)²/s_k², over the s_k that are not 0.

    Class means minus their mean are dependent, so one s_k is 0: singular values tell it from rounding, their squares
    would not.
    """
    _, sizes, directions = torch.linalg.svd(between, full_matrices=False)
    kept = sizes > max(between.shape) * torch.finfo(between.dtype).eps * sizes[0]
    mean: Tensor = ((within @ directions[kept].T) / sizes[kept]).square().sum(1).mean()
    return mean
