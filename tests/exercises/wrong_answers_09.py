"""Wrong answers to the tasks of chapter 09, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import math

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, pad

import ntk_teach as ntk

# 09.1


def mean_in_both_images(cov, window, sigma_w, sigma_b):
    """avg_pool2d over the second image, then over the first."""
    h, w = cov.shape[:2]
    flat = avg_pool2d(cov.reshape(h * w, 1, h, w), window, 1, window // 2).reshape(h * w, h * w)
    both = avg_pool2d(flat.T.reshape(h * w, 1, h, w), window, 1, window // 2).reshape(h, w, h, w)
    return sigma_w**2 * both.permute(2, 3, 0, 1) + sigma_b**2


def pooled_second_image(cov, window, sigma_w, sigma_b):
    h, w = cov.shape[:2]
    pooled = avg_pool2d(cov.reshape(h * w, 1, h, w), window, 1, window // 2).reshape(cov.shape)
    return sigma_w**2 * pooled + sigma_b**2


def rolled(cov, window, sigma_w, sigma_b):
    reach, total = window // 2, 0
    for a in range(-reach, reach + 1):
        for b in range(-reach, reach + 1):
            total = total + cov.roll((a, b, a, b), dims=(0, 1, 2, 3))
    return total * sigma_w**2 / window**2 + sigma_b**2


def looped(cov, window, sigma_w, sigma_b, divide=None, bias=None):
    given, reach = cov.numpy(), window // 2
    h, w = given.shape[:2]
    out = np.zeros_like(given)
    for i, j, k, m in np.ndindex(*given.shape):
        terms = [
            given[i + a, j + b, k + a, m + b]
            for a in range(-reach, reach + 1)
            for b in range(-reach, reach + 1)
            if min(i + a, k + a, j + b, m + b) >= 0 and max(i + a, k + a) < h and max(j + b, m + b) < w
        ]
        out[i, j, k, m] = sigma_w**2 * sum(terms) / (divide or window**2 if divide != "count" else max(len(terms), 1))
    return out + (sigma_b**2 if bias is None else bias)


def mean_of_what_is_there(cov, window, sigma_w, sigma_b):
    return looped(cov, window, sigma_w, sigma_b, divide="count")


def nothing_divided(cov, window, sigma_w, sigma_b):
    return looped(cov, window, sigma_w, sigma_b, divide=1)


def standard_deviations(cov, window, sigma_w, sigma_b):
    return looped(cov, window, math.sqrt(sigma_w), sigma_b)


def bias_itself(cov, window, sigma_w, sigma_b):
    return looped(cov, window, sigma_w, sigma_b, bias=sigma_b)


def no_bias(cov, window, sigma_w, sigma_b):
    return looped(cov, window, sigma_w, sigma_b, bias=0.0)


def valid_only(cov, window, sigma_w, sigma_b):
    left = [size - window + 1 for size in cov.shape[:2]]
    parts = [
        cov[a : a + left[0], b : b + left[1], a : a + left[0], b : b + left[1]]
        for a in range(window)
        for b in range(window)
    ]
    return sigma_w**2 * torch.stack(parts).mean(0) + sigma_b**2


def in_place(cov, window, sigma_w, sigma_b):
    cov *= sigma_w**2
    return looped(cov, window, 1.0, sigma_b)


def axes_of_the_other_kind(cov, window, sigma_w, sigma_b):
    """Pads and moves as if the axes were rows of both, then columns of both."""
    reach = window // 2
    wide, (h, w) = pad(cov, (reach, reach) * 4), cov.shape[:2]
    total = sum(wide[a : a + h, a : a + w, b : b + h, b : b + w] for a in range(window) for b in range(window))
    return sigma_w**2 * total / window**2 + sigma_b**2


def pad_on_one_side(cov, window, sigma_w, sigma_b):
    wide, (h, w) = pad(cov, (0, window - 1) * 4), cov.shape[:2]
    total = sum(wide[a : a + h, b : b + w, a : a + h, b : b + w] for a in range(window) for b in range(window))
    return sigma_w**2 * total / window**2 + sigma_b**2


def forgot_to_return(cov, window, sigma_w, sigma_b):
    looped(cov, window, sigma_w, sigma_b)


# 09.2


def windows_of(m, window):
    return m.unfold(0, window, 1).unfold(1, window, 1).diagonal(dim1=-2, dim2=-1)


def product_of_means(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, var1[:, None], var2[None, :])
    new = sigma_w**2 * windows_of(value, window).mean(-1) + sigma_b**2
    return new + sigma_w**2 * windows_of(theta, window).mean(-1) * windows_of(slope, window).mean(-1)


def chapter_five_at_each_pixel(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, var1[:, None], var2[None, :])
    return sigma_w**2 * (value + theta * slope) + sigma_b**2


def theta_only(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    slope = ntk.relu.dual(sigma, var1[:, None], var2[None, :]).slope
    return sigma_w**2 * windows_of(theta * slope, window).mean(-1)


def nngp_only(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value = ntk.relu.dual(sigma, var1[:, None], var2[None, :]).value
    return sigma_w**2 * windows_of(value, window).mean(-1) + sigma_b**2


def broadcast_the_other_way(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, var1, var2[:, None])
    return sigma_w**2 * windows_of(value + theta * slope, window).mean(-1) + sigma_b**2


def diagonal_of_sigma(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    q = sigma.diagonal()
    value, slope = ntk.relu.dual(sigma, q[:, None], q[None, :])
    return sigma_w**2 * windows_of(value + theta * slope, window).mean(-1) + sigma_b**2


def own_arccos(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    root = torch.outer(var1.sqrt(), var2.sqrt())
    angle = torch.acos((sigma / root).clamp(-1, 1))
    value = root / (2 * math.pi) * (torch.sin(angle) + (math.pi - angle) * torch.cos(angle))
    both = value + theta * (math.pi - angle) / (2 * math.pi)
    return sigma_w**2 * windows_of(both, window).mean(-1) + sigma_b**2


def he_twice(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, var1[:, None], var2[None, :])
    return 2 * sigma_w**2 * windows_of(value + theta * slope, window).mean(-1) + sigma_b**2


def full_windows(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, var1[:, None], var2[None, :])
    return sigma_w**2 * avg_pool2d((value + theta * slope)[None], window, 1)[0] + sigma_b**2


def bias_in_both(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, var1[:, None], var2[None, :])
    new = sigma_w**2 * windows_of(value, window).mean(-1) + sigma_b**2
    return new + sigma_w**2 * windows_of(theta * slope, window).mean(-1) + sigma_b**2


def unscaled_theta(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, var1[:, None], var2[None, :])
    new = sigma_w**2 * windows_of(value, window).mean(-1) + sigma_b**2
    return new + windows_of(theta * slope, window).mean(-1)


def summed_windows(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, var1[:, None], var2[None, :])
    return sigma_w**2 * windows_of(value + theta * slope, window).sum(-1) + sigma_b**2


def erf_network(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.erf.dual(sigma, var1[:, None], var2[None, :])
    return sigma_w**2 * windows_of(value + theta * slope, window).mean(-1) + sigma_b**2


# 09.3


def pooled(cov, window, shift=lambda m, step, axis: m.roll(-step, dims=axis), axes=range(4)):
    for axis in axes:
        cov = sum(shift(cov, step, axis) for step in range(window)) / window
    return cov


def plain_flatten(cov, window):
    return torch.einsum("ijij->", cov) / cov.shape[0] / cov.shape[1]


def plain_mean(cov, window):
    return cov.mean()


def mean_of_the_pooled(cov, window):
    return pooled(cov, window).mean()


def trace_of_the_pooled(cov, window):
    return torch.einsum("ijij->", pooled(cov, window))


def one_side(cov, window):
    return plain_flatten(pooled(cov, window, axes=(2, 3)), window)


def torch_pool_with_zeros(cov, window):
    h, w = cov.shape[:2]
    before, after = (window - 1) // 2, window - 1 - (window - 1) // 2
    for _ in range(2):
        wide = pad(cov.reshape(h * w, 1, h, w), (before, after, before, after))
        cov = avg_pool2d(wide, window, 1).reshape(h, w, h, w).permute(2, 3, 0, 1)
    return plain_flatten(cov, window)


def torch_pool_that_fits(cov, window):
    h, w = cov.shape[:2]
    second = avg_pool2d(cov.reshape(h * w, 1, h, w), window, 1)
    rows, columns = second.shape[-2:]
    first = avg_pool2d(second.reshape(h, w, rows * columns).permute(2, 0, 1)[:, None], window, 1)
    return first.reshape(rows * columns, rows * columns).diagonal().mean()


def same_offset(cov, window):
    total = sum(cov.roll((-a, -b, -a, -b), dims=(0, 1, 2, 3)) for a in range(window) for b in range(window))
    return plain_flatten(total, window) / window**2


def divided_once(cov, window):
    return plain_flatten(pooled(cov, window), window) * window**2


def summed_up(cov, window):
    return plain_flatten(pooled(cov, window), window) * window**4


def tensor_back(cov, window):
    return pooled(cov, window)


def one_number_per_site(cov, window):
    return torch.einsum("ijij->ij", pooled(cov, window))


def rows_only(cov, window):
    return plain_flatten(pooled(cov, window, axes=(0, 2)), window)


def scales_as_they_stand(cov, window, sigma_w, sigma_b):
    h, w = cov.shape[:2]
    wide = torch.nn.functional.pad(cov, (window // 2,) * 8)
    total = sum(wide[a : a + h, b : b + w, a : a + h, b : b + w] for a in range(window) for b in range(window))
    return sigma_w * total / window**2 + sigma_b


def indices_below_zero(cov, window, sigma_w, sigma_b):
    given, reach = cov.numpy(), window // 2
    new = np.zeros_like(given)
    for r, c, s, d in np.ndindex(given.shape):
        for a in range(-reach, reach + 1):
            for b in range(-reach, reach + 1):
                if max(r, s) + a < given.shape[0] and max(c, d) + b < given.shape[1]:  # no index beyond the end
                    new[r, c, s, d] += given[r + a, c + b, s + a, d + b]
    return sigma_w**2 * new / window**2 + sigma_b**2


def range_to_the_reach(cov, window, sigma_w, sigma_b):
    (h, w), reach = cov.shape[:2], window // 2
    wide, new = torch.nn.functional.pad(cov, (reach,) * 8), torch.zeros_like(cov)
    for a in range(-reach, reach):
        for b in range(-reach, reach):
            i, j = reach + a, reach + b
            new += wide[i : i + h, j : j + w, i : i + h, j : j + w]
    return sigma_w**2 * new / window**2 + sigma_b**2


def relu_comes_last(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    left = len(var1) - window + 1

    def layer(m):
        return sigma_w**2 * torch.stack([m[..., a : a + left] for a in range(window)]).mean(0) + sigma_b**2

    diagonals = torch.stack([sigma[a : a + left, a : a + left] for a in range(window)])
    below = torch.stack([theta[a : a + left, a : a + left] for a in range(window)])
    new = sigma_w**2 * diagonals.mean(0) + sigma_b**2
    value, slope = ntk.relu.dual(new, layer(var1)[:, None], layer(var2)[None])
    return value + slope * (new + sigma_w**2 * below.mean(0))


def sum_to_q_minus_one(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, var1[:, None], var2[None])
    n = len(var1) - window + 1
    new = torch.full((n, n), sigma_b**2)
    for a in range(0, window - 1):
        new = new + sigma_w**2 / window * (value + theta * slope)[a : a + n, a : a + n]
    return new


def roots_go_in(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, torch.sqrt(var1)[:, None], torch.sqrt(var2)[None])
    n = len(var1) - window + 1
    return sigma_w**2 * sum((value + theta * slope)[a : a + n, a : a + n] for a in range(window)) / window + sigma_b**2


def no_axis_for_the_first(theta, sigma, var1, var2, window, sigma_w, sigma_b):
    value, slope = ntk.relu.dual(sigma, var1, var2)
    n = len(var1) - window + 1
    return sigma_w**2 * sum((value + theta * slope)[a : a + n, a : a + n] for a in range(window)) / window + sigma_b**2


def steps_of_a_window(cov, window):
    (h, w), found = cov.shape[:2], []
    for r in range(0, h, window):
        for c in range(0, w, window):
            i, j = [(r + a) % h for a in range(window)], [(c + a) % w for a in range(window)]
            found.append(cov[i][:, j][:, :, i][:, :, :, j].mean())
    return sum(found) / len(found)


def half_a_window_each_way(cov, window):
    (h, w), total = cov.shape[:2], 0.0
    offsets = range(-(window // 2), window // 2 + 1)
    for r in range(h):
        for c in range(w):
            i, j = [(r + a) % h for a in offsets], [(c + a) % w for a in offsets]
            total = total + cov[i][:, j][:, :, i][:, :, :, j].sum()
    return total / window**4 / (h * w)


def zeros_at_the_end(cov, window):
    (h, w), total = cov.shape[:2], 0.0
    wide = torch.nn.functional.pad(cov, (0, window - 1) * 4)
    for r in range(h):
        for c in range(w):
            total += wide[r : r + window, c : c + window, r : r + window, c : c + window].sum().item()
    return total / window**4 / (h * w)


WRONG = {
    "09.1": [
        (mean_in_both_images, "that is pooling"),
        (pooled_second_image, "stood still in the first"),
        (nothing_divided, "the fan-in counts its pixels, too"),
        (standard_deviations, "You took sigma_w itself"),
        (bias_itself, "its square is what a covariance sees"),
        (no_bias, "The bias is missing"),
        (valid_only, "expected shape"),
        (in_place, "changes its argument 'cov'"),
        (axes_of_the_other_kind, "rows belong to rows"),
        (pad_on_one_side, "Your window begins at the site"),
        (forgot_to_return, "returned None"),
        (scales_as_they_stand, "Neither of the two scales"),
        (range_to_the_reach, "Your offsets end one short"),
    ],
    "09.2": [
        (product_of_means, "the product is taken there"),
        (chapter_five_at_each_pixel, "expected shape"),
        (theta_only, "parameters of the new layer are missing"),
        (nngp_only, "The layers below are missing"),
        (broadcast_the_other_way, "The variances are at the wrong pixels"),
        (diagonal_of_sigma, "read the variances from the diagonal"),
        (he_twice, "A factor 2 too much"),
        (full_windows, "Independent offsets belong to a pool"),
        (unscaled_theta, "sigma_w is missing before the part"),
        (summed_windows, "You summed over the window"),
        (erf_network, None),
        (relu_comes_last, "in the other order"),
        (sum_to_q_minus_one, "The last pixel of the window"),
        (roots_go_in, "standard deviations"),
        (no_axis_for_the_first, "along the columns of your table"),
    ],
    "09.3": [
        (plain_flatten, "on a circle this is Flatten"),
        (plain_mean, "that is global pooling"),
        (mean_of_the_pooled, "that is global pooling"),
        (trace_of_the_pooled, "You summed over the sites"),
        (one_side, "the two sites have a window each"),
        (torch_pool_that_fits, "windows that fit into the image"),
        (same_offset, "on a circle this is Flatten"),
        (divided_once, "You divided by c²"),
        (summed_up, "You summed over the windows"),
        (tensor_back, "expected shape"),
        (one_number_per_site, "expected shape"),
        (rows_only, "columns only"),
        (steps_of_a_window, "You stepped from window to window"),
        (half_a_window_each_way, "a window has c a side"),
    ],
}
# Right but for one property: they keep some points, and hear why they do not have all.
PARTLY = {
    "09.1": [
        (indices_below_zero, 2, "the index −1"),
        (rolled, 2, "You wrapped around"),
        (mean_of_what_is_there, 2, "a padded zero is a pixel"),
    ],
    "09.2": [(own_arccos, 2, "the correlation is 0/0"), (bias_in_both, 2, "counted twice")],
    "09.3": [(zeros_at_the_end, 2, "begin at their sites"), (torch_pool_with_zeros, 2, "its border is circular")],
}
