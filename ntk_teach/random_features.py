"""Models that are linear in their parameters: gradient descent on θ *is* kernel gradient descent on f."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ntk_teach.activations import Activation
from ntk_teach.errors import (
    DomainError,
    ShapeError,
    check_count,
    check_pair,
    check_same,
    check_scale,
    check_vectors,
    sentence,
)
from ntk_teach.shapes import Gram, OtherVectors, Vectors

__all__ = ["RandomFeatures"]


@dataclass(frozen=True)
class RandomFeatures:
    """f_θ(x) = 1/√P Σ_p θ_p f^(p)(x), with P features that are drawn once and stay.

    Args:
        function: x [n, d] ↦ the features f^(1)(x), …, f^(P)(x), [n, P]. ``of_activation`` draws one.
        count: P.

    Its tangent kernel is the Gram matrix K̃(x, x') = 1/P Σ_p f^(p)(x) f^(p)(x'), the same at every θ; over the draw of
    the features it tends to E[f^(p)(x) f^(p)(x')] as P → ∞, with an error in 1/√P.

    Source: Rahimi & Recht 2007; Jacot, Gabriel & Hongler 2018, section 3.1. Chapter: 03_random_features.
    """

    function: Callable[[Tensor], Tensor]
    count: int

    def __post_init__(self) -> None:
        check_count(self.count, name="count", where="RandomFeatures")

    @classmethod
    def of_activation(
        cls,
        activation: Activation,
        *,
        count: int,
        like: Vectors,
        sigma_w: float = 1.0,
        sigma_b: float = 0.0,
        seed: int = 0,
    ) -> RandomFeatures:
        """f^(p)(x) = φ(σ_w/√d w_p·x + σ_b b_p),  w_p, b_p ~ 𝒩(0, 1): one random layer that is not trained.

        The limit of its Gram matrix is the dual of φ: ``serial(Dense(sigma_w, sigma_b), activation).kernel(x).nngp``.

        Args:
            count: P, the number of features.
            like: an example of the inputs [n, d]; fan-in, dtype and device are taken from it.
            sigma_w, sigma_b: scales of weights and biases.
            seed: of the draw. Draws that shall be independent need different seeds, also those of different ``count``.

        Raises: DomainError for a count below 1 or a bad scale. Cost: P · (d + 1) numbers.
        """
        where = "RandomFeatures.of_activation"
        like = check_vectors(like, name="like", where=where)
        check_count(count, name="count", where=where)
        check_scale(sigma_w, name="sigma_w", where=where)
        check_scale(sigma_b, name="sigma_b", where=where)
        check_count(seed, name="seed", where=where, minimum=0)
        fan_in = like.shape[1]
        generator = torch.Generator().manual_seed(seed)
        draws = torch.randn(count, fan_in + 1, generator=generator, dtype=torch.float64).to(like)
        weight, bias = draws[:, :-1], draws[:, -1]  # [P, d], [P]

        def features(x: Tensor) -> Tensor:
            return activation.phi(sigma_w / math.sqrt(fan_in) * (x @ weight.T) + sigma_b * bias)  # [n, P]

        return cls(features, count)

    def features(self, x: Vectors) -> Float[Tensor, "n P"]:
        """F = f^(p)(x_i). [n, P]"""
        where = "RandomFeatures.features"
        features = self.function(check_vectors(x, name="x", where=where))
        if not isinstance(features, Tensor) or features.shape != (len(x), self.count):
            received = str(list(features.shape)) if isinstance(features, Tensor) else type(features).__name__
            do = "return one row for each input and one column for each feature"
            raise ShapeError(sentence(where, f"features of shape {[len(x), self.count]}", received, do))
        return features

    def gram(self, x1: Vectors, x2: OtherVectors | None = None) -> Gram:
        """K̃ = F₁ F₂ᵀ/P, an inner product over the features. [n, m]; x2 None means x1. Cost: n · m · P."""
        first, second = check_pair(x1, x2, where="RandomFeatures.gram")
        features = self.features(first)
        return features @ (features if second is None else self.features(second)).T / self.count

    def predict(self, theta: Float[Tensor, " P"], x: Vectors) -> Float[Tensor, " n"]:
        """f_θ(x) = F θ/√P. [n]"""
        return self.features(x) @ self._checked(theta, "RandomFeatures.predict") / math.sqrt(self.count)

    def gradient_descent(
        self,
        theta: Float[Tensor, " P"],
        x: Vectors,
        y: Float[Tensor, " n"],
        *,
        lr: float = 1.0,
        steps: int = 200,
    ) -> Float[Tensor, " P"]:
        """θ ← θ − lr/(N√P) Fᵀ(f_θ − y), gradient descent on C = 1/(2N) Σ_i (f_θ(x_i) − y_i)².

        Multiplied by F/√P it reads f ← f − lr/N K̃ (f − y): kernel gradient descent, exactly, at any P and any lr.

        Args:
            theta: where to start; it is not changed. [P]
            x, y: inputs [n, d] and targets [n].
            lr, steps: step size and number of steps; t = lr · steps (t in units of 1/lr).

        Returns: θ after the last step. [P]

        Raises: ShapeError for targets or parameters that do not fit; DomainError if f becomes infinite, which means
            that lr exceeds 2/λ_max(K̃/N). Cost: steps · 2 n P.
        """
        where = "RandomFeatures.gradient_descent"
        check_scale(lr, name="lr", where=where)
        check_count(steps, name="steps", where=where, minimum=0)
        scaled = self.features(x) / math.sqrt(self.count)  # [n, P]
        theta = self._checked(theta, where)
        check_same(x, y, names=("x", "y"), where=where)
        if y.shape != (len(x),):
            do = "give one number for each input"
            raise ShapeError(sentence(where, f"targets of shape {[len(x)]}", str(list(y.shape)), do))
        for _ in range(steps):
            residual = scaled @ theta - y  # [n]
            theta = theta - lr / len(x) * (scaled.T @ residual)
        if not bool(torch.isfinite(theta).all()):
            received = f"NaN or infinity after {steps} steps with lr={lr:g}"
            raise DomainError(sentence(where, "finite parameters", received, "choose lr below 2/λ_max(K̃/N)"))
        return theta

    def _checked(self, theta: Tensor, where: str) -> Tensor:
        if not isinstance(theta, Tensor) or theta.shape != (self.count,):
            received = str(list(theta.shape)) if isinstance(theta, Tensor) else type(theta).__name__
            do = "give one parameter for each feature"
            raise ShapeError(sentence(where, f"theta of shape {[self.count]}", received, do))
        return theta
