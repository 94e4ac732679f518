"""Wrong answers to the tasks of chapter 12, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import numpy as np
import torch

# 12.1


def hidden(w, b, x):
    t = torch.tanh(torch.outer(x, w) + b)
    first = 1 - t**2
    return t, first, -2 * t * first, (6 * t**2 - 2) * first


def value_jacobian(w, b, a, x):
    t, first, _, _ = hidden(w, b, x)
    return torch.cat([a * first * x[:, None], a * first, t], 1) / len(w) ** 0.5


def residual_jacobian(w, b, a, x):
    _, _, second, third = hidden(w, b, x)
    by_w = a * (2 * w * second + w**2 * third * x[:, None])
    return torch.cat([by_w, a * w**2 * third, w**2 * second], 1) / len(w) ** 0.5


def stacked(top, bottom):
    rows = torch.cat([top, bottom])
    return rows @ rows.T


def assembled(uu, ur, rr):
    return torch.cat([torch.cat([uu, ur], 1), torch.cat([ur.T, rr], 1)])


def mean_instead_of_sum(w, b, a, xu, xr):
    k = stacked(value_jacobian(w, b, a, xu), residual_jacobian(w, b, a, xr))
    return k / len(k)


def no_scale(w, b, a, xu, xr):
    n = len(w)
    return stacked(value_jacobian(w, b, a, xu) * n**0.5, residual_jacobian(w, b, a, xr) * n**0.5)


def scale_put_in_front_of_the_kernel(w, b, a, xu, xr):
    n = len(w)
    return stacked(value_jacobian(w, b, a, xu), residual_jacobian(w, b, a, xr)) * n / n**0.5


def block_diagonal(w, b, a, xu, xr):
    ju, jr = value_jacobian(w, b, a, xu), residual_jacobian(w, b, a, xr)
    return torch.block_diag(ju @ ju.T, jr @ jr.T)


def equation_on_top(w, b, a, xu, xr):
    return stacked(residual_jacobian(w, b, a, xr), value_jacobian(w, b, a, xu))


def forgets_that_w_occurs_twice(w, b, a, xu, xr):
    n = len(w)
    _, _, second, third = hidden(w, b, xr)
    jr = torch.cat([a * w**2 * third * xr[:, None], a * w**2 * third, w**2 * second], 1) / n**0.5
    return stacked(value_jacobian(w, b, a, xu), jr)


def one_derivative_by_torch(w, b, a, xu, xr):
    theta = [v.clone().requires_grad_() for v in (w, b, a)]
    points = xr.clone().requires_grad_()
    u = torch.tanh(torch.outer(points, theta[0]) + theta[1]) @ theta[2] / len(w) ** 0.5
    (slope,) = torch.autograd.grad(u.sum(), points, create_graph=True)
    rows = [torch.cat(torch.autograd.grad(value, theta, retain_graph=True, materialize_grads=True)) for value in slope]
    return stacked(value_jacobian(w, b, a, xu), torch.stack(rows))


def second_derivative_of_tanh_only(w, b, a, xu, xr):
    _, _, second, third = hidden(w, b, xr)
    jr = torch.cat([a * third * xr[:, None], a * third, second], 1) / len(w) ** 0.5
    return stacked(value_jacobian(w, b, a, xu), jr)


def f_minus_the_equation(w, b, a, xu, xr):
    return stacked(value_jacobian(w, b, a, xu), -residual_jacobian(w, b, a, xr))


def third_derivative_of_tanh_wrong(w, b, a, xu, xr):
    _, first, second, _ = hidden(w, b, xr)
    third = -2 * first * first
    by_w = a * (2 * w * second + w**2 * third * xr[:, None])
    jr = torch.cat([by_w, a * w**2 * third, w**2 * second], 1) / len(w) ** 0.5
    return stacked(value_jacobian(w, b, a, xu), jr)


def without_biases(w, b, a, xu, xr):
    n = len(w)
    keep = torch.cat([torch.arange(n), torch.arange(2 * n, 3 * n)])
    return stacked(value_jacobian(w, b, a, xu)[:, keep], residual_jacobian(w, b, a, xr)[:, keep])


def random_features_only(w, b, a, xu, xr):
    n = len(w)
    return stacked(value_jacobian(w, b, a, xu)[:, 2 * n :], residual_jacobian(w, b, a, xr)[:, 2 * n :])


def hidden_layer_only(w, b, a, xu, xr):
    n = len(w)
    return stacked(value_jacobian(w, b, a, xu)[:, : 2 * n], residual_jacobian(w, b, a, xr)[:, : 2 * n])


def ntk_at_all_points(w, b, a, xu, xr):
    return stacked(value_jacobian(w, b, a, xu), value_jacobian(w, b, a, xr))


def outer_product_of_outputs(w, b, a, xu, xr):
    u = hidden(w, b, xu)[0] @ a
    r = hidden(w, b, xr)[2] @ (a * w**2)
    both = torch.cat([u, r]) / len(w) ** 0.5
    return torch.outer(both, both)


def parameters_by_parameters(w, b, a, xu, xr):
    rows = torch.cat([value_jacobian(w, b, a, xu), residual_jacobian(w, b, a, xr)])
    return rows.T @ rows


def only_the_equation(w, b, a, xu, xr):
    jr = residual_jacobian(w, b, a, xr)
    return jr @ jr.T


def adds_the_two_kernels(w, b, a, xu, xr):
    points = torch.cat([xu, xr])
    ju, jr = value_jacobian(w, b, a, points), residual_jacobian(w, b, a, points)
    return ju @ ju.T + jr @ jr.T


def differences_of_the_rows(w, b, a, xu, xr, h=1e-4):
    before, here, after = (value_jacobian(w, b, a, xr + step) for step in (-h, 0.0, h))
    return stacked(value_jacobian(w, b, a, xu), (before - 2 * here + after) / h**2)


def differences_of_five_points(w, b, a, xu, xr, h=1e-3):
    rows = [value_jacobian(w, b, a, xr + step * h) for step in (-2, -1, 0, 1, 2)]
    weighted = [row * factor for row, factor in zip(rows, (-1, 16, -30, 16, -1), strict=True)]
    return stacked(value_jacobian(w, b, a, xu), sum(weighted) / (12 * h**2))


# 12.2


def weights_from_traces(k, nu):
    return k.trace() / k[:nu, :nu].trace(), k.trace() / k[nu:, nu:].trace()


def scaled(k, nu, u, r):
    roots = torch.ones(len(k), dtype=k.dtype)
    roots[:nu], roots[nu:] = u**0.5, r**0.5
    return torch.diag(roots) @ k @ torch.diag(roots)


def inverted(k, nu):
    u, r = weights_from_traces(k, nu)
    return scaled(k, nu, 1 / u, 1 / r)


def mean_of_the_diagonals(k, nu):
    mean = k.diagonal().mean()
    return scaled(k, nu, mean / k.diagonal()[:nu].mean(), mean / k.diagonal()[nu:].mean())


def swaps_the_weights(k, nu):
    u, r = weights_from_traces(k, nu)
    return scaled(k, nu, r, u)


def divides_by_the_other_block(k, nu):
    u, r = k[:nu, :nu].trace(), k[nu:, nu:].trace()
    return scaled(k, nu, r / u, u / r)


def only_boundary_weighted(k, nu):
    u, _ = weights_from_traces(k, nu)
    return scaled(k, nu, u, torch.tensor(1.0))


def ratio_of_blocks_for_the_boundary(k, nu):
    return scaled(k, nu, k[nu:, nu:].trace() / k[:nu, :nu].trace(), torch.tensor(1.0))


def lambda_times_k(k, nu):
    u, r = weights_from_traces(k, nu)
    full = torch.cat([u.expand(nu), r.expand(len(k) - nu)])
    return full[:, None] * k


def k_times_lambda(k, nu):
    u, r = weights_from_traces(k, nu)
    full = torch.cat([u.expand(nu), r.expand(len(k) - nu)])
    return k * full


def lambda_on_both_sides(k, nu):
    u, r = weights_from_traces(k, nu)
    return scaled(k, nu, u**2, r**2)


def largest_rates(k, nu):
    u, r, top = (torch.linalg.eigvalsh(m)[-1] for m in (k[:nu, :nu], k[nu:, nu:], k))
    return scaled(k, nu, top / u, top / r)


def numpy_norms(k, nu):
    m = k.numpy()
    u, r = (np.linalg.norm(m) / np.linalg.norm(block) for block in (m[:nu, :nu], m[nu:, nu:]))
    return scaled(k, nu, torch.tensor(u), torch.tensor(r))


def sum_for_a_trace(k, nu):
    return scaled(k, nu, k.abs().sum() / k[:nu, :nu].abs().sum(), k.abs().sum() / k[nu:, nu:].abs().sum())


def leaves_the_coupling(k, nu):
    u, r = weights_from_traces(k, nu)
    out = k.clone()
    out[:nu, :nu] *= u
    out[nu:, nu:] *= r
    return out


def forgets_the_coupling(k, nu):
    u, r = weights_from_traces(k, nu)
    return torch.block_diag(u * k[:nu, :nu], r * k[nu:, nu:])


def normalized_weights(k, nu):
    u, r = weights_from_traces(k, nu)
    return scaled(k, nu, u / (u + r), r / (u + r))


def returns_the_weights(k, nu):
    return torch.stack(weights_from_traces(k, nu))


def returns_the_rates(k, nu):
    u, r = weights_from_traces(k, nu)
    return torch.linalg.eigvalsh(scaled(k, nu, u, r))


def returns_k(k, nu):
    return k * 1.0


def one_root_in_front(k, nu):
    u, r = weights_from_traces(k, nu)
    return torch.cat([u.sqrt().expand(nu), r.sqrt().expand(len(k) - nu)])[:, None] * k


# 12.3


def lambdas(k, nu, weights):
    full = torch.empty(len(k), dtype=k.dtype)
    full[:nu], full[nu:] = weights[0], weights[1]
    return full


def powered(matrix, lr, steps, e0):
    return torch.linalg.matrix_power(torch.eye(len(e0), dtype=e0.dtype) - lr * matrix, steps) @ e0


def exponential(k, nu, weights, e0, lr, steps):
    return torch.linalg.matrix_exp(-lr * steps * k @ torch.diag(lambdas(k, nu, weights))) @ e0


def lambda_in_front(k, nu, weights, e0, lr, steps):
    return powered(torch.diag(lambdas(k, nu, weights)) @ k, lr, steps, e0)


def weighted_kernel_on_e(k, nu, weights, e0, lr, steps):
    root = torch.diag(lambdas(k, nu, weights).sqrt())
    return powered(root @ k @ root, lr, steps, e0)


def stays_in_weighted_coordinates(k, nu, weights, e0, lr, steps):
    root = lambdas(k, nu, weights).sqrt()
    return powered(torch.diag(root) @ k @ torch.diag(root), lr, steps, root * e0)


def ignores_the_weights(k, nu, weights, e0, lr, steps):
    return powered(k, lr, steps, e0)


def weights_the_wrong_way(k, nu, weights, e0, lr, steps):
    return powered(k @ torch.diag(lambdas(k, nu, weights.flip(0))), lr, steps, e0)


def weights_squared_by_hand(k, nu, weights, e0, lr, steps):
    return powered(k @ torch.diag(lambdas(k, nu, weights) ** 2), lr, steps, e0)


def mean_of_the_squares(k, nu, weights, e0, lr, steps):
    return powered(k @ torch.diag(lambdas(k, nu, weights)) / len(e0), lr, steps, e0)


def mse_loss_for_each(k, nu, weights, e0, lr, steps):
    full = lambdas(k, nu, weights)
    full[:nu] /= nu
    full[nu:] /= len(k) - nu
    return powered(k @ torch.diag(full), lr, steps, e0)


def forgets_the_half(k, nu, weights, e0, lr, steps):
    return powered(2 * k @ torch.diag(lambdas(k, nu, weights)), lr, steps, e0)


def climbs(k, nu, weights, e0, lr, steps):
    return powered(-k @ torch.diag(lambdas(k, nu, weights)), lr, steps, e0)


def each_by_itself(k, nu, weights, e0, lr, steps):
    u = powered(weights[0] * k[:nu, :nu], lr, steps, e0[:nu])
    r = powered(weights[1] * k[nu:, nu:], lr, steps, e0[nu:])
    return torch.cat([u, r])


def updates_in_place(k, nu, weights, e0, lr, steps):
    u, r = e0[:nu], e0[nu:]
    for _ in range(steps):
        u = u - lr * (weights[0] * k[:nu, :nu] @ u + weights[1] * k[:nu, nu:] @ r)
        r = r - lr * (weights[0] * k[nu:, :nu] @ u + weights[1] * k[nu:, nu:] @ r)
    return torch.cat([u, r])


def own_weight_for_the_row(k, nu, weights, e0, lr, steps):
    u, r = e0[:nu], e0[nu:]
    for _ in range(steps):
        du = weights[0] * (k[:nu, :nu] @ u + k[:nu, nu:] @ r)
        dr = weights[1] * (k[nu:, :nu] @ u + k[nu:, nu:] @ r)
        u, r = u - lr * du, r - lr * dr
    return torch.cat([u, r])


def multiplies_the_steps(k, nu, weights, e0, lr, steps):
    return e0 - lr * steps * k @ (lambdas(k, nu, weights) * e0)


def one_step(k, nu, weights, e0, lr, steps):
    return e0 - lr * k @ (lambdas(k, nu, weights) * e0)


def off_by_one(k, nu, weights, e0, lr, steps):
    e = e0
    for _ in range(1, steps):
        e = e - lr * k @ (lambdas(k, nu, weights) * e)
    return e


def change_only(k, nu, weights, e0, lr, steps):
    return powered(k @ torch.diag(lambdas(k, nu, weights)), lr, steps, e0) - e0


def power_of_the_entries(k, nu, weights, e0, lr, steps):
    return (torch.eye(len(k), dtype=k.dtype) - lr * k @ torch.diag(lambdas(k, nu, weights))) ** steps @ e0


def all_steps_in_a_list(k, nu, weights, e0, lr, steps):
    e = [e0]
    for _ in range(steps):
        e.append(e[-1] - lr * k @ (lambdas(k, nu, weights) * e[-1]))
    return torch.stack(e)


def the_norms(k, nu, weights, e0, lr, steps):
    e = powered(k @ torch.diag(lambdas(k, nu, weights)), lr, steps, e0)
    return torch.stack([e[:nu].norm(), e[nu:].norm()])


def units_without_a(w, b, a, xu, xr):
    def rows(x, second):
        t = torch.tanh(x[:, None] * w + b)
        one, two, three = 1 - t**2, -2 * t * (1 - t**2), (6 * t**2 - 2) * (1 - t**2)
        if second:
            return torch.cat([2 * w * two + w**2 * three * x[:, None], w**2 * three, w**2 * two], 1)
        return torch.cat([one * x[:, None], one, t], 1)

    jacobian = torch.cat([rows(xu, False), rows(xr, True)]) / len(w) ** 0.5
    return jacobian @ jacobian.T


def mean_below(k, nu):
    d = k.diagonal()
    scale = torch.cat([(d.sum() / part.mean()).sqrt().expand(len(part)) for part in (d[:nu], d[nu:])])
    return scale[:, None] * k * scale


def eigh_of_the_product(k, nu, weights, e0, lr, steps):
    lam = torch.cat([weights[:1].expand(nu), weights[1:].expand(len(k) - nu)])
    values, vectors = torch.linalg.eigh(k @ torch.diag(lam))
    return vectors @ ((1 - lr * values) ** steps * (vectors.T @ e0))


WRONG = {
    "12.1": [
        (mean_instead_of_sum, "without 1/N"),
        (no_scale, "u carries 1/√n"),
        (scale_put_in_front_of_the_kernel, "each of the two gradients"),
        (block_diagonal, "a step for one moves the other"),
        (equation_on_top, "the boundary's points come first"),
        (forgets_that_w_occurs_twice, "both places are differentiated"),
        (one_derivative_by_torch, "the equation is about u″"),
        (second_derivative_of_tanh_only, "a factor w for each order"),
        (f_minus_the_equation, "the second error is 𝓛u − f"),
        (third_derivative_of_tanh_wrong, "its derivative has two terms"),
        (without_biases, "b is trained as well"),
        (random_features_only, "w and b are parameters too"),
        (hidden_layer_only, "a is trained as well"),
        (ntk_at_all_points, "the output is u″"),
        (outer_product_of_outputs, "the kernel multiplies their gradients"),
        (parameters_by_parameters, "shape"),
        (only_the_equation, "shape"),
        (adds_the_two_kernels, None),
        (units_without_a, "The factor a is missing"),
        (differences_of_the_rows, "a finite difference"),
        (differences_of_five_points, "a finite difference"),
    ],
    "12.2": [
        (inverted, "upside down"),
        (mean_of_the_diagonals, "the traces are sums"),
        (swaps_the_weights, "exchanged"),
        (divides_by_the_other_block, "the trace of the whole kernel"),
        (only_boundary_weighted, "Only the boundary has a weight"),
        (ratio_of_blocks_for_the_boundary, "the trace of the whole kernel stands above"),
        (lambda_times_k, "not symmetric"),
        (k_times_lambda, "not symmetric"),
        (lambda_on_both_sides, "twice"),
        (largest_rates, "the sums of all eigenvalues"),
        (numpy_norms, "sums over the diagonal"),
        (sum_for_a_trace, "a trace is the sum over the diagonal"),
        (leaves_the_coupling, "the roots of both weights"),
        (forgets_the_coupling, "do not uncouple"),
        (normalized_weights, "both exceed 1"),
        (returns_the_weights, "shape"),
        (returns_the_rates, "shape"),
        (returns_k, "asked is the kernel with the weights"),
        (one_root_in_front, "it belongs on both"),
        (mean_below, "all three traces are sums"),
    ],
    "12.3": [
        (exponential, "gradient flow"),
        (lambda_in_front, "You used ΛK"),
        (weighted_kernel_on_e, "which is another vector"),
        (stays_in_weighted_coordinates, "go back to e"),
        (ignores_the_weights, "do not occur"),
        (weights_the_wrong_way, "exchanged"),
        (weights_squared_by_hand, "squared"),
        (mean_of_the_squares, "the cost sums over them"),
        (mse_loss_for_each, "here both are sums"),
        (forgets_the_half, "twice as long"),
        (climbs, "climb"),
        (each_by_itself, "K_ur carries every step"),
        (updates_in_place, "from the same state"),
        (own_weight_for_the_row, "You used ΛK"),
        (multiplies_the_steps, "those after the first"),
        (one_step, "asked are the errors after all of them"),
        (off_by_one, "too few"),
        (change_only, "asked are the errors themselves"),
        (power_of_the_entries, "a power of the matrix"),
        (all_steps_in_a_list, "shape"),
        (the_norms, "shape"),
        (eigh_of_the_product, "a solver for symmetric matrices"),
    ],
}
