"""Wrong answers to the tasks of chapter 03, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import numpy as np
import torch

# 03.1


def the_slide(f1, f2):
    P = f1.shape[1]
    K = torch.zeros(P, P)
    for p in range(P):
        for q in range(P):
            K[p, q] = (f1[:, p].sum() * f2[:, q].sum()) / P
    return K


def numpy_outer(f1, f2):
    return np.stack([np.outer(a, b) for a, b in zip(f1.numpy(), f1.numpy(), strict=True)]).mean(0)


def plain_matmul(f1, f2):
    return torch.matmul(f1, f2.transpose(0, 1))


def torch_cov(f1, f2):
    both = torch.cov(torch.cat([f1, f2]))
    return both[: len(f1), len(f1) :]


def torch_corrcoef(f1, f2):
    return torch.corrcoef(torch.cat([f1, f2]))[: len(f1), len(f1) :]


def normalized_rows(f1, f2):
    return torch.nn.functional.normalize(f1) @ torch.nn.functional.normalize(f2).T


def pairs_in_order(f1, f2):
    n = min(len(f1), len(f2))
    return (f1[:n] * f2[:n]).mean(1)


def divides_by_rows(f1, f2):
    return f1 @ f2.T / f1.shape[0]


def one_scaled(f1, f2):
    return (f1 / f1.shape[1] ** 0.5) @ f2.T


def squared_scale(f1, f2):
    return f1 @ f2.T / f1.shape[1] ** 2


def ignores_second(f1, f2):
    scaled = f1 / f1.shape[1] ** 0.5
    return scaled @ scaled.T


def means_multiplied(f1, f2):
    return f1.mean(1)[:, None] * f2.mean(1)[None, :]


def one_fewer(f1, f2):
    return f1 @ f2.T / (f1.shape[1] - 1)


def over_all_entries(f1, f2):
    return f1 @ f2.T / f1.numel()


# 03.2


def manual(theta, phi, y, lr, steps, f=None, g=None, count=None):
    P, N = phi.shape[1], phi.shape[0]
    f, g, count = f or P**0.5, g or P**0.5, count or N
    for _ in range(steps):
        out = phi @ theta / f
        theta = theta - lr * phi.T @ (out - y) / g / count
    return theta


def forgot_root_in_gradient(theta, phi, y, lr, steps):
    return manual(theta, phi, y, lr, steps, g=1)


def sum_of_squares(theta, phi, y, lr, steps):
    theta = theta.clone().requires_grad_(True)
    for _ in range(steps):
        loss = ((phi @ theta / phi.shape[1] ** 0.5 - y) ** 2).sum() / 2
        (grad,) = torch.autograd.grad(loss, theta)
        theta = theta - lr * grad
    return theta


def mse_loss(theta, phi, y, lr, steps):
    theta = theta.clone().requires_grad_(True)
    for _ in range(steps):
        loss = torch.nn.functional.mse_loss(phi @ theta / phi.shape[1] ** 0.5, y)
        (grad,) = torch.autograd.grad(loss, theta)
        theta = (theta - lr * grad).detach().requires_grad_(True)
    return theta


def plain_linear_regression(theta, phi, y, lr, steps):
    for _ in range(steps):
        theta = theta - lr / len(y) * phi.T @ (phi @ theta - y)
    return theta


def y_minus_f(theta, phi, y, lr, steps):
    for _ in range(steps):
        residual = y - phi @ theta / phi.shape[1] ** 0.5
        theta = theta - lr / len(y) * phi.T @ residual / phi.shape[1] ** 0.5
    return theta


def return_inside_loop(theta, phi, y, lr, steps):
    for _ in range(steps):
        return manual(theta, phi, y, lr, 1)


def gradient_outside_loop(theta, phi, y, lr, steps):
    P, N = phi.shape[1], len(y)
    gradient = phi.T @ (phi @ theta / P**0.5 - y) / (N * P**0.5)
    for _ in range(steps):
        theta = theta - lr * gradient
    return theta


def in_place(theta, phi, y, lr, steps):
    for _ in range(steps):
        theta -= lr / len(y) * phi.T @ (phi @ theta / phi.shape[1] ** 0.5 - y) / phi.shape[1] ** 0.5
    return theta


def sgd(theta, phi, y, lr, steps):
    P = phi.shape[1]
    for _ in range(steps):
        for i in range(len(y)):
            theta = theta - lr / len(y) * (phi[i] @ theta / P**0.5 - y[i]) * phi[i] / P**0.5
    return theta


def one_over_p(theta, phi, y, lr, steps):
    P = phi.shape[1]
    return manual(theta, phi, y, lr, steps, f=P, g=P)


def history(theta, phi, y, lr, steps):
    thetas = [theta]
    for _ in range(steps):
        thetas.append(manual(thetas[-1], phi, y, lr, 1))
    return torch.stack(thetas)


def jumps_to_the_end(theta, phi, y, lr, steps):
    J = phi / phi.shape[1] ** 0.5
    return theta + torch.linalg.pinv(J) @ (y - J @ theta)


def column_minus_row(theta, phi, y, lr, steps):
    for _ in range(steps):
        theta = theta.detach().requires_grad_(True)
        outputs = phi @ theta[:, None] / phi.shape[1] ** 0.5
        loss = ((outputs - y) ** 2).mean() / 2
        theta = theta - lr * torch.autograd.grad(loss, theta)[0]
    return theta


def root_of_n(theta, phi, y, lr, steps):
    return manual(theta, phi, y, lr, steps, f=len(y) ** 0.5, g=len(y) ** 0.5)


def grad_never_zeroed(theta, phi, y, lr, steps):
    theta = theta.clone().requires_grad_(True)
    for _ in range(steps):
        (((phi @ theta / phi.shape[1] ** 0.5 - y) ** 2).mean() / 2).backward()
        with torch.no_grad():
            theta -= lr * theta.grad
    return theta


# 03.3


def least_norm(phi, y, theta0):
    return torch.linalg.lstsq(phi / phi.shape[1] ** 0.5, y[:, None], driver="gelsd").solution[:, 0]


def plus_start(phi, y, theta0):
    return torch.linalg.pinv(phi / phi.shape[1] ** 0.5) @ y + theta0


def unscaled(phi, y, theta0):
    return theta0 + torch.linalg.pinv(phi) @ (y - phi @ theta0)


def inverse_of_hessian(phi, y, theta0):
    J = phi / phi.shape[1] ** 0.5
    return torch.linalg.inv(J.T @ J) @ J.T @ y


def half_scaled(phi, y, theta0):
    return theta0 + torch.linalg.pinv(phi / phi.shape[1] ** 0.5) @ (y - phi @ theta0)


def divided_gram(phi, y, theta0):
    N, P = phi.shape
    J = phi / P**0.5
    K = J @ J.T / N
    return theta0 + J.T @ torch.linalg.pinv(K, rtol=1e-12, hermitian=True) @ (y - J @ theta0)


def transpose(phi, y, theta0):
    J = phi / phi.shape[1] ** 0.5
    return theta0 + J.T @ (y - J @ theta0)


def fitted_values(phi, y, theta0):
    J = phi / phi.shape[1] ** 0.5
    return J @ theta0 + J @ torch.linalg.pinv(J) @ (y - J @ theta0)


def keeps_wrong_part(phi, y, theta0):
    J = phi / phi.shape[1] ** 0.5
    pinv = torch.linalg.pinv(J)
    return pinv @ y + pinv @ J @ theta0


def wrong_sign(phi, y, theta0):
    J = phi / phi.shape[1] ** 0.5
    return theta0 - torch.linalg.pinv(J) @ (y - J @ theta0)


def scaled_by_p(phi, y, theta0):
    J = phi / phi.shape[1]
    return theta0 + torch.linalg.pinv(J) @ (y - J @ theta0)


def half_scaled_the_other_way(phi, y, theta0):
    return theta0 + torch.linalg.pinv(phi) @ (y - phi @ theta0 / phi.shape[1] ** 0.5)


def what_is_left(phi, y, theta0):
    return theta0 - torch.linalg.pinv(phi) @ phi @ theta0


def hundred_steps(phi, y, theta0):
    return manual(theta0, phi, y, 0.1, 100)


def divides_by_n(phi, y, theta0):
    J = phi / phi.shape[1] ** 0.5
    return theta0 + torch.linalg.pinv(J) @ (y - J @ theta0) / len(y)


def plain_pseudoinverse(phi, y, theta0):
    return torch.linalg.pinv(phi) @ y


def only_the_way(phi, y, theta0):
    J = phi / phi.shape[1] ** 0.5
    return torch.linalg.pinv(J) @ (y - J @ theta0)


# 03.4


def error(grams, limit):
    return ((grams - limit) ** 2).sum((2, 3)).mean(1)


def polyfit(counts, values):
    return float(np.polyfit(np.log(counts.numpy()), np.log(values.numpy()), 1)[0])


def no_root(counts, grams, limit):
    return polyfit(counts, error(grams, limit))


def mean_norm(counts, grams, limit):
    return polyfit(counts, torch.linalg.norm(grams - limit, dim=(2, 3)).mean(1))


def spectral(counts, grams, limit):
    return polyfit(counts, (torch.linalg.matrix_norm(grams - limit, 2) ** 2).mean(1) ** 0.5)


def mean_gram_first(counts, grams, limit):
    return polyfit(counts, torch.linalg.norm(grams.mean(1) - limit, dim=(1, 2)))


def std_of_grams(counts, grams, limit):
    return polyfit(counts, grams.var(1).sum((1, 2)) ** 0.5)


def semilog(counts, grams, limit):
    return float(np.polyfit(counts.numpy(), np.log(error(grams, limit).sqrt().numpy()), 1)[0])


def other_way_around(counts, grams, limit):
    return float(np.polyfit(np.log(error(grams, limit).sqrt().numpy()), np.log(counts.numpy()), 1)[0])


def first_and_last(counts, grams, limit):
    e = error(grams, limit).sqrt()
    return float(torch.log(e[-1] / e[0]) / torch.log(counts[-1] / counts[0]))


def minus_a_half(counts, grams, limit):
    return -0.5


def positive(counts, grams, limit):
    return abs(polyfit(counts, error(grams, limit).sqrt()))


def slope_and_intercept(counts, grams, limit):
    return np.polyfit(np.log(counts.numpy()), np.log(error(grams, limit).sqrt().numpy()), 1)


def log10_on_one(counts, grams, limit):
    return float(np.polyfit(np.log10(counts.numpy()), np.log(error(grams, limit).sqrt().numpy()), 1)[0])


def forgot_limit(counts, grams, limit):
    return polyfit(counts, (grams**2).sum((2, 3)).mean(1) ** 0.5)


def second_coefficient(counts, grams, limit):
    return float(np.polyfit(np.log(counts.numpy()), np.log(error(grams, limit).sqrt().numpy()), 1)[1])


def no_intercept(counts, grams, limit):
    x = counts.log()
    return (x * error(grams, limit).sqrt().log()).sum() / (x * x).sum()


def last_size_as_the_limit(counts, grams, limit):
    return polyfit(counts, error(grams, grams[-1].mean(0)).sqrt())


# 03.5


def at_moved_weights(w, v, dw, dv, x):
    n, d = w.shape
    return torch.tanh(x @ (w + dw).T / d**0.5) @ (v + dv) / n**0.5


def only_the_tangent(w, v, dw, dv, x):
    n, d = w.shape
    f = lambda w, v: torch.tanh(x @ w.T / d**0.5) @ v / n**0.5  # noqa: E731
    return torch.func.jvp(f, (w, v), (dw, dv))[1]


def unscaled_network(w, v, dw, dv, x):
    f = lambda w, v: torch.tanh(x @ w.T) @ v / len(v) ** 0.5  # noqa: E731
    return sum(torch.func.jvp(f, (w, v), (dw, dv)))


def no_last_scale(w, v, dw, dv, x):
    f = lambda w, v: torch.tanh(x @ w.T / w.shape[1] ** 0.5) @ v  # noqa: E731
    return sum(torch.func.jvp(f, (w, v), (dw, dv)))


def both_scales_by_units(w, v, dw, dv, x):
    n, d = w.shape
    f = lambda w, v: torch.tanh(x @ w.T / n**0.5) @ v / d**0.5  # noqa: E731
    return sum(torch.func.jvp(f, (w, v), (dw, dv)))


def no_derivative(w, v, dw, dv, x):
    n, d = w.shape
    post = torch.tanh(x @ w.T / d**0.5)
    return (post @ v + post @ dv + (x @ dw.T / d**0.5) @ v) / n**0.5


def new_read_out_everywhere(w, v, dw, dv, x):
    n, d = w.shape
    post = torch.tanh(x @ w.T / d**0.5)
    return (post @ (v + dv) + ((1 - post**2) * (x @ dw.T / d**0.5)) @ (v + dv)) / n**0.5


def theta_minus_start(w, v, dw, dv, x):
    n, d = w.shape
    f = lambda w, v: torch.tanh(x @ w.T / d**0.5) @ v / n**0.5  # noqa: E731
    return sum(torch.func.jvp(f, (w, v), (dw - w, dv - v)))


def read_out_only(w, v, dw, dv, x):
    n, d = w.shape
    post = torch.tanh(x @ w.T / d**0.5)
    return post @ v / n**0.5 + post @ dv / n**0.5


def hidden_only(w, v, dw, dv, x):
    n, d = w.shape
    f = lambda w: torch.tanh(x @ w.T / d**0.5) @ v / n**0.5  # noqa: E731
    return sum(torch.func.jvp(f, (w,), (dw,)))


def relu_network(w, v, dw, dv, x):
    n, d = w.shape
    f = lambda w, v: torch.relu(x @ w.T / d**0.5) @ v / n**0.5  # noqa: E731
    return sum(torch.func.jvp(f, (w, v), (dw, dv)))


def a_column(w, v, dw, dv, x):
    n, d = w.shape
    f = lambda w, v: torch.tanh(x @ w.T / d**0.5) @ v / n**0.5  # noqa: E731
    return torch.stack(torch.func.jvp(f, (w, v), (dw, dv)), dim=1)


def rows_for_d(w, v, dw, dv, x):
    f = lambda w, v: torch.tanh(x @ w.T / len(x) ** 0.5) @ v / len(v) ** 0.5  # noqa: E731
    return sum(torch.func.jvp(f, (w, v), (dw, dv)))


def jacobian_times_theta(w, v, dw, dv, x):
    n, d = w.shape
    f = lambda w, v: torch.tanh(x @ w.T / d**0.5) @ v / n**0.5  # noqa: E731
    return sum(torch.func.jvp(f, (w, v), (w + dw, v + dv)))


def dv_behind_the_slope(w, v, dw, dv, x):
    n, d = w.shape
    post = torch.tanh(x @ w.T / d**0.5)
    return (post @ (v + dv) + ((1 - post**2) * (x @ dw.T / d**0.5)) @ dv) / n**0.5


WRONG = {
    "03.1": [
        (the_slide, "shape"),
        (numpy_outer, "Hessian"),
        (plain_matmul, "not divided by P"),
        (torch_cov, "sample covariance"),
        (torch_corrcoef, "correlation"),
        (normalized_rows, "that is a cosine"),
        (pairs_in_order, "shape"),
        (divides_by_rows, "number of inputs"),
        (one_scaled, "two gradients"),
        (squared_scale, "divided by P twice"),
        (means_multiplied, "two averages"),
        (one_fewer, "You divided by P − 1"),
        (over_all_entries, "the number of all entries"),
    ],
    "03.2": [
        (forgot_root_in_gradient, "gradient lacks its 1/√P"),
        (sum_of_squares, "summed over the data"),
        (mse_loss, "twice too long"),
        (plain_linear_regression, "missing everywhere"),
        (y_minus_f, "The cost grows"),
        (in_place, "changes its argument"),
        (sgd, "after every example"),
        (one_over_p, "divides by √P"),
        (history, "shape"),
        (jumps_to_the_end, "infinitely many steps"),
        (column_minus_row, "every output against every label"),
        (root_of_n, "root of the number of examples"),
    ],
    "03.3": [
        (unscaled, "1/√P of the model is missing"),
        (inverse_of_hessian, None),
        (divided_gram, "1/N does not belong here"),
        (transpose, "transpose in place"),
        (fitted_values, "trained outputs"),
        (wrong_sign, "sign is wrong"),
        (hundred_steps, None),
        (scaled_by_p, "divided the features by P"),
        (half_scaled_the_other_way, "the pseudoinverse has not"),
        (what_is_left, "what is left of theta0 alone"),
        (divides_by_n, "You divided by N"),
        (plain_pseudoinverse, "Two things are missing"),
    ],
    "03.4": [
        (no_root, "mean square"),
        (mean_norm, "averaged the distances"),
        (spectral, "operator norm"),
        (mean_gram_first, "before taking the distance"),
        (std_of_grams, "about their own mean"),
        (semilog, "not in logarithms"),
        (other_way_around, "log P against log error"),
        (first_and_last, "first and the last"),
        (minus_a_half, "exponent of the law"),
        (positive, "sign is lost"),
        (slope_and_intercept, "shape"),
        (log10_on_one, "Two bases"),
        (forgot_limit, "limit is not subtracted"),
        (second_coefficient, "not its slope"),
        (no_intercept, "through the origin"),
        (last_size_as_the_limit, "the limit itself is given"),
    ],
    "03.5": [
        (only_the_tangent, "outputs at the start are missing"),
        (unscaled_network, "1/√d of the hidden layer is missing"),
        (no_last_scale, "1/√n of the last layer"),
        (both_scales_by_units, "exchanged"),
        (theta_minus_start, "already θ − θ₀"),
        (hidden_only, "dv does nothing"),
        (relu_network, None),
        (a_column, "shape"),
        (rows_for_d, "the rows of x"),
        (jacobian_times_theta, "J multiplies the moved parameters"),
    ],
}

# Answers that are right in the special case: they keep its points and hear the rest.
PARTIAL = {
    "03.1": [(ignores_second, "second batch is not used")],
    "03.2": [
        (return_inside_loop, "single step"),
        (gradient_outside_loop, "computed once, before the loop"),
        (grad_never_zeroed, "Your gradients add up"),
    ],
    "03.3": [
        (least_norm, "solution of least norm"),
        (plus_start, "You added theta0"),
        (half_scaled, "outputs of theta0 lack"),
        (keeps_wrong_part, "null space"),
        (only_the_way, "how far theta moves"),
    ],
    "03.5": [
        (at_moved_weights, "moved the network itself"),
        (no_derivative, "derivative of tanh is missing"),
        (new_read_out_everywhere, "second order"),
        (read_out_only, "dw does nothing"),
        (dv_behind_the_slope, "the read-out at the start"),
    ],
}
