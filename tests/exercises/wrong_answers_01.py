"""Answers to exercise 01 as students write them, and a telling part of what each must hear."""

import numpy as np
import torch

# 01.1


def one_norm_for_the_tensor(direction, parameter):
    return direction / torch.norm(direction) * torch.norm(parameter)


def norm_of_columns(direction, parameter):
    if direction.dim() == 1:
        return torch.zeros_like(direction)
    return direction / direction.norm(dim=0) * parameter.norm(dim=0)


def only_made_unit(direction, parameter):
    if direction.dim() == 1:
        return torch.zeros_like(direction)
    flat = direction.reshape(len(direction), -1)
    return torch.nn.functional.normalize(flat, dim=1).reshape(direction.shape)


def forgot_to_divide(direction, parameter):
    out = torch.zeros_like(direction)
    if direction.dim() > 1:
        for i in range(len(direction)):
            out[i] = direction[i] * parameter[i].norm()
    return out


def sum_of_squares_without_root(direction, parameter):
    if direction.dim() == 1:
        return direction * 0
    axes = tuple(range(1, direction.dim()))
    return direction / (direction**2).sum(axes, keepdim=True) * (parameter**2).sum(axes, keepdim=True)


def no_case_for_biases(direction, parameter):
    rows = [d / d.norm() * p.norm() for d, p in zip(direction, parameter, strict=True)]
    return torch.stack(rows)


def ignores_one_dimension(direction, parameter):
    if direction.dim() == 1:
        return direction
    rows = [d / d.norm() * p.norm() for d, p in zip(direction, parameter, strict=True)]
    return torch.stack(rows)


def in_place(direction, parameter):
    if direction.dim() == 1:
        return direction.zero_()
    for d, p in zip(direction, parameter, strict=True):
        d.mul_(p.norm() / d.norm())
    return direction


def last_axis(direction, parameter):
    if direction.dim() == 1:
        return torch.zeros_like(direction)
    return direction / direction.norm(dim=-1, keepdim=True) * parameter.norm(dim=-1, keepdim=True)


def flattened_result(direction, parameter):
    d, p = direction.reshape(len(direction), -1), parameter.reshape(len(direction), -1)
    return d / d.norm(dim=1, keepdim=True) * p.norm(dim=1, keepdim=True) * (direction.dim() > 1)


def each_small_kernel(direction, parameter):
    if direction.dim() == 1:
        return torch.zeros_like(direction)
    axes = (2, 3) if direction.dim() == 4 else 1
    return direction / direction.norm(dim=axes, keepdim=True) * parameter.norm(dim=axes, keepdim=True)


def squares_below(direction, parameter):
    if direction.dim() == 1:
        return torch.zeros_like(direction)
    d, p = direction.reshape(len(direction), -1), parameter.reshape(len(direction), -1)
    return (d / (d * d).sum(1, keepdim=True) * p.norm(dim=1, keepdim=True)).reshape(direction.shape)


# 01.2


def parts(w_in, bias, w_out):
    entering = torch.cat([w_in, bias[:, None]], dim=1)
    return entering, w_out.T, entering.norm(dim=1), w_out.norm(dim=0)


def assembled(entering, leaving):
    return torch.cat([entering, leaving], dim=1)


def ratio_not_root(w_in, bias, w_out):
    entering, leaving, one, two = parts(w_in, bias, w_out)
    lam = (two / one)[:, None]
    return assembled(lam * entering, leaving / lam)


def upside_down(w_in, bias, w_out):
    entering, leaving, one, two = parts(w_in, bias, w_out)
    lam = (one / two).sqrt()[:, None]
    return assembled(lam * entering, leaving / lam)


def weight_normalized(w_in, bias, w_out):
    entering, leaving, one, _ = parts(w_in, bias, w_out)
    return assembled(entering / one[:, None], leaving * one[:, None])


def forgets_the_bias(w_in, bias, w_out):
    lam = (w_out.norm(dim=0) / w_in.norm(dim=1)).sqrt()[:, None]
    return torch.cat([lam * w_in, bias[:, None], w_out.T / lam], dim=1)


def bias_outside_the_norm(w_in, bias, w_out):
    lam = (w_out.norm(dim=0) / w_in.norm(dim=1)).sqrt()
    return torch.cat([lam[:, None] * w_in, (lam * bias)[:, None], (w_out / lam).T], dim=1)


def layer_factor(w_in, bias, w_out):
    entering, leaving, _, _ = parts(w_in, bias, w_out)
    lam = (leaving.norm() / entering.norm()).sqrt()
    return assembled(lam * entering, leaving / lam)


def times_on_both_sides(w_in, bias, w_out):
    entering, leaving, one, two = parts(w_in, bias, w_out)
    lam = (two / one).sqrt()[:, None]
    return assembled(lam * entering, lam * leaving)


def only_the_factors(w_in, bias, w_out):
    _, _, one, two = parts(w_in, bias, w_out)
    return (two / one).sqrt()


def outgoing_rows(w_in, bias, w_out):
    entering, leaving, one, _ = parts(w_in, bias, w_out)
    lam = (w_out.norm(dim=1) / one).sqrt()
    return assembled(lam[:, None] * entering, leaving / lam[:, None])


def bias_in_front(w_in, bias, w_out):
    entering, leaving, one, two = parts(w_in, bias, w_out)
    lam = (two / one).sqrt()[:, None]
    row = torch.cat([(lam * entering)[:, -1:], (lam * entering)[:, :-1], leaving / lam], dim=1)
    return torch.nan_to_num(row)


def both_sides_of_mean_length(w_in, bias, w_out):
    entering, leaving, one, two = parts(w_in, bias, w_out)
    mean = (one + two) / 2
    return torch.nan_to_num(assembled(entering * (mean / one)[:, None], leaving * (mean / two)[:, None]))


# 01.3


def forward(network, x):
    w, b, v, c = network
    return torch.relu(x @ w.T + b) @ v.T + c


def mse(f, y):
    return ((f - y) ** 2).sum(1).mean() / 2


def walk(one, two, x, y, steps, cost=mse):
    s = torch.linspace(0, 1, steps + 1, dtype=x.dtype)
    return torch.stack([cost(forward([p + a * (q - p) for p, q in zip(one, two, strict=True)], x), y) for a in s])


def averages_functions(one, two, x, y, steps):
    u, v = forward(one, x), forward(two, x)
    best = 0.0
    for j in range(steps + 1):
        s = j / steps
        best = max(best, float(mse((1 - s) * u + s * v, y) - (1 - s) * mse(u, y) - s * mse(v, y)))
    return best


def highest_cost(one, two, x, y, steps):
    return walk(one, two, x, y, steps).max()


def over_the_mean_of_ends(one, two, x, y, steps):
    c = walk(one, two, x, y, steps)
    return float(c.max() - 0.5 * (c[0] + c[-1]))


def over_the_first(one, two, x, y, steps):
    c = walk(one, two, x, y, steps)
    return float(max(c) - c[0])


def midpoint(one, two, x, y, steps):
    mid = [(p + q) / 2 for p, q in zip(one, two, strict=True)]
    return mse(forward(mid, x), y) - (mse(forward(one, x), y) + mse(forward(two, x), y)) / 2


def torch_mse_loss(one, two, x, y, steps):
    c = walk(one, two, x, y, steps, cost=torch.nn.functional.mse_loss)
    s = torch.linspace(0, 1, steps + 1, dtype=x.dtype)
    return (c - (1 - s) * c[0] - s * c[-1]).max()


def linspace_with_steps(one, two, x, y, steps):
    s = torch.linspace(0, 1, steps, dtype=x.dtype)
    c = torch.stack([mse(forward([(1 - a) * p + a * q for p, q in zip(one, two, strict=True)], x), y) for a in s])
    return (c - (1 - s) * c[0] - s * c[-1]).max()


def whole_curve(one, two, x, y, steps):
    c = walk(one, two, x, y, steps)
    s = torch.linspace(0, 1, steps + 1, dtype=x.dtype)
    return c - (1 - s) * c[0] - s * c[-1]


def where_it_is(one, two, x, y, steps):
    return whole_curve(one, two, x, y, steps).argmax() / steps


def summed_squares(one, two, x, y, steps):
    c = walk(one, two, x, y, steps, cost=lambda f, t: ((f - t) ** 2).sum() / 2)
    s = torch.linspace(0, 1, steps + 1, dtype=x.dtype)
    return (c - (1 - s) * c[0] - s * c[-1]).max()


def searches_the_cost(one, two, x, y, steps):
    c = walk(one, two, x, y, steps)
    j = int(torch.argmax(c))
    return c[j] - (1 - j / steps) * c[0] - j / steps * c[-1]


def forgets_the_relu(one, two, x, y, steps):
    s = torch.linspace(0, 1, steps + 1, dtype=x.dtype)
    costs = []
    for a in s:
        w, b, v, c = [(1 - a) * p + a * q for p, q in zip(one, two, strict=True)]
        costs.append(mse((x @ w.T + b) @ v.T + c, y))
    costs = torch.stack(costs)
    return (costs - (1 - s) * costs[0] - s * costs[-1]).max()


def range_of_steps(one, two, x, y, steps):
    s = torch.arange(steps, dtype=x.dtype) / steps
    c = walk(one, two, x, y, steps)[:-1]
    return (c - (1 - s) * c[0] - s * c[-1]).max()


# 01.4


def on_the_way(u, v, s):
    return (1 - s[:, None]) * u + s[:, None] * v


def p_one_minus_p(f):
    return torch.sigmoid(f) * (1 - torch.sigmoid(f))


def summed(u, v, y, s):
    return (p_one_minus_p(y * on_the_way(u, v, s)) * (v - u) ** 2).sum(1)


def by_f_only(u, v, y, s):
    return p_one_minus_p(y * on_the_way(u, v, s)).mean(1)


def label_remains(u, v, y, s):
    return (y * p_one_minus_p(y * on_the_way(u, v, s)) * (v - u) ** 2).mean(1)


def one_factor_of_the_difference(u, v, y, s):
    return (p_one_minus_p(y * on_the_way(u, v, s)) * (v - u)).mean(1)


def gradient_only(u, v, y, s):
    return (-y * (v - u) * torch.sigmoid(-y * on_the_way(u, v, s))).mean(1)


def of_least_squares(u, v, y, s):
    return torch.full_like(s, float(((v - u) ** 2).mean()))


def ends_exchanged(u, v, y, s):
    return (p_one_minus_p(y * on_the_way(v, u, s)) * (v - u) ** 2).mean(1)


def p_squared(u, v, y, s):
    return (torch.sigmoid(-y * on_the_way(u, v, s)) ** 2 * (v - u) ** 2).mean(1)


def each_example(u, v, y, s):
    return p_one_minus_p(y * on_the_way(u, v, s)) * (v - u) ** 2


def finite_differences(u, v, y, s):
    q = lambda t: torch.log1p(torch.exp(-y * on_the_way(u, v, t))).mean(1)  # noqa: E731
    return (q(s + 0.05) - 2 * q(s) + q(s - 0.05)) / 0.05**2


def between_the_curvatures(u, v, y, s):
    bends = [(p_one_minus_p(f) * (v - u) ** 2).mean() for f in (u, v)]
    return bends[0] + s * (bends[1] - bends[0])


def derivative_of_tanh(u, v, y, s):
    return ((1 - torch.tanh(on_the_way(u, v, s)) ** 2) * (v - u) ** 2).mean(1)


def exp_over_exp(u, v, y, s):
    e = torch.exp(-y * on_the_way(u, v, s))
    return (e / (1 + e) ** 2 * (v - u) ** 2).mean(1)


def nan_is_zero(u, v, y, s):
    return torch.nan_to_num(exp_over_exp(u, v, y, s))


# 01.5


def rows_of(jacobian):
    return jacobian.reshape(-1, jacobian.shape[2])


def gram_without_n(jacobian, k):
    j = rows_of(jacobian)
    values = torch.linalg.eigvalsh(j @ j.T).flip(0)
    return torch.cat([values, values.new_zeros(max(0, k - len(values)))])[:k]


def gram_over_rows(jacobian, k):
    j = rows_of(jacobian)
    return gram_without_n(jacobian, k) / len(j)


def svd_unsquared(jacobian, k):
    values = torch.linalg.svdvals(rows_of(jacobian) / len(jacobian) ** 0.5)
    return torch.cat([values, values.new_zeros(max(0, k - len(values)))])[:k]


def ascending(jacobian, k):
    g = torch.einsum("ncp,ncq->pq", jacobian, jacobian) / len(jacobian)
    return torch.linalg.eigvalsh(g)[-k:]


def first_k_of_eigvalsh(jacobian, k):
    j = rows_of(jacobian)
    return torch.linalg.eigvalsh(j @ j.T / len(jacobian))[:k]


def summed_outputs(jacobian, k):
    j = jacobian.sum(1)
    values = torch.linalg.eigvalsh(j @ j.T / len(j)).flip(0)[:k]
    return torch.cat([values, values.new_zeros(k - len(values))])


def trace_kernel(jacobian, k):
    theta = np.einsum("ncp,mcp->nm", jacobian.numpy(), jacobian.numpy())
    return np.linalg.eigvalsh(theta / len(theta))[::-1][:k].copy()


def all_of_them(jacobian, k):
    g = torch.einsum("ncp,ncq->pq", jacobian, jacobian) / len(jacobian)
    return torch.linalg.eigvalsh(g).flip(0)


def complex_eigenvalues(jacobian, k):
    g = torch.einsum("ncp,ncq->pq", jacobian, jacobian) / len(jacobian)
    return torch.linalg.eigvals(g)[:k]


def two_from_the_square(jacobian, k):
    j = rows_of(jacobian)
    values = torch.linalg.eigvalsh(2 * j @ j.T / len(jacobian)).flip(0)
    return torch.cat([values, values.new_zeros(max(0, k - len(values)))])[:k]


def reshaped_the_other_way(jacobian, k):
    j = jacobian.reshape(jacobian.shape[2], -1)
    values = torch.linalg.eigvalsh(j.T @ j / len(jacobian)).flip(0)
    return torch.cat([values, values.new_zeros(max(0, k - len(values)))])[:k]


WRONG = {
    "01.1": [
        (one_norm_for_the_tensor, "one factor for the whole layer"),
        (norm_of_columns, "normalized over the units"),
        (only_made_unit, "has length 1"),
        (forgot_to_divide, "did not divide"),
        (sum_of_squares_without_root, "ratio of squared lengths"),
        (in_place, "changes its argument 'direction'"),
        (last_axis, "runs over the last axis alone"),
        (flattened_result, "expected shape [5, 2, 3, 3], received [5, 18]"),
        (each_small_kernel, "one for each pair of channels"),
        (squares_below, "squared length of the direction"),
    ],
    "01.2": [
        (ratio_not_root, "exchanges the two lengths"),
        (upside_down, "upside down"),
        (weight_normalized, "What enters each unit has length 1"),
        (forgets_the_bias, None),
        (bias_outside_the_norm, "left the bias out of the length"),
        (layer_factor, "as a whole"),
        (times_on_both_sides, "multiplied by λ, like what enters"),
        (only_the_factors, "expected shape"),
        (outgoing_rows, "raised RuntimeError"),
        (bias_in_front, "the bias stands first"),
        (both_sides_of_mean_length, "the mean of their two lengths"),
    ],
    "01.3": [
        (averages_functions, "walked between the outputs"),
        (highest_cost, "largest cost on the path"),
        (over_the_mean_of_ends, "mean of the two ends"),
        (over_the_first, "one end, the lower one"),
        (midpoint, "midpoint alone"),
        (torch_mse_loss, "mean of all squares"),
        (linspace_with_steps, "has `steps` points"),
        (whole_curve, "expected shape"),
        (where_it_is, None),
        (summed_squares, "sum over the inputs"),
        (searches_the_cost, "The chord is subtracted first"),
        (forgets_the_relu, None),
        (range_of_steps, "Your path stops at"),
    ],
    "01.4": [
        (summed, "not divided by their number"),
        (by_f_only, "differentiated by f"),
        (label_remains, "y is left as a factor"),
        (one_factor_of_the_difference, "appears once"),
        (gradient_only, "slope q'(s)"),
        (of_least_squares, "squared error"),
        (ends_exchanged, "exchanged"),
        (p_squared, "p(1 − p), not p²"),
        (each_example, "expected shape"),
        (finite_differences, None),
        (between_the_curvatures, "interpolated between the curvatures"),
        (derivative_of_tanh, "the derivative of tanh"),
    ],
    "01.5": [
        (gram_without_n, "1/N is missing"),
        (gram_over_rows, "inputs times outputs"),
        (svd_unsquared, "singular values"),
        (ascending, "rising order"),
        (first_k_of_eigvalsh, "smallest eigenvalues"),
        (summed_outputs, "added up the outputs"),
        (trace_kernel, "one row an input"),
        (all_of_them, "expected shape"),
        (complex_eigenvalues, "complex"),
        (two_from_the_square, "twice too large"),
        (reshaped_the_other_way, "moves no axis"),
    ],
}

# Right between generic outputs, not where they are large: they keep two points and hear why.
PARTIAL = {
    "01.4": [(exp_over_exp, "an exponential is infinite"), (nan_is_zero, "replaced NaN by 0")],
}
