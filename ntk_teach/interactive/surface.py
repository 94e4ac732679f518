"""A surface under the reader's hand: turn it, tilt it, cut it.

Python draws it from one side with one cut, right by itself on paper and without scripts; ``book/_static/surface.js``
redraws it.
"""

from __future__ import annotations

from html import escape

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ntk_teach.errors import DomainError, check_count, sentence
from ntk_teach.interactive.relief import GRID, Relief, short, signed
from ntk_teach.plot.caption import caption_html, mark
from ntk_teach.plot.palette import LIGHT, css_names
from ntk_teach.plot.svg import Embedded

__all__ = ["surface"]

_VARIABLE = {name: f"var({name},{color})" for name, color in css_names(LIGHT).items()}
_MUTED, _RULE, _DATA = (_VARIABLE[f"--ntk-{name}"] for name in ("muted", "rule", "data"))
_THIN = 'vector-effect="non-scaling-stroke"'
_READINGS = ("cut at a₁", "lowest cost", "smallest curvature")
_TURN, _TILT, _STEP = 35, 30, 5  # degrees


def surface(
    offsets: Float[Tensor, " k"] | Float[np.ndarray, " k"],
    values: Float[Tensor, "k k"] | Float[np.ndarray, "k k"],
    *,
    caption: str,
    alt: str,
    cut: int | None = None,
) -> Embedded:
    r"""A surface S(a₁, a₂) that the reader turns, tilts and cuts: three native sliders, and the cut drawn beside it.

    With each cut a₁ = const stand its place, its lowest value, and its smallest curvature
    min_j (S_{j+1} − 2 S_j + S_{j−1}) / step², computed in full precision. Where that number is negative, the cut is
    not convex, and so the surface is not.

    Args:
        offsets: values that a₁ and a₂ take, at least 3, increasing in equal steps. [k]
        values: S, as ``landscape.loss_surface`` returns it: the first axis is a₁. [k, k]
        caption: what to see; HTML, mathematics between ``$…$``.
        alt: the same for those who do not see it; plain text.
        cut: index of the cut shown first, and on paper; the middle one if None.

    Returns:
        An object that notebooks display, an inline ``<figure class="ntk-surface">``. The heights are stored as whole
        ten-thousandths of the vertical axis.

    Raises:
        ShapeError: the sizes do not fit together.
        DomainError: fewer than 3 offsets, or not in equal steps; NaN; a cut that there is not.

    Cost: about 90 bytes of page for each value: 55 kB for k = 25.
    Source: Li et al. 2018, Figure 1. Chapter: 01_loss_landscape.
    """
    where = "interactive.surface"
    relief = Relief.of(offsets, values, where=where)
    last = len(relief.offsets) - 1
    row = last // 2 if cut is None else check_count(cut, name="cut", where=where, minimum=0)
    if row > last:
        raise DomainError(sentence(f"{where}, cut", f"an index from 0 to {last}", str(cut), "choose one of them"))
    data = relief.data()
    name = mark(alt, caption, *data.values())
    attributes = " ".join(f'data-{key}="{escape(value)}"' for key, value in data.items())
    html = (
        f'<figure class="ntk-figure ntk-surface" {attributes}>'
        f'<div class="ntk-scenes" role="img" aria-label="{escape(alt)}">'
        f"{_scene(relief, row)}{_profile(relief, row)}</div>"
        f"{_controls(relief, row, name)}<figcaption>{caption_html(caption)}</figcaption>{_table(relief)}</figure>"
    )
    return Embedded(html=html, alt=alt)


def _scene(relief: Relief, row: int) -> str:
    """The surface from the first side. Cells fill the drawing, which is stretched to the page; letters are not."""
    cells = "".join(
        f'<path d="{d}" fill="{_VARIABLE[f"--ntk-net-{tint}"]}"/>' for tint, d in relief.cells(_TURN, _TILT)
    )
    line = relief.cut(row, _TURN, _TILT)
    ends = short(relief.offsets[0]), short(relief.offsets[-1])
    words = ("a₁", *ends, "a₂", *ends)
    letters = "".join(
        f'<text x="{_percent(x)}" y="{_percent(y)}" dy=".35em" text-anchor="middle">{word}</text>'
        for word, (x, y) in zip(words, relief.names(_TURN, _TILT), strict=True)
    )
    return (
        '<svg class="ntk-scene" width="100%" height="340" style="display:block;overflow:visible" fill="currentColor" '
        f'font-size="13"><svg width="100%" height="100%" viewBox="0 0 {GRID} {GRID}" preserveAspectRatio="none">'
        f'<path class="ntk-floor" d="{relief.floor(_TURN, _TILT)}" fill="none" {_THIN} stroke="{_MUTED}"/>'
        f'<g class="ntk-cells" stroke="var(--ntk-page,#ffffff)" stroke-width="10">{cells}</g>'
        f'<path class="ntk-cut" d="{line}" fill="none" {_THIN} stroke="var(--ntk-page,#ffffff)" stroke-width="6"/>'
        f'<path class="ntk-cut" d="{line}" fill="none" {_THIN} stroke="{_DATA}" stroke-width="3"/></svg>'
        f'<g class="ntk-names">{letters}</g></svg>'
    )


def _profile(relief: Relief, row: int) -> str:
    """The cut alone, on axes that are the same for every cut."""
    low, high = relief.range
    parts = []
    for tick in relief.ticks:
        y = _percent(GRID * (high - tick) / (high - low))
        parts.append(f'<line x2="100%" y1="{y}" y2="{y}" stroke="{_RULE}"/>')
        parts.append(f'<text y="{y}" dx="-8" dy=".35em" text-anchor="end">{tick:g}</text>'.replace(">-", ">−"))
    for x, offset in zip((0, 50, 100), relief.offsets[[0, len(relief.offsets) // 2, -1]], strict=True):
        parts.append(f'<text x="{x}%" y="100%" dy="1.5em" text-anchor="middle">{short(offset)}</text>')
    return (
        '<div class="ntk-plot" style="padding:1.8rem 1rem 3.2rem 2.8rem"><svg width="100%" height="240" '
        'style="display:block;overflow:visible" fill="currentColor" font-size="13">'
        f'{"".join(parts)}<line x2="100%" y1="100%" y2="100%" stroke="{_MUTED}"/><line y2="100%" stroke="{_MUTED}"/>'
        '<text x="50%" y="100%" dy="2.9em" text-anchor="middle">a₂</text>'
        '<text dx="-32" dy="-1.1em">cost on the cut</text>'
        f'<svg width="100%" height="100%" viewBox="0 0 {GRID} {GRID}" preserveAspectRatio="none" fill="none">'
        f'<path class="ntk-curve" d="{relief.profile(row)}" {_THIN} stroke="{_DATA}" stroke-width="3"/>'
        "</svg></svg></div>"
    )


def _controls(relief: Relief, row: int, name: str) -> str:
    """The sliders, which the script uncovers, and the readings, which need none."""
    last, readings = len(relief.offsets) - 1, relief.readings(row)
    sliders = (
        ("turn", "Turn", -180, 180, _STEP, _TURN, f"{_TURN} degrees"),
        ("tilt", "Tilt", 10, 80, _STEP, _TILT, f"{_TILT} degrees"),
        ("row", "Cut at a₁", 0, last, 1, row, f"a₁ = {readings[0]}"),
    )
    rows = "".join(
        f'<div class="ntk-control" hidden=""><label for="{name}-{key}">{label}</label>'
        f'<input type="range" class="ntk-{key}" id="{name}-{key}" min="{first}" max="{end}" step="{step}" '
        f'value="{value}" autocomplete="off" aria-valuetext="{escape(text)}"/></div>'
        for key, label, first, end, step, value, text in sliders
    )
    shown = "".join(
        f'<span class="ntk-reading"><span>{title}</span> <b>{value}</b></span> '
        for title, value in zip(_READINGS, readings, strict=True)
    )
    return (
        f'{rows}<output for="{name}-row" class="ntk-readings" aria-live="polite" aria-atomic="true">{shown}</output>'
        f'<p class="ntk-still">This is the cut at a₁ = {readings[0]}. In the book, with scripts on, three sliders here '
        "turn the surface, tilt it and move the cut; the table below has the numbers of every cut.</p>"
    )


def _table(relief: Relief) -> str:
    head = "".join(f'<th scope="col">{title}</th>' for title in _READINGS)
    rows = "".join(
        f'<tr><th scope="row">{place}</th><td>{lowest}</td><td>{bend}</td></tr>'
        for place, lowest, bend in map(relief.readings, range(len(relief.offsets)))
    )
    low, high = relief.range
    note = f"The heights above are stored in ten-thousandths of the axis from {signed(low)} to {signed(high)}"
    return (
        f'<details class="ntk-numbers"><summary>The numbers of every cut</summary><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table><p>{note}.</p></details>"
    )


def _percent(part: float) -> str:
    return f"{100 * part / GRID:.4g}%"
