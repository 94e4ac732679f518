"""Task 03.5: the linearization of a network with one hidden layer."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.func import jvp

from ntk_teach import Dense, linearize, serial, tanh
from ntk_teach.grading.task import Case, Misconception, Task
from ntk_teach.grading.tasks.random_features.draws import network

__all__ = ["linearized"]


def reference(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """``linearize`` of the library's own network, with the displacements written into it."""
    net = serial(Dense(), tanh, Dense()).network(width=len(w), like=x)
    with torch.no_grad():
        for parameter, values in zip(net.parameters(), (w, v[None]), strict=True):
            parameter.copy_(values)
        tangent = linearize(net)
        for displacement, values in zip(tangent.displacements, (dw, dv[None]), strict=True):
            displacement.copy_(values)
        outputs: Tensor = tangent(x)
    return outputs[:, 0]


def layers(w: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Activations and slopes of the hidden units, both [n, units]."""
    post = torch.tanh(x @ w.T / math.sqrt(x.shape[1]))
    return post, 1 - post**2


def written_out(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """What the reference gives, without a network: for mistakes that are the right formula of wrong arguments."""
    post, slope = layers(w, x)
    return (post @ (v + dv) + (slope * (x @ dw.T)) @ v / math.sqrt(x.shape[1])) / math.sqrt(len(v))


def moved_network(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """You moved the network itself. The linearization keeps its activations and slopes at the start, and is linear in
    the displacement, however large that is.
    """
    return layers(w + dw, x)[0] @ (v + dv) / math.sqrt(len(v))


def start_forgotten(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The outputs at the start are missing: f_lin is f₀ *plus* J times the displacement."""
    return written_out(w, v, dw, dv, x) - layers(w, x)[0] @ v / math.sqrt(len(v))


def product_of_displacements(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """A product dv · dw is left in: it is of second order, and the linearization stops after the first."""
    post, slope = layers(w, x)
    return (post + slope * (x @ dw.T) / math.sqrt(x.shape[1])) @ (v + dv) / math.sqrt(len(v))


def hidden_layer_frozen(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """dw does nothing in your answer: that is a network whose hidden layer is frozen. The tangent features include the
    derivatives by the hidden weights.
    """
    return layers(w, x)[0] @ (v + dv) / math.sqrt(len(v))


def read_out_frozen(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """dv does nothing in your answer: the read-out weights are parameters, too."""
    return written_out(w, v, dw, torch.zeros_like(dv), x)


def slope_missing(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The derivative of tanh is missing: a hidden weight acts on the output through its unit's activation."""
    post, _ = layers(w, x)
    return (post @ (v + dv) + (x @ dw.T) @ v / math.sqrt(x.shape[1])) / math.sqrt(len(v))


def slope_not_squared(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The derivative of tanh is not 1 − tanh: check it at 0 and far out on the negative side."""
    post, _ = layers(w, x)
    return (post @ (v + dv) + ((1 - post) * (x @ dw.T)) @ v / math.sqrt(x.shape[1])) / math.sqrt(len(v))


def slope_of_the_activation(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The derivative of tanh is taken at the activation, tanh having been applied twice: it belongs to the
    preactivation.
    """
    post, _ = layers(w, x)
    slope = 1 - torch.tanh(post) ** 2
    return (post @ (v + dv) + (slope * (x @ dw.T)) @ v / math.sqrt(x.shape[1])) / math.sqrt(len(v))


def slope_after_the_move(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The derivative of tanh is taken at the moved weights: the Jacobian belongs to the start, and stays there."""
    post, _ = layers(w, x)
    _, slope = layers(w + dw, x)
    return (post @ (v + dv) + (slope * (x @ dw.T)) @ v / math.sqrt(x.shape[1])) / math.sqrt(len(v))


def jacobian_after_the_move(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The whole Jacobian is taken at the moved parameters: it belongs to the start, and stays there."""
    start = layers(w, x)[0] @ v
    post, slope = layers(w + dw, x)
    step = post @ dv + (slope * (x @ dw.T)) @ (v + dv) / math.sqrt(x.shape[1])
    return (start + step) / math.sqrt(len(v))


def activation_of_the_displacement(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """You applied tanh to the displacement: f_lin is linear in it. What multiplies dw is the derivative at w."""
    return (layers(w, x)[0] @ (v + dv) + layers(dw, x)[0] @ v) / math.sqrt(len(v))


def hidden_scale_missing(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The derivative by the hidden weights lacks its 1/√d: the scale stands in front of W x, so it stands in the
    derivative as well.
    """
    post, slope = layers(w, x)
    return (post @ (v + dv) + (slope * (x @ dw.T)) @ v) / math.sqrt(len(v))


def hidden_scale_nowhere(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The 1/√d of the hidden layer is missing: a layer divides by the root of its own fan-in, here the inputs' size."""
    return written_out(math.sqrt(x.shape[1]) * w, v, math.sqrt(x.shape[1]) * dw, dv, x)


def output_scale_missing(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The 1/√n of the last layer is missing: it divides by the root of the number of hidden units, in f₀ and in J."""
    return written_out(w, math.sqrt(len(v)) * v, dw, math.sqrt(len(v)) * dv, x)


def output_scale_not_in_the_jacobian(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """f₀ has the 1/√n of the last layer and J has not: the derivative keeps the factor."""
    start = layers(w, x)[0] @ v / math.sqrt(len(v))
    return start + math.sqrt(len(v)) * (written_out(w, v, dw, dv, x) - start)


def scales_exchanged(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The two scales are exchanged: each layer divides by the root of what *enters* it, d in the first and n in the
    second.
    """
    ratio = math.sqrt(x.shape[1] / len(v))
    return written_out(ratio * w, v / ratio, ratio * dw, dv / ratio, x)


def displacement_is_the_end(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """You subtracted the start from the displacement: dw and dv are already θ − θ₀."""
    return written_out(w, v, dw - w, dv - v, x)


def inputs_counted_for_coordinates(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """You took the number of inputs, the rows of x, for d: d counts its columns, the fan-in of the hidden layer."""
    ratio = math.sqrt(x.shape[1] / len(x))
    return written_out(ratio * w, v, ratio * dw, dv, x)


def parameters_for_displacements(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """J multiplies the moved parameters in your answer: it multiplies the displacement alone, θ − θ₀."""
    return written_out(w, v, w + dw, v + dv, x)


def second_order_kept(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """You kept the second order of Taylor's formula: a linearization stops after the first."""
    post, slope = layers(w, x)
    step = x @ dw.T / math.sqrt(x.shape[1])
    return written_out(w, v, dw, dv, x) + ((slope * step) @ dv - (post * slope * step**2) @ v) / math.sqrt(len(v))


def root_missing_in_the_hidden_layer(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The hidden layer divides by d: it divides by √d."""
    root = math.sqrt(x.shape[1])
    return written_out(w / root, v, dw / root, dv, x)


def root_missing_in_the_last_layer(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """The last layer divides by n: it divides by √n."""
    return written_out(w, v, dw, dv, x) / math.sqrt(len(v))


def no_scale_at_all(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """Both scales are missing: each layer divides by the root of what enters it, √d in the first and √n in the last."""
    one, two = math.sqrt(x.shape[1]), math.sqrt(len(v))
    return written_out(one * w, two * v, one * dw, two * dv, x)


def displaced_read_out_behind_the_slope(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """dv stands behind the derivative by the hidden weights: there the read-out at the start belongs, v."""
    post, slope = layers(w, x)
    return (post @ (v + dv) + (slope * (x @ dw.T)) @ dv / math.sqrt(x.shape[1])) / math.sqrt(len(v))


def read_out_forgotten_behind_the_slope(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """v is missing behind the derivative by the hidden weights: a unit acts through its read-out weight."""
    post, slope = layers(w, x)
    return (post @ (v + dv) + (slope * (x @ dw.T)).sum(1) / math.sqrt(x.shape[1])) / math.sqrt(len(v))


def slope_of_a_sigmoid(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """a(1 − a) is the derivative of a sigmoid: tanh has another one, which is 1 at 0."""
    post, _ = layers(w, x)
    return (post @ (v + dv) + ((post - post**2) * (x @ dw.T)) @ v / math.sqrt(x.shape[1])) / math.sqrt(len(v))


def square_of_the_preactivation(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """You squared the preactivation: the derivative of tanh is one minus the square of tanh itself."""
    post, _ = layers(w, x)
    slope = 1 - (x @ w.T / math.sqrt(x.shape[1])) ** 2
    return (post @ (v + dv) + (slope * (x @ dw.T)) @ v / math.sqrt(x.shape[1])) / math.sqrt(len(v))


def by_directional_derivative(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    def outputs(first: Tensor, last: Tensor) -> Tensor:
        return layers(first, x)[0] @ last / math.sqrt(len(last))

    expanded = jvp(outputs, (w, v), (dw, dv))
    total: Tensor = expanded[0] + expanded[1]  # f₀ and J (θ − θ₀)
    return total


def by_jacobian(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    """J written out, [n, parameters], times the displacement in one vector."""
    post, slope = layers(w, x)
    root = math.sqrt(len(v))
    by_w = (slope * v / root)[:, :, None] * x[:, None, :] / math.sqrt(x.shape[1])
    j = torch.cat([by_w.flatten(1), post / root], dim=1)
    return post @ v / root + j @ torch.cat([dw.flatten(), dv])


def in_numpy(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> np.ndarray:
    """One input and one unit at a time."""
    d, units = x.shape[1], len(v)
    outputs = np.zeros(len(x))
    for i, point in enumerate(x.numpy()):
        for row, out, d_row, d_out in zip(w.numpy(), v.numpy(), dw.numpy(), dv.numpy(), strict=True):
            pre = row @ point / d**0.5
            outputs[i] += ((out + d_out) * np.tanh(pre) + out * d_row @ point / d**0.5 / np.cosh(pre) ** 2) / units**0.5
    return outputs


def in_single_precision(w: Tensor, v: Tensor, dw: Tensor, dv: Tensor, x: Tensor) -> Tensor:
    return by_directional_derivative(*(z.float() for z in (w, v, dw, dv, x)))


linearized = Task(
    id="03.5",
    title="A network, linearized",
    signature="linear_network(w, v, dw, dv, x) -> [m]",
    reference=reference,
    credit={"the read-out moves": 1, "all weights move": 2},
    cases=(
        Case("the read-out moves", "dw = 0, 6 units", partial(network, width=6, d=3, n=5, hidden_moves=False)),
        Case("the read-out moves", "dw = 0, 4 units", partial(network, width=4, d=7, n=9, hidden_moves=False)),
        Case("all weights move", "8 units, 5 inputs", partial(network, width=8, d=3, n=5, hidden_moves=True)),
        Case("all weights move", "4 units, 7 inputs", partial(network, width=4, d=6, n=7, hidden_moves=True)),
    ),
    misconceptions=(
        Misconception(moved_network, keeps=1),
        Misconception(start_forgotten),
        Misconception(product_of_displacements, keeps=1),
        Misconception(hidden_layer_frozen, keeps=1),
        Misconception(read_out_frozen),
        Misconception(slope_missing, keeps=1),
        Misconception(slope_not_squared, keeps=1),
        Misconception(slope_of_the_activation, keeps=1),
        Misconception(slope_after_the_move, keeps=1),
        Misconception(jacobian_after_the_move, keeps=1),
        Misconception(activation_of_the_displacement, keeps=1),
        Misconception(hidden_scale_missing, keeps=1),
        Misconception(hidden_scale_nowhere),
        Misconception(output_scale_missing),
        Misconception(output_scale_not_in_the_jacobian),
        Misconception(scales_exchanged),
        Misconception(displacement_is_the_end),
        Misconception(inputs_counted_for_coordinates),
        Misconception(parameters_for_displacements),
        Misconception(second_order_kept, keeps=1),
        Misconception(root_missing_in_the_hidden_layer),
        Misconception(root_missing_in_the_last_layer),
        Misconception(no_scale_at_all),
        Misconception(displaced_read_out_behind_the_slope, keeps=1),
        Misconception(read_out_forgotten_behind_the_slope, keeps=1),
        Misconception(slope_of_a_sigmoid, keeps=1),
        Misconception(square_of_the_preactivation, keeps=1),
    ),
    alternatives=(by_directional_derivative, by_jacobian, in_numpy, in_single_precision),
)
