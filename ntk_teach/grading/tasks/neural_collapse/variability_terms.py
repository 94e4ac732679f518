"""Task 13.3: NC1, and the two covariances that it is made of."""

from __future__ import annotations

import torch
from torch import Tensor

from ntk_teach.neural_collapse import collapse

__all__ = ["count", "covariances", "means_of", "over", "reference"]


def reference(features: Tensor, labels: Tensor) -> Tensor:
    classes = int(labels.max()) + 1
    return collapse(features, labels, lambda h: h.sum(1, keepdim=True).expand(-1, classes)).nc1


def means_of(features: Tensor, labels: Tensor) -> Tensor:
    return torch.stack([features[labels == c].mean(0) for c in range(int(labels.max()) + 1)])


def covariances(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Σ_W and Σ_B, right."""
    means = means_of(features, labels)
    gaps, spread = features - means[labels], means - means.mean(0)
    return gaps.T @ gaps / len(features), spread.T @ spread / len(means)


def over(within: Tensor, between: Tensor, classes: int) -> Tensor:
    """tr(Σ_W Σ_B⁺)/C."""
    return torch.trace(within @ torch.linalg.pinv(between, hermitian=True, rtol=1e-9)) / classes


def count(labels: Tensor) -> int:
    return int(labels.max()) + 1
