"""Wrong answers to the tasks of chapter 07, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import itertools
import math

import numpy as np
import torch
from scipy.special import eval_gegenbauer, eval_legendre

# 07.1


def as_if_there_were_one_labeling(k, y):
    y = y[:, 0]
    return 2 * torch.sqrt(torch.trace(k) * (y @ torch.inverse(k) @ y)) / len(y)


def whole_product(k, y):
    return 2 * torch.sqrt(torch.trace(k) * (y.T @ torch.inverse(k) @ y)) / len(y)


def inverse_by_power(k, y):
    return 2 * torch.sqrt(k.trace() * torch.einsum("ic,ij,jc->c", y, k**-1, y)) / k.shape[0]


def formula_of_the_paper(k, y):
    n = k.shape[0]
    return np.sqrt(2 * np.diag(y.numpy().T @ np.linalg.inv(k.numpy()) @ y.numpy()) / n)


def forgets_the_inverse(k, y):
    return 2 / len(y) * torch.sqrt(k.trace() * torch.einsum("ic,ij,jc->c", y, k, y))


def kernel_of_unit_length(k, y):
    d = torch.diag(k) ** -0.5
    unit = d[:, None] * k * d[None, :]
    return 2 * torch.sqrt(unit.trace() * torch.sum(y * torch.linalg.solve(unit, y), 0)) / len(y)


def norm_of_the_weights(k, y):
    alpha = torch.linalg.solve(k, y)
    return 2 * torch.sqrt(k.trace() * (alpha**2).sum(0)) / len(y)


def ridge_for_safety(k, y):
    kept = k + 1e-5 * torch.eye(len(k), dtype=k.dtype)
    return 2 * torch.sqrt(kept.trace() * torch.sum(y * torch.linalg.solve(kept, y), 0)) / len(y)


def centers_the_labels(k, y):
    y = y - y.mean(0)
    return 2 * torch.sqrt(k.trace() * torch.sum(y * torch.linalg.solve(k, y), 0)) / len(y)


def squared_bound(k, y):
    return 4 * k.trace() * torch.sum(y * torch.linalg.solve(k, y), 0) / len(y) ** 2


def average_instead_of_trace(k, y):
    return 2 * torch.sqrt(k.diagonal().mean() * torch.sum(y * torch.linalg.solve(k, y), 0)) / len(y)


def squares_and_the_inverse_diagonal(k, y):
    quadratic = torch.einsum("ic,i->c", y**2, torch.linalg.inv(k).diagonal())
    return 2 / len(y) * (k.trace() * quadratic).sqrt()


def trace_after_inverting(k, y):
    k = torch.linalg.inv(k)
    return 2 / len(y) * (k.trace() * torch.einsum("ic,ij,jc->c", y, k, y)).sqrt()


# 07.2


def what_the_fit_misses(k, y, ridge):
    return y - k @ torch.linalg.solve(k + ridge * torch.eye(len(y), dtype=k.dtype), y)


def textbook_leverage_with_mean(k, y, ridge):
    h = k @ torch.linalg.inv(k + ridge * torch.eye(len(y), dtype=k.dtype))
    return torch.linalg.solve(k + ridge * torch.eye(len(y), dtype=k.dtype), y) / (
        torch.linalg.inv(k + ridge * torch.eye(len(y), dtype=k.dtype)).trace() / len(h)
    )


def removes_its_own_term(k, y, ridge):
    alpha = torch.linalg.solve(k + ridge * torch.eye(len(y), dtype=k.dtype), y)
    return torch.stack([y[i] - sum(k[i, j] * alpha[j] for j in range(len(y)) if j != i) for i in range(len(y))])


def blanks_the_label(k, y, ridge):
    left = []
    for i in range(len(y)):
        blank = y.clone()
        blank[i] = 0
        left.append(y[i] - k[i] @ torch.linalg.solve(k + ridge * torch.eye(len(y), dtype=k.dtype), blank))
    return torch.stack(left)


def blanks_it_in_place(k, y, ridge):
    for i in range(len(y)):
        y[i] = 0.0
    return y


def removes_the_row_only(k, y, ridge):
    rest = [j for j in range(len(y)) if j != 0]
    return torch.linalg.solve(k[rest] + ridge * torch.eye(len(y), dtype=k.dtype), y[rest])


def no_ridge_at_all(k, y, ridge):
    inverse = torch.linalg.inv(k)
    return (inverse @ y) / inverse.diagonal()


def ridge_per_example(k, y, ridge):
    inverse = torch.linalg.inv(k + len(y) * ridge * torch.eye(len(y), dtype=k.dtype))
    return (inverse @ y) / inverse.diagonal()


def forecasts(k, y, ridge):
    inverse = torch.linalg.inv(k + ridge * torch.eye(len(y), dtype=k.dtype))
    return y - (inverse @ y) / inverse.diagonal()


def one_number(k, y, ridge):
    inverse = torch.linalg.inv(k + ridge * torch.eye(len(y), dtype=k.dtype))
    return float((((inverse @ y) / inverse.diagonal()) ** 2).mean())


def prediction_minus_label(k, y, ridge):
    inverse = torch.linalg.inv(k + ridge * torch.eye(len(y), dtype=k.dtype))
    return -(inverse @ y) / inverse.diagonal()


def leaves_out_the_first(k, y, ridge):
    alpha = np.linalg.solve(k.numpy()[1:, 1:] + ridge * np.eye(len(y) - 1), y.numpy()[1:])
    return y.numpy() - k.numpy()[:, 1:] @ alpha


def ridge_of_a_mean(k, y, ridge):
    inverse = torch.linalg.inv(k + ridge / len(y) * torch.eye(len(y), dtype=k.dtype))
    return (inverse @ y) / inverse.diagonal()


def quotient_by_the_leverage(k, y, ridge):
    h = k @ torch.linalg.inv(k + ridge * torch.eye(len(y), dtype=k.dtype))
    return (y - h @ y) / torch.diag(h)


# 07.3


def mass_of(angles, weights, power):
    mass = weights * torch.sin(angles) ** power
    return mass / mass.sum()


def legendre_everywhere(values, angles, weights, dimension, degree):
    mass = (mass_of(angles, weights, dimension - 2) * values).numpy()
    return np.array([mass @ eval_legendre(k, np.cos(angles.numpy())) for k in range(degree + 1)])


def scipys_gegenbauer(values, angles, weights, dimension, degree):
    mass = (mass_of(angles, weights, dimension - 2) * values).numpy()
    alpha = max((dimension - 2) / 2, 1e-9)
    return np.array([mass @ eval_gegenbauer(k, alpha, np.cos(angles.numpy())) for k in range(degree + 1)])


def fourier_series(values, angles, weights, dimension, degree):
    mass = mass_of(angles, weights, dimension - 2) * values
    return torch.stack([mass @ torch.cos(k * angles) for k in range(degree + 1)])


def recursion(t, dimension, degree):
    columns = [torch.ones_like(t), t]
    for k in range(1, degree):
        columns.append(((2 * k + dimension - 2) * t * columns[k] - k * columns[k - 1]) / (k + dimension - 2))
    return torch.stack(columns[: degree + 1], 1)


def density_from_the_formula_sheet(values, angles, weights, dimension, degree):
    t = torch.cos(angles)
    mass = weights * (1 - t**2) ** ((dimension - 3) / 2)
    return (mass * values) @ recursion(t, dimension, degree) / mass.sum()


def forgets_the_constant(values, angles, weights, dimension, degree):
    return (weights * torch.sin(angles) ** (dimension - 2) * values) @ recursion(angles.cos(), dimension, degree)


def plain_mean(values, angles, weights, dimension, degree):
    p = recursion(angles.cos(), dimension, degree)
    s = torch.sin(angles) ** (dimension - 2)
    return (s[:, None] * values[:, None] * p).mean(0) / s.mean()


def polynomials_of_the_angle(values, angles, weights, dimension, degree):
    return (mass_of(angles, weights, dimension - 2) * values) @ recursion(angles, dimension, degree)


def trace_of_the_degree(values, angles, weights, dimension, degree):
    d, rest = dimension, range(2, degree + 1)
    n = [1.0, d, *(math.comb(d + k - 1, k) - math.comb(d + k - 3, k - 2) for k in rest)]
    mass = mass_of(angles, weights, dimension - 2) * values
    return (mass @ recursion(angles.cos(), dimension, degree)) * torch.tensor(n[: degree + 1], dtype=values.dtype)


def stops_one_short(values, angles, weights, dimension, degree):
    return (mass_of(angles, weights, dimension - 2) * values) @ recursion(angles.cos(), dimension, degree)[:, :degree]


def the_last_degree(values, angles, weights, dimension, degree):
    return (mass_of(angles, weights, dimension - 2) * values) @ recursion(angles.cos(), dimension, degree)[:, degree]


def forgets_the_second_term(values, angles, weights, dimension, degree):
    t = angles.cos()
    p = torch.stack([t**k for k in range(degree + 1)], 1)
    return (mass_of(angles, weights, dimension - 2) * values) @ p


def no_jacobian(values, angles, weights, dimension, degree):
    return (weights * values) @ recursion(angles.cos(), dimension, degree) / weights.sum()


def other_recursion(values, angles, weights, dimension, degree, sign=-1, divide=True):
    t = torch.cos(angles)
    p = [torch.ones_like(t), t]
    for k in range(1, degree):
        ahead = (2 * k + dimension - 2) * t * p[k] + sign * k * p[k - 1]
        p.append(ahead / (k + dimension - 2) if divide else ahead)
    return torch.stack([(mass_of(angles, weights, dimension - 2) * values * q).sum() for q in p[: degree + 1]])


def plus_in_the_recursion(values, angles, weights, dimension, degree):
    return other_recursion(values, angles, weights, dimension, degree, sign=1)


def forgets_the_factor_in_front(values, angles, weights, dimension, degree):
    return other_recursion(values, angles, weights, dimension, degree, divide=False)


# 07.4


def kappa_of(eigenvalues, n, term):
    low, high = -60.0, 60.0
    for _ in range(200):
        middle = (low + high) / 2
        kappa = math.exp(middle)
        if float((eigenvalues / (eigenvalues + kappa)).sum()) + term(kappa) > n:
            low = middle
        else:
            high = middle
    return math.exp(low)


def curve(eigenvalues, power, sizes, ridge, noise, rule=None, factor=None, final=lambda e: e):
    errors = []
    for n in sizes.tolist():
        kappa = kappa_of(eigenvalues, n, term_of(rule, ridge, n))
        learned = eigenvalues / (eigenvalues + kappa)
        e0 = n / (n - float((learned**2).sum())) if factor is None else factor(learned, n)
        errors.append(final(e0 * (float(((1 - learned) ** 2 * power).sum()) + noise**2)))
    return torch.tensor(errors, dtype=torch.float64)


def term_of(rule, ridge, n):
    return (lambda kappa: ridge / kappa) if rule is None else (lambda kappa: rule(kappa, ridge, n))


def without_overfitting(eigenvalues, power, sizes, ridge, noise):
    return curve(eigenvalues, power, sizes, ridge, noise, factor=lambda learned, n: 1.0)


def scikit_learns_ridge(eigenvalues, power, sizes, ridge, noise):
    return curve(eigenvalues, power, sizes, ridge, noise, rule=lambda kappa, ridge, n: ridge / n / kappa)


def adds_the_ridge(eigenvalues, power, sizes, ridge, noise):
    return curve(eigenvalues, power, sizes, ridge, noise, rule=lambda kappa, ridge, n: ridge)


def ignores_the_ridge(eigenvalues, power, sizes, ridge, noise):
    return curve(eigenvalues, power, sizes, ridge, noise, rule=lambda kappa, ridge, n: 0.0)


def forgets_n_in_the_factor(eigenvalues, power, sizes, ridge, noise):
    return curve(eigenvalues, power, sizes, ridge, noise, factor=lambda learned, n: 1 / (1 - float((learned**2).sum())))


def squares_the_sum(eigenvalues, power, sizes, ridge, noise):
    return curve(eigenvalues, power, sizes, ridge, noise, factor=lambda learned, n: n / (n - float(learned.sum()) ** 2))


def root_mean_square(eigenvalues, power, sizes, ridge, noise):
    return curve(eigenvalues, power, sizes, ridge, noise, final=math.sqrt)


def plain_ridge_regression(eigenvalues, power, sizes, ridge, noise):
    learned = eigenvalues / (eigenvalues + ridge / sizes[:, None])
    e0 = sizes / (sizes - (learned**2).sum(1))
    return e0 * (((1 - learned) ** 2 * power).sum(1) + noise**2)


def largest_modes_are_learned(eigenvalues, power, sizes, ridge, noise):
    falling = power[eigenvalues.argsort(descending=True)]
    return torch.stack([falling[int(n) :].sum() + noise**2 for n in sizes])


def ten_fixed_point_steps(eigenvalues, power, sizes, ridge, noise):
    kappa = eigenvalues.sum() / sizes
    for _ in range(10):
        share = (eigenvalues / (eigenvalues + kappa[:, None])).sum(1)
        kappa = kappa * share / sizes + ridge / sizes
    learned = eigenvalues / (eigenvalues + kappa[:, None])
    return sizes / (sizes - (learned**2).sum(1)) * (((1 - learned) ** 2 * power).sum(1) + noise**2)


def one_size_only(eigenvalues, power, sizes, ridge, noise):
    return curve(eigenvalues, power, sizes, ridge, noise)[0]


def sorts_one_of_the_two(eigenvalues, power, sizes, ridge, noise):
    return curve(eigenvalues.sort(descending=True).values, power, sizes, ridge, noise)


def tail_acts_as_the_ridge(eigenvalues, power, sizes, ridge, noise):
    falling = np.sort(eigenvalues.numpy())[::-1]
    kappa = torch.tensor([max(1e-9, (falling[int(n) :].sum() + ridge) / n) for n in sizes.tolist()])
    learned = eigenvalues / (eigenvalues + kappa[:, None])
    return sizes / (sizes - (learned**2).sum(1)) * (((1 - learned) ** 2 * power).sum(1) + noise**2)


def number_of_modes_in_the_factor(eigenvalues, power, sizes, ridge, noise):
    m = len(eigenvalues)
    return curve(eigenvalues, power, sizes, ridge, noise, factor=lambda learned, n: m / (m - float((learned**2).sum())))


# 07.5


def subsets(d, k):
    return [list(s) for s in itertools.combinations(range(d), k)]


def sums_coefficients(x, values):
    d = x.shape[1]
    return np.array([sum(float((values * x[:, s].prod(1)).mean()) for s in subsets(d, k)) for k in range(d + 1)])


def sums_over_inputs(x, values):
    d = x.shape[1]
    return np.array([sum(float((values * x[:, s].prod(1)).sum()) ** 2 for s in subsets(d, k)) for k in range(d + 1)])


def squares_too_early(x, values):
    d = x.shape[1]
    return np.array([sum(float(((values * x[:, s].prod(1)) ** 2).mean()) for s in subsets(d, k)) for k in range(d + 1)])


def only_the_first_k(x, values):
    d = x.shape[1]
    return np.array([float((values * x[:, :k].prod(1)).mean()) ** 2 for k in range(d + 1)])


def bits(x, values):
    d = x.shape[1]
    b = (x + 1) / 2
    return np.array([sum(float((values * b[:, s].prod(1)).mean()) ** 2 for s in subsets(d, k)) for k in range(d + 1)])


def without_the_constant(x, values):
    d = x.shape[1]
    return np.array(
        [sum(float((values * x[:, s].prod(1)).mean()) ** 2 for s in subsets(d, k)) for k in range(1, d + 1)]
    )


def every_coefficient(x, values):
    d = x.shape[1]
    return np.array([float((values * x[:, s].prod(1)).mean()) ** 2 for k in range(d + 1) for s in subsets(d, k)])


def normalized_to_one(x, values):
    d = x.shape[1]
    w = np.array([sum(float((values * x[:, s].prod(1)).mean()) ** 2 for s in subsets(d, k)) for k in range(d + 1)])
    return w / w.sum()


def permutations_of_coordinates(x, values):
    d = x.shape[1]
    chosen = [list(itertools.permutations(range(d), k)) for k in range(d + 1)]
    return np.array([sum(float((values * x[:, list(s)].prod(1)).mean()) ** 2 for s in ss) for ss in chosen])


def signs_of_the_function(x, values):
    d = x.shape[1]
    f = torch.sign(values)
    return np.array([sum(float((f * x[:, s].prod(1)).mean()) ** 2 for s in subsets(d, k)) for k in range(d + 1)])


def groups_by_minus_ones(x, values):
    minus = (x == -1).sum(1)
    return [float((values[minus == k] ** 2).sum() / len(x)) for k in range(x.shape[1] + 1)]


def adds_coordinates(x, values):
    d = x.shape[1]
    return np.array([sum(float((values * x[:, s].sum(1)).mean()) ** 2 for s in subsets(d, k)) for k in range(d + 1)])


WRONG = {
    "07.1": [
        (as_if_there_were_one_labeling, "expected shape [3], received []"),
        (whole_product, "every pair of labelings"),
        (inverse_by_power, "reciprocal of each entry"),
        (formula_of_the_paper, "for a kernel with K(x, x) = 1/2"),
        (forgets_the_inverse, "asks for the inverse"),
        (kernel_of_unit_length, "lengths of the features"),
        (norm_of_the_weights, "length of the coefficients"),
        (ridge_for_safety, "digits"),
        (centers_the_labels, "subtracted the mean of the labels"),
        (squared_bound, "A root is missing"),
        (average_instead_of_trace, "1/√(number of rows of k)"),
        (squares_and_the_inverse_diagonal, "diagonal of K⁻¹ alone"),
        (trace_after_inverting, "trace is that of the inverse"),
    ],
    "07.2": [
        (what_the_fit_misses, "residuals on the training data"),
        (textbook_leverage_with_mean, "generalized cross-validation"),
        (removes_its_own_term, "not out of the training"),
        (blanks_the_label, "set the label to 0"),
        (blanks_it_in_place, "changes its argument 'y'"),
        (removes_the_row_only, "raised RuntimeError"),
        (no_ridge_at_all, "The ridge is missing"),
        (ridge_per_example, "multiplied the ridge by N"),
        (forecasts, "what is predicted"),
        (one_number, "one residual for each example"),
        (prediction_minus_label, "sign is reversed"),
        (leaves_out_the_first, "You trained once"),
        (ridge_of_a_mean, "You divided the ridge by N"),
        (quotient_by_the_leverage, "You divided by Hᵢᵢ"),
    ],
    "07.3": [
        (legendre_everywhere, "they belong to d = 3"),
        (scipys_gegenbauer, "not 1 at t = 1"),
        (fourier_series, "belong to the circle"),
        (density_from_the_formula_sheet, "density of the cosine"),
        (forgets_the_constant, "not normalized"),
        (plain_mean, "weights are missing"),
        (polynomials_of_the_angle, "put the angle into the polynomials"),
        (trace_of_the_degree, "number of harmonics"),
        (stops_one_short, "expected shape [5], received [4]"),
        (the_last_degree, "expected shape [5], received []"),
        (forgets_the_second_term, "powers tᵏ"),
        (no_jacobian, "the angle be uniform"),
        (plus_in_the_recursion, "recursion adds its last term"),
        (forgets_the_factor_in_front, "did not divide by the factor"),
    ],
    "07.4": [
        (without_overfitting, "left E₀ out"),
        (scikit_learns_ridge, "divided the ridge by n"),
        (adds_the_ridge, "the term is δ/κ"),
        (ignores_the_ridge, "missing in the equation for κ"),
        (forgets_n_in_the_factor, "it is compared with n"),
        (squares_the_sum, "squared the sum of the L_i"),
        (root_mean_square, "took the root"),
        (plain_ridge_regression, "You put κ = δ/n"),
        (largest_modes_are_learned, "n largest modes"),
        (ten_fixed_point_steps, None),
        (one_size_only, "expected shape [4], received []"),
        (sorts_one_of_the_two, "left the power as it was"),
        (tail_acts_as_the_ridge, "all others be a ridge"),
        (number_of_modes_in_the_factor, "the number of modes"),
    ],
    "07.5": [
        (sums_coefficients, "added up coefficients"),
        (sums_over_inputs, "summed over the inputs"),
        (squares_too_early, "squared before you averaged"),
        (only_the_first_k, "first k coordinates"),
        (bits, "zeros and ones"),
        (without_the_constant, "expected shape [4], received [3]"),
        (every_coefficient, "expected shape [4], received [8]"),
        (normalized_to_one, "divided by the mean square of f"),
        (permutations_of_coordinates, "once for each of its orders"),
        (signs_of_the_function, "signs of the values"),
        (groups_by_minus_ones, "how many of their coordinates"),
        (adds_coordinates, "added up the coordinates"),
    ],
}
