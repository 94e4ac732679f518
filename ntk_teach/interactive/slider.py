"""The limit under the reader's hand: kernels on the unit circle, and a slider for the width.

Python draws the figure for one width, right by itself on paper and without scripts; ``book/_static/width_slider.js``
redraws it for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ntk_teach.errors import DomainError, sentence
from ntk_teach.interactive.bundle import Bundle
from ntk_teach.interactive.drawing import drawing
from ntk_teach.plot.arrays import Curve, Curves
from ntk_teach.plot.caption import caption_html, mark
from ntk_teach.plot.svg import Embedded

__all__ = ["width_slider"]

_READINGS = ("spread at x₀", "spread × √n", "largest gap to the limit")


def width_slider(
    angles: Curve, curves: Mapping[int, Curves], limit: Curve, *, caption: str, alt: str, start: int | None = None
) -> Embedded:
    r"""Kernels on the unit circle under a slider: the reader widens the networks and sees  Θ_n → Θ_∞.

    Beside the curves stand three numbers for each width n, computed in full precision: the spread, which is the sample
    standard deviation of Θ_n(x₀, x₀) over the seeds; spread × √n, which a law 1/√n would keep constant; and
    max |Θ_n − Θ_∞| over seeds and angles. The curves are stored as 16-bit integers times a step, the least of
    1, 2, 5 · 10^k that lets the largest value fit, so they are off by at most half of it.

    Args:
        angles: γ in radians, increasing, with γ = 0 (where x(γ) = x₀) among them, [points].
        curves: ``{width: Θ_n(x₀, x(γ))}``, at least two widths, each [seeds, points] with as many seeds, two or more.
        limit: Θ_∞(x₀, x(γ)), [points].
        caption: what to see; HTML, mathematics between ``$…$``.
        alt: the same for those who do not see the curves; plain text.
        start: the width shown first, and on paper; the middle one if None.

    Returns:
        An object that notebooks display, an inline ``<figure class="ntk-width">``.

    Raises:
        ShapeError: sizes do not fit together.
        DomainError: fewer than two widths or seeds, no γ = 0, a ``start`` that is not among the widths, NaN.

    Cost: 2.7 bytes of page a number.
    Source: Jacot, Gabriel & Hongler 2018, Figure 1 and Theorem 1. Chapter: 05_neural_tangent_kernel.
    """
    where = "interactive.width_slider"
    bundle = Bundle.of(angles, curves, limit, where=where)
    if start is not None and start not in bundle.widths:
        raise DomainError(sentence(f"{where}, start", f"one of {bundle.widths}", repr(start), "choose one of them"))
    shown = len(bundle.widths) // 2 if start is None else bundle.widths.index(start)
    data = bundle.data(shown)
    name = mark(alt, caption, *data.values())
    attributes = " ".join(f'data-{key}="{escape(value)}"' for key, value in data.items())
    html = (
        f'<figure class="ntk-figure ntk-width" {attributes}>{drawing(bundle, shown, alt)}'
        f"{_controls(bundle, shown, name)}<figcaption>{caption_html(caption)}</figcaption>{_table(bundle)}</figure>"
    )
    return Embedded(html=html, alt=alt)


def _controls(bundle: Bundle, shown: int, name: str) -> str:
    """The slider, which the script uncovers, and the readings, which need none."""
    width, last = bundle.widths[shown], len(bundle.widths) - 1
    readings = "".join(
        f'<span class="ntk-reading"><span>{title}</span> <b>{value}</b></span> '
        for title, value in zip(("width n", *_READINGS), (str(width), *bundle.readings(width)), strict=True)
    )
    return (
        f'<div class="ntk-control" hidden=""><label for="{name}">Width n</label>'
        f'<span class="ntk-end" aria-hidden="true">{bundle.widths[0]}</span>'
        f'<input type="range" id="{name}" min="0" max="{last}" step="1" value="{shown}" autocomplete="off" '
        f'aria-valuetext="width {width}"/><span class="ntk-end" aria-hidden="true">{bundle.widths[last]}</span></div>'
        f'<output for="{name}" class="ntk-readings" aria-live="polite" aria-atomic="true">{readings}</output>'
        f'<p class="ntk-still">This is width {width}. In the book, with scripts on, a slider here moves from '
        f"{bundle.widths[0]} to {bundle.widths[last]}; the table below has the numbers of every width.</p>"
    )


def _table(bundle: Bundle) -> str:
    head = "".join(f'<th scope="col">{title}</th>' for title in ("width n", *_READINGS))
    rows = "".join(
        f'<tr><th scope="row">{width}</th>{"".join(f"<td>{value}</td>" for value in bundle.readings(width))}</tr>'
        for width in bundle.widths
    )
    seeds = len(bundle.curves[bundle.widths[0]])
    note = f"Each row: {seeds} initializations. The curves above are stored in steps of {bundle.step:f}".rstrip("0")
    return (
        f'<details class="ntk-numbers"><summary>The numbers of every width</summary><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table><p>{note}.</p></details>"
    )
