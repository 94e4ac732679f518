"""Pictures under a slider: frames that Python has drawn, of which the reader sees one at a time.

Python writes all frames and shows one, right by itself on paper and without scripts; ``book/_static/frames.js`` shows
the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from ntk_teach.errors import DomainError, sentence
from ntk_teach.plot.caption import caption_html, mark
from ntk_teach.plot.svg import Embedded, inline

if TYPE_CHECKING:
    import matplotlib.figure

__all__ = ["frames"]

_WHERE = "interactive.frames"


def frames(
    figures: Mapping[Any, matplotlib.figure.Figure],
    *,
    parameter: str,
    caption: str,
    alt: str,
    readings: Mapping[Any, str] | None = None,
    start: object = None,
) -> Embedded:
    r"""Figures under a slider: the reader moves ``parameter`` through its values and sees the frame of each.

    Every frame is drawn as ``plot.embed`` draws a figure: in the colors of the page, once more for a telephone. Below
    it stands a line such as "t = 3.2 — cost 0.041". Frames should differ only in what the parameter changes: give all
    of them one size, one range of the axes and one legend, or the picture jumps.

    Args:
        figures: ``{value of the parameter: figure}``, at least two, in the order of the slider; the values as they
            are to be read, such as ``"3.2"``; what is no text is read as ``str`` writes it. Figures made by pyplot
            are closed.
        parameter: its name, plain text, such as ``"t"`` or ``"width n"``.
        caption: what to see; HTML, mathematics between ``$…$``.
        alt: what the frames show, for those who do not see them; plain text. Each frame adds its own value and reading.
        readings: ``{the same values: what to read in that frame}``, plain text, a few words.
        start: the value shown first, on paper and where scripts are off; the first one if None.

    Returns:
        An object that notebooks display, an inline ``<figure class="ntk-frames">``.

    Raises:
        DomainError: fewer than two frames, two values with one name, readings for other values than the figures, a
            ``start`` that is none of them.
        ImportError: Matplotlib is not installed.

    Cost: the page carries every frame, and a frame wider than a telephone twice: about 20 kB for axes and ticks, and
    20 bytes for each point of each line. Twelve frames of a few lines of 100 points are 350 kB; more points than the
    picture is wide in pixels, or a scatter of thousands, are seen by nobody and paid by everybody.
    Source: none; a way of looking. Chapter: 02_kernel_gradient_descent, 06_least_squares_dynamics.
    """
    shown = {str(value): figure for value, figure in figures.items()}
    if len(figures) < 2:
        do = "a slider needs somewhere to go; one figure is plot.embed's"
        raise DomainError(sentence(f"{_WHERE}, figures", "at least 2 frames", str(len(figures)), do))
    if len(shown) < len(figures):
        do = "give every frame a name of its own"
        raise DomainError(sentence(f"{_WHERE}, figures", "values that read differently", f"{list(figures)}", do))
    said = None if readings is None else {str(value): str(text) for value, text in readings.items()}
    if said is not None and said.keys() != shown.keys():
        do = f"one side only has {sorted(said.keys() ^ shown.keys())}"
        raise DomainError(sentence(f"{_WHERE}, readings", f"the values {list(shown)}", f"{list(said)}", do))
    first = next(iter(shown)) if start is None else str(start)
    if first not in shown:
        raise DomainError(sentence(f"{_WHERE}, start", f"one of {list(shown)}", repr(start), "choose one of them"))
    lines = {value: _line(parameter, value, said) for value in shown}
    drawn = dict(zip(shown, inline(list(shown.values()), alt, caption, parameter), strict=True))
    pictures = "".join(_frame(svg, alt, value, lines[value], shows=value == first) for value, svg in drawn.items())
    name = mark(alt, caption, *drawn.values(), *lines.values())
    table = _table(parameter, None if said is None else {value: said[value] for value in shown})
    html = (
        f'<figure class="ntk-figure ntk-frames" style="margin:1rem 0">{pictures}'
        f"{_controls(parameter, lines, first, name)}<figcaption>{caption_html(caption)}</figcaption>"
        f"{table}</figure>"
    )
    return Embedded(html=html, alt=alt)


def _line(parameter: str, value: str, readings: Mapping[str, str] | None) -> str:
    reading = f" — {readings[value]}" if readings is not None else ""
    return f"{parameter} = {value}{reading}"


def _frame(svg: str, alt: str, value: str, line: str, *, shows: bool) -> str:
    hidden = "" if shows else ' hidden=""'
    row = "display:flex;justify-content:center"  # on the inner box: it would win over hidden
    return (
        f'<div class="ntk-frame" data-value="{escape(value)}" data-line="{escape(line)}"{hidden}>'
        f'<div role="img" aria-label="{escape(f"{alt} Here {line}.")}" style="{row}">{svg}</div></div>'
    )


def _controls(parameter: str, lines: Mapping[str, str], first: str, name: str) -> str:
    """The slider, which the script uncovers, and the line of the frame, which needs none."""
    values = list(lines)
    return (
        f'<div class="ntk-control" hidden=""><label for="{name}">{escape(parameter)}</label>'
        f'<span class="ntk-end" aria-hidden="true">{escape(values[0])}</span>'
        f'<input type="range" id="{name}" min="0" max="{len(values) - 1}" step="1" value="{values.index(first)}" '
        f'autocomplete="off" aria-valuetext="{escape(first)}"/>'
        f'<span class="ntk-end" aria-hidden="true">{escape(values[-1])}</span></div>'
        f'<output for="{name}" class="ntk-line" aria-live="polite">{escape(lines[first])}</output>'
        f'<p class="ntk-still">This is one of {len(values)} frames. In the book, with scripts on, a slider here moves '
        f"{escape(parameter)} from {escape(values[0])} to {escape(values[-1])}.</p>"
    )


def _table(parameter: str, readings: Mapping[str, str] | None) -> str:
    if readings is None:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(value)}</th><td>{escape(text)}</td></tr>' for value, text in readings.items()
    )
    return (
        f'<details class="ntk-numbers"><summary>What every frame says</summary><table><thead><tr>'
        f'<th scope="col">{escape(parameter)}</th><th scope="col">reading</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></details>"
    )
