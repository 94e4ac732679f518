"""Wrong answers to the tasks of chapter 02, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import numpy as np
import torch

# 02.1


def quadratic_form(kernel, d):
    return torch.trace(d.T @ kernel @ d)


def mean_over_rows(kernel, d):
    return torch.mean(torch.sum(d * (kernel @ d), dim=1))


def mean_of_the_product(kernel, d):
    return (d.T @ kernel @ d).mean()


def loop_with_one_index(kernel, d):
    total = 0.0
    for i in range(len(d)):
        total += d[i] @ d[i] * kernel[i, i]
    return total / len(d) ** 2


def norm_not_squared(kernel, d):
    return np.sqrt(float((d * (kernel @ d)).sum()) / len(d) ** 2)


def whole_matrix(kernel, d):
    return d @ d.T * kernel / len(d) ** 2


def gradient_norm(kernel, d):
    gradient = kernel @ d / len(d)
    return gradient.pow(2).sum(1).mean()


def upper_triangle(kernel, d):
    n = len(d)
    return sum(kernel[i, j] * (d[i] @ d[j]) for i in range(n) for j in range(i, n)) / n**2


def native_space(kernel, d):
    return torch.trace(d.T @ torch.linalg.solve(kernel, d))


def pairs_of_different_inputs(kernel, d):
    n = len(d)
    return ((d @ d.T) * kernel).sum() / (n * (n - 1))


def deviations(kernel, d):
    e = d - d.mean(dim=0)
    return (e * (kernel @ e)).sum() / len(d) ** 2


# 02.2


def goes_up(f, kernel, data, y, lr):
    return f + lr / len(y) * (kernel @ (f[data] - y))


def adds_residual_the_wrong_way(f, kernel, data, y, lr):
    residual = y - f[data]
    return f - lr * (kernel * residual).mean(dim=1)


def mean_gradient_missing(f, kernel, data, y, lr):
    step = torch.zeros_like(f)
    for j, place in enumerate(data):
        step += kernel[:, j] * (f[place] - y[j])
    return f - lr * step


def updates_training_points(f, kernel, data, y, lr):
    new = f.clone()
    new[data] = f[data] - lr * kernel[data] @ (f[data] - y) / len(y)
    return new


def returns_training_points(f, kernel, data, y, lr):
    return f[data] - lr * kernel[data] @ (f[data] - y) / len(y)


def transposes_the_kernel(f, kernel, data, y, lr):
    return f - lr * kernel.T @ (f[data] - y) / len(y)


def derivative_with_two(f, kernel, data, y, lr):
    return f - lr * kernel @ (2 * (f[data] - y)) / len(y)


def changes_f_in_place(f, kernel, data, y, lr):
    f -= lr * kernel @ (f[data] - y) / len(y)
    return f


def stochastic(f, kernel, data, y, lr):
    f = f.clone()
    for j in range(len(y)):
        f = f - (lr / len(y)) * kernel[:, j] * (f[data][j] - y[j])
    return f


def kernel_regression(f, kernel, data, y, lr):
    return kernel @ torch.linalg.solve(kernel[data], y)


def only_delta(f, kernel, data, y, lr):
    return -(lr / len(y)) * kernel @ (f[data] - y)


def mean_over_every_point(f, kernel, data, y, lr):
    return f - lr * (kernel @ (f[data] - y)) / f.shape[0]


def leaves_the_data_alone(f, kernel, data, y, lr):
    new = f - lr * (kernel @ (f[data] - y)) / len(y)
    new[data] = f[data]
    return new


def pushes_by_the_cost(f, kernel, data, y, lr):
    return f - lr * kernel @ (0.5 * (f[data] - y) ** 2) / len(y)


def mean_over_pairs(f, kernel, data, y, lr):
    return f - lr * kernel @ (f[data] - y) / len(y) ** 2


# 02.3


def sign_forgotten(kernel, f, y):
    d = -y / (1 + torch.exp(y * f))
    return (d @ kernel @ d) / len(d) ** 2


def slope_of_the_mean_divided_again(kernel, f, y):
    d = -y * torch.sigmoid(-y * f) / len(y)
    return -(d @ kernel @ d) / len(d) ** 2


def one_mean(kernel, f, y):
    d = -y * torch.sigmoid(-y * f)
    return -(d @ (kernel @ d)) / len(d)


def residuals(kernel, f, y):
    d = f - y
    return -(d @ kernel @ d) / len(d) ** 2


def sigmoid_minus_label(kernel, f, y):
    d = 1 / (1 + torch.exp(-f)) - y
    return -(d @ kernel @ d) / len(d) ** 2


def sigmoid_the_other_way(kernel, f, y):
    d = -y / (1 + torch.exp(-y * f))
    return -(d @ kernel @ d) / len(d) ** 2


def euclidean(kernel, f, y):
    d = -y * torch.sigmoid(-y * f)
    return -(d @ d) / len(d)


def no_logarithm(kernel, f, y):
    d = -y * (-y * f).exp()
    return -(d @ kernel @ d) / len(d) ** 2


def tanh_of_the_output(kernel, f, y):
    d = torch.tanh(f) - y
    return -(d @ kernel @ d) / len(d) ** 2


def cost_itself(kernel, f, y):
    return torch.nn.functional.softplus(-y * f).mean()


def velocities(kernel, f, y):
    return -kernel @ (-y * torch.sigmoid(-y * f)) / len(y)


def norm_of_the_slope(kernel, f, y):
    d = -y * torch.sigmoid(-y * f)
    return -torch.sqrt(d @ kernel @ d) / len(d)


def mean_square_motion(kernel, f, y):
    motion = kernel @ (-y * torch.sigmoid(-y * f)) / len(y)
    return -(motion**2).mean()


def curvature_for_slope(kernel, f, y):
    p = torch.sigmoid(f)
    d = p * (1 - p)
    return -(d @ kernel @ d) / len(d) ** 2


# 02.4


def view_it(kernel):
    m, n, c, _ = kernel.shape
    return kernel.contiguous().view(m * c, n * c)


def by_output(kernel):
    c = kernel.shape[2]
    return torch.cat([torch.cat([kernel[:, :, k, v] for v in range(c)], dim=1) for k in range(c)])


def transposed_blocks(kernel):
    m, n = kernel.shape[:2]
    return torch.cat([torch.cat([kernel[i, j].T for j in range(n)], dim=1) for i in range(m)])


def kronecker_of_means(kernel):
    return torch.kron(kernel.mean(dim=(2, 3)), torch.ones(kernel.shape[2:]))


def adds_up_outputs(kernel):
    return torch.einsum("mnkl->mn", kernel)


def trace_over_outputs(kernel):
    return torch.einsum("mnkk->mn", kernel)


def columns_by_output(kernel):
    m, n, c, _ = kernel.shape
    return torch.einsum("mnkl->mkln", kernel).reshape(m * c, n * c)


def swaps_inputs(kernel):
    m, n, c, _ = kernel.shape
    return kernel.permute(1, 2, 0, 3).reshape(n * c, m * c)


def only_diagonals(kernel):
    m, n, c, _ = kernel.shape
    matrix = torch.zeros(m * c, n * c)
    for k in range(c):
        matrix[k::c, k::c] = kernel[:, :, k, k]
    return matrix


def stays_four_dimensional(kernel):
    return kernel.transpose(1, 2)


def mean_of_each_block(kernel):
    return kernel.mean(dim=-1).mean(dim=-1)


def shared_among_outputs(kernel):
    m, n, c, _ = kernel.shape
    return kernel.transpose(1, 2).reshape(m * c, n * c) / c


# 02.5


def reaches_the_targets(kernel, f0, y):
    return y


def solves(kernel, f0, y):
    return f0 + kernel @ torch.linalg.inv(kernel) @ (y - f0)


def from_zero(kernel, f0, y):
    return kernel @ torch.linalg.pinv(kernel, rtol=1e-9) @ y


def weights(kernel, f0, y):
    return torch.linalg.pinv(kernel, rtol=1e-9) @ (y - f0)


def projects_wrongly(kernel, f0, y):
    return f0 + (y - f0) - kernel @ torch.linalg.pinv(kernel, rtol=1e-9) @ (y - f0)


def what_is_left(kernel, f0, y):
    gap = f0 - y
    return gap - kernel @ torch.linalg.pinv(kernel, rtol=1e-9) @ gap


def keeps_positive_eigenvalues(kernel, f0, y):
    values, vectors = torch.linalg.eigh(kernel)
    moved = vectors[:, values > 0]
    return f0 + moved @ moved.T @ (y - f0)


def long_time(kernel, f0, y):
    f = f0
    for _ in range(50):
        f = f - 0.01 / len(y) * kernel @ (f - y)
    return f


def ridge_of_one_percent(kernel, f0, y):
    return f0 + kernel @ torch.linalg.solve(kernel + 0.01 * torch.eye(len(y)).to(kernel), y - f0)


def never_leaves(kernel, f0, y):
    return f0.clone()


def sign_of_the_gap(kernel, f0, y):
    return f0 + kernel @ torch.linalg.pinv(kernel, rtol=1e-9) @ (f0 - y)


def repeated_inputs_only(kernel, f0, y):
    end = torch.empty_like(y)
    for i in range(len(y)):
        twins = [j for j in range(len(y)) if torch.allclose(kernel[i], kernel[j], rtol=1e-9, atol=0)]
        end[i] = y[twins].mean()
    return end


def eigenvectors_in_rows(kernel, f0, y):
    values, vectors = torch.linalg.eigh(kernel)
    blind = vectors[values < 1e-9 * values.max()]
    return y + blind.T @ (blind @ (f0 - y))


WRONG = {
    "02.1": [
        (quadratic_form, "You summed over the pairs"),
        (mean_over_rows, "You averaged once"),
        (mean_of_the_product, "You summed over the pairs"),
        (loop_with_one_index, "Only the pairs x = x' are there"),
        (norm_not_squared, "its square is asked"),
        (whole_matrix, "expected shape [], received"),
        (gradient_norm, "the kernel is in it twice"),
        (upper_triangle, None),
        (pairs_of_different_inputs, "the number of pairs without"),
        (deviations, "subtracted the mean of d"),
        (native_space, "the inverse of the kernel"),
    ],
    "02.2": [
        (goes_up, "This step climbs"),
        (adds_residual_the_wrong_way, "This step climbs"),
        (mean_gradient_missing, "You summed over the training inputs"),
        (updates_training_points, "the kernel carries every residual to every point"),
        (returns_training_points, "expected shape"),
        (transposes_the_kernel, "raised RuntimeError"),
        (derivative_with_two, "Your derivative has a factor 2"),
        (changes_f_in_place, "changes its argument 'f'"),
        (stochastic, "You moved f between two examples"),
        (kernel_regression, "kernel regression"),
        (only_delta, "the change of f"),
        (mean_over_every_point, "the number of points of evaluation"),
        (leaves_the_data_alone, "everywhere but on the data"),
        (pushes_by_the_cost, "d is its derivative"),
        (mean_over_pairs, "divided by N twice"),
    ],
    "02.3": [
        (sign_forgotten, "The sign is lost"),
        (slope_of_the_mean_divided_again, "twice over"),
        (one_mean, "one 1/N too few"),
        (residuals, "the derivative of the squared error"),
        (sigmoid_minus_label, "labels 0 and 1"),
        (sigmoid_the_other_way, "push hardest"),
        (euclidean, "The kernel is missing"),
        (no_logarithm, "without the logarithm"),
        (tanh_of_the_output, None),
        (cost_itself, "the cost itself"),
        (velocities, "the derivative of the cost is one number"),
        (norm_of_the_slope, "You took the root"),
        (mean_square_motion, "with the kernel in it twice"),
        (curvature_for_slope, "the second derivative"),
    ],
    "02.4": [
        (view_it, "A reshape alone does not move axes"),
        (by_output, "ordered by output, then input"),
        (transposed_blocks, "The blocks are transposed"),
        (kronecker_of_means, None),
        (adds_up_outputs, "You summed over the outputs"),
        (trace_over_outputs, "the trace of each block"),
        (columns_by_output, "Rows and columns have different orders"),
        (swaps_inputs, "The blocks are transposed"),
        (only_diagonals, "You kept k = k' alone"),
        (stays_four_dimensional, "expected shape"),
        (mean_of_each_block, "You averaged over the outputs"),
        (shared_among_outputs, "divided by the number of outputs"),
    ],
    "02.5": [
        (reaches_the_targets, "needs a positive-definite kernel"),
        (solves, "matrix is singular"),
        (from_zero, "You started from the function 0"),
        (weights, "the coefficients of K"),
        (projects_wrongly, "The two parts are exchanged"),
        (what_is_left, "the residual that is left"),
        (keeps_positive_eigenvalues, "every eigenvalue above 0"),
        (long_time, None),
        (ridge_of_one_percent, None),
        (never_leaves, "f stayed where it began"),
        (sign_of_the_gap, "away from the targets"),
        (repeated_inputs_only, "blind to more than repetitions"),
        (eigenvectors_in_rows, "they are its columns"),
    ],
}
