"""The neural tangent kernel of a finite network, by its definition and by its layers, one pair of inputs at a time.

Jacot, Gabriel & Hongler 2018, section 4:  Θ_{kk'}(x, x'; θ) = Σ_p ∂f_k(x)/∂θ_p ∂f_k'(x')/∂θ_p.
"""

import math

import torch
from torch import Tensor, nn


def by_definition(network: nn.Module, x1: Tensor, x2: Tensor) -> Tensor:
    """[n, m, c, c], one backward pass for each input and output, one dot product for each entry."""
    parameters = [p for p in network.parameters() if p.requires_grad]

    def gradients(x: Tensor) -> list[list[Tensor]]:
        rows = []
        for point in x:
            outputs = network(point[None]).reshape(-1)
            grads = [torch.autograd.grad(f, parameters, retain_graph=True, allow_unused=True) for f in outputs]
            rows.append([torch.cat([flat(g, p) for g, p in zip(grad, parameters, strict=True)]) for grad in grads])
        return rows

    def flat(gradient: Tensor | None, parameter: Tensor) -> Tensor:  # None: this output does not see the parameter
        return torch.zeros_like(parameter).reshape(-1) if gradient is None else gradient.reshape(-1)

    left, right = gradients(x1), gradients(x2)
    return torch.stack(
        [torch.stack([torch.stack([torch.stack([a @ b for b in q]) for a in p]) for q in right]) for p in left]
    )


def by_layers(layers, phi, slope, x: Tensor, y: Tensor) -> Tensor:
    """[c, c] for two inputs [d]:  Σ_ℓ (σ_w²/n_ℓ <α, α'> + σ_b²) Σ_j δ_kj δ'_k'j, over the trained layers.

    `layers` lists (weight [fan_out, fan_in], bias [fan_out] or None, sigma_w, sigma_b, trained);
    δ_kj = ∂f_k/∂h_j is carried backward:  δ ← (δ W σ_w/√n) φ'(h).
    """

    def forward(point: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        post, pre = [point], []
        for number, (weight, bias, sigma_w, sigma_b, _) in enumerate(layers, 1):
            h = sigma_w / math.sqrt(weight.shape[1]) * weight @ post[-1]
            if bias is not None:
                h = h + sigma_b * bias
            pre.append(h)
            post.append(phi(h) if number < len(layers) else h)
        return post, pre

    def backward(pre: list[Tensor]) -> list[Tensor]:
        outputs = layers[-1][0].shape[0]
        deltas = [torch.eye(outputs, dtype=x.dtype)]
        for number in range(len(layers) - 1, 0, -1):
            weight, _, sigma_w, _, _ = layers[number]
            deltas.append(deltas[-1] @ weight * sigma_w / math.sqrt(weight.shape[1]) * slope(pre[number - 1]))
        return deltas[::-1]

    (post1, pre1), (post2, pre2) = forward(x), forward(y)
    total = torch.zeros(layers[-1][0].shape[0], layers[-1][0].shape[0], dtype=x.dtype)
    for a, b, da, db, (weight, bias, sigma_w, sigma_b, trained) in zip(
        post1, post2, backward(pre1), backward(pre2), layers, strict=False
    ):
        if trained:
            moved = sigma_w**2 / weight.shape[1] * (a @ b) + (sigma_b**2 if bias is not None else 0.0)
            total = total + moved * (da @ db.T)
    return total
