"""Wrong answers to the tasks of chapter 08, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import numpy as np
import torch

# 08.1


def biggest_eigenvalue(gradient, hessian, output, target, alpha):
    top = np.linalg.eigvalsh(hessian.numpy()).max()
    return abs(alpha * output - target) * alpha * top / float(alpha * gradient.norm()) ** 2


def torch_norm_of_the_matrix(gradient, hessian, output, target, alpha):
    residual = torch.tensor(alpha * output - target).abs()
    return residual * torch.linalg.norm(alpha * hessian) / torch.linalg.norm(alpha * gradient) ** 2


def formula_for_h_divided_by_alpha(gradient, hessian, output, target, alpha):
    kappa = abs(output - target) * torch.linalg.norm(hessian, 2) / gradient.norm() ** 2
    return kappa / alpha


def alpha_only_in_the_output(gradient, hessian, output, target, alpha):
    return abs(alpha * output - target) * torch.linalg.svdvals(hessian)[0] / gradient.dot(gradient)


def no_square_at_all(gradient, hessian, output, target, alpha):
    return abs(alpha * output - target) * torch.linalg.svdvals(alpha * hessian)[0] / (alpha * gradient).norm()


def no_square_below(gradient, hessian, output, target, alpha):
    return abs(alpha * output - target) * torch.linalg.svdvals(alpha * hessian)[0] / (alpha**2 * gradient.norm())


def assumes_a_zero_start(gradient, hessian, output, target, alpha):
    return abs(target) * torch.linalg.svdvals(hessian)[0] / gradient.norm() ** 2 / alpha


def no_absolute_value(gradient, hessian, output, target, alpha):
    return (alpha * output - target) * torch.linalg.svdvals(hessian)[0] / gradient.norm() ** 2 / alpha


def cost_for_the_residual(gradient, hessian, output, target, alpha):
    return 0.5 * (alpha * output - target) ** 2 * torch.linalg.svdvals(hessian)[0] / gradient.norm() ** 2 / alpha


def along_the_gradient(gradient, hessian, output, target, alpha):
    unit = gradient / gradient.norm()
    return abs(alpha * output - target) * (unit @ hessian @ unit).abs() / gradient.norm() ** 2 / alpha


def upside_down(gradient, hessian, output, target, alpha):
    return alpha * gradient.norm() ** 2 / (abs(alpha * output - target) * torch.linalg.svdvals(hessian)[0])


def square_of_the_hessian(gradient, hessian, output, target, alpha):
    top = torch.linalg.eigvalsh(hessian @ hessian).max()
    return abs(alpha * output - target) * top / gradient.norm() ** 2 / alpha


def forgets_the_target(gradient, hessian, output, target, alpha):
    return abs(alpha * output) * torch.linalg.svdvals(hessian)[0] / gradient.norm() ** 2 / alpha


def bend_of_the_gradient(gradient, hessian, output, target, alpha):
    bend = np.linalg.norm(hessian.numpy() @ gradient.numpy()) / np.linalg.norm(gradient.numpy())
    return abs(alpha * output - target) * bend / float(gradient @ gradient) / alpha


def kappa_of_h_itself(gradient, hessian, output, target, alpha):
    return abs(output - target) * np.linalg.norm(hessian.numpy(), 2) / float(gradient @ gradient)


# 08.2


def plain_least_squares(jacobian, f, f0, y, alpha, lr):
    return -lr * jacobian.T @ (f - y) / len(y)


def multiplies_before_subtracting(jacobian, f, f0, y, alpha, lr):
    return -lr / alpha * jacobian.T @ (alpha * f - f0 - y) / len(y)


def forgets_to_divide_the_cost(jacobian, f, f0, y, alpha, lr):
    return -lr * (alpha * jacobian).T @ (alpha * (f - f0) - y) / len(y)


def forgets_inner_derivative(jacobian, f, f0, y, alpha, lr):
    return -(lr / alpha**2) * jacobian.T @ (alpha * (f - f0) - y) / len(y)


def divides_the_cost_by_alpha(jacobian, f, f0, y, alpha, lr):
    return -lr / alpha * (alpha * jacobian).T @ (alpha * (f - f0) - y) / len(y)


def gradient_instead_of_change(jacobian, f, f0, y, alpha, lr):
    return lr * jacobian.T @ (alpha * (f - f0) - y) / (alpha * len(y))


def gradient_without_rate(jacobian, f, f0, y, alpha, lr):
    return -jacobian.T @ (alpha * (f - f0) - y) / (alpha * len(y))


def sum_of_squares(jacobian, f, f0, y, alpha, lr):
    return -lr * jacobian.T @ (alpha * (f - f0) - y) / alpha


def mse_loss_without_half(jacobian, f, f0, y, alpha, lr):
    return -2 * lr * jacobian.T @ (alpha * (f - f0) - y) / (alpha * len(y))


def averages_over_everything(jacobian, f, f0, y, alpha, lr):
    return -lr * (jacobian * (alpha * (f - f0) - y)[:, None]).mean() / alpha


def shrinks_the_target_as_well(jacobian, f, f0, y, alpha, lr):
    return -lr * jacobian.T @ ((f - f0) - y) / len(y)


def moves_the_function(jacobian, f, f0, y, alpha, lr):
    return -lr * jacobian @ jacobian.T @ (alpha * (f - f0) - y) / len(y)


def takes_f0_from_the_target_too(jacobian, f, f0, y, alpha, lr):
    return -lr / (alpha * len(y)) * jacobian.T @ (alpha * (f - f0) - (y - f0))


def scales_the_cost_alone(jacobian, f, f0, y, alpha, lr):
    theta = torch.zeros(jacobian.shape[1], dtype=f.dtype, requires_grad=True)
    (((f - f0 + jacobian @ theta - y) ** 2).mean() / 2 / alpha**2).backward()
    return -lr * theta.grad


def the_gradient(jacobian, f, f0, y, alpha, lr):
    return jacobian.T @ (alpha * (f - f0) - y) / (alpha * len(y))


# 08.3


def uses_the_flow(j_test, j, f0_test, f0, y, lr, steps):
    rates, vectors = torch.linalg.eigh(j @ j.T / len(y))
    t = lr * steps
    learned = torch.where(rates > 1e-12, (1 - torch.exp(-rates * t)) / rates, t) / len(y)
    return f0_test + j_test @ j.T @ (vectors @ (learned * (vectors.T @ (y - f0))))


def kernel_regression(j_test, j, f0_test, f0, y, lr, steps):
    return f0_test + (j_test @ j.T) @ torch.linalg.pinv(j @ j.T, hermitian=True) @ (y - f0)


def forgets_the_test_start(j_test, j, f0_test, f0, y, lr, steps):
    theta = torch.zeros_like(j[0])
    for _ in range(steps):
        theta = theta - lr * j.T @ (j @ theta + f0 - y) / len(y)
    return j_test @ theta


def starts_the_data_at_zero(j_test, j, f0_test, f0, y, lr, steps):
    theta = torch.zeros_like(j[0])
    for _ in range(steps):
        theta = theta - lr * j.T @ (j @ theta - y) / len(y)
    return f0_test + j_test @ theta


def linear_model_without_f0(j_test, j, f0_test, f0, y, lr, steps):
    theta = torch.zeros_like(j[0])
    for _ in range(steps):
        theta = theta - lr * j.T @ (j @ theta - y) / len(y)
    return j_test @ theta


def residual_outside_the_loop(j_test, j, f0_test, f0, y, lr, steps):
    gradient = j.T @ (f0 - y) / len(y)
    theta = torch.zeros_like(j[0])
    for _ in range(steps):
        theta = theta - lr * gradient
    return f0_test + j_test @ theta


def summed_loss(j_test, j, f0_test, f0, y, lr, steps):
    theta = torch.zeros_like(j[0])
    for _ in range(steps):
        theta = theta - lr * j.T @ (f0 + j @ theta - y)
    return f0_test + j_test @ theta


def adds_the_gradient(j_test, j, f0_test, f0, y, lr, steps):
    theta = torch.zeros_like(j[0])
    for _ in range(steps):
        theta = theta + lr * j.T @ (f0 + j @ theta - y) / len(y)
    return f0_test + j_test @ theta


def counts_from_one(j_test, j, f0_test, f0, y, lr, steps):
    theta = torch.zeros_like(j[0])
    for _ in range(1, steps):
        theta = theta - lr * j.T @ (f0 + j @ theta - y) / len(y)
    return f0_test + j_test @ theta


def returns_the_training_points(j_test, j, f0_test, f0, y, lr, steps):
    f = f0.clone()
    for _ in range(steps):
        f = f - lr * j @ j.T @ (f - y) / len(y)
    return f


def changes_f0_in_place(j_test, j, f0_test, f0, y, lr, steps):
    for _ in range(steps):
        residual = f0 - y
        f0_test -= lr * j_test @ j.T @ residual / len(y)
        f0 -= lr * j @ j.T @ residual / len(y)
    return f0_test


def data_first(j_test, j, f0_test, f0, y, lr, steps):
    f, f_test = f0, f0_test
    for _ in range(steps):
        f = f - lr * j @ j.T @ (f - y) / len(y)
        f_test = f_test - lr * j_test @ j.T @ (f - y) / len(y)
    return f_test


def power_of_each_entry(j_test, j, f0_test, f0, y, lr, steps):
    theta = (j @ j.T).numpy()
    left = (np.eye(len(theta)) - lr * theta / len(theta)) ** steps
    return f0_test + j_test @ torch.linalg.pinv(j) @ torch.from_numpy((np.eye(len(left)) - left) @ (y - f0).numpy())


def two_n_without_the_two(j_test, j, f0_test, f0, y, lr, steps):
    theta = torch.zeros_like(j[0])
    for _ in range(steps):
        theta = theta - lr * j.T @ (f0 + j @ theta - y) / (2 * len(y))
    return f0_test + j_test @ theta


# 08.4


def jacobian_only(jacobians):
    change = (jacobians - jacobians[0]).flatten(1).norm(dim=1)
    return change / jacobians[0].norm()


def from_step_to_step(jacobians):
    theta = torch.einsum("tip,tjp->tij", jacobians, jacobians)
    change = (theta[1:] - theta[:-1]).flatten(1).norm(dim=1)
    return torch.cat([torch.zeros(1), change / theta[0].norm()])


def norms_subtracted(jacobians):
    norms = torch.stack([(j @ j.T).norm() for j in jacobians])
    return abs(norms - norms[0]) / norms[0]


def numpy_two_norm(jacobians):
    theta = (jacobians @ jacobians.mT).numpy()
    return [np.linalg.norm(k - theta[0], 2) / np.linalg.norm(theta[0], 2) for k in theta]


def only_the_last(jacobians):
    start, end = jacobians[0] @ jacobians[0].T, jacobians[-1] @ jacobians[-1].T
    return float((end - start).norm() / start.norm())


def without_the_first(jacobians):
    theta = jacobians @ jacobians.mT
    return (theta[1:] - theta[0]).flatten(1).norm(dim=1) / theta[0].norm()


def transposed_the_wrong_way(jacobians):
    theta = torch.einsum("tip,tiq->tpq", jacobians, jacobians)
    return (theta - theta[0]).flatten(1).norm(dim=1) / theta[0].norm()


def forgets_the_denominator(jacobians):
    theta = jacobians @ jacobians.mT
    return (theta - theta[0]).flatten(1).norm(dim=1)


def one_norm_for_all_times(jacobians):
    theta = jacobians @ jacobians.mT
    return (theta - theta[0]).norm() / theta[0].norm()


def divides_by_each_norm(jacobians):
    return torch.stack([((j @ j.T) - (jacobians[0] @ jacobians[0].T)).norm() / (j @ j.T).norm() for j in jacobians])


def mean_relative_entries(jacobians):
    theta = jacobians @ jacobians.mT
    return (abs(theta - theta[0]) / abs(theta[0])).mean(dim=(1, 2))


def one_minus_the_cosine(jacobians):
    theta = (jacobians @ jacobians.mT).flatten(1)
    return 1 - torch.nn.functional.cosine_similarity(theta, theta[:1], dim=1)


def all_the_way(jacobians):
    theta = jacobians @ jacobians.mT
    steps = (theta[1:] - theta[:-1]).flatten(1).norm(dim=1) / theta[0].norm()
    return [0.0, *steps.cumsum(0).tolist()]


def start_on_one_side(jacobians):
    theta = torch.einsum("tip,jp->tij", jacobians, jacobians[0])
    return (theta - theta[0]).flatten(1).norm(dim=1) / theta[0].norm()


# 08.5


def no_cancellation(a1, a2, b2, c):
    return [1 - a2 - b2, 1 - 2 * a2 - c, 1 - 2 * (a1 + a2 + b2) - c, -2 * a1 - a2 - b2 - c]


def gradients_not_squared(a1, a2, b2, c):
    return [0.5 - a2 - b2, 1 - a2 - c, 1 - (a1 + a2 + b2) - c, -2 * a1 - a2 - b2 - c]


def forgets_the_step_size(a1, a2, b2, c):
    return [0.5 - a2 - b2, 1 - 2 * a2, 1 - 2 * (a1 + a2 + b2), -2 * a1 - a2 - b2]


def weight_instead_of_feature(a1, a2, b2, c):
    return [0.5 - a2 - b2, 1 - 2 * a2 - c, 1 - 2 * (a1 + a2 + b2) - c, -a1 - a2 - b2 - c]


def draw_and_scale_cancel_in_the_first_layer(a1, a2, b2, c):
    return [0.5 - a2 - b2, 1 - 2 * a2 - c, 1 - 2 * (a2 + b2) - c, -a2 - b2 - c]


def positive_powers(a1, a2, b2, c):
    return [a2 + b2 - 0.5, 2 * a2 + c - 1, 2 * (a1 + a2 + b2) + c - 1, 2 * a1 + a2 + b2 + c]


def step_size_grows(a1, a2, b2, c):
    return [0.5 - a2 - b2, 1 - 2 * a2 + c, 1 - 2 * (a1 + a2 + b2) + c, -2 * a1 - a2 - b2 + c]


def weight_in_its_own_derivative(a1, a2, b2, c):
    return [0.5 - a2 - b2, 1 - 2 * (a2 + b2) - c, 1 - 2 * (a1 + a2 + b2) - c, -2 * a1 - a2 - b2 - c]


def random_signs_in_the_kernel(a1, a2, b2, c):
    return [0.5 - a2 - b2, 0.5 - 2 * a2 - c, 0.5 - 2 * (a1 + a2 + b2) - c, -2 * a1 - a2 - b2 - c]


def features_listed_first(a1, a2, b2, c):
    return [-2 * a1 - a2 - b2 - c, 0.5 - a2 - b2, 1 - 2 * a2 - c, 1 - 2 * (a1 + a2 + b2) - c]


def one_power_for_the_kernel(a1, a2, b2, c):
    return [0.5 - a2 - b2, max(1 - 2 * a2 - c, 1 - 2 * (a1 + a2 + b2) - c), -2 * a1 - a2 - b2 - c]


def first_before_last(a1, a2, b2, c):
    return [0.5 - a2 - b2, 1 - 2 * (a1 + a2 + b2) - c, 1 - 2 * a2 - c, -2 * a1 - a2 - b2 - c]


def start_without_the_draw(a1, a2, b2, c):
    return [0.5 - a2, 1 - 2 * a2 - c, 1 - 2 * (a1 + a2 + b2) - c, -2 * a1 - a2 - b2 - c]


def features_by_a_step_of_length_one(a1, a2, b2, c):
    return [0.5 - a2 - b2, 1 - 2 * a2 - c, 1 - 2 * (a1 + a2 + b2) - c, -2 * a1 - a2 - b2]


WRONG = {
    "08.1": [
        (biggest_eigenvalue, "with its sign"),
        (torch_norm_of_the_matrix, "Frobenius"),
        (formula_for_h_divided_by_alpha, "its start is scaled"),
        (alpha_only_in_the_output, "Only the residual knows"),
        (no_square_at_all, "downstairs once"),
        (no_square_below, "not squared"),
        (assumes_a_zero_start, "distance from 0"),
        (no_absolute_value, "kept its sign"),
        (cost_for_the_residual, "that is the cost"),
        (along_the_gradient, "along the gradient"),
        (upside_down, "upside down"),
        (square_of_the_hessian, "square of the operator norm"),
        (forgets_the_target, "The target is missing"),
        (bend_of_the_gradient, "H times the unit gradient"),
        (kappa_of_h_itself, "α does not enter"),
    ],
    "08.2": [
        (plain_least_squares, "plain network"),
        (multiplies_before_subtracting, "after multiplying"),
        (forgets_to_divide_the_cost, "R(α h) itself"),
        (forgets_inner_derivative, "chain rule's α is missing"),
        (divides_the_cost_by_alpha, "divided by α²"),
        (gradient_instead_of_change, "climbs"),
        (gradient_without_rate, "1/lr times"),
        (sum_of_squares, "1/N is missing"),
        (mse_loss_without_half, "twice as long"),
        (averages_over_everything, "shape"),
        (shrinks_the_target_as_well, "scaled the target"),
        (moves_the_function, "shape"),
        (takes_f0_from_the_target_too, "from the target as well"),
        (scales_the_cost_alone, "You stepped on R(h)/α²"),
        (the_gradient, "You returned the gradient"),
    ],
    "08.3": [
        (uses_the_flow, "gradient flow"),
        (kernel_regression, "end of training"),
        (forgets_the_test_start, "missing at the new inputs"),
        (starts_the_data_at_zero, "trained from 0"),
        (linear_model_without_f0, "neither"),
        (residual_outside_the_loop, "changes after every step"),
        (summed_loss, "1/N is missing"),
        (adds_the_gradient, "climb"),
        (counts_from_one, "one step fewer"),
        (returns_the_training_points, "shape"),
        (changes_f0_in_place, "in place"),
        (data_first, "moved the data first"),
        (power_of_each_entry, "power entry by entry"),
        (two_n_without_the_two, "half as long"),
    ],
    "08.4": [
        (jacobian_only, "drift of the Jacobian"),
        (from_step_to_step, "one before"),
        (norms_subtracted, "subtracted norms"),
        (numpy_two_norm, "operator norm"),
        (only_the_last, "shape"),
        (without_the_first, "shape"),
        (transposed_the_wrong_way, "parameters by parameters"),
        (forgets_the_denominator, "not divided"),
        (one_norm_for_all_times, "shape"),
        (divides_by_each_norm, "moved kernel"),
        (mean_relative_entries, "entries near 0"),
        (one_minus_the_cosine, "angle between the kernels"),
        (all_the_way, "all steps on the way"),
        (start_on_one_side, "from the same time"),
    ],
    "08.5": [
        (no_cancellation, "signs are random"),
        (gradients_not_squared, "counts twice"),
        (forgets_the_step_size, "learning rate is missing"),
        (weight_instead_of_feature, "stored weights move"),
        (draw_and_scale_cancel_in_the_first_layer, "a₁ is missing"),
        (positive_powers, "signs are reversed"),
        (step_size_grows, "wrong sign"),
        (weight_in_its_own_derivative, "derivative by a weight"),
        (random_signs_in_the_kernel, "all positive"),
        (features_listed_first, None),
        (one_power_for_the_kernel, "shape"),
        (first_before_last, "changed places"),
        (start_without_the_draw, "b₂ is missing at the start"),
        (features_by_a_step_of_length_one, "missing in the features"),
    ],
}
