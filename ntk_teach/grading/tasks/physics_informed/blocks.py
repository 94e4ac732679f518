"""Task 12.1: the kernel of a network and of its second derivative, from the rows of two Jacobians."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.compare import Close
from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.physics_informed.operators import derivative

__all__ = ["blocks"]


def slopes(p: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """tanh and its first three derivatives."""
    t = p.tanh()
    first = 1 - t**2
    return t, first, -2 * t * first, (6 * t**2 - 2) * first


def value_rows(w: Tensor, b: Tensor, a: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """∂u(x)/∂w, ∂u(x)/∂b and ∂u(x)/∂a, without 1/√n.   [points, n] each"""
    t, first, _, _ = slopes(x[:, None] * w + b)
    return a * first * x[:, None], a * first, t


def residual_rows(w: Tensor, b: Tensor, a: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """∂u″(x)/∂w, ∂u″(x)/∂b and ∂u″(x)/∂a, without 1/√n."""
    _, _, second, third = slopes(x[:, None] * w + b)
    return a * (2 * w * second + w**2 * third * x[:, None]), a * w**2 * third, w**2 * second


def gram(upper: tuple[Tensor, ...], lower: tuple[Tensor, ...], n: int) -> Tensor:
    rows = torch.cat([torch.cat(upper, 1), torch.cat(lower, 1)])
    return rows @ rows.T / n


def reference(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    return gram(value_rows(w, b, a, xu), residual_rows(w, b, a, xr), len(w))


# ---- inputs


def network(rng: np.random.Generator, *, n: int, nu: int, nr: int) -> Arguments:
    """Weights of either sign, points on both sides of 0 and not in order."""
    w, b, a = rng.normal(size=(3, n)) * np.array([[1.3], [0.8], [1.1]])
    xu, xr = rng.uniform(-1.5, 1.5, size=nu), rng.uniform(-1.5, 1.5, size=nr)
    return {name: torch.from_numpy(v) for name, v in (("w", w), ("b", b), ("a", a), ("xu", xu), ("xr", xr))}


# ---- wrong answers


def divided_by_points(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """You divided by the number of points: this kernel is a sum over parameters, without 1/N."""
    return reference(w, b, a, xu, xr) / (len(xu) + len(xr))


def width_forgotten(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The scale of the network is missing: u carries 1/√n, and the kernel multiplies two gradients of u."""
    return reference(w, b, a, xu, xr) * len(w)


def width_once(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """One factor 1/√n is missing: each of the two gradients in a product carries one."""
    return reference(w, b, a, xu, xr) * math.sqrt(len(w))


def no_coupling(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The blocks between boundary and equation are 0: both depend on the same parameters, and a step for one moves
    the other.
    """
    k = reference(w, b, a, xu, xr).clone()
    k[: len(xu), len(xu) :] = 0
    k[len(xu) :, : len(xu)] = 0
    return k


def coupling_turned(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The sign of the coupling is reversed: the second error is 𝓛u − f, with a plus in front of u″."""
    k = reference(w, b, a, xu, xr).clone()
    k[: len(xu), len(xu) :] *= -1
    k[len(xu) :, : len(xu)] *= -1
    return k


def residual_first(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The blocks are in the other order: the boundary's points come first."""
    return gram(residual_rows(w, b, a, xr), value_rows(w, b, a, xu), len(w))


def no_product_rule(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """A term is missing in ∂u″/∂w: w stands in front of φ″ and inside of it, and both places are differentiated."""
    _, by_b, by_a = residual_rows(w, b, a, xr)
    inside = by_b * xr[:, None]
    return gram(value_rows(w, b, a, xu), (inside, by_b, by_a), len(w))


def only_in_front(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """In ∂u″/∂w you differentiated only the w² in front: w stands inside φ″ as well."""
    by_w, by_b, by_a = residual_rows(w, b, a, xr)
    return gram(value_rows(w, b, a, xu), (by_w - by_b * xr[:, None], by_b, by_a), len(w))


def first_derivative(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """Your second block belongs to u′: the equation is about u″."""
    _, first, second, _ = slopes(xr[:, None] * w + b)
    rows = (a * (first + w * second * xr[:, None]), a * w * second, w * first)
    return gram(value_rows(w, b, a, xu), rows, len(w))


def derivative_by_preactivation(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The chain rule is missing: a derivative in x brings a factor w for each order, φ″ alone is one in the
    preactivation.
    """
    _, _, second, third = slopes(xr[:, None] * w + b)
    return gram(value_rows(w, b, a, xu), (a * third * xr[:, None], a * third, second), len(w))


def one_factor_of_w(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """You have one factor w in u″: each of the two derivatives in x brings one."""
    _, _, second, third = slopes(xr[:, None] * w + b)
    rows = (a * (second + w * third * xr[:, None]), a * w * third, w * second)
    return gram(value_rows(w, b, a, xu), rows, len(w))


def derivative_of_a_square(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The third derivative of tanh is not right: φ″ = −2φφ′ is a product, and its derivative has two terms."""
    _, first, second, _ = slopes(xr[:, None] * w + b)
    third = -2 * first**2
    rows = (a * (2 * w * second + w**2 * third * xr[:, None]), a * w**2 * third, w**2 * second)
    return gram(value_rows(w, b, a, xu), rows, len(w))


def biases_forgotten(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The biases are missing: b is trained as well, and has a column in both Jacobians."""
    (uw, _, ua), (rw, _, ra) = value_rows(w, b, a, xu), residual_rows(w, b, a, xr)
    return gram((uw, ua), (rw, ra), len(w))


def last_layer(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """Only a is trained in your kernel: w and b are parameters too."""
    return gram(value_rows(w, b, a, xu)[2:], residual_rows(w, b, a, xr)[2:], len(w))


def last_layer_frozen(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The last layer is missing: a is trained as well."""
    return gram(value_rows(w, b, a, xu)[:2], residual_rows(w, b, a, xr)[:2], len(w))


def weights_alone(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """Only w is trained in your kernel: b and a are parameters too."""
    return gram(value_rows(w, b, a, xu)[:1], residual_rows(w, b, a, xr)[:1], len(w))


def input_forgotten(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The input is missing in the derivative by w: w stands in front of x, in both Jacobians."""
    (_, ub, ua), (rw, rb, ra) = value_rows(w, b, a, xu), residual_rows(w, b, a, xr)
    return gram((ub, ub, ua), (rw + rb * (1 - xr[:, None]), rb, ra), len(w))


def plain_kernel(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """This is the kernel of u itself at all points: at the points of the equation the output is u″."""
    return gram(value_rows(w, b, a, xu), value_rows(w, b, a, xr), len(w))


def products_of_outputs(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """You multiplied the outputs with each other: the kernel multiplies their gradients by the parameters."""
    u = (slopes(xu[:, None] * w + b)[0] * a).sum(1)
    r = (slopes(xr[:, None] * w + b)[2] * a * w**2).sum(1)
    outputs = torch.cat([u, r])
    return torch.outer(outputs, outputs) / len(w)


def gradients_in_x(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """You differentiated by x: the rows of the kernel's Jacobians are derivatives by the parameters."""
    _, first, _, _ = slopes(xu[:, None] * w + b)
    _, _, _, third = slopes(xr[:, None] * w + b)
    outputs = torch.cat([(a * w * first).sum(1), (a * w**3 * third).sum(1)])
    return torch.outer(outputs, outputs) / len(w)


def operator_once(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """In the block of the equation one of the two gradients is that of u: both belong to u″."""
    k = reference(w, b, a, xu, xr).clone()
    plain, rows = torch.cat(value_rows(w, b, a, xr), 1), torch.cat(residual_rows(w, b, a, xr), 1)
    k[len(xu) :, len(xu) :] = plain @ rows.T / len(w)
    return k


def read_out_left_out(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The factor a is missing in the derivatives by w and b: each unit enters u multiplied by its a."""
    (uw, ub, ua), (rw, rb, ra) = value_rows(w, b, a, xu), residual_rows(w, b, a, xr)
    return gram((uw / a, ub / a, ua), (rw / a, rb / a, ra), len(w))


def square_differentiated_once(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The derivative of w² in front of φ″ is not w: the square has a 2 there."""
    by_w, by_b, by_a = residual_rows(w, b, a, xr)
    _, _, second, _ = slopes(xr[:, None] * w + b)
    return gram(value_rows(w, b, a, xu), (by_w - a * w * second, by_b, by_a), len(w))


def no_inner_derivative(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """In ∂u″/∂w the inner derivative is missing: inside of φ″ the weight w is multiplied by x."""
    by_w, by_b, by_a = residual_rows(w, b, a, xr)
    return gram(value_rows(w, b, a, xu), (by_w + by_b * (1 - xr[:, None]), by_b, by_a), len(w))


# ---- right answers


def by_torch(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """Automatic differentiation, one point after the other."""
    theta = [v.clone().requires_grad_() for v in (w, b, a)]

    def u(x: Tensor) -> Tensor:
        hidden: Tensor = torch.tanh(x * theta[0] + theta[1])
        return hidden @ theta[2][:, None] / math.sqrt(len(w))

    outputs = torch.cat([u(xu[:, None]), derivative(2)(u, xr[:, None])])[:, 0]
    rows = [torch.cat(torch.autograd.grad(output, theta, retain_graph=True)) for output in outputs]
    return torch.stack(rows) @ torch.stack(rows).T


def in_blocks(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> NDArray[np.float64]:
    ju = torch.cat(value_rows(w, b, a, xu), 1).numpy() / np.sqrt(len(w))
    jr = torch.cat(residual_rows(w, b, a, xr), 1).numpy() / np.sqrt(len(w))
    return np.block([[ju @ ju.T, ju @ jr.T], [jr @ ju.T, jr @ jr.T]])


def unit_by_unit(w: Tensor, b: Tensor, a: Tensor, xu: Tensor, xr: Tensor) -> Tensor:
    """The kernel of a network is the sum of the kernels of its units."""
    return sum(
        (reference(w[j : j + 1], b[j : j + 1], a[j : j + 1], xu, xr) for j in range(len(w))),
        torch.zeros((), dtype=w.dtype),
    ) / len(w)


blocks = Task(
    id="12.1",
    title="The kernel of values and second derivatives",
    signature="pinn_kernel(w, b, a, xu, xr) -> [nu + nr, nu + nr]",
    reference=reference,
    credit={"several points": 2, "one point at the boundary": 1},
    cases=(
        Case("several points", "nu = 2, nr = 5", partial(network, n=4, nu=2, nr=5)),
        Case("several points", "nu = 4, nr = 3", partial(network, n=7, nu=4, nr=3)),
        Case("one point at the boundary", "nu = 1", partial(network, n=5, nu=1, nr=4)),
    ),
    misconceptions=(
        Misconception(divided_by_points),
        Misconception(width_forgotten),
        Misconception(width_once),
        Misconception(no_coupling),
        Misconception(coupling_turned),
        Misconception(residual_first),
        Misconception(no_product_rule),
        Misconception(only_in_front),
        Misconception(first_derivative),
        Misconception(derivative_by_preactivation),
        Misconception(one_factor_of_w),
        Misconception(derivative_of_a_square),
        Misconception(biases_forgotten),
        Misconception(last_layer),
        Misconception(last_layer_frozen),
        Misconception(weights_alone),
        Misconception(input_forgotten),
        Misconception(plain_kernel),
        Misconception(products_of_outputs),
        Misconception(gradients_in_x),
        Misconception(operator_once),
        Misconception(read_out_left_out),
        Misconception(square_differentiated_once),
        Misconception(no_inner_derivative),
    ),
    alternatives=(by_torch, in_blocks, unit_by_unit),
    compare=Close(rtol=1e-11),  # derivatives have all their digits, and differences of neighboring points have not
)
