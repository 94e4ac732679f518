"""The figures of the chapters: each takes an Axes, draws on it, and returns it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import check_count, check_scale
from ntk_teach.plot.arrays import Curve, Curves, Samples, checked, checked_by_width
from ntk_teach.plot.language import style
from ntk_teach.plot.palette import DASHES, LIGHT, tints

if TYPE_CHECKING:
    import matplotlib.axes

__all__ = ["histogram_against_gaussian", "kernel_on_circle", "kernel_over_time", "slope_in_width"]

_Corner = Literal["upper left", "upper right", "lower left"]
_LIMIT: dict[str, Any] = {"color": LIGHT.ink, "linestyle": (0, DASHES["limit"]), "linewidth": 1.6, "zorder": 4}


def kernel_on_circle(
    ax: matplotlib.axes.Axes,
    angles: Curve,
    curves_by_width: Mapping[int, Curves],
    limit: Curve,
    *,
    after: Mapping[int, Curves] | None = None,
) -> matplotlib.axes.Axes:
    """The kernel seen from one point of the unit circle,  γ ↦ Θ(x₀, x(γ)),  x(γ) = (cos γ, sin γ),  x₀ = x(0).

    One thin line an initialization, a tint a width; dotted the same networks after training; dashed ink the limit.

    Args:
        ax: where to draw.
        angles: γ in radians, increasing, [points].
        curves_by_width: ``{width: Θ(x₀, x(γ)) at initialization}``, each [seeds, points], dimensionless.
        limit: Θ_∞(x₀, x(γ)), [points].
        after: the same as ``curves_by_width``, after training.

    Returns: ax. Raises: ShapeError, DomainError. Cost: one line a curve.
    Source: Jacot, Gabriel & Hongler 2018, Figure 1. Chapter: 05_neural_tangent_kernel.
    """
    where = "plot.kernel_on_circle"
    gamma = checked(angles, ["points"], where=f"{where}, angles")
    ink = checked(limit, [len(gamma)], where=f"{where}, limit")
    shape: tuple[int | str, ...] = ("seeds", len(gamma))
    before = checked_by_width(curves_by_width, shape, where=f"{where}, curves_by_width")
    trained = checked_by_width(after, shape, where=f"{where}, after") if after is not None else {}
    look = _look({*before, *trained})
    with style():
        for width, curves in before.items():
            ax.plot(gamma, curves.T, **look[width])
        for width, curves in trained.items():
            ax.plot(gamma, curves.T, linestyle=(0, DASHES["after"]), **look[width])
        _draw_limit(ax, gamma, ink)
        ax.set_xlim(gamma[0], gamma[-1])
        ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
        ax.set_xticks(np.arange(-2, 3) * np.pi / 2, ["−π", "−π/2", "0", "π/2", "π"])
        ax.set_xlabel("γ (radians)")
        ax.set_ylabel("Θ(x₀, x(γ))")
        # Two legends in the two empty corners: color says the width, the kind of line says which kernel.
        _legend(ax, [(f"n = {width}", look[width]) for width in look], "upper left")
        kinds: list[tuple[str, dict[str, Any]]] = [("n → ∞", _LIMIT)]
        if trained:
            muted = {"color": LIGHT.muted, "linewidth": 1.0}
            kinds = [("untrained", muted), ("trained", muted | {"linestyle": (0, DASHES["after"])}), *kinds]
        _legend(ax, kinds, "upper right")
    return ax


def slope_in_width(
    ax: matplotlib.axes.Axes,
    widths: Sequence[int],
    samples: Float[Tensor, "widths seeds"] | Float[np.ndarray, "widths seeds"],
    *,
    slope: float,
    quantity: str = "distance to the limit",
) -> matplotlib.axes.Axes:
    """A positive quantity against width on logarithmic axes, beside the line  C · n^slope.

    Every sample is a mark, the line joins the medians, the dashed line has the given slope and passes through the
    middle of the medians: the eye compares slopes, not heights.

    Args:
        ax: where to draw.
        widths: n, [widths].
        samples: the quantity, [widths, seeds], positive.
        slope: exponent of the reference line, for example −1/2.
        quantity: what the samples are, with the paper's symbol and the unit, for the vertical axis.

    Returns: ax. Raises: ShapeError, DomainError. Cost: one mark a sample.
    Source: the law of large numbers behind Jacot, Gabriel & Hongler 2018, Theorem 1. Chapter: 05_neural_tangent_kernel.
    """
    where = "plot.slope_in_width"
    for width in widths:
        check_count(width, name="width", where=where)
    values = checked(samples, [len(widths), "seeds"], where=f"{where}, samples")
    check_scale(float(values.min()), name="every sample", where=where, minimum=np.nextafter(0, 1))
    n = np.asarray(widths, dtype=np.float64)
    medians = np.median(values, axis=1)
    middle = np.exp(np.mean(np.log(medians) - slope * np.log(n)))
    with style():
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.plot(n, values, linestyle="none", marker="o", markersize=3.2, color=LIGHT.net[1], markeredgewidth=0)
        ax.plot(n, medians, color=LIGHT.net[3], linewidth=1.6)
        ax.plot(n, middle * n**slope, **_LIMIT)
        # On a telephone there is room for six names of widths; the last one always stands.
        every = -(-len(widths) // 6)
        names = [str(width) if (len(widths) - 1 - i) % every == 0 else "" for i, width in enumerate(widths)]
        ax.set_xticks(n, names, minor=False)
        ax.set_xticks([], minor=True)
        ax.set_xlabel("width n")
        ax.set_ylabel(quantity)
        rows = [
            ("one initialization", {"color": LIGHT.net[1], "linestyle": "none", "marker": "o", "markersize": 3.2}),
            ("median", {"color": LIGHT.net[3], "linewidth": 1.6}),
            (f"slope {_signed(slope)}", _LIMIT),
        ]
        _legend(ax, rows, "lower left" if slope < 0 else "upper left")
    return ax


def histogram_against_gaussian(
    ax: matplotlib.axes.Axes, samples_by_width: Mapping[int, Samples], variance: float
) -> matplotlib.axes.Axes:
    """Outputs at initialization against the limit  f(x₀) ~ 𝒩(0, Σ(x₀, x₀)).

    Args:
        ax: where to draw.
        samples_by_width: ``{width: f(x₀) over initializations}``, each [samples].
        variance: Σ(x₀, x₀) of the limit.

    Returns: ax. Raises: ShapeError, DomainError. Cost: one histogram a width.
    Source: Jacot, Gabriel & Hongler 2018, Proposition 1. Chapter: 05_neural_tangent_kernel.
    """
    where = "plot.histogram_against_gaussian"
    samples = checked_by_width(samples_by_width, ["samples"], where=f"{where}, samples_by_width")
    deviation = check_scale(variance, name="variance", where=where, minimum=np.nextafter(0, 1)) ** 0.5
    reach = 4.0 * deviation
    bins = np.linspace(-reach, reach, 33)
    look = _look(samples)
    with style():
        for width, values in samples.items():
            # Divided by all samples, not by those inside the frame: an outlier must not raise the rest.
            density = np.histogram(values, bins)[0] / (len(values) * (bins[1] - bins[0]))
            ax.stairs(density, bins, fill=False, **look[width])
        z = np.linspace(-reach, reach, 201)
        _draw_limit(ax, z, np.exp(-0.5 * (z / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi)))
        ax.set_xlim(-reach, reach)
        ax.set_ylim(bottom=0)
        ax.set_xlabel("f(x₀) at initialization")
        ax.set_ylabel("probability density")
        _legend(ax, [(f"n = {width}", look[width]) for width in look], "upper left")
        _legend(ax, [("n → ∞", _LIMIT)], "upper right")
    return ax


def kernel_over_time(
    ax: matplotlib.axes.Axes, times: Curve, drift_by_width: Mapping[int, Curves]
) -> matplotlib.axes.Axes:
    """How far training moves the kernel,  ‖Θ_t − Θ_0‖ / ‖Θ_0‖  against t: median and 10–90 % band of the seeds.

    Args:
        ax: where to draw.
        times: t = learning rate × steps, increasing, [points].
        drift_by_width: ``{width: relative change of the kernel}``, each [seeds, points].

    Returns: ax. Raises: ShapeError, DomainError. Cost: one band a width.
    Source: Jacot, Gabriel & Hongler 2018, Theorem 2. Chapter: 05_neural_tangent_kernel.
    """
    where = "plot.kernel_over_time"
    t = checked(times, ["points"], where=f"{where}, times")
    drifts = checked_by_width(drift_by_width, ["seeds", len(t)], where=f"{where}, drift_by_width")
    look = _look(drifts)
    with style():
        for width, drift in drifts.items():
            low, middle, high = np.quantile(drift, [0.1, 0.5, 0.9], axis=0)
            ax.fill_between(t, low, high, color=look[width]["color"], alpha=0.22, linewidth=0)
            ax.plot(t, middle, **look[width] | {"linewidth": 1.6})
        ax.set_xlim(t[0], t[-1])
        ax.set_ylim(bottom=0)
        ends = {f"n = {width}": float(np.median(drift[:, -1])) for width, drift in drifts.items()}
        _name_ends(ax, ends)
        ax.set_xlabel("t (learning rate × steps)")
        ax.set_ylabel("‖Θₜ − Θ₀‖ / ‖Θ₀‖")
    return ax


def _look(widths: Iterable[int]) -> dict[int, dict[str, Any]]:
    """How the networks of each width are drawn: the wider, the deeper the tint and the heavier the line."""
    ordered = sorted(widths)
    steps = tints(len(ordered))
    return {
        width: {"color": LIGHT.net[step - 1], "linewidth": 0.65 + 0.12 * step}
        for width, step in zip(ordered, steps, strict=True)
    }


def _draw_limit(ax: matplotlib.axes.Axes, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> None:
    # A rim in the color of the page keeps the dashes legible where all the networks crowd on the limit.
    ax.plot(x, y, color=LIGHT.page, linewidth=3.4, zorder=3.9)
    ax.plot(x, y, **_LIMIT)


def _legend(ax: matplotlib.axes.Axes, rows: Sequence[tuple[str, Mapping[str, Any]]], corner: _Corner) -> None:
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **look) for _, look in rows]
    # ax.legend holds a single legend, and a figure here may need two.
    ax.add_artist(Legend(ax, handles, [name for name, _ in rows], loc=corner, borderaxespad=0.2))


def _name_ends(ax: matplotlib.axes.Axes, ends: Mapping[str, float]) -> None:
    """Each line's name beside its right end, moved apart, as many up as down, where two would overlap."""
    low, high = ax.get_ylim()
    names = sorted(ends, key=lambda name: ends[name])
    slots = 0.07 * (high - low) * np.arange(len(names))
    above_slots = np.array([ends[name] for name in names]) - slots
    up = np.maximum.accumulate(above_slots)
    down = np.minimum.accumulate(above_slots[::-1])[::-1]
    for name, height in zip(names, slots + (up + down) / 2, strict=True):
        place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
        ax.annotate(name, (1, float(height)), (4, 0), **place)


def _signed(slope: float) -> str:
    known = {-0.5: "−1/2", -1.0: "−1", -2.0: "−2"}
    return known.get(slope, f"{slope:g}".replace("-", "−"))
