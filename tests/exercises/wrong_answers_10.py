"""Wrong answers to the tasks of chapter 10, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import numpy as np
import torch

import ntk_teach as ntk


def expectation(c, q, r):
    return ntk.relu.dual(c, q, r).value


def slope(c, q, r):
    return ntk.relu.dual(c, q, r).slope


def by_cells(x1, x2, w, u, b, carried=expectation):
    """A loop over cells as a student writes it, with the factors as given."""
    q, r = ([] for _ in range(2))
    for found, x in ((q, x1), (r, x2)):
        for step in x:
            past = w * carried(found[-1], found[-1], found[-1]) if found else 0.0
            found.append(past + u * (step @ step) / len(step) + b)
    cov = torch.zeros(len(x1), len(x2), dtype=x1.dtype)
    for t in range(len(x1)):
        for s in range(len(x2)):
            cov[t, s] = u * (x1[t] @ x2[s]) / x1.shape[1] + b
            if t > 0 and s > 0:
                cov[t, s] += w * carried(cov[t - 1, s - 1], q[t - 1], r[s - 1])
    return cov


# 10.1


def dense_layers_over_time(x1, x2, sigma_w, sigma_u, sigma_b):
    cov = by_cells(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2).double()
    for t in range(len(x1)):
        for s in range(len(x2)):
            if t != s:
                cov[t, s] = sigma_u**2 * (x1[t] @ x2[s]) / x1.shape[1] + sigma_b**2
    return cov


def plain_inner_products(x1, x2, sigma_w, sigma_u, sigma_b):
    return by_cells(x1, x2, sigma_w**2, sigma_u**2 * x1.shape[1], sigma_b**2)


def scales_as_given(x1, x2, sigma_w, sigma_u, sigma_b):
    return by_cells(x1, x2, sigma_w, sigma_u, sigma_b)


def sigma_w_as_given(x1, x2, sigma_w, sigma_u, sigma_b):
    return by_cells(x1, x2, sigma_w, sigma_u**2, sigma_b**2)


def he_factor(x1, x2, sigma_w, sigma_u, sigma_b):
    return by_cells(x1, x2, 2 * sigma_w**2, sigma_u**2, sigma_b**2)


def forgets_the_activation(x1, x2, sigma_w, sigma_u, sigma_b):
    return by_cells(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2, lambda c, q, r: c)


def takes_the_slope(x1, x2, sigma_w, sigma_u, sigma_b):
    return by_cells(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2, slope)


def half_everywhere(x1, x2, sigma_w, sigma_u, sigma_b):
    return by_cells(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2, lambda c, q, r: c / 2)


def no_bias(x1, x2, sigma_w, sigma_u, sigma_b):
    return by_cells(x1, x2, sigma_w**2, sigma_u**2, 0.0)


def covariance_of_the_states(x1, x2, sigma_w, sigma_u, sigma_b):
    cov = by_cells(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2)
    q = by_cells(x1, x1, sigma_w**2, sigma_u**2, sigma_b**2).diagonal()
    r = by_cells(x2, x2, sigma_w**2, sigma_u**2, sigma_b**2).diagonal()
    return expectation(cov, q[:, None], r[None, :])


def input_gram_only(x1, x2, sigma_w, sigma_u, sigma_b):
    return sigma_u**2 * x1 @ x2.T / x1.shape[1] + sigma_b**2


def columns_first(x1, x2, sigma_w, sigma_u, sigma_b):
    return by_cells(x2, x1, sigma_w**2, sigma_u**2, sigma_b**2)


def variances_of_the_inputs(x1, x2, sigma_w, sigma_u, sigma_b):
    w, u, b = sigma_w**2, sigma_u**2, sigma_b**2
    q, r = (u * (x**2).mean(1) + b for x in (x1, x2))
    cov = u * x1 @ x2.T / x1.shape[1] + b
    for t in range(1, len(x1)):
        for s in range(1, len(x2)):
            cov[t, s] = cov[t, s] + w * expectation(cov[t - 1, s - 1], q[t - 1], r[s - 1])
    return cov


def only_at_equal_times(x1, x2, sigma_w, sigma_u, sigma_b):
    cov = by_cells(x1, x2, sigma_w**2, sigma_u**2, sigma_b**2)
    return cov.diagonal()


def bias_of_the_first_step(x1, x2, sigma_w, sigma_u, sigma_b):
    without = by_cells(x1, x2, sigma_w**2, sigma_u**2, 0.0)
    without[0] += sigma_b**2
    without[1:, 0] += sigma_b**2
    return without


# 10.2


def along(sigma, q1, q2, step, start=0.0):
    theta = start
    for s in range(-min(sigma.shape), 0):
        theta = step(theta, s)
    return theta


def only_the_last_gradient(sigma, q1, q2, sigma_w):
    value, der = ntk.relu.dual(sigma[-1, -1], q1[-1], q2[-1])
    return value + der * sigma[-1, -1]


def walks_from_the_front(sigma, q1, q2, sigma_w):
    theta = value = der = 0.0
    for s in range(min(sigma.shape)):
        theta = sigma[s, s] + sigma_w**2 * der * theta
        value, der = ntk.relu.dual(sigma[s, s], q1[s], q2[s])
    return value + der * theta


def zips_the_variances(sigma, q1, q2, sigma_w):
    count = min(sigma.shape)
    theta = value = der = 0.0
    for s, a, b in zip(range(-count, 0), q1, q2, strict=False):
        theta = sigma[s, s] + sigma_w**2 * der * theta
        value, der = ntk.relu.dual(sigma[s, s], a, b)
    return value + der * theta


def forgets_sigma_w(sigma, q1, q2, sigma_w):
    theta = value = der = 0.0
    for s in range(-min(sigma.shape), 0):
        theta = sigma[s, s] + der * theta
        value, der = ntk.relu.dual(sigma[s, s], q1[s], q2[s])
    return value + der * theta


def sigma_w_once(sigma, q1, q2, sigma_w):
    theta = value = der = 0.0
    for s in range(-min(sigma.shape), 0):
        theta = sigma[s, s] + sigma_w * der * theta
        value, der = ntk.relu.dual(sigma[s, s], q1[s], q2[s])
    return value + der * theta


def slope_of_now(sigma, q1, q2, sigma_w):
    theta = 0.0
    for s in range(-min(sigma.shape), 0):
        value, der = ntk.relu.dual(sigma[s, s], q1[s], q2[s])
        theta = sigma[s, s] + sigma_w**2 * der * theta
    return value + der * theta


def returns_theta(sigma, q1, q2, sigma_w):
    theta = der = 0.0
    for s in range(-min(sigma.shape), 0):
        theta = sigma[s, s] + sigma_w**2 * der * theta
        der = slope(sigma[s, s], q1[s], q2[s])
    return theta


def forgets_v(sigma, q1, q2, sigma_w):
    theta = der = 0.0
    for s in range(-min(sigma.shape), 0):
        theta = sigma[s, s] + sigma_w**2 * der * theta
        der = slope(sigma[s, s], q1[s], q2[s])
    return der * theta


def sum_without_slopes(sigma, q1, q2, sigma_w):
    theta = 0.0
    for s in range(-min(sigma.shape), 0):
        theta = sigma[s, s] + sigma_w**2 * theta
    value, der = ntk.relu.dual(sigma[-1, -1], q1[-1], q2[-1])
    return value + der * theta


def read_out_as_a_step(sigma, q1, q2, sigma_w):
    theta = value = der = 0.0
    for s in range(-min(sigma.shape), 0):
        theta = sigma[s, s] + sigma_w**2 * der * theta
        value, der = ntk.relu.dual(sigma[s, s], q1[s], q2[s])
    return value + sigma_w**2 * der * theta


def nngp_of_the_output(sigma, q1, q2, sigma_w):
    return expectation(sigma[-1, -1], q1[-1], q2[-1])


def starts_one_late(sigma, q1, q2, sigma_w):
    theta = value = der = 0.0
    for s in range(-min(sigma.shape) + 1, 0):
        theta = sigma[s, s] + sigma_w**2 * der * theta
        value, der = ntk.relu.dual(sigma[s, s], q1[s], q2[s])
    return value + der * theta


def adds_the_whole_grid(sigma, q1, q2, sigma_w):
    value, der = ntk.relu.dual(sigma[-1, -1], q1[-1], q2[-1])
    return value + der * sigma.sum()


def multiplies_sigma_too(sigma, q1, q2, sigma_w):
    theta, factor = 0.0, 1.0
    for s in range(-min(sigma.shape), 0):
        theta = factor * (sigma[s, s] + theta)
        value, der = ntk.relu.dual(sigma[s, s], q1[s], q2[s])
        factor = sigma_w**2 * der
    return value + der * theta


def product_over_all_steps(sigma, q1, q2, sigma_w):
    value, total = 0.0, 0.0
    for s in range(-min(sigma.shape), 0):
        value, der = ntk.relu.dual(sigma[s, s], q1[s], q2[s])
        total = total + sigma[s, s] * der
    return value + total


# 10.3


def mean_of_everything(k, present1, present2):
    return k.mean(dim=(-1, -2))


def masked_but_full_count(k, present1, present2):
    mask = present1[:, None, :, None] * present2[None, :, None, :]
    return (k * mask).mean(dim=(2, 3))


def diagonal_of_the_grid(k, present1, present2):
    n, m, t, s = k.shape
    c = min(t, s)
    out = torch.zeros(n, m, dtype=k.dtype)
    for i in range(n):
        for j in range(m):
            there = [u for u in range(1, c + 1) if present1[i, -u] and present2[j, -u]]
            out[i, j] = sum(k[i, j, -u, -u] for u in there) / len(there)
    return out


def trace_over_all_pairs(k, present1, present2):
    c = min(k.shape[2:])
    mask = present1[:, None, -c:] * present2[None, :, -c:]
    total = (k[:, :, -c:, -c:].diagonal(dim1=-2, dim2=-1) * mask).sum(-1)
    return total / (present1.sum(1)[:, None] * present2.sum(1)[None])


def takes_the_last(k, present1, present2):
    return k[:, :, -1, -1]


def only_sums(k, present1, present2):
    return np.einsum("nmts,nt,ms->nm", k.numpy(), present1.numpy(), present2.numpy())


def one_mask(k, present1, present2):
    weights = present1 / present1.sum(1, keepdim=True)
    return (k.mean(3) * weights[:, None]).sum(2)


def other_mask(k, present1, present2):
    weights = present2 / present2.sum(1, keepdim=True)
    return (k.mean(2) * weights[None]).sum(2)


def batch_lengths(k, present1, present2):
    total = torch.einsum("nmts,nt,ms->nm", k, present1, present2)
    return total / (present1.sum() / len(present1) * present2.sum() / len(present2))


def square_root_weights(k, present1, present2):
    one, two = (p / p.sum(1, keepdim=True).sqrt() for p in (present1, present2))
    return torch.einsum("nmts,nt,ms->nm", k, one, two)


def rows_then_last_column(k, present1, present2):
    mean = (k * present1[:, None, :, None]).sum(2) / present1.sum(1)[:, None, None]
    return mean[..., -1]


def divides_once(k, present1, present2):
    return torch.einsum("nmts,nt,ms->nm", k, present1 / present1.sum(1, keepdim=True), present2)


def length_of_the_first_squared(k, present1, present2):
    return torch.einsum("nmts,nt,ms->nm", k, present1, present2) / present1.sum(1, keepdim=True) ** 2


def normalized_masks(k, present1, present2):
    one, two = (p / p.norm(dim=1, keepdim=True) for p in (present1, present2))
    return torch.einsum("nmts,nt,ms->nm", k, one, two)


def shorter_of_the_two(k, present1, present2):
    out = np.zeros(k.shape[:2])
    for i, j in np.ndindex(*out.shape):
        c = int(min(present1[i].sum(), present2[j].sum()))
        out[i, j] = k[i, j, -c:, -c:].mean()
    return out


def scalar_for_the_batch(k, present1, present2):
    mask = present1[:, None, :, None] * present2[None, :, None, :]
    return (k * mask).sum() / mask.sum()


def starts_from_the_last(x1, x2, sigma_w, sigma_u, sigma_b):
    m = x1.shape[1]
    q = []
    for x in (x1, x2):
        own = []
        for row in x:
            own.append(sigma_u**2 * row @ row / m + sigma_b**2 + (sigma_w**2 * own[-1] / 2 if own else 0))
        q.append(own)
    new = sigma_u**2 * x1 @ x2.T / m + sigma_b**2
    for t in range(len(x1)):
        for s in range(len(x2)):
            new[t, s] += sigma_w**2 * ntk.relu.dual(new[t - 1, s - 1], q[0][t - 1], q[1][s - 1]).value
    return new


def inputs_of_one_time(x1, x2, sigma_w, sigma_u, sigma_b):
    m, q = x1.shape[1], []
    for x in (x1, x2):
        own = [sigma_u**2 * x[0] @ x[0] / m + sigma_b**2]
        for row in x[1:]:
            own.append(sigma_u**2 * row @ row / m + sigma_b**2 + sigma_w**2 * own[-1] / 2)
        q.append(own)
    new = torch.full((len(x1), len(x2)), sigma_b**2, dtype=x1.dtype)
    for t in range(len(x1)):
        for s in range(len(x2)):
            if t == s:
                new[t, s] += sigma_u**2 * x1[t] @ x2[s] / m
            if t and s:
                new[t, s] += sigma_w**2 * ntk.relu.dual(new[t - 1, s - 1], q[0][t - 1], q[1][s - 1]).value
    return new


def places_exchanged(sigma, q1, q2, sigma_w):
    value, slope = ntk.relu.dual(sigma, q1[:, None], q2[None])
    theta, common = 0.0, min(sigma.shape)
    for back in range(common, 0, -1):
        before = sigma_w**2 * slope[-back - 1, -back - 1] * theta if back < common else 0.0
        theta = sigma[-back, -back] + before
    return slope[-1, -1] + value[-1, -1] * theta


def sigma_for_the_read_out(sigma, q1, q2, sigma_w):
    slope = ntk.relu.dual(sigma, q1[:, None], q2[None]).slope
    theta, common = 0.0, min(sigma.shape)
    for back in range(common, 0, -1):
        before = sigma_w**2 * slope[-back - 1, -back - 1] * theta if back < common else 0.0
        theta = sigma[-back, -back] + before
    return sigma[-1, -1] + slope[-1, -1] * theta


def equal_times_to_the_ends(sigma, q1, q2, sigma_w):
    value, slope = ntk.relu.dual(sigma, q1[:, None], q2[None])
    theta = sigma[0, 0]
    for t in range(1, min(len(q1), len(q2))):
        theta = sigma[t, t] + sigma_w**2 * slope[t - 1, t - 1] * theta
    return value[-1, -1] + slope[-1, -1] * theta


def first_steps_are_there(k, present1, present2):
    new = torch.zeros(k.shape[:2])
    for i, j in np.ndindex(*new.shape):
        new[i, j] = k[i, j, : int(present1[i].sum()), : int(present2[j].sum())].mean()
    return new


def one_of_the_two(k, present1, present2):
    keep = (present1[:, None, :, None] + present2[None, :, None, :]) > 0
    return torch.where(keep, k, torch.zeros(())).sum((2, 3)) / keep.sum((2, 3))


WRONG = {
    "10.1": [
        (dense_layers_over_time, "weights of its own"),
        (plain_inner_products, "1/m is missing"),
        (scales_as_given, "None of the three"),
        (sigma_w_as_given, "σ_w is not squared"),
        (he_factor, "factor 2 behind a ReLU"),
        (forgets_the_activation, "You carried Σ itself"),
        (takes_the_slope, "derivatives"),
        (half_everywhere, "half of Σ"),
        (no_bias, "bias is missing"),
        (covariance_of_the_states, "belongs to the states"),
        (input_gram_only, "Nothing is carried"),
        (columns_first, "swapped"),
        (variances_of_the_inputs, "present input alone"),
        (only_at_equal_times, "shape"),
        (bias_of_the_first_step, None),
        (starts_from_the_last, "the index −1"),
        (inputs_of_one_time, "at equal times alone"),
    ],
    "10.2": [
        (only_the_last_gradient, "at the last step alone"),
        (walks_from_the_front, "from their beginnings"),
        (zips_the_variances, "variances from the beginning"),
        (forgets_sigma_w, "σ_w is missing"),
        (sigma_w_once, "not squared"),
        (slope_of_now, "one step late"),
        (returns_theta, "stopped at the preactivation"),
        (forgets_v, "read-out V itself"),
        (sum_without_slopes, "No slope on the way back"),
        (read_out_as_a_step, "one more step"),
        (nngp_of_the_output, "read-out alone is trained"),
        (starts_one_late, "first common step"),
        (adds_the_whole_grid, "all pairs of times up"),
        (multiplies_sigma_too, "slope of the step before"),
        (product_over_all_steps, None),
        (places_exchanged, "changed places at the read-out"),
        (sigma_for_the_read_out, "For V you added Σ"),
        (equal_times_to_the_ends, "You walked along"),
    ],
    "10.3": [
        (mean_of_everything, "over the padding as well"),
        (masked_but_full_count, "counted it all the same"),
        (diagonal_of_the_grid, "equally far from the end and no others"),
        (trace_over_all_pairs, "different times are missing"),
        (takes_the_last, "You read the last state"),
        (only_sums, "did not divide"),
        (one_mask, "second series are all counted"),
        (other_mask, "first series are all counted"),
        (batch_lengths, "mean length of the batch"),
        (square_root_weights, "root of the number"),
        (rows_then_last_column, "last state of the second"),
        (divides_once, "first series alone"),
        (length_of_the_first_squared, "square of the first length"),
        (normalized_masks, "root of the number"),
        (shorter_of_the_two, "steps that both series have"),
        (scalar_for_the_batch, None),
        (first_steps_are_there, "the padding lies in front"),
        (one_of_the_two, "both are needed"),
    ],
}
