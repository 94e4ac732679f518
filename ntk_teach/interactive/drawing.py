"""The picture of the width slider: SVG whose letters and lines keep their size whatever the width of the page."""

from __future__ import annotations

import math
from html import escape

from ntk_teach.interactive.bundle import Bundle
from ntk_teach.plot.palette import DASHES, LIGHT, css_names, tints

__all__ = ["drawing"]

_VARIABLE = {name: f"var({name},{color})" for name, color in css_names(LIGHT).items()}
_MUTED, _RULE = _VARIABLE["--ntk-muted"], _VARIABLE["--ntk-rule"]
_ANGLES = {-math.pi: "−π", -math.pi / 2: "−π/2", 0.0: "0", math.pi / 2: "π/2", math.pi: "π"}
_THIN = 'vector-effect="non-scaling-stroke"'
_LIMIT = f'stroke="currentColor" stroke-width="2" stroke-dasharray="{2 * DASHES["limit"][0]} {2 * DASHES["limit"][1]}"'


def drawing(bundle: Bundle, shown: int, alt: str) -> str:
    """Curves of the width number ``shown``, the limit, axes and a legend, as ``<div><svg role="img">``.

    The curves lie in a nested drawing that is stretched to the page; everything else is placed in percent of it, so
    that letters need no scaling: legible on a telephone without a script.
    """
    tint = tints(len(bundle.widths))[shown]
    return (
        '<div class="ntk-plot" style="padding:1.8rem 1rem 3.2rem 2.6rem">'
        f'<svg role="img" aria-label="{escape(alt)}" width="100%" height="360" '
        'style="display:block;overflow:visible" fill="currentColor" font-size="13">'
        f"{_axes(bundle)}{_curves(bundle, shown, tint)}{_legend(bundle.widths[shown], tint)}</svg></div>"
    )


def _axes(bundle: Bundle) -> str:
    low, high = bundle.range
    parts = []
    for tick in bundle.ticks:
        y = _percent(high - tick, high - low)
        parts.append(f'<line x2="100%" y1="{y}" y2="{y}" stroke="{_RULE}"/>')
        parts.append(f'<text y="{y}" dx="-8" dy=".35em" text-anchor="end">{_signed(tick)}</text>')
    first, last = float(bundle.gamma[0]), float(bundle.gamma[-1])
    for angle, name in _ANGLES.items():
        if not first - 1e-6 <= angle <= last + 1e-6:
            continue
        x = _percent(angle - first, last - first)
        parts.append(f'<line x1="{x}" x2="{x}" y2="100%" stroke="{_RULE}"/>')
        parts.append(f'<text x="{x}" y="100%" dy="1.5em" text-anchor="middle">{name}</text>')
    parts.append(f'<line x2="100%" y1="100%" y2="100%" stroke="{_MUTED}"/><line y2="100%" stroke="{_MUTED}"/>')
    parts.append('<text x="50%" y="100%" dy="2.9em" text-anchor="middle">γ (radians)</text>')
    parts.append('<text dx="-30" dy="-1.1em">Θ(x₀, x(γ))</text>')
    return "".join(parts)


def _curves(bundle: Bundle, shown: int, tint: int) -> str:
    paths = "".join(
        f'<path d="{bundle.path(row * bundle.step)}" {_THIN}/>' for row in bundle.stored(bundle.widths[shown])
    )
    limit = bundle.path(bundle.limit)
    return (
        '<svg width="100%" height="100%" viewBox="0 0 10000 10000" preserveAspectRatio="none" fill="none">'
        f'<g class="ntk-networks" stroke-width="1.3" style="stroke:{_VARIABLE[f"--ntk-net-{tint}"]}">{paths}</g>'
        f'<path d="{limit}" {_THIN} stroke="var(--ntk-page,none)" stroke-width="4.5"/>'
        f'<path class="ntk-limit" d="{limit}" {_THIN} {_LIMIT}/></svg>'
    )


def _legend(width: int, tint: int) -> str:
    # Hung on the upper right corner, which the kernel, largest at γ = 0, leaves empty.
    return (
        '<svg x="100%" overflow="visible">'
        f'<g class="ntk-networks" style="stroke:{_VARIABLE[f"--ntk-net-{tint}"]}">'
        '<line x1="-104" x2="-76" y1="14" y2="14" stroke-width="1.3"/></g>'
        f'<text x="-68" y="14" dy=".35em">n = <tspan class="ntk-n">{width}</tspan></text>'
        f'<line x1="-104" x2="-76" y1="36" y2="36" {_LIMIT}/><text x="-68" y="36" dy=".35em">n → ∞</text></svg>'
    )


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.4g}%"


def _signed(number: float) -> str:
    return f"{number:g}".replace("-", "−")
