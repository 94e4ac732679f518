"""Kernels of networks with sites as the papers write them: loops over pixels, steps and nodes, one pair at a time."""

import math

import numpy as np


def relu_dual(cov: float, u: float, v: float) -> tuple[float, float]:
    """E[φφ] and E[φ̇φ̇] of a ReLU; of a unit that never moves, 0 and 1/4 (its angle with anything is a right one)."""
    if u <= 0 or v <= 0:
        return 0.0, 0.25
    cosine = min(1.0, max(-1.0, cov / math.sqrt(u * v)))
    angle = math.acos(cosine)
    return math.sqrt(u * v) / (2 * math.pi) * (math.sin(angle) + (math.pi - angle) * cosine), (math.pi - angle) / (
        2 * math.pi
    )


def seen(size: int, window: int, stride: int, padding: str) -> list[list[int | None]]:
    """For each window the positions that it sees; None is a padded zero."""
    count = (size - window) // stride + 1 if padding == "valid" else -(-size // stride)
    before = 0 if padding == "valid" else max((count - 1) * stride + window - size, 0) // 2
    windows = []
    for o in range(count):
        at = [o * stride + a - before for a in range(window)]
        if padding == "circular":
            windows.append([p % size for p in at])
        else:
            windows.append([p if 0 <= p < size else None for p in at])
    return windows


def convolved(cov: np.ndarray, window: int, stride: int, padding: str) -> np.ndarray:
    """1/q² Σ_ab cov[i+a, j+b, i'+a, j'+b]: one offset for both images."""
    rows, columns = (seen(size, window, stride, padding) for size in cov.shape[:2])
    out = np.zeros((len(rows), len(columns)) * 2)
    for i, j, k, m in np.ndindex(*out.shape):
        for a in range(window):
            for b in range(window):
                at = rows[i][a], columns[j][b], rows[k][a], columns[m][b]
                if None not in at:
                    out[i, j, k, m] += cov[at] / window**2
    return out


def pooled(cov: np.ndarray, window: int, stride: int, padding: str) -> np.ndarray:
    """1/q⁴ Σ cov[i+a, j+b, i'+a', j'+b']: offsets of their own."""
    rows, columns = (seen(size, window, stride, padding) for size in cov.shape[:2])
    out = np.zeros((len(rows), len(columns)) * 2)
    for i, j, k, m in np.ndindex(*out.shape):
        for a, b, c, d in np.ndindex(*(window,) * 4):
            at = rows[i][a], columns[j][b], rows[k][c], columns[m][d]
            if None not in at:
                out[i, j, k, m] += cov[at] / window**4
    return out


def convolutional(x: np.ndarray, z: np.ndarray, layers: list[tuple]) -> tuple[float, float]:
    """Σ and Θ of one pair of images [h, w, c], carried with the covariances of each image with itself."""
    pairs = {"xx": (x, x), "xz": (x, z), "zz": (z, z)}
    cov = {name: np.einsum("ijc,klc->ijkl", a, b) / a.shape[-1] for name, (a, b) in pairs.items()}
    theta = np.zeros_like(cov["xz"])
    for kind, *how in layers:
        if kind == "conv":
            *window, sigma_w, sigma_b = how
            cov = {name: sigma_w**2 * convolved(part, *window) + sigma_b**2 for name, part in cov.items()}
            theta = sigma_w**2 * convolved(theta, *window) + cov["xz"]
        elif kind == "pool":
            cov, theta = {name: pooled(part, *how) for name, part in cov.items()}, pooled(theta, *how)
        elif kind == "relu":
            after, slopes = {}, {}
            for name, part in cov.items():
                one, two = cov[name[0] * 2], cov[name[1] * 2]
                value, slope = np.zeros_like(part), np.zeros_like(part)
                for at in np.ndindex(*part.shape):
                    value[at], slope[at] = relu_dual(part[at], one[at[:2] * 2], two[at[2:] * 2])
                after[name], slopes[name] = value, slope
            cov, theta = after, theta * slopes["xz"]
        elif kind in ("flatten", "gap"):

            def read(part: np.ndarray, kind: str = kind) -> float:
                return float(
                    np.einsum("ijij->", part) / part.shape[0] / part.shape[1] if kind == "flatten" else part.mean()
                )

            cov, theta = {name: read(part) for name, part in cov.items()}, read(theta)
        else:
            sigma_w, sigma_b = how
            cov = {name: sigma_w**2 * part + sigma_b**2 for name, part in cov.items()}
            theta = sigma_w**2 * theta + cov["xz"]
    return cov["xz"], theta


def recurrent(x: np.ndarray, z: np.ndarray, layers: list[tuple[float, float, float]], read: str) -> tuple[float, float]:
    """Σ and Θ of one pair of sequences [t, d] under ReLU layers (σ_w, σ_u, σ_b), read out by weights of scale 1."""
    inputs = {"xx": (x, x), "xz": (x, z), "zz": (z, z)}
    cov = {name: a @ b.T / a.shape[1] for name, (a, b) in inputs.items()}
    theta = {name: np.zeros_like(part) for name, part in cov.items()}
    for sigma_w, sigma_u, sigma_b in layers:
        pre = {name: np.zeros_like(part) for name, part in cov.items()}
        after, learned = ({name: np.zeros_like(part) for name, part in cov.items()} for _ in range(2))
        for step in range(2 * max(cov["xz"].shape) - 1):  # t + t' grows: what is needed is there
            for name in ("xx", "zz", "xz"):
                for t in range(cov[name].shape[0]):
                    s = step - t
                    if not 0 <= s < cov[name].shape[1]:
                        continue
                    before = after[name][t - 1, s - 1] if t and s else 0.0
                    taught = learned[name][t - 1, s - 1] if t and s else 0.0
                    pre[name][t, s] = sigma_w**2 * before + sigma_u**2 * cov[name][t, s] + sigma_b**2
                    tangent = pre[name][t, s] + sigma_w**2 * taught + sigma_u**2 * theta[name][t, s]
                    u, v = (
                        _variance(cov[own * 2], at, (sigma_w, sigma_u, sigma_b))
                        for own, at in zip(name, (t, s), strict=True)
                    )
                    value, slope = relu_dual(pre[name][t, s], u, v)
                    after[name][t, s], learned[name][t, s] = value, tangent * slope
        cov, theta = after, learned
    sigma, tangent = (
        (cov["xz"][-1, -1], theta["xz"][-1, -1]) if read == "last" else (cov["xz"].mean(), theta["xz"].mean())
    )
    return float(sigma), float(sigma + tangent)


def _variance(cov: np.ndarray, t: int, scales: tuple[float, float, float]) -> float:
    """Of the pre-activation at step t, from the variances alone."""
    sigma_w, sigma_u, sigma_b = scales
    own = 0.0
    for step in range(t + 1):
        own = sigma_w**2 * own / 2 + sigma_u**2 * cov[step, step] + sigma_b**2  # E[φ²] is half the variance
    return own


def graph(
    one: tuple[np.ndarray, np.ndarray],
    two: tuple[np.ndarray, np.ndarray],
    blocks: int,
    inner: int,
    scale: str,
    jumping: bool,
) -> float:
    """The NTK of two graphs (features, adjacency) as Du et al. write it, with features divided by their number."""
    graphs = {"1": one, "2": two}
    matrices = {}
    for name, (features, edges) in graphs.items():
        heard = edges + np.eye(len(features))
        matrices[name] = heard if scale == "uniform" else heard / heard.sum(1, keepdims=True)
    pairs = {a + b: graphs[a][0] @ graphs[b][0].T / one[0].shape[1] for a, b in ("11", "12", "22")}
    total = pairs["12"].sum() if jumping else 0.0
    theta = np.zeros_like(pairs["12"])
    for block in range(blocks):
        pairs = {name: matrices[name[0]] @ part @ matrices[name[1]].T for name, part in pairs.items()}
        theta = pairs["12"].copy() if block == 0 else matrices["1"] @ theta @ matrices["2"].T
        for _ in range(inner):
            after, slopes = {}, np.zeros_like(theta)
            for name, part in pairs.items():
                value = np.zeros_like(part)
                for u, v in np.ndindex(*part.shape):
                    value[u, v], slope = relu_dual(part[u, v], pairs[name[0] * 2][u, u], pairs[name[1] * 2][v, v])
                    if name == "12":
                        slopes[u, v] = 2 * slope
                after[name] = 2 * value
            pairs, theta = after, theta * slopes + after["12"]
        if jumping:
            total += theta.sum()
    return float(total if jumping else theta.sum())
