"""Task 02.2: one step of kernel gradient descent, felt at every point and not only on the data."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntk_teach.grading.task import Arguments, Case, Misconception, Task
from ntk_teach.grading.tasks.kernel_gradient_descent.draws import Generator, gram, normal
from ntk_teach.kernel_gradient_descent import kernel_gradient

__all__ = ["one_step"]


def drawn(rng: Generator, *, m: int, n: int, anywhere: bool) -> Arguments:
    """m points, n of them training inputs: the first n, or anywhere, in any order but the points' own.

    Steps taken one after the other must end elsewhere, and not by digits only that float32 leaves open.
    """
    while True:
        places = np.append(m - 1, rng.permutation(m - 1)[: n - 1]) if anywhere else np.arange(n)
        data, kernel = torch.from_numpy(places), gram(rng, m, scale=float(rng.uniform(2, 4)))[:, places].contiguous()
        f, y, lr = normal(rng, m), normal(rng, n), float(rng.uniform(0.2, 0.7))
        right = reference(f, kernel, data, y, lr)
        if float((one_after_the_other(f, kernel, data, y, lr) - right).abs().max()) > 0.02 * float(right.abs().max()):
            return {"f": f, "kernel": kernel, "data": data, "y": y, "lr": lr}


def change(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor) -> Tensor:
    """What the gradient of the cost becomes at all points, [m]."""
    return kernel @ (f[data] - y) / len(y)


def reference(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    return f - lr * kernel_gradient(kernel, f[data] - y)


# ---- wrong answers


def uphill(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """This step climbs: the cost grows. The residual says where f is too high, and there it has to come down."""
    return f + lr * change(f, kernel, data, y)


def not_averaged(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You summed over the training inputs: the cost is a mean over N examples, and so is its gradient."""
    return f - lr * kernel @ (f[data] - y)


def averaged_over_all_points(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You divided by the number of points of evaluation: the cost averages over the training inputs alone; where one
    looks at f changes nothing.
    """
    return f - lr * kernel @ (f[data] - y) / len(f)


def only_the_data_move(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You moved f on the data and left it elsewhere: the kernel carries every residual to every point."""
    moved = f.clone()
    moved[data] -= lr * change(f, kernel, data, y)[data]
    return moved


def kernel_left_out(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """The kernel is missing: you took the gradient with respect to the values at the data, each by itself."""
    moved = f.clone()
    moved[data] -= lr * (f[data] - y) / len(y)
    return moved


def twice_the_residual(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """Your derivative has a factor 2: the cost has a ½ that takes it away."""
    return f - 2 * lr * change(f, kernel, data, y)


def half_kept(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You kept the ½ of the cost: the derivative of the square brings a 2 that takes it away."""
    return f - lr * change(f, kernel, data, y) / 2


def targets_only(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You pushed along the targets: what pulls is the residual, f − y, and it dies away as f arrives."""
    return f + lr * kernel @ y / len(y)


def change_only(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You returned the change of f: the new f is asked, the old one and the change together."""
    return -lr * change(f, kernel, data, y)


def gradient_only(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You returned the kernel gradient: a step goes from f against it, by lr."""
    return change(f, kernel, data, y)


def started_at_zero(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You started from the function 0: f is where the last step ended, off the data too."""
    moved = -lr * change(f, kernel, data, y)
    moved[data] += f[data]
    return moved


def one_after_the_other(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You moved f between two examples: all residuals of one step belong to the same f."""
    for j in range(len(y)):
        f = f - lr * kernel[:, j] * (f[data[j]] - y[j]) / len(y)
    return f


def straight_to_the_end(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """That is where training ends, with residual 0: one step of size lr goes a part of the way."""
    result: Tensor = f - kernel @ torch.linalg.solve(kernel[data], f[data] - y)
    return result


def interpolant(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """That is kernel regression, where training ends if it starts from the function 0: one step goes from f, and a
    part of the way.
    """
    result: Tensor = kernel @ torch.linalg.solve(kernel[data], y)
    return result


def flow(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You followed the flow for a time lr: a step keeps the gradient of its beginning."""
    rates, modes = torch.linalg.eigh(kernel[data] / len(y))
    grown = -torch.expm1(-lr * rates) / rates
    result: Tensor = f - kernel @ (modes @ (grown * (modes.T @ (f[data] - y)))) / len(y)
    return result


def rows_normalized(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You divided each row of the kernel by its sum: that is a weighted mean, and it forgets how strongly the kernel
    couples a point to the data.
    """
    return f - lr * (kernel / kernel.sum(1, keepdim=True)) @ (f[data] - y)


def averaged_twice(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You divided by N twice: the norm of a function is a mean over pairs, a step has one mean over the data."""
    return f - lr * change(f, kernel, data, y) / len(y)


def no_learning_rate(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """lr does nothing in your step: it multiplies the gradient."""
    return f - change(f, kernel, data, y)


def cost_for_its_derivative(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You pushed by the cost ½(f − y)² itself: d is its derivative, and has a sign."""
    return f - lr * kernel @ ((f[data] - y).square() / 2) / len(y)


def targets_left_out(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """The targets do not enter: what pulls is the residual, f − y, not f."""
    return f - lr * kernel @ f[data] / len(y)


def data_held(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """f moves everywhere but on the data in your step: the same formula holds at every point."""
    moved = f - lr * change(f, kernel, data, y)
    moved[data] = f[data]
    return moved


def targets_for_the_start(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """On the data you started from the targets: a step starts from f, there as elsewhere."""
    moved = f.clone()
    moved[data] = y
    return moved - lr * change(f, kernel, data, y)


def residual_averaged_first(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You averaged the kernel and the residuals separately: each residual is weighted by its own K(x, x_j)."""
    return f - lr * kernel.mean(1) * (f[data] - y).mean()


def first_points(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """You took the first N values of f for those at the data: ``data`` says where the training inputs stand."""
    return f - lr * kernel @ (f[: len(y)] - y) / len(y)


def kernel_rows_moved(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """The columns of the kernel are already those of the training inputs, in the order of ``data``: do not select or
    sort them again.
    """
    return f - lr * kernel[:, torch.argsort(data)] @ (f[data] - y) / len(y)


def residuals_sorted(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """The values of f were read in the order of the list of points: y[j] belongs to the point data[j]."""
    return f - lr * kernel @ (f[data.sort().values] - y) / len(y)


# ---- right answers


def loops(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> list[float]:
    d = [float(f[data[j]] - y[j]) for j in range(len(y))]
    return [float(f[i]) - lr * sum(float(kernel[i, j]) * d[j] for j in range(len(d))) / len(d) for i in range(len(f))]


def by_autograd(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    """The gradient of the cost with respect to the values at the data has the 1/N already."""
    values = f[data].requires_grad_()
    cost = (values - y).square().mean() / 2
    return f - lr * kernel @ torch.autograd.grad(cost, values)[0]


def numpy_mean(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> NDArray[np.float64]:
    d = f.numpy()[data.numpy()] - y.numpy()
    return np.asarray(f.numpy() + lr * np.mean(kernel.numpy() * -d, axis=1))


def float32(f: Tensor, kernel: Tensor, data: Tensor, y: Tensor, lr: float) -> Tensor:
    return f.float() - lr * kernel.float() @ (f[data] - y).float() / len(y)


one_step = Task(
    id="02.2",
    title="One step, on the data and off it",
    signature="kgd_step(f, kernel, data, y, lr) -> [m]",
    reference=reference,
    credit={"the data first in the list": 2, "the data anywhere": 1},
    cases=(
        Case("the data first in the list", "6 points, 4 of them data", partial(drawn, m=6, n=4, anywhere=False)),
        Case("the data first in the list", "9 points, 3 of them data", partial(drawn, m=9, n=3, anywhere=False)),
        Case("the data anywhere", "8 points, 5 of them data", partial(drawn, m=8, n=5, anywhere=True)),
        Case("the data anywhere", "6 points, all of them data", partial(drawn, m=6, n=6, anywhere=True)),
    ),
    misconceptions=(
        *map(
            Misconception,
            (
                uphill,
                not_averaged,
                averaged_over_all_points,
                only_the_data_move,
                kernel_left_out,
                twice_the_residual,
                half_kept,
                targets_only,
                change_only,
                gradient_only,
                started_at_zero,
                one_after_the_other,
                straight_to_the_end,
                interpolant,
                flow,
                rows_normalized,
                averaged_twice,
                no_learning_rate,
                cost_for_its_derivative,
                targets_left_out,
                data_held,
                targets_for_the_start,
                residual_averaged_first,
            ),
        ),
        Misconception(first_points, keeps=2),
        Misconception(kernel_rows_moved, keeps=2),
        Misconception(residuals_sorted, keeps=2),
    ),
    alternatives=(loops, by_autograd, numpy_mean, float32),
)
