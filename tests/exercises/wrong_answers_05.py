"""Wrong answers to the tasks of chapter 05, written from the tasks' texts and not from the list of misconceptions.

Each comes with words that the student must be told; None where a plain "expected, received" is all that can be said.
"""

import math

import numpy as np
import torch
from torch.func import jacrev, vmap

import ntk_teach as ntk


def sigma_of(x, sigma_b):
    return x @ x.T / x.shape[1] + sigma_b**2


def step(sigma, sigma_b):
    q = sigma.diagonal()
    dual = ntk.relu.dual(sigma, q[:, None], q[None, :])
    return dual.value + sigma_b**2, dual.slope


# 05.1


def stops_at_two_layers(x, depth, sigma_b):
    theta = sigma = sigma_of(x, sigma_b)
    if depth > 1:
        sigma, slope = step(sigma, sigma_b)
        theta = theta * slope + sigma
    return theta


def sums_the_kernels(x, depth, sigma_b):
    sigma = sigma_of(x, sigma_b)
    theta = sigma.clone()
    for _ in range(depth - 1):
        sigma, _ = step(sigma, sigma_b)
        theta += sigma
    return theta


def erf_network(x, depth, sigma_b):
    return ntk.zoo.mlp(depth, ntk.erf, sigma_b=sigma_b).ntk(x)


def centers_the_inputs(x, depth, sigma_b):
    return ntk.zoo.mlp(depth, sigma_b=sigma_b).ntk(x - x.mean(0))


def one_random_network(x, depth, sigma_b):
    return ntk.empirical_ntk(ntk.zoo.mlp(depth, sigma_b=sigma_b).network(width=256, like=x), x)


def only_the_diagonal(x, depth, sigma_b):
    return torch.diag(ntk.zoo.mlp(depth, sigma_b=sigma_b).ntk(x).diagonal())


def forgets_to_return(x, depth, sigma_b):
    ntk.zoo.mlp(depth, sigma_b=sigma_b).ntk(x)


def divides_by_inputs(x, depth, sigma_b):
    return ntk.zoo.mlp(depth, sigma_b=sigma_b).ntk(x) / len(x)


def half_precision(x, depth, sigma_b):
    return ntk.zoo.mlp(depth, sigma_b=sigma_b).ntk(x).half()


def arc_cosine(x, depth, sigma_b, slope_over=2 * math.pi, first_angle=False, own_biases=True):
    sigma = theta = sigma_of(x, sigma_b)
    angle = None
    for _ in range(depth - 1):
        root = torch.outer(sigma.diagonal(), sigma.diagonal()).sqrt()
        if angle is None or not first_angle:
            angle = torch.acos((sigma / root).clamp(-1, 1))
        value = root * (angle.sin() + (math.pi - angle) * angle.cos()) / (2 * math.pi)
        sigma = value + sigma_b**2
        theta = theta * (math.pi - angle) / slope_over + (sigma if own_biases else value)
    return theta


def forgets_the_two_below_the_slope(x, depth, sigma_b):
    return arc_cosine(x, depth, sigma_b, slope_over=math.pi)


def computes_the_angles_once(x, depth, sigma_b):
    return arc_cosine(x, depth, sigma_b, first_angle=True)


def adds_the_expectation_alone(x, depth, sigma_b):
    return arc_cosine(x, depth, sigma_b, own_biases=False)


# 05.2


def autograd_theta(weights, biases, x1, x2, sigma_b, phi=torch.relu, skip=0):
    def f(parameters, a):
        for layer, (w, b) in enumerate(zip(*parameters, strict=True)):
            a = w @ (phi(a) if layer else a) / w.shape[1] ** 0.5 + sigma_b * b
        return a

    def rows(x):
        parts = vmap(jacrev(f), (None, 0))((weights, biases), x)
        return torch.cat([p.flatten(2) for part in parts for p in part][skip:], dim=2)

    return torch.einsum("nkp,mlp->nmkl", rows(x1), rows(x2))


def first_batch_twice(weights, biases, x1, x2, sigma_b):
    return autograd_theta(weights, biases, x1, x1, sigma_b)[:, :, 0, 0]


def batches_swapped(weights, biases, x1, x2, sigma_b):
    return autograd_theta(weights, biases, x2, x1, sigma_b)[:, :, 0, 0]


def leaky_network(weights, biases, x1, x2, sigma_b):
    leaky = lambda a: torch.nn.functional.leaky_relu(a, 0.1)  # noqa: E731
    return autograd_theta(weights, biases, x1, x2, sigma_b, phi=leaky)[:, :, 0, 0]


def first_weights_frozen(weights, biases, x1, x2, sigma_b):
    return autograd_theta(weights, biases, x1, x2, sigma_b, skip=1)[:, :, 0, 0]


def infinite_width(weights, biases, x1, x2, sigma_b):
    return ntk.zoo.mlp(len(weights), sigma_b=sigma_b).ntk(x1, x2)


def divided_by_parameters(weights, biases, x1, x2, sigma_b):
    count = sum(p.numel() for p in (*weights, *biases))
    return autograd_theta(weights, biases, x1, x2, sigma_b)[:, :, 0, 0] / count


def normalized(weights, biases, x1, x2, sigma_b):
    theta = autograd_theta(weights, biases, x1, x2, sigma_b)[:, :, 0, 0]
    return theta / theta.abs().max()


def piled_up_rows(weights, biases, x1, x2, sigma_b):
    parameters = [p.requires_grad_() for p in (*weights, *biases)]

    def rows(x):
        found = []
        for a in x:
            for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
                a = w @ (a.relu() if layer else a) / w.shape[1] ** 0.5 + sigma_b * b
            for output in a:
                output.backward(retain_graph=True)
                found.append(torch.cat([p.grad.flatten() for p in parameters]))
        return torch.stack(found)

    return rows(x1) @ rows(x2).T


def scales_by_the_rows(weights, biases, x1, x2, sigma_b):
    def f(parameters, a):
        for layer, (w, b) in enumerate(zip(*parameters, strict=True)):
            a = w @ (torch.relu(a) if layer else a) / len(w) ** 0.5 + sigma_b * b
        return a[0]

    parts1, parts2 = (vmap(jacrev(f), (None, 0))((weights, biases), x) for x in (x1, x2))
    j1, j2 = (torch.cat([p.flatten(1) for part in parts for p in part], dim=1) for parts in (parts1, parts2))
    return j1 @ j2.T


def biases_without_their_scale(weights, biases, x1, x2, sigma_b):
    return autograd_theta(weights, biases, x1, x2, 1.0)[:, :, 0, 0]


# 05.3


def one_output_copied(weights, biases, x1, x2, sigma_b):
    theta = autograd_theta(weights, biases, x1, x2, sigma_b)
    return theta[:, :, :1, :1].expand_as(theta)


def limit_with_identity(weights, biases, x1, x2, sigma_b):
    theta = ntk.zoo.mlp(len(weights), sigma_b=sigma_b).ntk(x1, x2)
    return theta[:, :, None, None] * torch.eye(len(biases[-1]))


def symmetrized(weights, biases, x1, x2, sigma_b):
    theta = autograd_theta(weights, biases, x1, x2, sigma_b)
    return (theta + theta.transpose(2, 3)) / 2


def inputs_transposed(weights, biases, x1, x2, sigma_b):
    return autograd_theta(weights, biases, x1, x2, sigma_b).transpose(0, 1)


def absolute_blocks(weights, biases, x1, x2, sigma_b):
    return autograd_theta(weights, biases, x1, x2, sigma_b).abs()


def divided_by_outputs(weights, biases, x1, x2, sigma_b):
    return autograd_theta(weights, biases, x1, x2, sigma_b) / len(biases[-1])


def list_of_blocks(weights, biases, x1, x2, sigma_b):
    theta = autograd_theta(weights, biases, x1, x2, sigma_b)
    return [theta[..., k, k] for k in range(theta.shape[-1])]


def rows_that_pile_up(weights, biases, x1, x2, sigma_b):
    n, m, c = len(x1), len(x2), len(biases[-1])
    return piled_up_rows(weights, biases, x1, x2, sigma_b).reshape(n, c, m, c).transpose(1, 2)


def biases_left_out(weights, biases, x1, x2, sigma_b):
    return autograd_theta(weights, biases, x1, x2, sigma_b) - autograd_theta(
        weights, biases, x1, x2, sigma_b, skip=len(weights)
    )


# 05.4


def minus_one(widths, samples):
    return -1.0


def line_through_two_neighbors(widths, samples):
    v = samples.var(dim=1)
    return float((v[1] / v[0]).log() / (widths[1] / widths[0]).log())


def mean_of_local_slopes(widths, samples):
    return float((samples.var(dim=1).log().diff() / widths.log().diff()).mean())


def intercept(widths, samples):
    return float(np.polyfit(np.log(widths.numpy()), np.log(samples.var(dim=1).numpy()), 1)[1])


def both_coefficients(widths, samples):
    return np.polyfit(np.log(widths.numpy()), np.log(samples.var(dim=1).numpy()), 1)


def quadratic_fit(widths, samples):
    return float(np.polyfit(np.log(widths.numpy()), np.log(samples.var(dim=1).numpy()), 2)[1])


def doubled(widths, samples):
    return 2 * float(np.polyfit(np.log(widths.numpy()), np.log(samples.var(dim=1).numpy()), 1)[0])


def sorts_in_place(widths, samples):
    widths.copy_(widths.flip(0))
    return float(np.polyfit(np.log(widths.numpy()), np.log(samples.var(dim=1).numpy()), 1)[0])


def bits_against_nats(widths, samples):
    return float(np.polyfit(np.log2(widths.numpy()), np.log(samples.var(dim=1).numpy()), 1)[0])


def correlation_coefficient(widths, samples):
    return float(np.corrcoef(np.log(widths.numpy()), np.log(samples.var(dim=1).numpy()))[0, 1])


def all_squares_in_one_fit(widths, samples):
    squares = (samples - samples.mean(dim=1, keepdim=True)).square()
    return float(np.polyfit(widths.log().repeat_interleave(samples.shape[1]), squares.flatten().log(), 1)[0])


# 05.5


def all_equal(x, depth, sigma_b):
    return (ntk.zoo.mlp(depth, sigma_b=sigma_b).ntk(x) / depth).expand(depth, -1, -1)


def total_only(x, depth, sigma_b):
    return ntk.zoo.mlp(depth, sigma_b=sigma_b).ntk(x)


def diagonal_shares(x, depth, sigma_b):
    return true_shares(x, depth, sigma_b).diagonal(dim1=1, dim2=2)


def layers_last(x, depth, sigma_b):
    return true_shares(x, depth, sigma_b).permute(1, 2, 0)


def without_biases(x, depth, sigma_b):
    return true_shares(x, depth, 0.0)


def halves(x, depth, sigma_b):
    sigma, shares = sigma_of(x, sigma_b), []
    for layer in range(depth):
        shares.append(sigma * 0.5 ** (depth - 1 - layer))
        sigma, _ = step(sigma, sigma_b)
    return torch.stack(shares)


def prints_in_place(x, depth, sigma_b):
    x /= math.sqrt(x.shape[1])
    return true_shares(x, depth, sigma_b)


def true_shares(x, depth, sigma_b):
    dense = [[ntk.Dense(sigma_b=sigma_b, trained=i == j) for j in range(depth)] for i in range(depth)]
    rows = [ntk.serial(row[0], *[part for d in row[1:] for part in (ntk.relu, d)]).ntk(x) for row in dense]
    return torch.stack(rows)


def layer_by_layer(x, depth, sigma_b):
    sigma, slopes = [sigma_of(x, sigma_b)], []
    for _ in range(depth - 1):
        following, slope = step(sigma[-1], sigma_b)
        sigma.append(following)
        slopes.append(slope)
    return sigma, slopes


def only_the_slopes(x, depth, sigma_b):
    _, slopes = layer_by_layer(x, depth, sigma_b)
    return [math.prod(slopes[layer:], start=torch.ones(len(x), len(x))) for layer in range(depth)]


def slopes_added(x, depth, sigma_b):
    sigma, slopes = layer_by_layer(x, depth, sigma_b)
    return torch.stack([s * sum(slopes[layer:]) if slopes[layer:] else s for layer, s in enumerate(sigma)])


def sigma_without_its_dot(x, depth, sigma_b):
    sigma, _ = layer_by_layer(x, depth, sigma_b)
    return torch.stack([math.prod(sigma[layer:]) for layer in range(depth)])


WRONG = {
    "05.1": [
        (stops_at_two_layers, "Right for: depth 1; depth 2"),
        (sums_the_kernels, "Right for: depth 1"),
        (erf_network, "Right for: depth 1"),
        (centers_the_inputs, "subtracted the mean of the inputs"),
        (one_random_network, None),
        (only_the_diagonal, "the diagonal is right"),
        (forgets_to_return, "returned None"),
        (divides_by_inputs, "1/(number of rows of x) times"),
        (half_precision, "float16"),
        (forgets_the_two_below_the_slope, "E[φ̇φ̇] is twice too large"),
        (computes_the_angles_once, "that of the first layer in all layers"),
        (adds_the_expectation_alone, "biases of the new layer are trained"),
    ],
    "05.2": [
        (first_batch_twice, "expected shape [4, 6], received [4, 4]"),
        (batches_swapped, "axes are not in order"),
        (leaky_network, "Right for: no hidden layer"),
        (first_weights_frozen, "weights of the first layer are missing"),
        (infinite_width, "Right for: no hidden layer"),
        (divided_by_parameters, "number of parameters"),
        (normalized, "largest entry"),
        (piled_up_rows, "a backward pass adds to what"),
        (scales_by_the_rows, "how many units leave"),
        (biases_without_their_scale, "adds its biases without sigma_b"),
    ],
    "05.3": [
        (one_output_copied, "kernel of the first output"),
        (limit_with_identity, "the limit Θ∞ ⊗ Id"),
        (symmetrized, "made each block symmetric"),
        (inputs_transposed, "axes are not in order"),
        (absolute_blocks, "signs are lost"),
        (divided_by_outputs, "number of outputs"),
        (list_of_blocks, "shape"),
        (rows_that_pile_up, "a backward pass adds to what"),
        (biases_left_out, "biases are parameters too"),
    ],
    "05.4": [
        (minus_one, None),
        (line_through_two_neighbors, "first two widths"),
        (mean_of_local_slopes, "slopes between neighbors"),
        (intercept, "other coefficient of the line"),
        (both_coefficients, "expected shape [], received [2]"),
        (quadratic_fit, "parabola"),
        (doubled, "2 times the expected"),
        (sorts_in_place, "changes its argument 'widths'"),
        (bits_against_nats, "Two bases of logarithm"),
        (correlation_coefficient, "how straight the line is"),
        (all_squares_in_one_fit, "first average over the networks"),
    ],
    "05.5": [
        (all_equal, "evenly among the layers"),
        (total_only, "expected shape"),
        (diagonal_shares, "expected shape"),
        (layers_last, "axes are not in order"),
        (without_biases, "biases are left out"),
        (halves, "same slope for every pair"),
        (prints_in_place, "changes its argument 'x'"),
        (only_the_slopes, "products of the slopes"),
        (slopes_added, "they multiply"),
        (sigma_without_its_dot, "the dot on Σ̇"),
    ],
}
