"""Wrong answers to the tasks of chapter 04, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import math

import numpy as np
import torch
from torch import nn

import ntk_teach as ntk

# 04.1


def slide_as_printed(weights, biases, x, sigma_b):
    a = x
    for w, b in zip(weights, biases, strict=True):
        a = w.shape[1] ** -0.5 * a @ w.T + sigma_b * b
    return a


def square_root_of_rows(weights, biases, x, sigma_b):
    a = x
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        pre = (w @ a.T).T / math.sqrt(len(w)) + sigma_b * b
        a = pre if i == len(weights) - 1 else torch.relu(pre)
    return a


def plain_torch_layers(weights, biases, x, sigma_b):
    a = x
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        a = nn.functional.linear(a, w, sigma_b * b)
        a = a if i == len(weights) - 1 else torch.relu(a)
    return a


def relu_everywhere(weights, biases, x, sigma_b):
    for w, b in zip(weights, biases, strict=True):
        x = torch.relu(x @ w.T / math.sqrt(w.shape[1]) + sigma_b * b)
    return x


def kaiming(weights, biases, x, sigma_b):
    a = x
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        a = a @ (w * (2 / w.shape[1]) ** 0.5).T + sigma_b * b
        a = a if i == len(weights) - 1 else a.relu()
    return a


def beta_forgotten(weights, biases, x, sigma_b):
    a = x
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        a = a @ w.T / w.shape[1] ** 0.5 + b
        a = a if i == len(weights) - 1 else a.relu()
    return a


def everything_over_root_n(weights, biases, x, sigma_b):
    a = x
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        a = (a @ w.T + sigma_b * b) / w.shape[1] ** 0.5
        a = a if i == len(weights) - 1 else a.relu()
    return a


def tanh_network(weights, biases, x, sigma_b):
    a = x
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        a = a @ w.T / w.shape[1] ** 0.5 + sigma_b * b
        a = a if i == len(weights) - 1 else a.tanh()
    return a


def outputs_by_inputs(weights, biases, x, sigma_b):
    a = x.numpy().T
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        a = w.numpy() @ a / np.sqrt(w.shape[1]) + sigma_b * b.numpy()[:, None]
        a = a if i == len(weights) - 1 else np.maximum(a, 0)
    return a


def one_relu_too_few(weights, biases, x, sigma_b):
    a = x
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        a = a @ w.T / w.shape[1] ** 0.5 + sigma_b * b
        a = a.relu() if i < len(weights) - 2 else a
    return a


def length_of_the_batch(weights, biases, x, sigma_b):
    a = x
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        a = a @ w.T / len(a) ** 0.5 + sigma_b * b
        a = a if i == len(weights) - 1 else a.relu()
    return a


def sigma_b_in_front_of_the_weights(weights, biases, x, sigma_b):
    a = x
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        a = sigma_b * a @ w.T / w.shape[1] ** 0.5 + b
        a = a if i == len(weights) - 1 else a.relu()
    return a


# 04.2


def he_style(sigma):
    q = sigma.diagonal()
    return 2 * ntk.relu.dual(sigma, q[:, None], q[None, :]).value


def derivative_dual(sigma):
    q = sigma.diagonal()
    return ntk.relu.dual(sigma, q[:, None], q[None, :]).slope


def theta_not_complement(sigma):
    d = np.sqrt(np.diag(sigma))
    t = np.arccos(np.clip(sigma.numpy() / np.outer(d, d), -1, 1))
    return np.outer(d, d) * (np.sin(t) + t * np.cos(t)) / (2 * np.pi)


def correlation_is_sigma(sigma):
    t = torch.arccos(sigma.clamp(-1, 1))
    q = sigma.diagonal()
    return (q[:, None] * q).sqrt() * (t.sin() + (torch.pi - t) * t.cos()) / (2 * torch.pi)


def correlation_only(sigma):
    d = sigma.diagonal().sqrt()
    t = torch.arccos((sigma / d / d[:, None]).clamp(-1, 1))
    return (t.sin() + (torch.pi - t) * t.cos()) / (2 * torch.pi)


def covariance_of_the_units(sigma):
    q = sigma.diagonal()
    return ntk.relu.dual(sigma, q[:, None], q[None, :]).value - torch.outer(q.sqrt(), q.sqrt()) / (2 * torch.pi)


def q_times_q(sigma):
    q = sigma.diagonal()
    t = torch.arccos((sigma / torch.outer(q, q).sqrt()).clamp(-1, 1))
    return torch.outer(q, q) * (t.sin() + (torch.pi - t) * t.cos()) / (2 * torch.pi)


def pi_for_two_pi(sigma):
    d = sigma.diagonal().sqrt()
    t = torch.arccos((sigma / d / d[:, None]).clamp(-1, 1))
    return torch.outer(d, d) * (t.sin() + (torch.pi - t) * t.cos()) / torch.pi


def divided_by_the_variances(sigma):
    q = sigma.diagonal()
    t = torch.arccos((sigma / torch.outer(q, q)).clamp(-1, 1))
    return torch.outer(q, q).sqrt() * (t.sin() + (torch.pi - t) * t.cos()) / (2 * torch.pi)


def sampled(sigma):
    z = np.random.default_rng(0).multivariate_normal(np.zeros(len(sigma)), sigma.numpy(), size=20000)
    a = np.maximum(z, 0)
    return a.T @ a / len(a)


def variances_throughout(sigma):
    q = sigma.diagonal()
    root = torch.outer(q, q)
    t = torch.arccos((sigma / root).clamp(-1, 1))
    return root / (2 * torch.pi) * (t.sin() + (torch.pi - t) * t.cos())


def broadcast_variance(sigma):
    q = sigma.diagonal()
    t = torch.arccos((sigma / q).clamp(-1, 1))
    return q / (2 * torch.pi) * (t.sin() + (torch.pi - t) * t.cos())


def clipped_at_zero(sigma):
    q = sigma.diagonal()
    root = torch.outer(q, q).sqrt()
    t = torch.arccos((sigma / root).clamp(0, 1))
    return root / (2 * torch.pi) * (t.sin() + (torch.pi - t) * t.cos())


def nan_for_zero(sigma):
    q = sigma.diagonal()
    root = torch.outer(q, q).sqrt()
    t = torch.arccos(sigma / root)
    return torch.nan_to_num(root / (2 * torch.pi) * (t.sin() + (torch.pi - t) * t.cos()))


# 04.3


def erf_step(sigma, sigma_w, sigma_b):
    q = sigma.diagonal()
    return sigma_w**2 * ntk.erf.dual(sigma, q[:, None], q[None, :]).value + sigma_b**2


def hidden_layers_counted(x, depth, sigma_w, sigma_b):
    return ntk.zoo.mlp(depth + 1, ntk.erf, sigma_w=sigma_w, sigma_b=sigma_b).nngp(x)


def scales_unsquared(x, depth, sigma_w, sigma_b):
    return ntk.zoo.mlp(depth, ntk.erf, sigma_w=sigma_w**0.5, sigma_b=sigma_b**0.5).nngp(x)


def sigma_b_unsquared(x, depth, sigma_w, sigma_b):
    return ntk.zoo.mlp(depth, ntk.erf, sigma_w=sigma_w, sigma_b=sigma_b**0.5).nngp(x)


def jacot_only(x, depth, sigma_w, sigma_b):
    return ntk.zoo.mlp(depth, ntk.erf, sigma_b=sigma_b).nngp(x)


def weights_only_at_the_input(x, depth, sigma_w, sigma_b):
    sigma = sigma_w**2 * x @ x.T / x.shape[1] + sigma_b**2
    for _ in range(depth - 1):
        sigma = erf_step(sigma, 1.0, sigma_b)
    return sigma


def no_biases_inside(x, depth, sigma_w, sigma_b):
    sigma = sigma_w**2 * x @ x.T / x.shape[1] + sigma_b**2
    for _ in range(depth - 1):
        sigma = erf_step(sigma, sigma_w, 0.0)
    return sigma


def relu_again(x, depth, sigma_w, sigma_b):
    return ntk.zoo.mlp(depth, ntk.relu, sigma_w=sigma_w, sigma_b=sigma_b).nngp(x)


def the_tangent_kernel(x, depth, sigma_w, sigma_b):
    return ntk.zoo.mlp(depth, ntk.erf, sigma_w=sigma_w, sigma_b=sigma_b).ntk(x)


def old_variances(x, depth, sigma_w, sigma_b):
    sigma = sigma_w**2 * x @ x.T / x.shape[1] + sigma_b**2
    wide = (1 + 2 * sigma.diagonal()).sqrt()
    for _ in range(depth - 1):
        sigma = sigma_w**2 * 2 / torch.pi * torch.asin(2 * sigma / torch.outer(wide, wide)) + sigma_b**2
    return sigma


def not_divided(x, depth, sigma_w, sigma_b):
    sigma = sigma_w**2 * x @ x.T + sigma_b**2
    for _ in range(depth - 1):
        sigma = erf_step(sigma, sigma_w, sigma_b)
    return sigma


def variances_not_broadcast(x, depth, sigma_w, sigma_b):
    sigma = sigma_w**2 * x @ x.T / x.shape[1] + sigma_b**2
    for _ in range(depth - 1):
        variance = sigma.diagonal()
        sigma = sigma_w**2 * ntk.erf.dual(sigma, variance, variance).value + sigma_b**2
    return sigma


def plain_arcsine(x, depth, sigma_w, sigma_b):
    sigma = sigma_w**2 * x @ x.T / x.shape[1] + sigma_b**2
    for _ in range(depth - 1):
        wide = (1 + 2 * sigma.diagonal()).sqrt()
        sigma = sigma_w**2 * torch.asin(2 * sigma / torch.outer(wide, wide)) + sigma_b**2
    return sigma


def ends_with_the_activation(x, depth, sigma_w, sigma_b):
    sigma = sigma_w**2 * x @ x.T / x.shape[1] + sigma_b**2
    for layer in range(1, depth):
        sigma = erf_step(sigma, sigma_w if layer < depth - 1 else 1.0, sigma_b if layer < depth - 1 else 0.0)
    return sigma


# 04.4


def updated_too_early(q, widths, sigma_b):
    m1, m2 = q, q**2
    for n in widths:
        m1 = sigma_b**2 + m1 / 2
        m2 = sigma_b**4 + sigma_b**2 * m1 + (0.25 + 1.25 / n) * m2
    return 3 * (m2 / m1**2 - 1)


def fourth_moment_three(q, widths, sigma_b):
    m1, m2 = q, q**2
    for n in widths:
        m2 = sigma_b**4 + sigma_b**2 * m1 + m2 / 4 + (3 - 0.25) * m2 / n
        m1 = sigma_b**2 + m1 / 2
    return 3 * (m2 / m1**2 - 1)


def raw_kurtosis(q, widths, sigma_b):
    m1, m2 = q, q**2
    for n in widths:
        m2 = sigma_b**4 + sigma_b**2 * m1 + m2 / 4 + 1.25 * m2 / n
        m1 = sigma_b**2 + m1 / 2
    return 3 * m2 / m1**2


def square_without_cross_term(q, widths, sigma_b):
    m1, m2 = q, q**2
    for n in widths:
        m1, m2 = sigma_b**2 + m1 / 2, sigma_b**4 + m2 / 4 + 1.25 * m2 / n
    return 3 * (m2 / m1**2 - 1)


def same_width(q, widths, sigma_b):
    m1, m2 = q, q**2
    for _ in widths:
        m1, m2 = sigma_b**2 + m1 / 2, sigma_b**4 + sigma_b**2 * m1 + m2 / 4 + 1.25 * m2 / widths[0]
    return 3 * (m2 / m1**2 - 1)


def three_halves_over_n(q, widths, sigma_b):
    m1, m2 = q, q**2
    for n in widths:
        m1, m2 = sigma_b**2 + m1 / 2, sigma_b**4 + sigma_b**2 * m1 + m2 / 4 + 1.5 * m2 / n
    return 3 * (m2 / m1**2 - 1)


def product_formula(q, widths, sigma_b):
    return 3 * ((1 + 5 / widths).prod() - 1) * torch.ones(len(q))


def variance_for_excess(q, widths, sigma_b):
    m1, m2 = q, q**2
    for n in widths:
        m1, m2 = sigma_b**2 + m1 / 2, sigma_b**4 + sigma_b**2 * m1 + m2 / 4 + 1.25 * m2 / n
    return m2 / m1**2 - 1


def library_first_order(q, widths, sigma_b):
    x = (q - sigma_b**2).sqrt()[:, None]
    arch = ntk.zoo.mlp(len(widths) + 1, sigma_b=sigma_b)
    return ntk.finite_width.excess_kurtosis(arch, x, width=[int(n) for n in widths])[-1]


def all_layers(q, widths, sigma_b):
    x = (q - sigma_b**2).sqrt()[:, None]
    arch = ntk.zoo.mlp(len(widths) + 1, sigma_b=sigma_b)
    return ntk.finite_width.exact_excess_kurtosis(arch, x, width=[int(n) for n in widths])


def mean_not_halved(q, widths, sigma_b):
    m1, m2 = q, q**2
    for n in widths:
        m1, m2 = sigma_b**2 + m1, sigma_b**4 + sigma_b**2 * m1 + (0.25 + 1.25 / n) * m2
    return 3 * (m2 / m1**2 - 1)


def forgets_that_q_is_random(q, widths, sigma_b):
    m1, m2 = q, q**2
    for n in widths:
        m1, m2 = sigma_b**2 + m1 / 2, (sigma_b**2 + m1 / 2) ** 2 + 1.25 * m1**2 / n
    return 3 * (m2 / m1**2 - 1)


def average_width(q, widths, sigma_b):
    n = widths.mean()
    m1, m2 = q, q**2
    for _ in widths:
        m1, m2 = sigma_b**2 + m1 / 2, sigma_b**4 + sigma_b**2 * m1 + (0.25 + 1.25 / n) * m2
    return 3 * (m2 / m1**2 - 1)


# 04.5


def mean_for_each(k, k_test, y, f0, f0_test):
    return (k_test @ torch.linalg.solve(k, y)).repeat(len(f0), 1)


def prior_plus_mean(k, k_test, y, f0, f0_test):
    return f0_test + k_test @ torch.linalg.solve(k, y)


def residual_reversed(k, k_test, y, f0, f0_test):
    return f0_test + (f0 - y) @ torch.linalg.inv(k) @ k_test.T


def only_the_movement(k, k_test, y, f0, f0_test):
    return (y - f0) @ torch.linalg.inv(k) @ k_test.T


def without_inverse(k, k_test, y, f0, f0_test):
    return f0_test + (y - f0) @ k_test.T


def mean_residual(k, k_test, y, f0, f0_test):
    return f0_test + k_test @ torch.linalg.solve(k, (y - f0).mean(0))


def columns_are_draws(k, k_test, y, f0, f0_test):
    return (f0_test + (y - f0) @ torch.linalg.inv(k) @ k_test.T).T


def power_minus_one(k, k_test, y, f0, f0_test):
    return f0_test + (y - f0) @ k**-1 @ k_test.T


def trained_for_time_one(k, k_test, y, f0, f0_test):
    return ntk.sample_then_optimize(y, k=k, k_test=k_test, f0=f0, f0_test=f0_test, t=1.0)


def average_of_the_ends(k, k_test, y, f0, f0_test):
    return (f0_test + (y - f0) @ torch.linalg.inv(k) @ k_test.T).mean(0)


def corrects_in_place(k, k_test, y, f0, f0_test):
    f0_test += (y - f0) @ torch.linalg.inv(k) @ k_test.T
    return f0_test


def trained_to_zero(k, k_test, y, f0, f0_test):
    return f0_test - f0 @ torch.linalg.solve(k, k_test.T)


def kernel_scaled_by_n(k, k_test, y, f0, f0_test):
    return f0_test + (y - f0) @ torch.linalg.solve(k / len(y), k_test.T)


def same_start_for_all(k, k_test, y, f0, f0_test):
    return f0_test + (y - f0[0]) @ torch.linalg.solve(k, k_test.T)


WRONG = {
    "04.1": [
        (slide_as_printed, "Every layer receives preactivations"),
        (square_root_of_rows, "units that a layer sends out"),
        (plain_torch_layers, "The weights are not scaled"),
        (relu_everywhere, "You apply φ to the outputs"),
        (kaiming, "He's initialization"),
        (beta_forgotten, "as they were drawn"),
        (everything_over_root_n, "divide the biases"),
        (tanh_network, "You used tanh"),
        (outputs_by_inputs, "axes are not in order"),
        (one_relu_too_few, "The last hidden layer is passed on"),
        (length_of_the_batch, "the rows of x"),
        (sigma_b_in_front_of_the_weights, "it belongs to the biases"),
    ],
    "04.2": [
        (he_style, "twice the expectation"),
        (derivative_dual, "expectation of the derivatives"),
        (theta_not_complement, "where the closed form has π − ϑ"),
        (correlation_is_sigma, "You passed a covariance to arccos"),
        (correlation_only, "The factor in front is missing"),
        (covariance_of_the_units, "You subtracted the means"),
        (q_times_q, "the product of the standard deviations"),
        (pi_for_two_pi, "twice the expectation"),
        (divided_by_the_variances, "by the product of the variances"),
        (sampled, None),
        (variances_throughout, "throughout"),
        (broadcast_variance, "by one variance"),
        (clipped_at_zero, "negative ones"),
    ],
    "04.3": [
        (hidden_layers_counted, "as often as there are weight layers"),
        (scales_unsquared, "a covariance is made of squares of both"),
        (sigma_b_unsquared, "You added sigma_b where"),
        (jacot_only, "sigma_w does not enter"),
        (weights_only_at_the_input, "Only the first layer has its sigma_w²"),
        (no_biases_inside, "Only the first layer has its bias"),
        (relu_again, "covariance of a ReLU network"),
        (the_tangent_kernel, "This is Θ"),
        (old_variances, "You keep the variances of the first layer"),
        (not_divided, "not divided by the number of coordinates"),
        (variances_not_broadcast, "a pair has two"),
        (plain_arcsine, "The 2/π in front"),
        (ends_with_the_activation, "You stop behind the activation"),
    ],
    "04.4": [
        (updated_too_early, "updated the first moment before"),
        (fourth_moment_three, "0 half of the time"),
        (raw_kurtosis, "the excess is what it has above 3"),
        (square_without_cross_term, "has a mixed term"),
        (same_width, "You use the first width in every layer"),
        (three_halves_over_n, "the square of the mean E[φ²] is to be subtracted"),
        (product_formula, "The biases are missing"),
        (variance_for_excess, "relative variance of q"),
        (library_first_order, None),
        (all_layers, "expected shape"),
        (mean_not_halved, "is not halved"),
        (forgets_that_q_is_random, "random itself"),
        (average_width, "the mean of the widths"),
    ],
    "04.5": [
        (mean_for_each, "Every draw became the posterior mean"),
        (prior_plus_mean, "You added the posterior mean to each draw"),
        (residual_reversed, "wrong sign"),
        (only_the_movement, "where it started"),
        (without_inverse, "The inverse of the kernel"),
        (mean_residual, "a residual of its own"),
        (columns_are_draws, "axes are not in order"),
        (power_minus_one, "You used 1/Σ of each entry"),
        (trained_for_time_one, "You trained for time 1"),
        (average_of_the_ends, "expected shape"),
        (corrects_in_place, "changes its argument 'f0_test'"),
        (trained_to_zero, "The targets do not enter"),
        (kernel_scaled_by_n, "multiplied by the number of data"),
        (same_start_for_all, "what the first one misses"),
    ],
}

# Right for pairs in general, not on one ray: it keeps two points and hears why.
PARTIAL = {
    "04.2": [(nan_for_zero, "You replaced NaN by 0")],
}
